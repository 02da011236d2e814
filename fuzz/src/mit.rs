//! MIT krb5's acceptor in a process of its own: `tests/peers/gss_peer.c`, whose opening comment is
//! the protocol. It is stopped at the realm's time by libfaketime.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use countersign_credential::{Keytab, KeytabEntry};
use countersign_crypto::Enctype;

use crate::realm;

/// The moment of [`realm::NOW`], in UTC.
const MOMENT: &str = "2023-11-14 22:13:20";

const CONFIGURATION: &str = "\
[libdefaults]
 default_realm = EXAMPLE.COM
 dns_lookup_realm = false
 dns_lookup_kdc = false
 allow_weak_crypto = true
 allow_rc4 = true
 permitted_enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96 aes256-cts-hmac-sha384-192 \
aes128-cts-hmac-sha256-128 camellia256-cts-cmac camellia128-cts-cmac arcfour-hmac
[realms]
 EXAMPLE.COM = {
 }
";

/// What it makes of a first token.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Refused(String),
    Waits,
    /// The exported name of the client (RFC 2743 3.2) behind its header.
    Established(Vec<u8>),
}

/// The process.
pub struct Acceptor {
    folder: PathBuf,
    running: Running,
}

struct Running {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Acceptor {
    /// Compiles and starts it, with the realm's keys.
    ///
    /// # Panics
    /// A compiler, MIT krb5's headers or libfaketime are not there: `tests/peers/install.sh mit`.
    pub fn start() -> Self {
        // libFuzzer ends without unwinding: what is written stays, in a folder that is there for that.
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = here.join("target").join("mit");
        std::fs::create_dir_all(&folder).expect("a folder for what is built");
        // Another process may be running the one that is there.
        let new = folder.join(format!("gss_peer-{}", std::process::id()));
        let build = here.join("../tests/peers/build.sh");
        let built = Command::new(build).arg(&new).status();
        assert!(
            built.is_ok_and(|status| status.success()),
            "gss_peer.c does not compile; run tests/peers/install.sh mit"
        );
        std::fs::rename(new, folder.join("gss_peer")).expect("a file");
        let entry =
            |enctype: &Enctype| KeytabEntry::new(realm::service(), 1, realm::service_key(*enctype));
        let keytab: Keytab = Enctype::ALL.iter().map(entry).collect();
        let bytes = keytab.to_bytes().expect("keys have a form");
        std::fs::write(folder.join("keytab"), &*bytes).expect("a file");
        std::fs::write(folder.join("krb5.conf"), CONFIGURATION).expect("a file");
        let running = Running::start(&folder);
        Self { folder, running }
    }

    /// A new context's verdict on a token. MIT krb5 1.20 ends with a signal on some credentials
    /// that are delegated: it is started anew then, and has refused.
    pub fn judge(&mut self, token: &[u8]) -> Verdict {
        self.running.judge(&self.folder, token).unwrap_or_else(|_| {
            let _ = self.running.child.wait();
            self.running = Running::start(&self.folder);
            Verdict::Refused("MIT's side has ended".to_owned())
        })
    }
}

impl Running {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(folder.join("gss_peer"))
            .env("LD_PRELOAD", faketime())
            .env("FAKETIME", MOMENT)
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("TZ", "UTC")
            .env("KRB5_CONFIG", folder.join("krb5.conf"))
            .env("KRB5RCACHENAME", "none:")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let (input, output) = (child.stdin.take(), child.stdout.take());
        Self {
            child,
            input: input.expect("a pipe"),
            output: output.expect("a pipe"),
        }
    }

    fn judge(&mut self, folder: &Path, token: &[u8]) -> std::io::Result<Verdict> {
        let keytab = folder.join("keytab");
        let line = format!("acceptor keytab=FILE:{}", keytab.display());
        let (started, _) = self.ask(&line, &[])?;
        assert!(started.starts_with("ok"), "{started}");
        let (stepped, _) = self.ask("step", token)?;
        Ok(match stepped.split(' ').nth(1) {
            Some("state=complete") => {
                let (exported, name) = self.ask("export-name which=source", &[])?;
                assert!(exported.starts_with("ok"), "{exported}");
                Verdict::Established(name)
            }
            Some("state=continue") => Verdict::Waits,
            _ => Verdict::Refused(stepped),
        })
    }

    /// The reply's line, and what stands behind it.
    fn ask(&mut self, line: &str, data: &[u8]) -> std::io::Result<(String, Vec<u8>)> {
        let mut frame = u32::try_from(line.len() + 1 + data.len())
            .expect("a short request")
            .to_be_bytes()
            .to_vec();
        frame.extend_from_slice(line.as_bytes());
        frame.push(b'\n');
        frame.extend_from_slice(data);
        self.input.write_all(&frame)?;
        let mut length = [0; 4];
        self.output.read_exact(&mut length)?;
        let mut reply = vec![0; u32::from_be_bytes(length) as usize];
        self.output.read_exact(&mut reply)?;
        let end = reply.iter().position(|&octet| octet == b'\n');
        let data = reply.split_off(end.map_or(reply.len(), |end| end + 1));
        Ok((String::from_utf8_lossy(&reply).trim_end().to_owned(), data))
    }
}

/// The library that stops the clock.
fn faketime() -> String {
    let output = Command::new("faketime")
        .args(["-f", "+0", "sh", "-c", "printf %s \"$LD_PRELOAD\""])
        .output()
        .expect("faketime is not there; run tests/peers/install.sh mit");
    String::from_utf8(output.stdout).expect("a path")
}

/// The text in an exported name of Kerberos: 04 01, a length and the identifier, a length and the
/// name (RFC 2743 3.2).
pub fn exported_text(name: &[u8]) -> Option<&[u8]> {
    let (_, rest) = name.split_at_checked(2)?;
    let (length, rest) = rest.split_first_chunk()?;
    let (_, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (length, text) = rest.split_first_chunk()?;
    (u32::from_be_bytes(*length) as usize == text.len()).then_some(text)
}
