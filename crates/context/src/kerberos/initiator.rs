//! The initiator.
//!
//! ```text
//!   from a credential, as long as KDCs have to be asked:
//!   Start ──▶ Acquire ──▶ Forward, if the client asks to delegate ──▶ (Start, with the ticket)
//!
//!                   one-way: AP-REQ
//!   Start ───────────────────────────────────────────────▶ Done
//!     │                                                     ▲
//!     │ AP-REQ            AP-REP (DCE style: and one sent)  │
//!     └────────▶ Reply ─────────────────────────────────────┘
//!                │   ▲
//!                └───┘ KRB-ERROR of clock skew, once: AP-REQ at the acceptor's time
//!
//!   any state ── error ──▶ Failed, which repeats the error
//! ```

mod acquire;

use std::sync::Arc;

use countersign_credential::TicketCredential;
use countersign_crypto::{Key, KeyUsage};
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::oid::Oid;

use crate::bindings::ChannelBindings;
use crate::environment::{Environment, Timestamp};
use crate::error::{Error, ErrorKind};
use crate::flags::Flags;
use crate::identity::Identity;
use crate::security_context::{NewContext, Role, SecurityContext};
use crate::stage::{Next, Stage, Staged};
use crate::step::{Answer, Mechanism, Step};

use super::ap_req::RequestParts;
use super::framing::{Framed, unframe_any};
use super::iakerb::Proxied;
use super::kdc::{Acquisition, ClientCredential, Target, TicketKey};
use super::ticket::permitted_key;
use super::{ap_rep, krb_error};

/// KRB_AP_ERR_SKEW, RFC 4120 §7.5.9.
const KRB_AP_ERR_SKEW: i32 = 37;

/// The initiator of one Kerberos security context, from a service ticket.
///
/// Asks for mutual authentication and nothing else until told.
///
/// ```
/// use countersign_context::kerberos::Initiator;
/// use countersign_context::{ChannelBindings, Flags};
/// # let realm = countersign_testkit::Realm::new("EXAMPLE.COM", 1);
/// # let ticket = realm.ticket("alice", "HTTP/www.example.com").mint()?;
///
/// let initiator = Initiator::new(ticket)
///     .require(Flags::CONFIDENTIALITY | Flags::INTEGRITY)
///     .channel_bindings(ChannelBindings::tls_exporter(&[0x42; 32]));
/// # Ok::<(), countersign_testkit::Error>(())
/// ```
#[derive(Debug)]
pub struct Initiator {
    source: Source,
    options: Options,
    state: Stage<State>,
}

/// Where the ticket comes from.
#[derive(Debug)]
enum Source {
    Ticket(Arc<TicketCredential>),
    /// It has still to be acquired.
    Credential(ClientCredential, Box<Acquisition>),
    /// It was acquired.
    Acquired(ClientCredential, Arc<TicketCredential>),
}

/// What the caller asks for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) requested: Flags,
    pub(super) required: Flags,
    pub(super) bindings: Option<ChannelBindings>,
    pub(super) delegate: Option<Arc<TicketCredential>>,
    /// The request is the end of IAKERB.
    pub(super) proxied: Option<Proxied>,
}

impl Options {
    /// What the tokens are framed under.
    pub(super) fn mechanism(&self, credential: &TicketCredential) -> Oid<'static> {
        match credential.is_skey {
            _ if self.proxied.is_some() => Oid::IAKERB,
            true => Oid::KERBEROS_USER_TO_USER,
            false => Oid::KERBEROS,
        }
    }
}

#[derive(Debug)]
enum State {
    Start,
    /// A KDC's answer is due, on the way to the ticket.
    Acquire,
    /// As well, on the way to the ticket-granting ticket that is to be delegated.
    Forward(Box<Acquisition>),
    /// An AP-REP is due.
    Reply(Box<Pending>),
}

/// What was sent and must be matched.
struct Pending {
    sent: RequestParts,
    /// A KRB-ERROR of clock skew has been followed already.
    recovered: bool,
}

impl core::fmt::Debug for Pending {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Pending")
            .field("recovered", &self.recovered)
            .finish_non_exhaustive()
    }
}

impl Initiator {
    /// An initiator for the service that the ticket is for.
    #[must_use]
    pub fn new(credential: impl Into<Arc<TicketCredential>>) -> Self {
        Self::with_source(Source::Ticket(credential.into()))
    }

    /// An initiator that acquires its ticket: from the credential's cache, or from KDCs, which it
    /// asks for by [`Need::Kdc`](crate::Need::Kdc).
    ///
    /// With [`Flags::DELEGATION`] among the flags it also gets a forwarded ticket-granting ticket
    /// and hands it over, but only to a service that the KDC marked OK-AS-DELEGATE; required
    /// delegation to another fails before anything is sent.
    ///
    /// A ticket from the cache may be older than the service's keys: when the acceptor answers
    /// KRB_AP_ERR_BADKEYVER or KRB_AP_ERR_MODIFIED, which nobody authenticates, the context fails,
    /// and it is for the caller to [`forget`](super::kdc::Tickets::forget) the ticket and begin
    /// again.
    ///
    /// ```
    /// use countersign_context::credential::{Principal, ServiceName};
    /// use countersign_context::kerberos::Initiator;
    /// use countersign_context::kerberos::kdc::ClientCredential;
    /// use countersign_context::{Environment, Mechanism, Need, Step, Timestamp};
    /// # let mut random = countersign_testkit::SeededRandom::new(1);
    /// # let mut env = Environment::new(Timestamp::from_unix(1_700_000_000), &mut random);
    ///
    /// let alice = ClientCredential::password(Principal::parse("alice@EXAMPLE.COM")?, "open sesame");
    /// let mut initiator = Initiator::from_credential(&alice, ServiceName::parse("HTTP@www.example.com")?);
    /// let Step::Need(Need::Kdc(request)) = initiator.step(None, &mut env)? else { panic!() };
    /// assert_eq!(request.realm, b"EXAMPLE.COM");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn from_credential(credential: &ClientCredential, target: impl Into<Target>) -> Self {
        let acquisition = Acquisition::new(credential, target);
        Self::with_source(Source::Credential(
            credential.clone(),
            Box::new(acquisition),
        ))
    }

    /// As [`from_credential`](Self::from_credential), user-to-user: for whoever has `peer`, a
    /// ticket-granting ticket that the acceptor sent (RFC 4120 §3.7).
    #[must_use]
    pub fn user_to_user(
        credential: &ClientCredential,
        target: impl Into<Target>,
        peer: impl Into<Arc<TicketCredential>>,
    ) -> Self {
        let acquisition = Acquisition::user_to_user(credential, target, peer);
        Self::with_source(Source::Credential(
            credential.clone(),
            Box::new(acquisition),
        ))
    }

    fn with_source(source: Source) -> Self {
        Self {
            source,
            options: Options {
                requested: Flags::MUTUAL,
                required: Flags::MUTUAL,
                bindings: None,
                delegate: None,
                proxied: None,
            },
            state: Stage::On(State::Start),
        }
    }

    /// Which ticket is going to be acquired, if one is: of initiators with equal keys from
    /// credentials that share their tickets, one that has it serves all.
    #[must_use]
    pub fn ticket_key(&self) -> Option<TicketKey> {
        match &self.source {
            Source::Credential(_, acquisition) => Some(acquisition.key()),
            Source::Ticket(_) | Source::Acquired(..) => None,
        }
    }

    fn ticket(&self) -> Result<&Arc<TicketCredential>, ErrorKind> {
        match &self.source {
            Source::Ticket(ticket) | Source::Acquired(_, ticket) => Ok(ticket),
            Source::Credential(..) => Err(ErrorKind::Internal("no ticket yet")),
        }
    }

    /// Asks for these flags too, and goes on without those that are not granted.
    #[must_use]
    pub fn request(mut self, flags: Flags) -> Self {
        self.options.requested |= flags;
        self
    }

    /// Asks for these flags too, and fails where one is not granted: before anything is sent, as
    /// Kerberos acceptors grant what they are asked for.
    #[must_use]
    pub fn require(mut self, flags: Flags) -> Self {
        self.options.requested |= flags;
        self.options.required |= flags;
        self
    }

    /// Does not ask the acceptor to prove its identity. The context is established by the first
    /// token, and its peer is nobody in particular: whoever holds the service's key can read it.
    #[must_use]
    pub fn one_way(mut self) -> Self {
        self.options.requested = self.options.requested.difference(Flags::MUTUAL);
        self.options.required = self.options.required.difference(Flags::MUTUAL);
        self
    }

    /// Three legs without framing, for DCE RPC (MS-KILE §3.4.5.1).
    #[must_use]
    pub fn dce_style(self) -> Self {
        self.require(Flags::DCE_STYLE | Flags::MUTUAL)
    }

    /// Binds the context to a channel.
    #[must_use]
    pub fn channel_bindings(mut self, bindings: ChannelBindings) -> Self {
        self.options.bindings = Some(bindings);
        self
    }

    /// Hands a forwarded ticket-granting ticket to the acceptor, which can then act as the client
    /// anywhere. Fails unless the KDC marked the service's ticket OK-AS-DELEGATE.
    #[must_use]
    pub fn delegate(mut self, forwarded: impl Into<Arc<TicketCredential>>) -> Self {
        self.options.delegate = Some(forwarded.into());
        self.options.requested |= Flags::DELEGATION;
        self.options.required |= Flags::DELEGATION;
        self
    }

    /// The request is the end of IAKERB.
    pub(super) fn proxied(mut self, proxied: Proxied) -> Self {
        self.options.proxied = Some(proxied);
        self
    }

    /// Sends an AP-REQ made at `time`.
    fn send(
        &self,
        time: Timestamp,
        recovered: bool,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, ErrorKind> {
        let (mut parts, token) = RequestParts::build(self.ticket()?, &self.options, time, env)?;
        if parts.flags.contains(Flags::MUTUAL) {
            let pending = Pending {
                sent: parts,
                recovered,
            };
            return Ok(Next::On(
                State::Reply(Box::new(pending)),
                Step::Continue { token },
            ));
        }
        let sequence = u64::from(parts.sequence);
        let session_key = self.session_key()?;
        let key = parts.subkey.as_ref().unwrap_or(session_key).duplicate();
        let context = self.context(&mut parts, key, false, sequence, None)?;
        Ok(established(context, Some(token)))
    }

    fn receive(
        &self,
        mut pending: Box<Pending>,
        token: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, ErrorKind> {
        let dce = pending.sent.flags.contains(Flags::DCE_STYLE);
        let (framed, id, message) = unframe_any(token)?;
        if dce != (framed == Framed::Bare) {
            return Err(ErrorKind::FramingMismatch);
        }
        if !framed.answers(self.options.mechanism(self.ticket()?)) {
            return Err(ErrorKind::WrongMechanism);
        }
        let is_error = match id {
            Some(id) if id == TokenId::ApRep.to_bytes() => false,
            Some(id) if id == TokenId::KrbError.to_bytes() => true,
            Some(found) => return Err(ErrorKind::WrongTokenId { found }),
            // KRB-ERROR is [APPLICATION 30].
            None => message.first() == Some(&0x7e),
        };
        if is_error {
            return self.peer_error(&pending, message, env);
        }

        let session_key = self.session_key()?;
        let reply = ap_rep::open(message, &session_key.cipher(KeyUsage::AP_REP))
            .map_err(|error| error.unwrap_or(ErrorKind::MutualAuthenticationFailed))?;
        // RFC 4120 §3.2.5: the time that we sent comes back, which only the holder of the
        // service's key could read.
        if reply.time != pending.sent.time {
            return Err(ErrorKind::MutualAuthenticationFailed);
        }
        let subkey = match &reply.subkey {
            Some((enctype, value)) => Some(permitted_key(*enctype, value, env.policy)?),
            None => None,
        };
        let token = if dce {
            let third = ap_rep::Reply {
                time: env.now,
                subkey: None,
                sequence: reply.sequence,
            };
            Some(third.encode(session_key, framed, env.random)?)
        } else {
            None
        };
        let asserted = subkey.is_some();
        let key = match subkey {
            Some(key) => key,
            None => pending
                .sent
                .subkey
                .as_ref()
                .unwrap_or(session_key)
                .duplicate(),
        };
        let peer = Identity::Kerberos(self.ticket()?.server.clone());
        let sequence = u64::from(reply.sequence);
        let context = self.context(&mut pending.sent, key, asserted, sequence, Some(peer))?;
        Ok(established(context, token))
    }

    /// A KRB-ERROR is nobody's word. At most it makes us say our name once more at another time,
    /// within the life of the ticket (MS-KILE §3.2.5.8).
    fn peer_error(
        &self,
        pending: &Pending,
        message: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, ErrorKind> {
        let error = krb_error::decode(message)?;
        let times = &self.ticket()?.times;
        if error.code != KRB_AP_ERR_SKEW {
            return Err(ErrorKind::PeerError { code: error.code });
        }
        let follow = error.recovering
            && env.policy.skew_recovery()
            && !pending.recovered
            && error.time >= Timestamp::from_unix(times.valid_from())
            && error.time < Timestamp::from_unix(times.end_time);
        if follow {
            // Its microseconds are drawn. Whoever sends one error to several initiators would else have
            // them say the same time, by which alone replies are matched to requests.
            let time = Timestamp::from_unix(error.time.seconds());
            return self.send(time, true, env);
        }
        Err(ErrorKind::PeerClockSkew {
            offset: error.time.seconds_since(env.now),
        })
    }

    /// Takes what is secret out of the place where the request has been waiting: moved, it would be left there.
    fn context(
        &self,
        sent: &mut RequestParts,
        key: Key,
        acceptor_subkey: bool,
        receive_sequence: u64,
        peer: Option<Identity>,
    ) -> Result<NewContext, ErrorKind> {
        let initiator_key = match sent.subkey.take() {
            Some(subkey) => subkey,
            None => self.session_key()?.duplicate(),
        };
        Ok(NewContext {
            role: Role::Initiator,
            mechanism: self.mechanism(),
            flags: sent.flags,
            local: Identity::Kerberos(self.ticket()?.client.clone()),
            peer,
            expires: Timestamp::from_unix(self.ticket()?.times.end_time),
            key,
            acceptor_subkey,
            initiator_key,
            send_sequence: u64::from(sent.sequence),
            receive_sequence,
            delegated: None,
            evidence: None,
            auth_time: Some(self.ticket()?.times.auth_time).filter(|time| *time != 0),
            pac: None,
            authorization_data: Vec::new(),
            confounder_seed: core::mem::take(&mut sent.confounder_seed),
        })
    }

    fn session_key(&self) -> Result<&Key, ErrorKind> {
        let ticket = self.ticket()?;
        let enctype = ticket.key.enctype_id();
        ticket
            .session_key()
            .map_err(|_| ErrorKind::EnctypeRefused { enctype })
    }
}

fn established(context: NewContext, token: Option<Vec<u8>>) -> Next<State> {
    Next::Established(token, Box::new(SecurityContext::establish(context)))
}

impl Staged<State> for Initiator {
    fn stage(&mut self) -> &mut Stage<State> {
        &mut self.state
    }
}

impl Mechanism for Initiator {
    fn mechanism(&self) -> Oid<'static> {
        match self.options.proxied {
            Some(_) => Oid::IAKERB,
            None => Oid::KERBEROS,
        }
    }

    fn aliases(&self) -> &'static [Oid<'static>] {
        match self.options.proxied {
            Some(_) => &[],
            None => &[Oid::MS_KERBEROS],
        }
    }

    fn step(&mut self, token: Option<&[u8]>, env: &mut Environment<'_>) -> Result<Step, Error> {
        let limit = env.policy.max_token();
        self.play(|this, state| match (state, token) {
            (State::Start, None) => this.start(env),
            (state @ (State::Acquire | State::Forward(_)), _) => Ok(Next::Unexpected(state)),
            (State::Start, Some(_)) => Err(ErrorKind::TokenUnexpected),
            (State::Reply(_), None) => Err(ErrorKind::TokenMissing),
            (State::Reply(_), Some(token)) if token.len() > limit => {
                Err(ErrorKind::TokenTooLarge {
                    length: token.len(),
                    limit,
                })
            }
            (State::Reply(pending), Some(token)) => this.receive(pending, token, env),
        })
    }

    fn ask_integrity(&mut self) {
        self.options.requested |= Flags::INTEGRITY;
    }

    fn resume(&mut self, answer: Answer, env: &mut Environment<'_>) -> Result<Step, Error> {
        self.play(|this, state| match (state, answer) {
            (State::Acquire, Answer::Kdc(answer)) => this.acquire(Some(answer), env),
            (State::Forward(acquisition), Answer::Kdc(answer)) => {
                this.forward(acquisition, Some(answer), env)
            }
            (state, _) => Ok(Next::Unexpected(state)),
        })
    }
}
