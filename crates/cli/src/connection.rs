//! One TCP connection: the handshake, then frames with messages in them.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use countersign::handshake::{
    self, GssSample, Handshake, Leg, LengthPrefixed, framing::TokenFlags,
};
use countersign::token::der::Decode;
use countersign::token::framing::InitialToken;
use countersign::token::kerberos::KrbError;
use countersign::token::kerberos::gss_token::{self, TokenId};
use countersign::{Answer, Need, Policy, SecurityContext, krb_error_name};

use crate::args::FramingName;
use crate::failure::Failure;

/// Longest message of an established context in bytes. Whoever sends it has authenticated.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// A frame after the handshake. With length framing there are no flags.
pub(crate) struct Frame {
    pub(crate) flags: TokenFlags,
    pub(crate) payload: Vec<u8>,
}

/// A connection whose frames can be read and written.
pub(crate) struct Connection {
    stream: TcpStream,
    framing: FramingName,
    timeout: Duration,
}

impl Connection {
    /// Gives up after so many seconds of silence.
    pub(crate) fn new(stream: TcpStream, framing: FramingName, seconds: u64) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let timeout = Duration::from_secs(seconds);
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        Ok(Self {
            stream,
            framing,
            timeout,
        })
    }

    /// Establishes the context.
    pub(crate) fn establish(
        &mut self,
        handshake: Handshake,
        policy: Policy,
        observer: impl FnMut(Leg<'_>) + Send + 'static,
    ) -> Result<Box<SecurityContext>, Failure> {
        self.establish_with(handshake, policy, observer, |_| None)
    }

    /// The same for a mechanism that asks for something on the way.
    pub(crate) fn establish_with(
        &mut self,
        handshake: Handshake,
        policy: Policy,
        mut observer: impl FnMut(Leg<'_>) + Send + 'static,
        answer: impl FnMut(&Need) -> Option<Answer>,
    ) -> Result<Box<SecurityContext>, Failure> {
        let told = Arc::new(AtomicI32::new(0));
        let seen = Arc::clone(&told);
        let handshake = handshake
            .policy(policy)
            .timeout(self.timeout)
            .observe(move |leg| {
                observer(leg);
                if let Some(code) = krb_error_code(leg.token) {
                    seen.store(code, Ordering::Relaxed);
                }
            });
        let handshake = match self.framing {
            FramingName::Length => handshake.framing(LengthPrefixed),
            FramingName::GssSample => handshake.framing(GssSample),
        };
        handshake
            .run_on_socket_with(&mut self.stream, answer)
            .map_err(|error| explain(error, &told))
    }

    /// The next frame; `None` where the peer has closed between two frames.
    pub(crate) fn receive(&mut self) -> Result<Option<Frame>, Failure> {
        let mut header = Vec::new();
        let wanted = match self.framing {
            FramingName::Length => LengthPrefixed::HEADER,
            FramingName::GssSample => GssSample::HEADER,
        };
        read_up_to(&mut self.stream, wanted, &mut header)?;
        if header.is_empty() {
            return Ok(None);
        }
        let (flags, length) = match (self.framing, header.as_slice()) {
            (FramingName::Length, &[a, b, c, d]) => {
                (TokenFlags::DATA, u32::from_be_bytes([a, b, c, d]))
            }
            (FramingName::GssSample, &[flags, a, b, c, d]) => (
                TokenFlags::from_bits(flags),
                u32::from_be_bytes([a, b, c, d]),
            ),
            _ => return Err(cut_short(header.len(), wanted.saturating_sub(header.len()))),
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > MAX_MESSAGE {
            return Err(Failure::refused(format!(
                "the peer announces a message of {length} bytes, the limit is {MAX_MESSAGE}"
            )));
        }
        let mut payload = Vec::new();
        read_up_to(&mut self.stream, length, &mut payload)?;
        if payload.len() < length {
            let received = header.len().saturating_add(payload.len());
            return Err(cut_short(received, length.saturating_sub(payload.len())));
        }
        Ok(Some(Frame { flags, payload }))
    }

    pub(crate) fn send(&mut self, flags: TokenFlags, payload: &[u8]) -> Result<(), Failure> {
        use countersign::handshake::Framing;
        let mut frame = Vec::new();
        match self.framing {
            FramingName::Length => LengthPrefixed.encode(payload, &mut frame),
            FramingName::GssSample => GssSample::encode_frame(flags, payload, &mut frame),
        }
        .map_err(|error| Failure::refused(error.to_string()))?;
        self.stream.write_all(&frame)?;
        Ok(self.stream.flush()?)
    }
}

fn cut_short(received: usize, missing: usize) -> Failure {
    Failure::refused(format!(
        "the peer closed the connection after {received} bytes of a frame, {missing} or more were \
         missing"
    ))
}

/// Memory follows what has really come.
fn read_up_to(stream: &mut TcpStream, length: usize, into: &mut Vec<u8>) -> io::Result<()> {
    let limit = u64::try_from(length).unwrap_or(u64::MAX);
    stream.take(limit).read_to_end(into).map(drop)
}

/// The code of a KRB-ERROR token, framed as RFC 4121 §4.1 has it or bare.
fn krb_error_code(token: &[u8]) -> Option<i32> {
    let inner = InitialToken::parse(token).map_or(token, |framed| framed.inner);
    let message = gss_token::expect(inner, TokenId::KrbError).unwrap_or(inner);
    KrbError::from_der(message)
        .ok()
        .map(|error| error.error_code)
}

/// A connection that ends after a KRB-ERROR has ended because of it.
fn explain(error: handshake::Error, told: &AtomicI32) -> Failure {
    let code = told.load(Ordering::Relaxed);
    let reported = error.refusal().and_then(countersign::Error::krb_error_code);
    if code == 0 || reported == Some(code) {
        return error.into();
    }
    let hint = if code == 37 {
        "clock skew, set both clocks"
    } else {
        krb_error_name(code)
    };
    Failure::refused(format!(
        "{error}; before that, KRB-ERROR {code} was exchanged ({hint})"
    ))
}
