//! Attributes of contexts, on both sides, half-open and established.

use countersign::ChannelBindings;
use countersign::sspi::*;

use crate::support::{Domain, PACKAGES, SERVICE, Side, pair, run};

type S = SecurityStatus;

/// What becomes of an attribute of a context.
fn outcome(context: &CtxtHandle, attribute: u32) -> &'static str {
    match query_context_attributes(context, attribute) {
        Ok(_) => "yes",
        Err(error) => error.status().name().unwrap(),
    }
}

/// A row for each attribute: what both sides of each package have of it, with bindings of an end
/// point and data of the program.
pub(crate) fn table() -> String {
    let domain = Domain::new();
    let bindings = ChannelBindings::tls_server_end_point(&[7; 32]).to_sec_channel_bindings();
    let mut columns = Vec::new();
    let mut head = String::from("| attribute | number |");
    let mut rule = String::from("|---|---|");
    for package in PACKAGES {
        let (outbound, inbound) = (domain.outbound(package), domain.inbound(package));
        let mut client = Side::new(&outbound, ISC_REQ_CONFIDENTIALITY | ISC_REQ_MUTUAL_AUTH);
        let mut server = Side::new(&inbound, 0);
        client.bindings = Some(&bindings);
        server.bindings = Some(&bindings);
        let mut pair = run(&mut client, &mut server).unwrap();
        for (side, context) in [("client", &mut pair.client), ("server", &mut pair.server)] {
            set_context_attributes(context, SECPKG_ATTR_APP_DATA, b"data").unwrap();
            let column: Vec<_> = CONTEXT_ATTRIBUTES
                .iter()
                .map(|(_, number)| outcome(context, *number))
                .collect();
            columns.push(column);
            head += &format!(" {package} {side} |");
            rule += "---|";
        }
    }
    let mut table = format!("{head}\n{rule}\n");
    for (index, (name, number)) in CONTEXT_ATTRIBUTES.iter().enumerate() {
        table += &format!("| `{name}` | {number} |");
        for column in &columns {
            let cell = match column[index] {
                "yes" => "yes".into(),
                status => format!("`{status}`"),
            };
            table += &format!(" {cell} |");
        }
        table.push('\n');
    }
    table
}

#[test]
fn names_keys_and_sizes_agree_on_both_sides() {
    let domain = Domain::new();
    for package in PACKAGES {
        let pair = pair(
            &domain,
            package,
            ISC_REQ_CONFIDENTIALITY | ISC_REQ_MUTUAL_AUTH,
            0,
        );
        let (client, server) = (&pair.client, &pair.server);
        let native: SecPkgContextNativeNames = query_context_attribute(server).unwrap();
        let names: SecPkgContextNames = query_context_attribute(server).unwrap();
        let authority: SecPkgContextAuthority = query_context_attribute(server).unwrap();
        let expected = match *package {
            "NTLM" => ("EXAMPLE.COM\\alice", "EXAMPLE.COM\\alice"),
            _ => ("alice@EXAMPLE.COM", "EXAMPLE\\alice"),
        };
        assert_eq!(
            (&native.client_name[..], &names.user_name[..]),
            expected,
            "{package}"
        );
        assert_eq!(authority.authority_name, "EXAMPLE.COM");
        let called: SecPkgContextNativeNames = query_context_attribute(client).unwrap();
        assert!(
            called.server_name.starts_with(SERVICE),
            "{package} {called:?}"
        );

        let key = |context| {
            let key: SecPkgContextSessionKey = query_context_attribute(context).unwrap();
            key.session_key
        };
        assert_eq!(*key(client), *key(server));
        let info: SecPkgContextKeyInfo = query_context_attribute(client).unwrap();
        let expected = match *package {
            "NTLM" => ("HMAC-MD5", "RC4", CALG_HMAC, CALG_RC4, 128),
            // RFC 8009 §4 and §5: checksum type 20, enctype 20.
            _ => {
                let name = "aes256-cts-hmac-sha384-192";
                (name, name, 20, 20, 256)
            }
        };
        let names = (info.signature_algorithm_name, info.encrypt_algorithm_name);
        let numbers = (info.signature_algorithm, info.encrypt_algorithm);
        let told = (names.0, names.1, numbers.0, numbers.1, info.key_size);
        assert_eq!(told, expected);
        assert_eq!(info.key_size, key(client).len() * 8);

        let sizes = |context| query_context_attribute::<SecPkgContextSizes>(context).unwrap();
        assert_eq!(sizes(client), sizes(server));
        let stream: SecPkgContextStreamSizes = query_context_attribute(client).unwrap();
        assert_eq!(stream.header, sizes(client).security_trailer);

        let life: SecPkgContextLifespan = query_context_attribute(client).unwrap();
        assert!(life.start < life.expiry);
        assert_eq!(life.expiry == TimeStamp::NEVER, *package == "NTLM");
        let flags: SecPkgContextFlags = query_context_attribute(client).unwrap();
        assert_eq!(flags.flags, pair.client_attributes);
    }
}

#[test]
fn the_access_token_has_the_sids_of_the_pac() {
    let domain = Domain::new();
    let pair = pair(&domain, "Negotiate", 0, 0);
    let token: AccessToken = query_context_attribute(&pair.server).unwrap();
    assert_eq!(
        token.user_sid().unwrap().to_string(),
        format!("{}-1104", crate::support::DOMAIN_SID)
    );
    assert_eq!(
        (token.domain(), token.account_name()),
        (Some("EXAMPLE"), Some("alice"))
    );
    assert_eq!(token.to_string(), "EXAMPLE\\alice");
    assert!(
        token
            .groups()
            .iter()
            .all(|group| !token.is_member_of(&group.sid) || group.attributes.is_enabled())
    );
    assert_eq!(token.level(), SecurityImpersonationLevel::Impersonation);
    let identified = crate::support::pair(&domain, "Negotiate", 0, ASC_REQ_IDENTIFY);
    let token = query_security_context_token(&identified.server).unwrap();
    assert_eq!(token.level(), SecurityImpersonationLevel::Identification);
    let none = crate::support::pair(&domain, "Negotiate", 0, ASC_REQ_NO_TOKEN);
    let error = query_security_context_token(&none.server).unwrap_err();
    assert_eq!(error.status(), S::SEC_E_NO_IMPERSONATION);
}

#[test]
fn what_an_established_context_tells_is_not_told_before() {
    let domain = Domain::new();
    let (outbound, inbound) = (domain.outbound("Negotiate"), domain.inbound("Negotiate"));
    let mut client = Side::new(&outbound, ISC_REQ_MUTUAL_AUTH);
    let (_, token) = client.initialize(None).unwrap();
    let context = client.context.as_ref().unwrap();
    for attribute in [
        SECPKG_ATTR_SIZES,
        SECPKG_ATTR_NAMES,
        SECPKG_ATTR_NATIVE_NAMES,
    ] {
        assert_eq!(outcome(context, attribute), "SEC_E_INVALID_HANDLE");
    }
    let info: SecPkgContextNegotiationInfo = query_context_attribute(context).unwrap();
    assert_eq!(info.negotiation_state, SECPKG_NEGOTIATION_IN_PROGRESS);
    assert_eq!(info.package_info.name, "Negotiate");
    let target: SecPkgContextTargetInformation = query_context_attribute(context).unwrap();
    assert_eq!(target.marshalled_target_info.len(), SERVICE.len() * 2);
    let mut server = Side::new(&inbound, 0);
    server.accept(None).unwrap();
    let status = |server: &Side<'_>| {
        query_context_attribute::<SecPkgAttrLastClientTokenStatus>(server.context.as_ref().unwrap())
    };
    assert_eq!(status(&server), Ok(SecPkgAttrLastClientTokenStatus::No));
    server.accept(Some(&token)).unwrap();
    assert_eq!(status(&server), Ok(SecPkgAttrLastClientTokenStatus::Yes));
    let target: SecPkgContextClientSpecifiedTarget =
        query_context_attribute(server.context.as_ref().unwrap()).unwrap();
    assert_eq!(target.target_name, "sentry/gate.example.com@EXAMPLE.COM");
}

#[test]
fn attributes_of_other_packages_are_not_there_and_cannot_be_set() {
    let domain = Domain::new();
    let mut pair = pair(&domain, "Kerberos", 0, 0);
    for attribute in [7, 8, 83, 999] {
        assert_eq!(
            outcome(&pair.client, attribute),
            "SEC_E_UNSUPPORTED_FUNCTION"
        );
        let error = set_context_attributes(&mut pair.client, attribute, b"").unwrap_err();
        assert_eq!(error.status(), S::SEC_E_UNSUPPORTED_FUNCTION);
    }
    assert_eq!(
        outcome(&pair.client, SECPKG_ATTR_APP_DATA),
        "SEC_E_UNSUPPORTED_FUNCTION"
    );
    set_context_attributes(&mut pair.client, SECPKG_ATTR_APP_DATA, b"mine").unwrap();
    let data: SecPkgContextSessionAppData = query_context_attribute(&pair.client).unwrap();
    assert_eq!(data.app_data, b"mine");
}

#[cfg(feature = "ntlm")]
#[test]
fn a_server_of_ntlm_tells_the_target_that_its_client_vouches_for() {
    let domain = Domain::new();
    let identity = crate::support::alice().with_package_list("ntlm");
    let usage = SECPKG_CRED_OUTBOUND;
    for package in ["NTLM", "Negotiate"] {
        let outbound = crate::support::acquire(&domain.client, package, usage, Some(&identity));
        let inbound = domain.inbound(package);
        let unverified = ISC_REQ_UNVERIFIED_TARGET_NAME;
        let service = Some(SERVICE.to_owned());
        for (target, isc, engine, told) in [
            (Some(SERVICE), 0, Some((SERVICE, false)), Ok(service)),
            (
                Some(SERVICE),
                unverified,
                Some((SERVICE, true)),
                Err(S::SEC_E_TARGET_UNKNOWN),
            ),
            (None, 0, None, Err(S::SEC_E_TARGET_UNKNOWN)),
            (None, unverified, None, Err(S::SEC_E_TARGET_UNKNOWN)),
        ] {
            let mut client = Side::new(&outbound, isc);
            client.target = target;
            let pair = run(&mut client, &mut Side::new(&inbound, 0)).unwrap();
            let asked = query_context_attribute::<SecPkgContextClientSpecifiedTarget>(&pair.server);
            let asked = asked.map(|target| Some(target.target_name));
            assert_eq!(asked.map_err(|error| error.status()), told, "{package}");
            let context = pair.server.context().unwrap();
            let known = context.ntlm_target();
            let known = known.map(|target| (target.as_str(), target.is_unverified()));
            assert_eq!(known, engine, "{package}");
            assert_eq!(
                outcome(&pair.client, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET),
                "SEC_E_UNSUPPORTED_FUNCTION"
            );
        }
    }
}
