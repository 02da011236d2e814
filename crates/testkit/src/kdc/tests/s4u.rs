use countersign_credential::NameType;
use rasn_kerberos as krb;

use super::client::*;
use crate::kdc::messages::*;
use crate::kdc::preauth::data;
use crate::kdc::refusal::code as c;
use crate::kdc::request::{option, padata};
use crate::kdc::s4u::for_user_checksum;
use crate::{Account, AccountState, Kdc, KdcBuilder, NOW, flags, wire};

const WEB: &str = "HTTP/web";
const BACK: &str = "cifs/back";
const OTHER: &str = "cifs/other";
const NEW: &str = "cifs/new";

fn realm() -> KdcBuilder {
    Kdc::builder(REALM)
        .user("alice", "open sesame")
        .account(Account::user("carol", "pw").sensitive())
        .account(
            Account::user(WEB, "secret")
                .delegates_to(&[BACK])
                .any_protocol(),
        )
        .account(Account::user("HTTP/plain", "secret").delegates_to(&[BACK]))
        .service(BACK)
        .service(OTHER)
        .account(Account::service(NEW).accepts_delegation_from(&[WEB, "HTTP/plain"]))
}

/// The service's own ticket-granting ticket.
fn service(kdc: &Kdc, name: &str) -> Got {
    let key = password_key(&name.replace('/', ""), "secret", FAST_ENCTYPE);
    let ask = Ask::initial(name).with(|ask| ask.etypes = vec![17]);
    read_as(&kdc.answer(&ask.stamped(&key, NOW).as_req()), &key).unwrap()
}

fn for_user(user: &str, tgt: &Got) -> krb::PaData {
    let user = principal(user).with_name_type(NameType::PRINCIPAL);
    let mut named = PaForUser {
        user_name: wire::name(&user).unwrap(),
        user_realm: wire::string(user.realm()).unwrap(),
        cksum: krb::Checksum {
            r#type: -138,
            checksum: wire::octets(&[]),
        },
        auth_package: wire::string(b"Kerberos").unwrap(),
    };
    named.cksum.checksum = wire::octets(&for_user_checksum(&named, &tgt.key).unwrap());
    data(padata::FOR_USER, &wire::encode(&named).unwrap())
}

fn x509_user(user: &str, tgt: &Got, nonce: u32) -> krb::PaData {
    let user_id = S4uUserId {
        nonce,
        cname: Some(wire::name(&principal(user)).unwrap()),
        crealm: wire::string(REALM.as_bytes()).unwrap(),
        subject_certificate: None,
        options: Some(wire::flags(1 << 29)),
    };
    let mac = tgt.key.mac(countersign_crypto::KeyUsage(26));
    let tag = mac.compute(&[&wire::encode(&user_id).unwrap()]);
    let named = PaS4uX509User {
        user_id,
        checksum: krb::Checksum {
            r#type: mac.checksum_type().id(),
            checksum: wire::octets(tag.as_bytes()),
        },
    };
    data(padata::S4U_X509_USER, &wire::encode(&named).unwrap())
}

fn to_self(kdc: &Kdc, name: &str, tgt: &Got, padata: krb::PaData) -> Result<Got, i32> {
    buy(
        kdc,
        Ask::ticket(name).with(|ask| ask.padata.push(padata)),
        tgt,
    )
}

fn delegate(kdc: &Kdc, tgt: &Got, ticket: &Got, to: &str, resource: bool) -> Result<Got, i32> {
    let ask = Ask::ticket(to).with(|ask| {
        ask.options |= option::CNAME_IN_ADDL_TKT;
        ask.additional = vec![ticket.ticket.clone()];
        if resource {
            let options = PaPacOptions {
                flags: wire::flags(1 << 28),
            };
            ask.padata
                .push(data(padata::PAC_OPTIONS, &wire::encode(&options).unwrap()));
        }
    });
    buy(kdc, ask, tgt)
}

#[test]
fn both_forms_give_a_service_a_users_ticket_to_itself_and_no_other() {
    let kdc = realm().build().unwrap();
    let web = service(&kdc, WEB);
    for named in [for_user("alice", &web), x509_user("alice", &web, 7)] {
        let got = to_self(&kdc, WEB, &web, named.clone()).unwrap();
        assert_eq!(got.client.to_string(), "alice@EXAMPLE.COM");
        assert_ne!(got.flags() & flags::ticket::FORWARDABLE, 0);
        let ask = Ask::ticket(BACK).with(|ask| ask.padata.push(named));
        assert_eq!(buy(&kdc, ask, &web).err(), Some(c::BAD_MATCH));
    }
}

#[test]
fn unknown_users_bad_accounts_and_foreign_checksums_are_refused() {
    let kdc = realm().build().unwrap();
    let web = service(&kdc, WEB);
    let refused = |named| to_self(&kdc, WEB, &web, named).err();
    assert_eq!(refused(for_user("nobody", &web)), Some(c::CLIENT_UNKNOWN));
    // With another key.
    assert_eq!(
        refused(for_user("alice", &log_on(&kdc, 0))),
        Some(c::MODIFIED)
    );
    assert_eq!(refused(x509_user("alice", &web, 8)), Some(c::MODIFIED));
    kdc.set_state("alice", AccountState::Locked).unwrap();
    assert_eq!(refused(for_user("alice", &web)), Some(c::CLIENT_REVOKED));
    kdc.set_state("alice", AccountState::Active).unwrap();
    assert_eq!(refused(for_user("alice", &web)), None);
}

#[test]
fn only_what_may_be_delegated_is_forwardable() {
    let kdc = realm().build().unwrap();
    let forwardable = |name: &str, user: &str| {
        let tgt = service(&kdc, name);
        let got = to_self(&kdc, name, &tgt, for_user(user, &tgt)).unwrap();
        got.flags() & flags::ticket::FORWARDABLE != 0
    };
    assert!(forwardable(WEB, "alice"));
    assert!(!forwardable(WEB, "carol"));
    assert!(!forwardable("HTTP/plain", "alice"));
}

#[test]
fn a_service_delegates_to_those_on_its_list() {
    let kdc = realm().build().unwrap();
    let web = service(&kdc, WEB);
    let ticket = to_self(&kdc, WEB, &web, for_user("alice", &web)).unwrap();
    let got = delegate(&kdc, &web, &ticket, BACK, false).unwrap();
    assert_eq!(got.client.to_string(), "alice@EXAMPLE.COM");
    assert_eq!(got.server().to_string(), "cifs/back@EXAMPLE.COM");
    assert_eq!(
        delegate(&kdc, &web, &ticket, OTHER, false).err(),
        Some(c::BAD_OPTION)
    );
    // A ticket that the user brought is as good.
    let brought = buy(&kdc, Ask::ticket(WEB), &log_on(&kdc, 0)).unwrap();
    assert!(delegate(&kdc, &web, &brought, BACK, false).is_ok());
    // Not another service's, not one that is not forwardable.
    let plain = service(&kdc, "HTTP/plain");
    assert_eq!(
        delegate(&kdc, &plain, &ticket, BACK, false).err(),
        Some(c::BAD_MATCH)
    );
    let stuck = to_self(&kdc, "HTTP/plain", &plain, for_user("alice", &plain)).unwrap();
    assert_eq!(
        delegate(&kdc, &plain, &stuck, BACK, false).err(),
        Some(c::BAD_OPTION)
    );
}

#[test]
fn a_resource_takes_what_it_lists_when_the_service_knows_of_it() {
    let kdc = realm().build().unwrap();
    let plain = service(&kdc, "HTTP/plain");
    let stuck = to_self(&kdc, "HTTP/plain", &plain, for_user("alice", &plain)).unwrap();
    assert_eq!(
        delegate(&kdc, &plain, &stuck, NEW, false).err(),
        Some(c::BAD_OPTION)
    );
    let got = delegate(&kdc, &plain, &stuck, NEW, true).unwrap();
    assert_eq!(got.client.to_string(), "alice@EXAMPLE.COM");
    let told = got.part.encrypted_pa_data.unwrap();
    assert_eq!(told[0].r#type, padata::PAC_OPTIONS);
    let carol = to_self(&kdc, "HTTP/plain", &plain, for_user("carol", &plain)).unwrap();
    assert_eq!(
        delegate(&kdc, &plain, &carol, NEW, true).err(),
        Some(c::BAD_OPTION)
    );
    assert_eq!(
        delegate(&kdc, &plain, &stuck, OTHER, true).err(),
        Some(c::BAD_OPTION)
    );
}

#[test]
fn a_service_cannot_make_a_users_ticket_forwardable() {
    let kdc = realm().domain("EXAMPLE", "S-1-5-21-1-2-3").build().unwrap();
    let plain = service(&kdc, "HTTP/plain");
    let mut ticket = to_self(&kdc, "HTTP/plain", &plain, for_user("alice", &plain)).unwrap();
    assert_eq!(
        delegate(&kdc, &plain, &ticket, BACK, false).err(),
        Some(c::BAD_OPTION)
    );
    // CVE-2020-17049: the service opens the ticket with its own key, sets the flag and seals it again.
    let mut sealed: krb::Ticket = wire::decode(&ticket.ticket).unwrap();
    let enctype = countersign_crypto::Enctype::from_id(sealed.enc_part.etype).unwrap();
    let key = password_key("HTTPplain", "secret", enctype);
    let usage = countersign_crypto::KeyUsage::TICKET;
    let opened = key.decrypt(usage, &sealed.enc_part.cipher).unwrap();
    let mut part: krb::EncTicketPart = wire::decode(&opened).unwrap();
    part.flags = krb::TicketFlags(wire::flags(
        wire::bits(&part.flags.0) | flags::ticket::FORWARDABLE,
    ));
    sealed.enc_part.cipher = seal(&key, usage, &wire::encode(&part).unwrap()).cipher;
    ticket.ticket = wire::encode(&sealed).unwrap();
    assert_eq!(
        delegate(&kdc, &plain, &ticket, BACK, false).err(),
        Some(c::MODIFIED)
    );
    // The KDC's own forwardable ticket is good.
    let web = service(&kdc, WEB);
    let ticket = to_self(&kdc, WEB, &web, for_user("alice", &web)).unwrap();
    assert!(delegate(&kdc, &web, &ticket, BACK, false).is_ok());
}
