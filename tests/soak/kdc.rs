//! KDCs that misbehave, by both drivers and both transports: each exchange ends with the ticket or with
//! an error, and what must end at its deadline does so in time. The cases that need no clock are
//! tests of the drivers.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use countersign_context::Timestamp;
use countersign_context::credential::{Principal, ServiceName};
use countersign_context::kerberos::kdc::{Acquisition, ClientCredential, KdcService};
use countersign_handshake::SystemEnvironment;
use countersign_handshake::kdc::{Endpoint, Error, KdcClient, StaticKdcs};
use countersign_testkit::{Kdc, KdcFault, KdcServer, NOW, SeededRandom};
use tokio::runtime::{Builder, Runtime};

use crate::report::{Report, grouped};
use crate::{Options, Result};

pub(crate) const DEADLINES: &str = "KDC: deadlines in time";
pub(crate) const LENGTHS: &str = "KDC: answers cut short";
pub(crate) const TITLES: [&str; 2] = [DEADLINES, LENGTHS];

const REALM: &str = "EXAMPLE.COM";
const SERVICE: &str = "sentry/gate.example.com";

/// How long after its deadline an exchange may end.
const LATEST: Duration = Duration::from_millis(100);

/// A machine that was busy is not busy each time.
const TRIES: u32 = 3;

/// What keeps an exchange until its deadline.
const HOLDS: [(&str, KdcFault); 9] = [
    ("udp", KdcFault::Silent),
    ("udp", KdcFault::Slow(Duration::from_secs(60))),
    ("udp", KdcFault::Garbage),
    ("udp", KdcFault::Truncated),
    ("udp", KdcFault::Empty),
    ("udp", KdcFault::Elsewhere),
    ("tcp", KdcFault::Silent),
    ("tcp", KdcFault::Slow(Duration::from_secs(60))),
    // Some 300 octets and more, of which 25 come within the longest time.
    ("tcp", KdcFault::Trickle(Duration::from_millis(20))),
];

#[derive(Debug, Clone, Copy)]
enum Driver {
    Blocking,
    Tokio,
}

const DRIVERS: [Driver; 2] = [Driver::Blocking, Driver::Tokio];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    Initial,
    Service,
}

const WANTS: [Want; 2] = [Want::Initial, Want::Service];

/// A KDC that behaves and one that does not, with the same keys, and what asks them.
struct World {
    good: KdcServer,
    bad: KdcServer,
    runtime: Runtime,
}

impl World {
    fn new() -> Result<Self> {
        let server = || {
            let kdc = Kdc::builder(REALM)
                .user("alice", "open sesame")
                .service(SERVICE);
            let kdc = kdc.build().map_err(|e| e.to_string())?;
            kdc.serve("127.0.0.1:0").map_err(|e| e.to_string())
        };
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            good: server()?,
            bad: server()?,
            runtime: runtime.map_err(|e| e.to_string())?,
        })
    }

    fn client(&self, transport: &str, servers: &[&KdcServer]) -> Result<KdcClient> {
        let mut source = StaticKdcs::new();
        for server in servers {
            let at = format!("{transport}/{}", server.address());
            let endpoint = Endpoint::parse(&at, KdcService::Kdc).map_err(|e| e.to_string())?;
            source = source.with(REALM, KdcService::Kdc, endpoint);
        }
        let environment = || SystemEnvironment::new().with_clock(|| Timestamp::from_unix(NOW));
        Ok(KdcClient::new(source)
            .environment(environment)
            .patience(Duration::from_millis(250)))
    }

    fn run(
        &self,
        driver: Driver,
        client: &KdcClient,
        exchange: Acquisition,
    ) -> Result<String, Error> {
        let ticket = match driver {
            Driver::Blocking => client.run(exchange),
            Driver::Tokio => self.runtime.block_on(client.run_async(exchange)),
        };
        ticket.map(|ticket| ticket.server.to_string())
    }

    /// The exchange, with what has to come before it done.
    fn exchange(&self, want: Want) -> Result<Acquisition> {
        let alice = Principal::parse("alice@EXAMPLE.COM").map_err(|e| e.to_string())?;
        let credential = ClientCredential::password(alice, "open sesame");
        let first = Acquisition::ticket_granting_ticket(&credential);
        if want == Want::Initial {
            return Ok(first);
        }
        let patient = self.client("tcp", &[&self.good])?;
        let got = self.run(Driver::Blocking, &patient, first);
        got.map_err(|e| e.to_string())?;
        let service = ServiceName::parse(SERVICE).map_err(|e| e.to_string())?;
        Ok(Acquisition::new(&credential, service))
    }
}

pub(crate) fn run(options: &Options, report: &mut Report) {
    for (title, check) in [
        (DEADLINES, deadlines as fn(bool) -> Result<String>),
        (LENGTHS, lengths),
    ] {
        if options.selects("kdc", title) {
            let result = check(options.short);
            let problem = result.as_ref().err().cloned();
            report.add("kdc", title, &result.unwrap_or_default(), problem);
        }
    }
}

/// How late one exchange ended.
fn late(
    world: &World,
    driver: Driver,
    transport: &str,
    want: Want,
    time: Duration,
) -> Result<Duration> {
    let client = world.client(transport, &[&world.bad])?.timeout(time);
    let exchange = world.exchange(want)?;
    let began = Instant::now();
    let result = world.run(driver, &client, exchange);
    let took = began.elapsed();
    match result {
        Err(Error::Unanswered(attempts)) if !attempts.is_empty() => {}
        other => return Err(format!("{other:?}")),
    }
    let late = took.checked_sub(time);
    late.ok_or_else(|| format!("it ended after {took:?}, before its {time:?}"))
}

fn deadlines(short: bool) -> Result<String> {
    let rounds: u64 = if short { 1 } else { 25 };
    let mut random = SeededRandom::new(1);
    let mut text = String::new();
    for driver in DRIVERS {
        let mut all = Vec::new();
        let mut again = 0;
        for (transport, fault) in HOLDS {
            for want in WANTS {
                let world = World::new()?;
                world.bad.misbehave(fault);
                for _ in 0..rounds {
                    let time = Duration::from_millis(100 + random.next_u64() % 400);
                    let case = format!("{driver:?} {transport} {fault:?} {want:?} {time:?}");
                    for attempt in 1..=TRIES {
                        let late = late(&world, driver, transport, want, time)
                            .map_err(|problem| format!("{case}: {problem}"))?;
                        all.push(late);
                        if late <= LATEST {
                            break;
                        }
                        again += 1;
                        if attempt == TRIES {
                            return Err(format!("{case}: {late:?} late, {TRIES} times"));
                        }
                    }
                }
            }
        }
        all.sort_unstable();
        let at = |part: usize| {
            all.get((all.len() - 1) * part / 100)
                .copied()
                .unwrap_or_default()
        };
        let _ = writeln!(
            text,
            "{driver:?}: {} cases of 100 to 500 ms, late by p50 {:?}, p99 {:?}, at most {:?}; {again} over {LATEST:?}",
            grouped(u64::try_from(all.len()).unwrap_or(0)),
            at(50),
            at(99),
            at(100),
        );
    }
    Ok(text)
}

/// Every fifth length of an answer, or fewer, beside a KDC that behaves.
fn lengths(short: bool) -> Result<String> {
    let world = World::new()?;
    let mut cases = 0_u64;
    for transport in ["udp", "tcp"] {
        for want in WANTS {
            for length in (0..1_200).step_by(if short { 37 } else { 5 }) {
                world.bad.misbehave(KdcFault::TruncatedAt(length));
                for driver in DRIVERS {
                    let client = world.client(transport, &[&world.bad, &world.good])?;
                    let got = world.run(driver, &client, world.exchange(want)?);
                    got.map_err(|e| format!("{transport} {want:?} {length} {driver:?}: {e}"))?;
                    cases += 1;
                }
            }
        }
    }
    Ok(format!(
        "{} cases, each with the ticket of the KDC beside",
        grouped(cases)
    ))
}
