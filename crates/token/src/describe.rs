//! A token as an indented tree with offsets, for people who look into one.
//!
//! ```
//! use countersign_token::{describe, framing::InitialToken, oid::Oid};
//!
//! let token = InitialToken::encode(Oid::KERBEROS, &[b"\x01\x00\x6e\x80"]);
//! let lines = describe::tree(&token);
//! assert_eq!(lines[0].to_string(), "     0  GSS-API token: Kerberos 5 (1.2.840.113554.1.2.2)");
//! assert!(lines.iter().any(|line| line.error.is_some_and(|error| error.offset() == 16)));
//! ```

mod names;
mod ntlm;
mod pac;
mod shape;
mod tokens;
mod walk;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::error::DecodeError;

/// One line of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How deep the value is nested; 0 for the whole token.
    pub depth: usize,
    /// The offset of the value's first byte in the token.
    pub offset: usize,
    /// What it is: a message, a field, or an ASN.1 type.
    pub label: String,
    /// Its value for people; empty for one that has only parts. A key's bytes are not shown.
    pub value: String,
    /// Why the bytes at the error's offset could not be read.
    pub error: Option<DecodeError>,
}

impl fmt::Display for Line {
    /// Offset, indentation, label, value and error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indent = self.depth.saturating_mul(2);
        write!(f, "{:>6}  {:indent$}{}", self.offset, "", self.label)?;
        if !self.value.is_empty() {
            write!(f, ": {}", self.value)?;
        }
        if let Some(error) = &self.error {
            write!(f, " <- {error}")?;
        }
        Ok(())
    }
}

/// The greatest number of lines of a tree; one more says that there would be others.
pub const MAX_LINES: usize = 10_000;

/// The greatest depth of a tree.
pub const MAX_DEPTH: usize = 64;

/// The tree of a token: framed or bare, whole or not, Kerberos or not.
///
/// Known are the frame of RFC 2743, the messages and encrypted parts of RFC 4120 (bare, with a
/// token identifier, or with the length that precedes them on TCP), the PACs, the per-message tokens of
/// RFC 4121 and RFC 1964, user-to-user, IAKERB, messages about passwords (RFC 3244) and to KDC
/// proxies (MS-KKDCP), NTLM, and SPNEGO with what is inside; anything else is shown as the DER that
/// it is, or as bytes.
#[must_use]
pub fn tree(token: &[u8]) -> Vec<Line> {
    walk::Walk::of(token)
}
