//! Real mechanisms and real contexts, at a time and with randomness that repeat.

use std::sync::Arc;

use countersign_handshake::context::credential::TicketCredential;
use countersign_handshake::context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_handshake::context::{Flags, Mechanism, SecurityContext, Step, Timestamp};
use countersign_handshake::{Handshake, SystemEnvironment};
use countersign_testkit::{NOW, Realm, SeededRandom};

pub(crate) const SERVICE: &str = "sentry/gate.example.com";
pub(crate) const ALICE: &str = "alice@EXAMPLE.COM";
pub(crate) const GATE: &str = "sentry/gate.example.com@EXAMPLE.COM";

pub(crate) const ALL: Flags = Flags::MUTUAL
    .union(Flags::REPLAY)
    .union(Flags::SEQUENCE)
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY);

pub(crate) fn realm() -> Realm {
    Realm::new("EXAMPLE.COM", 1)
}

/// The same moment and the same chance, every time.
pub(crate) fn fixed(seed: u64) -> SystemEnvironment {
    SystemEnvironment::new()
        .with_clock(|| Timestamp::from_unix(NOW))
        .with_random(SeededRandom::new(seed))
}

pub(crate) fn ticket() -> Arc<TicketCredential> {
    Arc::new(realm().ticket("alice", SERVICE).mint().unwrap())
}

/// A credential with a replay cache of its own.
pub(crate) fn credential() -> AcceptorCredential {
    AcceptorCredential::new(&realm().keytab(&[SERVICE]).unwrap())
}

pub(crate) fn initiator() -> Initiator {
    Initiator::new(ticket()).require(ALL)
}

pub(crate) fn acceptor() -> Acceptor {
    Acceptor::new(&credential()).require(Flags::MUTUAL)
}

pub(crate) fn initiating() -> Handshake {
    Handshake::initiator(initiator()).environment(fixed(1))
}

pub(crate) fn accepting() -> Handshake {
    Handshake::acceptor(acceptor()).environment(fixed(2))
}

/// Both ends of one context with these flags: the initiator's, the acceptor's.
pub(crate) fn contexts(flags: Flags) -> (SecurityContext, SecurityContext) {
    let mut initiator = Initiator::new(ticket()).require(flags);
    let mut acceptor = Acceptor::new(&credential());
    let (mut ours, mut theirs) = (fixed(1), fixed(2));
    let Step::Continue { token } = initiator.step(None, &mut ours.environment()).unwrap() else {
        panic!("an AP-REQ waits for its AP-REP");
    };
    let Step::Established {
        token: Some(token),
        context: server,
    } = acceptor
        .step(Some(&token), &mut theirs.environment())
        .unwrap()
    else {
        panic!("an AP-REQ is all that an acceptor needs");
    };
    let Step::Established {
        context: client, ..
    } = initiator
        .step(Some(&token), &mut ours.environment())
        .unwrap()
    else {
        panic!("an AP-REP is all that an initiator needs");
    };
    (*client, *server)
}
