//! As much of LDAP as an authenticated bind takes: RFC 4511 §4.2 with the SASL mechanisms GSSAPI (RFC 4752)
//! and GSS-SPNEGO (MS-ADTS §5.1.1.1.2), and a search under the protection that they brought.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use countersign_context::{Answer, Mechanism, Need, SecurityContext, Step};
use countersign_handshake::SystemEnvironment;

use crate::Result;
use crate::kdc::client::text;
use crate::kdc::lab::Lab;

/// The security layers of RFC 4752 §3.3.
const INTEGRITY: u8 = 2;
const CONFIDENTIALITY: u8 = 4;

const SASL_BIND_IN_PROGRESS: u8 = 14;

/// How a context is established within a bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sasl {
    /// Kerberos, then an agreement on the protection.
    Gssapi,
    /// SPNEGO, whose context's flags are the agreement.
    GssSpnego,
}

impl Sasl {
    const fn name(self) -> &'static str {
        match self {
            Self::Gssapi => "GSSAPI",
            Self::GssSpnego => "GSS-SPNEGO",
        }
    }
}

/// Binds to the domain controller and reads an attribute of an account, which it shows to nobody who has
/// not authenticated.
pub(crate) fn read_attribute(
    sasl: Sasl,
    initiator: Box<dyn Mechanism>,
    lab: &Lab,
    seal: bool,
    (account, attribute): (&str, &str),
) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.10", 389)).map_err(|e| format!("LDAP: {e}"))?;
    let patience = Some(Duration::from_secs(15));
    stream.set_read_timeout(patience).map_err(text)?;
    let (mut context, bound) = authenticate(&mut stream, sasl, initiator, lab)?;
    if sasl == Sasl::Gssapi {
        agree(&mut stream, &mut context, bound.credentials, seal)?;
    } else if bound.code != 0 {
        return Err(format!("bind: {bound:?}"));
    }

    // RFC 4511 §4.5.1: the object itself, if it is there at all; one attribute.
    let request = [
        tlv(
            0x04,
            format!("CN={account},CN=Users,DC=ad,DC=test").as_bytes(),
        ),
        tlv(0x0a, &[0]),
        tlv(0x0a, &[0]),
        tlv(0x02, &[0]),
        tlv(0x02, &[0]),
        tlv(0x01, &[0]),
        tlv(0x87, b"objectClass"),
        tlv(0x30, &tlv(0x04, attribute.as_bytes())),
    ];
    let request = tlv(0x63, &request.concat());
    let request = context.wrap(seal, &message(&request)).map_err(text)?;
    let length = u32::try_from(request.len()).map_err(text)?;
    let framed = [&length.to_be_bytes()[..], &request].concat();
    stream.write_all(&framed).map_err(text)?;
    let answer = read_exactly(&mut stream, 4)?;
    let length = answer
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let answer = context
        .unwrap(&read_exactly(&mut stream, length.min(65_536))?)
        .map_err(text)?;
    if answer.sealed != seal {
        return Err("the answer has the other protection".into());
    }
    let entry = operation(&answer.message)?;
    first_value(entry).ok_or_else(|| format!("no value in {entry:02x?}"))
}

/// The first value of the first attribute of a SearchResultEntry, RFC 4511 §4.5.2.
fn first_value(entry: &[u8]) -> Option<String> {
    let attributes = elements(entry).ok()?.get(1)?.1;
    let attribute = elements(attributes).ok()?.first()?.1;
    let values = elements(attribute).ok()?.get(1)?.1;
    let value = elements(values).ok()?.first()?.1;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// RFC 4752 §3.1: the client answers with an empty token, and the server offers layers.
fn agree(
    stream: &mut TcpStream,
    context: &mut SecurityContext,
    mut reply: Vec<u8>,
    seal: bool,
) -> Result<()> {
    if reply.is_empty() {
        reply = bind(stream, Sasl::Gssapi, Some(b""))?.credentials;
    }
    let offer = context.unwrap(&reply).map_err(text)?.message;
    let layer = if seal { CONFIDENTIALITY } else { INTEGRITY };
    match offer.as_slice() {
        [layers, _, _, _] if layers & layer != 0 => {}
        other => return Err(format!("the server offers {other:?}")),
    }
    let choice = context.wrap(false, &[layer, 0, 0xff, 0xff]).map_err(text)?;
    match bind(stream, Sasl::Gssapi, Some(&choice))? {
        Bound { code: 0, .. } => Ok(()),
        bound => Err(format!("bind: {bound:?}")),
    }
}

/// The context, and the last that the server said on the way.
fn authenticate(
    stream: &mut TcpStream,
    sasl: Sasl,
    mut initiator: Box<dyn Mechanism>,
    lab: &Lab,
) -> Result<(Box<SecurityContext>, Bound)> {
    let mut system = SystemEnvironment::new();
    let client = lab.client()?;
    let mut last = Bound {
        code: SASL_BIND_IN_PROGRESS,
        credentials: Vec::new(),
    };
    let mut step = initiator.step(None, &mut system.environment());
    for _ in 0..32 {
        step = match step.map_err(text)? {
            Step::Need(Need::Kdc(request)) => {
                let answer = Answer::Kdc(client.answer(&request, None));
                initiator.resume(answer, &mut system.environment())
            }
            Step::Need(need) => return Err(format!("needs {need:?}")),
            Step::Continue { token } => {
                last = bind(stream, sasl, Some(&token))?;
                if !matches!(last.code, 0 | SASL_BIND_IN_PROGRESS) {
                    return Err(format!("bind: {last:?}"));
                }
                initiator.step(Some(&last.credentials), &mut system.environment())
            }
            Step::Established { token, context } => {
                let beyond = match token {
                    Some(token) => bind(stream, sasl, Some(&token))?,
                    // What it said last was the context's.
                    None => Bound {
                        credentials: Vec::new(),
                        ..last
                    },
                };
                return Ok((context, beyond));
            }
        };
    }
    Err("the handshake does not end".into())
}

/// A BindResponse.
#[derive(Debug)]
struct Bound {
    code: u8,
    credentials: Vec<u8>,
}

fn bind(stream: &mut TcpStream, sasl: Sasl, credentials: Option<&[u8]>) -> Result<Bound> {
    let mut sasl = tlv(0x04, sasl.name().as_bytes());
    sasl.extend(credentials.map(|c| tlv(0x04, c)).unwrap_or_default());
    let request = [tlv(0x02, &[3]), tlv(0x04, b""), tlv(0xa3, &sasl)].concat();
    stream
        .write_all(&message(&tlv(0x60, &request)))
        .map_err(text)?;
    let response = read_message(stream)?;
    let elements = elements(operation(&response)?)?;
    let code = match elements.first() {
        Some((0x0a, [code])) => *code,
        other => return Err(format!("no result code: {other:?}")),
    };
    let credentials = elements.iter().find(|(tag, _)| *tag == 0x87);
    Ok(Bound {
        code,
        credentials: credentials.map_or_else(Vec::new, |(_, value)| value.to_vec()),
    })
}

/// An LDAPMessage, RFC 4511 §4.1.1. One request is under way at a time, so all have one number.
fn message(operation: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(0x02, &[1]), operation].concat())
}

fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(value.len()) {
        Ok(length @ 0..=127) => out.push(length),
        _ => {
            let length = u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes();
            out.push(0x84);
            out.extend_from_slice(&length);
        }
    }
    out.extend_from_slice(value);
    out
}

fn read_exactly(stream: &mut TcpStream, length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    stream
        .read_exact(&mut bytes)
        .map_err(|e| format!("LDAP: {e}"))?;
    Ok(bytes)
}

/// Reads one message without protection.
fn read_message(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut bytes = read_exactly(stream, 2)?;
    let count = match bytes.get(1) {
        Some(length @ 0..=127) => {
            bytes.extend(read_exactly(stream, usize::from(*length))?);
            return Ok(bytes);
        }
        Some(form) => usize::from(form & 0x7f).min(4),
        None => return Err("LDAP: no length".into()),
    };
    let length = read_exactly(stream, count)?;
    let value = length
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    bytes.extend(length);
    bytes.extend(read_exactly(stream, value.min(65_536))?);
    Ok(bytes)
}

/// The contents of the operation in an LDAPMessage.
fn operation(message: &[u8]) -> Result<&[u8]> {
    let outer = elements(message)?;
    let (_, contents) = outer.first().ok_or("LDAP: an empty message")?;
    let inner = elements(contents)?;
    let (_, operation) = inner.get(1).ok_or("LDAP: no operation")?;
    Ok(operation)
}

/// The elements one after the other.
fn elements(mut bytes: &[u8]) -> Result<Vec<(u8, &[u8])>> {
    let mut elements = Vec::new();
    while let [tag, first, rest @ ..] = bytes {
        let (length, rest) = if *first < 128 {
            (usize::from(*first), rest)
        } else {
            let (length, rest) = rest
                .split_at_checked(usize::from(first & 0x7f))
                .ok_or("LDAP: a length that is cut off")?;
            (
                length
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
                rest,
            )
        };
        let (value, rest) = rest
            .split_at_checked(length)
            .ok_or("LDAP: an element that is cut off")?;
        elements.push((*tag, value));
        bytes = rest;
    }
    Ok(elements)
}
