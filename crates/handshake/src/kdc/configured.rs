//! The KDCs that a krb5.conf names.

use std::sync::Arc;
use std::time::Instant;

use countersign_context::kerberos::kdc::KdcService;
use countersign_credential::Krb5Conf;
use countersign_credential::krb5_conf::{ConfServer, ConfTransport};

use super::endpoint::{Endpoint, EndpointError};
use super::locate::{Locate, LocateError};

/// The KDCs of `[realms]`, in the order of the file.
///
/// Password changes go to `kpasswd_server`, or else to the hosts of `admin_server` at port 464. A realm that the file does
/// not name is not known here: in a [`Chain`](super::Chain) with another source after this one, what the file says always
/// wins, and is never mixed with what the other says.
///
/// ```
/// use countersign_credential::Krb5Conf;
/// use countersign_handshake::kdc::{ConfiguredKdcs, KdcClient};
///
/// let conf = Krb5Conf::parse(b"[realms]\nEXAMPLE.COM = {\n kdc = kdc1.example.com\n}\n")?;
/// let client = KdcClient::new(ConfiguredKdcs::new(conf));
/// # Ok::<(), countersign_credential::krb5_conf::ConfError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ConfiguredKdcs {
    conf: Arc<Krb5Conf>,
    primary: bool,
}

impl ConfiguredKdcs {
    /// What this configuration names.
    #[must_use]
    pub fn new(conf: impl Into<Arc<Krb5Conf>>) -> Self {
        Self {
            conf: conf.into(),
            primary: false,
        }
    }

    /// Only those that know of a changed password first: `primary_kdc`, or its older name `master_kdc`. Where others say
    /// that a password is wrong, it may only be too new for them.
    #[must_use]
    pub fn primary_only(mut self) -> Self {
        self.primary = true;
        self
    }
}

impl Locate for ConfiguredKdcs {
    fn locate(
        &self,
        realm: &[u8],
        service: KdcService,
        _deadline: Instant,
    ) -> Result<Vec<Endpoint>, LocateError> {
        let servers = match service {
            KdcService::PasswordChange => self.conf.password_servers(realm),
            _ if self.primary => self.conf.primary_kdcs(realm),
            _ => self.conf.kdcs(realm),
        };
        let servers = servers.map_err(|_| LocateError::Misconfigured)?;
        let endpoints = servers.iter().map(endpoint);
        endpoints
            .collect::<Result<_, _>>()
            .map_err(|_| LocateError::Misconfigured)
    }
}

fn endpoint(server: &ConfServer) -> Result<Endpoint, EndpointError> {
    match server {
        ConfServer::Proxy { host, port, path } => Endpoint::https(host, *port, &format!("/{path}")),
        ConfServer::Host {
            host,
            port,
            transport,
        } => match transport {
            None => Endpoint::new(host, *port),
            Some(ConfTransport::Udp) => Endpoint::udp(host, *port),
            Some(ConfTransport::Tcp) => Endpoint::tcp(host, *port),
        },
        _ => Err(EndpointError::Scheme),
    }
}

#[cfg(test)]
mod tests {
    use super::super::locate::{Chain, StaticKdcs};
    use super::*;

    fn located(source: &dyn Locate, realm: &str, service: KdcService) -> Vec<String> {
        let found = source.locate(realm.as_bytes(), service, Instant::now());
        found.unwrap().iter().map(ToString::to_string).collect()
    }

    const CONF: &[u8] = b"[realms]\nA = {\n kdc = k2\n kdc = k1:750\n kdc = tcp/k3\n kdc = \
        https://proxy/KdcProxy\n primary_kdc = k9\n admin_server = adm:749\n}\nB = {\n kdc = \
        not a host\n}\nC = {\n kpasswd_server = pw\n}\n";

    #[test]
    fn the_file_is_believed_in_its_order_and_before_any_other_source() {
        let conf = Arc::new(Krb5Conf::parse(CONF).unwrap());
        let configured = ConfiguredKdcs::new(Arc::clone(&conf));
        let expected = ["k2:88", "k1:750", "tcp/k3:88", "https://proxy:443/KdcProxy"];
        assert_eq!(located(&configured, "A", KdcService::Kdc), expected);
        let password = located(&configured, "A", KdcService::PasswordChange);
        assert_eq!(password, ["adm:464"]);
        assert_eq!(
            located(&configured, "C", KdcService::PasswordChange),
            ["pw:464"]
        );
        let primary = configured.clone().primary_only();
        assert_eq!(located(&primary, "A", KdcService::Kdc), ["k9:88"]);

        let others = StaticKdcs::new()
            .kdc("A", "x")
            .unwrap()
            .kdc("C", "y")
            .unwrap();
        let chain = Chain::new(configured).then(others);
        assert_eq!(located(&chain, "A", KdcService::Kdc), expected);
        // Control: what the file does not name is asked of the others.
        assert_eq!(located(&chain, "C", KdcService::Kdc), ["y:88"]);
        assert!(located(&chain, "a", KdcService::Kdc).is_empty());
    }

    #[test]
    fn a_realm_that_is_written_wrongly_is_not_asked_of_others() {
        let conf = Krb5Conf::parse(CONF).unwrap();
        let others = StaticKdcs::new().kdc("B", "x").unwrap();
        let chain = Chain::new(ConfiguredKdcs::new(conf)).then(others);
        let refused = chain.locate(b"B", KdcService::Kdc, Instant::now());
        assert_eq!(refused, Err(LocateError::Misconfigured));
        assert!(chain.locate(b"A", KdcService::Kdc, Instant::now()).is_ok());
    }
}
