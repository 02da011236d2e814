//! The replay cache: which authenticators have been seen (RFC 4120 §3.2.3).
//!
//! Entries are 16-byte tags of authenticator ciphertexts, sorted into buckets by the time that the
//! authenticator carries. That time decides how long an entry must live, and it is the same
//! whenever the same authenticator comes back, so a look-up visits one bucket and expiry drops
//! whole buckets.
//!
//! ```text
//!   tag ── its last byte ──▶ shard, locked ── its time ──▶ bucket: 64 seconds of tags
//! ```
//!
//! Shards have nothing in common but numbers that are read and written without a lock, so acceptors on
//! many processors seldom wait for each other.

use core::fmt;
use core::hash::{BuildHasher, Hasher};
use std::collections::{BTreeMap, HashSet};
use std::sync::{OnceLock, PoisonError};
// What loom puts in every order are the locks. Of these each is changed in one step, and whoever reads one that is about
// to change looks through the shards once more, or refuses for that moment.
use std::sync::atomic::{
    AtomicI64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
#[cfg(not(countersign_loom))]
use std::sync::{Mutex, MutexGuard};

use countersign_crypto::{Random, RandomError};
#[cfg(countersign_loom)]
use loom::sync::{Mutex, MutexGuard};
use sha2::{Digest, Sha256};

use crate::step::{ReplayQuery, ReplayVerdict};

/// Seconds of authenticator time that one bucket holds.
const BUCKET_SECONDS: i64 = 64;

/// How many parts are locked each on its own: a power of two.
const SHARDS: usize = if cfg!(countersign_loom) { 2 } else { 32 };

/// Identifies an authenticator.
pub(crate) type Tag = [u8; 16];

/// The tag of an encrypted authenticator.
///
/// The ciphertext stands for the tuple of RFC 4120 §3.2.3 (server, client, time, microsecond): it
/// cannot be changed without the session key, and two honest authenticators differ by their
/// confounder even within one microsecond. Nothing outside of the ciphertext, such as the name of
/// the service, can be edited to make a replay look new.
pub(crate) fn tag(authenticator_cipher: &[u8]) -> Tag {
    let digest: [u8; 32] = Sha256::digest(authenticator_cipher).into();
    let (tag, _) = digest.split_at(16);
    tag.try_into().unwrap_or_default()
}

/// Remembers authenticators for every context of an acceptor credential, or of several.
///
/// It is as good as the times that it is given: what has expired is forgotten, and comes back as
/// new if the clock is set back, or if a context with a wider skew than any before is the first to
/// ask. It begins empty: whoever restarts within the skew and must not accept old tokens keeps
/// entries elsewhere ([`ReplayProtection::External`](super::ReplayProtection::External)).
///
/// Bounded: when it is full, new contexts are refused rather than left unchecked. Each entry costs
/// 20 to 40 bytes, by how full its table is; memory grows with use and is given back as entries expire.
///
/// Acceptors of many threads may share it: it is locked in 32 parts, and an authenticator is in one of them.
pub struct ReplayCache {
    shards: Box<[Shard]>,
    /// Entries in all shards.
    live: AtomicUsize,
    /// The largest clock skew that any context tolerated, in seconds.
    skew: AtomicI64,
    /// Buckets before this one were dropped from all shards last, or are about to be.
    oldest: AtomicI64,
    /// Those before this one are dropped by now: who finds the cache full need not look again.
    expired: AtomicI64,
    /// Drawn for the first entry.
    hash: OnceLock<SeededHash>,
    capacity: usize,
}

/// On a cache line of its own: who locks one disturbs nobody at the next.
#[repr(align(64))]
struct Shard(Mutex<State>);

#[derive(Default)]
struct State {
    buckets: BTreeMap<i64, HashSet<Tag, SeededHash>>,
}

impl ReplayCache {
    /// Room for a million authenticators: 1,700 new contexts a second at the default clock skew.
    pub const DEFAULT_CAPACITY: usize = 1 << 20;

    /// A cache for at most `capacity` authenticators at a time.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let shard = || Shard(Mutex::new(State::default()));
        Self {
            shards: core::iter::repeat_with(shard).take(SHARDS).collect(),
            live: AtomicUsize::new(0),
            skew: AtomicI64::new(0),
            oldest: AtomicI64::new(i64::MIN),
            expired: AtomicI64::new(i64::MIN),
            hash: OnceLock::new(),
            capacity,
        }
    }

    /// How many authenticators it remembers now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.live.load(Relaxed)
    }

    /// Whether it remembers none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tests and stores in one atomic operation: of many racers with one authenticator, one wins.
    ///
    /// `time` is the authenticator's own, `now` the acceptor's, both unix seconds; `skew` is what
    /// the acceptor tolerates.
    pub(crate) fn check(
        &self,
        tag: Tag,
        time: i64,
        now: i64,
        skew: u32,
        random: &mut dyn Random,
    ) -> Result<ReplayVerdict, RandomError> {
        let skew = self
            .skew
            .fetch_max(i64::from(skew), Relaxed)
            .max(i64::from(skew));
        let oldest = now
            .saturating_sub(skew)
            .saturating_sub(1)
            .div_euclid(BUCKET_SECONDS);
        // Of a clock that is set back, too: what is stored from then on must not wait until it is where it was.
        if self.oldest.load(Relaxed) != oldest && self.oldest.swap(oldest, Relaxed) != oldest {
            self.expire(oldest);
        }
        let bucket = time.div_euclid(BUCKET_SECONDS);
        let is_settled = self.expired.load(Acquire) == oldest;
        match self.store(tag, bucket, random)? {
            // Somebody else may be about to drop what has expired.
            ReplayVerdict::Unavailable if !is_settled => {
                self.expire(oldest);
                self.store(tag, bucket, random)
            }
            verdict => Ok(verdict),
        }
    }

    /// Stores an entry that is not there, if there is room.
    fn store(
        &self,
        tag: Tag,
        bucket: i64,
        random: &mut dyn Random,
    ) -> Result<ReplayVerdict, RandomError> {
        let hash = match self.hash.get() {
            Some(hash) => *hash,
            None => {
                let drawn = SeededHash::generate(random)?;
                *self.hash.get_or_init(|| drawn)
            }
        };
        let Some(shard) = self.shards.get(shard_of(&tag)) else {
            return Ok(ReplayVerdict::Unavailable);
        };
        let mut state = shard.lock();
        let known = state.buckets.get(&bucket);
        if known.is_some_and(|bucket| bucket.contains(&tag)) {
            return Ok(ReplayVerdict::Replayed);
        }
        let more = |live: usize| live.checked_add(1).filter(|live| *live <= self.capacity);
        if self.live.fetch_update(Relaxed, Relaxed, more).is_err() {
            return Ok(ReplayVerdict::Unavailable);
        }
        let bucket = state.buckets.entry(bucket);
        bucket
            .or_insert_with(|| HashSet::with_hasher(hash))
            .insert(tag);
        Ok(ReplayVerdict::Fresh)
    }

    /// Drops the buckets before `oldest`: those whose youngest authenticator is outside of every tolerated
    /// skew.
    fn expire(&self, oldest: i64) {
        let take = |shard: &Shard| {
            let mut state = shard.lock();
            let kept = state.buckets.split_off(&oldest);
            let expired = core::mem::replace(&mut state.buckets, kept);
            let count = expired.values().map(HashSet::len).sum();
            self.live.fetch_sub(count, Relaxed);
            expired
        };
        // They are given back when the lock is open again.
        self.shards.iter().map(take).for_each(drop);
        self.expired.store(oldest, Release);
    }

    /// The same for an acceptor whose credential has
    /// [`ReplayProtection::External`](super::ReplayProtection::External): for who keeps what this
    /// process has seen beside a store elsewhere. A cache that answers queries is no acceptor's own.
    ///
    /// # Errors
    /// The first query draws 16 bytes for the hash, and `random` failed.
    pub fn verdict(
        &self,
        query: &ReplayQuery,
        now: i64,
        random: &mut dyn Random,
    ) -> Result<ReplayVerdict, RandomError> {
        self.check(query.tag, query.expires, now, 0, random)
    }
}

impl Shard {
    /// A panic of another thread cannot leave the state half-changed in a way that matters: an
    /// entry is stored or it is not.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tags are uniform. Who chooses authenticators of one shard makes its own requests wait for each other.
fn shard_of(tag: &Tag) -> usize {
    let [.., last] = *tag;
    usize::from(last) & SHARDS.saturating_sub(1)
}

impl Default for ReplayCache {
    fn default() -> Self {
        Self::new(Self::DEFAULT_CAPACITY)
    }
}

impl fmt::Debug for ReplayCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayCache")
            .field("live", &self.len())
            .field("capacity", &self.capacity)
            .finish()
    }
}

/// Spreads tags, which are uniform already, by a secret multiplier, so that no client can choose
/// authenticators that fall into one slot.
#[derive(Clone, Copy)]
struct SeededHash {
    seed: u64,
    multiplier: u64,
}

impl SeededHash {
    fn generate(random: &mut dyn Random) -> Result<Self, RandomError> {
        let mut bytes = [0; 16];
        random.fill(&mut bytes)?;
        let number = u128::from_le_bytes(bytes);
        #[allow(clippy::cast_possible_truncation)] // the two halves
        Ok(Self {
            seed: number as u64,
            multiplier: (number >> 64) as u64 | 1,
        })
    }
}

impl BuildHasher for SeededHash {
    type Hasher = SeededHasher;
    fn build_hasher(&self) -> SeededHasher {
        SeededHasher {
            state: self.seed,
            multiplier: self.multiplier,
        }
    }
}

struct SeededHasher {
    state: u64,
    multiplier: u64,
}

impl Hasher for SeededHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            let product = u128::from(self.state ^ u64::from_le_bytes(word))
                .wrapping_mul(u128::from(self.multiplier));
            #[allow(clippy::cast_possible_truncation)] // folds the product
            {
                self.state = (product as u64) ^ ((product >> 64) as u64);
            }
        }
    }

    fn finish(&self) -> u64 {
        self.state
    }
}

// By its path, as `tests/loom` takes this file by its own.
#[cfg(test)]
#[cfg(not(countersign_loom))]
#[path = "replay/tests.rs"]
mod tests;
