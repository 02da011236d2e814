//! Contexts that wait for a token: what a program holds of each while the other side says nothing.

use countersign_context::negotiate::{Acceptor, Initiator};
use countersign_context::{Flags, Mechanism, Step};
use countersign_crypto::Enctype;

use crate::kerberos::{self, FLAGS};
use crate::{Result, SystemRandom, ntlm};

type Side = Box<dyn Mechanism>;

/// A side of a handshake that stops.
pub struct HalfOpen {
    /// The mechanism and the side.
    pub name: &'static str,
    /// After so many tokens.
    tokens: usize,
    sides: fn(&Parties) -> (Side, Side),
}

/// Who takes part in those of every kind.
pub struct Parties {
    kerberos: kerberos::Parties,
    ntlm: ntlm::Parties,
}

impl Parties {
    /// A realm, a user and a server.
    ///
    /// # Errors
    /// The ticket or the credentials could not be made.
    pub fn new() -> Result<Self> {
        Ok(Self {
            kerberos: kerberos::Parties::new(Enctype::Aes256CtsHmacSha1_96)?,
            ntlm: ntlm::Parties::new()?,
        })
    }
}

/// What servers and clients are most often left with.
pub const HALF_OPEN: [HalfOpen; 8] = [
    HalfOpen {
        name: "Kerberos initiator",
        tokens: 1,
        sides: |parties| sides(parties.kerberos.initiator(), parties.kerberos.acceptor()),
    },
    HalfOpen {
        name: "Kerberos acceptor, DCE style",
        tokens: 2,
        sides: |parties| {
            let initiator = parties.kerberos.initiator();
            let initiator = initiator.request(FLAGS.union(Flags::DCE_STYLE));
            sides(initiator, parties.kerberos.acceptor())
        },
    },
    HalfOpen {
        name: "NTLM initiator",
        tokens: 1,
        sides: |parties| sides(parties.ntlm.initiator(), parties.ntlm.acceptor()),
    },
    HalfOpen {
        name: "NTLM acceptor",
        tokens: 2,
        sides: |parties| sides(parties.ntlm.initiator(), parties.ntlm.acceptor()),
    },
    HalfOpen {
        name: "Negotiate initiator, Kerberos and NTLM",
        tokens: 1,
        sides: |Parties { kerberos, ntlm }| {
            let initiator = Initiator::new().offer(kerberos.initiator());
            let acceptor = Acceptor::new().offer(kerberos.acceptor());
            sides(initiator.offer(ntlm.initiator()), acceptor)
        },
    },
    HalfOpen {
        name: "Negotiate acceptor, NTLM chosen",
        tokens: 2,
        sides: |Parties { kerberos, ntlm }| {
            let initiator = Initiator::new().offer(ntlm.initiator());
            let acceptor = Acceptor::new().offer(kerberos.acceptor());
            sides(initiator, acceptor.offer(ntlm.acceptor()))
        },
    },
    HalfOpen {
        name: "Negotiate acceptor, Kerberos, for the MIC",
        tokens: 4,
        sides: |Parties { kerberos, ntlm }| {
            let initiator = Initiator::new().offer(ntlm.initiator());
            let acceptor = Acceptor::new().offer(kerberos.acceptor());
            sides(initiator.offer(kerberos.initiator()), acceptor)
        },
    },
    HalfOpen {
        name: "Negotiate initiator, NTLM, for the MIC",
        tokens: 3,
        sides: |Parties { ntlm, .. }| {
            let initiator = Initiator::new().offer(ntlm.initiator());
            sides(initiator, Acceptor::new().offer(ntlm.acceptor()))
        },
    },
];

fn sides(initiator: impl Mechanism + 'static, acceptor: impl Mechanism + 'static) -> (Side, Side) {
    (Box::new(initiator), Box::new(acceptor))
}

impl HalfOpen {
    /// The side that waits.
    ///
    /// # Errors
    /// It does not: the handshake failed before, or was done.
    pub fn make(&self, parties: &mut Parties) -> Result<Box<dyn Mechanism>> {
        // No two authenticators are the same.
        parties.kerberos.tick();
        let (mut turn, mut other) = (self.sides)(parties);
        let mut random = SystemRandom;
        let env = &mut parties.kerberos.environment(&mut random);
        let mut token = None;
        for _ in 0..self.tokens {
            token = match turn.step(token.as_deref(), env)? {
                Step::Continue { token } => Some(token),
                _ => return Err(format!("{}: it does not wait", self.name).into()),
            };
            std::mem::swap(&mut turn, &mut other);
        }
        // Who spoke last.
        Ok(other)
    }
}
