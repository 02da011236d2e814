#![doc = include_str!("../README.md")]

pub use countersign_context::{
    Answer, ChannelBindingPolicy, ChannelBindings, EnctypeSet, Environment, Error, ErrorKind,
    Flags, Identity, MajorStatus, Mechanism, Need, Policy, ReplayQuery, ReplayVerdict, Role,
    SecurityContext, SspiStatus, Step, Timestamp, crypto, kerberos, krb_error_name, token,
};
pub use countersign_credential as credential;
pub use countersign_handshake as handshake;

/// The README of the repository, so that its example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Repository;
