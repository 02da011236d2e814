//! A password is changed once, or not, whatever the servers do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_handshake::context::credential::Principal;
use countersign_handshake::context::kerberos::kdc::{ClientSecret, KdcService, PasswordChange};
use countersign_handshake::kdc::{Endpoint, Error, Failure, KdcClient, StaticKdcs};
use countersign_testkit::KdcServer;

use crate::exchange::{FAULTS, SHORT, SOON, TRANSPORTS, another, environment, kdc, serve};
use crate::support::kdc::{FOREVER, REALM, both, receive, refusing, udp};
use crate::support::{DRIVERS, Driver};

/// Tickets from the first, passwords by this transport (`tcp/`) from the others in their order.
fn client(tickets: &KdcServer, transport: &str, ports: &[u16]) -> KdcClient {
    let kdc = Endpoint::parse(&tickets.address().to_string(), KdcService::Kdc).unwrap();
    let mut source = StaticKdcs::new().with(REALM, KdcService::Kdc, kdc);
    for port in ports {
        let service = KdcService::PasswordChange;
        let at = Endpoint::parse(&format!("{transport}127.0.0.1:{port}"), service).unwrap();
        source = source.with(REALM, service, at);
    }
    KdcClient::new(source)
        .environment(environment)
        .patience(SOON)
        .timeout(FOREVER)
}

fn change(driver: Driver, client: &KdcClient) -> Result<bool, Error> {
    let alice = Principal::parse("alice@EXAMPLE.COM").unwrap();
    let secret = ClientSecret::password("open sesame");
    let change = PasswordChange::new(alice, secret, "new and better");
    let outcome = driver.run_exchange(client, change)?;
    Ok(outcome.is_changed())
}

#[test]
fn a_fault_of_the_server_that_was_asked_is_not_made_good_by_asking_another() {
    std::thread::scope(|scope| {
        for fault in FAULTS {
            scope.spawn(move || {
                for transport in TRANSPORTS {
                    for driver in DRIVERS {
                        let case = format!("{fault:?} {transport} {driver:?}");
                        let [tickets, bad, good] =
                            [kdc(), another(), another()].map(|kdc| serve(&kdc));
                        bad.misbehave(fault);
                        let ports = [&bad, &good].map(|one| one.password_address().port());
                        let client =
                            client(&tickets, &format!("{transport}/"), &ports).timeout(SHORT * 6);
                        let changed = change(driver, &client);
                        // Also what the servers did not read.
                        let requests = bad.requests() + good.requests();
                        match changed {
                            Ok(changed) => assert!(changed && requests == 1, "{case}: {requests}"),
                            Err(Error::Unanswered(attempts)) => {
                                assert_eq!(attempts.len(), 1, "{case}: {attempts:?}");
                            }
                            // What a fault makes of an answer may be one that proves nothing.
                            Err(Error::Refused(_)) => {}
                            Err(other) => panic!("{case}: {other:?}"),
                        }
                        assert!(requests <= 1, "{case}: {requests}");
                    }
                }
            });
        }
    });
}

#[test]
fn a_server_that_is_dead_is_made_good_by_the_next() {
    for transport in TRANSPORTS {
        for driver in DRIVERS {
            // Of one KDC, which has the one password.
            let kdc = kdc();
            let (tickets, good) = (serve(&kdc), serve(&kdc));
            let ports = [refusing(), good.password_address().port()];
            let client = client(&tickets, &format!("{transport}/"), &ports);
            assert_eq!(change(driver, &client), Ok(true), "{transport} {driver:?}");
            // Control: there is one password, the new one.
            assert!(change(driver, &client).is_err());
        }
    }
}

#[test]
fn a_change_that_may_have_arrived_is_not_sent_again_in_another_way() {
    for driver in DRIVERS {
        let tickets = serve(&kdc());
        let count = Arc::new(AtomicUsize::new(0));
        let (datagrams, streams) = (Arc::clone(&count), Arc::clone(&count));
        let hangs_up = both(
            move |_, _, _| {
                datagrams.fetch_add(1, Ordering::SeqCst);
            },
            move |mut stream| {
                receive(&mut stream);
                streams.fetch_add(1, Ordering::SeqCst);
            },
        );
        let alone = client(&tickets, "", &[hangs_up]);
        let failures = |changed| match changed {
            Err(Error::Unanswered(attempts)) => attempts.into_iter().map(|one| one.failure),
            other => panic!("{other:?}"),
        };
        let failed: Vec<_> = failures(change(driver, &alone)).collect();
        assert_eq!(failed, [Failure::Closed], "{driver:?}");
        assert_eq!(count.load(Ordering::SeqCst), 1);
        // Control: what nobody can have received by TCP is sent by UDP, and both are named.
        let datagrams = Arc::clone(&count);
        let mute = udp(move |_, _, _| {
            datagrams.fetch_add(1, Ordering::SeqCst);
        });
        let alone = client(&tickets, "", &[mute]).timeout(SHORT * 3);
        let failed: Vec<_> = failures(change(driver, &alone)).collect();
        let refused = Failure::Io(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(failed[0], refused, "{failed:?}");
        assert_eq!(*failed.last().unwrap(), Failure::NoAnswer, "{failed:?}");
        assert_eq!(count.load(Ordering::SeqCst), 2, "{driver:?}");
    }
}
