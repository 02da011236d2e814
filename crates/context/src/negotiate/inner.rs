//! The chosen mechanism.
//!
//! ```text
//!   Running ── established ──▶ Done ── list proved where it must be ──▶ the caller's context
//! ```

use countersign_token::spnego::{NegState, NegTokenResp};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, NegotiationProblem};
use crate::security_context::{SecurityContext, SessionKey};
use crate::step::{Answer, Mechanism, Need, Step};

/// The mechanism at work.
#[derive(Debug)]
pub(super) enum Inner {
    Running {
        mechanism: Box<dyn Mechanism>,
        /// The caller's answer is due.
        waiting: bool,
    },
    Done(Box<SecurityContext>),
}

/// What one of its steps came to.
pub(super) enum Turn {
    /// A token for the peer, if there is one.
    Token(Option<Vec<u8>>),
    Need(Need),
}

/// Why an answer of the caller's leads nowhere.
pub(super) enum Resumed<S> {
    /// Nothing asked for it: the context stays as it is.
    Unasked(Box<S>),
    Failed(Error),
}

/// What a message of the peer has besides the mechanism's token: kept as long as the caller is asked
/// for what the mechanism needs to go on.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) state: Option<NegState>,
    pub(super) mic: Option<Vec<u8>>,
    /// There is no token.
    pub(super) alone: bool,
}

impl Beside {
    pub(super) fn new(state: Option<NegState>, mic: Option<&[u8]>, token: Option<&[u8]>) -> Self {
        // Windows 2000 has the token over again in the MIC's place.
        let mic = mic.filter(|mic| token != Some(mic)).map(<[u8]>::to_vec);
        let alone = token.is_none();
        Self { state, mic, alone }
    }

    pub(super) fn of(response: &NegTokenResp<'_>) -> Self {
        let NegTokenResp {
            neg_state,
            response_token,
            mech_list_mic,
            ..
        } = *response;
        Self::new(neg_state, mech_list_mic, response_token)
    }
}

impl Inner {
    pub(super) fn begin(mechanism: Box<dyn Mechanism>) -> Self {
        Self::Running {
            mechanism,
            waiting: false,
        }
    }

    pub(super) fn step(
        &mut self,
        token: Option<&[u8]>,
        env: &mut Environment<'_>,
    ) -> Result<Turn, Error> {
        match self {
            Self::Running { waiting: true, .. } => Err(ErrorKind::UnexpectedCall.into()),
            Self::Running { mechanism, .. } => {
                let step = mechanism.step(token, env)?;
                Ok(self.take(step))
            }
            // It wants no more.
            Self::Done(_) => Err(NegotiationProblem::TokenAfterEnd.into()),
        }
    }

    pub(super) fn resume(
        &mut self,
        answer: Answer,
        env: &mut Environment<'_>,
    ) -> Result<Turn, Error> {
        match self {
            Self::Running {
                mechanism,
                waiting: true,
            } => {
                let step = mechanism.resume(answer, env)?;
                Ok(self.take(step))
            }
            _ => Err(ErrorKind::UnexpectedCall.into()),
        }
    }

    /// What was returned is the state from now on.
    fn take(&mut self, step: Step) -> Turn {
        if let Self::Running { waiting, .. } = self {
            *waiting = matches!(step, Step::Need(_));
        }
        match step {
            Step::Continue { token } => Turn::Token(Some(token)),
            Step::Need(need) => Turn::Need(need),
            Step::Established { token, context } => {
                *self = Self::Done(context);
                Turn::Token(token)
            }
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self, Self::Running { waiting: true, .. })
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    pub(super) fn session_key(&self) -> Option<SessionKey<'_>> {
        match self {
            Self::Running { mechanism, .. } => mechanism.session_key(),
            Self::Done(context) => Some(context.session_key()),
        }
    }
}
