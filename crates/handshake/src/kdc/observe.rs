//! What a client of the KDC shows of itself, for traces and tests.

use core::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use countersign_context::kerberos::kdc::KdcService;

use super::endpoint::{Endpoint, Transport};
use super::error::{Error, Failure};

/// Something that happened to a request, as [`KdcClient::observe`](super::KdcClient::observe)
/// shows it.
#[derive(Debug, Clone, Copy)]
pub struct KdcEvent<'a> {
    /// Whose KDC.
    pub realm: &'a [u8],
    /// Which of the realm's services.
    pub service: KdcService,
    /// Time since the request began.
    pub elapsed: Duration,
    /// What happened.
    pub kind: KdcEventKind<'a>,
}

/// What happened to a request. More may be added.
///
/// Messages are shown as they pass over the network: passwords and keys are never in them, and
/// what is encrypted stays so. But a reply, or the proof of a password in a request without FAST
/// armor, lets whoever reads it try passwords at leisure: keep traces as one keeps captures of
/// the network.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum KdcEventKind<'a> {
    /// The realm has these endpoints. They are asked in this order, but that the one which
    /// answered last comes first.
    Located {
        /// At least one.
        endpoints: &'a [Endpoint],
    },
    /// The message is on its way to one of them.
    Asked {
        /// Which.
        endpoint: &'a Endpoint,
        /// The address, where that is known to the client.
        address: Option<SocketAddr>,
        /// By what.
        transport: Transport,
        /// The message without its frame.
        message: &'a [u8],
    },
    /// One of them gave this reply, which ends the request unless it is out of service.
    Answered {
        /// Which.
        endpoint: &'a Endpoint,
        /// The address, where that is known to the client.
        address: Option<SocketAddr>,
        /// By what.
        transport: Transport,
        /// The message without its frame. Not to be trusted yet.
        message: &'a [u8],
    },
    /// One of them will give no reply.
    Failed {
        /// Which.
        endpoint: &'a Endpoint,
        /// The address, where that is known to the client.
        address: Option<SocketAddr>,
        /// By what.
        transport: Transport,
        /// Why.
        failure: Failure,
    },
    /// The request ended without a reply.
    GaveUp {
        /// Why.
        error: &'a Error,
    },
}

pub(super) type Observer = Arc<dyn Fn(&KdcEvent<'_>) + Send + Sync>;

/// Sizes instead of messages.
impl fmt::Debug for KdcEventKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, endpoint, address, transport) = match self {
            Self::Located { endpoints } => {
                return f
                    .debug_struct("Located")
                    .field("endpoints", endpoints)
                    .finish();
            }
            Self::GaveUp { error } => {
                return f.debug_struct("GaveUp").field("error", error).finish();
            }
            Self::Asked {
                endpoint,
                address,
                transport,
                ..
            } => ("Asked", endpoint, address, transport),
            Self::Answered {
                endpoint,
                address,
                transport,
                ..
            } => ("Answered", endpoint, address, transport),
            Self::Failed {
                endpoint,
                address,
                transport,
                ..
            } => ("Failed", endpoint, address, transport),
        };
        let mut debug = f.debug_struct(name);
        debug
            .field("endpoint", endpoint)
            .field("address", address)
            .field("transport", transport);
        match self {
            Self::Asked { message, .. } | Self::Answered { message, .. } => {
                debug.field("message_len", &message.len());
            }
            Self::Failed { failure, .. } => {
                debug.field("failure", failure);
            }
            _ => {}
        }
        debug.finish()
    }
}
