//! Whom an acceptor answers for.

use countersign_context::ErrorKind;
use countersign_context::crypto::Enctype;
use countersign_context::kerberos::{Acceptor, AcceptorCredential, ServicePattern};
use countersign_testkit::{Realm, read_krb_error};

use crate::support::*;

/// CVE-2025-33073: a ticket for one service, renamed on the way to pass for another.
#[test]
fn a_wildcard_is_not_opened_by_the_key_of_a_service_outside_of_it() {
    let realm = realm();
    let keytab = realm.keytab(&[SERVICE, "cifs/www.example.com"]).unwrap();
    let listed = |patterns: &[&str]| {
        let services = patterns.iter().map(|p| ServicePattern::parse(p).unwrap());
        Acceptor::new(&AcceptorCredential::new(&keytab).with_services(services))
    };
    let renamed = |service: &str| {
        let ticket = realm
            .ticket(CLIENT, service)
            .cleartext_server("HTTP/alias.example.com");
        build(honest(&ticket.mint().unwrap()))
    };
    let (web, files) = (renamed(SERVICE), renamed("cifs/www.example.com"));
    accepted(&mut listed(&["HTTP/*"]), &web);
    assert_eq!(
        refused(&mut listed(&["HTTP/*"]), &files),
        ErrorKind::TicketModified
    );
    assert_eq!(
        refused(&mut listed(&["HTTP/*", "cifs/*"]), &files),
        ErrorKind::TicketModified
    );
    // An alias that is listed in full may be one of either.
    accepted(&mut listed(&["HTTP/alias.example.com"]), &web);
    accepted(&mut listed(&["HTTP/alias.example.com"]), &files);
    // Names that the keytab has take their own keys alone.
    let swapped = realm
        .ticket(CLIENT, "cifs/www.example.com")
        .cleartext_server(SERVICE);
    let swapped = build(honest(&swapped.mint().unwrap()));
    assert_eq!(
        refused(&mut listed(&[SERVICE]), &swapped),
        ErrorKind::TicketModified
    );
}

/// An alias is one of a realm that the keytab has keys of.
#[test]
fn acceptor_refuses_alias_in_a_realm_that_it_has_no_key_of() {
    let (realm, foreign) = (realm(), Realm::new("FOREIGN.ORG", 1));
    let service = ServicePattern::parse("HTTP/alias.example.com").unwrap();
    let credential = AcceptorCredential::new(&keytab(&realm)).with_services([service]);
    let key = realm.key(&realm.principal(SERVICE), Enctype::Aes256CtsHmacSha1_96, 1);
    let key = key.unwrap();
    let token = |realm: &Realm| {
        let ticket = realm
            .ticket(CLIENT, "HTTP/alias.example.com")
            .enctype(Enctype::Aes256CtsHmacSha1_96)
            .service_key(key.duplicate());
        build(honest(&ticket.mint().unwrap()))
    };
    accepted(&mut Acceptor::new(&credential), &token(&realm));
    let kind = refused(&mut Acceptor::new(&credential), &token(&foreign));
    assert!(matches!(kind, ErrorKind::NoKey { .. }), "{kind:?}");
}

#[test]
fn errors_to_strangers_name_only_what_the_acceptor_answers_for() {
    let realm = realm();
    let keytab = realm.keytab(&["kadmin/admin", SERVICE]).unwrap();
    let named = |credential: AcceptorCredential| {
        let bad = realm.ticket(CLIENT, "host/elsewhere").mint().unwrap();
        let error = accept(&mut Acceptor::new(&credential), &build(honest(&bad))).unwrap_err();
        let told = read_krb_error(error.token().unwrap()).unwrap();
        told.sname
            .string
            .iter()
            .map(|s| s.to_vec())
            .collect::<Vec<_>>()
    };
    assert_eq!(named(AcceptorCredential::new(&keytab))[0], b"kadmin");
    let listed = AcceptorCredential::new(&keytab);
    let listed = listed.with_services([ServicePattern::parse(SERVICE).unwrap()]);
    assert_eq!(named(listed), [&b"HTTP"[..], b"www.example.com"]);
}
