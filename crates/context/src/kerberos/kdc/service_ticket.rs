//! The TGS exchange: from a ticket-granting ticket to a ticket for a service, RFC 4120 §3.3.
//!
//! ```text
//!   Start ──▶ Asked ──┬─ ticket ─────────────────────────────────▶ Over
//!               ▲     │
//!               │     ├─ TGT on the way to a realm, or a referral: its KDC is asked next
//!               │     ├─ no such TGT, and the way is nobody's decision: a nearer realm's
//!               │     ├─ KRB_ERR_RESPONSE_TOO_BIG, once a request: the same over a stream
//!               │     └─ KRB_AP_ERR_SKEW, once: at the KDC's time
//!               └─────┘
//!   any state ── error ──▶ Over, which repeats the error
//! ```

mod goal;
mod reply;
mod turn;
mod walk;

use std::sync::Arc;

use countersign_credential::{Principal, TicketCredential};
use countersign_crypto::wiping_stack;
use countersign_token::kerberos::{KdcOptions, TicketFlags};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, KdcProblem};
use crate::policy::EnctypeSet;

use super::ended::Ended;
use super::exchange::{Exchange, ExchangeStep, KdcAnswer};
use super::options::TicketOptions;
use super::path::RealmPaths;

use goal::Goal;
use turn::{Asked, Turn, inherited};
use walk::Walk;

/// Asks ticket-granting services for a ticket: RFC 4120 §3.3, RFC 6806 §8, MS-SFU.
///
/// Follows referrals from realm to realm, at most ten and none twice. Every request proves the
/// session key of the ticket that it is made with by a keyed checksum over its body, and carries a
/// fresh subkey; a reply that is not encrypted in that subkey is refused.
///
/// ```
/// use std::sync::Arc;
///
/// use countersign_context::credential::Principal;
/// use countersign_context::kerberos::kdc::{Exchange, ExchangeStep, ServiceTicket};
/// use countersign_context::{Environment, Timestamp};
/// # let realm = countersign_testkit::Realm::new("EXAMPLE.COM", 1);
/// # let tgt = realm.ticket("alice", "krbtgt/EXAMPLE.COM").mint()?;
/// # let mut random = countersign_testkit::SeededRandom::new(1);
/// # let now = Timestamp::from_unix(countersign_testkit::NOW);
///
/// let service = Principal::parse("HTTP/www.example.com@EXAMPLE.COM")?;
/// let mut exchange = ServiceTicket::new(tgt, service);
/// let mut env = Environment::new(now, &mut random);
/// match exchange.step(None, &mut env)? {
///     ExchangeStep::Send(request) => assert_eq!(request.realm, b"EXAMPLE.COM"),
///     ExchangeStep::Done(_) => unreachable!("nobody was asked"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ServiceTicket {
    goal: Goal,
    settings: Settings,
    walk: Walk,
    state: State,
}

/// What a [`ServiceTicket`] exchange brought.
#[derive(Debug)]
#[non_exhaustive]
pub struct ServiceTicketOutcome {
    /// The ticket that was asked for. Its `server` is the name that the KDC authenticated, which
    /// with canonicalization may be another than the one that was asked for.
    pub credential: Arc<TicketCredential>,
    /// The ticket-granting tickets of the realms on the way, worth keeping.
    pub intermediate: Vec<Arc<TicketCredential>>,
    /// Seconds that the KDC's clock is ahead of ours, as far as was learned.
    pub time_offset: i64,
}

#[derive(Debug)]
struct Settings {
    options: TicketOptions,
    canonicalize: bool,
    unchecked_transit: bool,
    paths: Arc<RealmPaths>,
    known: Vec<Arc<TicketCredential>>,
    enctypes: Option<EnctypeSet>,
    time_offset: i64,
    armored: Armored,
    unverified_user: bool,
}

/// Which KDCs are asked inside of FAST.
#[derive(Debug)]
enum Armored {
    /// Those of the realms that are known to have it.
    In(Vec<Vec<u8>>),
    Everywhere,
}

#[derive(Debug)]
enum State {
    Start,
    Asked(Box<Asked>),
    Over(Ended),
}

impl ServiceTicket {
    fn with_goal(header: Arc<TicketCredential>, first: &[u8], goal: Goal) -> Self {
        Self {
            walk: Walk::new(header, first),
            goal,
            settings: Settings {
                options: TicketOptions::default(),
                canonicalize: true,
                unchecked_transit: false,
                paths: Arc::default(),
                known: Vec::new(),
                enctypes: None,
                time_offset: 0,
                armored: Armored::In(Vec::new()),
                unverified_user: false,
            },
            state: State::Start,
        }
    }

    /// A ticket for `service`. The first realm that is asked for it is the service's; if that is
    /// empty, the one that `tgt` is for, whose KDC can refer to another (RFC 6806 §8).
    #[must_use]
    pub fn new(tgt: impl Into<Arc<TicketCredential>>, service: Principal) -> Self {
        let first = service.realm().to_vec();
        let goal = Goal::Service {
            service,
            flags: KdcOptions::NONE,
            second: None,
        };
        Self::with_goal(tgt.into(), &first, goal)
    }

    /// `ticket` once more with a later end (RFC 4120 §3.3.3, RENEW); it must be renewable and
    /// still valid.
    #[must_use]
    pub fn renew(ticket: impl Into<Arc<TicketCredential>>) -> Self {
        Self::with_goal(ticket.into(), b"", Goal::Again(KdcOptions::RENEW))
    }

    /// A postdated `ticket` without its INVALID flag, after its start (RFC 4120 §3.3.3, VALIDATE).
    #[must_use]
    pub fn validate(ticket: impl Into<Arc<TicketCredential>>) -> Self {
        Self::with_goal(ticket.into(), b"", Goal::Again(KdcOptions::VALIDATE))
    }

    /// A forwarded ticket-granting ticket of the same realm, to be given to a server that acts as
    /// the client (RFC 4120 §2.6). Without addresses in the options it is valid from anywhere.
    #[must_use]
    pub fn forward(tgt: impl Into<Arc<TicketCredential>>) -> Self {
        let tgt = tgt.into();
        let realm = walk::realm_of(&tgt).to_vec();
        let goal = Goal::Service {
            service: Principal::ticket_granting_service(&realm, &realm),
            flags: KdcOptions::FORWARDED | inherited(&tgt, TicketFlags::RENEWABLE),
            second: None,
        };
        Self::with_goal(tgt, &realm, goal)
    }

    /// A proxy ticket for `service`, to be used by somebody else at the addresses in the options
    /// (RFC 4120 §2.5). `ticket` is proxiable: a ticket for the service itself, which is all that
    /// MIT's KDC takes, or a ticket-granting one.
    #[must_use]
    pub fn proxy(ticket: impl Into<Arc<TicketCredential>>, service: Principal) -> Self {
        let first = service.realm().to_vec();
        let goal = Goal::Service {
            service,
            flags: KdcOptions::PROXY,
            second: None,
        };
        Self::with_goal(ticket.into(), &first, goal)
    }

    /// A user-to-user ticket (RFC 4120 §3.7): encrypted in the session key of `peer`, the
    /// ticket-granting ticket of whoever answers as `service`. Of `peer` only the ticket itself is
    /// used; its key is the peer's and is not needed.
    #[must_use]
    pub fn user_to_user(
        tgt: impl Into<Arc<TicketCredential>>,
        service: Principal,
        peer: impl Into<Arc<TicketCredential>>,
    ) -> Self {
        let first = service.realm().to_vec();
        let goal = Goal::Service {
            service,
            flags: KdcOptions::ENC_TKT_IN_SKEY,
            second: Some(peer.into()),
        };
        Self::with_goal(tgt.into(), &first, goal)
    }

    /// A ticket of `user` for the service itself, which asks on the user's behalf: S4U2self,
    /// MS-SFU §3.1.5.1. `tgt` is the service's own; its client is the service.
    ///
    /// The user's realm must be named: its KDC is asked first. The reply must prove, with a
    /// checksum in the request's subkey, that the ticket is for the user that was asked for.
    #[must_use]
    pub fn s4u2self(tgt: impl Into<Arc<TicketCredential>>, user: Principal) -> Self {
        let tgt = tgt.into();
        let first = user.realm().to_vec();
        let goal = Goal::OnBehalf {
            service: tgt.client.clone(),
            user,
        };
        Self::with_goal(tgt, &first, goal)
    }

    /// A ticket of a user for another service, obtained by the service that holds the user's
    /// `evidence` ticket for itself: S4U2proxy, MS-SFU §3.1.5.2. `tgt` is the service's own.
    /// Resource-based constrained delegation is asked for (MS-SFU §2.2.5), across realms too.
    #[must_use]
    pub fn s4u2proxy(
        tgt: impl Into<Arc<TicketCredential>>,
        evidence: impl Into<Arc<TicketCredential>>,
        service: Principal,
    ) -> Self {
        let goal = Goal::Proxy {
            service,
            evidence: evidence.into(),
        };
        // The KDC of the service that delegates goes first, wherever the other one is.
        Self::with_goal(tgt.into(), b"", goal)
    }

    /// What the ticket is to be.
    #[must_use]
    pub fn options(mut self, options: TicketOptions) -> Self {
        self.settings.options = options;
        self
    }

    /// Whether KDCs may answer with another name of the service, or refer to another realm
    /// (RFC 6806 §6 and §8). On by default.
    #[must_use]
    pub fn canonicalize(mut self, permitted: bool) -> Self {
        self.settings.canonicalize = permitted;
        self
    }

    /// The ways between realms that are configured.
    #[must_use]
    pub fn paths(mut self, paths: impl Into<Arc<RealmPaths>>) -> Self {
        self.settings.paths = paths.into();
        self
    }

    /// Ticket-granting tickets for other realms that the client has already.
    #[must_use]
    pub fn known_tickets(mut self, known: Vec<Arc<TicketCredential>>) -> Self {
        self.settings.known = known;
        self
    }

    /// The enctypes that are asked for and accepted, of those that the policy permits.
    #[must_use]
    pub fn enctypes(mut self, enctypes: EnctypeSet) -> Self {
        self.settings.enctypes = Some(enctypes);
        self
    }

    /// Seconds that the KDC's clock is ahead of ours, as an earlier exchange learned.
    #[must_use]
    pub fn time_offset(mut self, seconds: i64) -> Self {
        self.settings.time_offset = seconds;
        self
    }

    /// Asks the KDC of `realm`, which is known to have FAST, inside of the armor that the
    /// ticket-granting ticket gives (RFC 6113 §5.4.2), and believes nothing that comes without.
    #[must_use]
    pub fn armored_in(mut self, realm: impl Into<Vec<u8>>) -> Self {
        if let Armored::In(realms) = &mut self.settings.armored {
            realms.push(realm.into());
        }
        self
    }

    /// As [`armored_in`](Self::armored_in) for every realm on the way: a KDC without FAST ends the
    /// exchange.
    #[must_use]
    pub fn require_armor(mut self) -> Self {
        self.settings.armored = Armored::Everywhere;
        self
    }

    /// Asks the KDC not to check the realms that the client came through (RFC 4120 §2.7,
    /// DISABLE-TRANSITED-CHECK): the service then has to.
    #[must_use]
    pub fn without_transit_check(mut self) -> Self {
        self.settings.unchecked_transit = true;
        self
    }

    /// Accepts an S4U2self ticket from a KDC that does not prove whom it is for (Samba and Heimdal
    /// before they knew MS-SFU §2.2.2). Dangerous: somebody on the path can make it another
    /// user's than was asked for, so decrypt the ticket with the service's key before anything is
    /// granted to whom it names.
    #[must_use]
    pub fn dangerous_accept_unverified_user(mut self) -> Self {
        self.settings.unverified_user = true;
        self
    }
}

impl ServiceTicket {
    fn turn(
        &mut self,
        answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<ExchangeStep<ServiceTicketOutcome>, Error> {
        let state = core::mem::replace(&mut self.state, State::Over(Ended::Interrupted));
        let turn = match (state, answer) {
            (State::Over(ended), _) => {
                let error = ended.error();
                self.state = State::Over(ended);
                return Err(error);
            }
            (State::Start, None) => self.ask(env),
            (State::Asked(asked), Some(KdcAnswer::Reply(message))) => {
                self.answered(asked, &message, env)
            }
            (State::Asked(_), Some(KdcAnswer::Unreachable)) => {
                Err(ErrorKind::Kdc(KdcProblem::Unreachable))
            }
            (State::Start, Some(_)) | (State::Asked(_), None) => Err(ErrorKind::UnexpectedCall),
        };
        match turn {
            Ok(Turn::Ask(asked)) => {
                let request = asked.request.clone();
                self.state = State::Asked(asked);
                Ok(ExchangeStep::Send(request))
            }
            Ok(Turn::Done(outcome)) => {
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

impl Exchange for ServiceTicket {
    type Output = ServiceTicketOutcome;

    fn step(
        &mut self,
        answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<ExchangeStep<Self::Output>, Error> {
        wiping_stack(|| self.turn(answer, env))
    }
}
