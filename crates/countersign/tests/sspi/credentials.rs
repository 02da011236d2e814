//! Packages and credentials.

use countersign::Provider;
use countersign::sspi::*;

use crate::support::{Domain, PACKAGES, SERVICE, Side, acquire, alice, run};

type S = SecurityStatus;

#[test]
fn packages_are_enumerated_and_found_by_name() {
    let names: Vec<&str> = enumerate_security_packages()
        .iter()
        .map(|info| info.name)
        .collect();
    assert_eq!(names, PACKAGES);
    let rpc = |name| query_security_package_info(name).map(|info| info.rpc_id);
    assert_eq!((rpc("negotiate"), rpc("KERBEROS")), (Ok(9), Ok(16)));
    assert_eq!(
        rpc("Schannel").unwrap_err().status(),
        S::SEC_E_SECPKG_NOT_FOUND
    );
    assert_eq!(rpc("NTLM").is_ok(), cfg!(feature = "ntlm"));
}

#[test]
fn the_principal_is_ones_own_or_one_of_the_services() {
    let domain = Domain::new();
    let acquire = |provider, principal, usage, identity: Option<&SecWinntAuthIdentity>| {
        acquire_credentials_handle(provider, Some(principal), "Kerberos", usage, identity)
            .map(|_| ())
            .map_err(|error| error.status())
    };
    let (client, service, alice) = (&domain.client, &domain.service, Some(&alice()));
    assert_eq!(
        acquire(client, "alice", SECPKG_CRED_OUTBOUND, alice),
        Ok(())
    );
    assert_eq!(
        acquire(client, "bob", SECPKG_CRED_OUTBOUND, alice),
        Err(S::SEC_E_NOT_OWNER)
    );
    assert_eq!(acquire(service, SERVICE, SECPKG_CRED_INBOUND, None), Ok(()));
    let other = acquire(service, "other/gate.example.com", SECPKG_CRED_INBOUND, None);
    assert_eq!(other, Err(S::SEC_E_UNKNOWN_CREDENTIALS));
}

#[test]
fn a_use_that_is_restricted_takes_no_credential_of_the_environment() {
    let domain = Domain::new();
    let client = countersign::kerberos::kdc::ClientCredential::password(
        domain.kdc.principal("alice"),
        "open sesame",
    );
    let provider = domain.client.clone().with_initiator(client);
    let acquire = |usage| acquire_credentials_handle(&provider, None, "Kerberos", usage, None);
    let (ambient, expiry) = acquire(SECPKG_CRED_OUTBOUND).unwrap();
    assert_eq!(expiry, TimeStamp::NEVER);
    let inbound = domain.inbound("Kerberos");
    run(&mut Side::new(&ambient, 0), &mut Side::new(&inbound, 0)).unwrap();
    let restricted = acquire(SECPKG_CRED_OUTBOUND | SECPKG_CRED_AUTOLOGON_RESTRICTED);
    assert_eq!(restricted.unwrap_err().status(), S::SEC_E_NO_CREDENTIALS);
    assert_eq!(acquire(7).unwrap_err().status(), S::SEC_E_INVALID_PARAMETER);
}

#[test]
fn credentials_serve_the_direction_that_they_were_acquired_for() {
    let domain = Domain::new();
    let (outbound, inbound) = (domain.outbound("Kerberos"), domain.inbound("Kerberos"));
    let error = Side::new(&inbound, 0).initialize(None).unwrap_err();
    assert_eq!(error.status(), S::SEC_E_NO_CREDENTIALS);
    let (_, token) = Side::new(&outbound, 0).initialize(None).unwrap();
    let error = Side::new(&outbound, 0).accept(Some(&token)).unwrap_err();
    assert_eq!(error.status(), S::SEC_E_NO_CREDENTIALS);
    // One for both, of a service that is a client too.
    let provider = domain
        .client
        .clone()
        .with_keytab(&domain.kdc.keytab(&[SERVICE]).unwrap());
    let both = acquire(&provider, "Kerberos", SECPKG_CRED_BOTH, Some(&alice()));
    run(&mut Side::new(&both, 0), &mut Side::new(&both, 0)).unwrap();
}

#[test]
fn users_are_named_by_domain_or_by_user_principal_name() {
    let domain = Domain::new();
    let inbound = domain.inbound("Kerberos");
    for (user, of) in [
        ("alice", "EXAMPLE.COM"),
        ("alice", "example.com"),
        ("alice@EXAMPLE.COM", ""),
    ] {
        let identity = SecWinntAuthIdentity::new(user, of, "open sesame");
        let outbound = acquire(
            &domain.client,
            "Kerberos",
            SECPKG_CRED_OUTBOUND,
            Some(&identity),
        );
        let pair = run(&mut Side::new(&outbound, 0), &mut Side::new(&inbound, 0)).unwrap();
        let names: SecPkgContextNativeNames = query_context_attribute(&pair.server).unwrap();
        assert_eq!(names.client_name, "alice@EXAMPLE.COM", "{user} {of}");
    }
    let nowhere = SecWinntAuthIdentity::new("alice", "", "open sesame");
    let usage = SECPKG_CRED_OUTBOUND;
    let error =
        acquire_credentials_handle(&Provider::new(), None, "Kerberos", usage, Some(&nowhere));
    assert_eq!(error.unwrap_err().status(), S::SEC_E_UNKNOWN_CREDENTIALS);
}

#[test]
fn the_configuration_says_which_realm_a_host_is_of_and_which_a_user() {
    let domain = Domain::new();
    let user = SecWinntAuthIdentity::new("alice", "", "open sesame");
    for (realm, known) in [("EXAMPLE.COM", true), ("ELSEWHERE.EXAMPLE", false)] {
        let text = format!(
            "[libdefaults]\ndefault_realm = EXAMPLE.COM\n[domain_realm]\ngate.example.com = {realm}\n"
        );
        let configuration = countersign::credential::Krb5Conf::parse(text.as_bytes()).unwrap();
        let provider = domain.client.clone().with_configuration(configuration);
        let outbound = acquire(&provider, "Kerberos", SECPKG_CRED_OUTBOUND, Some(&user));
        let result = Side::new(&outbound, 0).initialize(None);
        assert_eq!(result.is_ok(), known, "{realm}");
    }
}

#[test]
fn credentials_are_added_to_negotiate_alone_and_freed_before_their_contexts() {
    let domain = Domain::new();
    let mut kerberos = domain.outbound("Kerberos");
    let usage = SECPKG_CRED_OUTBOUND;
    let error = add_credentials(&mut kerberos, None, "Kerberos", usage, Some(&alice()));
    assert_eq!(error.unwrap_err().status(), S::SEC_E_UNSUPPORTED_FUNCTION);
    let bob = SecWinntAuthIdentity::new("bob", "EXAMPLE.COM", "battery staple");
    let mut negotiate = acquire(&domain.client, "Negotiate", usage, Some(&bob));
    add_credentials(&mut negotiate, None, "Kerberos", usage, Some(&alice())).unwrap();
    let inbound = domain.inbound("Negotiate");
    let pair = run(&mut Side::new(&negotiate, 0), &mut Side::new(&inbound, 0)).unwrap();
    free_credentials_handle(negotiate);
    let names: SecPkgContextNativeNames = query_context_attribute(&pair.client).unwrap();
    assert_eq!(names.client_name, "alice@EXAMPLE.COM");
}

#[test]
fn credentials_tell_their_names() {
    let domain = Domain::new();
    for package in PACKAGES {
        let name = |credential: &CredHandle| {
            query_credentials_attributes(credential, SECPKG_CRED_ATTR_NAMES).unwrap()
        };
        let (client, server) = match *package {
            "NTLM" => ("EXAMPLE.COM\\alice", "EXAMPLE\\GATE$"),
            _ => ("alice@EXAMPLE.COM", "sentry/gate.example.com@EXAMPLE.COM"),
        };
        let mut outbound = domain.outbound(package);
        assert_eq!(name(&outbound), CredentialsAttribute::Names(client.into()));
        assert_eq!(
            name(&domain.inbound(package)),
            CredentialsAttribute::Names(server.into())
        );
        let provider = query_credentials_attributes(&outbound, SECPKG_CRED_ATTR_SSI_PROVIDER);
        assert_eq!(
            provider,
            Ok(CredentialsAttribute::SsiProvider("countersign"))
        );
        for attribute in [
            SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS,
            SECPKG_CRED_ATTR_CERT,
            99,
        ] {
            let error = query_credentials_attributes(&outbound, attribute).unwrap_err();
            assert_eq!(error.status(), S::SEC_E_UNSUPPORTED_FUNCTION);
            let error = set_credentials_attributes(&mut outbound, attribute, b"").unwrap_err();
            assert_eq!(error.status(), S::SEC_E_UNSUPPORTED_FUNCTION);
        }
    }
}

#[test]
fn the_table_has_the_functions() {
    let table = init_security_interface();
    assert_eq!(table.version, SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_4);
    assert_eq!(
        (table.enumerate_security_packages)(),
        enumerate_security_packages()
    );
    let domain = Domain::new();
    let usage = SECPKG_CRED_OUTBOUND;
    let (credential, _) =
        (table.acquire_credentials_handle)(&domain.client, None, "Kerberos", usage, Some(&alice()))
            .unwrap();
    let mut context = None;
    let mut output = SecBufferDesc::new([SecBuffer::owned(SECBUFFER_TOKEN, Vec::new())]);
    let target = Some(SERVICE);
    let progress = (table.initialize_security_context)(
        &credential,
        &mut context,
        target,
        0,
        SECURITY_NATIVE_DREP,
        None,
        &mut output,
    );
    assert_eq!(progress.unwrap().status, S::SEC_E_OK);
    (table.delete_security_context)(context.unwrap());
    (table.free_credentials_handle)(credential);
}

#[cfg(feature = "ntlm")]
mod ntlm {
    use super::*;
    use countersign::credential::Password;
    use countersign::credential::ntlm::{AccountName, NtlmCredential};

    /// A machine where alice has logged on, and that reaches no KDC.
    fn logged_on() -> Provider {
        let name = AccountName::new("EXAMPLE.COM", "alice").unwrap();
        let password = Password::from("open sesame");
        Provider::new().with_ntlm_initiator(NtlmCredential::with_password(name, &password))
    }

    #[test]
    fn without_an_identity_the_client_is_the_ntlm_initiator_of_the_provider() {
        let domain = Domain::new();
        let usage = SECPKG_CRED_OUTBOUND;
        for package in ["NTLM", "Negotiate"] {
            let outbound = acquire(&logged_on(), package, usage, None);
            let inbound = domain.inbound(package);
            let pair = run(&mut Side::new(&outbound, 0), &mut Side::new(&inbound, 0)).unwrap();
            let info: SecPkgContextNegotiationInfo = query_context_attribute(&pair.client).unwrap();
            assert_eq!(info.package_info.name, "NTLM");
            let names: SecPkgContextNames = query_context_attribute(&pair.server).unwrap();
            assert_eq!(names.user_name, "EXAMPLE.COM\\alice", "{package}");
            assert_eq!(
                query_credentials_attributes(&outbound, SECPKG_CRED_ATTR_NAMES),
                Ok(CredentialsAttribute::Names("EXAMPLE.COM\\alice".into()))
            );
            for (provider, usage) in [
                (Provider::new(), usage),
                (logged_on(), usage | SECPKG_CRED_AUTOLOGON_RESTRICTED),
            ] {
                let none = acquire_credentials_handle(&provider, None, package, usage, None);
                assert_eq!(none.unwrap_err().status(), S::SEC_E_NO_CREDENTIALS);
            }
        }
        let kerberos = acquire_credentials_handle(&logged_on(), None, "Kerberos", usage, None);
        assert_eq!(kerberos.unwrap_err().status(), S::SEC_E_NO_CREDENTIALS);
    }

    #[test]
    fn an_identity_that_is_given_is_the_client_and_the_providers_is_not() {
        let provider = logged_on();
        let usage = SECPKG_CRED_OUTBOUND;
        let bob = SecWinntAuthIdentity::new("bob", "EXAMPLE.COM", "battery staple");
        for package in ["NTLM", "Negotiate"] {
            let outbound = acquire(&provider, package, usage, Some(&bob));
            let names = query_credentials_attributes(&outbound, SECPKG_CRED_ATTR_NAMES).unwrap();
            let CredentialsAttribute::Names(name) = names else {
                panic!("{names:?}");
            };
            assert!(name.contains("bob"), "{package} {name}");
        }
        // The identity does not name NTLM, so there is no falling back to another one's.
        let outbound = acquire(&provider, "Negotiate", usage, Some(&bob));
        let error = Side::new(&outbound, 0).initialize(None).unwrap_err();
        assert_eq!(error.status(), S::SEC_E_NO_AUTHENTICATING_AUTHORITY);
    }

    #[test]
    fn the_principal_of_a_client_of_ntlm_is_its_account() {
        let provider = logged_on();
        for (principal, expected) in [
            ("EXAMPLE.COM\\alice", None),
            ("example.com\\ALICE", None),
            ("alice", None),
            ("bob", Some(S::SEC_E_NOT_OWNER)),
            ("OTHER\\alice", Some(S::SEC_E_NOT_OWNER)),
            ("", Some(S::SEC_E_UNKNOWN_CREDENTIALS)),
        ] {
            for package in ["NTLM", "Negotiate"] {
                let usage = SECPKG_CRED_OUTBOUND;
                let result =
                    acquire_credentials_handle(&provider, Some(principal), package, usage, None);
                let status = result.err().map(|error| error.status());
                assert_eq!(status, expected, "{principal} {package}");
            }
        }
    }

    /// Who is alice to Kerberos and somebody else to NTLM does not become that one by falling back.
    #[test]
    fn a_fallback_is_to_the_principal_that_was_named() {
        let domain = Domain::new();
        let inbound = domain.inbound("Negotiate");
        for (account, established) in [("alice", true), ("bob", false)] {
            let name = AccountName::new("EXAMPLE.COM", account).unwrap();
            let password = Password::from("open sesame");
            let alice = countersign::kerberos::kdc::ClientCredential::password(
                domain.kdc.principal("alice"),
                "open sesame",
            );
            // It reaches no KDC.
            let provider = Provider::new()
                .with_initiator(alice)
                .with_ntlm_initiator(NtlmCredential::with_password(name, &password));
            let (usage, principal) = (SECPKG_CRED_OUTBOUND, Some("alice"));
            let (outbound, _) =
                acquire_credentials_handle(&provider, principal, "Negotiate", usage, None).unwrap();
            let result = run(&mut Side::new(&outbound, 0), &mut Side::new(&inbound, 0));
            match result {
                Ok(_) => assert!(established, "{account}"),
                Err(error) => {
                    assert!(!established, "{account}: {error}");
                    assert_eq!(error.status(), S::SEC_E_NO_AUTHENTICATING_AUTHORITY);
                }
            }
        }
    }
}
