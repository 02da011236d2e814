//! Reading tokens of RFC 4121.

use core::ops::Range;

use countersign_crypto::{Error as CryptoError, verify_equal};
use countersign_token::kerberos::cfx::{CfxFlags, MicHeader, WrapHeader};
use countersign_token::{DecodeError, DecodeErrorKind};
use zeroize::Zeroize;

use super::{CONFOUNDER, DirectionKeys, HEADER, Pieces, flags, internal};
use crate::error::{Error, ErrorKind};
use crate::security_context::Role;
use crate::security_context::facts::KerberosFacts;
use crate::security_context::iov::{self, Gathered, IoBuffer, Protection, Segments, Survey};

/// The receiving direction.
pub(crate) struct CfxReceiver {
    keys: DirectionKeys,
    peer: Role,
}

/// An authentic message whose place among the others is not yet judged.
pub(crate) struct Opened {
    /// Where in the token the message is.
    pub(crate) message: Range<usize>,
    pub(crate) protection: Protection,
    pub(crate) sequence: u64,
}

impl CfxReceiver {
    pub(crate) fn new(facts: KerberosFacts<'_>) -> Self {
        let peer = facts.role.other();
        Self {
            keys: DirectionKeys::new(peer),
            peer,
        }
    }

    /// RFC 4121 §4.2.2: the sender is the peer and uses the key that we do. Both flags are under
    /// the MAC too; here they choose the error.
    fn check_flags(&self, facts: KerberosFacts<'_>, found: CfxFlags) -> Result<(), Error> {
        let expected = flags(facts, self.peer, false);
        let differs = |flag| found.contains(flag) != expected.contains(flag);
        if differs(CfxFlags::SENT_BY_ACCEPTOR) {
            return Err(ErrorKind::MessageReflected.into());
        }
        if differs(CfxFlags::ACCEPTOR_SUBKEY) {
            return Err(ErrorKind::MessageModified.into());
        }
        Ok(())
    }

    fn header(&self, facts: KerberosFacts<'_>, token: &[u8]) -> Result<WrapHeader, Error> {
        let (header, _) = WrapHeader::parse(token).map_err(ErrorKind::DefectiveToken)?;
        self.check_flags(facts, header.flags)?;
        Ok(header)
    }

    /// Opens a whole token in place.
    pub(crate) fn unwrap(
        &mut self,
        facts: KerberosFacts<'_>,
        token: &mut [u8],
    ) -> Result<Opened, Error> {
        let header = self.header(facts, token)?;
        let (_, rest) = token
            .split_at_mut_checked(HEADER)
            .ok_or_else(|| internal("header"))?;
        rotate_back(rest, rotation(facts, &header));
        let sequence = header.seq;
        if header.flags.contains(CfxFlags::SEALED) {
            let cipher = self.keys.wrap_cipher(&facts.keys.key);
            let plain = cipher.decrypt_in_place(rest).map_err(refused)?;
            let length = check_plaintext(&header, plain).inspect_err(|_| plain.zeroize())?;
            let start = HEADER.saturating_add(CONFOUNDER);
            let message = start..start.saturating_add(length);
            return Ok(Opened {
                message,
                protection: Protection::Sealed,
                sequence,
            });
        }
        let mac = self.keys.wrap_mac(&facts.keys.key);
        check_checksum_len(&header, mac.len())?;
        let length = rest
            .len()
            .checked_sub(mac.len())
            .ok_or_else(|| truncated(rest, mac.len()))?;
        let (message, checksum) = rest
            .split_at_checked(length)
            .ok_or_else(|| internal("checksum"))?;
        mac.verify(&[message, &plain_header(&header)], checksum)
            .map_err(refused)?;
        let message = HEADER..HEADER.saturating_add(length);
        Ok(Opened {
            message,
            protection: Protection::Signed,
            sequence,
        })
    }

    /// Verifies a MIC token and tells its number.
    pub(crate) fn verify_mic(
        &mut self,
        facts: KerberosFacts<'_>,
        message: &[IoBuffer<'_>],
        token: &[u8],
    ) -> Result<u64, Error> {
        let (header, checksum) = MicHeader::parse(token).map_err(ErrorKind::DefectiveToken)?;
        self.check_flags(facts, header.flags)?;
        // RFC 4121 §4.2.2: never set in MIC tokens.
        if header.flags.contains(CfxFlags::SEALED) {
            return Err(ErrorKind::MessageModified.into());
        }
        let mac = self.keys.mic_mac(&facts.keys.key);
        iov::with_parts(None, message, Some(&header.to_bytes()), |parts| {
            mac.verify(parts, checksum)
        })
        .map_err(refused)?;
        Ok(header.seq)
    }

    /// Opens scattered buffers in place.
    pub(crate) fn unwrap_iov(
        &mut self,
        facts: KerberosFacts<'_>,
        buffers: &mut [IoBuffer<'_>],
    ) -> Result<(Protection, u64), Error> {
        if Survey::of(buffers)?.streams != 0 {
            return self.unwrap_stream(facts, buffers);
        }
        let survey = Survey::of_header(buffers)?;
        if survey.padding != 0 {
            return Err(ErrorKind::BufferLayout.into());
        }
        let header = self.header(facts, iov::header_bytes(buffers))?;
        if header.flags.contains(CfxFlags::SEALED) {
            let mac = facts.enctype().checksum_type().len();
            let after = HEADER.saturating_add(mac);
            // Everything in the header is a rotation by what comes after the message; the rest of
            // the rotations are for streams only. In DCE style EC counts beside RRC.
            let extra = if facts.dce_style() {
                0
            } else {
                usize::from(header.ec)
            };
            let expected = if survey.has_trailer() {
                0
            } else {
                after.saturating_add(extra)
            };
            check_rotation(&header, expected)?;
            let pieces = Pieces::of(buffers, mac).ok_or(ErrorKind::BufferLayout)?;
            let Pieces {
                confounder,
                last,
                mac,
                segments,
                ..
            } = pieces;
            let filled = HEADER.saturating_add(usize::from(header.ec));
            if confounder.len() != CONFOUNDER || last.len() != filled {
                return Err(ErrorKind::BufferLayout.into());
            }
            self.open_segments(facts, &header, segments, confounder, last, mac)
                .inspect_err(|_| iov::wipe(buffers))?;
            return Ok((Protection::Sealed, header.seq));
        }
        let mac = self.keys.wrap_mac(&facts.keys.key);
        check_checksum_len(&header, mac.len())?;
        let expected = if survey.has_trailer() { 0 } else { mac.len() };
        check_rotation(&header, expected)?;
        let computed = iov::with_parts(None, buffers, Some(&plain_header(&header)), |parts| {
            mac.compute(parts)
        });
        let Gathered {
            header: Some(first),
            trailer,
            ..
        } = iov::gather(buffers)
        else {
            return Err(ErrorKind::BufferLayout.into());
        };
        let (_, after) = first
            .split_at_checked(HEADER)
            .ok_or_else(|| internal("header"))?;
        let checksum = match trailer {
            Some(trailer) if after.is_empty() => &*trailer,
            None => after,
            Some(_) => return Err(ErrorKind::BufferLayout.into()),
        };
        if !verify_equal(computed.as_bytes(), checksum) {
            return Err(ErrorKind::MessageModified.into());
        }
        Ok((Protection::Signed, header.seq))
    }

    /// Opens a whole token beside associated data; the one data buffer becomes the message.
    fn unwrap_stream(
        &mut self,
        facts: KerberosFacts<'_>,
        buffers: &mut [IoBuffer<'_>],
    ) -> Result<(Protection, u64), Error> {
        let stream = iov::take_stream(buffers)?;
        let header = self.header(facts, stream)?;
        let (_, rest) = stream
            .split_at_mut_checked(HEADER)
            .ok_or_else(|| internal("header"))?;
        rotate_back(rest, rotation(facts, &header));
        let mac = facts.enctype().checksum_type().len();
        let sealed = header.flags.contains(CfxFlags::SEALED);
        let (before, filled) = if sealed {
            (CONFOUNDER, HEADER.saturating_add(usize::from(header.ec)))
        } else {
            check_checksum_len(&header, mac)?;
            (0, 0)
        };
        let least = before.saturating_add(filled).saturating_add(mac);
        let data = rest
            .len()
            .checked_sub(least)
            .ok_or_else(|| truncated(rest, least))?;
        let cut = internal("stream lengths");
        let Some((confounder, rest)) = rest.split_at_mut_checked(before) else {
            return Err(cut);
        };
        let Some((message, rest)) = rest.split_at_mut_checked(data) else {
            return Err(cut);
        };
        let Some((last, mac)) = rest.split_at_mut_checked(filled) else {
            return Err(cut);
        };
        iov::place_message(buffers, message);
        if sealed {
            let segments = iov::gather(buffers).segments;
            self.open_segments(facts, &header, segments, confounder, last, mac)
                .inspect_err(|_| iov::wipe(buffers))?;
            return Ok((Protection::Sealed, header.seq));
        }
        let key = self.keys.wrap_mac(&facts.keys.key);
        let plain = plain_header(&header);
        let computed = iov::with_parts(None, buffers, Some(&plain), |parts| key.compute(parts));
        if !verify_equal(computed.as_bytes(), mac) {
            return Err(ErrorKind::MessageModified.into());
        }
        Ok((Protection::Signed, header.seq))
    }

    fn open_segments<'s>(
        &mut self,
        facts: KerberosFacts<'_>,
        header: &WrapHeader,
        segments: Segments<'s>,
        confounder: &'s mut [u8],
        last: &'s mut [u8],
        mac: &[u8],
    ) -> Result<(), Error> {
        let cipher = self.keys.wrap_cipher(&facts.keys.key);
        let copy: [u8; HEADER] = segments
            .open(cipher, confounder, last, mac)
            .map_err(refused)?;
        check_copy(header, &copy)
    }
}

/// How far the sender rotated to the right (RFC 4121 §4.2.5). In DCE style sealed messages are
/// rotated by EC + RRC (MS-KILE §3.4.5.4.1), unless they are not rotated at all, as MIT krb5
/// sends them with a trailer.
fn rotation(facts: KerberosFacts<'_>, header: &WrapHeader) -> usize {
    let rotation = usize::from(header.rrc);
    if facts.dce_style() && header.flags.contains(CfxFlags::SEALED) && rotation != 0 {
        rotation.saturating_add(usize::from(header.ec))
    } else {
        rotation
    }
}

/// Undoes a rotation, which may be larger than what it rotates.
fn rotate_back(rest: &mut [u8], rotation: usize) {
    // Nothing at all cannot be rotated: then there is no remainder.
    if let Some(count @ 1..) = rotation.checked_rem(rest.len()) {
        rest.rotate_left(count);
    }
}

/// RFC 4121 §4.2.4: the header that the MAC covers when nothing is sealed.
fn plain_header(header: &WrapHeader) -> [u8; HEADER] {
    WrapHeader {
        ec: 0,
        rrc: 0,
        ..*header
    }
    .to_bytes()
}

/// RFC 4121 §4.2.4: the copy within the sealed message equals the header in the clear, but for
/// RRC, which is zero. Without it EC could be changed (CVE-2024-37370).
fn check_copy(header: &WrapHeader, copy: &[u8]) -> Result<(), Error> {
    if verify_equal(&WrapHeader { rrc: 0, ..*header }.to_bytes(), copy) {
        Ok(())
    } else {
        Err(ErrorKind::MessageModified.into())
    }
}

/// The message's length in `message | filler | header`.
fn check_plaintext(header: &WrapHeader, plain: &[u8]) -> Result<usize, Error> {
    let (before, copy) = plain
        .split_last_chunk::<HEADER>()
        .ok_or(ErrorKind::MessageModified)?;
    check_copy(header, copy)?;
    // Filler longer than the message was sealed by the peer itself; it is told no differently.
    let length = before.len().checked_sub(usize::from(header.ec));
    length.ok_or_else(|| ErrorKind::MessageModified.into())
}

/// RFC 4121 §4.2.3: EC of a signed message is the checksum's length.
fn check_checksum_len(header: &WrapHeader, mac: usize) -> Result<(), Error> {
    if usize::from(header.ec) == mac {
        Ok(())
    } else {
        Err(ErrorKind::MessageModified.into())
    }
}

fn check_rotation(header: &WrapHeader, expected: usize) -> Result<(), Error> {
    if usize::from(header.rrc) == expected {
        Ok(())
    } else {
        Err(ErrorKind::BufferLayout.into())
    }
}

fn truncated(rest: &[u8], least: usize) -> Error {
    let missing = least.saturating_sub(rest.len());
    let offset = HEADER.saturating_add(rest.len());
    let error = DecodeError::new(offset, DecodeErrorKind::Truncated { missing });
    ErrorKind::DefectiveToken(error).into()
}

fn refused(error: CryptoError) -> Error {
    match error {
        CryptoError::Integrity => ErrorKind::MessageModified.into(),
        CryptoError::CiphertextTooShort { minimum, actual } => {
            let missing = minimum.saturating_sub(actual);
            let offset = HEADER.saturating_add(actual);
            let error = DecodeError::new(offset, DecodeErrorKind::Truncated { missing });
            ErrorKind::DefectiveToken(error).into()
        }
        _ => internal("a cipher's lengths"),
    }
}
