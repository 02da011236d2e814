//! NTLM over HTTP, as the example has it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

#[path = "../examples/http_service.rs"]
mod service;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use countersign::credential::Password;
use countersign::credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign::handshake::SystemEnvironment;
use countersign::ntlm::{Initiator, ServerNames};
use countersign::{Mechanism, MicPolicy, Step};
use data_encoding::BASE64;

/// A service that serves connections until the test ends.
fn serving() -> SocketAddr {
    let users = Users::parse(b"EXAMPLE:alice:open sesame\nEXAMPLE:bob:battery staple\n").unwrap();
    let names = ServerNames::new("WWW", "EXAMPLE").unwrap();
    let service = Arc::new(service::Service::new(names, users, MicPolicy::Required));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let service = Arc::clone(&service);
            thread::spawn(move || service.serve(stream.unwrap()));
        }
    });
    address
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// Behind `WWW-Authenticate: NTLM`; empty where there is nothing.
    challenge: Option<String>,
    body: String,
    closes: bool,
}

/// A client's connection.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn new(address: SocketAddr) -> Self {
        Self(BufReader::new(TcpStream::connect(address).unwrap()))
    }

    fn send(&mut self, request: &str) {
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
    }

    fn get(&mut self, token: Option<&[u8]>) -> Answer {
        let authorization = token.map_or_else(String::new, |token| {
            format!("Authorization: NTLM {}\r\n", BASE64.encode(token))
        });
        self.send(&format!(
            "GET / HTTP/1.1\r\nHost: www\r\n{authorization}\r\n"
        ));
        self.answer()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn answer(&mut self) -> Answer {
        let status = self.line();
        let status = status.strip_prefix("HTTP/1.1 ").unwrap()[..3]
            .parse()
            .unwrap();
        let (mut challenge, mut length, mut closes) = (None, 0, false);
        loop {
            let line = self.line();
            match line.split_once(": ") {
                None => break,
                Some(("WWW-Authenticate", value)) => {
                    let token = value.strip_prefix("NTLM").unwrap().trim();
                    challenge = Some(token.to_owned());
                }
                Some(("Content-Length", value)) => length = value.parse().unwrap(),
                Some(("Connection", value)) => closes = value == "close",
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        Answer {
            status,
            challenge,
            body: String::from_utf8(body).unwrap(),
            closes,
        }
    }

    /// The two requests of an authentication; the answer to the last.
    fn log_on(&mut self, user: &str, password: &str) -> Answer {
        let mut client = Client::new(user, password);
        let challenge = self.get(Some(&client.negotiate()));
        self.get(Some(&client.authenticate(&challenge)))
    }

    fn is_closed(&mut self) -> bool {
        self.0.fill_buf().map_or(true, <[u8]>::is_empty)
    }
}

/// An initiator whose tokens the test puts into headers.
struct Client(Initiator);

impl Client {
    fn new(user: &str, password: &str) -> Self {
        let name = AccountName::new("EXAMPLE", user).unwrap();
        let password = Password::from(password);
        Self(Initiator::new(NtlmCredential::with_password(
            name, &password,
        )))
    }

    fn negotiate(&mut self) -> Vec<u8> {
        let mut system = SystemEnvironment::new();
        match self.0.step(None, &mut system.environment()).unwrap() {
            Step::Continue { token } => token,
            other => panic!("{other:?}"),
        }
    }

    fn authenticate(&mut self, answer: &Answer) -> Vec<u8> {
        let (401, Some(challenge)) = (answer.status, &answer.challenge) else {
            panic!("{answer:?}");
        };
        let challenge = BASE64.decode(challenge.as_bytes()).unwrap();
        let mut system = SystemEnvironment::new();
        let step = self.0.step(Some(&challenge), &mut system.environment());
        match step.unwrap() {
            Step::Established {
                token: Some(token), ..
            } => token,
            other => panic!("{other:?}"),
        }
    }
}

fn who_goes_there(answer: &Answer) -> bool {
    answer.status == 401 && answer.challenge.as_deref() == Some("")
}

#[test]
fn client_stays_who_it_is_on_its_connection_and_on_no_other() {
    let address = serving();
    let mut first = Connection::new(address);
    assert!(who_goes_there(&first.get(None)));
    assert_eq!(
        first.log_on("alice", "open sesame").body,
        "hello EXAMPLE\\alice\n"
    );
    let mut second = Connection::new(address);
    assert!(who_goes_there(&second.get(None)));
    assert_eq!(
        second.log_on("bob", "battery staple").body,
        "hello EXAMPLE\\bob\n"
    );
    // Without another header, on both.
    assert_eq!(first.get(None).body, "hello EXAMPLE\\alice\n");
    assert_eq!(second.get(None).body, "hello EXAMPLE\\bob\n");
}

#[test]
fn service_refuses_a_wrong_password_and_ends_the_connection() {
    let address = serving();
    let mut connection = Connection::new(address);
    let answer = connection.log_on("alice", "open sesamo");
    assert!(who_goes_there(&answer) && answer.closes, "{answer:?}");
    assert!(connection.is_closed());
    // Control.
    let answer = Connection::new(address).log_on("alice", "open sesame");
    assert_eq!((answer.status, answer.closes), (200, false));
}

#[test]
fn a_half_open_context_is_of_no_use_on_another_connection() {
    let address = serving();
    let (mut one, mut other) = (Connection::new(address), Connection::new(address));
    let mut client = Client::new("alice", "open sesame");
    let challenge = one.get(Some(&client.negotiate()));
    let token = client.authenticate(&challenge);
    // The other one has no context, and one of its own, which has another challenge.
    assert!(who_goes_there(&other.get(Some(&token))));
    let mut third = Connection::new(address);
    third.get(Some(&Client::new("bob", "battery staple").negotiate()));
    assert!(who_goes_there(&third.get(Some(&token))));
    // Control: where it was begun it is right.
    assert_eq!(one.get(Some(&token)).status, 200);
}

#[test]
fn a_client_that_begins_anew_is_nobody_until_it_is_proved() {
    let mut connection = Connection::new(serving());
    assert_eq!(connection.log_on("alice", "open sesame").status, 200);
    connection.get(Some(&Client::new("bob", "?").negotiate()));
    assert!(who_goes_there(&connection.get(None)));
    // And can be another then.
    let answer = connection.log_on("bob", "battery staple");
    assert_eq!(answer.body, "hello EXAMPLE\\bob\n");
}

#[test]
fn bodies_are_read_before_the_next_request() {
    let mut connection = Connection::new(serving());
    let post = "POST / HTTP/1.1\r\nHost: www\r\nContent-Length: 36\r\n\r\n";
    // What looks like a request is a body.
    let body = "GET / HTTP/1.1\r\nAuthorization: x\r\n\r\n";
    connection.send(&format!("{post}{body}\n{post}"));
    assert!(who_goes_there(&connection.answer()));
    connection.send(&format!("{body}\n"));
    assert!(who_goes_there(&connection.answer()));
    connection.send(&post.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n"));
    assert_eq!(
        (connection.line(), connection.line()),
        ("HTTP/1.1 100 Continue".into(), String::new())
    );
    connection.send(&format!("{body}\n"));
    assert!(who_goes_there(&connection.answer()));
}

#[test]
fn the_answer_to_head_has_no_body() {
    let mut connection = Connection::new(serving());
    connection.send("HEAD / HTTP/1.1\r\nHost: www\r\n\r\n");
    while !connection.line().is_empty() {}
    // What comes next is the next answer.
    assert!(who_goes_there(&connection.get(None)));
}

#[test]
fn requests_that_can_be_read_in_two_ways_or_are_too_long_end_the_connection() {
    let address = serving();
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n", "x".repeat(40_000));
    for (request, status) in [
        ("hello\r\n\r\n", 400),
        (
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
        ),
        ("GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n", 413),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\nAuthorization: NTLM !\r\n\r\n", 400),
        (
            "GET / HTTP/1.1\r\nAuthorization: Basic YWxpY2U6eA==\r\n\r\n",
            400,
        ),
        (&long, 431),
    ] {
        let mut connection = Connection::new(address);
        connection.send(request);
        let answer = connection.answer();
        assert!(
            answer.closes && answer.status == status,
            "{request:.80}: {answer:?}"
        );
    }
    // Control.
    let mut connection = Connection::new(address);
    connection.send("GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
    assert!(!connection.answer().closes);
}
