//! Per-message tokens of rc4-hmac, RFC 4757 §7 in the form of RFC 1964 §1.2.
//!
//! ```text
//! 60 | length | 06 09 OID | 01 01 | 11 00 | FF FF FF FF | SND_SEQ (8) | SGN_CKSUM (8)    MIC
//! 60 | length | 06 09 OID | 02 01 | 11 00 | seal alg (2) | FF FF | SND_SEQ (8) | SGN_CKSUM (8)
//!             | confounder (8) | message | 01                                            Wrap
//!
//! seal alg 10 00: confounder, message and padding are RC4-encrypted; FF FF: they are not
//! ```
//!
//! What cannot be helped: SND_SEQ is not under the checksum. In a sealed token a changed number
//! decrypts to garbage; in one that is only signed a changed number passes, so that replays are
//! detected only as far as nobody changes numbers (RFC 4757 §8, CVE-2025-3576: weak, off by
//! default).
//!
//! In DCE style the frame's length covers the header alone and there is no padding, when the
//! message lies in buffers of its own.

mod open;
mod seal;

pub(super) use open::Rfc4757Receiver;
pub(super) use seal::Rfc4757Sender;

use countersign_token::kerberos::rfc1964::Rfc1964Header;
use countersign_token::oid::Oid;

use super::Role;
use super::facts::KerberosFacts;
use super::iov::{IovParts, Survey};
use super::sizes::Overhead;
use crate::error::{Error, ErrorKind};

/// Bytes of a confounder.
const CONFOUNDER: usize = 8;
/// Header and confounder.
const HEADER: usize = Rfc1964Header::LEN + CONFOUNDER;
/// The part of the header under the checksum.
const COVERED: usize = 8;
/// What is padded: RC4 is a stream cipher, so one byte that says one.
const PADDING: usize = 1;
/// Tag, length and contents of the mechanism's OID.
const OID: usize = 11;
/// The longest frame: tag, five bytes of length, OID.
const MAX_FRAME: usize = 1 + 5 + OID;

/// The length of a MIC: its body is below 128 bytes.
pub(super) const MIC_LEN: usize = 2 + OID + Rfc1964Header::LEN;

/// The four bytes after the sequence number (RFC 1964 §1.2.1.2).
fn direction(sender: Role) -> [u8; 4] {
    match sender {
        Role::Initiator => [0; 4],
        Role::Acceptor => [0xff; 4],
    }
}

/// A frame of RFC 2743 §3.1, up to the inner token.
struct Frame {
    bytes: [u8; MAX_FRAME],
    len: usize,
}

impl Frame {
    /// Around an inner token of `inner` bytes.
    fn around(mechanism: Oid<'static>, inner: usize) -> Option<Self> {
        let oid = mechanism.as_bytes();
        let body = inner.checked_add(OID)?;
        let mut frame = Self {
            bytes: [0; MAX_FRAME],
            len: 0,
        };
        frame.push(&[0x60])?;
        // X.690 §10.1: the fewest octets.
        let body = u32::try_from(body).ok()?.to_be_bytes();
        match body {
            [0, 0, 0, short @ 0..0x80] => frame.push(&[short]),
            [0, 0, 0, one] => frame.push(&[0x81, one]),
            [0, 0, a, b] => frame.push(&[0x82, a, b]),
            [0, a, b, c] => frame.push(&[0x83, a, b, c]),
            [a, b, c, d] => frame.push(&[0x84, a, b, c, d]),
        }?;
        frame.push(&[6, u8::try_from(oid.len()).ok()?])?;
        frame.push(oid)?;
        Some(frame)
    }

    /// At the start of a token of `total` bytes; there are a few totals that no frame gives.
    fn within(mechanism: Oid<'static>, total: usize) -> Option<Self> {
        (OID.saturating_add(2)..=MAX_FRAME).find_map(|len| {
            let frame = Self::around(mechanism, total.checked_sub(len)?)?;
            if frame.len == len { Some(frame) } else { None }
        })
    }

    fn push(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.len.checked_add(bytes.len())?;
        self.bytes.get_mut(self.len..end)?.copy_from_slice(bytes);
        self.len = end;
        Some(())
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// The identifier that frames carry: Kerberos, also beneath SPNEGO.
fn mechanism(facts: KerberosFacts<'_>) -> Oid<'static> {
    if facts.mechanism.is_kerberos() {
        facts.mechanism
    } else {
        Oid::KERBEROS
    }
}

/// Room before and after a message in one piece. `message` is beyond all memory where there is no
/// frame for it.
pub(super) fn overhead(message: usize) -> Overhead {
    let inner = HEADER.saturating_add(message).saturating_add(PADDING);
    let frame = Frame::around(Oid::KERBEROS, inner).map_or(MAX_FRAME, |frame| frame.len);
    Overhead {
        header: frame.saturating_add(HEADER),
        trailer: PADDING,
    }
}

/// Lengths of header and padding beside `message` bytes.
pub(super) fn parts(facts: KerberosFacts<'_>, message: usize) -> IovParts {
    if facts.dce_style() {
        let frame = Frame::around(Oid::KERBEROS, HEADER).map_or(MAX_FRAME, |frame| frame.len);
        return IovParts {
            header: frame.saturating_add(HEADER),
            padding: 0,
            trailer: 0,
        };
    }
    let Overhead {
        header,
        trailer: padding,
    } = overhead(message);
    IovParts {
        header,
        padding,
        trailer: 0,
    }
}

/// Lengths for these buffers; without DCE style there must be one for the padding.
pub(super) fn iov_parts(facts: KerberosFacts<'_>, survey: &Survey) -> Result<IovParts, Error> {
    let parts = parts(facts, survey.data);
    if parts.padding != 0 && survey.paddings != 1 {
        return Err(ErrorKind::BufferLayout.into());
    }
    Ok(parts)
}
