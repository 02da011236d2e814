//! KDCs found in DNS, by both drivers, at a name server that says what a test tells it.
#![cfg(feature = "dns")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod support;

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use countersign_handshake::context::kerberos::kdc::KdcService;
use countersign_handshake::kdc::{
    Chain, DnsKdcs, Error, KdcClient, Locate, LocateError, StaticKdcs,
};
use support::kdc::{FOREVER, REALM, reply, request, silent, udp_answering};
use support::{DRIVERS, Driver, runtime};

const SRV: u16 = 33;
const URI: u16 = 256;

#[derive(Clone, Copy)]
enum Code {
    Success = 0,
    ServerFailure = 2,
    NoSuchName = 3,
}

/// Data of records by name and type, and how long they live.
#[derive(Default)]
struct Zone {
    records: HashMap<(String, u16), Vec<Vec<u8>>>,
    lives: u32,
    failing: bool,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Zone {
    fn living(seconds: u32) -> Self {
        Self {
            lives: seconds,
            ..Self::default()
        }
    }

    fn srv(self, name: &str, priority: u16, port: u16, target: &str) -> Self {
        let mut data = [priority, 1, port].map(u16::to_be_bytes).concat();
        for label in target.split('.').filter(|label| !label.is_empty()) {
            data.push(u8::try_from(label.len()).unwrap());
            data.extend(label.as_bytes());
        }
        data.push(0);
        self.record(name, SRV, data)
    }

    fn uri(self, name: &str, priority: u16, target: &str) -> Self {
        let mut data = [priority, 1].map(u16::to_be_bytes).concat();
        data.extend(target.as_bytes());
        self.record(name, URI, data)
    }

    fn record(mut self, name: &str, kind: u16, data: Vec<u8>) -> Self {
        let key = (name.to_owned(), kind);
        self.records.entry(key).or_default().push(data);
        self
    }

    /// Serves the zone; returns the address and what was asked.
    fn serve(self) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::clone(&self.asked);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let answer = self.answer(&buffer[..length]);
                socket.send_to(&answer, from).unwrap();
            }
        });
        (address, asked)
    }

    /// RFC 1035 §4.
    fn answer(&self, query: &[u8]) -> Vec<u8> {
        let mut at = 12;
        let mut name = String::new();
        while query[at] != 0 {
            let length = usize::from(query[at]);
            let label = std::str::from_utf8(&query[at + 1..][..length]).unwrap();
            name.push_str(&label.to_ascii_lowercase());
            name.push('.');
            at += 1 + length;
        }
        let kind = u16::from_be_bytes([query[at + 1], query[at + 2]]);
        let question = &query[12..at + 5];
        self.asked.lock().unwrap().push(format!("{name} {kind}"));
        let found = self.records.get(&(name, kind));
        let records = found.map_or(&[][..], Vec::as_slice);
        let code = match (self.failing, records.is_empty()) {
            (true, _) => Code::ServerFailure,
            (false, true) => Code::NoSuchName,
            (false, false) => Code::Success,
        };
        let mut out = query[..2].to_vec();
        out.extend([0x85, 0x80 | code as u8, 0, 1]);
        out.extend(u16::try_from(records.len()).unwrap().to_be_bytes());
        out.extend([0; 4]);
        out.extend(question);
        for data in records {
            // The name of the question, and the class IN.
            out.extend([0xc0, 12]);
            out.extend([kind, 1].map(u16::to_be_bytes).concat());
            out.extend(self.lives.to_be_bytes());
            out.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            out.extend(data);
        }
        out
    }
}

fn locate_until(
    driver: Driver,
    source: &dyn Locate,
    realm: &str,
    service: KdcService,
    timeout: Duration,
) -> Result<Vec<String>, LocateError> {
    let (realm, deadline) = (realm.as_bytes(), Instant::now() + timeout);
    let found = match driver {
        Driver::Blocking => source.locate(realm, service, deadline),
        Driver::Tokio => runtime().block_on(source.locate_async(realm, service, deadline)),
    };
    Ok(found?.iter().map(ToString::to_string).collect())
}

fn locate(driver: Driver, source: &dyn Locate) -> Result<Vec<String>, LocateError> {
    locate_until(driver, source, REALM, KdcService::Kdc, FOREVER)
}

#[test]
fn srv_records_are_ordered_and_those_for_udp_and_tcp_become_one() {
    let (server, _) = Zone::living(60)
        .srv("_kerberos._udp.example.com.", 20, 88, "k2.example.com")
        .srv("_kerberos._udp.example.com.", 10, 88, "k1.example.com")
        .srv("_kerberos._tcp.example.com.", 10, 88, "k1.example.com")
        .srv("_kerberos._tcp.example.com.", 30, 1088, "k3.example.com")
        .srv("_kpasswd._udp.example.com.", 0, 464, "k1.example.com")
        .serve();
    for driver in DRIVERS {
        let source = DnsKdcs::new([server]);
        assert_eq!(
            locate(driver, &source).unwrap(),
            [
                "k1.example.com:88",
                "udp/k2.example.com:88",
                "tcp/k3.example.com:1088"
            ]
        );
        let service = KdcService::PasswordChange;
        let found = locate_until(driver, &source, REALM, service, FOREVER).unwrap();
        assert_eq!(found, ["udp/k1.example.com:464"]);
    }
}

#[test]
fn uri_records_come_before_srv_records_unless_they_are_switched_off() {
    let (server, _) = Zone::living(60)
        .uri(
            "_kerberos.example.com.",
            20,
            "krb5srv::kkdcp:https://proxy/path",
        )
        .uri("_kerberos.example.com.", 10, "krb5srv:m:tcp:k1.example.com")
        .uri("_kerberos.example.com.", 5, "mailto:nobody@example.com")
        .srv("_kerberos._udp.example.com.", 0, 88, "k2.example.com")
        .serve();
    for driver in DRIVERS {
        let source = DnsKdcs::new([server]);
        assert_eq!(
            locate(driver, &source).unwrap(),
            ["tcp/k1.example.com:88", "https://proxy:443/path"]
        );
        let source = DnsKdcs::new([server]).uri_lookup(false);
        assert_eq!(locate(driver, &source).unwrap(), ["udp/k2.example.com:88"]);
    }
}

#[test]
fn realm_without_records_is_not_known_and_one_that_denies_says_so() {
    let (server, _) = Zone::living(60)
        .srv("_kerberos._udp.example.com.", 0, 0, ".")
        .serve();
    for driver in DRIVERS {
        let source = DnsKdcs::new([server]);
        assert_eq!(locate(driver, &source), Err(LocateError::NotOffered));
        let other = locate_until(driver, &source, "EXAMPLE.ORG", KdcService::Kdc, FOREVER);
        assert_eq!(other, Ok(vec![]));
        let unsearchable = locate_until(driver, &source, "A B", KdcService::Kdc, FOREVER);
        assert_eq!(unsearchable, Err(LocateError::RealmName));
    }
}

#[test]
fn name_server_that_fails_or_is_silent_is_reported_in_time() {
    let (failing, _) = Zone {
        failing: true,
        ..Zone::default()
    }
    .serve();
    let mute = SocketAddr::from(([127, 0, 0, 1], silent()));
    for driver in DRIVERS {
        let failed = locate(driver, &DnsKdcs::new([failing]));
        assert_eq!(failed, Err(LocateError::Failed), "{driver:?}");
        let client = KdcClient::new(DnsKdcs::new([mute])).timeout(Duration::from_millis(200));
        let began = Instant::now();
        assert_eq!(
            driver.send(&client, &request()),
            Err(Error::Locate(LocateError::TimedOut)),
            "{driver:?}"
        );
        assert!(began.elapsed() < FOREVER / 2);
    }
}

#[test]
fn what_was_found_is_remembered_while_it_lives() {
    for driver in DRIVERS {
        for (seconds, again) in [(60, false), (0, true)] {
            let (server, asked) = Zone::living(seconds)
                .srv("_kerberos._udp.example.com.", 0, 88, "k1.example.com")
                .serve();
            let source = DnsKdcs::new([server]);
            assert!(locate(driver, &source).is_ok());
            assert!(!std::mem::take(&mut *asked.lock().unwrap()).is_empty());
            assert_eq!(
                locate(driver, &source.clone()).unwrap(),
                ["udp/k1.example.com:88"]
            );
            assert_eq!(!asked.lock().unwrap().is_empty(), again, "{driver:?}");
        }
    }
}

#[test]
fn explicit_configuration_wins_and_dns_is_not_even_asked() {
    let (server, asked) = Zone::living(60)
        .srv("_kerberos._udp.example.com.", 0, 88, "k1.example.com")
        .srv("_kerberos._udp.example.org.", 0, 88, "k2.example.org")
        .serve();
    for driver in DRIVERS {
        let explicit = StaticKdcs::new().kdc(REALM, "explicit").unwrap();
        let chain = Chain::new(explicit).then(DnsKdcs::new([server]));
        assert_eq!(locate(driver, &chain).unwrap(), ["explicit:88"]);
        assert!(asked.lock().unwrap().is_empty());
        // Control: another realm is looked up.
        let other = locate_until(driver, &chain, "EXAMPLE.ORG", KdcService::Kdc, FOREVER);
        assert_eq!(other.unwrap(), ["udp/k2.example.org:88"]);
        assert!(!std::mem::take(&mut *asked.lock().unwrap()).is_empty());
    }
}

#[test]
fn kdc_that_dns_names_is_asked() {
    let port = udp_answering(reply("found"));
    let (server, _) = Zone::living(60)
        .srv("_kerberos._udp.example.com.", 0, port, "localhost")
        .serve();
    for driver in DRIVERS {
        let client = KdcClient::new(DnsKdcs::new([server]));
        assert_eq!(driver.send(&client, &request()).unwrap(), reply("found"));
    }
}
