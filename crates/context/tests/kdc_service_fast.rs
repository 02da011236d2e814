//! TGS exchanges inside of FAST: what comes without armor is not believed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

#[path = "support/network.rs"]
mod support;

use countersign_context::kerberos::kdc::{Acquisition, ClientCredential, ServiceTicket};
use countersign_context::{ErrorKind, KdcProblem};
use countersign_testkit::{Framing, KrbErrorBuilder};
use support::*;

#[test]
fn an_armored_request_gets_a_ticket_and_an_armored_error_its_own_kind() {
    let kdc = kdc();
    let mut network = Network::of([kdc.clone()]);
    network.run(exchange().require_armor()).unwrap();
    assert!(kdc.seen()[0].armored);
    network.run(exchange().armored_in(REALM)).unwrap();
    assert!(kdc.seen()[1].armored);
    // The control: another realm's FAST is nobody's here.
    network.run(exchange().armored_in("OTHER.TEST")).unwrap();
    assert!(!kdc.seen()[2].armored);

    let unknown = ServiceTicket::new(tgt(REALM, "alice"), named("HTTP/nobody.example.com"));
    let error = network.run(unknown.require_armor()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Kdc(KdcProblem::ServiceUnknown));
}

#[test]
fn an_unarmored_answer_to_an_armored_request_is_refused() {
    let stripped = kdc();
    stripped.strip_fast();
    let mut network = Network::of([stripped]);
    let error = network.run(exchange().require_armor()).unwrap_err();
    let unarmored = |code| ErrorKind::Kdc(KdcProblem::Unarmored { code });
    assert_eq!(error.kind(), unarmored(None));

    let bent = kdc();
    bent.edit_bytes(|_, bytes| {
        *bytes = KrbErrorBuilder::new(7, named("krbtgt/EXAMPLE.COM"))
            .framing(Framing::Bare)
            .build()
            .unwrap();
    });
    let mut network = Network::of([bent]);
    let error = network.run(exchange().require_armor()).unwrap_err();
    assert_eq!(error.kind(), unarmored(Some(7)));
    assert_eq!(network.sent.len(), 1);
}

#[test]
fn an_armored_ticket_that_was_exchanged_is_refused() {
    let bent = kdc();
    bent.edit_reply(|_, reply| reply.ticket.enc_part.kvno = Some(99));
    let mut network = Network::of([bent]);
    // Outside of FAST the ticket is its service's to check.
    assert!(network.run(exchange()).is_ok());
    let error = network.run(exchange().require_armor()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Kdc(KdcProblem::ArmorDefective));
}

/// Heimdal 7 says that it has FAST, and means initial tickets.
#[test]
fn a_credential_arms_its_requests_when_told_to_and_a_cache_tells_what_the_kdc_said() {
    let kdc = kdc();
    let mut network = Network::of([kdc.clone()]);
    let alice = ClientCredential::password(named("alice"), "wonderland");
    network.run(Acquisition::new(&alice, service())).unwrap();
    assert!(!kdc.seen().last().unwrap().armored);
    let armored = alice.clone().require_armor();
    network
        .run(Acquisition::new(&armored, named("HTTP/other.example.com")))
        .unwrap();
    assert!(kdc.seen().last().unwrap().armored);
    let file = alice.tickets().to_cache(&named("alice"));
    let granting = named("krbtgt/EXAMPLE.COM");
    assert_eq!(
        file.configuration("fast_avail", Some(&granting)),
        Some(&b"yes"[..])
    );
}
