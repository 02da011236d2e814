//! What an acceptor has, for all its contexts.

use std::sync::Arc;

use countersign_credential::ntlm::{AccountName, Users};
use countersign_crypto::ntlm::NtHash;

use super::logon::LogonRequest;
use super::names::{MachineId, ServerNames, TargetNamePolicy};

/// What all contexts of an acceptor share: its names, and who may log on.
///
/// Made once a server; clones are cheap and share everything.
///
/// ```
/// use countersign_context::credential::ntlm::Users;
/// use countersign_context::ntlm::{Acceptor, AcceptorCredential, ServerNames};
///
/// let users = Users::parse(b"EXAMPLE:alice:open sesame\n")?;
/// let credential = AcceptorCredential::new(ServerNames::new("WWW", "EXAMPLE")?).with_users(users);
/// let acceptor = Acceptor::new(&credential); // once a connection
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct AcceptorCredential(Arc<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    names: ServerNames,
    users: Option<Arc<Users>>,
    machine: Option<MachineId>,
    target: TargetNamePolicy,
}

impl AcceptorCredential {
    /// An acceptor that asks by [`Need::Logon`](crate::Need::Logon) who may log on.
    #[must_use]
    pub fn new(names: ServerNames) -> Self {
        Self(Arc::new(Inner {
            names,
            users: None,
            machine: None,
            target: TargetNamePolicy::Ignore,
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Whom it knows. It then asks nobody: who is not among them is refused.
    #[must_use]
    pub fn with_users(self, users: impl Into<Arc<Users>>) -> Self {
        self.with(|inner| inner.users = Some(users.into()))
    }

    /// Refuses what initiators of the same machine made and somebody else sends.
    #[must_use]
    pub fn with_machine(self, machine: MachineId) -> Self {
        self.with(|inner| inner.machine = Some(machine))
    }

    /// Which services initiators must have meant to reach.
    #[must_use]
    pub fn with_target_names(self, policy: TargetNamePolicy) -> Self {
        self.with(|inner| inner.target = policy)
    }

    /// Its names.
    #[must_use]
    pub fn names(&self) -> &ServerNames {
        &self.0.names
    }

    pub(super) fn machine(&self) -> Option<MachineId> {
        self.0.machine
    }

    pub(super) fn target(&self) -> &TargetNamePolicy {
        &self.0.target
    }

    /// Its own users; `None` where it has none and the caller is to be asked.
    pub(super) fn users(&self) -> Option<&Users> {
        self.0.users.as_deref()
    }

    /// Who of these users that is, if anybody.
    pub(super) fn find<'a>(
        &self,
        users: &'a Users,
        request: &LogonRequest,
    ) -> Option<(&'a AccountName, &'a NtHash)> {
        // Who names no domain means this server's, to be looked up in, not to be proved with.
        let domain = match request.domain() {
            "" => self.0.names.domain(),
            named => named,
        };
        users.find(domain, request.user())
    }
}
