//! Tickets that are changed, out of their time, or for others' use.

use crate::only_the_control_is_accepted;
use crate::support::*;
use countersign_context::credential::Principal;
use countersign_context::{ErrorKind, Policy};
use countersign_testkit::flags::{ap_options, ticket as ticket_flags};
use countersign_testkit::{NOW, if_relevant};

#[test]
fn acceptor_refuses_tampered_ticket() {
    let realm = realm();
    let bad = realm.ticket(CLIENT, SERVICE).tampered().mint().unwrap();
    only_the_control_is_accepted(
        &realm,
        &build(honest(&ticket(&realm))),
        &build(honest(&bad)),
        ErrorKind::TicketModified,
    );
}

#[test]
fn acceptor_refuses_expired_and_early_tickets_at_the_second() {
    let realm = realm();
    let ticket = realm
        .ticket(CLIENT, SERVICE)
        .valid(NOW, NOW + 3600)
        .mint()
        .unwrap();
    let at = |now: i64| {
        let token = build(honest(&ticket).time(now, 0));
        World::new(1)
            .at(now)
            .step(&mut acceptor(&realm), Some(&token))
            .map(drop)
    };
    assert_eq!(at(NOW + 3600 + 300), Ok(()));
    assert_eq!(
        at(NOW + 3600 + 301).unwrap_err().kind(),
        ErrorKind::TicketExpired
    );
    assert_eq!(at(NOW - 300), Ok(()));
    assert_eq!(
        at(NOW - 301).unwrap_err().kind(),
        ErrorKind::TicketNotYetValid
    );
}

#[test]
fn acceptor_refuses_ticket_with_the_invalid_flag() {
    let realm = realm();
    let bad = realm.ticket(CLIENT, SERVICE).invalid().mint().unwrap();
    only_the_control_is_accepted(
        &realm,
        &build(honest(&ticket(&realm))),
        &build(honest(&bad)),
        ErrorKind::TicketNotYetValid,
    );
}

/// RFC 4120 §5.2.6: authorization data that is not understood and not in AD-IF-RELEVANT.
#[test]
fn acceptor_refuses_critical_authorization_data_that_it_does_not_understand() {
    let realm = realm();
    let unknown = (4711, b"restriction".to_vec());
    let refusal = ErrorKind::AuthorizationDataRefused { ad_type: 4711 };
    let optional = if_relevant(std::slice::from_ref(&unknown)).unwrap();
    let in_ticket = |element| {
        let builder = realm
            .ticket(CLIENT, SERVICE)
            .authorization_data(vec![element]);
        build(honest(&builder.mint().unwrap()))
    };
    accepted(&mut acceptor(&realm), &in_ticket(optional.clone()));
    assert_eq!(
        refused(&mut acceptor(&realm), &in_ticket(unknown.clone())),
        refusal
    );
    let ticket = ticket(&realm);
    let in_authenticator = |element| build(honest(&ticket).authorization_data(vec![element]));
    accepted(&mut acceptor(&realm), &in_authenticator(optional));
    assert_eq!(
        refused(&mut acceptor(&realm), &in_authenticator(unknown)),
        refusal
    );
}

#[test]
fn acceptor_refuses_unchecked_transit_through_foreign_realms() {
    let realm = realm();
    let foreign = Principal::parse("bob@FOREIGN.ORG").unwrap();
    let ticket_for = |client: &Principal, flags: u32, transited: &[u8]| {
        let server = realm.principal(SERVICE);
        let builder = realm.ticket_for(client.clone(), server).flags(flags);
        build(honest(&builder.transited(1, transited).mint().unwrap()))
    };
    let ticket = |flags, transited| ticket_for(&foreign, flags, transited);
    let checked = ticket_flags::TRANSITED_POLICY_CHECKED;
    let bob = accepted(&mut acceptor(&realm), &ticket(checked, b"MIDDLE.NET"));
    assert_eq!(bob.peer().unwrap().to_string(), "bob@FOREIGN.ORG");
    accepted(&mut acceptor(&realm), &ticket(0, b""));
    let bad = ticket(0, b"MIDDLE.NET");
    assert_eq!(
        refused(&mut acceptor(&realm), &bad),
        ErrorKind::TransitRefused
    );
    let named = Policy::default().with_dangerous_unchecked_transit(true);
    let mut world = World::new(1).with_policy(named);
    assert!(world.step(&mut acceptor(&realm), Some(&bad)).is_ok());

    // A path that comes back to the realm it began in.
    let alice = realm.principal(CLIENT);
    accepted(
        &mut acceptor(&realm),
        &ticket_for(&alice, checked, b"MIDDLE.NET"),
    );
    let error = refused(&mut acceptor(&realm), &ticket_for(&alice, 0, b"MIDDLE.NET"));
    assert_eq!(error, ErrorKind::TransitRefused);
}

#[test]
fn acceptor_refuses_ticket_bound_to_other_addresses() {
    let realm = realm();
    let builder = realm
        .ticket(CLIENT, SERVICE)
        .addresses(&[(2, &[192, 0, 2, 1])]);
    let token = build(honest(&builder.mint().unwrap()));
    let from = |address: [u8; 4]| acceptor(&realm).peer_address(2, address);
    accepted(&mut from([192, 0, 2, 1]), &token);
    accepted(&mut acceptor(&realm), &token);
    assert_eq!(
        refused(&mut from([192, 0, 2, 2]), &token),
        ErrorKind::AddressMismatch
    );
    let anywhere = build(honest(&ticket(&realm)));
    accepted(&mut from([192, 0, 2, 2]), &anywhere);
}

#[test]
fn acceptor_refuses_user_to_user_requests() {
    let realm = realm();
    let ticket = ticket(&realm);
    only_the_control_is_accepted(
        &realm,
        &build(honest(&ticket)),
        &build(honest(&ticket).ap_options(ap_options::USE_SESSION_KEY)),
        ErrorKind::UserToUserUnsupported,
    );
}
