//! `countersign kvno`: gets service tickets, and tells the version of the keys that they need.

use std::sync::Arc;

use countersign::credential::{CredentialCache, Keytab, Principal, TicketCredential};
use countersign::crypto::{Enctype, KeyUsage};
use countersign::handshake::cache::CacheStore;
use countersign::handshake::{Clock, SystemClock};
use countersign::kerberos::kdc::{ServiceTicket, ServiceTicketOutcome};
use countersign::token::der::Decode;
use countersign::token::kerberos::Ticket;
use serde_json::json;

use crate::args::KvnoOptions;
use crate::failure::Failure;
use crate::files;
use crate::kdc::{Setup, cache_failed};
use crate::output::{event, fold};
use crate::ticket;

pub(crate) fn run(options: &KvnoOptions) -> Result<(), Failure> {
    let setup = Setup::new(&options.kdcs, options.enctypes.policy()?)?;
    let cache = setup.cache(options.ccache.as_deref())?;
    let contents = cache.load().map_err(|error| cache_failed(&*cache, error))?;
    let keytab = options.keytab.as_deref().map(files::keytab).transpose()?;
    let client = Client::of(&setup, &*cache, &contents)?;
    let evidence = evidence(&client, options)?;

    for text in &options.services {
        let service = service(text, &setup)?;
        let (credential, fresh) = match stored(&contents, &service, options) {
            Some(held) => (held, false),
            None => {
                let outcome = client
                    .run(exchange(&client, &service, evidence.as_ref(), options)?)
                    .map_err(|failure| failure.about(text))?;
                if !options.no_store {
                    store(&*cache, &outcome)?;
                }
                (outcome.credential, true)
            }
        };
        let checked = keytab
            .as_ref()
            .map(|keytab| check(&credential, keytab))
            .transpose()?;
        report(&credential, fresh, checked, options);
    }
    Ok(())
}

/// Whose ticket-granting ticket is used, and for what.
struct Client<'a> {
    setup: &'a Setup,
    tgt: Arc<TicketCredential>,
    known: Vec<Arc<TicketCredential>>,
}

impl<'a> Client<'a> {
    fn of(
        setup: &'a Setup,
        cache: &dyn CacheStore,
        contents: &CredentialCache,
    ) -> Result<Self, Failure> {
        let known: Vec<Arc<_>> = contents
            .credentials()
            .filter(|ticket| ticket.server.is_ticket_granting_service())
            .map(|ticket| Arc::new(ticket.duplicate()))
            .collect();
        let realm = contents.default_principal().realm();
        let tgt = known
            .iter()
            .find(|ticket| ticket.server.component(1) == Some(realm))
            .ok_or_else(|| no_tgt(cache))?;
        Ok(Self {
            setup,
            tgt: Arc::clone(tgt),
            known,
        })
    }

    fn run(&self, exchange: ServiceTicket) -> Result<ServiceTicketOutcome, Failure> {
        let exchange = exchange
            .paths(self.setup.paths())
            .known_tickets(self.known.clone());
        self.setup.run(exchange)
    }
}

fn no_tgt(cache: &dyn CacheStore) -> Failure {
    Failure::usage(format!(
        "the credential cache {} holds no ticket-granting ticket; get one with countersign kinit",
        cache.name()
    ))
}

/// The service, of the realm that it names, or that the configuration maps its host to; else of
/// none, and the KDC refers to the right one.
pub(crate) fn service(text: &str, setup: &Setup) -> Result<Principal, Failure> {
    let wrong = |error| Failure::usage(format!("the service {text:?}: {error}"));
    let service = Principal::parse_with_default_realm(text, "").map_err(wrong)?;
    if !service.realm().is_empty() {
        return Ok(service);
    }
    let host = service
        .component(1)
        .and_then(|host| core::str::from_utf8(host).ok());
    Ok(
        match host.and_then(|host| setup.conf().realm_of_host(host)) {
            Some(realm) => service.with_realm(realm),
            None => service,
        },
    )
}

/// A ticket that the cache has already. One for somebody else, or of certain enctypes, is asked
/// for anew.
fn stored(
    contents: &CredentialCache,
    service: &Principal,
    options: &KvnoOptions,
) -> Option<Arc<TicketCredential>> {
    let anew = options.for_user.is_some()
        || options.u2u.is_some()
        || !options.enctypes.only_enctypes.is_empty();
    let now = SystemClock.now().seconds();
    contents
        .credentials()
        .filter(|_| !anew)
        .find(|ticket| {
            let same_realm = service.realm().is_empty() || ticket.server.realm() == service.realm();
            same_realm
                && ticket.server.components().eq(service.components())
                && !ticket.is_skey
                && ticket.is_valid_at(now, 0)
        })
        .map(|ticket| Arc::new(ticket.duplicate()))
}

/// The ticket of the user for ourselves, to be shown to other services.
fn evidence(
    client: &Client<'_>,
    options: &KvnoOptions,
) -> Result<Option<Arc<TicketCredential>>, Failure> {
    match (&options.for_user, options.proxy) {
        (Some(user), true) => {
            let user = client.setup.principal(user)?;
            let exchange = ServiceTicket::s4u2self(Arc::clone(&client.tgt), user);
            Ok(Some(client.run(exchange)?.credential))
        }
        _ => Ok(None),
    }
}

fn exchange(
    client: &Client<'_>,
    service: &Principal,
    evidence: Option<&Arc<TicketCredential>>,
    options: &KvnoOptions,
) -> Result<ServiceTicket, Failure> {
    let tgt = Arc::clone(&client.tgt);
    if let Some(evidence) = evidence {
        return Ok(ServiceTicket::s4u2proxy(
            tgt,
            Arc::clone(evidence),
            service.clone(),
        ));
    }
    if let Some(user) = &options.for_user {
        let ourselves = &tgt.client;
        if !service.components().eq(ourselves.components()) {
            return Err(Failure::usage(format!(
                "a ticket on behalf of {user} is for ourselves, {ourselves}; add -P to get one for \
                 {service}"
            )));
        }
        let user = client.setup.principal(user)?;
        return Ok(ServiceTicket::s4u2self(tgt, user));
    }
    if let Some(name) = &options.u2u {
        let cache = client.setup.cache(Some(name))?;
        let contents = cache.load().map_err(|error| cache_failed(&*cache, error))?;
        let peer = Client::of(client.setup, &*cache, &contents)?.tgt;
        return Ok(ServiceTicket::user_to_user(tgt, service.clone(), peer));
    }
    Ok(ServiceTicket::new(tgt, service.clone()))
}

fn store(cache: &dyn CacheStore, outcome: &ServiceTicketOutcome) -> Result<(), Failure> {
    let mut tickets = vec![outcome.credential.duplicate()];
    tickets.extend(outcome.intermediate.iter().map(|ticket| ticket.duplicate()));
    cache
        .store(&tickets)
        .map_err(|error| cache_failed(cache, error))
}

/// Whether a key of the keytab opens the ticket, as the service would.
fn check(credential: &TicketCredential, keytab: &Keytab) -> Result<Enctype, Failure> {
    let failed =
        |why: String| Failure::refused(format!("the ticket for {}: {why}", credential.server));
    let ticket = Ticket::from_der(&credential.ticket).map_err(|error| failed(error.to_string()))?;
    let enctype = Enctype::from_id(ticket.enc_part.etype);
    let entry = keytab
        .find(&credential.server, ticket.enc_part.kvno, enctype)
        .map_err(|error| failed(error.to_string()))?;
    let key = entry
        .key()
        .ok_or_else(|| failed("this build has no such enctype".to_owned()))?;
    key.decrypt(KeyUsage::TICKET, ticket.enc_part.cipher)
        .map_err(|_| failed("the keytab's key does not open it; export the key anew".to_owned()))?;
    Ok(key.enctype())
}

fn report(
    credential: &TicketCredential,
    fresh: bool,
    checked: Option<Enctype>,
    options: &KvnoOptions,
) {
    let kvno = ticket::kvno(credential);
    event(
        options.json,
        || {
            let version = kvno.map_or_else(|| "no kvno".to_owned(), |kvno| format!("kvno {kvno}"));
            let mut notes = String::new();
            if options.for_user.is_some() {
                notes.push_str(&format!(", for {}", credential.client));
            }
            if checked.is_some() {
                notes.push_str(", the keytab opens it");
            }
            if !fresh {
                notes.push_str(", from the cache");
            }
            fold(&format!("{}: {version}{notes}", credential.server), 4)
        },
        || {
            let mut value = ticket::to_json(credential, SystemClock.now().seconds());
            value["event"] = "ticket".into();
            value["from_cache"] = json!(!fresh);
            value["keytab_opens_it"] = json!(checked.map(|_| true));
            value
        },
    );
}
