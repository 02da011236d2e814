//! AUTHENTICATE messages that prove nothing.

use std::hint::black_box;
use std::sync::Arc;

use countersign_benches::Result;
use countersign_context::ntlm::{Acceptor, AcceptorCredential, Initiator, ServerNames};
use countersign_context::{
    Environment, ErrorKind, Flags, Mechanism, Policy, SecurityContext, Step, Timestamp,
};
use countersign_credential::Password;
use countersign_credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign_testkit::{NOW, SeededRandom};
use countersign_token::ntlm::AuthenticateMessage;

use crate::cases::{Case, Class, Promise, Subject, altered};
use crate::messages::Pair;

const PASSWORD: &str = "open sesame";

pub(crate) fn cases() -> Vec<Case> {
    let proof = |token: &[u8]| -> Result<[Vec<u8>; 2]> {
        let response = AuthenticateMessage::parse(token)?.nt_response;
        let place = token
            .windows(response.len())
            .position(|part| part == response);
        let first = place.ok_or("no response")?;
        // MS-NLMP §2.2.2.8: NTProofStr begins the response.
        Ok(altered(token, first, first + 15))
    };
    let mic = |token: &[u8]| -> Result<[Vec<u8>; 2]> {
        let first = AuthenticateMessage::MIC_OFFSET;
        Ok(altered(
            token,
            first,
            first + AuthenticateMessage::MIC_LEN - 1,
        ))
    };
    let mut cases = vec![
        Case::new("authenticate/proof", move || {
            let lab = Lab::new(1)?;
            let genuine = lab.genuine()?;
            Authenticate::new(lab, proof(&genuine)?.map(|token| vec![token]))
        })
        .promising(Promise::AlikeInTime),
        Case::new("authenticate/mic", move || {
            let lab = Lab::new(1)?;
            let genuine = lab.genuine()?;
            Authenticate::new(lab, mic(&genuine)?.map(|token| vec![token]))
        }),
    ];
    for users in [16, 1_000] {
        let case = Case::new(format!("authenticate/unknown-user/{users}"), move || {
            let lab = Lab::new(users)?;
            let inputs = [0, 1].map(|which| {
                let token = |number: usize| {
                    let account = format!("EXAMPLE\\{}", name(2 * number + which));
                    lab.authenticate(&account, "a wrong one")
                };
                (0..users).map(token).collect::<Result<Vec<_>>>()
            });
            let [known, unknown] = inputs;
            Authenticate::new(lab, [known?, unknown?])
        });
        // Names are compared with those of a tree, to the end or not.
        cases.push(case.promising(Promise::AlikeButLookUp));
    }
    cases
}

/// Both sides' contexts.
pub(crate) fn pair() -> Result<Pair> {
    let lab = Lab::new(1)?;
    let (mut initiator, mut acceptor) =
        (lab.initiator("EXAMPLE\\alice", PASSWORD)?, lab.acceptor());
    let challenge = lab.challenge(&mut acceptor)?;
    lab.begin(&mut initiator)?;
    let (token, ours) = lab.end(&mut initiator, Some(&challenge))?;
    let (_, theirs) = lab.end(&mut acceptor, token.as_deref())?;
    Ok((ours, theirs))
}

/// A server, and a first message to it. Whatever is random repeats itself.
struct Lab {
    credential: AcceptorCredential,
    policy: Policy,
    negotiate: Vec<u8>,
}

impl Lab {
    /// A server with so many users, and alice.
    fn new(users: usize) -> Result<Self> {
        let names = ServerNames::new("WWW", "EXAMPLE")?;
        let users = self::users(users)?;
        let mut lab = Self {
            credential: AcceptorCredential::new(names).with_users(users),
            policy: Policy::DEFAULT,
            negotiate: Vec::new(),
        };
        lab.negotiate = lab.begin(&mut lab.initiator("EXAMPLE\\alice", PASSWORD)?)?;
        Ok(lab)
    }

    fn initiator(&self, account: &str, password: &str) -> Result<Initiator> {
        let account = AccountName::parse(account)?;
        let credential = NtlmCredential::with_password(account, &Password::from(password));
        Ok(Initiator::new(Arc::new(credential)).require(Flags::CONFIDENTIALITY))
    }

    fn acceptor(&self) -> Acceptor {
        Acceptor::new(&self.credential)
    }

    fn step(
        &self,
        side: &mut dyn Mechanism,
        token: Option<&[u8]>,
    ) -> Result<Step, countersign_context::Error> {
        let mut random = SeededRandom::new(1);
        let env = Environment::new(Timestamp::new(NOW, 0), &mut random);
        side.step(token, &mut env.with_policy(&self.policy))
    }

    fn next(&self, side: &mut dyn Mechanism, token: Option<&[u8]>) -> Result<Vec<u8>> {
        match self.step(side, token)? {
            Step::Continue { token } => Ok(token),
            other => Err(format!("{other:?}").into()),
        }
    }

    fn begin(&self, initiator: &mut Initiator) -> Result<Vec<u8>> {
        self.next(initiator, None)
    }

    fn challenge(&self, acceptor: &mut Acceptor) -> Result<Vec<u8>> {
        self.next(acceptor, Some(&self.negotiate))
    }

    fn end(
        &self,
        side: &mut dyn Mechanism,
        token: Option<&[u8]>,
    ) -> Result<(Option<Vec<u8>>, SecurityContext)> {
        match self.step(side, token)? {
            Step::Established { token, context } => Ok((token, *context)),
            other => Err(format!("{other:?}").into()),
        }
    }

    /// The last message of whoever says that.
    fn authenticate(&self, account: &str, password: &str) -> Result<Vec<u8>> {
        let mut initiator = self.initiator(account, password)?;
        self.begin(&mut initiator)?;
        let challenge = self.challenge(&mut self.acceptor())?;
        let (token, _) = self.end(&mut initiator, Some(&challenge))?;
        Ok(token.ok_or("no AUTHENTICATE")?)
    }

    /// One that is accepted.
    fn genuine(&self) -> Result<Vec<u8>> {
        let token = self.authenticate("EXAMPLE\\alice", PASSWORD)?;
        let mut acceptor = self.acceptor();
        self.challenge(&mut acceptor)?;
        self.end(&mut acceptor, Some(&token))?;
        Ok(token)
    }
}

/// A name of as many letters as any other; every second one is a user's.
fn name(number: usize) -> String {
    format!("user{number:06}")
}

fn users(count: usize) -> Result<Users> {
    let mut file = format!("EXAMPLE:alice:{PASSWORD}\n");
    for number in 0..count {
        file += &format!("EXAMPLE:{}:{number}\n", name(2 * number));
    }
    Ok(Users::parse(file.as_bytes())?)
}

struct Authenticate {
    lab: Lab,
    acceptor: Acceptor,
    random: SeededRandom,
    inputs: [Vec<Vec<u8>>; 2],
    input: Vec<u8>,
    found: Result<(), ErrorKind>,
}

impl Authenticate {
    fn new(lab: Lab, inputs: [Vec<Vec<u8>>; 2]) -> Result<Self> {
        let length = inputs[0][0].len();
        if inputs.iter().flatten().any(|token| token.len() != length) {
            return Err("lengths are no secret, and would be seen".into());
        }
        Ok(Self {
            acceptor: lab.acceptor(),
            random: SeededRandom::new(4),
            input: inputs[0][0].clone(),
            inputs,
            lab,
            found: Ok(()),
        })
    }
}

impl Subject for Authenticate {
    fn prepare(&mut self, class: Class) {
        self.acceptor = self.lab.acceptor();
        self.found = match self.lab.challenge(&mut self.acceptor) {
            Ok(_) => Ok(()),
            Err(_) => Err(ErrorKind::Internal("no CHALLENGE")),
        };
        let inputs = &self.inputs[class];
        let drawn = self.random.below(inputs.len());
        self.input.copy_from_slice(&inputs[drawn]);
    }

    fn run(&mut self) {
        let step = self
            .lab
            .step(&mut self.acceptor, Some(black_box(&self.input)));
        self.found = step.map(drop).map_err(|error| error.kind());
    }

    fn outcome(&self) -> String {
        format!("{:?}", self.found)
    }
}
