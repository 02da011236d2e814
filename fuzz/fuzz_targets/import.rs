//! Exported contexts: what is imported works, and exports to the same bytes.
#![no_main]

use countersign_context::{ErrorKind, Flags, SecurityContext};
use countersign_fuzz::{Seeded, realm};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let import = |bytes: &[u8]| {
        let mut random = Seeded(1);
        SecurityContext::import(bytes, &mut realm::environment(&mut random))
    };
    let Ok(context) = import(data) else { return };
    let Ok(exported) = context.export() else {
        return;
    };
    let again = import(&exported).expect("own export");
    assert_eq!(again.export().as_deref(), Ok(&*exported));

    let mut context = import(&exported).expect("own export");
    let granted = context.flags();
    for seal in [false, true] {
        match context.wrap(seal, b"message") {
            Ok(token) => assert!(token.len() > 7),
            // All sequence numbers may have been used.
            Err(error) if error.kind() == ErrorKind::Overflow => {}
            Err(_) => assert!(!granted.contains(Flags::CONFIDENTIALITY | Flags::INTEGRITY)),
        }
    }
    let _ = context.unwrap_any_order(data);
    let _ = context.get_mic(data);
    let _ = context.wrap_size_limit(true, data.len());
    let _ = format!("{context:?}");
});
