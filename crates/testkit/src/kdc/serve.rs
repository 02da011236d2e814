//! A KDC on sockets: UDP and TCP on one port, password changes on another, each in a thread of its own.
//!
//! ```text
//! UDP   one message a datagram                                           RFC 4120 §7.2.1
//! TCP   length (32 bits, big-endian, high bit 0), message; any number    RFC 4120 §7.2.2
//! ```

mod fault;
mod stream;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket,
};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use fault::KdcFault;

use super::Kdc;

/// How long a thread waits before it looks whether it is to stop.
const TURN: Duration = Duration::from_millis(20);

/// How many answers are kept for clients that repeat a request because no answer came (RFC 4120 §3.1.2).
const KEPT_ANSWERS: usize = 64;

/// How often a free port is looked for that both UDP and TCP can have.
const PORT_ATTEMPTS: usize = 32;

/// A KDC that listens; it stops when dropped.
///
/// ```
/// use countersign_testkit::Kdc;
///
/// let kdc = Kdc::builder("EXAMPLE.COM").user("alice", "open sesame").build()?;
/// let server = kdc.serve("127.0.0.1:0")?;
/// assert_ne!(server.address().port(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct KdcServer {
    address: SocketAddr,
    password_address: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    kdc: Kdc,
    stop: AtomicBool,
    requests: AtomicUsize,
    fault: Mutex<Misbehaviour>,
    answers: Mutex<VecDeque<(Vec<u8>, Vec<u8>)>>,
}

#[derive(Default)]
struct Misbehaviour {
    fault: Option<KdcFault>,
    /// Whether every other request is answered honestly, and whether the next one is.
    turns: bool,
    honest: bool,
}

/// Which of the two services a socket is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Service {
    Kdc,
    PasswordChange,
}

impl Kdc {
    /// Listens on `address`, UDP and TCP alike, and for password changes on another free port of the same host.
    ///
    /// # Errors
    /// Those of binding sockets.
    pub fn serve(&self, address: impl ToSocketAddrs) -> io::Result<KdcServer> {
        let address = one(address)?;
        self.serve_on(address, SocketAddr::new(address.ip(), 0))
    }

    /// Listens on `address`, and for password changes on `password_address`.
    ///
    /// # Errors
    /// Those of binding sockets.
    pub fn serve_on(
        &self,
        address: impl ToSocketAddrs,
        password_address: impl ToSocketAddrs,
    ) -> io::Result<KdcServer> {
        let (udp, tcp) = bind_both(one(address)?)?;
        let (password_udp, password_tcp) = bind_both(one(password_address)?)?;
        self.password_host(reachable(password_tcp.local_addr()?).ip());
        let shared = Arc::new(Shared {
            kdc: self.clone(),
            stop: AtomicBool::new(false),
            requests: AtomicUsize::new(0),
            fault: Mutex::default(),
            answers: Mutex::new(VecDeque::new()),
        });
        let mut server = KdcServer {
            address: tcp.local_addr()?,
            password_address: password_tcp.local_addr()?,
            shared: Arc::clone(&shared),
            threads: Vec::new(),
        };
        for (service, udp, tcp) in [
            (Service::Kdc, udp, tcp),
            (Service::PasswordChange, password_udp, password_tcp),
        ] {
            udp.set_read_timeout(Some(TURN))?;
            let own = Arc::clone(&shared);
            server.run("kdc-udp", move || datagrams(&own, service, &udp))?;
            let own = Arc::clone(&shared);
            server.run("kdc-tcp", move || connections(&own, service, &tcp))?;
        }
        Ok(server)
    }
}

impl KdcServer {
    fn run(&mut self, name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = thread::Builder::new().name(name.into()).spawn(body)?;
        self.threads.push(thread);
        Ok(())
    }

    /// Where the KDC listens, UDP and TCP.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where passwords are changed, UDP and TCP.
    #[must_use]
    pub fn password_address(&self) -> SocketAddr {
        self.password_address
    }

    /// How many requests have come to either service, whatever became of them: a KDC that misbehaves does not read
    /// each one, and [`Kdc::seen`] has those that were read.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// From now on misbehaves, or with `None` behaves again.
    pub fn misbehave(&self, fault: impl Into<Option<KdcFault>>) {
        *lock(&self.shared.fault) = Misbehaviour {
            fault: fault.into(),
            ..Misbehaviour::default()
        };
    }

    /// From now on behaves for one request, misbehaves for the next, and so on.
    pub fn misbehave_by_turns(&self, fault: KdcFault) {
        *lock(&self.shared.fault) = Misbehaviour {
            fault: Some(fault),
            turns: true,
            honest: true,
        };
    }

    /// Stops listening and waits until every thread has ended: the KDC is dead, and its ports refuse.
    pub fn stop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        for address in [self.address, self.password_address] {
            // Wakes the thread that waits for connections.
            let _ = TcpStream::connect_timeout(&reachable(address), TURN);
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for KdcServer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for KdcServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KdcServer")
            .field("address", &self.address)
            .field("password_address", &self.password_address)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// How the request that has come is treated: asked once for each.
    fn fault(&self) -> Option<KdcFault> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let mut fault = lock(&self.fault);
        let honest = fault.turns && fault.honest;
        fault.honest = !fault.honest;
        fault.fault.filter(|_| !honest)
    }

    /// The first ticket that answered another request.
    fn stale(&self, request: &[u8]) -> Option<Vec<u8>> {
        let answers = lock(&self.answers);
        let alike = |known: &[u8]| known != request && known.first() == request.first();
        let first = answers.iter().find(|(known, _)| alike(known));
        first.map(|(_, answer)| answer.clone())
    }

    /// The answer; the same one again for a request that is repeated byte for byte. One request at a
    /// time: a client may repeat itself over TCP while the first is still being answered.
    fn answer(&self, service: Service, request: &[u8], datagram: bool) -> Vec<u8> {
        let mut answers = lock(&self.answers);
        let kept = answers.iter().find(|(known, _)| known == request);
        if let Some((_, answer)) = kept {
            let limit = self.kdc.datagram_limit();
            if !datagram || answer.len() <= limit {
                return answer.clone();
            }
        }
        let answer = match (service, datagram) {
            (Service::Kdc, true) => self.kdc.answer_datagram(request),
            (Service::Kdc, false) => self.kdc.answer(request),
            (Service::PasswordChange, _) => self.kdc.answer_password_change(request),
        };
        // Errors are not kept: what was too long for a datagram comes again over TCP.
        if answer.first() != Some(&0x7e) {
            answers.push_back((request.to_vec(), answer.clone()));
            if answers.len() > KEPT_ANSWERS {
                answers.pop_front();
            }
        }
        answer
    }

    /// Sleeps in short turns, until it is told to behave; `false` when the server stops meanwhile.
    fn sleep(&self, mut rest: Duration) -> bool {
        let behaves = || lock(&self.fault).fault.is_none();
        while !rest.is_zero() && !self.stopping() && !behaves() {
            let turn = rest.min(TURN);
            thread::sleep(turn);
            rest = rest.saturating_sub(turn);
        }
        !self.stopping()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn one(address: impl ToSocketAddrs) -> io::Result<SocketAddr> {
    let none = || io::Error::from(io::ErrorKind::AddrNotAvailable);
    address.to_socket_addrs()?.next().ok_or_else(none)
}

/// The same port for UDP and TCP; any that is free for both when the port is 0.
fn bind_both(address: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..PORT_ATTEMPTS {
        let tcp = TcpListener::bind(address)?;
        match UdpSocket::bind(tcp.local_addr()?) {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) if address.port() != 0 => return Err(error),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// An address at which a socket bound to `address` can be reached from here.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

fn datagrams(shared: &Shared, service: Service, socket: &UdpSocket) {
    let mut buffer = vec![0; 65_536];
    while !shared.stopping() {
        let Ok((length, peer)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        let request = buffer.get(..length).unwrap_or_default();
        let fault = shared.fault();
        let elsewhere = match fault {
            Some(KdcFault::Elsewhere) => UdpSocket::bind((reachable(peer).ip(), 0)).ok(),
            _ => None,
        };
        for answer in fault::datagrams(shared, service, request, fault) {
            let _ = elsewhere.as_ref().unwrap_or(socket).send_to(&answer, peer);
        }
    }
}

fn connections(shared: &Arc<Shared>, service: Service, listener: &TcpListener) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    loop {
        let accepted = listener.accept();
        if shared.stopping() {
            break;
        }
        let Ok((stream, _)) = accepted else { continue };
        threads.retain(|thread| !thread.is_finished());
        let own = Arc::clone(shared);
        threads.push(thread::spawn(move || stream::serve(&own, service, stream)));
    }
    for thread in threads {
        let _ = thread.join();
    }
}
