//! Every async operation is dropped after each number of polls, until it needs no more: it leaves no
//! socket, no task and no half of a ticket, and the next one succeeds.
#![cfg(all(feature = "tokio", target_os = "linux"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod support;

use std::future::{Future, poll_fn};
use std::sync::Mutex;
use std::task::Poll;
use std::time::Duration;

use countersign_handshake::context::kerberos::Initiator;
use countersign_handshake::context::kerberos::kdc::Acquisition;
use countersign_handshake::kdc::TicketSource;
use countersign_handshake::{Handshake, StreamOptions};
use countersign_testkit::NOW;
use support::cancellation::{MOST, alice, environment, kdc, polled, service};
use support::kdc::{REALM, Watched, framed, receive, reply, request, tcp, udp_answering};
use support::kerberos::{ALL, accepting, initiating};
use support::runtime;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;

/// What is open is counted for the process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// How many descriptors the process has open, the one that counts them among them.
fn open() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Waits until what belongs to the server's threads has ended as well.
async fn settled(is_settled: impl Fn() -> bool, what: &str) {
    for _ in 0..2_000 {
        if is_settled() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!(
        "{what}: {} open, {} tasks",
        open(),
        Handle::current().metrics().num_alive_tasks()
    );
}

/// Runs the operation with one poll, with two, … until it is ready; after each, nothing is left.
/// Returns how many polls it took.
fn at_every_await<T>(what: &str, mut operation: impl AsyncFnMut(usize) -> Option<T>) -> usize {
    runtime().block_on(async {
        // Whatever is opened once and kept, by the runtime or the test's servers.
        assert!(operation(MOST).await.is_some(), "{what}");
        let handle = Handle::current();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (before, tasks) = (open(), handle.metrics().num_alive_tasks());
        let is_settled = || open() <= before && handle.metrics().num_alive_tasks() == tasks;
        for polls in 0..MOST {
            let ready = operation(polls).await.is_some();
            settled(is_settled, &format!("{what} after {polls} polls")).await;
            if ready {
                assert!(polls > 1, "{what}: it never waited");
                return polls;
            }
        }
        panic!("{what} is never ready");
    })
}

fn client(text: String) -> Watched {
    Watched::new(&[("a", text)]).with(|client| client.environment(environment))
}

#[test]
fn a_request_to_a_kdc_leaves_nothing_at_any_await() {
    let _alone = alone();
    let by_udp = udp_answering(reply("datagram"));
    let by_tcp = tcp(|mut stream| {
        use std::io::{Read, Write};
        let mut length = [0; 4];
        // Who is dropped before it has written closes.
        if stream.read_exact(&mut length).is_err() {
            return;
        }
        let mut rest = vec![0; u32::from_be_bytes(length) as usize];
        if stream.read_exact(&mut rest).is_ok() {
            let _ = stream.write_all(&framed(&reply("stream")));
        }
    });
    for text in [
        format!("udp/127.0.0.1:{by_udp}"),
        format!("tcp/127.0.0.1:{by_tcp}"),
    ] {
        let watched = client(text.clone());
        let request = request();
        let polls = at_every_await(&text, async |polls| {
            let sent = polled(polls, watched.client.send_async(&request)).await;
            sent.map(Result::unwrap)
        });
        assert!(polls < 100, "{polls}");
    }
    // Control: what is not dropped is seen.
    let watched = client(format!("udp/127.0.0.1:{}", support::kdc::silent()));
    runtime().block_on(async {
        let before = open();
        let request = request();
        let mut sending = Box::pin(watched.client.send_async(&request));
        let poll = poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx).is_pending()));
        assert!(poll.await);
        assert_eq!(open(), before + 1);
        drop(sending);
        assert_eq!(open(), before);
    });
}

#[test]
fn an_acquisition_leaves_nothing_at_any_await_and_its_cache_whole() {
    let _alone = alone();
    let (_kdc, server) = kdc();
    for scheme in ["udp", "tcp"] {
        let watched = client(format!("{scheme}/{}", server.address()));
        at_every_await(scheme, async |polls| {
            let credential = alice();
            let wanted = || Acquisition::new(&credential, service());
            let got = polled(polls, watched.client.run_async(wanted())).await;
            // What is in the cache by now is whole: the next one begins with it.
            let next = watched.client.run_async(wanted()).await.unwrap();
            assert_eq!(
                next.server.to_string(),
                format!("sentry/gate.example.com@{REALM}")
            );
            let key = wanted().key();
            assert!(wanted().tickets().contains(&key, NOW));
            got.map(Result::unwrap)
        });
    }
}

#[test]
fn a_fetch_that_two_share_passes_on_at_any_await() {
    let _alone = alone();
    let (_kdc, server) = kdc();
    let watched = client(format!("tcp/{}", server.address()));
    at_every_await("shared", async |polls| {
        let source = TicketSource::new(watched.client.clone(), alice());
        let first = polled(polls, source.ticket_async(service()));
        // The second waits for the first until that is dropped, and then fetches itself.
        let (first, second) = tokio::join!(first, source.ticket_async(service()));
        second.unwrap();
        let initiator = source.initiator_async(service()).await;
        assert!(initiator.is_ok());
        first.map(Result::unwrap)
    });
    // And the second is dropped while the first goes on.
    at_every_await("waiting", async |polls| {
        let source = TicketSource::new(watched.client.clone(), alice());
        let second = polled(polls, source.initiator_async(service()));
        let (first, second) = tokio::join!(source.ticket_async(service()), second);
        first.unwrap();
        second.map(Result::unwrap)
    });
}

/// Both ends of a connection.
async fn connection(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let address = listener.local_addr().unwrap();
    let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
    (ours.unwrap(), theirs.unwrap().0)
}

#[test]
fn a_handshake_that_is_dropped_closes_its_stream_at_any_await() {
    let _alone = alone();
    let options = StreamOptions {
        require_authenticated_end: true,
        ..StreamOptions::default()
    };
    let secure = |handshake: Handshake, stream| handshake.secure_async(stream, options);
    for cut in ["initiator", "acceptor"] {
        at_every_await(cut, async |polls| {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (ours, theirs) = connection(&listener).await;
            let (dropped, other) = match cut {
                "initiator" => (secure(initiating(), ours), secure(accepting(), theirs)),
                _ => (secure(accepting(), theirs), secure(initiating(), ours)),
            };
            let dropped = async {
                let stream = polled(polls, dropped).await;
                let ready = stream.map(|stream| drop(stream.unwrap()));
                ready.is_some()
            };
            let (ready, other) = tokio::join!(dropped, other);
            // The peer was established before, or sees the end; it does not wait for its deadline.
            if let Ok(mut stream) = other {
                let mut rest = Vec::new();
                assert!(
                    stream.read_to_end(&mut rest).await.is_err(),
                    "no authenticated end came"
                );
                assert!(rest.is_empty());
            } else {
                assert!(!ready);
            }
            ready.then_some(())
        });
    }
}

#[test]
fn a_handshake_that_fetches_its_ticket_leaves_nothing_at_any_await() {
    let _alone = alone();
    let (kdc, server) = kdc();
    let watched = client(format!("udp/{}", server.address()));
    let keytab = kdc.keytab(&["sentry/gate.example.com"]).unwrap();
    at_every_await("fetching", async |polls| {
        use countersign_handshake::context::kerberos::{Acceptor, AcceptorCredential};
        let credential = alice();
        let initiating = || {
            Handshake::initiator(Initiator::from_credential(&credential, service()).require(ALL))
                .environment(environment())
                .kdc_client(watched.client.clone())
        };
        let accepting = || {
            Handshake::acceptor(Acceptor::new(&AcceptorCredential::new(&keytab)))
                .environment(environment())
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut first = None;
        for polls in [polls, MOST] {
            let (ours, mut theirs) = connection(&listener).await;
            let secured = polled(
                polls,
                initiating().secure_async(ours, StreamOptions::default()),
            );
            let (secured, accepted) = tokio::join!(
                async { secured.await.map(|stream| drop(stream.unwrap())) },
                async { accepting().run_async(&mut theirs).await.map(drop) }
            );
            assert!(secured.is_none() || accepted.is_ok());
            first.get_or_insert(secured.is_some());
            // The second, with what is left in the credential's cache, is whole.
            assert!(polls < MOST || secured.is_some());
        }
        first.filter(|ready| *ready)
    });
}

/// A request of a client that is gone stays unanswered.
#[test]
fn the_kdc_sees_the_connection_of_a_dropped_request_closed() {
    let _alone = alone();
    let (gone, has_gone) = std::sync::mpsc::channel();
    let port = tcp(move |mut stream| {
        use std::io::Read;
        receive(&mut stream);
        gone.send(stream.read(&mut [0]).unwrap_or(0)).unwrap();
    });
    let watched = client(format!("tcp/127.0.0.1:{port}"));
    runtime().block_on(async {
        let request = request();
        // It waits for the answer, which does not come.
        let sending = watched.client.send_async(&request);
        assert!(
            tokio::time::timeout(Duration::from_secs(1), sending)
                .await
                .is_err()
        );
    });
    assert_eq!(has_gone.recv_timeout(support::kdc::FOREVER), Ok(0));
}
