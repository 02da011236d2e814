//! The replay cache of `serve`.

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Replays {
    /// Share the replay cache with other servers of the service, in Redis at redis://HOST:PORT/
    /// or redis+unix:///PATH; without, it is this process's own
    #[arg(long, value_name = "URL")]
    pub(crate) replay_cache: Option<String>,
    /// What becomes of clients while Redis does not answer
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        default_value_t = Outage::Refuse,
        requires = "replay_cache"
    )]
    pub(crate) replay_outage: Outage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Outage {
    /// They are refused
    Refuse,
    /// They are accepted if this process has not seen their authenticator: other servers may have
    RememberHere,
}
