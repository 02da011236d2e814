//! Keytabs in files.

use std::path::Path;
use std::time::Duration;

use countersign_credential::{Keytab, limits};

use super::error::CacheError;
use super::private_file::{self, Change, Old, deadline};

/// How long a lock is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads a keytab, under the lock that the C libraries take.
///
/// # Errors
/// [`CacheError::Absent`], or why it cannot be read. Links are not followed, and files of other users are not read.
pub fn load_keytab(path: impl AsRef<Path>) -> Result<Keytab, CacheError> {
    let bytes = private_file::read(path.as_ref(), limits::KEYTAB_BYTES, deadline(PATIENCE))?;
    Ok(Keytab::parse(&bytes)?)
}

/// Writes a keytab as a whole, mode 0600, in the place of what was there.
///
/// # Errors
/// Why it cannot be written.
pub fn save_keytab(path: impl AsRef<Path>, keytab: &Keytab) -> Result<(), CacheError> {
    let bytes = keytab.to_bytes()?;
    let change = |_: Option<&[u8]>| Ok(Change::Replace(bytes.clone()));
    let deadline = deadline(PATIENCE);
    private_file::update(
        path.as_ref(),
        Old::Skip,
        limits::KEYTAB_BYTES,
        deadline,
        change,
    )
}

/// Changes a keytab under one lock, so that what others add meanwhile is not lost; one that is absent begins empty. The
/// function is asked again where somebody else made the keytab in the meantime.
///
/// # Errors
/// Why it cannot be read or written.
pub fn update_keytab(
    path: impl AsRef<Path>,
    mut change: impl FnMut(&mut Keytab),
) -> Result<(), CacheError> {
    let rewrite = |old: Option<&[u8]>| {
        let mut keytab = match old {
            Some(old) => Keytab::parse(old)?,
            None => Keytab::new(),
        };
        change(&mut keytab);
        Ok(Change::Replace(keytab.to_bytes()?))
    };
    let deadline = deadline(PATIENCE);
    private_file::update(
        path.as_ref(),
        Old::Read,
        limits::KEYTAB_BYTES,
        deadline,
        rewrite,
    )
}
