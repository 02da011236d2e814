//! Contexts that went through bytes.

use countersign_credential::{KeyBlock, TicketCredential};
use countersign_crypto::Enctype;

use super::*;
use crate::environment::Environment;

fn import(bytes: &[u8], seed: u8) -> Result<SecurityContext, Error> {
    let mut random = Counting(seed);
    SecurityContext::import(
        bytes,
        &mut Environment::new(Timestamp::from_unix(0), &mut random),
    )
}

fn delegated() -> TicketCredential {
    let principal = |name| Principal::parse(name).unwrap();
    let key = KeyBlock::from_parts(18, &[7; 32]);
    let mut credential = TicketCredential::new(
        principal("user@EXAMPLE.COM"),
        principal("krbtgt/EXAMPLE.COM@EXAMPLE.COM"),
        key,
        b"ticket".to_vec(),
    );
    credential.times.auth_time = 1;
    credential.times.end_time = 2;
    credential
}

fn full_acceptor(enctype: Enctype) -> NewContext {
    let mut new = side(Role::Acceptor, enctype, ORDERED);
    new.delegated = Some(delegated());
    new.authorization_data = vec![0x30, 0];
    new
}

#[test]
fn imported_contexts_go_on_where_they_ended() {
    for enctype in Enctype::ALL.iter().copied() {
        let (mut initiator, _) = pair(enctype, ORDERED);
        let mut acceptor = SecurityContext::establish(full_acceptor(enctype));
        let first = initiator.wrap(true, b"first").unwrap();
        acceptor.unwrap(&first).unwrap();
        let reply = acceptor.wrap(true, b"reply").unwrap();
        initiator.unwrap(&reply).unwrap();

        let mut initiator = import(&initiator.export().unwrap(), 1).unwrap();
        let mut acceptor = import(&acceptor.export().unwrap(), 2).unwrap();
        assert_eq!(kind(acceptor.unwrap(&first)), ErrorKind::MessageDuplicate);
        let second = initiator.wrap(true, b"second").unwrap();
        assert_eq!(acceptor.unwrap(&second).unwrap().message, b"second");
        let mic = acceptor.get_mic(b"m").unwrap();
        initiator.verify_mic(b"m", &mic).unwrap();

        let (_, untouched) = pair(enctype, ORDERED);
        assert_eq!(acceptor.peer(), untouched.peer());
        assert_eq!(acceptor.local(), untouched.local());
        assert_eq!(acceptor.flags(), untouched.flags());
        assert_eq!(acceptor.role(), Role::Acceptor);
        assert_eq!(acceptor.mechanism(), Oid::KERBEROS);
        assert_eq!(acceptor.expires(), untouched.expires());
        assert_eq!(
            acceptor.session_key().expose(),
            untouched.session_key().expose()
        );
        assert_eq!(acceptor.authorization_data(), [0x30, 0]);
        let credential = acceptor.take_delegated().unwrap();
        assert_eq!(credential.ticket, b"ticket");
        assert_eq!(credential.session_key().unwrap().expose(), [7; 32]);
        assert!(acceptor.take_delegated().is_none());
    }
}

#[test]
fn two_imports_of_one_export_share_no_confounder() {
    let (initiator, _) = pair(Enctype::Aes128CtsHmacSha1_96, ORDERED);
    let exported = initiator.export().unwrap();
    let mut seen = std::collections::HashSet::new();
    for seed in 0..10 {
        let mut one = import(&exported, seed * 20).unwrap();
        assert!(seen.insert(one.wrap(true, b"same").unwrap()));
    }
}

#[test]
fn every_prefix_and_extension_of_an_export_is_refused() {
    let context = SecurityContext::establish(full_acceptor(Enctype::Aes256CtsHmacSha1_96));
    let mut exported = context.export().unwrap().to_vec();
    for end in 0..exported.len() {
        assert_eq!(
            kind(import(&exported[..end], 0)),
            ErrorKind::DefectiveExport,
            "{end}"
        );
    }
    assert!(import(&exported, 0).is_ok());
    exported.push(0);
    assert_eq!(kind(import(&exported, 0)), ErrorKind::DefectiveExport);
}

#[test]
fn every_flipped_bit_of_an_export_is_refused_or_gives_a_working_context() {
    let context = SecurityContext::establish(full_acceptor(Enctype::Aes256CtsHmacSha1_96));
    let exported = context.export().unwrap().to_vec();
    let (mut accepted, mut refused) = (0, 0);
    for bit in 0..exported.len() * 8 {
        let mut altered = exported.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        match import(&altered, 0) {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::DefectiveExport);
                refused += 1;
            }
            Ok(mut context) => {
                // Whatever it does is not a panic.
                let _ = context.wrap(true, b"m");
                let _ = context.get_mic(b"m");
                let _ = context.unwrap(&[5, 4, 6]);
                let _ = context.export().map(|again| import(&again, 0).unwrap());
                accepted += 1;
            }
        }
    }
    assert!(accepted > 0 && refused > 0);
}

#[test]
fn exports_of_inconsistent_windows_are_refused() {
    let (_, acceptor) = pair(Enctype::Aes128CtsHmacSha1_96, ORDERED);
    let exported = acceptor.export().unwrap().to_vec();
    // receiving: first, none, seen; then Kerberos, two keys of 16 bytes with a mark between them, no
    // credential, no authorization data and no PAC.
    let keys = 1 + (4 + 4 + 16) + 1 + (4 + 4 + 16) + 1 + 4 + 1;
    let seen = exported.len() - keys - 8;
    assert_eq!(exported[seen..seen + 8], [0; 8]);
    let mut altered = exported.clone();
    altered[seen + 7] = 1;
    assert_eq!(kind(import(&altered, 0)), ErrorKind::DefectiveExport);
    assert!(import(&exported, 0).is_ok());
}
