//! Who a side of a context is.

use core::fmt;

use countersign_credential::Principal;

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
}

/// `name@REALM` for a principal.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kerberos(principal) => principal.fmt(f),
        }
    }
}
