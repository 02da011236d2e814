//! Kerberos.

mod client;
mod server;
mod source;

pub(super) use client::Client;
pub(super) use server::Server;
