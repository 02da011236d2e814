//! The fields of an export, written.

use countersign_credential::cache::Version;
use countersign_credential::{CredentialCache, TicketCredential};
use countersign_crypto::Key;
#[cfg(feature = "ntlm")]
use countersign_crypto::ntlm::Stream;
use zeroize::Zeroizing;

use super::KERBEROS;
#[cfg(feature = "ntlm")]
use super::NTLM;
use crate::error::{Error, ErrorKind};
use crate::identity::Identity;
#[cfg(feature = "ntlm")]
use crate::identity::NtlmIdentity;
use crate::kerberos::SignatureState;
use crate::kerberos::pac::Verified;
#[cfg(feature = "ntlm")]
use crate::ntlm::TargetName;
use crate::security_context::facts::KerberosKeys;

pub(super) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    pub(super) fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(1024)))
    }

    pub(super) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    /// Grows into a new allocation and wipes the old one, as it holds keys.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let needed = self.0.len().saturating_add(bytes.len());
        if needed > self.0.capacity() {
            let mut grown = Vec::with_capacity(needed.saturating_mul(2));
            grown.extend_from_slice(&self.0);
            self.0 = Zeroizing::new(grown);
        }
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn counted(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let length = u32::try_from(bytes.len()).map_err(|_| ErrorKind::Overflow)?;
        self.bytes(&length.to_be_bytes());
        self.bytes(bytes);
        Ok(())
    }

    pub(super) fn number(&mut self, number: u64) {
        self.bytes(&number.to_be_bytes());
    }

    pub(super) fn optional(&mut self, number: Option<u64>) {
        match number {
            None => self.bytes(&[0]),
            Some(number) => {
                self.bytes(&[1]);
                self.number(number);
            }
        }
    }

    pub(super) fn kerberos(
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
    pub(super) fn stream(&mut self, stream: Option<&Stream>) {
        match stream {
            None => self.bytes(&[0]),
            Some(stream) => {
                self.bytes(&[1]);
                self.bytes(&stream.to_bytes());
            }
        }
    }

    #[cfg(feature = "ntlm")]
    pub(super) fn target(&mut self, target: Option<&TargetName>) -> Result<(), Error> {
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

    pub(super) fn identity(&mut self, identity: &Identity) -> Result<(), Error> {
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
