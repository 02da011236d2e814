#![doc = include_str!("../README.md")]

/// All of the engine, where a name is not at the root.
pub use countersign_context as context;
pub use countersign_context::{
    Answer, ChannelBindingPolicy, ChannelBindings, EnctypeSet, Environment, Error, ErrorKind,
    Flags, Identity, IoBuffer, MajorStatus, Mechanism, Need, Order, PacPolicy, Policy, Protection,
    Receiver, ReplayQuery, ReplayVerdict, Role, SecurityContext, Sender, SspiStatus, Step,
    Timestamp, Unwrapped, crypto, kerberos, krb_error_name, token,
};
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

/// The page of the guide on Negotiate, so that its example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/negotiate.md")]
pub struct Negotiate;
