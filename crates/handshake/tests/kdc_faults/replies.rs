//! Answers that are well-formed and not the right ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_handshake::context::kerberos::kdc::ClientCredential;
use countersign_handshake::context::{ErrorKind, KdcProblem};
use countersign_handshake::kdc::Error;
use countersign_testkit::{KdcFault, KdcServer};

use crate::exchange::{TRANSPORTS, WANTS, assert_same, client, honest, kdc, prepared, run, serve};
use crate::support::DRIVERS;
use crate::support::kdc::{FOREVER, Watched, udp};

/// A server that answers alone to each kind of exchange, by each transport and driver.
fn each(mut check: impl FnMut(&KdcServer, &dyn Fn() -> ClientCredential, &Ask, &str)) {
    for want in WANTS {
        for transport in TRANSPORTS {
            for driver in DRIVERS {
                let case = format!("{want:?} {transport} {driver:?}");
                let kdc = kdc();
                let server = serve(&kdc);
                let watched = client(transport, &[&server]);
                let ask = |credential: &ClientCredential| {
                    run(want, driver, &watched.client, credential).map(drop)
                };
                check(&server, &|| prepared(want, &kdc), &ask, &case);
            }
        }
    }
}

type Ask<'a> = dyn Fn(&ClientCredential) -> Result<(), Error> + 'a;

#[test]
fn the_answer_to_another_request_is_refused() {
    each(|server, prepared, ask, case| {
        let credential = prepared();
        // The first is answered rightly: there is nothing stale yet.
        server.misbehave(KdcFault::Stale);
        assert_eq!(ask(&credential), Ok(()), "{case}");
        let other = prepared();
        let error = ask(&other).unwrap_err();
        let Error::Refused(refusal) = &error else {
            panic!("{case}: {error:?}");
        };
        let unreachable = ErrorKind::Kdc(KdcProblem::Unreachable);
        assert_ne!(refusal.kind(), unreachable, "{case}");
        assert!(!refusal.to_string().is_empty());
        // Control, and nothing is kept of it.
        server.misbehave(None);
        assert_eq!(ask(&other), Ok(()), "{case}");
    });
}

#[test]
fn the_answer_of_another_realms_kdc_is_refused() {
    each(|server, prepared, ask, case| {
        let credential = prepared();
        server.misbehave(KdcFault::WrongRealm);
        let error = ask(&credential).unwrap_err();
        assert!(matches!(error, Error::Refused(_)), "{case}: {error:?}");
        server.misbehave(None);
        assert_eq!(ask(&credential), Ok(()), "{case}");
    });
}

#[test]
fn an_answer_that_comes_twice_is_not_taken_for_that_of_the_next_request() {
    let kdc = kdc();
    let server = serve(&kdc);
    server.misbehave(KdcFault::Twice);
    for want in WANTS {
        let expected = honest(want, &kdc);
        for transport in TRANSPORTS {
            for driver in DRIVERS {
                let case = format!("{want:?} {transport} {driver:?}");
                let watched = client(transport, &[&server]);
                // An exchange of several requests, and one after the other.
                for _ in 0..3 {
                    let ticket = run(want, driver, &watched.client, &prepared(want, &kdc));
                    assert_same(&ticket.unwrap(), &expected, &case);
                }
            }
        }
    }
}

/// So many datagrams fit into a socket's buffer, read or not: none is lost.
const AT_ONCE: usize = 50;

#[test]
fn every_prefix_of_an_answer_is_passed_over_until_the_whole_comes() {
    let kdc = kdc();
    for want in WANTS {
        let expected = honest(want, &kdc);
        let (first, longest) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (own, from, most) = (kdc.clone(), Arc::clone(&first), Arc::clone(&longest));
        let port = udp(move |socket, request, client| {
            let answer = own.answer_datagram(request);
            most.fetch_max(answer.len(), Ordering::SeqCst);
            let lengths = from.load(Ordering::SeqCst)..answer.len();
            for length in lengths.take(AT_ONCE) {
                socket.send_to(&answer[..length], client).unwrap();
            }
            socket.send_to(&answer, client).unwrap();
        });
        while first.load(Ordering::SeqCst) <= longest.load(Ordering::SeqCst) {
            for driver in DRIVERS {
                let watched = Watched::new(&[("a", format!("udp/127.0.0.1:{port}"))])
                    .with(|client| client.environment(crate::exchange::environment));
                let ticket = run(want, driver, &watched.client, &prepared(want, &kdc));
                assert_same(&ticket.unwrap(), &expected, &format!("{want:?} {driver:?}"));
            }
            first.fetch_add(AT_ONCE, Ordering::SeqCst);
        }
        assert!(longest.load(Ordering::SeqCst) > 2 * AT_ONCE);
    }
}

#[test]
fn a_stream_cut_short_is_no_answer() {
    let kdc = kdc();
    let server = serve(&kdc);
    for want in WANTS {
        // What fails adds nothing to it.
        let credential = prepared(want, &kdc);
        for length in (0..=8).chain((64..600).step_by(67)) {
            server.misbehave(KdcFault::TruncatedAt(length));
            for driver in DRIVERS {
                let watched = client("tcp", &[&server]).with(|client| client.timeout(FOREVER));
                let error = run(want, driver, &watched.client, &credential);
                let error = error.unwrap_err().to_string();
                let expected = "it closed the connection";
                assert!(error.contains(expected), "{want:?} {length}: {error}");
            }
        }
    }
}
