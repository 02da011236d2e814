//! The acceptor's credential: service keys ready for use, the names it answers for, its replay
//! cache.

use core::fmt;
use std::sync::Arc;

use countersign_credential::{Keytab, KeytabEntry, Principal, TicketCredential};
use countersign_crypto::{Cipher, Enctype, KeyUsage, wiping_stack};
use countersign_token::kerberos::Ticket;

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
    /// In the keytab's order.
    keys: Arc<[ServiceKey]>,
    /// Their places by the names of their principals, those of one in the keytab's order.
    by_name: Arc<[usize]>,
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
        let mut by_name: Vec<usize> = (0..keys.len()).collect();
        by_name.sort_by_key(|place| keys.get(*place).map(ServiceKey::principal));
        Self {
            keys,
            by_name: by_name.into(),
            own_ticket: None,
            services: Arc::default(),
            replay: ReplayProtection::Shared(Arc::default()),
            ticket_granting: None,
        }
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
    pub fn with_user_to_user(mut self, ticket: impl Into<Arc<TicketCredential>>) -> Self {
        self.own_ticket = Some(Arc::new(OwnTicket::new(ticket.into())));
        self
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

    /// Verifies all signatures of PACs, with the keys of `krbtgt/REALM@REALM` in a keytab; a service
    /// in a domain has none of them, a domain controller or a KDC's own services may.
    ///
    /// A PAC is then refused where any of the KDC's signatures is wrong or of a key that is not in
    /// the keytab. The key of a read-only domain controller has its number in the upper 16 bits of
    /// its version (MS-KILE §3.1.5.8).
    #[must_use]
    pub fn with_ticket_granting_keys(mut self, keytab: &Keytab) -> Self {
        self.ticket_granting = Some(Arc::new(TicketGrantingKeys::of(keytab)));
        self
    }

    pub(super) fn ticket_granting_keys(&self) -> Option<&TicketGrantingKeys> {
        self.ticket_granting.as_deref()
    }

    /// Where authenticators are remembered.
    #[must_use]
    pub fn replay_protection(&self) -> &ReplayProtection {
        &self.replay
    }

    /// The principals that the keytab has usable keys for, once for each key.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.keys.iter().map(ServiceKey::principal)
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
            self.services.is_empty()
                || self
                    .services
                    .iter()
                    .any(|pattern| pattern.matches(principal))
        })
    }

    /// Whether it has a ticket-granting ticket and no key.
    pub(super) fn is_user_to_user_alone(&self) -> bool {
        self.keys.is_empty() && self.own_ticket.is_some()
    }

    /// The ticket for user-to-user.
    pub(super) fn own_ticket(&self) -> Option<&OwnTicket> {
        self.own_ticket.as_deref()
    }

    /// Whether the list lets the key of `principal` open tickets for the name `claimed`, which the
    /// keytab does not have: a name listed in full may be an alias of any, a wildcard stands for
    /// names that it covers itself.
    fn is_alias(&self, claimed: &Principal, principal: &Principal) -> bool {
        self.services.iter().any(|pattern| {
            pattern.matches(claimed) && (!pattern.any_host() || pattern.matches(principal))
        })
    }

    /// The places of a principal's keys, in the keytab's order; none where the keytab does not
    /// name it.
    fn places_of(&self, principal: &Principal) -> &[usize] {
        let place_of = |before: fn(&Principal, &Principal) -> bool| {
            self.by_name.partition_point(|place| {
                let key = self.keys.get(*place);
                key.is_some_and(|key| before(key.principal(), principal))
            })
        };
        let places = place_of(|one, other| one < other)..place_of(|one, other| one <= other);
        self.by_name.get(places).unwrap_or_default()
    }

    /// Decrypts a ticket for one of our services.
    ///
    /// Both the name that the ticket claims and the key that opens it are checked: the name is not
    /// protected by the ticket's encryption, and one account's key may serve names that this
    /// acceptor does not answer for. `user_to_user`: the initiator says that it is encrypted in the
    /// session key of our ticket.
    pub(super) fn open(
        &self,
        ticket: &Ticket<'_>,
        user_to_user: bool,
        env: &Environment<'_>,
    ) -> Result<OpenedTicket<'_>, ErrorKind> {
        let claimed = Principal::from_token(ticket.realm.unverified(), ticket.sname.unverified());
        let policy = env.policy;
        let listed = self
            .services
            .iter()
            .any(|pattern| pattern.matches(&claimed));
        if user_to_user {
            let own = self.own_ticket().ok_or(ErrorKind::UserToUserUnsupported)?;
            let listed = (!self.services.is_empty()).then_some(listed);
            return own.open(ticket, claimed, listed, env);
        }
        if self.is_user_to_user_alone() {
            return Err(ErrorKind::UserToUserRequired);
        }
        if !listed && !self.services.is_empty() {
            return Err(ErrorKind::NotOurService);
        }
        let places = self.places_of(&claimed);
        if places.is_empty() && !listed {
            return Err(ErrorKind::NotOurService);
        }

        let etype = ticket.enc_part.etype;
        let enctype = Enctype::from_id(etype)
            .filter(|enctype| policy.enctypes().contains(*enctype))
            .ok_or(ErrorKind::EnctypeRefused { enctype: etype })?;
        let kvno = ticket.enc_part.kvno;
        let named = places.iter().filter_map(|place| self.keys.get(*place));
        let unnamed = if places.is_empty() { &*self.keys } else { &[] };
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
            match Plaintext::open(&key.cipher, ticket.enc_part.cipher) {
                Some(plaintext) => {
                    return Ok(OpenedTicket {
                        server: claimed,
                        plaintext,
                        signing: &key.signing,
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
            .field("own_ticket", &self.own_ticket)
            .field("services", &self.services)
            .field("replay", &self.replay)
            .finish()
    }
}
