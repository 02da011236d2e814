//! `countersign realm` as people and scripts run it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use countersign::credential::Keytab;
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign");
const SPN: &str = "HTTP/web.example.com";

/// A folder of its own, gone in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign-realm-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that is left behind in a temporary place does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn command(folder: &Folder, more: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .args(["realm", "--realm", "EXAMPLE.COM", "--keytab"])
        .arg(folder.path("keytab"))
        .args(more)
        .stdin(Stdio::null());
    command
}

fn refused(folder: &Folder, more: &[&str]) -> Output {
    let output = command(folder, more).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{more:?}");
    output
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn realm_says_what_it_serves_and_writes_files_for_their_owner_only() {
    let folder = Folder::new();
    let conf = folder.path("krb5.conf");
    // An older keytab that anybody may read is replaced, not filled.
    fs::write(folder.path("keytab"), b"old").unwrap();
    let arguments = [
        "--user",
        "alice:open sesame",
        "--service",
        SPN,
        "--json",
        "--krb5-conf",
    ];
    let mut child = command(&folder, &arguments)
        .arg(&conf)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let mut child = Ended(child);
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["realm"], "EXAMPLE.COM");
    assert_eq!(event["users"][0], "alice");
    assert_eq!(event["services"][0], SPN);

    let address: SocketAddr = event["kdc"].as_str().unwrap().parse().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(&[0x80, 0, 0, 0]).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    // [APPLICATION 30]: a KRB-ERROR.
    assert_eq!(answer[4], 0x7e);

    let keytab = fs::read(folder.path("keytab")).unwrap();
    let keytab = Keytab::parse(&keytab).unwrap();
    assert_eq!(
        keytab.principals().next().unwrap().to_string(),
        format!("{SPN}@EXAMPLE.COM")
    );
    let text = fs::read_to_string(&conf).unwrap();
    assert!(text.contains(&format!("kdc = {address}")));
    assert!(text.contains("web.example.com = EXAMPLE.COM"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for path in [folder.path("keytab"), conf] {
            assert_eq!(
                fs::metadata(path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }
    // Nothing is left beside them.
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 2);

    child.0.kill().unwrap();
    let mut complaints = String::new();
    child
        .0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut complaints)
        .unwrap();
    assert!(complaints.contains("for development"));
    assert!(!line.contains("sesame") && !complaints.contains("sesame"));
}

#[test]
fn realm_ends_by_itself_when_told_and_takes_passwords_from_a_file() {
    let folder = Folder::new();
    fs::write(folder.path("users"), "alice:open:sesame\n\nbob:x\n").unwrap();
    let users = folder.path("users");
    let output = command(
        &folder,
        &["--users-from", &users, "--service", SPN, "--for", "0"],
    );
    let output = { output }.output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("user alice\nuser bob\nservice HTTP/web.example.com\n"));
    assert!(!text.contains("sesame"));
}

#[test]
fn realm_keys_are_new_every_time() {
    let folder = Folder::new();
    let keytab = || {
        let status = command(&folder, &["--service", SPN, "--for", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        let keytab = Keytab::parse(&fs::read(folder.path("keytab")).unwrap()).unwrap();
        keytab.entries()[0].key().unwrap().expose().to_vec()
    };
    assert_ne!(keytab(), keytab());
}

#[test]
fn realm_refuses_what_it_cannot_follow_and_repeats_no_password() {
    let folder = Folder::new();
    let output = refused(&folder, &["--user", "sesame"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("sesame"));
    refused(&folder, &[]);
    refused(&folder, &["--user", "alice:a", "--user", "alice:b"]);
    refused(&folder, &["--user", "alice:a", "--enctype", "rot13"]);
    refused(&folder, &["--service", "a\\"]);
    assert!(!folder.0.join("keytab").exists());
}
