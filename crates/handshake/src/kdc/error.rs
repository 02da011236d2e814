//! Why no KDC could be asked.

use core::fmt;
use std::io;
use std::net::SocketAddr;

use super::endpoint::{Endpoint, Transport};
use super::locate::LocateError;

/// Why an exchange with a KDC failed. More may be added.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The engine refused: the secret, the KDC or its reply is wrong.
    Refused(countersign_context::Error),
    /// No source knows a KDC of the realm.
    NotLocated,
    /// The search for the realm's KDCs failed.
    Locate(LocateError),
    /// The realm's KDCs are known to be reached by UDP alone, and this message must not go by it.
    NoStream,
    /// Another task fetches the ticket, and has not finished in time.
    TimedOut,
    /// The KDCs were asked, and none gave an answer.
    Unanswered(Vec<Attempt>),
}

/// How one KDC failed to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which.
    pub endpoint: Endpoint,
    /// At which of its addresses, once they were found.
    pub address: Option<SocketAddr>,
    /// How it was asked.
    pub transport: Transport,
    /// What happened.
    pub failure: Failure,
}

/// What happened to a request. More may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The host's name has no address.
    Resolve,
    /// There was no answer until the deadline.
    NoAnswer,
    /// The connection could not be made, or broke.
    Io(io::ErrorKind),
    /// The KDC closed the connection before its reply was complete.
    Closed,
    /// The reply's length has its highest bit set, which is reserved (RFC 4120 §7.2.2).
    ReservedLength,
    /// The reply is longer than the limit.
    TooLarge {
        /// Bytes announced.
        length: usize,
        /// Bytes permitted.
        limit: usize,
    },
    /// The reply is not a reply of Kerberos to this request.
    NotKerberos,
    /// The KDC says that it is out of service: KDC_ERR_SVC_UNAVAILABLE, RFC 4120 §7.5.9.
    OutOfService,
    /// The proxy answered with this HTTP status.
    Proxy(u16),
    /// What the proxy answered is not HTTP.
    NotHttp,
    /// The proxy's certificate is not to be trusted, or TLS failed otherwise.
    Tls,
    /// The endpoint is a KDC proxy and the library was built without the feature `https`.
    NoHttps,
    /// The endpoint is a KDC proxy, and no certificate authorities to trust have been named.
    NoAnchors,
}

/// That nobody answered a request, and why.
#[derive(Debug)]
pub(super) struct NoReply {
    pub(super) error: Error,
    /// Whether somebody may have received a request that must not be sent twice.
    pub(super) delivered: bool,
}

impl From<Error> for NoReply {
    fn from(error: Error) -> Self {
        Self {
            error,
            delivered: false,
        }
    }
}

impl Error {
    /// What came of this request and of the one after it, which asked the same in another way.
    pub(super) fn then(self, later: Self) -> Self {
        match (self, later) {
            (Self::Unanswered(mut attempts), Self::Unanswered(later)) => {
                attempts.extend(later);
                Self::Unanswered(attempts)
            }
            (attempts @ Self::Unanswered(_), Self::NoStream) => attempts,
            (_, later) => later,
        }
    }

    /// The engine's error, where it was the engine that refused.
    #[must_use]
    pub fn refusal(&self) -> Option<&countersign_context::Error> {
        match self {
            Self::Refused(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::NotLocated => f.write_str(
                "no KDC of the realm is known: name one, or check the spelling of the realm",
            ),
            Self::Locate(error) => error.fmt(f),
            Self::NoStream => f.write_str(
                "the realm's KDCs are named for UDP alone, and this message needs TCP: name one \
                 without udp/",
            ),
            Self::TimedOut => {
                f.write_str("another task fetches the ticket and has not finished in time")
            }
            Self::Unanswered(attempts) => {
                f.write_str("no KDC answered")?;
                for (index, attempt) in attempts.iter().enumerate() {
                    f.write_str(if index == 0 { ": " } else { "; " })?;
                    attempt.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} by {}: {}",
            self.endpoint, self.transport, self.failure
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve => f.write_str("the host's name has no address, check it"),
            Self::NoAnswer => f.write_str("no answer in time, check firewalls on the way"),
            Self::Io(io::ErrorKind::ConnectionRefused) => {
                f.write_str("nobody listens there, check that the KDC runs")
            }
            Self::Io(kind) => write!(f, "the connection failed: {kind}"),
            Self::Closed => f.write_str("it closed the connection, look into its log"),
            Self::ReservedLength => {
                f.write_str("its reply has a length that is reserved, check what listens there")
            }
            Self::TooLarge { length, limit } => {
                write!(
                    f,
                    "its reply of {length} bytes is over the limit of {limit}"
                )
            }
            Self::NotKerberos => f.write_str("its reply is not Kerberos, check what listens there"),
            Self::OutOfService => f.write_str("it says that it is out of service, try later"),
            Self::Proxy(status) => write!(f, "the proxy refused with HTTP status {status}"),
            Self::NotHttp => f.write_str("its answer is not HTTP, check the URL"),
            Self::Tls => f.write_str(
                "TLS failed, check that the proxy's certificate is issued for this name by an \
                 authority that is trusted here",
            ),
            Self::NoHttps => f.write_str("KDC proxies need the feature `https`, build with it"),
            Self::NoAnchors => {
                f.write_str("no certificate authority is trusted yet, name the proxy's")
            }
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Refused(error) => Some(error),
            Self::Locate(error) => Some(error),
            _ => None,
        }
    }
}

impl From<LocateError> for Error {
    fn from(error: LocateError) -> Self {
        Self::Locate(error)
    }
}
