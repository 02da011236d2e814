//! Bounds checked before anything is allocated.
//!
//! Files are written by an administrator or by a login program, but they are also what an attacker with a
//! foothold edits: every count is held against the bytes that remain and against these limits.

/// The largest keytab that [`Keytab::parse`](crate::Keytab::parse) looks at, in bytes.
pub const KEYTAB_BYTES: usize = 16 * 1024 * 1024;

/// The most entries that a keytab may hold.
pub const KEYTAB_ENTRIES: usize = 65_536;

/// The largest credential cache that [`CredentialCache::parse`](crate::CredentialCache::parse) looks at, in
/// bytes.
pub const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// The most entries that a credential cache may hold.
pub const CACHE_ENTRIES: usize = 65_536;

/// The most components that a principal may have, in a file or in text.
pub const COMPONENTS: usize = 1_024;

/// The most addresses, or authorization data elements, that one cached credential may have.
pub const ELEMENTS: usize = 4_096;

/// The longest textual principal or service name, in bytes.
pub const NAME_TEXT: usize = 1024 * 1024;

/// Bytes of a configuration, all files of it together.
pub const CONF_BYTES: usize = 4 * 1024 * 1024;

/// Files of a configuration, included ones among them.
pub const CONF_FILES: usize = 512;

/// Files that include each other, one inside the other.
pub const CONF_INCLUDE_DEPTH: usize = 16;

/// Sections and relations of a configuration's file, with the files that it includes.
pub const CONF_RELATIONS: usize = 65_536;

/// Subsections, one inside the other.
pub const CONF_DEPTH: usize = 32;

/// Bytes of a reply of a KCM server; MIT krb5's client has the same limit.
pub const KCM_BYTES: u32 = 10 * 1024 * 1024;

/// Bytes of the name of a KCM cache.
pub const KCM_NAME: usize = 4_096;

/// UTF-16 units of an NTLM user's, domain's or workstation's name.
#[cfg(feature = "ntlm")]
pub const NTLM_NAME: usize = 256;

/// The largest file of NTLM users that [`Users::parse`](crate::ntlm::Users::parse) looks at, in bytes.
#[cfg(feature = "ntlm")]
pub const NTLM_USERS_BYTES: usize = 16 * 1024 * 1024;

/// The most users that a file may hold.
#[cfg(feature = "ntlm")]
pub const NTLM_USERS: usize = 65_536;
