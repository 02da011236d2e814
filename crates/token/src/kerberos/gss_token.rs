//! What comes inside the frame of a Kerberos token: two octets that say what follows.

use crate::error::{DecodeError, DecodeErrorKind};

/// RFC 4121 §4.1 and 4.2.6, RFC 1964 §1.1 and 1.2: the two octets `TOK_ID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenId {
    /// `01 00`: a KRB_AP_REQ follows.
    ApReq,
    /// `02 00`: a KRB_AP_REP follows.
    ApRep,
    /// `03 00`: a KRB_ERROR follows.
    KrbError,
    /// `04 00`: a TGT request of user-to-user (draft-swift-win2k-krb-user2user).
    TgtReq,
    /// `04 01`, its answer.
    TgtRep,
    /// `04 04`: RFC 4121 §4.2.6.1, a MIC.
    Mic,
    /// `05 04`: RFC 4121 §4.2.6.2, a wrapped message.
    Wrap,
    /// `01 01`: RFC 1964 §1.2.1, a MIC of the old form.
    Rfc1964Mic,
    /// `02 01`: RFC 1964 §1.2.2, a wrapped message of the old form.
    Rfc1964Wrap,
    /// `01 02`: RFC 1964 §1.2.3, a context deletion.
    Rfc1964DeleteContext,
    /// `05 01`: an IAKERB proxied message (draft-ietf-kitten-iakerb 3).
    IakerbProxy,
}

impl TokenId {
    const ALL: [(Self, [u8; 2]); 11] = [
        (Self::ApReq, [1, 0]),
        (Self::ApRep, [2, 0]),
        (Self::KrbError, [3, 0]),
        (Self::TgtReq, [4, 0]),
        (Self::TgtRep, [4, 1]),
        (Self::Mic, [4, 4]),
        (Self::Wrap, [5, 4]),
        (Self::Rfc1964Mic, [1, 1]),
        (Self::Rfc1964Wrap, [2, 1]),
        (Self::Rfc1964DeleteContext, [1, 2]),
        (Self::IakerbProxy, [5, 1]),
    ];

    /// The identifier with these octets.
    #[must_use]
    #[inline]
    pub fn from_bytes(octets: [u8; 2]) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == octets)
            .map(|(id, _)| *id)
    }

    /// The octets.
    #[must_use]
    #[inline]
    pub const fn to_bytes(self) -> [u8; 2] {
        match self {
            Self::ApReq => [1, 0],
            Self::ApRep => [2, 0],
            Self::KrbError => [3, 0],
            Self::TgtReq => [4, 0],
            Self::TgtRep => [4, 1],
            Self::Mic => [4, 4],
            Self::Wrap => [5, 4],
            Self::Rfc1964Mic => [1, 1],
            Self::Rfc1964Wrap => [2, 1],
            Self::Rfc1964DeleteContext => [1, 2],
            Self::IakerbProxy => [5, 1],
        }
    }

    /// The name of what follows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApReq => "AP-REQ",
            Self::ApRep => "AP-REP",
            Self::KrbError => "KRB-ERROR",
            Self::TgtReq => "TGT-REQ",
            Self::TgtRep => "TGT-REP",
            Self::Mic => "MIC (RFC 4121)",
            Self::Wrap => "Wrap (RFC 4121)",
            Self::Rfc1964Mic => "MIC (RFC 1964)",
            Self::Rfc1964Wrap => "Wrap (RFC 1964)",
            Self::Rfc1964DeleteContext => "delete context (RFC 1964)",
            Self::IakerbProxy => "IAKERB proxy",
        }
    }
}

/// Splits a token into its identifier and what follows that.
///
/// ```
/// use countersign_token::kerberos::gss_token::{self, TokenId};
///
/// assert_eq!(gss_token::split(b"\x01\x00..."), Ok((TokenId::ApReq, &b"..."[..])));
/// ```
///
/// # Errors
/// Fewer than two bytes, or an identifier that is not known.
#[inline]
pub fn split(token: &[u8]) -> Result<(TokenId, &[u8]), DecodeError> {
    let Some((octets, rest)) = token.split_first_chunk::<2>() else {
        let missing = 2_usize.saturating_sub(token.len());
        return Err(DecodeError::new(
            token.len(),
            DecodeErrorKind::Truncated { missing },
        ));
    };
    let found = u16::from_be_bytes(*octets);
    match TokenId::from_bytes(*octets) {
        Some(id) => Ok((id, rest)),
        None => Err(DecodeError::new(
            0,
            DecodeErrorKind::UnknownTokenId { found },
        )),
    }
}

/// Checks that a token has the identifier `id` and returns what follows it.
///
/// # Errors
/// Fewer than two bytes, or another identifier.
#[inline]
pub fn expect(token: &[u8], id: TokenId) -> Result<&[u8], DecodeError> {
    let Some((octets, rest)) = token.split_first_chunk::<2>() else {
        let missing = 2_usize.saturating_sub(token.len());
        return Err(DecodeError::new(
            token.len(),
            DecodeErrorKind::Truncated { missing },
        ));
    };
    if *octets == id.to_bytes() {
        return Ok(rest);
    }
    let expected = u16::from_be_bytes(id.to_bytes());
    let found = u16::from_be_bytes(*octets);
    Err(DecodeError::new(
        0,
        DecodeErrorKind::UnexpectedTokenId { expected, found },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identifier_is_read_as_it_is_written() {
        for (id, octets) in TokenId::ALL {
            assert_eq!(id.to_bytes(), octets);
            assert_eq!(split(&octets), Ok((id, &[][..])));
            assert_eq!(expect(&octets, id), Ok(&[][..]));
        }
    }

    #[test]
    fn unknown_unexpected_and_short_identifiers_are_refused() {
        let kind = |token| split(token).unwrap_err().kind();
        assert_eq!(kind(b""), DecodeErrorKind::Truncated { missing: 2 });
        assert_eq!(kind(b"\x01"), DecodeErrorKind::Truncated { missing: 1 });
        assert_eq!(
            kind(b"\x09\x09"),
            DecodeErrorKind::UnknownTokenId { found: 0x0909 }
        );
        let error = expect(b"\x03\x00", TokenId::ApRep).unwrap_err();
        let kind = DecodeErrorKind::UnexpectedTokenId {
            expected: 0x0200,
            found: 0x0300,
        };
        assert_eq!(error.kind(), kind);
    }

    #[test]
    fn a_cut_token_is_refused_at_its_end_and_every_identifier_has_a_name_of_its_own() {
        for token in [&b""[..], b"\x04"] {
            let error = expect(token, TokenId::Mic).unwrap_err();
            let missing = 2 - token.len();
            assert_eq!(error.offset(), token.len());
            assert_eq!(error.kind(), DecodeErrorKind::Truncated { missing });
        }
        for (id, _) in TokenId::ALL {
            let same = |(other, _): &&(TokenId, [u8; 2])| other.name() == id.name();
            assert_eq!(TokenId::ALL.iter().filter(same).count(), 1);
        }
        assert_eq!(TokenId::Mic.name(), "MIC (RFC 4121)");
        assert_eq!(TokenId::Rfc1964Mic.name(), "MIC (RFC 1964)");
    }
}
