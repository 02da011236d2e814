//! From the choice of a mechanism to the end.

use countersign_token::oid::Oid;
use countersign_token::spnego::{NegState, NegTokenInit, NegTokenResp, Negotiation};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, NegotiationProblem};
use crate::negotiate::Negotiated;
use crate::negotiate::candidates::same;
use crate::negotiate::inner::{Beside, Inner, Resumed, Turn};
use crate::negotiate::proof::{Demand, Proof};
use crate::policy::Policy;
use crate::stage::Next;
use crate::step::{Answer, Mechanism, Step};

use super::State;

#[derive(Debug)]
pub(super) struct Negotiating {
    pub(super) inner: Inner,
    /// The identifier that the initiator has for the mechanism.
    chosen: Chosen,
    proof: Proof,
    /// The choice has been told.
    answered: bool,
    /// The initiator was told that the list has to be proved.
    requested: bool,
    beside: Beside,
}

/// A mechanism's identifier as it was offered, in octets of its own.
#[derive(Debug)]
struct Chosen(Vec<u8>);

impl Chosen {
    fn oid(&self) -> Option<Oid<'_>> {
        Oid::from_contents(&self.0).ok()
    }
}

impl Negotiating {
    /// `mechanism` is chosen under the identifier `chosen` of the initiator's list. `best`: there is
    /// none that this side had rather seen there.
    pub(super) fn begin(
        mechanism: Box<dyn Mechanism>,
        chosen: Oid<'_>,
        best: bool,
        init: &NegTokenInit<'_>,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        let optimistic = same(chosen, init.mech_types.first());
        let mut proof = Proof::of(init.mech_types.as_bytes().to_vec());
        // RFC 4178 §5: it goes without proof only where both sides like this mechanism best. What
        // the initiator likes best is told by its list; what is missing there, somebody may have
        // taken out.
        if !optimistic {
            proof.demand(Demand::Always);
        } else if !best && proves(chosen, env.policy) {
            proof.demand(Demand::WherePossible);
        }
        let negotiating = Box::new(Self {
            inner: Inner::begin(mechanism),
            chosen: Chosen(chosen.as_bytes().to_vec()),
            proof,
            answered: false,
            requested: false,
            beside: Beside::default(),
        });
        // RFC 4178 §3.2: what comes for another mechanism than the chosen one counts for nothing.
        let token = init.mech_token.filter(|_| optimistic);
        let mic = init.mech_list_mic.filter(|_| optimistic);
        negotiating.advance(token, Beside::new(None, mic, token), env)
    }

    /// Hands the mechanism its token, if there is one.
    fn advance(
        mut self: Box<Self>,
        token: Option<&[u8]>,
        beside: Beside,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        let turn = match token {
            Some(token) => self.inner.step(Some(token), env),
            None => Ok(Turn::Token(None)),
        };
        let turn = turn.map_err(|error| self.told(error))?;
        self.turned(turn, beside, env.policy)
    }

    /// Takes a token of the initiator.
    pub(super) fn receive(
        self: Box<Self>,
        token: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        let unexpected = NegotiationProblem::UnexpectedState;
        let response = match Negotiation::parse(token).map_err(ErrorKind::DefectiveToken)? {
            Negotiation::Resp(response) => response,
            Negotiation::Init(_) => return Err(self.told(unexpected.into())),
        };
        if response.neg_state == Some(NegState::Reject) {
            return Err(NegotiationProblem::Rejected.into());
        }
        // RFC 4178 §4.2.2: the choice is the acceptor's to tell.
        let empty = response.response_token.is_none() && response.mech_list_mic.is_none();
        if empty || response.supported_mech.is_some() {
            return Err(self.told(unexpected.into()));
        }
        self.advance(response.response_token, Beside::of(&response), env)
    }

    pub(super) fn resume(
        mut self: Box<Self>,
        answer: Answer,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Resumed<Self>> {
        match self.inner.resume(answer, env) {
            Ok(turn) => {
                let beside = core::mem::take(&mut self.beside);
                self.turned(turn, beside, env.policy)
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedCall => {
                return Err(Resumed::Unasked(self));
            }
            Err(error) => Err(self.told(error)),
        }
        .map_err(Resumed::Failed)
    }

    /// The mechanism has turned: answers.
    fn turned(
        mut self: Box<Self>,
        turn: Turn,
        beside: Beside,
        policy: &Policy,
    ) -> Result<Next<State>, Error> {
        let token = match turn {
            Turn::Token(token) => token,
            Turn::Need(need) => {
                self.beside = beside;
                return Ok(Next::On(State::Negotiating(self), Step::Need(need)));
            }
        };
        let proved = self.prove(beside.mic.as_deref(), token.is_none(), policy);
        let own = proved.map_err(|error| self.told(error))?;
        let done = self.is_done();
        // RFC 4178 §5 b I: the initiator's MIC was the last word, if it says so.
        let ended = beside.alone && beside.state == Some(NegState::AcceptCompleted);
        if done && ended && own.is_none() {
            return self.finish(None);
        }
        let first = !core::mem::replace(&mut self.answered, true);
        let neg_state = if done {
            NegState::AcceptCompleted
        } else if first && self.proof.is_wanted() {
            self.requested = true;
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
        if done {
            return self.finish(Some(token));
        }
        Ok(Next::On(State::Negotiating(self), Step::Continue { token }))
    }

    /// RFC 4178 §5: verifies the initiator's MIC and makes ours, where each is due. `last`: the
    /// mechanism has nothing to say any more.
    fn prove(
        &mut self,
        mic: Option<&[u8]>,
        last: bool,
        policy: &Policy,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Inner::Done(context) = &mut self.inner else {
            return match mic {
                Some(_) => Err(NegotiationProblem::UnexpectedState.into()),
                None => Ok(None),
            };
        };
        let proof = &mut self.proof;
        if context.demands_negotiation_mic(policy) {
            proof.demand(Demand::WherePossible);
        }
        match mic {
            Some(mic) => proof.verify(context, mic)?,
            // §5 c V: who was told sends it with the mechanism's last token. Who was not is told
            // now, by ours.
            None if self.requested && last && !proof.verified && proof.is_required(context) => {
                return Err(NegotiationProblem::MicMissing.into());
            }
            None => {}
        }
        if proof.sent || !(proof.is_required(context) || proof.verified) {
            return Ok(None);
        }
        proof.make(context).map(Some)
    }

    /// Whether nothing is missing.
    fn is_done(&self) -> bool {
        let proof = &self.proof;
        match &self.inner {
            Inner::Done(context) => !proof.is_required(context) || (proof.sent && proof.verified),
            Inner::Running { .. } => false,
        }
    }

    /// There is nothing left to say but `token`.
    fn finish(self, token: Option<Vec<u8>>) -> Result<Next<State>, Error> {
        let Inner::Done(mut context) = self.inner else {
            return Err(ErrorKind::Internal("a context that is done").into());
        };
        context.set_negotiated(Negotiated {
            proved: self.proof.verified,
            fallbacks: Vec::new(),
        });
        Ok(Next::Established(token, context))
    }

    fn told(&self, error: Error) -> Error {
        told(self.chosen.oid().filter(|_| !self.answered), error)
    }
}

/// Whether initiators that choose the mechanism can be expected to prove the list: not those of NTLM
/// for which the policy goes without NTLM's own MIC.
fn proves(chosen: Oid<'_>, policy: &Policy) -> bool {
    #[cfg(feature = "ntlm")]
    if chosen == Oid::NTLMSSP {
        return policy.ntlm().mic() == crate::policy::MicPolicy::Required;
    }
    let _ = (chosen, policy);
    true
}

/// An error, with a reject that carries what the mechanism has to say of it.
pub(super) fn told(supported_mech: Option<Oid<'_>>, error: Error) -> Error {
    let response = NegTokenResp {
        neg_state: Some(NegState::Reject),
        supported_mech,
        response_token: error.token(),
        mech_list_mic: None,
    };
    Error::with_token(error.kind(), response.to_bytes())
}
