//! The acceptor.
//!
//! ```text
//!   Start ── no token: NegTokenInit2 with hints sent, once ──▶ Start
//!     │  └── a mechanism's own token, where permitted ──▶ Raw ──▶ as that mechanism
//!     │
//!     └── NegTokenInit: a mechanism is chosen ──▶ Negotiating ◀─┐
//!                                                   │           │ NegTokenResp
//!                                                   ├───────────┘
//!                                                   ▼
//!          the mechanism is done, the list proved where it must be ──▶ Over
//!
//!   any state ── Need of the mechanism ──▶ the same state, after `resume`
//!   any state ── error ──▶ Over, which repeats the error
//! ```

use countersign_token::oid::Oid;
use countersign_token::spnego::{
    MechTypes, NegHints, NegState, NegTokenInit, NegTokenResp, Negotiation,
};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, NegotiationProblem};
use crate::outcome::Outcome;
use crate::security_context::SessionKey;
use crate::step::{Answer, Mechanism, Step};

use super::candidates::{Candidates, same};
use super::inner::{Inner, Proof, Turn, peers_mic};
use super::{Negotiated, RawTokens};

/// The acceptor of a context whose mechanism is negotiated.
///
/// It takes the first mechanism of the initiator's list that it offers itself, or, if told to, the
/// first of its own.
///
/// ```
/// use countersign_context::kerberos;
/// use countersign_context::negotiate::Acceptor;
/// # fn offer(credential: &kerberos::AcceptorCredential) -> Acceptor {
///
/// Acceptor::new().offer(kerberos::Acceptor::new(credential))
/// # }
/// ```
#[derive(Debug)]
pub struct Acceptor {
    state: State,
    raw: RawTokens,
    own_order: bool,
}

#[derive(Debug)]
enum State {
    Start {
        candidates: Candidates,
        /// The list has been told already.
        hinted: bool,
    },
    Raw(Box<dyn Mechanism>),
    Negotiating(Box<Negotiating>),
    /// Over, one way or the other.
    Over(Outcome),
}

#[derive(Debug)]
struct Negotiating {
    inner: Inner,
    /// The identifier that the initiator has for the mechanism.
    chosen: Chosen,
    proof: Proof,
    /// The choice has been told.
    answered: bool,
    /// The initiator's MIC that came with the token that the mechanism is at work on.
    mic: Option<Vec<u8>>,
}

/// A mechanism's identifier as it was offered, in octets of its own.
#[derive(Debug)]
struct Chosen(Vec<u8>);

impl Chosen {
    fn oid(&self) -> Option<Oid<'_>> {
        Oid::from_contents(&self.0).ok()
    }
}

impl Default for Acceptor {
    fn default() -> Self {
        Self::new()
    }
}

impl Acceptor {
    /// An acceptor that offers nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::Start {
                candidates: Candidates::default(),
                hinted: false,
            },
            raw: RawTokens::NONE,
            own_order: false,
        }
    }

    /// Offers a mechanism, after those that were offered before.
    #[must_use]
    pub fn offer(self, mechanism: impl Mechanism) -> Self {
        self.offer_boxed(Box::new(mechanism))
    }

    /// As [`offer`](Self::offer), for a mechanism that is chosen at run time.
    #[must_use]
    pub fn offer_boxed(mut self, mechanism: Box<dyn Mechanism>) -> Self {
        if let State::Start { candidates, .. } = &mut self.state {
            candidates.push(mechanism);
        }
        self
    }

    /// Takes the first mechanism of this side's list that the initiator offers, at the price of one
    /// more round where that is not the initiator's first.
    #[must_use]
    pub fn prefer_own_order(mut self) -> Self {
        self.own_order = true;
        self
    }

    /// Takes tokens of these mechanisms without negotiation too.
    #[must_use]
    pub fn accept_raw(mut self, raw: RawTokens) -> Self {
        self.raw = raw;
        self
    }

    /// MS-SPNG §3.2.5.2: what an acceptor that speaks first says.
    fn hint(candidates: Candidates) -> Result<(State, Step), Error> {
        let offered: Vec<Oid<'static>> = candidates.identifiers().collect();
        if offered.is_empty() {
            return Err(NegotiationProblem::NothingOffered.into());
        }
        let list = MechTypes::encode(&offered);
        let list = MechTypes::parse(&list).map_err(|_| ErrorKind::Internal("own list"))?;
        let init = NegTokenInit {
            hints: Some(NegHints::PLEASE_IGNORE),
            ..NegTokenInit::new(list)
        };
        let token = init.to_bytes();
        let state = State::Start {
            candidates,
            hinted: true,
        };
        Ok((state, Step::Continue { token }))
    }

    fn first(
        &self,
        mut candidates: Candidates,
        token: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<(State, Step), Error> {
        if let Some(oid) = self.raw.mechanism(token)
            && let Some(mut mechanism) = candidates.take(oid)
        {
            let step = mechanism.step(Some(token), env)?;
            return Ok((State::Raw(mechanism), step));
        }
        let init = NegTokenInit::parse(token).map_err(ErrorKind::DefectiveToken)?;
        let chosen = self.choose(&candidates, &init.mech_types);
        let taken = chosen.and_then(|oid| Some((oid, candidates.take(oid)?)));
        let Some((oid, mechanism)) = taken else {
            // RFC 4178 §4.2.2: none is acceptable.
            return Err(told(None, NegotiationProblem::NothingInCommon.into()));
        };
        let optimistic = same(oid, init.mech_types.first());
        let mut proof = Proof::of(init.mech_types.as_bytes().to_vec());
        proof.required = !optimistic;
        let negotiating = Box::new(Negotiating {
            inner: Inner::begin(mechanism),
            chosen: Chosen(oid.as_bytes().to_vec()),
            proof,
            answered: false,
            mic: None,
        });
        // RFC 4178 §3.2: a token for another mechanism than the chosen one counts for nothing.
        let token = init.mech_token.filter(|_| optimistic);
        negotiating.advance(token, init.mech_list_mic, env)
    }

    fn choose<'a>(&self, candidates: &Candidates, offered: &MechTypes<'a>) -> Option<Oid<'a>> {
        if self.own_order {
            return candidates
                .identifiers()
                .find_map(|own| offered.iter().find(|oid| same(*oid, own)));
        }
        offered.iter().find(|oid| candidates.supports(*oid))
    }
}

impl Negotiating {
    /// Hands the mechanism its token, if there is one.
    fn advance(
        mut self: Box<Self>,
        token: Option<&[u8]>,
        mic: Option<&[u8]>,
        env: &mut Environment<'_>,
    ) -> Result<(State, Step), Error> {
        let mic = peers_mic(mic, token);
        let Some(token) = token else {
            return self.turned(Turn::Token(None), mic);
        };
        match self.inner.step(Some(token), env) {
            Ok(Turn::Need(need)) => {
                self.mic = mic.map(<[u8]>::to_vec);
                Ok((State::Negotiating(self), Step::Need(need)))
            }
            Ok(turn) => self.turned(turn, mic),
            Err(error) => Err(self.told(error)),
        }
    }

    fn receive(
        self: Box<Self>,
        token: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<(State, Step), Error> {
        let response = match Negotiation::parse(token).map_err(ErrorKind::DefectiveToken)? {
            Negotiation::Resp(response) => response,
            Negotiation::Init(_) => {
                return Err(self.told(NegotiationProblem::UnexpectedState.into()));
            }
        };
        if response.neg_state == Some(NegState::Reject) {
            return Err(NegotiationProblem::Rejected.into());
        }
        if response.response_token.is_none() && response.mech_list_mic.is_none() {
            return Err(self.told(NegotiationProblem::UnexpectedState.into()));
        }
        let (token, mic) = (response.response_token, response.mech_list_mic);
        self.advance(token, mic, env)
    }

    /// The mechanism has turned: answers.
    fn turned(mut self: Box<Self>, turn: Turn, mic: Option<&[u8]>) -> Result<(State, Step), Error> {
        let token = match turn {
            Turn::Token(token) => token,
            Turn::Need(need) => return Ok((State::Negotiating(self), Step::Need(need))),
        };
        let mut own = None;
        match (&mut self.inner, mic) {
            (Inner::Running { .. }, Some(_)) => {
                return Err(self.told(NegotiationProblem::UnexpectedState.into()));
            }
            (Inner::Running { .. }, None) => {}
            (Inner::Done(context), mic) => {
                let mut prove = || {
                    if let Some(mic) = mic {
                        self.proof.verify(context, mic)?;
                    }
                    // RFC 4178 §5: owed where it was asked for, and returned where one came.
                    let due = self.proof.required || self.proof.verified;
                    if due && !self.proof.sent {
                        own = Some(self.proof.make(context)?);
                    }
                    Ok(())
                };
                prove().map_err(|error| self.told(error))?;
            }
        }
        let waits_for_mic = own.is_none() && mic.is_none() && token.is_none();
        if matches!(self.inner, Inner::Done(_))
            && self.answered
            && !self.proof.is_complete()
            && waits_for_mic
        {
            return Err(self.told(NegotiationProblem::MicMissing.into()));
        }
        let done = matches!(self.inner, Inner::Done(_)) && self.proof.is_complete();
        let first = !core::mem::replace(&mut self.answered, true);
        let neg_state = if done {
            NegState::AcceptCompleted
        } else if first && self.proof.required {
            NegState::RequestMic
        } else {
            NegState::AcceptIncomplete
        };
        let response = NegTokenResp {
            neg_state: Some(neg_state),
            supported_mech: self.chosen.oid().filter(|_| first),
            response_token: token.as_deref(),
            mech_list_mic: own.as_deref(),
        };
        let token = response.to_bytes();
        if !done {
            return Ok((State::Negotiating(self), Step::Continue { token }));
        }
        let Self { inner, proof, .. } = *self;
        let Inner::Done(mut context) = inner else {
            return Err(ErrorKind::Internal("a context that is done").into());
        };
        context.set_negotiated(Negotiated {
            proved: proof.verified,
            fallbacks: Vec::new(),
        });
        let token = Some(token);
        Ok((
            State::Over(Outcome::Established),
            Step::Established { token, context },
        ))
    }

    fn told(&self, error: Error) -> Error {
        told(self.chosen.oid().filter(|_| !self.answered), error)
    }
}

/// An error, with a reject that carries what the mechanism has to say of it.
fn told(supported_mech: Option<Oid<'_>>, error: Error) -> Error {
    let response = NegTokenResp {
        neg_state: Some(NegState::Reject),
        supported_mech,
        response_token: error.token(),
        mech_list_mic: None,
    };
    Error::with_token(error.kind(), response.to_bytes())
}

impl Mechanism for Acceptor {
    fn mechanism(&self) -> Oid<'static> {
        Oid::SPNEGO
    }

    fn session_key(&self) -> Option<SessionKey<'_>> {
        match &self.state {
            State::Negotiating(negotiating) => negotiating.inner.session_key(),
            State::Raw(mechanism) => mechanism.session_key(),
            _ => None,
        }
    }

    fn step(&mut self, token: Option<&[u8]>, env: &mut Environment<'_>) -> Result<Step, Error> {
        let limit = env.policy.max_token();
        let placeholder = State::Over(Outcome::Interrupted);
        let result = match (core::mem::replace(&mut self.state, placeholder), token) {
            (State::Over(outcome), _) => {
                let error = outcome.error();
                self.state = State::Over(outcome);
                return Err(error);
            }
            (State::Raw(mut mechanism), token) => {
                let result = mechanism.step(token, env);
                self.state = State::Raw(mechanism);
                return result;
            }
            (State::Start { candidates, hinted }, None) if !hinted => Self::hint(candidates),
            (_, None) => Err(ErrorKind::TokenMissing.into()),
            (_, Some(token)) if token.len() > limit => {
                let length = token.len();
                Err(ErrorKind::TokenTooLarge { length, limit }.into())
            }
            (State::Start { candidates, .. }, Some(token)) => self.first(candidates, token, env),
            (State::Negotiating(negotiating), Some(_)) if negotiating.inner.is_waiting() => {
                // The caller's mistake, not the peer's: the context stays as it is.
                self.state = State::Negotiating(negotiating);
                return Err(ErrorKind::UnexpectedCall.into());
            }
            (State::Negotiating(negotiating), Some(token)) => negotiating.receive(token, env),
        };
        self.settle(result)
    }

    fn resume(&mut self, answer: Answer, env: &mut Environment<'_>) -> Result<Step, Error> {
        let placeholder = State::Over(Outcome::Interrupted);
        let result = match core::mem::replace(&mut self.state, placeholder) {
            State::Negotiating(mut negotiating) => match negotiating.inner.resume(answer, env) {
                Ok(turn) => {
                    let mic = negotiating.mic.take();
                    negotiating.turned(turn, mic.as_deref())
                }
                Err(error) if error.kind() == ErrorKind::UnexpectedCall => {
                    self.state = State::Negotiating(negotiating);
                    return Err(error);
                }
                Err(error) => Err(negotiating.told(error)),
            },
            State::Raw(mut mechanism) => {
                let result = mechanism.resume(answer, env);
                self.state = State::Raw(mechanism);
                return result;
            }
            State::Over(outcome) => {
                let error = outcome.error();
                self.state = State::Over(outcome);
                return Err(error);
            }
            state @ State::Start { .. } => {
                self.state = state;
                return Err(ErrorKind::UnexpectedCall.into());
            }
        };
        self.settle(result)
    }
}

impl Acceptor {
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
