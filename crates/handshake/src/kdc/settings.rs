//! What a client of the KDC was told.

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::locate::Locate;
use super::memory::Memory;
use super::observe::Observer;
use crate::system::SystemEnvironment;

type Environments = Arc<dyn Fn() -> SystemEnvironment + Send + Sync>;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) locate: Arc<dyn Locate>,
    /// For a request, and for an exchange as a whole.
    pub(super) timeout: Duration,
    /// How long one KDC may be silent before the next is asked too.
    pub(super) patience: Duration,
    /// Longest message that goes by UDP first.
    pub(super) udp_preference_limit: usize,
    /// Longest reply.
    pub(super) max_reply: usize,
    pub(super) environment: Environments,
    pub(super) observer: Option<Observer>,
    #[cfg(feature = "https")]
    pub(super) anchors: Option<super::https::Anchors>,
    /// Of the realms that have their own.
    #[cfg(feature = "https")]
    pub(super) realm_anchors: std::collections::HashMap<Vec<u8>, super::https::Anchors>,
    /// Shared by every clone of the client.
    pub(super) memory: Arc<Memory>,
}

impl Settings {
    pub(super) fn new(locate: Arc<dyn Locate>) -> Self {
        Self {
            locate,
            timeout: Duration::from_secs(10),
            patience: Duration::from_secs(1),
            udp_preference_limit: 1465,
            max_reply: 1024 * 1024,
            environment: Arc::new(SystemEnvironment::new),
            observer: None,
            #[cfg(feature = "https")]
            anchors: None,
            #[cfg(feature = "https")]
            realm_anchors: std::collections::HashMap::new(),
            memory: Arc::default(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("locate", &self.locate)
            .field("timeout", &self.timeout)
            .field("patience", &self.patience)
            .field("udp_preference_limit", &self.udp_preference_limit)
            .field("max_reply", &self.max_reply)
            .finish_non_exhaustive()
    }
}
