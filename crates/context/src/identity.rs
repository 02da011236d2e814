//! Who a side of a context is.

use core::fmt;

use countersign_credential::Principal;
use countersign_token::oid::Oid;

/// A name that the mechanism has proved, or this side's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Identity {
    /// A Kerberos principal.
    Kerberos(Principal),
}

impl Identity {
    /// The principal, if Kerberos named this identity.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        match self {
            Self::Kerberos(principal) => Some(principal),
        }
    }

    /// The exported name, which compares equal byte for byte when the identities are equal and
    /// serves as a key in access lists: RFC 2743 §3.2, and RFC 1964 §2.1.1 for what it holds.
    ///
    /// ```
    /// use countersign_context::Identity;
    /// use countersign_context::credential::Principal;
    ///
    /// let identity = Identity::Kerberos(Principal::parse("a@B")?);
    /// assert_eq!(
    ///     identity.to_exported_name(),
    ///     b"\x04\x01\x00\x0b\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x00\x00\x00\x03a@B"
    /// );
    /// # Ok::<(), countersign_context::credential::Error>(())
    /// ```
    #[must_use]
    pub fn to_exported_name(&self) -> Vec<u8> {
        /// `TOK_ID` of an exported name.
        const TOKEN_ID: [u8; 2] = [0x04, 0x01];
        /// The tag of an OBJECT IDENTIFIER; ours are shorter than 128 bytes.
        const OID_TAG: u8 = 0x06;
        let (mechanism, name) = match self {
            Self::Kerberos(principal) => (Oid::KERBEROS, principal.to_text()),
        };
        let oid = mechanism.as_bytes();
        let oid_length = u8::try_from(oid.len()).unwrap_or(u8::MAX);
        let name_length = u32::try_from(name.len()).unwrap_or(u32::MAX);
        let mut exported = Vec::with_capacity(name.len().saturating_add(32));
        exported.extend_from_slice(&TOKEN_ID);
        exported.extend_from_slice(&u16::from(oid_length).saturating_add(2).to_be_bytes());
        exported.extend_from_slice(&[OID_TAG, oid_length]);
        exported.extend_from_slice(oid);
        exported.extend_from_slice(&name_length.to_be_bytes());
        exported.extend_from_slice(&name);
        exported
    }
}

/// `name@REALM` for a principal.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kerberos(principal) => principal.fmt(f),
        }
    }
}
