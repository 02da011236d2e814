//! Establishing contexts of Kerberos: everything verified, the replay cache on.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use countersign_context::kerberos::{
    Acceptor, AcceptorCredential, Initiator, ReplayCache, ReplayProtection,
};
use countersign_context::{
    EnctypeSet, Environment, Flags, Mechanism, Policy, SecurityContext, Step, Timestamp,
};
use countersign_credential::TicketCredential;
use countersign_crypto::{Enctype, Key, Random};
use countersign_testkit::{NOW, Realm};

use crate::random::Repeating;
use crate::{Operation, Prepared, Result, SystemRandom};

pub(crate) const SERVICE: &str = "HTTP/web.example.com";

/// The enctypes that are measured, by what they are called here.
pub(crate) const ENCTYPES: [(Enctype, &str); 4] = [
    (Enctype::Aes256CtsHmacSha1_96, "aes256-sha1"),
    (Enctype::Aes128CtsHmacSha1_96, "aes128-sha1"),
    (Enctype::Aes256CtsHmacSha384_192, "aes256-sha2"),
    (Enctype::Aes128CtsHmacSha256_128, "aes128-sha2"),
];

/// What is asked for.
pub(crate) const FLAGS: Flags = Flags::MUTUAL
    .union(Flags::REPLAY)
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY);

/// So many contexts at different microseconds before the replay cache begins anew.
const ROUND: u32 = 500_000;

/// A ticket, and the service's credential.
pub(crate) struct Parties {
    ticket: Arc<TicketCredential>,
    acceptor: AcceptorCredential,
    pub(crate) policy: Policy,
    count: u32,
}

impl Parties {
    pub(crate) fn new(enctype: Enctype) -> Result<Self> {
        let realm = Realm::new("EXAMPLE.COM", 1);
        let ticket = realm.ticket("user", SERVICE).enctype(enctype).mint()?;
        let acceptor = AcceptorCredential::new(&realm.keytab(&[SERVICE])?);
        Ok(Self::of(ticket, acceptor, enctype))
    }

    pub(crate) fn of(
        ticket: impl Into<Arc<TicketCredential>>,
        acceptor: AcceptorCredential,
        enctype: Enctype,
    ) -> Self {
        Self {
            ticket: ticket.into(),
            acceptor,
            // Otherwise the acceptor's subkey would be of the best enctype that both know.
            policy: Policy::default().with_enctypes(EnctypeSet::of(&[enctype])),
            count: 0,
        }
    }

    /// A copy of the ticket's.
    pub(crate) fn session_key(&self) -> Result<Key> {
        Ok(self.ticket.session_key()?.duplicate())
    }

    /// At the time of the newest context.
    pub(crate) fn environment<'a>(&'a self, random: &'a mut dyn Random) -> Environment<'a> {
        Environment::new(Timestamp::new(NOW, self.count), random).with_policy(&self.policy)
    }

    /// The clock goes on, and the replay cache begins anew when it comes around.
    pub(crate) fn tick(&mut self) {
        self.count += 1;
        if self.count == ROUND {
            self.count = 0;
            let cache = Arc::new(ReplayCache::default());
            let protection = ReplayProtection::Shared(cache);
            self.acceptor = self.acceptor.clone().with_replay_protection(protection);
        }
    }

    pub(crate) fn initiator(&self) -> Initiator {
        Initiator::new(Arc::clone(&self.ticket)).request(FLAGS)
    }

    pub(crate) fn acceptor(&self) -> Acceptor {
        Acceptor::new(&self.acceptor).require(FLAGS)
    }

    /// The next handshake: the initiator's context and the acceptor's.
    fn establish(&mut self) -> Result<(SecurityContext, SecurityContext)> {
        self.tick();
        let mut random = SystemRandom;
        let env = &mut self.environment(&mut random);
        establish(&mut self.initiator(), &mut self.acceptor(), env)
    }
}

pub(crate) fn operations() -> Vec<Prepared> {
    let mut all = Vec::new();
    for (enctype, name) in ENCTYPES {
        let mut add = |what: &str, prepare: fn(&str, Enctype) -> Result<Operation>| {
            let name = format!("kerberos/{what}/{name}");
            all.push(Prepared::new(name, move |name| prepare(name, enctype)));
        };
        add("accept", accept);
        add("initiate", initiate);
        add("handshake", handshake);
        add("first-message", first_message);
    }
    all
}

/// AP-REQ in, AP-REP and an established context out.
fn accept(name: &str, enctype: Enctype) -> Result<Operation> {
    let parties = Parties::new(enctype)?;
    accepting(name, parties, Parties::initiator, Parties::acceptor)
}

/// Accepts of the first tokens of so many initiators.
pub(crate) fn accepting<I: Mechanism, A: Mechanism>(
    name: &str,
    parties: Parties,
    initiator: impl Fn(&Parties) -> I + 'static,
    acceptor: impl Fn(&Parties) -> A + 'static,
) -> Result<Operation> {
    let parties = Rc::new(RefCell::new(parties));
    let makes = Rc::clone(&parties);
    let prepare = move || {
        let mut parties = makes.borrow_mut();
        parties.tick();
        let mut random = SystemRandom;
        let env = &mut parties.environment(&mut random);
        match initiator(&parties).step(None, env) {
            Ok(Step::Continue { token }) => token,
            _ => Vec::new(),
        }
    };
    let run = move |token: Vec<u8>| {
        let parties = parties.borrow();
        let mut random = SystemRandom;
        let env = &mut parties.environment(&mut random);
        let step = acceptor(&parties).step(Some(&token), env);
        assert!(matches!(step, Ok(Step::Established { token: Some(_), .. })));
        step
    };
    Ok(Operation::prepared(name, prepare, run))
}

/// A ticket in, AP-REQ out; AP-REP in, an established context out. The acceptor is left out.
fn initiate(name: &str, enctype: Enctype) -> Result<Operation> {
    let parties = Parties::new(enctype)?;
    // With a generator that repeats itself so does the request, and one reply answers it always.
    let mut random = Repeating;
    let env = &mut parties.environment(&mut random);
    let Step::Continue { token } = parties.initiator().step(None, env)? else {
        return Err("no first token".into());
    };
    let Step::Established { token: reply, .. } = parties.acceptor().step(Some(&token), env)? else {
        return Err("not accepted".into());
    };
    let run = move || {
        let mut random = Repeating;
        let env = &mut parties.environment(&mut random);
        let mut initiator = parties.initiator();
        let request = initiator.step(None, env);
        let step = initiator.step(reply.as_deref(), env);
        assert!(matches!(step, Ok(Step::Established { .. })));
        (request, step)
    };
    Ok(Operation::new(name, run))
}

/// Both sides, from the ticket to two contexts.
fn handshake(name: &str, enctype: Enctype) -> Result<Operation> {
    let mut parties = Parties::new(enctype)?;
    let run = move || {
        let pair = parties.establish();
        assert!(pair.is_ok());
        pair
    };
    Ok(Operation::new(name, run))
}

/// What is left of a context's making for its first message: the keys of both directions and 64 bytes sealed. The context's end
/// is in it too.
fn first_message(name: &str, enctype: Enctype) -> Result<Operation> {
    let mut parties = Parties::new(enctype)?;
    let prepare = move || {
        let (ours, _) = parties.establish().ok()?;
        let token = vec![0; 64 + ours.overhead(true, 64).total()];
        Some((ours, token))
    };
    let run = |made: Option<(SecurityContext, Vec<u8>)>| {
        let wrapped = made.map(|(mut ours, mut token)| {
            let wrapped = ours.wrap_in_place(true, &mut token);
            (wrapped.is_ok(), ours, token)
        });
        assert!(matches!(wrapped, Some((true, ..))));
        wrapped
    };
    Ok(Operation::prepared(name, prepare, run))
}

/// The initiator's context and the acceptor's.
pub(crate) fn establish(
    initiator: &mut dyn Mechanism,
    acceptor: &mut dyn Mechanism,
    env: &mut Environment<'_>,
) -> Result<(SecurityContext, SecurityContext)> {
    let (mut ours, mut theirs) = (None, None);
    let mut token: Option<Vec<u8>> = None;
    let sides: [(&mut dyn Mechanism, &mut Option<_>); 2] =
        [(initiator, &mut ours), (acceptor, &mut theirs)];
    let [mut turn, mut other] = sides;
    loop {
        match turn.0.step(token.as_deref(), env)? {
            Step::Continue { token: next } => token = Some(next),
            Step::Established {
                token: next,
                context,
            } => {
                *turn.1 = Some(*context);
                token = next;
            }
            Step::Need(need) => return Err(format!("{need:?}").into()),
        }
        if token.is_none() {
            break;
        }
        std::mem::swap(&mut turn, &mut other);
    }
    ours.zip(theirs).ok_or_else(|| "one side waits".into())
}
