//! From the first token to the end.

use countersign_token::oid::Oid;
use countersign_token::spnego::{NegState, NegTokenResp, Negotiation};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, NegotiationProblem};
use crate::negotiate::Negotiated;
use crate::negotiate::candidates::{Candidates, identifiers};
use crate::negotiate::inner::{Beside, Inner, Resumed, Turn};
use crate::negotiate::proof::{Demand, Proof};
use crate::policy::Policy;
use crate::stage::Next;
use crate::step::{Answer, Step};

use super::State;

#[derive(Debug)]
pub(super) struct Negotiating {
    pub(super) inner: Inner,
    /// What the mechanism at work was offered as.
    names: Vec<Oid<'static>>,
    /// What else was offered; gone once the acceptor has chosen.
    rest: Candidates,
    proof: Proof,
    /// The acceptor has answered.
    answered: bool,
    /// The acceptor says that it is done.
    accepted: bool,
    fallbacks: Vec<Error>,
    beside: Beside,
}

impl Negotiating {
    /// The list was sent, with the first token of the mechanism at work.
    pub(super) fn new(
        inner: Inner,
        names: Vec<Oid<'static>>,
        rest: Candidates,
        list: Vec<u8>,
        fallbacks: Vec<Error>,
    ) -> Self {
        Self {
            inner,
            names,
            rest,
            proof: Proof::of(list),
            answered: false,
            accepted: false,
            fallbacks,
            beside: Beside::default(),
        }
    }

    /// Takes a token of the acceptor.
    pub(super) fn receive(
        mut self: Box<Self>,
        token: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        let response = match Negotiation::parse(token).map_err(ErrorKind::DefectiveToken)? {
            Negotiation::Resp(response) => response,
            Negotiation::Init(_) => return Err(told(NegotiationProblem::UnexpectedState.into())),
        };
        match response.neg_state {
            Some(NegState::Reject) => Err(self.rejected(&response, env)),
            // Whoever is done is told nothing more.
            Some(NegState::AcceptCompleted) => {
                self.accepted = true;
                self.proceed(&response, env)
            }
            Some(NegState::AcceptIncomplete | NegState::RequestMic) | None => {
                self.proceed(&response, env).map_err(told)
            }
        }
    }

    fn proceed(
        mut self: Box<Self>,
        response: &NegTokenResp<'_>,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        let first = !core::mem::replace(&mut self.answered, true);
        if response.neg_state == Some(NegState::RequestMic) {
            // RFC 4178 §4.2.2: in the first reply alone.
            if !first {
                return Err(NegotiationProblem::UnexpectedState.into());
            }
            self.proof.demand(Demand::WherePossible);
        }
        let token = match (self.choose(response)?, response.response_token) {
            // RFC 4178 §3.2: nothing that the first mechanism said counts any more, and the new one
            // has not begun.
            (true, Some(_)) => return Err(NegotiationProblem::UnexpectedState.into()),
            (true, None) => None,
            // IIS has an empty token for none where the initiator alone is authenticated.
            (false, Some([]) | None) if self.inner.is_done() => {
                return self.turned(Turn::Token(None), Beside::of(response), env.policy);
            }
            (false, None) => return Err(NegotiationProblem::UnexpectedState.into()),
            (false, token) => token,
        };
        let turn = self.inner.step(token, env)?;
        self.turned(turn, Beside::of(response), env.policy)
    }

    /// Whether another mechanism than the one at work was chosen. It is at work then, and no other is
    /// kept.
    fn choose(&mut self, response: &NegTokenResp<'_>) -> Result<bool, Error> {
        let mut rest = core::mem::take(&mut self.rest);
        let Some(supported) = response.supported_mech else {
            // RFC 4178 §4.2.2 demands it in the first reply; Java leaves it out.
            return Ok(false);
        };
        if self.names.contains(&supported) {
            return Ok(false);
        }
        let mechanism = rest.take(supported);
        let mechanism = mechanism.ok_or(NegotiationProblem::NotOffered)?;
        self.names = identifiers(mechanism.as_ref()).collect();
        self.inner = Inner::begin(mechanism);
        self.proof.demand(Demand::Always);
        Ok(true)
    }

    /// What the mechanism's own token says of the refusal, else that there is one.
    fn rejected(&mut self, response: &NegTokenResp<'_>, env: &mut Environment<'_>) -> Error {
        let refused = NegotiationProblem::Rejected.into();
        let supported = response.supported_mech;
        let ours = supported.is_none_or(|supported| self.names.contains(&supported));
        match response.response_token.filter(|_| ours) {
            Some(token) => match self.inner.step(Some(token), env) {
                // A reject that carries acceptance is none of the two.
                Ok(_) => refused,
                Err(error) => Error::new(error.kind()),
            },
            None => refused,
        }
    }

    pub(super) fn resume(
        mut self: Box<Self>,
        answer: Answer,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Resumed<Self>> {
        let accepted = self.accepted;
        match self.inner.resume(answer, env) {
            Ok(turn) => {
                let beside = core::mem::take(&mut self.beside);
                self.turned(turn, beside, env.policy)
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedCall => {
                return Err(Resumed::Unasked(self));
            }
            Err(error) => Err(error),
        }
        .map_err(|error| Resumed::Failed(if accepted { error } else { told(error) }))
    }

    /// The mechanism has turned: sends what there is to send, or is done.
    fn turned(
        mut self: Box<Self>,
        turn: Turn,
        beside: Beside,
        policy: &Policy,
    ) -> Result<Next<State>, Error> {
        let token = match turn {
            Turn::Need(need) => {
                self.beside = beside;
                return Ok(Next::On(State::Negotiating(self), Step::Need(need)));
            }
            Turn::Token(token) => token,
        };
        let own = self.prove(&beside, token.is_none(), policy)?;
        if token.is_none() && own.is_none() {
            return self.finish(None);
        }
        if self.accepted {
            // It will take no more.
            return Err(NegotiationProblem::TokenAfterEnd.into());
        }
        // RFC 4178 §5 b I: with the acceptor's MIC verified, ours ends the negotiation.
        let done = token.is_none() && self.proof.verified;
        let response = NegTokenResp {
            neg_state: Some(if done {
                NegState::AcceptCompleted
            } else {
                NegState::AcceptIncomplete
            }),
            response_token: token.as_deref(),
            mech_list_mic: own.as_deref(),
            ..NegTokenResp::default()
        };
        let token = response.to_bytes();
        if done {
            self.accepted = true;
            return self.finish(Some(token));
        }
        Ok(Next::On(State::Negotiating(self), Step::Continue { token }))
    }

    /// RFC 4178 §5: verifies the acceptor's MIC and makes ours, where each is due. `last`: the
    /// mechanism has nothing to say any more.
    fn prove(
        &mut self,
        beside: &Beside,
        last: bool,
        policy: &Policy,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Inner::Done(context) = &mut self.inner else {
            return match beside.mic {
                Some(_) => Err(NegotiationProblem::UnexpectedState.into()),
                None => Ok(None),
            };
        };
        let proof = &mut self.proof;
        match &beside.mic {
            Some(mic) => proof.verify(context, mic)?,
            // §5 b IV, and c I: it comes with the acceptor's last token.
            None if last && !proof.verified && proof.is_required(context) => {
                return Err(NegotiationProblem::MicMissing.into());
            }
            None => {}
        }
        if beside.state.is_none() && last && (proof.sent || !proof.verified) {
            // RFC 4178 §4.2.2: told by how the mechanism stands.
            self.accepted = true;
        }
        // An acceptor that is not done although the mechanism is waits for ours. With NTLM, Windows
        // wants it even for the first choice.
        let due = proof.is_required(context)
            || proof.verified
            || last
            || context.demands_negotiation_mic(policy);
        if !due || proof.sent || self.accepted {
            return Ok(None);
        }
        proof.make(context).map(Some)
    }

    /// There is nothing left to say but `token`.
    fn finish(self, token: Option<Vec<u8>>) -> Result<Next<State>, Error> {
        let (true, Inner::Done(mut context)) = (self.accepted, self.inner) else {
            return Err(NegotiationProblem::UnexpectedState.into());
        };
        context.set_negotiated(Negotiated {
            proved: self.proof.verified,
            fallbacks: self.fallbacks,
        });
        Ok(Next::Established(token, context))
    }
}

/// An error, with what tells the acceptor.
fn told(error: Error) -> Error {
    let response = NegTokenResp {
        neg_state: Some(NegState::Reject),
        response_token: error.token(),
        ..NegTokenResp::default()
    };
    Error::with_token(error.kind(), response.to_bytes())
}
