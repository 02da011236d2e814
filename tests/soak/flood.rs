//! A server that strangers keep busy while its clients go on: loopback only, and for some seconds.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use countersign_context::Flags;
use countersign_context::credential::TicketCredential;
use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_handshake::{Clock as _, Handshake, StreamOptions, SystemClock};
use countersign_testkit::{Realm, SeededRandom};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::faults::lab::SERVICE;
use crate::report::{Report, grouped};
use crate::{Options, Result};

pub(crate) const TITLE: &str = "a server under connection flood";

/// Honest clients at a time, and strangers of each kind.
const CLIENTS: usize = 8;
const STRANGERS: usize = 64;
/// When the server gives a handshake up.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a stranger waits before it comes again.
const PAUSE: Duration = Duration::from_millis(20);
/// A client that is not served by then has failed.
const LIMIT: Duration = Duration::from_secs(30);

const FLAGS: Flags = Flags::MUTUAL
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY)
    .union(Flags::REPLAY)
    .union(Flags::SEQUENCE);

const QUESTION: &[u8] = b"who goes there?";
const ANSWER: &[u8] = b"a friend indeed";

/// What a stranger does with its connection.
#[derive(Debug, Clone, Copy)]
enum Stranger {
    /// Says nothing until it is thrown out.
    Silent,
    /// An octet of an honest token now and then.
    Trickling,
    /// Octets that are no token.
    Garbage,
    /// An honest first token, another's, and then nothing: it has no key to go on with.
    FirstToken,
}

const KINDS: [Stranger; 4] = [
    Stranger::Silent,
    Stranger::Trickling,
    Stranger::Garbage,
    Stranger::FirstToken,
];

/// What both phases share.
struct World {
    address: SocketAddr,
    ticket: Arc<TicketCredential>,
    stop: AtomicBool,
    /// Connections of strangers that have ended.
    strangers: AtomicU64,
    /// What the server made of its connections.
    served: AtomicU64,
    refused: AtomicU64,
}

/// How the clients fared.
struct Phase {
    times: Vec<Duration>,
    took: Duration,
}

impl Phase {
    fn at(&self, part: usize) -> Duration {
        let index = self.times.len().saturating_sub(1) * part / 100;
        self.times.get(index).copied().unwrap_or_default()
    }

    fn line(&self, name: &str) -> String {
        let count = u128::try_from(self.times.len()).unwrap_or(0);
        let rate = count * 1000 / self.took.as_millis().max(1);
        let tenths = |time: Duration| {
            let tenths = time.as_micros() / 100;
            format!("{}.{}", tenths / 10, tenths % 10)
        };
        format!(
            "{name:<14} {rate:>6} handshakes/s, p50 {} ms, p99 {} ms",
            tenths(self.at(50)),
            tenths(self.at(99))
        )
    }
}

pub(crate) fn run(options: &Options, report: &mut Report) {
    if !options.selects("flood", TITLE) {
        return;
    }
    let result = runtime().and_then(|runtime| runtime.block_on(flood(options)));
    let problem = result.as_ref().err().cloned();
    report.add("flood", TITLE, &result.unwrap_or_default(), problem);
}

fn runtime() -> Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build();
    runtime.map_err(|error| error.to_string())
}

async fn flood(options: &Options) -> Result<String> {
    let span = Duration::from_secs(if options.short { 3 } else { 30 });
    let realm = Realm::new("EXAMPLE.COM", 1).at(SystemClock.now().seconds());
    let keytab = realm.keytab(&[SERVICE]).map_err(|e| e.to_string())?;
    let ticket = realm
        .ticket("alice", SERVICE)
        .mint()
        .map_err(|e| e.to_string())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.map_err(|e| e.to_string())?;
    let world = Arc::new(World {
        address: listener.local_addr().map_err(|e| e.to_string())?,
        ticket: Arc::new(ticket),
        stop: AtomicBool::new(false),
        strangers: AtomicU64::new(0),
        served: AtomicU64::new(0),
        refused: AtomicU64::new(0),
    });
    let credential = AcceptorCredential::new(&keytab);
    let server = tokio::spawn(serve(listener, credential, Arc::clone(&world)));

    let calm = clients(&world, span).await?;
    let mut strangers = JoinSet::new();
    for kind in KINDS {
        for number in 0..STRANGERS {
            strangers.spawn(annoy(kind, number, Arc::clone(&world)));
        }
    }
    sleep(Duration::from_millis(500)).await;
    let flooded = clients(&world, span).await?;
    world.stop.store(true, Ordering::Relaxed);
    strangers.shutdown().await;
    let served = world.served.load(Ordering::Relaxed);
    let after = clients(&world, span / 3).await?;
    server.abort();

    let count = |counter: &AtomicU64| grouped(counter.load(Ordering::Relaxed));
    let text = format!(
        "{}\n{}\n{}\n\
         {} strangers at a time, {} connections of theirs ended; none was served",
        calm.line("without flood"),
        flooded.line("with flood"),
        after.line("afterwards"),
        KINDS.len() * STRANGERS,
        count(&world.strangers),
    );
    let honest = calm.times.len() + flooded.times.len();
    if served != u64::try_from(honest).unwrap_or(0) {
        return Err(format!("{served} served of {honest}\n{text}"));
    }
    if world.strangers.load(Ordering::Relaxed) == 0 {
        return Err(format!("there was no flood\n{text}"));
    }
    Ok(text)
}

/// Accepts whoever comes, each in a task of its own and with a deadline.
async fn serve(listener: TcpListener, credential: AcceptorCredential, world: Arc<World>) {
    while let Ok((socket, _)) = listener.accept().await {
        let acceptor = Acceptor::new(&credential).require(FLAGS);
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let handshake = Handshake::acceptor(acceptor).timeout(PATIENCE);
            let options = StreamOptions::default();
            let Ok(mut stream) = handshake.secure_async(socket, options).await else {
                world.refused.fetch_add(1, Ordering::Relaxed);
                return;
            };
            // Who has no key sends nothing that gets so far.
            let mut question = [0; QUESTION.len()];
            let asked = timeout(PATIENCE, stream.read_exact(&mut question)).await;
            if matches!(asked, Ok(Ok(_))) && question == QUESTION {
                world.served.fetch_add(1, Ordering::Relaxed);
                let _ = stream.write_all(ANSWER).await;
                let _ = stream.flush().await;
            }
        });
    }
}

/// Honest clients, one connection after the other, until the time is over.
async fn clients(world: &Arc<World>, span: Duration) -> Result<Phase> {
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let world = Arc::clone(world);
        clients.spawn(async move {
            let mut times = Vec::new();
            while began.elapsed() < span {
                let one = Instant::now();
                match timeout(LIMIT, client(&world)).await {
                    Ok(result) => result?,
                    Err(_) => return Err("a client is not served".to_owned()),
                }
                times.push(one.elapsed());
            }
            Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(joined) = clients.join_next().await {
        times.extend(joined.map_err(|e| e.to_string())??);
    }
    times.sort_unstable();
    Ok(Phase {
        times,
        took: began.elapsed(),
    })
}

/// From nothing to the answer to a sealed question.
async fn client(world: &World) -> Result<()> {
    let initiator = Initiator::new(Arc::clone(&world.ticket)).require(FLAGS);
    let socket = TcpStream::connect(world.address).await;
    let socket = socket.map_err(|e| format!("connect: {e}"))?;
    socket.set_nodelay(true).map_err(|e| e.to_string())?;
    let handshake = Handshake::initiator(initiator).timeout(LIMIT);
    let stream = handshake
        .secure_async(socket, StreamOptions::default())
        .await;
    let mut stream = stream.map_err(|e| format!("a client is refused: {e}"))?;
    let mut answer = [0; ANSWER.len()];
    stream
        .write_all(QUESTION)
        .await
        .map_err(|e| format!("ask: {e}"))?;
    stream.flush().await.map_err(|e| format!("ask: {e}"))?;
    stream
        .read_exact(&mut answer)
        .await
        .map_err(|e| format!("hear: {e}"))?;
    match answer == ANSWER {
        true => Ok(()),
        false => Err("another answer".into()),
    }
}

/// A stranger, again and again.
async fn annoy(kind: Stranger, number: usize, world: Arc<World>) {
    let mut random = SeededRandom::new(u64::try_from(number).unwrap_or(0));
    while !world.stop.load(Ordering::Relaxed) {
        if let Ok(mut socket) = TcpStream::connect(world.address).await {
            // The end is the server's to choose; what is said before is of no consequence.
            let _ = say(kind, &mut socket, &mut random, &world).await;
            let mut nothing = [0; 64];
            while let Ok(1..) = socket.read(&mut nothing).await {}
            world.strangers.fetch_add(1, Ordering::Relaxed);
        }
        sleep(PAUSE).await;
    }
}

async fn say(
    kind: Stranger,
    socket: &mut TcpStream,
    random: &mut SeededRandom,
    world: &World,
) -> std::io::Result<()> {
    match kind {
        Stranger::Silent => Ok(()),
        Stranger::Trickling => {
            for octet in [0, 0, 2, 0, 0x60, 0x82].into_iter().chain([0x30; 32]) {
                socket.write_all(&[octet]).await?;
                sleep(Duration::from_millis(100)).await;
            }
            Ok(())
        }
        Stranger::Garbage => {
            let mut garbage = vec![0, 0, 1, 0];
            garbage.extend((0..256).map(|_| random.next_u64().to_le_bytes()[0]));
            socket.write_all(&garbage).await
        }
        Stranger::FirstToken => {
            let mut env_random = countersign_handshake::SystemRandom;
            let token = first_token(world, &mut env_random);
            let length = u32::try_from(token.len()).unwrap_or(0).to_be_bytes();
            socket.write_all(&[&length, &token[..]].concat()).await
        }
    }
}

/// A token that is right, of somebody who listened: there is no key to it.
fn first_token(world: &World, random: &mut dyn countersign_context::crypto::Random) -> Vec<u8> {
    use countersign_context::{Environment, Mechanism as _, Step};
    let mut env = Environment::new(SystemClock.now(), random);
    let mut initiator = Initiator::new(Arc::clone(&world.ticket)).require(FLAGS);
    match initiator.step(None, &mut env) {
        Ok(Step::Continue { token }) => token,
        _ => Vec::new(),
    }
}
