//! A client with a password.

use std::sync::Arc;

use countersign::credential::ServiceName;
use countersign::credential::ntlm::{AccountName, NtlmCredential};
use countersign::ntlm::Initiator;
use countersign::{Flags, Mechanism, Policy};

use crate::args::ConnectOptions;
use crate::failure::Failure;
use crate::{package, password};

pub(crate) struct Client {
    credential: Arc<NtlmCredential>,
    target: Option<ServiceName>,
}

impl Client {
    pub(crate) fn new(options: &ConnectOptions) -> Result<Self, Failure> {
        let text = options.ntlm.user.as_deref().ok_or_else(|| {
            Failure::usage("--package ntlm needs --user 'DOMAIN\\name': whose password it is")
        })?;
        let name = AccountName::parse(text)
            .map_err(|error| Failure::usage(format!("the user \"{text}\": {error}")))?;
        let target = options.target.as_deref().map(package::target).transpose()?;
        let password = match options.secrets.password_stdin {
            true => password::line("password")?,
            false => password::typed(&format!("Password for {name}: "), "--password-stdin")?,
        };
        Ok(Self {
            credential: Arc::new(NtlmCredential::with_password(name, &password)),
            target,
        })
    }
}

impl package::Client for Client {
    fn initiator(&self, flags: Flags) -> Result<Box<dyn Mechanism>, Failure> {
        let mut initiator = Initiator::new(Arc::clone(&self.credential)).require(flags);
        if let Some(target) = &self.target {
            initiator = initiator.target(target.clone());
        }
        Ok(Box::new(initiator))
    }

    fn permit(&self, policy: Policy) -> Policy {
        policy
    }
}
