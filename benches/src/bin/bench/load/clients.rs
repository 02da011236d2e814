//! What connects.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_benches::Result;
use countersign_context::kerberos::Initiator;
use countersign_credential::TicketCredential;
use countersign_handshake::{Handshake, StreamOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{ANSWER, FLAGS, LIMIT, QUESTION, SERVICE, SPAN, realm, runtime};

/// Prints how many connections were answered in how many microseconds, and
/// the times of half and of 99 of 100 of them.
pub(crate) fn run(count: u32, address: SocketAddr) -> Result<()> {
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
    count: u32,
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
