//! The program as people and scripts run it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use countersign::credential::cache::Version;
use countersign::handshake::{Clock, SystemClock, SystemEnvironment};
use countersign::kerberos::Initiator;
use countersign::{Mechanism, Step};
use countersign_testkit::Realm;
use serde_json::Value;

const SERVICE: &str = "sentry/gate.example.com";
const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign");

fn realm(seed: u64) -> Realm {
    Realm::new("EXAMPLE.COM", seed).at(SystemClock.now().seconds())
}

/// A folder with a keytab and a credential cache, gone in the end.
struct Files(PathBuf);

impl Files {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("countersign-program-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        let files = Self(folder);
        let realm = realm(1);
        let keytab = realm.keytab(&[SERVICE]).unwrap();
        fs::write(files.path("keytab"), &*keytab.to_bytes().unwrap()).unwrap();
        // The same names and versions, other keys.
        let wrong = self::realm(2).keytab(&[SERVICE]).unwrap();
        fs::write(files.path("wrong.keytab"), &*wrong.to_bytes().unwrap()).unwrap();
        let cache = realm.cache("alice", [realm.ticket("alice", SERVICE).mint().unwrap()]);
        fs::write(files.path("ccache"), &*cache.to_bytes(Version::V4).unwrap()).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // A folder that is left behind in a temporary place does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `countersign serve`, ended with the test.
struct Server {
    child: Child,
    output: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Server {
    fn start(framing: &str, keytab: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--listen", "127.0.0.1:0", "--package", "kerberos"])
            .args(["--framing", framing, "--keytab"])
            .arg(keytab)
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = match line.strip_prefix("listening on ") {
            Some(address) => address.trim().to_owned(),
            None => {
                let event: Value = serde_json::from_str(&line).unwrap();
                assert_eq!(event["event"], "listening");
                event["address"].as_str().unwrap().to_owned()
            }
        };
        Self {
            child,
            output,
            address: address.parse().unwrap(),
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line
    }

    fn connect(&self, framing: &str, files: &Files, more: &[&str]) -> Output {
        Command::new(PROGRAM)
            .args([
                "connect",
                &self.address.to_string(),
                "--package",
                "kerberos",
            ])
            .args(["--target", SERVICE, "--framing", framing, "--ccache"])
            .arg(files.path("ccache"))
            .args(more)
            .output()
            .unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Success, and what was printed.
fn succeed(output: &Output) -> String {
    let (printed, complaints) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{printed}{complaints}");
    printed
}

/// The exit code and the complaint in one line.
fn fail(output: &Output) -> (i32, String) {
    let complaint = text(&output.stderr);
    for line in complaint.lines() {
        // Commands to be copied are left whole, and so are long words.
        let whole = line.contains("KRB5CCNAME=") || !line.trim().contains(' ');
        assert!(line.chars().count() <= 80 || whole, "{line}");
    }
    let words: Vec<_> = complaint.split_whitespace().collect();
    (output.status.code().unwrap(), words.join(" "))
}

fn fits_80_columns(printed: &str) {
    for line in printed.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

/// An AP-REQ of alice to the service.
fn request() -> Vec<u8> {
    let ticket = realm(1).ticket("alice", SERVICE).mint().unwrap();
    let step = Initiator::new(ticket).step(None, &mut SystemEnvironment::new().environment());
    match step.unwrap() {
        Step::Continue { token } => token,
        other => panic!("{other:?}"),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn demo_proves_mutual_authentication_with_every_enctype() {
    for enctype in [
        "aes256-cts-hmac-sha1-96",
        "aes128-cts-hmac-sha1-96",
        "aes256-cts-hmac-sha384-192",
        "aes128-cts-hmac-sha256-128",
        "camellia256-cts-cmac",
        "camellia128-cts-cmac",
    ] {
        let printed = succeed(&run(&["demo", "--enctype", enctype]));
        assert!(
            printed.ends_with("mutual authentication was proved\n"),
            "{printed}"
        );
        for said in [
            "AP-REQ", "AP-REP", "alice@", "sentry/", "mutual, ", "lifetime",
        ] {
            assert!(printed.contains(said), "{said} in\n{printed}");
        }
        fits_80_columns(&printed);
    }
}

#[test]
fn demo_tells_machines_the_same() {
    let printed = succeed(&run(&["demo", "--json"]));
    let events: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |kind| events.iter().filter(move |event| event["event"] == kind);
    let lengths = of("token")
        .filter(|token| token["length"].as_u64() > Some(0))
        .count();
    assert_eq!((lengths, of("message").count()), (2, 4));
    assert_eq!(of("verdict").next().unwrap()["proved"], true);
}

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
fn wrong_command_lines_and_missing_files_have_exit_codes_of_their_own() {
    let files = Files::new();
    let ccache = files.path("ccache").to_str().unwrap().to_owned();
    let keytab = files.path("keytab").to_str().unwrap().to_owned();
    let code = |arguments: &[&str]| fail(&run(arguments)).0;
    assert_eq!(code(&["demo", "--enctype", "rot13"]), 2);
    assert_eq!(code(&["frobnicate"]), 2);
    assert_eq!(code(&["serve", "--keytab", "/nowhere/keytab"]), 3);
    // A cache is no keytab.
    assert_eq!(code(&["serve", "--keytab", &ccache]), 2);
    assert_eq!(
        code(&[
            "serve",
            "--keytab",
            &keytab,
            "--listen",
            "nowhere.invalid:1"
        ]),
        3
    );
    let connect = |target: &str, address: &str| {
        code(&["connect", address, "--target", target, "--ccache", &ccache])
    };
    assert_eq!(connect("other/gate.example.com", "127.0.0.1:1"), 2);
    assert_eq!(connect(SERVICE, "nowhere.invalid:1"), 3);
}

#[test]
fn inspect_opens_every_part_of_a_request_with_the_keytab() {
    let files = Files::new();
    let keytab = files.path("keytab").to_str().unwrap().to_owned();
    let token = hexadecimal(&request());
    let printed = succeed(&run(&["inspect", &token]));
    assert!(
        printed.contains("AP-REQ") && !printed.contains("authtime"),
        "{printed}"
    );
    let opened = succeed(&run(&["inspect", &token, "--keytab", &keytab]));
    for part in ["EncTicketPart", "authtime", "Authenticator", "cusec"] {
        assert!(opened.contains(part), "{part} in\n{opened}");
    }
    fits_80_columns(&opened);
    let wrong = files.path("wrong.keytab").to_str().unwrap().to_owned();
    let output = run(&["inspect", &token, "--keytab", &wrong]);
    assert!(
        text(&output.stdout).contains("AP-REQ"),
        "what can be read is shown"
    );
    assert!(fail(&output).1.contains("does not decrypt"));
}

#[test]
fn inspect_never_shows_a_session_key() {
    let files = Files::new();
    let keytab = files.path("keytab").to_str().unwrap().to_owned();
    let ticket = realm(1).ticket("alice", SERVICE).mint().unwrap();
    let secret = hexadecimal(ticket.session_key().unwrap().expose());
    let token = hexadecimal(&request());
    let opened = succeed(&run(&["inspect", &token, "--keytab", &keytab]));
    assert!(
        !opened
            .replace(char::is_whitespace, "")
            .contains(&secret[..16]),
        "{opened}"
    );
}

#[test]
fn inspect_gives_offset_and_reason_of_bytes_that_do_not_decode() {
    let request = request();
    let cut = hexadecimal(&request[..request.len() - 1]);
    let output = run(&["inspect", "--json", &cut]);
    let parts: Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines = parts[0]["lines"].as_array().unwrap();
    assert!(
        lines
            .iter()
            .any(|line| line["error_offset"].is_u64() && line["error"].is_string())
    );
    assert_eq!(fail(&output).0, 1);
    // Control: whole, nothing is wrong with it.
    let printed = succeed(&run(&["inspect", "--json", &hexadecimal(&request)]));
    assert!(!printed.contains("error"));
}

#[test]
fn inspect_reads_bytes_and_text_from_standard_input() {
    let request = request();
    let header = format!("Authorization: Negotiate {}", hexadecimal(&request));
    for input in [
        request.clone(),
        hexadecimal(&request).into_bytes(),
        header.into_bytes(),
    ] {
        let mut child = Command::new(PROGRAM)
            .arg("inspect")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(succeed(&output).contains("AP-REQ"));
    }
}

#[test]
fn files_that_are_mixed_up_are_named_for_what_they_are() {
    let files = Files::new();
    let (keytab, ccache) = (files.path("keytab"), files.path("ccache"));
    let (keytab, ccache) = (keytab.to_str().unwrap(), ccache.to_str().unwrap());
    let connect = |ccache| {
        fail(&run(&[
            "connect",
            "127.0.0.1:1",
            "--target",
            SERVICE,
            "--ccache",
            ccache,
        ]))
    };
    let (code, complaint) = fail(&run(&["serve", "--keytab", ccache]));
    assert!(
        code == 2 && complaint.contains("is a credential cache"),
        "{complaint}"
    );
    let (code, complaint) = connect(keytab);
    assert!(
        code == 2 && complaint.contains("is a keytab"),
        "{complaint}"
    );
    let (code, complaint) = connect("ABC:0");
    assert!(code == 2 && complaint.contains("ABC:"), "{complaint}");
    // Control: the right file, and nobody there.
    assert_eq!(connect(ccache).0, 3);
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
fn complaints_that_nobody_reads_change_no_exit_code() {
    for hear in [true, false] {
        let mut child = Command::new(PROGRAM)
            .args(["inspect", "-"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().filter(|_| hear);
        child.stdin.take().unwrap().write_all(b"zz").unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(2), "{hear}");
        drop(stderr);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_no_success() {
    let inspect = |output: Stdio| {
        let mut command = Command::new(PROGRAM);
        let command = command.args(["inspect", &hexadecimal(&request())]);
        command.stdout(output).status().unwrap().code()
    };
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    assert_eq!(inspect(full.into()), Some(3));
    assert_eq!(inspect(Stdio::null()), Some(0));
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
