//! What both drivers do with one KDC that is slow, lies, or is not one.
#![cfg(feature = "tokio")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use countersign_handshake::context::kerberos::kdc::KdcRequest;
use countersign_handshake::kdc::{Error, Failure};
use support::DRIVERS;
use support::kdc::{
    FOREVER, Watched, both, failures, framed, receive, refusing, reply, request, request_of,
    silent, tcp, tcp_on, tcp_saying, udp, udp_answering, udp_on,
};

fn one(text: String) -> Watched {
    Watched::new(&[("a", text)])
}

/// A KDC that says by what it was asked.
fn telling() -> u16 {
    both(
        |socket, _, from| {
            socket.send_to(&reply("datagram"), from).unwrap();
        },
        |mut stream| {
            receive(&mut stream);
            stream.write_all(&framed(&reply("stream"))).unwrap();
        },
    )
}

#[test]
fn message_goes_by_udp_up_to_the_limit_and_by_tcp_beyond() {
    let port = telling();
    for driver in DRIVERS {
        for (contents, limit, expected) in [
            (1461, 1465, "datagram"),
            (1462, 1465, "stream"),
            (1, 0, "stream"),
            (3000, 4000, "datagram"),
        ] {
            // The message is four bytes longer than its contents, or two.
            let watched =
                one(format!("127.0.0.1:{port}")).with(|client| client.udp_preference_limit(limit));
            let answer = driver.send(&watched.client, &request_of(contents)).unwrap();
            assert_eq!(answer, reply(expected), "{driver:?} {contents}");
        }
    }
}

#[test]
fn the_default_limit_is_1465_bytes() {
    let port = telling();
    for driver in DRIVERS {
        let watched = one(format!("127.0.0.1:{port}"));
        let send = |contents| driver.send(&watched.client, &request_of(contents)).unwrap();
        assert_eq!(send(1461), reply("datagram"));
        assert_eq!(send(1462), reply("stream"));
    }
}

#[test]
fn what_needs_a_stream_never_goes_by_udp() {
    let port = telling();
    let request = KdcRequest {
        stream_only: true,
        ..request()
    };
    for driver in DRIVERS {
        let watched = one(format!("127.0.0.1:{port}"));
        let answer = driver.send(&watched.client, &request).unwrap();
        assert_eq!(answer, reply("stream"));
        let udp_alone = one(format!("udp/127.0.0.1:{port}"));
        assert_eq!(
            driver.send(&udp_alone.client, &request),
            Err(Error::NoStream)
        );
    }
}

#[test]
fn udp_falls_back_to_tcp_and_tcp_to_udp() {
    let by_tcp = tcp_saying(framed(&reply("stream")));
    let by_udp = udp_answering(reply("datagram"));
    for driver in DRIVERS {
        let watched = one(format!("127.0.0.1:{by_tcp}"));
        let answer = driver.send(&watched.client, &request()).unwrap();
        assert_eq!(answer, reply("stream"), "{driver:?}");
        let watched = one(format!("127.0.0.1:{by_udp}"));
        let answer = driver.send(&watched.client, &request_of(2000)).unwrap();
        assert_eq!(answer, reply("datagram"), "{driver:?}");
    }
}

#[test]
fn nobody_listening_is_known_at_once() {
    let port = refusing();
    for driver in DRIVERS {
        for scheme in ["udp", "tcp"] {
            let watched = one(format!("{scheme}/127.0.0.1:{port}"));
            assert_eq!(
                failures(driver.send(&watched.client, &request())),
                [Failure::Io(std::io::ErrorKind::ConnectionRefused)],
                "{driver:?} {scheme}"
            );
        }
    }
}

#[test]
fn deadline_holds_against_silence_trickle_and_a_flood_of_rubbish() {
    let mute = silent();
    // Whoever accepts and says no more.
    let (keep, _kept) = mpsc::channel();
    let hole = tcp(move |stream| keep.send(stream).unwrap());
    let trickle = tcp(|mut stream| {
        thread::spawn(move || {
            // A long reply that never ends.
            let _ = stream.write_all(&[0, 0, 0xff, 0xff]);
            while stream.write_all(&[0x6b]).is_ok() {
                thread::sleep(Duration::from_millis(5));
            }
        });
    });
    let flood = udp(|socket, _, from| {
        let socket = socket.try_clone().unwrap();
        thread::spawn(move || {
            let until = Instant::now() + Duration::from_secs(2);
            while Instant::now() < until && socket.send_to(b"rubbish", from).is_ok() {
                thread::yield_now();
            }
        });
    });
    for driver in DRIVERS {
        for (text, expected) in [
            (format!("udp/127.0.0.1:{mute}"), Failure::NoAnswer),
            (format!("tcp/127.0.0.1:{hole}"), Failure::NoAnswer),
            (format!("tcp/127.0.0.1:{trickle}"), Failure::NoAnswer),
            (format!("udp/127.0.0.1:{flood}"), Failure::NotKerberos),
        ] {
            let watched =
                one(text.clone()).with(|client| client.timeout(Duration::from_millis(300)));
            let began = Instant::now();
            let failed = failures(driver.send(&watched.client, &request()));
            assert_eq!(failed, [expected], "{driver:?} {text}");
            assert!(began.elapsed() >= Duration::from_millis(300));
            assert!(began.elapsed() < FOREVER / 2);
        }
    }
}

#[test]
fn reply_that_comes_in_single_bytes_is_put_together() {
    let port = tcp(|mut stream| {
        receive(&mut stream);
        for byte in framed(&reply("one after another")) {
            stream.write_all(&[byte]).unwrap();
            thread::sleep(Duration::from_millis(1));
        }
    });
    for driver in DRIVERS {
        let watched = one(format!("tcp/127.0.0.1:{port}"));
        let answer = driver.send(&watched.client, &request()).unwrap();
        assert_eq!(answer, reply("one after another"));
    }
}

#[test]
fn stream_that_is_not_of_a_kdc_is_refused_for_what_it_is() {
    use Failure::{Closed, NotKerberos, ReservedLength, TooLarge};
    let whole = framed(&reply("0123456789"));
    let (length, limit) = (whole.len() - 4, whole.len() - 4);
    let mut cases = vec![
        (vec![], Closed),
        (vec![0x80, 0, 0, 1, 0x6b], ReservedLength),
        (
            vec![0x7f, 0xff, 0xff, 0xff],
            TooLarge {
                length: 0x7fff_ffff,
                limit,
            },
        ),
        (
            framed(&vec![0x6b; length + 1]),
            TooLarge {
                length: length + 1,
                limit,
            },
        ),
        (framed(&[]), NotKerberos),
        (framed(b"no reply"), NotKerberos),
        (framed(&[0x6d, 0]), NotKerberos),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), {
            let length = u32::from_be_bytes(*b"HTTP") as usize;
            TooLarge { length, limit }
        }),
    ];
    cases.extend((1..whole.len()).map(|cut| (whole[..cut].to_vec(), Closed)));
    for driver in DRIVERS {
        let send = |bytes: Vec<u8>| {
            let port = tcp_saying(bytes);
            let watched =
                one(format!("tcp/127.0.0.1:{port}")).with(|client| client.max_reply(limit));
            driver.send(&watched.client, &request())
        };
        for (bytes, expected) in &cases {
            assert_eq!(failures(send(bytes.clone())), [*expected], "{bytes:02x?}");
        }
        // Control: as long as the limit permits, and bytes after the reply are not waited for.
        let mut more = whole.clone();
        more.extend(b"more");
        assert_eq!(send(more).unwrap(), whole[4..]);
    }
}

#[test]
fn datagrams_that_are_no_reply_are_passed_over_until_one_is() {
    let port = udp(|socket, _, from| {
        let mut truncated = reply("real");
        truncated.pop();
        for bytes in [b"rubbish".to_vec(), truncated, vec![], reply("real")] {
            socket.send_to(&bytes, from).unwrap();
        }
    });
    for driver in DRIVERS {
        let watched = one(format!("udp/127.0.0.1:{port}"));
        let answer = driver.send(&watched.client, &request()).unwrap();
        assert_eq!(answer, reply("real"), "{driver:?}");
    }
}

#[test]
fn datagram_beyond_the_limit_on_replies_is_no_reply() {
    let port = udp_answering(reply("0123456789"));
    for driver in DRIVERS {
        let with_limit = |limit: usize| {
            let watched = one(format!("udp/127.0.0.1:{port}"))
                .with(|client| client.max_reply(limit).timeout(Duration::from_secs(1)));
            driver.send(&watched.client, &request())
        };
        assert_eq!(failures(with_limit(11)), [Failure::NotKerberos]);
        assert!(with_limit(12).is_ok());
    }
}

#[test]
fn datagram_from_another_address_than_the_one_asked_is_not_seen() {
    let port = udp(|socket, _, from| {
        let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
        stranger.send_to(&reply("forged"), from).unwrap();
        let neighbour = UdpSocket::bind("127.0.0.2:0");
        if let Ok(neighbour) = neighbour {
            let _ = neighbour.send_to(&reply("forged"), from);
        }
        thread::sleep(Duration::from_millis(50));
        socket.send_to(&reply("real"), from).unwrap();
    });
    for driver in DRIVERS {
        let watched = one(format!("udp/127.0.0.1:{port}"));
        let answer = driver.send(&watched.client, &request()).unwrap();
        assert_eq!(answer, reply("real"), "{driver:?}");
    }
}

#[test]
fn second_answer_of_a_kdc_is_not_taken_for_one_of_the_next_request() {
    let mut count = 0;
    let port = udp(move |socket, _, from| {
        count += 1;
        for _ in 0..2 {
            let _ = socket.send_to(&reply(&count.to_string()), from);
        }
    });
    for (driver, first) in DRIVERS.into_iter().zip([1, 3]) {
        let watched = one(format!("udp/127.0.0.1:{port}"));
        for expected in [first, first + 1] {
            let answer = driver.send(&watched.client, &request()).unwrap();
            assert_eq!(answer, reply(&expected.to_string()));
        }
    }
}

#[test]
fn lost_datagram_is_sent_again() {
    for driver in DRIVERS {
        let mut count = 0;
        let port = udp(move |socket, message, from| {
            count += 1;
            if count == 3 {
                socket
                    .send_to(&reply(&message.len().to_string()), from)
                    .unwrap();
            }
        });
        let watched = one(format!("udp/127.0.0.1:{port}"))
            .with(|client| client.patience(Duration::from_millis(20)));
        let answer = driver.send(&watched.client, &request()).unwrap();
        let length = request().message.len();
        assert_eq!(answer, reply(&length.to_string()), "{driver:?}");
        // It is the same attempt.
        assert_eq!(
            watched.events(),
            ["asked a by UDP", "a answered by UDP"],
            "{driver:?}"
        );
    }
}

#[test]
fn kdc_beyond_loopback_is_reached_by_udp() {
    // The address of this host that leads to others; nothing is sent.
    let outside = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    });
    let Ok(outside) = outside else {
        eprintln!("skipped: this host has no address but loopback");
        return;
    };
    let socket = UdpSocket::bind((outside.ip(), 0)).unwrap();
    let port = udp_on(socket, |socket, _, from| {
        assert!(!from.ip().is_loopback());
        socket.send_to(&reply("outside"), from).unwrap();
    });
    for driver in DRIVERS {
        let watched = one(format!("udp/{}:{port}", outside.ip()));
        let answer = driver.send(&watched.client, &request()).unwrap();
        assert_eq!(answer, reply("outside"), "{driver:?}");
    }
}

#[test]
fn kdc_is_reached_by_ipv6() {
    let (Ok(socket), Ok(listener)) = (UdpSocket::bind("[::1]:0"), TcpListener::bind("[::1]:0"))
    else {
        eprintln!("skipped: this host has no IPv6");
        return;
    };
    let by_udp = udp_on(socket, |socket, _, from| {
        socket.send_to(&reply("6"), from).unwrap();
    });
    let by_tcp = tcp_on(listener, |mut stream| {
        receive(&mut stream);
        stream.write_all(&framed(&reply("6"))).unwrap();
    });
    for driver in DRIVERS {
        for text in [format!("udp/[::1]:{by_udp}"), format!("tcp/[::1]:{by_tcp}")] {
            let watched = one(text);
            let answer = driver.send(&watched.client, &request()).unwrap();
            assert_eq!(answer, reply("6"), "{driver:?}");
        }
    }
}

#[test]
fn name_is_resolved_and_each_of_its_addresses_is_tried() {
    // Where the name has an IPv6 address too, nobody listens there.
    let by_udp = udp_answering(reply("named"));
    let by_tcp = tcp_saying(framed(&reply("named")));
    for driver in DRIVERS {
        for text in [
            format!("udp/localhost:{by_udp}"),
            format!("tcp/localhost:{by_tcp}"),
        ] {
            let watched = one(text);
            let answer = driver.send(&watched.client, &request()).unwrap();
            assert_eq!(answer, reply("named"), "{driver:?}");
        }
    }
}

#[test]
fn sockets_of_a_request_are_closed_with_it() {
    for driver in DRIVERS {
        // The first KDC is silent and tells when the client has gone.
        let (gone, has_gone) = mpsc::channel();
        let (asked, was_asked) = mpsc::channel();
        let hole = tcp(move |mut stream| {
            receive(&mut stream);
            asked.send(()).unwrap();
            let end = stream.read(&mut [0]);
            gone.send(end.map_or(true, |read| read == 0)).unwrap();
        });
        let answering = tcp(move |mut stream| {
            was_asked.recv().unwrap();
            receive(&mut stream);
            stream.write_all(&framed(&reply("late"))).unwrap();
        });
        let watched = Watched::new(&[
            ("hole", format!("tcp/127.0.0.1:{hole}")),
            ("b", format!("tcp/127.0.0.1:{answering}")),
        ])
        .with(|client| client.patience(Duration::from_millis(30)));
        assert!(driver.send(&watched.client, &request()).is_ok());
        assert!(has_gone.recv_timeout(FOREVER).unwrap(), "{driver:?}");
    }
}

#[test]
fn dropped_future_closes_its_sockets() {
    let (gone, has_gone) = mpsc::channel();
    let (asked, was_asked) = mpsc::channel();
    let hole = tcp(move |mut stream| {
        receive(&mut stream);
        asked.send(()).unwrap();
        gone.send(stream.read(&mut [0]).unwrap()).unwrap();
    });
    let watched = one(format!("tcp/127.0.0.1:{hole}"));
    support::runtime().block_on(async {
        let request = request();
        let mut sending = Box::pin(watched.client.send_async(&request));
        let waited = tokio::time::timeout(Duration::from_millis(50), sending.as_mut()).await;
        assert!(waited.is_err());
        while was_asked.try_recv().is_err() {
            // Polled on, the future may take its time to connect.
            let _ = tokio::time::timeout(Duration::from_millis(10), sending.as_mut()).await;
        }
        assert!(has_gone.try_recv().is_err(), "still connected");
        drop(sending);
        assert_eq!(has_gone.recv_timeout(FOREVER), Ok(0));
    });
}
