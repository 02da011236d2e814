//! The kinds of token, and how each is recognised.

use alloc::format;
use alloc::string::ToString;
use core::fmt::Write as _;

use super::shape::{
    self, IAKERB_HEADER, KDC_PROXY, NEG_TOKEN_INIT, NEG_TOKEN_INIT2, NEG_TOKEN_RESP, Shape,
    TGT_REP, TGT_REQ,
};
use super::walk::{Inside, Walk, hex, mechanism};
use crate::der::{Decode, Reader, Tag};
use crate::error::DecodeError;
use crate::framing::InitialToken;
use crate::kerberos::cfx::{HEADER_LEN, MicHeader, WrapHeader};
use crate::kerberos::gss_token::{self, TokenId};
use crate::kerberos::rfc1964::Rfc1964Header;
use crate::kerberos::{
    ApRep, ApReq, AsRep, AsReq, Authenticator, EncApRepPart, EncAsRepPart, EncKrbCredPart,
    EncKrbPrivPart, EncTgsRepPart, EncTicketPart, KdcProxyMessage, KpasswdRequest, KrbCred,
    KrbError, KrbPriv, KrbSafe, TgsRep, TgsReq, Ticket,
};
use crate::ntlm::MessageSignature;
use crate::oid::Oid;
use crate::spnego::{NegTokenInit, NegTokenResp};

impl<'a> Walk<'a> {
    /// A token of any kind.
    pub(super) fn token(&mut self, label: &str, token: Reader<'a>, depth: usize) {
        let bytes = token.remaining();
        let (offset, below) = (token.offset(), depth.saturating_add(1));
        match bytes {
            [] => self.line(depth, offset, label, "empty".to_string()),
            [0x60, ..] => self.framed(token, depth),
            [0x04 | 0x05, 0x04, ..] if bytes.len() >= HEADER_LEN && bytes.get(3) == Some(&0xff) => {
                self.per_message(token, depth);
            }
            [1 | 2, 1, _, _, _, _, 0xff, 0xff, ..] => {
                self.identified(token, depth);
            }
            [1..=3, 0, 0x60..=0x7f, ..] | [4, 0 | 1, 0x30, ..] | [5, 1, 0x30, ..] => {
                self.identified(token, depth);
            }
            // Without its frame it is recognised only if it is one: others begin so too.
            [0xa0, ..] if Explicit::<NegTokenInit<'_>>::from_der(bytes).is_ok() => {
                self.negotiation::<NegTokenInit<'a>>(token, depth);
            }
            [0xa1, ..] => self.negotiation::<NegTokenResp<'a>>(token, depth),
            [b'N', b'T', b'L', b'M', b'S', b'S', b'P', 0, ..] => self.ntlm(token, depth),
            // MS-NLMP §2.2.2.9: version 1. A PAC is longer.
            [1, 0, 0, 0, ..] if bytes.len() == MessageSignature::LEN => {
                self.ntlm_signature(token, depth);
            }
            [0x30, ..] if KdcProxyMessage::from_der(bytes).is_ok_and(|m| m.message().is_ok()) => {
                self.open(token, depth, Inside::List("KDC-PROXY-MESSAGE", &KDC_PROXY));
            }
            // RFC 3244 §2: the length of everything comes first.
            [_, _, 0, 1, ..] | [_, _, 0xff, 0x80, ..] if KpasswdRequest::parse(bytes).is_ok() => {
                self.password(token, depth);
            }
            // RFC 4120 §7.2.2: the length that precedes a message on TCP.
            [a, b, c, d, rest @ ..]
                if usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])) == Ok(rest.len())
                    && rest.first().is_some_and(|first| first & 0xe0 == 0x60) =>
            {
                self.line(depth, offset, "TCP length", rest.len().to_string());
                self.message(Reader::at(rest, offset.saturating_add(4)), below);
            }
            [first, ..] if first & 0xe0 == 0x60 => self.message(token, depth),
            // MS-PAC §2.3: a small number of buffers, version 0.
            [1..=64, 0, 0, 0, 0, 0, 0, 0, ..] => self.pac("PAC", token, depth),
            _ => self.open(token, depth, Inside::Unknown),
        }
    }

    /// RFC 2743 §3.1.
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
        if oid == Oid::SPNEGO && inner.peek() == Some(Tag::context(0)) {
            self.negotiation::<NegTokenInit<'a>>(inner, below);
        } else if oid.is_kerberos() || oid == Oid::KERBEROS_USER_TO_USER || oid == Oid::IAKERB {
            self.identified(inner, below);
        } else {
            self.token("innerContextToken", inner, below);
        }
    }

    /// RFC 4121 §4.1, RFC 1964 §1.1: two octets, then what they say.
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
            TokenId::TgtReq => self.open(rest, depth, Inside::List("KERB-TGT-REQUEST", &TGT_REQ)),
            TokenId::TgtRep => self.open(rest, depth, Inside::List("KERB-TGT-REPLY", &TGT_REP)),
            TokenId::IakerbProxy => self.proxied(rest, depth),
            _ => self.open(rest, depth, Inside::Unknown),
        }
    }

    /// draft-ietf-kitten-iakerb-03 3: a header, then a message.
    fn proxied(&mut self, token: Reader<'a>, depth: usize) {
        let bytes = token.remaining();
        let mut after = token;
        match after.read_element() {
            Ok(header) => {
                let message = bytes.get(header.len()..).unwrap_or_default();
                let at = token.offset().saturating_add(header.len());
                self.token("message", Reader::at(message, at), depth);
                let header = Reader::at(header, token.offset());
                self.open(header, depth, Inside::List("IAKERB-HEADER", &IAKERB_HEADER));
            }
            Err(error) => self.broken(depth, token, error),
        }
    }

    /// RFC 3244 §2: a request to change a password, or the reply, which has the same form.
    fn password(&mut self, token: Reader<'a>, depth: usize) {
        let Ok(request) = KpasswdRequest::parse(token.remaining()) else {
            return self.open(token, depth, Inside::Unknown);
        };
        let (offset, below) = (token.offset(), depth.saturating_add(1));
        let at = |place: usize| offset.saturating_add(place);
        let length = token.remaining().len();
        self.line(depth, offset, "password message", format!("{length} bytes"));
        self.line(below, at(2), "version", format!("{:#06x}", request.version));
        self.line(
            below,
            at(4),
            "AP-REQ length",
            request.ap_req.len().to_string(),
        );
        let second = request.ap_req.len().saturating_add(6);
        for (part, place) in [(request.ap_req, 6), (request.krb_priv, second)] {
            if !part.is_empty() {
                self.token("message", Reader::at(part, at(place)), below);
            }
        }
    }

    /// RFC 4121 §4.2.6.
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

    /// RFC 1964 §1.2.
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

    /// RFC 4178 §4.2: an explicitly tagged alternative.
    fn negotiation<T: Alternative<'a>>(&mut self, token: Reader<'a>, depth: usize) {
        let mut outer = token;
        let (offset, below) = (token.offset(), depth.saturating_add(1));
        let value = Explicit::<T>::decode(&mut { token }).map(|value| value.0);
        let inner = match outer.read_any() {
            Ok((_, inner)) => inner,
            Err(error) => return self.broken(depth, token, error),
        };
        let (name, shape) = T::shape(value.as_ref().ok());
        self.verdict = self.verdict.or(value.err());
        self.line(depth, offset, "SPNEGO", name.to_string());
        if let Err(error) = outer.finish() {
            self.broken(below, outer, error);
        }
        self.open(inner, below, Inside::List(name, shape));
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

/// A value in whatever tag.
struct Explicit<T>(T);

impl<'a, T: Decode<'a>> Decode<'a> for Explicit<T> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let (_, mut inner) = reader.read_any()?;
        let value = T::decode(&mut inner)?;
        inner.finish()?;
        Ok(Self(value))
    }
}

/// An alternative of a NegotiationToken, RFC 4178 §4.2.
trait Alternative<'a>: Decode<'a> {
    /// Its name and its shape, as far as they depend on what was decoded.
    fn shape(value: Option<&Self>) -> (&'static str, &'static Shape);
}

impl<'a> Alternative<'a> for NegTokenInit<'a> {
    fn shape(value: Option<&Self>) -> (&'static str, &'static Shape) {
        match value.and_then(|init| init.hints) {
            Some(_) => ("NegTokenInit2", &NEG_TOKEN_INIT2),
            None => ("NegTokenInit", &NEG_TOKEN_INIT),
        }
    }
}

impl<'a> Alternative<'a> for NegTokenResp<'a> {
    fn shape(_: Option<&Self>) -> (&'static str, &'static Shape) {
        ("NegTokenResp", &NEG_TOKEN_RESP)
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
