//! The protocol of the Kerberos credential manager (KCM): credential caches kept by a server process.
//!
//! Bytes in, bytes out: `countersign-handshake` carries them over the server's Unix socket.
//!
//! ```text
//! request frame ::= length (32 bits) of what follows, request
//! request       ::= major version (2), minor version (0), operation (16 bits), fields
//! reply frame   ::= length (32 bits) of the reply, code of the transport (32 bits), reply
//! reply         ::= code of the operation (32 bits), fields
//! fields        ::= { name | uuid | principal | credential | number } …
//! name          ::= bytes without NUL, NUL
//! uuid          ::= 16 bytes
//! ```
//!
//! Principals and credentials are written as in version 4 of a `FILE` cache; numbers are big-endian. Sources: MIT krb5's
//! `kcm.h`, which documents the fields of each operation; Heimdal's and SSSD's servers.
//!
//! ```
//! use countersign_credential::kcm::{Operation, Reply, ReplyHeader, Request};
//!
//! // What a client writes…
//! let frame = Request::default_cache();
//! assert_eq!(&frame[..], [0, 0, 0, 4, 2, 0, 0, 20]);
//! // …and what comes back.
//! let received = [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, b'1', b'0', b'0', 0];
//! let (header, body) = received.split_first_chunk::<8>().ok_or("short")?;
//! assert_eq!(ReplyHeader::parse(*header)?.length(), body.len());
//! assert_eq!(Reply::parse(body)?.only_name()?, "100");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod fields;
mod reply;
mod request;

pub use error::{KcmCode, KcmError};
pub use fields::{CacheUuid, Fields};
pub use reply::{Reply, ReplyHeader};
pub use request::{Operation, ParsedRequest, Request};

#[cfg(test)]
mod tests;
