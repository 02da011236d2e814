//! Logons that `ntlm_auth` decides, as the example asks it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

#[path = "../examples/ntlm_winbind.rs"]
mod winbind;

use countersign::context::ntlm::{Logon, LogonRequest};
use countersign::credential::Password;
use countersign::credential::ntlm::{AccountName, NtlmCredential};
use countersign::crypto::ntlm::NtHash;
use countersign::handshake::SystemEnvironment;
use countersign::ntlm::{Acceptor, AcceptorCredential, Initiator, ServerNames};
use countersign::{Answer, Mechanism, Need, SecurityContext, Step};
use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use winbind::Helper;

const PASSWORD: &str = "open sesame";

/// An acceptor that has asked, what it asks, and the initiator's context.
fn asked(account: &str) -> (Acceptor, LogonRequest, SecurityContext) {
    let mut system = SystemEnvironment::new();
    let credential = NtlmCredential::with_password(
        AccountName::parse(account).unwrap(),
        &Password::from(PASSWORD),
    );
    let mut initiator = Initiator::new(credential).require(countersign::Flags::CONFIDENTIALITY);
    let names = ServerNames::new("SERVER", "EXAMPLE").unwrap();
    let mut acceptor = Acceptor::new(&AcceptorCredential::new(names));
    let Step::Continue { token } = initiator.step(None, &mut system.environment()).unwrap() else {
        panic!("NEGOTIATE");
    };
    let step = acceptor.step(Some(&token), &mut system.environment());
    let Step::Continue { token } = step.unwrap() else {
        panic!("CHALLENGE");
    };
    let step = initiator.step(Some(&token), &mut system.environment());
    let Step::Established {
        token: Some(token),
        context,
    } = step.unwrap()
    else {
        panic!("AUTHENTICATE");
    };
    let step = acceptor.step(Some(&token), &mut system.environment());
    let Step::Need(Need::Logon(request)) = step.unwrap() else {
        panic!("the question");
    };
    (acceptor, request, *context)
}

/// What the helper makes of it, and what it was asked.
fn ask(request: &LogonRequest, answer: &str) -> (std::io::Result<Logon>, String) {
    let mut question = Vec::new();
    let logon = Helper::new(answer.as_bytes(), &mut question).ask(request);
    (logon, String::from_utf8(question).unwrap())
}

/// The key that a domain controller computes.
fn session_key(request: &LogonRequest) -> String {
    let (user, domain) = (request.user().chars(), request.domain().chars());
    let key = NtHash::from_password(PASSWORD).response_key(user, domain);
    let (proof, blob) = request.nt_response().split_at(16);
    assert_eq!(key.proof(request.server_challenge(), &[blob]), *proof);
    let key = key.session_base_key(proof.try_into().unwrap());
    HEXUPPER.encode(key.expose())
}

#[test]
fn the_key_of_the_domain_controller_establishes_the_context() {
    let (mut acceptor, request, mut client) = asked("Example\\Alice");
    let key = session_key(&request);
    let answer = format!("Authenticated: Yes\nUser-Session-Key: {key}\n.\n");
    let logon = ask(&request, &answer).0.unwrap();
    let mut system = SystemEnvironment::new();
    let step = acceptor.resume(Answer::Logon(logon), &mut system.environment());
    let Step::Established {
        token: None,
        context: mut server,
    } = step.unwrap()
    else {
        panic!("established");
    };
    // One account by one name, however the client wrote it.
    assert_eq!(server.peer().unwrap().to_string(), "EXAMPLE\\alice");
    let sealed = client.wrap(true, b"hello").unwrap();
    assert_eq!(server.unwrap(&sealed).unwrap().message, b"hello");
}

#[test]
fn another_key_than_the_domain_controllers_establishes_nothing() {
    let (mut acceptor, request, _) = asked("EXAMPLE\\alice");
    let answer = format!(
        "Authenticated: Yes\nUser-Session-Key: {}\n.\n",
        "00".repeat(16)
    );
    let logon = ask(&request, &answer).0.unwrap();
    let mut system = SystemEnvironment::new();
    acceptor
        .resume(Answer::Logon(logon), &mut system.environment())
        .unwrap_err();
}

#[test]
fn the_question_has_all_that_the_helper_needs_and_no_line_of_the_clients() {
    let (_, request, _) = asked("EXAMPLE\\älice: x");
    let (_, question) = ask(&request, "");
    let lines: Vec<_> = question.lines().collect();
    let challenge = HEXLOWER.encode(request.server_challenge());
    let response = HEXLOWER.encode(request.nt_response());
    assert_eq!(
        lines,
        [
            format!("Username:: {}", BASE64.encode("älice: x".as_bytes())),
            format!("NT-Domain:: {}", BASE64.encode(b"EXAMPLE")),
            format!("LANMAN-Challenge: {challenge}"),
            format!("NT-Response: {response}"),
            "Request-User-Session-Key: Yes".to_owned(),
            ".".to_owned(),
        ]
    );
    // Without a domain the helper takes its own.
    let (_, request, _) = asked("alice@example.com");
    assert!(!ask(&request, "").1.contains("NT-Domain"));
}

#[test]
fn refusals_and_guests_are_told_apart_from_accounts() {
    let (_, request, _) = asked("EXAMPLE\\alice");
    let refused = "Authenticated: No\nAuthentication-Error: Logon failure\n.\n.\n";
    assert!(matches!(ask(&request, refused).0, Ok(Logon::Denied)));
    let guest = "Authenticated: Yes\n.\n";
    assert!(matches!(ask(&request, guest).0, Ok(Logon::Guest)));
}

#[test]
fn the_second_period_behind_a_refusal_is_no_answer_to_the_next_question() {
    let (_, request, _) = asked("EXAMPLE\\alice");
    let key = session_key(&request);
    let answers = format!(
        "Authenticated: No\nAuthentication-Error: x\n.\n.\nAuthenticated: Yes\nUser-Session-Key: \
         {key}\n.\nAuthenticated: No\n.\n"
    );
    let mut helper = Helper::new(answers.as_bytes(), Vec::new());
    assert!(matches!(helper.ask(&request), Ok(Logon::Denied)));
    assert!(matches!(helper.ask(&request), Ok(Logon::Verified { .. })));
    assert!(matches!(helper.ask(&request), Ok(Logon::Denied)));
}

#[test]
fn whatever_else_the_helper_says_ends_it() {
    let (_, request, _) = asked("EXAMPLE\\alice");
    let key = session_key(&request);
    let right = format!("Authenticated: Yes\nUser-Session-Key: {key}\n.\n");
    for answer in [
        "",
        ".\n",
        "Error: hex decode failed\n.\n",
        "Authenticated: Maybe\n.\n",
        "Authenticated: No\nAuthenticated: Yes\n.\n",
        "Authenticated: Yes\nUser-Session-Key: 00\n.\n",
        "Authenticated: Yes\nUser-Session-Key: 00",
        "Authenticated: No\nAuthentication-Error: Reading winbind reply failed!\n.\n.\n",
        "surprise\n.\n",
        &right[..right.len() - 2],
        &format!("{}{right}", ".\n".repeat(100)),
        &"x".repeat(10_000),
    ] {
        ask(&request, answer).0.unwrap_err();
    }
    // Control.
    assert!(matches!(
        ask(&request, &right).0,
        Ok(Logon::Verified { .. })
    ));
}

#[test]
fn names_that_could_be_read_in_two_ways_are_refused_unasked() {
    let yes = format!(
        "Authenticated: Yes\nUser-Session-Key: {}\n.\n",
        "11".repeat(16)
    );
    for account in ["EXAMPLE\\alice ", "EXAMPLE\\ alice", "EXAMPLE \\alice"] {
        let (_, request, _) = asked(account);
        let (logon, question) = ask(&request, &yes);
        assert!(matches!(logon, Ok(Logon::Denied)) && question.is_empty());
    }
    // Control.
    let (_, request, _) = asked("EXAMPLE\\alice smith");
    assert!(matches!(ask(&request, &yes).0, Ok(Logon::Verified { .. })));
}
