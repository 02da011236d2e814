//! The walk over a token: a stack of open containers on the heap, so that no input is too deep.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::names::{CHECKSUMS, name};
use super::shape::{self, NEG_TOKEN_INIT, NEG_TOKEN_RESP, Parts, Shape};
use super::{Line, MAX_DEPTH, MAX_LINES};
use crate::der::{Decode, Reader, Tag};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::framing::InitialToken;
use crate::kerberos::cfx::{HEADER_LEN, MicHeader, WrapHeader};
use crate::kerberos::gss_token::{self, TokenId};
use crate::kerberos::rfc1964::Rfc1964Header;
use crate::kerberos::{
    ApRep, ApReq, AsRep, AsReq, Authenticator, EncApRepPart, EncAsRepPart, EncKrbCredPart,
    EncKrbPrivPart, EncTgsRepPart, EncTicketPart, GssChecksum, KerberosString, KerberosTime,
    KrbCred, KrbError, KrbPriv, KrbSafe, TgsRep, TgsReq, Ticket,
};
use crate::oid::Oid;

/// An open container.
struct Frame<'a> {
    reader: Reader<'a>,
    depth: usize,
    inside: Inside,
    /// The last number among the fields, which gives octets beside it a meaning.
    number: Option<i64>,
}

/// What the elements of a container are.
#[derive(Clone, Copy)]
enum Inside {
    Fields(Parts),
    List(&'static str, &'static Shape),
    Unknown,
}

/// The state of a walk.
pub(super) struct Walk<'a> {
    lines: Vec<Line>,
    stack: Vec<Frame<'a>>,
    /// What a typed decoder says of a message, to be shown where the walk saw nothing wrong.
    verdict: Option<DecodeError>,
}

impl<'a> Walk<'a> {
    pub(super) fn of(token: &'a [u8]) -> Vec<Line> {
        let mut walk = Self {
            lines: Vec::new(),
            stack: Vec::new(),
            verdict: None,
        };
        walk.token("token", Reader::new(token), 0);
        while let Some(frame) = walk.stack.last_mut() {
            if walk.lines.len() >= MAX_LINES {
                let (depth, offset) = (frame.depth, frame.reader.offset());
                walk.line(
                    depth,
                    offset,
                    "more",
                    format!("only {MAX_LINES} lines are shown"),
                );
                break;
            }
            if frame.reader.is_empty() {
                walk.stack.pop();
            } else {
                walk.element();
            }
        }
        walk.conclude()
    }

    /// Puts the typed decoder's verdict at the line it is about.
    fn conclude(mut self) -> Vec<Line> {
        if let Some(verdict) = self.verdict
            && self.lines.iter().all(|line| line.error.is_none())
            && let Some(line) = self
                .lines
                .iter_mut()
                .rev()
                .find(|line| line.offset <= verdict.offset())
        {
            line.error = Some(verdict);
        }
        self.lines
    }

    fn line(&mut self, depth: usize, offset: usize, label: &str, value: String) {
        self.lines.push(Line {
            depth,
            offset,
            label: label.to_string(),
            value,
            error: None,
        });
    }

    fn broken(&mut self, depth: usize, rest: Reader<'_>, error: DecodeError) {
        self.lines.push(Line {
            depth,
            offset: rest.offset(),
            label: "undecodable".to_string(),
            value: hex(rest.remaining()),
            error: Some(error),
        });
    }

    fn open(&mut self, reader: Reader<'a>, depth: usize, inside: Inside) {
        if depth > MAX_DEPTH {
            let error = DecodeErrorKind::TooDeep { limit: MAX_DEPTH };
            let error = DecodeError::new(reader.offset(), error);
            self.broken(depth, reader, error);
            return;
        }
        self.stack.push(Frame {
            reader,
            depth,
            inside,
            number: None,
        });
    }

    /// Shows the next element of the innermost open container.
    fn element(&mut self) {
        let Some(frame) = self.stack.last_mut() else {
            return;
        };
        let (depth, before, inside) = (frame.depth, frame.reader, frame.inside);
        let (tag, mut contents) = match frame.reader.read_any() {
            Ok(element) => element,
            Err(error) => {
                frame.reader = Reader::new(&[]);
                return self.broken(depth, before, error);
            }
        };
        let offset = before.offset();
        match inside {
            Inside::Fields(parts) => {
                let part = parts.iter().find(|part| tag == Tag::context(part.0));
                let Some(part) = part else {
                    return self.unknown(&tag.to_string(), depth, offset, tag, contents);
                };
                let whole = contents;
                match contents.read_any() {
                    Ok((tag, value)) => {
                        self.value(part.1, depth, offset, tag, value, &part.2);
                        if let Err(error) = contents.finish() {
                            self.broken(depth.saturating_add(1), contents, error);
                        }
                    }
                    Err(error) => {
                        self.line(depth, offset, part.1, String::new());
                        self.broken(depth.saturating_add(1), whole, error);
                    }
                }
            }
            Inside::List(name, shape) => self.value(name, depth, offset, tag, contents, shape),
            Inside::Unknown => {
                self.unknown(&tag.to_string(), depth, offset, tag, contents);
            }
        }
    }

    /// Shows a value that should have a shape.
    fn value(
        &mut self,
        label: &str,
        depth: usize,
        offset: usize,
        tag: Tag,
        contents: Reader<'a>,
        shape: &'static Shape,
    ) {
        let below = depth.saturating_add(1);
        let octets = contents.remaining();
        match (shape, tag) {
            (Shape::Message(number, message, parts), _) if tag == Tag::application(*number) => {
                let mut outer = contents;
                let text = if label == "token" { *message } else { label };
                let value = if label == "token" {
                    String::new()
                } else {
                    (*message).to_string()
                };
                self.line(depth, offset, text, value);
                match outer.read(Tag::SEQUENCE) {
                    Ok(fields) => self.open(fields, below, Inside::Fields(parts)),
                    Err(error) => return self.broken(below, contents, error),
                }
                if let Err(error) = outer.finish() {
                    self.broken(below, outer, error);
                }
            }
            (Shape::Fields(parts), Tag::SEQUENCE) => {
                self.line(depth, offset, label, String::new());
                self.open(contents, below, Inside::Fields(parts));
            }
            (Shape::List(element, shape), Tag::SEQUENCE) => {
                self.line(depth, offset, label, String::new());
                self.open(contents, below, Inside::List(element, shape));
            }
            (Shape::Number(names), Tag::INTEGER | Tag::ENUMERATED) => {
                let Some(number) = number(octets) else {
                    return self.unknown(label, depth, offset, tag, contents);
                };
                if let Some(frame) = self.stack.last_mut() {
                    frame.number = Some(number);
                }
                let value = match name(names, number) {
                    Some(name) => format!("{number} {name}"),
                    None => number.to_string(),
                };
                self.line(depth, offset, label, value);
            }
            (Shape::Text, Tag::GENERAL_STRING) => {
                self.line(
                    depth,
                    offset,
                    label,
                    format!("{:?}", KerberosString::new(octets)),
                );
            }
            (Shape::Time, Tag::GENERALIZED_TIME) => {
                self.line(depth, offset, label, time(octets));
            }
            (Shape::Flags(names), Tag::BIT_STRING) => {
                let mut padded = [0; 4];
                for (to, from) in padded.iter_mut().zip(octets.iter().skip(1)) {
                    *to = *from;
                }
                self.line(depth, offset, label, names(u32::from_be_bytes(padded)));
            }
            (Shape::Secret, Tag::OCTET_STRING) => {
                self.line(
                    depth,
                    offset,
                    label,
                    format!("{} bytes, not shown", octets.len()),
                );
            }
            (Shape::Cipher, Tag::OCTET_STRING) => {
                self.line(
                    depth,
                    offset,
                    label,
                    format!("{} bytes, encrypted", octets.len()),
                );
            }
            (Shape::GssChecksum, Tag::OCTET_STRING) => {
                self.gss_checksum(label, depth, offset, contents);
            }
            (Shape::Typed(shapes), Tag::OCTET_STRING) => {
                self.typed(label, depth, offset, contents, shapes);
            }
            (Shape::Token, Tag::OCTET_STRING) => {
                self.line(depth, offset, label, format!("{} bytes", octets.len()));
                self.token("token", contents, below);
            }
            _ => self.unknown(label, depth, offset, tag, contents),
        }
    }

    /// Octets that the number beside them may give a shape.
    fn typed(
        &mut self,
        label: &str,
        depth: usize,
        offset: usize,
        contents: Reader<'a>,
        shapes: &'static [(i32, &'static Shape)],
    ) {
        let number = self.stack.last().and_then(|frame| frame.number);
        let shape = shapes
            .iter()
            .find(|(known, _)| number == Some(i64::from(*known)))
            .map(|(_, shape)| *shape);
        match shape {
            Some(Shape::GssChecksum) => self.gss_checksum(label, depth, offset, contents),
            Some(shape) if !contents.is_empty() => {
                let below = depth.saturating_add(1);
                let value = format!("{} bytes", contents.remaining().len());
                self.line(depth, offset, label, value);
                let inside = match shape {
                    Shape::Message(_, name, _) => Inside::List(name, shape),
                    _ => Inside::List("value", shape),
                };
                self.open(contents, below, inside);
            }
            _ => self.line(depth, offset, label, hex(contents.remaining())),
        }
    }

    /// A value of no known shape, by its tag alone.
    fn unknown(&mut self, label: &str, depth: usize, offset: usize, tag: Tag, at: Reader<'a>) {
        let octets = at.remaining();
        let value = match tag {
            _ if tag.is_constructed() => {
                let kind = tag.to_string();
                let value = if kind == label { String::new() } else { kind };
                self.line(depth, offset, label, value);
                return self.open(at, depth.saturating_add(1), Inside::Unknown);
            }
            Tag::INTEGER | Tag::ENUMERATED => {
                number(octets).map_or_else(|| hex(octets), |number| number.to_string())
            }
            Tag::GENERALIZED_TIME => time(octets),
            Tag::OID => {
                Oid::from_contents(octets).map_or_else(|_| hex(octets), |oid| mechanism(oid))
            }
            Tag::GENERAL_STRING | Tag::UTF8_STRING => {
                format!("{:?}", KerberosString::new(octets))
            }
            _ => hex(octets),
        };
        self.line(depth, offset, label, value);
    }

    /// The checksum field of a GSS-API authenticator, RFC 4121 4.1.1.
    fn gss_checksum(&mut self, label: &str, depth: usize, offset: usize, contents: Reader<'a>) {
        let octets = contents.remaining();
        let (at, below) = (contents.offset(), depth.saturating_add(1));
        let name = name(CHECKSUMS, i64::from(GssChecksum::TYPE)).unwrap_or_default();
        self.line(
            depth,
            offset,
            label,
            format!("{} bytes, {name}", octets.len()),
        );
        let checksum = match GssChecksum::parse(octets) {
            Ok(checksum) => checksum,
            Err(error) => {
                let place = at.saturating_add(error.offset());
                return self.broken(below, contents, DecodeError::new(place, error.kind()));
            }
        };
        let bindings = if checksum.has_bindings() {
            hex(&checksum.bindings)
        } else {
            "none".to_string()
        };
        self.line(below, at.saturating_add(4), "Bnd", bindings);
        let names: Vec<_> = checksum.flags.names().collect();
        let flags = format!("{:#010x} {}", checksum.flags.0, names.join(" "));
        self.line(below, at.saturating_add(20), "Flags", flags);
        if let Some(credentials) = checksum.delegation {
            let start = at.saturating_add(28);
            self.line(
                below,
                start,
                "Deleg",
                format!("{} bytes", credentials.len()),
            );
            self.token(
                "token",
                Reader::at(credentials, start),
                below.saturating_add(1),
            );
        }
        for extension in checksum.extensions {
            let value = format!("type {}, {}", extension.kind, hex(extension.data));
            let end = at.saturating_add(octets.len());
            self.line(
                below,
                end.saturating_sub(checksum.extensions.as_bytes().len()),
                "Ext",
                value,
            );
        }
    }

    /// A token of any kind.
    fn token(&mut self, label: &str, token: Reader<'a>, depth: usize) {
        let bytes = token.remaining();
        let (offset, below) = (token.offset(), depth.saturating_add(1));
        match bytes {
            [] => self.line(depth, offset, label, "empty".to_string()),
            [0x60, ..] => self.framed(token, depth),
            [0x04 | 0x05, 0x04, ..] if bytes.len() >= HEADER_LEN && bytes.get(3) == Some(&0xff) => {
                self.per_message(token, depth);
            }
            [1, 1, ..] | [2, 1, ..] if bytes.len() >= Rfc1964Header::LEN => {
                self.identified(token, depth);
            }
            [1..=3, 0, 0x60..=0x7f, ..] => self.identified(token, depth),
            [0xa0, ..] => self.negotiation("NegTokenInit", token, depth, &NEG_TOKEN_INIT),
            [0xa1, ..] => self.negotiation("NegTokenResp", token, depth, &NEG_TOKEN_RESP),
            [b'N', b'T', b'L', b'M', b'S', b'S', b'P', 0, kind, ..] => {
                let kind = match kind {
                    1 => "NEGOTIATE",
                    2 => "CHALLENGE",
                    3 => "AUTHENTICATE",
                    _ => "unknown",
                };
                self.line(
                    depth,
                    offset,
                    "NTLM message",
                    format!("{kind}, {} bytes", bytes.len()),
                );
            }
            // RFC 4120 7.2.2: the length that precedes a message on TCP.
            [a, b, c, d, rest @ ..]
                if usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])) == Ok(rest.len())
                    && rest.first().is_some_and(|first| first & 0xe0 == 0x60) =>
            {
                self.line(depth, offset, "TCP length", rest.len().to_string());
                self.message(Reader::at(rest, offset.saturating_add(4)), below);
            }
            [first, ..] if first & 0xe0 == 0x60 => self.message(token, depth),
            _ => self.open(token, depth, Inside::Unknown),
        }
    }

    /// RFC 2743 3.1.
    fn framed(&mut self, token: Reader<'a>, depth: usize) {
        let (offset, below) = (token.offset(), depth.saturating_add(1));
        let mut outer = token;
        let opened = outer.read(InitialToken::TAG).and_then(|mut inner| {
            let at = inner.offset();
            Oid::decode(&mut inner).map(|oid| (at, oid, inner))
        });
        let (at, oid, inner) = match opened {
            Ok(opened) => opened,
            Err(error) => return self.broken(depth, token, error),
        };
        self.line(depth, offset, "GSS-API token", mechanism(oid));
        self.line(below, at, "thisMech", oid.to_string());
        if let Err(error) = outer.finish() {
            self.broken(below, outer, error);
        }
        if oid.is_kerberos() || oid == Oid::KERBEROS_USER_TO_USER || oid == Oid::IAKERB {
            self.identified(inner, below);
        } else {
            self.token("innerContextToken", inner, below);
        }
    }

    /// RFC 4121 4.1, RFC 1964 1.1: two octets, then what they say.
    fn identified(&mut self, token: Reader<'a>, depth: usize) {
        let bytes = token.remaining();
        let offset = token.offset();
        let (id, rest) = match gss_token::split(bytes) {
            Ok(split) => split,
            Err(error) => {
                let place = offset.saturating_add(error.offset());
                return self.broken(depth, token, DecodeError::new(place, error.kind()));
            }
        };
        let [a, b] = id.to_bytes();
        match id {
            TokenId::Mic | TokenId::Wrap => return self.per_message(token, depth),
            TokenId::Rfc1964Mic | TokenId::Rfc1964Wrap => return self.rfc1964(token, depth),
            _ => self.line(
                depth,
                offset,
                "TOK_ID",
                format!("{a:02x} {b:02x} {}", id.name()),
            ),
        }
        let rest = Reader::at(rest, offset.saturating_add(2));
        match id {
            TokenId::ApReq | TokenId::ApRep | TokenId::KrbError => self.message(rest, depth),
            _ => self.open(rest, depth, Inside::Unknown),
        }
    }

    /// RFC 4121 4.2.6.
    fn per_message(&mut self, token: Reader<'a>, depth: usize) {
        let bytes = token.remaining();
        let (offset, below) = (token.offset(), depth.saturating_add(1));
        let at = |place: usize| offset.saturating_add(place);
        let (name, flags, seq, rest) = match (MicHeader::parse(bytes), WrapHeader::parse(bytes)) {
            (Ok((mic, rest)), _) => {
                self.line(depth, offset, "MIC token", format!("{} bytes", bytes.len()));
                ("SGN_CKSUM", mic.flags, mic.seq, rest)
            }
            (_, Ok((wrap, rest))) => {
                self.line(
                    depth,
                    offset,
                    "Wrap token",
                    format!("{} bytes", bytes.len()),
                );
                self.line(below, at(4), "EC", wrap.ec.to_string());
                self.line(below, at(6), "RRC", wrap.rrc.to_string());
                ("data", wrap.flags, wrap.seq, rest)
            }
            (Err(mic), Err(wrap)) => {
                let error = if bytes.first() == Some(&5) { wrap } else { mic };
                let error = DecodeError::new(at(error.offset()), error.kind());
                return self.broken(depth, token, error);
            }
        };
        let mut text = format!("{:#04x}", flags.0);
        for (bit, name) in [(1, "SentByAcceptor"), (2, "Sealed"), (4, "AcceptorSubkey")] {
            if flags.0 & bit != 0 {
                let _ = write!(text, " {name}");
            }
        }
        self.line(below, at(2), "Flags", text);
        self.line(below, at(8), "SND_SEQ", seq.to_string());
        self.line(below, at(HEADER_LEN), name, hex(rest));
    }

    /// RFC 1964 1.2.
    fn rfc1964(&mut self, token: Reader<'a>, depth: usize) {
        let bytes = token.remaining();
        let (offset, below) = (token.offset(), depth.saturating_add(1));
        let at = |place: usize| offset.saturating_add(place);
        match Rfc1964Header::parse(bytes) {
            Ok((header, rest)) => {
                let value = format!("{}, {} bytes", header.tok_id.name(), bytes.len());
                self.line(depth, offset, "per-message token", value);
                self.line(below, at(2), "SGN_ALG", format!("{:#06x}", header.sgn_alg));
                self.line(
                    below,
                    at(4),
                    "SEAL_ALG",
                    format!("{:#06x}", header.seal_alg),
                );
                self.line(below, at(8), "SND_SEQ", hex(&header.snd_seq));
                self.line(below, at(16), "SGN_CKSUM", hex(&header.sgn_cksum));
                self.line(below, at(Rfc1964Header::LEN), "data", hex(rest));
            }
            Err(error) => {
                let error = DecodeError::new(at(error.offset()), error.kind());
                self.broken(depth, token, error);
            }
        }
    }

    /// RFC 4178 4.2: an explicitly tagged alternative.
    fn negotiation(
        &mut self,
        name: &'static str,
        token: Reader<'a>,
        depth: usize,
        shape: &'static Shape,
    ) {
        let mut outer = token;
        match outer.read_any() {
            Ok((_, inner)) => {
                let offset = token.offset();
                self.line(depth, offset, "SPNEGO", name.to_string());
                if let Err(error) = outer.finish() {
                    self.broken(depth.saturating_add(1), outer, error);
                }
                self.open(inner, depth.saturating_add(1), Inside::List(name, shape));
            }
            Err(error) => self.broken(depth, token, error),
        }
    }

    /// A message of RFC 4120, by its tag.
    fn message(&mut self, token: Reader<'a>, depth: usize) {
        let shape = token.peek().and_then(|tag| shape::message(tag.number()));
        let Some(shape) = shape else {
            return self.open(token, depth, Inside::Unknown);
        };
        if self.verdict.is_none() {
            self.verdict = token
                .peek()
                .and_then(|tag| check(tag.number(), token).err());
        }
        self.open(token, depth, Inside::List("token", shape));
    }
}

/// What the typed decoder of the message with this tag number says.
fn check(number: u8, token: Reader<'_>) -> Result<(), DecodeError> {
    fn typed<'a, T: Decode<'a>>(mut reader: Reader<'a>) -> Result<(), DecodeError> {
        T::decode(&mut reader)?;
        reader.finish()
    }
    match number {
        1 => typed::<Ticket<'_>>(token),
        2 => typed::<Authenticator<'_>>(token),
        3 => typed::<EncTicketPart<'_>>(token),
        10 => typed::<AsReq<'_>>(token),
        11 => typed::<AsRep<'_>>(token),
        12 => typed::<TgsReq<'_>>(token),
        13 => typed::<TgsRep<'_>>(token),
        14 => typed::<ApReq<'_>>(token),
        15 => typed::<ApRep<'_>>(token),
        20 => typed::<KrbSafe<'_>>(token),
        21 => typed::<KrbPriv<'_>>(token),
        22 => typed::<KrbCred<'_>>(token),
        25 => typed::<EncAsRepPart<'_>>(token),
        26 => typed::<EncTgsRepPart<'_>>(token),
        27 => typed::<EncApRepPart<'_>>(token),
        28 => typed::<EncKrbPrivPart<'_>>(token),
        29 => typed::<EncKrbCredPart<'_>>(token),
        30 => typed::<KrbError<'_>>(token),
        _ => Ok(()),
    }
}

/// An INTEGER's contents of at most eight octets.
fn number(octets: &[u8]) -> Option<i64> {
    let first = octets.first()?;
    if octets.len() > 8 {
        return None;
    }
    let sign = i64::from(first.cast_signed() >> 7);
    Some(
        octets
            .iter()
            .fold(sign, |value, octet| (value << 8) | i64::from(*octet)),
    )
}

/// A time, or its characters.
fn time(octets: &[u8]) -> String {
    KerberosTime::from_contents(octets).map_or_else(
        || format!("{:?} is not a time", KerberosString::new(octets)),
        |time| time.to_string(),
    )
}

/// A mechanism's name and identifier.
fn mechanism(oid: Oid<'_>) -> String {
    match oid.mechanism_name() {
        Some(name) => format!("{name} ({oid})"),
        None => oid.to_string(),
    }
}

/// The first bytes in hexadecimal, and how many there are.
fn hex(bytes: &[u8]) -> String {
    let mut text = format!("{} bytes", bytes.len());
    for (index, byte) in bytes.iter().take(32).enumerate() {
        let _ = write!(text, "{}{byte:02x}", if index == 0 { " " } else { "" });
    }
    if bytes.len() > 32 {
        text.push_str("...");
    }
    text
}
