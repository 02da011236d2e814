//! The program as people and scripts run it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod inspect;
mod sessions;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
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
