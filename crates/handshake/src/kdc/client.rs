//! The client: what it can be told, and what it can be asked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_context::kerberos::kdc::{Exchange, ExchangeStep, KdcAnswer, KdcRequest};
use countersign_context::{ErrorKind, KdcProblem};

use super::error::{Error, NoReply};
use super::locate::Locate;
use super::observe::KdcEvent;
use super::settings::Settings;
use crate::system::SystemEnvironment;

/// Carries messages to the KDCs of realms and their replies back.
///
/// A clone costs as much as that of an `Arc`, and shares what the client has learned: which KDC of
/// a realm answered last. Nothing else in the process is shared, and no environment variable is
/// read.
///
/// The functions that tell it something are for the time before it is used: they make a client of
/// their own out of a clone.
#[derive(Debug, Clone)]
pub struct KdcClient {
    settings: Arc<Settings>,
}

impl KdcClient {
    /// A client of the KDCs that the source knows.
    #[must_use]
    pub fn new(locate: impl Locate) -> Self {
        Self {
            settings: Arc::new(Settings::new(Arc::new(locate))),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// A request ends within this time, and so does an exchange as a whole; 10 s unless told
    /// otherwise.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.timeout = timeout)
    }

    /// The next KDC is asked too when one has been silent for so long, while an answer of the
    /// earlier ones is still welcome; 1 s unless told otherwise. One that is known to be dead
    /// (it refused the connection, say) is not waited for at all.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        self.with(|settings| settings.patience = patience)
    }

    /// Messages of more bytes go by TCP first, and by UDP only where TCP fails; 1465 unless told
    /// otherwise, as `udp_preference_limit` of krb5.conf. Zero sends all by TCP first.
    #[must_use]
    pub fn udp_preference_limit(self, bytes: usize) -> Self {
        self.with(|settings| settings.udp_preference_limit = bytes)
    }

    /// Longest reply in bytes, checked before anything is allocated for it; 1 MiB unless told
    /// otherwise.
    #[must_use]
    pub fn max_reply(self, bytes: usize) -> Self {
        self.with(|settings| settings.max_reply = bytes)
    }

    /// Trusts these authorities to vouch for KDC proxies; nobody unless told otherwise, and
    /// proxies are then not asked.
    #[cfg(feature = "https")]
    #[must_use]
    pub fn anchors(self, anchors: super::Anchors) -> Self {
        self.with(|settings| settings.anchors = Some(anchors))
    }

    /// Trusts these authorities, and none of [`anchors`](Self::anchors), to vouch for the proxies of
    /// this realm.
    #[cfg(feature = "https")]
    #[must_use]
    pub fn realm_anchors(self, realm: impl Into<Vec<u8>>, anchors: super::Anchors) -> Self {
        let realm = realm.into();
        self.with(|settings| drop(settings.realm_anchors.insert(realm, anchors)))
    }

    /// Lends clock, randomness and policy to the exchanges that [`run`](Self::run) drives: the
    /// function makes one for each.
    #[must_use]
    pub fn environment(
        self,
        environment: impl Fn() -> SystemEnvironment + Send + Sync + 'static,
    ) -> Self {
        self.with(|settings| settings.environment = Arc::new(environment))
    }

    /// Shows every request and reply as it comes and goes; for traces and tests. The function is
    /// called by whoever waits for the reply, and should not wait itself.
    #[must_use]
    pub fn observe(self, observer: impl Fn(&KdcEvent<'_>) + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.observer = Some(Arc::new(observer)))
    }

    /// Sends the request to the KDCs of its realm, and returns the first reply.
    ///
    /// The reply may be forged: whoever made the request judges it. What is no reply of Kerberos
    /// at all is not returned; the next KDC is asked.
    ///
    /// # Errors
    /// No KDC is known, or none answered in time. Never [`Error::Refused`].
    pub fn send(&self, request: &KdcRequest) -> Result<Vec<u8>, Error> {
        self.send_until(request, self.deadline())
    }

    /// As [`send`](Self::send), at most until another moment.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn send_until(&self, request: &KdcRequest, deadline: Instant) -> Result<Vec<u8>, Error> {
        self.carry(request, deadline).map_err(|none| none.error)
    }

    fn carry(&self, request: &KdcRequest, deadline: Instant) -> Result<Vec<u8>, NoReply> {
        super::blocking::send(&self.settings, request, deadline)
    }

    /// Drives an exchange to its end.
    ///
    /// # Errors
    /// The engine refused, or no KDC answered.
    pub fn run<E: Exchange>(&self, exchange: E) -> Result<E::Output, Error> {
        self.run_with(exchange, &mut (self.settings.environment)())
    }

    /// As [`run`](Self::run), with another clock, randomness or policy.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn run_with<E: Exchange>(
        &self,
        exchange: E,
        environment: &mut SystemEnvironment,
    ) -> Result<E::Output, Error> {
        self.drive(exchange, environment, self.deadline())
    }

    pub(super) fn run_until<E: Exchange>(
        &self,
        exchange: E,
        deadline: Instant,
    ) -> Result<E::Output, Error> {
        self.drive(exchange, &mut (self.settings.environment)(), deadline)
    }

    fn drive<E: Exchange>(
        &self,
        mut exchange: E,
        environment: &mut SystemEnvironment,
        deadline: Instant,
    ) -> Result<E::Output, Error> {
        let mut sent = Sent::default();
        loop {
            let step = exchange.step(sent.answer.take(), &mut environment.environment());
            match step.map_err(|error| sent.explain(error))? {
                ExchangeStep::Done(output) => return Ok(output),
                ExchangeStep::Send(request) => {
                    sent.may_send_another()?;
                    sent.ended(self.carry(&request, deadline));
                }
            }
        }
    }

    /// The answer to [`Need::Kdc`](countersign_context::Need::Kdc), by the earlier of `deadline` and this client's own: what
    /// came, or that nothing did.
    #[must_use]
    pub fn answer(&self, request: &KdcRequest, deadline: Option<Instant>) -> KdcAnswer {
        let ours = self.deadline();
        let deadline = deadline.map_or(ours, |theirs| theirs.min(ours));
        answer(self.send_until(request, deadline))
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline_from(Instant::now())
    }

    /// Unix seconds, by the clock of the exchanges.
    pub(super) fn now(&self) -> i64 {
        (self.settings.environment)().environment().now.seconds()
    }

    fn deadline_from(&self, now: Instant) -> Instant {
        // Beyond what the clock can tell is as good as a century.
        now.checked_add(self.settings.timeout)
            .unwrap_or_else(|| now + Duration::from_secs(100 * 365 * 24 * 3600))
    }
}

fn answer(result: Result<Vec<u8>, Error>) -> KdcAnswer {
    match result {
        Ok(reply) => KdcAnswer::Reply(reply),
        Err(_) => KdcAnswer::Unreachable,
    }
}

/// What came of the last request, and of those before it that asked the same.
#[derive(Default)]
struct Sent {
    answer: Option<KdcAnswer>,
    error: Option<Error>,
    delivered: bool,
}

impl Sent {
    /// Why nobody answered says more than that nobody did.
    fn explain(&mut self, error: countersign_context::Error) -> Error {
        match (error.kind(), self.error.take()) {
            (ErrorKind::Kdc(KdcProblem::Unreachable), Some(why)) => why,
            _ => Error::Refused(error),
        }
    }

    /// An engine that hears of no answer may ask again by datagram. What changes a password and may have arrived must
    /// not arrive again: its refusal as a replay would hide that it had done its work.
    fn may_send_another(&mut self) -> Result<(), Error> {
        match self.error.take_if(|_| self.delivered) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn ended(&mut self, result: Result<Vec<u8>, NoReply>) {
        let earlier = self.error.take();
        *self = match result {
            Ok(reply) => Self {
                answer: Some(KdcAnswer::Reply(reply)),
                ..Self::default()
            },
            Err(NoReply { error, delivered }) => Self {
                answer: Some(KdcAnswer::Unreachable),
                error: Some(match earlier {
                    Some(earlier) => earlier.then(error),
                    None => error,
                }),
                delivered,
            },
        };
    }
}

#[cfg(feature = "tokio")]
mod nonblocking {
    use super::{
        Error, Exchange, ExchangeStep, Instant, KdcAnswer, KdcClient, KdcRequest, NoReply, Sent,
        SystemEnvironment, answer,
    };

    impl KdcClient {
        /// As [`send`](Self::send), without blocking: within a tokio runtime with I/O and time
        /// enabled.
        ///
        /// # Cancellation
        /// Dropping the future closes every socket that it opened. Only a search for a host's
        /// addresses that is under way ends by itself, in a thread of the runtime.
        ///
        /// # Errors
        /// As for [`send`](Self::send).
        pub async fn send_async(&self, request: &KdcRequest) -> Result<Vec<u8>, Error> {
            self.send_until_async(request, self.deadline_async()).await
        }

        /// As [`send_async`](Self::send_async), at most until another moment.
        ///
        /// # Errors
        /// As for [`send`](Self::send).
        pub async fn send_until_async(
            &self,
            request: &KdcRequest,
            deadline: Instant,
        ) -> Result<Vec<u8>, Error> {
            let sent = self.carry_async(request, deadline).await;
            sent.map_err(|none| none.error)
        }

        async fn carry_async(
            &self,
            request: &KdcRequest,
            deadline: Instant,
        ) -> Result<Vec<u8>, NoReply> {
            super::super::nonblocking::send(&self.settings, request, deadline).await
        }

        /// By tokio's clock, which tests may have stopped.
        pub(in super::super) fn deadline_async(&self) -> Instant {
            self.deadline_from(tokio::time::Instant::now().into_std())
        }

        /// For a handshake, which keeps its own deadline.
        pub(crate) async fn answer_async(&self, request: &KdcRequest) -> KdcAnswer {
            answer(self.send_async(request).await)
        }

        /// As [`run`](Self::run), without blocking.
        ///
        /// # Cancellation
        /// As for [`send_async`](Self::send_async); the exchange is dropped.
        ///
        /// # Errors
        /// As for [`run`](Self::run).
        pub async fn run_async<E: Exchange>(&self, exchange: E) -> Result<E::Output, Error> {
            let mut environment = (self.settings.environment)();
            self.run_with_async(exchange, &mut environment).await
        }

        /// As [`run_with`](Self::run_with), without blocking.
        ///
        /// # Errors
        /// As for [`run`](Self::run).
        pub async fn run_with_async<E: Exchange>(
            &self,
            exchange: E,
            environment: &mut SystemEnvironment,
        ) -> Result<E::Output, Error> {
            let deadline = self.deadline_async();
            self.drive_async(exchange, environment, deadline).await
        }

        pub(in super::super) async fn run_until_async<E: Exchange>(
            &self,
            exchange: E,
            deadline: Instant,
        ) -> Result<E::Output, Error> {
            let mut environment = (self.settings.environment)();
            self.drive_async(exchange, &mut environment, deadline).await
        }

        async fn drive_async<E: Exchange>(
            &self,
            mut exchange: E,
            environment: &mut SystemEnvironment,
            deadline: Instant,
        ) -> Result<E::Output, Error> {
            let mut sent = Sent::default();
            loop {
                let step = exchange.step(sent.answer.take(), &mut environment.environment());
                match step.map_err(|error| sent.explain(error))? {
                    ExchangeStep::Done(output) => return Ok(output),
                    ExchangeStep::Send(request) => {
                        sent.may_send_another()?;
                        sent.ended(self.carry_async(&request, deadline).await);
                    }
                }
            }
        }
    }
}
