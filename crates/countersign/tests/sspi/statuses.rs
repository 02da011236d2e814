//! Every status that can occur, provoked; every other one, with the reason.

use countersign::kerberos::{AcceptorCredential, ReplayCache, ReplayProtection};
use countersign::sspi::*;
use countersign::{ChannelBindings, EnctypeSet, Policy, Provider, Timestamp};
use countersign_testkit::FailingRandom;

use crate::support::{Domain, SERVICE, Side, acquire, alice, pair, run};

type S = SecurityStatus;
type Provoke = fn(&Domain) -> Result<SecurityStatus, SspiError>;

fn established(domain: &Domain) -> crate::support::Pair {
    pair(
        domain,
        "Kerberos",
        ISC_REQ_INTEGRITY | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_MUTUAL_AUTH,
        0,
    )
}

/// A client's token, given to a server of this provider.
fn accepted_by(domain: &Domain, provider: &Provider) -> Result<SecurityStatus, SspiError> {
    let inbound = acquire(provider, "Kerberos", SECPKG_CRED_INBOUND, None);
    let outbound = domain.outbound("Kerberos");
    let (_, token) = Side::new(&outbound, 0).initialize(None)?;
    let (progress, _) = Side::new(&inbound, 0).accept(Some(&token))?;
    Ok(progress.status)
}

fn signature(pair: &mut crate::support::Pair) -> Vec<u8> {
    let mut message = SecBufferDesc::new([
        SecBuffer::input(SECBUFFER_DATA, b"message"),
        SecBuffer::owned(SECBUFFER_TOKEN, Vec::new()),
    ]);
    make_signature(&mut pair.client, 0, &mut message, 0).unwrap();
    message.token().to_vec()
}

fn verify(server: &mut CtxtHandle, data: &[u8], mic: &[u8]) -> Result<SecurityStatus, SspiError> {
    let message = SecBufferDesc::new([
        SecBuffer::input(SECBUFFER_DATA, data),
        SecBuffer::input(SECBUFFER_TOKEN, mic),
    ]);
    verify_signature(server, &message, 0).map(|_| S::SEC_E_OK)
}

const OCCUR: &[(SecurityStatus, &str, Provoke)] = &[
    (S::SEC_E_OK, "both sides are done", |domain| {
        accepted_by(domain, &domain.service)
    }),
    (
        S::SEC_I_CONTINUE_NEEDED,
        "the client asks for mutual authentication and waits for its answer",
        |domain| {
            let outbound = domain.outbound("Kerberos");
            let (progress, _) = Side::new(&outbound, ISC_REQ_MUTUAL_AUTH).initialize(None)?;
            Ok(progress.status)
        },
    ),
    (
        S::SEC_E_INSUFFICIENT_MEMORY,
        "the replay cache is full",
        |domain| {
            let full = ReplayProtection::Shared(ReplayCache::new(1).into());
            let keys = AcceptorCredential::new(&domain.kdc.keytab(&[SERVICE]).unwrap());
            let provider = Provider::new().with_acceptor(keys.with_replay_protection(full));
            accepted_by(domain, &provider)?;
            accepted_by(domain, &provider)
        },
    ),
    (
        S::SEC_E_INVALID_HANDLE,
        "a context that is established gets another token",
        |domain| {
            let inbound = domain.inbound("Kerberos");
            let outbound = domain.outbound("Kerberos");
            let (_, token) = Side::new(&outbound, 0).initialize(None)?;
            let mut server = Side::new(&inbound, 0);
            server.accept(Some(&token))?;
            server
                .accept(Some(&token))
                .map(|(progress, _)| progress.status)
        },
    ),
    (
        S::SEC_E_UNSUPPORTED_FUNCTION,
        "CompleteAuthToken",
        |domain| {
            let mut pair = established(domain);
            complete_auth_token(&mut pair.client, &mut SecBufferDesc::default())?;
            Ok(S::SEC_E_OK)
        },
    ),
    (
        S::SEC_E_TARGET_UNKNOWN,
        "the KDC knows no such service",
        |domain| {
            let outbound = domain.outbound("Kerberos");
            let mut client = Side::new(&outbound, 0);
            client.target = Some("nobody/gate.example.com");
            client.initialize(None).map(|(progress, _)| progress.status)
        },
    ),
    (
        S::SEC_E_INTERNAL_ERROR,
        "the random source fails",
        |domain| {
            let provider = domain.client.clone().with_random(FailingRandom::new());
            let outbound = acquire(&provider, "Kerberos", SECPKG_CRED_OUTBOUND, Some(&alice()));
            Side::new(&outbound, 0)
                .initialize(None)
                .map(|(progress, _)| progress.status)
        },
    ),
    (
        S::SEC_E_SECPKG_NOT_FOUND,
        "a package that is not here",
        |_| query_security_package_info("Schannel").map(|_| S::SEC_E_OK),
    ),
    (
        S::SEC_E_NOT_OWNER,
        "the principal is not the one of the password",
        |domain| {
            let (package, usage) = ("Kerberos", SECPKG_CRED_OUTBOUND);
            acquire_credentials_handle(&domain.client, Some("bob"), package, usage, Some(&alice()))
                .map(|_| S::SEC_E_OK)
        },
    ),
    (S::SEC_E_INVALID_TOKEN, "the token is none", |domain| {
        let inbound = domain.inbound("Negotiate");
        let mut server = Side::new(&inbound, 0);
        server
            .accept(Some(b"GET / HTTP/1.1"))
            .map(|(progress, _)| progress.status)
    }),
    (
        S::SEC_E_QOP_NOT_SUPPORTED,
        "EncryptMessage where confidentiality was not granted",
        |domain| {
            let mut pair = established(domain);
            let mut message = SecBufferDesc::new([
                SecBuffer::owned(SECBUFFER_TOKEN, Vec::new()),
                SecBuffer::owned(SECBUFFER_DATA, Vec::new()),
            ]);
            encrypt_message(&mut pair.client, 0, &mut message, 0).map(|()| S::SEC_E_OK)
        },
    ),
    (
        S::SEC_E_NO_IMPERSONATION,
        "the client's side has nobody to impersonate",
        |domain| impersonate_security_context(&established(domain).client).map(|_| S::SEC_E_OK),
    ),
    (S::SEC_E_LOGON_DENIED, "the password is another", |domain| {
        let identity = SecWinntAuthIdentity::new("alice", "EXAMPLE.COM", "guessed");
        let outbound = acquire(
            &domain.client,
            "Kerberos",
            SECPKG_CRED_OUTBOUND,
            Some(&identity),
        );
        Side::new(&outbound, 0)
            .initialize(None)
            .map(|(progress, _)| progress.status)
    }),
    (
        S::SEC_E_UNKNOWN_CREDENTIALS,
        "the keytab has no such service",
        |domain| {
            let other = Some("other/gate.example.com");
            acquire_credentials_handle(
                &domain.service,
                other,
                "Kerberos",
                SECPKG_CRED_INBOUND,
                None,
            )
            .map(|_| S::SEC_E_OK)
        },
    ),
    (
        S::SEC_E_NO_CREDENTIALS,
        "the provider has no keytab",
        |_| {
            acquire_credentials_handle(
                &Provider::new(),
                None,
                "Kerberos",
                SECPKG_CRED_INBOUND,
                None,
            )
            .map(|_| S::SEC_E_OK)
        },
    ),
    (
        S::SEC_E_MESSAGE_ALTERED,
        "a signature is not that of the message",
        |domain| {
            let mut pair = established(domain);
            let mic = signature(&mut pair);
            verify(&mut pair.server, b"massage", &mic)
        },
    ),
    (
        S::SEC_E_OUT_OF_SEQUENCE,
        "a message comes twice",
        |domain| {
            let mut pair = established(domain);
            let mic = signature(&mut pair);
            verify(&mut pair.server, b"message", &mic)?;
            verify(&mut pair.server, b"message", &mic)
        },
    ),
    (
        S::SEC_E_NO_AUTHENTICATING_AUTHORITY,
        "no KDC answers",
        |_| {
            let outbound = acquire(
                &Provider::new(),
                "Kerberos",
                SECPKG_CRED_OUTBOUND,
                Some(&alice()),
            );
            Side::new(&outbound, 0)
                .initialize(None)
                .map(|(progress, _)| progress.status)
        },
    ),
    (
        S::SEC_E_CONTEXT_EXPIRED,
        "the ticket's end has passed",
        |domain| {
            let pair = established(domain);
            let packed = export_security_context(pair.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD)?;
            let late = Provider::new().with_clock(|| Timestamp::from_unix(1 << 40));
            let mut client = import_security_context(&late, "Kerberos", &packed)?;
            verify(&mut client, b"", b"")
        },
    ),
    (
        S::SEC_E_BUFFER_TOO_SMALL,
        "the token does not fit",
        |domain| {
            let outbound = domain.outbound("Kerberos");
            let mut output = SecBufferDesc::new([SecBuffer::new(SECBUFFER_TOKEN, &mut [])]);
            let target = Some(SERVICE);
            initialize_security_context(&outbound, &mut None, target, 0, 0, None, &mut output)
                .map(|progress| progress.status)
        },
    ),
    (
        S::SEC_E_WRONG_PRINCIPAL,
        "the ticket is for another service",
        |domain| {
            let keytab = domain.kdc.keytab(&["other/gate.example.com"]).unwrap();
            accepted_by(domain, &Provider::new().with_keytab(&keytab))
        },
    ),
    (
        S::SEC_E_TIME_SKEW,
        "the clocks are an hour apart",
        |domain| {
            use countersign::handshake::{Clock, SystemClock};
            let provider = domain
                .service
                .clone()
                .with_clock(|| SystemClock.now().offset_by(3600))
                .with_policy(Policy::default().with_skew_recovery(false));
            accepted_by(domain, &provider)
        },
    ),
    (
        S::SEC_E_ALGORITHM_MISMATCH,
        "the policy does not permit the ticket's enctype",
        |domain| {
            let policy = Policy::default().with_enctypes(EnctypeSet::EMPTY);
            accepted_by(domain, &domain.service.clone().with_policy(policy))
        },
    ),
    (
        S::SEC_E_SECURITY_QOS_FAILED,
        "two flags that exclude each other",
        |domain| {
            let inbound = domain.inbound("Kerberos");
            let both = ASC_REQ_PROXY_BINDINGS | ASC_REQ_ALLOW_MISSING_BINDINGS;
            Side::new(&inbound, both)
                .accept(Some(b""))
                .map(|(progress, _)| progress.status)
        },
    ),
    (
        S::SEC_E_WRONG_CREDENTIAL_HANDLE,
        "a context goes on with another credential",
        |domain| {
            let (first, second) = (domain.outbound("Kerberos"), domain.outbound("Kerberos"));
            let mut client = Side::new(&first, ISC_REQ_MUTUAL_AUTH);
            client.initialize(None)?;
            client.credential = &second;
            client
                .initialize(Some(b"answer"))
                .map(|(progress, _)| progress.status)
        },
    ),
    (
        S::SEC_E_BAD_BINDINGS,
        "the channel bindings differ",
        |domain| {
            let bindings = ChannelBindings::tls_exporter(&[1; 32]).to_sec_channel_bindings();
            let (outbound, inbound) = (domain.outbound("Kerberos"), domain.inbound("Kerberos"));
            let mut server = Side::new(&inbound, 0);
            server.bindings = Some(&bindings);
            run(&mut Side::new(&outbound, 0), &mut server).map(|_| S::SEC_E_OK)
        },
    ),
    (
        S::SEC_E_INVALID_PARAMETER,
        "TargetDataRep is neither of two",
        |domain| {
            let outbound = domain.outbound("Kerberos");
            let (target, mut output) = (Some(SERVICE), SecBufferDesc::default());
            initialize_security_context(&outbound, &mut None, target, 0, 7, None, &mut output)
                .map(|progress| progress.status)
        },
    ),
];

const SCHANNEL: &str = "Schannel's";
const COMPLETE: &str = "tokens of these packages are complete as they are; Digest's need it";
const LEGACY: &str =
    "a KDC's or a smart card's: what a KDC answers is in the cause of SEC_E_LOGON_DENIED";
const NEVER: &[(SecurityStatus, &str)] = &[
    (S::SEC_I_COMPLETE_NEEDED, COMPLETE),
    (S::SEC_I_COMPLETE_AND_CONTINUE, COMPLETE),
    (
        S::SEC_I_LOCAL_LOGON,
        "there is no logon without its authority",
    ),
    (S::SEC_I_CONTEXT_EXPIRED, SCHANNEL),
    (S::SEC_I_INCOMPLETE_CREDENTIALS, SCHANNEL),
    (S::SEC_I_RENEGOTIATE, SCHANNEL),
    (S::SEC_I_NO_LSA_CONTEXT, "there is no LSA"),
    (S::SEC_I_SIGNATURE_NEEDED, SCHANNEL),
    (S::SEC_I_NO_RENEGOTIATION, SCHANNEL),
    (
        S::SEC_I_MESSAGE_FRAGMENT,
        "tokens are not cut: SEC_E_BUFFER_TOO_SMALL",
    ),
    (S::SEC_E_CANNOT_INSTALL, "packages are not installed"),
    (
        S::SEC_E_CANNOT_PACK,
        "contexts of these packages can be exported",
    ),
    (S::SEC_E_BAD_PKGID, "packages have no numbers of an LSA"),
    (
        S::SEC_E_INCOMPLETE_MESSAGE,
        "tokens of these packages come whole: one that is cut is SEC_E_INVALID_TOKEN",
    ),
    (S::SEC_E_INCOMPLETE_CREDENTIALS, SCHANNEL),
    (S::SEC_E_UNTRUSTED_ROOT, SCHANNEL),
    (
        S::SEC_E_ENCRYPT_FAILURE,
        "encryption does not fail once its buffers fit",
    ),
    (
        S::SEC_E_DECRYPT_FAILURE,
        "what does not decrypt was altered: SEC_E_MESSAGE_ALTERED",
    ),
    (
        S::SEC_E_UNFINISHED_CONTEXT_DELETED,
        "a context that is deleted is gone, finished or not",
    ),
    (
        S::SEC_E_NO_TGT_REPLY,
        "the peer's answer to a request for user-to-user is SEC_E_LOGON_DENIED with its cause",
    ),
    (
        S::SEC_E_NO_IP_ADDRESSES,
        "addresses of this machine are not needed",
    ),
    (
        S::SEC_E_CRYPTO_SYSTEM_INVALID,
        "SEC_E_ALGORITHM_MISMATCH says it",
    ),
    (S::SEC_E_MAX_REFERRALS_EXCEEDED, LEGACY),
    (S::SEC_E_MUST_BE_KDC, LEGACY),
    (
        S::SEC_E_STRONG_CRYPTO_NOT_SUPPORTED,
        "strong cryptography is all there is by default",
    ),
    (S::SEC_E_TOO_MANY_PRINCIPALS, LEGACY),
    (S::SEC_E_NO_PA_DATA, LEGACY),
    (S::SEC_E_SMARTCARD_LOGON_REQUIRED, LEGACY),
    (
        S::SEC_E_SHUTDOWN_IN_PROGRESS,
        "there is no service that shuts down",
    ),
    (S::SEC_E_KDC_INVALID_REQUEST, LEGACY),
    (S::SEC_E_KDC_UNABLE_TO_REFER, LEGACY),
    (
        S::SEC_E_KDC_UNKNOWN_ETYPE,
        "SEC_E_ALGORITHM_MISMATCH says it",
    ),
    (
        S::SEC_E_UNSUPPORTED_PREAUTH,
        "SEC_E_UNSUPPORTED_FUNCTION says it, with its cause",
    ),
    (
        S::SEC_E_DELEGATION_REQUIRED,
        "SEC_E_SECURITY_QOS_FAILED says it, with its cause",
    ),
    (S::SEC_E_MULTIPLE_ACCOUNTS, LEGACY),
    (S::SEC_E_NO_KERB_KEY, LEGACY),
    (
        S::SEC_E_DOWNGRADE_DETECTED,
        "SEC_E_MESSAGE_ALTERED says it: the list of mechanisms is proved by a MIC",
    ),
    (
        S::SEC_E_DELEGATION_POLICY,
        "SEC_E_SECURITY_QOS_FAILED says it, with its cause",
    ),
    (S::SEC_E_POLICY_NLTM_ONLY, "there is no such policy"),
    (S::SEC_E_NO_CONTEXT, "a handle is a context"),
    (S::SEC_E_MUTUAL_AUTH_FAILED, "SEC_E_WRONG_PRINCIPAL says it"),
];

#[test]
fn every_status_that_can_occur_does() {
    let domain = Domain::new();
    for (status, how, provoke) in OCCUR {
        let found = provoke(&domain).unwrap_or_else(|error| error.status());
        assert_eq!(found, *status, "{how}");
    }
}

#[test]
fn every_status_occurs_or_has_a_reason_not_to() {
    for status in SecurityStatus::ALL {
        let occurs = OCCUR.iter().filter(|(other, ..)| other == status).count();
        let never = NEVER.iter().filter(|(other, _)| other == status).count();
        assert_eq!(occurs + never, 1, "{status:?}");
    }
}

/// The statuses that occur, and how.
pub(crate) fn occurring() -> String {
    let mut table = String::from("| status | number | for instance |\n|---|---|---|\n");
    for (status, how, _) in OCCUR {
        table += &format!("| `{status:?}` | `{:#010X}` | {how} |\n", status.0);
    }
    table
}

/// Those that do not, and why.
pub(crate) fn missing() -> String {
    let mut table = String::from("| status | number | why not |\n|---|---|---|\n");
    for (status, why) in NEVER {
        table += &format!("| `{status:?}` | `{:#010X}` | {why} |\n", status.0);
    }
    table
}
