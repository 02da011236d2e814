//! Keeps what the peers make: seeds for the fuzz targets.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use crate::Result;

/// A folder for tokens and files, or none.
#[derive(Clone, Debug)]
pub(crate) struct Recording(Option<PathBuf>);

impl Recording {
    pub(crate) const fn new(folder: Option<PathBuf>) -> Self {
        Self(folder)
    }

    /// The same for a folder in it.
    pub(crate) fn within(&self, name: &str) -> Self {
        Self(self.0.as_ref().map(|folder| folder.join(name)))
    }

    /// Writes `FOLDER/KIND/HASH`, if there is a folder.
    pub(crate) fn keep(&self, kind: &str, bytes: &[u8]) -> Result<()> {
        let Some(folder) = &self.0 else { return Ok(()) };
        let folder = folder.join(kind);
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(folder.join(format!("{:016x}", hasher.finish())), bytes))
            .map_err(|e| format!("{}: {e}", folder.display()))
    }
}
