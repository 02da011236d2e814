//! One KDC by UDP, RFC 4120 §7.2.1.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::super::ask::{Ask, DATAGRAM};
use super::super::error::Failure;
use super::super::race::Event;
use super::pool::Notes;

pub(super) async fn ask(number: usize, ask: &Ask, address: SocketAddr, notes: &Notes) -> Event {
    converse(number, ask, address, notes)
        .await
        .unwrap_or_else(|error| {
            // It did not leave this host, or an ICMP message says that it did not arrive.
            ask.baton.put_back(number);
            Failure::Io(error.kind()).into()
        })
}

async fn converse(
    number: usize,
    ask: &Ask,
    address: SocketAddr,
    notes: &Notes,
) -> io::Result<Event> {
    // Which of this host's addresses leads there is for the routing table to say.
    let socket = UdpSocket::bind(match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    })
    .await?;
    // From now on nothing arrives but from there, and an ICMP refusal does.
    socket.connect(address).await?;
    if !ask.baton.take(number) {
        return Ok(Event::Withdrawn);
    }
    let mut buffer = vec![0; DATAGRAM];
    let mut sent = 0;
    let mut foreign = false;
    let deadline = Instant::from_std(ask.deadline);
    while Instant::now() < deadline {
        socket.send(ask.datagram()).await?;
        let mut until = deadline;
        if ask.baton.repeats() {
            until = until.min(Instant::now() + ask.resend_after(sent));
            sent = sent.saturating_add(1);
        }
        while let Ok(received) = timeout_at(until, socket.recv(&mut buffer)).await {
            let reply = buffer.get(..received?).unwrap_or_default();
            if !ask.is_foreign(reply) {
                return Ok(Event::Reply(reply.to_vec()));
            }
            if !std::mem::replace(&mut foreign, true) {
                notes.tell(number, Event::Foreign);
            }
        }
    }
    Ok(Failure::NoAnswer.into())
}
