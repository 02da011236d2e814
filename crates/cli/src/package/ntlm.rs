//! NTLM.

mod client;
mod names;
mod server;

pub(super) use client::Client;
pub(super) use server::Server;
