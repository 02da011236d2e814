//! The users that an acceptor knows.

mod error;
mod line;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;

use countersign_crypto::ntlm::NtHash;

use super::account::{AccountName, folded};
use crate::limits::{NTLM_USERS, NTLM_USERS_BYTES};

pub use error::{UsersError, UsersErrorKind};

/// Users by name, with the NT hashes of their passwords: a store for acceptors that are no member of a domain.
///
/// Names are compared without regard to case, as Windows does. A user without a domain is found in every
/// domain; one with the domain that was asked for goes first.
///
/// ```
/// use countersign_credential::ntlm::Users;
///
/// let users = Users::parse(b"
/// ## The domain, the user and the password, which may hold colons.
/// CORP:alice:correct:horse
/// ## In every domain, as no domain is given, or a star.
/// *:bob:battery staple
/// ## The user, or DOMAIN\\user, and the NT hash of the password.
/// carol:cfc43211ba8dc470832267827cac1407
/// ")?;
/// assert_eq!(users.len(), 3);
/// assert!(users.find("corp", "Alice").is_some());
/// assert!(users.find("OTHER", "alice").is_none());
/// assert!(users.find("OTHER", "bob").is_some());
/// # Ok::<(), countersign_credential::ntlm::UsersError>(())
/// ```
#[derive(Default)]
pub struct Users {
    /// By the folded name. Boxed: what a tree moves around are no secrets then, only where they are.
    entries: BTreeMap<String, Box<User>>,
}

struct User {
    name: AccountName,
    hash: NtHash,
}

impl Users {
    /// Nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a file of users: one a line, and empty lines, and comments that begin with `#`.
    ///
    /// | line | meaning |
    /// |---|---|
    /// | `DOMAIN:user:password` | as gss-ntlmssp reads it; the password is all behind the second colon, blanks too. Without a domain, or with `*`, the user is one of every domain |
    /// | `user:hash` | the NT hash in 32 hexadecimal digits; `user` may be `DOMAIN\user` |
    /// | `user:uid:lm:nt:[flags]:…` | as `pdbedit -w` of Samba writes it. Accounts that nobody can log on to over a network are passed over: disabled, locked, without a password, or of machines |
    ///
    /// Nothing of the bytes is kept but names and hashes. The bytes are the caller's to wipe; a
    /// [`Zeroizing`](countersign_crypto::Zeroizing) vector does it.
    ///
    /// # Errors
    /// [`UsersError`] with the number of the line that is wrong, and none of its content.
    pub fn parse(bytes: &[u8]) -> Result<Self, UsersError> {
        if bytes.len() > NTLM_USERS_BYTES {
            return Err(UsersErrorKind::TooLarge.at(0));
        }
        // What some editors put before UTF-8.
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut users = Self::new();
        for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            users
                .take_line(line)
                .map_err(|kind: UsersErrorKind| kind.at(number))?;
        }
        Ok(users)
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), UsersErrorKind> {
        let Some((name, hash)) = line::read(line)? else {
            return Ok(());
        };
        if self.entries.len() >= NTLM_USERS {
            return Err(UsersErrorKind::TooLarge);
        }
        self.insert(name, hash)
    }

    /// Adds a user; one without a domain is a user of every domain.
    ///
    /// # Errors
    /// [`UsersErrorKind::Duplicate`] when there is one of the name already, which stays as it is.
    pub fn insert(&mut self, name: AccountName, hash: NtHash) -> Result<(), UsersErrorKind> {
        use alloc::collections::btree_map::Entry;
        match self.entries.entry(key(name.domain(), name.user())) {
            Entry::Occupied(_) => Err(UsersErrorKind::Duplicate),
            Entry::Vacant(vacant) => {
                vacant.insert(Box::new(User { name, hash }));
                Ok(())
            }
        }
    }

    /// A user of the domain, or else the user of that name in every domain: the name as it stands here, and the
    /// hash. The domain of a user of every domain is empty, whatever domain was asked for: nobody has proved it.
    ///
    /// The names are those of a peer who has proved nothing yet: any text is looked up. Whether there is such a user
    /// shows in the time of this call no more than a look-up in a tree shows it; that the rest of a logon takes
    /// the same time either way is up to the caller.
    #[must_use]
    pub fn find(&self, domain: &str, user: &str) -> Option<(&AccountName, &NtHash)> {
        let own = self.entries.get(&key(domain, user));
        let any = self.entries.get(&key("", user));
        own.or(any).map(|user| (&user.name, &user.hash))
    }

    /// How many users there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// What a name is found by. No account's name has a `\` in a part, so no two have one key.
fn key(domain: &str, user: &str) -> String {
    let length = domain.len().saturating_add(user.len()).saturating_add(1);
    let mut key = String::with_capacity(length);
    key.extend(folded(domain));
    key.push('\\');
    key.extend(folded(user));
    key
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Users({})", self.entries.len())
    }
}
