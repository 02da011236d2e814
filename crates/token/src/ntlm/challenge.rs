use alloc::vec::Vec;

use super::av_pairs::AvPairs;
use super::flags::NegotiateFlags;
use super::message::{Message, Payload};
use super::message_type::MessageType;
use super::text::{Charset, Text};
use super::version::Version;
use crate::error::DecodeError;

/// CHALLENGE_MESSAGE, the acceptor's: what was chosen, and the challenge to respond to.
///
/// ```text
///  0   Signature           "NTLMSSP" and a NUL
///  8   MessageType         u32 little-endian, 2
/// 12   TargetNameFields    Len, MaxLen, BufferOffset
/// 20   NegotiateFlags      u32
/// 24   ServerChallenge     8 bytes
/// 32   Reserved            8 bytes; here and below left out by some
/// 40   TargetInfoFields    Len, MaxLen, BufferOffset
/// 48   Version             8 bytes
/// 56   Payload
/// ```
///
/// Source: MS-NLMP §2.2.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChallengeMessage<'a> {
    /// What the acceptor chose.
    pub flags: NegotiateFlags,
    /// The acceptor's domain or machine.
    pub target_name: Text<'a>,
    /// The challenge.
    pub server_challenge: [u8; 8],
    /// What else the acceptor says of itself.
    pub target_info: Option<AvPairs<'a>>,
    /// The acceptor's operating system.
    pub version: Option<Version>,
}

impl<'a> ChallengeMessage<'a> {
    const TARGET_NAME: usize = 12;
    /// The fixed part of the shortest form.
    const SHORT: usize = 32;
    const TARGET_INFO: usize = 40;
    pub(crate) const VERSION: usize = 48;

    /// Reads a message of 32 bytes and more.
    ///
    /// The target name is there if its length is not zero, whatever the flags say; that is how
    /// the examples of MS-NLMP §4.2 have it. The target information is there if the flags say so:
    /// without [`TARGET_INFO`](NegotiateFlags::TARGET_INFO) its field must be ignored.
    ///
    /// # Errors
    /// Another message, one that is cut off, a field that does not lie in the payload, a name
    /// that is malformed UTF-16, or malformed target information.
    pub fn parse(token: &'a [u8]) -> Result<Self, DecodeError> {
        let mut message = Message::open(token, MessageType::Challenge)?;
        let server_challenge = message.array(24)?;
        let flags = NegotiateFlags(message.u32(20)?);
        let target_name = message.field(Self::TARGET_NAME, Self::SHORT)?;
        let target_name = Text::of(target_name, Charset::of(flags))?;
        let mut target_info = None;
        if flags.contains(NegotiateFlags::TARGET_INFO) && message.fixed_part() >= Self::VERSION {
            let info = message.field(Self::TARGET_INFO, Self::VERSION)?;
            if !info.bytes.is_empty() {
                target_info = Some(AvPairs::of(info)?);
            }
        }
        let version = flags
            .contains(NegotiateFlags::VERSION)
            .then(|| message.version(Self::VERSION))
            .flatten();
        Ok(Self {
            flags,
            target_name,
            server_challenge,
            target_info,
            version,
        })
    }

    /// The message's bytes: with the version's place if there is a version, the target name before
    /// the target information. The flags are written as they are.
    ///
    /// # Errors
    /// [`ValueTooLong`](crate::DecodeErrorKind::ValueTooLong): a name or target information of
    /// more than 65,535 bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DecodeError> {
        let version = self.version.map(Version::to_bytes);
        let version = version.as_ref().map_or(&[][..], <[u8; 8]>::as_slice);
        let mut payload = Payload::behind(Self::VERSION.saturating_add(version.len()));
        let target_name = payload.place(Self::TARGET_NAME, self.target_name.bytes())?;
        // MS-NLMP §4.2.2.3: absent target information has an offset of zero too.
        let (info, target_info) = match self.target_info {
            Some(info) => {
                let bytes = info.as_bytes();
                (bytes, payload.place(Self::TARGET_INFO, bytes)?)
            }
            None => (&[][..], [0; 8]),
        };
        let mut out = payload.begin(MessageType::Challenge);
        out.extend_from_slice(&target_name);
        out.extend_from_slice(&self.flags.0.to_le_bytes());
        out.extend_from_slice(&self.server_challenge);
        out.extend_from_slice(&[0; 8]);
        out.extend_from_slice(&target_info);
        out.extend_from_slice(version);
        out.extend_from_slice(self.target_name.bytes());
        out.extend_from_slice(info);
        Ok(out)
    }
}
