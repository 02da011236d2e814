//! The acceptor.
//!
//! ```text
//!   Start ── no token: NegTokenInit2 with hints sent, once ──▶ Start
//!     │  └── a mechanism's own token, where permitted ──▶ Raw, as that mechanism ──▶ Over
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

mod negotiating;

use countersign_token::oid::Oid;
use countersign_token::spnego::{MechTypes, NegHints, NegTokenInit};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, NegotiationProblem};
use crate::security_context::SessionKey;
use crate::stage::{Next, Stage, Staged};
use crate::step::{Answer, Mechanism, Step};

use super::RawTokens;
use super::candidates::{Candidates, list};
use super::inner::{Inner, Resumed, Turn};
use negotiating::{Negotiating, told};

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
    state: Stage<State>,
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
    /// A mechanism without negotiation around it.
    Raw(Inner),
    Negotiating(Box<Negotiating>),
}

impl State {
    /// Whether the caller's answer is due.
    fn is_waiting(&self) -> bool {
        match self {
            Self::Raw(inner) => inner.is_waiting(),
            Self::Negotiating(negotiating) => negotiating.inner.is_waiting(),
            Self::Start { .. } => false,
        }
    }
}

/// What a mechanism's turn comes to where nothing is negotiated.
fn raw(inner: Inner, turn: Turn) -> Next<State> {
    match (inner, turn) {
        (Inner::Done(context), Turn::Token(token)) => Next::Established(token, context),
        (inner, Turn::Token(token)) => {
            let token = token.unwrap_or_default();
            Next::On(State::Raw(inner), Step::Continue { token })
        }
        (inner, Turn::Need(need)) => Next::On(State::Raw(inner), Step::Need(need)),
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
            state: Stage::On(State::Start {
                candidates: Candidates::default(),
                hinted: false,
            }),
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
        if let Stage::On(State::Start { candidates, .. }) = &mut self.state {
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
    fn hint(candidates: Candidates) -> Result<Next<State>, Error> {
        let offered = list(candidates.each().flatten());
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
        Ok(Next::On(state, Step::Continue { token }))
    }

    fn first(
        &self,
        mut candidates: Candidates,
        token: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        if let Some(oid) = self.raw.mechanism(token)
            && let Some(mechanism) = candidates.take(oid)
        {
            let mut inner = Inner::begin(mechanism);
            let turn = inner.step(Some(token), env)?;
            return Ok(raw(inner, turn));
        }
        let init = NegTokenInit::parse(token).map_err(ErrorKind::DefectiveToken)?;
        let chosen = self.choose(&candidates, &init.mech_types);
        let best = chosen.and_then(|oid| candidates.place(oid)) == Some(0);
        let taken = chosen.and_then(|oid| Some((oid, candidates.take(oid)?)));
        let Some((oid, mechanism)) = taken else {
            // RFC 4178 §4.2.2: none is acceptable.
            return Err(told(None, NegotiationProblem::NothingInCommon.into()));
        };
        Negotiating::begin(mechanism, oid, best, &init, env)
    }

    /// The identifier, as it was offered, of the mechanism that is taken.
    fn choose<'a>(&self, candidates: &Candidates, offered: &MechTypes<'a>) -> Option<Oid<'a>> {
        if self.own_order {
            return candidates.each().find_map(|own| {
                let own: Vec<_> = own.collect();
                offered.iter().find(|oid| own.contains(oid))
            });
        }
        offered.iter().find(|oid| candidates.place(*oid).is_some())
    }
}

impl Staged<State> for Acceptor {
    fn stage(&mut self) -> &mut Stage<State> {
        &mut self.state
    }
}

impl Mechanism for Acceptor {
    fn mechanism(&self) -> Oid<'static> {
        Oid::SPNEGO
    }

    fn session_key(&self) -> Option<SessionKey<'_>> {
        match &self.state {
            Stage::On(State::Negotiating(negotiating)) => negotiating.inner.session_key(),
            Stage::On(State::Raw(inner)) => inner.session_key(),
            _ => None,
        }
    }

    fn step(&mut self, token: Option<&[u8]>, env: &mut Environment<'_>) -> Result<Step, Error> {
        let limit = env.policy.max_token();
        self.play(|this, state| match (state, token) {
            (state, _) if state.is_waiting() => Ok(Next::Unexpected(state)),
            (State::Start { candidates, hinted }, None) if !hinted => Self::hint(candidates),
            (_, None) => Err(ErrorKind::TokenMissing.into()),
            (_, Some(token)) if token.len() > limit => {
                let length = token.len();
                Err(ErrorKind::TokenTooLarge { length, limit }.into())
            }
            (State::Start { candidates, .. }, Some(token)) => this.first(candidates, token, env),
            (State::Raw(mut inner), Some(token)) => {
                inner.step(Some(token), env).map(|turn| raw(inner, turn))
            }
            (State::Negotiating(negotiating), Some(token)) => negotiating.receive(token, env),
        })
    }

    fn resume(&mut self, answer: Answer, env: &mut Environment<'_>) -> Result<Step, Error> {
        self.play(|_, state| match state {
            State::Negotiating(negotiating) => match negotiating.resume(answer, env) {
                Ok(next) => Ok(next),
                Err(Resumed::Unasked(negotiating)) => {
                    Ok(Next::Unexpected(State::Negotiating(negotiating)))
                }
                Err(Resumed::Failed(error)) => Err(error),
            },
            State::Raw(mut inner) => match inner.resume(answer, env) {
                Ok(turn) => Ok(raw(inner, turn)),
                Err(error) if error.kind() == ErrorKind::UnexpectedCall => {
                    Ok(Next::Unexpected(State::Raw(inner)))
                }
                Err(error) => Err(error),
            },
            state @ State::Start { .. } => Ok(Next::Unexpected(state)),
        })
    }
}
