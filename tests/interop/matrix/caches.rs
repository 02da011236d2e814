//! Caches that we write and MIT krb5's programs read, and the reverse, at once too.

use std::fmt::Display;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;

use countersign_context::credential::{CredentialCache, Principal};
use countersign_handshake::cache::{CacheName, CacheStore, Caches, FileCache, load_keytab};

use crate::Result;
use crate::lab::Lab;
use crate::row::{Role, Row};

pub(super) fn rows() -> Vec<Row> {
    let row = |peer, protection, skip, run: fn(&Lab) -> Result<()>| Row {
        peer,
        role: Role::Initiator,
        enctype: "aes256-sha1",
        protection,
        skip,
        run: Box::new(run),
    };
    vec![
        row("libkrb5 caches", "FILE, both ways", None, file),
        row(
            "libkrb5 caches",
            "FILE, all write at once",
            None,
            file_at_once,
        ),
        row("libkrb5 caches", "DIR, both ways", None, folder),
        row(
            "libkrb5 caches",
            "KEYRING, both ways",
            no_keyring(),
            keyring,
        ),
        row("heimdal kcm", "KCM, both ways", None, kcm),
    ]
}

/// Why there are no keyrings here.
fn no_keyring() -> Option<&'static str> {
    let name = CacheName::parse("KEYRING:session:countersign-probe").ok()?;
    let opened = Caches::new().open(&name);
    opened
        .err()
        .map(|_| "KEYRING: this kernel or container permits no keyrings")
}

fn said<T>(result: Result<T, impl Display>) -> Result<T> {
    result.map_err(|error| error.to_string())
}

fn open(caches: &Caches, name: &str) -> Result<Arc<dyn CacheStore>> {
    said(caches.open(&said(name.parse())?)).map_err(|error| format!("{name}: {error}"))
}

/// The peer's programs.
struct Peer<'l> {
    lab: &'l Lab,
    /// A file that goes before the realm's own configuration.
    configuration: Option<PathBuf>,
}

fn plain(lab: &Lab) -> Peer<'_> {
    Peer {
        lab,
        configuration: None,
    }
}

impl Peer<'_> {
    fn command(&self, program: &str) -> Command {
        let mut command = self.lab.command(program);
        if let Some(first) = &self.configuration {
            let realm = self.lab.path("krb5.conf");
            command.env(
                "KRB5_CONFIG",
                format!("{}:{}", first.display(), realm.display()),
            );
        }
        command
    }
}

/// The tickets of the realm's user, as the peer's programs got them.
fn alice(lab: &Lab) -> Result<CredentialCache> {
    said(FileCache::new(lab.path("alice.ccache")).load())
}

fn run(command: &mut Command) -> Result<String> {
    let output = said(command.stdin(Stdio::null()).output())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let problem = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {text}{problem}"));
    }
    Ok(text)
}

/// What klist says of the cache, without the cache's name and in any order.
fn klist(peer: &Peer<'_>, name: &str) -> Result<Vec<String>> {
    let text = run(peer.command("klist").args(["-e", "-f", "-C", "-c", name]))?;
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("Ticket cache:"));
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort();
    Ok(lines)
}

/// klist sees in our copy what it sees in the original, and our copy works.
fn ours_to_theirs(peer: &Peer<'_>, cache: &dyn CacheStore) -> Result<()> {
    let name = cache.name().to_string();
    said(cache.replace(&alice(peer.lab)?))?;
    let original = peer.lab.path("alice.ccache").display().to_string();
    let (theirs, ours) = (klist(peer, &original)?, klist(peer, &name)?);
    if theirs != ours {
        return Err(format!("of the original: {theirs:#?}\nof ours: {ours:#?}"));
    }
    // With the session key in our cache a ticket that is not in it.
    run(peer
        .command("kvno")
        .args(["-c", &name, "krbtgt/COUNTERSIGN.TEST", "alice"]))?;
    Ok(())
}

/// What kinit writes is what we read.
fn theirs_to_ours(peer: &Peer<'_>, cache: &dyn CacheStore) -> Result<()> {
    let name = cache.name().to_string();
    let keytab = peer.lab.path("user.keytab");
    run(peer
        .command("kinit")
        .args(["-f", "-c", &name, "-k", "-t"])
        .arg(keytab)
        .arg("alice"))?;
    run(peer
        .command("kvno")
        .args(["-c", &name, "host/aes128-sha2.peer.test"]))?;
    let loaded = said(cache.load())?;
    let user = said(Principal::parse("alice@COUNTERSIGN.TEST"))?;
    let service = said(Principal::parse(
        "host/aes128-sha2.peer.test@COUNTERSIGN.TEST",
    ))?;
    if *loaded.default_principal() != user || loaded.ticket_granting_ticket().is_none() {
        return Err(format!("{name}: not alice's TGT"));
    }
    match loaded.find(&service) {
        Some(_) => Ok(()),
        None => Err(format!("{name}: the service's ticket is missing")),
    }
}

fn both_ways(peer: &Peer<'_>, cache: &dyn CacheStore) -> Result<()> {
    ours_to_theirs(peer, cache)?;
    theirs_to_ours(peer, cache)?;
    // Ours added to theirs.
    let more = alice(peer.lab)?;
    let count = said(cache.load())?.credentials().count();
    said(cache.store(more.entries()))?;
    let now = klist(peer, &cache.name().to_string())?;
    let listed = now
        .iter()
        .filter(|line| line.contains("@COUNTERSIGN.TEST"))
        .count();
    if listed <= count {
        return Err(format!("what we added is not seen: {now:#?}"));
    }
    Ok(())
}

fn file(lab: &Lab) -> Result<()> {
    let path = lab.scratch("ours.ccache");
    both_ways(&plain(lab), &FileCache::new(&path))?;
    said(load_keytab(lab.path("all.keytab")))?;
    run(lab.command("kdestroy").args(["-q", "-c"]).arg(&path))?;
    match path.exists() {
        true => Err("kdestroy did not find our cache".into()),
        false => Ok(()),
    }
}

/// The peer's programs and ours add to one cache at the same time: it is whole at every moment.
fn file_at_once(lab: &Lab) -> Result<()> {
    let path = lab.scratch("shared.ccache");
    let cache = FileCache::new(&path);
    let whole = alice(lab)?;
    let mut tgt = CredentialCache::new(whole.default_principal().clone());
    tgt.push(whole.ticket_granting_ticket().ok_or("no TGT")?.duplicate());
    said(cache.replace(&tgt))?;
    let mut theirs: Vec<Child> = Vec::new();
    for services in [
        ["host/aes256-sha1.peer.test", "host/aes128-sha1.peer.test"],
        ["host/aes256-sha2.peer.test", "host/aes128-sha2.peer.test"],
        ["host/camellia256.peer.test", "host/camellia128.peer.test"],
    ] {
        let mut command = lab.command("kvno");
        command.arg("-q").arg("-c").arg(&path).args(services);
        theirs.push(said(command.stdout(Stdio::null()).spawn())?);
    }
    for _ in 0..20 {
        for ticket in whole.credentials() {
            said(cache.store(core::slice::from_ref(ticket)))?;
        }
        said(cache.load())?;
    }
    for mut child in theirs {
        if !said(child.wait())?.success() {
            return Err("kvno failed beside us".into());
        }
    }
    let listed = klist(&plain(lab), &path.display().to_string())?;
    let missing = whole.credentials().find(|ticket| {
        !listed
            .iter()
            .any(|line| line.contains(&ticket.server.to_string()))
    });
    match missing {
        Some(ticket) => Err(format!("{} is missing: {listed:#?}", ticket.server)),
        None => Ok(()),
    }
}

fn folder(lab: &Lab) -> Result<()> {
    let folder = lab.scratch("collection");
    let collection = format!("DIR:{}", folder.display());
    let caches = Caches::new();
    both_ways(&plain(lab), &*open(&caches, &collection)?)?;
    in_a_collection(&plain(lab), &caches, &collection)
}

fn keyring(lab: &Lab) -> Result<()> {
    let caches = Caches::new();
    for anchor in ["session", "user"] {
        let collection = format!("KEYRING:{anchor}:countersign-{}", std::process::id());
        let cache = open(&caches, &collection)?;
        let tested = both_ways(&plain(lab), &*cache)
            .and_then(|()| in_a_collection(&plain(lab), &caches, &collection));
        for member in said(cache.collection())? {
            said(member.destroy())?;
        }
        tested.map_err(|error| format!("{anchor}: {error}"))?;
    }
    Ok(())
}

/// The peer lists our members, switches to one of them, and we see it.
fn in_a_collection(peer: &Peer<'_>, caches: &Caches, collection: &str) -> Result<()> {
    let first = open(caches, collection)?;
    let second = said(first.sibling())?;
    let other = said(Principal::parse("other@COUNTERSIGN.TEST"))?;
    said(second.initialize(&other))?;
    let listed = run(peer
        .command("klist")
        .arg("-l")
        .env("KRB5CCNAME", collection))?;
    for cache in [&first, &second] {
        let name = cache.name().to_string();
        // A long name is cut off.
        if !listed.contains(name.get(..20).unwrap_or(&name)) {
            return Err(format!("{name} is not listed:\n{listed}"));
        }
    }
    let primary = |expected: &dyn CacheStore| {
        let now = open(caches, collection)?.name();
        match now == expected.name() {
            true => Ok(()),
            false => Err(format!("primary is {now}, not {}", expected.name())),
        }
    };
    // Until somebody says which is the primary one, Heimdal's server says so itself.
    said(first.make_primary())?;
    primary(&*first)?;
    run(peer
        .command("kswitch")
        .args(["-p", "other@COUNTERSIGN.TEST"])
        .env("KRB5CCNAME", collection))?;
    primary(&*second)?;
    said(first.make_primary())?;
    let text = run(peer.command("klist").env("KRB5CCNAME", collection))?;
    if !text.contains("alice@COUNTERSIGN.TEST") {
        return Err(format!("the peer did not see our switch:\n{text}"));
    }
    said(second.destroy())
}

fn kcm(lab: &Lab) -> Result<()> {
    let server = KcmServer::start(&lab.scratch("kcm"))?;
    // The peer's programs learn of the socket from a file beside the realm's.
    let conf = lab.scratch("kcm.conf");
    let text = format!("[libdefaults]\n kcm_socket = {}\n", server.socket.display());
    said(std::fs::write(&conf, text))?;
    let caches = Caches::new().kcm_socket(&server.socket);
    let cache = open(&caches, "KCM:")?;
    let peer = Peer {
        lab,
        configuration: Some(conf),
    };
    both_ways(&peer, &*cache)?;
    in_a_collection(&peer, &caches, "KCM:")?;
    said(cache.destroy())
}

/// Heimdal's server of caches; its script stops it when standard input is closed.
struct KcmServer {
    script: Child,
    lifeline: Option<ChildStdin>,
    socket: PathBuf,
}

impl KcmServer {
    fn start(folder: &Path) -> Result<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/heimdal_kcm.sh");
        let mut script = said(
            Command::new(path)
                .arg(folder)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn(),
        )?;
        let lifeline = script.stdin.take();
        let mut first = String::new();
        if let Some(stdout) = script.stdout.take() {
            let _ = BufReader::new(stdout).read_line(&mut first);
        }
        let socket = std::fs::read_to_string(folder.join("socket")).unwrap_or_default();
        let server = Self {
            script,
            lifeline,
            socket: socket.into(),
        };
        match first.trim() {
            "ready" => Ok(server),
            _ => Err("tests/peers/heimdal_kcm.sh could not start the server".into()),
        }
    }
}

impl Drop for KcmServer {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _ = self.script.wait();
    }
}
