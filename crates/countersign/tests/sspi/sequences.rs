//! The calling sequences of the documentation, for every package by its name alone.

use countersign::sspi::*;

use crate::support::{Domain, PACKAGES, SERVICE, Side, acquire, pair, run};

#[test]
fn every_package_is_established_by_the_same_calls() {
    let domain = Domain::new();
    for package in PACKAGES {
        let isc = ISC_REQ_CONFIDENTIALITY | ISC_REQ_MUTUAL_AUTH;
        let pair = pair(&domain, package, isc, ASC_REQ_MUTUAL_AUTH);
        for (attributes, confidentiality, mutual) in [
            (
                pair.client_attributes,
                ISC_RET_CONFIDENTIALITY,
                ISC_RET_MUTUAL_AUTH,
            ),
            (
                pair.server_attributes,
                ASC_RET_CONFIDENTIALITY,
                ASC_RET_MUTUAL_AUTH,
            ),
        ] {
            assert_ne!(attributes & confidentiality, 0, "{package}");
            // NTLM's server proves nothing, and the attributes say so.
            assert_eq!(attributes & mutual != 0, *package != "NTLM", "{package}");
        }
        assert!(pair.client.is_established() && pair.server.is_established());
    }
}

#[test]
fn what_is_required_and_cannot_be_granted_fails() {
    let domain = Domain::new();
    for package in PACKAGES {
        let outbound = domain.outbound(package).require_requested();
        let inbound = domain.inbound(package);
        let mut client = Side::new(&outbound, ISC_REQ_MUTUAL_AUTH);
        let result = run(&mut client, &mut Side::new(&inbound, 0));
        if *package == "NTLM" {
            let status = result.unwrap_err().status();
            assert_eq!(status, SecurityStatus::SEC_E_SECURITY_QOS_FAILED);
        } else {
            result.unwrap();
        }
    }
}

#[test]
fn a_server_that_requires_what_it_asks_for_refuses_clients_that_do_not_ask() {
    let domain = Domain::new();
    for (isc, accepted) in [(ISC_REQ_CONFIDENTIALITY, true), (0, false)] {
        let outbound = domain.outbound("Kerberos");
        let inbound = domain.inbound("Kerberos").require_requested();
        let mut server = Side::new(&inbound, ASC_REQ_CONFIDENTIALITY);
        let result = run(&mut Side::new(&outbound, isc), &mut server);
        assert_eq!(result.is_ok(), accepted);
    }
}

#[test]
fn negotiate_begins_with_the_server_where_the_client_lets_it() {
    let domain = Domain::new();
    let (outbound, inbound) = (domain.outbound("Negotiate"), domain.inbound("Negotiate"));
    let (mut client, mut server) = (Side::new(&outbound, 0), Side::new(&inbound, 0));
    let (progress, hints) = server.accept(None).unwrap();
    assert_eq!(progress.status, SecurityStatus::SEC_I_CONTINUE_NEEDED);
    let (_, token) = client.initialize(Some(&hints)).unwrap();
    let (progress, token) = server.accept(Some(&token)).unwrap();
    assert_eq!(progress.status, SecurityStatus::SEC_E_OK);
    let (progress, token) = client.initialize(Some(&token)).unwrap();
    assert_eq!(progress.status, SecurityStatus::SEC_E_OK);
    assert!(token.is_empty());
}

#[test]
fn a_context_that_failed_fails_the_same_way_again_and_one_that_is_done_takes_no_more() {
    let domain = Domain::new();
    for package in PACKAGES {
        let (outbound, inbound) = (domain.outbound(package), domain.inbound(package));
        let mut client = Side::new(&outbound, ISC_REQ_MUTUAL_AUTH);
        let (_, token) = client.initialize(None).unwrap();
        let first = client.initialize(Some(b"no answer")).unwrap_err();
        assert_eq!(
            first.status(),
            SecurityStatus::SEC_E_INVALID_TOKEN,
            "{package}"
        );
        // A genuine answer comes too late.
        let mut server = Side::new(&inbound, 0);
        let (_, answer) = server.accept(Some(&token)).unwrap();
        assert_eq!(
            client.initialize(Some(&answer)).unwrap_err(),
            first,
            "{package}"
        );
        let mut message = SecBufferDesc::default();
        let context = client.context.as_mut().unwrap();
        let error = make_signature(context, 0, &mut message, 0).unwrap_err();
        assert_eq!(error.status(), SecurityStatus::SEC_E_INVALID_HANDLE);
        // Neither is a handle of the other side.
        client.context = server.context.take();
        let error = client.initialize(Some(&answer)).unwrap_err();
        assert_eq!(error.status(), SecurityStatus::SEC_E_INVALID_HANDLE);
    }
}

#[test]
fn names_that_kerberos_cannot_use_are_its_error_alone() {
    let domain = Domain::new();
    for package in PACKAGES {
        for target in [None, Some("/"), Some("a/b/c/d/e/"), Some("")] {
            let outbound = domain.outbound(package);
            let mut client = Side::new(&outbound, 0);
            client.target = target;
            match client.initialize(None) {
                Ok(_) => assert_eq!(*package, "NTLM"),
                Err(error) => {
                    assert_ne!(*package, "NTLM");
                    assert_eq!(error.status(), SecurityStatus::SEC_E_TARGET_UNKNOWN);
                }
            }
        }
    }
}

#[test]
fn dce_style_has_three_legs() {
    let domain = Domain::new();
    let (outbound, inbound) = (domain.outbound("Kerberos"), domain.inbound("Kerberos"));
    let mut client = Side::new(&outbound, ISC_REQ_USE_DCE_STYLE);
    let mut server = Side::new(&inbound, ASC_REQ_USE_DCE_STYLE);
    let (_, first) = client.initialize(None).unwrap();
    let (progress, second) = server.accept(Some(&first)).unwrap();
    assert_eq!(progress.status, SecurityStatus::SEC_I_CONTINUE_NEEDED);
    let (progress, third) = client.initialize(Some(&second)).unwrap();
    assert_eq!(progress.status, SecurityStatus::SEC_E_OK);
    let all = ISC_RET_USED_DCE_STYLE | ISC_RET_MUTUAL_AUTH;
    assert_eq!(progress.attributes & all, all);
    let (progress, _) = server.accept(Some(&third)).unwrap();
    assert_eq!(progress.status, SecurityStatus::SEC_E_OK);
    assert_ne!(progress.attributes & ASC_RET_USED_DCE_STYLE, 0);
}

#[test]
fn a_client_delegates_where_it_is_asked_to() {
    let domain = Domain::new();
    for (isc, delegated) in [(ISC_REQ_DELEGATE, true), (0, false)] {
        let mut pair = pair(&domain, "Negotiate", isc | ISC_REQ_MUTUAL_AUTH, 0);
        assert_eq!(pair.client_attributes & ISC_RET_DELEGATE != 0, delegated);
        assert_eq!(pair.server_attributes & ASC_RET_DELEGATE != 0, delegated);
        let token = query_security_context_token(&pair.server).unwrap();
        let level = token.level();
        assert_eq!(level == SecurityImpersonationLevel::Delegation, delegated);
        let ticket = pair.server.take_delegated().unwrap();
        assert_eq!(ticket.is_some(), delegated);
        let Some(ticket) = ticket else { continue };
        // The service is alice to itself.
        let alice = countersign::kerberos::kdc::ClientCredential::delegated(ticket);
        let provider = domain.client.clone().with_initiator(alice);
        let outbound = acquire(&provider, "Kerberos", SECPKG_CRED_OUTBOUND, None);
        let inbound = domain.inbound("Kerberos");
        let again = run(&mut Side::new(&outbound, 0), &mut Side::new(&inbound, 0)).unwrap();
        let token = query_security_context_token(&again.server).unwrap();
        assert_eq!(token.identity().to_string(), "alice@EXAMPLE.COM");
    }
}

#[test]
fn a_session_key_is_negotiated_by_user_to_user() {
    let domain = Domain::new();
    let bob = domain.user_to_user_acceptor("bob", "battery staple");
    let outbound = domain.outbound("Kerberos");
    for target in ["bob@EXAMPLE.COM", "bob"] {
        let mut client = Side::new(&outbound, ISC_REQ_USE_SESSION_KEY | ISC_REQ_MUTUAL_AUTH);
        client.target = Some(target);
        let pair = run(&mut client, &mut Side::new(&bob, 0)).unwrap();
        let names: SecPkgContextNativeNames = query_context_attribute(&pair.client).unwrap();
        assert_eq!(names.server_name, "bob@EXAMPLE.COM");
    }
}

#[test]
fn an_exported_context_goes_on_elsewhere() {
    let domain = Domain::new();
    for package in PACKAGES {
        let mut pair = pair(&domain, package, ISC_REQ_CONFIDENTIALITY, 0);
        let packed = export_security_context(pair.server, SECPKG_CONTEXT_EXPORT_DELETE_OLD);
        let packed = packed.unwrap();
        let other = PACKAGES.iter().find(|other| *other != package).unwrap();
        for (package, bytes) in [(*other, &packed[..]), (*package, &packed[1..])] {
            let error = import_security_context(&domain.service, package, bytes).unwrap_err();
            assert_eq!(error.status(), SecurityStatus::SEC_E_INVALID_TOKEN);
        }
        let mut server = import_security_context(&domain.service, package, &packed).unwrap();
        let flags: SecPkgContextFlags = query_context_attribute(&server).unwrap();
        assert_eq!(flags.flags, pair.server_attributes, "{package}");
        let mut message = SecBufferDesc::new([
            SecBuffer::owned(SECBUFFER_TOKEN, Vec::new()),
            SecBuffer::owned(SECBUFFER_DATA, b"hello".to_vec()),
        ]);
        encrypt_message(&mut pair.client, 0, &mut message, 0).unwrap();
        decrypt_message(&mut server, &mut message, 0).unwrap();
        assert_eq!(message.find(SECBUFFER_DATA).unwrap().bytes(), b"hello");
    }
}

/// RFC 8062 §3: a ticket that says of nobody who it is.
#[test]
fn an_anonymous_ticket_is_admitted_only_where_the_server_asks_for_it() {
    use countersign::credential::{NameType, Principal};
    use countersign::handshake::{Clock, SystemClock};
    use countersign::{Provider, Step};
    use countersign_testkit::Realm;

    let realm = Realm::new("EXAMPLE.COM", 1).at(SystemClock.now().seconds());
    let nobody = ["WELLKNOWN", "ANONYMOUS"];
    let nobody = Principal::new("WELLKNOWN:ANONYMOUS", nobody, NameType::WELL_KNOWN);
    let provider = Provider::new().with_keytab(&realm.keytab(&[SERVICE]).unwrap());
    let inbound = acquire(&provider, "Kerberos", SECPKG_CRED_INBOUND, None);
    for (asc, admitted) in [(ASC_REQ_ALLOW_NULL_SESSION, true), (0, false)] {
        let ticket = realm.ticket_for(nobody.clone(), realm.principal(SERVICE));
        let anonymous = ticket.flags(1 << 15).mint().unwrap();
        let mut initiator = countersign::kerberos::Initiator::new(anonymous).one_way();
        let Ok(Step::Established {
            token: Some(token), ..
        }) = provider.step(&mut initiator, None)
        else {
            panic!()
        };
        let mut server = Side::new(&inbound, asc);
        match server.accept(Some(&token)) {
            Ok((progress, _)) => {
                assert!(admitted);
                assert_ne!(progress.attributes & ASC_RET_NULL_SESSION, 0);
                let context = server.context.as_ref().unwrap();
                let level = query_security_context_token(context).unwrap().level();
                assert_eq!(level, SecurityImpersonationLevel::Anonymous);
            }
            Err(error) => {
                assert!(!admitted, "{error}");
                assert_eq!(error.status(), SecurityStatus::SEC_E_LOGON_DENIED);
            }
        }
    }
}

#[cfg(feature = "ntlm")]
mod ntlm {
    use super::*;
    use crate::support::alice;
    use countersign::Provider;

    #[test]
    fn negotiate_falls_back_to_ntlm_only_where_it_is_named() {
        let domain = Domain::new();
        // A client that reaches no KDC.
        let alone = Provider::new();
        let inbound = domain.inbound("Negotiate");
        for (list, established) in [("Kerberos,NTLM", true), ("ntlm", true), ("!ntlm", false)] {
            let identity = alice().with_package_list(list);
            let outbound = acquire(&alone, "Negotiate", SECPKG_CRED_OUTBOUND, Some(&identity));
            let result = run(&mut Side::new(&outbound, 0), &mut Side::new(&inbound, 0));
            match result {
                Ok(pair) => {
                    assert!(established, "{list}");
                    let info: SecPkgContextNegotiationInfo =
                        query_context_attribute(&pair.client).unwrap();
                    assert_eq!(info.package_info.name, "NTLM");
                    assert_eq!(info.negotiation_state, SECPKG_NEGOTIATION_COMPLETE);
                }
                Err(error) => {
                    assert!(!established, "{list}: {error}");
                    let status = SecurityStatus::SEC_E_NO_AUTHENTICATING_AUTHORITY;
                    assert_eq!(error.status(), status);
                }
            }
        }
    }

    #[test]
    fn what_requires_the_servers_proof_does_not_fall_back() {
        let domain = Domain::new();
        let inbound = domain.inbound("Negotiate");
        let identity = alice().with_package_list("Kerberos,NTLM");
        let provider = Provider::new();
        let outbound = acquire(
            &provider,
            "Negotiate",
            SECPKG_CRED_OUTBOUND,
            Some(&identity),
        )
        .require_requested();
        for (isc, established) in [(0, true), (ISC_REQ_MUTUAL_AUTH, false)] {
            let result = run(&mut Side::new(&outbound, isc), &mut Side::new(&inbound, 0));
            assert_eq!(result.is_ok(), established);
        }
    }

    #[test]
    fn datagrams_begin_with_the_server() {
        let domain = Domain::new();
        let (outbound, inbound) = (domain.outbound("NTLM"), domain.inbound("NTLM"));
        let mut client = Side::new(&outbound, ISC_REQ_DATAGRAM | ISC_REQ_CONFIDENTIALITY);
        let mut server = Side::new(&inbound, ASC_REQ_DATAGRAM);
        let (_, nothing) = client.initialize(None).unwrap();
        assert!(nothing.is_empty());
        let (_, challenge) = server.accept(None).unwrap();
        let (progress, authenticate) = client.initialize(Some(&challenge)).unwrap();
        assert_eq!(progress.status, SecurityStatus::SEC_E_OK);
        assert_ne!(progress.attributes & ISC_RET_DATAGRAM, 0);
        let (progress, _) = server.accept(Some(&authenticate)).unwrap();
        assert_eq!(progress.status, SecurityStatus::SEC_E_OK);
    }

    #[test]
    fn a_null_session_is_admitted_only_where_the_server_asks_for_it() {
        let domain = Domain::new();
        let (outbound, inbound) = (domain.outbound("NTLM"), domain.inbound("NTLM"));
        for (asc, admitted) in [(ASC_REQ_ALLOW_NULL_SESSION, true), (0, false)] {
            let mut client = Side::new(&outbound, ISC_REQ_NULL_SESSION);
            let result = run(&mut client, &mut Side::new(&inbound, asc));
            match result {
                Ok(pair) => {
                    assert!(admitted);
                    assert_ne!(pair.client_attributes & ISC_RET_NULL_SESSION, 0);
                    assert_ne!(pair.server_attributes & ASC_RET_NULL_SESSION, 0);
                    let token = query_security_context_token(&pair.server).unwrap();
                    assert_eq!(token.level(), SecurityImpersonationLevel::Anonymous);
                }
                Err(error) => {
                    assert!(!admitted);
                    assert_eq!(error.status(), SecurityStatus::SEC_E_LOGON_DENIED);
                }
            }
        }
    }
}
