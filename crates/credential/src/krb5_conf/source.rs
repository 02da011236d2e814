//! Where included files come from.

use alloc::string::String;
use alloc::vec::Vec;

/// Supplies the files of a configuration, so that reading it does no I/O of its own.
///
/// `countersign-handshake` has one that reads the file system; a program may keep its configuration in memory.
pub trait ConfSource {
    /// The bytes of the file, at most `limit` of them; more is [`SourceProblem::TooLarge`].
    ///
    /// # Errors
    /// Why there are none.
    fn file(&mut self, path: &str, limit: usize) -> Result<Vec<u8>, SourceProblem>;

    /// The names of the files in the folder, in any order, without their folder. Whoever asks sorts and selects.
    ///
    /// # Errors
    /// Why there are none.
    fn folder(&mut self, path: &str) -> Result<Vec<String>, SourceProblem>;
}

/// Why a source has no such file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceProblem {
    /// It does not exist.
    Absent,
    /// It is a folder, not a file.
    Folder,
    /// It is over the limit.
    TooLarge,
    /// It exists and cannot be read.
    Unreadable,
}

/// A source without files: whatever is included is absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl ConfSource for NoFiles {
    fn file(&mut self, _: &str, _: usize) -> Result<Vec<u8>, SourceProblem> {
        Err(SourceProblem::Absent)
    }

    fn folder(&mut self, _: &str) -> Result<Vec<String>, SourceProblem> {
        Err(SourceProblem::Absent)
    }
}
