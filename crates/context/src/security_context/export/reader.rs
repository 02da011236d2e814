//! The fields of an export, read and checked.

#[cfg(feature = "ntlm")]
use countersign_credential::ntlm::AccountName;
use countersign_credential::{CredentialCache, NameType, Principal, TicketCredential};
#[cfg(feature = "ntlm")]
use countersign_crypto::ntlm::Stream;
use countersign_crypto::{Enctype, Key};
use zeroize::Zeroizing;

#[cfg(feature = "ntlm")]
use super::NTLM;
use super::{KERBEROS, MAGIC, MECHANISMS, VERSION};
use crate::environment::Timestamp;
use crate::flags::Flags;
use crate::identity::Identity;
#[cfg(feature = "ntlm")]
use crate::identity::NtlmIdentity;
use crate::kerberos::SignatureState;
use crate::kerberos::pac::Verified;
#[cfg(feature = "ntlm")]
use crate::ntlm::TargetName;
use crate::security_context::Role;
use crate::security_context::facts::{Facts, KerberosKeys, Keys};
#[cfg(feature = "ntlm")]
use crate::security_context::ntlm::{NtlmKeys, Protection};
use crate::security_context::order::{ReceiveWindow, SendSequence};
use crate::security_context::send::width;

/// All that was written.
pub(super) struct Parts {
    pub(super) facts: Facts,
    pub(super) sequence: SendSequence,
    pub(super) window: ReceiveWindow,
    pub(super) delegated: Option<TicketCredential>,
    /// Of the sending and of the receiving direction.
    #[cfg(feature = "ntlm")]
    pub(super) streams: [Option<Stream>; 2],
}

/// Every method is `None` where the bytes are not what was written.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(exported: &'a [u8]) -> Self {
        Self(exported)
    }

    /// `seed` is for the confounders of the context.
    pub(super) fn context(mut self, seed: Zeroizing<[u8; 16]>) -> Option<Parts> {
        if self.array()? != *MAGIC || self.array()? != VERSION.to_be_bytes() {
            return None;
        }
        let role = if self.boolean()? {
            Role::Acceptor
        } else {
            Role::Initiator
        };
        let oid = self.counted()?;
        let mechanism = MECHANISMS
            .into_iter()
            .find(|known| known.as_bytes() == oid)?;
        let flags = Flags::from_bits(u32::from_be_bytes(self.array()?));
        let seconds = i64::from_be_bytes(self.array()?);
        let microseconds = u32::from_be_bytes(self.array()?);
        if microseconds >= 1_000_000 {
            return None;
        }
        let expires = Timestamp::new(seconds, microseconds);
        let local = self.identity()?;
        let peer = if self.boolean()? {
            Some(self.identity()?)
        } else {
            None
        };
        let (first, next) = (self.number()?, self.optional()?);
        let (first_due, last, seen) = (self.number()?, self.optional()?, self.number()?);
        let mut delegated = None;
        #[cfg(feature = "ntlm")]
        let mut streams = [None, None];
        let keys = match self.array()? {
            [KERBEROS] => Keys::Kerberos(self.kerberos(&mut delegated, seed)?),
            #[cfg(feature = "ntlm")]
            [NTLM] => {
                let exported = countersign_crypto::ntlm::SessionKey::new(self.array()?);
                let protection = Protection::from_bytes(self.array()?)?;
                // Nothing is to be said sealed that is not.
                if flags.contains(Flags::CONFIDENTIALITY) != protection.seal {
                    return None;
                }
                streams = [self.stream()?, self.stream()?];
                Keys::Ntlm(NtlmKeys {
                    exported,
                    protection,
                    target: self.target()?,
                })
            }
            _ => return None,
        };
        let facts = Facts {
            role,
            mechanism,
            flags,
            local,
            peer,
            expires,
            keys,
        };
        let width = width(&facts);
        let sequence = SendSequence { first, next, width };
        let window = ReceiveWindow {
            first: first_due,
            last,
            seen,
            width,
        };
        let consistent = sequence.is_consistent() && window.is_consistent();
        // A PAC that is said to be verified is there.
        let verified = facts
            .kerberos()
            .is_some_and(|facts| facts.keys.pac.is_some());
        if !consistent || verified != facts.pac().is_some() || !self.0.is_empty() {
            return None;
        }
        Some(Parts {
            facts,
            sequence,
            window,
            delegated,
            #[cfg(feature = "ntlm")]
            streams,
        })
    }

    fn kerberos(
        &mut self,
        delegated: &mut Option<TicketCredential>,
        confounder_seed: Zeroizing<[u8; 16]>,
    ) -> Option<KerberosKeys> {
        let key = self.key()?;
        let acceptor_subkey = self.boolean()?;
        let initiator_key = self.key()?;
        if self.boolean()? {
            *delegated = Some(self.credential()?);
        }
        let authorization_data = self.counted()?.to_vec();
        let pac = if self.boolean()? {
            Some(self.verified()?)
        } else {
            None
        };
        Some(KerberosKeys {
            key,
            acceptor_subkey,
            initiator_key,
            auth_time: None,
            authorization_data,
            pac,
            confounder_seed,
        })
    }

    #[cfg(feature = "ntlm")]
    fn stream(&mut self) -> Option<Option<Stream>> {
        Some(if self.boolean()? {
            Some(Stream::from_bytes(self.take(258)?)?)
        } else {
            None
        })
    }

    #[cfg(feature = "ntlm")]
    fn target(&mut self) -> Option<Option<TargetName>> {
        Some(if self.boolean()? {
            let unverified = self.boolean()?;
            let name = str::from_utf8(self.counted()?).ok()?;
            Some(TargetName::new(name.to_owned(), unverified)?)
        } else {
            None
        })
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn boolean(&mut self) -> Option<bool> {
        match self.array()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn verified(&mut self) -> Option<Verified> {
        let mut state = || match self.array()? {
            [0] => Some(SignatureState::Absent),
            [1] => Some(SignatureState::Unverified),
            [2] => Some(SignatureState::Verified),
            _ => None,
        };
        Some(Verified {
            kdc: state()?,
            ticket: state()?,
            full: state()?,
        })
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn optional(&mut self) -> Option<Option<u64>> {
        Some(if self.boolean()? {
            Some(self.number()?)
        } else {
            None
        })
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(u32::from_be_bytes(self.array()?)).ok()
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        self.take(length)
    }

    fn key(&mut self) -> Option<Key> {
        let enctype = Enctype::from_id(i32::from_be_bytes(self.array()?))?;
        Key::new(enctype, self.counted()?).ok()
    }

    fn identity(&mut self) -> Option<Identity> {
        match self.array()? {
            [KERBEROS] => self.principal().map(Identity::Kerberos),
            #[cfg(feature = "ntlm")]
            [NTLM] => self.ntlm_identity().map(Identity::Ntlm),
            _ => None,
        }
    }

    #[cfg(feature = "ntlm")]
    fn ntlm_identity(&mut self) -> Option<NtlmIdentity> {
        let [kind] = self.array()?;
        if kind == 1 {
            return Some(NtlmIdentity::Anonymous);
        }
        let domain = str::from_utf8(self.counted()?).ok()?;
        let user = str::from_utf8(self.counted()?).ok()?;
        let account = AccountName::new(domain, user).ok()?;
        match kind {
            0 => Some(NtlmIdentity::Account(account)),
            2 => Some(NtlmIdentity::Guest { claimed: account }),
            _ => None,
        }
    }

    fn principal(&mut self) -> Option<Principal> {
        let name_type = NameType(i32::from_be_bytes(self.array()?));
        let realm = self.counted()?;
        let count = self.length()?;
        // Each component has at least its length, so the count cannot make us allocate more than
        // a few times the input.
        if count > self.0.len() / 4 {
            return None;
        }
        let mut components = Vec::with_capacity(count);
        for _ in 0..count {
            components.push(self.counted()?);
        }
        Some(Principal::new(realm, components, name_type))
    }

    fn credential(&mut self) -> Option<TicketCredential> {
        let mut entries = CredentialCache::parse(self.counted()?).ok()?.into_entries();
        if entries.len() == 1 {
            entries.pop()
        } else {
            None
        }
    }
}
