//! What DNS said, while it holds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use countersign_context::kerberos::kdc::KdcService;

use super::super::endpoint::Endpoint;

/// However long records live.
const LONGEST: Duration = Duration::from_secs(300);

/// A realm that has no records may get some.
const NOTHING: Duration = Duration::from_secs(10);

const MOST: usize = 256;

type Known = HashMap<(Vec<u8>, KdcService), (Vec<Endpoint>, Instant)>;

#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<Known>);

impl Remembered {
    pub(super) fn recall(&self, realm: &[u8], service: KdcService) -> Option<Vec<Endpoint>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(&(realm.to_vec(), service))
            .filter(|(_, until)| Instant::now() < *until)
            .map(|(endpoints, _)| endpoints.clone())
    }

    pub(super) fn keep(
        &self,
        realm: &[u8],
        service: KdcService,
        endpoints: &[Endpoint],
        lives: Option<Instant>,
    ) {
        let now = Instant::now();
        let most = if endpoints.is_empty() {
            NOTHING
        } else {
            LONGEST
        };
        let latest = now + most;
        let until = lives.map_or(latest, |lives| lives.min(latest));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (realm.to_vec(), service);
        if known.len() >= MOST && !known.contains_key(&key) {
            known.clear();
        }
        known.insert(key, (endpoints.to_vec(), until));
    }
}
