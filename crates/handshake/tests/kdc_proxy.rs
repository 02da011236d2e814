//! KDC proxies over HTTPS, MS-KKDCP, by both drivers.
#![cfg(all(feature = "https", feature = "tokio"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod support;

use std::io::{Read, Write};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use countersign_handshake::context::kerberos::kdc::KdcRequest;
use countersign_handshake::context::token::der::Decode;
use countersign_handshake::context::token::kerberos::kkdcp::KdcProxyMessage;
use countersign_handshake::kdc::{Anchors, AnchorsError, Failure};
use rustls::{ServerConnection, StreamOwned};
use support::DRIVERS;
use support::kdc::{
    FOREVER, REALM, Watched, failures, password_change, password_reply, reply, request, request_of,
    tcp, udp_answering,
};
use support::proxy::{Authority, body, ok, proxy, receive};

fn one(text: String, authority: &Authority) -> Watched {
    let anchors = authority.anchors();
    Watched::new(&[("proxy", text)]).with(|client| client.anchors(anchors))
}

#[test]
fn request_and_reply_pass_a_proxy_as_the_protocol_wraps_them() {
    let authority = Authority::new();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let written = Arc::clone(&heads);
    let port = proxy(
        authority.server("localhost", |_| {}),
        move |head, posted| {
            written.lock().unwrap().push(head.to_owned());
            let posted = KdcProxyMessage::from_der(posted).unwrap();
            assert_eq!(posted.target_domain.unwrap().as_bytes(), REALM.as_bytes());
            assert_eq!(posted.message().unwrap(), request().message);
            ok(&body(&reply("proxied")))
        },
    );
    for driver in DRIVERS {
        for (text, path) in [
            (format!("https://localhost:{port}"), "/KdcProxy"),
            (format!("https://localhost:{port}/a/b"), "/a/b"),
        ] {
            let watched = one(text, &authority);
            let answer = driver.send(&watched.client, &request()).unwrap();
            assert_eq!(answer, reply("proxied"), "{driver:?}");
            assert_eq!(
                watched.events(),
                ["asked proxy by HTTPS", "proxy answered by HTTPS"]
            );
            let head = heads.lock().unwrap().pop().unwrap();
            assert!(
                head.starts_with(&format!("POST {path} HTTP/1.1\r\n")),
                "{head}"
            );
            assert!(head.contains(&format!("\r\nHost: localhost:{port}\r\n")));
            assert!(head.contains("\r\nContent-Type: application/kerberos\r\n"));
        }
    }
}

#[test]
fn long_messages_and_password_changes_pass_too() {
    let authority = Authority::new();
    let large = reply(&"x".repeat(60_000));
    let answer = large.clone();
    let port = proxy(authority.server("localhost", |_| {}), move |_, posted| {
        let posted = KdcProxyMessage::from_der(posted).unwrap();
        let message = posted.message().unwrap();
        if message == password_change().message {
            ok(&body(&password_reply()))
        } else {
            assert_eq!(message, request_of(65_000).message);
            ok(&body(&answer))
        }
    });
    for driver in DRIVERS {
        let watched = one(format!("https://localhost:{port}"), &authority);
        let send = |request: &KdcRequest| driver.send(&watched.client, request).unwrap();
        assert_eq!(send(&request_of(65_000)), large);
        assert_eq!(send(&password_change()), password_reply());
        let stream_only = KdcRequest {
            stream_only: true,
            ..request_of(65_000)
        };
        assert_eq!(send(&stream_only), large);
    }
}

#[test]
fn body_may_be_chunked_or_end_with_the_connection() {
    let authority = Authority::new();
    let message = body(&reply("0123456789"));
    let (first, second) = message.split_at(7);
    let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in [first, second, &[]] {
        chunked.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        chunked.extend(chunk);
        chunked.extend(b"\r\n");
    }
    let mut until_end = b"HTTP/1.0 200 OK\r\n\r\n".to_vec();
    until_end.extend(&message);
    for answer in [chunked, until_end] {
        let port = proxy(authority.server("localhost", |_| {}), move |_, _| {
            answer.clone()
        });
        for driver in DRIVERS {
            let watched = one(format!("https://localhost:{port}"), &authority);
            let answer = driver.send(&watched.client, &request()).unwrap();
            assert_eq!(answer, reply("0123456789"));
        }
    }
}

#[test]
fn proxy_is_trusted_only_with_a_certificate_for_its_name_from_a_named_authority() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let answering = |config| proxy(config, |_, _| ok(&body(&reply("trusted"))));
    let good = answering(authority.server("localhost", |_| {}));
    let address = answering(authority.server("127.0.0.1", |_| {}));
    let other_name = answering(authority.server("elsewhere.example.com", |_| {}));
    let expired = answering(authority.server("localhost", |params| {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    }));
    for driver in DRIVERS {
        let send = |port: u16, host: &str, authority: &Authority| {
            let watched = one(format!("https://{host}:{port}"), authority);
            driver.send(&watched.client, &request())
        };
        assert_eq!(
            send(good, "localhost", &authority).unwrap(),
            reply("trusted")
        );
        assert_eq!(
            send(address, "127.0.0.1", &authority).unwrap(),
            reply("trusted")
        );
        for (port, host, authority) in [
            (good, "localhost", &stranger),
            (good, "127.0.0.1", &authority),
            (other_name, "localhost", &authority),
            (expired, "localhost", &authority),
        ] {
            let failed = failures(send(port, host, authority));
            assert!(failed.contains(&Failure::Tls), "{driver:?} {failed:?}");
        }
        // Nobody is trusted unless named.
        let watched = Watched::new(&[("proxy", format!("https://127.0.0.1:{address}"))]);
        assert_eq!(
            failures(driver.send(&watched.client, &request())),
            [Failure::NoAnchors]
        );
    }
}

#[test]
fn answer_that_is_no_reply_brings_in_the_next_kdc_at_once() {
    let authority = Authority::new();
    let mut wrong_length = body(&reply("0123456789"));
    let last = wrong_length.iter().position(|byte| *byte == 0x6b).unwrap() - 1;
    wrong_length[last] += 1;
    let limit = 1000;
    let cases = [
        (
            b"HTTP/1.1 503 Service Unavailable\r\n\r\n".to_vec(),
            Failure::Proxy(503),
        ),
        (
            b"HTTP/1.1 301 Moved\r\nLocation: https://elsewhere/\r\n\r\n".to_vec(),
            Failure::Proxy(301),
        ),
        (b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(), Failure::NotHttp),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n".to_vec(),
            Failure::Closed,
        ),
        (vec![], Failure::Closed),
        (ok(b"<html>Hello</html>"), Failure::NotKerberos),
        (ok(&wrong_length), Failure::NotKerberos),
        (ok(&body(b"rubbish")), Failure::NotKerberos),
        (
            ok(&body(&reply(&"x".repeat(limit)))),
            Failure::TooLarge {
                length: limit + 4,
                limit,
            },
        ),
    ];
    for (answer, expected) in cases {
        let port = proxy(authority.server("127.0.0.1", |_| {}), move |_, _| {
            answer.clone()
        });
        let next = udp_answering(reply("next"));
        for driver in DRIVERS {
            let anchors = authority.anchors();
            let watched = Watched::new(&[
                ("proxy", format!("https://127.0.0.1:{port}")),
                ("b", format!("udp/127.0.0.1:{next}")),
            ])
            .with(|client| client.anchors(anchors).max_reply(limit));
            assert_eq!(
                driver.send(&watched.client, &request()).unwrap(),
                reply("next")
            );
            assert_eq!(
                watched.events()[1],
                format!("proxy failed: {expected:?}"),
                "{driver:?}"
            );
        }
    }
}

#[test]
fn silence_at_any_stage_ends_at_the_deadline() {
    let authority = Authority::new();
    let (keep, _kept) = mpsc::channel();
    let before_tls = tcp(move |socket| keep.send(socket).unwrap());
    let (keep, _kept_tls) = mpsc::channel();
    let config = authority.server("127.0.0.1", |_| {});
    let after_request = tcp(move |socket| {
        let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(tls, socket);
        receive(&mut stream).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-").unwrap();
        keep.send(stream).unwrap();
    });
    for driver in DRIVERS {
        for port in [before_tls, after_request] {
            let watched = one(format!("https://127.0.0.1:{port}"), &authority)
                .with(|client| client.timeout(Duration::from_millis(500)));
            let began = Instant::now();
            assert_eq!(
                failures(driver.send(&watched.client, &request())),
                [Failure::NoAnswer]
            );
            assert!(began.elapsed() < FOREVER / 2);
        }
    }
}

#[test]
fn server_without_tls_is_no_proxy() {
    let authority = Authority::new();
    let port = tcp(|mut socket| {
        let _ = socket.read(&mut [0; 64]);
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    for driver in DRIVERS {
        let watched = one(format!("https://127.0.0.1:{port}"), &authority);
        assert_eq!(
            failures(driver.send(&watched.client, &request())),
            [Failure::Tls]
        );
    }
}

#[test]
fn anchors_are_read_from_pem_and_der_or_refused() {
    let authority = Authority::new();
    let pem = authority.0.pem();
    let both = format!("a comment\n{pem}\n{pem}");
    assert!(Anchors::from_pem(both.as_bytes()).is_ok());
    assert!(Anchors::from_der([authority.0.der()]).is_ok());
    assert_eq!(Anchors::from_pem(b"").unwrap_err(), AnchorsError::Empty);
    assert_eq!(
        Anchors::from_der([b"0"]).unwrap_err(),
        AnchorsError::Unreadable
    );
    let broken = pem.replace("MI", "!!");
    assert_eq!(
        Anchors::from_pem(broken.as_bytes()).unwrap_err(),
        AnchorsError::Unreadable
    );
}

#[test]
fn authorities_of_krb5_conf_vouch_for_their_own_realm_alone() {
    use countersign_credential::Krb5Conf;
    use countersign_handshake::configuration;

    let (authority, stranger) = (Authority::new(), Authority::new());
    let port = proxy(authority.server("localhost", |_| {}), |_, _| {
        ok(&body(&reply("proxied")))
    });
    let folder = std::env::temp_dir().join(format!("countersign-anchors-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("ca.pem");
    std::fs::write(&file, authority.0.pem()).unwrap();
    let conf = |realm: &str, anchors: &str| {
        let text = format!("[realms]\n{realm} = {{\n http_anchors = {anchors}\n}}\n");
        Krb5Conf::parse(text.as_bytes()).unwrap()
    };
    let (named, folder_named) = (
        format!("FILE:{}", file.display()),
        format!("DIR:{}", folder.display()),
    );
    let text = format!("https://localhost:{port}");
    let ask = |realm: &str, anchors: &str| {
        let others = stranger.anchors();
        let watched = Watched::new(&[("proxy", text.clone())]).with(|client| {
            configuration::http_anchors(client.anchors(others), &conf(realm, anchors)).unwrap()
        });
        DRIVERS[0].send(&watched.client, &request())
    };
    for anchors in [&named, &folder_named] {
        assert_eq!(ask(REALM, anchors).unwrap(), reply("proxied"));
        assert_eq!(failures(ask("OTHER.EXAMPLE", anchors)), [Failure::Tls]);
    }
    std::fs::remove_dir_all(&folder).unwrap();

    let client = || {
        countersign_handshake::kdc::KdcClient::new(countersign_handshake::kdc::StaticKdcs::new())
    };
    let refused =
        |anchors| configuration::http_anchors(client(), &conf(REALM, anchors)).unwrap_err();
    assert_eq!(refused("ENV:CA"), AnchorsError::Kind);
    assert!(matches!(refused(&named), AnchorsError::File(_)));
}
