//! Negotiate over Kerberos and NTLM, in memory.

mod handshakes;
