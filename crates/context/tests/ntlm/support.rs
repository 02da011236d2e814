//! Both sides in memory.

use countersign_context::credential::Password;
use countersign_context::credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign_context::crypto::ntlm::Strength;
use countersign_context::crypto::{Random, RandomError};
use countersign_context::ntlm::{Acceptor, AcceptorCredential, Initiator, ServerNames};
use countersign_context::{
    Answer, Environment, Error, ErrorKind, Mechanism, MicPolicy, NtlmPolicy, Policy,
    SecurityContext, Step, Timestamp,
};
use countersign_testkit::SeededRandom;

pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

/// What [`NOW`] is as a FILETIME.
pub(crate) const FILE_TIME: u64 = (1_700_000_000 + 11_644_473_600) * 10_000_000;

pub(crate) const PASSWORD: &str = "open sesame";

pub(crate) fn credential(account: &str, password: &str) -> NtlmCredential {
    NtlmCredential::with_password(
        AccountName::parse(account).unwrap(),
        &Password::from(password),
    )
}

pub(crate) fn alice() -> NtlmCredential {
    credential("EXAMPLE\\alice", PASSWORD)
}

pub(crate) fn users() -> Users {
    Users::parse(b"EXAMPLE:alice:open sesame\n*:bob:battery staple\n").unwrap()
}

pub(crate) fn names() -> ServerNames {
    ServerNames::new("WWW", "EXAMPLE")
        .unwrap()
        .with_dns("www.example.com", "example.com")
        .unwrap()
}

pub(crate) fn server() -> AcceptorCredential {
    AcceptorCredential::new(names()).with_users(users())
}

/// The default with another part for NTLM.
pub(crate) fn policy(change: impl FnOnce(NtlmPolicy) -> NtlmPolicy) -> Policy {
    Policy::DEFAULT.with_ntlm(change(NtlmPolicy::DEFAULT))
}

pub(crate) fn mic_if_present() -> Policy {
    policy(|ntlm| ntlm.with_mic(MicPolicy::IfPresent))
}

pub(crate) fn weak(least: Strength) -> Policy {
    policy(|ntlm| ntlm.with_dangerous_strength(least))
}

/// What the engine is given.
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) policy: Policy,
    random: SeededRandom,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: NOW,
            policy: Policy::DEFAULT,
            random: SeededRandom::new(seed),
        }
    }

    pub(crate) fn with_policy(mut self, policy: &Policy) -> Self {
        self.policy = policy.clone();
        self
    }

    pub(crate) fn step(
        &mut self,
        side: &mut dyn Mechanism,
        token: Option<&[u8]>,
    ) -> Result<Step, Error> {
        let mut env = Environment::new(self.now, &mut self.random).with_policy(&self.policy);
        side.step(token, &mut env)
    }

    pub(crate) fn resume(
        &mut self,
        side: &mut dyn Mechanism,
        answer: Answer,
    ) -> Result<Step, Error> {
        let mut env = Environment::new(self.now, &mut self.random).with_policy(&self.policy);
        side.resume(answer, &mut env)
    }

    /// The token of a step that goes on.
    pub(crate) fn go_on(&mut self, side: &mut dyn Mechanism, token: Option<&[u8]>) -> Vec<u8> {
        match self.step(side, token) {
            Ok(Step::Continue { token }) => token,
            other => panic!("{other:?}"),
        }
    }
}

/// Random bytes that were written down.
pub(crate) struct Script(pub(crate) Vec<u8>);

impl Random for Script {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.copy_from_slice(&self.0[..out.len()]);
        self.0.drain(..out.len());
        Ok(())
    }
}

/// The messages of an exchange.
#[derive(Clone)]
pub(crate) struct Messages {
    pub(crate) negotiate: Vec<u8>,
    pub(crate) challenge: Vec<u8>,
    pub(crate) authenticate: Vec<u8>,
}

/// Both sides' contexts, or the first error; `on_the_way` sees each message and may alter it.
pub(crate) fn run_through(
    mut initiator: Initiator,
    mut acceptor: Acceptor,
    policy: &Policy,
    mut on_the_way: impl FnMut(usize, &mut Vec<u8>),
) -> Result<(SecurityContext, SecurityContext), Error> {
    let mut world = World::new(7).with_policy(policy);
    let mut forward = |leg, mut token| {
        on_the_way(leg, &mut token);
        token
    };
    let Step::Continue { token } = world.step(&mut initiator, None)? else {
        panic!("NEGOTIATE")
    };
    let negotiate = forward(0, token);
    let Step::Continue { token } = world.step(&mut acceptor, Some(&negotiate))? else {
        panic!("CHALLENGE")
    };
    let challenge = forward(1, token);
    let (token, client) = last(world.step(&mut initiator, Some(&challenge))?);
    let authenticate = forward(2, token.expect("AUTHENTICATE"));
    let (token, server) = last(world.step(&mut acceptor, Some(&authenticate))?);
    assert_eq!(token, None);
    Ok((client, server))
}

/// Both sides' contexts, or the first error.
pub(crate) fn run(
    initiator: Initiator,
    acceptor: Acceptor,
    policy: &Policy,
) -> Result<(SecurityContext, SecurityContext), Error> {
    run_through(initiator, acceptor, policy, |_, _| {})
}

/// As [`run`], in connectionless mode.
pub(crate) fn run_connectionless(
    initiator: Initiator,
    acceptor: Acceptor,
    policy: &Policy,
) -> Result<(SecurityContext, SecurityContext), Error> {
    run_datagrams(initiator, acceptor, World::new(8).with_policy(policy))
}

/// As [`run_connectionless`], in this world.
pub(crate) fn run_datagrams(
    initiator: Initiator,
    acceptor: Acceptor,
    mut world: World,
) -> Result<(SecurityContext, SecurityContext), Error> {
    let (mut initiator, mut acceptor) = (initiator.connectionless(), acceptor.connectionless());
    let Step::Continue { token } = world.step(&mut initiator, None)? else {
        panic!("nothing")
    };
    assert_eq!(token, b"");
    let Step::Continue { token } = world.step(&mut acceptor, None)? else {
        panic!("CHALLENGE")
    };
    let (token, client) = last(world.step(&mut initiator, Some(&token))?);
    let (token, server) = last(world.step(&mut acceptor, token.as_deref())?);
    assert_eq!(token, None);
    Ok((client, server))
}

/// An exchange of honest sides, message by message.
pub(crate) fn messages(initiator: Initiator, acceptor: Acceptor, policy: &Policy) -> Messages {
    let mut seen = Vec::new();
    run_through(initiator, acceptor, policy, |_, token| {
        seen.push(token.clone());
    })
    .unwrap();
    let [negotiate, challenge, authenticate] = seen.try_into().unwrap();
    Messages {
        negotiate,
        challenge,
        authenticate,
    }
}

pub(crate) fn last(step: Step) -> (Option<Vec<u8>>, SecurityContext) {
    match step {
        Step::Established { token, context } => (token, *context),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn context(result: Result<Step, Error>) -> SecurityContext {
    last(result.unwrap()).1
}

/// Why there is no context.
pub(crate) fn why<T>(result: Result<T, Error>) -> ErrorKind {
    match result {
        Ok(_) => panic!("accepted"),
        Err(error) => error.kind(),
    }
}

/// A message goes each way and arrives as it was sent, sealed or not.
pub(crate) fn converse(one: &mut SecurityContext, other: &mut SecurityContext, seal: bool) {
    for round in 0..2u8 {
        let message = vec![round; 40];
        let token = one.wrap(seal, &message).unwrap();
        assert_eq!(token[16..] == message, !seal);
        let opened = other.unwrap(&token).unwrap();
        assert_eq!((opened.message, opened.sealed), (message.clone(), seal));
        let mic = other.get_mic(&message).unwrap();
        one.verify_mic(&message, &mic).unwrap();
        let token = other.wrap(seal, &message).unwrap();
        assert_eq!(one.unwrap(&token).unwrap().message, message);
    }
}
