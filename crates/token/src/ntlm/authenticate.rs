use alloc::vec::Vec;
use core::fmt;

use super::flags::NegotiateFlags;
use super::message::{FieldBytes, Message, Payload};
use super::message_type::MessageType;
use super::text::{Charset, Text};
use super::version::Version;
use crate::error::DecodeError;

/// AUTHENTICATE_MESSAGE, the initiator's second: who it is, and the responses that prove it.
///
/// ```text
///  0   Signature                         "NTLMSSP" and a NUL
///  8   MessageType                       u32 little-endian, 3
/// 12   LmChallengeResponseFields         Len, MaxLen, BufferOffset
/// 20   NtChallengeResponseFields         Len, MaxLen, BufferOffset
/// 28   DomainNameFields                  Len, MaxLen, BufferOffset
/// 36   UserNameFields                    Len, MaxLen, BufferOffset
/// 44   WorkstationFields                 Len, MaxLen, BufferOffset
/// 52   EncryptedRandomSessionKeyFields   Len, MaxLen, BufferOffset; here and below left out by some
/// 60   NegotiateFlags                    u32
/// 64   Version                           8 bytes
/// 72   MIC                               16 bytes
/// 88   Payload
/// ```
///
/// Source: MS-NLMP §2.2.1.3.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AuthenticateMessage<'a> {
    /// What was negotiated; no flags in the oldest form, which has no place for them.
    pub flags: NegotiateFlags,
    /// The LM response: LM_RESPONSE or LMv2_RESPONSE.
    pub lm_response: &'a [u8],
    /// The NT response: NTLM_RESPONSE, or what an [`NtlmV2Response`](super::NtlmV2Response) is
    /// read from.
    pub nt_response: &'a [u8],
    /// The domain or machine that has the user's account.
    pub domain: Text<'a>,
    /// The user.
    pub user: Text<'a>,
    /// The initiator's machine.
    pub workstation: Text<'a>,
    /// The session key, encrypted; to be ignored unless
    /// [`KEY_EXCH`](NegotiateFlags::KEY_EXCH) was negotiated.
    pub encrypted_session_key: &'a [u8],
    /// The initiator's operating system.
    pub version: Option<Version>,
    /// What stands in the MIC's place, if the message has one. That there must be a MIC is not
    /// told by this but by [`AvFlags`](super::AvFlags) inside of the response.
    pub mic: Option<[u8; 16]>,
}

impl<'a> AuthenticateMessage<'a> {
    /// The offset of the MIC in a message that has one.
    pub const MIC_OFFSET: usize = 72;
    /// The length of the MIC.
    pub const MIC_LEN: usize = 16;

    const LM_RESPONSE: usize = 12;
    const NT_RESPONSE: usize = 20;
    const DOMAIN: usize = 28;
    const USER: usize = 36;
    const WORKSTATION: usize = 44;
    /// Also the fixed part of the shortest form.
    const SESSION_KEY: usize = 52;
    const FLAGS: usize = 60;
    pub(crate) const VERSION: usize = 64;

    /// Reads a message of 52 bytes and more.
    ///
    /// A field is there if its length is not zero, whatever the flags say. The version is there if
    /// the flags say so, and the version and the MIC only where no field lies in their places.
    ///
    /// # Errors
    /// Another message, one that is cut off, a field that does not lie in the payload, or a name
    /// that is malformed UTF-16.
    pub fn parse(token: &'a [u8]) -> Result<Self, DecodeError> {
        let mut message = Message::open(token, MessageType::Authenticate)?;
        let mut field = |at| message.field(at, Self::SESSION_KEY);
        // The last one first: that the descriptors are all there.
        let workstation = field(Self::WORKSTATION)?;
        let lm_response = field(Self::LM_RESPONSE)?;
        let nt_response = field(Self::NT_RESPONSE)?;
        let domain = field(Self::DOMAIN)?;
        let user = field(Self::USER)?;

        let bytes = &[];
        let offset = Self::SESSION_KEY;
        let (mut flags, mut key) = (NegotiateFlags::NONE, FieldBytes { bytes, offset });
        if message.fixed_part() >= Self::VERSION {
            flags = NegotiateFlags(message.u32(Self::FLAGS)?);
            key = message.field(Self::SESSION_KEY, Self::VERSION)?;
        }
        let version = flags
            .contains(NegotiateFlags::VERSION)
            .then(|| message.version(Self::VERSION))
            .flatten();
        let mic = if message.fixed_part() >= Self::MIC_OFFSET.saturating_add(Self::MIC_LEN) {
            Some(message.array(Self::MIC_OFFSET)?)
        } else {
            None
        };
        let charset = Charset::of(flags);
        Ok(Self {
            flags,
            lm_response: lm_response.bytes,
            nt_response: nt_response.bytes,
            domain: Text::of(domain, charset)?,
            user: Text::of(user, charset)?,
            workstation: Text::of(workstation, charset)?,
            encrypted_session_key: key.bytes,
            version,
            mic,
        })
    }

    /// The message's bytes: with the places of the version and the MIC if there are any, with the
    /// version's alone zeroed if there is only a MIC; then domain, user, workstation, LM response,
    /// NT response and session key. The flags are written as they are.
    ///
    /// # Errors
    /// [`ValueTooLong`](crate::DecodeErrorKind::ValueTooLong): a field of more than 65,535 bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DecodeError> {
        let version = self.version.map(Version::to_bytes);
        // MS-NLMP §2.2.1.3: a version that is not told is all zero.
        let version = version.or(self.mic.map(|_| [0; Version::LEN]));
        let version = version.as_ref().map_or(&[][..], <[u8; 8]>::as_slice);
        let mic = self.mic.as_ref().map_or(&[][..], <[u8; 16]>::as_slice);
        let fixed = Self::VERSION.saturating_add(version.len());
        let mut payload = Payload::behind(fixed.saturating_add(mic.len()));
        let domain = payload.place(Self::DOMAIN, self.domain.bytes())?;
        let user = payload.place(Self::USER, self.user.bytes())?;
        let workstation = payload.place(Self::WORKSTATION, self.workstation.bytes())?;
        let lm_response = payload.place(Self::LM_RESPONSE, self.lm_response)?;
        let nt_response = payload.place(Self::NT_RESPONSE, self.nt_response)?;
        let key = payload.place(Self::SESSION_KEY, self.encrypted_session_key)?;
        let mut out = payload.begin(MessageType::Authenticate);
        for descriptor in [lm_response, nt_response, domain, user, workstation, key] {
            out.extend_from_slice(&descriptor);
        }
        out.extend_from_slice(&self.flags.0.to_le_bytes());
        for bytes in [
            version,
            mic,
            self.domain.bytes(),
            self.user.bytes(),
            self.workstation.bytes(),
            self.lm_response,
            self.nt_response,
            self.encrypted_session_key,
        ] {
            out.extend_from_slice(bytes);
        }
        Ok(out)
    }
}

/// Without the responses and the key: a password can be guessed with them.
impl fmt::Debug for AuthenticateMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = |bytes: &[u8]| bytes.len();
        f.debug_struct("AuthenticateMessage")
            .field("flags", &self.flags)
            .field("lm_response_length", &length(self.lm_response))
            .field("nt_response_length", &length(self.nt_response))
            .field("domain", &self.domain)
            .field("user", &self.user)
            .field("workstation", &self.workstation)
            .field("session_key_length", &length(self.encrypted_session_key))
            .field("version", &self.version)
            .field("mic", &self.mic)
            .finish()
    }
}
