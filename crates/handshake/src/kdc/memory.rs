//! Which KDC of a realm answered last.
//!
//! It is asked first for a minute: an exchange of several requests pays for a dead KDC once, and
//! what one KDC began (a pre-authentication cookie, a password that has not spread yet) is ended
//! with the same. After the minute the source's order counts again, so that the first KDC is not
//! given up for ever.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use countersign_context::kerberos::kdc::KdcService;

use super::plan::Route;

const MINUTE: Duration = Duration::from_secs(60);

/// A program that talks to more realms than this within a minute forgets them all at once.
const MOST: usize = 256;

type Key = (Vec<u8>, KdcService);

#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<HashMap<Key, (Route, Instant)>>);

impl Memory {
    pub(super) fn recall(&self, realm: &[u8], service: KdcService, now: Instant) -> Option<Route> {
        self.lock()
            .get(&(realm.to_vec(), service))
            .filter(|(_, since)| now.saturating_duration_since(*since) < MINUTE)
            .map(|(route, _)| route.clone())
    }

    pub(super) fn remember(&self, realm: &[u8], service: KdcService, route: &Route, now: Instant) {
        let mut known = self.lock();
        let key = (realm.to_vec(), service);
        if let Some((same, since)) = known.get(&key)
            && same == route
            && now.saturating_duration_since(*since) < MINUTE
        {
            return;
        }
        if known.len() >= MOST && !known.contains_key(&key) {
            known.clear();
        }
        known.insert(key, (route.clone(), now));
    }

    /// What a panic elsewhere left behind is still a map of routes.
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, (Route, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::endpoint::{Endpoint, Transport};
    use super::*;

    fn route(host: &str) -> Route {
        Route {
            endpoint: Endpoint::new(host, 88).unwrap(),
            transport: Transport::Udp,
        }
    }

    #[test]
    fn a_route_is_remembered_for_a_minute_from_when_it_was_learned() {
        let memory = Memory::default();
        let (service, start) = (KdcService::Kdc, Instant::now());
        let later = |seconds| start + Duration::from_secs(seconds);
        memory.remember(b"A", service, &route("k2"), start);
        // Hearing from it again does not prolong the minute.
        memory.remember(b"A", service, &route("k2"), later(30));
        assert_eq!(memory.recall(b"A", service, later(59)), Some(route("k2")));
        assert_eq!(memory.recall(b"A", service, later(60)), None);
        assert_eq!(memory.recall(b"B", service, start), None);
        // Another one replaces it at once.
        memory.remember(b"A", service, &route("k3"), later(31));
        assert_eq!(memory.recall(b"A", service, later(60)), Some(route("k3")));
    }

    #[test]
    fn realms_beyond_the_most_are_not_kept() {
        let memory = Memory::default();
        let now = Instant::now();
        for realm in 0..MOST + 1 {
            memory.remember(
                realm.to_string().as_bytes(),
                KdcService::Kdc,
                &route("k1"),
                now,
            );
        }
        assert!(memory.lock().len() <= MOST);
        let last = MOST.to_string();
        assert!(
            memory
                .recall(last.as_bytes(), KdcService::Kdc, now)
                .is_some()
        );
    }
}
