use alloc::vec::Vec;

use super::flags::NegotiateFlags;
use super::message::{Message, Payload};
use super::message_type::MessageType;
use super::text::{Charset, Text};
use super::version::Version;
use crate::error::DecodeError;

/// NEGOTIATE_MESSAGE, the initiator's first: what it can do.
///
/// ```text
///  0   Signature           "NTLMSSP" and a NUL
///  8   MessageType         u32 little-endian, 1
/// 12   NegotiateFlags      u32
/// 16   DomainNameFields    Len, MaxLen, BufferOffset
/// 24   WorkstationFields   Len, MaxLen, BufferOffset
/// 32   Version             8 bytes, left out by some
/// 40   Payload
/// ```
///
/// Source: MS-NLMP §2.2.1.1. There are also messages that end before the version, and ones that
/// are nothing but the first 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NegotiateMessage<'a> {
    /// What the initiator can do and asks for.
    pub flags: NegotiateFlags,
    /// The initiator's domain, always in OEM; empty if not supplied.
    pub domain: Text<'a>,
    /// The initiator's machine, always in OEM; empty if not supplied.
    pub workstation: Text<'a>,
    /// The initiator's operating system.
    pub version: Option<Version>,
}

impl<'a> NegotiateMessage<'a> {
    /// The fixed part of the shortest form.
    const BARE: usize = 16;
    const DOMAIN: usize = 16;
    const WORKSTATION: usize = 24;
    pub(crate) const VERSION: usize = 32;

    /// Reads a message of 16 bytes, or of 32 and more.
    ///
    /// A name is there if its length is not zero, whatever the flags say; the version is there if
    /// the flags say so and no name lies in its place.
    ///
    /// # Errors
    /// Another message, one that is cut off, or a name that does not lie in the payload.
    pub fn parse(token: &'a [u8]) -> Result<Self, DecodeError> {
        let mut message = Message::open(token, MessageType::Negotiate)?;
        let flags = NegotiateFlags(message.u32(12)?);
        let mut negotiate = Self {
            flags,
            domain: Text::empty(Charset::Oem),
            workstation: Text::empty(Charset::Oem),
            version: None,
        };
        if message.len() == Self::BARE {
            return Ok(negotiate);
        }
        let workstation = message.field(Self::WORKSTATION, Self::VERSION)?;
        negotiate.workstation = Text::of(workstation, Charset::Oem)?;
        let domain = message.field(Self::DOMAIN, Self::VERSION)?;
        negotiate.domain = Text::of(domain, Charset::Oem)?;
        if flags.contains(NegotiateFlags::VERSION) {
            negotiate.version = message.version(Self::VERSION);
        }
        Ok(negotiate)
    }

    /// The message's bytes: with the version's place if there is a version, the domain before the
    /// workstation. The flags are written as they are.
    ///
    /// # Errors
    /// [`ValueTooLong`](crate::DecodeErrorKind::ValueTooLong): a name of more than 65,535 bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DecodeError> {
        let version = self.version.map(Version::to_bytes);
        let version = version.as_ref().map_or(&[][..], <[u8; 8]>::as_slice);
        let mut payload = Payload::behind(Self::VERSION.saturating_add(version.len()));
        let domain = payload.place(Self::DOMAIN, self.domain.bytes())?;
        let workstation = payload.place(Self::WORKSTATION, self.workstation.bytes())?;
        let mut out = payload.begin(MessageType::Negotiate);
        out.extend_from_slice(&self.flags.0.to_le_bytes());
        out.extend_from_slice(&domain);
        out.extend_from_slice(&workstation);
        out.extend_from_slice(version);
        out.extend_from_slice(self.domain.bytes());
        out.extend_from_slice(self.workstation.bytes());
        Ok(out)
    }
}
