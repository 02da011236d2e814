//! Everything that prints, in every scenario, is searched for every secret of it.
//!
//! A scenario writes the `Debug` output of all that it makes, at every stage, into a [`Ledger`](ledger::Ledger), with
//! every error and its sources, and tells it the secrets. The ledger then looks for each of them in every form
//! that the [scanner](scanner) knows. Tokens and messages of KDCs are no secrets; what they encrypt is.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

mod bans;
mod drivers;
mod faces;
mod files;
mod kdc;
mod kerberos;
mod ledger;
mod negotiate;
mod ntlm;
mod parties;
mod scanner;
