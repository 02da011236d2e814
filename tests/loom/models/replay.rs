//! Of racers with one authenticator one wins, nothing is forgotten, and a full cache refuses.

use countersign_context::ReplayVerdict::{Fresh, Replayed, Unavailable};
use countersign_context::{ReplayQuery, ReplayVerdict};
use countersign_crypto::{Random, RandomError};
use loom::sync::Arc;
use loom::thread;

use super::every_order;
use crate::replay::{ReplayCache, tag};

const NOW: i64 = 1_000_000;

struct Zeros;

impl Random for Zeros {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(0);
        Ok(())
    }
}

fn check(cache: &ReplayCache, number: u8) -> ReplayVerdict {
    check_at(cache, number, NOW, NOW)
}

fn check_at(cache: &ReplayCache, number: u8, time: i64, now: i64) -> ReplayVerdict {
    let tag = tag(&[number]);
    cache.check(tag, time, now, 300, &mut Zeros).unwrap()
}

/// What each of these says of the cache at once.
fn race(
    cache: &Arc<ReplayCache>,
    racers: &[fn(&ReplayCache) -> ReplayVerdict],
) -> Vec<ReplayVerdict> {
    let (mine, others) = racers.split_first().unwrap();
    let threads: Vec<_> = others
        .iter()
        .map(|racer| {
            let (cache, racer) = (Arc::clone(cache), *racer);
            thread::spawn(move || racer(&cache))
        })
        .collect();
    let mut verdicts = vec![mine(cache)];
    verdicts.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
    verdicts
}

fn count(verdicts: &[ReplayVerdict], verdict: ReplayVerdict) -> usize {
    verdicts.iter().filter(|one| **one == verdict).count()
}

#[test]
fn one_of_three_racers_with_one_authenticator_wins() {
    every_order("three with one authenticator", || {
        let cache = Arc::new(ReplayCache::new(8));
        let verdicts = race(&cache, &[|c| check(c, 1), |c| check(c, 1), |c| check(c, 1)]);
        assert_eq!(count(&verdicts, Fresh), 1);
        assert_eq!(count(&verdicts, Replayed), 2);
        assert_eq!(cache.len(), 1);
    });
}

#[test]
fn no_entry_is_lost_between_those_of_others() {
    every_order("three authenticators", || {
        let cache = Arc::new(ReplayCache::new(8));
        let verdicts = race(&cache, &[|c| check(c, 1), |c| check(c, 2), |c| check(c, 3)]);
        assert_eq!(count(&verdicts, Fresh), 3);
        for number in 1..=3 {
            assert_eq!(check(&cache, number), Replayed);
        }
        assert_eq!(cache.len(), 3);
        // Control: a fourth is new.
        assert_eq!(check(&cache, 4), Fresh);
    });
}

#[test]
fn a_full_cache_refuses_whoever_comes_last_and_forgets_nobody() {
    every_order("three, and room for two", || {
        let cache = Arc::new(ReplayCache::new(2));
        let verdicts = race(&cache, &[|c| check(c, 1), |c| check(c, 2), |c| check(c, 3)]);
        assert_eq!(count(&verdicts, Fresh), 2);
        assert_eq!(count(&verdicts, Unavailable), 1);
        for (number, verdict) in (1..).zip(verdicts) {
            let again = if verdict == Fresh {
                Replayed
            } else {
                Unavailable
            };
            assert_eq!(check(&cache, number), again);
        }
        assert_eq!(cache.len(), 2);
    });
}

#[test]
fn expiry_beside_a_racer_takes_nothing_that_is_still_accepted() {
    every_order("expiry beside two with one authenticator", || {
        let cache = Arc::new(ReplayCache::new(8));
        // Of long ago: gone as soon as anybody asks at a later time.
        assert_eq!(check_at(&cache, 9, NOW - 5000, NOW - 5000), Fresh);
        let verdicts = race(
            &cache,
            &[
                |c| check(c, 1),
                |c| check_at(c, 1, NOW, NOW + 300),
                |c| check_at(c, 2, NOW + 300, NOW + 300),
            ],
        );
        assert_eq!(count(&verdicts[..2], Fresh), 1);
        assert_eq!(verdicts[2], Fresh);
        assert_eq!(cache.len(), 2);
    });
}

#[test]
fn one_of_two_who_ask_for_an_external_verdict_wins() {
    every_order("two with one external query", || {
        let cache = Arc::new(ReplayCache::new(8));
        fn ask(cache: &ReplayCache) -> ReplayVerdict {
            let query = ReplayQuery {
                tag: [7; 16],
                expires: NOW + 300,
            };
            cache.verdict(&query, NOW, &mut Zeros).unwrap()
        }
        let verdicts = race(&cache, &[ask, ask]);
        assert_eq!(count(&verdicts, Fresh), 1);
        assert_eq!(count(&verdicts, Replayed), 1);
    });
}
