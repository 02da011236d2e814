//! A token as an indented tree with offsets.

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
    /// Its value for people; empty for one that has only parts.
    pub value: String,
    /// Why the bytes from here on could not be read.
    pub error: Option<DecodeError>,
}

impl fmt::Display for Line {
    /// Offset, indentation, label and value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>6}  {:indent$}{}",
            self.offset,
            "",
            self.label,
            indent = self.depth.saturating_mul(2)
        )?;
        if !self.value.is_empty() {
            write!(f, ": {}", self.value)?;
        }
        if let Some(error) = &self.error {
            write!(f, " [{error}]")?;
        }
        Ok(())
    }
}

/// The tree of any token: framed or bare, Kerberos or not.
#[must_use]
pub fn tree(token: &[u8]) -> Vec<Line> {
    let label = String::from("token");
    let value = alloc::format!("{} bytes", token.len());
    Vec::from([Line {
        depth: 0,
        offset: 0,
        label,
        value,
        error: None,
    }])
}
