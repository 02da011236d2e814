//! What must end at its deadline does so neither before nor after it, by tokio's clock, which stands
//! still but for whoever waits. In real time, and for the blocking driver: `soak --only KDC:`.

use std::time::Duration;

use countersign_handshake::context::credential::ServiceName;
use countersign_handshake::context::kerberos::Initiator;
use countersign_handshake::kdc::{Error, KdcClient, TicketSource};
use countersign_handshake::{ErrorKind, Handshake};
use tokio::time::Instant;

use crate::exchange::{SERVICE, Want, alice, environment, kdc, prepared};
use crate::support::kdc::{Watched, request, silent};
use crate::support::kerberos::accepting;

/// Timers have the precision of a millisecond.
const PRECISION: Duration = Duration::from_millis(1);

const TIMES: [Duration; 4] = [
    Duration::from_millis(1),
    Duration::from_millis(777),
    Duration::from_secs(10),
    Duration::from_secs(3600),
];

fn assert_on_time<T>(what: &str, time: Duration, future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let began = Instant::now();
        let output = future.await;
        let took = began.elapsed();
        assert!(took >= time, "{what}: {took:?} of {time:?}");
        assert!(took <= time + PRECISION, "{what}: {took:?} of {time:?}");
        output
    })
}

fn mute(transport: &str, many: usize) -> KdcClient {
    let unattended = || {
        // It stays open for as long as the process.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::mem::forget(listener);
        port
    };
    let kdcs: Vec<_> = (0..many)
        .map(|_| match transport {
            "udp" => silent(),
            _ => unattended(),
        })
        .map(|port| ("a", format!("{transport}/127.0.0.1:{port}")))
        .collect();
    let watched = Watched::new(&kdcs);
    let client = watched.client.patience(Duration::from_secs(1));
    client.environment(environment)
}

#[test]
fn requests_and_exchanges_end_at_their_deadline() {
    for transport in ["udp", "tcp"] {
        for many in [1, 3] {
            for time in TIMES {
                let client = mute(transport, many).timeout(time);
                let what = format!("{transport} {many}");
                let request = request();
                let sent = assert_on_time(&what, time, client.send_async(&request));
                assert!(matches!(sent, Err(Error::Unanswered(_))), "{sent:?}");
                let source = TicketSource::new(client, prepared(Want::Service, &kdc()));
                let service = ServiceName::parse(SERVICE).unwrap();
                let got = assert_on_time(&what, time, source.ticket_async(service));
                assert!(matches!(got, Err(Error::Unanswered(_))), "{got:?}");
            }
        }
    }
}

#[test]
fn who_waits_for_the_fetch_of_another_ends_at_its_own_deadline() {
    for time in TIMES {
        let source = TicketSource::new(mute("udp", 1).timeout(time), alice());
        let service = || ServiceName::parse(SERVICE).unwrap();
        let second = async {
            // Begun, and then polled no more.
            let mut first = Box::pin(source.ticket_async(service()));
            let poll = std::future::poll_fn(|cx| std::task::Poll::Ready(first.as_mut().poll(cx)));
            assert!(poll.await.is_pending());
            source.ticket_async(service()).await
        };
        let second = assert_on_time("waiting", time, second);
        assert_eq!(second.unwrap_err(), Error::TimedOut);
    }
}

#[test]
fn a_handshake_ends_at_its_deadline_whoever_is_silent() {
    for time in TIMES {
        let late = |result: Result<_, countersign_handshake::Error>| {
            assert_eq!(
                *result.map(drop).unwrap_err().kind(),
                ErrorKind::DeadlineExceeded
            );
        };
        // The peer.
        let accepted = async {
            let (_ours, mut theirs) = tokio::io::duplex(64);
            accepting().timeout(time).run_async(&mut theirs).await
        };
        late(assert_on_time("peer", time, accepted));
        // The KDC, which has more time than the handshake.
        let service = ServiceName::parse(SERVICE).unwrap();
        let initiated = async {
            let (mut ours, _theirs) = tokio::io::duplex(64);
            Handshake::initiator(Initiator::from_credential(&alice(), service))
                .environment(environment())
                .kdc_client(mute("udp", 2).timeout(time * 2))
                .timeout(time)
                .run_async(&mut ours)
                .await
        };
        late(assert_on_time("KDC", time, initiated));
    }
}
