//! Rows of `countersign realm`: MIT's programs get their tickets from our KDC and use them.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use crate::Result;
use crate::lab::Lab;
use crate::process::{PATIENCE, Running, free_port};
use crate::row::{Role, Row};
use crate::sample::countersign;

/// Enctypes by the name of the matrix and the one that klist prints.
const ENCTYPES: [(&str, &str); 4] = [
    ("aes256-sha1", "aes256-cts-hmac-sha1-96"),
    ("aes128-sha1", "aes128-cts-hmac-sha1-96"),
    ("aes256-sha2", "aes256-cts-hmac-sha384-192"),
    ("aes128-sha2", "aes128-cts-hmac-sha256-128"),
];

const SERVICE: &str = "host/localhost";

/// What a row does with the realm.
type Exchange = fn(&Realm<'_>, &str) -> Result<()>;

const EXCHANGES: [(&str, Exchange); 9] = [
    ("kinit, kvno", ticket),
    ("kinit, wrong password", wrong_password),
    ("kinit -k", by_keytab),
    ("kinit -T", armored),
    ("kinit -R", renewed),
    ("kvno --u2u", user_to_user),
    ("kvno -U", for_a_user),
    ("kpasswd", password_changed),
    ("gss-client, gss-server", contexts),
];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (enctype, printed) in ENCTYPES {
        for (protection, exchange) in EXCHANGES {
            rows.push(Row {
                peer: "MIT's programs",
                role: Role::Realm,
                enctype,
                protection,
                skip: None,
                run: Box::new(move |lab| exchange(&Realm::start(lab, enctype)?, printed)),
            });
        }
    }
    rows
}

/// A running realm with its files: users alice and bob, one service.
struct Realm<'a> {
    lab: &'a Lab,
    folder: PathBuf,
    _kdc: Running,
}

impl<'a> Realm<'a> {
    fn start(lab: &'a Lab, enctype: &str) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = lab.scratch(&format!("our-realm-{number}"));
        fs::create_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let users = folder.join("users");
        fs::write(&users, "alice:open sesame\nbob:pass\n").map_err(|e| e.to_string())?;
        let mut command = Command::new(countersign()?);
        command.args(["realm", "--json", "--realm", "OUR.TEST", "--for", "120"]);
        command.args(["--enctype", enctype, "--service", SERVICE, "--users-from"]);
        command.arg(users);
        command.arg("--keytab").arg(folder.join("keytab"));
        command.arg("--krb5-conf").arg(folder.join("krb5.conf"));
        let mut kdc = Running::start(&mut command)?;
        kdc.wait_for_output(|output| output.contains("\"event\":\"realm\"").then_some(()))?;
        Ok(Self {
            lab,
            folder,
            _kdc: kdc,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn keytab(&self) -> String {
        format!("FILE:{}", self.path("keytab").display())
    }

    /// A program that knows nothing but this realm.
    fn command(&self, program: impl AsRef<Path>, cache: &str) -> Command {
        let mut command = self.lab.command(program);
        command
            .env("KRB5_CONFIG", self.path("krb5.conf"))
            .env("KRB5CCNAME", format!("FILE:{}", self.path(cache).display()))
            // Its answers are compared.
            .env("LC_ALL", "C");
        command
    }

    /// Runs a program with that input to its success.
    fn run(&self, cache: &str, program: &str, arguments: &[&str], input: &str) -> Result<String> {
        let mut command = self.command(program, cache);
        let (succeeded, output) = finish(command.args(arguments), input)?;
        match succeeded {
            true => Ok(output),
            false => Err(format!("{program} {}: {output}", arguments.join(" "))),
        }
    }

    fn log_on(&self, cache: &str, user: &str, password: &str, options: &[&str]) -> Result<()> {
        let arguments = [options, &[user]].concat();
        let input = format!("{password}\n");
        self.run(cache, "kinit", &arguments, &input).map(drop)
    }

    /// What klist prints of the cache, which must have each of `wanted`.
    fn holds(&self, cache: &str, wanted: &[&str]) -> Result<()> {
        let listed = self.run(cache, "klist", &["-ef"], "")?;
        match wanted.iter().find(|text| !listed.contains(**text)) {
            Some(missing) => Err(format!("klist shows no {missing}:\n{listed}")),
            None => Ok(()),
        }
    }
}

/// Whether the program succeeded, and what it printed.
fn finish(command: &mut Command, input: &str) -> Result<(bool, String)> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start {}: {e}", command.get_program().display()))?;
    if let Some(mut pipe) = child.stdin.take() {
        // A program that ends before it has read everything says why.
        let _ = pipe.write_all(input.as_bytes());
    }
    let start = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|e| e.to_string())? {
            Some(status) => break status,
            None if start.elapsed() > PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{} hangs", command.get_program().display()));
            }
            None => std::thread::sleep(std::time::Duration::from_millis(2)),
        }
    };
    let mut output = String::new();
    if let Some(mut pipe) = child.stdout.take() {
        let _ = pipe.read_to_string(&mut output);
    }
    if let Some(mut pipe) = child.stderr.take() {
        let _ = pipe.read_to_string(&mut output);
    }
    Ok((status.success(), output))
}

fn ticket(realm: &Realm<'_>, enctype: &str) -> Result<()> {
    realm.log_on("cache", "alice", "open sesame", &["-f"])?;
    realm.run("cache", "kvno", &[SERVICE], "")?;
    let both = format!("Etype (skey, tkt): {enctype}, {enctype}");
    realm.holds(
        "cache",
        &["krbtgt/OUR.TEST@OUR.TEST", "host/localhost@OUR.TEST", &both],
    )
}

fn wrong_password(realm: &Realm<'_>, _: &str) -> Result<()> {
    match realm.log_on("cache", "alice", "open sesam", &[]) {
        Err(said) if said.contains("Password incorrect") => {}
        other => return Err(format!("not the refusal of a password: {other:?}")),
    }
    realm.log_on("cache", "alice", "open sesame", &[])
}

fn by_keytab(realm: &Realm<'_>, enctype: &str) -> Result<()> {
    realm.run(
        "cache",
        "kinit",
        &["-k", "-t", &realm.keytab(), SERVICE],
        "",
    )?;
    realm.holds(
        "cache",
        &["Default principal: host/localhost@OUR.TEST", enctype],
    )
}

fn armored(realm: &Realm<'_>, _: &str) -> Result<()> {
    realm.log_on("armor", "alice", "open sesame", &[])?;
    let armor = realm.path("armor").display().to_string();
    realm.log_on("cache", "bob", "pass", &["-T", &armor])?;
    // MIT notes that the KDC knows FAST only when it has proved so itself.
    let listed = realm.run("cache", "klist", &["-C"], "")?;
    if !listed.contains("fast_avail") || !listed.contains("pa_type") {
        return Err(format!("there was no FAST:\n{listed}"));
    }
    match realm.log_on("cache", "bob", "wrong", &["-T", &armor]) {
        Err(said) if said.contains("Password incorrect") => {}
        other => return Err(format!("not the refusal of a password: {other:?}")),
    }
    // The request for a service ticket goes through FAST too.
    realm.run("cache", "kvno", &[SERVICE], "").map(drop)
}

fn renewed(realm: &Realm<'_>, _: &str) -> Result<()> {
    realm.log_on("cache", "alice", "open sesame", &["-l", "1h"])?;
    match realm.run("cache", "kinit", &["-R"], "") {
        Err(said) if said.contains("renew") || said.contains("fulfill") => {}
        other => return Err(format!("a ticket that is not renewable: {other:?}")),
    }
    realm.log_on("cache", "alice", "open sesame", &["-l", "1h", "-r", "5h"])?;
    realm.run("cache", "kinit", &["-R"], "")?;
    realm.holds("cache", &["renew until", "Flags: R"])
}

fn user_to_user(realm: &Realm<'_>, _: &str) -> Result<()> {
    realm.log_on("alice", "alice", "open sesame", &[])?;
    realm.log_on("bob", "bob", "pass", &[])?;
    let of = |cache: &str| realm.path(cache).display().to_string();
    realm.run("alice", "kvno", &["--u2u", &of("bob"), "bob"], "")?;
    realm.holds("alice", &["bob@OUR.TEST"])?;
    // alice's own ticket is not bob's.
    match realm.run(
        "alice",
        "kvno",
        &["--u2u", &of("alice"), "alice", "bob"],
        "",
    ) {
        Err(_) => Ok(()),
        Ok(said) => Err(format!("the second ticket is another's: {said}")),
    }
}

fn for_a_user(realm: &Realm<'_>, _: &str) -> Result<()> {
    realm.run(
        "cache",
        "kinit",
        &["-k", "-t", &realm.keytab(), SERVICE],
        "",
    )?;
    realm.run(
        "cache",
        "kvno",
        &["-U", "alice", "-k", &realm.keytab(), SERVICE],
        "",
    )?;
    realm.holds("cache", &["for client alice@OUR.TEST"])?;
    match realm.run("cache", "kvno", &["-U", "nobody", SERVICE], "") {
        Err(_) => Ok(()),
        Ok(said) => Err(format!("there is no such user: {said}")),
    }
}

fn password_changed(realm: &Realm<'_>, _: &str) -> Result<()> {
    let said = realm.run("cache", "kpasswd", &["alice"], "open sesame\nnext\nnext\n")?;
    if !said.contains("Password changed") {
        return Err(said);
    }
    if realm.log_on("cache", "alice", "open sesame", &[]).is_ok() {
        return Err("the old password is still good".into());
    }
    realm.log_on("cache", "alice", "next", &[])
}

fn contexts(realm: &Realm<'_>, _: &str) -> Result<()> {
    realm.log_on("cache", "alice", "open sesame", &[])?;
    let port = free_port()?;
    let mut server = realm.command("gss-server", "none");
    server.args(["-port", &port.to_string(), "-keytab", &realm.keytab()]);
    server.args(["-once", "host@localhost"]);
    let mut server = Running::start(&mut server)?;
    server.wait_for_port(port)?;
    let client = [
        "-port",
        &port.to_string(),
        "127.0.0.1",
        "host@localhost",
        "a message",
    ];
    realm.run("cache", "gss-client", &client, "")?;
    let (_, said) = server.finish()?;
    match said.contains("\"alice@OUR.TEST\"") && said.contains("Received message: \"a message\"") {
        true => Ok(()),
        false => Err(format!("gss-server: {said}")),
    }
}
