//! `[realms]`, `[domain_realm]` and `[capaths]`.

use alloc::string::String;
use alloc::vec::Vec;

use super::error::{ConfError, ConfProblem};
use super::parser::is_blank;
use super::{Krb5Conf, profile};

/// Where a server of a realm is, as the configuration says it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfServer {
    /// A host that speaks the protocol itself.
    Host {
        /// A name or an address; an IPv6 address without brackets.
        host: String,
        /// The port, or the service's default.
        port: u16,
        /// Heimdal's `tcp/host` and `udp/host`; otherwise both transports are meant.
        transport: Option<ConfTransport>,
    },
    /// A proxy over HTTPS (MS-KKDCP): `https://host[:port][/path]`.
    Proxy {
        /// A name or an address; an IPv6 address without brackets.
        host: String,
        /// The port, 443 unless it says otherwise.
        port: u16,
        /// The path, without the slash in front.
        path: String,
    },
}

/// A transport that a server is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConfTransport {
    /// UDP only.
    Udp,
    /// TCP only.
    Tcp,
}

const KDC_PORT: u16 = 88;
const ADMIN_PORT: u16 = 749;
const PASSWORD_PORT: u16 = 464;

impl Krb5Conf {
    /// The KDCs of the realm, `kdc`, in the order of the file.
    ///
    /// # Errors
    /// [`ConfProblem::NotAServer`] with the line.
    pub fn kdcs(&self, realm: impl AsRef<[u8]>) -> Result<Vec<ConfServer>, ConfError> {
        self.servers(realm.as_ref(), "kdc", KDC_PORT)
    }

    /// The KDCs that know of a password change first: `primary_kdc`, or its older name `master_kdc`.
    ///
    /// # Errors
    /// [`ConfProblem::NotAServer`] with the line.
    pub fn primary_kdcs(&self, realm: impl AsRef<[u8]>) -> Result<Vec<ConfServer>, ConfError> {
        let primary = self.servers(realm.as_ref(), "primary_kdc", KDC_PORT)?;
        if primary.is_empty() {
            return self.servers(realm.as_ref(), "master_kdc", KDC_PORT);
        }
        Ok(primary)
    }

    /// Where passwords are changed: `kpasswd_server`, or else the hosts of `admin_server` at port 464.
    ///
    /// # Errors
    /// [`ConfProblem::NotAServer`] with the line.
    pub fn password_servers(&self, realm: impl AsRef<[u8]>) -> Result<Vec<ConfServer>, ConfError> {
        let own = self.servers(realm.as_ref(), "kpasswd_server", PASSWORD_PORT)?;
        if !own.is_empty() {
            return Ok(own);
        }
        let mut others = self.admin_servers(realm)?;
        for server in &mut others {
            if let ConfServer::Host { port, .. } = server {
                *port = PASSWORD_PORT;
            }
        }
        Ok(others)
    }

    /// Where the realm is administered: `admin_server`.
    ///
    /// # Errors
    /// [`ConfProblem::NotAServer`] with the line.
    pub fn admin_servers(&self, realm: impl AsRef<[u8]>) -> Result<Vec<ConfServer>, ConfError> {
        self.servers(realm.as_ref(), "admin_server", ADMIN_PORT)
    }

    /// What the certificates of the realm's proxies must lead back to: `http_anchors`, each `FILE:path`,
    /// `DIR:path` or `ENV:variable`, as it is written.
    pub fn http_anchors(&self, realm: impl AsRef<[u8]>) -> Vec<&str> {
        let relations = self.realm_relations(realm.as_ref(), "http_anchors");
        relations.iter().map(|relation| &*relation.value).collect()
    }

    /// The realm of the host: what `[domain_realm]` says of `a.b.c`, then of `.b.c`, `b.c`, `.c`, `c`. `None` when it
    /// says nothing, which is for a referral to answer, not for the default realm. Addresses are not looked up.
    #[must_use]
    pub fn realm_of_host(&self, host: &str) -> Option<&str> {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let numeric = host.contains(':') || host.parse::<core::net::IpAddr>().is_ok();
        let mut rest = (!numeric && !host.is_empty()).then_some(&*host);
        while let Some(name) = rest {
            if let Some(realm) = self.value(&["domain_realm", name]) {
                return Some(realm);
            }
            rest = match name.strip_prefix('.') {
                Some(rest) => Some(rest),
                None => name.find('.').and_then(|dot| name.get(dot..)),
            };
        }
        None
    }

    /// The realms between the client's and the server's, nearest the client first, as `[capaths]` says it: none
    /// (written `.`) where both share a key, `None` where it says nothing.
    #[must_use]
    pub fn capath(
        &self,
        client_realm: impl AsRef<[u8]>,
        server_realm: impl AsRef<[u8]>,
    ) -> Option<Vec<&str>> {
        let client = core::str::from_utf8(client_realm.as_ref()).ok()?;
        let server = core::str::from_utf8(server_realm.as_ref()).ok()?;
        let between: Vec<&str> = self.values(&["capaths", client, server]).collect();
        match between.first() {
            None => None,
            Some(&".") => Some(Vec::new()),
            Some(_) => Some(between),
        }
    }

    /// Every path of `[capaths]`: client's realm, server's realm, and those between.
    pub fn capaths(&self) -> impl Iterator<Item = (&str, &str, Vec<&str>)> {
        self.section_names(&["capaths"])
            .into_iter()
            .flat_map(move |client| {
                self.relation_names(&["capaths", client])
                    .into_iter()
                    .filter_map(move |server| Some((client, server, self.capath(client, server)?)))
            })
    }

    fn realm_relations(&self, realm: &[u8], name: &str) -> Vec<&profile::Relation> {
        match core::str::from_utf8(realm) {
            Ok(realm) => profile::relations(&self.files, &["realms", realm], name).collect(),
            // Every name in the configuration is UTF-8.
            Err(_) => Vec::new(),
        }
    }

    fn servers(&self, realm: &[u8], name: &str, port: u16) -> Result<Vec<ConfServer>, ConfError> {
        self.realm_relations(realm, name)
            .into_iter()
            .map(|relation| {
                ConfServer::parse(&relation.value, port)
                    .ok_or_else(|| relation.place.error(ConfProblem::NotAServer))
            })
            .collect()
    }
}

impl ConfServer {
    /// Reads `host`, `host:port`, `[address]:port`, `tcp/host`, `udp/host` or `https://host[:port][/path]`.
    #[must_use]
    pub fn parse(text: &str, default_port: u16) -> Option<Self> {
        let text = text.trim_matches(is_blank);
        if let Some(rest) = text.strip_prefix("https://") {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let (host, port) = host_and_port(authority, 443)?;
            if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
                return None;
            }
            let path = path.into();
            return Some(Self::Proxy { host, port, path });
        }
        let (transport, rest) = match text.split_once('/') {
            None => (None, text),
            Some(("tcp", rest)) => (Some(ConfTransport::Tcp), rest),
            Some(("udp", rest)) => (Some(ConfTransport::Udp), rest),
            Some(_) => return None,
        };
        let (host, port) = host_and_port(rest, default_port)?;
        Some(Self::Host {
            host,
            port,
            transport,
        })
    }
}

fn host_and_port(text: &str, default_port: u16) -> Option<(String, u16)> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (address, after) = rest.split_once(']')?;
        address.parse::<core::net::Ipv6Addr>().ok()?;
        match after.strip_prefix(':') {
            Some(port) => (address, Some(port)),
            None if after.is_empty() => (address, None),
            None => return None,
        }
    } else if text.parse::<core::net::Ipv6Addr>().is_ok() {
        (text, None)
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let address = host.parse::<core::net::Ipv6Addr>().is_ok();
    if host.is_empty() || host.len() > 253 || !(address || host.bytes().all(name)) {
        return None;
    }
    let port = match port {
        None => default_port,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port != 0)?
        }
        Some(_) => return None,
    };
    Some((host.into(), port))
}
