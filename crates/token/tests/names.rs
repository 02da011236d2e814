//! Names of principals: how they are compared and shown.

use countersign_token::der::SequenceOf;
use countersign_token::kerberos::{KerberosString, PrincipalName};

/// RFC 4120 §6.2: the name type is a hint and no part of who it is; `==` has it all the same.
#[test]
fn names_of_the_same_components_are_the_same_whatever_their_types() {
    let components = [KerberosString::from("HTTP"), "www.example.com".into()];
    let name = |name_type, components| PrincipalName {
        name_type,
        name_string: SequenceOf::new(components),
    };
    let service = name(2, &components[..]);
    assert!(service.same_components(&name(3, &components)));
    assert_ne!(service, name(3, &components));
    let joined = [KerberosString::from("HTTP/www.example.com")];
    let lower = [KerberosString::from("http"), "www.example.com".into()];
    for other in [&joined[..], &lower, &components[..1], &[]] {
        assert!(!service.same_components(&name(2, other)));
    }
}

#[test]
fn a_name_is_shown_with_its_components_apart_and_escaped() {
    let shown = |components: &[&[u8]]| {
        let components: Vec<_> = components
            .iter()
            .copied()
            .map(KerberosString::new)
            .collect();
        let name_string = SequenceOf::new(&components);
        PrincipalName {
            name_type: 1,
            name_string,
        }
        .to_string()
    };
    assert_eq!(
        shown(&[b"host", b"www.example.com"]),
        "host/www.example.com"
    );
    assert_eq!(shown(&[b"user"]), "user");
    assert_eq!(shown(&[]), "");
    // CVE-2009-2408 and its like: what a terminal or a C string would hide.
    assert_eq!(
        shown(&[b"us\0er\x1b[2J\\", b"\xffx"]),
        "us\\u{0}er\\u{1b}[2J\\\\/\\xffx"
    );
    assert_eq!(shown(&["Us\u{e9}r".as_bytes()]), "Us\u{e9}r");
}
