//! Finding KDCs and talking to them: UDP, TCP and HTTPS, for exchanges of
//! [`context::kerberos::kdc`](countersign_context::kerberos::kdc) and for handshakes that need a
//! ticket on the way.
//!
//! A [`Locate`] knows where the KDCs of a realm are; a [`KdcClient`] asks them.
//!
//! ```no_run
//! use countersign_handshake::context::kerberos::kdc::Exchange;
//! use countersign_handshake::kdc::{Error, KdcClient, StaticKdcs};
//!
//! fn run<E: Exchange>(exchange: E) -> Result<E::Output, Box<dyn std::error::Error>> {
//!     let kdcs = StaticKdcs::new()
//!         .kdc("EXAMPLE.COM", "kdc1.example.com")?
//!         .kdc("EXAMPLE.COM", "kdc2.example.com")?;
//!     let client = KdcClient::new(kdcs);
//!     Ok(client.run(exchange)?) // with tokio: client.run_async(exchange).await
//! }
//! ```
//!
//! A handshake whose initiator fetches its own ticket is given the client with
//! [`Handshake::kdc_client`](crate::Handshake::kdc_client).
//!
//! Many threads or tasks that want tickets of one credential share a [`TicketSource`], which
//! fetches each ticket once.
//!
//! # Features
//!
//! Without features there are the blocking functions, over UDP and TCP. `tokio` adds their async
//! forms, `https` KDC proxies (MS-KKDCP) and `dns` the search for KDCs in DNS; the last brings
//! `tokio` with it.
//!
//! # What holds
//!
//! * **Deadlines.** A request, and an exchange as a whole, end within
//!   [`timeout`](KdcClient::timeout), whatever KDCs, name servers and networks do.
//! * **Failover.** A KDC that is silent for [`patience`](KdcClient::patience) is overtaken by the
//!   next, and its answer is still welcome; one that refuses is overtaken at once. The one that
//!   answered is asked first by the next request, so that a dead KDC costs an exchange of several
//!   requests its second only once.
//! * **Size.** A short message goes by UDP first and a long one by TCP
//!   ([`udp_preference_limit`](KdcClient::udp_preference_limit)); each falls back to the other.
//!   What is sent again because a reply did not fit into a datagram goes by TCP alone.
//! * **Nothing unasked.** Datagrams from another address than the one asked do not arrive; what
//!   is no Kerberos reply to the request is not taken for one. The length of a reply is checked
//!   before anything is allocated for it.
//! * **Nothing twice.** A password change reaches one server only, once.
//! * **No global state**, and no environment variable.

mod ask;
mod baton;
mod blocking;
mod client;
mod configured;
#[cfg(feature = "dns")]
mod dns;
mod endpoint;
mod error;
#[cfg(feature = "https")]
mod https;
mod locate;
mod memory;
#[cfg(feature = "tokio")]
mod nonblocking;
mod observe;
mod plan;
mod race;
mod reply;
mod settings;
mod tickets;

pub use client::KdcClient;
pub use configured::ConfiguredKdcs;
#[cfg(feature = "dns")]
pub use dns::DnsKdcs;
pub use endpoint::{Endpoint, EndpointError, Transport, default_port};
pub use error::{Attempt, Error, Failure};
#[cfg(feature = "https")]
pub use https::{Anchors, AnchorsError};
pub use locate::{Chain, Locate, LocateError, Locating, StaticKdcs};
pub use observe::{KdcEvent, KdcEventKind};
pub use tickets::TicketSource;
