//! `DIR` caches: a folder of files, one of which is the primary one.
//!
//! Each file whose name begins with `tkt` is a cache; the file `primary` holds the name of one of them and a line feed.
//! Source: MIT krb5 documentation, "Credential cache", and its `cc_dir.c`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use countersign_credential::{CredentialCache, TicketCredential};
use zeroize::Zeroizing;

use super::error::{CacheError, NameProblem};
use super::file::FileCache;
use super::name::CacheName;
use super::private_file::{self, Change, Old, deadline};
use super::store::CacheStore;

/// The longest line that MIT krb5 reads from `primary`, the line feed among it.
const PRIMARY_BYTES: usize = 63;

/// Most caches of a folder that are listed.
const MEMBERS: usize = 4_096;

/// One cache in a folder of them.
#[derive(Debug, Clone)]
pub struct DirCache {
    file: FileCache,
    folder: PathBuf,
    patience: Duration,
}

impl DirCache {
    /// The primary cache of the folder, which is made (mode 0700) where it is absent.
    ///
    /// # Errors
    /// The folder is none, or not ours, or its `primary` is malformed.
    pub fn primary(folder: impl Into<PathBuf>) -> Result<Self, CacheError> {
        Self::primary_within(folder.into(), Duration::from_secs(10))
    }

    pub(super) fn primary_within(folder: PathBuf, patience: Duration) -> Result<Self, CacheError> {
        verify(&folder)?;
        let name = match read_primary(&folder, patience)? {
            Some(name) => name,
            None => {
                write_primary(&folder, "tkt", patience)?;
                "tkt".into()
            }
        };
        Ok(Self::at(&folder, &name, patience))
    }

    /// The cache at the path `folder/tktname`.
    ///
    /// # Errors
    /// The path is no such, or the folder is none, or not ours.
    pub fn member(path: impl AsRef<Path>) -> Result<Self, CacheError> {
        Self::member_within(path.as_ref(), Duration::from_secs(10))
    }

    pub(super) fn member_within(path: &Path, patience: Duration) -> Result<Self, CacheError> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let name = path.file_name().and_then(|name| name.to_str());
        let (Some(folder), Some(name)) = (folder, name) else {
            return Err(NameProblem::NotAMember.into());
        };
        if !is_member(name) {
            return Err(NameProblem::NotAMember.into());
        }
        verify(folder)?;
        Ok(Self::at(folder, name, patience))
    }

    fn at(folder: &Path, name: &str, patience: Duration) -> Self {
        let path = folder.join(name);
        let name = CacheName::DirMember(path.clone());
        Self {
            file: FileCache::new(path).patience(patience).named(name),
            folder: folder.into(),
            patience,
        }
    }
}

impl CacheStore for DirCache {
    fn name(&self) -> CacheName {
        self.file.name()
    }

    fn load(&self) -> Result<CredentialCache, CacheError> {
        self.file.load()
    }

    fn replace(&self, cache: &CredentialCache) -> Result<(), CacheError> {
        self.file.replace(cache)
    }

    fn store(&self, tickets: &[TicketCredential]) -> Result<(), CacheError> {
        self.file.store(tickets)
    }

    fn destroy(&self) -> Result<(), CacheError> {
        self.file.destroy()
    }

    fn collection(&self) -> Result<Vec<Arc<dyn CacheStore>>, CacheError> {
        let primary = read_primary(&self.folder, self.patience)?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name().into_string();
            names.extend(name.ok().filter(|name| is_member(name)));
            if names.len() > MEMBERS {
                return Err(CacheError::TooLarge);
            }
        }
        names.sort_unstable_by_key(|name| (Some(name) != primary.as_ref(), name.clone()));
        let member = |name: String| -> Arc<dyn CacheStore> {
            Arc::new(Self::at(&self.folder, &name, self.patience))
        };
        Ok(names.into_iter().map(member).collect())
    }

    fn make_primary(&self) -> Result<(), CacheError> {
        let name = self.file.path().file_name().and_then(|name| name.to_str());
        let name = name.ok_or(NameProblem::NotAMember)?;
        write_primary(&self.folder, name, self.patience)
    }

    fn sibling(&self) -> Result<Arc<dyn CacheStore>, CacheError> {
        let name = format!("tkt{}", private_file::random_name()?);
        Ok(Arc::new(Self::at(&self.folder, &name, self.patience)))
    }
}

fn is_member(name: &str) -> bool {
    name.starts_with("tkt") && !name.contains(['/', '\\', '\n', '\r'])
}

fn verify(folder: &Path) -> Result<(), CacheError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    match builder.create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    if !fs::metadata(folder)?.is_dir() {
        return Err(CacheError::WrongKind);
    }
    #[cfg(unix)]
    private_file::is_ours(&fs::File::open(folder)?)?;
    Ok(())
}

fn read_primary(folder: &Path, patience: Duration) -> Result<Option<String>, CacheError> {
    let path = folder.join("primary");
    let bytes = match private_file::read(&path, PRIMARY_BYTES, deadline(patience)) {
        Err(CacheError::Absent) => return Ok(None),
        Err(CacheError::TooLarge) => return Err(NameProblem::NotAMember.into()),
        other => other?,
    };
    let line = core::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.strip_suffix('\n'));
    match line {
        Some(name) if is_member(name) => Ok(Some(name.into())),
        _ => Err(NameProblem::NotAMember.into()),
    }
}

fn write_primary(folder: &Path, name: &str, patience: Duration) -> Result<(), CacheError> {
    let line = Zeroizing::new(format!("{name}\n").into_bytes());
    if line.len() > PRIMARY_BYTES {
        return Err(NameProblem::NotAMember.into());
    }
    let path = folder.join("primary");
    let change = |_: Option<&[u8]>| Ok(Change::Replace(line.clone()));
    private_file::update(&path, Old::Skip, PRIMARY_BYTES, deadline(patience), change)
}
