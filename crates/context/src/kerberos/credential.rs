//! The acceptor's credential: service keys ready for use, the names it answers for, its replay
//! cache.

use core::fmt;
use std::sync::Arc;

use countersign_credential::{Keytab, KeytabEntry, Principal};
use countersign_crypto::{Cipher, Enctype, KeyUsage};
use countersign_token::kerberos::Ticket;

use crate::error::ErrorKind;
use crate::policy::Policy;

use super::plaintext::Plaintext;
use super::replay::ReplayCache;
use super::service::ServicePattern;

/// Ticket decryptions that one AP-REQ may cost; a keytab has a few entries of one version.
const MAX_ATTEMPTS: usize = 8;

/// What an acceptor needs to accept: the keys of its services, which of them to answer for, and a
/// replay cache that all its contexts share.
///
/// Cloning is cheap and shares everything. Key schedules are computed once, here. By default every
/// principal in the keytab is answered for.
#[derive(Clone)]
pub struct AcceptorCredential {
    keys: Arc<[ServiceKey]>,
    services: Arc<[ServicePattern]>,
    replay: ReplayProtection,
}

/// Where authenticators are remembered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ReplayProtection {
    /// In a cache of this process, shared with whoever holds it.
    Shared(Arc<ReplayCache>),
    /// Outside: each context asks by [`Need::Replay`](crate::Need::Replay), for acceptors on
    /// several hosts or processes that share one key.
    External,
    /// Nowhere. Only for protocols in which a replayed first token gains nothing and costs
    /// nothing.
    DangerouslyOff,
}

struct ServiceKey {
    entry: KeytabEntry,
    enctype: Enctype,
    cipher: Cipher,
}

/// A ticket's plaintext, and the principal whose key opened it.
pub(super) struct OpenedTicket {
    pub(super) server: Principal,
    pub(super) plaintext: Plaintext,
}

impl AcceptorCredential {
    /// The usable keys of a keytab, with a replay cache of its own. Entries of enctypes that this
    /// build does not have are passed over.
    #[must_use]
    pub fn new(keytab: &Keytab) -> Self {
        let keys = keytab.entries().iter().filter_map(|entry| {
            let key = entry.key()?;
            Some(ServiceKey {
                entry: entry.duplicate(),
                enctype: key.enctype(),
                cipher: key.cipher(KeyUsage::TICKET),
            })
        });
        Self {
            keys: keys.collect(),
            services: Arc::default(),
            replay: ReplayProtection::Shared(Arc::default()),
        }
    }

    /// Answers for the listed services only. A service that is listed in full may be one that the
    /// keytab does not name, an alias in the KDC: then any key of the ticket's realm may open the
    /// ticket, and a ticket for another service of the keytab passes for one of the alias. A name
    /// that a wildcard covers is opened only by keys of names that the same wildcard covers.
    #[must_use]
    pub fn with_services(mut self, services: impl IntoIterator<Item = ServicePattern>) -> Self {
        self.services = services.into_iter().collect();
        self
    }

    /// Remembers authenticators elsewhere.
    #[must_use]
    pub fn with_replay_protection(mut self, replay: ReplayProtection) -> Self {
        self.replay = replay;
        self
    }

    /// Where authenticators are remembered.
    #[must_use]
    pub fn replay_protection(&self) -> &ReplayProtection {
        &self.replay
    }

    /// The principals that the keytab has usable keys for, once for each key.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.keys.iter().map(|key| key.entry.principal())
    }

    /// A principal that it answers for, to sign errors with.
    pub(super) fn answers_as(&self) -> Option<&Principal> {
        self.principals().find(|principal| {
            self.services.is_empty()
                || self
                    .services
                    .iter()
                    .any(|pattern| pattern.matches(principal))
        })
    }

    /// Whether the list lets the key of `principal` open tickets for the name `claimed`, which the
    /// keytab does not have: a name listed in full may be an alias of any, a wildcard stands for
    /// names that it covers itself.
    fn is_alias(&self, claimed: &Principal, principal: &Principal) -> bool {
        self.services.iter().any(|pattern| {
            pattern.matches(claimed) && (!pattern.any_host() || pattern.matches(principal))
        })
    }

    /// Decrypts a ticket for one of our services.
    ///
    /// Both the name that the ticket claims and the key that opens it are checked: the name is not
    /// protected by the ticket's encryption, and one account's key may serve names that this
    /// acceptor does not answer for.
    pub(super) fn open(
        &self,
        ticket: &Ticket<'_>,
        policy: &Policy,
    ) -> Result<OpenedTicket, ErrorKind> {
        let claimed = Principal::from_token(ticket.realm.unverified(), ticket.sname.unverified());
        let listed = self
            .services
            .iter()
            .any(|pattern| pattern.matches(&claimed));
        if !listed && !self.services.is_empty() {
            return Err(ErrorKind::NotOurService);
        }
        let named = self.principals().any(|principal| *principal == claimed);
        if !named && !listed {
            return Err(ErrorKind::NotOurService);
        }

        let etype = ticket.enc_part.etype;
        let enctype = Enctype::from_id(etype)
            .filter(|enctype| policy.enctypes().contains(*enctype))
            .ok_or(ErrorKind::EnctypeRefused { enctype: etype })?;
        let kvno = ticket.enc_part.kvno;
        let candidates = self.keys.iter().filter(|key| {
            let principal = key.entry.principal();
            let ours = if named {
                *principal == claimed
            } else {
                principal.realm() == claimed.realm() && self.is_alias(&claimed, principal)
            };
            ours && key.enctype == enctype && key.entry.matches_kvno(kvno).is_some()
        });

        let mut failure = ErrorKind::NoKey {
            kvno,
            enctype: etype,
        };
        for key in candidates.take(MAX_ATTEMPTS) {
            match Plaintext::open(&key.cipher, ticket.enc_part.cipher) {
                Some(plaintext) => {
                    return Ok(OpenedTicket {
                        server: claimed,
                        plaintext,
                    });
                }
                None => failure = ErrorKind::TicketModified,
            }
        }
        Err(failure)
    }
}

impl fmt::Debug for AcceptorCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptorCredential")
            .field("principals", &self.principals().collect::<Vec<_>>())
            .field("services", &self.services)
            .field("replay", &self.replay)
            .finish()
    }
}
