//! Impersonation on Linux: the filesystem identity of the thread.
//!
//! ```text
//! begin    supplementary groups, fsgid, fsuid of the user      setgroups(2), setfsgid(2), setfsuid(2)
//! revert   fsuid, fsgid, supplementary groups as they were
//! ```
//!
//! All three belong to a thread in Linux; the calls used here change no other. With a filesystem
//! user other than root the kernel also takes the capabilities that pass over permissions
//! (capabilities(7)), so that files are opened as the client would open them. Other rights of the
//! process, signals to name one, stay.

use std::ffi::CString;
use std::fmt;

use nix::unistd::{Gid, Uid, User, getgrouplist, getgroups, setfsgid, setfsuid};

use super::access_token::AccessToken;
use super::impersonate::Impersonator;
use super::{SecurityStatus, SspiError};

type Map = Box<dyn Fn(&AccessToken) -> Option<String> + Send + Sync>;

/// Maps clients to users of this machine (`getpwnam`), and acts on files as them. The process needs
/// `CAP_SETUID` and `CAP_SETGID`. Nobody becomes root.
pub struct LinuxImpersonator(Map);

impl LinuxImpersonator {
    /// Users by a rule of the program's own; `None`: there is no such user here.
    ///
    /// The rule decides who becomes whom: tell realms apart.
    #[must_use]
    pub fn new(map: impl Fn(&AccessToken) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Box::new(map))
    }

    /// Users of the same name as the clients of one realm of Kerberos: `alice@REALM` is `alice`;
    /// `alice/admin@REALM`, other realms and NTLM are nobody.
    #[must_use]
    pub fn of_realm(realm: &str) -> Self {
        let realm = realm.as_bytes().to_vec();
        Self::new(move |token| {
            let principal = token.identity().principal()?;
            let mut components = principal.components();
            match (components.next(), components.next()) {
                (Some(name), None) if principal.realm() == realm => {
                    String::from_utf8(name.to_vec()).ok()
                }
                _ => None,
            }
        })
    }

    fn user(&self, token: &AccessToken) -> Option<User> {
        let user = User::from_name(&(self.0)(token)?).ok()??;
        (!user.uid.is_root()).then_some(user)
    }
}

impl fmt::Debug for LinuxImpersonator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinuxImpersonator(..)")
    }
}

impl Impersonator for LinuxImpersonator {
    fn impersonate(&self, token: &AccessToken) -> Result<Box<dyn FnOnce()>, SspiError> {
        let refused = || SspiError::from(SecurityStatus::SEC_E_NO_IMPERSONATION);
        let user = self.user(token).ok_or_else(refused)?;
        let name = CString::new(user.name.as_bytes()).map_err(|_| refused())?;
        let groups = getgrouplist(&name, user.gid).map_err(|_| refused())?;
        let previous = getgroups().map_err(|_| refused())?;
        set_groups(&groups).map_err(|_| refused())?;
        let gid = setfsgid(user.gid);
        let uid = setfsuid(user.uid);
        let revert = move || {
            setfsuid(uid);
            setfsgid(gid);
            // The process was permitted to set them a moment ago.
            set_groups(&previous).ok();
        };
        // These calls tell nothing of failure; asking for what does not exist tells the present.
        let none = u32::MAX;
        let became = (setfsuid(Uid::from_raw(none)), setfsgid(Gid::from_raw(none)));
        if became != (user.uid, user.gid) {
            revert();
            return Err(refused());
        }
        Ok(Box::new(revert))
    }
}

/// Of this thread alone: the C library's `setgroups` changes all.
fn set_groups(groups: &[Gid]) -> rustix::io::Result<()> {
    let groups: Vec<rustix::process::Gid> = groups
        .iter()
        .map(|gid| rustix::process::Gid::from_raw(gid.as_raw()))
        .collect();
    rustix::thread::set_thread_groups(&groups)
}
