//! One KDC by TCP, RFC 4120 §7.2.2.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::ask::Ask;
use super::super::error::Failure;
use super::super::race::Event;
use crate::blocking::READ_STEP;

pub(super) async fn ask(number: usize, ask: &Ask, address: SocketAddr) -> Event {
    let mut stream = match connect(address).await {
        Ok(stream) => stream,
        Err(failure) => return failure.into(),
    };
    if !ask.baton.take(number) {
        return Event::Withdrawn;
    }
    match converse(ask, &mut stream).await {
        Ok(reply) => Event::Reply(reply),
        Err(failure) => failure.into(),
    }
}

pub(super) async fn connect(address: SocketAddr) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(address).await.map_err(failure)?;
    stream.set_nodelay(true).map_err(failure)?;
    Ok(stream)
}

async fn converse<S>(ask: &Ask, stream: &mut S) -> Result<Vec<u8>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(&ask.framed()?).await.map_err(failure)?;
    let mut header = [0; 4];
    stream.read_exact(&mut header).await.map_err(failure)?;
    let length = ask.length(header)?;
    let mut reply = Vec::new();
    while reply.len() < length {
        // Memory follows what has come, not what was announced.
        let filled = reply.len();
        reply.resize(length.min(filled.saturating_add(READ_STEP)), 0);
        let rest = reply.get_mut(filled..).unwrap_or_default();
        stream.read_exact(rest).await.map_err(failure)?;
    }
    Ok(reply)
}

#[allow(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
pub(super) fn failure(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Failure::Closed,
        // The operating system's own patience ended.
        io::ErrorKind::TimedOut => Failure::NoAnswer,
        kind => Failure::Io(kind),
    }
}
