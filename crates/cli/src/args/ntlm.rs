//! The options of NTLM.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What an NTLM server needs.
#[derive(Debug, Args)]
pub(crate) struct NtlmServer {
    /// Who may log on: a file with DOMAIN:user:password or user:hash on each line
    #[arg(long, value_name = "FILE")]
    pub(crate) ntlm_users: Option<PathBuf>,
    /// What to make of clients that send no MIC, such as curl
    #[arg(long, value_enum, value_name = "RULE", default_value_t = Mic::Required)]
    pub(crate) ntlm_mic: Mic,
    /// The server's name, NetBIOS or DNS, as clients are told it; the host's if absent
    #[arg(long, value_name = "COMPUTER")]
    pub(crate) ntlm_name: Option<String>,
    /// The server's domain as clients are told it; the server's own name if absent
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) ntlm_domain: Option<String>,
    /// Accept NTLMv1 too, whose responses give the password's hash away; needs --ntlm-mic
    /// if-present
    #[cfg(feature = "ntlm-v1")]
    #[arg(long)]
    pub(crate) ntlm_dangerous_v1: bool,
}

/// What an NTLM client needs.
#[derive(Debug, Args)]
pub(crate) struct NtlmClient {
    /// Who to be: DOMAIN\name (in quotes), name@domain, or name; the password is asked for, or
    /// comes with --password-stdin
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mic {
    /// They are refused
    Required,
    /// They are accepted: whoever is on the way can strip flags from their messages
    IfPresent,
}
