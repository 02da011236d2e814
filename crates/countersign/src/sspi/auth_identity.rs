//! `SEC_WINNT_AUTH_IDENTITY` and `SEC_WINNT_AUTH_IDENTITY_EX`: who to be.

use countersign_credential::Password;

/// `SEC_WINNT_AUTH_IDENTITY_VERSION`.
pub const SEC_WINNT_AUTH_IDENTITY_VERSION: u32 = 0x200;
/// Strings of one byte a letter. Strings here are neither.
pub const SEC_WINNT_AUTH_IDENTITY_ANSI: u32 = 0x1;
/// Strings of UTF-16.
pub const SEC_WINNT_AUTH_IDENTITY_UNICODE: u32 = 0x2;

/// A user's name and password, and which packages may use them.
///
/// ```
/// use countersign::sspi::SecWinntAuthIdentity;
///
/// let alice = SecWinntAuthIdentity::new("alice", "EXAMPLE.COM", "open sesame");
/// let never_by_ntlm = SecWinntAuthIdentity::new("alice@example.com", "", "open sesame")
///     .with_package_list("!ntlm");
/// ```
#[derive(Debug)]
pub struct SecWinntAuthIdentity {
    pub(super) user: String,
    pub(super) domain: String,
    pub(super) password: Password,
    pub(super) packages: PackageList,
}

impl SecWinntAuthIdentity {
    /// A user of a domain. With an empty domain the user may be a user principal name,
    /// `alice@example.com`. All three empty are nobody: a null session of NTLM.
    #[must_use]
    pub fn new(
        user: impl Into<String>,
        domain: impl Into<String>,
        password: impl Into<Password>,
    ) -> Self {
        Self {
            user: user.into(),
            domain: domain.into(),
            password: password.into(),
            packages: PackageList::default(),
        }
    }

    /// `PackageList` of `SEC_WINNT_AUTH_IDENTITY_EX`: with `Negotiate`, the packages that may use
    /// this identity, in a list with commas; `!name` excludes one.
    ///
    /// Without a list `Negotiate` uses Kerberos alone: unlike on Windows, NTLM must be named.
    #[must_use]
    pub fn with_package_list(mut self, list: &str) -> Self {
        self.packages = PackageList::parse(list);
        self
    }

    pub(super) fn is_nobody(&self) -> bool {
        self.user.is_empty() && self.domain.is_empty() && self.password.expose().is_empty()
    }
}

/// Which packages may be negotiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackageList {
    pub(super) kerberos: bool,
    /// `None`: the list does not say.
    pub(super) ntlm: Option<bool>,
}

impl Default for PackageList {
    fn default() -> Self {
        Self {
            kerberos: true,
            ntlm: None,
        }
    }
}

impl PackageList {
    fn parse(list: &str) -> Self {
        let names = || {
            list.split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
        };
        // A list that only excludes leaves what there is without one.
        let includes = names().any(|name| !name.starts_with('!'));
        let says = |package: &str| {
            let is = |name: &str| name.eq_ignore_ascii_case(package);
            if names().filter_map(|name| name.strip_prefix('!')).any(is) {
                Some(false)
            } else if includes {
                Some(names().any(is))
            } else {
                None
            }
        };
        Self {
            kerberos: says("kerberos").unwrap_or(true),
            ntlm: says("ntlm"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_list_names_and_excludes_and_ntlm_is_never_implied() {
        for (list, kerberos, ntlm) in [
            ("", true, None),
            ("!ntlm", true, Some(false)),
            ("!kerberos", false, None),
            ("ntlm", false, Some(true)),
            ("Kerberos, NTLM", true, Some(true)),
            ("kerberos,ntlm,!NTLM", true, Some(false)),
            ("schannel", false, Some(false)),
        ] {
            let parsed = PackageList::parse(list);
            assert_eq!((parsed.kerberos, parsed.ntlm), (kerberos, ntlm), "{list:?}");
        }
    }

    #[test]
    fn the_password_is_not_printed() {
        let identity = SecWinntAuthIdentity::new("alice", "EXAMPLE", "open sesame");
        assert!(!format!("{identity:?}").contains("sesame"));
    }
}
