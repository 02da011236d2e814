use countersign_crypto::{Enctype, Key, KeyUsage};
use rasn_kerberos as krb;

use super::client::*;
use crate::kdc::messages::PaPacRequest;
use crate::kdc::preauth::data;
use crate::kdc::request::padata;
use crate::pac::buffer_type as b;
use crate::{Account, Kdc, KdcBuilder, NOW, PacBuilder, wire};

const WEB: &str = "HTTP/web.example.com";

fn realm() -> KdcBuilder {
    Kdc::builder(REALM)
        .account(
            Account::user("alice", "open sesame")
                .rid(1_105)
                .group("S-1-5-21-1-2-3-1200"),
        )
        .service(WEB)
}

fn key(kdc: &Kdc, name: &str) -> Key {
    let keytab = kdc.keytab(&[name]).unwrap();
    let enctype = Enctype::Aes256CtsHmacSha384_192;
    let found = keytab.find(&kdc.principal(name), Some(1), Some(enctype));
    found.unwrap().key().unwrap().duplicate()
}

fn part(ticket: &[u8], key: &Key) -> krb::EncTicketPart {
    let ticket: krb::Ticket = wire::decode(ticket).unwrap();
    let opened = key
        .decrypt(KeyUsage::TICKET, &ticket.enc_part.cipher)
        .unwrap();
    wire::decode(&opened).unwrap()
}

fn pac(part: &krb::EncTicketPart) -> Option<Vec<u8>> {
    let outer = part.authorization_data.as_ref()?.first()?;
    let inner: krb::AuthorizationData = wire::decode(&outer.data).ok()?;
    (inner.first()?.r#type == 128).then(|| inner[0].data.to_vec())
}

/// The types and contents of a PAC's buffers.
fn buffers(pac: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let number = |at: usize| u32::from_le_bytes(*pac[at..].first_chunk().unwrap());
    let entry = |index: usize| {
        let at = 8 + 16 * index;
        let offset = number(at + 8) as usize;
        (
            number(at),
            pac[offset..offset + number(at + 4) as usize].to_vec(),
        )
    };
    (0..number(0) as usize).map(entry).collect()
}

fn kinds(pac: &[u8]) -> Vec<u32> {
    buffers(pac).into_iter().map(|(kind, _)| kind).collect()
}

#[test]
fn a_realm_with_a_domain_puts_signed_pacs_into_its_tickets() {
    let kdc = realm().domain("EXAMPLE", "S-1-5-21-1-2-3").build().unwrap();
    let tgt = log_on(&kdc, 0);
    let (granting, web) = (key(&kdc, "krbtgt/EXAMPLE.COM"), key(&kdc, WEB));
    let first = pac(&part(&tgt.ticket, &granting)).unwrap();
    assert!(!kinds(&first).contains(&b::TICKET_SIGNATURE));
    assert!(!kinds(&first).contains(&b::FULL_SIGNATURE));

    let got = buy(&kdc, Ask::ticket(WEB), &tgt).unwrap();
    let mut ticket = part(&got.ticket, &web);
    let second = pac(&ticket).unwrap();
    for kind in [
        b::LOGON_INFO,
        b::CLIENT_INFO,
        b::UPN_DNS_INFO,
        b::REQUESTOR,
        b::ATTRIBUTES_INFO,
    ] {
        let one = |pac: &[u8]| buffers(pac).into_iter().find(|(own, _)| *own == kind);
        assert_eq!(one(&first), one(&second));
        assert!(one(&first).is_some());
    }
    // All four signatures are what the keys make of it.
    ticket.authorization_data = None;
    let again = PacBuilder::from_pac(&second).unwrap();
    again.embed(&mut ticket, &web, &granting).unwrap();
    assert_eq!(pac(&ticket).unwrap(), second);
    let all = [
        b::SERVER_SIGNATURE,
        b::KDC_SIGNATURE,
        b::TICKET_SIGNATURE,
        b::FULL_SIGNATURE,
    ];
    assert!(all.iter().all(|kind| kinds(&second).contains(kind)));
}

#[test]
fn without_a_domain_or_a_wish_there_is_no_pac() {
    let kdc = realm().build().unwrap();
    let got = buy(&kdc, Ask::ticket(WEB), &log_on(&kdc, 0)).unwrap();
    assert_eq!(part(&got.ticket, &key(&kdc, WEB)).authorization_data, None);

    let kdc = realm().domain("EXAMPLE", "S-1-5-21-1-2-3").build().unwrap();
    let wish = |include_pac| {
        let password = password_key("alice", "open sesame", FAST_ENCTYPE);
        let ask = Ask::initial("alice").with(|ask| {
            ask.etypes = vec![17];
            let wish = wire::encode(&PaPacRequest { include_pac }).unwrap();
            ask.padata.push(data(padata::PAC_REQUEST, &wish));
        });
        let tgt = read_as(
            &kdc.answer(&ask.stamped(&password, NOW).as_req()),
            &password,
        )
        .unwrap();
        let got = buy(&kdc, Ask::ticket(WEB), &tgt).unwrap();
        pac(&part(&got.ticket, &key(&kdc, WEB))).is_some()
    };
    assert!(wish(true));
    assert!(!wish(false));
}

#[test]
fn a_test_may_bend_the_pac() {
    let kdc = realm().domain("EXAMPLE", "S-1-5-21-1-2-3").build().unwrap();
    let tgt = log_on(&kdc, 0);
    kdc.edit_pac(|_, pac| *pac = pac.clone().without(b::KDC_SIGNATURE));
    let got = buy(&kdc, Ask::ticket(WEB), &tgt).unwrap();
    let bent = pac(&part(&got.ticket, &key(&kdc, WEB))).unwrap();
    assert!(!kinds(&bent).contains(&b::KDC_SIGNATURE));
    assert!(kinds(&bent).contains(&b::SERVER_SIGNATURE));
}
