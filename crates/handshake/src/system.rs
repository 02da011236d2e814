//! The only place of the library that reads a clock or asks the operating system for randomness.

use core::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use countersign_context::crypto::{Random, RandomError};
use countersign_context::{Environment, Policy, Timestamp};

/// Tells the time of a step.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// A clock set before 1970 reads as 1970: every ticket is then refused, none is accepted.
    fn now(&self) -> Timestamp {
        let elapsed = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let seconds = i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX);
        Timestamp::new(seconds, elapsed.subsec_micros())
    }
}

impl<F: Fn() -> Timestamp + Send + Sync + 'static> Clock for F {
    fn now(&self) -> Timestamp {
        self()
    }
}

/// The operating system's source of randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }
}

/// Clock, randomness and policy that a driver lends to every step; the operating system's and the
/// default policy unless told otherwise.
///
/// ```
/// use countersign_handshake::SystemEnvironment;
///
/// let mut system = SystemEnvironment::new();
/// assert!(system.environment().now.seconds() > 1_700_000_000);
/// ```
pub struct SystemEnvironment {
    clock: Box<dyn Clock>,
    random: Box<dyn Random + Send + Sync>,
    policy: Policy,
}

impl SystemEnvironment {
    /// The operating system's clock and randomness under the default policy.
    #[must_use]
    pub fn new() -> Self {
        Self {
            clock: Box::new(SystemClock),
            random: Box::new(SystemRandom),
            policy: Policy::default(),
        }
    }

    /// The same under another policy.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Reads another clock: a function that returns a [`Timestamp`] will do.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Draws from another source, which must be as unpredictable; for tests and for hardware.
    #[must_use]
    pub fn with_random(mut self, random: impl Random + Send + Sync + 'static) -> Self {
        self.random = Box::new(random);
        self
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What a step is given now.
    #[must_use]
    pub fn environment(&mut self) -> Environment<'_> {
        Environment::new(self.clock.now(), self.random.as_mut()).with_policy(&self.policy)
    }
}

impl Default for SystemEnvironment {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SystemEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemEnvironment")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_random_fills_every_byte_differently_each_time() {
        let (mut a, mut b) = ([0u8; 64], [0u8; 64]);
        SystemRandom.fill(&mut a).unwrap();
        SystemRandom.fill(&mut b).unwrap();
        assert_ne!(a, [0; 64]);
        assert_ne!(a, b);
    }

    #[test]
    fn environment_reads_the_given_clock_and_policy() {
        let mut system = SystemEnvironment::new()
            .with_clock(|| Timestamp::new(12, 34))
            .with_policy(Policy::default().with_clock_skew(7));
        let environment = system.environment();
        assert_eq!(environment.now, Timestamp::new(12, 34));
        assert_eq!(environment.policy.clock_skew(), 7);
    }
}
