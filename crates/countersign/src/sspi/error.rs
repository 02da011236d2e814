//! Why a function did not succeed.

use core::fmt;

use countersign_context::{Error, ErrorKind};

/// `SECURITY_STATUS`: the numbers and names of `winerror.h`.
pub use countersign_context::SspiStatus as SecurityStatus;

/// A status that is an error, and what happened behind it.
///
/// The status is what a program that was written for Windows compares. The cause, where the engine
/// found one, tells a person what to do, and may hold the token that tells the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SspiError {
    status: SecurityStatus,
    cause: Option<Error>,
}

impl SspiError {
    /// The status, as `sspi.h` has it.
    #[must_use]
    pub fn status(&self) -> SecurityStatus {
        self.status
    }

    /// What the engine says; `None` where the caller's parameters are at fault.
    #[must_use]
    pub fn cause(&self) -> Option<&Error> {
        self.cause.as_ref()
    }

    /// With [`SEC_E_BUFFER_TOO_SMALL`](SecurityStatus::SEC_E_BUFFER_TOO_SMALL): how many bytes the
    /// buffer must have.
    #[must_use]
    pub fn needed(&self) -> Option<usize> {
        match self.cause.as_ref()?.kind() {
            ErrorKind::BufferTooSmall { needed } => Some(needed),
            _ => None,
        }
    }
}

impl From<SecurityStatus> for SspiError {
    fn from(status: SecurityStatus) -> Self {
        Self {
            status,
            cause: None,
        }
    }
}

impl From<Error> for SspiError {
    fn from(cause: Error) -> Self {
        Self {
            status: cause.status(),
            cause: Some(cause),
        }
    }
}

impl From<ErrorKind> for SspiError {
    fn from(kind: ErrorKind) -> Self {
        Error::from(kind).into()
    }
}

impl fmt::Display for SspiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.status)?;
        match (&self.cause, self.status.meaning()) {
            (Some(cause), _) => write!(f, ": {cause}"),
            (None, Some(meaning)) => write!(f, ": {meaning}"),
            (None, None) => Ok(()),
        }
    }
}

impl core::error::Error for SspiError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.cause
            .as_ref()
            .map(|cause| cause as &(dyn core::error::Error + 'static))
    }
}
