//! The initiator that has its messages passed on.
//!
//! ```text
//!              request of the KDC exchange, in a token
//!   Start ────────────────────────────────────────────▶ Proxied ◀─┐
//!     │                                                   │ │     │ reply: the next request
//!     │ the ticket is there already                       │ └─────┘
//!     │                         the exchange has its ticket: AP-REQ
//!     └──────────────────────────▶ Exchange ◀─────────────┘
//!                                     └──▶ as the initiator of Kerberos
//!
//!   any state ── error ──▶ Failed, which repeats the error
//! ```

use core::fmt;
use std::sync::Arc;

use countersign_credential::TicketCredential;
use countersign_token::der::Decode;
use countersign_token::kerberos::KrbError;
use countersign_token::kerberos::iakerb::{Dialect, IakerbHeader, KDC_NO_RESPONSE, KDC_NOT_FOUND};
use countersign_token::oid::Oid;

use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::kerberos::framing::unframe_any;
use crate::kerberos::initiator::Initiator;
use crate::kerberos::kdc::{Exchange, ExchangeStep, KdcAnswer, KdcRequest, KdcService};
use crate::kerberos::krb_error;
use crate::security_context::SessionKey;
use crate::stage::{Next, Stage, Staged};
use crate::step::{Answer, Mechanism, Step};

use super::{Conversation, Proxied, Received, proxy_token, receive};

/// The initiator of a Kerberos context that reaches KDCs through the acceptor alone.
///
/// It runs any [`Exchange`] that ends with a service ticket, each request and reply in a token of
/// the context, and then the AP exchange with that ticket. The acceptor learns the client's name,
/// and can withhold or alter messages as anybody on the path to a KDC can; it learns no secret.
/// Against its guessing a password from what it sees, use FAST.
///
/// ```
/// use countersign_context::credential::{Principal, ServiceName};
/// use countersign_context::kerberos::kdc::{Acquisition, ClientCredential};
/// use countersign_context::kerberos::{IakerbDialect, IakerbInitiator, Initiator};
/// use countersign_context::Flags;
///
/// let alice = ClientCredential::password(Principal::parse("alice@EXAMPLE.COM")?, "open sesame");
/// let service = ServiceName::parse("HTTP/www.example.com")?;
/// let initiator = IakerbInitiator::new(Acquisition::new(&alice, &service), |ticket| {
///     Initiator::new(ticket).require(Flags::CONFIDENTIALITY | Flags::INTEGRITY)
/// })
/// .dialect(IakerbDialect::Zhu); // the acceptor is MIT krb5 before 1.22
/// # drop(initiator);
/// # Ok::<(), countersign_context::credential::Error>(())
/// ```
#[derive(Debug)]
pub struct IakerbInitiator {
    dialect: Dialect,
    /// Negotiate asks for integrity.
    integrity: bool,
    state: Stage<State>,
}

#[derive(Debug)]
enum State {
    Start(Box<Acquiring>),
    /// The reply of a KDC is due.
    Proxied(Box<Acquiring>),
    /// The AP exchange.
    Exchange(Box<Initiator>),
}

type Begin = Box<dyn FnOnce(Arc<TicketCredential>) -> Initiator + Send + Sync>;

struct Acquiring {
    exchange: Box<dyn Exchange<Output = Arc<TicketCredential>>>,
    begin: Begin,
    conversation: Conversation,
}

impl fmt::Debug for Acquiring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquiring")
            .field("exchange", &self.exchange)
            .field("conversation", &self.conversation)
            .finish_non_exhaustive()
    }
}

impl IakerbInitiator {
    /// An initiator that obtains its ticket by `exchange`, and then does what the [`Initiator`]
    /// does that `begin` makes of the ticket.
    #[must_use]
    pub fn new(
        exchange: impl Exchange<Output = Arc<TicketCredential>>,
        begin: impl FnOnce(Arc<TicketCredential>) -> Initiator + Send + Sync + 'static,
    ) -> Self {
        Self {
            dialect: Dialect::default(),
            integrity: false,
            state: Stage::On(State::Start(Box::new(Acquiring {
                exchange: Box::new(exchange),
                begin: Box::new(begin),
                conversation: Conversation::default(),
            }))),
        }
    }

    /// Speaks this dialect. An acceptor takes either; of the acceptors of others only the caller
    /// can know.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    fn advance(
        &self,
        mut acquiring: Box<Acquiring>,
        answer: Option<KdcAnswer>,
        cookie: Option<&[u8]>,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        match acquiring.exchange.step(answer, env)? {
            ExchangeStep::Send(request) => {
                let first = acquiring.conversation.bytes.is_empty();
                let token = self.wrap(&request, cookie, first)?;
                acquiring.conversation.push(&token, env.policy)?;
                acquiring.conversation.round()?;
                Ok(Next::On(
                    State::Proxied(acquiring),
                    Step::Continue { token },
                ))
            }
            ExchangeStep::Done(ticket) => {
                let Acquiring {
                    begin,
                    conversation,
                    ..
                } = *acquiring;
                let proxied = Proxied {
                    dialect: self.dialect,
                    conversation,
                };
                let mut initiator = begin(ticket).proxied(proxied);
                if self.integrity {
                    initiator.ask_integrity();
                }
                let step = initiator.step(None, env)?;
                Ok(Next::On(State::Exchange(Box::new(initiator)), step))
            }
        }
    }

    fn wrap(
        &self,
        request: &KdcRequest,
        cookie: Option<&[u8]>,
        first: bool,
    ) -> Result<Vec<u8>, ErrorKind> {
        if request.service != KdcService::Kdc {
            return Err(ErrorKind::Internal("a service that IAKERB does not reach"));
        }
        let header = IakerbHeader {
            cookie,
            ..IakerbHeader::new(self.dialect, &request.realm)
        };
        let framed = first || self.dialect.frames_every_token();
        Ok(proxy_token(&header, &request.message, framed))
    }

    fn receive(
        &self,
        mut acquiring: Box<Acquiring>,
        token: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        let (length, limit) = (token.len(), env.policy.max_token());
        if length > limit {
            return Err(ErrorKind::TokenTooLarge { length, limit }.into());
        }
        let (header, message) = match receive(token, false)? {
            Received::Proxied(header, message) => (header, message),
            // The acceptor gives up: a KRB-ERROR, or what has no place here.
            Received::Exchange => {
                let (_, id, message) = unframe_any(token)?;
                let code = krb_error::decode(message)?.code;
                return Err(match id {
                    Some([3, 0]) | None => ErrorKind::PeerError { code }.into(),
                    Some(found) => ErrorKind::WrongTokenId { found }.into(),
                });
            }
        };
        acquiring.conversation.push(token, env.policy)?;
        let unreachable = KrbError::from_der(message)
            .is_ok_and(|error| matches!(error.error_code, KDC_NOT_FOUND | KDC_NO_RESPONSE));
        let answer = match unreachable {
            true => KdcAnswer::Unreachable,
            false => KdcAnswer::Reply(message.to_vec()),
        };
        self.advance(acquiring, Some(answer), header.cookie, env)
    }
}

impl Staged<State> for IakerbInitiator {
    fn stage(&mut self) -> &mut Stage<State> {
        &mut self.state
    }
}

impl Mechanism for IakerbInitiator {
    fn mechanism(&self) -> Oid<'static> {
        Oid::IAKERB
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
            (State::Start(acquiring), None) => this.advance(acquiring, None, None, env),
            (State::Start(_), Some(_)) => Err(ErrorKind::TokenUnexpected.into()),
            (State::Proxied(_), None) => Err(ErrorKind::TokenMissing.into()),
            (State::Proxied(acquiring), Some(token)) => this.receive(acquiring, token, env),
        })
    }

    fn ask_integrity(&mut self) {
        self.integrity = true;
    }

    fn resume(&mut self, answer: Answer, env: &mut Environment<'_>) -> Result<Step, Error> {
        self.play(|_, state| {
            Ok::<_, Error>(match state {
                State::Exchange(mut initiator) => {
                    let step = initiator.resume(answer, env);
                    Next::Within(State::Exchange(initiator), step)
                }
                state => Next::Unexpected(state),
            })
        })
    }
}
