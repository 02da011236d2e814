//! Deadlines, of both drivers.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use countersign_handshake::{Deadline, ErrorKind, Handshake, LengthPrefixed};

use crate::frame;
use crate::support::{DRIVERS, Endless, Script, runtime};

/// A TCP connection with a thread at its other end.
fn connected_to(peer: impl FnOnce(TcpStream) + Send + 'static) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || peer(TcpStream::connect(address).unwrap()));
    listener.accept().unwrap().0
}

const DEADLINE: Duration = Duration::from_millis(300);
/// What a slow machine may add.
const SLACK: Duration = Duration::from_secs(5);

fn ends_at_the_deadline(run: impl FnOnce(Handshake) -> ErrorKind) {
    let started = Instant::now();
    let kind = run(Handshake::acceptor(Endless).timeout(DEADLINE));
    let took = started.elapsed();
    assert_eq!(kind, ErrorKind::DeadlineExceeded);
    assert!(took >= DEADLINE && took < DEADLINE + SLACK, "{took:?}");
}

/// Sends a long token, a byte every 20 ms, until nobody listens.
fn trickle(mut stream: TcpStream) {
    let mut bytes = frame(&LengthPrefixed, &[0; 60_000]).into_iter();
    while let Some(byte) = bytes.next()
        && stream.write_all(&[byte]).is_ok()
    {
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn deadline_on_a_socket_holds_against_a_silent_peer() {
    ends_at_the_deadline(|handshake| {
        let mut socket = connected_to(|stream| {
            thread::sleep(Duration::from_secs(2));
            drop(stream);
        });
        handshake
            .run_on_socket(&mut socket)
            .unwrap_err()
            .kind()
            .clone()
    });
}

#[test]
fn deadline_on_a_socket_holds_against_a_trickling_peer() {
    ends_at_the_deadline(|handshake| {
        let mut socket = connected_to(trickle);
        handshake
            .run_on_socket(&mut socket)
            .unwrap_err()
            .kind()
            .clone()
    });
}

#[test]
fn socket_has_its_own_timeouts_back_after_the_handshake() {
    let mut socket = connected_to(drop);
    let own = Some(Duration::from_secs(77));
    socket.set_read_timeout(own).unwrap();
    Handshake::acceptor(Endless)
        .run_on_socket(&mut socket)
        .unwrap_err();
    assert_eq!(
        (
            socket.read_timeout().unwrap(),
            socket.write_timeout().unwrap()
        ),
        (own, None)
    );
}

#[test]
fn deadline_of_the_tokio_driver_holds_against_a_silent_peer() {
    ends_at_the_deadline(|handshake| {
        runtime().block_on(async {
            let (mut stream, _peer) = tokio::io::duplex(64);
            handshake
                .run_async(&mut stream)
                .await
                .unwrap_err()
                .kind()
                .clone()
        })
    });
}

#[test]
fn deadline_of_the_tokio_driver_holds_against_a_trickling_peer() {
    ends_at_the_deadline(|handshake| {
        let socket = connected_to(trickle);
        socket.set_nonblocking(true).unwrap();
        runtime().block_on(async {
            let mut socket = tokio::net::TcpStream::from_std(socket).unwrap();
            handshake
                .run_async(&mut socket)
                .await
                .unwrap_err()
                .kind()
                .clone()
        })
    });
}

#[test]
fn deadline_of_the_tokio_driver_holds_against_a_peer_that_does_not_read() {
    ends_at_the_deadline(|handshake| {
        runtime().block_on(async {
            use tokio::io::AsyncWriteExt;
            // One byte of room: the answer to the first token does not fit.
            let (mut stream, mut peer) = tokio::io::duplex(1);
            let sent = tokio::spawn(async move {
                peer.write_all(&frame(&LengthPrefixed, b"x")).await.unwrap();
                core::future::pending::<()>().await;
            });
            let error = handshake.run_async(&mut stream).await.unwrap_err();
            sent.abort();
            assert_eq!(error.leg(), 2, "while the second token was sent");
            error.kind().clone()
        })
    });
}

#[test]
fn deadline_in_the_past_ends_both_drivers_before_they_read() {
    for driver in DRIVERS {
        let past = Instant::now();
        let handshake = Handshake::acceptor(Endless).deadline(Deadline::At(past));
        let mut script = Script::of(frame(&LengthPrefixed, b"x"));
        let error = driver.run(handshake, &mut script).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::DeadlineExceeded, "{driver:?}");
        assert_eq!(script.read, 0, "{driver:?} reads");
        // Control: with time left the token is read and answered.
        let handshake = Handshake::acceptor(Endless).timeout(SLACK);
        let error = driver.run(handshake, &mut script).unwrap_err();
        assert_eq!(error.leg(), 3, "{driver:?}");
    }
}

#[test]
fn socket_in_non_blocking_mode_is_an_error_and_burns_no_time() {
    let mut socket = connected_to(|stream| {
        thread::sleep(SLACK);
        drop(stream);
    });
    socket.set_nonblocking(true).unwrap();
    let started = Instant::now();
    let error = Handshake::acceptor(Endless)
        .run_on_socket(&mut socket)
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Io(io::ErrorKind::WouldBlock));
    assert!(started.elapsed() < SLACK, "{:?}", started.elapsed());
    // Control: the same socket, once it blocks, is waited for.
    socket.set_nonblocking(false).unwrap();
    let error = Handshake::acceptor(Endless)
        .timeout(DEADLINE)
        .run_on_socket(&mut socket)
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::DeadlineExceeded);
}
