//! Replay caches that several processes share.
//!
//! An acceptor whose credential has
//! [`ReplayProtection::External`](countersign_context::kerberos::ReplayProtection::External) asks with
//! [`Need::Replay`](countersign_context::Need::Replay) before it is established. Whatever answers must test and
//! store in one operation: of two processes that ask at once, one may be told that the authenticator is fresh.

mod redis;

pub use redis::{Outage, RedisReplayCache, RedisReplayCacheBuilder, RedisUrlError};
