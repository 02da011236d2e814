//! What both drivers do with streams that end, lie, or take their time.
#![cfg(feature = "tokio")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod deadlines;

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};

use countersign_handshake::framing::{Due, FrameError, Framing, Header};
use countersign_handshake::{
    Deadline, Direction, ErrorKind, GssSample, Handshake, LengthPrefixed, Limits,
};
use support::{DRIVERS, Driver, Endless, Script};

fn frame(framing: &impl Framing, token: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    framing.encode(token, &mut out).unwrap();
    out
}

/// The outcome of an acceptor of `Endless`.
fn accept(driver: Driver, framing: impl Framing, script: &mut Script) -> (u32, ErrorKind) {
    let error = driver
        .run(Handshake::acceptor(Endless).framing(framing), script)
        .unwrap_err();
    (error.leg(), error.kind().clone())
}

#[test]
fn peer_that_closes_at_any_byte_is_reported_with_leg_and_missing_bytes() {
    let whole = frame(&LengthPrefixed, b"0123456789");
    for driver in DRIVERS {
        for step in [0, 1, 3] {
            for cut in 0..whole.len() {
                let mut script = Script::of(&whole[..cut]).stepping(step);
                let missing = if cut < 4 { 4 - cut } else { whole.len() - cut };
                assert_eq!(
                    accept(driver, LengthPrefixed, &mut script),
                    (
                        1,
                        ErrorKind::PeerClosed {
                            received: cut,
                            missing
                        }
                    ),
                    "{driver:?}, {cut} bytes in steps of {step}"
                );
                assert!(script.output.is_empty());
            }
            // Control: the whole token is answered, and the third is then missing.
            let mut script = Script::of(&*whole).stepping(step);
            assert_eq!(
                accept(driver, LengthPrefixed, &mut script),
                (
                    3,
                    ErrorKind::PeerClosed {
                        received: 0,
                        missing: 4
                    }
                )
            );
            assert_eq!(script.output, frame(&LengthPrefixed, b"10"));
        }
    }
}

#[test]
fn gss_sample_peer_that_closes_at_any_byte_is_reported() {
    let mut whole = GssSample.opening().to_vec();
    whole.extend(frame(&GssSample, b"0123"));
    for driver in DRIVERS {
        for cut in 0..whole.len() {
            let expected = match cut {
                0..5 => (
                    0,
                    ErrorKind::PeerClosed {
                        received: cut,
                        missing: 5 - cut,
                    },
                ),
                5..10 => (
                    1,
                    ErrorKind::PeerClosed {
                        received: cut - 5,
                        missing: 10 - cut,
                    },
                ),
                _ => (
                    1,
                    ErrorKind::PeerClosed {
                        received: cut - 5,
                        missing: 14 - cut,
                    },
                ),
            };
            assert_eq!(
                accept(driver, GssSample, &mut Script::of(&whole[..cut])),
                expected
            );
        }
        let mut script = Script::of(&*whole);
        let (leg, _) = accept(driver, GssSample, &mut script);
        assert_eq!((leg, script.output), (3, b"\x02\x00\x00\x00\x014".to_vec()));
    }
}

#[test]
fn initiator_opens_a_gss_sample_connection_before_its_first_token() {
    for driver in DRIVERS {
        let mut script = Script::of(frame(&GssSample, b"")).stepping(2);
        let error = driver
            .run(
                Handshake::initiator(Endless).framing(GssSample),
                &mut script,
            )
            .unwrap_err();
        assert_eq!(error.leg(), 4);
        let mut expected = GssSample.opening().to_vec();
        expected.extend(frame(&GssSample, b"first"));
        // An empty token is a token.
        expected.extend(frame(&GssSample, b"0"));
        assert_eq!(script.output, expected, "{driver:?}");
    }
}

#[test]
fn acceptor_refuses_frames_that_are_not_of_the_framing() {
    for driver in DRIVERS {
        let refused = |input: &[u8]| accept(driver, GssSample, &mut Script::of(input));
        assert_eq!(
            refused(&[0x00, 0, 0, 5]),
            (
                0,
                ErrorKind::Frame(FrameError::UnexpectedFlags {
                    expected: 1,
                    found: 0
                })
            )
        );
        assert_eq!(
            refused(&[0x01, 0, 0, 0, 0]),
            (0, ErrorKind::Frame(FrameError::Unauthenticated))
        );
        assert_eq!(
            refused(&[0x11, 0, 0, 0, 0, 0x08]),
            (
                1,
                ErrorKind::Frame(FrameError::UnexpectedFlags {
                    expected: 2,
                    found: 8
                })
            )
        );
    }
}

#[test]
fn token_beyond_the_limit_is_refused_by_its_header() {
    for driver in DRIVERS {
        let limits = Limits {
            max_token: 100,
            ..Limits::default()
        };
        let mut script = Script::of([0, 0, 0, 101, 0]);
        let handshake = Handshake::acceptor(Endless).limits(limits);
        let error = driver.run(handshake, &mut script).unwrap_err();
        assert_eq!(
            (error.leg(), error.kind()),
            (
                1,
                &ErrorKind::TooLarge {
                    length: 101,
                    limit: 100
                }
            )
        );
        assert_eq!(script.rest().len(), 1, "nothing beyond the header was read");
        // Control: one byte fewer.
        let mut script = Script::of(frame(&LengthPrefixed, &[7; 100]));
        let handshake = Handshake::acceptor(Endless).limits(limits);
        assert_eq!(driver.run(handshake, &mut script).unwrap_err().leg(), 3);
    }
}

#[test]
fn announced_length_alone_allocates_nothing_near_it() {
    // 64 KiB announced, nothing sent: covered by what is asked of the stream.
    struct Greedy(usize);
    impl Read for Greedy {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.0 = self.0.max(buf.len());
            if buf.len() == 4 {
                buf.copy_from_slice(&[0, 0, 0xff, 0xff]);
                return Ok(4);
            }
            Ok(0)
        }
    }
    impl Write for Greedy {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            Ok(buf.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut stream = Greedy(0);
    let error = Handshake::acceptor(Endless).run(&mut stream).unwrap_err();
    assert_eq!(
        error.kind(),
        &ErrorKind::PeerClosed {
            received: 4,
            missing: 0xffff
        }
    );
    assert!(stream.0 <= 8 * 1024, "{} bytes at once", stream.0);
}

#[test]
fn legs_are_counted_in_both_directions_and_limited() {
    let input = frame(&LengthPrefixed, b"x").repeat(10);
    for driver in DRIVERS {
        for max_legs in 1..8 {
            let limits = Limits {
                max_legs,
                ..Limits::default()
            };
            let mut script = Script::of(&*input);
            let error = driver
                .run(Handshake::acceptor(Endless).limits(limits), &mut script)
                .unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::TooManyLegs { limit: max_legs });
            let answers = usize::try_from(max_legs / 2).unwrap();
            assert_eq!(
                script.output.len(),
                answers * frame(&LengthPrefixed, b"1").len()
            );
        }
    }
}

#[test]
fn stream_that_fails_to_write_is_reported_with_its_kind() {
    for driver in DRIVERS {
        let mut script = Script {
            input: frame(&LengthPrefixed, b"x"),
            write_error: Some(io::ErrorKind::BrokenPipe),
            ..Script::default()
        };
        assert_eq!(
            accept(driver, LengthPrefixed, &mut script),
            (2, ErrorKind::Io(io::ErrorKind::BrokenPipe))
        );
    }
}

#[test]
fn observer_sees_every_token_without_its_frame() {
    for driver in DRIVERS {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let handshake = Handshake::initiator(Endless).observe(move |leg| {
            log.lock()
                .unwrap()
                .push((leg.number, leg.direction, leg.token.to_vec()));
        });
        let mut script = Script::of(frame(&LengthPrefixed, b"abc"));
        driver.run(handshake, &mut script).unwrap_err();
        assert_eq!(
            *seen.lock().unwrap(),
            [
                (1, Direction::Sent, b"first".to_vec()),
                (2, Direction::Received, b"abc".to_vec()),
                (3, Direction::Sent, b"3".to_vec()),
            ],
            "{driver:?}"
        );
    }
}

/// Tokens that end where a line does.
#[derive(Debug)]
struct Lines;

impl Framing for Lines {
    fn header(&self, _due: Due, received: &[u8]) -> Result<Header, FrameError> {
        Ok(match received.iter().position(|byte| *byte == b'\n') {
            Some(end) => Header::Complete {
                header: end + 1,
                payload: 1,
            },
            None => Header::More(1),
        })
    }

    fn encode(&self, token: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        out.push(b'\n');
        out.extend_from_slice(token);
        Ok(())
    }
}

#[test]
fn header_that_never_ends_is_refused_at_the_limit() {
    let limits = Limits {
        max_token: 100,
        ..Limits::default()
    };
    for driver in DRIVERS {
        let handshake = || Handshake::acceptor(Endless).framing(Lines).limits(limits);
        let mut script = Script::of(vec![b'x'; 10_000]);
        let error = driver.run(handshake(), &mut script).unwrap_err();
        assert_eq!(
            (error.leg(), error.kind()),
            (
                1,
                &ErrorKind::TooLarge {
                    length: 101,
                    limit: 100
                }
            ),
            "{driver:?}"
        );
        assert_eq!(script.read, 100, "{driver:?}");
        // Control: a header that ends at the limit.
        let mut script = Script::of([vec![b'x'; 99], b"\nt".to_vec()].concat());
        assert_eq!(driver.run(handshake(), &mut script).unwrap_err().leg(), 3);
    }
}

#[test]
fn dropping_the_future_at_any_poll_establishes_nothing() {
    use core::future::Future;
    use core::task::{Context, Waker};

    // Polled so many times and dropped: the mechanism goes with it, the stream is still ours.
    for polls in 0..6 {
        let (mut stream, mut peer) = tokio::io::duplex(2);
        let mut handshake = Box::pin(
            Handshake::acceptor(Endless)
                .deadline(Deadline::Never)
                .run_async(&mut stream),
        );
        let mut cx = Context::from_waker(Waker::noop());
        let token = frame(&LengthPrefixed, b"x");
        for byte in token.iter().take(polls) {
            let mut peer = core::pin::Pin::new(&mut peer);
            assert!(tokio::io::AsyncWrite::poll_write(peer.as_mut(), &mut cx, &[*byte]).is_ready());
            assert!(handshake.as_mut().poll(&mut cx).is_pending());
        }
        drop(handshake);
    }
}

#[test]
fn handshakes_and_their_futures_are_send() {
    fn send<T: Send>(_: &T) {}
    let handshake = Handshake::acceptor(Endless);
    send(&handshake);
    let (mut stream, _peer) = tokio::io::duplex(1);
    send(&handshake.run_async(&mut stream));
    let (stream, _peer) = tokio::io::duplex(1);
    send(&Handshake::initiator(Endless).secure_async(stream, Default::default()));
    let (mut stream, _peer) = tokio::io::duplex(1);
    send(&Handshake::initiator(Endless).run_async_with(&mut stream, |_need| async { None }));
}
