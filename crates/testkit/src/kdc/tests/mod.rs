//! The KDC against a client that is written here, on the same codec; the engine's own tests cross two.

mod authorization;
mod client;
mod fast;
mod initial;
mod password;
mod path;
mod s4u;
mod serving;
mod ticket_granting;
