//! Keys that sign PACs, ready for use.

use core::fmt;

use countersign_credential::{Keytab, Principal};
use countersign_crypto::{Enctype, Key, KeyUsage, Mac};
use countersign_token::pac::SignatureData;

use super::SignatureState;
use crate::error::{PacProblem, PacSignature};
use crate::policy::Policy;

/// Signatures that one PAC may be tried against for each of the KDC's.
const MAX_ATTEMPTS: usize = 8;

/// A key prepared for key usage 17, KERB_NON_KERB_CKSUM_SALT (MS-PAC §2.8).
pub(in crate::kerberos) struct SigningKey {
    enctype: Enctype,
    mac: Mac,
}

impl SigningKey {
    pub(in crate::kerberos) fn new(key: &Key) -> Self {
        Self {
            enctype: key.enctype(),
            mac: key.mac(KeyUsage::PAC_SIGNATURE),
        }
    }

    /// Whether signatures of this type are of this key's enctype. No unkeyed type is any's.
    pub(super) fn makes(&self, signature_type: i32) -> bool {
        self.enctype.checksum_type().id() == signature_type
    }

    pub(super) fn verify(&self, covered: &[&[u8]], signature: &[u8]) -> bool {
        self.mac.verify(covered, signature).is_ok()
    }
}

/// The keys of ticket-granting services.
pub(in crate::kerberos) struct TicketGrantingKeys(Box<[TicketGrantingKey]>);

struct TicketGrantingKey {
    server: Principal,
    kvno: u32,
    key: SigningKey,
}

impl TicketGrantingKeys {
    /// Those in a keytab; other entries are passed over.
    pub(in crate::kerberos) fn of(keytab: &Keytab) -> Self {
        let keys = keytab.entries().iter().filter_map(|entry| {
            let server = entry.principal();
            server.is_ticket_granting_service().then_some(())?;
            Some(TicketGrantingKey {
                server: server.clone(),
                kvno: entry.kvno(),
                key: SigningKey::new(entry.key()?),
            })
        });
        Self(keys.collect())
    }

    /// Verifies a signature of the KDC of `realm`. Whoever gives keys wants all of them verified:
    /// neither the type nor the identifier of a read-only domain controller, which the server's
    /// signature does not cover, leads around it.
    pub(super) fn verify(
        &self,
        realm: &[u8],
        policy: &Policy,
        which: PacSignature,
        found: &SignatureData<'_>,
        covered: &[&[u8]],
    ) -> Result<SignatureState, PacProblem> {
        // MS-KILE §3.1.5.8: the number of a read-only domain controller is the upper half of its
        // key's version; others have zero there.
        let controller = u32::from(found.rodc_identifier.unwrap_or(0));
        let mut candidates = self
            .0
            .iter()
            .filter(|candidate| {
                candidate.is_of(realm)
                    && candidate.kvno >> 16 == controller
                    && candidate.key.makes(found.signature_type)
                    && policy.enctypes().contains(candidate.key.enctype)
            })
            .take(MAX_ATTEMPTS)
            .peekable();
        if candidates.peek().is_none() {
            return Err(PacProblem::SignatureTypeRefused {
                signature: which,
                signature_type: found.signature_type,
            });
        }
        if candidates.any(|candidate| candidate.key.verify(covered, found.signature)) {
            Ok(SignatureState::Verified)
        } else {
            Err(PacProblem::SignatureWrong { signature: which })
        }
    }
}

impl TicketGrantingKey {
    /// Whether it is `krbtgt/REALM@REALM`; keys of trusts sign nothing for services.
    fn is_of(&self, realm: &[u8]) -> bool {
        self.server.realm() == realm && self.server.components().nth(1) == Some(realm)
    }
}

impl fmt::Debug for TicketGrantingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|key| (&key.server, key.kvno));
        f.debug_list().entries(names).finish()
    }
}
