//! Where one side of a mechanism stands: on its way, in a state of its own, or over.
//!
//! ```text
//!   On ── take ──▶ a step runs ── settle ──┬── Next::On ────────────▶ On, the next state
//!    ▲                  │                  ├── Next::Established ───▶ Over
//!    └────── keep ──────┘                  └── an error ────────────▶ Over
//!
//!   Over ── take ──▶ an error: the one that ended it, or that it is established
//! ```

use crate::error::{Error, ErrorKind};
use crate::security_context::SecurityContext;
use crate::step::Step;

#[derive(Debug)]
pub(crate) enum Stage<S> {
    On(S),
    Over(Outcome),
}

/// How it ended, told again to whoever asks again.
#[derive(Debug)]
pub(crate) enum Outcome {
    Established,
    Failed(Error),
    /// Only while a step runs; never seen unless a step was interrupted by a panic of what the caller
    /// brought along.
    Interrupted,
}

/// What a step came to.
pub(crate) enum Next<S> {
    /// The state from now on, and what the caller does.
    On(S, Step),
    /// The end, and the last token.
    Established(Option<Vec<u8>>, Box<SecurityContext>),
}

impl<S> Stage<S> {
    /// The state for a step to begin with. Until it is settled or kept, the stage is an interrupted
    /// one.
    pub(crate) fn take(&mut self) -> Result<S, Error> {
        match core::mem::replace(self, Self::Over(Outcome::Interrupted)) {
            Self::On(state) => Ok(state),
            Self::Over(outcome) => {
                let error = outcome.error();
                *self = Self::Over(outcome);
                Err(error)
            }
        }
    }

    /// The call was the caller's mistake, not the peer's: the state stays as it is.
    pub(crate) fn keep(&mut self, state: S) -> Result<Step, Error> {
        *self = Self::On(state);
        Err(ErrorKind::UnexpectedCall.into())
    }

    pub(crate) fn settle(
        &mut self,
        result: Result<Next<S>, impl Into<Error>>,
    ) -> Result<Step, Error> {
        match result {
            Ok(Next::On(state, step)) => {
                *self = Self::On(state);
                Ok(step)
            }
            Ok(Next::Established(token, context)) => {
                *self = Self::Over(Outcome::Established);
                Ok(Step::Established { token, context })
            }
            Err(error) => {
                let error = error.into();
                *self = Self::Over(Outcome::Failed(error.clone()));
                Err(error)
            }
        }
    }
}

impl Outcome {
    fn error(&self) -> Error {
        match self {
            Self::Established => ErrorKind::AlreadyEstablished.into(),
            Self::Failed(error) => error.clone(),
            Self::Interrupted => ErrorKind::Internal("a step was interrupted").into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(state: u8) -> Result<Next<u8>, Error> {
        let token = Vec::new();
        Ok(Next::On(state, Step::Continue { token }))
    }

    #[test]
    fn a_stage_goes_on_until_an_error_which_it_repeats() {
        let mut stage = Stage::On(1);
        assert_eq!(stage.take(), Ok(1));
        assert!(stage.settle(on(2)).is_ok());
        assert_eq!(stage.take(), Ok(2));
        assert_eq!(stage.keep(2).unwrap_err().kind(), ErrorKind::UnexpectedCall);
        assert_eq!(stage.take(), Ok(2));
        let failed = stage.settle(Err(ErrorKind::Replayed)).unwrap_err();
        for _ in 0..2 {
            assert_eq!(stage.take(), Err(failed.clone()));
        }
    }

    #[test]
    fn an_interrupted_step_leaves_nothing_to_go_on_with() {
        let mut stage = Stage::On(1);
        assert_eq!(stage.take(), Ok(1));
        for _ in 0..2 {
            let kind = stage.take().unwrap_err().kind();
            assert_eq!(kind, ErrorKind::Internal("a step was interrupted"));
        }
    }
}
