//! Every async operation is dropped after each number of polls, two hundred times: what is allocated does not grow.
#![cfg(all(feature = "tokio", target_os = "linux"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod support;

use std::time::Duration;

use allocation_counter::measure;
use countersign_handshake::context::kerberos::kdc::{Acquisition, ClientCredential};
use countersign_handshake::context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_handshake::kdc::{KdcClient, StaticKdcs, TicketSource};
use countersign_handshake::{Handshake, StreamOptions};
use countersign_testkit::{Kdc, KdcServer};
use support::cancellation::{MOST, alice, environment, kdc, polled, service};
use support::kdc::{FOREVER, REALM};
use support::kerberos::{ALL, accepting, initiating};
use support::runtime;
use tokio::io::duplex;

/// How often each operation is dropped after each number of polls.
const TIMES: usize = 200;

/// Every operation, with no poll, with one, … until it is ready; what it allocates and does not free is counted
/// when it was done before, so often that whatever is kept once is there.
fn leaves_nothing_allocated<T>(what: &str, mut operation: impl AsyncFnMut(usize) -> Option<T>) {
    let runtime = runtime();
    let mut repeat = |polls: usize, times: usize| {
        runtime.block_on(async {
            let mut ready = false;
            for _ in 0..times {
                ready |= operation(polls).await.is_some();
            }
            // Sockets are given up in the runtime's own time.
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            ready
        })
    };
    for polls in 0..MOST {
        repeat(polls, 20);
        let mut ready = false;
        let info = measure(|| ready = repeat(polls, TIMES));
        assert!(info.count_total > 0);
        assert_eq!(
            (info.count_current, info.bytes_current),
            (0, 0),
            "{what} after {polls} polls"
        );
        if ready {
            assert!(polls > 1, "{what}: it never waited");
            return;
        }
    }
    panic!("{what} is never ready");
}

fn client(server: &KdcServer, scheme: &str) -> KdcClient {
    let endpoint = format!("{scheme}/{}", server.address());
    KdcClient::new(StaticKdcs::new().kdc(REALM, &endpoint).unwrap())
        .timeout(FOREVER)
        .environment(environment)
}

/// A password would be derived from each time.
fn with_keys(kdc: &Kdc) -> impl Fn() -> ClientCredential {
    let (client, keytab) = (alice().client().clone(), kdc.keytab(&["alice"]).unwrap());
    move || ClientCredential::keytab(client.clone(), &keytab).unwrap()
}

#[test]
fn an_acquisition_that_is_dropped_leaves_nothing_allocated() {
    let (kdc, server) = kdc();
    let alice = with_keys(&kdc);
    for scheme in ["udp", "tcp"] {
        let client = client(&server, scheme);
        leaves_nothing_allocated(scheme, async |polls| {
            let wanted = Acquisition::new(&alice(), service());
            let got = polled(polls, client.run_async(wanted)).await;
            got.map(Result::unwrap)
        });
    }
    // Control: what is not dropped is counted.
    let (client, runtime) = (client(&server, "tcp"), runtime());
    let mut kept = Vec::with_capacity(1);
    let info = measure(|| {
        runtime.block_on(async {
            let wanted = Acquisition::new(&alice(), service());
            let mut asking = Box::pin(client.run_async(wanted));
            assert!(polled(1, asking.as_mut()).await.is_none());
            kept.push(asking);
        });
    });
    assert!(info.bytes_current > 0);
}

#[test]
fn a_fetch_that_two_share_leaves_nothing_allocated() {
    let (kdc, server) = kdc();
    let (alice, client) = (with_keys(&kdc), client(&server, "tcp"));
    leaves_nothing_allocated("shared", async |polls| {
        let source = TicketSource::new(client.clone(), alice());
        let first = polled(polls, source.ticket_async(service()));
        let second = polled(polls, source.ticket_async(service()));
        let (first, second) = tokio::join!(first, second);
        first.and(second).map(Result::unwrap)
    });
}

#[test]
fn a_handshake_that_is_dropped_leaves_nothing_allocated() {
    let secure =
        |handshake: Handshake, stream| handshake.secure_async(stream, StreamOptions::default());
    for cut in ["initiator", "acceptor"] {
        leaves_nothing_allocated(cut, async |polls| {
            let (ours, theirs) = duplex(256);
            let (dropped, other) = match cut {
                "initiator" => (secure(initiating(), ours), secure(accepting(), theirs)),
                _ => (secure(accepting(), theirs), secure(initiating(), ours)),
            };
            let dropped = async {
                let stream = polled(polls, dropped).await;
                stream.map(|stream| drop(stream.unwrap()))
            };
            let (ready, _) = tokio::join!(dropped, other);
            ready
        });
    }
}

#[test]
fn a_handshake_that_fetches_its_ticket_leaves_nothing_allocated() {
    let (kdc, server) = kdc();
    let (alice, client) = (with_keys(&kdc), client(&server, "udp"));
    let keytab = kdc.keytab(&["sentry/gate.example.com"]).unwrap();
    leaves_nothing_allocated("fetching", async |polls| {
        let initiator = Initiator::from_credential(&alice(), service()).require(ALL);
        let initiating = Handshake::initiator(initiator)
            .environment(environment())
            .kdc_client(client.clone());
        let acceptor = Acceptor::new(&AcceptorCredential::new(&keytab));
        let accepting = Handshake::acceptor(acceptor).environment(environment());
        let (ours, mut theirs) = duplex(256);
        let secured = initiating.secure_async(ours, StreamOptions::default());
        let secured = polled(polls, secured);
        let (secured, accepted) = tokio::join!(
            async { secured.await.map(|stream| drop(stream.unwrap())) },
            async { accepting.run_async(&mut theirs).await.map(drop) }
        );
        assert!(secured.is_none() || accepted.is_ok());
        secured
    });
}
