//! KDC proxies that misbehave (MS-KKDCP), alone and beside one that does not.

use std::io::ErrorKind::ConnectionRefused;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use countersign_handshake::context::token::der::Decode;
use countersign_handshake::context::token::kerberos::kkdcp::KdcProxyMessage;
use countersign_handshake::kdc::{Error, Failure};
use countersign_testkit::Kdc;
use rustls::ServerConfig;

use crate::exchange::{
    SHORT, SOON, WANTS, another, assert_same, environment, honest, kdc, prepared, run,
};
use crate::support::DRIVERS;
use crate::support::kdc::{FOREVER, Watched, refusing, tcp};
use crate::support::proxy::{Authority, body, ok, proxy};

/// A proxy in front of the KDC that does this to its answers.
fn serve(
    config: &Arc<ServerConfig>,
    kdc: Kdc,
    mut spoil: impl FnMut(Vec<u8>) -> Vec<u8> + Send + 'static,
) -> u16 {
    proxy(Arc::clone(config), move |_, posted| {
        let posted = KdcProxyMessage::from_der(posted).unwrap();
        spoil(kdc.answer(posted.message().unwrap()))
    })
}

type IsExpected = fn(Failure) -> bool;

/// Where they listen, what is expected of the one alone, and whether that is waited for.
fn faults(config: &Arc<ServerConfig>, unattended: &TcpListener) -> Vec<(u16, IsExpected, bool)> {
    let broken: IsExpected = |failure| matches!(failure, Failure::Closed | Failure::NotHttp);
    let alien: IsExpected = |failure| matches!(failure, Failure::NotKerberos | Failure::NotHttp);
    let mut faults: Vec<(u16, IsExpected, bool)> = vec![
        (
            refusing(),
            |failure| failure == Failure::Io(ConnectionRefused),
            false,
        ),
        (
            unattended.local_addr().unwrap().port(),
            |failure| failure == Failure::NoAnswer,
            true,
        ),
        // What is not TLS at all, by saying nothing, something else, or too little.
        (tcp(drop), |failure| failure != Failure::NoAnswer, false),
        (
            tcp(says_http),
            |failure| failure != Failure::NoAnswer,
            false,
        ),
        (
            serve(config, another(), |_| {
                b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n".into()
            }),
            |failure| failure == Failure::Proxy(503),
            false,
        ),
        (serve(config, another(), |_| Vec::new()), broken, false),
        (
            serve(config, another(), |_| b"rubbish\r\n\r\n".into()),
            broken,
            false,
        ),
        (serve(config, another(), |_| ok(&[])), alien, false),
        (serve(config, another(), |_| ok(b"rubbish")), alien, false),
        (serve(config, another(), |_| ok(&body(&[]))), alien, false),
        (
            serve(config, another(), |_| ok(&body(b"rubbish"))),
            alien,
            false,
        ),
        (
            serve(config, another(), |mut answer| {
                answer.pop();
                ok(&body(&answer))
            }),
            alien,
            false,
        ),
    ];
    for length in [1, 10, 40, 90, 150, 300] {
        let cut = move |answer: Vec<u8>| {
            let mut whole = ok(&body(&answer));
            whole.truncate(length.min(whole.len() - 1));
            whole
        };
        faults.push((serve(config, another(), cut), broken, false));
    }
    faults
}

fn says_http(mut stream: TcpStream) {
    use std::io::Write;
    let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
}

#[test]
fn every_fault_of_a_proxy_is_named_and_made_good_by_the_next() {
    let authority = Authority::new();
    let config = authority.server("localhost", |_| {});
    let unattended = TcpListener::bind("127.0.0.1:0").unwrap();
    let good = serve(&config, kdc(), |answer| ok(&body(&answer)));
    let watched = |ports: &[u16]| {
        let at = |port: &u16| format!("https://localhost:{port}");
        let kdcs: Vec<_> = ["a", "b"].into_iter().zip(ports.iter().map(at)).collect();
        let anchors = authority.anchors();
        Watched::new(&kdcs).with(|client| client.anchors(anchors).environment(environment))
    };
    for want in WANTS {
        let kdc = kdc();
        let expected = honest(want, &kdc);
        for (number, (bad, is_expected, waits)) in
            faults(&config, &unattended).into_iter().enumerate()
        {
            for driver in DRIVERS {
                let case = format!("{want:?} {number} {driver:?}");
                let timeout = if waits { SHORT } else { FOREVER };
                let alone = watched(&[bad]).with(|client| client.timeout(timeout));
                let error = run(want, driver, &alone.client, &prepared(want, &kdc)).unwrap_err();
                let Error::Unanswered(attempts) = error else {
                    panic!("{case}: {error:?}");
                };
                // A name may have more addresses than the one that is listened at.
                let mut failures = attempts.iter().map(|attempt| attempt.failure);
                assert!(failures.any(is_expected), "{case}: {attempts:?}");

                let beside = watched(&[bad, good]).with(|client| client.patience(SOON));
                let ticket = run(want, driver, &beside.client, &prepared(want, &kdc));
                let ticket = ticket.unwrap_or_else(|error| panic!("{case}: {error}"));
                assert_same(&ticket, &expected, &case);
            }
        }
    }
}
