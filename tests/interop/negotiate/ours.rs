//! Our library as a side.

use countersign::credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign::credential::{CredentialCache, Keytab, Password, ServiceName};
use countersign::crypto::ntlm::NtHash;
use countersign::handshake::SystemEnvironment;
use countersign::token::oid::Oid;
use countersign::{
    Flags, Mechanism, MicPolicy, NtlmPolicy, Policy, Role, SecurityContext, Step, kerberos,
    negotiate, ntlm,
};

use crate::negotiate::lab::{Lab, PASSWORD};
use crate::negotiate::side::{Accepts, Facts, Initiates, NegotiateSide, Offer, SERVER};
use crate::side::{Handshake, Refusal, Stepped};

/// Our library, in this process.
pub(super) struct Ours<'l> {
    lab: &'l Lab<'l>,
    environment: SystemEnvironment,
    mechanism: Option<Box<dyn Mechanism>>,
    context: Option<Box<SecurityContext>>,
}

impl<'l> Ours<'l> {
    pub(super) fn new(lab: &'l Lab<'l>) -> Self {
        let ntlm = NtlmPolicy::default().with_mic(MicPolicy::Required);
        Self {
            lab,
            environment: SystemEnvironment::new().with_policy(Policy::default().with_ntlm(ntlm)),
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

    fn read(&self, name: &str) -> Result<Vec<u8>, Refusal> {
        let path = self.lab.path(name);
        std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()).into())
    }

    fn kerberos_initiator(&self, cache: &str) -> Result<kerberos::Initiator, Refusal> {
        let cache = CredentialCache::parse(&self.read(cache)?)?;
        let service = ServiceName::parse(&format!("HTTP/{SERVER}@COUNTERSIGN.TEST"))?;
        let ticket = cache.find_service(&service);
        let ticket = ticket.ok_or_else(|| format!("no ticket for {service}"))?;
        Ok(kerberos::Initiator::new(ticket.duplicate()).require(PROTECTED))
    }

    fn kerberos_acceptor(&self, keytab: &str) -> Result<kerberos::Acceptor, Refusal> {
        let keytab = Keytab::parse(&self.read(keytab)?)?;
        let credential = kerberos::AcceptorCredential::new(&keytab);
        Ok(kerberos::Acceptor::new(&credential))
    }
}

const PROTECTED: Flags = Flags::CONFIDENTIALITY.union(Flags::INTEGRITY);

fn alice() -> Result<AccountName, Refusal> {
    AccountName::new("DOM", "alice").map_err(|e| e.to_string().into())
}

fn ntlm_initiator() -> Result<ntlm::Initiator, Refusal> {
    let credential = NtlmCredential::with_password(alice()?, &Password::from(PASSWORD));
    Ok(ntlm::Initiator::new(credential).require(PROTECTED))
}

fn ntlm_acceptor() -> Result<ntlm::Acceptor, Refusal> {
    let names = ntlm::ServerNames::new("WWW", "DOM")?.with_dns(SERVER, "peer.test")?;
    let mut users = Users::new();
    users
        .insert(alice()?, NtHash::from_password(PASSWORD))
        .map_err(|e| e.to_string())?;
    let credential = ntlm::AcceptorCredential::new(names).with_users(users);
    Ok(ntlm::Acceptor::new(&credential))
}

impl Handshake for Ours<'_> {
    fn step(&mut self, token: Option<&[u8]>) -> Result<Stepped, Refusal> {
        let mechanism = self.mechanism.as_mut();
        let mechanism = mechanism.ok_or_else(|| "not begun".to_owned())?;
        match mechanism.step(token, &mut self.environment.environment())? {
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

impl NegotiateSide for Ours<'_> {
    fn start_initiator(&mut self, setup: &Initiates) -> Result<(), Refusal> {
        let mut initiator = negotiate::Initiator::new();
        for offer in setup.offers {
            initiator = match offer {
                Offer::Kerberos => initiator.offer(self.kerberos_initiator(setup.cache)?),
                Offer::Ntlm => initiator.offer(ntlm_initiator()?),
            };
        }
        self.begin(initiator);
        Ok(())
    }

    fn start_acceptor(&mut self, setup: &Accepts) -> Result<(), Refusal> {
        let mut acceptor = negotiate::Acceptor::new();
        for offer in setup.offers {
            acceptor = match offer {
                Offer::Kerberos => acceptor.offer(self.kerberos_acceptor(setup.keytab)?),
                Offer::Ntlm => acceptor.offer(ntlm_acceptor()?),
            };
        }
        if setup.own_order {
            acceptor = acceptor.prefer_own_order();
        }
        self.begin(acceptor);
        Ok(())
    }

    fn facts(&mut self) -> Result<Facts, Refusal> {
        let context = self.context()?;
        let user = match context.role() {
            Role::Initiator => Some(context.local()),
            Role::Acceptor => context.peer(),
        };
        let mechanism = match context.mechanism() {
            Oid::KERBEROS => Offer::Kerberos,
            Oid::NTLMSSP => Offer::Ntlm,
            other => return Err(format!("a context of {other:?}").into()),
        };
        Ok(Facts {
            user: user.map(ToString::to_string),
            mechanism,
            proved: Some(context.negotiated().is_some_and(|how| how.proved)),
        })
    }

    fn session_key(&mut self) -> Result<Vec<u8>, Refusal> {
        Ok(self.context()?.session_key().expose().to_vec())
    }

    fn wrap(&mut self, seal: bool, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(self.context()?.wrap(seal, message)?)
    }

    fn unwrap(&mut self, token: &[u8]) -> Result<(Vec<u8>, bool), Refusal> {
        let opened = self.context()?.unwrap(token)?;
        Ok((opened.message, opened.sealed))
    }

    fn mic(&mut self, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(self.context()?.get_mic(message)?)
    }

    fn verify(&mut self, message: &[u8], mic: &[u8]) -> Result<(), Refusal> {
        Ok(self.context()?.verify_mic(message, mic)?)
    }
}
