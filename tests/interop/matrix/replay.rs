//! Two of our servers, which are two processes, with one replay cache in a Redis that is real.

use std::net::TcpStream;
use std::process::Command;

use countersign_context::{ReplayQuery, ReplayVerdict};
use countersign_handshake::replay::RedisReplayCache;

use super::length::send;
use super::sample::Usual;
use crate::Result;
use crate::gss_peer::GssPeer;
use crate::lab::Lab;
use crate::process::{Running, free_port};
use crate::row::{Role, Row};
use crate::sample::{Program, Server, ServerSetup};
use crate::script;
use crate::side::{Handshake, InitiatorSetup, Side};

const ENCTYPE: &str = "aes256-sha1";

pub(super) fn rows() -> Vec<Row> {
    let row = |protection, run: fn(&Lab) -> Result<()>| Row {
        peer: "redis-server",
        role: Role::Acceptor,
        enctype: ENCTYPE,
        protection,
        skip: None,
        run: Box::new(run),
    };
    vec![
        row("replay to another process", another_process),
        row("gone: refused, and back", gone),
        row("gone: remembered here", remembered),
        row("blocking and tokio at once", both_drivers),
    ]
}

/// A store, ended when dropped.
struct Redis {
    port: u16,
    running: Option<Running>,
}

impl Redis {
    fn start() -> Result<Self> {
        script::install("redis")?;
        let mut redis = Self {
            port: free_port()?,
            running: None,
        };
        redis.begin()?;
        Ok(redis)
    }

    fn begin(&mut self) -> Result<()> {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string()]);
        command.args(["--save", "", "--appendonly", "no", "--dir", "/tmp"]);
        command.args(["--maxmemory", "32mb", "--maxmemory-policy", "noeviction"]);
        let mut running = Running::start(&mut command)?;
        running.wait_for_port(self.port)?;
        self.running = Some(running);
        Ok(())
    }

    fn end(&mut self) {
        self.running = None;
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }
}

/// A server, and how many clients it has judged.
struct Judge {
    server: Server,
    judged: usize,
}

impl Judge {
    fn start(lab: &Lab, usual: &Usual, switches: &[&str]) -> Result<Self> {
        let setup = ServerSetup {
            framing: "length",
            switches,
            ..usual.server(false)
        };
        Ok(Self {
            server: Server::start(lab, Program::Ours, &setup)?,
            judged: 0,
        })
    }

    /// What it says of the client that sends this token.
    fn judge(&mut self, token: &[u8]) -> Result<String> {
        let mut stream = TcpStream::connect(self.server.address).map_err(|e| e.to_string())?;
        send(&mut stream, token)?;
        let place = self.judged;
        self.judged += 1;
        self.server.running.wait_for_output(|output| {
            let whole = output.rsplit_once('\n')?.0;
            let verdicts = |line: &&str| line.contains(" accepted ") || line.contains(" refused: ");
            Some(whole.lines().filter(verdicts).nth(place)?.to_owned())
        })
    }

    fn expect(&mut self, token: &[u8], words: &str) -> Result<()> {
        let verdict = self.judge(token)?;
        match verdict.contains(words) {
            true => Ok(()),
            false => Err(format!("\"{words}\" is not in: {verdict}")),
        }
    }
}

/// An AP-REQ that MIT krb5 made, another each time.
fn request(lab: &Lab, usual: &Usual) -> Result<Vec<u8>> {
    let mut peer = GssPeer::start(lab, None)?;
    peer.start_initiator(&InitiatorSetup {
        host: usual.host.clone(),
        flags: vec!["mutual", "replay", "sequence", "conf", "integ"],
        ccache: usual.ccache.clone(),
        ..Default::default()
    })?;
    peer.step(None)?
        .token
        .ok_or_else(|| "no first token".to_owned())
}

const ACCEPTED: &str = "accepted alice@COUNTERSIGN.TEST";
const REPLAYED: &str = "replay";

fn another_process(lab: &Lab) -> Result<()> {
    let redis = Redis::start()?;
    let usual = Usual::new(lab, ENCTYPE);
    let url = redis.url();
    let start = || Judge::start(lab, &usual, &["--replay-cache", &url]);
    let (mut one, mut other) = (start()?, start()?);
    let (first, second) = (request(lab, &usual)?, request(lab, &usual)?);
    one.expect(&first, ACCEPTED)?;
    other.expect(&first, REPLAYED)?;
    one.expect(&first, REPLAYED)?;
    other.expect(&second, ACCEPTED)?;
    one.expect(&second, REPLAYED)?;
    // Without the store each process knows its own clients only: the control.
    let mut alone = Judge::start(lab, &usual, &[])?;
    alone.expect(&first, ACCEPTED)?;
    // A process that starts anew knows what the others know.
    drop(one);
    start()?.expect(&first, REPLAYED)
}

fn gone(lab: &Lab) -> Result<()> {
    let mut redis = Redis::start()?;
    let usual = Usual::new(lab, ENCTYPE);
    let mut server = Judge::start(lab, &usual, &["--replay-cache", &redis.url()])?;
    server.expect(&request(lab, &usual)?, ACCEPTED)?;
    redis.end();
    server.expect(&request(lab, &usual)?, "replay cache")?;
    redis.begin()?;
    server.expect(&request(lab, &usual)?, ACCEPTED)
}

fn remembered(lab: &Lab) -> Result<()> {
    let mut redis = Redis::start()?;
    let usual = Usual::new(lab, ENCTYPE);
    let url = redis.url();
    let switches = ["--replay-cache", &url, "--replay-outage", "remember-here"];
    let mut server = Judge::start(lab, &usual, &switches)?;
    let before = request(lab, &usual)?;
    server.expect(&before, ACCEPTED)?;
    redis.end();
    let during = request(lab, &usual)?;
    server.expect(&during, ACCEPTED)?;
    for token in [&before, &during] {
        server.expect(token, REPLAYED)?;
    }
    // What others accepted it cannot know: this is what the switch permits.
    let mut other = Judge::start(lab, &usual, &switches)?;
    other.expect(&during, ACCEPTED)
}

/// Of forty who ask at once, in threads and in tasks, one is told that the authenticator is fresh.
fn both_drivers(_: &Lab) -> Result<()> {
    let redis = Redis::start()?;
    let open = || RedisReplayCache::new(&redis.url()).map_err(|e| e.to_string());
    let expires = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs().cast_signed())
        + 600;
    let query = |number: u8| ReplayQuery {
        tag: [number; 16],
        expires,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    let caches = [open()?, open()?];
    for number in 0..50 {
        let query = query(number);
        let tasks: Vec<_> = (0..20)
            .map(|racer| {
                let (cache, query) = (caches[racer % 2].clone(), query.clone());
                runtime.spawn(async move { cache.verdict_async(&query).await })
            })
            .collect();
        let threads: Vec<_> = (0..20)
            .map(|racer| {
                let (cache, query) = (caches[racer % 2].clone(), query.clone());
                std::thread::spawn(move || cache.verdict(&query))
            })
            .collect();
        let mut verdicts = Vec::new();
        for thread in threads {
            verdicts.push(thread.join().map_err(|_| "a thread failed")?);
        }
        for task in tasks {
            verdicts.push(runtime.block_on(task).map_err(|e| e.to_string())?);
        }
        let fresh = verdicts
            .iter()
            .filter(|verdict| **verdict == ReplayVerdict::Fresh);
        let fresh = fresh.count();
        if fresh != 1 || verdicts.contains(&ReplayVerdict::Unavailable) {
            return Err(format!("{fresh} of {} are told fresh", verdicts.len()));
        }
    }
    Ok(())
}
