//! Kerberos through the acceptor as a proxy: IAKERB, draft-ietf-kitten-iakerb-03.
//!
//! A token has the identifier [`TokenId::IakerbProxy`](super::gss_token::TokenId::IakerbProxy),
//! an [`IakerbHeader`] and, with nothing between, a message to or from a KDC. The AP exchange
//! that follows carries an [`IakerbFinished`] as an extension of its
//! [`GssChecksum`](super::GssChecksum).
//!
//! MIT krb5 before 1.22 speaks an older draft, draft-zhu-ws-kerb, whose realm is an OCTET STRING
//! and whose numbers are others; see [`Dialect`].
//!
//! ```
//! use countersign_token::kerberos::iakerb::{Dialect, IakerbHeader, join, split};
//!
//! let header = IakerbHeader::new(Dialect::Kitten, b"EXAMPLE.COM");
//! let token = join(&header, b"AS-REQ");
//! let (read, message) = split(&token)?;
//! assert_eq!((read, message), (header, &b"AS-REQ"[..]));
//! # Ok::<_, countersign_token::DecodeError>(())
//! ```

use alloc::vec::Vec;

use super::data::Checksum;
use super::macros::sequence;
use crate::der::{Decode, Encode, Reader, Tag, Writer};
use crate::error::DecodeError;

/// Which draft a peer speaks. The acceptor learns it from the first header, the initiator must be
/// told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// draft-ietf-kitten-iakerb-03: MIT krb5 from 1.22, Heimdal, Apple. Every token is framed.
    #[default]
    Kitten,
    /// draft-zhu-ws-kerb-03: MIT krb5 before 1.22. Only the first token is framed.
    Zhu,
}

impl Dialect {
    /// The type of the extension of a [`GssChecksum`](super::GssChecksum) that is an
    /// [`IakerbFinished`]: `GSS_EXTS_FINISHED`.
    #[must_use]
    pub const fn extension(self) -> u32 {
        match self {
            Self::Kitten => 2,
            Self::Zhu => 1,
        }
    }

    /// The key usage of the checksum in an [`IakerbFinished`]: `KEY_USAGE_FINISHED`.
    #[must_use]
    pub const fn key_usage(self) -> u32 {
        match self {
            Self::Kitten => 41,
            Self::Zhu => 42,
        }
    }

    /// Whether tokens after the first one have the frame of RFC 2743 §3.1.
    #[must_use]
    pub const fn frames_every_token(self) -> bool {
        matches!(self, Self::Kitten)
    }
}

/// The realm in an [`IakerbHeader`], in the string type of its [`Dialect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetRealm<'a> {
    /// The draft that has this string type.
    pub dialect: Dialect,
    /// The realm; empty when an initiator does not know it, or the acceptor's own is meant.
    pub name: &'a [u8],
}

impl<'a> Decode<'a> for TargetRealm<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let (dialect, tag) = match reader.peek() {
            Some(Tag::OCTET_STRING) => (Dialect::Zhu, Tag::OCTET_STRING),
            _ => (Dialect::Kitten, Tag::UTF8_STRING),
        };
        let name = reader.read(tag)?.remaining();
        Ok(Self { dialect, name })
    }
}

impl Encode for TargetRealm<'_> {
    fn encode(&self, writer: &mut Writer) {
        let tag = match self.dialect {
            Dialect::Kitten => Tag::UTF8_STRING,
            Dialect::Zhu => Tag::OCTET_STRING,
        };
        writer.element(tag, self.name);
    }
}

sequence! {
    /// Where a message is to go.
    ///
    /// ```text
    /// IAKERB-HEADER   ::= SEQUENCE {
    ///         -- Note that the tag numbers start at 1, not 0.
    ///         target-realm      [1] UTF8String,
    ///         cookie            [2] OCTET STRING OPTIONAL,
    ///         ...
    /// }
    /// ```
    ///
    /// Source: draft-ietf-kitten-iakerb-03 3. Nothing in it is authenticated before the AP
    /// exchange has verified an [`IakerbFinished`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct IakerbHeader<'a> {
        /// The realm whose KDC is meant.
        [1] target_realm: TargetRealm<'a>,
        /// The acceptor's, which the initiator gives back with its next message.
        [2] cookie: Option<&'a [u8]>,
        ... extensible
    }
}

impl<'a> IakerbHeader<'a> {
    /// A header without a cookie.
    #[must_use]
    pub const fn new(dialect: Dialect, realm: &'a [u8]) -> Self {
        Self {
            target_realm: TargetRealm {
                dialect,
                name: realm,
            },
            cookie: None,
        }
    }
}

/// What follows the token identifier: the header, then the message.
#[must_use]
pub fn join(header: &IakerbHeader<'_>, message: &[u8]) -> Vec<u8> {
    let mut token = header.to_der();
    token.extend_from_slice(message);
    token
}

/// Splits what follows the token identifier into the header and the message; it may be empty.
///
/// # Errors
/// It does not begin with a header.
pub fn split(token: &[u8]) -> Result<(IakerbHeader<'_>, &[u8]), DecodeError> {
    let mut reader = Reader::new(token);
    let header = IakerbHeader::decode(&mut reader)?;
    Ok((header, reader.remaining()))
}

sequence! {
    /// The initiator's word for every message that the acceptor passed on.
    ///
    /// ```text
    /// KRB-FINISHED    ::= SEQUENCE {
    ///         -- Note that the tag numbers start at 1, not 0.
    ///         gss-mic           [1] Checksum,
    ///         ...
    /// }
    /// ```
    ///
    /// Source: draft-ietf-kitten-iakerb-03 3; `IAKERB-FINISHED` in the older draft.
    #[derive(Clone, Copy, Debug)]
    pub struct IakerbFinished<'a> {
        /// A checksum in the authenticator's subkey of all tokens of the exchange in their order,
        /// as they were sent, with the key usage of the [`Dialect`].
        [1] gss_mic: Checksum<'a>,
        ... extensible
    }
}

/// draft-ietf-kitten-iakerb-03 3: the error code `KRB_AP_ERR_IAKERB_KDC_NOT_FOUND`.
pub const KDC_NOT_FOUND: i32 = 85;

/// draft-ietf-kitten-iakerb-03 3: the error code `KRB_AP_ERR_IAKERB_KDC_NO_RESPONSE`.
pub const KDC_NO_RESPONSE: i32 = 86;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_string_type_of_the_realm_tells_the_drafts_apart() {
        for (dialect, tag) in [(Dialect::Kitten, 0x0c), (Dialect::Zhu, 0x04)] {
            let header = IakerbHeader::new(dialect, b"R");
            let der = header.to_der();
            assert_eq!(der, [0x30, 5, 0xa1, 3, tag, 1, b'R']);
            assert_eq!(IakerbHeader::from_der(&der), Ok(header));
        }
        let other = [0x30, 5, 0xa1, 3, 0x1b, 1, b'R'];
        assert!(IakerbHeader::from_der(&other).is_err());
    }

    /// The newer draft is draft-ietf-kitten-iakerb-03, section 3.
    #[test]
    fn the_drafts_differ_in_their_numbers_and_in_what_they_frame() {
        let told = |d: Dialect| (d.extension(), d.key_usage(), d.frames_every_token());
        assert_eq!(told(Dialect::default()), (2, 41, true));
        assert_eq!(told(Dialect::Zhu), (1, 42, false));
    }

    #[test]
    fn a_header_and_a_message_are_split_where_the_header_ends() {
        let header = IakerbHeader {
            cookie: Some(b"cookie"),
            ..IakerbHeader::new(Dialect::Zhu, b"EXAMPLE.COM")
        };
        for message in [&b""[..], b"AS-REQ"] {
            let token = join(&header, message);
            assert_eq!(split(&token), Ok((header, message)));
            let end = token.len() - message.len();
            for cut in 0..end {
                assert!(split(&token[..cut]).is_err(), "cut at {cut}");
            }
        }
    }
}
