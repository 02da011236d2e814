//! What is true of a context as long as it lives, shared by its two halves.

use core::ops::Deref;

use countersign_crypto::{Enctype, Key};
use countersign_token::oid::Oid;
use zeroize::Zeroizing;

use super::Role;
use super::custom::CustomKeys;
#[cfg(feature = "ntlm")]
use super::ntlm::NtlmKeys;
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
    pub(super) keys: Keys,
}

/// What each mechanism agreed on.
pub(super) enum Keys {
    Kerberos(KerberosKeys),
    #[cfg(feature = "ntlm")]
    Ntlm(NtlmKeys),
    Custom(CustomKeys),
}

/// What Kerberos agreed on.
pub(super) struct KerberosKeys {
    pub(super) key: Key,
    pub(super) acceptor_subkey: bool,
    pub(super) initiator_key: Key,
    /// The ticket's `authtime`; an imported context may not have it.
    pub(super) auth_time: Option<i64>,
    pub(super) authorization_data: Vec<u8>,
    pub(super) pac: Option<Verified>,
    /// Unpredictable; keys the sender's generator of confounders, and is never exported.
    pub(super) confounder_seed: Zeroizing<[u8; 16]>,
}

/// The facts of a context whose mechanism is Kerberos.
#[derive(Clone, Copy)]
pub(super) struct KerberosFacts<'a> {
    facts: &'a Facts,
    pub(super) keys: &'a KerberosKeys,
}

impl Deref for KerberosFacts<'_> {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        self.facts
    }
}

impl KerberosFacts<'_> {
    pub(super) fn enctype(self) -> Enctype {
        self.keys.key.enctype()
    }
}

/// The form of a context's per-message tokens.
#[derive(Clone, Copy)]
pub(super) enum Form<'a> {
    /// RFC 4121 §4.2.
    Cfx(KerberosFacts<'a>),
    /// RFC 4757 §7.
    #[cfg(feature = "rc4")]
    Rfc4757(KerberosFacts<'a>),
    /// MS-NLMP §2.2.2.9.
    #[cfg(feature = "ntlm")]
    Ntlm(&'a NtlmKeys),
    /// The program's own.
    Custom(&'a CustomKeys),
}

impl Facts {
    /// Which tokens protect messages.
    pub(super) fn form(&self) -> Form<'_> {
        match &self.keys {
            #[cfg(feature = "rc4")]
            Keys::Kerberos(keys) if keys.key.enctype() == Enctype::Rc4Hmac => {
                Form::Rfc4757(KerberosFacts { facts: self, keys })
            }
            Keys::Kerberos(keys) => Form::Cfx(KerberosFacts { facts: self, keys }),
            #[cfg(feature = "ntlm")]
            Keys::Ntlm(keys) => Form::Ntlm(keys),
            Keys::Custom(keys) => Form::Custom(keys),
        }
    }

    /// Whole seconds until the context expires, zero once it has.
    pub(super) fn remaining(&self, now: Timestamp) -> u64 {
        u64::try_from(self.expires.seconds_since(now)).unwrap_or(0)
    }

    /// These facts, where the mechanism is Kerberos.
    pub(super) fn kerberos(&self) -> Option<KerberosFacts<'_>> {
        match &self.keys {
            Keys::Kerberos(keys) => Some(KerberosFacts { facts: self, keys }),
            #[cfg(feature = "ntlm")]
            Keys::Ntlm(_) => None,
            Keys::Custom(_) => None,
        }
    }

    /// What NTLM agreed on, where it is the mechanism.
    #[cfg(feature = "ntlm")]
    pub(super) fn ntlm(&self) -> Option<&NtlmKeys> {
        match &self.keys {
            Keys::Ntlm(keys) => Some(keys),
            Keys::Kerberos(_) | Keys::Custom(_) => None,
        }
    }

    /// The PAC, where it was verified; it is read where it lies.
    pub(super) fn pac(&self) -> Option<VerifiedPac<'_>> {
        let keys = self.kerberos()?.keys;
        VerifiedPac::within(&keys.authorization_data, keys.pac?)
    }

    /// When the client first authenticated.
    pub(super) fn auth_time(&self) -> Option<Timestamp> {
        let known = self.kerberos()?.keys.auth_time;
        let known = known.or_else(|| self.pac()?.auth_time());
        known.map(Timestamp::from_unix)
    }

    pub(super) fn enctype(&self) -> Option<Enctype> {
        self.kerberos().map(KerberosFacts::enctype)
    }

    pub(super) fn session_key(&self) -> SessionKey<'_> {
        match &self.keys {
            Keys::Kerberos(keys) => SessionKey::of_enctype(&keys.key),
            #[cfg(feature = "ntlm")]
            Keys::Ntlm(keys) => SessionKey::without_enctype(keys.exported.expose()),
            Keys::Custom(keys) => SessionKey::without_enctype(&keys.session_key),
        }
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
pub struct SessionKey<'a> {
    bytes: &'a [u8],
    enctype: Option<Enctype>,
}

impl<'a> SessionKey<'a> {
    pub(crate) fn of_enctype(key: &'a Key) -> Self {
        Self {
            bytes: key.expose(),
            enctype: Some(key.enctype()),
        }
    }

    pub(crate) fn without_enctype(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            enctype: None,
        }
    }

    /// The secret bytes: as long as the enctype's key, or the 16 of NTLM's exported session key.
    #[must_use]
    pub fn expose(self) -> &'a [u8] {
        self.bytes
    }

    /// What a key of Kerberos is for; `None` for one of another mechanism.
    #[must_use]
    pub fn enctype(self) -> Option<Enctype> {
        self.enctype
    }
}

impl core::fmt::Debug for SessionKey<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.enctype {
            Some(enctype) => write!(f, "SessionKey({enctype}, ..)"),
            None => f.write_str("SessionKey(..)"),
        }
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

            /// When the context expires, [`Timestamp::NEVER`](crate::Timestamp::NEVER) with NTLM.
            /// Messages are not refused afterwards, as nothing here reads a clock: compare with
            /// [`is_expired`](Self::is_expired).
            #[must_use]
            pub fn expires(&self) -> $crate::environment::Timestamp {
                self.facts().expires
            }

            /// When the client first authenticated: the ticket's `authtime` (RFC 4120 §5.3), the same in
            /// every ticket that came of one logon. `None` with other mechanisms, and where nobody told:
            /// a context that was imported has it from a PAC or not at all.
            #[must_use]
            pub fn auth_time(&self) -> Option<$crate::environment::Timestamp> {
                self.facts().auth_time()
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

            /// The enctype that protects messages; `None` with NTLM and others, which have none.
            #[must_use]
            pub fn enctype(&self) -> Option<countersign_crypto::Enctype> {
                self.facts().enctype()
            }

            /// The key that protects messages: the acceptor's subkey, else the initiator's, else
            /// the ticket's session key (RFC 4121 §2); with NTLM the exported session key
            /// (MS-NLMP §3.1.5.1.2). For protocols above that need it
            /// (`SECPKG_ATTR_SESSION_KEY`, `GSS_C_INQ_SSPI_SESSION_KEY`).
            #[must_use]
            pub fn session_key(&self) -> $crate::security_context::SessionKey<'_> {
                self.facts().session_key()
            }

            /// The ticket's AuthorizationData, DER (RFC 4120 §5.2.6); empty when there is none.
            ///
            /// The KDC vouches for the outermost elements, as they are sealed into the ticket. Of a
            /// PAC within, take what [`pac`](Self::pac) offers: only that has been verified.
            #[must_use]
            pub fn authorization_data(&self) -> &[u8] {
                self.facts()
                    .kerberos()
                    .map_or(&[], |facts| &facts.keys.authorization_data)
            }

            /// Who the initiator is in Active Directory's terms, from the PAC in its ticket;
            /// `None` without one, on the initiator's side, and under
            /// [`PacPolicy::Ignored`](crate::PacPolicy::Ignored).
            #[must_use]
            pub fn pac(&self) -> Option<$crate::kerberos::VerifiedPac<'_>> {
                self.facts().pac()
            }

            /// Which service an initiator of NTLM says that it means: told to its acceptor, where
            /// the response names one. What proves that it is this one is
            /// [`TargetNamePolicy`](crate::ntlm::TargetNamePolicy).
            #[cfg(feature = "ntlm")]
            #[must_use]
            pub fn ntlm_target(&self) -> Option<&$crate::ntlm::TargetName> {
                self.facts().ntlm()?.target.as_ref()
            }

            /// How much of NTLM's session key protects messages (MS-NLMP §3.4.5.3); `None` with
            /// other mechanisms.
            #[cfg(feature = "ntlm")]
            #[must_use]
            pub fn ntlm_strength(&self) -> Option<countersign_crypto::ntlm::Strength> {
                Some(self.facts().ntlm()?.protection.strength)
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
            /// More than 2^32 blocks are asked for; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported)
            /// with mechanisms other than Kerberos, which have no such function.
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
