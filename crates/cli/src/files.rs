//! Keytabs, credential caches and users from files.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

#[cfg(feature = "ntlm")]
use countersign::credential::ntlm::Users;
use countersign::credential::{CredentialCache, Keytab};
#[cfg(feature = "ntlm")]
use countersign::crypto::Zeroizing;

use crate::failure::Failure;

pub(crate) fn keytab(path: &Path) -> Result<Keytab, Failure> {
    let bytes = read(path, "keytab")?;
    Keytab::parse(&bytes).map_err(|error| {
        if CredentialCache::parse(&bytes).is_ok() {
            return mistaken(path, "credential cache", "keytab");
        }
        Failure::usage(format!("the keytab {}: {error}", path.display()))
    })
}

/// Users with passwords or hashes, of which nothing stays in memory but hashes.
#[cfg(feature = "ntlm")]
pub(crate) fn users(path: &Path) -> Result<Users, Failure> {
    let bytes = Zeroizing::new(read(path, "file of users")?);
    Users::parse(&bytes)
        .map_err(|error| Failure::usage(format!("the users {}: {error}", path.display())))
}

/// Whether the file is a keytab, wherever it was named.
pub(crate) fn is_keytab(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| Keytab::parse(&bytes).is_ok())
}

pub(crate) fn mistaken(path: &Path, found: &str, wanted: &str) -> Failure {
    Failure::usage(format!(
        "{} is a {found}, and a {wanted} is wanted here",
        path.display()
    ))
}

/// MIT writes `FILE:` ahead of such names; both are understood.
fn read(path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    let text = path.to_str().unwrap_or_default();
    let path = text.strip_prefix("FILE:").map_or(path, Path::new);
    fs::read(path).map_err(|error| {
        Failure::system(format!(
            "cannot read the {what} {}: {error}",
            path.display()
        ))
    })
}

/// Writes a file that only its owner may read: beside its place first, then into it, so that nobody ever sees half of
/// it and nobody who may read an older one reads this one.
pub(crate) fn write_private(path: &Path, bytes: &[u8], what: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::system(format!(
            "cannot write the {what} {}: {error}",
            path.display()
        ))
    };
    let name = path
        .file_name()
        .ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?
        .to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = create_private(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        // It may never have come to be.
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

fn create_private(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
