//! Keytabs that are changed in memory, as a program that rotates keys does.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use countersign_credential::{KeyBlock, Keytab, KeytabEntry, NameType, Principal};
use countersign_crypto::{Enctype, Key};

const AES256: Enctype = Enctype::Aes256CtsHmacSha1_96;

fn web() -> Principal {
    let components = ["HTTP", "web.example.com"];
    Principal::new("EXAMPLE.COM", components, NameType::SRV_HST)
}

fn entry(kvno: u32, byte: u8) -> KeytabEntry {
    let key = Key::new(AES256, &[byte; 32]).unwrap();
    KeytabEntry::new(web(), kvno, key).with_timestamp(7)
}

fn kvnos(keytab: &Keytab) -> Vec<u32> {
    keytab.entries().iter().map(KeytabEntry::kvno).collect()
}

#[test]
fn superseded_keys_are_dropped_and_new_ones_found() {
    let mut keytab = Keytab::new();
    assert!(keytab.entries().is_empty() && keytab.find(&web(), None, None).is_err());
    keytab.extend([entry(1, 1), entry(2, 2), entry(3, 3)]);
    assert_eq!(kvnos(&keytab), [1, 2, 3]);
    keytab.retain(|entry| entry.kvno() >= 2);
    assert_eq!(kvnos(&keytab), [2, 3]);
    assert!(keytab.find(&web(), Some(1), None).is_err());

    let read = Keytab::parse(&keytab.to_bytes().unwrap()).unwrap();
    assert_eq!(kvnos(&read), [2, 3]);
    let found = read.find(&web(), None, Some(AES256)).unwrap();
    assert_eq!(found.key().unwrap().expose(), [3; 32]);
}

#[test]
fn a_duplicate_has_every_key_and_lives_on_its_own() {
    let mut keytab: Keytab = [entry(1, 1)].into_iter().collect();
    // Of an enctype that no build knows.
    keytab.push(KeytabEntry::new(
        web(),
        2,
        KeyBlock::from_parts(-99, &[9; 5]),
    ));
    let copy = keytab.duplicate();
    assert_eq!(copy.to_bytes().unwrap(), keytab.to_bytes().unwrap());
    keytab.retain(|_| false);
    assert!(keytab.entries().is_empty());
    let [known, unknown] = copy.entries() else {
        panic!("{copy:?}")
    };
    assert_eq!(known.key().unwrap().expose(), [1; 32]);
    assert_eq!((known.kvno(), known.timestamp()), (1, 7));
    assert_eq!(unknown.enctype_id(), -99);
    assert_eq!(unknown.key_block().expose(), [9; 5]);
}
