//! The two faces against each other: `sspi` on one side and `gss` on the other.
#![cfg(feature = "ntlm")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

#[allow(dead_code, reason = "the rest is for the tests of the face")]
#[path = "gss/support.rs"]
mod gss_side;
#[allow(dead_code, reason = "the rest is for the tests of the face")]
#[path = "sspi/support.rs"]
mod sspi_side;

use countersign::gss::{self, Context, GssError, Status};
use countersign::sspi::{
    CtxtHandle, ISC_REQ_CONFIDENTIALITY, ISC_REQ_INTEGRITY, ISC_REQ_MUTUAL_AUTH,
    ISC_REQ_REPLAY_DETECT, ISC_REQ_SEQUENCE_DETECT, SECBUFFER_DATA, SECBUFFER_PADDING,
    SECBUFFER_STREAM, SECBUFFER_TOKEN, SECPKG_CRED_INBOUND, SECPKG_CRED_OUTBOUND,
    SECQOP_WRAP_NO_ENCRYPT, SecBuffer, SecBufferDesc, SecPkgContextNames, SecPkgContextSizes,
    SecWinntAuthIdentity, SecurityStatus, SspiError, decrypt_message, encrypt_message,
    export_security_context, import_security_context, make_signature, query_context_attribute,
    verify_signature,
};
use countersign::token::oid::Oid;
use countersign::{ChannelBindingPolicy, ChannelBindings, Flags};
use gss_side::{Domain, USUAL, service};
use sspi_side::{Side, acquire};

const MESSAGE: &[u8] = b"who goes there";
const REQUESTED: u32 =
    ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT;

/// A package, the mechanism that it is, and what comes out of a negotiation.
struct Case {
    package: &'static str,
    mechanism: Oid<'static>,
    /// The user's domain, as the package calls it.
    domain: &'static str,
    /// What the other side calls the user.
    user: &'static str,
    mutual: bool,
}

const CASES: [Case; 3] = [
    Case {
        package: "Kerberos",
        mechanism: Oid::KERBEROS,
        domain: "EXAMPLE.COM",
        user: "alice@EXAMPLE.COM",
        mutual: true,
    },
    Case {
        package: "NTLM",
        mechanism: Oid::NTLMSSP,
        domain: "EXAMPLE",
        user: "EXAMPLE\\alice",
        mutual: false,
    },
    Case {
        package: "Negotiate",
        mechanism: Oid::SPNEGO,
        domain: "EXAMPLE.COM",
        user: "alice@EXAMPLE.COM",
        mutual: true,
    },
];

impl Case {
    fn requested(&self) -> u32 {
        REQUESTED | if self.mutual { ISC_REQ_MUTUAL_AUTH } else { 0 }
    }

    fn flags(&self) -> Flags {
        if self.mutual {
            USUAL
        } else {
            USUAL.difference(Flags::MUTUAL)
        }
    }

    fn identity(&self) -> SecWinntAuthIdentity {
        SecWinntAuthIdentity::new("alice", self.domain, "open sesame")
    }
}

/// The initiator is of `sspi`, the acceptor of `gss`.
fn sspi_to_gss(
    domain: &Domain,
    case: &Case,
    bindings: Option<&[u8]>,
    expected: &ChannelBindingPolicy,
) -> Result<(CtxtHandle, Context), String> {
    let identity = case.identity();
    let outbound = acquire(
        &domain.desk(),
        case.package,
        SECPKG_CRED_OUTBOUND,
        Some(&identity),
    );
    let sentry = domain.sentry(&[case.mechanism]);
    let mut client = Side::new(&outbound, case.requested());
    client.bindings = bindings;
    let mut server = None;
    let mut token: Option<Vec<u8>> = None;
    loop {
        let (progress, request) = client
            .initialize(token.as_deref())
            .map_err(|error: SspiError| error.to_string())?;
        let mut done = progress.status == SecurityStatus::SEC_E_OK;
        token = None;
        if !request.is_empty() {
            let step = gss::accept_sec_context(&mut server, &sentry, &request, expected)
                .map_err(|error: GssError| error.to_string())?;
            done &= step.status == Status::Complete;
            token = step.output_token;
        }
        if done && token.is_none() {
            return Ok((client.context.take().unwrap(), server.unwrap()));
        }
    }
}

/// The initiator is of `gss`, the acceptor of `sspi`.
fn gss_to_sspi(domain: &Domain, case: &Case) -> (Context, CtxtHandle) {
    let alice = domain.alice(&[case.mechanism]);
    let inbound = acquire(&domain.gate(), case.package, SECPKG_CRED_INBOUND, None);
    let mut server = Side::new(&inbound, 0);
    let mut client = None;
    let target = service("sentry@gate.example.com");
    let mut token: Option<Vec<u8>> = None;
    loop {
        let step = gss::init_sec_context(
            &alice,
            &mut client,
            &target,
            Some(case.mechanism),
            case.flags(),
            0,
            None,
            token.as_deref(),
        )
        .unwrap();
        let mut done = step.status == Status::Complete;
        token = None;
        if let Some(request) = step.output_token {
            let (progress, reply) = server.accept(Some(&request)).unwrap();
            done &= progress.status == SecurityStatus::SEC_E_OK;
            token = (!reply.is_empty()).then_some(reply);
        }
        if done && token.is_none() {
            return (client.unwrap(), server.context.take().unwrap());
        }
    }
}

/// A message of `sspi` as it goes over the wire.
fn encrypted(context: &mut CtxtHandle, qop: u32) -> Vec<u8> {
    let sizes: SecPkgContextSizes = query_context_attribute(context).unwrap();
    let (mut token, mut data) = (vec![0; sizes.security_trailer], MESSAGE.to_vec());
    let mut padding = vec![0; sizes.block_size];
    let mut message = SecBufferDesc::new([
        SecBuffer::new(SECBUFFER_TOKEN, &mut token),
        SecBuffer::new(SECBUFFER_DATA, &mut data),
        SecBuffer::new(SECBUFFER_PADDING, &mut padding),
    ]);
    encrypt_message(context, qop, &mut message, 0).unwrap();
    let buffers = message.into_buffers().into_iter();
    buffers.flat_map(SecBuffer::into_bytes).collect()
}

/// Sealed, signed, and a MIC, in both directions.
fn talk(sspi: &mut CtxtHandle, gss: &mut Context, name: &str) {
    let both = [(0, true), (SECQOP_WRAP_NO_ENCRYPT, false)];
    // NTLM knows one way to wrap.
    let ways = if name == "NTLM" { &both[..1] } else { &both };
    for &(qop, sealed) in ways {
        let token = encrypted(sspi, qop);
        let opened = gss::unwrap(gss, &token).unwrap();
        let plain = token.windows(MESSAGE.len()).any(|part| part == MESSAGE);
        assert_eq!(plain, !sealed && !opened.conf_state(), "{name}");
        assert_eq!(opened.in_order().unwrap(), MESSAGE, "{name}");

        let wrapped = gss::wrap(gss, sealed, 0, MESSAGE).unwrap();
        let mut whole = wrapped.token;
        let mut received = SecBufferDesc::new([
            SecBuffer::new(SECBUFFER_STREAM, &mut whole),
            SecBuffer::new(SECBUFFER_DATA, &mut []),
        ]);
        let qop = decrypt_message(sspi, &mut received, 0).unwrap();
        assert_eq!(qop == 0, wrapped.conf_state, "{name}");
        let data = received.find(SECBUFFER_DATA).unwrap();
        assert_eq!(data.bytes(), MESSAGE, "{name}");
    }

    let mut message = SecBufferDesc::new([
        SecBuffer::input(SECBUFFER_DATA, MESSAGE),
        SecBuffer::owned(SECBUFFER_TOKEN, Vec::new()),
    ]);
    make_signature(sspi, 0, &mut message, 0).unwrap();
    let mic = message.token().to_vec();
    gss::verify_mic(gss, MESSAGE, &mic)
        .unwrap()
        .in_order()
        .unwrap();
    assert!(gss::verify_mic(gss, b"somebody else", &mic).is_err());
    let mic = gss::get_mic(gss, 0, MESSAGE).unwrap();
    let signed = SecBufferDesc::new([
        SecBuffer::input(SECBUFFER_DATA, MESSAGE),
        SecBuffer::input(SECBUFFER_TOKEN, &mic),
    ]);
    assert_eq!(verify_signature(sspi, &signed, 0), Ok(0), "{name}");
}

fn shown(name: Option<gss::Name>) -> String {
    name.unwrap().identity().unwrap().to_string()
}

#[test]
fn an_initiator_of_sspi_meets_an_acceptor_of_gss() {
    let domain = Domain::new();
    for case in &CASES {
        let name = case.package;
        let ignore = ChannelBindingPolicy::Ignore;
        let (mut client, mut server) = sspi_to_gss(&domain, case, None, &ignore).unwrap();
        let info = gss::inquire_context(&server);
        assert_eq!(
            info.ctx_flags.contains(Flags::MUTUAL),
            case.mutual,
            "{name}"
        );
        assert_eq!(shown(info.src_name), case.user, "{name}");
        talk(&mut client, &mut server, name);

        // And on, after both have moved to another process.
        let packed = export_security_context(client, 0).unwrap();
        let desk = domain.desk();
        let mut client = import_security_context(&desk, case.package, &packed).unwrap();
        let exported = gss::export_sec_context(&mut Some(server)).unwrap();
        let mut server = gss::import_sec_context(&domain.gate(), &exported).unwrap();
        talk(&mut client, &mut server, name);
    }
}

#[test]
fn an_initiator_of_gss_meets_an_acceptor_of_sspi() {
    let domain = Domain::new();
    // A password's user of `gss` is one of Kerberos where both are there.
    for case in CASES.iter().filter(|case| case.package != "NTLM") {
        let (mut client, mut server) = gss_to_sspi(&domain, case);
        let names: SecPkgContextNames = query_context_attribute(&server).unwrap();
        assert_eq!(names.user_name, "EXAMPLE\\alice", "{}", case.package);
        talk(&mut server, &mut client, case.package);
    }
}

#[test]
fn bindings_of_sspi_are_those_of_gss() {
    let domain = Domain::new();
    let right = ChannelBindings::from_application_data(*b"tls-exporter:right");
    let wrong = ChannelBindings::from_application_data(*b"tls-exporter:wrong");
    let blob = right.to_sec_channel_bindings();
    for case in &CASES {
        let with = |bindings: &ChannelBindings| {
            let expected = ChannelBindingPolicy::Required(bindings.clone());
            sspi_to_gss(&domain, case, Some(&blob), &expected).map(|_| ())
        };
        assert_eq!(with(&right), Ok(()), "{}", case.package);
        assert!(with(&wrong).is_err(), "{}", case.package);
    }
}
