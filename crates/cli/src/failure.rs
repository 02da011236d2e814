//! Why a command ends without success, and what to do about it.

use core::fmt;
use std::io;
use std::process::ExitCode;

use countersign::EnctypeSet;
use countersign::context::NtlmProblem;
use countersign::crypto::Enctype;
use countersign::handshake::{self, kdc};
use serde_json::{Value, json};

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    exit_code: u8,
    message: String,
    reported: bool,
}

impl Failure {
    fn new(exit_code: u8, message: impl Into<String>) -> Self {
        Self {
            exit_code,
            message: message.into(),
            reported: false,
        }
    }

    /// The same, saying what it is about.
    pub(crate) fn about(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// The same, known to have been printed with the other events.
    pub(crate) fn already_reported(mut self) -> Self {
        self.reported = true;
        self
    }

    /// Whether it has been printed with the other events.
    pub(crate) fn is_reported(&self) -> bool {
        self.reported
    }

    /// The peer or its token was refused, or refused us.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(1, message)
    }

    /// The command line cannot be followed.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(2, message)
    }

    /// A file or the network failed.
    pub(crate) fn system(message: impl Into<String>) -> Self {
        Self::new(3, message)
    }

    /// The event that tells machines.
    pub(crate) fn to_event(&self) -> Value {
        json!({ "event": "error", "error": self.message })
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit_code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// An address that cannot be used: `verb` is what was tried.
pub(crate) fn address_failed(verb: &str, address: &str, error: &io::Error) -> Failure {
    let advice = match error.kind() {
        io::ErrorKind::InvalidInput => "; write HOST:PORT",
        io::ErrorKind::ConnectionRefused => "; nothing listens there",
        io::ErrorKind::AddrInUse => "; another program listens there",
        _ => "",
    };
    let address = if address.is_empty() { "\"\"" } else { address };
    Failure::system(format!("cannot {verb} {address}: {error}{advice}"))
}

/// What this program's switches can do about it.
fn advice(error: &countersign::Error) -> String {
    match error.kind() {
        countersign::ErrorKind::EnctypeRefused { enctype } => Enctype::from_id(enctype)
            .map(|enctype| {
                // The AES ones are permitted unless only others were named.
                let switch = match EnctypeSet::AES.contains(enctype) {
                    true => "--only-enctype",
                    false => "--allow-enctype",
                };
                format!(" (here: {switch} {})", enctype.name())
            })
            .unwrap_or_default(),
        countersign::ErrorKind::Ntlm(NtlmProblem::MicMissing) => {
            " (here: --ntlm-mic if-present)".to_owned()
        }
        _ => String::new(),
    }
}

/// Where it was not the engine that refused, the connection is what failed.
impl From<handshake::Error> for Failure {
    fn from(error: handshake::Error) -> Self {
        match error.kind() {
            handshake::ErrorKind::Io(kind) if !peer_went(*kind) => Self::system(error.to_string()),
            _ => {
                let advice = error.refusal().map(advice).unwrap_or_default();
                Self::refused(format!("{error}{advice}"))
            }
        }
    }
}

/// A KDC that refuses is one thing, one that cannot be reached another.
impl From<kdc::Error> for Failure {
    fn from(error: kdc::Error) -> Self {
        match error {
            kdc::Error::Refused(refusal) => refusal.into(),
            unreached => Self::system(unreached.to_string()),
        }
    }
}

impl From<countersign::Error> for Failure {
    fn from(error: countersign::Error) -> Self {
        Self::refused(format!("{error}{}", advice(&error)))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match handshake::Error::from_io(&error) {
            Some(inner) => Self::refused(inner.to_string()),
            None if peer_went(error.kind()) => {
                Self::refused("the peer broke the connection off; look into its log")
            }
            None if matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
            ) =>
            {
                Self::refused("the peer has been silent for too long; see --timeout")
            }
            None => Self::system(format!("the connection failed: {error}")),
        }
    }
}

/// Whether the peer is gone: its decision, not the network's.
fn peer_went(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    )
}
