//! krb5.conf as MIT krb5's own library reads it, and as ours does.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use countersign_context::credential::Krb5Conf;
use countersign_handshake::configuration;

use crate::Result;
use crate::lab::Lab;
use crate::row::{Role, Row};

/// Files whose reading is worth comparing, whole and altered.
const FILES: &[&str] = &[
    "[a]\nb = 1\n[a]\nb = 2\n",
    "[a]\nx = {\n b = 1\n}\nx = {\n b = 2\n y = {\n  c = 3\n }\n}\n",
    "[a]*\nb* = 1\nb = 2\nx = {\n c = 3\n}*\n[d]\n",
    "[a]\nx = {\n b=1\n",
    "[a]\nx =\n { junk\nb=1\n} junk\n",
    "[a]\nx =\n\n{\n}\n",
    "text\n [a]\nb=1\n[c]\n d = \"q\\n\\x\\\"z\" trailing\n e = \"unterminated\n f = v ; c # d \t\n",
    "[a]\nb c = 1\n",
    "[a]\n = 1\n",
    "[a] ; comment\nb = 1\n",
    "[a]\n}\n",
    "[a]\nx = {\n[b]\n}\n",
    "[a]\r\nb = 1\r\nc = { \r\n d = e \r\n }\r\n",
    "[a]\nb**c = 1\nd = {z}\nd = x = y\n",
    "module foo:bar\n[a]\nb=1\n",
    "[]\nb=1\n\n# c\n\t; d\n",
    "[libdefaults]\n\tdefault_realm = A.TEST\n[realms]\n\tA.TEST = {\n\t\tkdc = a\n\t\tkdc = b:88\n\t}\n\
     [domain_realm]\n\t.a.test = A.TEST\n[capaths]\n\tA = {\n\t\tB = .\n\t}\n",
];

/// How often each file is altered.
const ALTERATIONS: u32 = 40;

pub(super) fn rows() -> Vec<Row> {
    let row = |protection, run: fn(&Lab) -> Result<()>| Row {
        peer: "libkrb5 profile",
        role: Role::Initiator,
        enctype: "aes256-sha1",
        protection,
        skip: None,
        run: Box::new(run),
    };
    vec![
        row("krb5.conf read alike", whole),
        row("altered krb5.conf alike", altered),
        row("several files and folders", several),
    ]
}

struct Peer<'l> {
    lab: &'l Lab,
    program: std::path::PathBuf,
}

impl<'l> Peer<'l> {
    fn build(lab: &'l Lab) -> Result<Self> {
        let program = lab.scratch("profile_peer");
        if !program.exists() {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/build.sh");
            let built = Command::new(script)
                .arg(&program)
                .arg("profile_peer.c")
                .status();
            if !built.is_ok_and(|status| status.success()) {
                return Err("tests/peers/build.sh could not compile profile_peer.c".into());
            }
        }
        Ok(Self { lab, program })
    }

    /// Everything in the files, a line a value; `None` where they are refused.
    fn read(&self, paths: &str) -> Result<Option<String>> {
        let output = self.lab.command(&self.program).arg(paths).output();
        let output = output.map_err(|e| e.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok((text.trim() != "error").then(|| sorted(&text)))
    }

    fn compare(&self, paths: &str) -> Result<()> {
        let theirs = self.read(paths)?;
        let ours = configuration::load(paths.split(':'));
        let ours = ours.map(|conf| sorted(&everything(&conf)));
        match (theirs, ours) {
            (None, Err(_)) => Ok(()),
            (Some(theirs), Ok(ours)) if theirs == ours => Ok(()),
            (theirs, ours) => Err(format!("theirs {theirs:?}, ours {ours:?}")),
        }
    }
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    // Values of one relation keep their order; a stable sort by the names does.
    lines.sort_by_key(|line| line.rsplit_once(' ').map_or("", |(names, _)| names));
    lines.join("\n")
}

fn everything(conf: &Krb5Conf) -> String {
    fn walk(conf: &Krb5Conf, path: &mut Vec<String>, out: &mut String) {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        if !path.is_empty() {
            for relation in conf.relation_names(&names) {
                let mut full = names.clone();
                full.push(relation);
                for value in conf.values(&full) {
                    for part in full.iter().copied().chain([value]) {
                        out.push('x');
                        for byte in part.bytes() {
                            let _ = write!(out, "{byte:02x}");
                        }
                        out.push(' ');
                    }
                    out.pop();
                    out.push('\n');
                }
            }
        }
        let sections: Vec<String> = conf
            .section_names(&names)
            .into_iter()
            .map(String::from)
            .collect();
        for section in sections {
            path.push(section);
            walk(conf, path, out);
            path.pop();
        }
    }
    let mut out = String::new();
    walk(conf, &mut Vec::new(), &mut out);
    out
}

fn write(lab: &Lab, name: &str, bytes: &[u8]) -> Result<String> {
    let path = lab.scratch(name);
    std::fs::write(&path, bytes).map_err(|e| e.to_string())?;
    Ok(path.to_string_lossy().into_owned())
}

fn whole(lab: &Lab) -> Result<()> {
    let peer = Peer::build(lab)?;
    for text in FILES {
        let path = write(lab, "profile.conf", text.as_bytes())?;
        peer.compare(&path).map_err(|e| format!("{text:?}: {e}"))?;
    }
    Ok(())
}

/// Bytes from the alphabet of the syntax put in, taken out and exchanged, the same on every run.
fn altered(lab: &Lab) -> Result<()> {
    const ALPHABET: &[u8] = b"[]{}=*\"\\;# \t\r\nab";
    let peer = Peer::build(lab)?;
    let mut state = 1u64;
    let mut random = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap_or(0) % below.max(1)
    };
    for text in FILES {
        for _ in 0..ALTERATIONS {
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..=random(3) {
                let letter = ALPHABET
                    .get(random(ALPHABET.len()))
                    .copied()
                    .unwrap_or(b' ');
                let at = random(bytes.len());
                match random(3) {
                    0 => bytes.insert(at, letter),
                    1 if !bytes.is_empty() => drop(bytes.remove(at)),
                    _ => {
                        if let Some(byte) = bytes.get_mut(at) {
                            *byte = letter;
                        }
                    }
                }
            }
            let path = write(lab, "profile.conf", &bytes)?;
            let shown = String::from_utf8_lossy(&bytes);
            peer.compare(&path).map_err(|e| format!("{shown:?}: {e}"))?;
        }
    }
    Ok(())
}

fn several(lab: &Lab) -> Result<()> {
    let peer = Peer::build(lab)?;
    let folder = lab.scratch("profile.d");
    std::fs::create_dir_all(folder.join("sub")).map_err(|e| e.to_string())?;
    for (name, text) in [
        ("b.conf", "[a]\nz = 2\n"),
        ("a", "junk\n[a]\nz = 1\nx = {\n y = 1\n"),
        (".c.conf", "[a]\nz = 3\n"),
        ("a~", "[a]\nz = 4\n"),
        ("d.CONF", "[a]\nz = 5\n"),
    ] {
        write(lab, &format!("profile.d/{name}"), text.as_bytes())?;
    }
    let folder = folder.display();
    let including = format!("includedir {folder}\n[a]\nq = 1\ninclude {folder}/b.conf\nw = 1\n");
    let one = write(lab, "one.conf", including.as_bytes())?;
    let two = write(
        lab,
        "two.conf",
        b"[a]\nz* = 9\nf = 1\n[s]*\nx = 1\n[t]\nu = {\n v = 1\n}*\n",
    )?;
    let three = write(
        lab,
        "three.conf",
        b"[a]\nz = 8\nf = 2\n[s]\nx = 2\ny = 2\n[t]\nu = {\n v = 2\n}\nw = 2\n",
    )?;
    let own = lab.scratch("loop.conf");
    let looping = write(
        lab,
        "loop.conf",
        format!("include {}\n", own.display()).as_bytes(),
    )?;
    let absent = write(lab, "absent.conf", b"include /nonexistent\n")?;
    for paths in [
        one.clone(),
        format!("{one}:{two}:{three}"),
        format!("{three}:{two}:{one}"),
        format!("{two}:/nonexistent:{three}"),
        "/nonexistent".to_owned(),
        looping,
        absent,
    ] {
        peer.compare(&paths).map_err(|e| format!("{paths}: {e}"))?;
    }
    Ok(())
}
