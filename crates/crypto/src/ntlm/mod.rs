//! NTLM (MS-NLMP): the hash of a password, NTLMv2 responses, session keys, the keys of sealed and signed
//! messages.
//!
//! ```text
//!   password ─MD4→ NtHash ─user, domain→ ResponseKey ─challenges→ proof, SessionKey (session base key)
//!   SessionKey ─RC4→ SessionKey (exported) ─┬→ SignKey ─→ checksum of a message
//!                                           └→ SealKey ─→ Stream, from message to message
//! ```
//!
//! ```
//! use countersign_crypto::ntlm::{Direction, NtHash, SealKey, SessionKey, SignKey, Strength};
//! use countersign_crypto::verify_equal;
//!
//! # let (challenge, blob, exported) = ([7; 8], b"\x01\x01 and so on", SessionKey::new([9; 16]));
//! // The initiator proves that it knows the password, and sends a fresh session key along.
//! let key = NtHash::from_password("correct horse").response_key("user".chars(), "CORP".chars());
//! let proof = key.proof(&challenge, &[blob]);
//! let encrypted = key.session_base_key(&proof).encrypt(&exported);
//!
//! // The acceptor knows the hash, and computes the same.
//! let hash = NtHash::from_hex("cfc43211ba8dc470832267827cac1407").ok_or("no hash")?;
//! let key = hash.response_key("User".chars(), "CORP".chars());
//! assert!(verify_equal(&key.proof(&challenge, &[blob]), &proof));
//! let exported = key.session_base_key(&proof).decrypt(&encrypted);
//!
//! // A message to it, sealed: its key stream is kept for the next one.
//! let to_acceptor = Direction::ClientToServer;
//! let sign = SignKey::derive(&exported, to_acceptor);
//! let mut stream = SealKey::derive(&exported, Strength::Bits128, to_acceptor).stream();
//! let mut message = *b"meet at the gate";
//! let mut checksum = sign.checksum(0, &[&message]);
//! stream.apply(&mut message);
//! stream.apply(checksum.as_mut_slice());
//! # assert_ne!(&message, b"meet at the gate");
//! # Ok::<(), &str>(())
//! ```
//!
//! None of it allocates. Proofs, MICs and checksums are compared by the caller, with
//! [`verify_equal`](crate::verify_equal). The weak parts are a module of their own behind the feature `ntlm-v1`.

mod hash;
mod keys;
mod secret;
mod session;
mod upper;
#[cfg(feature = "ntlm-v1")]
pub mod v1;

pub use crate::stream::Stream;
pub use hash::{NtHash, ResponseKey};
pub use keys::{Checksum, Direction, SealKey, SignKey, Strength};
pub use session::SessionKey;
pub use upper::upper_case;
