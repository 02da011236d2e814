//! What the commands that talk to KDCs have in common.

mod setup;
mod trace;

pub(crate) use setup::{Setup, cache_failed, open_cache};
