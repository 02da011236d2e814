//! The commands that obtain, show and remove credentials, against a KDC on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use countersign::handshake::{Clock, SystemClock};
use countersign_testkit::{Account, FixedClock, Kdc, KdcServer};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign");
const SERVICE: &str = "HTTP/www.example.com";

/// A realm with a KDC, and a folder for credentials that goes with it.
struct Lab {
    folder: PathBuf,
    server: KdcServer,
}

impl Lab {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign-credentials-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let clock = || FixedClock {
            seconds: SystemClock.now().seconds(),
            microseconds: SystemClock.now().microseconds(),
        };
        let kdc = Kdc::builder("EXAMPLE.COM")
            .clock(clock)
            .user("alice", "open sesame")
            .user("bob", "hunter2")
            .account(Account::service(SERVICE).ok_as_delegate())
            .build()
            .unwrap();
        let keytab = kdc.keytab(&[SERVICE]).unwrap();
        fs::write(folder.join("keytab"), &*keytab.to_bytes().unwrap()).unwrap();
        let keytab = kdc.keytab(&["alice"]).unwrap();
        fs::write(folder.join("alice.keytab"), &*keytab.to_bytes().unwrap()).unwrap();
        let server = kdc.serve("127.0.0.1:0").unwrap();
        let conf = format!(
            "[libdefaults]\n default_realm = EXAMPLE.COM\n[realms]\n EXAMPLE.COM = {{\n  \
             kdc = {}\n  kpasswd_server = {}\n }}\n",
            server.address(),
            server.password_address()
        );
        fs::write(folder.join("krb5.conf"), conf).unwrap();
        Self { folder, server }
    }

    /// Runs the program with these words and this input. It sees this lab's configuration and
    /// default cache in its environment.
    fn run(&self, words: &[&str], input: &str) -> Output {
        let mut child = Command::new(PROGRAM)
            .args(words)
            .current_dir(&self.folder)
            .env("KRB5_CONFIG", self.folder.join("krb5.conf"))
            .env("KRB5CCNAME", self.folder.join("default"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that reads nothing may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn succeed(&self, words: &[&str], input: &str) -> String {
        let output = self.run(words, input);
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}\n{text}\n{errors}");
        text
    }

    /// The exit code and what standard error says.
    fn fail(&self, words: &[&str], input: &str) -> (i32, String) {
        let output = self.run(words, input);
        assert!(!output.status.success(), "{words:?}");
        let errors = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), errors)
    }

    fn kinit(&self) {
        self.succeed(&["kinit", "alice", "--password-stdin"], "open sesame\n");
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // A folder that is left behind in a temporary place does no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_password_becomes_a_ticket_a_ticket_a_service_ticket_and_all_is_destroyed() {
    let lab = Lab::new();
    lab.kinit();
    let shown = lab.succeed(&["klist", "-e", "-f"], "");
    assert!(shown.contains("alice@EXAMPLE.COM"), "{shown}");
    assert!(shown.contains("krbtgt/EXAMPLE.COM@EXAMPLE.COM"), "{shown}");
    assert!(shown.contains("aes256-cts-hmac-sha384-192"), "{shown}");
    assert!(shown.contains("initial, pre-authent"), "{shown}");
    assert!(
        shown.lines().all(|line| line.chars().count() <= 80),
        "{shown}"
    );

    let got = lab.succeed(&["kvno", SERVICE, "-k", "keytab"], "");
    assert!(got.contains("kvno 1, the keytab opens it"), "{got}");
    let again = lab.succeed(&["kvno", SERVICE], "");
    assert!(again.contains("from the cache"), "{again}");
    assert!(lab.run(&["klist", "-s"], "").status.success());

    lab.succeed(&["kdestroy"], "");
    assert_eq!(lab.fail(&["klist"], "").0, 3);
    assert_eq!(lab.run(&["klist", "-s"], "").status.code(), Some(1));
}

#[test]
fn kinit_takes_a_keytab_a_named_kdc_and_the_options_that_people_know() {
    let lab = Lab::new();
    let address = lab.server.address().to_string();
    let named = ["kinit", "alice", "-t", "alice.keytab", "-c", "FILE:other"];
    let wishes = ["-f", "-p", "-r", "7d", "-l", "2h", "--json"];
    let where_to = ["--realm", "EXAMPLE.COM", "--kdc", &address];
    let words: Vec<&str> = named.into_iter().chain(wishes).chain(where_to).collect();
    let printed: Value = serde_json::from_str(&lab.succeed(&words, "")).unwrap();
    let number = |name: &str| printed[name].as_i64().unwrap();
    assert_eq!(number("expires") - number("starts"), 2 * 3600);
    assert!(number("renewable_until") - number("starts") > 6 * 24 * 3600);
    let flags = printed["flags"].to_string();
    for flag in ["forwardable", "proxiable", "renewable", "initial"] {
        assert!(flags.contains(flag), "{flags}");
    }
    let renew = ["kinit", "-R", "-c", "other", "--json"];
    let renewed: Value = serde_json::from_str(&lab.succeed(&renew, "")).unwrap();
    assert_eq!(renewed["renewable_until"], printed["renewable_until"]);
    lab.succeed(
        &["kinit", "alice", "-kt", "alice.keytab", "-c", "third"],
        "",
    );
    // The default cache was not touched.
    assert_eq!(lab.fail(&["klist"], "").0, 3);
}

#[test]
fn kinit_tells_a_wrong_password_an_unknown_user_and_a_dead_kdc_apart() {
    let lab = Lab::new();
    let (code, wrong) = lab.fail(&["kinit", "alice", "--password-stdin"], "guess\n");
    assert!(code == 1 && wrong.contains("password"), "{code} {wrong}");
    let (code, unknown) = lab.fail(&["kinit", "mallory", "--password-stdin"], "guess\n");
    assert!(
        code == 1 && unknown.contains("no such client"),
        "{code} {unknown}"
    );
    assert_eq!(lab.fail(&["kinit", "alice", "--password-stdin"], "\n").0, 2);
    let dead = [
        "kinit",
        "alice@EXAMPLE.COM",
        "--password-stdin",
        "--realm",
        "EXAMPLE.COM",
    ];
    let dead: Vec<&str> = dead.into_iter().chain(["--kdc", "127.0.0.1:1"]).collect();
    assert_eq!(lab.fail(&dead, "open sesame\n").0, 3);
    let nowhere = ["kinit", "alice", "--password-stdin", "-c", "absent/cc"];
    let (code, folder) = lab.fail(&nowhere, "open sesame\n");
    assert!(code == 3 && folder.contains("folder"), "{code} {folder}");
    // Nothing of all that left a cache behind; the right password does.
    assert_eq!(lab.fail(&["klist"], "").0, 3);
    lab.kinit();
    lab.succeed(&["klist"], "");
}

#[test]
fn kinit_in_armor_needs_a_ticket_to_make_it_of() {
    let lab = Lab::new();
    let (code, missing) = lab.fail(
        &["kinit", "bob", "--password-stdin", "-T", "armor"],
        "hunter2\n",
    );
    assert!(code == 3 && missing.contains("armor"), "{code} {missing}");
    lab.succeed(
        &["kinit", "alice", "--password-stdin", "-c", "armor"],
        "open sesame\n",
    );
    lab.succeed(
        &["kinit", "bob", "--password-stdin", "-T", "armor"],
        "hunter2\n",
    );
    let (code, wrong) = lab.fail(
        &["kinit", "bob", "--password-stdin", "-T", "armor"],
        "guess\n",
    );
    assert!(code == 1 && wrong.contains("password"), "{code} {wrong}");
}

#[test]
fn a_trace_shows_every_exchange_and_no_password() {
    let lab = Lab::new();
    let words = ["kinit", "alice", "--password-stdin", "--trace"];
    let output = lab.run(&words, "open sesame\n");
    assert!(output.status.success());
    let trace = String::from_utf8(output.stderr).unwrap();
    for message in ["AS-REQ", "KRB-ERROR", "AS-REP", "PA-ENC-TIMESTAMP"] {
        assert!(trace.contains(message), "{message}\n{trace}");
    }
    assert!(!trace.contains("open sesame"), "{trace}");
    assert!(
        trace.lines().all(|line| line.chars().count() <= 80),
        "{trace}"
    );
}

#[test]
fn kpasswd_changes_the_password_and_only_with_the_present_one() {
    let lab = Lab::new();
    let change = ["kpasswd", "alice", "--password-stdin"];
    assert_eq!(lab.fail(&change, "guess\nnew and longer\n").0, 1);
    lab.kinit();
    let said = lab.succeed(&change, "open sesame\nnew and longer\n");
    assert!(said.contains("is changed"), "{said}");
    let kinit = ["kinit", "alice", "--password-stdin"];
    assert_eq!(lab.fail(&kinit, "open sesame\n").0, 1);
    lab.succeed(&kinit, "new and longer\n");
}

#[test]
fn klist_shows_a_keytab_without_its_keys() {
    let lab = Lab::new();
    let shown = lab.succeed(&["klist", "-k", "keytab"], "");
    assert!(
        shown.contains("HTTP/www.example.com@EXAMPLE.COM"),
        "{shown}"
    );
    let printed = lab.succeed(&["klist", "-k", "keytab", "--json"], "");
    let value: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(value["entries"][0]["kvno"], 1);
    assert_eq!(value["entries"][0].as_object().unwrap().len(), 4);
    assert_eq!(lab.fail(&["klist", "-k", "absent"], "").0, 3);
}

#[test]
fn kvno_gets_user_to_user_tickets_and_refuses_to_store_on_demand() {
    let lab = Lab::new();
    lab.kinit();
    lab.succeed(
        &["kinit", "bob", "--password-stdin", "-c", "bobs"],
        "hunter2\n",
    );
    let words = ["kvno", "bob", "--u2u", "bobs", "--json", "--no-store"];
    let got: Value = serde_json::from_str(&lab.succeed(&words, "")).unwrap();
    assert_eq!(got["user_to_user"], true);
    assert!(!lab.succeed(&["klist"], "").contains("bob"));
    let (code, nobody) = lab.fail(&["kvno", "HTTP/nowhere.example.com"], "");
    assert!(nobody.contains("HTTP/nowhere.example.com"), "{nobody}");
    assert!(
        code == 1 && nobody.contains("no such service"),
        "{code} {nobody}"
    );
}

/// `countersign serve` for one connection.
fn serve(lab: &Lab) -> (std::process::Child, String) {
    use std::io::BufRead;
    let mut child = Command::new(PROGRAM)
        .args(["serve", "--listen", "127.0.0.1:0", "--once", "--keytab"])
        .arg(lab.folder.join("keytab"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    // Whoever serves goes on printing; somebody has to read it.
    std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
    let address = line
        .strip_prefix("listening on ")
        .unwrap()
        .trim()
        .to_owned();
    (child, address)
}

#[test]
fn connect_gets_its_ticket_for_a_password_a_keytab_or_a_ticket_granting_ticket() {
    let lab = Lab::new();
    lab.kinit();
    let ways: [(&[&str], &str); 4] = [
        (
            &["--principal", "alice", "--password-stdin"],
            "open sesame\n",
        ),
        (&["--principal", "alice", "--keytab", "alice.keytab"], ""),
        (&["--ccache", "default"], ""),
        (&[], ""),
    ];
    for (way, input) in ways {
        let (mut server, address) = serve(&lab);
        let mut words = vec![
            "connect",
            &address,
            "--target",
            SERVICE,
            "--message",
            "hello",
        ];
        words.extend(way);
        let said = lab.succeed(&words, input);
        assert!(said.contains("alice@EXAMPLE.COM"), "{said}");
        assert!(said.contains("hello"), "{said}");
        assert!(server.wait().unwrap().success());
    }
    let words = ["connect", "127.0.0.1:1", "--target", SERVICE];
    let (code, whose) = lab.fail(
        &[&words[..], &["--password-stdin"]].concat(),
        "open sesame\n",
    );
    assert!(code == 2 && whose.contains("--principal"), "{code} {whose}");
}

#[test]
fn connect_delegates_only_when_told() {
    let lab = Lab::new();
    for delegate in [true, false] {
        let (mut server, address) = serve(&lab);
        let mut words = vec!["connect", &address, "--target", SERVICE, "--json"];
        words.extend(["--principal", "alice", "--password-stdin"]);
        words.extend(delegate.then_some("--delegate"));
        let said = lab.succeed(&words, "open sesame\n");
        assert_eq!(said.contains("delegation"), delegate, "{said}");
        assert!(server.wait().unwrap().success());
    }
}
