//! What a handshake is made of; the drivers are in `blocking` and `nonblocking`.

use core::fmt;
use std::time::{Duration, Instant};

use countersign_context::{Mechanism, Policy, Role};

use crate::framing::{Framing, LengthPrefixed};
use crate::kdc::KdcClient;
use crate::limits::{Deadline, Limits};
use crate::machine::Machine;
use crate::system::SystemEnvironment;

/// Which way a token went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From this side to the peer.
    Sent,
    /// From the peer to this side.
    Received,
}

/// One token of a handshake, as [`Handshake::observe`] shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg<'a> {
    /// Counts the tokens of both directions from 1.
    pub number: u32,
    /// Which way it went.
    pub direction: Direction,
    /// The token without its frame. Not secret, and not to be trusted either.
    pub token: &'a [u8],
}

pub(crate) type Observer = Box<dyn FnMut(Leg<'_>) + Send>;

/// Takes a mechanism to an established context over a stream.
///
/// Runs over [`std::io::Read`] and [`std::io::Write`] with [`run`](Self::run), and with the
/// feature `tokio` over `AsyncRead` and `AsyncWrite` with `run_async`; both do the same. Neither
/// reads a byte beyond the last frame of the handshake.
pub struct Handshake {
    role: Role,
    mechanism: Box<dyn Mechanism>,
    framing: Box<dyn Framing>,
    limits: Limits,
    deadline: Deadline,
    environment: SystemEnvironment,
    observer: Option<Observer>,
    kdc_client: Option<KdcClient>,
}

impl Handshake {
    /// The side that sends the first token.
    #[must_use]
    pub fn initiator(mechanism: impl Mechanism) -> Self {
        Self::new(Role::Initiator, Box::new(mechanism))
    }

    /// The side that waits for the first token.
    #[must_use]
    pub fn acceptor(mechanism: impl Mechanism) -> Self {
        Self::new(Role::Acceptor, Box::new(mechanism))
    }

    /// Either side with a mechanism chosen at run time.
    #[must_use]
    pub fn new(role: Role, mechanism: Box<dyn Mechanism>) -> Self {
        Self {
            role,
            mechanism,
            framing: Box::new(LengthPrefixed),
            limits: Limits::default(),
            deadline: Deadline::default(),
            environment: SystemEnvironment::new(),
            observer: None,
            kdc_client: None,
        }
    }

    /// Cuts tokens out of the stream in this way; [`LengthPrefixed`] unless told otherwise.
    #[must_use]
    pub fn framing(mut self, framing: impl Framing) -> Self {
        self.framing = Box::new(framing);
        self
    }

    /// What the peer may cost before it is authenticated.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// When the handshake is given up; 30 s after it began unless told otherwise.
    #[must_use]
    pub fn deadline(mut self, deadline: Deadline) -> Self {
        self.deadline = deadline;
        self
    }

    /// Gives the handshake up so long after it began.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.deadline(Deadline::After(timeout))
    }

    /// Lends another clock, randomness or policy to the engine.
    #[must_use]
    pub fn environment(mut self, environment: SystemEnvironment) -> Self {
        self.environment = environment;
        self
    }

    /// Lends another policy to the engine.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.environment = self.environment.with_policy(policy);
        self
    }

    /// Shows every token as it comes and goes; for logs and tests.
    #[must_use]
    pub fn observe(mut self, observer: impl FnMut(Leg<'_>) + Send + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Asks KDCs through this client where the mechanism needs them, such as an initiator that
    /// fetches its own ticket. A handler, where there is one, is asked first.
    #[must_use]
    pub fn kdc_client(mut self, client: KdcClient) -> Self {
        self.kdc_client = Some(client);
        self
    }

    /// The sequence to be driven and the moment to give up.
    pub(crate) fn start(self) -> (Machine, Option<Instant>) {
        let deadline = self.deadline.resolve();
        let machine = Machine {
            role: self.role,
            mechanism: self.mechanism,
            framing: self.framing,
            limits: self.limits,
            environment: self.environment,
            observer: self.observer,
            kdc_client: self.kdc_client,
            legs: 0,
            reading: None,
        };
        (machine, deadline)
    }

    /// The deadline before it is made a moment; a runtime may have a clock of its own.
    #[cfg(feature = "tokio")]
    pub(crate) fn configured_deadline(&self) -> Deadline {
        self.deadline
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("role", &self.role)
            .field("mechanism", &self.mechanism)
            .field("framing", &self.framing)
            .field("limits", &self.limits)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
