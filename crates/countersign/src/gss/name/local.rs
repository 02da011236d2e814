//! Accounts of the operating system that names stand for (`gss_localname`, `gss_userok`).
//!
//! Nobody is asked and no file is read: a program says which rule it goes by.

use core::fmt;

use crate::Identity;
use crate::credential::NameType;

use super::super::error::{GssError, Problem};
use super::{Name, is_nobody};

/// Which local account a name stands for.
///
/// ```
/// use countersign::Identity;
/// use countersign::gss::{LocalNames, Name, localname, userok};
/// use countersign::credential::Principal;
///
/// let admins = LocalNames::by(|identity| match identity {
///     Identity::Kerberos(principal) if principal.to_string() == "alice/admin@EXAMPLE.COM" => {
///         Some("root".to_owned())
///     }
///     _ => None,
/// });
/// let names = admins.or(LocalNames::of_realm("EXAMPLE.COM"));
///
/// let alice = Name::from(Principal::parse("alice@EXAMPLE.COM")?);
/// assert_eq!(localname(&alice, &names)?, "alice");
/// let admin = Name::from(Principal::parse("alice/admin@EXAMPLE.COM")?);
/// assert!(userok(&admin, "root", &names));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LocalNames(Box<Rule>);

type Rule = dyn Fn(&Identity) -> Option<String> + Send + Sync;

impl LocalNames {
    /// The default rule of MIT krb5: a principal of this realm that has one component is the account of
    /// that name, and no other has any.
    ///
    /// Every such principal counts, `root` too: name a realm only where all who can create principals in
    /// it may choose accounts here. Enterprise names, which no KDC has made canonical, have none.
    #[must_use]
    pub fn of_realm(realm: impl Into<Vec<u8>>) -> Self {
        let realm = realm.into();
        Self::by(move |identity| {
            let Identity::Kerberos(principal) = identity else {
                return None;
            };
            let mut components = principal.components();
            let (Some(account), None) = (components.next(), components.next()) else {
                return None;
            };
            let own = principal.realm() == realm && principal.name_type() != NameType::ENTERPRISE;
            let account = str::from_utf8(account).ok()?;
            own.then(|| account.to_owned())
        })
    }

    /// A mapping of the program's own. Nobody, and who is anonymous, is not asked for.
    #[must_use]
    pub fn by(rule: impl Fn(&Identity) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Box::new(rule))
    }

    /// For whom this has no account, what the other says.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::by(move |identity| (self.0)(identity).or_else(|| (other.0)(identity)))
    }

    fn find(&self, identity: &Identity) -> Option<String> {
        let account = (!is_nobody(identity)).then(|| (self.0)(identity))??;
        // No system has such an account, and C would see another.
        (!account.is_empty() && !account.contains('\0')).then_some(account)
    }
}

impl fmt::Debug for LocalNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalNames")
    }
}

/// The local account that a name stands for (`gss_localname`).
///
/// # Errors
/// `GSS_S_NAME_NOT_MN` before [`canonicalize_name`](super::canonicalize_name); `GSS_S_FAILURE` with the
/// minor status `KRB5_NO_LOCALNAME` where there is none.
pub fn localname(name: &Name, local_names: &LocalNames) -> Result<String, GssError> {
    let identity = name.identity().ok_or(Problem::NameNotMn)?;
    Ok(local_names
        .find(identity)
        .ok_or(Problem::LocalNameMissing)?)
}

/// Whether a name may log on as a local account (`gss_userok`): where it stands for that one, compared
/// byte for byte. A name that is not of one mechanism may not; no `.k5login` is read.
#[must_use]
pub fn userok(name: &Name, user: &str, local_names: &LocalNames) -> bool {
    localname(name, local_names).is_ok_and(|account| account == user)
}
