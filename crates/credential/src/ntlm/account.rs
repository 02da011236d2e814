//! Names of accounts: a user and the user's domain.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use countersign_crypto::ntlm::upper_case;

use crate::error::{Error, NameProblem};
use crate::limits::NTLM_NAME;

/// The name of an account: a user and the user's domain, which may be empty (MS-NLMP §3.1.1.1: User, UserDom).
///
/// Equality is that of the exact text, case and all; [`matches`](Self::matches) compares as Windows does.
///
/// ```
/// use countersign_credential::ntlm::AccountName;
///
/// let account = AccountName::parse("CORP\\Alice")?;
/// assert_eq!((account.domain(), account.user()), ("CORP", "Alice"));
/// assert!(account.matches(&AccountName::new("corp", "alice")?));
///
/// // The whole of a user principal name is the user; domain controllers find the domain.
/// let account = AccountName::parse("alice@corp.example")?;
/// assert_eq!((account.domain(), account.user()), ("", "alice@corp.example"));
/// # Ok::<(), countersign_credential::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountName {
    /// Shared by clones, as contexts have them.
    domain: Arc<str>,
    user: Arc<str>,
}

impl AccountName {
    /// A user of a domain, or of no named one when `domain` is empty.
    ///
    /// # Errors
    /// [`Error::Name`] with the position in the part that is wrong: when there is no user (anonymous is no
    /// account), when a part is over [`NTLM_NAME`] UTF-16 units, or holds a `\` or a NUL or control character.
    pub fn new(domain: impl Into<String>, user: impl Into<String>) -> Result<Self, Error> {
        let (domain, user) = (domain.into(), user.into());
        check(&domain, 0)?;
        check(&user, 0)?;
        if user.is_empty() {
            return Err(problem(0, NameProblem::Empty));
        }
        Ok(Self {
            domain: domain.into(),
            user: user.into(),
        })
    }

    /// Reads `DOMAIN\user`, `user@dns.domain` or `user`; the latter two have no domain.
    ///
    /// # Errors
    /// [`Error::Name`], as [`new`](Self::new) gives it, with the position in `text`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (domain, user) = text.split_once('\\').unwrap_or(("", text));
        let start = text.len().saturating_sub(user.len());
        check(domain, 0)?;
        check(user, start)?;
        if user.is_empty() {
            return Err(problem(start, NameProblem::Empty));
        }
        Ok(Self {
            domain: domain.into(),
            user: user.into(),
        })
    }

    /// The domain; may be empty.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The user; never empty.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Whether both are the same but for the case of letters, by the upper case of Windows.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        folded(&self.domain).eq(folded(&other.domain)) && folded(&self.user).eq(folded(&other.user))
    }
}

/// The letters of a name as they are compared.
pub(super) fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(upper_case)
}

/// Checks a part of a name, which begins at `start` of the text.
pub(super) fn check(part: &str, start: usize) -> Result<(), Error> {
    let mut units = 0usize;
    for (offset, letter) in part.char_indices() {
        let at = start.saturating_add(offset);
        if letter == '\\' {
            return Err(problem(at, NameProblem::TooManyParts));
        }
        if letter.is_control() {
            return Err(problem(at, NameProblem::BadCharacter));
        }
        units = units.saturating_add(letter.len_utf16());
        if units > NTLM_NAME {
            return Err(problem(at, NameProblem::TooLong));
        }
    }
    Ok(())
}

fn problem(offset: usize, problem: NameProblem) -> Error {
    Error::Name { offset, problem }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.domain.is_empty() {
            write!(f, "{}\\", self.domain)?;
        }
        f.write_str(&self.user)
    }
}

impl core::str::FromStr for AccountName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn name(domain: &str, user: &str) -> AccountName {
        AccountName::new(domain, user).unwrap()
    }

    #[test]
    fn names_are_read_in_their_three_forms_and_written_back() {
        for (text, domain, user) in [
            ("CORP\\alice", "CORP", "alice"),
            ("corp.example\\alice smith", "corp.example", "alice smith"),
            ("alice@corp.example", "", "alice@corp.example"),
            ("CORP\\alice@corp.example", "CORP", "alice@corp.example"),
            ("alice", "", "alice"),
            ("Ä\\\u{1D11E}", "Ä", "\u{1D11E}"),
        ] {
            let account = AccountName::parse(text).unwrap();
            assert_eq!(account, name(domain, user));
            assert_eq!(account.to_string(), text);
            assert_eq!(text.parse(), Ok(account));
        }
        assert_eq!(AccountName::parse("\\alice").unwrap(), name("", "alice"));
    }

    #[test]
    fn malformed_names_are_refused_where_they_are_wrong() {
        let long = "x".repeat(NTLM_NAME + 1);
        for (text, offset, problem) in [
            ("", 0, NameProblem::Empty),
            ("CORP\\", 5, NameProblem::Empty),
            ("\\", 1, NameProblem::Empty),
            ("CORP\\a\\b", 6, NameProblem::TooManyParts),
            ("CORP\\ali\0ce", 8, NameProblem::BadCharacter),
            ("CO\nRP\\alice", 2, NameProblem::BadCharacter),
            ("é\u{85}", 2, NameProblem::BadCharacter),
            ("a\u{7f}", 1, NameProblem::BadCharacter),
            (&long, NTLM_NAME, NameProblem::TooLong),
        ] {
            assert_eq!(
                AccountName::parse(text),
                Err(Error::Name { offset, problem }),
                "{text:?}"
            );
        }
        for (domain, user, offset, problem) in [
            ("CORP", "", 0, NameProblem::Empty),
            ("CO\\RP", "alice", 2, NameProblem::TooManyParts),
            ("CORP", "al\\ice", 2, NameProblem::TooManyParts),
            (&long, "alice", NTLM_NAME, NameProblem::TooLong),
        ] {
            assert_eq!(
                AccountName::new(domain, user),
                Err(Error::Name { offset, problem })
            );
        }
    }

    #[test]
    fn parts_may_have_256_units_each() {
        let longest = "x".repeat(NTLM_NAME);
        assert_eq!(name(&longest, &longest).user(), longest);
        // Two units a letter.
        let clefs = "\u{1D11E}".repeat(NTLM_NAME / 2);
        assert_eq!(name("", &clefs).user(), clefs);
        assert!(AccountName::new("", clefs + "x").is_err());
    }

    #[test]
    fn names_match_without_regard_to_case_as_windows_knows_it() {
        assert!(name("Corp", "jürgen").matches(&name("CORP", "JÜRGEN")));
        assert_ne!(name("Corp", "jürgen"), name("CORP", "JÜRGEN"));
        for (domain, user) in [("", "alice"), ("CORP", "alicf"), ("COR", "Palice")] {
            assert!(!name("CORP", "alice").matches(&name(domain, user)));
        }
        // Neither has a single upper case letter to Windows.
        assert!(!name("", "straße").matches(&name("", "strasse")));
        assert!(!name("", "ı").matches(&name("", "i")));
    }
}
