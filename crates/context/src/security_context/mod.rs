//! The established context: who, what was granted, and the protection of messages.

use countersign_credential::TicketCredential;
use countersign_crypto::Key;
use countersign_token::oid::Oid;

use crate::environment::Timestamp;
use crate::flags::Flags;
use crate::identity::Identity;

/// Which side of a context this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that sent the first token.
    Initiator,
    /// The side that answered.
    Acceptor,
}

/// All that a mechanism hands over when it is done.
pub(crate) struct NewContext {
    pub(crate) role: Role,
    pub(crate) mechanism: Oid<'static>,
    pub(crate) flags: Flags,
    /// This side.
    pub(crate) local: Identity,
    /// The other side, if it has proved its identity.
    pub(crate) peer: Option<Identity>,
    /// End of the ticket plus the tolerated skew.
    pub(crate) expires: Timestamp,
    /// Protects messages: acceptor's subkey, else initiator's, else the ticket's session key.
    pub(crate) key: Key,
    /// The acceptor asserted a subkey, and `key` is it.
    pub(crate) acceptor_subkey: bool,
    /// The initiator's subkey or the ticket's session key; pseudo-random function of RFC 4401 uses
    /// it for `PRF_KEY_PARTIAL`.
    pub(crate) initiator_key: Key,
    pub(crate) send_sequence: u64,
    pub(crate) receive_sequence: u64,
    /// What the initiator delegated (acceptor only).
    pub(crate) delegated: Option<TicketCredential>,
    /// AuthorizationData of the ticket, DER, unverified in its parts (PAC).
    pub(crate) authorization_data: Vec<u8>,
    /// Unpredictable; keys the generator of confounders.
    pub(crate) confounder_seed: [u8; 16],
}

/// An established security context.
pub struct SecurityContext {
    new: NewContext,
}

impl core::fmt::Debug for SecurityContext {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SecurityContext")
            .field("mechanism", &self.new.mechanism)
            .field("flags", &self.new.flags)
            .finish_non_exhaustive()
    }
}

impl SecurityContext {
    pub(crate) fn establish(new: NewContext) -> Self {
        Self { new }
    }
}
