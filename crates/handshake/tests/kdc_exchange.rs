//! Whole exchanges with a KDC that knows its trade, by both drivers: tickets, handshakes that fetch
//! their own, and tickets for many at once.
#![cfg(feature = "tokio")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod support;

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use countersign_handshake::context::credential::{Principal, ServiceName, TicketCredential};
use countersign_handshake::context::kerberos::kdc::{Acquisition, ClientCredential};
use countersign_handshake::context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_handshake::context::{ErrorKind, Flags, Timestamp};
use countersign_handshake::kdc::{Error, TicketSource};
use countersign_handshake::{ErrorKind as HandshakeError, Handshake, SystemEnvironment};
use countersign_testkit::{Kdc, KdcBuilder, KdcFault, KdcServer, NOW};
use support::kdc::{REALM, Watched, refusing, silent};
use support::{DRIVERS, Driver, runtime};

const SERVICE: &str = "sentry/gate.example.com";
const PATIENCE: Duration = Duration::from_millis(100);

fn builder() -> KdcBuilder {
    Kdc::builder(REALM)
        .user("alice", "open sesame")
        .service(SERVICE)
        .service("sentry/other.example.com")
}

fn served(builder: KdcBuilder) -> (Kdc, KdcServer) {
    let kdc = builder.build().unwrap();
    let server = kdc.serve("127.0.0.1:0").unwrap();
    (kdc, server)
}

fn environment() -> SystemEnvironment {
    SystemEnvironment::new().with_clock(|| Timestamp::from_unix(NOW))
}

fn at(server: &KdcServer) -> String {
    server.address().to_string()
}

fn watched(kdcs: &[(&str, String)]) -> Watched {
    Watched::new(kdcs).with(|client| client.environment(environment).patience(PATIENCE))
}

fn alice_with(password: &str) -> ClientCredential {
    ClientCredential::password(Principal::parse("alice@EXAMPLE.COM").unwrap(), password)
}

fn alice() -> ClientCredential {
    alice_with("open sesame")
}

fn service() -> ServiceName {
    ServiceName::parse(SERVICE).unwrap()
}

fn acquire(driver: Driver, watched: &Watched) -> Result<Arc<TicketCredential>, Error> {
    driver.run_exchange(&watched.client, Acquisition::new(&alice(), service()))
}

fn count(events: &[String], text: &str) -> usize {
    events.iter().filter(|event| event.contains(text)).count()
}

#[test]
fn ticket_is_acquired_by_udp_and_by_tcp() {
    let (_kdc, server) = served(builder());
    for driver in DRIVERS {
        for scheme in ["", "udp/", "tcp/"] {
            let watched = watched(&[("a", format!("{scheme}{}", at(&server)))]);
            let ticket = acquire(driver, &watched).unwrap();
            assert_eq!(ticket.server.to_string(), format!("{SERVICE}@{REALM}"));
        }
    }
}

#[test]
fn reply_that_does_not_fit_into_a_datagram_is_fetched_by_tcp() {
    let (_kdc, server) = served(builder().datagram_limit(400));
    for driver in DRIVERS {
        let watched = watched(&[("a", at(&server))]);
        acquire(driver, &watched).unwrap();
        let events = watched.events();
        assert_eq!(events[0], "asked a by UDP");
        assert!(count(&events, "asked a by TCP") >= 1, "{events:?}");
        // Control: what fits is not asked for twice.
        assert!(events.last().unwrap().ends_with("answered by TCP"));
    }
}

#[test]
fn misbehaving_kdc_does_not_keep_a_ticket_from_being_acquired() {
    let (_good, good) = served(builder());
    let (_bad, bad) = served(builder());
    for fault in [
        KdcFault::Silent,
        KdcFault::SilentOverUdp,
        KdcFault::Slow(Duration::from_millis(300)),
        KdcFault::Garbage,
        KdcFault::Truncated,
        KdcFault::Twice,
        KdcFault::HangsUp,
        KdcFault::Endless,
    ] {
        bad.misbehave(fault);
        for driver in DRIVERS {
            let watched = watched(&[("bad", at(&bad)), ("good", at(&good))]);
            assert!(acquire(driver, &watched).is_ok(), "{driver:?} {fault:?}");
        }
    }
}

#[test]
fn dead_kdc_costs_an_exchange_of_many_requests_its_patience_only_once() {
    let (_kdc, server) = served(builder());
    for driver in DRIVERS {
        for dead in [
            format!("udp/127.0.0.1:{}", silent()),
            format!("127.0.0.1:{}", refusing()),
        ] {
            let watched = watched(&[("dead", dead), ("a", at(&server))])
                // Long enough that the living one is never overtaken on a busy machine.
                .with(|client| client.patience(PATIENCE * 20));
            acquire(driver, &watched).unwrap();
            let events = watched.events();
            assert_eq!(count(&events, "asked dead"), 1, "{events:?}");
            assert!(count(&events, "a answered") >= 3, "{events:?}");
        }
    }
}

#[test]
fn error_of_an_exchange_says_why_nobody_answered() {
    for driver in DRIVERS {
        let watched = watched(&[("a", format!("127.0.0.1:{}", refusing()))]);
        let error = acquire(driver, &watched).unwrap_err();
        let Error::Unanswered(attempts) = &error else {
            panic!("{error:?}");
        };
        // By UDP, and by TCP.
        assert_eq!(attempts.len(), 2);
        assert!(error.to_string().contains("nobody listens"), "{error}");
    }
}

fn accept(driver: Driver, kdc: &Kdc, initiator: Handshake) -> Result<String, HandshakeError> {
    let keytab = kdc.keytab(&[SERVICE]).unwrap();
    let acceptor = Acceptor::new(&AcceptorCredential::new(&keytab)).require(Flags::MUTUAL);
    let accepting = Handshake::acceptor(acceptor).environment(environment());
    let initiator = initiator.environment(environment());
    let kind = |error: countersign_handshake::Error| error.kind().clone();
    match driver {
        Driver::Blocking => {
            let (mut ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
            let server = thread::spawn(move || accepting.run(&mut theirs));
            let context = initiator.run(&mut ours).map_err(kind);
            drop(ours);
            let accepted = server.join().unwrap();
            context?;
            Ok(accepted.unwrap().peer().unwrap().to_string())
        }
        Driver::Tokio => runtime().block_on(async {
            let (mut ours, mut theirs) = tokio::io::duplex(4096);
            let (context, accepted) = tokio::join!(
                async {
                    let context = initiator.run_async(&mut ours).await;
                    drop(ours);
                    context
                },
                accepting.run_async(&mut theirs)
            );
            context.map_err(kind)?;
            Ok(accepted.unwrap().peer().unwrap().to_string())
        }),
    }
}

#[test]
#[cfg(unix)]
fn handshake_fetches_its_own_ticket_through_its_client() {
    let (kdc, server) = served(builder());
    for driver in DRIVERS {
        let initiating = || Handshake::initiator(Initiator::from_credential(&alice(), service()));
        let watched = watched(&[("a", at(&server))]);
        let with_client = initiating().kdc_client(watched.client.clone());
        assert_eq!(
            accept(driver, &kdc, with_client).unwrap(),
            "alice@EXAMPLE.COM"
        );
        assert!(count(&watched.events(), "a answered") >= 3);
        // Control: without a client there is nobody to ask.
        assert_eq!(
            accept(driver, &kdc, initiating()),
            Err(HandshakeError::Unanswered)
        );
    }
}

#[test]
fn handler_is_asked_before_the_client() {
    use countersign_handshake::context::kerberos::kdc::KdcAnswer;
    use countersign_handshake::context::{Answer, KdcProblem};
    let (_kdc, server) = served(builder());
    for driver in DRIVERS {
        let watched = watched(&[("a", at(&server))]);
        let handshake = Handshake::initiator(Initiator::from_credential(&alice(), service()))
            .environment(environment())
            .kdc_client(watched.client.clone());
        let mut stream = support::Script::of(&b""[..]);
        let answer = || Some(Answer::Kdc(KdcAnswer::Unreachable));
        let error = match driver {
            Driver::Blocking => handshake.run_with(&mut stream, |_| answer()),
            Driver::Tokio => runtime()
                .block_on(handshake.run_async_with(&mut stream, |_| std::future::ready(answer()))),
        }
        .unwrap_err();
        let unreachable = ErrorKind::Kdc(KdcProblem::Unreachable);
        assert_eq!(error.refusal().unwrap().kind(), unreachable);
        assert!(watched.events().is_empty());
    }
}

/// Nothing is asked for twice only because this machine is slow.
fn patient(server: &KdcServer) -> Watched {
    Watched::new(&[("a", format!("tcp/{}", at(server)))])
        .with(|client| client.environment(environment))
}

#[test]
fn many_who_ask_at_once_make_the_kdc_work_once() {
    const MANY: usize = 16;
    let (_kdc, server) = served(builder());
    let alone = patient(&server);
    acquire(Driver::Blocking, &alone).unwrap();
    let once = count(&alone.events(), "asked a");
    server.misbehave(KdcFault::Slow(Duration::from_millis(20)));
    let threads = patient(&server);
    let source = TicketSource::new(threads.client.clone(), alice());
    let barrier = Barrier::new(MANY);
    let tickets: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..MANY)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    source.ticket(service()).unwrap()
                })
            })
            .collect();
        running.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(
        tickets
            .iter()
            .all(|ticket| Arc::ptr_eq(ticket, &tickets[0]))
    );
    assert_eq!(count(&threads.events(), "asked a"), once);
    // And later nothing at all.
    source.initiator(service()).unwrap();
    assert!(threads.events().is_empty());

    let tasks = patient(&server);
    let source = TicketSource::new(tasks.client.clone(), alice());
    runtime().block_on(async {
        let mut set = tokio::task::JoinSet::new();
        for number in 0..MANY {
            let source = source.clone();
            // Two services share the ticket-granting ticket.
            let name = ["sentry/gate.example.com", "sentry/other.example.com"][number % 2];
            let name = ServiceName::parse(name).unwrap();
            set.spawn(async move { source.ticket_async(name).await.unwrap() });
        }
        assert_eq!(set.join_all().await.len(), MANY);
    });
    assert_eq!(count(&tasks.events(), "asked a"), once + 1);
}

#[test]
fn another_takes_over_when_the_one_who_fetches_is_cancelled() {
    let (_kdc, server) = served(builder());
    let watched = watched(&[("a", at(&server))]);
    let source = TicketSource::new(watched.client.clone(), alice());
    server.misbehave(KdcFault::Silent);
    runtime().block_on(async {
        let service = service();
        let mut first = Box::pin(source.ticket_async(&service));
        let begun = tokio::time::timeout(PATIENCE, first.as_mut()).await;
        assert!(begun.is_err());
        let waiting = source.clone();
        let thread = thread::spawn(move || waiting.ticket(self::service()));
        // It waits, and asks nobody itself.
        thread::sleep(PATIENCE);
        assert!(!thread.is_finished());
        server.misbehave(None);
        drop(first);
        assert!(thread.join().unwrap().is_ok());
    });
}

#[test]
fn refusal_is_told_to_all_who_waited_and_not_remembered() {
    let (_kdc, server) = served(builder());
    for driver in DRIVERS {
        let watched = watched(&[("a", at(&server))]);
        let source = TicketSource::new(watched.client.clone(), alice_with("wrong"));
        for _ in 0..2 {
            let result = match driver {
                Driver::Blocking => source.ticket(service()),
                Driver::Tokio => runtime().block_on(source.ticket_async(service())),
            };
            assert!(matches!(result, Err(Error::Refused(_))), "{result:?}");
            assert!(!watched.events().is_empty());
        }
    }
}

#[test]
fn whoever_waits_for_another_keeps_a_deadline_too() {
    let (_kdc, server) = served(builder());
    server.misbehave(KdcFault::Silent);
    let watched = patient(&server);
    let source = TicketSource::new(watched.client.clone().timeout(PATIENCE * 3), alice());
    runtime().block_on(async {
        let service = service();
        // Begun, and never polled again.
        let mut first = Box::pin(source.ticket_async(&service));
        assert!(
            tokio::time::timeout(PATIENCE, first.as_mut())
                .await
                .is_err()
        );
        let waiting = source.clone();
        let thread = thread::spawn(move || waiting.ticket(self::service()));
        assert_eq!(thread.join().unwrap().unwrap_err(), Error::TimedOut);
        assert_eq!(
            source.ticket_async(&service).await.unwrap_err(),
            Error::TimedOut
        );
    });
}

#[test]
fn futures_and_clients_may_move_between_threads() {
    fn movable<T: Send>(_: &T) {}
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    let watched = watched(&[("a", "127.0.0.1".into())]);
    let source = TicketSource::new(watched.client.clone(), alice());
    let request = support::kdc::request();
    let service = service();
    shared(&watched.client);
    shared(&source);
    movable(&watched.client.send_async(&request));
    movable(
        &watched
            .client
            .run_async(Acquisition::new(&alice(), &service)),
    );
    movable(&source.ticket_async(&service));
    movable(&source.initiator_async(&service));
}
