//! What the commands that talk to KDCs have in common.

pub(crate) mod password;
mod setup;
mod trace;

pub(crate) use setup::{Setup, cache_failed, open_cache};
