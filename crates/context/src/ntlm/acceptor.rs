//! The acceptor.
//!
//! ```text
//!   Start ── NEGOTIATE, or nothing in connectionless mode: CHALLENGE sent ──▶ Challenged
//!
//!                   own users know          ┌──▶ Over
//!   Challenged ── AUTHENTICATE ─────────────┤
//!                   nobody asked yet        └──▶ Logon ── answer ──▶ Over
//!
//!   any state ── error ──▶ Over, which repeats the error
//! ```
//!
//! NTLM has no token that tells the initiator of an error.

use countersign_token::ntlm::{ChallengeMessage, Charset, NegotiateFlags, NegotiateMessage, Text};
use countersign_token::oid::Oid;

use crate::bindings::{ChannelBindingPolicy, ChannelBindings};
use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::flags::Flags;
use crate::security_context::{NewNtlmContext, SecurityContext};
use crate::stage::{Next, Stage, Staged};
use crate::step::{Answer, Mechanism, Need, Step};

use super::credential::AcceptorCredential;
use super::flags;
use super::initiator::VERSION;
use super::time::file_time;
use super::verify::{self, Asked, Claim, Exchange};

/// The acceptor of one NTLM security context.
///
/// It verifies the response, by its own users or by whoever answers [`Need::Logon`], then the MIC,
/// the channel bindings, the target name and the flags.
///
/// ```
/// # use countersign_context::ntlm::{Acceptor, AcceptorCredential, ServerNames};
/// # use countersign_context::{ChannelBindings, Flags};
/// let credential = AcceptorCredential::new(ServerNames::new("WWW", "EXAMPLE")?); // once a server
/// let acceptor = Acceptor::new(&credential) // once a connection
///     .require(Flags::CONFIDENTIALITY)
///     .channel_bindings(ChannelBindings::tls_exporter(&[0x42; 32]));
/// # Ok::<(), countersign_context::Error>(())
/// ```
#[derive(Debug)]
pub struct Acceptor {
    credential: AcceptorCredential,
    asked: Asked,
    datagram: bool,
    state: Stage<State>,
}

#[derive(Debug)]
enum State {
    Start,
    /// An AUTHENTICATE is due.
    Challenged(Exchange),
    /// The caller's answer about the response is due.
    Logon(Box<Claim>),
}

impl Acceptor {
    /// An acceptor that awaits an initiator's first token.
    #[must_use]
    pub fn new(credential: &AcceptorCredential) -> Self {
        Self {
            credential: credential.clone(),
            asked: Asked::default(),
            datagram: false,
            state: Stage::On(State::Start),
        }
    }

    /// Refuses initiators that do not agree to all of these.
    #[must_use]
    pub fn require(mut self, flags: Flags) -> Self {
        self.asked.required |= flags;
        self
    }

    /// Requires the initiator to be bound to this channel.
    #[must_use]
    pub fn channel_bindings(mut self, bindings: ChannelBindings) -> Self {
        self.asked.bindings = ChannelBindingPolicy::Required(bindings);
        self
    }

    /// Compares channel bindings where the initiator sends them, and accepts initiators that send
    /// none: open to relays from outside of the channel, for the time until every client sends
    /// them.
    #[must_use]
    pub fn channel_bindings_if_present(mut self, bindings: ChannelBindings) -> Self {
        self.asked.bindings = ChannelBindingPolicy::IfPresent(bindings);
        self
    }

    /// Connectionless mode (MS-NLMP §1.3.1.4): the acceptor speaks first, so its first step takes no
    /// token; messages are opened in any order, and
    /// [`Flags::SEQUENCE`] is not granted.
    #[must_use]
    pub fn connectionless(mut self) -> Self {
        self.datagram = true;
        self
    }

    /// MS-NLMP §3.2.5.1.1 and §3.2.5.2.1.
    fn challenge(
        &self,
        token: Option<&[u8]>,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        flags::refuse_impossible(self.asked.required, Flags::NONE, self.datagram)?;
        let policy = env.policy.ntlm();
        let agreed = match token {
            None => flags::proposed_by_acceptor(policy),
            Some(token) => {
                let offer = NegotiateMessage::parse(token).map_err(ErrorKind::DefectiveToken)?;
                // This is the other mode, which has messages of its own.
                let offered = offer.flags.without(NegotiateFlags::NEGOTIATE_DATAGRAM);
                flags::answered_by_acceptor(offered, policy, self.asked.required)?
            }
        };
        let mut server_challenge = [0; 8];
        env.random.fill(&mut server_challenge)?;
        let names = self.credential.names();
        let info = names.target_info(file_time(env.now))?;
        let charset = Charset::of(agreed);
        // OEM has no place for other characters; initiators take names from the target information.
        let target = charset.encode(names.computer()).unwrap_or_default();
        let internal = |_| ErrorKind::Internal("CHALLENGE message");
        let message = ChallengeMessage {
            flags: agreed,
            target_name: Text::parse(&target, charset).map_err(internal)?,
            server_challenge,
            target_info: Some(countersign_token::ntlm::AvPairs::parse(&info).map_err(internal)?),
            version: agreed.contains(NegotiateFlags::VERSION).then_some(VERSION),
        };
        let challenge = message.to_bytes().map_err(internal)?;
        let step = Step::Continue {
            token: challenge.clone(),
        };
        let exchange = Exchange {
            negotiate: token.map(<[u8]>::to_vec),
            challenge,
            server_challenge,
            offered: agreed,
        };
        Ok(Next::On(State::Challenged(exchange), step))
    }

    fn authenticate(
        &self,
        exchange: Exchange,
        token: &[u8],
        env: &Environment<'_>,
    ) -> Result<Next<State>, Error> {
        let policy = env.policy;
        let claim = match verify::claim(exchange, token, &self.credential, &self.asked, policy)? {
            verify::Claimed::Account(claim) => claim,
            verify::Claimed::Nobody(context) => return Ok(established(context)),
        };
        match self.credential.users() {
            Some(users) => {
                let user = self.credential.find(users, &claim.request);
                let judged = verify::judge_own(&claim, user, &self.credential, &self.asked, env);
                judged.map(established)
            }
            None => {
                let need = Step::Need(Need::Logon(claim.request.clone()));
                Ok(Next::On(State::Logon(claim), need))
            }
        }
    }
}

fn established(context: NewNtlmContext) -> Next<State> {
    let context = Box::new(SecurityContext::establish_ntlm(context));
    Next::Established(None, context)
}

impl Staged<State> for Acceptor {
    fn stage(&mut self) -> &mut Stage<State> {
        &mut self.state
    }
}

impl Mechanism for Acceptor {
    fn mechanism(&self) -> Oid<'static> {
        Oid::NTLMSSP
    }

    fn step(&mut self, token: Option<&[u8]>, env: &mut Environment<'_>) -> Result<Step, Error> {
        let limit = env.policy.max_token();
        self.play(|this, state| match (state, token) {
            (state @ State::Logon(_), _) => Ok(Next::Unexpected(state)),
            (_, Some(token)) if token.len() > limit => {
                let length = token.len();
                Err(ErrorKind::TokenTooLarge { length, limit }.into())
            }
            (State::Start, Some(_)) if this.datagram => Err(ErrorKind::TokenUnexpected.into()),
            (State::Start, None) if !this.datagram => Err(ErrorKind::TokenMissing.into()),
            (State::Start, token) => this.challenge(token, env),
            (State::Challenged(exchange), Some(token)) => this.authenticate(exchange, token, env),
            (State::Challenged(_), None) => Err(ErrorKind::TokenMissing.into()),
        })
    }

    fn resume(&mut self, answer: Answer, env: &mut Environment<'_>) -> Result<Step, Error> {
        self.play(|this, state| match (state, answer) {
            (State::Logon(claim), Answer::Logon(logon)) => {
                verify::judge(&claim, logon, &this.credential, &this.asked, env).map(established)
            }
            (state, _) => Ok(Next::Unexpected(state)),
        })
    }
}
