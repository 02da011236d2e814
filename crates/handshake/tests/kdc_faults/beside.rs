//! A KDC that misbehaves, and another one of its realm that does not.

use countersign_testkit::KdcFault;

use crate::exchange::{
    FAULTS, SOON, TRANSPORTS, WANTS, another, assert_same, client, honest, kdc, prepared, run,
    serve,
};
use crate::support::DRIVERS;
use crate::support::kdc::{Watched, refusing};

#[test]
fn every_fault_of_one_kdc_is_made_good_by_the_next() {
    let kdc = kdc();
    let (bad, good) = (serve(&kdc), serve(&another()));
    for want in WANTS {
        let expected = honest(want, &kdc);
        for fault in FAULTS {
            bad.misbehave(fault);
            for transport in TRANSPORTS {
                for driver in DRIVERS {
                    let case = format!("{want:?} {fault:?} {transport} {driver:?}");
                    let watched =
                        client(transport, &[&bad, &good]).with(|client| client.patience(SOON));
                    let ticket = run(want, driver, &watched.client, &prepared(want, &kdc));
                    let ticket = ticket.unwrap_or_else(|error| panic!("{case}: {error}"));
                    assert_same(&ticket, &expected, &case);
                    assert_eq!(watched.events()[0].split(' ').nth(1), Some("a"), "{case}");
                }
            }
        }
    }
}

#[test]
fn a_dead_kdc_and_one_that_never_accepts_are_made_good_by_the_next() {
    let kdc = kdc();
    let good = serve(&kdc);
    let unattended = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let unread = std::net::UdpSocket::bind(unattended.local_addr().unwrap()).unwrap();
    for want in WANTS {
        let expected = honest(want, &kdc);
        for port in [refusing(), unread.local_addr().unwrap().port()] {
            for transport in TRANSPORTS {
                for driver in DRIVERS {
                    let case = format!("{want:?} {transport} {driver:?}");
                    let watched = Watched::new(&[
                        ("a", format!("{transport}/127.0.0.1:{port}")),
                        ("b", format!("{transport}/{}", good.address())),
                    ])
                    .with(|client| {
                        client
                            .patience(SOON)
                            .environment(crate::exchange::environment)
                    });
                    let ticket = run(want, driver, &watched.client, &prepared(want, &kdc));
                    let ticket = ticket.unwrap_or_else(|error| panic!("{case}: {error}"));
                    assert_same(&ticket, &expected, &case);
                }
            }
        }
    }
}

#[test]
fn kdcs_that_behave_by_turns_give_the_ticket_in_the_end() {
    let kdc = kdc();
    let (one, other) = (serve(&kdc), serve(&another()));
    for want in WANTS {
        let expected = honest(want, &kdc);
        for fault in [KdcFault::Silent, KdcFault::Garbage, KdcFault::HangsUp] {
            for transport in TRANSPORTS {
                for driver in DRIVERS {
                    let case = format!("{want:?} {fault:?} {transport} {driver:?}");
                    one.misbehave_by_turns(fault);
                    other.misbehave(None);
                    let watched =
                        client(transport, &[&one, &other]).with(|client| client.patience(SOON));
                    for _ in 0..4 {
                        let ticket = run(want, driver, &watched.client, &prepared(want, &kdc));
                        let ticket = ticket.unwrap_or_else(|error| panic!("{case}: {error}"));
                        assert_same(&ticket, &expected, &case);
                    }
                }
            }
        }
    }
}
