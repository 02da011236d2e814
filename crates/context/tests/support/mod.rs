//! One realm, one service, one client: what the engine's tests start from.
#![allow(dead_code)] // each test program uses its part

use countersign_context::credential::{Keytab, TicketCredential};
use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_context::{
    Environment, Error, ErrorKind, Mechanism, Policy, SecurityContext, Step, Timestamp,
};
use countersign_testkit::{ApReqBuilder, NOW, Realm, SeededRandom};

pub(crate) const CLIENT: &str = "alice";
pub(crate) const SERVICE: &str = "HTTP/www.example.com";

pub(crate) fn realm() -> Realm {
    Realm::new("EXAMPLE.COM", 1)
}

pub(crate) fn keytab(realm: &Realm) -> Keytab {
    realm.keytab(&[SERVICE]).unwrap()
}

pub(crate) fn ticket(realm: &Realm) -> TicketCredential {
    realm.ticket(CLIENT, SERVICE).mint().unwrap()
}

pub(crate) fn acceptor(realm: &Realm) -> Acceptor {
    Acceptor::new(&AcceptorCredential::new(&keytab(realm)))
}

/// One side's world, with a clock that the test sets.
pub(crate) struct World {
    pub(crate) now: i64,
    pub(crate) micros: u32,
    pub(crate) policy: Policy,
    random: SeededRandom,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: NOW,
            micros: 0,
            policy: Policy::default(),
            random: SeededRandom::new(seed),
        }
    }

    pub(crate) fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    pub(crate) fn at(mut self, now: i64) -> Self {
        self.now = now;
        self
    }

    pub(crate) fn step(
        &mut self,
        side: &mut dyn Mechanism,
        token: Option<&[u8]>,
    ) -> Result<Step, Error> {
        let now = Timestamp::new(self.now, self.micros);
        let mut env = Environment::new(now, &mut self.random).with_policy(&self.policy);
        side.step(token, &mut env)
    }
}

/// What the acceptor makes of a first token.
pub(crate) fn accept(acceptor: &mut Acceptor, token: &[u8]) -> Result<Step, Error> {
    World::new(77).step(acceptor, Some(token))
}

/// The acceptor's context, whatever style.
pub(crate) fn accepted(acceptor: &mut Acceptor, token: &[u8]) -> Box<SecurityContext> {
    match accept(acceptor, token).unwrap() {
        Step::Established { context, .. } => context,
        step => panic!("not established: {step:?}"),
    }
}

/// An honest token from the independent realm.
pub(crate) fn honest(ticket: &TicketCredential) -> ApReqBuilder<'_> {
    ApReqBuilder::new(ticket)
}

pub(crate) fn build(builder: ApReqBuilder<'_>) -> Vec<u8> {
    builder.build(&mut SeededRandom::new(5)).unwrap().token
}

/// Asserts the refusal and that the acceptor then repeats it.
pub(crate) fn refused(acceptor: &mut Acceptor, token: &[u8]) -> ErrorKind {
    let error = accept(acceptor, token).unwrap_err();
    let again = accept(acceptor, token).unwrap_err();
    assert_eq!(error, again, "a failed context repeats its error");
    error.kind()
}

/// Both sides to the end; returns (initiator's, acceptor's).
pub(crate) fn establish(
    mut initiator: Initiator,
    mut acceptor: Acceptor,
) -> Result<(Box<SecurityContext>, Box<SecurityContext>), Error> {
    let (mut here, mut there) = (World::new(3), World::new(4));
    establish_in(&mut initiator, &mut here, &mut acceptor, &mut there)
}

pub(crate) fn establish_in(
    initiator: &mut Initiator,
    here: &mut World,
    acceptor: &mut Acceptor,
    there: &mut World,
) -> Result<(Box<SecurityContext>, Box<SecurityContext>), Error> {
    let (mut ours, mut theirs) = (None, None);
    let mut token = None;
    for _ in 0..8 {
        if ours.is_none() {
            token = match here.step(initiator, token.as_deref())? {
                Step::Continue { token } => Some(token),
                Step::Established { token, context } => {
                    ours = Some(context);
                    token
                }
                step => panic!("unexpected {step:?}"),
            };
        }
        if theirs.is_none() {
            let Some(sent) = token.take() else {
                panic!("nothing to send")
            };
            token = match there.step(acceptor, Some(&sent))? {
                Step::Continue { token } => Some(token),
                Step::Established { token, context } => {
                    theirs = Some(context);
                    token
                }
                step => panic!("unexpected {step:?}"),
            };
        }
        if let (Some(_), Some(_)) = (&ours, &theirs) {
            assert_eq!(token, None, "a token is left over");
            return Ok((ours.unwrap(), theirs.unwrap()));
        }
    }
    panic!("the handshake does not end")
}
