//! The initiator.
//!
//! ```text
//!   Start ── NEGOTIATE sent, or nothing in connectionless mode ──▶ Challenge
//!   Challenge ── CHALLENGE: AUTHENTICATE sent ──▶ Over
//!
//!   any state ── error ──▶ Over, which repeats the error
//! ```

use std::sync::Arc;

use countersign_credential::ServiceName;
use countersign_credential::ntlm::NtlmCredential;
use countersign_token::ntlm::{Charset, NegotiateMessage, Text, Version};
use countersign_token::oid::Oid;

use crate::bindings::ChannelBindings;
use crate::environment::Environment;
#[cfg(feature = "ntlm-v1")]
use crate::error::NtlmProblem;
use crate::error::{Error, ErrorKind};
use crate::flags::Flags;
use crate::security_context::SecurityContext;
use crate::stage::{Next, Stage, Staged};
use crate::step::{Answer, Mechanism, Step};

use super::flags;
use super::names::MachineId;
use super::response::{self, Offer};

/// What the messages say of the program that made them: the revision that has a MIC and nothing of
/// the operating system (MS-NLMP §2.2.2.10, which has it for debugging alone).
pub(super) const VERSION: Version = Version {
    major: 10,
    minor: 0,
    build: 0,
    revision: 15,
};

/// The initiator of one NTLM security context.
///
/// Its responses are NTLMv2 with a MIC, whatever the acceptor asks for, until something that is
/// called dangerous says otherwise. The acceptor proves nothing
/// of itself by NTLM: there is no peer name, [`Flags::MUTUAL`] cannot be had, and what protects the
/// name of the server is the channel under it, given by [`channel_bindings`](Self::channel_bindings).
///
/// ```
/// use countersign_context::Flags;
/// use countersign_context::credential::Password;
/// use countersign_context::credential::ntlm::{AccountName, NtlmCredential};
/// use countersign_context::ntlm::Initiator;
///
/// let name = AccountName::parse("EXAMPLE\\alice")?;
/// let credential = NtlmCredential::with_password(name, &Password::from("open sesame"));
/// let initiator = Initiator::new(credential).require(Flags::CONFIDENTIALITY);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Initiator {
    options: Options,
    state: Stage<State>,
}

/// What the caller wants.
#[derive(Debug)]
pub(super) struct Options {
    /// `None`: anonymous.
    pub(super) credential: Option<Arc<NtlmCredential>>,
    pub(super) requested: Flags,
    pub(super) required: Flags,
    pub(super) bindings: Option<ChannelBindings>,
    pub(super) target: Option<ServiceName>,
    pub(super) target_unverified: bool,
    pub(super) machine: Option<MachineId>,
    pub(super) datagram: bool,
    #[cfg(feature = "ntlm-v1")]
    pub(super) v1: bool,
}

#[derive(Debug)]
enum State {
    Start,
    /// A CHALLENGE is due.
    Challenge(Offer),
}

impl Initiator {
    /// An initiator who proves to know the account's password or its hash.
    #[must_use]
    pub fn new(credential: impl Into<Arc<NtlmCredential>>) -> Self {
        Self::with(Some(credential.into()))
    }

    /// An initiator without a name. Its context protects no messages.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::with(None)
    }

    fn with(credential: Option<Arc<NtlmCredential>>) -> Self {
        Self {
            options: Options {
                credential,
                requested: Flags::NONE,
                required: Flags::NONE,
                bindings: None,
                target: None,
                target_unverified: false,
                machine: None,
                datagram: false,
                #[cfg(feature = "ntlm-v1")]
                v1: false,
            },
            state: Stage::On(State::Start),
        }
    }

    /// Asks for these flags too, and goes on without those that are not granted.
    #[must_use]
    pub fn request(mut self, flags: Flags) -> Self {
        self.options.requested |= flags;
        self
    }

    /// Asks for these flags too, and fails where one is not granted: before anything is sent where
    /// NTLM cannot grant it at all.
    #[must_use]
    pub fn require(mut self, flags: Flags) -> Self {
        self.options.requested |= flags;
        self.options.required |= flags;
        self
    }

    /// Binds the context to a channel.
    #[must_use]
    pub fn channel_bindings(mut self, bindings: ChannelBindings) -> Self {
        self.options.bindings = Some(bindings);
        self
    }

    /// Names the service that is meant, so that the response is of no use elsewhere, where
    /// acceptors look at it (`MsvAvTargetName`).
    #[must_use]
    pub fn target(mut self, service: ServiceName) -> Self {
        self.options.target = Some(service);
        self.options.target_unverified = false;
        self
    }

    /// As [`target`](Self::target), with a name from a source that is not trusted, such as a redirection: the
    /// response says so (`MsvAvFlags` 0x00000004, MS-NLMP §3.1.5.1.2), and acceptors that insist
    /// on being meant refuse it.
    #[must_use]
    pub fn unverified_target(mut self, service: ServiceName) -> Self {
        self.options.target = Some(service);
        self.options.target_unverified = true;
        self
    }

    /// Marks the response as this machine's, so that its own acceptors refuse it from others.
    #[must_use]
    pub fn machine(mut self, machine: MachineId) -> Self {
        self.options.machine = Some(machine);
        self
    }

    /// Connectionless mode (MS-NLMP §1.3.1.4): the acceptor speaks first, so the first step's token
    /// is empty and not to be sent; messages are opened in any order, and
    /// [`Flags::SEQUENCE`] is not granted.
    #[must_use]
    pub fn connectionless(mut self) -> Self {
        self.options.datagram = true;
        self
    }

    /// Proves itself by NTLMv1's response with extended session security (MS-NLMP §3.3.1), for
    /// acceptors that know no other. Dangerous: the acceptor, and whoever hears it, has the NT hash
    /// after some hours of search, no MIC protects the messages, and it is of use wherever it is
    /// relayed to.
    ///
    /// It has no place for channel bindings, a target name or a machine: with one of them the first
    /// step fails with [`NtlmProblem::ResponseUnbound`](crate::NtlmProblem::ResponseUnbound).
    #[cfg(feature = "ntlm-v1")]
    #[must_use]
    pub fn dangerous_v1(mut self) -> Self {
        self.options.v1 = true;
        self
    }

    fn start(&self, env: &Environment<'_>) -> Result<Next<State>, Error> {
        let options = &self.options;
        // Acceptors do not tell whether they looked at channel bindings.
        let mut never = Flags::CHANNEL_BOUND;
        if options.credential.is_some() {
            never |= Flags::ANONYMOUS;
        }
        flags::refuse_impossible(options.required, never, options.datagram)?;
        #[cfg(feature = "ntlm-v1")]
        if options.v1
            && (options.bindings.is_some() || options.target.is_some() || options.machine.is_some())
        {
            return Err(NtlmProblem::ResponseUnbound.into());
        }
        let mut asked = options.requested;
        if options.credential.is_none() {
            // Anybody knows an anonymous context's key.
            let protected = options.required & flags::PROTECTED;
            if !protected.is_empty() {
                return Err(ErrorKind::FlagsNotGranted(protected).into());
            }
            asked = asked.difference(flags::PROTECTED);
        }
        let offered = flags::offered_by_initiator(asked, env.policy.ntlm(), options.datagram);
        let message = if options.datagram {
            Vec::new()
        } else {
            let message = NegotiateMessage {
                flags: offered,
                domain: Text::empty(Charset::Oem),
                workstation: Text::empty(Charset::Oem),
                version: Some(VERSION),
            };
            message
                .to_bytes()
                .map_err(|_| ErrorKind::Internal("NEGOTIATE message"))?
        };
        let token = message.clone();
        let offer = Offer {
            flags: offered,
            message,
        };
        Ok(Next::On(State::Challenge(offer), Step::Continue { token }))
    }

    fn respond(
        &self,
        offer: &Offer,
        token: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        let (token, context) = response::respond(offer, token, &self.options, env)?;
        let context = Box::new(SecurityContext::establish_ntlm(context));
        Ok(Next::Established(Some(token), context))
    }
}

impl Staged<State> for Initiator {
    fn stage(&mut self) -> &mut Stage<State> {
        &mut self.state
    }
}

impl Mechanism for Initiator {
    fn mechanism(&self) -> Oid<'static> {
        Oid::NTLMSSP
    }

    fn step(&mut self, token: Option<&[u8]>, env: &mut Environment<'_>) -> Result<Step, Error> {
        let limit = env.policy.max_token();
        self.play(|this, state| match (state, token) {
            (State::Start, None) => this.start(env),
            (State::Start, Some(_)) => Err(ErrorKind::TokenUnexpected.into()),
            (State::Challenge(_), None) => Err(ErrorKind::TokenMissing.into()),
            (State::Challenge(_), Some(token)) if token.len() > limit => {
                let length = token.len();
                Err(ErrorKind::TokenTooLarge { length, limit }.into())
            }
            (State::Challenge(offer), Some(token)) => this.respond(&offer, token, env),
        })
    }

    fn ask_integrity(&mut self) {
        self.options.requested |= Flags::INTEGRITY;
    }

    fn resume(&mut self, _: Answer, _: &mut Environment<'_>) -> Result<Step, Error> {
        // It asks for nothing.
        self.play(|_, state| Ok::<_, Error>(Next::Unexpected(state)))
    }
}
