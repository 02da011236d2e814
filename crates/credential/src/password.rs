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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn a_password_is_the_same_text_however_it_came() {
        let text = " pässword\0 ";
        for password in [
            Password::from(text),
            Password::from(String::from(text)),
            Password::from(Zeroizing::new(String::from(text))),
            Password::new(text.into()),
            Password::from(text).duplicate(),
        ] {
            assert_eq!(password.expose(), text);
        }
    }

    #[test]
    fn debug_output_has_no_password() {
        let password = Password::from("hunter2");
        let text = format!("{password:?} {:#?}", Some(password.duplicate()));
        assert!(
            text.contains("redacted") && !text.contains("hunter"),
            "{text}"
        );
        // Not even how long it is.
        assert_eq!(format!("{:?}", Password::from("")), format!("{password:?}"));
    }
}
