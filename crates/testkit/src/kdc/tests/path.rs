use countersign_credential::Principal;
use countersign_crypto::{Key, KeyUsage};
use rasn_kerberos as krb;

use super::client::*;
use crate::kdc::refusal::code as c;
use crate::kdc::request::option;
use crate::{Kdc, KdcBuilder, NOW, flags, wire};

const B: &str = "B.TEST";
const C: &str = "C.TEST";

/// EXAMPLE.COM - B.TEST - C.TEST; each knows its neighbours only.
fn realms() -> (KdcBuilder, KdcBuilder, KdcBuilder) {
    let first = Kdc::builder(REALM)
        .user("alice", "open sesame")
        .trust(B, "a and b")
        .route(C, B)
        .refer_hosts(".b.test", B)
        .refer_users("@b.test", B);
    let second = Kdc::builder(B)
        .user("bert", "pw")
        .service("HTTP/web.b.test")
        .trust(REALM, "a and b")
        .trust(C, "b and c");
    let third = Kdc::builder(C)
        .service("HTTP/web.c.test")
        .trust(B, "b and c");
    (first, second, third)
}

fn build((a, b, c): (KdcBuilder, KdcBuilder, KdcBuilder)) -> (Kdc, Kdc, Kdc) {
    (a.build().unwrap(), b.build().unwrap(), c.build().unwrap())
}

/// A ticket of `realm` for a server of it.
fn at(realm: &str, server: &str) -> Ask {
    let server = Principal::parse_with_default_realm(server, realm).unwrap();
    Ask::service(server)
}

/// The ticket-granting ticket of B's own user.
fn bert(kdc: &Kdc) -> Got {
    let key = Key::from_password(FAST_ENCTYPE, b"pw", b"B.TESTbert", None).unwrap();
    let ask = Ask::service(Principal::ticket_granting_service(B, B)).with(|ask| {
        ask.client = Some(kdc.principal("bert"));
        ask.etypes = vec![17];
    });
    read_as(&kdc.answer(&ask.stamped(&key, NOW).as_req()), &key).unwrap()
}

fn transited(kdc: &Kdc, got: &Got, service: &str) -> Vec<u8> {
    let keytab = kdc.keytab(&[service]).unwrap();
    let ticket: krb::Ticket = wire::decode(&got.ticket).unwrap();
    let enctype = countersign_crypto::Enctype::from_id(ticket.enc_part.etype);
    let key = keytab
        .find(&kdc.principal(service), Some(1), enctype)
        .unwrap();
    let opened = key
        .key()
        .unwrap()
        .decrypt(KeyUsage::TICKET, &ticket.enc_part.cipher);
    let part: krb::EncTicketPart = wire::decode(&opened.unwrap()).unwrap();
    part.transited.contents.to_vec()
}

#[test]
fn a_neighbours_service_is_two_tickets_away_and_its_neighbours_three() {
    let (a, b, c) = build(realms());
    let tgt = log_on(&a, 0);
    let to_b = buy(&a, Ask::service(tgs(B)), &tgt).unwrap();
    assert_eq!(to_b.server().to_string(), "krbtgt/B.TEST@EXAMPLE.COM");
    let web = buy(&b, at(B, "HTTP/web.b.test"), &to_b).unwrap();
    assert_eq!(web.client.to_string(), "alice@EXAMPLE.COM");
    assert_ne!(web.flags() & flags::ticket::TRANSITED_POLICY_CHECKED, 0);
    assert_eq!(transited(&b, &web, "HTTP/web.b.test"), b"");

    // Asked for the way to C, the first KDC gives the way to B.
    let nearer = buy(&a, Ask::service(tgs(C)), &tgt).unwrap();
    assert_eq!(nearer.server(), to_b.server());
    let to_c = buy(&b, at(B, "krbtgt/C.TEST"), &nearer).unwrap();
    let web = buy(&c, at(C, "HTTP/web.c.test"), &to_c).unwrap();
    assert_eq!(transited(&c, &web, "HTTP/web.c.test"), b"B.TEST");
    assert_eq!(
        buy(&a, Ask::service(tgs("D.TEST")), &tgt).err(),
        Some(c::SERVER_UNKNOWN)
    );
}

#[test]
fn a_realm_on_the_way_can_be_shunned() {
    let (a, b, third) = realms();
    let (a, b, c) = build((a, b, third.shun(B)));
    let to_b = buy(&a, Ask::service(tgs(C)), &log_on(&a, 0)).unwrap();
    let to_c = buy(&b, at(B, "krbtgt/C.TEST"), &to_b).unwrap();
    let refused = buy(&c, at(C, "HTTP/web.c.test"), &to_c).err();
    assert_eq!(refused, Some(c::PATH_NOT_ACCEPTED));
    // What comes from B itself did not come through it.
    let bert = bert(&b);
    let to_c = buy(&b, at(B, "krbtgt/C.TEST"), &bert).unwrap();
    assert!(buy(&c, at(C, "HTTP/web.c.test"), &to_c).is_ok());
}

#[test]
fn only_who_canonicalizes_is_referred() {
    let (a, b, _) = build(realms());
    let tgt = log_on(&a, 0);
    let ask = Ask::ticket("HTTP/web.b.test");
    assert_eq!(buy(&a, ask.clone(), &tgt).err(), Some(c::SERVER_UNKNOWN));
    let ask = ask.with(|ask| ask.options |= option::CANONICALIZE);
    let referral = buy(&a, ask, &tgt).unwrap();
    assert_eq!(referral.server().to_string(), "krbtgt/B.TEST@EXAMPLE.COM");
    assert!(buy(&b, at(B, "HTTP/web.b.test"), &referral).is_ok());

    let user = |name: &str| {
        let ask = Ask::initial("x").with(|ask| {
            ask.client = Some(Principal::enterprise(name, REALM));
            ask.options |= option::CANONICALIZE;
        });
        error(&a.answer(&ask.as_req()))
    };
    let referral = user("bert@b.test");
    assert_eq!(referral.error_code, c::WRONG_REALM);
    assert_eq!(referral.crealm.unwrap().as_bytes(), b"B.TEST");
    assert_eq!(user("bert@d.test").error_code, c::CLIENT_UNKNOWN);
}

#[test]
fn a_ticket_for_another_realms_kdc_is_no_good_here_and_no_realm_names_our_users() {
    let (a, b, _) = build(realms());
    let tgt = log_on(&a, 0);
    let to_b = buy(&a, Ask::service(tgs(B)), &tgt).unwrap();
    assert_eq!(
        buy(&a, Ask::service(tgs(REALM)), &to_b).err(),
        Some(c::NOT_US)
    );
    // B's own user is welcome, until B claims that it is ours.
    let bert = bert(&b);
    let to_a = buy(&b, at(B, "krbtgt/EXAMPLE.COM"), &bert).unwrap();
    assert!(buy(&a, Ask::service(tgs(REALM)), &to_a).is_ok());
    b.edit_ticket(|_, part| part.crealm = wire::string(REALM.as_bytes()).unwrap());
    let mut evil = buy(
        &b,
        at(B, "krbtgt/EXAMPLE.COM").with(|ask| ask.till -= 1),
        &bert,
    )
    .unwrap();
    evil.client = a.principal("bert");
    assert_eq!(
        buy(&a, Ask::service(tgs(REALM)), &evil).err(),
        Some(c::POLICY)
    );
}
