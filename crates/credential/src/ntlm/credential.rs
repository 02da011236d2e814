//! What an initiator authenticates with.

use alloc::boxed::Box;
use alloc::string::String;

use countersign_crypto::ntlm::{NtHash, ResponseKey};
use countersign_crypto::wiping_stack;

use super::account::{AccountName, check};
use crate::error::Error;
use crate::password::Password;

/// An account and the hash of its password, which is all that NTLM needs (MS-NLMP §3.3.1), with the key that
/// follows from both, so that contexts need not derive it (§3.3.2).
///
/// ```
/// use countersign_credential::Password;
/// use countersign_credential::ntlm::{AccountName, NtlmCredential};
///
/// let account = AccountName::parse("CORP\\alice")?;
/// let credential = NtlmCredential::with_password(account, &Password::from("correct horse"))
///     .with_workstation("LAPTOP")?;
/// assert_eq!(credential.name().user(), "alice");
/// assert_eq!(credential.workstation(), Some("LAPTOP"));
/// # Ok::<(), countersign_credential::Error>(())
/// ```
#[derive(Debug)]
pub struct NtlmCredential {
    name: AccountName,
    hash: NtHash,
    /// In a place of its own, where it is wiped.
    response_key: Box<ResponseKey>,
    workstation: Option<String>,
}

impl NtlmCredential {
    /// An account by its password, of which only the hash and what follows from it are kept.
    #[must_use]
    pub fn with_password(name: AccountName, password: &Password) -> Self {
        Self::with_nt_hash(name, NtHash::from_password(password.expose()))
    }

    /// An account by the NT hash of its password.
    #[must_use]
    pub fn with_nt_hash(name: AccountName, hash: NtHash) -> Self {
        let (user, domain) = (name.user().chars(), name.domain().chars());
        let response_key = wiping_stack(|| Box::new(hash.response_key(user, domain)));
        Self {
            name,
            hash,
            response_key,
            workstation: None,
        }
    }

    /// The same credential, used at a machine of this name (MS-NLMP §2.2.1.3: Workstation). Acceptors log it, and
    /// domain controllers may restrict accounts to some; it proves nothing.
    ///
    /// # Errors
    /// [`Error::Name`] when it is too long, or holds a character that no name may hold.
    pub fn with_workstation(mut self, workstation: impl Into<String>) -> Result<Self, Error> {
        let workstation = workstation.into();
        check(&workstation, 0)?;
        self.workstation = Some(workstation);
        Ok(self)
    }

    /// The account.
    #[must_use]
    pub fn name(&self) -> &AccountName {
        &self.name
    }

    /// The NT hash of the password.
    #[must_use]
    pub fn hash(&self) -> &NtHash {
        &self.hash
    }

    /// The key of the account's NTLMv2 responses, NTOWFv2 (MS-NLMP §3.3.2), derived when the credential was
    /// made.
    #[must_use]
    pub fn response_key(&self) -> &ResponseKey {
        &self.response_key
    }

    /// The machine's name, if one was given.
    #[must_use]
    pub fn workstation(&self) -> Option<&str> {
        self.workstation.as_deref()
    }

    /// An explicit copy, with copies of the hash and of the key.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            workstation: self.workstation.clone(),
            ..Self::with_nt_hash(self.name.clone(), self.hash.duplicate())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::NameProblem;

    fn credential(password: &str) -> NtlmCredential {
        let name = AccountName::parse("CORP\\alice").unwrap();
        NtlmCredential::with_password(name, &Password::from(password))
    }

    #[test]
    fn a_password_and_its_hash_are_the_same_credential() {
        let hash = NtHash::from_hex("cfc43211ba8dc470832267827cac1407").unwrap();
        let by_hash = NtlmCredential::with_nt_hash(credential("").name().clone(), hash);
        assert!(credential("correct horse").hash().ct_eq(by_hash.hash()));
        assert!(!credential("correct horsf").hash().ct_eq(by_hash.hash()));
    }

    #[test]
    fn workstations_are_checked_as_names_are() {
        assert_eq!(credential("").workstation(), None);
        let named = credential("").with_workstation("LAPTOP").unwrap();
        assert_eq!(named.duplicate().workstation(), Some("LAPTOP"));
        for (text, problem) in [
            ("LAP\0TOP", NameProblem::BadCharacter),
            ("LAP\\TOP", NameProblem::TooManyParts),
        ] {
            let refused = credential("").with_workstation(text).unwrap_err();
            assert_eq!(refused, Error::Name { offset: 3, problem });
        }
    }
}
