//! A server with tokio, and more and more clients at a time, which are in a process of their own.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_benches::Result;
use countersign_context::Flags;
use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_credential::TicketCredential;
use countersign_handshake::{Clock as _, Handshake, StreamOptions, SystemClock};
use countersign_testkit::Realm;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

const SERVICE: &str = "HTTP/web.bench.test";

/// How many clients come at a time.
const CLIENTS: [usize; 5] = [1, 10, 100, 1_000, 10_000];

/// How long clients begin anew.
const SPAN: Duration = Duration::from_secs(3);

/// A client that is not served by then has failed.
const LIMIT: Duration = Duration::from_secs(60);

const FLAGS: Flags = Flags::MUTUAL
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY)
    .union(Flags::REPLAY)
    .union(Flags::SEQUENCE);

const QUESTION: &[u8] = b"who goes there?";
const ANSWER: &[u8] = b"a friend indeed";

/// What was found with so many clients at a time.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) clients: usize,
    /// Connections that were answered, a second.
    pub(crate) rate: f64,
    /// From before `connect` to the answer, half of them and 99 of 100.
    pub(crate) half: Duration,
    pub(crate) most: Duration,
}

/// The same ticket and keys in both processes, as they follow from a seed.
fn realm() -> Realm {
    Realm::new("BENCH.TEST", 1).at(SystemClock.now().seconds())
}

fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().enable_all().build()?)
}

/// Serves, and has the clients come from another process.
pub(crate) fn run(mut each: impl FnMut(&Load)) -> Result<Vec<Load>> {
    let credential = AcceptorCredential::new(&realm().keytab(&[SERVICE])?);
    let runtime = runtime()?;
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    let address = listener.local_addr()?;
    runtime.spawn(serve(listener, credential));
    let mut all = Vec::new();
    for clients in CLIENTS {
        let output = Command::new(std::env::current_exe()?)
            .args(["--clients", &clients.to_string(), &address.to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(format!("{clients} clients were not all served").into());
        }
        let said = String::from_utf8(output.stdout)?;
        let numbers: Vec<u64> = said
            .split_whitespace()
            .map_while(|number| number.parse().ok())
            .collect();
        let [count, took, half, most] = numbers[..] else {
            return Err(format!("the clients said {said}").into());
        };
        let load = Load {
            clients,
            rate: crate::rounds::as_f64(count) * 1e6 / crate::rounds::as_f64(took),
            half: Duration::from_micros(half),
            most: Duration::from_micros(most),
        };
        each(&load);
        all.push(load);
    }
    Ok(all)
}

/// Accepts whoever comes, each in a task of its own.
async fn serve(listener: TcpListener, credential: AcceptorCredential) {
    while let Ok((socket, _)) = listener.accept().await {
        let acceptor = Acceptor::new(&credential).require(FLAGS);
        tokio::spawn(async move {
            let handshake = Handshake::acceptor(acceptor).timeout(LIMIT);
            let Ok(mut stream) = handshake
                .secure_async(socket, StreamOptions::default())
                .await
            else {
                return;
            };
            let mut question = [0; QUESTION.len()];
            if stream.read_exact(&mut question).await.is_ok() && question == QUESTION {
                let _ = stream.write_all(ANSWER).await;
                let _ = stream.flush().await;
            }
        });
    }
}

/// What the other process does: prints how many connections were answered in how many microseconds, and
/// the times of half and of 99 of 100 of them.
pub(crate) fn clients(count: usize, address: SocketAddr) -> Result<()> {
    let ticket = Arc::new(realm().ticket("user", SERVICE).mint()?);
    let (mut times, took) = runtime()?.block_on(crowd(count, address, ticket))?;
    times.sort_unstable();
    let at = |part: usize| {
        let index = times.len().saturating_sub(1) * part / 100;
        times.get(index).map_or(0, Duration::as_micros)
    };
    println!("{} {} {} {}", times.len(), took.as_micros(), at(50), at(99));
    Ok(())
}

async fn crowd(
    count: usize,
    address: SocketAddr,
    ticket: Arc<TicketCredential>,
) -> Result<(Vec<Duration>, Duration)> {
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..count {
        let ticket = Arc::clone(&ticket);
        clients.spawn(async move {
            let mut times = Vec::new();
            // Each comes once at least.
            while times.is_empty() || began.elapsed() < SPAN {
                let one = Instant::now();
                tokio::time::timeout(LIMIT, client(address, &ticket))
                    .await
                    .map_err(|_| "a client is not served".to_owned())?
                    .map_err(|problem| problem.to_string())?;
                times.push(one.elapsed());
            }
            Ok::<_, String>(times)
        });
    }
    let mut times = Vec::new();
    while let Some(joined) = clients.join_next().await {
        times.extend(joined??);
    }
    Ok((times, began.elapsed()))
}

/// From nothing to the answer to a sealed question.
async fn client(
    address: SocketAddr,
    ticket: &Arc<TicketCredential>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let initiator = Initiator::new(Arc::clone(ticket)).require(FLAGS);
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let handshake = Handshake::initiator(initiator).timeout(LIMIT);
    let mut stream = handshake
        .secure_async(socket, StreamOptions::default())
        .await?;
    stream.write_all(QUESTION).await?;
    stream.flush().await?;
    let mut answer = [0; ANSWER.len()];
    stream.read_exact(&mut answer).await?;
    match answer == ANSWER {
        true => Ok(()),
        false => Err("another answer".into()),
    }
}
