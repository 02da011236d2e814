//! The two faces.

use countersign::Provider;
use countersign::gss::{self, CredUsage, Status, oid};
use countersign::handshake::kdc::{KdcClient, StaticKdcs};
use countersign::sspi::{
    ContextAttribute, SECBUFFER_TOKEN, SECPKG_ATTR_SESSION_KEY, SECPKG_CRED_INBOUND,
    SECPKG_CRED_OUTBOUND, SECURITY_NATIVE_DREP, SecBuffer, SecBufferDesc, SecWinntAuthIdentity,
    SecurityStatus, accept_security_context, acquire_credentials_handle,
    initialize_security_context, query_context_attributes,
};
use countersign_testkit::{Account, Kdc, KdcServer};

use crate::ledger::Ledger;

const PASSWORD: &str = "marmalade on the mantelpiece";
const SERVICE: &str = "sentry/gate.example.com";

/// A KDC on loopback, a desk, and a gate with keys and users.
fn domain(ledger: &mut Ledger) -> (KdcServer, Provider, Provider) {
    use countersign::credential::ntlm::Users;
    use countersign::ntlm::{AcceptorCredential, ServerNames};

    ledger.password(PASSWORD);
    let kdc = Kdc::builder("EXAMPLE.COM")
        .user("alice", PASSWORD)
        .account(Account::service(SERVICE))
        .system_clock()
        .build()
        .unwrap();
    let server = kdc.serve("127.0.0.1:0").unwrap();
    let kdcs = StaticKdcs::new().kdc("EXAMPLE.COM", &server.address().to_string());
    let trace = ledger.trace();
    let client = KdcClient::new(kdcs.unwrap()).observe(move |event| {
        trace
            .lock()
            .unwrap()
            .push_str(&format!("{event:?} {event:#?}"));
    });
    ledger.print(&client);
    let keytab = kdc.keytab(&[SERVICE]).unwrap();
    for entry in keytab.entries() {
        ledger.secret("service's key", entry.key_block().expose());
    }
    let users = Users::parse(format!("EXAMPLE.COM:alice:{PASSWORD}\n").as_bytes()).unwrap();
    let names = ServerNames::new("GATE", "EXAMPLE").unwrap();
    let desk = Provider::new().with_kdc_client(client);
    let gate = Provider::new()
        .with_keytab(&keytab)
        .with_ntlm(AcceptorCredential::new(names).with_users(users));
    ledger.print(&desk);
    ledger.print(&gate);
    (server, desk, gate)
}

#[test]
fn what_gss_prints_holds_no_secret() {
    let mut ledger = Ledger::new();
    let (_kdc, desk, gate) = domain(&mut ledger);
    let name = gss::import_name(b"alice@EXAMPLE.COM", Some(oid::GSS_C_NT_USER_NAME)).unwrap();
    let target = b"sentry@gate.example.com";
    let target = gss::import_name(target, Some(oid::GSS_C_NT_HOSTBASED_SERVICE)).unwrap();
    let sentry = gss::acquire_cred(&gate, None, 0, None, CredUsage::Accept).unwrap();
    ledger.print(&sentry);
    for (password, right) in [(PASSWORD, true), ("marmalade on the carpet", false)] {
        ledger.password(password);
        let usage = CredUsage::Initiate;
        let alice = gss::acquire_cred_with_password(&desk, &name, password, 0, None, usage);
        ledger.print(&alice);
        assert_eq!(alice.is_ok(), right);
        let alice = match alice {
            Ok(alice) => alice.credential,
            Err(error) => {
                ledger.error(&error);
                continue;
            }
        };
        let (mut client, mut server) = (None, None);
        let mut token: Option<Vec<u8>> = None;
        loop {
            let mechanism = Some(oid::GSS_MECH_KRB5);
            let flags = countersign::Flags::MUTUAL | countersign::Flags::CONFIDENTIALITY;
            let step = gss::init_sec_context(
                &alice,
                &mut client,
                &target,
                mechanism,
                flags,
                0,
                None,
                token.as_deref(),
            );
            ledger.print(&(&step, &client));
            let step = step.unwrap();
            if step.status == Status::Complete {
                break;
            }
            let sent = step.output_token.unwrap();
            let none = countersign::ChannelBindingPolicy::Ignore;
            let step = gss::accept_sec_context(&mut server, &sentry.credential, &sent, &none);
            ledger.print(&(&step, &server));
            token = step.unwrap().output_token;
        }
        let context = client.as_ref().unwrap();
        ledger.print(&gss::inquire_context(context));
        ledger.secret(
            "session key",
            context.engine().unwrap().session_key().expose(),
        );
        let lucid = gss::export_lucid_sec_context(&mut client, 1).unwrap();
        ledger.print(&lucid);
        let exported = gss::export_sec_context(&mut server).unwrap();
        let context = gss::import_sec_context(&gate, &exported).unwrap();
        ledger.print(&context);
        ledger.secret(
            "session key",
            context.engine().unwrap().session_key().expose(),
        );
    }
    ledger.close(6, &["alice", "KdcEvent", "GssError", "Provider"]);
}

#[test]
fn what_sspi_prints_holds_no_secret() {
    for package in ["Kerberos", "NTLM", "Negotiate"] {
        for (password, right) in [(PASSWORD, true), ("marmalade on the carpet", false)] {
            let mut ledger = Ledger::new();
            let (_kdc, desk, gate) = domain(&mut ledger);
            ledger.password(password);
            let identity = SecWinntAuthIdentity::new("alice", "EXAMPLE.COM", password);
            ledger.print(&identity);
            let outbound = Some(&identity);
            let outbound =
                acquire_credentials_handle(&desk, None, package, SECPKG_CRED_OUTBOUND, outbound);
            let inbound =
                acquire_credentials_handle(&gate, None, package, SECPKG_CRED_INBOUND, None);
            ledger.print(&(&outbound, &inbound));
            let (outbound, inbound) = (outbound.unwrap().0, inbound.unwrap().0);
            let (mut client, mut server) = (None, None);
            let mut token: Option<Vec<u8>> = None;
            let mut complete = [false; 2];
            let failed = loop {
                let mut turn = |initiates: bool, token: Option<&[u8]>| {
                    let mut room = vec![0; 65_536];
                    let mut output =
                        SecBufferDesc::new([SecBuffer::new(SECBUFFER_TOKEN, &mut room)]);
                    let input = token.map(|token| SecBuffer::input(SECBUFFER_TOKEN, token));
                    let input = SecBufferDesc::new(Vec::from_iter(input));
                    let step = if initiates {
                        initialize_security_context(
                            &outbound,
                            &mut client,
                            Some(SERVICE),
                            0,
                            SECURITY_NATIVE_DREP,
                            token.map(|_| &input),
                            &mut output,
                        )
                    } else {
                        accept_security_context(
                            &inbound,
                            &mut server,
                            Some(&input),
                            0,
                            SECURITY_NATIVE_DREP,
                            &mut output,
                        )
                    };
                    ledger.print(&(&step, &client, &server));
                    step.map(|step| {
                        complete[usize::from(initiates)] = step.status == SecurityStatus::SEC_E_OK;
                        output.token().to_vec()
                    })
                };
                let sent = match turn(true, token.as_deref()) {
                    Ok(sent) => sent,
                    Err(error) => break Some(error),
                };
                if !sent.is_empty() {
                    token = match turn(false, Some(&sent)) {
                        Ok(sent) => (!sent.is_empty()).then_some(sent),
                        Err(error) => break Some(error),
                    };
                }
                if complete == [true; 2] {
                    break None;
                }
            };
            assert_eq!(failed.is_none(), right, "{package}: {failed:?}");
            if let Some(error) = failed {
                ledger.error(&error);
                ledger.close(6, &["alice", "SspiError"]);
                continue;
            }
            for context in [client, server].iter_mut().flatten() {
                let key = query_context_attributes(context, SECPKG_ATTR_SESSION_KEY).unwrap();
                ledger.print(&key);
                let ContextAttribute::SessionKey(key) = key else {
                    panic!("{key:?}")
                };
                ledger.secret("session key", &key.session_key);
            }
            ledger.close(8, &["alice", "CtxtHandle", "SecPkgContextSessionKey"]);
        }
    }
}
