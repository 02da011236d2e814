//! Addresses at which something else than a KDC is found.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::Result;

/// What is found there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Takes every message and connection, and says nothing.
    Silent,
    /// Answers with bytes that are no message of Kerberos.
    Garbage,
    /// Closes connections in the middle of a reply; sends half of a datagram.
    Truncated,
    /// Announces a reply of 2 GiB less one byte; says nothing by UDP.
    Endless,
    /// Sets the reserved bit of the length (RFC 4120 §7.2.2); says nothing by UDP.
    ReservedBit,
}

/// Something that listens by UDP and TCP at one port of loopback.
pub(crate) struct Hostile {
    port: u16,
    asked: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Hostile {
    pub(crate) fn start(manner: Manner) -> Result<Self> {
        let (udp, tcp, port) = bind()?;
        let over = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(AtomicUsize::new(0));
        let mut threads = Vec::new();
        let (end, count) = (Arc::clone(&over), Arc::clone(&asked));
        threads.push(std::thread::spawn(move || {
            serve_datagrams(&udp, manner, &end, &count);
        }));
        let (end, count) = (Arc::clone(&over), Arc::clone(&asked));
        threads.push(std::thread::spawn(move || {
            serve_connections(&tcp, manner, &end, &count);
        }));
        Ok(Self {
            port,
            asked,
            over,
            threads,
        })
    }

    /// Where it listens.
    pub(crate) fn endpoint(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How many messages and connections came.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// An address at which nobody listens, by UDP or TCP.
pub(crate) fn dead() -> Result<String> {
    let (_, _, port) = bind()?;
    Ok(format!("127.0.0.1:{port}"))
}

/// Both protocols at one port.
fn bind() -> Result<(UdpSocket, TcpListener, u16)> {
    for _ in 0..100 {
        let tcp = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("bind: {e}"))?;
        let address = tcp.local_addr().map_err(|e| e.to_string())?;
        if let Ok(udp) = UdpSocket::bind(address) {
            udp.set_read_timeout(Some(Duration::from_millis(5)))
                .map_err(|e| e.to_string())?;
            tcp.set_nonblocking(true).map_err(|e| e.to_string())?;
            return Ok((udp, tcp, address.port()));
        }
    }
    Err("no port is free for both UDP and TCP".into())
}

/// No DER, whatever it is taken for.
const GARBAGE: [u8; 64] = [0xa5; 64];

/// The first bytes of a KRB-ERROR of 130 bytes.
const BEGINNING: [u8; 9] = [0x7e, 0x81, 0x80, 0x30, 0x7e, 0xa0, 0x03, 0x02, 0x01];

fn serve_datagrams(socket: &UdpSocket, manner: Manner, over: &AtomicBool, asked: &AtomicUsize) {
    let mut message = [0; 65_536];
    while !over.load(Ordering::SeqCst) {
        let Ok((_, from)) = socket.recv_from(&mut message) else {
            continue;
        };
        asked.fetch_add(1, Ordering::SeqCst);
        answer_datagram(socket, manner, from);
    }
}

fn answer_datagram(socket: &UdpSocket, manner: Manner, to: SocketAddr) {
    let _ = match manner {
        Manner::Garbage => socket.send_to(&GARBAGE, to),
        Manner::Truncated => socket.send_to(&BEGINNING, to),
        Manner::Silent | Manner::Endless | Manner::ReservedBit => Ok(0),
    };
}

fn serve_connections(
    listener: &TcpListener,
    manner: Manner,
    over: &AtomicBool,
    asked: &AtomicUsize,
) {
    let mut open = Vec::new();
    while !over.load(Ordering::SeqCst) {
        match listener.accept() {
            Ok((stream, _)) => {
                asked.fetch_add(1, Ordering::SeqCst);
                open.extend(answer_connection(stream, manner));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// The connection, if it is to stay open.
fn answer_connection(mut stream: TcpStream, manner: Manner) -> Option<TcpStream> {
    stream.set_nonblocking(false).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .ok()?;
    let reply = match manner {
        Manner::Silent => return Some(stream),
        Manner::Garbage => [&64u32.to_be_bytes()[..], &GARBAGE].concat(),
        Manner::Truncated => [&131u32.to_be_bytes()[..], &BEGINNING].concat(),
        Manner::Endless => [&0x7fff_ffffu32.to_be_bytes()[..], &BEGINNING].concat(),
        Manner::ReservedBit => [&0x8000_0009u32.to_be_bytes()[..], &BEGINNING].concat(),
    };
    // A client that still speaks when its peer closes would see a reset.
    let _ = stream.read(&mut [0; 65_536]);
    let _ = stream.write_all(&reply);
    (manner != Manner::Truncated).then_some(stream)
}
