//! Names: read, of one mechanism, exported, compared, and what the KDC says of them.

use countersign::credential::{Krb5Conf, NameType, Principal};
use countersign::gss::{self, oid};
use countersign::token::oid::Oid;
use countersign::{MajorStatus, Provider};

use crate::support::{Ask, Domain, establish, service};

fn provider() -> Provider {
    let conf = b"[libdefaults]\ndefault_realm = EXAMPLE.COM\n\
                 [domain_realm]\n.corp.example = CORP.EXAMPLE\n";
    Provider::new().with_configuration(Krb5Conf::parse(conf).unwrap())
}

fn kerberos(text: &[u8], name_type: Option<Oid<'_>>) -> Result<String, MajorStatus> {
    gss::import_name(text, name_type)
        .and_then(|name| gss::canonicalize_name(&provider(), &name, Oid::KERBEROS))
        .map(|name| name.to_string())
        .map_err(|error| error.major())
}

#[test]
fn each_type_is_read_as_the_table_says() {
    type M = MajorStatus;
    let refused = |text: &[u8], kind, major| assert_eq!(kerberos(text, Some(kind)), Err(major));
    let read = |text: &[u8], kind, name: &str| {
        assert_eq!(kerberos(text, kind), Ok(name.to_owned()));
    };
    let host = Some(oid::GSS_C_NT_HOSTBASED_SERVICE);
    read(
        b"HTTP@Www.Corp.Example",
        host,
        "HTTP/www.corp.example@CORP.EXAMPLE",
    );
    // Only a KDC knows the realm of this one.
    read(b"HTTP@elsewhere.test", host, "HTTP/elsewhere.test@");
    let other = Some(oid::GSS_C_NT_HOSTBASED_SERVICE_X);
    read(b"HTTP@elsewhere.test", other, "HTTP/elsewhere.test@");
    read(b"alice", Some(oid::GSS_C_NT_USER_NAME), "alice@EXAMPLE.COM");
    read(b"alice@B", None, "alice@B");
    read(b"a/b@C", Some(oid::GSS_KRB5_NT_PRINCIPAL_NAME), "a/b@C");
    let enterprise = Some(oid::GSS_KRB5_NT_ENTERPRISE_NAME);
    read(
        b"alice@corp.example",
        enterprise,
        r"alice\@corp.example@EXAMPLE.COM",
    );
    let nobody = "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS";
    read(b"", Some(oid::GSS_C_NT_ANONYMOUS), nobody);

    refused(
        b"1000",
        oid::GSS_C_NT_STRING_UID_NAME,
        M::GSS_S_BAD_NAMETYPE,
    );
    refused(
        &[232, 3, 0, 0],
        oid::GSS_C_NT_MACHINE_UID_NAME,
        M::GSS_S_BAD_NAMETYPE,
    );
    refused(
        b"\x04\x02",
        oid::GSS_C_NT_COMPOSITE_EXPORT,
        M::GSS_S_BAD_NAME,
    );
    refused(b"", oid::GSS_C_NT_USER_NAME, M::GSS_S_BAD_NAME);
    refused(b"a\0b", oid::GSS_C_NT_USER_NAME, M::GSS_S_BAD_NAME);
    refused(
        b"HTTP/host",
        oid::GSS_C_NT_HOSTBASED_SERVICE,
        M::GSS_S_BAD_NAME,
    );
    refused(b"@host", oid::GSS_C_NT_HOSTBASED_SERVICE, M::GSS_S_BAD_NAME);
    // A service on every host is for acceptors alone.
    refused(b"HTTP", oid::GSS_C_NT_HOSTBASED_SERVICE, M::GSS_S_BAD_NAME);
    refused(b"a@B@C", oid::GSS_C_NT_USER_NAME, M::GSS_S_BAD_NAME);
}

#[test]
fn names_without_realm_need_a_default_realm() {
    let alice = gss::import_name(b"alice", Some(oid::GSS_C_NT_USER_NAME)).unwrap();
    gss::canonicalize_name(&provider(), &alice, Oid::KERBEROS).unwrap();
    let nowhere = Provider::new();
    let error = gss::canonicalize_name(&nowhere, &alice, Oid::KERBEROS).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_BAD_NAME);
}

#[test]
fn exported_names_are_read_back_and_compare_byte_for_byte() {
    let imported = gss::import_name(b"alice@B", None).unwrap();
    let error = gss::export_name(&imported).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_NAME_NOT_MN);
    let mn = gss::canonicalize_name(&provider(), &imported, Oid::KERBEROS).unwrap();
    let exported = gss::export_name(&mn).unwrap();
    // RFC 2743 §3.2, RFC 1964 §2.1.1.
    let expected =
        b"\x04\x01\x00\x0b\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x00\x00\x00\x07alice@B";
    assert_eq!(exported, expected);
    let read = gss::import_name(&exported, Some(oid::GSS_C_NT_EXPORT_NAME)).unwrap();
    assert!(gss::compare_name(&mn, &read).unwrap());
    assert!(gss::compare_name(&mn, &gss::duplicate_name(&mn)).unwrap());
    assert_eq!(gss::export_name(&read).unwrap(), exported);

    for end in 0..exported.len() {
        let cut = gss::import_name(&exported[..end], Some(oid::GSS_C_NT_EXPORT_NAME));
        assert_eq!(cut.unwrap_err().major(), MajorStatus::GSS_S_BAD_NAME);
    }
    let longer = [&exported[..], b"x"].concat();
    gss::import_name(&longer, Some(oid::GSS_C_NT_EXPORT_NAME)).unwrap_err();
}

#[test]
fn names_compare_within_a_mechanism_and_nobody_is_nobodys_equal() {
    let name = |text: &[u8]| {
        let name = gss::import_name(text, None).unwrap();
        gss::canonicalize_name(&provider(), &name, Oid::KERBEROS).unwrap()
    };
    assert!(gss::compare_name(&name(b"a@B"), &name(b"a@B")).unwrap());
    assert!(!gss::compare_name(&name(b"a@B"), &name(b"a@C")).unwrap());
    let imported = gss::import_name(b"a@B", None).unwrap();
    gss::compare_name(&name(b"a@B"), &imported).unwrap_err();
    let nobody = gss::import_name(b"", Some(oid::GSS_C_NT_ANONYMOUS)).unwrap();
    assert!(!gss::compare_name(&nobody, &nobody).unwrap());
    let nobody = gss::canonicalize_name(&provider(), &nobody, Oid::KERBEROS).unwrap();
    assert!(!gss::compare_name(&nobody, &nobody).unwrap());
    assert_eq!(nobody.name_type(), Some(oid::GSS_C_NT_ANONYMOUS));
}

#[cfg(feature = "ntlm")]
#[test]
fn accounts_of_ntlm_are_no_principals() {
    let name = gss::import_name(b"EXAMPLE\\alice", Some(oid::GSS_C_NT_USER_NAME)).unwrap();
    let account = gss::canonicalize_name(&provider(), &name, Oid::NTLMSSP).unwrap();
    let exported = gss::export_name(&account).unwrap();
    let read = gss::import_name(&exported, Some(oid::GSS_C_NT_EXPORT_NAME)).unwrap();
    assert!(gss::compare_name(&account, &read).unwrap());
    let error = gss::canonicalize_name(&provider(), &account, Oid::KERBEROS).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_BAD_NAME);
    let principal = gss::Name::from(Principal::parse("alice@B").unwrap());
    gss::compare_name(&account, &principal).unwrap_err();
    assert_eq!(gss::inquire_mechs_for_name(&account).len(), 2);
    assert!(!gss::inquire_mechs_for_name(&principal).contains(Oid::NTLMSSP));
}

#[test]
fn a_verified_pac_is_told_in_attributes_and_cannot_be_changed() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    let both = establish(&alice, &sentry, &Ask::of(Oid::KERBEROS)).unwrap();
    let mut name = both.accepted.source_name.unwrap();
    let info = gss::inquire_name(&name);
    assert!(info.is_mn());
    for expected in [
        "logon-info",
        "client-info",
        "server-checksum",
        "upn-dns-info",
        "18",
    ] {
        let expected = format!("urn:mspac:{expected}");
        assert!(info.attributes.contains(&expected), "{expected}: {info:?}");
        let attribute = gss::get_name_attribute(&name, &expected).unwrap();
        assert!(attribute.authenticated && attribute.complete && !attribute.value.is_empty());
    }
    let logon = gss::get_name_attribute(&name, "urn:mspac:logon-info").unwrap();
    let engine = both.server.engine().unwrap();
    let pac = engine.pac().unwrap();
    let kind = countersign::token::pac::BufferType::LOGON_INFO;
    assert_eq!(pac.buffer(kind), Some(&logon.value[..]));

    let error = gss::get_name_attribute(&name, "urn:mspac:nothing").unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_UNAVAILABLE);
    let error = gss::set_name_attribute(&mut name, true, "urn:mspac:logon-info", b"root");
    assert_eq!(error.unwrap_err().major(), MajorStatus::GSS_S_UNAUTHORIZED);
    let error = gss::delete_name_attribute(&mut name, "urn:mspac:logon-info").unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_UNAUTHORIZED);
    // What nobody said is not there.
    assert!(gss::inquire_name(&service("a@b")).attributes.is_empty());
}

#[test]
fn composite_names_keep_their_attributes_and_lose_who_vouches_for_them() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    let both = establish(&alice, &sentry, &Ask::of(Oid::KERBEROS)).unwrap();
    let name = both.accepted.source_name.unwrap();
    let exported = gss::export_name_composite(&name).unwrap();
    let import = |bytes: &[u8]| gss::import_name(bytes, Some(oid::GSS_C_NT_COMPOSITE_EXPORT));
    let read = import(&exported).unwrap();
    assert!(gss::compare_name(&name, &read).unwrap());
    assert_eq!(gss::inquire_name(&name), gss::inquire_name(&read));
    let attributes = gss::inquire_name(&read).attributes;
    assert!(attributes.contains(&"urn:mspac:logon-info".to_owned()));
    for attribute in &attributes {
        let before = gss::get_name_attribute(&name, attribute).unwrap();
        let after = gss::get_name_attribute(&read, attribute).unwrap();
        assert_eq!(before.value, after.value);
        assert!(before.authenticated && !after.authenticated);
    }
    assert_eq!(gss::export_name_composite(&read).unwrap(), exported);
    // The other form leaves them out, and neither is taken for the other.
    let plain = gss::export_name(&read).unwrap();
    let bare = gss::import_name(&plain, Some(oid::GSS_C_NT_EXPORT_NAME)).unwrap();
    assert!(gss::inquire_name(&bare).attributes.is_empty());
    import(&plain).unwrap_err();
    gss::import_name(&exported, Some(oid::GSS_C_NT_EXPORT_NAME)).unwrap_err();

    for end in 0..exported.len() {
        let error = import(&exported[..end]).unwrap_err();
        assert_eq!(error.major(), MajorStatus::GSS_S_BAD_NAME, "{end}");
    }
    import(&[&exported[..], b"x"].concat()).unwrap_err();
}

#[test]
fn composite_names_have_the_layout_of_mit() {
    let name = gss::Name::from(Principal::parse("alice@B").unwrap());
    // No attributes at all.
    let head =
        b"\x04\x02\x00\x0b\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x00\x00\x00\x07alice@B";
    let bare = [&head[..], b"\0\0\0\0"].concat();
    assert_eq!(gss::export_name_composite(&name).unwrap(), bare);
    let import = |attributes: &[u8]| {
        let length = u32::try_from(attributes.len()).unwrap().to_be_bytes();
        let bytes = [&head[..], &length, attributes].concat();
        let name = gss::import_name(&bytes, Some(oid::GSS_C_NT_COMPOSITE_EXPORT))?;
        Ok::<_, gss::GssError>(gss::inquire_name(&name).attributes)
    };
    // Of a PAC with one buffer, of the type 18, which claims to be verified; another module behind it.
    let pac = b"\x01\0\0\0\0\0\0\0\x12\0\0\0\x02\0\0\0\x18\0\0\0\0\0\0\0ab";
    let module = [b"\0\0\0\x05mspac\0\0\0\x1a", &pac[..], b"\0\0\0\x01"].concat();
    let alone = [b"\0\0\0\x01", &module[..]].concat();
    assert_eq!(import(&alone).unwrap(), ["urn:mspac:18"]);
    let two = [b"\0\0\0\x02", &module[..], b"\0\0\0\x01?\0\0\0\0"].concat();
    assert_eq!(import(&two).unwrap(), ["urn:mspac:18"]);
    let no_pac = b"\0\0\0\x01\0\0\0\x05mspac\0\0\0\0\0\0\0\0";
    assert!(import(no_pac).unwrap().is_empty());
    let mut outside = alone.clone();
    let size = alone.len() - 4 - pac.len() + 12;
    outside[size] = 3;
    import(&outside).unwrap_err();
    import(&alone[..alone.len() - 1]).unwrap_err();

    let imported = gss::import_name(b"alice@B", None).unwrap();
    let error = gss::export_name_composite(&imported).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_NAME_NOT_MN);
}

#[test]
fn names_stand_for_accounts_by_the_rule_that_is_named() {
    let of = |principal: &str| gss::Name::from(Principal::parse(principal).unwrap());
    let names = gss::LocalNames::of_realm("EXAMPLE.COM");
    let empty = Principal::new("EXAMPLE.COM", [""], NameType::PRINCIPAL);
    let empty = gss::Name::from(empty);
    assert_eq!(
        gss::localname(&of("alice@EXAMPLE.COM"), &names).unwrap(),
        "alice"
    );
    assert!(gss::userok(&of("alice@EXAMPLE.COM"), "alice", &names));
    assert!(!gss::userok(&of("alice@EXAMPLE.COM"), "Alice", &names));
    let enterprise = gss::import_name(b"alice", Some(oid::GSS_KRB5_NT_ENTERPRISE_NAME)).unwrap();
    let enterprise = gss::canonicalize_name(&provider(), &enterprise, Oid::KERBEROS).unwrap();
    let nobody = gss::import_name(b"", Some(oid::GSS_C_NT_ANONYMOUS)).unwrap();
    let nobody = gss::canonicalize_name(&provider(), &nobody, Oid::KERBEROS).unwrap();
    for name in [
        of("alice@OTHER.COM"),
        of("alice@example.com"),
        of("alice/admin@EXAMPLE.COM"),
        empty,
        enterprise,
        nobody.clone(),
    ] {
        let error = gss::localname(&name, &names).unwrap_err();
        // KRB5_NO_LOCALNAME.
        let found = (error.major(), error.minor());
        let expected = (
            MajorStatus::GSS_S_FAILURE,
            (-1_765_328_227_i32).cast_unsigned(),
        );
        assert_eq!(found, expected, "{name}");
        assert!(!gss::userok(&name, "alice", &names) && !gss::userok(&name, "", &names));
    }
    let imported = gss::import_name(b"alice@EXAMPLE.COM", None).unwrap();
    let error = gss::localname(&imported, &names).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_NAME_NOT_MN);
    assert!(!gss::userok(&imported, "alice", &names));

    // A mapping of the program's comes first, and is not asked about nobody.
    let everybody = gss::LocalNames::by(|identity| match identity.to_string().as_str() {
        "alice/admin@EXAMPLE.COM" => Some("root".to_owned()),
        "mallory@EXAMPLE.COM" => Some("ro\0ot".to_owned()),
        "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS" => Some("guest".to_owned()),
        _ => None,
    });
    let names = everybody.or(gss::LocalNames::of_realm("EXAMPLE.COM"));
    assert!(gss::userok(&of("alice/admin@EXAMPLE.COM"), "root", &names));
    assert!(gss::userok(&of("bob@EXAMPLE.COM"), "bob", &names));
    gss::localname(&of("mallory@EXAMPLE.COM"), &names).unwrap_err();
    gss::localname(&nobody, &names).unwrap_err();
}

#[test]
fn the_types_of_a_mechanism_and_the_mechanisms_of_a_name_agree() {
    for mechanism in gss::indicate_mechs().iter() {
        let types = gss::inquire_names_for_mech(mechanism).unwrap();
        for name_type in types.iter() {
            let text: &[u8] = match name_type {
                oid::GSS_C_NT_EXPORT_NAME | oid::GSS_C_NT_COMPOSITE_EXPORT => continue,
                oid::GSS_C_NT_ANONYMOUS => b"",
                oid::GSS_C_NT_HOSTBASED_SERVICE => b"a@b",
                _ => b"alice",
            };
            let name = gss::import_name(text, Some(name_type)).unwrap();
            let readers = gss::inquire_mechs_for_name(&name);
            assert!(readers.contains(mechanism), "{mechanism} {name_type}");
        }
    }
    let unknown = gss::inquire_names_for_mech(Oid::NEGOEX).unwrap_err();
    assert_eq!(unknown.major(), MajorStatus::GSS_S_BAD_MECH);
}
