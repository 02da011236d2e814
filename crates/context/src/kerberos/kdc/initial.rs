//! The AS exchange: from a long-term secret to an initial ticket.
//!
//! ```text
//!   Start ── AS-REQ ──▶ Waiting ─────────── AS-REP ──────────▶ Over
//!                       │     ▲
//!                       └─────┘ KRB-ERROR, then another AS-REQ:
//!                          PREAUTH_REQUIRED            with a proof of the secret
//!                          MORE_PREAUTH_DATA_REQUIRED  with another proof
//!                          PREAUTH_FAILED              once, where no salt was known
//!                          PREAUTH_EXPIRED             once, from the beginning
//!                          KRB_AP_ERR_SKEW             once, at the KDC's time
//!                          RESPONSE_TOO_BIG            once, the same over a stream
//!                          WRONG_REALM                 to another realm, up to ten
//!
//!   any state ── error ──▶ Over, which repeats the error
//! ```
//!
//! An error that FAST did not protect is followed only in what cannot weaken the exchange: to
//! prove the secret with an enctype of the policy, at another time, over another transport. With
//! armor, an unarmored error is followed in the last two alone.

mod conversation;

use std::sync::Arc;

use countersign_credential::{Principal, TicketCredential};
use countersign_crypto::{Enctype, wiping_stack};
use countersign_token::kerberos::PaData;

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, KdcProblem};

use self::conversation::Conversation;
use super::as_reply::Expectation;
use super::as_request::is_enterprise;
use super::ended::Ended;
use super::exchange::{Exchange, ExchangeStep, KdcAnswer};
use super::krb_error::{KdcError, code};
use super::options::TicketOptions;
use super::padata::find;
use super::preauth::Method;
use super::secret::ClientSecret;

/// Obtains an initial ticket with a client's secret: the AS exchange, RFC 4120 §3.1.
///
/// The ticket is one for the ticket-granting service of the client's realm, until another
/// [`service`](Self::service) is named. Nothing that a KDC sends in the clear is believed; the
/// client's name in the outcome is the one that was asked for, or one that the KDC has proved to
/// have written.
///
/// ```
/// use countersign_context::credential::Principal;
/// use countersign_context::kerberos::kdc::{ClientSecret, Exchange, ExchangeStep, InitialTicket};
/// use countersign_context::{Environment, Timestamp};
/// # use countersign_testkit::SeededRandom;
/// # let mut random = SeededRandom::new(1);
/// # let mut env = Environment::new(Timestamp::from_unix(1_700_000_000), &mut random);
///
/// let alice = Principal::parse("alice@EXAMPLE.COM")?;
/// let mut exchange = InitialTicket::new(alice, ClientSecret::password("hunter2"));
/// let ExchangeStep::Send(request) = exchange.step(None, &mut env)? else { panic!() };
/// assert_eq!(request.realm, b"EXAMPLE.COM");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct InitialTicket {
    client: Principal,
    secret: ClientSecret,
    service: Option<Principal>,
    options: TicketOptions,
    armor: Option<Arc<TicketCredential>>,
    canonicalize: bool,
    pac: Option<bool>,
    optimistic: bool,
    state: State,
}

/// An initial ticket, and what came with it.
#[derive(Debug)]
#[non_exhaustive]
pub struct InitialTicketOutcome {
    /// The ticket; its client is the one that the KDC knows, canonical where that was permitted.
    pub credential: TicketCredential,
    /// Seconds that the KDC's clock is ahead of ours, negative when it is behind.
    pub time_offset: i64,
    /// When the client's password or key expires, in Unix seconds, where the KDC tells.
    pub key_expiration: Option<i64>,
    /// What the KDC remembers of the client's earlier requests.
    pub last_requests: Vec<LastRequest>,
    /// The enctype of the client's long-term key.
    pub key_enctype: Enctype,
    /// The exchange was in FAST armor.
    pub armored: bool,
    /// The KDC proved that it has FAST (RFC 6806 §11).
    pub fast_supported: bool,
}

/// What a KDC remembers, RFC 4120 §5.4.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastRequest {
    /// `lr-type`: 1 and 2 for the last initial requests, 6 for the password's and 7 for the
    /// account's end; the sign tells whether one server or all of the realm's speak.
    pub kind: i32,
    /// `lr-value`, in Unix seconds.
    pub seconds: i64,
}

#[derive(Debug)]
enum State {
    Start,
    Waiting(Box<Conversation>),
    Over(Ended),
}

impl InitialTicket {
    /// An exchange for `client`, whose KDC is its realm's.
    #[must_use]
    pub fn new(client: Principal, secret: ClientSecret) -> Self {
        Self {
            client,
            secret,
            service: None,
            options: TicketOptions::default(),
            armor: None,
            canonicalize: false,
            pac: None,
            optimistic: false,
            state: State::Start,
        }
    }

    /// Asks for a ticket for this service of the client's realm, such as `kadmin/changepw`, in
    /// place of the ticket-granting one.
    #[must_use]
    pub fn service(mut self, service: Principal) -> Self {
        self.service = Some(service);
        self
    }

    /// What the ticket is to be.
    #[must_use]
    pub fn options(mut self, options: TicketOptions) -> Self {
        self.options = options;
        self
    }

    /// Speaks inside of FAST armor (RFC 6113 §5.4), which a ticket-granting ticket for the client's
    /// realm gives, usually the machine's. Nobody on the path can then guess at the password or
    /// forge an error. The exchange fails where the KDC does not answer in armor; it never goes on
    /// without.
    #[must_use]
    pub fn armor(mut self, ticket: impl Into<Arc<TicketCredential>>) -> Self {
        self.armor = Some(ticket.into());
        self
    }

    /// Lets the KDC give the canonical names of client and service, and send the client to its own
    /// realm (RFC 6806). Off by default; on where the client has an enterprise name, which means
    /// nothing without.
    #[must_use]
    pub fn canonicalize(mut self, permitted: bool) -> Self {
        self.canonicalize = permitted;
        self
    }

    /// Asks that the ticket hold a PAC, or that it hold none (MS-KILE §2.2.3); without this the KDC
    /// decides.
    #[must_use]
    pub fn pac_request(mut self, include: bool) -> Self {
        self.pac = Some(include);
        self
    }

    /// Proves the secret in the first request already. It saves a round where the client's key is
    /// known, or its salt the default one, and costs nothing otherwise. Not in armor, where the KDC
    /// is to speak first.
    #[must_use]
    pub fn optimistic(mut self, enabled: bool) -> Self {
        self.optimistic = enabled;
        self
    }

    fn may_canonicalize(&self) -> bool {
        self.canonicalize || is_enterprise(&self.client)
    }

    fn begin(&self, env: &mut Environment<'_>) -> Result<Next, ErrorKind> {
        let mut conversation = Conversation::new(self, self.client.clone(), env);
        if self.optimistic && self.armor.is_none() {
            let selection = Method::choose(&[], false)?;
            // A secret that the policy has no use for proves nothing; the KDC may not ask.
            if self.secret.choose(&conversation.hints, env.policy).is_ok() {
                return conversation.prove(self, selection, env).map(Next::Wait);
            }
        }
        conversation.send(self, Vec::new(), env)?;
        Ok(Next::Wait(conversation))
    }

    fn receive(
        &self,
        conversation: Conversation,
        answer: KdcAnswer,
        env: &mut Environment<'_>,
    ) -> Result<Next, ErrorKind> {
        let message = match answer {
            KdcAnswer::Reply(message) => message,
            KdcAnswer::Unreachable => return Err(KdcProblem::Unreachable.into()),
        };
        let (length, limit) = (message.len(), env.policy.max_token());
        if length > limit {
            return Err(ErrorKind::TokenTooLarge { length, limit });
        }
        if KdcError::is_one(&message) {
            let error = KdcError::decode(&message).map_err(KdcProblem::DefectiveReply)?;
            return self.follow(conversation, error, env).map(Next::Wait);
        }
        self.finish(&conversation, &message, env).map(Next::Done)
    }

    fn finish(
        &self,
        conversation: &Conversation,
        message: &[u8],
        env: &Environment<'_>,
    ) -> Result<InitialTicketOutcome, ErrorKind> {
        let sent = conversation.sent()?;
        let proved = conversation.proved.as_ref();
        let verified = Expectation {
            wish: &conversation.wish(self),
            sent,
            secret: &self.secret,
            armor: conversation.armor.as_ref(),
            proved: proved.map(|proved| (proved.selection.method, &proved.key)),
            hints: &conversation.hints,
        }
        .verify(message, env)?;
        let issued = verified.issued;
        // RFC 4120 §3.1.3: the KDC's time is in the reply, which the client's key protects.
        let offset = issued.credential.times.auth_time;
        let offset = offset.saturating_sub(env.now.seconds());
        let skewed = offset.unsigned_abs() > u64::from(env.policy.clock_skew());
        if skewed && !env.policy.skew_recovery() {
            return Err(KdcProblem::ClockSkew { offset }.into());
        }
        Ok(InitialTicketOutcome {
            credential: issued.credential,
            time_offset: offset,
            key_expiration: issued.key_expiration,
            last_requests: issued
                .last_requests
                .into_iter()
                .map(|(kind, seconds)| LastRequest { kind, seconds })
                .collect(),
            key_enctype: verified.enctype,
            armored: conversation.armor.is_some(),
            fast_supported: verified.fast,
        })
    }

    /// Does what a KRB-ERROR asks for, if that is harmless.
    fn follow(
        &self,
        mut conversation: Conversation,
        outer: KdcError,
        env: &mut Environment<'_>,
    ) -> Result<Conversation, ErrorKind> {
        if outer.code == code::RESPONSE_TOO_BIG && !conversation.stream_only {
            conversation.stream_only = true;
            conversation.count()?;
            return Ok(conversation);
        }
        let error = match &conversation.armor {
            Some(armor) => {
                let nonce = conversation.sent()?.nonce;
                match armor.error(&outer, nonce) {
                    Ok(inner) => inner,
                    // A KDC that cannot accept the armor's time has no armor to say it in.
                    Err(ErrorKind::Kdc(KdcProblem::Unarmored { .. }))
                        if outer.code == code::SKEW =>
                    {
                        outer
                    }
                    Err(kind) => return Err(kind),
                }
            }
            None => outer,
        };
        if let Some(cookie) = find(&error.padata, PaData::FX_COOKIE) {
            conversation.cookie = Some(cookie.to_vec());
        }
        match error.code {
            code::PREAUTH_REQUIRED if conversation.proved.is_none() => {
                conversation.asked = true;
                conversation.learn(&error)?;
                let armored = conversation.armor.is_some();
                let selection = Method::choose(&error.padata, armored)?;
                conversation.prove(self, selection, env)
            }
            code::PREAUTH_FAILED => conversation.try_other_salt(self, &error, env),
            code::MORE_PREAUTH_DATA_REQUIRED => match conversation.proved.take() {
                Some(proved) => conversation.prove_again(self, proved, &error, env),
                None => Err(KdcProblem::PreauthenticationUnsupported.into()),
            },
            code::PREAUTH_EXPIRED if !conversation.restarted => {
                conversation.restarted = true;
                conversation.cookie = None;
                conversation.proved = None;
                conversation.send(self, Vec::new(), env)?;
                Ok(conversation)
            }
            code::SKEW => conversation.correct_clock(self, &error, env),
            code::WRONG_REALM => conversation.go_elsewhere(self, &error, env),
            // The proof's enctype may be meant, which the KDC had not named yet.
            code::ETYPE_NOSUPP if conversation.is_unasked_proof() => {
                conversation.wait_for_question(self, env)
            }
            code::ETYPE_NOSUPP => Err(KdcProblem::EnctypesDisjoint.into()),
            _ => Err(error.problem().into()),
        }
    }
}

/// What follows an answer.
enum Next {
    Wait(Conversation),
    Done(InitialTicketOutcome),
}

impl InitialTicket {
    fn turn(
        &mut self,
        answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<ExchangeStep<InitialTicketOutcome>, Error> {
        let placeholder = State::Over(Ended::Interrupted);
        let result = match (core::mem::replace(&mut self.state, placeholder), answer) {
            (State::Over(ended), _) => {
                let error = ended.error();
                self.state = State::Over(ended);
                return Err(error);
            }
            (State::Start, None) => self.begin(env),
            (State::Waiting(conversation), Some(answer)) => {
                self.receive(*conversation, answer, env)
            }
            (State::Start, Some(_)) | (State::Waiting(_), None) => Err(ErrorKind::UnexpectedCall),
        };
        let step = result.and_then(|next| match next {
            Next::Wait(conversation) => {
                let request = conversation.request()?;
                self.state = State::Waiting(Box::new(conversation));
                Ok(ExchangeStep::Send(request))
            }
            Next::Done(outcome) => {
                self.state = State::Over(Ended::Done);
                Ok(ExchangeStep::Done(outcome))
            }
        });
        step.map_err(|kind| {
            let error = Error::new(kind);
            self.state = State::Over(Ended::Failed(error.clone()));
            error
        })
    }
}

impl Exchange for InitialTicket {
    type Output = InitialTicketOutcome;

    fn step(
        &mut self,
        answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<ExchangeStep<InitialTicketOutcome>, Error> {
        wiping_stack(|| self.turn(answer, env))
    }
}
