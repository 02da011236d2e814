//! Our acceptor, with the keys of a lab's service: what a ticket is worth.

use std::sync::Arc;

use countersign_context::credential::{Keytab, TicketCredential};
use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_context::{Flags, Mechanism, Policy, SecurityContext, Step};
use countersign_handshake::SystemEnvironment;

use crate::Result;
use crate::kdc::client::text;
use crate::kdc::lab::Lab;

/// The two ends of a context: the initiator's and the acceptor's.
pub(crate) type Ends = (Box<SecurityContext>, Box<SecurityContext>);

/// Authenticates with the ticket to the service whose keys these are.
pub(crate) fn accepted(
    ticket: impl Into<Arc<TicketCredential>>,
    keytab: &Keytab,
    policy: &Policy,
) -> Result<Ends> {
    let credential = AcceptorCredential::new(keytab);
    establish(
        Box::new(Initiator::new(ticket).require(Flags::CONFIDENTIALITY | Flags::INTEGRITY)),
        Box::new(Acceptor::new(&credential)),
        policy,
    )
}

/// Has the two meet in this process, and exchange a message.
pub(crate) fn establish(
    mut initiator: Box<dyn Mechanism>,
    mut acceptor: Box<dyn Mechanism>,
    policy: &Policy,
) -> Result<Ends> {
    let mut system = SystemEnvironment::new().with_policy(policy.clone());
    let (mut ours, mut theirs) = (None, None);
    let mut token = None;
    for _ in 0..4 {
        match initiator.step(token.as_deref(), &mut system.environment()) {
            Ok(Step::Continue { token: next }) => token = Some(next),
            Ok(Step::Established {
                token: next,
                context,
            }) => {
                ours = Some(context);
                token = next;
            }
            Ok(Step::Need(need)) => return Err(format!("the initiator needs {need:?}")),
            Err(error) => return Err(format!("the initiator refuses: {error}")),
        }
        if let Some(message) = token.take() {
            match acceptor.step(Some(&message), &mut system.environment()) {
                Ok(Step::Continue { token: next }) => token = Some(next),
                Ok(Step::Established {
                    token: next,
                    context,
                }) => {
                    theirs = Some(context);
                    token = next;
                }
                Ok(Step::Need(need)) => return Err(format!("the acceptor needs {need:?}")),
                Err(error) => return Err(format!("the acceptor refuses: {error}")),
            }
        }
        if token.is_none() && ours.is_some() && theirs.is_some() {
            break;
        }
    }
    let (Some(mut ours), Some(mut theirs)) = (ours, theirs) else {
        return Err("the handshake does not end".into());
    };
    let sealed = ours.wrap(true, b"a message").map_err(text)?;
    if theirs.unwrap(&sealed).map_err(text)?.message != b"a message" {
        return Err("another message arrives".into());
    }
    Ok((ours, theirs))
}

impl Lab {
    /// Authenticates with the ticket to the service of a keytab, which is to see this client.
    pub(crate) fn accepts(
        &self,
        ticket: impl Into<Arc<TicketCredential>>,
        keytab: &str,
        client: &str,
        policy: &Policy,
    ) -> Result<Ends> {
        let ends = accepted(ticket, &self.keytab(keytab)?, policy)?;
        let expected = self.principal(client)?;
        let peer = ends.1.peer().and_then(|peer| peer.principal());
        if peer != Some(&expected) {
            return Err(format!("the service sees {peer:?}"));
        }
        Ok(ends)
    }
}
