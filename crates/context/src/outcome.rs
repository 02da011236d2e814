//! How a context ended, told again to whoever asks again.

use crate::error::{Error, ErrorKind};

#[derive(Debug)]
pub(crate) enum Outcome {
    Established,
    Failed(Error),
    /// Only while a step runs; never seen unless a step was interrupted by a panic of the caller's
    /// random source.
    Interrupted,
}

impl Outcome {
    pub(crate) fn error(&self) -> Error {
        match self {
            Self::Established => ErrorKind::AlreadyEstablished.into(),
            Self::Failed(error) => error.clone(),
            Self::Interrupted => ErrorKind::Internal("a step was interrupted").into(),
        }
    }
}
