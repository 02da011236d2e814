//! Keytabs: the long-term keys of services.

mod entry;
mod format;
mod lookup;

use alloc::vec::Vec;

use zeroize::Zeroizing;

pub use entry::KeytabEntry;
pub(crate) use format::farther;
pub use lookup::KvnoMatch;

use crate::error::Error;

/// A keytab: the keys of one or more principals, perhaps several versions and enctypes of each.
///
/// Nothing here touches a file system: [`parse`](Self::parse) takes the bytes of a keytab, [`to_bytes`](Self::to_bytes)
/// gives them back. Entries with enctypes that this build does not know are kept.
///
/// ```
/// use countersign_credential::{KeyBlock, Keytab, KeytabEntry, Principal};
///
/// let web = Principal::parse("HTTP/web.example.com@EXAMPLE.COM")?;
/// let mut keytab = Keytab::new();
/// for kvno in [1, 2] {
///     // 18 is aes256-cts-hmac-sha1-96.
///     keytab.push(KeytabEntry::new(web.clone(), kvno, KeyBlock::from_parts(18, &[7; 32])));
/// }
/// let read = Keytab::parse(&keytab.to_bytes()?)?;
/// assert_eq!(read.latest_kvno(&web), Some(2));
/// assert_eq!(read.find(&web, Some(1), None)?.kvno(), 1);
/// assert!(read.find(&web, Some(3), None).is_err());
/// # Ok::<(), countersign_credential::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Keytab {
    entries: Vec<KeytabEntry>,
}

impl Keytab {
    /// An empty keytab.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a keytab of version 1 (0x501) or 2 (0x502), skipping the holes that deleted entries leave.
    ///
    /// Version 1 is in the byte order of the machine that wrote it, which the file does not tell: it is read as
    /// little-endian first and, when that does not make sense, as big-endian; the outcome is the same on every
    /// machine.
    ///
    /// # Errors
    /// [`Error::Format`] with the position of what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        format::parse(bytes)
    }

    /// Writes a keytab of version 2 (0x502), each entry with its key version in 8 and in 32 bits.
    ///
    /// # Errors
    /// [`Error::NotRepresentable`] when a name is longer than 65,535 bytes, a principal has more than 65,535
    /// components, or an enctype does not fit into 16 bits.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        format::encode(self)
    }

    /// The entries, in the order of the file.
    #[must_use]
    pub fn entries(&self) -> &[KeytabEntry] {
        &self.entries
    }

    /// Appends an entry.
    pub fn push(&mut self, entry: KeytabEntry) {
        self.entries.push(entry);
    }

    /// Drops the entries for which `keep` is false, for instance superseded key versions.
    pub fn retain(&mut self, keep: impl FnMut(&KeytabEntry) -> bool) {
        self.entries.retain(keep);
    }

    /// An explicit copy, with copies of the keys.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        self.entries.iter().map(KeytabEntry::duplicate).collect()
    }
}

impl FromIterator<KeytabEntry> for Keytab {
    fn from_iter<I: IntoIterator<Item = KeytabEntry>>(entries: I) -> Self {
        Self {
            entries: entries.into_iter().collect(),
        }
    }
}

impl Extend<KeytabEntry> for Keytab {
    fn extend<I: IntoIterator<Item = KeytabEntry>>(&mut self, entries: I) {
        self.entries.extend(entries);
    }
}
