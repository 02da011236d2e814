//! What is true of a context as long as it lives, shared by its two halves.

use countersign_crypto::{Enctype, Key};
use countersign_token::oid::Oid;

use super::Role;
use crate::environment::Timestamp;
use crate::flags::Flags;
use crate::identity::Identity;
use crate::kerberos::VerifiedPac;
use crate::kerberos::pac::Verified;

/// Everything about a context that no message changes.
pub(crate) struct Facts {
    pub(super) role: Role,
    pub(super) mechanism: Oid<'static>,
    pub(super) flags: Flags,
    pub(super) local: Identity,
    pub(super) peer: Option<Identity>,
    pub(super) expires: Timestamp,
    pub(super) key: Key,
    pub(super) acceptor_subkey: bool,
    pub(super) initiator_key: Key,
    pub(super) authorization_data: Vec<u8>,
    pub(super) pac: Option<Verified>,
}

impl Facts {
    /// Whole seconds until the context expires, zero once it has.
    pub(super) fn remaining(&self, now: Timestamp) -> u64 {
        u64::try_from(self.expires.seconds_since(now)).unwrap_or(0)
    }

    /// The PAC, where it was verified; it is read where it lies.
    pub(super) fn pac(&self) -> Option<VerifiedPac<'_>> {
        VerifiedPac::within(&self.authorization_data, self.pac?)
    }

    pub(super) fn enctype(&self) -> Enctype {
        self.key.enctype()
    }

    pub(super) fn dce_style(&self) -> bool {
        self.flags.contains(Flags::DCE_STYLE)
    }
}

impl core::fmt::Debug for Facts {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Facts")
            .field("role", &self.role)
            .field("mechanism", &self.mechanism)
            .field("flags", &self.flags)
            .field("peer", &self.peer)
            .field("enctype", &self.enctype())
            .finish_non_exhaustive()
    }
}

/// A context's key, on its way to a protocol that needs it (SMB, RPC). Prints nothing of itself.
#[derive(Clone, Copy)]
pub struct SessionKey<'a>(&'a Key);

impl<'a> SessionKey<'a> {
    pub(crate) fn new(key: &'a Key) -> Self {
        Self(key)
    }

    /// The secret bytes, as long as the enctype's key.
    #[must_use]
    pub fn expose(self) -> &'a [u8] {
        self.0.expose()
    }

    /// What the key is for.
    #[must_use]
    pub fn enctype(self) -> Enctype {
        self.0.enctype()
    }
}

impl core::fmt::Debug for SessionKey<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SessionKey({}, ..)", self.0.enctype())
    }
}

/// The accessors that a context and each of its halves have.
macro_rules! facts_accessors {
    ($type:ty) => {
        impl $type {
            /// The mechanism that established the context.
            #[must_use]
            pub fn mechanism(&self) -> countersign_token::oid::Oid<'static> {
                self.facts().mechanism
            }

            /// Which side this is.
            #[must_use]
            pub fn role(&self) -> $crate::security_context::Role {
                self.facts().role
            }

            /// The flags that were granted.
            #[must_use]
            pub fn flags(&self) -> $crate::flags::Flags {
                self.facts().flags
            }

            /// This side's own identity.
            #[must_use]
            pub fn local(&self) -> &$crate::identity::Identity {
                &self.facts().local
            }

            /// The other side's identity; `None` when it has not proved one, as an acceptor
            /// without mutual authentication.
            #[must_use]
            pub fn peer(&self) -> Option<&$crate::identity::Identity> {
                self.facts().peer.as_ref()
            }

            /// When the context expires. Messages are not refused afterwards, as nothing here
            /// reads a clock: compare with [`is_expired`](Self::is_expired).
            #[must_use]
            pub fn expires(&self) -> $crate::environment::Timestamp {
                self.facts().expires
            }

            /// Whole seconds until the context expires, zero once it has.
            #[must_use]
            pub fn remaining(&self, now: $crate::environment::Timestamp) -> u64 {
                self.facts().remaining(now)
            }

            /// Whether the context has expired.
            #[must_use]
            pub fn is_expired(&self, now: $crate::environment::Timestamp) -> bool {
                now >= self.facts().expires
            }

            /// The enctype that protects messages.
            #[must_use]
            pub fn enctype(&self) -> countersign_crypto::Enctype {
                self.facts().enctype()
            }

            /// The key that protects messages: the acceptor's subkey, else the initiator's, else
            /// the ticket's session key (RFC 4121 §2). For protocols above that need it
            /// (`SECPKG_ATTR_SESSION_KEY`, `GSS_C_INQ_SSPI_SESSION_KEY`).
            #[must_use]
            pub fn session_key(&self) -> $crate::security_context::SessionKey<'_> {
                $crate::security_context::SessionKey::new(&self.facts().key)
            }

            /// The ticket's AuthorizationData, DER (RFC 4120 §5.2.6); empty when it has none.
            ///
            /// The KDC vouches for the outermost elements, as they are sealed into the ticket. Of a
            /// PAC within, take what [`pac`](Self::pac) offers: only that has been verified.
            #[must_use]
            pub fn authorization_data(&self) -> &[u8] {
                &self.facts().authorization_data
            }

            /// Who the initiator is in Active Directory's terms, from the PAC in its ticket;
            /// `None` without one, on the initiator's side, and under
            /// [`PacPolicy::Ignored`](crate::PacPolicy::Ignored).
            #[must_use]
            pub fn pac(&self) -> Option<$crate::kerberos::VerifiedPac<'_>> {
                self.facts().pac()
            }

            /// The sizes that `SECPKG_ATTR_SIZES` tells.
            #[must_use]
            pub fn sizes(&self) -> $crate::security_context::Sizes {
                $crate::security_context::Sizes::of(self.facts())
            }

            /// How long a message may be so that its token has at most `max_output` bytes
            /// (`gss_wrap_size_limit`, RFC 2743 §2.2.7). Zero when not even an empty one fits.
            #[must_use]
            pub fn wrap_size_limit(&self, seal: bool, max_output: usize) -> usize {
                $crate::security_context::sizes::wrap_size_limit(self.facts(), seal, max_output)
            }

            /// The room that [`Sender::wrap_in_place`](crate::Sender::wrap_in_place) needs before and after a
            /// message of `message` bytes.
            #[must_use]
            pub fn overhead(
                &self,
                seal: bool,
                message: usize,
            ) -> $crate::security_context::Overhead {
                $crate::security_context::sizes::overhead(self.facts(), seal, message)
            }

            /// The pseudo-random function of RFC 4401 and RFC 7802: `length` bytes that both
            /// sides compute alike from `input`, and that tell nothing of the key.
            ///
            /// # Errors
            /// More than 2^32 blocks are asked for.
            pub fn pseudo_random(
                &self,
                key: $crate::security_context::PrfKey,
                input: &[u8],
                length: usize,
            ) -> Result<zeroize::Zeroizing<Vec<u8>>, $crate::error::Error> {
                $crate::security_context::prf::pseudo_random(self.facts(), key, input, length)
            }
        }
    };
}
pub(super) use facts_accessors;
