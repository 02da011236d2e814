//! The mechanism-independent frame of a first token, RFC 2743 §3.1.

use alloc::vec::Vec;

use crate::der::{Decode, Encode, Reader, Tag, Writer};
use crate::error::DecodeError;
use crate::oid::Oid;

/// A framed token: which mechanism it is for, and that mechanism's bytes.
///
/// ```text
/// InitialContextToken ::= [APPLICATION 0] IMPLICIT SEQUENCE {
///     thisMech           MechType,       -- OBJECT IDENTIFIER
///     innerContextToken  ANY DEFINED BY thisMech  -- need not be ASN.1
/// }
/// ```
///
/// Source: RFC 2743 §3.1. Every context token and every per-message token of RFC 1964 has this
/// frame; the per-message tokens of RFC 4121 (4.2) do not.
///
/// ```
/// use countersign_token::{framing::InitialToken, oid::Oid};
///
/// let token = InitialToken::encode(Oid::SPNEGO, &[b"inner"]);
/// let parsed = InitialToken::parse(&token)?;
/// assert_eq!(parsed.mechanism, Oid::SPNEGO);
/// assert_eq!(parsed.inner, b"inner");
/// # Ok::<_, countersign_token::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitialToken<'a> {
    /// The mechanism.
    pub mechanism: Oid<'a>,
    /// The mechanism's own token.
    pub inner: &'a [u8],
}

impl<'a> InitialToken<'a> {
    /// The tag that a framed token starts with.
    pub const TAG: Tag = Tag::application(0);

    /// Whether `token` starts as a framed token does.
    #[must_use]
    pub fn is_framed(token: &[u8]) -> bool {
        token.first() == Some(&Self::TAG.0)
    }

    /// Reads `token`, all of which must be one framed token.
    ///
    /// # Errors
    /// The tag, the length or the mechanism is malformed, the token is cut off, or bytes follow.
    #[inline]
    pub fn parse(token: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(token);
        let mut contents = reader.read(Self::TAG)?;
        reader.finish()?;
        let mechanism = Oid::decode(&mut contents)?;
        Ok(Self {
            mechanism,
            inner: contents.remaining(),
        })
    }

    /// A framed token whose inner token is the concatenation of `parts`.
    #[must_use]
    pub fn encode(mechanism: Oid<'_>, parts: &[&[u8]]) -> Vec<u8> {
        let write = |writer: &mut Writer| {
            writer.nest(Self::TAG, |writer| {
                mechanism.encode(writer);
                for part in parts {
                    writer.bytes(part);
                }
            });
        };
        let mut counter = Writer::counting();
        write(&mut counter);
        let mut writer = Writer::with_capacity(counter.len());
        write(&mut writer);
        writer.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::DecodeErrorKind;

    #[test]
    fn frames_of_every_length_form_round_trip() {
        for length in [0, 1, 100, 116, 117, 118, 200, 245, 300, 70_000] {
            let inner = alloc::vec![0x55; length];
            let (head, tail) = inner.split_at(length / 2);
            let token = InitialToken::encode(Oid::KERBEROS, &[head, tail]);
            let parsed = InitialToken::parse(&token).unwrap();
            assert_eq!(parsed.mechanism, Oid::KERBEROS);
            assert_eq!(parsed.inner, inner);
        }
    }

    #[test]
    fn bytes_after_the_frame_are_refused() {
        let mut token = InitialToken::encode(Oid::KERBEROS, &[b"inner"]);
        assert!(InitialToken::parse(&token).is_ok());
        token.push(0);
        let error = InitialToken::parse(&token).unwrap_err();
        assert_eq!(
            (error.offset(), error.kind()),
            (18, DecodeErrorKind::TrailingData)
        );
    }
}
