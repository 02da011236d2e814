//! One KDC by TCP, RFC 4120 §7.2.2.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use super::super::error::Failure;
use super::super::race::Event;
use super::Worker;
use super::patient::Patient;
use crate::blocking::READ_STEP;

pub(super) fn ask(worker: &Worker, address: SocketAddr) -> Event {
    let mut stream = match Patient::connect(worker, address) {
        Ok(stream) => stream,
        Err(failure) => return failure.into(),
    };
    if !worker.ask.baton.take(worker.number) {
        return Event::Withdrawn;
    }
    match converse(worker, &mut stream) {
        Ok(reply) => Event::Reply(reply),
        Err(failure) => failure.into(),
    }
}

fn converse(worker: &Worker, stream: &mut Patient<'_>) -> Result<Vec<u8>, Failure> {
    stream.write_all(&worker.ask.framed()?).map_err(failure)?;
    let mut header = [0; 4];
    stream.read_exact(&mut header).map_err(failure)?;
    let length = worker.ask.length(header)?;
    let mut reply = Vec::new();
    while reply.len() < length {
        // Memory follows what has come, not what was announced.
        let filled = reply.len();
        reply.resize(length.min(filled.saturating_add(READ_STEP)), 0);
        let rest = reply.get_mut(filled..).unwrap_or_default();
        stream.read_exact(rest).map_err(failure)?;
    }
    Ok(reply)
}

pub(super) fn failure(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Failure::Closed,
        io::ErrorKind::TimedOut => Failure::NoAnswer,
        kind => Failure::Io(kind),
    }
}
