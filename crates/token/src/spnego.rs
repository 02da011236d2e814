//! The tokens of SPNEGO, which negotiates a mechanism: RFC 4178 §4.2 and MS-SPNG §2.2.1.
//!
//! Everything borrows from the received bytes. A field that is absent is told apart from one that
//! is there and empty. Nothing here is authenticated, the list of mechanisms least of all: that is
//! what `mechListMIC` is for, which the two sides compute over [`MechTypes::as_bytes`].
//!
//! ```
//! use countersign_token::oid::Oid;
//! use countersign_token::spnego::{MechTypes, NegTokenInit, Negotiation};
//!
//! let mechanisms = MechTypes::encode(&[Oid::KERBEROS, Oid::NTLMSSP]);
//! let init = NegTokenInit {
//!     mech_token: Some(b"..."),
//!     ..NegTokenInit::new(MechTypes::parse(&mechanisms)?)
//! };
//! let token = init.to_bytes();
//!
//! let Negotiation::Init(read) = Negotiation::parse(&token)? else { panic!() };
//! assert_eq!(read, init);
//! assert_eq!(read.mech_types.first(), Oid::KERBEROS);
//! assert_eq!(read.mech_types.as_bytes(), mechanisms);
//! # Ok::<_, countersign_token::DecodeError>(())
//! ```

mod context_flags;
mod hints;
mod init;
mod mech_types;
mod neg_state;
mod negotiation;
mod resp;

pub use context_flags::ContextFlags;
pub use hints::NegHints;
pub use init::NegTokenInit;
pub use mech_types::{MechTypes, MechTypesIter};
pub use neg_state::NegState;
pub use negotiation::Negotiation;
pub use resp::NegTokenResp;
