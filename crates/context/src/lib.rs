#![doc = include_str!("../README.md")]

mod bindings;
mod counter_mode;
mod environment;
mod error;
mod flags;
mod identity;
pub mod kerberos;
pub mod negotiate;
#[cfg(feature = "ntlm")]
pub mod ntlm;
mod policy;
mod security_context;
mod stage;
mod status;
mod step;

pub use bindings::{ChannelBindingPolicy, ChannelBindings};
pub use countersign_credential as credential;
pub use countersign_crypto as crypto;
pub use countersign_token as token;
pub use environment::{Environment, Timestamp};
pub use error::{
    Error, ErrorKind, KdcProblem, NegotiationProblem, NtlmProblem, PacProblem, PacSignature,
    ReplyPart, krb_error_name,
};
pub use flags::Flags;
pub use identity::Identity;
#[cfg(feature = "ntlm")]
pub use identity::NtlmIdentity;
pub use policy::{EnctypeSet, PacPolicy, Policy};
#[cfg(feature = "ntlm")]
pub use policy::{MicPolicy, NtlmPolicy};
pub use security_context::{
    CustomContext, IoBuffer, IovParts, LucidContext, OpenMessages, Order, Overhead, PrfKey,
    ProtectMessages, Protection, Receiver, Role, SecurityContext, Sender, SessionKey, Sizes,
    Unwrapped, UnwrappedInPlace,
};
pub use status::{MajorStatus, SspiStatus};
pub use step::{Answer, Mechanism, Need, ReplayQuery, ReplayVerdict, Step};
