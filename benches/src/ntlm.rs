//! Establishing contexts of NTLM: the response and the MIC verified, keys exchanged.

use std::sync::Arc;

use countersign_context::ntlm::{Acceptor, AcceptorCredential, Initiator, ServerNames};
use countersign_context::{Environment, Flags, Mechanism, Policy, Step, Timestamp};
use countersign_credential::Password;
use countersign_credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign_testkit::NOW;

use crate::kerberos::establish;
use crate::random::Repeating;
use crate::{Operation, Prepared, Result, SystemRandom};

/// What is asked for.
const FLAGS: Flags = Flags::CONFIDENTIALITY.union(Flags::INTEGRITY);

pub(crate) const PASSWORD: &str = "open sesame";

/// A user, and the server's credential.
pub(crate) struct Parties {
    user: Arc<NtlmCredential>,
    acceptor: AcceptorCredential,
}

impl Parties {
    pub(crate) fn new() -> Result<Self> {
        let name = AccountName::parse("EXAMPLE\\alice")?;
        let users = Users::parse(format!("EXAMPLE:alice:{PASSWORD}\n").as_bytes())?;
        let names = ServerNames::new("WWW", "EXAMPLE")?;
        Ok(Self {
            user: Arc::new(NtlmCredential::with_password(
                name,
                &Password::from(PASSWORD),
            )),
            acceptor: AcceptorCredential::new(names).with_users(users),
        })
    }

    pub(crate) fn initiator(&self) -> Initiator {
        Initiator::new(Arc::clone(&self.user)).request(FLAGS)
    }

    pub(crate) fn acceptor(&self) -> Acceptor {
        Acceptor::new(&self.acceptor).require(FLAGS)
    }
}

pub(crate) fn operations() -> Vec<Prepared> {
    vec![
        Prepared::new("ntlm/accept", |name| {
            let parties = Parties::new()?;
            let policy = Policy::default();
            let said = recorded(&mut parties.initiator(), &mut parties.acceptor(), &policy)?;
            Ok(replayed(name, said.of_initiator, policy, move || {
                Box::new(parties.acceptor())
            }))
        }),
        Prepared::new("ntlm/initiate", |name| {
            let parties = Parties::new()?;
            let policy = Policy::default();
            let said = recorded(&mut parties.initiator(), &mut parties.acceptor(), &policy)?;
            Ok(replayed(name, said.of_acceptor, policy, move || {
                Box::new(parties.initiator())
            }))
        }),
        Prepared::new("ntlm/handshake", |name| {
            let parties = Parties::new()?;
            Ok(Operation::new(name, move || {
                let mut random = SystemRandom;
                let env = &mut Environment::new(Timestamp::new(NOW, 0), &mut random);
                let pair = establish(&mut parties.initiator(), &mut parties.acceptor(), env);
                assert!(pair.is_ok());
                pair
            }))
        }),
    ]
}

/// What was said in a handshake with a generator that repeats itself.
pub(crate) struct Said {
    pub(crate) of_initiator: Vec<Option<Vec<u8>>>,
    /// The first is nothing: the initiator begins.
    pub(crate) of_acceptor: Vec<Option<Vec<u8>>>,
}

pub(crate) fn recorded(
    initiator: &mut dyn Mechanism,
    acceptor: &mut dyn Mechanism,
    policy: &Policy,
) -> Result<Said> {
    let mut said = Said {
        of_initiator: Vec::new(),
        of_acceptor: vec![None],
    };
    let mut random = Repeating;
    let env = &mut Environment::new(Timestamp::new(NOW, 0), &mut random).with_policy(policy);
    let mut token = None;
    loop {
        token = match initiator.step(token.as_deref(), env)? {
            Step::Continue { token } => Some(token),
            Step::Established { token, .. } => token,
            Step::Need(need) => return Err(format!("{need:?}").into()),
        };
        if token.is_none() {
            return Ok(said);
        }
        said.of_initiator.push(token.clone());
        token = match acceptor.step(token.as_deref(), env)? {
            Step::Continue { token } => Some(token),
            Step::Established { token, .. } => token,
            Step::Need(need) => return Err(format!("{need:?}").into()),
        };
        if token.is_none() {
            return Ok(said);
        }
        said.of_acceptor.push(token.clone());
    }
}

/// One side, told what the other said.
pub(crate) fn replayed(
    name: &str,
    tokens: Vec<Option<Vec<u8>>>,
    policy: Policy,
    side: impl Fn() -> Box<dyn Mechanism> + 'static,
) -> Operation {
    Operation::new(name, move || {
        let mut random = Repeating;
        let env = &mut Environment::new(Timestamp::new(NOW, 0), &mut random).with_policy(&policy);
        let mut side = side();
        let mut last = None;
        for token in &tokens {
            last = Some(side.step(token.as_deref(), env));
        }
        assert!(matches!(last, Some(Ok(Step::Established { .. }))));
        last
    })
}
