//! The initiator.
//!
//! ```text
//!   Start ──▶ Opening: the next candidate makes its first token
//!               │   ▲ it cannot: the next candidate, where falling back is permitted
//!               │   └─┐
//!               ▼     │
//!           NegTokenInit sent ──▶ Negotiating ◀─┐
//!                                   │           │ NegTokenResp: the first chooses, the rest carry
//!                                   │           │ the mechanism's tokens
//!                                   ├───────────┘
//!                                   ▼
//!     accept-completed, the mechanism is done, the list proved where it must be ──▶ Over
//!
//!   any state ── Need of the mechanism ──▶ the same state, after `resume`
//!   any state ── error ──▶ Over, which repeats the error
//! ```

mod negotiating;

use countersign_token::oid::Oid;
use countersign_token::spnego::{MechTypes, NegTokenInit};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, NegotiationProblem};
use crate::security_context::SessionKey;
use crate::stage::{Next, Stage, Staged};
use crate::step::{Answer, Mechanism, Step};

use super::candidates::{Candidates, identifiers, list};
use super::inner::{Inner, Resumed, Turn};
use negotiating::Negotiating;

/// What an initiator does when a mechanism cannot even begin: no ticket can be had, no KDC answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Fallback {
    /// The next one that was offered takes its place; [`Negotiated::fallbacks`](super::Negotiated::fallbacks) tells why. Errors of
    /// KDCs are not authenticated: whoever can make them up or block a KDC chooses the fallback.
    #[default]
    WhenUnavailable,
    /// The error is the caller's: the first mechanism is required, unless the acceptor chooses
    /// another of the list, which the MIC over the list then proves.
    Never,
}

/// The initiator of a context whose mechanism is negotiated.
///
/// ```
/// use countersign_context::kerberos::Initiator as Kerberos;
/// use countersign_context::negotiate::Initiator;
/// # fn offer(kerberos: Kerberos) -> Initiator {
///
/// Initiator::new().offer(kerberos)
/// # }
/// ```
///
/// Each mechanism is asked for integrity too, as the MIC over the list needs it.
#[derive(Debug)]
pub struct Initiator {
    state: Stage<State>,
    fallback: Fallback,
}

#[derive(Debug)]
enum State {
    Start(Candidates),
    Opening(Box<Opening>),
    Negotiating(Box<Negotiating>),
}

impl State {
    /// Whether the caller's answer is due.
    fn is_waiting(&self) -> bool {
        match self {
            Self::Opening(opening) => opening.inner.is_waiting(),
            Self::Negotiating(negotiating) => negotiating.inner.is_waiting(),
            Self::Start(_) => false,
        }
    }
}

/// Nothing has been sent.
#[derive(Debug)]
struct Opening {
    inner: Inner,
    /// What it is offered as.
    names: Vec<Oid<'static>>,
    rest: Candidates,
    fallbacks: Vec<Error>,
}

impl Default for Initiator {
    fn default() -> Self {
        Self::new()
    }
}

impl Initiator {
    /// An initiator that offers nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Stage::On(State::Start(Candidates::default())),
            fallback: Fallback::default(),
        }
    }

    /// Offers a mechanism, after those that were offered before.
    #[must_use]
    pub fn offer(self, mechanism: impl Mechanism) -> Self {
        self.offer_boxed(Box::new(mechanism))
    }

    /// As [`offer`](Self::offer), for a mechanism that is chosen at run time.
    #[must_use]
    pub fn offer_boxed(mut self, mut mechanism: Box<dyn Mechanism>) -> Self {
        mechanism.ask_integrity();
        if let Stage::On(State::Start(candidates)) = &mut self.state {
            candidates.push(mechanism);
        }
        self
    }

    /// What is done when a mechanism cannot begin.
    #[must_use]
    pub fn fallback(mut self, fallback: Fallback) -> Self {
        self.fallback = fallback;
        self
    }

    /// The next candidate's first token.
    fn open(
        &self,
        mut rest: Candidates,
        mut fallbacks: Vec<Error>,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        let Some(mechanism) = rest.first() else {
            // The first is what the caller wanted most.
            let first = fallbacks.into_iter().next();
            return Err(first.unwrap_or(NegotiationProblem::NothingOffered.into()));
        };
        let names = identifiers(mechanism.as_ref()).collect();
        let mut inner = Inner::begin(mechanism);
        match inner.step(None, env) {
            Ok(turn) => {
                let opening = Opening {
                    inner,
                    names,
                    rest,
                    fallbacks,
                };
                Self::opened(opening, turn)
            }
            Err(error) if self.falls_back(&error) => {
                fallbacks.push(error);
                self.open(rest, fallbacks, env)
            }
            Err(error) => Err(error),
        }
    }

    fn falls_back(&self, error: &Error) -> bool {
        let own = matches!(error.kind(), ErrorKind::Random | ErrorKind::Internal(_));
        self.fallback == Fallback::WhenUnavailable && !own
    }

    /// RFC 4178 §3.2: the list, and the first token of what stands first in it.
    fn opened(opening: Opening, turn: Turn) -> Result<Next<State>, Error> {
        let token = match turn {
            Turn::Need(need) => {
                let state = State::Opening(Box::new(opening));
                return Ok(Next::On(state, Step::Need(need)));
            }
            Turn::Token(token) => token,
        };
        let Opening {
            inner,
            names,
            rest,
            fallbacks,
        } = opening;
        let offered = list(names.iter().copied().chain(rest.each().flatten()));
        let list = MechTypes::encode(&offered);
        let mech_types =
            MechTypes::parse(&list).map_err(|_| ErrorKind::Internal("list of mechanisms"))?;
        let init = NegTokenInit {
            mech_token: token.as_deref(),
            ..NegTokenInit::new(mech_types)
        };
        let token = init.to_bytes();
        let negotiating = Negotiating::new(inner, names, rest, list, fallbacks);
        let state = State::Negotiating(Box::new(negotiating));
        Ok(Next::On(state, Step::Continue { token }))
    }
}

impl Staged<State> for Initiator {
    fn stage(&mut self) -> &mut Stage<State> {
        &mut self.state
    }
}

impl Mechanism for Initiator {
    fn mechanism(&self) -> Oid<'static> {
        Oid::SPNEGO
    }

    fn session_key(&self) -> Option<SessionKey<'_>> {
        match &self.state {
            Stage::On(State::Negotiating(negotiating)) => negotiating.inner.session_key(),
            _ => None,
        }
    }

    fn step(&mut self, token: Option<&[u8]>, env: &mut Environment<'_>) -> Result<Step, Error> {
        let limit = env.policy.max_token();
        self.play(|this, state| match (state, token) {
            (state, _) if state.is_waiting() => Ok(Next::Unexpected(state)),
            (_, Some(token)) if token.len() > limit => {
                let length = token.len();
                Err(ErrorKind::TokenTooLarge { length, limit }.into())
            }
            (State::Start(candidates), None) => this.open(candidates, Vec::new(), env),
            // MS-SPNG §3.2.5.2: an acceptor that speaks first hints at what it can do. Nothing
            // protects the hint, so nothing follows from it.
            (State::Start(candidates), Some(hint)) => match NegTokenInit::parse(hint) {
                Ok(_) => this.open(candidates, Vec::new(), env),
                Err(error) => Err(ErrorKind::DefectiveToken(error).into()),
            },
            (State::Negotiating(negotiating), Some(token)) => negotiating.receive(token, env),
            (State::Opening(_) | State::Negotiating(_), _) => Err(ErrorKind::TokenMissing.into()),
        })
    }

    fn resume(&mut self, answer: Answer, env: &mut Environment<'_>) -> Result<Step, Error> {
        self.play(|this, state| match state {
            State::Opening(mut opening) => match opening.inner.resume(answer, env) {
                Ok(turn) => Self::opened(*opening, turn),
                Err(error) if error.kind() == ErrorKind::UnexpectedCall => {
                    Ok(Next::Unexpected(State::Opening(opening)))
                }
                Err(error) if this.falls_back(&error) => {
                    let Opening {
                        rest,
                        mut fallbacks,
                        ..
                    } = *opening;
                    fallbacks.push(error);
                    this.open(rest, fallbacks, env)
                }
                Err(error) => Err(error),
            },
            State::Negotiating(negotiating) => match negotiating.resume(answer, env) {
                Ok(next) => Ok(next),
                Err(Resumed::Unasked(negotiating)) => {
                    Ok(Next::Unexpected(State::Negotiating(negotiating)))
                }
                Err(Resumed::Failed(error)) => Err(error),
            },
            state @ State::Start(_) => Ok(Next::Unexpected(state)),
        })
    }
}
