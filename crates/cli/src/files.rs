//! Keytabs and credential caches from files.

use std::fs;
use std::path::Path;

use countersign::credential::{CredentialCache, Keytab};

use crate::failure::Failure;

pub(crate) fn keytab(path: &Path) -> Result<Keytab, Failure> {
    let bytes = read(path, "keytab")?;
    Keytab::parse(&bytes).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

pub(crate) fn credential_cache(path: &Path) -> Result<CredentialCache, Failure> {
    let bytes = read(path, "credential cache")?;
    CredentialCache::parse(&bytes)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

/// MIT writes `FILE:` ahead of such names; both are understood.
fn read(path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    let path = path
        .to_str()
        .and_then(|text| text.strip_prefix("FILE:"))
        .map_or(path, Path::new);
    fs::read(path).map_err(|error| {
        Failure::system(format!(
            "cannot read the {what} {}: {error}",
            path.display()
        ))
    })
}
