//! From a credential to a ticket: through the cache, the AS and the TGS exchange.
//!
//! ```text
//!             ┌─ the ticket is in the cache ────────────────────────────▶ Over
//!   Deciding ─┼─ a TGT is missing:      AS, or renewal ─┐
//!      ▲      ├─ S4U evidence is missing:      S4U2self ─┤
//!      │      └─ the ticket is missing: TGS, S4U2proxy ─┤
//!      └────────── kept in the cache ◀──────────────────┘
//!
//!   any state ── error ──▶ Over, which repeats the error
//! ```

mod target;

use std::sync::Arc;

use countersign_credential::{Principal, TicketCredential};
use countersign_token::kerberos::TicketFlags;

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, KdcProblem};

use super::client_credential::{ClientCredential, Source};
use super::ended::Ended;
use super::exchange::{Exchange, ExchangeStep, KdcAnswer};
use super::initial::InitialTicket;
use super::secret::ClientSecret;
use super::service_ticket::ServiceTicket;
use super::tickets::{TicketKey, TicketKind, Tickets};

pub use target::Target;

/// More exchanges than any ticket needs: an AS, a renewal, an S4U2self, an S4U2proxy.
const MAX_EXCHANGES: u8 = 8;

/// Obtains a ticket for a credential's client: from its cache, or by as many exchanges as it takes.
///
/// ```
/// use countersign_context::credential::{Principal, ServiceName};
/// use countersign_context::kerberos::kdc::{
///     Acquisition, ClientCredential, Exchange, ExchangeStep, KdcAnswer,
/// };
/// use countersign_context::{Environment, Timestamp};
/// # let kdc = countersign_testkit::Kdc::builder("EXAMPLE.COM")
/// #     .user("alice", "open sesame")
/// #     .service("HTTP/www.example.com")
/// #     .build()?;
/// # let mut random = countersign_testkit::SeededRandom::new(1);
/// # let now = Timestamp::from_unix(countersign_testkit::NOW);
///
/// let alice = ClientCredential::password(Principal::parse("alice@EXAMPLE.COM")?, "open sesame");
/// let mut acquisition = Acquisition::new(&alice, &ServiceName::parse("HTTP/www.example.com")?);
/// let mut env = Environment::new(now, &mut random);
/// let mut answer = None;
/// let ticket = loop {
///     match acquisition.step(answer, &mut env)? {
///         // A driver sends it to a KDC of `request.realm`.
///         ExchangeStep::Send(request) => {
///             answer = Some(KdcAnswer::Reply(kdc.answer(&request.message)));
///         }
///         ExchangeStep::Done(ticket) => break ticket,
///     }
/// };
/// assert_eq!(ticket.server.to_string(), "HTTP/www.example.com@EXAMPLE.COM");
/// assert_eq!(alice.tickets().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Acquisition {
    credential: ClientCredential,
    want: Want,
    tgt: Option<Arc<TicketCredential>>,
    evidence: Option<Arc<TicketCredential>>,
    exchanges: u8,
    state: State,
}

#[derive(Debug)]
enum Want {
    TicketGranting,
    Forwarded,
    Service(Principal),
    UserToUser(Principal, Arc<TicketCredential>),
}

#[derive(Debug)]
enum State {
    Deciding,
    Running(Running),
    Over(Ended),
}

#[derive(Debug)]
enum Running {
    /// For the ticket-granting ticket.
    Initial(Box<InitialTicket>),
    /// As well, with the old one to fall back upon.
    Renewal(Box<ServiceTicket>, Arc<TicketCredential>),
    /// For the ticket-granting ticket of the service that acts for the client.
    Service(Box<Acquisition>),
    Evidence(Box<ServiceTicket>),
    Wanted(Box<ServiceTicket>),
}

enum Decision {
    Run(Running),
    Done(Arc<TicketCredential>),
}

impl Acquisition {
    fn with_want(credential: &ClientCredential, want: Want) -> Self {
        Self {
            credential: credential.clone(),
            want,
            tgt: None,
            evidence: None,
            exchanges: 0,
            state: State::Deciding,
        }
    }

    /// A ticket for a service.
    #[must_use]
    pub fn new(credential: &ClientCredential, target: impl Into<Target>) -> Self {
        let service = target.into().in_first_realm(credential);
        Self::with_want(credential, Want::Service(service))
    }

    /// A user-to-user ticket for whoever has `peer`, a ticket-granting ticket (RFC 4120 §3.7).
    #[must_use]
    pub fn user_to_user(
        credential: &ClientCredential,
        target: impl Into<Target>,
        peer: impl Into<Arc<TicketCredential>>,
    ) -> Self {
        let service = target.into().in_first_realm(credential);
        Self::with_want(credential, Want::UserToUser(service, peer.into()))
    }

    /// The client's own ticket-granting ticket: what `kinit` is for.
    #[must_use]
    pub fn ticket_granting_ticket(credential: &ClientCredential) -> Self {
        Self::with_want(credential, Want::TicketGranting)
    }

    /// A forwarded ticket-granting ticket, to be delegated. The client's own must be forwardable.
    #[must_use]
    pub fn forwarded(credential: &ClientCredential) -> Self {
        Self::with_want(credential, Want::Forwarded)
    }

    /// What is fetched. Of acquisitions with equal keys from credentials that share their tickets,
    /// one that finishes serves all.
    #[must_use]
    pub fn key(&self) -> TicketKey {
        let client = self.credential.client();
        match &self.want {
            Want::TicketGranting => TicketKey::initial(client),
            Want::Forwarded => {
                let initial = TicketKey::initial(client);
                TicketKey::new(client, initial.server(), TicketKind::Forwarded)
            }
            Want::Service(service) => self.credential.ticket_key(service),
            Want::UserToUser(service, peer) => TicketKey::user_to_user(client, service, peer),
        }
    }

    /// The credential's tickets, among which the outcome is going to be.
    #[must_use]
    pub fn tickets(&self) -> &Tickets {
        self.credential.tickets()
    }

    fn decide(&mut self, env: &Environment<'_>) -> Result<Decision, ErrorKind> {
        let now = env.now.seconds();
        let inner = self.credential.inner();
        let permitted = env.policy.enctypes();
        let permitted = inner
            .enctypes
            .map_or(permitted, |asked| asked.and(permitted));
        if let Some(ticket) = self.tickets().find(&self.key(), Some(permitted), now) {
            return Ok(Decision::Done(ticket));
        }
        self.exchanges = self.exchanges.saturating_add(1);
        if self.exchanges > MAX_EXCHANGES {
            return Err(ErrorKind::Internal("an acquisition that does not end"));
        }
        match &inner.source {
            Source::Secret(_) | Source::Tickets => self.decide_own(now),
            Source::OnBehalf { .. } => self.decide_on_behalf(now),
        }
    }

    fn decide_own(&self, now: i64) -> Result<Decision, ErrorKind> {
        let inner = self.credential.inner();
        let tickets = self.tickets();
        let initial = TicketKey::initial(&inner.client);
        let found = (self.tgt.clone()).or_else(|| tickets.find(&initial, None, now));
        let tgt = match (found, &inner.source) {
            (Some(tgt), _) => tgt,
            (None, Source::Secret(secret)) => {
                let exchange = self.initial_exchange(secret);
                return Ok(Decision::Run(Running::Initial(Box::new(exchange))));
            }
            // No secret: what there is is renewed if it can be (RFC 4120 §2.3), and used to its
            // end if not.
            (None, _) => {
                let ending = self.ending(now).ok_or(ErrorKind::CredentialMissing)?;
                if is_renewable(&ending, now.saturating_add(tickets.time_offset())) {
                    let exchange = ServiceTicket::renew(Arc::clone(&ending));
                    let exchange = self.settled(exchange, &self.credential, now);
                    return Ok(Decision::Run(Running::Renewal(Box::new(exchange), ending)));
                }
                ending
            }
        };
        let exchange = match &self.want {
            Want::TicketGranting => return Ok(Decision::Done(tgt)),
            Want::Forwarded => ServiceTicket::forward(tgt),
            Want::Service(service) => ServiceTicket::new(tgt, service.clone()),
            Want::UserToUser(service, peer) => {
                ServiceTicket::user_to_user(tgt, service.clone(), Arc::clone(peer))
            }
        };
        let exchange = self.settled(exchange, &self.credential, now);
        Ok(Decision::Run(Running::Wanted(Box::new(exchange))))
    }

    fn initial_exchange(&self, secret: &ClientSecret) -> InitialTicket {
        let inner = self.credential.inner();
        let mut exchange = InitialTicket::new(inner.client.clone(), secret.clone())
            .options(inner.options.clone())
            .canonicalize(inner.canonicalize);
        if let Some(armor) = &inner.armor {
            exchange = exchange.armor(Arc::clone(armor));
        }
        if let Some(include) = inner.pac {
            exchange = exchange.pac_request(include);
        }
        exchange
    }

    /// A ticket-granting ticket that still holds, for a while.
    fn ending(&self, now: i64) -> Option<Arc<TicketCredential>> {
        let client = self.credential.client();
        let tickets = self.tickets();
        tickets
            .find_ending(&TicketKey::initial(client), now)
            // A cache that was filled in another realm has none of the client's own.
            .or_else(|| tickets.ticket_granting(client, now).into_iter().next())
    }

    fn decide_on_behalf(&self, now: i64) -> Result<Decision, ErrorKind> {
        let inner = self.credential.inner();
        let (
            Source::OnBehalf {
                service,
                evidence,
                unverified,
            },
            Want::Service(wanted),
        ) = (&inner.source, &self.want)
        else {
            // Nobody but the client gets its ticket-granting ticket.
            return Err(ErrorKind::CredentialMissing);
        };
        let Some(tgt) = &self.tgt else {
            let own = Self::ticket_granting_ticket(service);
            return Ok(Decision::Run(Running::Service(Box::new(own))));
        };
        let to_itself = wanted.components().eq(service.client().components());
        let evidence_key = self.credential.ticket_key(service.client());
        let evidence = (self.evidence.clone())
            .or_else(|| evidence.clone())
            .or_else(|| self.tickets().find(&evidence_key, None, now));
        match evidence {
            Some(evidence) if to_itself => Ok(Decision::Done(evidence)),
            Some(evidence) => {
                let tgt = Arc::clone(tgt);
                let exchange = ServiceTicket::s4u2proxy(tgt, evidence, wanted.clone());
                let exchange = self.settled(exchange, service, now);
                Ok(Decision::Run(Running::Wanted(Box::new(exchange))))
            }
            None => {
                let exchange = ServiceTicket::s4u2self(Arc::clone(tgt), inner.client.clone());
                let mut exchange = self.settled(exchange, service, now);
                if *unverified {
                    exchange = exchange.dangerous_accept_unverified_user();
                }
                Ok(Decision::Run(Running::Evidence(Box::new(exchange))))
            }
        }
    }

    /// The exchange as the credential wants it, with what `owner`, whose ticket-granting ticket it
    /// is made with, has and knows.
    fn settled(
        &self,
        exchange: ServiceTicket,
        owner: &ClientCredential,
        now: i64,
    ) -> ServiceTicket {
        let inner = self.credential.inner();
        let tickets = owner.tickets();
        let mut exchange = exchange
            .paths(Arc::clone(&owner.inner().paths))
            .known_tickets(tickets.ticket_granting(owner.client(), now))
            .time_offset(tickets.time_offset());
        if let Some(enctypes) = inner.enctypes {
            exchange = exchange.enctypes(enctypes);
        }
        // Only by name: Heimdal 7 says in its AS-REP that it has FAST (RFC 6806 §11), and answers
        // TGS-REQs without.
        match owner.inner().require_armor {
            true => exchange.require_armor(),
            false => exchange,
        }
    }

    /// Takes a step of the exchange that runs.
    fn run(
        &mut self,
        running: &mut Running,
        answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<Option<ExchangeStep<Arc<TicketCredential>>>, Error> {
        let now = env.now.seconds();
        match running {
            Running::Initial(exchange) => match exchange.step(answer, env) {
                // Nobody answers: what there is still holds, for a while.
                Err(error) if is_unreachable(&error) => {
                    self.tgt = Some(self.ending(now).ok_or(error)?);
                }
                Err(error) => return Err(error),
                Ok(ExchangeStep::Send(request)) => return Ok(Some(ExchangeStep::Send(request))),
                Ok(ExchangeStep::Done(outcome)) => {
                    let tickets = self.credential.tickets();
                    tickets.set_time_offset(outcome.time_offset);
                    let tgt = Arc::new(outcome.credential);
                    if outcome.fast_supported || outcome.armored {
                        tickets.note_fast(tgt.server.component(1).unwrap_or_default());
                    }
                    self.keep_tgt(tgt, now);
                }
            },
            Running::Renewal(exchange, ending) => match exchange.step(answer, env) {
                Ok(ExchangeStep::Send(request)) => return Ok(Some(ExchangeStep::Send(request))),
                Ok(ExchangeStep::Done(outcome)) => self.keep_tgt(outcome.credential, now),
                // It still holds, for a while.
                Err(_) => self.tgt = Some(Arc::clone(ending)),
            },
            Running::Service(acquisition) => match acquisition.step(answer, env)? {
                ExchangeStep::Send(request) => return Ok(Some(ExchangeStep::Send(request))),
                ExchangeStep::Done(tgt) => self.tgt = Some(tgt),
            },
            Running::Evidence(exchange) | Running::Wanted(exchange) => {
                let outcome = match exchange.step(answer, env) {
                    Err(error) if is_unreachable(&error) => {
                        let ending = self.tickets().find_ending(&self.key(), now);
                        return Ok(Some(ExchangeStep::Done(ending.ok_or(error)?)));
                    }
                    Err(error) => return Err(error),
                    Ok(ExchangeStep::Send(request)) => {
                        return Ok(Some(ExchangeStep::Send(request)));
                    }
                    Ok(ExchangeStep::Done(outcome)) => outcome,
                };
                self.keep_on_the_way(&outcome.intermediate, outcome.time_offset, now);
                let wanted = matches!(running, Running::Wanted(_));
                let key = match &self.credential.inner().source {
                    Source::OnBehalf { service, .. } if !wanted => {
                        self.credential.ticket_key(service.client())
                    }
                    _ => self.key(),
                };
                let ticket = outcome.credential;
                self.tickets().insert(key, Arc::clone(&ticket), now);
                if wanted {
                    return Ok(Some(ExchangeStep::Done(ticket)));
                }
                self.evidence = Some(ticket);
            }
        }
        Ok(None)
    }

    fn keep_tgt(&mut self, tgt: Arc<TicketCredential>, now: i64) {
        let initial = TicketKey::initial(self.credential.client());
        self.tickets().insert(initial, Arc::clone(&tgt), now);
        self.tgt = Some(tgt);
    }

    /// Ticket-granting tickets of other realms belong to whoever asked for them.
    fn keep_on_the_way(&self, tgts: &[Arc<TicketCredential>], time_offset: i64, now: i64) {
        let owner = match &self.credential.inner().source {
            Source::OnBehalf { service, .. } => service,
            Source::Secret(_) | Source::Tickets => &self.credential,
        };
        owner.tickets().set_time_offset(time_offset);
        for tgt in tgts {
            let key = TicketKey::new(owner.client(), &tgt.server, TicketKind::Own);
            owner.tickets().insert(key, Arc::clone(tgt), now);
        }
    }

    fn advance(
        &mut self,
        mut answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<(State, ExchangeStep<Arc<TicketCredential>>), Error> {
        let interrupted = State::Over(Ended::Interrupted);
        let mut running = match core::mem::replace(&mut self.state, interrupted) {
            State::Running(running) => Some(running),
            State::Deciding if answer.is_some() => return Err(ErrorKind::UnexpectedCall.into()),
            State::Deciding | State::Over(_) => None,
        };
        loop {
            let mut current = match running.take() {
                Some(running) => running,
                None => match self.decide(env)? {
                    Decision::Run(running) => running,
                    Decision::Done(ticket) => {
                        return Ok((State::Over(Ended::Done), ExchangeStep::Done(ticket)));
                    }
                },
            };
            match self.run(&mut current, answer.take(), env)? {
                Some(ExchangeStep::Send(request)) => {
                    return Ok((State::Running(current), ExchangeStep::Send(request)));
                }
                Some(done) => return Ok((State::Over(Ended::Done), done)),
                None => {}
            }
        }
    }
}

fn is_renewable(ticket: &TicketCredential, now: i64) -> bool {
    ticket.flags.contains(TicketFlags::RENEWABLE)
        && ticket.times.renew_till > ticket.times.end_time
        && now < ticket.times.end_time
}

fn is_unreachable(error: &Error) -> bool {
    error.kind() == ErrorKind::Kdc(KdcProblem::Unreachable)
}

impl Exchange for Acquisition {
    type Output = Arc<TicketCredential>;

    fn step(
        &mut self,
        answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<ExchangeStep<Self::Output>, Error> {
        if let State::Over(ended) = &self.state {
            return Err(ended.error());
        }
        match self.advance(answer, env) {
            Ok((state, step)) => {
                self.state = state;
                Ok(step)
            }
            Err(error) => {
                self.state = State::Over(Ended::Failed(error.clone()));
                Err(error)
            }
        }
    }
}
