//! Keytabs: what parses is written and parses to the same entries.
#![no_main]

use countersign_credential::{Keytab, KeytabEntry};
use libfuzzer_sys::fuzz_target;

fn contents(entry: &KeytabEntry) -> impl PartialEq + core::fmt::Debug + use<> {
    let key = entry.key_block();
    let name = entry.principal();
    (
        name.clone(),
        name.name_type(),
        entry.kvno(),
        entry.timestamp(),
        key.enctype_id(),
        key.expose().to_vec(),
    )
}

fuzz_target!(|data: &[u8]| {
    let Ok(keytab) = Keytab::parse(data) else {
        return;
    };
    let Ok(bytes) = keytab.to_bytes() else { return };
    let again = Keytab::parse(&bytes).expect("own encoding");
    assert!(
        keytab
            .entries()
            .iter()
            .map(contents)
            .eq(again.entries().iter().map(contents))
    );
    assert_eq!(again.to_bytes().as_deref(), Ok(&*bytes));
    for entry in keytab.entries().iter().take(8) {
        let _ = keytab.find(entry.principal(), Some(entry.kvno()), entry.enctype());
        assert!(keytab.latest_kvno(entry.principal()).is_some());
    }
});
