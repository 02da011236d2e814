//! One key of one principal.

use countersign_crypto::{Enctype, Key};

use crate::key_block::KeyBlock;
use crate::principal::Principal;

/// One key of a keytab.
#[derive(Debug)]
pub struct KeytabEntry {
    principal: Principal,
    kvno: u32,
    timestamp: u32,
    key: KeyBlock,
}

impl KeytabEntry {
    /// A key of `principal` with its version number.
    #[must_use]
    pub fn new(principal: Principal, kvno: u32, key: impl Into<KeyBlock>) -> Self {
        Self {
            principal,
            kvno,
            timestamp: 0,
            key: key.into(),
        }
    }

    /// The same entry, written at `timestamp` (Unix seconds, to the year 2106).
    #[must_use]
    pub fn with_timestamp(mut self, timestamp: u32) -> Self {
        self.timestamp = timestamp;
        self
    }

    /// Whose key it is.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The version of the key; 0 matches every version.
    #[must_use]
    pub fn kvno(&self) -> u32 {
        self.kvno
    }

    /// When the entry was written, in Unix seconds; 0 when unknown.
    #[must_use]
    pub fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// The enctype number.
    #[must_use]
    pub fn enctype_id(&self) -> i32 {
        self.key.enctype_id()
    }

    /// The enctype, when the key can be used.
    #[must_use]
    pub fn enctype(&self) -> Option<Enctype> {
        self.key.enctype()
    }

    /// The key, when it can be used; [`key_block`](Self::key_block) says why it cannot.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        self.key.key().ok()
    }

    /// The key as the file holds it.
    #[must_use]
    pub fn key_block(&self) -> &KeyBlock {
        &self.key
    }

    /// An explicit copy, with a copy of the key.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            principal: self.principal.clone(),
            kvno: self.kvno,
            timestamp: self.timestamp,
            key: self.key.duplicate(),
        }
    }
}
