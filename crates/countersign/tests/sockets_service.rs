//! Scenario 1: the sockets service and its client, as the examples have them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]
#![allow(
    clippy::duplicate_mod,
    reason = "both examples bring their framing along"
)]

#[path = "../examples/sockets_client.rs"]
mod client;
#[path = "../examples/sockets_service.rs"]
mod service;

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use countersign::handshake::{Clock, SystemClock};
use countersign_testkit::Realm;

const SERVICE: &str = "sentry/gate.example.com";

fn realm() -> Realm {
    Realm::new("EXAMPLE.COM", 1).at(SystemClock.now().seconds())
}

/// Serves so many connections, each on a thread; returns where, and what came of them.
fn serving(
    realm: &Realm,
    connections: u64,
) -> (
    std::net::SocketAddr,
    thread::JoinHandle<Vec<Result<String, String>>>,
) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let service = Arc::new(service::Service::new(&realm.keytab(&[SERVICE]).unwrap()));
    let outcome = thread::spawn(move || {
        let threads: Vec<_> = (0..connections)
            .map(|key| {
                let (stream, _) = listener.accept().unwrap();
                let service = Arc::clone(&service);
                thread::spawn(move || service.serve(key, stream).map_err(|e| e.to_string()))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    (address, outcome)
}

#[test]
fn client_and_service_authenticate_mutually_and_exchange_sealed_messages() {
    let realm = realm();
    let (address, outcome) = serving(&realm, 3);
    for user in ["alice", "bob", "carol"] {
        let ticket = realm.ticket(user, SERVICE).mint().unwrap();
        let answer = client::ask(address, ticket, b"hello").unwrap();
        assert_eq!(answer, format!("{user}@EXAMPLE.COM says: hello"));
    }
    let served = outcome.join().unwrap();
    assert_eq!(
        served,
        ["alice", "bob", "carol"].map(|user| Ok(format!("{user}@EXAMPLE.COM")))
    );
}

#[test]
fn service_refuses_a_ticket_for_another_service_and_goes_on() {
    let realm = realm();
    let (address, outcome) = serving(&realm, 2);
    let ticket = realm
        .ticket("mallory", "other/gate.example.com")
        .mint()
        .unwrap();
    client::ask(address, ticket, b"hello").unwrap_err();
    // Control: the next client is served.
    let ticket = realm.ticket("alice", SERVICE).mint().unwrap();
    client::ask(address, ticket, b"hello").unwrap();
    let served = outcome.join().unwrap();
    assert!(
        served[0].is_err() && served[1] == Ok("alice@EXAMPLE.COM".to_owned()),
        "{served:?}"
    );
}

#[test]
fn service_gives_up_a_client_that_announces_too_much() {
    let (address, outcome) = serving(&realm(), 1);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(&[0xff; 4]).unwrap();
    let served = outcome.join().unwrap();
    assert_eq!(served, [Err("the message is too long".to_owned())]);
}
