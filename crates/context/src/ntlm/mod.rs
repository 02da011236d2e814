//! NTLM (MS-NLMP): both sides, NTLMv2 with a MIC.
//!
//! ```text
//! initiator                                          acceptor
//!   NEGOTIATE     what can be had        ──────▶
//!                 challenge, names       ◀──────     CHALLENGE
//!   AUTHENTICATE  response, session key, ──────▶     asks a user store or a domain controller
//!                 MIC over all three                 (Need::Logon), then verifies
//! ```
//!
//! NTLM proves the initiator by its password's hash. It does not prove the acceptor:
//! [`Flags::MUTUAL`](crate::Flags::MUTUAL) is never granted. Use Kerberos where it can be had.

mod acceptor;
mod credential;
mod flags;
mod initiator;
mod logon;
mod names;
mod response;
mod time;
mod verify;

pub use acceptor::Acceptor;
pub use credential::AcceptorCredential;
pub use initiator::Initiator;
pub use logon::{Logon, LogonRequest};
pub use names::{MachineId, ServerNames, TargetNamePolicy};
