//! The weak parts of NTLM: LM hashes, NTLMv1 responses, and session security without the extended kind.
//!
//! A response of NTLMv1 is broken by anyone who sees it, in hours; LM hashes are broken in seconds. Messages are
//! protected by a CRC, which anyone can adjust, and both directions share one key. Compiled in by the feature
//! `ntlm-v1` only; policies above this crate refuse it unless it is named.

mod crc32;
mod des;
mod responses;
mod security;

pub use crc32::Crc32;
pub use responses::{
    LmHash, extended_key_exchange_key, lm_hash, lm_key_exchange_key, lm_response,
    non_nt_key_exchange_key, nt_response, ntlm2_session_response, session_base_key,
};
pub use security::{mac, seal_key};
