//! Changing and setting passwords, RFC 3244, and the older protocol of version 1 that it extends.
//!
//! ```
//! use countersign_token::kerberos::kpasswd::{KpasswdReply, KpasswdRequest};
//!
//! let request = KpasswdRequest { version: KpasswdRequest::SET, ap_req: b"n\0", krb_priv: b"u\0" };
//! let bytes = request.encode()?;
//! assert_eq!(bytes, b"\x00\x0a\xff\x80\x00\x02n\0u\0");
//! assert_eq!(KpasswdRequest::parse(&bytes)?, request);
//! # Ok::<_, countersign_token::DecodeError>(())
//! ```

use alloc::vec::Vec;

use super::macros::sequence;
use super::principal::{PrincipalName, Realm};
use crate::der::{Reader, Tag};
use crate::error::{DecodeError, DecodeErrorKind};

/// A request to the service `kadmin/changepw`.
///
/// ```text
/// 0..1     message length            u16 big-endian, of everything
/// 2..3     protocol version number   u16 big-endian, 1 or 0xFF80
/// 4..5     AP-REQ length             u16 big-endian
/// 6..      AP-REQ
///  ..      KRB-PRIV
/// ```
///
/// Source: RFC 3244 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KpasswdRequest<'a> {
    /// [`CHANGE`](Self::CHANGE) or [`SET`](Self::SET).
    pub version: u16,
    /// An AP-REQ with a subkey, for `kadmin/changepw`.
    pub ap_req: &'a [u8],
    /// A KRB-PRIV in that subkey: of [`CHANGE`](Self::CHANGE) the new password itself, of
    /// [`SET`](Self::SET) a [`ChangePasswdData`].
    pub krb_priv: &'a [u8],
}

impl<'a> KpasswdRequest<'a> {
    /// The client's own password, version 1.
    pub const CHANGE: u16 = 1;
    /// RFC 3244 §2: the password of any principal.
    pub const SET: u16 = 0xff80;

    /// Reads a datagram, or what follows the length on TCP.
    ///
    /// # Errors
    /// A length that is not that of the parts.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let (version, ap_req, krb_priv) = parse_frame(bytes)?;
        Ok(Self {
            version,
            ap_req,
            krb_priv,
        })
    }

    /// The bytes.
    ///
    /// # Errors
    /// [`DecodeErrorKind::LengthTooLarge`]: they would be 64 KiB or more.
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        encode_frame(self.version, self.ap_req, self.krb_priv)
    }
}

/// An answer of the service `kadmin/changepw`: that of a [`KpasswdRequest`], with an AP-REP in the
/// AP-REQ's place, or without it and with a KRB-ERROR in the KRB-PRIV's place, or a KRB-ERROR
/// alone.
///
/// Source: RFC 3244 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KpasswdReply<'a> {
    /// An answer that is authenticated once both parts are verified.
    Reply {
        /// An AP-REP.
        ap_rep: &'a [u8],
        /// A KRB-PRIV in the subkey of the request, of a [`KpasswdResult`].
        krb_priv: &'a [u8],
    },
    /// A KRB-ERROR, whose `e-data` is a [`KpasswdResult`]: nothing in it is authenticated.
    Error(&'a [u8]),
}

impl<'a> KpasswdReply<'a> {
    /// RFC 3244 §2: the version of replies. Some services give back that of the request; nothing
    /// depends on it, so any is read.
    pub const VERSION: u16 = 1;

    /// Reads a datagram, or what follows the length on TCP.
    ///
    /// # Errors
    /// A length that is not that of the parts.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        // RFC 3244 §2: "the KRB-ERROR message will be sent back without any encapsulation".
        let mut alone = Reader::new(bytes);
        if alone.read(Tag::application(30)).is_ok() && alone.is_empty() {
            return Ok(Self::Error(bytes));
        }
        Ok(match parse_frame(bytes)? {
            (_, [], error) => Self::Error(error),
            (_, ap_rep, krb_priv) => Self::Reply { ap_rep, krb_priv },
        })
    }

    /// The bytes; of an error those in the frame, as version 1 has them.
    ///
    /// # Errors
    /// [`DecodeErrorKind::LengthTooLarge`]: they would be 64 KiB or more.
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        match *self {
            Self::Reply { ap_rep, krb_priv } => encode_frame(Self::VERSION, ap_rep, krb_priv),
            Self::Error(error) => encode_frame(Self::VERSION, &[], error),
        }
    }
}

/// Version, first part, second part.
fn parse_frame(bytes: &[u8]) -> Result<(u16, &[u8], &[u8]), DecodeError> {
    let truncated = |missing| {
        let kind = DecodeErrorKind::Truncated { missing };
        DecodeError::new(bytes.len(), kind)
    };
    let Some(([a, b, c, d, e, f], parts)) = bytes.split_first_chunk::<6>() else {
        return Err(truncated(6_usize.saturating_sub(bytes.len())));
    };
    let length = usize::from(u16::from_be_bytes([*a, *b]));
    match length.checked_sub(bytes.len()) {
        Some(0) => {}
        Some(missing) => return Err(truncated(missing)),
        None => return Err(DecodeError::new(length, DecodeErrorKind::TrailingData)),
    }
    let first = usize::from(u16::from_be_bytes([*e, *f]));
    let (first, second) = parts
        .split_at_checked(first)
        .ok_or(DecodeError::new(4, DecodeErrorKind::OutOfBounds))?;
    Ok((u16::from_be_bytes([*c, *d]), first, second))
}

fn encode_frame(version: u16, first: &[u8], second: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let too_large = DecodeError::new(0, DecodeErrorKind::LengthTooLarge);
    let length = first.len().saturating_add(second.len()).saturating_add(6);
    let total = u16::try_from(length).map_err(|_| too_large)?;
    let first_length = u16::try_from(first.len()).map_err(|_| too_large)?;
    let mut bytes = Vec::with_capacity(length);
    for number in [total, version, first_length] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes.extend_from_slice(first);
    bytes.extend_from_slice(second);
    Ok(bytes)
}

sequence! {
    /// A new password, and whose.
    ///
    /// ```text
    /// ChangePasswdData ::= SEQUENCE {
    ///         newpasswd       [0] OCTET STRING,
    ///         targname        [1] PrincipalName OPTIONAL,
    ///         targrealm       [2] Realm OPTIONAL
    /// }
    /// ```
    ///
    /// Source: RFC 3244 §2, which says to ignore later fields. A view of bytes that the caller
    /// owns and wipes; it does not print the password and cannot be compared.
    #[derive(Clone, Copy)]
    pub struct ChangePasswdData<'a> {
        /// The new password, UTF-8.
        [0] newpasswd: &'a [u8],
        /// The principal whose password is set; absent for the client's own.
        [1] targname: Option<PrincipalName<'a>>,
        /// That principal's realm.
        [2] targrealm: Option<Realm<'a>>,
        ... extensible
    }
}

impl core::fmt::Debug for ChangePasswdData<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ChangePasswdData")
            .field("targname", &self.targname)
            .field("targrealm", &self.targrealm)
            .finish_non_exhaustive()
    }
}

/// How a request ended.
///
/// ```text
/// 0..1     result code     u16 big-endian
/// 2..      result string   for people; of Active Directory sometimes a PasswordPolicy
/// ```
///
/// Source: RFC 3244 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KpasswdResult<'a> {
    /// The code, one of the constants.
    pub code: u16,
    /// The string.
    pub string: &'a [u8],
}

impl<'a> KpasswdResult<'a> {
    /// The password is changed. Not allowed in a KRB-ERROR.
    pub const SUCCESS: u16 = 0;
    /// The request is malformed.
    pub const MALFORMED: u16 = 1;
    /// The service could not do it.
    pub const HARD_ERROR: u16 = 2;
    /// The AP-REQ or the KRB-PRIV could not be verified.
    pub const AUTHENTICATION_ERROR: u16 = 3;
    /// The new password is refused, or it is too early for another.
    pub const SOFT_ERROR: u16 = 4;
    /// The client may not set this principal's password.
    pub const ACCESS_DENIED: u16 = 5;
    /// The service does not know the version.
    pub const BAD_VERSION: u16 = 6;
    /// A ticket from the AS exchange is needed: one with the flag INITIAL.
    pub const INITIAL_FLAG_NEEDED: u16 = 7;

    /// Reads the user-data of the KRB-PRIV, or the `e-data` of the KRB-ERROR.
    ///
    /// # Errors
    /// Fewer than two bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let Some((code, string)) = bytes.split_first_chunk::<2>() else {
            let missing = 2_usize.saturating_sub(bytes.len());
            let kind = DecodeErrorKind::Truncated { missing };
            return Err(DecodeError::new(bytes.len(), kind));
        };
        let code = u16::from_be_bytes(*code);
        Ok(Self { code, string })
    }

    /// The bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.code.to_be_bytes().to_vec();
        bytes.extend_from_slice(self.string);
        bytes
    }

    /// The string for people, if it is UTF-8 without control characters and not empty.
    #[must_use]
    pub fn text(&self) -> Option<&'a str> {
        let text = core::str::from_utf8(self.string)
            .ok()?
            .trim_end_matches('\0');
        let printable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
        (!text.is_empty() && text.chars().all(printable)).then_some(text)
    }

    /// The policy that the new password does not follow, if Active Directory sent it.
    #[must_use]
    pub fn policy(&self) -> Option<PasswordPolicy> {
        PasswordPolicy::parse(self.string)
    }
}

/// The policy of an Active Directory domain, in the place of a result string.
///
/// ```text
///  0..1    zeros
///  2..5    minimum length       u32 big-endian
///  6..9    history              u32 big-endian
/// 10..13   properties           u32 big-endian, MS-SAMR §2.2.3.11
/// 14..21   maximum age          u64 big-endian, 100 ns
/// 22..29   minimum age          u64 big-endian, 100 ns
/// ```
///
/// Source: what domain controllers send; no document has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The fewest characters of a password.
    pub minimum_length: u32,
    /// How many former passwords may not be used again.
    pub history: u32,
    /// Flags: 1 says that passwords must be complex.
    pub properties: u32,
    /// After how many units of 100 ns a password expires.
    pub maximum_age: u64,
    /// For how many units of 100 ns a password must be kept.
    pub minimum_age: u64,
}

impl PasswordPolicy {
    /// Its length in bytes.
    pub const LEN: usize = 30;

    /// Whether passwords must be of several classes of characters.
    #[must_use]
    pub const fn is_complex(&self) -> bool {
        self.properties & 1 != 0
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let u32_at = |at: usize| {
            let octets = bytes.get(at..at.checked_add(4)?)?;
            Some(u32::from_be_bytes(octets.try_into().ok()?))
        };
        let u64_at = |at: usize| {
            let octets = bytes.get(at..at.checked_add(8)?)?;
            Some(u64::from_be_bytes(octets.try_into().ok()?))
        };
        if bytes.len() != Self::LEN || !bytes.starts_with(&[0, 0]) {
            return None;
        }
        Some(Self {
            minimum_length: u32_at(2)?,
            history: u32_at(6)?,
            properties: u32_at(10)?,
            maximum_age: u64_at(14)?,
            minimum_age: u64_at(22)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::der::{Decode, Encode};

    #[test]
    fn a_reply_is_read_with_an_ap_rep_with_a_framed_error_and_with_a_bare_one() {
        let reply = KpasswdReply::Reply {
            ap_rep: b"o\0",
            krb_priv: b"u\0",
        };
        let bytes = reply.encode().unwrap();
        assert_eq!(bytes, b"\0\x0a\0\x01\0\x02o\0u\0");
        assert_eq!(KpasswdReply::parse(&bytes), Ok(reply));
        let error = KpasswdReply::Error(b"\x7e\0");
        assert_eq!(KpasswdReply::parse(&error.encode().unwrap()), Ok(error));
        assert_eq!(KpasswdReply::parse(b"\x7e\0"), Ok(error));
        // RFC 3244 §2 has version 1; one with 0xFF80 is read too.
        assert_eq!(KpasswdReply::parse(b"\0\x08\xff\x80\0\0\x7e\0"), Ok(error));
    }

    #[test]
    fn lengths_that_are_not_those_of_the_parts_are_refused() {
        let good = b"\0\x0a\xff\x80\0\x02n\0u\0";
        assert!(KpasswdRequest::parse(good).is_ok());
        for (at, value, kind) in [
            (1, 11, DecodeErrorKind::Truncated { missing: 1 }),
            (1, 9, DecodeErrorKind::TrailingData),
            (5, 5, DecodeErrorKind::OutOfBounds),
        ] {
            let mut bytes = *good;
            bytes[at] = value;
            let error = KpasswdRequest::parse(&bytes).unwrap_err();
            assert_eq!(error.kind(), kind);
        }
        let big = [0; 0xfff0];
        let request = KpasswdRequest {
            version: 1,
            ap_req: &big,
            krb_priv: &big,
        };
        let error = request.encode().unwrap_err();
        assert_eq!(error.kind(), DecodeErrorKind::LengthTooLarge);
    }

    #[test]
    fn a_result_is_a_code_with_a_text_or_a_policy() {
        let result = KpasswdResult::parse(b"\0\x04Too short").unwrap();
        assert_eq!(result.code, KpasswdResult::SOFT_ERROR);
        assert_eq!((result.text(), result.policy()), (Some("Too short"), None));
        assert_eq!(result.encode(), b"\0\x04Too short");

        let mut bytes = [0; 32];
        bytes[1] = 4;
        (bytes[7], bytes[11], bytes[15]) = (7, 24, 1);
        let result = KpasswdResult::parse(&bytes).unwrap();
        let policy = result.policy().unwrap();
        assert_eq!((policy.minimum_length, policy.history), (7, 24));
        assert!(policy.is_complex() && result.text().is_none());

        assert!(KpasswdResult::parse(b"\0").is_err());
        assert_eq!(KpasswdResult::parse(b"\0\0").unwrap().text(), None);
    }

    #[test]
    fn a_new_password_is_not_printed() {
        let data = ChangePasswdData {
            newpasswd: b"s3cret",
            targname: None,
            targrealm: Some(Realm::new(b"R")),
        };
        let der = data.to_der();
        let read = ChangePasswdData::from_der(&der).unwrap();
        assert_eq!(read.newpasswd, b"s3cret");
        let text = format!("{read:?}");
        assert!(
            text.contains("targrealm") && !text.contains("s3cret"),
            "{text}"
        );
        assert!(!text.contains("115"), "{text}");
    }
}
