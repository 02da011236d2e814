//! Parameters of `InitializeSecurityContext` and `AcceptSecurityContext`, one by one.

use countersign::ChannelBindings;
use countersign::sspi::*;

use crate::support::{Domain, PACKAGES, SERVICE, Side, run};

type S = SecurityStatus;

#[test]
fn an_output_buffer_that_is_too_small_says_how_much_it_needs_and_loses_no_token() {
    let domain = Domain::new();
    for package in PACKAGES {
        let (outbound, inbound) = (domain.outbound(package), domain.inbound(package));
        let mut context = None;
        let call = |context: &mut Option<CtxtHandle>, room: usize| {
            let mut room = vec![0; room];
            let mut output = SecBufferDesc::new([SecBuffer::new(SECBUFFER_TOKEN, &mut room)]);
            let (target, drep) = (Some(SERVICE), SECURITY_NATIVE_DREP);
            initialize_security_context(&outbound, context, target, 0, drep, None, &mut output)
                .map(|_| output.token().to_vec())
        };
        let error = call(&mut context, 1).unwrap_err();
        assert_eq!(error.status(), S::SEC_E_BUFFER_TOO_SMALL, "{package}");
        assert!(
            context
                .as_ref()
                .is_some_and(|context| !context.is_established())
        );
        let needed = error.needed().unwrap();
        call(&mut context, needed - 1).unwrap_err();
        let token = call(&mut context, needed).unwrap();
        assert_eq!(token.len(), needed);
        // It is the token that was made at first, and the acceptor takes it.
        Side::new(&inbound, 0).accept(Some(&token)).unwrap();
    }
}

#[test]
fn the_package_allocates_the_token_where_it_is_asked_to() {
    let domain = Domain::new();
    let outbound = domain.outbound("Kerberos");
    let mut output = SecBufferDesc::new([SecBuffer::new(SECBUFFER_TOKEN, &mut [])]);
    let (isc, drep) = (ISC_REQ_ALLOCATE_MEMORY, SECURITY_NETWORK_DREP);
    let target = Some(SERVICE);
    let progress =
        initialize_security_context(&outbound, &mut None, target, isc, drep, None, &mut output);
    assert_eq!(
        progress.unwrap().attributes & ISC_RET_ALLOCATED_MEMORY,
        ISC_RET_ALLOCATED_MEMORY
    );
    let token = output.into_buffers().remove(0).into_bytes();
    assert!(!token.is_empty());
    free_context_buffer(token);
}

#[test]
fn channel_bindings_that_are_given_must_be_the_clients_too() {
    let domain = Domain::new();
    let ours = ChannelBindings::tls_server_end_point(&[1; 32]).to_sec_channel_bindings();
    let theirs = ChannelBindings::tls_server_end_point(&[2; 32]).to_sec_channel_bindings();
    for package in PACKAGES {
        let (outbound, inbound) = (domain.outbound(package), domain.inbound(package));
        for (client, asc, accepted) in [
            (Some(&ours), 0, true),
            (Some(&theirs), 0, false),
            (None, 0, false),
            (Some(&ours), ASC_REQ_ALLOW_MISSING_BINDINGS, true),
            (Some(&theirs), ASC_REQ_ALLOW_MISSING_BINDINGS, false),
            (None, ASC_REQ_ALLOW_MISSING_BINDINGS, true),
        ] {
            let mut client_side = Side::new(&outbound, 0);
            client_side.bindings = client.map(Vec::as_slice);
            let mut server_side = Side::new(&inbound, asc);
            server_side.bindings = Some(&ours);
            match run(&mut client_side, &mut server_side) {
                Ok(_) => assert!(accepted, "{package}"),
                Err(error) => {
                    assert!(!accepted, "{package}: {error}");
                    assert_eq!(error.status(), S::SEC_E_BAD_BINDINGS, "{package}");
                }
            }
        }
    }
}

#[test]
fn bindings_that_come_later_than_the_first_call_are_refused() {
    let domain = Domain::new();
    let blob = ChannelBindings::tls_unique(b"finished").to_sec_channel_bindings();
    let outbound = domain.outbound("Kerberos");
    let mut client = Side::new(&outbound, ISC_REQ_MUTUAL_AUTH);
    client.initialize(None).unwrap();
    client.bindings = Some(&blob);
    let error = client.initialize(Some(b"answer")).unwrap_err();
    assert_eq!(error.status(), S::SEC_E_BAD_BINDINGS);
}

#[test]
fn buffers_of_other_packages_are_passed_over_and_two_tokens_are_refused() {
    let domain = Domain::new();
    let (outbound, inbound) = (domain.outbound("Kerberos"), domain.inbound("Kerberos"));
    let (_, token) = Side::new(&outbound, 0).initialize(None).unwrap();
    let accept = |buffers: Vec<SecBuffer<'_>>| {
        let mut output = SecBufferDesc::new([SecBuffer::owned(SECBUFFER_TOKEN, Vec::new())]);
        let input = SecBufferDesc::new(buffers);
        accept_security_context(&inbound, &mut None, Some(&input), 0, 0, &mut output)
    };
    let error = accept(vec![
        SecBuffer::input(SECBUFFER_TOKEN, &token),
        SecBuffer::input(SECBUFFER_TOKEN, &token),
    ]);
    assert_eq!(error.unwrap_err().status(), S::SEC_E_INVALID_PARAMETER);
    let error = accept(vec![
        SecBuffer::input(SECBUFFER_TOKEN, &token),
        SecBuffer::input(SECBUFFER_CHANNEL_BINDINGS, b"short"),
    ]);
    assert_eq!(error.unwrap_err().status(), S::SEC_E_INVALID_PARAMETER);
    accept(vec![
        SecBuffer::input(SECBUFFER_PKG_PARAMS, b"GET"),
        SecBuffer::empty(),
        SecBuffer::input(SECBUFFER_TARGET_HOST, b"gate"),
        SecBuffer::input(SECBUFFER_TOKEN, &token),
    ])
    .unwrap();
}

#[test]
fn every_flag_is_taken_or_refused_as_its_row_says() {
    let domain = Domain::new();
    for package in PACKAGES {
        let kind = Package::of_name(package).unwrap();
        let (outbound, inbound) = (domain.outbound(package), domain.inbound(package));
        for rule in ISC_RULES {
            let result = Side::new(&outbound, rule.value).initialize(None);
            match rule.with(kind) {
                Treatment::Refused(status) => {
                    assert_eq!(
                        result.unwrap_err().status(),
                        status,
                        "{package} {}",
                        rule.name
                    );
                }
                _ => drop(result.unwrap()),
            }
        }
        for rule in ASC_RULES {
            let (_, token) = Side::new(&outbound, 0).initialize(None).unwrap();
            let first = (rule.value != ASC_REQ_DATAGRAM).then_some(&token[..]);
            let result = Side::new(&inbound, rule.value).accept(first);
            match rule.with(kind) {
                Treatment::Refused(status) => {
                    assert_eq!(
                        result.unwrap_err().status(),
                        status,
                        "{package} {}",
                        rule.name
                    );
                }
                _ => drop(result.unwrap()),
            }
        }
    }
}

#[test]
fn an_error_is_told_to_the_peer_where_the_caller_asks_for_it() {
    let domain = Domain::new();
    let other = domain.kdc.keytab(&["other/gate.example.com"]).unwrap();
    let provider = countersign::Provider::new().with_keytab(&other);
    let inbound = crate::support::acquire(&provider, "Kerberos", SECPKG_CRED_INBOUND, None);
    let outbound = domain.outbound("Kerberos");
    for (asc, told) in [(ASC_REQ_EXTENDED_ERROR, true), (0, false)] {
        let (_, token) = Side::new(&outbound, ISC_REQ_MUTUAL_AUTH)
            .initialize(None)
            .unwrap();
        let input = SecBufferDesc::new([SecBuffer::input(SECBUFFER_TOKEN, &token)]);
        let mut output = SecBufferDesc::new([SecBuffer::owned(SECBUFFER_TOKEN, Vec::new())]);
        let result =
            accept_security_context(&inbound, &mut None, Some(&input), asc, 0, &mut output);
        assert!(result.unwrap_err().cause().unwrap().token().is_some());
        assert_eq!(!output.token().is_empty(), told);
    }
}
