//! KDCs that nobody named in the program: in krb5.conf, and in DNS.

use countersign_context::Policy;
use countersign_context::credential::Principal;
use countersign_context::kerberos::kdc::ServiceTicket;
use countersign_handshake::configuration;
use countersign_handshake::kdc::{ConfiguredKdcs, DnsKdcs, KdcClient};

use crate::Result;
use crate::kdc::Kdc::{self, Mit, Samba};
use crate::kdc::client::text;
use crate::kdc::lab::Lab;
use crate::kdc::rows::{Row, add};

/// Adds the rows.
pub(super) fn add_all(rows: &mut Vec<Row>) {
    add(rows, &Kdc::ALL, "KDC found in krb5.conf", |lab| {
        let conf = configuration::load([lab.variable("KRB5_CONFIG")?]).map_err(text)?;
        let client = KdcClient::new(ConfiguredKdcs::new(conf));
        client.run(lab.initial("alice")?).map(|_| ()).map_err(text)
    });
    add(rows, &[Samba], "KDC found in DNS", |lab| {
        let server = "127.0.0.10:53".parse().map_err(text)?;
        let client = KdcClient::new(DnsKdcs::new([server]));
        client.run(lab.initial("alice")?).map(|_| ()).map_err(text)
    });
    let capaths = "realms, 2 away, by the capaths of krb5.conf";
    add(rows, &[Mit], capaths, by_configured_path);
}

fn by_configured_path(lab: &Lab) -> Result<()> {
    let conf = configuration::load([lab.variable("KRB5_CONFIG")?]).map_err(text)?;
    let paths = configuration::realm_paths(&conf);
    let service = Principal::parse("host/svc.three.test@THREE.TEST").map_err(text)?;
    let exchange = ServiceTicket::new(lab.log_in("alice")?, service).paths(paths);
    let client = KdcClient::new(ConfiguredKdcs::new(conf));
    let ticket = client.run(exchange).map_err(text)?.credential;
    lab.accepts(ticket, "three", "alice", &Policy::default())
        .map(|_| ())
}
