//! Contexts as bytes, to continue in another process.
//!
//! ```text
//! "countersign context" 00 | version (2)
//! role (1: 0 initiator, 1 acceptor) | mechanism (OID contents, counted)
//! flags (4) | expires: seconds (8), microseconds (4)
//! local identity | peer: 0, or 1 and an identity
//! sending: first (8), 0 or 1 and next (8)
//! receiving: first (8), 0 or 1 and last (8), seen (8)
//! keys
//!
//! identity   1 (Kerberos) | name type (4) | realm, counted | components (4), each counted
//!            2 (NTLM) | 0 account, 1 anonymous, 2 guest | domain, counted | user, counted
//! keys       1 (Kerberos) | key | acceptor subkey (1: 0 or 1) | initiator's key
//!                | delegated: 0, or 1 and a credential cache of version 4, counted
//!                | authorization data, counted
//!                | PAC: 0, or 1 and what became of the KDC's, the ticket's and the full signature
//!                    (1 each: 0 absent, 1 unverified, 2 verified)
//!            2 (NTLM) | exported session key (16) | protection | sending RC4 | receiving RC4
//!                | target name: 0, or 1, unverified (1: 0 or 1) and the name, counted
//! key        enctype (4) | bytes, counted
//! RC4        0, or 1 and S (256), i (1), j (1)
//! counted    length (4) | bytes
//! ```
//!
//! Integers are big-endian. There is no confounder generator in it: an imported context seeds its
//! own, so that no confounder is ever used twice.

use std::sync::Arc;

use countersign_credential::cache::Version;
#[cfg(feature = "ntlm")]
use countersign_credential::ntlm::AccountName;
use countersign_credential::{CredentialCache, NameType, Principal, TicketCredential};
#[cfg(feature = "ntlm")]
use countersign_crypto::ntlm::Stream;
use countersign_crypto::{Enctype, Key};
use countersign_token::oid::Oid;
use zeroize::Zeroizing;

use super::facts::{Facts, KerberosKeys, Keys};
#[cfg(feature = "ntlm")]
use super::ntlm::{NtlmKeys, Protection};
use super::order::{ReceiveWindow, SendSequence, Width};
use super::receive::Receiver;
use super::send::{Sender, width};
use super::{Role, SecurityContext};
use crate::environment::{Environment, Timestamp};
use crate::error::{Error, ErrorKind};
use crate::flags::Flags;
use crate::identity::Identity;
#[cfg(feature = "ntlm")]
use crate::identity::NtlmIdentity;
use crate::kerberos::SignatureState;
use crate::kerberos::pac::Verified;
#[cfg(feature = "ntlm")]
use crate::ntlm::TargetName;

const MAGIC: &[u8; 20] = b"countersign context\0";
const VERSION: u16 = 1;

/// Whose identity or keys follow.
const KERBEROS: u8 = 1;
#[cfg(feature = "ntlm")]
const NTLM: u8 = 2;

/// Every mechanism that a context can be of.
const MECHANISMS: [Oid<'static>; 6] = [
    Oid::KERBEROS,
    Oid::MS_KERBEROS,
    Oid::KERBEROS_USER_TO_USER,
    Oid::IAKERB,
    Oid::SPNEGO,
    Oid::NTLMSSP,
];

impl SecurityContext {
    /// The context as bytes, to be [imported](Self::import) by another process, once
    /// (`gss_export_sec_context`).
    ///
    /// **The bytes contain the context's keys**, and those of a delegated credential that was not
    /// taken: whoever reads them reads and forges every message, and importing them twice lets
    /// sequence numbers be used twice. Hand them over as you would a private key.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a context of a mechanism that the program brought along;
    /// [`ErrorKind::Overflow`] when a length does not fit 32 bits, or a delegated credential has
    /// times that the cache format cannot hold.
    pub fn export(self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let facts = self.facts();
        let (sequence, window) = (self.sender.sequence, self.receiver.window);
        let mut out = Writer(Zeroizing::new(Vec::with_capacity(1024)));
        out.bytes(MAGIC);
        out.bytes(&VERSION.to_be_bytes());
        out.bytes(&[match facts.role {
            Role::Initiator => 0,
            Role::Acceptor => 1,
        }]);
        out.counted(facts.mechanism.as_bytes())?;
        out.bytes(&facts.flags.bits().to_be_bytes());
        out.bytes(&facts.expires.seconds().to_be_bytes());
        out.bytes(&facts.expires.microseconds().to_be_bytes());
        out.identity(&facts.local)?;
        match &facts.peer {
            None => out.bytes(&[0]),
            Some(peer) => {
                out.bytes(&[1]);
                out.identity(peer)?;
            }
        }
        out.number(sequence.first);
        out.optional(sequence.next);
        out.number(window.first);
        out.optional(window.last);
        out.number(window.seen);
        match &facts.keys {
            Keys::Kerberos(keys) => {
                out.bytes(&[KERBEROS]);
                out.kerberos(keys, self.receiver.delegated.as_ref())?;
            }
            #[cfg(feature = "ntlm")]
            Keys::Ntlm(keys) => {
                out.bytes(&[NTLM]);
                out.bytes(keys.exported.expose());
                out.bytes(&keys.protection.to_bytes());
                out.stream(self.sender.ntlm_stream());
                out.stream(self.receiver.ntlm_stream());
                out.target(keys.target.as_ref())?;
            }
            Keys::Custom(_) => return Err(ErrorKind::Unsupported.into()),
        }
        Ok(out.0)
    }

    /// A context that was [exported](Self::export). It goes on where that one ended.
    ///
    /// The bytes are trusted as keys are: their form is checked, not their origin.
    ///
    /// # Errors
    /// [`ErrorKind::DefectiveExport`] when they are not such bytes; [`ErrorKind::Random`].
    pub fn import(exported: &[u8], env: &mut Environment<'_>) -> Result<Self, Error> {
        let parts = Reader(exported)
            .context()
            .ok_or(ErrorKind::DefectiveExport)?;
        let mut seed = Zeroizing::new([0; 16]);
        env.random.fill(&mut *seed)?;
        let facts = Arc::new(parts.facts);
        #[cfg_attr(not(feature = "ntlm"), expect(unused_mut, reason = "NTLM only"))]
        let mut context = Self {
            sender: Sender::resume(Arc::clone(&facts), parts.sequence, &seed),
            receiver: Receiver::resume(facts, parts.window, parts.delegated),
            negotiated: None,
        };
        #[cfg(feature = "ntlm")]
        {
            let [sending, receiving] = parts.streams;
            if !(context.sender.resume_ntlm(sending) && context.receiver.resume_ntlm(receiving)) {
                return Err(ErrorKind::DefectiveExport.into());
            }
        }
        Ok(context)
    }
}

struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    /// Grows into a new allocation and wipes the old one, as it holds keys.
    fn bytes(&mut self, bytes: &[u8]) {
        let needed = self.0.len().saturating_add(bytes.len());
        if needed > self.0.capacity() {
            let mut grown = Vec::with_capacity(needed.saturating_mul(2));
            grown.extend_from_slice(&self.0);
            self.0 = Zeroizing::new(grown);
        }
        self.0.extend_from_slice(bytes);
    }

    fn counted(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let length = u32::try_from(bytes.len()).map_err(|_| ErrorKind::Overflow)?;
        self.bytes(&length.to_be_bytes());
        self.bytes(bytes);
        Ok(())
    }

    fn number(&mut self, number: u64) {
        self.bytes(&number.to_be_bytes());
    }

    fn optional(&mut self, number: Option<u64>) {
        match number {
            None => self.bytes(&[0]),
            Some(number) => {
                self.bytes(&[1]);
                self.number(number);
            }
        }
    }

    fn kerberos(
        &mut self,
        keys: &KerberosKeys,
        delegated: Option<&TicketCredential>,
    ) -> Result<(), Error> {
        self.key(&keys.key)?;
        self.bytes(&[u8::from(keys.acceptor_subkey)]);
        self.key(&keys.initiator_key)?;
        match delegated {
            None => self.bytes(&[0]),
            Some(credential) => {
                let mut cache = CredentialCache::new(credential.client.clone());
                cache.push(credential.duplicate());
                let bytes = cache
                    .to_bytes(Version::V4)
                    .map_err(|_| ErrorKind::Overflow)?;
                self.bytes(&[1]);
                self.counted(&bytes)?;
            }
        }
        self.counted(&keys.authorization_data)?;
        self.pac(keys.pac);
        Ok(())
    }

    #[cfg(feature = "ntlm")]
    fn stream(&mut self, stream: Option<&Stream>) {
        match stream {
            None => self.bytes(&[0]),
            Some(stream) => {
                self.bytes(&[1]);
                self.bytes(&*stream.to_bytes());
            }
        }
    }

    #[cfg(feature = "ntlm")]
    fn target(&mut self, target: Option<&TargetName>) -> Result<(), Error> {
        match target {
            None => self.bytes(&[0]),
            Some(target) => {
                self.bytes(&[1, u8::from(target.is_unverified())]);
                self.counted(target.as_str().as_bytes())?;
            }
        }
        Ok(())
    }

    fn pac(&mut self, pac: Option<Verified>) {
        let state = |state| match state {
            SignatureState::Absent => 0,
            SignatureState::Unverified => 1,
            SignatureState::Verified => 2,
        };
        match pac {
            None => self.bytes(&[0]),
            Some(pac) => self.bytes(&[1, state(pac.kdc), state(pac.ticket), state(pac.full)]),
        }
    }

    fn key(&mut self, key: &Key) -> Result<(), Error> {
        self.bytes(&key.enctype().id().to_be_bytes());
        self.counted(key.expose())
    }

    fn identity(&mut self, identity: &Identity) -> Result<(), Error> {
        match identity {
            Identity::Kerberos(principal) => {
                self.bytes(&[KERBEROS]);
                self.bytes(&principal.name_type().0.to_be_bytes());
                self.counted(principal.realm())?;
                let components = principal.components();
                let count = u32::try_from(components.len()).map_err(|_| ErrorKind::Overflow)?;
                self.bytes(&count.to_be_bytes());
                for component in components {
                    self.counted(component)?;
                }
                Ok(())
            }
            Identity::Other { .. } => Err(ErrorKind::Unsupported.into()),
            #[cfg(feature = "ntlm")]
            Identity::Ntlm(identity) => {
                let (kind, account) = match identity {
                    NtlmIdentity::Account(account) => (0, Some(account)),
                    NtlmIdentity::Anonymous => (1, None),
                    NtlmIdentity::Guest { claimed } => (2, Some(claimed)),
                };
                self.bytes(&[NTLM, kind]);
                if let Some(account) = account {
                    self.counted(account.domain().as_bytes())?;
                    self.counted(account.user().as_bytes())?;
                }
                Ok(())
            }
        }
    }
}

struct Parts {
    facts: Facts,
    sequence: SendSequence,
    window: ReceiveWindow,
    delegated: Option<TicketCredential>,
    /// Of the sending and of the receiving direction.
    #[cfg(feature = "ntlm")]
    streams: [Option<Stream>; 2],
}

/// Every method is `None` where the bytes are not what was written.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn context(mut self) -> Option<Parts> {
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
            [KERBEROS] => Keys::Kerberos(self.kerberos(&mut delegated)?),
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

    fn kerberos(&mut self, delegated: &mut Option<TicketCredential>) -> Option<KerberosKeys> {
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
        })
    }

    #[cfg(feature = "ntlm")]
    fn stream(&mut self) -> Option<Option<Stream>> {
        Some(if self.boolean()? {
            Some(Stream::from_bytes(&self.array()?)?)
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

impl SendSequence {
    fn is_consistent(&self) -> bool {
        let used = self.next.map(|next| next.checked_sub(self.first));
        match (self.width, used) {
            (_, Some(None)) => false,
            (Width::Bits64, _) => true,
            (Width::Bits32, Some(Some(used))) => used <= 1 << 32,
            (Width::Bits32, None) => false,
        }
    }
}
