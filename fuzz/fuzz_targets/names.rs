//! Principals and service names as people write them.
#![no_main]

use countersign_context::kerberos::ServicePattern;
use countersign_credential::{Principal, ServiceName};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for parsed in [
        Principal::parse(data),
        Principal::parse_with_default_realm(data, "R"),
    ] {
        let Ok(principal) = parsed else { continue };
        let text = principal.to_text();
        assert_eq!(Principal::parse(&text).as_ref(), Ok(&principal));
        let (realm, components) = (principal.token_realm(), principal.token_components());
        let name = principal.token_name(&components);
        assert!(principal.is_named(&realm, &name));
        assert_eq!(Principal::from_token(&realm, &name), principal);
        assert!(ServicePattern::exactly(&principal).matches(&principal));
    }
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    if let Ok(name) = ServiceName::parse(text) {
        assert_eq!(ServiceName::parse(&name.to_string()).as_ref(), Ok(&name));
        if let Ok(principal) = name.to_principal(Some("R")) {
            assert!(name.matches(&principal), "{name} {principal}");
        }
    }
    if let Some(pattern) = ServicePattern::parse(text) {
        let _ = pattern.to_string();
    }
});
