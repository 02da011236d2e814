//! `countersign klist`: shows the tickets of a credential cache, or the keys of a keytab.

use std::path::Path;
use std::sync::Arc;

use countersign::credential::{CredentialCache, Keytab};
use countersign::handshake::cache::CacheStore;
use countersign::handshake::{Clock, SystemClock, configuration};
use serde_json::{Value, json};

use crate::args::KlistOptions;
use crate::failure::Failure;
use crate::files;
use crate::kdc::{cache_failed, open_cache};
use crate::output::{enctype_name, event, fold};
use crate::ticket::{self, Columns, moment};

pub(crate) fn run(options: &KlistOptions) -> Result<(), Failure> {
    if options.keytab {
        return keytab(options);
    }
    let name = options.name.as_deref().or(options.ccache.as_deref());
    let conf = configuration::load_from_environment()
        .map_err(|error| Failure::usage(format!("the configuration: {error}")))?;
    let cache = open_cache(name, &conf)?;
    if options.silent {
        return silent(&*cache);
    }
    let caches = match options.list || options.all {
        true => collection(&cache)?,
        false => vec![cache],
    };
    let mut shown = Vec::new();
    for cache in &caches {
        let contents = cache
            .load()
            .map_err(|error| cache_failed(&**cache, error))?;
        shown.push((cache.name().to_string(), contents));
    }
    let now = SystemClock.now().seconds();
    event(
        options.json,
        || {
            let texts: Vec<_> = shown
                .iter()
                .map(|(name, cache)| match options.list {
                    true => line(name, cache, now),
                    false => text(name, cache, now, options),
                })
                .collect();
            texts.join(if options.list { "\n" } else { "\n\n" })
        },
        || {
            shown
                .iter()
                .map(|(name, cache)| to_json(name, cache, now))
                .collect::<Vec<_>>()
                .into()
        },
    );
    Ok(())
}

/// The caches beside this one, itself among them; alone where it is in no collection.
fn collection(cache: &Arc<dyn CacheStore>) -> Result<Vec<Arc<dyn CacheStore>>, Failure> {
    use countersign::handshake::cache::CacheError;
    match cache.collection() {
        Err(CacheError::NoCollection) => Ok(vec![Arc::clone(cache)]),
        other => other.map_err(|error| cache_failed(&**cache, error)),
    }
}

/// Says by the exit code alone whether there is something to authenticate with.
fn silent(cache: &dyn CacheStore) -> Result<(), Failure> {
    let now = SystemClock.now().seconds();
    let holds = cache.load().is_ok_and(|cache| {
        cache
            .credentials()
            .any(|ticket| ticket.server.is_ticket_granting_service() && ticket.is_valid_at(now, 0))
    });
    match holds {
        true => Ok(()),
        false => Err(Failure::refused(String::new()).already_reported()),
    }
}

fn line(name: &str, cache: &CredentialCache, now: i64) -> String {
    let valid = cache
        .credentials()
        .any(|ticket| ticket.server.is_ticket_granting_service() && ticket.is_valid_at(now, 0));
    let note = if valid { "" } else { " (expired)" };
    fold(&format!("{}  {name}{note}", cache.default_principal()), 4)
}

fn text(name: &str, cache: &CredentialCache, now: i64, options: &KlistOptions) -> String {
    let columns = Columns {
        flags: options.flags,
        enctypes: options.enctypes,
    };
    let mut text = format!(
        "{}\n{}",
        fold(&format!("cache       {name}"), 12),
        fold(&format!("principal   {}", cache.default_principal()), 12)
    );
    for credential in cache.credentials() {
        text.push_str("\n\n");
        text.push_str(&ticket::text(credential, now, columns));
    }
    if cache.credentials().next().is_none() {
        text.push_str("\n\nno tickets");
    }
    text
}

fn to_json(name: &str, cache: &CredentialCache, now: i64) -> Value {
    let tickets: Vec<_> = cache
        .credentials()
        .map(|credential| ticket::to_json(credential, now))
        .collect();
    json!({
        "cache": name,
        "principal": cache.default_principal().to_string(),
        "tickets": tickets,
    })
}

fn keytab(options: &KlistOptions) -> Result<(), Failure> {
    let path = match &options.name {
        Some(name) => configuration::keytab_path(name)
            .map_err(|error| Failure::usage(format!("the keytab {name}: {error}")))?,
        None => {
            let conf = configuration::load_from_environment()
                .map_err(|error| Failure::usage(format!("the configuration: {error}")))?;
            configuration::keytab_from_environment(&conf)
                .map_err(|error| Failure::usage(format!("the default keytab: {error}")))?
        }
    };
    let keytab = files::keytab(&path)?;
    event(
        options.json,
        || keytab_text(&path, &keytab),
        || {
            let entries: Vec<_> = keytab
                .entries()
                .iter()
                .map(|entry| {
                    json!({
                        "principal": entry.principal().to_string(),
                        "kvno": entry.kvno(),
                        "enctype": enctype_name(entry.enctype_id()),
                        "written": entry.timestamp(),
                    })
                })
                .collect();
            json!({ "keytab": path.display().to_string(), "entries": entries })
        },
    );
    Ok(())
}

fn keytab_text(path: &Path, keytab: &Keytab) -> String {
    let mut text = fold(&format!("keytab      {}", path.display()), 12);
    for entry in keytab.entries() {
        text.push('\n');
        let written = match entry.timestamp() {
            0 => String::new(),
            seconds => format!(", written {}", moment(i64::from(seconds))),
        };
        text.push_str(&fold(&format!("\n{}", entry.principal()), 4));
        text.push_str(&format!(
            "\n  kvno {}, {}{written}",
            entry.kvno(),
            enctype_name(entry.enctype_id())
        ));
    }
    if keytab.entries().is_empty() {
        text.push_str("\n\nno keys");
    }
    text
}
