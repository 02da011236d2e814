//! Exported names of GSS-API (RFC 2743 §3.2) and those with attributes (RFC 6680): what is read is exported as
//! itself.
#![no_main]

use countersign::gss::oid::{GSS_C_NT_COMPOSITE_EXPORT, GSS_C_NT_EXPORT_NAME};
use countersign::gss::{
    display_name, export_name, export_name_composite, import_name, inquire_name,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(name) = import_name(data, Some(GSS_C_NT_EXPORT_NAME)) {
        let _ = (display_name(&name), inquire_name(&name));
        let exported = export_name(&name).expect("it was exported");
        let again = import_name(&exported, Some(GSS_C_NT_EXPORT_NAME)).expect("our own");
        assert_eq!(export_name(&again).expect("it was exported"), exported);
    }
    if let Ok(name) = import_name(data, Some(GSS_C_NT_COMPOSITE_EXPORT)) {
        let _ = (display_name(&name), inquire_name(&name));
        let exported = export_name_composite(&name).expect("it was exported");
        let again = import_name(&exported, Some(GSS_C_NT_COMPOSITE_EXPORT)).expect("our own");
        let again = export_name_composite(&again).expect("it was exported");
        assert_eq!(again, exported);
    }
});
