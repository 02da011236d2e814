#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod cache;
mod error;
#[cfg(test)]
mod error_texts;
pub mod kcm;
mod key_block;
pub mod keytab;
pub mod krb5_conf;
pub mod limits;
#[cfg(feature = "ntlm")]
pub mod ntlm;
mod password;
mod principal;
mod service_name;
mod ticket;
mod wire;

pub use cache::CredentialCache;
pub use error::{Absent, Error, FormatProblem, NameProblem};
pub use key_block::KeyBlock;
pub use keytab::{Keytab, KeytabEntry};
pub use krb5_conf::Krb5Conf;
pub use password::Password;
pub use principal::{NameType, Principal};
pub use service_name::ServiceName;
pub use ticket::{AuthorizationElement, HostAddress, TicketCredential, TicketTimes};
pub use wire::ByteOrder;
