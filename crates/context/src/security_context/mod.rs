//! The established context: who, what was granted, and the protection of messages.
//!
//! ```text
//!                    establish / import
//!                           │
//!                           ▼
//!   SecurityContext ── split ──▶ Sender    sequence, confounders, keys of this direction
//!          ▲                 └─▶ Receiver  window, keys of the other direction
//!          └───── rejoin ───────┘
//! ```
//!
//! What never changes ([`facts`]) is shared by both halves; nothing else is, so neither waits for
//! the other. Tokens are those of RFC 4121 ([`cfx`]), those of RFC 4757 for rc4-hmac, or those of
//! MS-NLMP for NTLM.

mod cfx;
mod confounder;
mod custom;
mod export;
mod facts;
mod iov;
mod lucid;
#[cfg(feature = "ntlm")]
pub(crate) mod ntlm;
mod order;
mod prf;
mod receive;
#[cfg(feature = "rc4")]
mod rfc4757;
mod send;
mod sizes;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use countersign_credential::TicketCredential;
use countersign_crypto::{Key, wiping_stack};
use countersign_token::oid::Oid;

use crate::environment::Timestamp;
use crate::error::Error;
use crate::flags::Flags;
use crate::identity::Identity;
use crate::negotiate::Negotiated;
use crate::policy::Policy;

pub use custom::{CustomContext, OpenMessages, ProtectMessages};
pub use facts::SessionKey;
pub use iov::{IoBuffer, IovParts, Protection};
pub use lucid::LucidContext;
pub use order::Order;
pub use prf::PrfKey;
pub use receive::{Receiver, Unwrapped, UnwrappedInPlace};
pub use send::Sender;
pub use sizes::{Overhead, Sizes};

use facts::{Facts, KerberosKeys, Keys, facts_accessors};

/// What is there, or is made now, in its place; what that left on the stack is overwritten.
#[inline]
fn prepared<T>(place: &mut Option<T>, make: impl Fn() -> T) -> &mut T {
    if place.is_none() {
        wiping_stack(|| *place = Some(make()));
    }
    place.get_or_insert_with(make)
}

/// Which side of a context this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that sent the first token.
    Initiator,
    /// The side that answered.
    Acceptor,
}

impl Role {
    /// The role of the other side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Initiator => Self::Acceptor,
            Self::Acceptor => Self::Initiator,
        }
    }
}

/// All that Kerberos hands over when it is done.
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
    /// The initiator's ticket, where it is wanted (acceptor only).
    pub(crate) evidence: Option<Box<TicketCredential>>,
    /// The ticket's `authtime`, where it is known.
    pub(crate) auth_time: Option<i64>,
    /// AuthorizationData of the ticket, DER.
    pub(crate) authorization_data: Vec<u8>,
    /// Of a PAC in it that was verified (acceptor only).
    pub(crate) pac: Option<crate::kerberos::pac::Verified>,
    /// Unpredictable; keys the generator of confounders.
    pub(crate) confounder_seed: zeroize::Zeroizing<[u8; 16]>,
}

/// All that NTLM hands over when it is done.
#[cfg(feature = "ntlm")]
pub(crate) struct NewNtlmContext {
    pub(crate) role: Role,
    pub(crate) flags: Flags,
    pub(crate) local: Identity,
    pub(crate) peer: Option<Identity>,
    pub(crate) keys: ntlm::NtlmKeys,
}

/// An established security context: it knows the peer and protects messages.
///
/// It is deliberately not `Clone`: bind it to the one connection on which it was established.
///
/// Sending and receiving have nothing in common that changes, so [`split`](Self::split) gives two
/// halves for two threads; every method of [`Sender`] and [`Receiver`] is here too.
pub struct SecurityContext {
    sender: Sender,
    receiver: Receiver,
    negotiated: Option<Box<Negotiated>>,
}

impl SecurityContext {
    /// What a mechanism hands over, ready for messages.
    pub(crate) fn establish(new: NewContext) -> Self {
        let NewContext {
            role,
            mechanism,
            flags,
            local,
            peer,
            expires,
            key,
            acceptor_subkey,
            initiator_key,
            send_sequence,
            receive_sequence,
            delegated,
            evidence,
            auth_time,
            authorization_data,
            pac,
            confounder_seed,
        } = new;
        let facts = Arc::new(Facts {
            role,
            mechanism,
            flags,
            local,
            peer,
            expires,
            keys: Keys::Kerberos(KerberosKeys {
                key,
                acceptor_subkey,
                initiator_key,
                auth_time,
                authorization_data,
                pac,
                confounder_seed,
            }),
        });
        Self {
            sender: Sender::new(Arc::clone(&facts), send_sequence),
            receiver: Receiver::new(facts, receive_sequence, delegated).with_evidence(evidence),
            negotiated: None,
        }
    }

    /// What NTLM hands over, ready for messages; both directions begin at 0 (MS-NLMP §3.4.1).
    #[cfg(feature = "ntlm")]
    pub(crate) fn establish_ntlm(new: NewNtlmContext) -> Self {
        let NewNtlmContext {
            role,
            flags,
            local,
            peer,
            keys,
        } = new;
        let facts = Arc::new(Facts {
            role,
            mechanism: Oid::NTLMSSP,
            flags,
            local,
            peer,
            expires: Timestamp::NEVER,
            keys: Keys::Ntlm(keys),
        });
        Self {
            sender: Sender::new(Arc::clone(&facts), 0),
            receiver: Receiver::new(facts, 0, None),
            negotiated: None,
        }
    }

    fn facts(&self) -> &Facts {
        self.sender.facts()
    }

    /// How the mechanism was negotiated; `None` where it was not. The halves, a context that was
    /// joined from them, and an imported one do not know.
    #[must_use]
    pub fn negotiated(&self) -> Option<&Negotiated> {
        self.negotiated.as_deref()
    }

    pub(crate) fn set_negotiated(&mut self, negotiated: Negotiated) {
        self.negotiated = Some(Box::new(negotiated));
    }

    /// The MIC over the list of mechanisms. After it NTLM's key stream begins anew (MS-SPNG §3.2.5.1,
    /// §3.3.5.1), while numbers run on, as gss-ntlmssp, pyspnego and sspi have it.
    pub(crate) fn negotiation_mic(&mut self, list: &[u8]) -> Result<Vec<u8>, Error> {
        let mic = self.sender.get_mic(list)?;
        self.sender.restart_ntlm();
        Ok(mic)
    }

    /// Verifies the peer's. Its number tells nothing: Windows has 0 there whatever number the
    /// context begins with.
    pub(crate) fn verify_negotiation_mic(&mut self, list: &[u8], mic: &[u8]) -> Result<(), Error> {
        let _order = self.receiver.verify_mic_any_order(list, mic)?;
        self.receiver.restart_ntlm();
        Ok(())
    }

    /// Whether the list is proved even where it is both sides' first choice: with NTLM. Windows does
    /// not go without where NTLM's own MIC was sent (MS-SPNG appendix A, 8). An initiator has sent
    /// it; an acceptor has it where its policy does not go without.
    pub(crate) fn demands_negotiation_mic(&self, policy: &Policy) -> bool {
        #[cfg(feature = "ntlm")]
        if self.facts().mechanism == Oid::NTLMSSP && self.flags().contains(Flags::INTEGRITY) {
            return self.role() == Role::Initiator
                || policy.ntlm().mic() == crate::policy::MicPolicy::Required;
        }
        let _ = policy;
        false
    }

    /// Two halves that work independently, each without a lock.
    #[must_use]
    pub fn split(self) -> (Sender, Receiver) {
        (self.sender, self.receiver)
    }

    /// The context whose halves these are.
    ///
    /// # Errors
    /// Both halves, when they are of different contexts.
    #[expect(clippy::result_large_err, reason = "both halves are given back")]
    pub fn rejoin(sender: Sender, receiver: Receiver) -> Result<Self, (Sender, Receiver)> {
        if Arc::ptr_eq(&sender.facts, &receiver.facts) {
            Ok(Self {
                sender,
                receiver,
                negotiated: None,
            })
        } else {
            Err((sender, receiver))
        }
    }
}

/// Methods of the halves, on the whole.
macro_rules! delegate {
    ($($half:ident: $type:ident {$(
        $(#[$extra:meta])*
        $name:ident($($argument:ident: $argument_type:ty),*) $(-> $output:ty)?;
    )*})*) => {
        impl SecurityContext {$($(
            #[doc = concat!("As [`", stringify!($type), "::", stringify!($name), "`].")]
            $(#[$extra])*
            pub fn $name(&mut self, $($argument: $argument_type),*) $(-> $output)? {
                self.$half.$name($($argument),*)
            }
        )*)*}
    };
}

delegate! {
    sender: Sender {
        ///
        /// # Errors
        /// As there.
        #[cfg(feature = "ntlm")]
        number_next(number: u32) -> Result<(), Error>;
        ///
        /// # Errors
        /// As there.
        wrap(seal: bool, message: &[u8]) -> Result<Vec<u8>, Error>;
        ///
        /// # Errors
        /// As there.
        wrap_into(seal: bool, message: &[u8], out: &mut Vec<u8>) -> Result<(), Error>;
        ///
        /// # Errors
        /// As there.
        wrap_in_place(seal: bool, buffer: &mut [u8]) -> Result<(), Error>;
        ///
        /// # Errors
        /// As there.
        get_mic(message: &[u8]) -> Result<Vec<u8>, Error>;
        ///
        /// # Errors
        /// As there.
        get_mic_iov(message: &[IoBuffer<'_>]) -> Result<Vec<u8>, Error>;
        ///
        /// # Errors
        /// As there.
        wrap_iov(seal: bool, buffers: &mut [IoBuffer<'_>]) -> Result<(), Error>;
        ///
        /// # Errors
        /// As there.
        wrap_aead(seal: bool, associated: &[u8], message: &[u8]) -> Result<Vec<u8>, Error>;
    }
    receiver: Receiver {
        ///
        /// # Errors
        /// As there.
        unwrap(token: &[u8]) -> Result<Unwrapped, Error>;
        ///
        /// # Errors
        /// As there.
        unwrap_any_order(token: &[u8]) -> Result<(Unwrapped, Order), Error>;
        ///
        /// # Errors
        /// As there.
        unwrap_in_place(token: &mut [u8]) -> Result<UnwrappedInPlace, Error>;
        ///
        /// # Errors
        /// As there.
        unwrap_in_place_any_order(token: &mut [u8]) -> Result<(UnwrappedInPlace, Order), Error>;
        ///
        /// # Errors
        /// As there.
        verify_mic(message: &[u8], mic: &[u8]) -> Result<(), Error>;
        ///
        /// # Errors
        /// As there.
        verify_mic_any_order(message: &[u8], mic: &[u8]) -> Result<Order, Error>;
        ///
        /// # Errors
        /// As there.
        verify_mic_iov(message: &[IoBuffer<'_>], mic: &[u8]) -> Result<(), Error>;
        ///
        /// # Errors
        /// As there.
        verify_mic_iov_any_order(message: &[IoBuffer<'_>], mic: &[u8]) -> Result<Order, Error>;
        ///
        /// # Errors
        /// As there.
        unwrap_iov(buffers: &mut [IoBuffer<'_>]) -> Result<Protection, Error>;
        ///
        /// # Errors
        /// As there.
        unwrap_iov_any_order(buffers: &mut [IoBuffer<'_>]) -> Result<(Protection, Order), Error>;
        ///
        /// # Errors
        /// As there.
        unwrap_aead(token: &[u8], associated: &[u8]) -> Result<Unwrapped, Error>;
        ///
        /// # Errors
        /// As there.
        unwrap_aead_any_order(token: &[u8], associated: &[u8]) -> Result<(Unwrapped, Order), Error>;
        #[must_use]
        take_delegated() -> Option<TicketCredential>;
        #[must_use]
        take_evidence() -> Option<TicketCredential>;
    }
}

impl SecurityContext {
    /// As [`Sender::wrap_iov_length`].
    ///
    /// # Errors
    /// As there.
    pub fn wrap_iov_length(&self, seal: bool, buffers: &[IoBuffer<'_>]) -> Result<IovParts, Error> {
        self.sender.wrap_iov_length(seal, buffers)
    }

    /// As [`Receiver::check_number`].
    ///
    /// # Errors
    /// As there.
    #[cfg(feature = "ntlm")]
    pub fn check_number(&self, token: &[u8], number: u32) -> Result<(), Error> {
        self.receiver.check_number(token, number)
    }
}

facts_accessors!(SecurityContext);

impl core::fmt::Debug for SecurityContext {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SecurityContext")
            .field("facts", self.facts())
            .finish_non_exhaustive()
    }
}

/// Halves go to threads of their own; asserted here, so that no field can change it unseen.
const _: () = {
    const fn sendable<T: Send + Sync + 'static>() {}
    sendable::<SecurityContext>();
    sendable::<Sender>();
    sendable::<Receiver>();
};
