//! What the acceptor makes of a ticket's PAC.

#![allow(clippy::unwrap_used, clippy::panic)] // it is a test

mod hostile;
mod identity;
#[cfg(feature = "rc4")]
mod rc4;
mod signatures;
#[path = "../support/mod.rs"]
mod support;

use countersign_context::credential::{Keytab, KeytabEntry, TicketCredential};
use countersign_context::crypto::{Enctype, Key};
use countersign_context::kerberos::{
    Acceptor, AcceptorCredential, Initiator, ReplayProtection, SignatureState,
};
use countersign_context::token::DecodeErrorKind;
use countersign_context::token::pac::{BufferType, GroupAttributes, Pac, Sid};
use countersign_context::{
    Environment, ErrorKind, PacPolicy, PacProblem, PacSignature, Policy, SecurityContext, Step,
};
use countersign_testkit::pac::{buffer_type, resign_server};
use countersign_testkit::{
    NOW, PacBuilder, PacLogonInfo, PacSigner, Realm, SeededRandom, TicketBuilder, flags,
    if_relevant,
};
use support::*;

const DOMAIN: &str = "S-1-5-21-1004336348-1177238915-682003330";
const RESOURCE_DOMAIN: &str = "S-1-5-21-7-7-7";

fn sid(text: &str) -> Sid {
    text.parse().unwrap()
}

fn of_domain(rid: u32) -> Sid {
    sid(DOMAIN).with_rid(rid).unwrap()
}

fn logon() -> PacLogonInfo {
    PacLogonInfo::new("alice", "EXAMPLE", DOMAIN, 1105)
}

fn pac() -> PacBuilder {
    PacBuilder::of(logon())
}

fn minted(ticket: TicketBuilder<'_>) -> TicketCredential {
    ticket.mint().unwrap()
}

fn with_pac(pac: PacBuilder) -> TicketCredential {
    minted(realm().ticket(CLIENT, SERVICE).pac(pac))
}

/// The realm's own ticket-granting key, and a read-only domain controller's.
fn ticket_granting_keys(realm: &Realm, kvnos: &[u32]) -> Keytab {
    let mut keytab = Keytab::new();
    let name = realm.principal("krbtgt/EXAMPLE.COM");
    for kvno in kvnos {
        let key = realm
            .key(&name, Enctype::Aes256CtsHmacSha1_96, *kvno)
            .unwrap();
        keytab.push(KeytabEntry::new(name.clone(), *kvno, key));
    }
    keytab
}

/// How much the acceptor knows.
#[derive(Clone, Copy)]
enum Knows {
    ServiceKey,
    TicketGrantingKey,
}
use Knows::*;

fn accept_as(
    knows: Knows,
    policy: PacPolicy,
    ticket: &TicketCredential,
) -> Result<Box<SecurityContext>, ErrorKind> {
    let realm = realm();
    let mut credential = AcceptorCredential::new(&keytab(&realm));
    if matches!(knows, TicketGrantingKey) {
        credential = credential.with_ticket_granting_keys(&ticket_granting_keys(&realm, &[1]));
    }
    accept_with(&credential, &Policy::default().with_pac(policy), ticket)
}

fn accept_with(
    credential: &AcceptorCredential,
    policy: &Policy,
    ticket: &TicketCredential,
) -> Result<Box<SecurityContext>, ErrorKind> {
    let mut world = World::new(9).with_policy(policy.clone());
    let mut acceptor = Acceptor::new(credential);
    match world.step(&mut acceptor, Some(&build(honest(ticket)))) {
        Ok(Step::Established { context, .. }) => Ok(context),
        Ok(step) => panic!("{step:?}"),
        Err(error) => Err(error.kind()),
    }
}

fn accepts(knows: Knows, ticket: &TicketCredential) -> Box<SecurityContext> {
    accept_as(knows, PacPolicy::WhenPresent, ticket).unwrap()
}

fn refuses(knows: Knows, ticket: &TicketCredential) -> PacProblem {
    match accept_as(knows, PacPolicy::WhenPresent, ticket) {
        Err(ErrorKind::Pac(problem)) => problem,
        other => panic!("{other:?}"),
    }
}
