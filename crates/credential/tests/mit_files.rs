//! Files that MIT krb5 wrote; `files/README.md` says how.

use countersign_credential::cache::Version;
use countersign_credential::{ByteOrder, CredentialCache, Keytab, Principal, ServiceName};
use countersign_crypto::{Enctype, Key};

const KEYTAB: &[u8] = include_bytes!("files/holes.keytab");
const CACHES: [(&[u8], Version); 4] = [
    (
        include_bytes!("files/v1.ccache"),
        Version::V1(ByteOrder::Little),
    ),
    (
        include_bytes!("files/v2.ccache"),
        Version::V2(ByteOrder::Little),
    ),
    (include_bytes!("files/v3.ccache"), Version::V3),
    (include_bytes!("files/v4.ccache"), Version::V4),
];

#[test]
fn every_version_of_cache_is_read_and_written_back_byte_for_byte() {
    let user = Principal::parse("user@EXAMPLE.COM").unwrap();
    let web = Principal::parse("HTTP/web.example.com@EXAMPLE.COM").unwrap();
    for (file, expected) in CACHES {
        let (cache, version) = CredentialCache::parse_with_version(file).unwrap();
        assert_eq!(version, expected);
        assert_eq!(cache.default_principal(), &user);
        let tgt = cache.ticket_granting_ticket().unwrap();
        let ticket = cache.find(&web).unwrap();
        assert_eq!(ticket.client, user);
        assert_eq!(ticket.times.auth_time, tgt.times.auth_time);
        assert_eq!(ticket.times.end_time - ticket.times.auth_time, 86_400);
        assert_eq!(
            ticket.session_key().unwrap().enctype(),
            Enctype::Aes256CtsHmacSha1_96
        );
        // Application 1, Ticket.
        assert_eq!(ticket.ticket[0], 0x61);
        let service = ServiceName::parse("HTTP@Web.Example.Com").unwrap();
        assert!(cache.find_service(&service).is_some());
        assert!(cache.entries().iter().any(|entry| entry.is_configuration()));
        assert_eq!(*cache.to_bytes(version).unwrap(), file);
    }
}

#[test]
fn a_keytab_with_holes_and_a_wide_kvno_is_read() {
    let keytab = Keytab::parse(KEYTAB).unwrap();
    let web = Principal::parse("HTTP/web.example.com@EXAMPLE.COM").unwrap();
    let user = Principal::parse("user@EXAMPLE.COM").unwrap();
    assert_eq!(keytab.entries().len(), 4);
    assert_eq!(keytab.latest_kvno(&web), Some(3));
    assert_eq!(keytab.latest_kvno(&user), Some(300));
    assert!(keytab.find(&web, Some(2), None).is_err());
    let sha2 = Enctype::Aes256CtsHmacSha384_192;
    assert!(keytab.find(&web, Some(3), Some(sha2)).is_ok());

    let entry = keytab.find(&user, Some(300), None).unwrap();
    let salt = b"EXAMPLE.COMuser";
    let key = Key::from_password(entry.enctype().unwrap(), b"userpw", salt, None).unwrap();
    assert!(entry.key().unwrap().ct_eq(&key));
}
