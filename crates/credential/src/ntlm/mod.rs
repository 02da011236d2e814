//! NTLM: names of accounts, what an initiator authenticates with, and the users that an acceptor knows.

mod account;
mod credential;
#[cfg(test)]
mod hygiene;
mod users;

pub use account::AccountName;
pub use credential::NtlmCredential;
pub use users::{Users, UsersError, UsersErrorKind};
