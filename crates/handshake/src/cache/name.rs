//! The names of caches: `TYPE:rest`.

use core::fmt;
use core::str::FromStr;
use std::path::PathBuf;

use countersign_credential::Krb5Conf;

use super::error::{CacheError, NameProblem};
use crate::configuration;

/// The name of a credential cache, or of a collection of them.
///
/// ```
/// use countersign_handshake::cache::CacheName;
///
/// let name: CacheName = "FILE:/tmp/krb5cc_1000".parse()?;
/// assert_eq!(name, CacheName::File("/tmp/krb5cc_1000".into()));
/// assert_eq!("/tmp/krb5cc_1000".parse::<CacheName>()?, name);
/// assert_eq!("KCM:".parse::<CacheName>()?.to_string(), "KCM:");
/// # Ok::<(), countersign_handshake::cache::CacheError>(())
/// ```
///
/// Windows' logon session (`MSLSA:`) and the API caches of Windows and macOS (`API:`) are not opened here: a program
/// that has them implements [`CacheStore`](super::CacheStore) for them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheName {
    /// `FILE:path`, or a path alone.
    File(PathBuf),
    /// `DIR:folder`: the collection; its primary cache, where one cache is wanted.
    Dir(PathBuf),
    /// `DIR::folder/tktname`: one cache of a collection.
    DirMember(PathBuf),
    /// `MEMORY:name`: in a [`MemoryCaches`](super::MemoryCaches) of this program.
    Memory(String),
    /// `KCM:` for the server's collection, `KCM:name` for one cache of it.
    Kcm(Option<String>),
    /// `KEYRING:anchor:collection[:member]`.
    Keyring(KeyringName),
}

/// The name of a cache in the kernel's keyrings, as MIT krb5 has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyringName {
    /// The keyring that the collection hangs on.
    pub anchor: KeyringAnchor,
    /// The collection; for the anchor `persistent` a user's number, or empty for one's own.
    pub collection: String,
    /// One cache of the collection; its primary cache where absent.
    pub member: Option<String>,
}

/// A keyring that a collection can hang on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyringAnchor {
    /// The user's, which outlives sessions by a few days.
    Persistent,
    /// The user's, for as long as it has a process.
    User,
    /// The session's.
    Session,
    /// The process's.
    Process,
    /// The thread's.
    Thread,
    /// The session's, in the way of MIT krb5 before 1.12: `KEYRING:name`.
    Legacy,
}

const ANCHORS: [(KeyringAnchor, &str); 6] = [
    (KeyringAnchor::Persistent, "persistent"),
    (KeyringAnchor::User, "user"),
    (KeyringAnchor::Session, "session"),
    (KeyringAnchor::Process, "process"),
    (KeyringAnchor::Thread, "thread"),
    (KeyringAnchor::Legacy, "legacy"),
];

impl CacheName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`CacheError::Name`].
    pub fn parse(text: &str) -> Result<Self, CacheError> {
        if text.contains('\0') {
            return Err(NameProblem::NotText.into());
        }
        let (kind, rest) = match text.split_once(':') {
            // A letter before the colon is a drive of Windows, not a type.
            Some((kind, rest)) if kind.len() > 1 && !kind.contains(['/', '\\']) => (kind, rest),
            _ => ("FILE", text),
        };
        let path = |rest: &str| {
            if rest.is_empty() {
                return Err(CacheError::from(NameProblem::Empty));
            }
            Ok(PathBuf::from(rest))
        };
        match kind {
            "FILE" => path(rest).map(Self::File),
            "DIR" => match rest.strip_prefix(':') {
                None => path(rest).map(Self::Dir),
                Some(member) => {
                    let member = path(member)?;
                    let named = member.file_name().and_then(|name| name.to_str());
                    let inside = member
                        .parent()
                        .is_some_and(|folder| !folder.as_os_str().is_empty());
                    if !inside || !named.is_some_and(|name| name.starts_with("tkt")) {
                        return Err(NameProblem::NotAMember.into());
                    }
                    Ok(Self::DirMember(member))
                }
            },
            "MEMORY" if rest.is_empty() => Err(NameProblem::Empty.into()),
            "MEMORY" => Ok(Self::Memory(rest.into())),
            "KCM" => Ok(Self::Kcm((!rest.is_empty()).then(|| rest.into()))),
            "KEYRING" => KeyringName::parse(rest).map(Self::Keyring),
            "API" | "MSLSA" | "SCC" => Err(NameProblem::Unsupported.into()),
            _ => Err(NameProblem::UnknownType.into()),
        }
    }

    /// The default cache of this process: the environment variable `KRB5CCNAME`, or else what the configuration says, or
    /// else `FILE:/tmp/krb5cc_` and the user's number.
    ///
    /// # Errors
    /// The name that was found cannot be used; the next is not tried.
    pub fn from_environment(conf: &Krb5Conf) -> Result<Self, CacheError> {
        match configuration::variable("KRB5CCNAME")? {
            Some(name) => Self::parse(&name),
            None => Self::configured(conf, &configuration::UserTokens::from_environment()),
        }
    }

    /// The default cache that the configuration names, or else `FILE:/tmp/krb5cc_` and the user's number.
    ///
    /// # Errors
    /// The configured name cannot be used.
    pub fn from_configuration(conf: &Krb5Conf) -> Result<Self, CacheError> {
        Self::configured(conf, &configuration::UserTokens::of_process())
    }

    fn configured(conf: &Krb5Conf, tokens: &configuration::UserTokens) -> Result<Self, CacheError> {
        let configured = conf
            .default_ccache_name(&tokens.tokens())
            .map_err(|_| NameProblem::Token)?;
        match configured {
            Some(name) => Self::parse(&name),
            None => {
                let name = tokens.tokens().expand("FILE:/tmp/krb5cc_%{uid}");
                Self::parse(&name.map_err(|_| NameProblem::Unsupported)?)
            }
        }
    }
}

impl KeyringName {
    fn parse(rest: &str) -> Result<Self, CacheError> {
        let Some((anchor, rest)) = rest.split_once(':') else {
            if rest.is_empty() {
                return Err(NameProblem::Empty.into());
            }
            return Ok(Self {
                anchor: KeyringAnchor::Legacy,
                collection: rest.into(),
                member: None,
            });
        };
        let anchor = ANCHORS.iter().find(|(_, name)| *name == anchor);
        let (anchor, _) = anchor.ok_or(NameProblem::Anchor)?;
        let (collection, member) = match rest.split_once(':') {
            Some((_, "")) => return Err(NameProblem::Empty.into()),
            Some((collection, member)) => (collection, Some(member)),
            None => (rest, None),
        };
        let number = collection.bytes().all(|byte| byte.is_ascii_digit());
        if *anchor == KeyringAnchor::Persistent && !number {
            return Err(NameProblem::Anchor.into());
        }
        Ok(Self {
            anchor: *anchor,
            collection: collection.into(),
            member: member.map(String::from),
        })
    }
}

impl FromStr for CacheName {
    type Err = CacheError;

    fn from_str(text: &str) -> Result<Self, CacheError> {
        Self::parse(text)
    }
}

impl fmt::Display for CacheName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "FILE:{}", path.display()),
            Self::Dir(path) => write!(f, "DIR:{}", path.display()),
            Self::DirMember(path) => write!(f, "DIR::{}", path.display()),
            Self::Memory(name) => write!(f, "MEMORY:{name}"),
            Self::Kcm(name) => write!(f, "KCM:{}", name.as_deref().unwrap_or_default()),
            Self::Keyring(name) => name.fmt(f),
        }
    }
}

impl fmt::Display for KeyringName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let anchor = ANCHORS.iter().find(|(anchor, _)| *anchor == self.anchor);
        let anchor = anchor.map(|(_, name)| *name).unwrap_or_default();
        write!(f, "KEYRING:{anchor}:{}", self.collection)?;
        match &self.member {
            Some(member) => write!(f, ":{member}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> NameProblem {
        match CacheName::parse(text) {
            Err(CacheError::Name(problem)) => problem,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn every_type_is_read_and_written_alike() {
        for text in [
            "FILE:/tmp/krb5cc_0",
            "FILE:relative",
            "DIR:/run/cc",
            "DIR::/run/cc/tktABC",
            "MEMORY:a b",
            "KCM:",
            "KCM:1000:42",
            "KEYRING:persistent:",
            "KEYRING:persistent:1000",
            "KEYRING:user:c:m",
            "KEYRING:session:x",
            "KEYRING:legacy:name",
        ] {
            assert_eq!(CacheName::parse(text).unwrap().to_string(), text);
        }
        for (text, same) in [
            ("/tmp/a:b", "FILE:/tmp/a:b"),
            ("c:\\tickets", "FILE:c:\\tickets"),
            ("x", "FILE:x"),
            ("KEYRING:name", "KEYRING:legacy:name"),
        ] {
            assert_eq!(CacheName::parse(text).unwrap().to_string(), same);
        }
    }

    #[test]
    fn names_that_are_none_say_why() {
        for (text, expected) in [
            ("", NameProblem::Empty),
            ("FILE:", NameProblem::Empty),
            ("DIR:", NameProblem::Empty),
            ("DIR::", NameProblem::Empty),
            ("MEMORY:", NameProblem::Empty),
            ("KEYRING:", NameProblem::Empty),
            ("KEYRING:user:c:", NameProblem::Empty),
            ("DIR::/run/cc/other", NameProblem::NotAMember),
            ("DIR::tkt", NameProblem::NotAMember),
            ("KEYRING:nowhere:c", NameProblem::Anchor),
            ("KEYRING:persistent:me", NameProblem::Anchor),
            ("NOWHERE:x", NameProblem::UnknownType),
            ("file:/tmp/x", NameProblem::UnknownType),
            ("API:x", NameProblem::Unsupported),
            ("FILE:a\0b", NameProblem::NotText),
        ] {
            assert_eq!(problem(text), expected, "{text}");
        }
    }

    #[test]
    fn the_configuration_names_the_default_cache() {
        let conf = Krb5Conf::parse(b"[libdefaults]\ndefault_ccache_name = DIR:/x/%{null}y\n");
        let name = CacheName::from_configuration(&conf.unwrap()).unwrap();
        assert_eq!(name, CacheName::Dir("/x/y".into()));
        let conf = Krb5Conf::parse(b"[libdefaults]\ndefault_ccache_name = %{what}\n").unwrap();
        let error = CacheName::from_configuration(&conf);
        assert_eq!(error, Err(CacheError::Name(NameProblem::Token)));
        #[cfg(unix)]
        assert!(
            CacheName::from_configuration(&Krb5Conf::default())
                .unwrap()
                .to_string()
                .starts_with("FILE:/tmp/krb5cc_")
        );
    }
}
