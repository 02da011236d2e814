//! Keytabs and credential caches as files, and what is wrong with them.

use countersign::credential::cache::Version;
use countersign::credential::{
    CredentialCache, KeyBlock, Keytab, KeytabEntry, Principal, TicketCredential,
};
use countersign_testkit::Realm;

use crate::kerberos::{SERVICE, realm};
use crate::ledger::Ledger;

fn cut(bytes: &[u8], mut parse: impl FnMut(&[u8])) {
    for length in 0..bytes.len() {
        parse(&bytes[..length]);
        let mut changed = bytes.to_vec();
        changed[length] ^= 0xff;
        parse(&changed);
    }
}

fn alice(realm: &Realm) -> Principal {
    realm.principal("alice")
}

#[test]
fn keytabs_and_what_is_wrong_with_them_print_no_key() {
    let mut ledger = Ledger::new();
    let mut keytab = realm().keytab(&[SERVICE]).unwrap();
    // One of an enctype that is not known, and one of the wrong length.
    for (enctype, length) in [(-77, 40), (18, 31)] {
        let secret: Vec<u8> = (0..length).map(|n: u8| n.wrapping_mul(37) ^ 0x6b).collect();
        let block = KeyBlock::from_parts(enctype, &secret);
        ledger.error(&block.key().unwrap_err());
        keytab.push(KeytabEntry::new(alice(&realm()), 1, block));
    }
    ledger.print(&keytab);
    for entry in keytab.entries() {
        ledger.print(entry);
        ledger.print(entry.key_block());
        ledger.secret("key", entry.key_block().expose());
    }
    let bytes = keytab.to_bytes().unwrap();
    let mut errors = 0;
    cut(&bytes, |bytes| match Keytab::parse(bytes) {
        Ok(keytab) => ledger.print(&keytab),
        Err(error) => {
            errors += 1;
            ledger.error(&error);
        }
    });
    assert!(errors > 10, "{errors}");
    ledger.close(4, &["KeytabEntry", "KeyBlock", "alice"]);
}

#[test]
fn caches_and_what_is_wrong_with_them_print_no_key() {
    let mut ledger = Ledger::new();
    let realm = realm();
    let mut cache = CredentialCache::new(alice(&realm));
    cache.push(realm.ticket("alice", SERVICE).mint().unwrap());
    let forwarded = realm.forwarded_ticket_granting_ticket("alice");
    cache.push(forwarded.mint().unwrap());
    ledger.print(&cache);
    for entry in cache.entries() {
        ledger.print(entry);
        ledger.secret("key", entry.key.expose());
        let alone = entry.to_bytes().unwrap();
        ledger.error(&TicketCredential::parse(&alone[1..]).unwrap_err());
    }
    for version in [Version::V3, Version::V4] {
        let bytes = cache.to_bytes(version).unwrap();
        let mut errors = 0;
        cut(&bytes, |bytes| match CredentialCache::parse(bytes) {
            Ok(cache) => ledger.print(&cache),
            Err(error) => {
                errors += 1;
                ledger.error(&error);
            }
        });
        assert!(errors > 10, "{errors}");
    }
    ledger.close(2, &["TicketCredential", "CredentialCache", "alice"]);
}
