//! What Active Directory says in the `e-data` of a KRB-ERROR, MS-KILE §2.2.1 and 2.2.2.
//!
//! ```
//! use countersign_token::kerberos::ms_error::{KerbExtError, extended_error};
//!
//! // STATUS_PASSWORD_MUST_CHANGE, as a KDC sends it with KDC_ERR_KEY_EXPIRED.
//! let e_data = b"\x30\x15\xa1\x03\x02\x01\x03\xa2\x0e\x04\x0c\x24\x02\x00\xc0\0\0\0\0\x01\0\0\0";
//! let error = extended_error(e_data).unwrap();
//! assert_eq!(error.status, 0xc000_0224);
//! ```

use super::macros::sequence;
use crate::der::{Decode, SequenceOf};
use crate::error::{DecodeError, DecodeErrorKind};

sequence! {
    /// What Windows puts into `e-data`.
    ///
    /// ```text
    /// KERB-ERROR-DATA ::= SEQUENCE {
    ///         data-type       [1] INTEGER,
    ///         data-value      [2] OCTET STRING OPTIONAL
    /// }
    /// ```
    ///
    /// Source: MS-KILE §2.2.2.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct KerbErrorData<'a> {
        /// The type.
        [1] data_type: i32,
        /// The value; of [`EXTENDED`](Self::EXTENDED) a [`KerbExtError`].
        [2] data_value: Option<&'a [u8]>,
    }
}

impl KerbErrorData<'_> {
    /// MS-KILE §2.2.2, `KERB_AP_ERR_TYPE_SKEW_RECOVERY`: the acceptor tried to recover from skew.
    pub const SKEW_RECOVERY: i32 = 2;
    /// MS-KILE §2.2.2, `KERB_ERR_TYPE_EXTENDED`: a [`KerbExtError`].
    pub const EXTENDED: i32 = 3;
}

/// Why the KDC refused, in the terms of Windows. Like all of a KRB-ERROR it is not authenticated.
///
/// ```text
/// 0..3     status     u32 little-endian, an NTSTATUS
/// 4..7     reserved   u32, ignored
/// 8..11    flags      u32 little-endian, 1
/// ```
///
/// Source: MS-KILE §2.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KerbExtError {
    /// The NTSTATUS, MS-ERREF §2.3.
    pub status: u32,
    /// Ignored.
    pub reserved: u32,
    /// 1; other bits are ignored.
    pub flags: u32,
}

impl KerbExtError {
    /// Its length in bytes.
    pub const LEN: usize = 12;

    /// MS-ERREF §2.3.1, `STATUS_NO_SUCH_USER`.
    pub const NO_SUCH_USER: u32 = 0xc000_0064;
    /// MS-ERREF §2.3.1, `STATUS_WRONG_PASSWORD`.
    pub const WRONG_PASSWORD: u32 = 0xc000_006a;
    /// MS-ERREF §2.3.1, `STATUS_PASSWORD_RESTRICTION`.
    pub const PASSWORD_RESTRICTION: u32 = 0xc000_006c;
    /// MS-ERREF §2.3.1, `STATUS_LOGON_FAILURE`.
    pub const LOGON_FAILURE: u32 = 0xc000_006d;
    /// MS-ERREF §2.3.1, `STATUS_ACCOUNT_RESTRICTION`.
    pub const ACCOUNT_RESTRICTION: u32 = 0xc000_006e;
    /// MS-ERREF §2.3.1, `STATUS_INVALID_LOGON_HOURS`.
    pub const INVALID_LOGON_HOURS: u32 = 0xc000_006f;
    /// MS-ERREF §2.3.1, `STATUS_INVALID_WORKSTATION`.
    pub const INVALID_WORKSTATION: u32 = 0xc000_0070;
    /// MS-ERREF §2.3.1, `STATUS_PASSWORD_EXPIRED`.
    pub const PASSWORD_EXPIRED: u32 = 0xc000_0071;
    /// MS-ERREF §2.3.1, `STATUS_ACCOUNT_DISABLED`.
    pub const ACCOUNT_DISABLED: u32 = 0xc000_0072;
    /// MS-ERREF §2.3.1, `STATUS_ACCOUNT_EXPIRED`.
    pub const ACCOUNT_EXPIRED: u32 = 0xc000_0193;
    /// MS-ERREF §2.3.1, `STATUS_PASSWORD_MUST_CHANGE`.
    pub const PASSWORD_MUST_CHANGE: u32 = 0xc000_0224;
    /// MS-ERREF §2.3.1, `STATUS_ACCOUNT_LOCKED_OUT`.
    pub const ACCOUNT_LOCKED_OUT: u32 = 0xc000_0234;

    /// Reads the structure, all of `bytes`.
    ///
    /// # Errors
    /// Fewer or more bytes than [`LEN`](Self::LEN).
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let error = |kind| DecodeError::new(bytes.len().min(Self::LEN), kind);
        match *bytes {
            [a, b, c, d, e, f, g, h, i, j, k, l] => Ok(Self {
                status: u32::from_le_bytes([a, b, c, d]),
                reserved: u32::from_le_bytes([e, f, g, h]),
                flags: u32::from_le_bytes([i, j, k, l]),
            }),
            _ => Err(match Self::LEN.checked_sub(bytes.len()) {
                Some(missing) => error(DecodeErrorKind::Truncated { missing }),
                None => error(DecodeErrorKind::TrailingData),
            }),
        }
    }

    /// The structure.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; Self::LEN] {
        let [a, b, c, d] = self.status.to_le_bytes();
        let [e, f, g, h] = self.reserved.to_le_bytes();
        let [i, j, k, l] = self.flags.to_le_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }
}

/// The [`KerbExtError`] in the `e-data` of a KRB-ERROR, if there is one: in a [`KerbErrorData`],
/// or in one of a list of them, which has the form of a METHOD-DATA.
#[must_use]
pub fn extended_error(e_data: &[u8]) -> Option<KerbExtError> {
    let read = |data: KerbErrorData<'_>| match data {
        KerbErrorData {
            data_type: KerbErrorData::EXTENDED,
            data_value: Some(value),
        } => KerbExtError::parse(value).ok(),
        _ => None,
    };
    if let Ok(data) = KerbErrorData::from_der(e_data) {
        return read(data);
    }
    SequenceOf::<KerbErrorData<'_>>::from_der(e_data)
        .ok()?
        .into_iter()
        .find_map(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::Encode;

    const ERROR: KerbExtError = KerbExtError {
        status: KerbExtError::ACCOUNT_LOCKED_OUT,
        reserved: 0,
        flags: 1,
    };

    #[test]
    fn a_structure_round_trips_and_another_length_is_refused() {
        let bytes = ERROR.to_bytes();
        assert_eq!(bytes, *b"\x34\x02\x00\xc0\0\0\0\0\x01\0\0\0");
        assert_eq!(KerbExtError::parse(&bytes), Ok(ERROR));
        assert!(KerbExtError::parse(&bytes[..11]).is_err());
        assert!(KerbExtError::parse(&[0; 13]).is_err());
    }

    #[test]
    fn the_error_is_found_alone_and_in_a_list_and_nowhere_else() {
        let value = ERROR.to_bytes();
        let entry = |data_type| KerbErrorData {
            data_type,
            data_value: Some(&value),
        };
        assert_eq!(extended_error(&entry(3).to_der()), Some(ERROR));
        let list = [entry(19), entry(3)];
        assert_eq!(
            extended_error(&SequenceOf::new(&list).to_der()),
            Some(ERROR)
        );
        assert_eq!(extended_error(&entry(2).to_der()), None);
        assert_eq!(extended_error(b""), None);
        assert_eq!(extended_error(&value), None);
    }
}
