//! Configuration, KDCs and credential caches, from switches or else from what the system has.

use std::sync::Arc;
use std::time::Duration;

use countersign::Policy;
use countersign::credential::krb5_conf::LibDefaults;
use countersign::credential::{Krb5Conf, Principal};
use countersign::handshake::SystemEnvironment;
use countersign::handshake::cache::{CacheError, CacheName, CacheStore, Caches};
use countersign::handshake::configuration;
#[cfg(feature = "dns")]
use countersign::handshake::kdc::DnsKdcs;
use countersign::handshake::kdc::{self, Chain, ConfiguredKdcs, KdcClient, StaticKdcs};
use countersign::kerberos::kdc::{Exchange, RealmPaths};

use crate::args::Kdcs;
use crate::failure::Failure;
use crate::files;

/// What is known before the first request.
pub(crate) struct Setup {
    conf: Krb5Conf,
    realm: Option<String>,
    client: KdcClient,
    paths: Arc<RealmPaths>,
}

impl Setup {
    pub(crate) fn new(options: &Kdcs, policy: Policy) -> Result<Self, Failure> {
        let (conf, realm, client) = match &options.realm {
            Some(realm) => {
                let client = KdcClient::new(named_kdcs(realm, options)?);
                (Krb5Conf::default(), Some(realm.clone()), client)
            }
            None => configured(options)?,
        };
        #[cfg(feature = "https")]
        let client = trusting(client, options, &conf)?;
        let client = client
            .timeout(Duration::from_secs(options.kdc_timeout))
            .environment(move || SystemEnvironment::new().with_policy(policy.clone()));
        let client = match options.trace {
            true => super::trace::traced(client),
            false => client,
        };
        let paths = Arc::new(configuration::realm_paths(&conf));
        Ok(Self {
            conf,
            realm,
            client,
            paths,
        })
    }

    pub(crate) fn conf(&self) -> &Krb5Conf {
        &self.conf
    }

    pub(crate) fn client(&self) -> &KdcClient {
        &self.client
    }

    /// How realms trust each other.
    pub(crate) fn paths(&self) -> Arc<RealmPaths> {
        Arc::clone(&self.paths)
    }

    /// The principal, of the realm that was named or is configured as the default one where the
    /// text names none.
    pub(crate) fn principal(&self, text: &str) -> Result<Principal, Failure> {
        let wrong = |error| Failure::usage(format!("the principal {text:?}: {error}"));
        match &self.realm {
            Some(realm) => Principal::parse_with_default_realm(text, realm).map_err(wrong),
            None => {
                let principal = Principal::parse_with_default_realm(text, "").map_err(wrong)?;
                match principal.realm().is_empty() {
                    false => Ok(principal),
                    true => Err(no_realm(text)),
                }
            }
        }
    }

    /// An enterprise name, which may hold an `@` of its own.
    pub(crate) fn enterprise(&self, text: &str) -> Result<Principal, Failure> {
        match &self.realm {
            Some(realm) => Ok(Principal::enterprise(text, realm)),
            None => Err(no_realm(text)),
        }
    }

    /// The cache of that name, or the default one.
    pub(crate) fn cache(&self, name: Option<&str>) -> Result<Arc<dyn CacheStore>, Failure> {
        open_cache(name, &self.conf)
    }

    /// Drives the exchange to its end.
    pub(crate) fn run<E: Exchange>(&self, exchange: E) -> Result<E::Output, Failure> {
        self.client.run(exchange).map_err(Failure::from)
    }
}

fn no_realm(name: &str) -> Failure {
    Failure::usage(format!(
        "{name:?} names no realm, and no default_realm is configured; write {name}@REALM, or \
         --realm and --kdc"
    ))
}

/// Proxies are vouched for by the authorities that the configuration names for their realm, and
/// else by the system's. Reading all of those takes a moment: only where there are proxies.
#[cfg(feature = "https")]
fn trusting(client: KdcClient, options: &Kdcs, conf: &Krb5Conf) -> Result<KdcClient, Failure> {
    let wrong = |error: kdc::AnchorsError| {
        Failure::usage(format!(
            "the certificate authorities for KDC proxies: {error}"
        ))
    };
    let configured = conf
        .section_names(&["realms"])
        .into_iter()
        .flat_map(|realm| {
            ["kdc", "kpasswd_server"]
                .into_iter()
                .flat_map(move |name| conf.values(&["realms", realm, name]))
        });
    let named = options.kdc.iter().chain(&options.kpasswd_server);
    let proxies = named
        .map(String::as_str)
        .chain(configured)
        .any(|server| server.to_ascii_lowercase().starts_with("https:"));
    if !proxies {
        return Ok(client);
    }
    let client = match kdc::Anchors::system() {
        Ok(anchors) => client.anchors(anchors),
        // A system without any, such as a small container, may still have configured ones.
        Err(_) => client,
    };
    configuration::http_anchors(client, conf).map_err(wrong)
}

fn named_kdcs(realm: &str, options: &Kdcs) -> Result<StaticKdcs, Failure> {
    let wrong = |text: &str, error: kdc::EndpointError| {
        Failure::usage(format!("the KDC address {text:?}: {error}"))
    };
    let mut kdcs = StaticKdcs::new();
    for text in &options.kdc {
        kdcs = kdcs.kdc(realm, text).map_err(|error| wrong(text, error))?;
    }
    for text in &options.kpasswd_server {
        kdcs = kdcs
            .password_change(realm, text)
            .map_err(|error| wrong(text, error))?;
    }
    Ok(kdcs)
}

fn configured(options: &Kdcs) -> Result<(Krb5Conf, Option<String>, KdcClient), Failure> {
    let conf = match &options.krb5_conf {
        Some(path) => {
            let path = path
                .to_str()
                .ok_or_else(|| Failure::usage("the path of krb5.conf is not UTF-8"))?;
            configuration::load([path])
        }
        None => configuration::load_from_environment(),
    }
    .map_err(|error| Failure::usage(format!("the configuration: {error}")))?;
    let defaults = conf
        .libdefaults()
        .map_err(|error| Failure::usage(format!("the configuration: {error}")))?;
    let client = KdcClient::new(locate(&conf, &defaults));
    let client = configuration::kdc_client(client, &defaults);
    Ok((conf, defaults.default_realm, client))
}

/// What the configuration names, and for realms that it does not name what is in DNS, unless
/// `dns_lookup_kdc` is off.
fn locate(conf: &Krb5Conf, defaults: &LibDefaults) -> Chain {
    let chain = Chain::new(ConfiguredKdcs::new(conf.clone()));
    #[cfg(feature = "dns")]
    if defaults.dns_lookup_kdc {
        // A host without name servers has no KDCs in DNS.
        return match DnsKdcs::system() {
            Ok(dns) => chain.then(dns.uri_lookup(defaults.dns_uri_lookup)),
            Err(_) => chain,
        };
    }
    #[cfg(not(feature = "dns"))]
    let _ = defaults;
    chain
}

/// The cache of that name, or the one of the environment or the configuration.
pub(crate) fn open_cache(
    name: Option<&str>,
    conf: &Krb5Conf,
) -> Result<Arc<dyn CacheStore>, Failure> {
    let named = match name {
        Some(name) => CacheName::parse(name),
        None => CacheName::from_environment(conf),
    };
    let wrong = |error: CacheError| {
        let message = match name {
            Some(name) => format!("the credential cache {name}: {error}"),
            None => format!("the default credential cache: {error}"),
        };
        match error {
            // The name is right, but nobody is there who keeps it.
            CacheError::NoServer => Failure::system(message),
            _ => Failure::usage(message),
        }
    };
    let mut caches = Caches::new();
    if let Ok(Some(socket)) = conf.libdefaults().map(|defaults| defaults.kcm_socket) {
        caches = caches.kcm_socket(socket);
    }
    named.and_then(|name| caches.open(&name)).map_err(wrong)
}

/// A cache that could not be used.
pub(crate) fn cache_failed(cache: &dyn CacheStore, error: CacheError) -> Failure {
    let name = cache.name();
    match (error, &name) {
        (CacheError::Format(_), CacheName::File(path)) if files::is_keytab(path) => {
            files::mistaken(path, "keytab", "credential cache")
        }
        (CacheError::Format(_), _) => {
            Failure::usage(format!("the credential cache {name}: {error}"))
        }
        _ => Failure::system(format!("the credential cache {name}: {error}")),
    }
}
