//! Authenticated streams: what they carry, what they refuse, how they end.
#![cfg(feature = "tokio")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod support;

use std::io::{self, BufWriter, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use countersign_handshake::context::{ErrorKind as Refusal, Flags, Protection};
use countersign_handshake::{AuthenticatedStream, End, Error, ErrorKind, StreamOptions};
use support::kerberos::{ALICE, ALL, contexts};
use support::{DRIVERS, Driver, Script, runtime};

/// `context().negotiated()` is gone once the context is in halves, and so would be why it fell back.
#[test]
fn a_stream_tells_how_its_mechanism_was_negotiated() {
    use countersign_handshake::Handshake;
    use countersign_handshake::context::negotiate::{Acceptor, Initiator, Negotiated};
    use support::kerberos::{acceptor, fixed, initiator};

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let server = thread::spawn(move || {
        let handshake = Handshake::acceptor(Acceptor::new().offer(acceptor()));
        let (socket, _) = listener.accept().unwrap();
        let stream = handshake.environment(fixed(2)).secure(socket, options());
        stream.unwrap().negotiated().cloned()
    });
    let handshake = Handshake::initiator(Initiator::new().offer(initiator()));
    let stream = handshake.environment(fixed(1)).secure(socket, options());
    // Both sides' first choice: nothing to prove, and nothing that could not begin.
    let expected = Some(Negotiated::default());
    assert_eq!(stream.unwrap().negotiated().cloned(), expected);
    assert_eq!(server.join().unwrap(), expected);

    let (plain, _) = contexts(ALL);
    let plain = AuthenticatedStream::new(Script::default(), plain, options()).unwrap();
    assert_eq!(plain.negotiated(), None);
}

fn options() -> StreamOptions {
    StreamOptions::default()
}

/// The bytes of a stream that carries these messages, with its end if `finish`.
fn written(driver: Driver, options: StreamOptions, messages: &[&[u8]], finish: bool) -> Vec<u8> {
    let (client, _) = contexts(ALL);
    let mut stream = AuthenticatedStream::new(Script::default(), client, options).unwrap();
    match driver {
        Driver::Blocking => {
            for message in messages {
                stream.write_all(message).unwrap();
            }
            if finish {
                stream.finish().unwrap();
            }
            stream.flush().unwrap();
        }
        Driver::Tokio => runtime().block_on(async {
            use tokio::io::AsyncWriteExt;
            for message in messages {
                AsyncWriteExt::write_all(&mut stream, message)
                    .await
                    .unwrap();
            }
            if finish {
                stream.shutdown().await.unwrap();
            }
            AsyncWriteExt::flush(&mut stream).await.unwrap();
        }),
    }
    stream.transport().output.clone()
}

/// All that a stream of these bytes has to say, and how it ends.
fn read(
    driver: Driver,
    options: StreamOptions,
    bytes: Script,
) -> (Vec<u8>, Result<End, ErrorKind>) {
    let (_, server) = contexts(ALL);
    let mut stream = AuthenticatedStream::new(bytes, server, options).unwrap();
    let mut message = Vec::new();
    let result = match driver {
        Driver::Blocking => stream.read_to_end(&mut message),
        Driver::Tokio => runtime().block_on(async {
            tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut message).await
        }),
    };
    let end = match result {
        Ok(_) => Ok(stream.end().unwrap()),
        Err(error) => {
            // An error is final.
            let again = stream.read(&mut [0; 9]).unwrap_err();
            assert_eq!(Error::from_io(&again), Error::from_io(&error));
            Err(Error::from_io(&error).unwrap().kind().clone())
        }
    };
    (message, end)
}

/// The frames of some bytes.
fn frames(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some(header) = bytes.first_chunk::<4>() {
        let length = 4 + u32::from_be_bytes(*header) as usize;
        frames.push(bytes[..length].to_vec());
        bytes = &bytes[length..];
    }
    assert!(bytes.is_empty());
    frames
}

#[test]
fn what_one_driver_writes_the_other_reads_in_any_steps() {
    let long = vec![0x5a; 200_000];
    let messages: [&[u8]; 4] = [b"one", b"", b"two", &long];
    let expected = messages.concat();
    for protection in [Protection::Sealed, Protection::Signed] {
        let options = StreamOptions {
            protection,
            ..options()
        };
        for writer in DRIVERS {
            let bytes = written(writer, options, &messages, true);
            let seen = bytes.windows(8).any(|window| window == [0x5a; 8]);
            assert_eq!(seen, protection == Protection::Signed, "{protection:?}");
            for reader in DRIVERS {
                for step in [0, 1000, 1] {
                    let script = Script::of(&*bytes).stepping(step);
                    let (message, end) = read(reader, options, script);
                    assert!(message == expected && end == Ok(End::Authenticated));
                }
            }
        }
    }
}

#[test]
fn every_frame_stays_within_the_limit() {
    for max_frame in [100, 1000, 70_000] {
        let options = StreamOptions {
            max_frame,
            ..options()
        };
        let bytes = written(Driver::Blocking, options, &[&[7; 5000]], true);
        let longest = frames(&bytes).iter().map(Vec::len).max().unwrap();
        assert!(longest <= max_frame + 4, "{longest}");
        let (message, end) = read(Driver::Tokio, options, Script::of(bytes));
        assert!(message == [7; 5000] && end == Ok(End::Authenticated));
    }
}

#[test]
fn limit_without_room_for_a_message_is_refused() {
    let (client, _) = contexts(ALL);
    let options = StreamOptions {
        max_frame: 20,
        ..options()
    };
    let error = AuthenticatedStream::new(Script::default(), client, options).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::FrameLimitTooSmall);
}

#[test]
fn frame_beyond_the_limit_is_refused_by_its_header() {
    for driver in DRIVERS {
        let (message, end) = read(driver, options(), Script::of([0, 1, 0, 1, 0, 0]));
        assert!(message.is_empty());
        assert_eq!(
            end,
            Err(ErrorKind::TooLarge {
                length: 65_537,
                limit: 65_536
            })
        );
    }
}

#[test]
fn stream_cut_at_every_byte_never_looks_whole() {
    let bytes = written(Driver::Blocking, options(), &[b"first", b"second"], true);
    let frames = frames(&bytes);
    let boundaries = [0, frames[0].len(), frames[0].len() + frames[1].len()];
    let required = StreamOptions {
        require_authenticated_end: true,
        ..options()
    };
    for driver in DRIVERS {
        for cut in 0..bytes.len() {
            let (message, end) = read(driver, options(), Script::of(&bytes[..cut]));
            assert!(b"firstsecond".starts_with(&message));
            match boundaries.iter().position(|boundary| *boundary == cut) {
                Some(_) => assert_eq!(end, Ok(End::Unauthenticated), "{cut}"),
                None => assert!(matches!(end, Err(ErrorKind::PeerClosed { .. })), "{cut}"),
            }
            let (_, end) = read(driver, required, Script::of(&bytes[..cut]));
            match boundaries.contains(&cut) {
                true => assert_eq!(end, Err(ErrorKind::Truncated), "{cut}"),
                false => assert!(matches!(end, Err(ErrorKind::PeerClosed { .. })), "{cut}"),
            }
        }
        let (message, end) = read(driver, required, Script::of(&*bytes));
        assert_eq!(
            (&*message, end),
            (&b"firstsecond"[..], Ok(End::Authenticated))
        );
    }
}

#[test]
fn stream_with_a_flipped_bit_is_refused_whichever_bit_it_is() {
    let bytes = written(Driver::Blocking, options(), &[b"message"], false);
    for driver in DRIVERS {
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let (message, end) = read(driver, options(), Script::of(altered));
            assert!(message.is_empty() && end.is_err(), "bit {bit}: {end:?}");
        }
        let (message, end) = read(driver, options(), Script::of(&*bytes));
        assert_eq!(
            (&*message, end),
            (&b"message"[..], Ok(End::Unauthenticated))
        );
    }
}

#[test]
fn dropped_duplicated_and_reordered_messages_are_refused() {
    let bytes = written(Driver::Blocking, options(), &[b"0", b"1", b"2"], true);
    let frames = frames(&bytes);
    let order = |order: &[usize]| {
        let bytes: Vec<u8> = order.iter().flat_map(|i| frames[*i].clone()).collect();
        Script::of(bytes)
    };
    let refused = |kind| Err(kind);
    for driver in DRIVERS {
        let outcome = |script| {
            let (message, end) = read(driver, options(), script);
            let end = end.map_err(|kind| match kind {
                ErrorKind::Refused(error) => error.kind(),
                other => panic!("{other:?}"),
            });
            (String::from_utf8(message).unwrap(), end)
        };
        assert_eq!(
            outcome(order(&[1, 2, 3])),
            (String::new(), refused(Refusal::MessageGap))
        );
        assert_eq!(
            outcome(order(&[0, 2, 3])),
            ("0".to_owned(), refused(Refusal::MessageGap))
        );
        assert_eq!(
            outcome(order(&[0, 1, 3])),
            ("01".to_owned(), refused(Refusal::MessageGap))
        );
        let twice = outcome(order(&[0, 1, 1, 2, 3]));
        assert_eq!(twice, ("01".to_owned(), refused(Refusal::MessageDuplicate)));
        assert_eq!(
            outcome(order(&[0, 2, 1, 3])).1,
            refused(Refusal::MessageGap)
        );
        // Control, and what comes after the end is not looked at.
        let whole = outcome(order(&[0, 1, 2, 3, 3]));
        assert_eq!(whole, ("012".to_owned(), Ok(End::Authenticated)));
    }
}

#[test]
fn own_messages_sent_back_are_refused() {
    let bytes = written(Driver::Blocking, options(), &[b"echo"], true);
    let (client, _) = contexts(ALL);
    let mut stream = AuthenticatedStream::new(Script::of(bytes), client, options()).unwrap();
    let error = stream.read(&mut [0; 9]).unwrap_err();
    let kind = Error::from_io(&error).unwrap().refusal().unwrap().kind();
    assert_eq!(kind, Refusal::MessageReflected);
}

#[test]
fn sealed_stream_refuses_a_message_that_is_only_signed() {
    let signed = StreamOptions {
        protection: Protection::Signed,
        ..options()
    };
    let bytes = written(Driver::Blocking, signed, &[b"readable"], true);
    for driver in DRIVERS {
        let (message, end) = read(driver, options(), Script::of(&*bytes));
        assert_eq!((&*message, end), (&b""[..], Err(ErrorKind::NotSealed)));
        let (message, end) = read(driver, signed, Script::of(&*bytes));
        assert_eq!((&*message, end), (&b"readable"[..], Ok(End::Authenticated)));
    }
}

#[test]
fn stream_needs_the_flags_that_protect_it() {
    let refused = |flags| {
        let (client, _) = contexts(flags);
        AuthenticatedStream::new(Script::default(), client, options())
            .unwrap_err()
            .kind()
            .clone()
    };
    let both = Flags::REPLAY | Flags::SEQUENCE;
    for missing in [Flags::REPLAY, Flags::SEQUENCE, both] {
        let granted = ALL.difference(missing);
        assert_eq!(refused(granted), ErrorKind::FlagsNotGranted(missing));
    }
    let (client, _) = contexts(ALL);
    AuthenticatedStream::new(Script::default(), client, options()).unwrap();
}

#[test]
fn nothing_is_written_after_the_end() {
    let (client, _) = contexts(ALL);
    let mut stream = AuthenticatedStream::new(Script::default(), client, options()).unwrap();
    stream.finish().unwrap();
    let length = stream.transport().output.len();
    assert_eq!(
        stream.write(b"more").unwrap_err().kind(),
        io::ErrorKind::BrokenPipe
    );
    stream.finish().unwrap();
    assert_eq!(
        stream.transport().output.len(),
        length,
        "the end is sent once"
    );
}

#[test]
fn error_of_writing_an_accepted_message_is_told_by_the_next_call() {
    let (client, _) = contexts(ALL);
    let failing = Script {
        write_error: Some(io::ErrorKind::ConnectionReset),
        ..Script::default()
    };
    let mut stream = AuthenticatedStream::new(failing, client, options()).unwrap();
    // Accepted: it has its sequence number and must not be sealed again.
    assert_eq!(stream.write(b"message").unwrap(), 7);
    assert_eq!(
        stream.flush().unwrap_err().kind(),
        io::ErrorKind::ConnectionReset
    );
}

#[test]
fn halves_work_at_the_same_time_over_tcp() {
    let (client, server) = contexts(ALL);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (peer, _) = listener.accept().unwrap();
    let echo = thread::spawn(move || {
        let stream = AuthenticatedStream::new(peer, server, options()).unwrap();
        assert_eq!(stream.peer().unwrap().to_string(), ALICE);
        let (mut reader, writer) = stream
            .try_split_with(|stream| Ok((stream.try_clone()?, stream)))
            .unwrap();
        let mut writer = BufWriter::new(writer);
        io::copy(&mut reader, &mut writer).unwrap();
        assert_eq!(reader.end(), Some(End::Authenticated));
        writer.into_inner().unwrap().finish().unwrap();
    });
    let stream = AuthenticatedStream::new(stream, client, options()).unwrap();
    let (mut reader, mut writer) = stream
        .try_split_with(|stream| Ok((stream.try_clone()?, stream)))
        .unwrap();
    let sent: Vec<u8> = (0..3_000_000u32).map(|n| n.to_le_bytes()[0]).collect();
    let expected = sent.clone();
    // Far more than the sockets' buffers hold: it must be read while it is written.
    let sending = thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.finish().unwrap();
    });
    let mut received = Vec::new();
    reader.read_to_end(&mut received).unwrap();
    assert!(received == expected);
    assert_eq!(reader.end(), Some(End::Authenticated));
    sending.join().unwrap();
    echo.join().unwrap();
}

#[test]
fn tokio_halves_work_at_the_same_time_over_a_narrow_pipe() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, split};
    let (client, server) = contexts(ALL);
    runtime().block_on(async {
        let (ours, theirs) = tokio::io::duplex(100);
        let echo = tokio::spawn(async move {
            let stream = AuthenticatedStream::new(theirs, server, options()).unwrap();
            let (mut reader, mut writer) = stream.split_with(split);
            copy(&mut reader, &mut writer).await.unwrap();
            writer.shutdown().await.unwrap();
            reader.end()
        });
        let stream = AuthenticatedStream::new(ours, client, options()).unwrap();
        let (mut reader, mut writer) = stream.split_with(split);
        let sent: Vec<u8> = (0..300_000u32).map(|n| n.to_le_bytes()[1]).collect();
        let expected = sent.clone();
        let sending = tokio::spawn(async move {
            writer.write_all(&sent).await.unwrap();
            writer.shutdown().await.unwrap();
        });
        let mut received = Vec::new();
        reader.read_to_end(&mut received).await.unwrap();
        assert!(received == expected);
        sending.await.unwrap();
        assert_eq!(echo.await.unwrap(), Some(End::Authenticated));
    });
}

#[test]
fn write_that_is_cancelled_between_polls_loses_and_repeats_nothing() {
    use core::task::{Context, Waker};
    use tokio::io::AsyncWrite;
    let (client, server) = contexts(ALL);
    runtime().block_on(async {
        let (ours, theirs) = tokio::io::duplex(10);
        let mut stream = AuthenticatedStream::new(ours, client, options()).unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        // Accepted, though ten bytes of its frame alone fit; the rest waits in the stream.
        let written = core::pin::Pin::new(&mut stream).poll_write(&mut cx, b"once");
        assert!(matches!(written, core::task::Poll::Ready(Ok(4))));
        assert!(
            core::pin::Pin::new(&mut stream)
                .poll_flush(&mut cx)
                .is_pending()
        );
        // Whoever waited for the flush is gone. Somebody else goes on.
        let reading = tokio::spawn(async move {
            let mut stream = AuthenticatedStream::new(theirs, server, options()).unwrap();
            let mut message = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut message)
                .await
                .unwrap();
            (message, stream.end())
        });
        tokio::io::AsyncWriteExt::write_all(&mut stream, b", and for all")
            .await
            .unwrap();
        tokio::io::AsyncWriteExt::shutdown(&mut stream)
            .await
            .unwrap();
        let expected = (b"once, and for all".to_vec(), Some(End::Authenticated));
        assert_eq!(reading.await.unwrap(), expected);
    });
}

#[test]
fn streams_and_their_halves_are_send_and_sync() {
    fn both<T: Send + Sync + 'static>() {}
    both::<AuthenticatedStream<TcpStream>>();
    both::<countersign_handshake::AuthenticatedReader<TcpStream>>();
    both::<countersign_handshake::AuthenticatedWriter<TcpStream>>();
}

#[test]
fn delegated_credential_is_handed_out_by_the_stream_and_its_reading_half_once() {
    use countersign_handshake::context::kerberos::{Acceptor, Initiator};
    use countersign_handshake::context::{Mechanism, Step};
    use countersign_testkit::flags::ticket::OK_AS_DELEGATE;
    use support::kerberos::{SERVICE, credential, fixed, realm};

    // Control: without delegation there is none.
    for delegates in [true, false] {
        for halves in [true, false] {
            let realm = realm();
            let trusted = realm.ticket("alice", SERVICE).add_flags(OK_AS_DELEGATE);
            let mut initiator = Initiator::new(trusted.mint().unwrap()).require(ALL);
            if delegates {
                let forwarded = realm.forwarded_ticket_granting_ticket("alice");
                initiator = initiator.delegate(forwarded.mint().unwrap());
            }
            let step = initiator.step(None, &mut fixed(1).environment());
            let Step::Continue { token } = step.unwrap() else {
                panic!("an AP-REQ waits for its AP-REP");
            };
            let step = Acceptor::new(&credential()).step(Some(&token), &mut fixed(2).environment());
            let Step::Established { context, .. } = step.unwrap() else {
                panic!("an AP-REQ is all that an acceptor needs");
            };
            let mut stream = AuthenticatedStream::new(Script::of([]), *context, options()).unwrap();
            let (first, second) = if halves {
                let (mut reader, _writer) = stream.split_with(|s| (s, Script::of([])));
                (reader.take_delegated(), reader.take_delegated())
            } else {
                (stream.take_delegated(), stream.take_delegated())
            };
            assert_eq!(first.is_some(), delegates, "halves: {halves}");
            assert!(second.is_none());
        }
    }
}
