//! One KDC by UDP, RFC 4120 §7.2.1.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use super::super::ask::DATAGRAM;
use super::super::error::Failure;
use super::super::race::Event;
use super::Worker;
use super::patient::{SLICE, is_timeout};

pub(super) fn ask(worker: &Worker, address: SocketAddr) -> Event {
    converse(worker, address).unwrap_or_else(|error| {
        // It did not leave this host, or an ICMP message says that it did not arrive.
        worker.ask.baton.put_back(worker.number);
        Failure::Io(error.kind()).into()
    })
}

fn converse(worker: &Worker, address: SocketAddr) -> io::Result<Event> {
    let ask = &worker.ask;
    // Which of this host's addresses leads there is for the routing table to say.
    let socket = UdpSocket::bind(match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    })?;
    // From now on nothing arrives but from there, and an ICMP refusal does.
    socket.connect(address)?;
    if !ask.baton.take(worker.number) {
        return Ok(Event::Withdrawn);
    }
    let mut buffer = vec![0; DATAGRAM];
    let mut sent = 0;
    let mut send_at = Some(Instant::now());
    let mut foreign = false;
    loop {
        let now = Instant::now();
        if !worker.goes_on() {
            return Ok(Failure::NoAnswer.into());
        }
        if send_at.is_some_and(|moment| moment <= now) {
            socket.send(ask.datagram())?;
            send_at = ask.baton.repeats().then(|| now + ask.resend_after(sent));
            sent = sent.saturating_add(1);
        }
        let until = send_at.map_or(ask.deadline, |moment| moment.min(ask.deadline));
        let wait = until.saturating_duration_since(now).min(SLICE);
        socket.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
        match socket.recv(&mut buffer) {
            Ok(length) => {
                let reply = buffer.get(..length).unwrap_or_default();
                if !ask.is_foreign(reply) {
                    return Ok(Event::Reply(reply.to_vec()));
                }
                if !std::mem::replace(&mut foreign, true) {
                    worker.tell(Event::Foreign);
                }
            }
            Err(error) if is_timeout(&error) || error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
