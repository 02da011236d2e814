//! Where one side of a mechanism stands: on its way, in a state of its own, or over.
//!
//! ```text
//!   On ── play ──▶ a turn ──┬── Next::On, Next::Within, Next::Unexpected ──▶ On
//!                           ├── Next::Established ─────────────────────────▶ Over
//!                           └── an error ──────────────────────────────────▶ Over
//!
//!   Over ── play ──▶ an error: the one that ended it, or that it is established
//! ```

use countersign_crypto::wiping_stack;

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

/// What a turn came to.
pub(crate) enum Next<S> {
    /// The state from now on, and what the caller does.
    On(S, Step),
    /// A mechanism within took the step, and is kept whatever that came to.
    Within(S, Result<Step, Error>),
    /// The call was the caller's mistake, not the peer's: the state stays as it is.
    Unexpected(S),
    /// The end, and the last token.
    Established(Option<Vec<u8>>, Box<SecurityContext>),
}

/// A mechanism that stands on a stage.
pub(crate) trait Staged<S> {
    fn stage(&mut self) -> &mut Stage<S>;

    /// A step: takes the turn that the state asks for, and goes where it leads. What the turn left on
    /// the stack is overwritten.
    fn play<E: Into<Error>>(
        &mut self,
        turn: impl FnOnce(&mut Self, S) -> Result<Next<S>, E>,
    ) -> Result<Step, Error> {
        wiping_stack(|| {
            let state = self.stage().take()?;
            let next = turn(self, state);
            self.stage().settle(next.map_err(E::into))
        })
    }
}

impl<S> Stage<S> {
    /// The state for a turn to begin with. Until it is settled, the stage is an interrupted one.
    fn take(&mut self) -> Result<S, Error> {
        match core::mem::replace(self, Self::Over(Outcome::Interrupted)) {
            Self::On(state) => Ok(state),
            Self::Over(outcome) => {
                let error = outcome.error();
                *self = Self::Over(outcome);
                Err(error)
            }
        }
    }

    fn settle(&mut self, next: Result<Next<S>, Error>) -> Result<Step, Error> {
        match next {
            Ok(Next::On(state, step)) => {
                *self = Self::On(state);
                Ok(step)
            }
            Ok(Next::Within(state, result)) => {
                *self = Self::On(state);
                result
            }
            Ok(Next::Unexpected(state)) => {
                *self = Self::On(state);
                Err(ErrorKind::UnexpectedCall.into())
            }
            Ok(Next::Established(token, context)) => {
                *self = Self::Over(Outcome::Established);
                Ok(Step::Established { token, context })
            }
            Err(error) => {
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
        let unexpected = stage.settle(Ok(Next::Unexpected(2))).unwrap_err();
        assert_eq!(unexpected.kind(), ErrorKind::UnexpectedCall);
        assert_eq!(stage.take(), Ok(2));
        let within = Err(ErrorKind::TokenMissing.into());
        let within = stage.settle(Ok(Next::Within(2, within))).unwrap_err();
        assert_eq!(within.kind(), ErrorKind::TokenMissing);
        assert_eq!(stage.take(), Ok(2));
        let failed = stage.settle(Err(ErrorKind::Replayed.into())).unwrap_err();
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
