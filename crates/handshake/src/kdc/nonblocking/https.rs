//! One KDC by a proxy.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::ask::Ask;
use super::super::endpoint::Endpoint;
use super::super::error::Failure;
use super::super::race::Event;
use super::tcp::{connect, failure};
use crate::blocking::READ_STEP;

pub(super) async fn ask(
    number: usize,
    ask: &Ask,
    endpoint: &Endpoint,
    address: SocketAddr,
) -> Event {
    converse(number, ask, endpoint, address)
        .await
        .unwrap_or_else(Event::Failed)
}

async fn converse(
    number: usize,
    ask: &Ask,
    endpoint: &Endpoint,
    address: SocketAddr,
) -> Result<Event, Failure> {
    let mut conversation = ask.conversation(endpoint)?;
    let mut socket = connect(address).await?;
    let mut buffer = vec![0; READ_STEP];
    loop {
        let out = conversation.outgoing()?;
        socket.write_all(&out).await.map_err(failure)?;
        if conversation.may_ask() {
            if !ask.baton.take(number) {
                return Ok(Event::Withdrawn);
            }
            conversation.ask()?;
            continue;
        }
        let read = socket.read(&mut buffer).await.map_err(failure)?;
        if let Some(reply) = conversation.received(buffer.get(..read).unwrap_or_default())? {
            return Ok(Event::Reply(reply));
        }
    }
}
