//! Messages to a KDC over HTTPS, MS-KKDCP.
//!
//! ```
//! use countersign_token::der::{Decode, Encode};
//! use countersign_token::kerberos::kkdcp::{self, KdcProxyMessage};
//!
//! let kerb_message = kkdcp::with_length(b"\x6a...")?;
//! let request = KdcProxyMessage {
//!     kerb_message: &kerb_message,
//!     target_domain: Some("EXAMPLE.COM".into()),
//!     dclocator_hint: None,
//! };
//! let der = request.to_der();
//! assert_eq!(KdcProxyMessage::from_der(&der)?.message()?, b"\x6a...");
//! # Ok::<_, countersign_token::DecodeError>(())
//! ```

use alloc::vec::Vec;

use super::macros::sequence;
use super::principal::Realm;
use crate::error::{DecodeError, DecodeErrorKind};

sequence! {
    /// What a client posts to a proxy and what the proxy answers.
    ///
    /// ```text
    /// KDC-PROXY-MESSAGE ::= SEQUENCE {
    ///         kerb-message    [0] OCTET STRING,
    ///         target-domain   [1] KERB-REALM OPTIONAL,
    ///         dclocator-hint  [2] INTEGER OPTIONAL
    /// }
    /// ```
    ///
    /// Source: MS-KKDCP §2.2.2.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct KdcProxyMessage<'a> {
        /// The message after its length, four octets, as on TCP (RFC 4120 §7.2.2): see
        /// [`message`](Self::message) and [`with_length`].
        [0] kerb_message: &'a [u8],
        /// The realm whose KDC is meant; there in requests.
        [1] target_domain: Option<Realm<'a>>,
        /// Flags of MS-NRPC for the search of a domain controller.
        [2] dclocator_hint: Option<u32>,
    }
}

impl<'a> KdcProxyMessage<'a> {
    /// The message without its length.
    ///
    /// # Errors
    /// The length is not there, or is not that of the message.
    pub fn message(&self) -> Result<&'a [u8], DecodeError> {
        let framed = self.kerb_message;
        let error = |at, kind| Err(DecodeError::new(at, kind));
        let Some((length, message)) = framed.split_first_chunk::<4>() else {
            let missing = 4_usize.saturating_sub(framed.len());
            return error(framed.len(), DecodeErrorKind::Truncated { missing });
        };
        let Ok(length) = usize::try_from(u32::from_be_bytes(*length)) else {
            return error(0, DecodeErrorKind::LengthTooLarge);
        };
        match length.checked_sub(message.len()) {
            Some(0) => Ok(message),
            Some(missing) => error(framed.len(), DecodeErrorKind::Truncated { missing }),
            None => error(length.saturating_add(4), DecodeErrorKind::TrailingData),
        }
    }
}

/// A message after its length, RFC 4120 §7.2.2.
///
/// # Errors
/// [`DecodeErrorKind::LengthTooLarge`]: 2 GiB or more; the highest bit of the length is reserved.
pub fn with_length(message: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let length = u32::try_from(message.len())
        .ok()
        .filter(|length| length >> 31 == 0)
        .ok_or(DecodeError::new(0, DecodeErrorKind::LengthTooLarge))?;
    let mut framed = Vec::with_capacity(message.len().saturating_add(4));
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(message);
    Ok(framed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_is_not_the_messages_is_refused() {
        let message = |kerb_message| KdcProxyMessage {
            kerb_message,
            target_domain: None,
            dclocator_hint: None,
        };
        assert_eq!(message(&[0, 0, 0, 1, 9]).message(), Ok(&[9][..]));
        for (framed, at, kind) in [
            (&[0, 0, 0][..], 3, DecodeErrorKind::Truncated { missing: 1 }),
            (
                &[0, 0, 0, 2, 9],
                5,
                DecodeErrorKind::Truncated { missing: 1 },
            ),
            (&[0, 0, 0, 1, 9, 9], 5, DecodeErrorKind::TrailingData),
        ] {
            let expected = DecodeError::new(at, kind);
            assert_eq!(message(framed).message(), Err(expected));
        }
    }
}
