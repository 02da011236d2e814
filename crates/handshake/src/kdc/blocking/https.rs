//! One KDC by a proxy.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use super::super::endpoint::Endpoint;
use super::super::error::Failure;
use super::super::race::Event;
use super::Worker;
use super::patient::Patient;
use super::tcp::failure;
use crate::blocking::READ_STEP;

pub(super) fn ask(worker: &Worker, endpoint: &Endpoint, address: SocketAddr) -> Event {
    converse(worker, endpoint, address).unwrap_or_else(Event::Failed)
}

fn converse(worker: &Worker, endpoint: &Endpoint, address: SocketAddr) -> Result<Event, Failure> {
    let mut conversation = worker.ask.conversation(endpoint)?;
    let mut socket = Patient::connect(worker, address)?;
    let mut buffer = vec![0; READ_STEP];
    loop {
        let out = conversation.outgoing()?;
        socket.write_all(&out).map_err(failure)?;
        if conversation.may_ask() {
            if !worker.ask.baton.take(worker.number) {
                return Ok(Event::Withdrawn);
            }
            conversation.ask()?;
            continue;
        }
        let read = match socket.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failure(error)),
        };
        if let Some(reply) = conversation.received(buffer.get(..read).unwrap_or_default())? {
            return Ok(Event::Reply(reply));
        }
    }
}
