//! `countersign kdestroy`: destroys credential caches.

use countersign::handshake::cache::CacheError;
use countersign::handshake::configuration;
use serde_json::json;

use crate::args::KdestroyOptions;
use crate::failure::Failure;
use crate::kdc::{cache_failed, open_cache};
use crate::output::event;

pub(crate) fn run(options: &KdestroyOptions) -> Result<(), Failure> {
    let conf = configuration::load_from_environment()
        .map_err(|error| Failure::usage(format!("the configuration: {error}")))?;
    let cache = open_cache(options.ccache.as_deref(), &conf)?;
    let caches = match options.all {
        false => vec![cache],
        true => match cache.collection() {
            Err(CacheError::NoCollection) => vec![cache],
            other => other.map_err(|error| cache_failed(&*cache, error))?,
        },
    };
    for cache in caches {
        cache
            .destroy()
            .map_err(|error| cache_failed(&*cache, error))?;
        let name = cache.name().to_string();
        event(
            options.json,
            || format!("destroyed {name}"),
            || json!({ "event": "destroyed", "cache": name }),
        );
    }
    Ok(())
}
