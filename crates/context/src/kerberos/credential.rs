//! The acceptor's credential: service keys ready for use, the names it answers for, its replay
//! cache.

use core::cmp::Ordering;
use core::fmt;
use std::sync::Arc;

use countersign_credential::{Keytab, KeytabEntry, Principal, TicketCredential};
use countersign_crypto::{Cipher, Enctype, KeyUsage, wiping_stack};
use countersign_token::kerberos::{KerberosString, PrincipalName, Ticket};

use crate::environment::Environment;
use crate::error::ErrorKind;

use super::pac::{SigningKey, TicketGrantingKeys};
use super::plaintext::Plaintext;
use super::replay::ReplayCache;
use super::service::ServicePattern;
use super::user_to_user::OwnTicket;

/// Ticket decryptions that one AP-REQ may cost; a keytab has a few entries of one version.
const MAX_ATTEMPTS: usize = 8;

/// What an acceptor needs to accept: the keys of its services, which of them to answer for, and a
/// replay cache that all its contexts share.
///
/// Cloning is cheap and shares everything. Key schedules are computed once, here. By default every
/// principal in the keytab is answered for.
#[derive(Clone)]
pub struct AcceptorCredential {
    /// One count for all of it, as every context holds it.
    parts: Arc<Parts>,
}

/// Those that cost something have a count of their own too: who changes one shares the others.
#[derive(Clone)]
struct Parts {
    /// In the keytab's order.
    keys: Arc<[ServiceKey]>,
    /// The places of the keys of each principal, in the keytab's order, sorted by the principals.
    by_name: Arc<[Box<[usize]>]>,
    own_ticket: Option<Arc<OwnTicket>>,
    services: Arc<[ServicePattern]>,
    replay: ReplayProtection,
    ticket_granting: Option<Arc<TicketGrantingKeys>>,
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
    signing: SigningKey,
}

impl ServiceKey {
    fn principal(&self) -> &Principal {
        self.entry.principal()
    }
}

/// A ticket's plaintext, and the principal whose key opened it.
pub(super) struct OpenedTicket<'a> {
    pub(super) server: Principal,
    pub(super) plaintext: Plaintext,
    /// The key that opened it, for the PAC's signature.
    pub(super) signing: &'a SigningKey,
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
                signing: SigningKey::new(key),
            })
        });
        let keys: Arc<[ServiceKey]> = wiping_stack(|| keys.collect());
        let principal = |place: &usize| keys.get(*place).map(ServiceKey::principal);
        let mut places: Vec<usize> = (0..keys.len()).collect();
        places.sort_by_key(principal);
        let by_name = places.chunk_by(|one, other| principal(one) == principal(other));
        let by_name = by_name.map(Box::from).collect();
        Self {
            parts: Arc::new(Parts {
                keys,
                by_name,
                own_ticket: None,
                services: Arc::default(),
                replay: ReplayProtection::Shared(Arc::default()),
                ticket_granting: None,
            }),
        }
    }

    /// With parts of its own, where others share them.
    fn with(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(Arc::make_mut(&mut self.parts));
        self
    }

    /// The credential of somebody who has no long-term key at hand, such as a user: initiators
    /// reach it by user-to-user alone. See [`with_user_to_user`](Self::with_user_to_user).
    #[must_use]
    pub fn user_to_user(ticket: impl Into<Arc<TicketCredential>>) -> Self {
        Self::new(&Keytab::new()).with_user_to_user(ticket)
    }

    /// Accepts user-to-user too (RFC 4120 §3.7): hands out this ticket-granting ticket of the
    /// acceptor to initiators that ask for it, and accepts tickets that the KDC encrypted in its
    /// session key. They must be for the client of that ticket, or for a listed service. Other
    /// tickets are opened by the keytab's keys as ever, these by that session key alone.
    ///
    /// The replay cache is the same. When the ticket expires, initiators are refused until a
    /// credential with a new one takes its place.
    ///
    /// ```
    /// use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
    /// # use countersign_context::{Environment, Mechanism, Step, Timestamp};
    /// # use countersign_context::crypto::{KeyUsage, Key};
    /// # let realm = countersign_testkit::Realm::new("EXAMPLE.COM", 1);
    /// # let mut random = countersign_testkit::SeededRandom::new(1);
    /// # let mut env = Environment::new(Timestamp::from_unix(realm.now()), &mut random);
    /// # let bobs_ticket_granting_ticket = realm.ticket_granting_ticket("bob").mint()?;
    /// # let session = bobs_ticket_granting_ticket.session_key()?.duplicate();
    /// let credential = AcceptorCredential::user_to_user(bobs_ticket_granting_ticket);
    /// let mut acceptor = Acceptor::new(&credential);
    /// # let mut ticket_for_bob = realm.ticket("alice", "bob").service_key(session)
    /// #     .enctype(countersign_context::crypto::Enctype::Aes256CtsHmacSha1_96)
    /// #     .named_kvno(None).mint()?;
    /// # ticket_for_bob.is_skey = true;
    /// // From the KDC, with bob's ticket as the second one.
    /// let mut initiator = Initiator::new(ticket_for_bob);
    /// let Step::Continue { token } = initiator.step(None, &mut env)? else { unreachable!() };
    /// let accepted = acceptor.step(Some(&token), &mut env)?;
    /// assert!(matches!(accepted, Step::Established { .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_user_to_user(self, ticket: impl Into<Arc<TicketCredential>>) -> Self {
        let own = Arc::new(OwnTicket::new(ticket.into()));
        self.with(|parts| parts.own_ticket = Some(own))
    }

    /// Answers for the listed services only. A service that is listed in full may be one that the
    /// keytab does not name, an alias in the KDC: then any key of the ticket's realm may open the
    /// ticket, and a ticket for another service of the keytab passes for one of the alias. A name
    /// that a wildcard covers is opened only by keys of names that the same wildcard covers.
    #[must_use]
    pub fn with_services(self, services: impl IntoIterator<Item = ServicePattern>) -> Self {
        let services = services.into_iter().collect();
        self.with(|parts| parts.services = services)
    }

    /// Remembers authenticators elsewhere.
    #[must_use]
    pub fn with_replay_protection(self, replay: ReplayProtection) -> Self {
        self.with(|parts| parts.replay = replay)
    }

    /// Verifies all signatures of PACs, with the keys of `krbtgt/REALM@REALM` in a keytab; a service
    /// in a domain has none of them, a domain controller or a KDC's own services may.
    ///
    /// A PAC is then refused where any of the KDC's signatures is wrong or of a key that is not in
    /// the keytab. The key of a read-only domain controller has its number in the upper 16 bits of
    /// its version (MS-KILE §3.1.5.8).
    #[must_use]
    pub fn with_ticket_granting_keys(self, keytab: &Keytab) -> Self {
        let keys = Arc::new(TicketGrantingKeys::of(keytab));
        self.with(|parts| parts.ticket_granting = Some(keys))
    }

    pub(super) fn ticket_granting_keys(&self) -> Option<&TicketGrantingKeys> {
        self.parts.ticket_granting.as_deref()
    }

    /// Where authenticators are remembered.
    #[must_use]
    pub fn replay_protection(&self) -> &ReplayProtection {
        &self.parts.replay
    }

    /// The principals that the keytab has usable keys for, once for each key.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.parts.keys.iter().map(ServiceKey::principal)
    }

    /// The realms of the principals, and that of the ticket for user-to-user.
    pub(super) fn realms(&self) -> impl Iterator<Item = &[u8]> {
        let owner = self.own_ticket().map(OwnTicket::owner);
        self.principals().chain(owner).map(Principal::realm)
    }

    /// A principal that it answers for, to sign errors with.
    pub(super) fn answers_as(&self) -> Option<&Principal> {
        let owner = self.own_ticket().map(OwnTicket::owner);
        self.principals().chain(owner).find(|principal| {
            self.parts.services.is_empty()
                || self
                    .parts
                    .services
                    .iter()
                    .any(|pattern| pattern.matches(principal))
        })
    }

    /// Whether it has a ticket-granting ticket and no key.
    pub(super) fn is_user_to_user_alone(&self) -> bool {
        self.parts.keys.is_empty() && self.parts.own_ticket.is_some()
    }

    /// The ticket for user-to-user.
    pub(super) fn own_ticket(&self) -> Option<&OwnTicket> {
        self.parts.own_ticket.as_deref()
    }

    /// Whether the list lets the key of `principal` open tickets for the name `claimed`, which the
    /// keytab does not have: a name listed in full may be an alias of any, a wildcard stands for
    /// names that it covers itself.
    fn is_alias(&self, claimed: &Principal, principal: &Principal) -> bool {
        self.parts.services.iter().any(|pattern| {
            pattern.matches(claimed) && (!pattern.any_host() || pattern.matches(principal))
        })
    }

    /// The places of the keys of a principal that a message names, in the keytab's order; none where the
    /// keytab does not name it.
    fn places_of(&self, realm: &KerberosString<'_>, name: &PrincipalName<'_>) -> &[usize] {
        let found = self.parts.by_name.binary_search_by(|places| {
            let key = places.first().and_then(|place| self.parts.keys.get(*place));
            key.map_or(Ordering::Less, |key| key.principal().cmp_named(realm, name))
        });
        let places = found.ok().and_then(|place| self.parts.by_name.get(place));
        places.map(Box::as_ref).unwrap_or_default()
    }

    /// Decrypts a ticket for one of our services.
    ///
    /// Both the name that the ticket claims and the key that opens it are checked: the name is not
    /// protected by the ticket's encryption, and one account's key may serve names that this
    /// acceptor does not answer for. `user_to_user`: the initiator says that it is encrypted in the
    /// session key of our ticket. It is decrypted into `plaintext`.
    pub(super) fn open(
        &self,
        ticket: &Ticket<'_>,
        user_to_user: bool,
        mut plaintext: Plaintext,
        env: &Environment<'_>,
    ) -> Result<OpenedTicket<'_>, ErrorKind> {
        let (realm, name) = (ticket.realm.unverified(), ticket.sname.unverified());
        let places = self.places_of(realm, name);
        let claimed = match places.first().and_then(|place| self.parts.keys.get(*place)) {
            Some(key) => key.principal().clone(),
            None => Principal::from_token(realm, name),
        };
        let policy = env.policy;
        let listed = self
            .parts
            .services
            .iter()
            .any(|pattern| pattern.matches(&claimed));
        if user_to_user {
            let own = self.own_ticket().ok_or(ErrorKind::UserToUserUnsupported)?;
            let listed = (!self.parts.services.is_empty()).then_some(listed);
            return own.open(ticket, claimed, listed, plaintext, env);
        }
        if self.is_user_to_user_alone() {
            return Err(ErrorKind::UserToUserRequired);
        }
        if !listed && !self.parts.services.is_empty() {
            return Err(ErrorKind::NotOurService);
        }
        if places.is_empty() && !listed {
            return Err(ErrorKind::NotOurService);
        }

        let etype = ticket.enc_part.etype;
        let enctype = Enctype::from_id(etype)
            .filter(|enctype| policy.enctypes().contains(*enctype))
            .ok_or(ErrorKind::EnctypeRefused { enctype: etype })?;
        let kvno = ticket.enc_part.kvno;
        let named = places
            .iter()
            .filter_map(|place| self.parts.keys.get(*place));
        let unnamed = if places.is_empty() {
            &*self.parts.keys
        } else {
            &[]
        };
        let aliased = unnamed.iter().filter(|key| {
            let principal = key.principal();
            principal.realm() == claimed.realm() && self.is_alias(&claimed, principal)
        });
        let candidates = named
            .chain(aliased)
            .filter(|key| key.enctype == enctype && key.entry.matches_kvno(kvno).is_some());

        let mut failure = ErrorKind::NoKey {
            kvno,
            enctype: etype,
        };
        for key in candidates.take(MAX_ATTEMPTS) {
            if plaintext.decrypt(&key.cipher, ticket.enc_part.cipher) {
                return Ok(OpenedTicket {
                    server: claimed,
                    plaintext,
                    signing: &key.signing,
                });
            }
            failure = ErrorKind::TicketModified;
        }
        Err(failure)
    }
}

impl fmt::Debug for AcceptorCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptorCredential")
            .field("principals", &self.principals().collect::<Vec<_>>())
            .field("own_ticket", &self.parts.own_ticket)
            .field("services", &self.parts.services)
            .field("replay", &self.parts.replay)
            .finish()
    }
}
