use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_context::kerberos::ReplayCache;
use countersign_context::{Answer, Need, ReplayQuery, ReplayVerdict};

use crate::system::{Clock, SystemClock, SystemRandom};

mod blocking;
mod nonblocking;

/// How much longer an entry is kept than was asked for, in seconds: for acceptors whose clocks are
/// that much behind the one that stored it, and would still take the authenticator.
const MARGIN: i64 = 300;

/// What becomes of new contexts while Redis does not answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outage {
    /// They are refused, with
    /// [`ReplayCacheUnavailable`](countersign_context::ErrorKind::ReplayCacheUnavailable).
    #[default]
    Refuse,
    /// They are accepted if this process has not seen the authenticator itself. Whoever can keep
    /// Redis from answering can then replay to another process what one has accepted.
    RememberHere,
}

/// A replay cache in Redis (6.2 or later, or what speaks its protocol), for acceptors of one service
/// in several processes or on several hosts (RFC 4120 §3.2.3).
///
/// ```no_run
/// use countersign_handshake::Handshake;
/// use countersign_handshake::context::kerberos::{Acceptor, AcceptorCredential, ReplayProtection};
/// use countersign_handshake::replay::RedisReplayCache;
/// # fn serve(
/// #     keytab: &countersign_credential::Keytab,
/// #     mut stream: std::net::TcpStream,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let replays = RedisReplayCache::new("redis://replays.example.com/")?;
/// let credential =
///     AcceptorCredential::new(keytab).with_replay_protection(ReplayProtection::External);
///
/// let context = Handshake::acceptor(Acceptor::new(&credential))
///     .run_on_socket_with(&mut stream, |need| replays.answer(need))?;
/// # Ok(())
/// # }
/// ```
///
/// With tokio, and the clone is cheap:
///
/// ```no_run
/// # use countersign_handshake::{Handshake, replay::RedisReplayCache};
/// # async fn serve(
/// #     handshake: Handshake,
/// #     replays: RedisReplayCache,
/// #     stream: &mut tokio::net::TcpStream,
/// # ) -> Result<(), countersign_handshake::Error> {
/// let context = handshake
///     .run_async_with(stream, |need| {
///         let replays = replays.clone();
///         async move { replays.answer_async(&need).await }
///     })
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// An authenticator is one `SET key 1 NX EX seconds`. Redis forgets it by its own clock, after a span that is
/// reckoned by this host's and is five minutes longer than the authenticator can be used. What
/// it must be told in its own configuration:
///
/// - `maxmemory-policy noeviction`: whatever evicts keys forgets authenticators.
/// - Who may reach it: whoever can delete keys can replay. The address takes a password
///   (`redis://:password@host/`) or a Unix socket (`redis+unix:///run/redis.sock`).
/// - A replica that takes over may not have the last writes. Authenticators of that moment can be
///   replayed, unless acceptors are stopped for ten minutes.
#[derive(Clone)]
pub struct RedisReplayCache {
    shared: Arc<Shared>,
}

struct Shared {
    client: redis::Client,
    settings: Settings,
    idle: blocking::Idle,
    multiplexed: nonblocking::Slot,
    /// What this process has seen, where that counts.
    here: ReplayCache,
}

struct Settings {
    prefix: String,
    timeout: Duration,
    outage: Outage,
    clock: Box<dyn Clock>,
    observer: Option<Observer>,
}

type Observer = Box<dyn Fn(&(dyn std::error::Error + 'static)) + Send + Sync>;

/// Makes a [`RedisReplayCache`] that differs from the default.
#[must_use]
pub struct RedisReplayCacheBuilder {
    client: redis::Client,
    settings: Settings,
}

impl RedisReplayCache {
    /// Authenticators are kept below `countersign:replay:` and an answer is waited for one second.
    /// Nothing is connected before the first question.
    ///
    /// # Errors
    /// The text is not an address of Redis, or is one with TLS (`rediss://`), which is not spoken: where the
    /// network is not trusted, use a Unix socket or a tunnel.
    pub fn new(url: &str) -> Result<Self, RedisUrlError> {
        Self::builder(url).map(RedisReplayCacheBuilder::build)
    }

    /// The same with other settings.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn builder(url: &str) -> Result<RedisReplayCacheBuilder, RedisUrlError> {
        Ok(RedisReplayCacheBuilder {
            client: redis::Client::open(url).map_err(|_| RedisUrlError)?,
            settings: Settings {
                prefix: "countersign:replay:".to_owned(),
                timeout: Duration::from_secs(1),
                outage: Outage::Refuse,
                clock: Box::new(SystemClock),
                observer: None,
            },
        })
    }

    /// Answers [`Need::Replay`] and nothing else: the handler of
    /// [`Handshake::run_with`](crate::Handshake::run_with), or a part of it. It blocks the thread for as
    /// long as Redis takes: at most three times the timeout, where a connection that was kept says nothing, and a
    /// new one and its answer come late.
    #[must_use]
    pub fn answer(&self, need: &Need) -> Option<Answer> {
        match need {
            Need::Replay(query) => Some(Answer::Replay(self.verdict(query))),
            _ => None,
        }
    }

    /// As [`answer`](Self::answer), in tokio's time. A future that is dropped may have stored the
    /// authenticator.
    pub async fn answer_async(&self, need: &Need) -> Option<Answer> {
        match need {
            Need::Replay(query) => Some(Answer::Replay(self.verdict_async(query).await)),
            _ => None,
        }
    }

    /// The verdict on one authenticator, which it now remembers.
    #[must_use]
    pub fn verdict(&self, query: &ReplayQuery) -> ReplayVerdict {
        let shared = &*self.shared;
        shared.judge_here(query).unwrap_or_else(|| {
            let stored = shared.idle.store(shared, &shared.entry(query));
            shared.verdict(stored)
        })
    }

    /// As [`verdict`](Self::verdict), in tokio's time.
    pub async fn verdict_async(&self, query: &ReplayQuery) -> ReplayVerdict {
        let shared = &*self.shared;
        match shared.judge_here(query) {
            Some(verdict) => verdict,
            None => {
                let stored = shared.multiplexed.store(shared, &shared.entry(query)).await;
                shared.verdict(stored)
            }
        }
    }
}

impl RedisReplayCacheBuilder {
    /// Keeps authenticators below another prefix: acceptors of one service share one.
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.settings.prefix);
        self
    }

    /// How long an answer is waited for, and how long a new connection.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        // Zero would be no timeout at all to a socket.
        self.settings.timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// What becomes of new contexts while Redis does not answer.
    pub fn on_outage(mut self, outage: Outage) -> Self {
        self.settings.outage = outage;
        self
    }

    /// Told why each time that Redis did not answer; the error holds no password.
    pub fn observe(
        mut self,
        observer: impl Fn(&(dyn std::error::Error + 'static)) + Send + Sync + 'static,
    ) -> Self {
        self.settings.observer = Some(Box::new(observer));
        self
    }

    /// Reckons by another clock than the system's: the one that the handshakes have.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Box::new(clock);
        self
    }

    /// The cache.
    #[must_use]
    pub fn build(self) -> RedisReplayCache {
        RedisReplayCache {
            shared: Arc::new(Shared {
                client: self.client,
                settings: self.settings,
                idle: blocking::Idle::default(),
                multiplexed: nonblocking::Slot::default(),
                here: ReplayCache::default(),
            }),
        }
    }
}

impl Shared {
    /// What needs no question to Redis: a replay to this very process, where that is remembered.
    fn judge_here(&self, query: &ReplayQuery) -> Option<ReplayVerdict> {
        if self.settings.outage == Outage::Refuse {
            return None;
        }
        let now = self.settings.clock.now().seconds();
        match self.here.verdict(query, now, &mut SystemRandom) {
            Ok(ReplayVerdict::Fresh) => None,
            Ok(verdict) => Some(verdict),
            Err(_) => Some(ReplayVerdict::Unavailable),
        }
    }

    fn entry(&self, query: &ReplayQuery) -> redis::Cmd {
        let now = self.settings.clock.now().seconds();
        let seconds = query.expires.saturating_sub(now).max(0);
        let mut key = self.settings.prefix.clone().into_bytes();
        key.extend_from_slice(&query.tag);
        let mut command = redis::cmd("SET");
        command
            .arg(key)
            .arg(1)
            .arg("NX")
            .arg("EX")
            .arg(seconds.saturating_add(MARGIN));
        command
    }

    /// `SET … NX` says OK where it stored, and nothing where there was an entry.
    fn verdict(&self, stored: redis::RedisResult<Option<String>>) -> ReplayVerdict {
        match stored {
            Ok(Some(_)) => ReplayVerdict::Fresh,
            Ok(None) => ReplayVerdict::Replayed,
            Err(error) => {
                if let Some(observer) = &self.settings.observer {
                    observer(&error);
                }
                match self.settings.outage {
                    Outage::Refuse => ReplayVerdict::Unavailable,
                    Outage::RememberHere => ReplayVerdict::Fresh,
                }
            }
        }
    }
}

impl fmt::Debug for RedisReplayCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.shared.settings;
        f.debug_struct("RedisReplayCache")
            .field("prefix", &settings.prefix)
            .field("timeout", &settings.timeout)
            .field("on_outage", &settings.outage)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RedisReplayCacheBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisReplayCacheBuilder")
            .field("prefix", &self.settings.prefix)
            .finish_non_exhaustive()
    }
}

/// The text is not an address of Redis that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedisUrlError;

impl fmt::Display for RedisUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not an address of Redis; write redis://HOST[:PORT]/, redis://:PASSWORD@HOST/ or \
             redis+unix:///PATH",
        )
    }
}

impl core::error::Error for RedisUrlError {}
