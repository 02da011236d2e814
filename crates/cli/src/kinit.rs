//! `countersign kinit`: a ticket-granting ticket for a password or a key, or a renewed one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use countersign::credential::krb5_conf::LibDefaults;
use countersign::credential::{
    CredentialCache, Principal, ServiceName, TicketCredential, krb5_conf,
};
use countersign::handshake::cache::{CacheError, CacheStore};
use countersign::handshake::{Clock, SystemClock, configuration};
use countersign::kerberos::kdc::{ClientSecret, InitialTicket, ServiceTicket, TicketOptions};
use serde_json::json;

use crate::args::{KinitOptions, Secrets, TicketWishes};
use crate::failure::Failure;
use crate::files;
use crate::kdc::{Setup, cache_failed};
use crate::output::{complain, duration, event};
use crate::password;
use crate::ticket::{self, Columns};

/// A password that ends within so many seconds is worth a word: 7 days.
const EXPIRY_WARNING: i64 = 7 * 24 * 3600;

pub(crate) fn run(options: &KinitOptions) -> Result<(), Failure> {
    let setup = Setup::new(&options.kdcs, options.enctypes.policy()?)?;
    let cache = setup.cache(options.ccache.as_deref())?;
    let ticket = if options.renew || options.validate {
        refresh(&setup, &*cache, options)?
    } else {
        initial(&setup, &*cache, options)?
    };
    let mut contents = CredentialCache::new(ticket.client.clone());
    contents.push(ticket.duplicate());
    cache.replace(&contents).map_err(|error| match error {
        // It is made where it is absent, but not the folder.
        CacheError::Absent => Failure::system(format!(
            "the credential cache {}: its folder does not exist",
            cache.name()
        )),
        error => cache_failed(&*cache, error),
    })?;
    report(&*cache, &ticket, options);
    Ok(())
}

fn initial(
    setup: &Setup,
    cache: &dyn CacheStore,
    options: &KinitOptions,
) -> Result<TicketCredential, Failure> {
    let client = client(setup, cache, options)?;
    let secret = secret(&options.secrets, &client)?;
    let defaults = defaults(setup, client.realm())?;
    let mut exchange = InitialTicket::new(client.clone(), secret)
        .options(ticket_options(&options.wishes, &defaults)?)
        .canonicalize(options.canonicalize || options.enterprise || defaults.canonicalize);
    if let Some(service) = &options.service {
        exchange = exchange.service(named_service(service, &client)?);
    }
    if let Some(name) = &options.armor_ccache {
        exchange = exchange.armor(armor(setup, name, client.realm())?);
    }
    let outcome = setup.run(exchange)?;
    if let Some(end) = outcome.key_expiration {
        let left = end.saturating_sub(SystemClock.now().seconds());
        if left < EXPIRY_WARNING {
            let left = duration(u64::try_from(left).unwrap_or(0));
            complain(&format!(
                "the password expires in {left}; change it with countersign kpasswd"
            ));
        }
    }
    Ok(outcome.credential)
}

/// Renews or validates the ticket-granting ticket of the cache.
fn refresh(
    setup: &Setup,
    cache: &dyn CacheStore,
    options: &KinitOptions,
) -> Result<TicketCredential, Failure> {
    let contents = cache.load().map_err(|error| cache_failed(cache, error))?;
    let held = contents
        .credentials()
        .find(|ticket| ticket.server.is_ticket_granting_service())
        .ok_or_else(|| {
            Failure::usage(format!(
                "the credential cache {} holds no ticket-granting ticket",
                cache.name()
            ))
        })?
        .duplicate();
    let exchange = match options.renew {
        true => ServiceTicket::renew(held),
        false => ServiceTicket::validate(held),
    };
    Ok(setup.run(exchange)?.credential.duplicate())
}

/// Who to be: as the command line says, or else whose cache it is.
fn client(
    setup: &Setup,
    cache: &dyn CacheStore,
    options: &KinitOptions,
) -> Result<Principal, Failure> {
    match &options.principal {
        Some(text) if options.enterprise => setup.enterprise(text),
        Some(text) => setup.principal(text),
        None => cache
            .load()
            .map(|contents| contents.default_principal().clone())
            .map_err(|_| {
                Failure::usage("name a principal: there is no credential cache to take it from")
            }),
    }
}

/// A key of the keytab, or a password from standard input or the terminal.
pub(crate) fn secret(secrets: &Secrets, client: &Principal) -> Result<ClientSecret, Failure> {
    let configured = match (&secrets.keytab, secrets.use_keytab) {
        (None, true) => Some(default_keytab()?),
        _ => None,
    };
    if let Some(path) = secrets.keytab.as_ref().or(configured.as_ref()) {
        let keytab = files::keytab(path)?;
        return ClientSecret::keytab(&keytab, client).map_err(|error| {
            Failure::usage(format!("the keytab {}: {client}: {error}", path.display()))
        });
    }
    let password = match secrets.password_stdin {
        true => password::line("password")?,
        false => password::typed(
            &format!("Password for {client}: "),
            "--password-stdin or --keytab",
        )?,
    };
    Ok(ClientSecret::password(password))
}

fn default_keytab() -> Result<PathBuf, Failure> {
    let conf = configuration::load_from_environment()
        .map_err(|error| Failure::usage(format!("the configuration: {error}")))?;
    configuration::keytab_from_environment(&conf)
        .map_err(|error| Failure::usage(format!("the default keytab: {error}")))
}

/// What the configuration has for clients of the realm.
fn defaults(setup: &Setup, realm: &[u8]) -> Result<LibDefaults, Failure> {
    setup
        .conf()
        .libdefaults_for(realm)
        .map_err(|error| Failure::usage(format!("the configuration: {error}")))
}

/// What the command line asks for, and else the configuration.
fn ticket_options(wishes: &TicketWishes, defaults: &LibDefaults) -> Result<TicketOptions, Failure> {
    let asked = |text: &Option<String>, configured: Option<u32>| match text {
        Some(text) => krb5_conf::duration(text).map(Some).ok_or_else(|| {
            Failure::usage(format!("{text:?} is no duration; write 10h, 1d or 2h30m"))
        }),
        None => Ok(configured),
    };
    let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
    let mut options = TicketOptions::default()
        .forwardable(wishes.forwardable || (defaults.forwardable && !wishes.not_forwardable))
        .proxiable(wishes.proxiable || defaults.proxiable);
    if let Some(lifetime) = asked(&wishes.lifetime, defaults.ticket_lifetime)? {
        options = options.lifetime(seconds(lifetime));
    }
    if let Some(lifetime) = asked(&wishes.renewable_life, defaults.renew_lifetime)? {
        options = options.renewable(seconds(lifetime));
    }
    if let Some(delay) = asked(&wishes.start_in, None)? {
        let start = SystemClock.now().offset_by(i64::from(delay)).seconds();
        options = options.start_at(start);
    }
    Ok(options)
}

/// Of a ticket-granting ticket that is to be forwarded.
pub(crate) fn forwardable() -> TicketOptions {
    TicketOptions::default().forwardable(true)
}

fn named_service(text: &str, client: &Principal) -> Result<Principal, Failure> {
    let wrong = |error| Failure::usage(format!("the service {text:?}: {error}"));
    let realm = String::from_utf8_lossy(client.realm());
    match text.contains('@') && !text.contains('/') {
        // service@host
        true => ServiceName::parse(text)
            .and_then(|service| service.to_principal(Some(&realm)))
            .map_err(wrong),
        false => Principal::parse_with_default_realm(text, client.realm()).map_err(wrong),
    }
}

/// The ticket-granting ticket that makes armor for the realm's KDC.
pub(crate) fn armor(
    setup: &Setup,
    name: &str,
    realm: &[u8],
) -> Result<Arc<TicketCredential>, Failure> {
    let cache = setup.cache(Some(name))?;
    let contents = cache.load().map_err(|error| cache_failed(&*cache, error))?;
    contents
        .credentials()
        .find(|ticket| {
            ticket.server.is_ticket_granting_service() && ticket.server.component(1) == Some(realm)
        })
        .map(|ticket| Arc::new(ticket.duplicate()))
        .ok_or_else(|| {
            Failure::usage(format!(
                "the credential cache {name} holds no ticket-granting ticket of the realm {}",
                String::from_utf8_lossy(realm)
            ))
        })
}

fn report(cache: &dyn CacheStore, ticket: &TicketCredential, options: &KinitOptions) {
    let now = SystemClock.now().seconds();
    let name = cache.name().to_string();
    event(
        options.json,
        || {
            let columns = Columns {
                flags: true,
                enctypes: true,
            };
            format!(
                "{} is in {name}\n\n{}",
                ticket.client,
                ticket::text(ticket, now, columns)
            )
        },
        || {
            let mut value = ticket::to_json(ticket, now);
            value["event"] = "ticket".into();
            value["cache"] = json!(name);
            value
        },
    );
}
