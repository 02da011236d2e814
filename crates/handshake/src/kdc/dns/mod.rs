//! KDCs found in DNS: URI records (RFC 7553), or else SRV records (RFC 2782, RFC 4120 §7.2.3).
//!
//! DNS is not to be trusted, and need not be: a false KDC does not know the keys. It can keep
//! tickets from being had, and it learns who asks for which.

mod records;
mod remembered;
mod weight;

use core::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

use countersign_context::kerberos::kdc::KdcService;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::time::timeout_at;

use self::records::{Place, domain, label, merge, uri};
use self::remembered::Remembered;
use self::weight::{Weighted, in_order};
use super::endpoint::Endpoint;
use super::locate::{Locate, LocateError, Locating};

/// RFC 7553 §7.
const URI: RecordType = RecordType::Unknown(256);

/// Asks DNS for the KDCs of a realm; a source to put after explicit configuration.
///
/// URI records come before SRV records, which are asked for at the same time. What is found is
/// remembered as long as the records live, five minutes at most. A clone shares that.
///
/// ```
/// use countersign_handshake::kdc::{Chain, DnsKdcs, KdcClient, StaticKdcs};
///
/// let kdcs = StaticKdcs::new().kdc("EXAMPLE.COM", "kdc1.example.com")?;
/// let client = KdcClient::new(Chain::new(kdcs).then(DnsKdcs::system()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct DnsKdcs {
    config: ResolverConfig,
    options: ResolverOpts,
    with_uri: bool,
    remembered: Arc<Remembered>,
}

impl DnsKdcs {
    /// Asks the name servers that the operating system is configured with: those in
    /// `/etc/resolv.conf`, or in the registry of Windows.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub fn system() -> Result<Self, LocateError> {
        let (config, options) =
            hickory_resolver::system_conf::read_system_conf().map_err(|_| LocateError::Failed)?;
        Ok(Self::with(config, options))
    }

    /// Asks these name servers.
    #[must_use]
    pub fn new(name_servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        let server = |address: SocketAddr| {
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
            let at_port = |mut connection: ConnectionConfig| {
                connection.port = address.port();
                connection
            };
            let connections = connections.map(at_port).into();
            NameServerConfig::new(address.ip(), true, connections)
        };
        let servers = name_servers.into_iter().map(server).collect();
        let config = ResolverConfig::from_name_servers(servers);
        Self::with(config, ResolverOpts::default())
    }

    fn with(config: ResolverConfig, options: ResolverOpts) -> Self {
        Self {
            config,
            options,
            with_uri: true,
            remembered: Arc::default(),
        }
    }

    /// Whether to ask for URI records too, `dns_uri_lookup` of krb5.conf; on unless told
    /// otherwise.
    #[must_use]
    pub fn uri_lookup(mut self, on: bool) -> Self {
        self.with_uri = on;
        self
    }

    async fn search(
        &self,
        realm: &[u8],
        service: KdcService,
    ) -> Result<Vec<Endpoint>, LocateError> {
        let domain = domain(realm).ok_or(LocateError::RealmName)?;
        let label = label(service);
        // Made anew, because what it spawns belongs to the runtime of the moment.
        let provider = TokioRuntimeProvider::default();
        let mut builder = TokioResolver::builder_with_config(self.config.clone(), provider);
        *builder.options_mut() = self.options.clone();
        let resolver = builder.build().map_err(|_| LocateError::Failed)?;
        let uri_lookup = async {
            match self.with_uri {
                true => resolver
                    .lookup(format!("{label}.{domain}."), URI)
                    .await
                    .ok(),
                // Name servers that do not know the type fail in many ways.
                false => None,
            }
        };
        let srv =
            |protocol| resolver.lookup(format!("{label}.{protocol}.{domain}."), RecordType::SRV);
        let (by_uri, udp, tcp) = tokio::join!(uri_lookup, srv("_udp"), srv("_tcp"));
        if let Some(found) = by_uri.as_ref().map(|lookup| from_uri(lookup, service))
            && !found.is_empty()
        {
            self.remembered
                .keep(realm, service, &found, by_uri.map(|l| l.valid_until()));
            return Ok(found);
        }
        let lives = [&udp, &tcp]
            .into_iter()
            .flatten()
            .map(Lookup::valid_until)
            .min();
        let (udp, tcp) = match (from_srv(udp), from_srv(tcp)) {
            (Err(error), Err(_)) => return Err(error),
            (udp, tcp) => (udp.unwrap_or_default(), tcp.unwrap_or_default()),
        };
        let denied = udp.denied || tcp.denied;
        let found = merge(udp.places, tcp.places);
        if found.is_empty() && denied {
            return Err(LocateError::NotOffered);
        }
        self.remembered.keep(realm, service, &found, lives);
        Ok(found)
    }
}

#[derive(Default)]
struct Srv {
    places: Vec<Place>,
    /// A target of `.`: RFC 2782, the service is decidedly not available.
    denied: bool,
}

fn from_srv(lookup: Result<Lookup, NetError>) -> Result<Srv, LocateError> {
    let lookup = match lookup {
        Ok(lookup) => lookup,
        Err(error) if error.is_no_records_found() => return Ok(Srv::default()),
        Err(NetError::Timeout) => return Err(LocateError::TimedOut),
        Err(_) => return Err(LocateError::Failed),
    };
    let mut denied = false;
    let mut records = Vec::new();
    for record in lookup.answers() {
        let RData::SRV(srv) = &record.data else {
            continue;
        };
        if srv.target.is_root() {
            denied = true;
            continue;
        }
        records.push(Weighted {
            priority: srv.priority,
            weight: srv.weight,
            value: (
                srv.target.to_ascii().trim_end_matches('.').to_owned(),
                srv.port,
            ),
        });
    }
    Ok(Srv {
        places: in_order(records, draw),
        denied,
    })
}

fn from_uri(lookup: &Lookup, service: KdcService) -> Vec<Endpoint> {
    let records = lookup
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            RData::Unknown { code, rdata } if *code == URI => uri(&rdata.anything, service),
            _ => None,
        });
    in_order(records.collect(), draw)
}

/// Without randomness the order is the records' own.
fn draw(most: u32) -> u32 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => {
            let among = u64::from(most).saturating_add(1);
            u32::try_from(u64::from_be_bytes(bytes) % among).unwrap_or_default()
        }
        Err(_) => 0,
    }
}

impl Locate for DnsKdcs {
    fn locate(
        &self,
        realm: &[u8],
        service: KdcService,
        deadline: Instant,
    ) -> Result<Vec<Endpoint>, LocateError> {
        if let Some(found) = self.remembered.recall(realm, service) {
            return Ok(found);
        }
        // A runtime of its own in a thread of its own: the caller's thread may belong to another.
        let (sender, found) = mpsc::channel();
        let (source, realm) = (self.clone(), realm.to_vec());
        let search = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|_| LocateError::Failed)?;
            runtime.block_on(async {
                timeout_at(deadline.into(), source.search(&realm, service))
                    .await
                    .unwrap_or(Err(LocateError::TimedOut))
            })
        };
        thread::Builder::new()
            .name("countersign-dns".into())
            .spawn(move || sender.send(search()))
            .map_err(|_| LocateError::Failed)?;
        let left = deadline.saturating_duration_since(Instant::now());
        found
            .recv_timeout(left)
            .unwrap_or(Err(LocateError::TimedOut))
    }

    fn locate_async<'a>(
        &'a self,
        realm: &'a [u8],
        service: KdcService,
        _deadline: Instant,
    ) -> Locating<'a> {
        Box::pin(async move {
            match self.remembered.recall(realm, service) {
                Some(found) => Ok(found),
                None => self.search(realm, service).await,
            }
        })
    }
}

impl fmt::Debug for DnsKdcs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.config.name_servers().iter().map(|server| server.ip);
        f.debug_struct("DnsKdcs")
            .field("name_servers", &servers.collect::<Vec<_>>())
            .field("with_uri", &self.with_uri)
            .finish_non_exhaustive()
    }
}
