//! How an exchange ended, told again to whoever steps again.

use crate::error::{Error, ErrorKind};

#[derive(Debug)]
pub(super) enum Ended {
    Done,
    Failed(Error),
    /// Only while a step runs; never seen unless a step was interrupted by a panic of the caller's
    /// random source.
    Interrupted,
}

impl Ended {
    pub(super) fn error(&self) -> Error {
        match self {
            Self::Done => ErrorKind::UnexpectedCall.into(),
            Self::Failed(error) => error.clone(),
            Self::Interrupted => ErrorKind::Internal("a step was interrupted").into(),
        }
    }
}
