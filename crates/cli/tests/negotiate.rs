//! `serve` and `connect` with Negotiate, on a realm of `countersign realm`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign");
const SPN: &str = "HTTP/web.example.com";
/// A port that nobody listens on: 1, tcpmux.
const NOBODY: &str = "127.0.0.1:1";

/// Ended with the test.
struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    fn event(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A realm, and a folder for its keytab and the users of NTLM.
struct Lab {
    folder: PathBuf,
    kdc: String,
    _realm: Program,
}

impl Lab {
    fn start() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign-negotiate-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("users"), "EXAMPLE:alice:battery staple\n").unwrap();
        let mut realm = Program::start(
            Command::new(PROGRAM)
                .args(["realm", "--realm", "EXAMPLE.COM", "--json"])
                .args(["--user", "alice:open sesame", "--service", SPN, "--keytab"])
                .arg(folder.join("keytab")),
        );
        let kdc = realm.event()["kdc"].as_str().unwrap().to_owned();
        Self {
            folder,
            kdc,
            _realm: realm,
        }
    }

    /// A server that has these mechanisms, and its address.
    fn serve(&self, mechanisms: &str) -> (Program, String) {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--listen", "127.0.0.1:0", "--json"]);
        command.args(["--package", "negotiate", "--mechanisms", mechanisms]);
        if mechanisms.contains("kerberos") {
            command.arg("--keytab").arg(self.folder.join("keytab"));
        }
        if mechanisms.contains("ntlm") {
            command.arg("--ntlm-users").arg(self.folder.join("users"));
        }
        let mut server = Program::start(&mut command);
        let address = server.event()["address"].as_str().unwrap().to_owned();
        (server, address)
    }

    /// What the client says of its context, or the error that it ends with.
    fn connect(&self, address: &str, mechanisms: &str, kdc: &str) -> Result<Value, String> {
        let mut command = Command::new(PROGRAM);
        command.args(["connect", address, "--json", "--target", SPN]);
        command.args(["--package", "negotiate", "--mechanisms", mechanisms]);
        command.args(["--password-stdin", "--message", "who goes there"]);
        if mechanisms.contains("kerberos") {
            command.args(["--principal", "alice@EXAMPLE.COM", "--realm", "EXAMPLE.COM"]);
            command.args(["--kdc", kdc, "--kdc-timeout", "5"]);
        }
        if mechanisms.contains("ntlm") {
            command.args(["--user", "EXAMPLE\\alice"]);
        }
        // A password a mechanism, in their order.
        let passwords = mechanisms.split(',').map(|mechanism| match mechanism {
            "kerberos" => "open sesame\n",
            _ => "battery staple\n",
        });
        let passwords: String = passwords.collect();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(passwords.as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        if output.status.success() {
            assert!(text.contains("\"answer\":\"who goes there\""), "{text}");
            Ok(serde_json::from_str(text.lines().next().unwrap()).unwrap())
        } else {
            Err(text + &String::from_utf8_lossy(&output.stderr))
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // A folder that is left behind in a temporary place does no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn the_clients_first_choice_comes_out_where_the_server_has_it() {
    let lab = Lab::start();
    let (mut server, address) = lab.serve("ntlm,kerberos");
    let context = lab.connect(&address, "kerberos,ntlm", &lab.kdc).unwrap();
    assert_eq!(context["package"], "kerberos");
    assert_eq!(context["peer"], "HTTP/web.example.com@EXAMPLE.COM");
    assert_eq!(context["negotiated"]["fallbacks"], Value::Array(Vec::new()));
    assert_eq!(server.event()["peer"], "alice@EXAMPLE.COM");
}

#[test]
fn another_choice_is_proved_and_none_in_common_is_refused() {
    let lab = Lab::start();
    let (mut server, address) = lab.serve("ntlm");
    let context = lab.connect(&address, "kerberos,ntlm", &lab.kdc).unwrap();
    assert_eq!(context["package"], "ntlm");
    assert_eq!(context["negotiated"]["proved"], true);
    assert_eq!(server.event()["peer"], "EXAMPLE\\alice");
    let error = lab.connect(&address, "kerberos", &lab.kdc).unwrap_err();
    assert!(error.contains("the acceptor refuses"), "{error}");
}

#[test]
fn without_a_kdc_ntlm_takes_its_place_where_it_is_offered_and_says_why() {
    let lab = Lab::start();
    let (_server, address) = lab.serve("kerberos,ntlm");
    let context = lab.connect(&address, "kerberos,ntlm", NOBODY).unwrap();
    assert_eq!(context["package"], "ntlm");
    let why = context["negotiated"]["fallbacks"][0].as_str().unwrap();
    assert!(why.contains("KDC"), "{why}");
    let error = lab.connect(&address, "kerberos", NOBODY).unwrap_err();
    assert!(error.contains("KDC"), "{error}");
}

#[test]
fn options_of_a_mechanism_that_is_not_offered_are_refused() {
    let output = Command::new(PROGRAM)
        .args(["serve", "--package", "negotiate", "--ntlm-users", "nobody"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("--mechanisms kerberos,ntlm"), "{text}");
}
