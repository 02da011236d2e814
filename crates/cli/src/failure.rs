//! Why a command ends without success, and what to do about it.

use core::fmt;
use std::io;
use std::process::ExitCode;

use countersign::handshake;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    exit_code: u8,
    message: String,
}

impl Failure {
    /// The peer or its token was refused, or refused us.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self {
            exit_code: 1,
            message: message.into(),
        }
    }

    /// The command line cannot be followed.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            exit_code: 2,
            message: message.into(),
        }
    }

    /// A file or the network failed.
    pub(crate) fn system(message: impl Into<String>) -> Self {
        Self {
            exit_code: 3,
            message: message.into(),
        }
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

/// Where it was not the engine that refused, the connection is what failed.
impl From<handshake::Error> for Failure {
    fn from(error: handshake::Error) -> Self {
        match error.kind() {
            handshake::ErrorKind::Io(_) => Self::system(error.to_string()),
            _ => Self::refused(error.to_string()),
        }
    }
}

impl From<countersign::Error> for Failure {
    fn from(error: countersign::Error) -> Self {
        Self::refused(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match handshake::Error::from_io(&error) {
            Some(inner) => Self::refused(inner.to_string()),
            None => Self::system(format!("the connection failed: {error}")),
        }
    }
}
