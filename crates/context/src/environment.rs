//! What the engine may know of the world: the time, a source of randomness, the policy.

use countersign_crypto::Random;

use crate::policy::Policy;

/// A moment: seconds since 1970-01-01 00:00:00 UTC and microseconds within the second.
///
/// Kerberos tokens carry both (RFC 4120 §5.2.3 and §5.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp {
    seconds: i64,
    microseconds: u32,
}

impl Timestamp {
    /// A moment that does not come: the end of what does not expire.
    pub const NEVER: Self = Self {
        seconds: i64::MAX,
        microseconds: 0,
    };

    /// A moment from unix seconds and microseconds; whole seconds hidden in `microseconds` are
    /// carried over.
    #[must_use]
    pub const fn new(seconds: i64, microseconds: u32) -> Self {
        Self {
            seconds: seconds.saturating_add((microseconds / 1_000_000) as i64),
            microseconds: microseconds % 1_000_000,
        }
    }

    /// A whole second of unix time.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self::new(seconds, 0)
    }

    /// Seconds since the unix epoch.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Microseconds within the second, 0 to 999,999.
    #[must_use]
    pub const fn microseconds(self) -> u32 {
        self.microseconds
    }

    /// This moment moved by whole seconds, earlier when negative.
    #[must_use]
    pub const fn offset_by(self, seconds: i64) -> Self {
        Self {
            seconds: self.seconds.saturating_add(seconds),
            microseconds: self.microseconds,
        }
    }

    /// Whole seconds from `earlier` to this moment, negative when it lies before.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.seconds.saturating_sub(earlier.seconds)
    }

    /// How far apart two moments are, in microseconds.
    pub(crate) fn distance(self, other: Self) -> u128 {
        let micros = |t: Self| {
            i128::from(t.seconds)
                .saturating_mul(1_000_000)
                .saturating_add(i128::from(t.microseconds))
        };
        micros(self).abs_diff(micros(other))
    }
}

/// What a step of a context is given: nothing else reaches the engine.
pub struct Environment<'a> {
    /// The time of this step.
    pub now: Timestamp,
    /// Where keys, confounders and sequence numbers come from; must be unpredictable. What an AP-REQ
    /// or AP-REP needs is stretched from 32 bytes by AES-256 in counter mode; messages of a context draw nothing.
    pub random: &'a mut dyn Random,
    /// What is permitted.
    pub policy: &'a Policy,
}

impl<'a> Environment<'a> {
    /// An environment with the default [`Policy`].
    #[must_use]
    pub fn new(now: Timestamp, random: &'a mut dyn Random) -> Self {
        Self {
            now,
            random,
            policy: &Policy::DEFAULT,
        }
    }

    /// The same environment under another policy.
    #[must_use]
    pub fn with_policy(mut self, policy: &'a Policy) -> Self {
        self.policy = policy;
        self
    }
}

impl core::fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Environment")
            .field("now", &self.now)
            .field("policy", self.policy)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_carry_compare_and_saturate() {
        let moment = Timestamp::new(5, 2_500_000);
        assert_eq!((moment.seconds(), moment.microseconds()), (7, 500_000));
        assert_eq!(moment, Timestamp::new(7, 500_000));
        assert_eq!(moment.offset_by(-3), Timestamp::new(4, 500_000));
        assert_eq!(moment.seconds_since(Timestamp::from_unix(10)), -3);
        assert_eq!(Timestamp::from_unix(10).seconds_since(moment), 3);
        assert!(Timestamp::new(7, 499_999) < moment && moment < Timestamp::from_unix(8));
        assert_eq!(moment.distance(Timestamp::from_unix(8)), 500_000);
        assert_eq!(Timestamp::from_unix(8).distance(moment), 500_000);

        let (first, last) = (
            Timestamp::from_unix(i64::MIN),
            Timestamp::from_unix(i64::MAX),
        );
        assert_eq!(first.offset_by(-1), first);
        assert_eq!(last.offset_by(1), last);
        assert_eq!(first.seconds_since(last), i64::MIN);
        assert_eq!(last.distance(first), u128::from(u64::MAX) * 1_000_000);
    }
}
