//! Tickets for other ends than to be served: renewed, validated, forwarded, proxied, and for a peer
//! that has a ticket in place of a key.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

#[path = "support/network.rs"]
mod support;

use countersign_context::credential::{Principal, TicketCredential};
use countersign_context::crypto::KeyUsage;
use countersign_context::kerberos::kdc::{ServiceTicket, TicketOptions};
use countersign_context::token::der::Decode;
use countersign_context::{ErrorKind, KdcProblem, ReplyPart};
use countersign_testkit::rasn_kerberos as krb;
use countersign_testkit::{FixedClock, NOW, Realm, flags};
use support::*;

fn renewable() -> TicketCredential {
    Realm::new(REALM, 1)
        .ticket("alice", "krbtgt/EXAMPLE.COM")
        .add_flags(flags::ticket::RENEWABLE)
        .renew_till(NOW + 86_400)
        .mint()
        .unwrap()
}

#[test]
fn renewable_tgt_is_renewed_and_another_is_not() {
    let mut network = Network::of([kdc()]);
    network.now = NOW + 3_600;
    network.kdcs[0].set_time(FixedClock::at(NOW + 3_600));
    let old = renewable();
    let renewed = network.run(ServiceTicket::renew(old)).unwrap().credential;
    assert_eq!(renewed.server, named("krbtgt/EXAMPLE.COM"));
    assert_eq!(renewed.times.end_time, NOW + 3_600 + 36_000);
    assert_eq!(renewed.times.renew_till, NOW + 86_400);
    let error = network
        .run(ServiceTicket::renew(tgt(REALM, "alice")))
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Kdc(_)));
}

#[test]
fn postdated_ticket_is_validated_after_its_start() {
    let postdated = || {
        Realm::new(REALM, 1)
            .ticket("alice", "krbtgt/EXAMPLE.COM")
            .valid(NOW + 600, NOW + 7_200)
            .add_flags(flags::ticket::INVALID | flags::ticket::POSTDATED)
            .mint()
            .unwrap()
    };
    let mut network = Network::of([kdc()]);
    let early = network.run(ServiceTicket::validate(postdated()));
    assert_eq!(early.unwrap_err().krb_error_code(), Some(33));
    network.now = NOW + 700;
    network.kdcs[0].set_time(FixedClock::at(NOW + 700));
    let valid = network.run(ServiceTicket::validate(postdated())).unwrap();
    assert_eq!(valid.credential.flags.0 & flags::ticket::INVALID, 0);
    assert_eq!(valid.credential.times.end_time, NOW + 7_200);
}

#[test]
fn tgt_is_forwarded_only_if_it_is_forwardable() {
    let mut network = Network::of([kdc()]);
    let forwarded = network
        .run(ServiceTicket::forward(tgt(REALM, "alice")))
        .unwrap()
        .credential;
    assert_eq!(forwarded.server, named("krbtgt/EXAMPLE.COM"));
    assert_ne!(forwarded.flags.0 & flags::ticket::FORWARDED, 0);
    let plain = Realm::new(REALM, 1)
        .ticket("alice", "krbtgt/EXAMPLE.COM")
        .mint()
        .unwrap();
    let error = network.run(ServiceTicket::forward(plain)).unwrap_err();
    assert_eq!(error.krb_error_code(), Some(13));
}

#[test]
fn proxy_ticket_is_bound_to_the_addresses_that_were_named() {
    use countersign_context::credential::HostAddress;
    let address = HostAddress {
        addr_type: 2,
        address: vec![192, 0, 2, 7],
    };
    let options = TicketOptions::default().addresses([address.clone()]);
    let mut network = Network::of([kdc()]);
    let ask = || ServiceTicket::proxy(tgt(REALM, "alice"), service()).options(options.clone());
    let proxy = network.run(ask()).unwrap().credential;
    assert_eq!(proxy.addresses, [address]);
    assert_ne!(proxy.flags.0 & flags::ticket::PROXY, 0);

    network.kdcs[0].edit_enc_part(|_, part| {
        part.caddr = Some(vec![krb::HostAddress {
            addr_type: 2,
            address: vec![192, 0, 2, 8].into(),
        }]);
    });
    let error = network.run(ask()).unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Kdc(KdcProblem::ReplyMismatch(ReplyPart::Addresses))
    );
}

/// RFC 4120 §3.3.3: a ticket has the addresses of the one that was shown for it.
#[test]
fn a_ticket_is_for_the_addresses_of_the_one_it_was_asked_with() {
    let shown = Realm::new(REALM, 1)
        .ticket("alice", &format!("krbtgt/{REALM}"))
        .addresses(&[(2, &[192, 0, 2, 7])])
        .mint()
        .unwrap();
    let run = |last: Option<u8>| {
        let mut network = Network::of([kdc()]);
        network.kdcs[0].edit_enc_part(move |_, part| {
            part.caddr = last.map(|last| {
                vec![krb::HostAddress {
                    addr_type: 2,
                    address: vec![192, 0, 2, last].into(),
                }]
            });
        });
        network.run(ServiceTicket::new(shown.duplicate(), service()))
    };
    assert_eq!(run(Some(7)).unwrap().credential.addresses, shown.addresses);
    assert!(!shown.addresses.is_empty());
    let error = run(Some(8)).unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Kdc(KdcProblem::ReplyMismatch(ReplyPart::Addresses))
    );
}

#[test]
fn user_to_user_ticket_is_in_the_peers_session_key_and_says_so() {
    let peer = tgt(REALM, "bob");
    let peer_key = peer.session_key().unwrap().duplicate();
    let mut network = Network::of([kdc()]);
    let bob: Principal = named("bob");
    let ticket = network
        .run(ServiceTicket::user_to_user(
            tgt(REALM, "alice"),
            bob.clone(),
            peer.duplicate(),
        ))
        .unwrap()
        .credential;
    assert!(ticket.is_skey);
    assert_eq!(ticket.second_ticket, peer.ticket);
    assert_eq!(ticket.server, bob);
    let sealed = countersign_context::token::kerberos::Ticket::from_der(&ticket.ticket).unwrap();
    peer_key
        .decrypt(KeyUsage::TICKET, sealed.enc_part.cipher)
        .unwrap();

    // The ticket of one peer does not stand for another.
    let error = network
        .run(ServiceTicket::user_to_user(
            tgt(REALM, "alice"),
            bob,
            tgt(REALM, "alice"),
        ))
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Kdc(_)));
}
