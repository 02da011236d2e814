//! Who a side of a context is.

use core::fmt;

use countersign_credential::Principal;
#[cfg(feature = "ntlm")]
use countersign_credential::ntlm::AccountName;
use countersign_token::oid::Oid;

/// A name that the mechanism has proved, or this side's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Identity {
    /// A Kerberos principal.
    Kerberos(Principal),
    /// Whom NTLM proved.
    #[cfg(feature = "ntlm")]
    Ntlm(NtlmIdentity),
    /// Whom a mechanism proved that the program brought along.
    Other {
        /// The mechanism.
        mechanism: Oid<'static>,
        /// As it prints and as it is exported.
        name: String,
    },
}

/// Whom NTLM proved. Three things that must not be taken for each other.
#[cfg(feature = "ntlm")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NtlmIdentity {
    /// An account, under the name that the user store or the domain controller has for it.
    Account(AccountName),
    /// Nobody: no name and no proof (MS-NLMP §3.2.5.1.2).
    Anonymous,
    /// Somebody whom the user store or the domain controller takes for a guest. The name is what
    /// the initiator called itself, and nothing proves it.
    Guest {
        /// Not proved.
        claimed: AccountName,
    },
}

impl Identity {
    /// The principal, if Kerberos named this identity.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        match self {
            Self::Kerberos(principal) => Some(principal),
            #[cfg(feature = "ntlm")]
            Self::Ntlm(_) => None,
            Self::Other { .. } => None,
        }
    }

    /// The account, if NTLM proved one: neither a guest nor anonymous.
    #[cfg(feature = "ntlm")]
    #[must_use]
    pub fn account(&self) -> Option<&AccountName> {
        match self {
            Self::Ntlm(NtlmIdentity::Account(account)) => Some(account),
            _ => None,
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
            #[cfg(feature = "ntlm")]
            Self::Ntlm(identity) => (Oid::NTLMSSP, identity.to_string().into_bytes()),
            Self::Other { mechanism, name } => (*mechanism, name.clone().into_bytes()),
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

/// `DOMAIN\user` for an account. No account is called as the other two are.
#[cfg(feature = "ntlm")]
impl fmt::Display for NtlmIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => account.fmt(f),
            Self::Anonymous => f.write_str("anonymous\\"),
            Self::Guest { claimed } => write!(f, "guest\\ (says {claimed})"),
        }
    }
}

/// `name@REALM` for a principal, `DOMAIN\user` for an account.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kerberos(principal) => principal.fmt(f),
            #[cfg(feature = "ntlm")]
            Self::Ntlm(identity) => identity.fmt(f),
            Self::Other { name, .. } => f.write_str(name),
        }
    }
}
