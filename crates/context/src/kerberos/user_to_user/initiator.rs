//! The initiator that asks the acceptor for its ticket first.
//!
//! ```text
//!   Start ── TGT-REQ ──▶ Asked ── TGT-REP ──▶ Acquiring ── ticket: AP-REQ ──▶ Exchange
//!                                              ▲     │                           │
//!                                              └─────┘                           ▼
//!                                             Need::Kdc          as the initiator of Kerberos
//!
//!   any state ── error ──▶ Failed, which repeats the error
//! ```

use core::fmt;
use std::sync::Arc;

use countersign_credential::{KeyBlock, Principal, TicketCredential};
use countersign_token::der::{Decode, SequenceOf};
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::kerberos::{KerberosString, PrincipalName, TgtRep, TgtReq};
use countersign_token::oid::Oid;

use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::kerberos::framing::{Framed, unframe_any};
use crate::kerberos::initiator::Initiator;
use crate::kerberos::kdc::{Exchange, ExchangeStep, KdcAnswer};
use crate::kerberos::krb_error;
use crate::security_context::SessionKey;
use crate::stage::{Next, Stage, Staged};
use crate::step::{Answer, Mechanism, Need, Step};

/// The initiator for an acceptor that may have no key of its own: asks for the acceptor's
/// ticket-granting ticket, obtains a user-to-user ticket with it, and goes on with that.
///
/// What the acceptor sends is nobody's word. A ticket-granting ticket of somebody else ends at the
/// KDC, which compares its client with the target that was asked for.
///
/// ```
/// use countersign_context::credential::{Principal, ServiceName};
/// use countersign_context::kerberos::kdc::{Acquisition, ClientCredential};
/// use countersign_context::kerberos::{Initiator, UserToUserInitiator};
/// use countersign_context::Flags;
///
/// let alice = ClientCredential::password(Principal::parse("alice@EXAMPLE.COM")?, "open sesame");
/// let bob = Principal::parse("bob@EXAMPLE.COM")?;
/// let target = bob.clone();
/// let initiator = UserToUserInitiator::new(
///     bob,
///     move |bobs_ticket| Acquisition::user_to_user(&alice, &target, bobs_ticket),
///     |ticket| Initiator::new(ticket).require(Flags::CONFIDENTIALITY),
/// );
/// # drop(initiator);
/// # Ok::<(), countersign_context::credential::Error>(())
/// ```
#[derive(Debug)]
pub struct UserToUserInitiator {
    /// Negotiate asks for integrity.
    integrity: bool,
    state: Stage<State>,
}

#[derive(Debug)]
enum State {
    Start(Box<Plan>),
    /// The acceptor's ticket is due.
    Asked(Box<Plan>),
    /// A KDC's answer is due.
    Acquiring(Box<Acquiring>),
    /// The AP exchange.
    Exchange(Box<Initiator>),
}

type Ticket = Arc<TicketCredential>;
type Acquire = Box<dyn FnOnce(Ticket) -> Box<dyn Exchange<Output = Ticket>> + Send + Sync>;
type Begin = Box<dyn FnOnce(Ticket) -> Initiator + Send + Sync>;

struct Plan {
    target: Principal,
    acquire: Acquire,
    begin: Begin,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

struct Acquiring {
    exchange: Box<dyn Exchange<Output = Ticket>>,
    begin: Begin,
}

impl fmt::Debug for Acquiring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquiring")
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}

impl UserToUserInitiator {
    /// An initiator for `target`. `acquire` makes the exchange that obtains the user-to-user ticket
    /// from the acceptor's ticket-granting ticket, of which only the ticket is known and no key;
    /// `begin` makes the initiator of the AP exchange from what that brings.
    #[must_use]
    pub fn new<E: Exchange<Output = Arc<TicketCredential>>>(
        target: Principal,
        acquire: impl FnOnce(Arc<TicketCredential>) -> E + Send + Sync + 'static,
        begin: impl FnOnce(Arc<TicketCredential>) -> Initiator + Send + Sync + 'static,
    ) -> Self {
        Self {
            integrity: false,
            state: Stage::On(State::Start(Box::new(Plan {
                target,
                acquire: Box::new(move |ticket| Box::new(acquire(ticket))),
                begin: Box::new(begin),
            }))),
        }
    }

    fn ask(plan: Box<Plan>) -> Next<State> {
        let components: Vec<_> = plan.target.components().map(KerberosString::new).collect();
        let request = TgtReq {
            server_name: Some(PrincipalName {
                name_type: plan.target.name_type().0,
                name_string: SequenceOf::new(&components),
            }),
            realm: Some(KerberosString::new(plan.target.realm())),
        };
        let token = Framed::As(Oid::KERBEROS_USER_TO_USER).frame(TokenId::TgtReq, &request);
        Next::On(State::Asked(plan), Step::Continue { token })
    }

    fn answered(
        &self,
        plan: Plan,
        token: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        let (length, limit) = (token.len(), env.policy.max_token());
        if length > limit {
            return Err(ErrorKind::TokenTooLarge { length, limit }.into());
        }
        let (framed, id, message) = unframe_any(token)?;
        if !framed.answers(Oid::KERBEROS_USER_TO_USER) {
            return Err(ErrorKind::WrongMechanism.into());
        }
        match id {
            Some(id) if id == TokenId::TgtRep.to_bytes() => {}
            Some(id) if id == TokenId::KrbError.to_bytes() => {
                let code = krb_error::decode(message)?.code;
                return Err(ErrorKind::PeerError { code }.into());
            }
            Some(found) => return Err(ErrorKind::WrongTokenId { found }.into()),
            None => return Err(ErrorKind::FramingMismatch.into()),
        }
        let reply = TgtRep::from_der(message).map_err(ErrorKind::DefectiveToken)?;
        let ticket = reply.ticket;
        let server = Principal::from_token(ticket.realm.unverified(), ticket.sname.unverified());
        // RFC 4120 §3.3.3: the additional ticket is one for the ticket-granting service.
        if server.component(0) != Some(b"krbtgt") {
            return Err(ErrorKind::PeerTicketUnfit.into());
        }
        let key = KeyBlock::from_parts(0, &[]);
        let peer = TicketCredential::new(plan.target, server, key, ticket.raw().to_vec());
        let acquiring = Acquiring {
            exchange: (plan.acquire)(Arc::new(peer)),
            begin: plan.begin,
        };
        self.advance(acquiring, None, env)
    }

    fn advance(
        &self,
        mut acquiring: Acquiring,
        answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        match acquiring.exchange.step(answer, env)? {
            ExchangeStep::Send(request) => {
                let need = Step::Need(Need::Kdc(request));
                Ok(Next::On(State::Acquiring(Box::new(acquiring)), need))
            }
            ExchangeStep::Done(ticket) => {
                let mut initiator = (acquiring.begin)(ticket);
                if self.integrity {
                    initiator.ask_integrity();
                }
                let step = initiator.step(None, env)?;
                Ok(Next::On(State::Exchange(Box::new(initiator)), step))
            }
        }
    }
}

impl Staged<State> for UserToUserInitiator {
    fn stage(&mut self) -> &mut Stage<State> {
        &mut self.state
    }
}

impl Mechanism for UserToUserInitiator {
    fn mechanism(&self) -> Oid<'static> {
        Oid::KERBEROS_USER_TO_USER
    }

    fn session_key(&self) -> Option<SessionKey<'_>> {
        match &self.state {
            Stage::On(State::Exchange(initiator)) => initiator.session_key(),
            _ => None,
        }
    }

    fn step(&mut self, token: Option<&[u8]>, env: &mut Environment<'_>) -> Result<Step, Error> {
        self.play(|this, state| match (state, token) {
            (State::Exchange(mut initiator), token) => {
                let step = initiator.step(token, env);
                Ok(Next::Within(State::Exchange(initiator), step))
            }
            (state @ State::Acquiring(_), _) => Ok(Next::Unexpected(state)),
            (State::Start(plan), None) => Ok(Self::ask(plan)),
            (State::Start(_), Some(_)) => Err(ErrorKind::TokenUnexpected.into()),
            (State::Asked(_), None) => Err(ErrorKind::TokenMissing.into()),
            (State::Asked(plan), Some(token)) => this.answered(*plan, token, env),
        })
    }

    fn ask_integrity(&mut self) {
        self.integrity = true;
    }

    fn resume(&mut self, answer: Answer, env: &mut Environment<'_>) -> Result<Step, Error> {
        self.play(|this, state| match (state, answer) {
            (State::Acquiring(acquiring), Answer::Kdc(answer)) => {
                this.advance(*acquiring, Some(answer), env)
            }
            (State::Exchange(mut initiator), answer) => {
                let step = initiator.resume(answer, env);
                Ok(Next::Within(State::Exchange(initiator), step))
            }
            (state, _) => Ok(Next::Unexpected(state)),
        })
    }
}
