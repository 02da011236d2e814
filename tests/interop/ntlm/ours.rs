//! Our library as a side.

use countersign::credential::Password;
use countersign::credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign::crypto::ntlm::NtHash;
use countersign::handshake::SystemEnvironment;
use countersign::{
    ChannelBindings, Flags, Mechanism, MicPolicy, NtlmPolicy, Policy, SecurityContext, Step,
    negotiate, ntlm,
};

use crate::ntlm::side::{Mech, NtlmAcceptor, NtlmFacts, NtlmInitiator, NtlmSide, SERVER, User};
use crate::side::{Handshake, Refusal, Stepped};

/// The length of a signature (MS-NLMP §2.2.2.9).
const SIGNATURE: usize = 16;

/// Our library, in this process.
pub(super) struct Ours {
    environment: SystemEnvironment,
    mechanism: Option<Box<dyn Mechanism>>,
    context: Option<Box<SecurityContext>>,
}

impl Ours {
    /// As an acceptor it takes responses without a MIC only where it is told to: curl and Samba's client
    /// send none.
    pub(super) fn new(mic: MicPolicy) -> Self {
        let policy = Policy::default().with_ntlm(NtlmPolicy::default().with_mic(mic));
        Self {
            environment: SystemEnvironment::new().with_policy(policy),
            mechanism: None,
            context: None,
        }
    }

    fn begin(&mut self, mechanism: impl Mechanism) {
        self.mechanism = Some(Box::new(mechanism));
        self.context = None;
    }

    fn context(&mut self) -> Result<&mut SecurityContext, Refusal> {
        let context = self.context.as_deref_mut();
        context.ok_or_else(|| "not established".to_owned().into())
    }
}

fn flags(names: &[&str]) -> Flags {
    names
        .iter()
        .map(|name| match *name {
            "conf" => Flags::CONFIDENTIALITY,
            _ => Flags::INTEGRITY,
        })
        .fold(Flags::NONE, |all, flag| all | flag)
}

fn name(user: &User) -> Result<AccountName, Refusal> {
    AccountName::new(user.domain, user.name).map_err(|e| e.to_string().into())
}

fn refused(error: &countersign::Error) -> Refusal {
    Refusal {
        reason: error.to_string(),
        token: error.token().map(<[u8]>::to_vec),
    }
}

impl Handshake for Ours {
    fn step(&mut self, token: Option<&[u8]>) -> Result<Stepped, Refusal> {
        let mechanism = self
            .mechanism
            .as_mut()
            .ok_or_else(|| "not begun".to_owned())?;
        let step = mechanism.step(token, &mut self.environment.environment());
        match step.map_err(|error| refused(&error))? {
            Step::Continue { token } => Ok(Stepped {
                token: Some(token),
                complete: false,
            }),
            Step::Established { token, context } => {
                self.context = Some(context);
                Ok(Stepped {
                    token,
                    complete: true,
                })
            }
            Step::Need(need) => Err(format!("asks for {need:?}").into()),
        }
    }
}

impl NtlmSide for Ours {
    fn start_initiator(&mut self, setup: &NtlmInitiator) -> Result<(), Refusal> {
        let password = Password::from(setup.user.password);
        let credential = NtlmCredential::with_password(name(&setup.user)?, &password);
        let mut initiator = ntlm::Initiator::new(credential).require(flags(setup.flags));
        if let Some(data) = setup.bindings {
            initiator = initiator.channel_bindings(ChannelBindings::from_application_data(data));
        }
        match setup.mech {
            Mech::Raw => self.begin(initiator),
            Mech::Spnego => self.begin(negotiate::Initiator::new().offer(initiator)),
        }
        Ok(())
    }

    fn start_acceptor(&mut self, setup: &NtlmAcceptor) -> Result<(), Refusal> {
        let text = |error: countersign::Error| error.to_string();
        let names = ntlm::ServerNames::new("SERVER", "DOM").map_err(text)?;
        let names = names.with_dns(SERVER, "test").map_err(text)?;
        let mut users = Users::new();
        for user in setup.users {
            users
                .insert(name(user)?, NtHash::from_password(user.password))
                .map_err(|e| e.to_string())?;
        }
        let credential = ntlm::AcceptorCredential::new(names).with_users(users);
        let mut acceptor = ntlm::Acceptor::new(&credential);
        if let Some(data) = setup.bindings {
            acceptor = acceptor.channel_bindings(ChannelBindings::from_application_data(data));
        }
        match setup.mech {
            Mech::Raw => self.begin(acceptor),
            Mech::Spnego => self.begin(negotiate::Acceptor::new().offer(acceptor)),
        }
        Ok(())
    }

    fn facts(&mut self) -> Result<NtlmFacts, Refusal> {
        let context = self.context()?;
        let initiator = match context.role() {
            countersign::Role::Initiator => Some(context.local()),
            countersign::Role::Acceptor => context.peer(),
        };
        let granted = [
            (Flags::CONFIDENTIALITY, "conf"),
            (Flags::INTEGRITY, "integ"),
        ];
        let names = granted
            .into_iter()
            .filter(|(flag, _)| context.flags().contains(*flag))
            .map(|(_, name)| name.to_owned());
        Ok(NtlmFacts {
            user: initiator.map(ToString::to_string),
            flags: Some(names.collect()),
        })
    }

    fn session_key(&mut self) -> Result<Vec<u8>, Refusal> {
        Ok(self.context()?.session_key().expose().to_vec())
    }

    fn wrap(&mut self, seal: bool, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        // A context that seals seals all that it wraps; what is to be signed only has its signature beside it.
        if seal {
            return self.context()?.wrap(true, message).map_err(|e| refused(&e));
        }
        let mut token = self.mic(message)?;
        token.extend_from_slice(message);
        Ok(token)
    }

    fn unwrap(&mut self, sealed: bool, token: &[u8]) -> Result<Vec<u8>, Refusal> {
        if sealed {
            let opened = self.context()?.unwrap(token).map_err(|e| refused(&e))?;
            return Ok(opened.message);
        }
        let (mic, message) = token
            .split_at_checked(SIGNATURE)
            .ok_or_else(|| "shorter than a signature".to_owned())?;
        self.verify(message, mic)?;
        Ok(message.to_vec())
    }

    fn mic(&mut self, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.context()?.get_mic(message).map_err(|e| refused(&e))
    }

    fn verify(&mut self, message: &[u8], mic: &[u8]) -> Result<(), Refusal> {
        let context = self.context()?;
        context.verify_mic(message, mic).map_err(|e| refused(&e))
    }
}
