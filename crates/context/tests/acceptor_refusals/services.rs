//! Tickets for services that the acceptor is not, or has no key of.

use crate::only_the_control_is_accepted;
use crate::support::*;
use countersign_context::ErrorKind;
use countersign_context::kerberos::{Acceptor, AcceptorCredential, ServicePattern};

#[test]
fn acceptor_refuses_ticket_of_another_key() {
    let realm = realm();
    let bad = realm.ticket(CLIENT, SERVICE).wrong_key().mint().unwrap();
    only_the_control_is_accepted(
        &realm,
        &build(honest(&ticket(&realm))),
        &build(honest(&bad)),
        ErrorKind::TicketModified,
    );
}

#[test]
fn acceptor_names_the_key_that_its_keytab_lacks() {
    let realm = realm();
    let bad = realm
        .ticket(CLIENT, SERVICE)
        .named_kvno(Some(99))
        .mint()
        .unwrap();
    let kind = refused(&mut acceptor(&realm), &build(honest(&bad)));
    assert!(
        matches!(kind, ErrorKind::NoKey { kvno: Some(99), .. }),
        "{kind:?}"
    );
    let absent = realm
        .ticket(CLIENT, SERVICE)
        .named_kvno(None)
        .mint()
        .unwrap();
    accepted(&mut acceptor(&realm), &build(honest(&absent)));
}

/// CVE-2025-33073, CVE-2022-2031: tickets for other services of the same realm.
#[test]
fn acceptor_refuses_ticket_for_another_service() {
    let realm = realm();
    for other in [
        "cifs/www.example.com",
        "HTTP/other.example.com",
        "kadmin/changepw",
        "krbtgt/EXAMPLE.COM",
    ] {
        let bad = realm.ticket(CLIENT, other).mint().unwrap();
        only_the_control_is_accepted(
            &realm,
            &build(honest(&ticket(&realm))),
            &build(honest(&bad)),
            ErrorKind::NotOurService,
        );
    }
}

/// CVE-2025-33073: the key is right, the name is not one that this acceptor answers for.
#[test]
fn acceptor_refuses_cleartext_name_outside_of_its_list_even_with_its_key() {
    let realm = realm();
    let bad = realm
        .ticket(CLIENT, SERVICE)
        .cleartext_server("cifs/www.example.com")
        .mint()
        .unwrap();
    only_the_control_is_accepted(
        &realm,
        &build(honest(&ticket(&realm))),
        &build(honest(&bad)),
        ErrorKind::NotOurService,
    );
}

#[test]
fn acceptor_answers_for_listed_services_only() {
    let realm = realm();
    let both = [SERVICE, "cifs/www.example.com"];
    let keytab = realm.keytab(&both).unwrap();
    let listed = |pattern: &str| {
        let services = [ServicePattern::parse(pattern).unwrap()];
        Acceptor::new(&AcceptorCredential::new(&keytab).with_services(services))
    };
    let web = build(honest(&ticket(&realm)));
    let files = realm.ticket(CLIENT, both[1]).mint().unwrap();
    let files = build(honest(&files));
    for (pattern, accepts_web, accepts_files) in [
        ("HTTP/www.example.com", true, false),
        ("HTTP/WWW.example.com", true, false),
        ("HTTP/*", true, false),
        ("HTTP/*@EXAMPLE.COM", true, false),
        ("cifs/*", false, true),
        ("http/*", false, false),
        ("HTTP/*@OTHER.COM", false, false),
        ("HTTP", false, false),
    ] {
        for (token, accepts) in [(&web, accepts_web), (&files, accepts_files)] {
            match accepts {
                true => drop(accepted(&mut listed(pattern), token)),
                false => {
                    assert_eq!(
                        refused(&mut listed(pattern), token),
                        ErrorKind::NotOurService
                    );
                }
            }
        }
    }
}
