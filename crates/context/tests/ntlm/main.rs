//! NTLM: both sides against each other and against hostile peers.

mod handshakes;
mod support;
