//! The acceptor.
//!
//! ```text
//!                 AP-REQ, external replay cache      verdict
//!        ┌──────────────────────────────▶ Verdict ─────────────┐
//!        │                                                     │
//!   Request ──────────── AP-REQ ─────────────────────────▶ (reply) ──▶ Done
//!     │    ▲                                                   │
//!     │    │ AP-REQ                                            │ DCE style: AP-REP sent
//!     └─▶ Request, later                                       ▼
//!      TGT-REQ: TGT-REP sent, once                        ThirdLeg ── AP-REP ──▶ Done
//!      clock skew: KRB-ERROR sent, once
//!
//!   any state ── error ──▶ Failed, which repeats the error
//! ```

use countersign_crypto::{Key, KeyUsage, Random, verify_equal};
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::oid::Oid;
use zeroize::Zeroizing;

use crate::bindings::{ChannelBindingPolicy, ChannelBindings};
use crate::environment::{Environment, Timestamp};
use crate::error::{Error, ErrorKind};
use crate::flags::Flags;
use crate::identity::Identity;
use crate::security_context::{NewContext, Role, SecurityContext, SessionKey};
use crate::stage::{Next, Stage, Staged};
use crate::step::{Answer, Mechanism, Need, ReplayQuery, ReplayVerdict, Step};

use super::credential::{AcceptorCredential, ReplayProtection};
use super::drawn::Drawn;
use super::framing::{Framed, unframe, unframe_any};
use super::iakerb::Proxied;
use super::request::{AcceptedRequest, Expectations};
use super::{ap_rep, krb_error};

/// The acceptor of one Kerberos security context.
///
/// ```
/// # use countersign_context::kerberos::{Acceptor, AcceptorCredential};
/// # use countersign_context::{ChannelBindings, Flags};
/// # use countersign_context::credential::Keytab;
/// # let keytab = Keytab::new();
/// let credential = AcceptorCredential::new(&keytab); // once a server
/// let acceptor = Acceptor::new(&credential) // once a connection
///     .require(Flags::MUTUAL | Flags::CONFIDENTIALITY)
///     .channel_bindings(ChannelBindings::tls_exporter(&[0x42; 32]));
/// ```
#[derive(Debug)]
pub struct Acceptor {
    credential: AcceptorCredential,
    expectations: Expectations,
    state: Stage<State>,
}

#[derive(Debug)]
enum State {
    /// An AP-REQ is due, or before it a TGT-REQ.
    Request(Progress),
    /// The caller's verdict on a verified request is due.
    Verdict(Box<AcceptedRequest>),
    /// The initiator's AP-REP is due (DCE style).
    ThirdLeg(Box<ThirdLeg>),
}

/// What may happen once before a request is accepted.
#[derive(Debug, Default, Clone, Copy)]
struct Progress {
    /// Our ticket-granting ticket has been handed out.
    introduced: bool,
    /// The initiator has been told our time.
    recovered: bool,
}

struct ThirdLeg {
    context: NewContext,
    session_key: Key,
}

impl core::fmt::Debug for ThirdLeg {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ThirdLeg")
    }
}

impl Acceptor {
    /// An acceptor that awaits an initiator's first token.
    #[must_use]
    pub fn new(credential: &AcceptorCredential) -> Self {
        Self {
            credential: credential.clone(),
            expectations: Expectations::default(),
            state: Stage::On(State::Request(Progress::default())),
        }
    }

    /// Refuses initiators that do not ask for all of these.
    #[must_use]
    pub fn require(mut self, flags: Flags) -> Self {
        self.expectations.required |= flags;
        self
    }

    /// Requires the initiator to be bound to this channel.
    #[must_use]
    pub fn channel_bindings(mut self, bindings: ChannelBindings) -> Self {
        self.expectations.bindings = ChannelBindingPolicy::Required(bindings);
        self
    }

    /// Compares channel bindings where the initiator sends them, and accepts initiators that send
    /// none: open to relays from outside of the channel, for the time until every client sends
    /// them.
    #[must_use]
    pub fn channel_bindings_if_present(mut self, bindings: ChannelBindings) -> Self {
        self.expectations.bindings = ChannelBindingPolicy::IfPresent(bindings);
        self
    }

    /// Refuses tickets that are bound to network addresses other than the initiator's, given with
    /// its type (RFC 4120 §7.5.3: 2 is IPv4, 24 is IPv6). Without it such tickets are accepted from
    /// anywhere.
    #[must_use]
    pub fn peer_address(mut self, address_type: i32, address: impl Into<Vec<u8>>) -> Self {
        self.expectations.peer_address = Some((address_type, address.into()));
        self
    }

    /// Keeps the initiator's ticket for [`take_evidence`](SecurityContext::take_evidence), to reach other
    /// services in its name.
    #[must_use]
    pub fn keep_evidence(mut self) -> Self {
        self.expectations.keep_evidence = true;
        self
    }

    /// The request is the end of IAKERB.
    pub(super) fn proxied(mut self, proxied: Proxied) -> Self {
        self.expectations.proxied = Some(proxied);
        self
    }

    /// The realms that it has keys of, or a ticket.
    pub(super) fn realms(&self) -> impl Iterator<Item = &[u8]> {
        self.credential.realms()
    }

    fn request(
        &mut self,
        token: &[u8],
        progress: Progress,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Refusal> {
        let (framed, id, inner) = unframe_any(token).map_err(Refusal::silent)?;
        let refuse = |kind| Refusal {
            kind,
            framed: Some(framed),
        };
        // IAKERB is a mechanism of its own, and so are its tokens.
        let proxied = self.expectations.proxied.is_some();
        if matches!(framed, Framed::As(oid) if proxied != (oid == Oid::IAKERB)) {
            return Err(Refusal::silent(ErrorKind::WrongMechanism));
        }
        match id {
            None => {}
            Some(id) if id == TokenId::ApReq.to_bytes() => {}
            Some(id) if id == TokenId::TgtReq.to_bytes() && !progress.introduced => {
                let own = self.credential.own_ticket();
                let own = own.ok_or(refuse(ErrorKind::UserToUserUnsupported))?;
                let token = own.reply(inner, framed, env).map_err(refuse)?;
                let progress = Progress {
                    introduced: true,
                    ..progress
                };
                return Ok(Next::On(State::Request(progress), Step::Continue { token }));
            }
            Some(found) => return Err(Refusal::silent(ErrorKind::WrongTokenId { found })),
        }
        let request =
            AcceptedRequest::verify(inner, framed, &self.credential, &self.expectations, env);
        let request = match request {
            Ok(request) => request,
            Err(ErrorKind::ClockSkew) if env.policy.skew_recovery() && !progress.recovered => {
                // MS-KILE §3.4.5: tell the time and let the initiator try again.
                let token =
                    krb_error::encode(ErrorKind::ClockSkew, &self.credential, framed, true, env);
                let token = token.ok_or(refuse(ErrorKind::Internal("no code for skew")))?;
                let progress = Progress {
                    recovered: true,
                    ..progress
                };
                return Ok(Next::On(State::Request(progress), Step::Continue { token }));
            }
            Err(kind) => return Err(refuse(kind)),
        };
        let verdict = match self.credential.replay_protection() {
            ReplayProtection::Shared(cache) => cache
                .check(
                    request.replay_tag,
                    request.authenticator_time.seconds(),
                    env.now.seconds(),
                    env.policy.clock_skew(),
                    env.random,
                )
                .map_err(|error| refuse(error.into()))?,
            ReplayProtection::DangerouslyOff => ReplayVerdict::Fresh,
            ReplayProtection::External => {
                let expires = request
                    .authenticator_time
                    .offset_by(i64::from(env.policy.clock_skew()).saturating_add(1))
                    .seconds();
                let query = ReplayQuery {
                    tag: request.replay_tag,
                    expires,
                };
                let need = Step::Need(Need::Replay(query));
                return Ok(Next::On(State::Verdict(Box::new(request)), need));
            }
        };
        Self::judge(request, verdict, env)
    }

    fn judge(
        request: AcceptedRequest,
        verdict: ReplayVerdict,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Refusal> {
        let framed = request.framed;
        let refuse = |kind| Refusal {
            kind,
            framed: Some(framed),
        };
        match verdict {
            ReplayVerdict::Fresh => Self::reply(request, env).map_err(refuse),
            ReplayVerdict::Replayed => Err(refuse(ErrorKind::Replayed)),
            ReplayVerdict::Unavailable => Err(refuse(ErrorKind::ReplayCacheUnavailable)),
        }
    }

    /// Answers a verified request: RFC 4120 §3.2.4, RFC 4121 §4.1.
    fn reply(
        request: AcceptedRequest,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, ErrorKind> {
        let mut random = Drawn::from(env.random);
        let env = &mut Environment::new(env.now, &mut random).with_policy(env.policy);
        let AcceptedRequest {
            ticket,
            flags,
            framed,
            ..
        } = request;
        let mut confounder_seed = Zeroizing::new([0; 16]);
        env.random.fill(&mut *confounder_seed)?;
        let is_dce = flags.contains(Flags::DCE_STYLE);
        let mut reply = None;
        let mut acceptor_subkey = None;
        if flags.contains(Flags::MUTUAL) {
            let sequence = random_sequence(env.random)?;
            // RFC 4121 §2: the acceptor's subkey protects messages. Tokens before CFX cannot tell
            // which key they use, so a context that stays with rc4-hmac keeps the initiator's; DCE
            // style asserts one always.
            if is_dce || !request.subkey_enctype.is_weak() {
                let key = Key::generate(request.subkey_enctype, env.random)
                    .map_err(|_| ErrorKind::Random)?;
                acceptor_subkey = Some(key);
            }
            let message = ap_rep::Reply {
                time: request.authenticator_time,
                subkey: acceptor_subkey.as_ref(),
                sequence,
            };
            let token = message.encode(&ticket.session_key, framed, env.random)?;
            reply = Some((sequence, token));
        }
        let initiator_key = match request.subkey {
            Some(subkey) => subkey,
            None => ticket.session_key.duplicate(),
        };
        // Without an AP-REP both directions start where the initiator said, as MIT and Windows do.
        let (sequence, token) = match reply {
            Some((sequence, token)) => (sequence, Some(token)),
            None => (request.sequence, None),
        };
        let skew = i64::from(env.policy.clock_skew());
        let context = NewContext {
            role: Role::Acceptor,
            mechanism: request.mechanism,
            flags,
            local: Identity::Kerberos(ticket.server),
            peer: Some(Identity::Kerberos(ticket.client)),
            expires: Timestamp::from_unix(ticket.times.end_time.saturating_add(skew)),
            acceptor_subkey: acceptor_subkey.is_some(),
            key: acceptor_subkey.unwrap_or_else(|| initiator_key.duplicate()),
            initiator_key,
            send_sequence: u64::from(sequence),
            receive_sequence: u64::from(request.sequence),
            delegated: request.delegated,
            evidence: request.evidence,
            auth_time: Some(ticket.times.auth_time),
            authorization_data: ticket.authorization_data,
            pac: ticket.pac,
            confounder_seed,
        };
        match token {
            Some(token) if is_dce => {
                let third = ThirdLeg {
                    context,
                    session_key: ticket.session_key,
                };
                let state = State::ThirdLeg(Box::new(third));
                Ok(Next::On(state, Step::Continue { token }))
            }
            token => Ok(established(context, token)),
        }
    }

    /// MS-KILE §3.4.5.1: the initiator makes an AP-REP as an acceptor would. It proves itself by the
    /// acceptor's sequence number; the time in it is the request's with some and the present with
    /// MIT krb5, and is not looked at.
    fn third_leg(mut third: Box<ThirdLeg>, token: &[u8]) -> Result<Next<State>, ErrorKind> {
        let ThirdLeg {
            context,
            session_key,
        } = &mut *third;
        let (_, inner) = unframe(token, TokenId::ApRep)?;
        let reply = ap_rep::open(inner, &session_key.cipher(KeyUsage::AP_REP))
            .map_err(|error| error.unwrap_or(ErrorKind::AuthenticatorModified))?;
        if u64::from(reply.sequence) != context.send_sequence {
            return Err(ErrorKind::AuthenticatorModified);
        }
        // The leg that we sent has the same key, usage and sequence number. It is told apart by the
        // subkey in it, which is ours.
        let reflected =
            |(_, value): (i32, Zeroizing<Vec<u8>>)| verify_equal(&value, context.key.expose());
        if reply.subkey.is_some_and(reflected) {
            return Err(ErrorKind::MessageReflected);
        }
        // Moved, it would be left where the context has been waiting.
        let confounder_seed = core::mem::take(&mut context.confounder_seed);
        let context = NewContext {
            confounder_seed,
            ..third.context
        };
        Ok(established(context, None))
    }

    /// The error, with what tells the peer of it where there is such a thing.
    fn told(&self, Refusal { kind, framed }: Refusal, env: &mut Environment<'_>) -> Error {
        let token =
            framed.and_then(|framed| krb_error::encode(kind, &self.credential, framed, false, env));
        match token {
            Some(token) => Error::with_token(kind, token),
            None => Error::new(kind),
        }
    }
}

/// An error, and how the peer can be told of it, if it can.
struct Refusal {
    kind: ErrorKind,
    framed: Option<Framed>,
}

impl Refusal {
    fn silent(kind: ErrorKind) -> Self {
        Self { kind, framed: None }
    }
}

fn established(context: NewContext, token: Option<Vec<u8>>) -> Next<State> {
    Next::Established(token, Box::new(SecurityContext::establish(context)))
}

/// An initial sequence number below 2^30: old peers read it as a signed number.
pub(super) fn random_sequence(random: &mut dyn Random) -> Result<u32, ErrorKind> {
    let mut bytes = [0; 4];
    random.fill(&mut bytes)?;
    Ok(u32::from_be_bytes(bytes) & 0x3fff_ffff)
}

impl Staged<State> for Acceptor {
    fn stage(&mut self) -> &mut Stage<State> {
        &mut self.state
    }
}

impl Mechanism for Acceptor {
    /// That of user-to-user, where the credential has nothing else.
    fn mechanism(&self) -> Oid<'static> {
        if self.credential.is_user_to_user_alone() {
            Oid::KERBEROS_USER_TO_USER
        } else {
            Oid::KERBEROS
        }
    }

    fn aliases(&self) -> &'static [Oid<'static>] {
        if self.credential.is_user_to_user_alone() {
            &[]
        } else if self.credential.own_ticket().is_some() {
            &[Oid::MS_KERBEROS, Oid::KERBEROS_USER_TO_USER]
        } else {
            &[Oid::MS_KERBEROS]
        }
    }

    fn session_key(&self) -> Option<SessionKey<'_>> {
        match &self.state {
            Stage::On(State::ThirdLeg(third)) => Some(SessionKey::of_enctype(&third.context.key)),
            _ => None,
        }
    }

    fn step(&mut self, token: Option<&[u8]>, env: &mut Environment<'_>) -> Result<Step, Error> {
        let limit = env.policy.max_token();
        self.play(|this, state| {
            let next = match (state, token) {
                (state @ State::Verdict(_), _) => Ok(Next::Unexpected(state)),
                (_, None) => Err(Refusal::silent(ErrorKind::TokenMissing)),
                (_, Some(token)) if token.len() > limit => {
                    Err(Refusal::silent(ErrorKind::TokenTooLarge {
                        length: token.len(),
                        limit,
                    }))
                }
                (State::Request(progress), Some(token)) => this.request(token, progress, env),
                (State::ThirdLeg(third), Some(token)) => {
                    Self::third_leg(third, token).map_err(Refusal::silent)
                }
            };
            next.map_err(|refusal| this.told(refusal, env))
        })
    }

    fn resume(&mut self, answer: Answer, env: &mut Environment<'_>) -> Result<Step, Error> {
        self.play(|this, state| match (state, answer) {
            (State::Verdict(request), Answer::Replay(verdict)) => {
                Self::judge(*request, verdict, env).map_err(|refusal| this.told(refusal, env))
            }
            (state, _) => Ok(Next::Unexpected(state)),
        })
    }
}
