//! What a client authenticates with.

use std::sync::Arc;

use countersign_credential::{
    CredentialCache, Error as CredentialError, Keytab, Password, Principal, TicketCredential,
};
use countersign_crypto::Key;

use crate::policy::EnctypeSet;

use super::options::TicketOptions;
use super::path::RealmPaths;
use super::secret::ClientSecret;
use super::tickets::{TicketKey, TicketKind, Tickets};

/// A client's credential: who it is, what proves it, and the tickets that came of it.
///
/// Clones are cheap and share their [`Tickets`]: of many initiators from one credential only the
/// first needs a KDC. Nothing is asked of anybody before a ticket is needed.
///
/// ```
/// use countersign_context::credential::Principal;
/// use countersign_context::kerberos::kdc::{ClientCredential, TicketOptions};
///
/// let alice = Principal::parse("alice@EXAMPLE.COM")?;
/// let credential = ClientCredential::password(alice, "open sesame")
///     .options(TicketOptions::default().forwardable(true));
/// assert_eq!(credential.client().to_string(), "alice@EXAMPLE.COM");
/// # Ok::<(), countersign_context::credential::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ClientCredential {
    inner: Arc<Inner>,
    tickets: Tickets,
}

#[derive(Debug, Clone)]
pub(super) struct Inner {
    pub(super) client: Principal,
    pub(super) source: Source,
    pub(super) options: TicketOptions,
    pub(super) canonicalize: bool,
    pub(super) pac: Option<bool>,
    pub(super) armor: Option<Arc<TicketCredential>>,
    pub(super) require_armor: bool,
    pub(super) paths: Arc<RealmPaths>,
    pub(super) service_realm: Option<Vec<u8>>,
    pub(super) enctypes: Option<EnctypeSet>,
}

/// Where the first ticket comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Secret(ClientSecret),
    /// There are tickets, and there will be no others than what they buy.
    Tickets,
    /// A service that acts for the client (MS-SFU).
    OnBehalf {
        service: ClientCredential,
        /// The client's ticket for the service, where the client brought one.
        evidence: Option<Arc<TicketCredential>>,
        unverified: bool,
    },
}

impl ClientCredential {
    fn from_source(client: Principal, source: Source, tickets: Tickets) -> Self {
        Self {
            inner: Arc::new(Inner {
                client,
                source,
                options: TicketOptions::default(),
                canonicalize: false,
                pac: None,
                armor: None,
                require_armor: false,
                paths: Arc::default(),
                service_realm: None,
                enctypes: None,
            }),
            tickets,
        }
    }

    /// A client with any long-term secret.
    #[must_use]
    pub fn new(client: Principal, secret: ClientSecret) -> Self {
        Self::from_source(client, Source::Secret(secret), Tickets::new())
    }

    /// A client with a password.
    #[must_use]
    pub fn password(client: Principal, password: impl Into<Password>) -> Self {
        Self::new(client, ClientSecret::password(password))
    }

    /// A client with a long-term key.
    #[must_use]
    pub fn key(client: Principal, key: Key) -> Self {
        let secret = ClientSecret::key(&client, key);
        Self::new(client, secret)
    }

    /// A client with the NT hash of its password, its rc4-hmac key; a policy must permit rc4-hmac.
    #[cfg(feature = "rc4")]
    #[must_use]
    pub fn nt_hash(client: Principal, hash: &[u8; 16]) -> Self {
        let secret = ClientSecret::nt_hash(&client, hash);
        Self::new(client, secret)
    }

    /// A client with the keys that a keytab has of it.
    ///
    /// # Errors
    /// [`CredentialError::NotFound`] when it has none that this build can use.
    pub fn keytab(client: Principal, keytab: &Keytab) -> Result<Self, CredentialError> {
        let secret = ClientSecret::keytab(keytab, &client)?;
        Ok(Self::new(client, secret))
    }

    /// The default principal of a credential cache, with its tickets as they are at `now` (Unix
    /// seconds). What they do not buy cannot be had; a renewable ticket-granting ticket is renewed.
    #[must_use]
    pub fn cache(cache: &CredentialCache, now: i64) -> Self {
        let client = cache.default_principal().clone();
        let tickets = Tickets::from_cache(cache, now);
        Self::from_source(client, Source::Tickets, tickets)
    }

    /// The client of one ticket-granting ticket, such as an acceptor gets by delegation
    /// ([`take_delegated`](crate::SecurityContext::take_delegated)).
    #[must_use]
    pub fn delegated(tgt: impl Into<Arc<TicketCredential>>) -> Self {
        let tgt = tgt.into();
        let client = tgt.client.clone();
        let tickets = Tickets::new();
        // Unexpired or not is told when it is used.
        tickets.insert(TicketKey::initial(&client), tgt, i64::MIN);
        Self::from_source(client, Source::Tickets, tickets)
    }

    /// `user`, for whom `service` asks: S4U2self, and S4U2proxy for services other than itself
    /// (MS-SFU §1.3). The KDC decides whether it may. For other services KDCs want forwardable
    /// tickets: let `service` ask for them with
    /// [`TicketOptions::forwardable`](super::TicketOptions::forwardable).
    #[must_use]
    pub fn on_behalf_of(service: &Self, user: Principal) -> Self {
        let source = Source::OnBehalf {
            service: service.clone(),
            evidence: None,
            unverified: false,
        };
        Self::from_source(user, source, service.tickets.clone())
    }

    /// The client of `evidence`, its ticket for `service`, in whose name `service` asks for tickets
    /// for other services: S4U2proxy (MS-SFU §1.3.2).
    #[must_use]
    pub fn with_evidence(service: &Self, evidence: impl Into<Arc<TicketCredential>>) -> Self {
        let evidence = evidence.into();
        let client = evidence.client.clone();
        let source = Source::OnBehalf {
            service: service.clone(),
            evidence: Some(evidence),
            unverified: false,
        };
        // Another ticket of the same client is no stand-in for this evidence.
        Self::from_source(client, source, Tickets::new())
    }

    fn change(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.inner));
        self
    }

    /// Uses these tickets, and puts new ones there: share them among credentials of one client.
    #[must_use]
    pub fn sharing(mut self, tickets: &Tickets) -> Self {
        self.tickets = tickets.clone();
        self
    }

    /// What the ticket-granting ticket is to be.
    #[must_use]
    pub fn options(self, options: TicketOptions) -> Self {
        self.change(|inner| inner.options = options)
    }

    /// Lets the KDC give the client's canonical name and send it to its own realm (RFC 6806). Off
    /// by default; on for enterprise names. Services are always canonicalized.
    #[must_use]
    pub fn canonicalize(self, permitted: bool) -> Self {
        self.change(|inner| inner.canonicalize = permitted)
    }

    /// Whether tickets are to hold a PAC (MS-KILE §2.2.3).
    #[must_use]
    pub fn pac_request(self, include: bool) -> Self {
        self.change(|inner| inner.pac = Some(include))
    }

    /// Proves the secret inside of FAST armor, by a ticket-granting ticket of the client's realm
    /// (RFC 6113 §5.4).
    #[must_use]
    pub fn armor(self, ticket: impl Into<Arc<TicketCredential>>) -> Self {
        let ticket = ticket.into();
        self.change(|inner| inner.armor = Some(ticket))
    }

    /// Asks every ticket-granting service inside of FAST (RFC 6113 §5.4.2), so that errors and names
    /// are the KDC's own word. KDCs that cannot, such as Heimdal 7, then give no tickets.
    #[must_use]
    pub fn require_armor(self) -> Self {
        self.change(|inner| inner.require_armor = true)
    }

    /// The ways between realms that are configured.
    #[must_use]
    pub fn paths(self, paths: impl Into<Arc<RealmPaths>>) -> Self {
        let paths = paths.into();
        self.change(|inner| inner.paths = paths)
    }

    /// The first realm to ask for services whose name has none. Without it, it is the client's,
    /// whose KDC can refer to others; there is no default realm.
    #[must_use]
    pub fn service_realm(self, realm: impl Into<Vec<u8>>) -> Self {
        let realm = realm.into();
        self.change(|inner| inner.service_realm = Some(realm))
    }

    /// The enctypes that tickets and their session keys may have, of those that the policy permits.
    #[must_use]
    pub fn enctypes(self, enctypes: EnctypeSet) -> Self {
        self.change(|inner| inner.enctypes = Some(enctypes))
    }

    /// Accepts S4U2self tickets from a KDC that does not prove whom they are for; see
    /// [`ServiceTicket::dangerous_accept_unverified_user`](super::ServiceTicket::dangerous_accept_unverified_user).
    #[must_use]
    pub fn dangerous_accept_unverified_user(self) -> Self {
        self.change(|inner| {
            if let Source::OnBehalf { unverified, .. } = &mut inner.source {
                *unverified = true;
            }
        })
    }

    /// Who it is, as the caller said.
    #[must_use]
    pub fn client(&self) -> &Principal {
        &self.inner.client
    }

    /// The tickets so far.
    #[must_use]
    pub fn tickets(&self) -> &Tickets {
        &self.tickets
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// The key of an ordinary ticket for `server`.
    pub(super) fn ticket_key(&self, server: &Principal) -> TicketKey {
        let kind = match &self.inner.source {
            Source::OnBehalf {
                service,
                unverified,
                ..
            } => TicketKind::OnBehalf {
                service: service.client().clone(),
                unverified: *unverified,
            },
            Source::Secret(_) | Source::Tickets => TicketKind::Own,
        };
        TicketKey::new(&self.inner.client, server, kind)
    }
}
