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

use countersign_token::oid::Oid;
use countersign_token::spnego::{MechTypes, NegState, NegTokenInit, NegTokenResp, Negotiation};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, NegotiationProblem};
use crate::outcome::Outcome;
use crate::security_context::{SecurityContext, SessionKey};
use crate::step::{Answer, Mechanism, Step};

use super::Negotiated;
use super::candidates::{Candidates, identifiers, same};
use super::inner::{Inner, Proof, Turn, peers_mic};

/// What an initiator does when a mechanism cannot even begin: no ticket can be had, no KDC answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Fallback {
    /// The next one that was offered takes its place; [`Negotiated::fallbacks`] tells why. Errors of
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
    state: State,
    fallback: Fallback,
}

#[derive(Debug)]
enum State {
    Start(Candidates),
    Opening(Box<Opening>),
    Negotiating(Box<Negotiating>),
    /// Over, one way or the other.
    Over(Outcome),
}

/// Nothing has been sent.
#[derive(Debug)]
struct Opening {
    inner: Inner,
    mechanism: Oid<'static>,
    rest: Candidates,
    fallbacks: Vec<Error>,
}

#[derive(Debug)]
struct Negotiating {
    inner: Inner,
    /// What is at work.
    mechanism: Oid<'static>,
    rest: Candidates,
    offered: Vec<Oid<'static>>,
    proof: Proof,
    /// The acceptor has answered.
    answered: bool,
    /// The acceptor says that it is done.
    accepted: bool,
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
            state: State::Start(Candidates::default()),
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
        if let State::Start(candidates) = &mut self.state {
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
    ) -> Result<(State, Step), Error> {
        let Some(mechanism) = rest.first() else {
            // The first is what the caller wanted most.
            let first = fallbacks.into_iter().next();
            return Err(first.unwrap_or(NegotiationProblem::NothingOffered.into()));
        };
        let oid = mechanism.mechanism();
        let mut inner = Inner::begin(mechanism);
        match inner.step(None, env) {
            Ok(turn) => {
                let opening = Opening {
                    inner,
                    mechanism: oid,
                    rest,
                    fallbacks,
                };
                Self::opened(opening, turn)
            }
            Err(error) if self.falls_back(&error, &rest) => {
                fallbacks.push(error);
                self.open(rest, fallbacks, env)
            }
            Err(error) => Err(error),
        }
    }

    fn falls_back(&self, error: &Error, rest: &Candidates) -> bool {
        let own = matches!(error.kind(), ErrorKind::Random | ErrorKind::Internal(_));
        self.fallback == Fallback::WhenUnavailable && !rest.is_empty() && !own
    }

    /// RFC 4178 §3.2: the list, and the first token of what stands first in it.
    fn opened(opening: Opening, turn: Turn) -> Result<(State, Step), Error> {
        let token = match turn {
            Turn::Need(need) => {
                return Ok((State::Opening(Box::new(opening)), Step::Need(need)));
            }
            Turn::Token(token) => token,
        };
        let Opening {
            inner,
            mechanism,
            rest,
            fallbacks,
        } = opening;
        let offered: Vec<Oid<'static>> = identifiers(mechanism).chain(rest.identifiers()).collect();
        let list = MechTypes::encode(&offered);
        let mech_types =
            MechTypes::parse(&list).map_err(|_| ErrorKind::Internal("list of mechanisms"))?;
        let init = NegTokenInit {
            mech_token: token.as_deref(),
            ..NegTokenInit::new(mech_types)
        };
        let token = init.to_bytes();
        let negotiating = Negotiating {
            inner,
            mechanism,
            rest,
            offered,
            proof: Proof::of(list),
            answered: false,
            accepted: false,
            fallbacks,
        };
        Ok((
            State::Negotiating(Box::new(negotiating)),
            Step::Continue { token },
        ))
    }
}

impl Negotiating {
    /// Takes a token of the acceptor.
    fn receive(
        mut self: Box<Self>,
        token: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<(State, Step), Error> {
        let limit = env.policy.max_token();
        if token.len() > limit {
            let length = token.len();
            return Err(ErrorKind::TokenTooLarge { length, limit }.into());
        }
        let response = match Negotiation::parse(token).map_err(ErrorKind::DefectiveToken)? {
            Negotiation::Resp(response) => response,
            Negotiation::Init(_) => return Err(NegotiationProblem::UnexpectedState.into()),
        };
        let first = !core::mem::replace(&mut self.answered, true);
        let state = response.neg_state;
        if state == Some(NegState::Reject) {
            return Err(self.rejected(&response, env));
        }
        if state == Some(NegState::RequestMic) {
            // RFC 4178 §4.2.2: in the first reply alone.
            if !first {
                return Err(NegotiationProblem::UnexpectedState.into());
            }
            self.proof.required = true;
        }
        if self.accepted {
            return Err(NegotiationProblem::TokenAfterEnd.into());
        }
        self.accepted = state == Some(NegState::AcceptCompleted);
        let reselected = self.choose(&response, first)?;
        let turn = match (reselected, response.response_token) {
            // RFC 4178 §3.2: nothing that the first mechanism said counts any more.
            (true, None) => self
                .inner
                .step(None, env)
                .map_err(|error| self.told(error))?,
            (true, Some(_)) => return Err(NegotiationProblem::UnexpectedState.into()),
            (false, Some(token)) => match self.inner.step(Some(token), env) {
                Ok(turn) => turn,
                Err(error) => return Err(self.told(error)),
            },
            (false, None) => Turn::Token(None),
        };
        if let Turn::Token(_) = &turn {
            if let Some(mic) = peers_mic(response.mech_list_mic, response.response_token) {
                self.take_mic(mic)?;
            }
        } else if response.mech_list_mic.is_some() {
            // The mechanism has not even begun to agree on a key.
            return Err(NegotiationProblem::UnexpectedState.into());
        }
        self.turned(turn)
    }

    /// Whether another mechanism than the one at work was chosen. It is at work then.
    fn choose(&mut self, response: &NegTokenResp<'_>, first: bool) -> Result<bool, Error> {
        let Some(supported) = response.supported_mech else {
            // RFC 4178 §4.2.2 demands it in the first reply; Java leaves it out.
            return Ok(false);
        };
        if same(supported, self.mechanism) {
            return Ok(false);
        }
        let offered = self.offered.contains(&supported);
        if !first || !offered {
            return Err(NegotiationProblem::NotOffered.into());
        }
        let mechanism = self
            .rest
            .take(supported)
            .ok_or(NegotiationProblem::NotOffered)?;
        self.mechanism = mechanism.mechanism();
        self.inner = Inner::begin(mechanism);
        self.proof.required = true;
        Ok(true)
    }

    fn take_mic(&mut self, mic: &[u8]) -> Result<(), Error> {
        match &mut self.inner {
            Inner::Done(context) => self.proof.verify(context, mic),
            Inner::Running { .. } => Err(NegotiationProblem::UnexpectedState.into()),
        }
    }

    /// What the mechanism's own token says of the refusal, else that there is one.
    fn rejected(&mut self, response: &NegTokenResp<'_>, env: &mut Environment<'_>) -> Error {
        let refused = NegotiationProblem::Rejected.into();
        match response.response_token {
            Some(token) => match self.inner.step(Some(token), env) {
                // A reject that carries acceptance is none of the two.
                Ok(_) => refused,
                Err(error) => Error::new(error.kind()),
            },
            None => refused,
        }
    }

    /// An error of the mechanism, with what tells the acceptor.
    fn told(&self, error: Error) -> Error {
        let response = NegTokenResp {
            neg_state: Some(NegState::Reject),
            response_token: error.token(),
            ..NegTokenResp::default()
        };
        Error::with_token(error.kind(), response.to_bytes())
    }

    /// The mechanism has turned: sends what there is to send, or is done.
    fn turned(mut self: Box<Self>, turn: Turn) -> Result<(State, Step), Error> {
        let token = match turn {
            Turn::Need(need) => return Ok((State::Negotiating(self), Step::Need(need))),
            Turn::Token(token) => token,
        };
        let mut mic = None;
        if let Inner::Done(context) = &mut self.inner {
            // An acceptor that is not done although the mechanism is waits for the MIC. With NTLM,
            // Windows wants one even for the first choice.
            let awaited = self.answered && (token.is_none() || context.demands_negotiation_mic());
            let due = self.proof.required || awaited;
            if due && !self.proof.sent && !self.accepted {
                mic = Some(self.proof.make(context)?);
            }
        }
        if token.is_some() || mic.is_some() {
            if self.accepted {
                // It will take no more.
                return Err(NegotiationProblem::TokenAfterEnd.into());
            }
            let response = NegTokenResp {
                neg_state: Some(NegState::AcceptIncomplete),
                response_token: token.as_deref(),
                mech_list_mic: mic.as_deref(),
                ..NegTokenResp::default()
            };
            let token = response.to_bytes();
            return Ok((State::Negotiating(self), Step::Continue { token }));
        }
        self.finish()
    }

    /// There is nothing left to say.
    fn finish(self) -> Result<(State, Step), Error> {
        let Self {
            inner,
            proof,
            accepted,
            fallbacks,
            ..
        } = self;
        let Inner::Done(mut context) = inner else {
            // The acceptor has nothing to say, and the mechanism is not done.
            return Err(NegotiationProblem::UnexpectedState.into());
        };
        if !accepted {
            return Err(NegotiationProblem::UnexpectedState.into());
        }
        if !proof.is_complete() {
            return Err(NegotiationProblem::MicMissing.into());
        }
        context.set_negotiated(Negotiated {
            proved: proof.verified,
            fallbacks,
        });
        Ok(established(context))
    }
}

fn established(context: Box<SecurityContext>) -> (State, Step) {
    let step = Step::Established {
        token: None,
        context,
    };
    (State::Over(Outcome::Established), step)
}

impl Mechanism for Initiator {
    fn mechanism(&self) -> Oid<'static> {
        Oid::SPNEGO
    }

    fn session_key(&self) -> Option<SessionKey<'_>> {
        match &self.state {
            State::Negotiating(negotiating) => negotiating.inner.session_key(),
            _ => None,
        }
    }

    fn step(&mut self, token: Option<&[u8]>, env: &mut Environment<'_>) -> Result<Step, Error> {
        let placeholder = State::Over(Outcome::Interrupted);
        let result = match (core::mem::replace(&mut self.state, placeholder), token) {
            (State::Over(outcome), _) => {
                let error = outcome.error();
                self.state = State::Over(outcome);
                return Err(error);
            }
            (state @ State::Opening(_), _) => {
                // The caller's mistake, not the peer's: the context stays as it is.
                self.state = state;
                return Err(ErrorKind::UnexpectedCall.into());
            }
            (State::Start(candidates), None) => self.open(candidates, Vec::new(), env),
            // MS-SPNG §3.2.5.2: an acceptor that speaks first hints at what it can do. Nothing
            // protects the hint, so nothing follows from it.
            (State::Start(candidates), Some(hint)) => match NegTokenInit::parse(hint) {
                Ok(_) => self.open(candidates, Vec::new(), env),
                Err(error) => Err(ErrorKind::DefectiveToken(error).into()),
            },
            (State::Negotiating(negotiating), Some(_)) if negotiating.inner.is_waiting() => {
                self.state = State::Negotiating(negotiating);
                return Err(ErrorKind::UnexpectedCall.into());
            }
            (State::Negotiating(_), None) => Err(ErrorKind::TokenMissing.into()),
            (State::Negotiating(negotiating), Some(token)) => negotiating.receive(token, env),
        };
        self.settle(result)
    }

    fn resume(&mut self, answer: Answer, env: &mut Environment<'_>) -> Result<Step, Error> {
        let placeholder = State::Over(Outcome::Interrupted);
        let result = match core::mem::replace(&mut self.state, placeholder) {
            State::Opening(mut opening) => match opening.inner.resume(answer, env) {
                Ok(turn) => Self::opened(*opening, turn),
                Err(error) if error.kind() == ErrorKind::UnexpectedCall => {
                    self.state = State::Opening(opening);
                    return Err(error);
                }
                Err(error) if self.falls_back(&error, &opening.rest) => {
                    let Opening {
                        rest,
                        mut fallbacks,
                        ..
                    } = *opening;
                    fallbacks.push(error);
                    self.open(rest, fallbacks, env)
                }
                Err(error) => Err(error),
            },
            State::Negotiating(mut negotiating) => match negotiating.inner.resume(answer, env) {
                Ok(turn) => negotiating.turned(turn),
                Err(error) if error.kind() == ErrorKind::UnexpectedCall => {
                    self.state = State::Negotiating(negotiating);
                    return Err(error);
                }
                Err(error) => Err(negotiating.told(error)),
            },
            State::Over(outcome) => {
                let error = outcome.error();
                self.state = State::Over(outcome);
                return Err(error);
            }
            state @ State::Start(_) => {
                self.state = state;
                return Err(ErrorKind::UnexpectedCall.into());
            }
        };
        self.settle(result)
    }
}

impl Initiator {
    fn settle(&mut self, result: Result<(State, Step), Error>) -> Result<Step, Error> {
        match result {
            Ok((state, step)) => {
                self.state = state;
                Ok(step)
            }
            Err(error) => {
                self.state = State::Over(Outcome::Failed(error.clone()));
                Err(error)
            }
        }
    }
}
