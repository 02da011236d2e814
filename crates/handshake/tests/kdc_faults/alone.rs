//! A KDC that misbehaves, and nobody beside it: the error says what happened and what to do.

use std::io::ErrorKind::{ConnectionRefused, ConnectionReset};

use countersign_handshake::kdc::{Error, Failure};
use countersign_testkit::KdcFault;

use crate::exchange::{
    FAULTS, SHORT, SOON, TRANSPORTS, WANTS, Want, client, environment, kdc, prepared, run, serve,
};
use crate::support::kdc::{FOREVER, Watched, refusing};
use crate::support::{DRIVERS, Driver};

/// What happened, and whether it is known only at the deadline.
type Expected = (fn(Failure) -> bool, bool);

/// `None` where there is a ticket.
fn expected(fault: KdcFault, transport: &str) -> Option<Expected> {
    use Failure::{Closed, Io, NoAnswer, NotKerberos, ReservedLength, TooLarge};
    let datagrams = transport == "udp";
    Some(match fault {
        KdcFault::SilentOverUdp if !datagrams => return None,
        KdcFault::Trickle(_) | KdcFault::HangsUp | KdcFault::Resets if datagrams => {
            (|failure| failure == NoAnswer, true)
        }
        KdcFault::Silent
        | KdcFault::SilentOverUdp
        | KdcFault::Slow(_)
        | KdcFault::Elsewhere
        | KdcFault::Trickle(_) => (|failure| failure == NoAnswer, true),
        // A stream ends with what is no answer; after a datagram another may come.
        KdcFault::Garbage if !datagrams => (|failure| failure == NotKerberos, false),
        KdcFault::Empty if !datagrams => (|failure| failure == NotKerberos, false),
        KdcFault::ReservedLength if !datagrams => (|failure| failure == ReservedLength, false),
        KdcFault::Endless if !datagrams => (
            |failure| {
                matches!(
                    failure,
                    TooLarge {
                        length: 0x7fff_ffff,
                        ..
                    }
                )
            },
            false,
        ),
        // It speaks of TCP, and TCP is dead or not there.
        KdcFault::TooBig | KdcFault::HangsUp => (|failure| failure == Closed, false),
        KdcFault::Resets => (
            |failure| {
                matches!(
                    failure,
                    Io(ConnectionReset) | Closed | Io(std::io::ErrorKind::BrokenPipe)
                )
            },
            false,
        ),
        KdcFault::Truncated | KdcFault::TruncatedAt(_) if !datagrams => {
            (|failure| failure == Closed, false)
        }
        // On a machine so slow that nothing came by the deadline, nothing came.
        _ => (|failure| matches!(failure, NotKerberos | NoAnswer), true),
    })
}

fn check(fault: KdcFault, transport: &str, driver: Driver, want: Want) {
    let case = format!("{want:?} {fault:?} {transport} {driver:?}");
    let kdc = kdc();
    let (server, credential) = (serve(&kdc), prepared(want, &kdc));
    server.misbehave(fault);
    let Some((is_expected, waits)) = expected(fault, transport) else {
        let watched = client(transport, &[&server]);
        assert!(
            run(want, driver, &watched.client, &credential).is_ok(),
            "{case}"
        );
        return;
    };
    let timeout = if waits { SHORT } else { FOREVER };
    let watched = client(transport, &[&server]).with(|client| client.timeout(timeout));
    let began = std::time::Instant::now();
    let error = run(want, driver, &watched.client, &credential).unwrap_err();
    assert!(!waits || began.elapsed() >= SHORT, "{case}");
    assert!(began.elapsed() < FOREVER / 2, "{case}");
    match &error {
        // What is named for UDP alone is not asked by TCP.
        Error::NoStream => assert_eq!((fault, transport), (KdcFault::TooBig, "udp"), "{case}"),
        Error::Unanswered(attempts) => {
            assert_eq!(attempts.len(), 1, "{case}: {attempts:?}");
            assert!(is_expected(attempts[0].failure), "{case}: {attempts:?}");
            let text = error.to_string();
            assert!(text.contains(&server.address().to_string()), "{text}");
        }
        other => panic!("{case}: {other:?}"),
    }
    // Control, and what is kept of the failure: nothing.
    server.misbehave(None);
    let again = client(transport, &[&server]);
    assert!(
        run(want, driver, &again.client, &credential).is_ok(),
        "{case}"
    );
}

#[test]
fn every_fault_of_the_only_kdc_is_named() {
    // Most wait for their deadline: all at once, they wait together.
    std::thread::scope(|scope| {
        for fault in FAULTS {
            scope.spawn(move || {
                for transport in TRANSPORTS {
                    for driver in DRIVERS {
                        for want in WANTS {
                            check(fault, transport, driver, want);
                        }
                    }
                }
            });
        }
    });
}

#[test]
fn a_kdc_that_is_dead_or_never_accepts_is_named() {
    let kdc = kdc();
    let unattended = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let unread = std::net::UdpSocket::bind(unattended.local_addr().unwrap()).unwrap();
    let unread = unread.local_addr().unwrap().port();
    for (port, timeout, failure) in [
        (refusing(), FOREVER, Failure::Io(ConnectionRefused)),
        (unread, SHORT, Failure::NoAnswer),
    ] {
        for want in WANTS {
            let credential = prepared(want, &kdc);
            for transport in TRANSPORTS {
                for driver in DRIVERS {
                    let at = format!("{transport}/127.0.0.1:{port}");
                    let watched = Watched::new(&[("a", at)])
                        .with(|client| client.timeout(timeout).environment(environment));
                    let error = run(want, driver, &watched.client, &credential).unwrap_err();
                    let Error::Unanswered(attempts) = error else {
                        panic!("{error:?}");
                    };
                    assert_eq!(attempts.len(), 1);
                    assert_eq!(attempts[0].failure, failure, "{transport} {driver:?}");
                }
            }
        }
    }
}

#[test]
fn an_answer_too_long_for_a_datagram_is_not_had_where_tcp_is_dead() {
    let kdc = kdc();
    let server = serve(&kdc);
    server.misbehave(KdcFault::TooBig);
    for want in WANTS {
        for driver in DRIVERS {
            let watched = Watched::new(&[("a", server.address().to_string())])
                .with(|client| client.patience(SOON * 100).environment(environment));
            let error = run(want, driver, &watched.client, &prepared(want, &kdc)).unwrap_err();
            let Error::Unanswered(attempts) = error else {
                panic!("{error:?}");
            };
            assert_eq!(attempts.len(), 1, "{attempts:?}");
            assert_eq!(attempts[0].failure, Failure::Closed);
            assert_eq!(attempts[0].transport.to_string(), "TCP");
            assert_eq!(
                watched.events()[..3],
                ["asked a by UDP", "a answered by UDP", "asked a by TCP"]
            );
        }
    }
}
