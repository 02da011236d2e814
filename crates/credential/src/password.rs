//! Passwords.

use alloc::string::String;
use core::fmt;

use zeroize::Zeroizing;

/// A password: wiped when dropped, never printed.
///
/// ```
/// use countersign_credential::Password;
///
/// let password = Password::from("correct horse");
/// assert_eq!(password.expose(), "correct horse");
/// assert_eq!(format!("{password:?}"), "Password(redacted)");
/// ```
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes the text over; it is wiped when the password is dropped.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, UTF-8 as string-to-key (RFC 3961 §3) and MS-NLMP take it. Keep it no longer than needed.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// An explicit copy, wiped like the first.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<Zeroizing<String>> for Password {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self::new(text.into())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}
