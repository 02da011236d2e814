//! `serve` and `connect` with NTLM, and `inspect` of its messages.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use countersign::credential::Password;
use countersign::credential::ntlm::{AccountName, NtlmCredential};
use countersign::handshake::SystemEnvironment;
use countersign::ntlm::{Acceptor, AcceptorCredential, Initiator, ServerNames};
use countersign::{Mechanism, Step};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign");
const ALICE: &str = "EXAMPLE\\alice";
const PASSWORD: &str = "open sesame";

/// A folder with a file of users, gone in the end.
struct Users(PathBuf);

impl Users {
    fn new() -> Self {
        Self::of("EXAMPLE:alice:open sesame\n*:bob:battery staple\n")
    }

    fn of(text: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("countersign-ntlm-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("users"), text).unwrap();
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.join("users")
    }
}

impl Drop for Users {
    fn drop(&mut self) {
        // A folder that is left behind in a temporary place does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `countersign serve --package ntlm`, ended with the test.
struct Server {
    child: Child,
    output: BufReader<ChildStdout>,
    address: String,
}

impl Server {
    fn start(users: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--listen", "127.0.0.1:0", "--package", "ntlm"])
            .args(["--ntlm-name", "www.example.com", "--ntlm-users"])
            .arg(users)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self {
            child,
            output,
            address: String::new(),
        };
        let line = server.line();
        server.address = match line.strip_prefix("listening on ") {
            Some(address) => address.to_owned(),
            None => {
                let event: Value = serde_json::from_str(&line).unwrap();
                event["address"].as_str().unwrap().to_owned()
            }
        };
        server
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn connect(&self, user: &str, password: &str, more: &[&str]) -> Output {
        let arguments = [
            "connect",
            &self.address,
            "--package",
            "ntlm",
            "--user",
            user,
        ];
        with_input(
            &[&arguments, &["--password-stdin"][..], more].concat(),
            password,
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

fn with_input(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(PROGRAM)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended without reading it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn succeed(output: &Output) -> String {
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{complaints}");
    for line in printed.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    printed
}

/// The exit code and the complaint in one line.
fn fail(output: &Output) -> (i32, String) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    let words: Vec<_> = complaint.split_whitespace().collect();
    (output.status.code().unwrap(), words.join(" "))
}

#[test]
fn server_knows_the_client_over_both_framings_and_proves_nothing_of_itself() {
    let users = Users::new();
    for framing in ["length", "gss-sample"] {
        let mut server = Server::start(&users.path(), &["--once", "--framing", framing]);
        let more = ["--framing", framing, "--message", "Who goes there?"];
        let printed = succeed(&server.connect(ALICE, PASSWORD, &more));
        let confirmed = match framing {
            "length" => "15 bytes, answered sealed: \"Who goes there?\"",
            _ => "15 bytes, sealed, MIC verified",
        };
        for said in [
            confirmed,
            "service    not named (the server proved nothing of itself)",
            "client     EXAMPLE\\alice",
            "mechanism  ntlm (1.3.6.1.4.1.311.2.2.10)",
            "ciphers    RC4, HMAC-MD5",
        ] {
            assert!(printed.contains(said), "{said} in\n{printed}");
        }
        for unsaid in ["lifetime", "mutual", "(proved)"] {
            assert!(!printed.contains(unsaid), "{unsaid} in\n{printed}");
        }
        let line = server.line();
        let accepted = " accepted EXAMPLE\\alice, ntlm, flags replay, sequence, confidentiality";
        assert!(line.contains(accepted), "{line}");
        assert!(server.child.wait().unwrap().success());
    }
}

#[test]
fn every_way_to_protect_messages_is_answered() {
    let users = Users::new();
    let both: [&[&str]; 4] = [
        &["--target", "HTTP/www.example.com"],
        &["--no-seal", "--no-mutual"],
        &["--no-replay"],
        &["--no-sequence"],
    ];
    for framing in ["length", "gss-sample"] {
        let sample: &[&[&str]] = match framing {
            "length" => &[],
            _ => &[&["--no-mic"], &["--no-wrap"], &["--no-wrap", "--no-mic"]],
        };
        let server = Server::start(&users.path(), &["--framing", framing]);
        for switches in both.iter().chain(sample) {
            let mut more = switches.to_vec();
            more.extend(["--framing", framing, "--message", "a", "--message", ""]);
            more.extend(["--repeat", "2", "--connections", "2"]);
            let printed = succeed(&server.connect("bob", "battery staple", &more));
            let last = printed.matches("message 4: 0 bytes").count();
            assert_eq!(last, 2, "{printed}");
        }
    }
}

#[test]
fn server_refuses_a_wrong_password_an_unknown_user_and_another_domain() {
    let users = Users::new();
    for framing in ["length", "gss-sample"] {
        let mut server = Server::start(&users.path(), &["--framing", framing]);
        let more = ["--framing", framing, "--message", "m"];
        for (user, password) in [
            (ALICE, "open sesamo"),
            ("EXAMPLE\\mallory", PASSWORD),
            ("OTHER\\alice", PASSWORD),
        ] {
            let (code, complaint) = fail(&server.connect(user, password, &more));
            assert!(
                code == 1 && complaint.contains("the server may have refused the client: "),
                "{complaint}"
            );
            let line = server.line();
            assert!(
                line.contains(" refused: ") && line.contains("password"),
                "{line}"
            );
        }
        succeed(&server.connect(ALICE, PASSWORD, &more));
    }
}

#[test]
fn machines_are_told_who_connected_and_that_there_is_no_lifetime() {
    let users = Users::new();
    let mut server = Server::start(&users.path(), &["--json"]);
    let more = [
        "--json",
        "--message",
        "m",
        "--target",
        "HTTP/www.example.com",
    ];
    let printed = succeed_in_json(&server.connect("bob", "battery staple", &more));
    let established = &printed[0];
    assert_eq!(established["event"], "established");
    assert_eq!(established["package"], "ntlm");
    for absent in ["peer", "lifetime", "enctype"] {
        assert_eq!(established[absent], Value::Null, "{absent}");
    }
    assert_eq!(printed[1]["answer"], "m");
    let accepted: Value = serde_json::from_str(&server.line()).unwrap();
    assert_eq!(accepted["peer"], "bob");
    assert_eq!(accepted["mechanism"], "1.3.6.1.4.1.311.2.2.10");
}

/// Success, and the events.
fn succeed_in_json(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", fail(output).1);
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn options_of_another_package_are_refused_by_name() {
    let users = Users::new();
    let users = users.path();
    let users = users.to_str().unwrap();
    let serve = ["serve", "--listen", "nowhere.invalid:1"];
    let connect = ["connect", "nowhere.invalid:1"];
    let ntlm = ["--package", "ntlm"];
    let serves = [&serve[..], &ntlm, &["--ntlm-users", users]].concat();
    let connects = [&connect[..], &ntlm, &["--user", ALICE, "--password-stdin"]].concat();
    for (fitting, option) in [
        (&serves, &["--keytab", "k"][..]),
        (&serves, &["--service", "HTTP/*"]),
        (&serves, &["--only-enctype", "x"]),
        (&connects, &["--principal", "alice"]),
        (&connects, &["-c", "FILE:x"]),
        (&connects, &["--kdc-timeout", "10"]),
        (&connects, &["--delegate"]),
        (&connects, &["--trace"]),
    ] {
        let output = with_input(&[fitting, option].concat(), PASSWORD);
        let (code, complaint) = fail(&output);
        let told = complaint.contains("goes with --package kerberos only");
        assert!(code == 2 && told, "{option:?}: {complaint}");
    }
    for (command, option) in [
        (&serve[..], ["--ntlm-users", users]),
        (&serve, ["--ntlm-mic", "required"]),
        (&connect, ["--user", ALICE]),
    ] {
        let (code, complaint) = fail(&with_input(&[command, &option].concat(), ""));
        let told = complaint.contains(&format!("{} goes with --package ntlm only", option[0]));
        assert!(code == 2 && told, "{option:?}: {complaint}");
    }
    // Controls: as far as the address.
    assert_eq!(fail(&with_input(&serves, "")).0, 3);
    assert_eq!(fail(&with_input(&connects, PASSWORD)).0, 3);
}

#[test]
fn what_is_missing_or_wrong_is_said_with_what_to_do() {
    let users = Users::of("EXAMPLE:alice:\n");
    let empty = Users::of("# nobody yet\n");
    let (users, empty) = (users.path(), empty.path());
    let complaint = |arguments: &[&str], package: &str| {
        let (code, complaint) = fail(&with_input(
            &[arguments, &["--package", package]].concat(),
            "",
        ));
        format!("{code} {complaint}")
    };
    let serve = |more: &[&str]| complaint(&[&["serve"], more].concat(), "ntlm");
    let connect = |more: &[&str]| complaint(&[&["connect", "127.0.0.1:1"], more].concat(), "ntlm");
    for (found, expected) in [
        (
            serve(&[]),
            "2 error: --package ntlm needs --ntlm-users FILE",
        ),
        (
            serve(&["--ntlm-users", "/nowhere/users"]),
            "3 error: cannot read the file of users",
        ),
        (
            serve(&["--ntlm-users", users.to_str().unwrap()]),
            "line 1: the password is empty",
        ),
        (
            serve(&["--ntlm-users", empty.to_str().unwrap()]),
            "there is none",
        ),
        (
            connect(&[]),
            "2 error: --package ntlm needs --user 'DOMAIN\\name'",
        ),
        (
            connect(&["--user", "A\\B\\C"]),
            "2 error: the user \"A\\B\\C\"",
        ),
        (
            connect(&["--user", ALICE, "--target", "?"]),
            "2 error: the target",
        ),
        (
            connect(&["--user", ALICE, "--password-stdin"]),
            "standard input holds no password",
        ),
        (
            complaint(&["serve"], "kerberos"),
            "2 error: --package kerberos needs --keytab PATH",
        ),
        (
            complaint(&["connect", "127.0.0.1:1"], "kerberos"),
            "2 error: --package kerberos needs --target SPN",
        ),
    ] {
        assert!(found.contains(expected), "{expected} in {found}");
    }
}

#[test]
fn a_user_may_be_known_by_the_hash_of_the_password() {
    let users = Users::of("EXAMPLE\\carol:cfc43211ba8dc470832267827cac1407\n");
    let server = Server::start(&users.path(), &[]);
    let message = ["--message", "m"];
    succeed(&server.connect("example\\CAROL", "correct horse", &message));
    assert_eq!(
        fail(&server.connect("EXAMPLE\\carol", "correct hors", &message)).0,
        1
    );
}

/// The three messages.
fn messages() -> [Vec<u8>; 3] {
    let mut system = SystemEnvironment::new();
    let name = AccountName::parse(ALICE).unwrap();
    let credential = NtlmCredential::with_password(name, &Password::from(PASSWORD));
    let mut initiator = Initiator::new(credential);
    let names = ServerNames::new("WWW", "EXAMPLE").unwrap();
    let mut acceptor = Acceptor::new(&AcceptorCredential::new(names));
    let mut step = |token: Option<&[u8]>, initiates: bool| {
        let environment = &mut system.environment();
        let step = match initiates {
            true => initiator.step(token, environment),
            false => acceptor.step(token, environment),
        };
        match step.unwrap() {
            Step::Continue { token }
            | Step::Established {
                token: Some(token), ..
            } => token,
            other => panic!("{other:?}"),
        }
    };
    let negotiate = step(None, true);
    let challenge = step(Some(&negotiate), false);
    let authenticate = step(Some(&challenge), true);
    [negotiate, challenge, authenticate]
}

#[test]
fn inspect_shows_the_messages_in_every_notation_and_no_response() {
    let base64 = data_encoding::BASE64;
    let [negotiate, challenge, authenticate] = messages();
    for (message, header, said) in [
        (&negotiate, "Authorization: NTLM ", "NEGOTIATE"),
        (&challenge, "WWW-Authenticate: NTLM ", "\"WWW\""),
        (&authenticate, "authorization: ntlm ", "\"alice\""),
    ] {
        let text = base64.encode(message);
        let hexadecimal: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
        for notation in [format!("{header}{text}"), text, hexadecimal] {
            let printed = succeed(&with_input(&["inspect"], &notation));
            assert!(
                printed.contains("NTLM message") && printed.contains(said),
                "{printed}"
            );
            // Responses are as good as passwords to those who search.
            assert!(!printed.contains(&secret(&authenticate)), "{printed}");
        }
    }
    let output = with_input(&["inspect"], &base64.encode(&authenticate[..70]));
    assert_eq!(fail(&output).0, 1);
}

/// The beginning of the proof in an AUTHENTICATE message, in hexadecimal.
fn secret(authenticate: &[u8]) -> String {
    let message = countersign::token::ntlm::AuthenticateMessage::parse(authenticate).unwrap();
    let proof = &message.nt_response[..8];
    proof.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(feature = "ntlm-v1")]
#[test]
fn ntlm_v1_has_to_be_named_together_with_the_lack_of_a_mic() {
    let users = Users::new();
    let users = users.path();
    let serve = |more: &[&str]| {
        let arguments = [
            "serve",
            "--listen",
            "nowhere.invalid:1",
            "--package",
            "ntlm",
        ];
        let users = [
            "--ntlm-users",
            users.to_str().unwrap(),
            "--ntlm-dangerous-v1",
        ];
        fail(&with_input(&[&arguments, &users[..], more].concat(), ""))
    };
    let (code, complaint) = serve(&[]);
    assert!(
        code == 2 && complaint.contains("--ntlm-mic if-present"),
        "{complaint}"
    );
    assert_eq!(serve(&["--ntlm-mic", "if-present"]).0, 3);
}
