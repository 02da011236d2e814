//! What every exchange with a KDC has in common.

use core::fmt;

use crate::environment::Environment;
use crate::error::Error;

/// A message for a KDC of a realm, or for its password-changing service.
#[derive(Clone, PartialEq, Eq)]
pub struct KdcRequest {
    /// Whose KDC.
    pub realm: Vec<u8>,
    /// Which of the realm's services.
    pub service: KdcService,
    /// The message, without the length that precedes it on a stream (RFC 4120 §7.2.2).
    pub message: Vec<u8>,
    /// Not over UDP: the reply did not fit into a datagram (RFC 4120 §7.2.1), or the exchange must
    /// not be repeated.
    pub stream_only: bool,
}

/// A service of a realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KdcService {
    /// The KDC itself, port 88 (RFC 4120 §7.2).
    Kdc,
    /// The password-changing service, port 464 (RFC 3244 §2).
    PasswordChange,
}

/// What came of a [`KdcRequest`].
#[derive(Clone, PartialEq, Eq)]
pub enum KdcAnswer {
    /// The reply, without the length that precedes it on a stream.
    Reply(Vec<u8>),
    /// No KDC of the realm was found, or none answered in time.
    Unreachable,
}

/// A conversation with KDCs that yields an `Output`.
///
/// Owned, `Send + Sync + 'static`; it can be parked while the network is slow. After an error or
/// the output, every further step is an error.
pub trait Exchange: fmt::Debug + Send + Sync + 'static {
    /// What the conversation is for.
    type Output;

    /// Begins with `None`; continues with what came of the last [`ExchangeStep::Send`].
    ///
    /// # Errors
    /// Whatever is wrong with the secret, the KDC or its reply.
    fn step(
        &mut self,
        answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<ExchangeStep<Self::Output>, Error>;
}

/// What the caller of an [`Exchange`] does next.
#[derive(Debug)]
#[must_use = "the exchange waits for the answer"]
pub enum ExchangeStep<T> {
    /// Send the request and step again with what came of it.
    Send(KdcRequest),
    /// The exchange is over.
    Done(T),
}

/// Names and sizes: the message may hold a password's proof.
impl fmt::Debug for KdcRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KdcRequest")
            .field("realm", &String::from_utf8_lossy(&self.realm))
            .field("service", &self.service)
            .field("message_len", &self.message.len())
            .field("stream_only", &self.stream_only)
            .finish()
    }
}

impl fmt::Debug for KdcAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply(message) => write!(f, "Reply({} bytes)", message.len()),
            Self::Unreachable => f.write_str("Unreachable"),
        }
    }
}
