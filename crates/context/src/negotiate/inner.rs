//! The chosen mechanism, and the proof that both sides saw the same list.
//!
//! ```text
//!   Running ── established ──▶ Done ── list proved where it must be ──▶ the caller's context
//! ```

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, NegotiationProblem};
use crate::flags::Flags;
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
    /// A token for the peer, and whether that was the last.
    Token(Option<Vec<u8>>),
    Need(Need),
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

    pub(super) fn session_key(&self) -> Option<SessionKey<'_>> {
        match self {
            Self::Running { mechanism, .. } => mechanism.session_key(),
            Self::Done(context) => Some(context.session_key()),
        }
    }
}

/// The two MICs over the list (RFC 4178 §5).
#[derive(Debug)]
pub(super) struct Proof {
    /// The MechTypeList as it was sent, byte for byte: tag 0x30, without the field around it.
    list: Vec<u8>,
    /// The context is not the initiator's first choice, or somebody asked: it does not go without.
    pub(super) required: bool,
    pub(super) sent: bool,
    pub(super) verified: bool,
}

impl Proof {
    pub(super) fn of(list: Vec<u8>) -> Self {
        Self {
            list,
            required: false,
            sent: false,
            verified: false,
        }
    }

    /// Whether nothing is missing.
    pub(super) fn is_complete(&self) -> bool {
        !self.required || (self.sent && self.verified)
    }

    /// Ours, once.
    pub(super) fn make(&mut self, context: &mut SecurityContext) -> Result<Vec<u8>, Error> {
        if !context.flags().contains(Flags::INTEGRITY) {
            return Err(NegotiationProblem::Unprotected.into());
        }
        self.sent = true;
        context.negotiation_mic(&self.list)
    }

    /// The peer's. Where the context protects nothing there is no MIC (RFC 4178 §5): what pyspnego and
    /// others send all the same proves nothing and is needed for nothing.
    pub(super) fn verify(
        &mut self,
        context: &mut SecurityContext,
        mic: &[u8],
    ) -> Result<(), Error> {
        if !self.required && !context.flags().contains(Flags::INTEGRITY) {
            return Ok(());
        }
        if self.verified {
            return Err(NegotiationProblem::MicRepeated.into());
        }
        context
            .verify_negotiation_mic(&self.list, mic)
            .map_err(|_| NegotiationProblem::MicMismatch)?;
        self.verified = true;
        Ok(())
    }
}

/// The peer's MIC, if there is one: what Windows 2000 sends in its place is the token over again.
pub(super) fn peers_mic<'a>(mic: Option<&'a [u8]>, token: Option<&[u8]>) -> Option<&'a [u8]> {
    mic.filter(|mic| token != Some(mic))
}
