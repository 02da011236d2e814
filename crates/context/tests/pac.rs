//! What the acceptor makes of a ticket's PAC.

#![allow(clippy::unwrap_used, clippy::panic)] // it is a test

mod support;

use std::sync::Arc;

use countersign_context::credential::{Keytab, KeytabEntry, TicketCredential};
use countersign_context::crypto::{Enctype, Key};
use countersign_context::kerberos::{
    Acceptor, AcceptorCredential, Initiator, ReplayProtection, SignatureState,
};
use countersign_context::token::DecodeErrorKind;
use countersign_context::token::pac::{BufferType, GroupAttributes, Sid};
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

#[test]
fn acceptor_offers_who_the_client_is_from_a_verified_pac() {
    let extended = pac()
        .upn_extended(
            "alice@example.com",
            "EXAMPLE.COM",
            "alice",
            &of_domain(1105).to_string(),
        )
        .requestor(&of_domain(1105).to_string())
        .attributes(2, 1)
        .delegation("HTTP/www.example.com", &["host/front.example.com"])
        .buffer(buffer_type::CLIENT_CLAIMS_INFO, b"claims".to_vec());
    let context = accepts(ServiceKey, &with_pac(extended));
    let pac = context.pac().unwrap();
    assert_eq!(pac.user_sid(), Some(of_domain(1105)));
    assert_eq!(pac.domain_sid(), Some(sid(DOMAIN)));
    assert!(pac.account_name().unwrap() == "alice");
    assert!(pac.logon_domain().unwrap() == "EXAMPLE" && pac.logon_server().unwrap() == "DC1");
    assert!(pac.upn().unwrap() == "alice@example.com");
    assert!(pac.dns_domain().unwrap() == "EXAMPLE.COM");
    assert_eq!(pac.requestor(), Some(of_domain(1105)));
    assert_eq!(pac.attributes().unwrap().flags, 1);
    let delegation = pac.delegation_info().unwrap();
    assert!(delegation.proxy_target == "HTTP/www.example.com");
    let services: Vec<_> = delegation.transited_services.iter().collect();
    assert!(services.len() == 1 && services[0] == "host/front.example.com");
    let claims = pac.buffer(BufferType::CLIENT_CLAIMS_INFO);
    assert_eq!(claims, Some(&b"claims"[..]));
    // Both halves know it too, and a ticket without a PAC says nothing.
    let (sender, receiver) = context.split();
    assert_eq!(sender.pac().unwrap().user_sid(), Some(of_domain(1105)));
    assert!(receiver.pac().is_some());
    assert!(
        accepts(ServiceKey, &minted(realm().ticket(CLIENT, SERVICE)))
            .pac()
            .is_none()
    );
}

#[test]
fn only_enabled_groups_count() {
    let logon = logon()
        .group(&format!("{DOMAIN}-1200"))
        .group_with(&format!("{DOMAIN}-1201"), 3)
        .group_with(&format!("{DOMAIN}-1202"), 0x10)
        .group("S-1-5-21-9-9-9-2000")
        .group_with("S-1-5-21-9-9-9-2001", 0)
        .resource_group(RESOURCE_DOMAIN, 3000, 0x2000_0007)
        .resource_group(RESOURCE_DOMAIN, 3001, 0x2000_0000);
    let context = accepts(ServiceKey, &with_pac(PacBuilder::of(logon)));
    let pac = context.pac().unwrap();
    let resource = |rid| sid(RESOURCE_DOMAIN).with_rid(rid).unwrap();
    for member in [
        of_domain(513),
        of_domain(1200),
        sid("S-1-5-21-9-9-9-2000"),
        resource(3000),
        Sid::AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY,
    ] {
        assert!(pac.is_member_of(&member), "{member}");
    }
    for stranger in [
        of_domain(1201),
        of_domain(1202),
        of_domain(512),
        of_domain(1105),
        sid("S-1-5-21-9-9-9-2001"),
        sid("S-1-5-21-9-9-9-1200"),
        resource(3001),
        resource(1200),
        Sid::EVERYONE,
    ] {
        assert!(!pac.is_member_of(&stranger), "{stranger}");
    }
    // Those that do not count are listed with what they mean.
    let deny_only = pac
        .groups()
        .find(|group| group.sid == of_domain(1202))
        .unwrap();
    assert_eq!(deny_only.attributes, GroupAttributes(0x10));
    assert_eq!(pac.groups().count(), 4 + 3 + 2);
}

/// MS-PAC §2.5: the flags say whether extra SIDs and resource groups mean something, and a UserId
/// of zero makes the first extra SID the account.
#[test]
fn sids_that_the_flags_do_not_announce_grant_nothing() {
    let whole = logon()
        .group("S-1-5-21-9-9-9-2000")
        .resource_group(RESOURCE_DOMAIN, 3000, 7);
    let extra = sid("S-1-5-21-9-9-9-2000");
    let resource = sid(RESOURCE_DOMAIN).with_rid(3000).unwrap();
    let ndr = whole.to_ndr();
    // UserFlags stand behind the headers, the pointer and 40 + 8 * 8 + 24 bytes.
    let flags_at = 16 + 4 + 48 + 48 + 4 + 16;
    assert_eq!(ndr[flags_at..flags_at + 4], 0x220_u32.to_le_bytes());
    for (flags, has_extra, has_resource) in [
        (0x220_u32, true, true),
        (0x20, true, false),
        (0x200, false, true),
        (0, false, false),
    ] {
        let mut ndr = ndr.clone();
        ndr[flags_at..flags_at + 4].copy_from_slice(&flags.to_le_bytes());
        let ticket = with_pac(PacBuilder::minimal().buffer(buffer_type::LOGON_INFO, ndr));
        let context = accepts(ServiceKey, &ticket);
        let pac = context.pac().unwrap();
        assert_eq!(pac.is_member_of(&extra), has_extra);
        assert_eq!(pac.is_member_of(&resource), has_resource);
    }

    let mut foreign = logon();
    foreign.rid = 0;
    foreign.extra_sids = vec![
        ("S-1-5-21-9-9-9-1".into(), 7),
        ("S-1-5-21-9-9-9-2".into(), 7),
    ];
    let context = accepts(ServiceKey, &with_pac(PacBuilder::of(foreign)));
    let pac = context.pac().unwrap();
    assert_eq!(pac.user_sid(), Some(sid("S-1-5-21-9-9-9-1")));
    assert!(!pac.is_member_of(&sid("S-1-5-21-9-9-9-1")));
    assert!(pac.is_member_of(&sid("S-1-5-21-9-9-9-2")));
}

/// MS-PAC §2.8, the four signatures.
#[test]
fn signatures_that_nobody_verified_are_told_to_be_unverified() {
    use PacSignature::*;
    let states = |knows, ticket: &TicketCredential| {
        let context = accepts(knows, ticket);
        let pac = context.pac().unwrap();
        [Server, Kdc, Ticket, Full].map(|signature| pac.signature(signature))
    };
    let (absent, unverified, verified) = (
        SignatureState::Absent,
        SignatureState::Unverified,
        SignatureState::Verified,
    );
    let all = with_pac(pac());
    let old = with_pac(pac().for_ticket_granting());
    assert_eq!(
        states(ServiceKey, &all),
        [verified, unverified, unverified, unverified]
    );
    assert_eq!(states(TicketGrantingKey, &all), [verified; 4]);
    assert_eq!(
        states(ServiceKey, &old),
        [verified, unverified, absent, absent]
    );
    assert_eq!(
        states(TicketGrantingKey, &old),
        [verified, verified, absent, absent]
    );
}

#[test]
fn pacs_of_every_enctype_of_service_verify() {
    for &enctype in Enctype::ALL {
        let policy = Policy::default();
        let policy = policy
            .clone()
            .with_enctypes(policy.enctypes().with(enctype));
        let realm = realm();
        let ticket = realm.ticket(CLIENT, SERVICE).enctype(enctype).pac(pac());
        let credential = AcceptorCredential::new(&keytab(&realm))
            .with_ticket_granting_keys(&ticket_granting_keys(&realm, &[1]));
        let context = accept_with(&credential, &policy, &minted(ticket)).unwrap();
        assert!(
            context.pac().unwrap().is_member_of(&of_domain(513)),
            "{enctype}"
        );
    }
}

/// RFC 4120 §3.7: there the key that opened the ticket is a session key, and the PAC is signed with it.
#[test]
fn the_pac_of_a_user_to_user_ticket_verifies_with_the_session_key() {
    let realm = realm();
    let own = realm.ticket_granting_ticket("bob").mint().unwrap();
    let session = own.session_key().unwrap().duplicate();
    let ticket = |signer: Option<Key>| {
        let mut pac = pac();
        if let Some(key) = signer {
            pac = pac.signer(buffer_type::SERVER_SIGNATURE, PacSigner::key(&key));
        }
        let ticket = realm.ticket(CLIENT, "bob").service_key(session.duplicate());
        let mut ticket = minted(ticket.named_kvno(None).pac(pac));
        ticket.is_skey = true;
        ticket
    };
    let credential = AcceptorCredential::user_to_user(own);
    let accept = |ticket: TicketCredential| {
        let mut initiator = Initiator::new(ticket);
        let first = World::new(8).step(&mut initiator, None);
        let Ok(Step::Continue { token }) = first else {
            panic!("{first:?}")
        };
        World::new(9).step(&mut Acceptor::new(&credential), Some(&token))
    };
    let Ok(Step::Established { context, .. }) = accept(ticket(None)) else {
        panic!("not accepted")
    };
    assert!(context.pac().is_some());
    let bob = realm.principal("bob");
    let long_term = realm.key(&bob, Enctype::Aes256CtsHmacSha1_96, 1).unwrap();
    let refused = accept(ticket(Some(long_term))).unwrap_err().kind();
    let signature = PacSignature::Server;
    let problem = PacProblem::SignatureWrong { signature };
    assert_eq!(refused, ErrorKind::Pac(problem));
}

/// Every way to sign without the key.
fn forgeries(enctype: Enctype) -> Vec<(PacSigner, bool)> {
    let mut random = SeededRandom::new(44);
    let stranger = Key::generate(enctype, &mut random).unwrap();
    let other_enctype = Key::generate(Enctype::Aes128CtsHmacSha1_96, &mut random).unwrap();
    let own_type = enctype.checksum_type().id();
    // The flag says whether the type alone is refused.
    vec![
        (PacSigner::Md5, true),
        (PacSigner::Crc32, true),
        (PacSigner::Bytes(14, vec![0; 20]), true),
        (PacSigner::Bytes(0, Vec::new()), true),
        (PacSigner::Bytes(0x7fff_0000, vec![0; 12]), true),
        (PacSigner::key(&other_enctype), true),
        (PacSigner::mislabelled(&stranger, 7), true),
        (PacSigner::mislabelled(&stranger, 15), true),
        (PacSigner::key(&stranger), false),
        (PacSigner::Bytes(own_type, vec![0; 12]), false),
    ]
}

/// CVE-2010-1323, CVE-2010-1324, MS14-068, CVE-2018-16860: only the keyed type of the key's enctype
/// verifies, and only if the key made it.
#[test]
fn acceptor_refuses_signatures_that_are_unkeyed_foreign_or_of_another_key() {
    use PacSignature::*;
    accepts(TicketGrantingKey, &with_pac(pac()));
    for (kind, signature) in [
        (buffer_type::SERVER_SIGNATURE, Server),
        (buffer_type::KDC_SIGNATURE, Kdc),
        (buffer_type::TICKET_SIGNATURE, Ticket),
        (buffer_type::FULL_SIGNATURE, Full),
    ] {
        for (signer, refused_by_type) in forgeries(Enctype::Aes256CtsHmacSha1_96) {
            let ticket = with_pac(pac().signer(kind, signer.clone()));
            let problem = refuses(TicketGrantingKey, &ticket);
            let matches = match problem {
                PacProblem::SignatureTypeRefused { signature: s, .. } => {
                    refused_by_type && s == signature
                }
                PacProblem::SignatureWrong { signature: s } => !refused_by_type && s == signature,
                _ => false,
            };
            assert!(matches, "{signer:?}: {problem:?}");
            // The service's key alone is enough for the server's.
            let alone = accept_as(ServiceKey, PacPolicy::WhenPresent, &ticket);
            assert_eq!(alone.is_err(), signature == Server, "{signer:?}");
        }
        // A signature cut to nothing, which no type but an unknown one can have.
        let empty = PacSigner::Bytes(16, Vec::new());
        let ticket = with_pac(pac().signer(kind, empty));
        assert!(matches!(
            refuses(TicketGrantingKey, &ticket),
            PacProblem::Malformed(_)
        ));
    }
}

#[test]
fn acceptor_refuses_pac_without_what_must_be_there() {
    let refused = |kind| refuses(ServiceKey, &with_pac(pac().without(kind)));
    assert_eq!(
        refused(buffer_type::SERVER_SIGNATURE),
        PacProblem::SignatureMissing {
            signature: PacSignature::Server
        }
    );
    assert_eq!(
        refused(buffer_type::KDC_SIGNATURE),
        PacProblem::SignatureMissing {
            signature: PacSignature::Kdc
        }
    );
    assert_eq!(
        refused(buffer_type::CLIENT_INFO),
        PacProblem::ClientInfoMissing
    );
    accepts(
        ServiceKey,
        &with_pac(pac().without(buffer_type::LOGON_INFO)),
    );
}

/// MS-PAC §2.7: a PAC moved from another ticket of the same service, rightly signed.
#[test]
fn acceptor_refuses_pac_of_another_client_or_time() {
    for (name, time, ours) in [
        (CLIENT, NOW, true),
        (CLIENT, NOW + 1, false),
        (CLIENT, NOW - 1, false),
        (CLIENT, 0, false),
        ("administrator", NOW, false),
        ("ALICE", NOW, false),
        ("alic", NOW, false),
        ("alice ", NOW, false),
        ("alice/", NOW, false),
        ("alice@EXAMPLE.COM", NOW, false),
        ("", NOW, false),
    ] {
        let ticket = with_pac(pac().client(name, time));
        let result = accept_as(ServiceKey, PacPolicy::WhenPresent, &ticket);
        assert_eq!(result.is_ok(), ours, "{name} {time}");
        if !ours {
            assert_eq!(refuses(ServiceKey, &ticket), PacProblem::ClientMismatch);
        }
    }
    // The components of a service's name are joined.
    let ticket = minted(realm().ticket("host/a.example.com", SERVICE).pac(pac()));
    accepts(ServiceKey, &ticket);
    let odd = minted(realm().ticket("\u{e9}\u{f1}", SERVICE).pac(pac()));
    accepts(ServiceKey, &odd);
}

/// gokrb5 #545: MIT krb5 1.20 puts a PAC without LOGON_INFO into every ticket.
#[test]
fn a_pac_without_logon_info_authenticates_and_names_no_sid() {
    let ticket = with_pac(PacBuilder::minimal());
    let context = accepts(TicketGrantingKey, &ticket);
    let pac = context.pac().unwrap();
    assert_eq!((pac.user_sid(), pac.groups().count()), (None, 0));
    assert!(pac.account_name().is_none() && pac.upn().is_none());
    assert!(!pac.is_member_of(&Sid::NULL));
}

/// CVE-2020-25717, CVE-2020-25719: a ticket without a PAC says a name only, and a name is anybody's
/// who can have an account of that name.
#[test]
fn required_pacs_are_required_and_authorization_is_by_sid() {
    let required = |ticket: &TicketCredential| accept_as(ServiceKey, PacPolicy::Required, ticket);
    assert!(required(&with_pac(pac())).is_ok());
    let bare = minted(realm().ticket(CLIENT, SERVICE));
    assert_eq!(
        required(&bare).unwrap_err(),
        ErrorKind::Pac(PacProblem::Missing)
    );
    assert!(accept_as(ServiceKey, PacPolicy::WhenPresent, &bare).is_ok());
    assert_eq!(
        required(&with_pac(PacBuilder::minimal())).unwrap_err(),
        ErrorKind::Pac(PacProblem::LogonInfoMissing)
    );

    // Two accounts of one name, one after the other.
    let mut later = logon();
    later.rid = 1106;
    let (first, second) = (with_pac(pac()), with_pac(PacBuilder::of(later)));
    let (first, second) = (required(&first).unwrap(), required(&second).unwrap());
    assert_eq!(first.peer(), second.peer());
    assert_ne!(
        first.pac().unwrap().user_sid(),
        second.pac().unwrap().user_sid()
    );
}

#[test]
fn ignored_pacs_are_neither_verified_nor_offered() {
    let ignored = |ticket: &TicketCredential| accept_as(ServiceKey, PacPolicy::Ignored, ticket);
    let good = ignored(&with_pac(pac())).unwrap();
    assert!(good.pac().is_none() && !good.authorization_data().is_empty());
    let forged = with_pac(pac().signer(buffer_type::SERVER_SIGNATURE, PacSigner::Md5));
    assert!(ignored(&forged).unwrap().pac().is_none());
    assert!(accept_as(ServiceKey, PacPolicy::WhenPresent, &forged).is_err());
}

/// CVE-2020-17049: a service changes the flags of its own ticket, which it can seal anew.
#[test]
fn the_tickets_signature_catches_a_service_that_edits_its_ticket() {
    let ticket = |more: u32| {
        let realm = realm();
        let ticket = realm.ticket(CLIENT, SERVICE).pac(pac());
        minted(ticket.edit(move |part| {
            let bits = flags::ticket::PRE_AUTHENT | flags::ticket::TRANSITED_POLICY_CHECKED | more;
            part.flags.0 =
                countersign_testkit::rasn_kerberos::KerberosFlags::from_slice(&bits.to_be_bytes());
        }))
    };
    accepts(TicketGrantingKey, &ticket(0));
    let edited = ticket(flags::ticket::FORWARDABLE);
    assert_eq!(
        refuses(TicketGrantingKey, &edited),
        PacProblem::SignatureWrong {
            signature: PacSignature::Ticket
        }
    );
    // Without the key nobody can know, and that is what is said.
    let context = accepts(ServiceKey, &edited);
    let state = context.pac().unwrap().signature(PacSignature::Ticket);
    assert_eq!(state, SignatureState::Unverified);
}

/// CVE-2022-37967: whoever has the service's key changes the PAC and signs it anew.
#[test]
fn the_kdcs_signatures_catch_a_service_that_edits_its_pac() {
    let realm = realm();
    let service = realm
        .key(&realm.principal(SERVICE), Enctype::Aes256CtsHmacSha1_96, 1)
        .unwrap();
    let ticket = |edit: bool| {
        let key = service.duplicate();
        with_pac(pac().map_signed(move |pac| {
            let at = pac.windows(4).position(|w| w == 513_u32.to_le_bytes());
            if edit {
                // Domain users become domain administrators, first the primary group, then both.
                pac[at.unwrap()] = 0;
                pac[at.unwrap() + 1] = 2;
            }
            resign_server(pac, &key).unwrap();
        }))
    };
    accepts(TicketGrantingKey, &ticket(false));
    accepts(ServiceKey, &ticket(true));
    assert_eq!(
        refuses(TicketGrantingKey, &ticket(true)),
        PacProblem::SignatureWrong {
            signature: PacSignature::Kdc
        }
    );
    // And if two PACs had one server's signature, so that the KDC's held for both.
    let collision = pac().signer(
        buffer_type::FULL_SIGNATURE,
        PacSigner::Bytes(16, vec![7; 12]),
    );
    assert_eq!(
        refuses(TicketGrantingKey, &with_pac(collision)),
        PacProblem::SignatureWrong {
            signature: PacSignature::Full
        }
    );
}

/// MS-PAC §2.8, MS-KILE §3.1.5.8: a read-only domain controller signs with a key of its own.
#[test]
fn signatures_of_a_read_only_controller_need_its_key_and_lead_around_no_other() {
    const RODC: u32 = 0x1234 << 16;
    let realm = realm();
    let name = realm.principal("krbtgt/EXAMPLE.COM");
    let key = realm
        .key(&name, Enctype::Aes256CtsHmacSha1_96, RODC | 1)
        .unwrap();
    let of_kdc = |signer: &dyn Fn() -> PacSigner| {
        [
            buffer_type::KDC_SIGNATURE,
            buffer_type::TICKET_SIGNATURE,
            buffer_type::FULL_SIGNATURE,
        ]
        .into_iter()
        .fold(pac(), |pac, kind| pac.signer(kind, signer()))
    };
    let signed = of_kdc(&|| PacSigner::key(&key)).rodc_identifier(0x1234);
    let ticket = with_pac(signed);
    let knowing = |kvnos: &[u32]| {
        AcceptorCredential::new(&keytab(&realm))
            .with_ticket_granting_keys(&ticket_granting_keys(&realm, kvnos))
    };
    let policy = Policy::default();
    assert!(accept_with(&knowing(&[1, RODC | 1]), &policy, &ticket).is_ok());
    accepts(ServiceKey, &ticket);
    let refused = PacProblem::SignatureTypeRefused {
        signature: PacSignature::Kdc,
        signature_type: 16,
    };
    assert_eq!(refuses(TicketGrantingKey, &ticket), refused);
    let other = accept_with(&knowing(&[1, (0x1235 << 16) | 1]), &policy, &ticket);
    assert_eq!(other.unwrap_err(), ErrorKind::Pac(refused));
    // The main key's signature does not pass for the other's, nor the other's for the main one's.
    let claimed = with_pac(pac().rodc_identifier(0x1234));
    let result = accept_with(&knowing(&[1, RODC | 1]), &policy, &claimed);
    let wrong = PacProblem::SignatureWrong {
        signature: PacSignature::Kdc,
    };
    assert_eq!(result.unwrap_err(), ErrorKind::Pac(wrong));
    let unclaimed = with_pac(of_kdc(&|| PacSigner::key(&key)));
    let result = accept_with(&knowing(&[1, RODC | 1]), &policy, &unclaimed);
    assert_eq!(result.unwrap_err(), ErrorKind::Pac(wrong));
}

/// Only the ticket's PAC counts: anybody can put one into an authenticator.
#[test]
fn a_pac_outside_of_the_ticket_is_nobodys_and_two_are_one_too_many() {
    let realm = realm();
    let key = realm
        .key(&realm.principal(SERVICE), Enctype::Aes256CtsHmacSha1_96, 1)
        .unwrap();
    let kdc = realm.ticket_granting_key().unwrap();
    let bytes = pac().client(CLIENT, NOW).sign(&key, &kdc, None).unwrap();
    let element = if_relevant(&[(128, bytes)]).unwrap();

    let ticket = minted(realm.ticket(CLIENT, SERVICE));
    let token = build(honest(&ticket).authorization_data(vec![element.clone()]));
    assert!(accepted(&mut acceptor(&realm), &token).pac().is_none());

    let one = realm
        .ticket(CLIENT, SERVICE)
        .authorization_data(vec![element.clone()]);
    assert!(accepts(ServiceKey, &minted(one)).pac().is_some());
    let two = realm
        .ticket(CLIENT, SERVICE)
        .authorization_data(vec![element])
        .pac(pac());
    assert_eq!(refuses(ServiceKey, &minted(two)), PacProblem::Repeated);
}

/// CVE-2022-42898, CVE-2023-36054: counts, offsets and sizes that lie, under a right signature and
/// without one. The codec's own tests are in `crates/token/tests/pac.rs`.
#[test]
fn acceptor_refuses_lying_headers_whether_signed_or_not() {
    type Bend = fn(&mut Vec<u8>);
    let bends: [(Bend, Option<DecodeErrorKind>); 9] = [
        (|pac| pac[0..4].fill(0), None),
        (
            |pac| pac[0..4].copy_from_slice(&65_u32.to_le_bytes()),
            Some(DecodeErrorKind::TooManyElements { limit: 64 }),
        ),
        (
            |pac| pac[0..4].copy_from_slice(&4096_u32.to_le_bytes()),
            Some(DecodeErrorKind::TooManyElements { limit: 64 }),
        ),
        (
            |pac| pac[0..4].fill(0xff),
            Some(DecodeErrorKind::TooManyElements { limit: 64 }),
        ),
        // The second buffer where the first is.
        (
            |pac| pac.copy_within(16..24, 32),
            Some(DecodeErrorKind::Overlap),
        ),
        (|pac| pac[16] += 1, Some(DecodeErrorKind::Unaligned)),
        (
            |pac| pac[16..24].copy_from_slice(&u64::MAX.to_le_bytes()),
            Some(DecodeErrorKind::OutOfBounds),
        ),
        (
            |pac| pac[12..16].fill(0xff),
            Some(DecodeErrorKind::OutOfBounds),
        ),
        (
            |pac| pac.copy_within(8..12, 24),
            Some(DecodeErrorKind::DuplicateBuffer { buffer_type: 1 }),
        ),
    ];
    accepts(ServiceKey, &with_pac(pac()));
    for (bend, expected) in bends {
        let unsigned = with_pac(pac().map_unsigned(bend));
        let signed = with_pac(pac().map_signed(bend));
        for ticket in [unsigned, signed] {
            match (refuses(ServiceKey, &ticket), expected) {
                (PacProblem::Malformed(error), Some(kind)) => assert_eq!(error.kind(), kind),
                (PacProblem::SignatureMissing { .. }, None) => {}
                (problem, _) => panic!("{problem:?}"),
            }
        }
    }
}

#[test]
fn acceptor_refuses_malformed_buffers_under_right_signatures() {
    for kind in [
        buffer_type::LOGON_INFO,
        buffer_type::UPN_DNS_INFO,
        buffer_type::REQUESTOR,
        buffer_type::ATTRIBUTES_INFO,
        buffer_type::DELEGATION_INFO,
        buffer_type::CLIENT_INFO,
    ] {
        let ticket = with_pac(pac().buffer(kind, b"\x01\x02\x03".to_vec()));
        let problem = refuses(TicketGrantingKey, &ticket);
        assert!(matches!(problem, PacProblem::Malformed(_)), "{problem:?}");
    }
    for kind in [
        buffer_type::CREDENTIALS_INFO,
        buffer_type::CLIENT_CLAIMS_INFO,
        buffer_type::DEVICE_INFO,
        buffer_type::DEVICE_CLAIMS_INFO,
        0x7777,
    ] {
        let ticket = with_pac(pac().buffer(kind, b"\x01\x02\x03".to_vec()));
        let context = accepts(TicketGrantingKey, &ticket);
        let kept = context.pac().unwrap().buffer(BufferType(kind));
        assert_eq!(kept, Some(&b"\x01\x02\x03"[..]));
    }
}

/// Every bit of a signed PAC is covered: by the server's signature all but the KDC's, and by the
/// ticket-granting key that too.
#[test]
fn every_flipped_bit_of_a_signed_pac_is_refused_or_is_of_the_kdcs_signature() {
    let realm = realm();
    let key = realm
        .key(&realm.principal(SERVICE), Enctype::Aes256CtsHmacSha1_96, 1)
        .unwrap();
    let kdc = realm.ticket_granting_key().unwrap();
    let builder = pac()
        .upn("alice@example.com", "EXAMPLE.COM")
        .client(CLIENT, NOW)
        .rodc_identifier(0)
        .without(buffer_type::TICKET_SIGNATURE);
    let bytes = builder.sign(&key, &kdc, None).unwrap();
    let parsed = countersign_context::token::pac::Pac::parse(&bytes).unwrap();
    let uncovered = parsed
        .buffers()
        .find(|buffer| buffer.buffer_type == BufferType::KDC_SIGNATURE)
        .map(|buffer| buffer.offset + 4..buffer.offset + buffer.data.len())
        .unwrap();
    let result = |knows, bytes: &[u8]| {
        let element = if_relevant(&[(128, bytes.to_vec())]).unwrap();
        let ticket = realm.ticket(CLIENT, SERVICE);
        let ticket = minted(ticket.authorization_data(vec![element]));
        accept_as(knows, PacPolicy::WhenPresent, &ticket)
    };
    assert!(result(ServiceKey, &bytes).is_ok() && result(TicketGrantingKey, &bytes).is_ok());
    let mut harmless = 0;
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let alone = result(ServiceKey, &flipped);
        assert_eq!(alone.is_ok(), uncovered.contains(&(bit / 8)), "bit {bit}");
        harmless += usize::from(alone.is_ok());
        assert!(result(TicketGrantingKey, &flipped).is_err(), "bit {bit}");
    }
    // HMAC and identifier.
    assert_eq!(harmless, 8 * (12 + 2));
}

/// Mutations land inside of signed PACs.
#[test]
fn mutated_pacs_under_right_signatures_never_panic() {
    let rounds: u64 = 30_000;
    let mut outcomes = (0, 0);
    let realm = realm();
    let credential = AcceptorCredential::new(&keytab(&realm))
        .with_replay_protection(ReplayProtection::DangerouslyOff)
        .with_ticket_granting_keys(&ticket_granting_keys(&realm, &[1]));
    let base = pac()
        .upn_extended("alice@example.com", "EXAMPLE.COM", "alice", DOMAIN)
        .delegation("target", &["one", "two"]);
    for seed in 0..rounds {
        let ticket = with_pac(base.clone().map_unsigned(move |pac| {
            let mut random = SeededRandom::new(seed);
            for _ in 0..=random.below(3) {
                let at = random.below(pac.len());
                pac[at] = u8::try_from(random.below(256)).unwrap();
            }
        }));
        match accept_with(&credential, &Policy::default(), &ticket) {
            Ok(context) => {
                let pac = context.pac().unwrap();
                let _ = (pac.user_sid(), pac.groups().count());
                outcomes.0 += 1;
            }
            Err(ErrorKind::Pac(_)) => outcomes.1 += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(outcomes.0 > 1_000 && outcomes.1 > 1_000, "{outcomes:?}");
}

#[test]
fn an_exported_context_keeps_its_pac() {
    for knows in [ServiceKey, TicketGrantingKey] {
        let context = accepts(knows, &with_pac(pac()));
        let states = |context: &SecurityContext| {
            let pac = context.pac().unwrap();
            (pac.user_sid(), pac.signature(PacSignature::Kdc))
        };
        let before = states(&context);
        let data = context.authorization_data().to_vec();
        let bytes = context.export().unwrap();
        let mut random = SeededRandom::new(3);
        let mut env = Environment::new(countersign_context::Timestamp::from_unix(NOW), &mut random);
        let again = SecurityContext::import(&bytes, &mut env).unwrap();
        assert_eq!(states(&again), before);
        // A PAC that the authorization data does not have cannot be claimed: they stand before the
        // states.
        let mut claimed = bytes.to_vec();
        let at = claimed.len() - 4 - data.len();
        assert_eq!(claimed[at..at + data.len()], data);
        claimed[at] ^= 1;
        assert!(SecurityContext::import(&claimed, &mut env).is_err());
    }
}

/// HMAC-MD5 is rc4-hmac's, and weak as that is.
#[cfg(feature = "rc4")]
mod rc4 {
    use super::*;
    use countersign_context::EnctypeSet;
    use countersign_context::credential::{NameType, Principal};

    fn with_rc4() -> Policy {
        Policy::default().with_enctypes(EnctypeSet::AES.with(Enctype::Rc4Hmac))
    }

    /// The PAC that Samba, Heimdal and MIT krb5 test with, verified with both of its keys.
    #[test]
    fn a_published_pac_verifies_with_its_published_keys() {
        let published: Vec<u8> = include_str!("../../token/tests/files/windows-2003.pac.hex")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .flat_map(|line| line.as_bytes().chunks(2))
            .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let key = |hex: u128| Key::new(Enctype::Rc4Hmac, &hex.to_be_bytes()).unwrap();
        let realm = Realm::new("WIN2K3.THINKER.LOCAL", 1);
        let service = Principal::new(realm.name(), ["host", "member"], NameType::SRV_HST);
        let server_key = key(0xd217_faea_e5e6_b5f9_5ccc_9407_7ab8_a5fc);
        let mut keys = Keytab::new();
        keys.push(KeytabEntry::new(service.clone(), 1, server_key.duplicate()));
        let mut kdc_keys = Keytab::new();
        kdc_keys.push(KeytabEntry::new(
            Principal::ticket_granting_service(realm.name(), realm.name()),
            1,
            key(0xb286_7571_48af_7fd2_52c5_3603_a150_b7e7),
        ));
        let ticket = |pac: &[u8]| {
            let client = realm.principal("w2003final$");
            let ticket = realm.ticket_for(client, service.clone());
            let element = if_relevant(&[(128, pac.to_vec())]).unwrap();
            minted(
                ticket
                    .service_key(server_key.duplicate())
                    .auth_time(1_120_440_609)
                    .authorization_data(vec![element]),
            )
        };
        let credential = AcceptorCredential::new(&keys).with_ticket_granting_keys(&kdc_keys);
        let context = accept_with(&credential, &with_rc4(), &ticket(&published)).unwrap();
        let pac = context.pac().unwrap();
        assert_eq!(pac.signature(PacSignature::Kdc), SignatureState::Verified);
        assert!(pac.account_name().unwrap() == "W2003FINAL$");
        assert!(pac.is_member_of(&Sid::ENTERPRISE_DOMAIN_CONTROLLERS));
        for at in [0x244, 0x25c] {
            let mut altered = published.clone();
            altered[at] ^= 1;
            let result = accept_with(&credential, &with_rc4(), &ticket(&altered));
            assert!(matches!(
                result,
                Err(ErrorKind::Pac(PacProblem::SignatureWrong { .. }))
            ));
        }
    }

    #[test]
    fn a_kdcs_rc4_key_verifies_nothing_until_a_policy_names_it() {
        let realm = realm();
        let name = realm.principal("krbtgt/EXAMPLE.COM");
        let key = realm.key(&name, Enctype::Rc4Hmac, 1).unwrap();
        let signer = Arc::new(move || PacSigner::key(&key));
        let all = [
            buffer_type::KDC_SIGNATURE,
            buffer_type::TICKET_SIGNATURE,
            buffer_type::FULL_SIGNATURE,
        ];
        let pac = all
            .into_iter()
            .fold(pac(), |pac, kind| pac.signer(kind, signer()));
        let ticket = with_pac(pac);
        let mut keys = Keytab::new();
        let key = realm.key(&name, Enctype::Rc4Hmac, 1).unwrap();
        keys.push(KeytabEntry::new(name, 1, key));
        let credential = AcceptorCredential::new(&keytab(&realm)).with_ticket_granting_keys(&keys);
        let refused = accept_with(&credential, &Policy::default(), &ticket);
        assert!(matches!(
            refused,
            Err(ErrorKind::Pac(PacProblem::SignatureTypeRefused { .. }))
        ));
        assert!(accept_with(&credential, &with_rc4(), &ticket).is_ok());
    }
}
