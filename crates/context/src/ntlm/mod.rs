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
//!
//! With the feature `ntlm-v1` there are two weaker responses, for peers that have no other: the one
//! of NTLMv1 with extended session security, and LMv2. They are neither taken until
//! `NtlmPolicy::with_dangerous_v1` names them, nor sent until `Initiator::dangerous_v1` does. NTLMv1
//! without extended session security, and LM, are not there at all.

mod acceptor;
mod credential;
mod flags;
mod initiator;
mod logon;
mod names;
mod proof;
mod response;
mod time;
#[cfg(feature = "ntlm-v1")]
mod v1;
mod verify;

pub use acceptor::Acceptor;
pub use credential::AcceptorCredential;
pub use initiator::Initiator;
pub use logon::{Logon, LogonRequest};
pub use names::{MachineId, ServerNames, TargetName, TargetNamePolicy};
