//! Changing a password: RFC 3244, and the protocol of version 1 before it.
//!
//! ```text
//!   Ticket ── AS exchange for kadmin/changepw ──▶ Ready ── request ──▶ Waiting ── reply ──▶ Over
//!                                                                      │     ▲
//!                                                                      └─────┘ unreachable by
//!                                                                      stream: by datagram, once
//!   any state ── error ──▶ Over, which repeats the error
//! ```

use core::fmt;
use std::sync::Arc;

use countersign_credential::{HostAddress, NameType, Password, Principal, TicketCredential};
use countersign_crypto::wiping_stack;
use countersign_token::kerberos::kpasswd::{KpasswdResult, PasswordPolicy};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, KdcProblem};

use super::ended::Ended;
use super::exchange::{Exchange, ExchangeStep, KdcAnswer, KdcRequest, KdcService};
use super::initial::InitialTicket;
use super::options::TicketOptions;
use super::password_message::{Answer, Change, Sent};
use super::secret::ClientSecret;

/// Changes a password: the client's own, or, where an administrator's ticket permits it,
/// another's (RFC 3244 §2).
///
/// It first obtains an initial ticket for `kadmin/changepw` with the old password, which a KDC
/// gives also when that has expired. The output says what the service made of the new password;
/// an error means that the service was not reached or could not be believed, and that nobody knows
/// whether the password was changed.
///
/// ```
/// use countersign_context::credential::Principal;
/// use countersign_context::kerberos::kdc::{ClientSecret, Exchange, ExchangeStep, PasswordChange};
/// use countersign_context::{Environment, Timestamp};
/// # use countersign_testkit::SeededRandom;
/// # let mut random = SeededRandom::new(1);
/// # let mut env = Environment::new(Timestamp::from_unix(1_700_000_000), &mut random);
///
/// let alice = Principal::parse("alice@EXAMPLE.COM")?;
/// let mut change = PasswordChange::new(alice, ClientSecret::password("old"), "new");
/// let ExchangeStep::Send(request) = change.step(None, &mut env)? else { panic!() };
/// assert_eq!(request.realm, b"EXAMPLE.COM");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PasswordChange {
    new: Password,
    target: Option<Principal>,
    sender: HostAddress,
    state: State,
}

/// What the password-changing service says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PasswordChangeOutcome {
    /// Whether the password is changed, and why it is not.
    pub result: PasswordChangeResult,
    /// The service's words for people, without control characters.
    pub text: Option<String>,
    /// The domain's policy, which Active Directory sends in the place of words.
    pub policy: Option<PasswordPolicy>,
    /// The service proved who it is. It does so before it says that the password is changed; a
    /// refusal may be anybody's.
    pub authenticated: bool,
}

/// A result code of RFC 3244 §2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordChangeResult {
    /// The password is changed.
    Changed,
    /// The request is malformed, it says.
    Malformed,
    /// The service could not do it.
    HardError,
    /// The request could not be verified, it says.
    AuthenticationError,
    /// The new password is refused, or it is too early for another.
    PasswordRefused,
    /// The client may not set this principal's password.
    AccessDenied,
    /// The service does not know this version of the protocol.
    BadVersion,
    /// The ticket must be one from the AS exchange.
    InitialTicketNeeded,
    /// A code that has no name.
    Other(u16),
}

enum State {
    /// The ticket is being obtained.
    Ticket(Box<InitialTicket>),
    /// A ticket is there.
    Ready(Arc<TicketCredential>),
    Waiting(Box<Waiting>),
    Over(Ended),
}

struct Waiting {
    realm: Vec<u8>,
    sent: Sent,
    ticket: Arc<TicketCredential>,
    by_datagram: bool,
}

/// What follows an answer.
enum Next {
    Send(State, KdcRequest),
    Done(PasswordChangeOutcome),
}

impl PasswordChange {
    /// Changes the password of `client`, whose old secret this is, to `new`.
    #[must_use]
    pub fn new(client: Principal, secret: ClientSecret, new: impl Into<Password>) -> Self {
        let service = changing_service(client.realm());
        let initial = InitialTicket::new(client, secret).service(service);
        Self::in_state(State::Ticket(Box::new(initial)), new.into())
    }

    /// Changes a password with a ticket for `kadmin/changepw` that is there already.
    #[must_use]
    pub fn with_ticket(ticket: impl Into<Arc<TicketCredential>>, new: impl Into<Password>) -> Self {
        Self::in_state(State::Ready(ticket.into()), new.into())
    }

    fn in_state(state: State, new: Password) -> Self {
        Self {
            new,
            target: None,
            // The sender's address is not known here, and nobody relies on it.
            sender: HostAddress {
                addr_type: 2,
                address: vec![0; 4],
            },
            state,
        }
    }

    /// Sets the password of `target` instead of the client's own.
    #[must_use]
    pub fn of(mut self, target: Principal) -> Self {
        self.target = Some(target);
        self
    }

    /// The address to give as the sender's (RFC 4120 §5.7.1), for a service that compares it.
    #[must_use]
    pub fn sender_address(mut self, address: HostAddress) -> Self {
        self.sender = address;
        self
    }

    /// Obtains the ticket inside of FAST armor, as [`InitialTicket::armor`]. It has no effect where
    /// the ticket is there already.
    #[must_use]
    pub fn armor(mut self, ticket: impl Into<Arc<TicketCredential>>) -> Self {
        self.state = match self.state {
            State::Ticket(initial) => State::Ticket(Box::new(initial.armor(ticket))),
            other => other,
        };
        self
    }

    /// What the ticket is to be; the KDC makes it short whatever is asked.
    #[must_use]
    pub fn options(mut self, options: TicketOptions) -> Self {
        self.state = match self.state {
            State::Ticket(initial) => State::Ticket(Box::new(initial.options(options))),
            other => other,
        };
        self
    }

    fn request(
        &self,
        ticket: Arc<TicketCredential>,
        offset: i64,
        env: &mut Environment<'_>,
    ) -> Result<Next, ErrorKind> {
        // RFC 3244 §2: a ticket for that service, and no other, proves a wish to change passwords.
        let realm = ticket.server.realm().to_vec();
        if ticket.server != changing_service(&realm) {
            return Err(KdcProblem::ServiceUnknown.into());
        }
        let sent = Change {
            ticket: &ticket,
            new: &self.new,
            target: self.target.as_ref(),
            sender: &self.sender,
        }
        .encode(env.now.offset_by(offset), env)?;
        Ok(Waiting {
            realm,
            sent,
            ticket,
            by_datagram: false,
        }
        .send())
    }

    fn advance(
        &self,
        state: State,
        answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<Next, ErrorKind> {
        match (state, answer) {
            (State::Ticket(mut initial), answer) => {
                match initial.step(answer, env).map_err(|error| error.kind())? {
                    ExchangeStep::Send(request) => Ok(Next::Send(State::Ticket(initial), request)),
                    ExchangeStep::Done(outcome) => {
                        let offset = outcome.time_offset;
                        self.request(Arc::new(outcome.credential), offset, env)
                    }
                }
            }
            (State::Ready(ticket), None) => self.request(ticket, 0, env),
            (State::Waiting(waiting), Some(KdcAnswer::Unreachable)) if !waiting.by_datagram => {
                // There are services that know datagrams only. A request that arrived after all
                // is a replay the second time.
                Ok(Waiting {
                    by_datagram: true,
                    ..*waiting
                }
                .send())
            }
            (State::Waiting(_), Some(KdcAnswer::Unreachable)) => {
                Err(KdcProblem::Unreachable.into())
            }
            (State::Waiting(waiting), Some(KdcAnswer::Reply(message))) => {
                let (length, limit) = (message.len(), env.policy.max_token());
                if length > limit {
                    return Err(ErrorKind::TokenTooLarge { length, limit });
                }
                let answer = waiting.sent.open(&waiting.ticket, &message, env)?;
                Ok(Next::Done(answer.into()))
            }
            _ => Err(ErrorKind::UnexpectedCall),
        }
    }
}

impl Waiting {
    fn send(self) -> Next {
        let request = KdcRequest {
            realm: self.realm.clone(),
            service: KdcService::PasswordChange,
            message: self.sent.message.clone(),
            // A stream delivers it once.
            stream_only: !self.by_datagram,
        };
        Next::Send(State::Waiting(Box::new(self)), request)
    }
}

/// RFC 3244 §2: `kadmin/changepw`.
fn changing_service(realm: &[u8]) -> Principal {
    Principal::new(realm, ["kadmin", "changepw"], NameType::SRV_INST)
}

impl PasswordChangeOutcome {
    /// Whether the password is changed.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.result == PasswordChangeResult::Changed
    }
}

impl From<Answer> for PasswordChangeOutcome {
    fn from(answer: Answer) -> Self {
        type R = PasswordChangeResult;
        let result = KpasswdResult {
            code: answer.code,
            string: &answer.string,
        };
        Self {
            result: match result.code {
                KpasswdResult::SUCCESS => R::Changed,
                KpasswdResult::MALFORMED => R::Malformed,
                KpasswdResult::HARD_ERROR => R::HardError,
                KpasswdResult::AUTHENTICATION_ERROR => R::AuthenticationError,
                KpasswdResult::SOFT_ERROR => R::PasswordRefused,
                KpasswdResult::ACCESS_DENIED => R::AccessDenied,
                KpasswdResult::BAD_VERSION => R::BadVersion,
                KpasswdResult::INITIAL_FLAG_NEEDED => R::InitialTicketNeeded,
                code => R::Other(code),
            },
            text: result.text().map(for_people),
            policy: result.policy(),
            authenticated: answer.authenticated,
        }
    }
}

/// The text as it can be shown anywhere: no escape sequence, no line that looks like another's.
fn for_people(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(1_024)
        .collect()
}

impl fmt::Display for PasswordChangeResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "the password is changed",
            Self::Malformed => "the service could not read the request: look into its log",
            Self::HardError => "the service failed: look into its log, then try again",
            Self::AuthenticationError => {
                "the service could not verify the request: try again; if it stays so, compare the \
                 clocks"
            }
            Self::PasswordRefused => {
                "the new password is refused: choose a longer or less ordinary one that was not \
                 used before, or wait if it was changed a short time ago"
            }
            Self::AccessDenied => {
                "the client may not set this password: have an administrator do it"
            }
            Self::BadVersion => "the service does not know this version of the protocol",
            Self::InitialTicketNeeded => {
                "the service wants a ticket that was obtained with a password: obtain one"
            }
            Self::Other(code) => {
                return write!(f, "the password is not changed, code {code}");
            }
        })
    }
}

impl PasswordChange {
    fn turn(
        &mut self,
        answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<ExchangeStep<PasswordChangeOutcome>, Error> {
        let placeholder = State::Over(Ended::Interrupted);
        let state = core::mem::replace(&mut self.state, placeholder);
        if let State::Over(ended) = state {
            let error = ended.error();
            self.state = State::Over(ended);
            return Err(error);
        }
        match self.advance(state, answer, env) {
            Ok(Next::Send(state, request)) => {
                self.state = state;
                Ok(ExchangeStep::Send(request))
            }
            Ok(Next::Done(outcome)) => {
                self.state = State::Over(Ended::Done);
                Ok(ExchangeStep::Done(outcome))
            }
            Err(kind) => {
                let error = Error::new(kind);
                self.state = State::Over(Ended::Failed(error.clone()));
                Err(error)
            }
        }
    }
}

impl Exchange for PasswordChange {
    type Output = PasswordChangeOutcome;

    fn step(
        &mut self,
        answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<ExchangeStep<PasswordChangeOutcome>, Error> {
        wiping_stack(|| self.turn(answer, env))
    }
}

impl fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Ticket(_) => "Ticket",
            State::Ready(_) => "Ready",
            State::Waiting(_) => "Waiting",
            State::Over(_) => "Over",
        };
        f.debug_struct("PasswordChange")
            .field("target", &self.target)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
