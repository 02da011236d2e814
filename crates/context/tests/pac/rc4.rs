//! HMAC-MD5 is rc4-hmac's, and weak as that is.

use std::sync::Arc;

use super::*;
use countersign_context::EnctypeSet;
use countersign_context::credential::{NameType, Principal};

fn with_rc4() -> Policy {
    Policy::default().with_enctypes(EnctypeSet::AES.with(Enctype::Rc4Hmac))
}

/// The PAC that Samba, Heimdal and MIT krb5 test with, verified with both of its keys.
#[test]
fn a_published_pac_verifies_with_its_published_keys() {
    let published: Vec<u8> = include_str!("../../../token/tests/files/windows-2003.pac.hex")
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
