//! Kerberos over both drivers: to the established context, and what becomes of faults on the way.
#![cfg(feature = "tokio")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use countersign_handshake::context::kerberos::{Acceptor, Initiator, ReplayProtection};
use countersign_handshake::context::{
    Answer, ErrorKind as Refusal, Flags, Need, ReplayVerdict, SecurityContext,
};
use countersign_handshake::{
    Error, ErrorKind, Framing, GssSample, Handshake, LengthPrefixed, StreamOptions,
};
use countersign_testkit::pipe::pair_with;
use countersign_testkit::{Realm, StreamFault};
use support::kerberos::*;
use support::{DRIVERS, Driver, Script, runtime};

/// The bytes that an initiator sends and an acceptor answers, each framed.
fn recorded(framing: impl Framing + Copy) -> (Vec<u8>, Vec<u8>) {
    let mut silence = Script::default();
    initiating().framing(framing).run(&mut silence).unwrap_err();
    let mut script = Script::of(&*silence.output);
    accepting().framing(framing).run(&mut script).unwrap();
    (silence.output, script.output)
}

fn names(context: &SecurityContext) -> (String, String) {
    (
        context.local().to_string(),
        context.peer().unwrap().to_string(),
    )
}

/// Runs an acceptor of this driver on a thread.
fn accept_on_a_thread(driver: Driver, stream: TcpStream) -> thread::JoinHandle<SecurityContext> {
    thread::spawn(move || *over_tcp(driver, accepting(), stream).unwrap())
}

fn over_tcp(
    driver: Driver,
    handshake: Handshake,
    mut stream: TcpStream,
) -> Result<Box<SecurityContext>, Error> {
    match driver {
        Driver::Blocking => handshake.run_on_socket(&mut stream),
        Driver::Tokio => {
            stream.set_nonblocking(true).unwrap();
            runtime().block_on(async {
                let mut stream = tokio::net::TcpStream::from_std(stream).unwrap();
                handshake.run_async(&mut stream).await
            })
        }
    }
}

#[test]
fn every_pair_of_drivers_establishes_over_tcp_and_names_both_sides() {
    for client in DRIVERS {
        for server in DRIVERS {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let acceptor = accept_on_a_thread(server, listener.accept().unwrap().0);
            let mut ours = *over_tcp(client, initiating(), stream).unwrap();
            let mut theirs = acceptor.join().unwrap();
            assert_eq!(names(&ours), (ALICE.to_owned(), GATE.to_owned()));
            assert_eq!(names(&theirs), (GATE.to_owned(), ALICE.to_owned()));
            assert!(ours.flags().contains(ALL) && theirs.flags().contains(ALL));
            let sealed = ours.wrap(true, b"hello").unwrap();
            assert_eq!(*theirs.unwrap(&sealed).unwrap().message, *b"hello");
        }
    }
}

#[test]
fn handshake_reads_nothing_beyond_its_last_token() {
    for driver in DRIVERS {
        let (mut request, mut reply) = recorded(LengthPrefixed);
        request.extend_from_slice(b"and then");
        let mut script = Script::of(request);
        driver.run(accepting(), &mut script).unwrap();
        assert_eq!(script.rest(), b"and then");

        reply.extend_from_slice(b"some more");
        let mut script = Script::of(reply);
        driver.run(initiating(), &mut script).unwrap();
        assert_eq!(script.rest(), b"some more");
    }
}

#[test]
fn handshake_over_any_step_of_reading_and_writing_is_the_same() {
    let (request, reply) = recorded(GssSample);
    for driver in DRIVERS {
        for step in [1, 2, 7, 100] {
            let mut script = Script::of(&*request).stepping(step);
            driver
                .run(accepting().framing(GssSample), &mut script)
                .unwrap();
            assert_eq!(script.output, reply, "{driver:?} in steps of {step}");
        }
    }
}

#[test]
fn request_cut_at_every_byte_is_a_closed_peer() {
    let (request, _) = recorded(LengthPrefixed);
    for driver in DRIVERS {
        for cut in 0..request.len() {
            let missing = if cut < 4 {
                4 - cut
            } else {
                request.len() - cut
            };
            let error = driver
                .run(accepting(), &mut Script::of(&request[..cut]))
                .unwrap_err();
            let expected = ErrorKind::PeerClosed {
                received: cut,
                missing,
            };
            assert_eq!((error.leg(), error.kind()), (1, &expected));
        }
        driver.run(accepting(), &mut Script::of(&*request)).unwrap();
    }
}

#[test]
fn reply_cut_at_every_byte_is_a_closed_peer() {
    let (_, reply) = recorded(LengthPrefixed);
    for driver in DRIVERS {
        for cut in 0..reply.len() {
            let error = driver
                .run(initiating(), &mut Script::of(&reply[..cut]))
                .unwrap_err();
            assert_eq!(error.leg(), 2);
            assert!(
                matches!(error.kind(), ErrorKind::PeerClosed { received, .. } if *received == cut)
            );
        }
        driver.run(initiating(), &mut Script::of(&*reply)).unwrap();
    }
}

#[test]
fn request_with_a_flipped_bit_establishes_nothing_or_the_same_identity() {
    let (request, _) = recorded(LengthPrefixed);
    for driver in DRIVERS {
        let mut refused = 0;
        for at in 0..request.len() {
            let mut altered = request.clone();
            altered[at] ^= 1 << (at % 8);
            match driver.run(accepting(), &mut Script::of(altered)) {
                Ok(context) => assert_eq!(names(&context).1, ALICE, "byte {at}"),
                Err(_) => refused += 1,
            }
        }
        // Some bits mean nothing: ap-options, the ticket's kvno beyond what the keytab tells apart.
        assert!(
            refused > request.len() * 9 / 10,
            "{refused} of {}",
            request.len()
        );
    }
}

#[test]
fn reply_with_a_flipped_bit_establishes_nothing_or_the_same_identity() {
    let (_, reply) = recorded(LengthPrefixed);
    for driver in DRIVERS {
        let mut refused = 0;
        for at in 0..reply.len() {
            let mut altered = reply.clone();
            altered[at] ^= 1 << (at % 8);
            match driver.run(initiating(), &mut Script::of(altered)) {
                Ok(context) => assert_eq!(names(&context).1, GATE, "byte {at}"),
                Err(_) => refused += 1,
            }
        }
        assert!(
            refused > reply.len() * 9 / 10,
            "{refused} of {}",
            reply.len()
        );
    }
}

#[test]
fn faults_of_a_stream_end_both_sides_with_an_error() {
    for fault in [
        StreamFault::CloseAfter(0),
        StreamFault::CloseAfter(100),
        StreamFault::Drop {
            offset: 0,
            length: 1,
        },
        StreamFault::Drop {
            offset: 50,
            length: 3,
        },
        StreamFault::Duplicate { offset: 10 },
        StreamFault::FlipBit {
            offset: 300,
            bit: 3,
        },
    ] {
        let (client, server) = pair_with([fault], []);
        let acceptor = thread::spawn(move || {
            let mut server = server;
            server.set_timeout(std::time::Duration::from_millis(200));
            accepting().run(&mut server).map(drop)
        });
        let mut client = client;
        let ours = initiating().run(&mut client).map(drop);
        drop(client);
        assert!(
            acceptor.join().unwrap().is_err() && ours.is_err(),
            "{fault:?}"
        );
    }
    // Control: slowness alone is no fault.
    let slow = [StreamFault::ReadAtMost(1), StreamFault::WriteAtMost(1)];
    let (mut client, mut server) = pair_with(slow, slow);
    let acceptor = thread::spawn(move || accepting().run(&mut server).map(drop));
    initiating().run(&mut client).unwrap();
    acceptor.join().unwrap().unwrap();
}

#[test]
fn peer_hears_why_it_is_refused() {
    for driver in DRIVERS {
        // The cache of the client does not know that its ticket has expired.
        let mut ticket = realm().ticket("alice", SERVICE).expired().mint().unwrap();
        ticket.times = support::kerberos::ticket().times;
        let handshake = Handshake::initiator(Initiator::new(ticket)).environment(fixed(1));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let acceptor = thread::spawn(move || over_tcp(driver, accepting(), accepted).map(drop));
        let ours = over_tcp(driver, handshake, stream);
        let theirs = acceptor.join().unwrap().unwrap_err();
        assert_eq!(theirs.refusal().unwrap().kind(), Refusal::TicketExpired);
        // KRB_AP_ERR_TKT_EXPIRED, RFC 4120 section 7.5.9.
        assert_eq!(
            ours.unwrap_err().refusal().unwrap().kind(),
            Refusal::PeerError { code: 32 }
        );
    }
}

#[test]
fn replayed_request_is_refused_and_a_fresh_one_is_not() {
    let (request, _) = recorded(LengthPrefixed);
    let credential = credential();
    let accept = |seed| Handshake::acceptor(Acceptor::new(&credential)).environment(fixed(seed));
    for driver in DRIVERS {
        let mut fresh = Script::default();
        let other = Handshake::initiator(initiator()).environment(fixed(7 + driver as u64));
        other.run(&mut fresh).unwrap_err();
        driver
            .run(accept(1), &mut Script::of(&*fresh.output))
            .unwrap();
        let error = driver
            .run(accept(2), &mut Script::of(&*fresh.output))
            .unwrap_err();
        assert_eq!(error.refusal().unwrap().kind(), Refusal::Replayed);
    }
    accept(3).run(&mut Script::of(request)).unwrap();
}

#[test]
fn external_replay_verdict_decides_in_both_drivers() {
    let (request, _) = recorded(LengthPrefixed);
    let accept = || {
        let credential = credential().with_replay_protection(ReplayProtection::External);
        Handshake::acceptor(Acceptor::new(&credential)).environment(fixed(2))
    };
    let run = |driver: Driver, verdict: Option<ReplayVerdict>| {
        let mut script = Script::of(&*request);
        let answer = move |need: &Need| match need {
            Need::Replay(query) => {
                assert!(query.expires > countersign_testkit::NOW);
                verdict.map(Answer::Replay)
            }
            other => panic!("{other:?}"),
        };
        match driver {
            Driver::Blocking => accept().run_with(&mut script, answer),
            Driver::Tokio => runtime().block_on(
                accept().run_async_with(&mut script, |need| async move { answer(&need) }),
            ),
        }
    };
    for driver in DRIVERS {
        run(driver, Some(ReplayVerdict::Fresh)).unwrap();
        let refusal = |verdict| {
            run(driver, Some(verdict))
                .unwrap_err()
                .refusal()
                .unwrap()
                .kind()
        };
        assert_eq!(refusal(ReplayVerdict::Replayed), Refusal::Replayed);
        assert_eq!(
            refusal(ReplayVerdict::Unavailable),
            Refusal::ReplayCacheUnavailable
        );
        assert_eq!(
            run(driver, None).unwrap_err().kind(),
            &ErrorKind::Unanswered
        );
        // Without a handler there is no answer either.
        let error = driver
            .run(accept(), &mut Script::of(&*request))
            .unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Unanswered);
    }
}

#[test]
fn one_way_initiator_is_established_without_reading() {
    let one_way = || {
        let initiator = Initiator::new(ticket());
        Handshake::initiator(initiator.one_way()).environment(fixed(1))
    };
    for driver in DRIVERS {
        let mut script = Script::of(*b"unread");
        let context = driver.run(one_way(), &mut script).unwrap();
        assert!(context.peer().is_none() && script.rest() == b"unread");
        // Where mutual authentication is required that is refused.
        let error = driver
            .run(accepting(), &mut Script::of(&*script.output))
            .unwrap_err();
        assert_eq!(
            error.refusal().unwrap().kind(),
            Refusal::FlagsNotGranted(Flags::MUTUAL)
        );
    }
}

#[test]
fn dropped_future_closes_the_stream_that_it_owned() {
    runtime().block_on(async {
        use core::task::{Context, Waker};
        use tokio::io::AsyncReadExt;
        let (client, mut server) = tokio::io::duplex(4096);
        let mut securing = Box::pin(initiating().secure_async(client, StreamOptions::default()));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(
            securing.as_mut().poll(&mut cx).is_pending(),
            "the reply is due"
        );
        drop(securing);
        let mut sent = Vec::new();
        server.read_to_end(&mut sent).await.unwrap();
        assert_eq!(
            sent,
            recorded(LengthPrefixed).0,
            "the request, and then the end"
        );
    });
}

#[test]
fn secured_socket_is_closed_when_the_peer_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let other = Realm::new("EXAMPLE.COM", 2)
        .ticket("alice", SERVICE)
        .mint()
        .unwrap();
    let mut request = Script::default();
    Handshake::initiator(Initiator::new(other))
        .environment(fixed(1))
        .run(&mut request)
        .unwrap_err();
    stream.write_all(&request.output).unwrap();
    let (socket, _) = listener.accept().unwrap();
    let error = accepting()
        .secure(socket, StreamOptions::default())
        .unwrap_err();
    assert_eq!(error.refusal().unwrap().kind(), Refusal::TicketModified);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.len() > 4, "the KRB-ERROR, and then the end");
}
