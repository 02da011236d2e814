#![doc = include_str!("../README.md")]

pub mod gss;
mod provider;
pub mod sspi;

pub use provider::Provider;

/// All of the engine, where a name is not at the root.
pub use countersign_context as context;
pub use countersign_context::{
    Answer, ChannelBindingPolicy, ChannelBindings, EnctypeSet, Environment, Error, ErrorKind,
    Flags, Identity, IoBuffer, MajorStatus, Mechanism, Need, Order, PacPolicy, Policy, Protection,
    Receiver, ReplayQuery, ReplayVerdict, Role, SecurityContext, Sender, SspiStatus, Step,
    Timestamp, Unwrapped, crypto, kerberos, krb_error_name, negotiate, token,
};
#[cfg(feature = "ntlm")]
pub use countersign_context::{MicPolicy, NtlmIdentity, NtlmPolicy, ntlm};
pub use countersign_credential as credential;
pub use countersign_handshake as handshake;

/// The README of the repository, so that its example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Repository;

/// The page of the guide on tickets, so that its example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/tickets.md")]
pub struct Tickets;

/// The pages of the guide on SSPI, so that their examples compile.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/sspi.md")]
#[doc = include_str!("../../../docs/guide/from-sspi.md")]
pub struct SspiGuide;

/// The page of the guide on GSS-API, so that its example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/gss.md")]
pub struct Gss;

/// The page of the guide on NTLM, so that its examples compile.
#[cfg(all(doctest, feature = "ntlm"))]
#[doc = include_str!("../../../docs/guide/ntlm.md")]
pub struct Ntlm;

/// The page of the guide on Negotiate, so that its example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/negotiate.md")]
pub struct Negotiate;
