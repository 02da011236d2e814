//! How much and how long a peer may keep a handshake busy.

use std::time::{Duration, Instant};

/// What a peer may cost before it is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest token in bytes, checked before anything is allocated for it. 64 KiB unless told
    /// otherwise; the engine's policy has a limit of its own. A frame's header may be as long too,
    /// or 64 bytes.
    pub max_token: usize,
    /// Most tokens in both directions together. Kerberos takes 2, DCE style 3, recovery from
    /// clock skew 2 more; 12 unless told otherwise.
    pub max_legs: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_token: 64 * 1024,
            max_legs: 12,
        }
    }
}

/// When a handshake is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// So long after it began.
    After(Duration),
    /// At this moment.
    At(Instant),
    /// Never: a silent peer holds the handshake for ever, unless the caller ends it.
    Never,
}

impl Deadline {
    /// The moment, for a handshake that begins now.
    #[must_use]
    pub fn resolve(self) -> Option<Instant> {
        match self {
            Self::After(duration) => Instant::now().checked_add(duration),
            Self::At(instant) => Some(instant),
            Self::Never => None,
        }
    }
}

/// 30 seconds.
impl Default for Deadline {
    fn default() -> Self {
        Self::After(Duration::from_secs(30))
    }
}
