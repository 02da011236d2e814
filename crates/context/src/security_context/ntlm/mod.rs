//! Per-message protection of NTLM with extended session security, MS-NLMP §3.4.
//!
//! ```text
//! signature   01 00 00 00 | checksum (8) | sequence number (4, little-endian)     §2.2.2.9.2
//! wrapped     signature | message, encrypted where the context seals
//! MIC         signature
//!
//! checksum = HMAC-MD5(signing key, sequence number | message), its first 8 bytes,
//!            encrypted where a key was exchanged
//! ```
//!
//! Each direction encrypts with one RC4 stream that runs through all of its messages, so they are
//! opened in the order in which they were made, whatever the flags say; a message that is refused
//! leaves the stream where it was. In connectionless mode each message has a stream of its own
//! (§3.4.4), and the order is as the flags say.
//!
//! Nothing in a token tells whether it is sealed. A context that was granted confidentiality
//! therefore seals all that is wrapped, and one that was not signs it.

mod keys;
mod open;
mod seal;

pub(crate) use keys::{NtlmKeys, Protection};
pub(super) use open::{NtlmReceiver, check_number};
pub(super) use seal::NtlmSender;

use super::iov::IovParts;

/// The length of a signature, which is all that a message grows by.
pub(super) const SIGNATURE: usize = 16;

/// Everything stands in the header.
pub(super) const PARTS: IovParts = IovParts {
    header: SIGNATURE,
    padding: 0,
    trailer: 0,
};
