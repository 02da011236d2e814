use super::*;

struct Counter(u8);

impl Random for Counter {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for byte in out {
            self.0 = self.0.wrapping_mul(167).wrapping_add(13);
            *byte = self.0;
        }
        Ok(())
    }
}

const NOW: i64 = 1_000_000;

fn check(cache: &ReplayCache, number: u64, time: i64, now: i64) -> ReplayVerdict {
    let tag = tag(&number.to_be_bytes());
    cache.check(tag, time, now, 300, &mut Counter(1)).unwrap()
}

#[test]
fn the_same_authenticator_is_fresh_once() {
    let cache = ReplayCache::default();
    assert_eq!(check(&cache, 1, NOW, NOW), ReplayVerdict::Fresh);
    assert_eq!(check(&cache, 1, NOW, NOW + 299), ReplayVerdict::Replayed);
    assert_eq!(check(&cache, 2, NOW, NOW), ReplayVerdict::Fresh);
}

#[test]
fn an_entry_lives_as_long_as_its_authenticator_would_be_accepted() {
    for time in NOW - 300..=NOW + 300 {
        let cache = ReplayCache::default();
        assert_eq!(check(&cache, 1, time, NOW), ReplayVerdict::Fresh);
        assert_eq!(
            check(&cache, 1, time, time + 300),
            ReplayVerdict::Replayed,
            "{time}"
        );
        check(&cache, 2, time + 600, time + 600);
        assert_eq!(cache.len(), 1, "expired entries are given back");
    }
}

#[test]
fn entries_of_every_shard_expire_also_by_a_clock_that_was_set_back() {
    let cache = ReplayCache::default();
    for number in 0..1_000 {
        check(&cache, number, NOW, NOW);
    }
    let ahead = NOW + 7_200;
    assert_eq!(check(&cache, 1_000, ahead, ahead), ReplayVerdict::Fresh);
    assert_eq!(cache.len(), 1);
    // Set back: what is stored now expires as it would have before.
    for number in 2_000..3_000 {
        check(&cache, number, NOW, NOW);
    }
    assert_eq!(cache.len(), 1_001);
    let later = NOW + 1_000;
    assert_eq!(check(&cache, 3_000, later, later), ReplayVerdict::Fresh);
    // The one of the time ahead, and this one.
    assert_eq!(cache.len(), 2);
}

#[test]
fn the_secret_is_drawn_once_for_all_shards() {
    let (cache, mut random) = (ReplayCache::default(), Counter(1));
    let mut draw = |number: u64| {
        let tag = tag(&number.to_be_bytes());
        cache.check(tag, NOW, NOW, 300, &mut random).unwrap();
        random.0
    };
    let first = draw(0);
    assert!((1..1_000).all(|number| draw(number) == first));
}

#[test]
fn a_full_cache_refuses_and_recovers_when_entries_expire() {
    let cache = ReplayCache::new(100);
    for number in 0..100 {
        assert_eq!(check(&cache, number, NOW, NOW), ReplayVerdict::Fresh);
    }
    assert_eq!(check(&cache, 100, NOW, NOW), ReplayVerdict::Unavailable);
    assert_eq!(check(&cache, 7, NOW, NOW), ReplayVerdict::Replayed);
    assert_eq!(
        check(&cache, 100, NOW + 1000, NOW + 1000),
        ReplayVerdict::Fresh
    );
}

/// Another thread has seen first that the time went on, and has dropped nothing yet.
#[test]
fn a_full_cache_drops_what_has_expired_itself_while_another_is_about_to() {
    let cache = ReplayCache::new(1);
    assert_eq!(check(&cache, 0, NOW, NOW), ReplayVerdict::Fresh);
    let later = NOW + 1_000;
    let oldest = (later - 300 - 1).div_euclid(BUCKET_SECONDS);
    cache.oldest.store(oldest, Relaxed);
    assert_eq!(check(&cache, 1, later, later), ReplayVerdict::Fresh);
    assert_eq!(cache.expired.load(Relaxed), oldest);
}

/// A flood that has filled it must not make acceptors wait for all shards, nor look through them each time.
#[test]
fn a_full_cache_refuses_while_every_other_shard_is_locked() {
    let cache = ReplayCache::new(1);
    assert_eq!(check(&cache, 0, NOW, NOW), ReplayVerdict::Fresh);
    let own = shard_of(&tag(&1_u64.to_be_bytes()));
    let others = cache.shards.iter().enumerate();
    let locked: Vec<_> = others
        .filter(|(place, _)| *place != own)
        .map(|(_, shard)| shard.lock())
        .collect();
    assert_eq!(locked.len(), SHARDS - 1);
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| sender.send(check(&cache, 1, NOW, NOW)));
        let verdict = receiver.recv_timeout(std::time::Duration::from_secs(60));
        drop(locked);
        assert_eq!(verdict, Ok(ReplayVerdict::Unavailable));
    });
}

#[test]
fn a_wider_skew_of_one_context_keeps_entries_for_all() {
    let cache = ReplayCache::default();
    let mut random = Counter(1);
    let tag = tag(b"authenticator");
    let mut check = |now, skew| cache.check(tag, NOW, now, skew, &mut random).unwrap();
    assert_eq!(check(NOW, 3000), ReplayVerdict::Fresh);
    assert_eq!(check(NOW + 2999, 300), ReplayVerdict::Replayed);
}

#[test]
fn one_of_a_thousand_racers_wins() {
    let cache = ReplayCache::default();
    let wins: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    (0..125)
                        .filter(|_| check(&cache, 9, NOW, NOW) == ReplayVerdict::Fresh)
                        .count()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(wins, 1);
}

/// What a client knows of its tags does not tell it which of them share a slot.
#[test]
fn tags_are_spread_by_a_secret_of_each_cache() {
    let slots = |seed| -> Vec<u64> {
        let hash = SeededHash::generate(&mut Counter(seed)).unwrap();
        assert_eq!(hash.multiplier % 2, 1, "an even one loses bits");
        let slot = |number: u64| {
            // Alike in the first half, in the second, and in neither.
            let halves = match number % 3 {
                0 => [0, number],
                1 => [number, 0],
                _ => [number, number],
            };
            let mut hasher = hash.build_hasher();
            halves
                .iter()
                .for_each(|half| hasher.write(&half.to_le_bytes()));
            hasher.finish()
        };
        (1..=4_096).map(slot).collect()
    };
    let one = slots(1);
    for shift in [0, 20, 40, 57] {
        let mut taken: Vec<_> = one.iter().map(|slot| slot >> shift & 0x7f).collect();
        taken.sort_unstable();
        let fullest = taken.chunk_by(|a, b| a == b).map(<[u64]>::len).max();
        // 32 in each of 128 on average.
        assert!(fullest.unwrap() < 80, "bit {shift}: {fullest:?}");
    }
    let other = slots(2);
    let kept = one.iter().zip(&other).filter(|(a, b)| a == b).count();
    assert_eq!(kept, 0);
}

#[test]
fn a_million_live_authenticators_are_told_apart() {
    let cache = ReplayCache::default();
    for number in 0..1_000_000 {
        let time = NOW + i64::try_from(number % 300).unwrap();
        assert_eq!(check(&cache, number, time, NOW), ReplayVerdict::Fresh);
    }
    assert_eq!(cache.len(), 1_000_000);
    assert_eq!(
        check(&cache, 123_456, NOW + 123_456 % 300, NOW),
        ReplayVerdict::Replayed
    );
}
