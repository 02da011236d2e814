//! Establishing contexts: everything verified, the replay cache on.

use std::sync::Arc;

use countersign_context::kerberos::{
    Acceptor, AcceptorCredential, Initiator, ReplayCache, ReplayProtection,
};
use countersign_context::{EnctypeSet, Environment, Flags, Mechanism, Policy, Step, Timestamp};
use countersign_credential::TicketCredential;
use countersign_crypto::{Enctype, Random, RandomError};
use countersign_testkit::{NOW, Realm};

use crate::{Operation, Prepared, Result, SystemRandom};

const SERVICE: &str = "HTTP/web.example.com";

/// The enctypes that are measured.
pub(crate) const ENCTYPES: [Enctype; 4] = [
    Enctype::Aes256CtsHmacSha1_96,
    Enctype::Aes128CtsHmacSha1_96,
    Enctype::Aes256CtsHmacSha384_192,
    Enctype::Aes128CtsHmacSha256_128,
];

/// What is asked for.
pub(crate) const FLAGS: Flags = Flags::MUTUAL
    .union(Flags::REPLAY)
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY);

/// First tokens before the clock starts again with an empty replay cache.
const ROUND: u32 = 1024;

/// A ticket, and the service's credential.
pub(crate) struct Parties {
    pub(crate) ticket: Arc<TicketCredential>,
    pub(crate) acceptor: AcceptorCredential,
    pub(crate) policy: Policy,
}

impl Parties {
    pub(crate) fn new(enctype: Enctype) -> Result<Self> {
        let realm = Realm::new("EXAMPLE.COM", 1);
        let ticket = realm.ticket("user", SERVICE).enctype(enctype).mint()?;
        Ok(Self {
            ticket: Arc::new(ticket),
            acceptor: AcceptorCredential::new(&realm.keytab(&[SERVICE])?),
            // Otherwise the acceptor's subkey would be of the best enctype that both know.
            policy: Policy::default().with_enctypes(EnctypeSet::of(&[enctype])),
        })
    }

    pub(crate) fn environment<'a>(
        &'a self,
        random: &'a mut dyn Random,
        count: u32,
    ) -> Environment<'a> {
        Environment::new(Timestamp::new(NOW, count), random).with_policy(&self.policy)
    }

    pub(crate) fn initiator(&self) -> Initiator {
        Initiator::new(Arc::clone(&self.ticket)).request(FLAGS)
    }

    /// The same service, with an empty replay cache.
    fn forgetful(&self) -> AcceptorCredential {
        let cache = Arc::new(ReplayCache::default());
        self.acceptor
            .clone()
            .with_replay_protection(ReplayProtection::Shared(cache))
    }

    fn first_token(&self, count: u32) -> Result<Vec<u8>> {
        let mut random = SystemRandom;
        match self
            .initiator()
            .step(None, &mut self.environment(&mut random, count))?
        {
            Step::Continue { token } => Ok(token),
            other => Err(format!("{other:?}").into()),
        }
    }
}

pub(crate) fn operations() -> Vec<Prepared> {
    let each = |what: &str, prepare: fn(&str, Enctype) -> Result<Operation>| {
        let what = what.to_owned();
        ENCTYPES.map(move |enctype| {
            Prepared::new(format!("{what}/{}", enctype.name()), move |name| {
                prepare(name, enctype)
            })
        })
    };
    // Four of these are in an accept.
    let mut all = vec![Prepared::new("random/16-bytes".into(), |name| {
        Ok(Operation::new(name, || SystemRandom.fill(&mut [0; 16])))
    })];
    all.extend(each("accept", accept));
    all.extend(each("initiate", initiate));
    all.extend(each("handshake", handshake));
    all
}

/// AP-REQ in, AP-REP and an established context out.
fn accept(name: &str, enctype: Enctype) -> Result<Operation> {
    let parties = Parties::new(enctype)?;
    let tokens = (0..ROUND)
        .map(|count| parties.first_token(count))
        .collect::<Result<Vec<_>>>()?;
    let mut credential = parties.forgetful();
    let mut next = 0;
    let run = move || {
        if next == tokens.len() {
            next = 0;
            credential = parties.forgetful();
        }
        let token = tokens.get(next).map(Vec::as_slice);
        next += 1;
        let mut random = SystemRandom;
        let env = &mut parties.environment(&mut random, 0);
        let step = Acceptor::new(&credential).require(FLAGS).step(token, env);
        assert!(matches!(step, Ok(Step::Established { token: Some(_), .. })));
        step
    };
    Ok(Operation::new(name, run))
}

/// A ticket in, AP-REQ out; AP-REP in, an established context out. The acceptor is left out.
fn initiate(name: &str, enctype: Enctype) -> Result<Operation> {
    let parties = Parties::new(enctype)?;
    // With a generator that repeats itself so does the request, and one reply answers it always.
    let mut random = Repeating;
    let mut first = parties.initiator();
    let env = &mut parties.environment(&mut random, 0);
    let Step::Continue { token } = first.step(None, env)? else {
        return Err("no first token".into());
    };
    let reply = match Acceptor::new(&parties.acceptor).step(Some(&token), env)? {
        Step::Established {
            token: Some(token), ..
        } => token,
        other => return Err(format!("{other:?}").into()),
    };
    let run = move || {
        let mut random = Repeating;
        let env = &mut parties.environment(&mut random, 0);
        let mut initiator = parties.initiator();
        let request = initiator.step(None, env);
        let step = initiator.step(Some(&reply), env);
        assert!(matches!(step, Ok(Step::Established { .. })));
        (request, step)
    };
    Ok(Operation::new(name, run))
}

/// Both sides, from the ticket to two contexts.
fn handshake(name: &str, enctype: Enctype) -> Result<Operation> {
    let parties = Parties::new(enctype)?;
    let mut credential = parties.forgetful();
    let mut count = 0;
    let mut run = move || {
        count += 1;
        if count == 65_536 {
            count = 0;
            credential = parties.forgetful();
        }
        let mut random = SystemRandom;
        let env = &mut parties.environment(&mut random, count);
        let mut initiator = parties.initiator();
        let Ok(Step::Continue { token }) = initiator.step(None, env) else {
            return None;
        };
        let accepted = Acceptor::new(&credential)
            .require(FLAGS)
            .step(Some(&token), env);
        let Ok(Step::Established { token, context }) = accepted else {
            return None;
        };
        let Ok(Step::Established { context: ours, .. }) = initiator.step(token.as_deref(), env)
        else {
            return None;
        };
        Some((ours, context))
    };
    if run().is_none() {
        return Err("no handshake".into());
    }
    Ok(Operation::new(name, run))
}

/// Always the same bytes: nothing of the cost of randomness is in `initiate`.
struct Repeating;

impl Random for Repeating {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(0x5c);
        Ok(())
    }
}
