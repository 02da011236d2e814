//! NTLM over both drivers, with a store of users outside of the engine that answers its questions.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::collections::HashMap;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use countersign_handshake::context::credential::Password;
use countersign_handshake::context::credential::ntlm::{AccountName, NtlmCredential};
use countersign_handshake::context::crypto::ntlm::NtHash;
use countersign_handshake::context::ntlm::{
    Acceptor, AcceptorCredential, Initiator, Logon, LogonRequest, ServerNames,
};
use countersign_handshake::context::{
    Answer, ErrorKind as Refusal, Flags, Need, NtlmProblem, SecurityContext,
};
use countersign_handshake::{Error, ErrorKind, GssSample, Handshake};

/// A directory that takes its time, such as a database at the other end of a network.
struct Directory(HashMap<String, NtHash>);

impl Directory {
    fn new() -> Arc<Self> {
        let hash = NtHash::from_password("open sesame");
        Arc::new(Self(HashMap::from([("alice".to_owned(), hash)])))
    }

    fn look_up(&self, request: &LogonRequest) -> Logon {
        // The name is a claim: the account's own name is the one to give.
        let user = request.user().to_lowercase();
        match self.0.get(&user) {
            Some(hash) => Logon::NtHash {
                account: AccountName::new("EXAMPLE", user).unwrap(),
                hash: hash.duplicate(),
            },
            None => Logon::Denied,
        }
    }

    fn ask(&self, need: &Need) -> Option<Answer> {
        let Need::Logon(request) = need else {
            return None;
        };
        thread::sleep(Duration::from_millis(5));
        Some(Answer::Logon(self.look_up(request)))
    }

    async fn ask_async(self: Arc<Self>, need: Need) -> Option<Answer> {
        let Need::Logon(request) = need else {
            return None;
        };
        tokio::time::sleep(Duration::from_millis(5)).await;
        Some(Answer::Logon(self.look_up(&request)))
    }
}

fn initiating(user: &str, password: &str) -> Handshake {
    let name = AccountName::new("EXAMPLE", user).unwrap();
    let credential = NtlmCredential::with_password(name, &Password::from(password));
    Handshake::initiator(Initiator::new(credential).require(Flags::CONFIDENTIALITY))
}

fn accepting() -> Handshake {
    let names = ServerNames::new("SERVER", "EXAMPLE").unwrap();
    let credential = AcceptorCredential::new(names);
    Handshake::acceptor(Acceptor::new(&credential).require(Flags::CONFIDENTIALITY))
}

/// What the acceptor has of this client, and the client's own context.
type Ends = (Result<Box<SecurityContext>, Error>, Box<SecurityContext>);

fn blocking(user: &str, password: &str, gss_sample: bool) -> Ends {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let server = thread::spawn(move || {
        let directory = Directory::new();
        let (mut stream, _) = listener.accept().unwrap();
        framed(accepting(), gss_sample).run_on_socket_with(&mut stream, |need| directory.ask(need))
    });
    let context = framed(initiating(user, password), gss_sample)
        .run_on_socket(&mut client)
        .unwrap();
    (server.join().unwrap(), context)
}

fn nonblocking(user: &str, password: &str, gss_sample: bool) -> Ends {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (mut client, mut server) = tokio::io::duplex(64);
        let directory = Directory::new();
        let handler = |need| Arc::clone(&directory).ask_async(need);
        let (server, client) = tokio::join!(
            framed(accepting(), gss_sample).run_async_with(&mut server, handler),
            framed(initiating(user, password), gss_sample).run_async(&mut client),
        );
        (server, client.unwrap())
    })
}

fn framed(handshake: Handshake, gss_sample: bool) -> Handshake {
    match gss_sample {
        true => handshake.framing(GssSample),
        false => handshake,
    }
}

#[test]
fn a_store_that_takes_its_time_lets_the_right_password_in_over_both_drivers() {
    for run in [blocking, nonblocking] {
        for gss_sample in [false, true] {
            let (server, mut client) = run("ALICE", "open sesame", gss_sample);
            let mut server = server.unwrap();
            // As the store has the name, not as the client wrote it.
            assert_eq!(server.peer().unwrap().to_string(), "EXAMPLE\\alice");
            let sealed = client.wrap(true, b"who goes there").unwrap();
            assert_eq!(server.unwrap(&sealed).unwrap().message, b"who goes there");
        }
    }
}

#[test]
fn a_wrong_password_and_an_unknown_user_are_one_error_in_the_third_leg() {
    for run in [blocking, nonblocking] {
        for (user, password) in [("alice", "open sesamo"), ("mallory", "open sesame")] {
            let error = run(user, password, false).0.unwrap_err();
            let Some(refusal) = error.refusal() else {
                panic!("{error}");
            };
            let denied = Refusal::Ntlm(NtlmProblem::LogonDenied);
            assert_eq!((error.leg(), refusal.kind()), (3, denied));
        }
        run("alice", "open sesame", false).0.unwrap();
    }
}

#[test]
fn a_handshake_whose_question_nobody_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        accepting().run_on_socket(&mut stream).map(drop)
    });
    initiating("alice", "open sesame")
        .run_on_socket(&mut client)
        .unwrap();
    let error = server.join().unwrap().unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Unanswered);
}
