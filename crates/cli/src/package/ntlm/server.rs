//! A server with users of its own.

use countersign::ntlm::{Acceptor, AcceptorCredential};
use countersign::{Mechanism, MicPolicy, NtlmPolicy, Policy};

use crate::args::{Mic, NtlmServer, ServeOptions};
use crate::failure::Failure;
use crate::{files, package};

use super::names;

pub(crate) struct Server {
    credential: AcceptorCredential,
    policy: NtlmPolicy,
}

impl Server {
    pub(crate) fn new(options: &ServeOptions) -> Result<Self, Failure> {
        let options = &options.ntlm;
        let path = options.ntlm_users.as_deref().ok_or_else(|| {
            Failure::usage(
                "--package ntlm needs --ntlm-users FILE: who may log on, DOMAIN:user:password or \
                 user:hash on each line",
            )
        })?;
        let users = files::users(path)?;
        if users.is_empty() {
            return Err(Failure::usage(format!(
                "the users {}: there is none, everybody would be refused",
                path.display()
            )));
        }
        let names = names::of(options)?;
        Ok(Self {
            credential: AcceptorCredential::new(names).with_users(users),
            policy: policy(options)?,
        })
    }
}

fn policy(options: &NtlmServer) -> Result<NtlmPolicy, Failure> {
    let policy = NtlmPolicy::default().with_mic(match options.ntlm_mic {
        Mic::Required => MicPolicy::Required,
        Mic::IfPresent => MicPolicy::IfPresent,
    });
    #[cfg(feature = "ntlm-v1")]
    if options.ntlm_dangerous_v1 {
        // Its responses have no place for one.
        return match options.ntlm_mic {
            Mic::IfPresent => Ok(policy.with_dangerous_v1(true)),
            Mic::Required => Err(Failure::usage(
                "--ntlm-dangerous-v1 needs --ntlm-mic if-present: NTLMv1 has no MIC",
            )),
        };
    }
    Ok(policy)
}

impl package::Server for Server {
    fn acceptor(&self) -> Box<dyn Mechanism> {
        Box::new(Acceptor::new(&self.credential))
    }

    fn permit(&self, policy: Policy) -> Policy {
        policy.with_ntlm(self.policy)
    }
}
