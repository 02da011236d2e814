//! `countersign serve` and `countersign connect`, with each other and with strangers.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Output;

use countersign::kerberos::Initiator;
use serde_json::Value;

use crate::{Files, SERVICE, Server, fail, fits_80_columns, realm, run, succeed, text};

#[test]
fn server_and_client_authenticate_over_both_framings() {
    let files = Files::new();
    for framing in ["length", "gss-sample"] {
        let mut server = Server::start(framing, &files.path("keytab"), &["--once"]);
        let printed = succeed(&server.connect(framing, &files, &["--message", "Who goes there?"]));
        let confirmed = match framing {
            "length" => "15 bytes, answered sealed: \"Who goes there?\"",
            _ => "15 bytes, sealed, MIC verified",
        };
        assert!(printed.contains(confirmed), "{printed}");
        assert!(
            printed.contains("sentry/gate.example.com@EXAMPLE.COM (proved)"),
            "{printed}"
        );
        fits_80_columns(&printed);
        let line = server.line();
        assert!(
            line.contains("accepted alice@EXAMPLE.COM, kerberos, flags mutual"),
            "{line}"
        );
        assert!(server.child.wait().unwrap().success());
    }
}

#[test]
fn every_way_to_protect_messages_is_answered() {
    let files = Files::new();
    let both: [&[&str]; 5] = [
        &[],
        &["--no-seal"],
        &["--no-mutual"],
        &["--no-replay"],
        &["--no-sequence"],
    ];
    for framing in ["length", "gss-sample"] {
        let sample: &[&[&str]] = if framing == "length" {
            &[]
        } else {
            &[&["--no-mic"], &["--no-wrap"], &["--no-wrap", "--no-mic"]]
        };
        let server = Server::start(framing, &files.path("keytab"), &[]);
        for switches in both.iter().chain(sample) {
            let mut switches = switches.to_vec();
            switches.extend(["--message", "a", "--message", "", "--repeat", "2"]);
            switches.extend(["--connections", "2"]);
            let printed = succeed(&server.connect(framing, &files, &switches));
            assert_eq!(
                printed.matches("message 4: 0 bytes").count(),
                2,
                "{printed}"
            );
        }
    }
}

#[test]
fn server_tells_machines_who_connected() {
    let files = Files::new();
    let mut server = Server::start("length", &files.path("keytab"), &["--json"]);
    let printed = succeed(&server.connect("length", &files, &["--json", "--message", "m"]));
    let established: Value = serde_json::from_str(printed.lines().next().unwrap()).unwrap();
    assert_eq!(established["peer"], "sentry/gate.example.com@EXAMPLE.COM");
    let accepted: Value = serde_json::from_str(&server.line()).unwrap();
    assert_eq!(accepted["peer"], "alice@EXAMPLE.COM");
    assert!(
        accepted["flags"]
            .as_array()
            .unwrap()
            .contains(&"mutual".into())
    );
    assert_eq!(accepted["mechanism"], "1.2.840.113554.1.2.2");
}

#[test]
fn server_with_another_key_refuses_and_both_fail() {
    let files = Files::new();
    for framing in ["length", "gss-sample"] {
        let mut server = Server::start(framing, &files.path("wrong.keytab"), &["--once"]);
        let (code, complaint) = fail(&server.connect(framing, &files, &[]));
        // KRB_AP_ERR_BAD_INTEGRITY, RFC 4120 §3.2.3.
        assert!(code == 1 && complaint.contains("31"), "{code}: {complaint}");
        assert!(server.line().contains("does not decrypt"));
        assert_eq!(server.child.wait().unwrap().code(), Some(1));
        // Control.
        let server = Server::start(framing, &files.path("keytab"), &["--once"]);
        succeed(&server.connect(framing, &files, &[]));
    }
}

#[test]
fn server_answers_for_listed_services_only() {
    let files = Files::new();
    for (service, permitted) in [
        ("sentry/gate.example.com", true),
        ("sentry/*", true),
        ("HTTP/gate.example.com", false),
    ] {
        let server = Server::start("length", &files.path("keytab"), &["--service", service]);
        let output = server.connect("length", &files, &[]);
        assert_eq!(
            output.status.success(),
            permitted,
            "{service}: {}",
            text(&output.stderr)
        );
    }
}

#[test]
fn both_sides_keep_to_the_only_enctype_that_they_permit() {
    let files = Files::new();
    let aes256 = "aes256-cts-hmac-sha1-96";
    let server = Server::start("length", &files.path("keytab"), &["--only-enctype", aes256]);
    let switches = ["--message", "m", "--only-enctype", aes256];
    let printed = succeed(&server.connect("length", &files, &switches));
    assert!(
        printed.contains(&format!("enctype    {aes256}\n")),
        "{printed}"
    );
    // The ticket is not of this one.
    let other = ["--only-enctype", "aes128-cts-hmac-sha1-96"];
    assert_eq!(fail(&server.connect("length", &files, &other)).0, 1);
}

#[test]
fn garbage_from_a_stranger_does_not_stop_the_server() {
    let files = Files::new();
    let mut server = Server::start("length", &files.path("keytab"), &[]);
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0, 0, 0, 3, 1, 2, 3],
        &[0, 0],
    ] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(garbage).unwrap();
        drop(stream);
        let line = server.line();
        assert!(line.contains(" refused: "), "{line}");
    }
    succeed(&server.connect("length", &files, &["--message", "still there?"]));
}

#[test]
fn message_altered_on_the_way_ends_the_connection_unanswered() {
    let files = Files::new();
    let server = Server::start("length", &files.path("keytab"), &[]);
    let mut stream = TcpStream::connect(server.address).unwrap();
    let mut context = countersign::handshake::Handshake::initiator(
        Initiator::new(realm(1).ticket("alice", SERVICE).mint().unwrap())
            .require(countersign::Flags::CONFIDENTIALITY),
    )
    .run_on_socket(&mut stream)
    .unwrap();
    let mut exchange = |alter: bool| {
        let mut token = context.wrap(true, b"message").unwrap();
        if alter {
            *token.last_mut().unwrap() ^= 1;
        }
        stream
            .write_all(&u32::try_from(token.len()).unwrap().to_be_bytes())
            .unwrap();
        stream.write_all(&token).unwrap();
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut answer = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        stream.read_exact(&mut answer).map(|()| answer)
    };
    exchange(false).unwrap();
    exchange(true).unwrap_err();
}

#[test]
fn server_that_would_refuse_everybody_does_not_start() {
    let files = Files::new();
    let keytab = files.path("keytab");
    let serve = |more: &[&str]| {
        let mut arguments = vec!["serve", "--listen", "nowhere.invalid:1", "--keytab"];
        arguments.push(keytab.to_str().unwrap());
        arguments.extend(more);
        fail(&run(&arguments)).0
    };
    assert_eq!(serve(&["--service", "HTTP/*"]), 2);
    assert_eq!(serve(&["--service", "/"]), 2);
    // Controls: those that get as far as the address. A name in full may be an alias.
    assert_eq!(serve(&["--service", "sentry/*"]), 3);
    assert_eq!(serve(&["--service", "HTTP/alias.example.com"]), 3);
}

#[test]
fn refused_enctype_names_the_switch_that_permits_it() {
    let files = Files::new();
    let server = Server::start("length", &files.path("keytab"), &[]);
    let camellia = "camellia128-cts-cmac";
    let only = ["--only-enctype", camellia];
    let (code, complaint) = fail(&server.connect("length", &files, &only));
    assert!(
        code == 1 && complaint.contains("--only-enctype aes"),
        "{code}: {complaint}"
    );
    // Control: without the switch the same ticket is permitted.
    succeed(&server.connect("length", &files, &[]));
}

#[test]
fn machines_are_told_of_failures_too() {
    let files = Files::new();
    let events = |output: &Output| -> Vec<String> {
        text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|event| event["event"].as_str().unwrap().to_owned())
            .collect()
    };
    let server = Server::start("length", &files.path("wrong.keytab"), &["--json"]);
    let refused = server.connect("length", &files, &["--json"]);
    assert_eq!(events(&refused), ["error"]);
    assert_eq!(refused.status.code(), Some(1));
    // Control.
    let server = Server::start("length", &files.path("keytab"), &["--json"]);
    let accepted = server.connect("length", &files, &["--json", "--message", "m"]);
    assert_eq!(events(&accepted), ["established", "message"]);
}

#[test]
fn server_tells_machines_of_a_message_that_it_refuses() {
    let files = Files::new();
    let mut server = Server::start("length", &files.path("keytab"), &["--json"]);
    let mut stream = TcpStream::connect(server.address).unwrap();
    countersign::handshake::Handshake::initiator(Initiator::new(
        realm(1).ticket("alice", SERVICE).mint().unwrap(),
    ))
    .run_on_socket(&mut stream)
    .unwrap();
    stream.write_all(b"\0\0\0\x04junk").unwrap();
    let mut event = || -> Value { serde_json::from_str(&server.line()).unwrap() };
    let accepted = event();
    assert_eq!(accepted["event"], "connection");
    let refused = event();
    assert_eq!(refused["event"], "error");
    assert_eq!(refused["from"], accepted["from"]);
}
