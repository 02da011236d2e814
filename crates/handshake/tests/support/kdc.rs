//! KDCs that do what a test tells them, on loopback, and a client that tells what it did.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use countersign_handshake::context::kerberos::kdc::{Exchange, KdcRequest, KdcService};
use countersign_handshake::kdc::{
    Endpoint, Error, Failure, KdcClient, KdcEvent, KdcEventKind, StaticKdcs,
};

use super::{Driver, runtime};

pub(crate) const REALM: &str = "EXAMPLE.COM";

/// So long that a test which waits for it has failed.
pub(crate) const FOREVER: Duration = Duration::from_secs(100);

impl Driver {
    pub(crate) fn send(self, client: &KdcClient, request: &KdcRequest) -> Result<Vec<u8>, Error> {
        match self {
            Self::Blocking => client.send(request),
            Self::Tokio => runtime().block_on(client.send_async(request)),
        }
    }

    pub(crate) fn run_exchange<E: Exchange>(
        self,
        client: &KdcClient,
        exchange: E,
    ) -> Result<E::Output, Error> {
        match self {
            Self::Blocking => client.run(exchange),
            Self::Tokio => runtime().block_on(client.run_async(exchange)),
        }
    }
}

fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(contents.len()).unwrap().to_be_bytes();
    let mut out = vec![tag];
    match (high, low) {
        (0, 0..=0x7f) => out.push(low),
        (0, _) => out.extend([0x81, low]),
        _ => out.extend([0x82, high, low]),
    }
    out.extend(contents);
    out
}

/// What passes for an AS-REQ of so many bytes of contents.
pub(crate) fn request_of(contents: usize) -> KdcRequest {
    KdcRequest {
        realm: REALM.into(),
        service: KdcService::Kdc,
        message: element(0x6a, &vec![b'q'; contents]),
        stream_only: false,
    }
}

pub(crate) fn request() -> KdcRequest {
    request_of(10)
}

pub(crate) fn password_change() -> KdcRequest {
    KdcRequest {
        service: KdcService::PasswordChange,
        message: vec![0, 8, 0xff, 0x80, 0, 2, 9, 9],
        ..request()
    }
}

/// What passes for an AS-REP.
pub(crate) fn reply(text: &str) -> Vec<u8> {
    element(0x6b, text.as_bytes())
}

/// RFC 3244 §2.
pub(crate) fn password_reply() -> Vec<u8> {
    vec![0, 8, 0, 1, 0, 0, 7, 7]
}

pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(message.len()).unwrap().to_be_bytes().to_vec();
    out.extend(message);
    out
}

/// A KDC by UDP that does this with every datagram.
pub(crate) fn udp(script: impl FnMut(&UdpSocket, &[u8], SocketAddr) + Send + 'static) -> u16 {
    udp_on(UdpSocket::bind("127.0.0.1:0").unwrap(), script)
}

pub(crate) fn udp_on(
    socket: UdpSocket,
    mut script: impl FnMut(&UdpSocket, &[u8], SocketAddr) + Send + 'static,
) -> u16 {
    let port = socket.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            script(&socket, &buffer[..length], from);
        }
    });
    port
}

/// A KDC by UDP with one answer.
pub(crate) fn udp_answering(answer: Vec<u8>) -> u16 {
    udp(move |socket, _, from| {
        socket.send_to(&answer, from).unwrap();
    })
}

/// A KDC by TCP that does this with every connection, one after the other.
pub(crate) fn tcp(script: impl FnMut(TcpStream) + Send + 'static) -> u16 {
    tcp_on(TcpListener::bind("127.0.0.1:0").unwrap(), script)
}

pub(crate) fn tcp_on(
    listener: TcpListener,
    mut script: impl FnMut(TcpStream) + Send + 'static,
) -> u16 {
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            script(stream);
        }
    });
    port
}

/// A KDC by TCP that reads the request and writes these bytes.
pub(crate) fn tcp_saying(bytes: Vec<u8>) -> u16 {
    tcp(move |mut stream| {
        receive(&mut stream);
        stream.write_all(&bytes).unwrap();
    })
}

/// One request.
pub(crate) fn receive(stream: &mut TcpStream) -> Vec<u8> {
    let mut header = [0; 4];
    stream.read_exact(&mut header).unwrap();
    let mut message = vec![0; u32::from_be_bytes(header) as usize];
    stream.read_exact(&mut message).unwrap();
    message
}

/// The same port for both.
pub(crate) fn both(
    datagrams: impl FnMut(&UdpSocket, &[u8], SocketAddr) + Send + 'static,
    streams: impl FnMut(TcpStream) + Send + 'static,
) -> u16 {
    for _ in 0..100 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        if let Ok(socket) = UdpSocket::bind(listener.local_addr().unwrap()) {
            udp_on(socket, datagrams);
            return tcp_on(listener, streams);
        }
    }
    panic!("no port is free for both");
}

/// A KDC by TCP, as [`tcp_saying`], at whose port nobody is reached by UDP, nor will be: it is that of a socket whose
/// only peer is itself.
pub(crate) fn tcp_alone(bytes: Vec<u8>) -> u16 {
    for _ in 0..100 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        if let Ok(socket) = UdpSocket::bind(address) {
            socket.connect(address).unwrap();
            std::mem::forget(socket);
            return tcp_on(listener, move |mut stream| {
                receive(&mut stream);
                stream.write_all(&bytes).unwrap();
            });
        }
    }
    panic!("no port is free for both");
}

/// A port at which nobody listens, and at which nobody else can for as long as the process lives: it is that of a
/// connection, and of a socket whose only peer is itself.
pub(crate) fn refusing() -> u16 {
    for _ in 0..100 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let address = stream.local_addr().unwrap();
        if let Ok(socket) = UdpSocket::bind(address) {
            socket.connect(address).unwrap();
            let accepted = listener.accept().unwrap();
            std::mem::forget((stream, accepted, socket));
            return address.port();
        }
    }
    panic!("no port is free for both");
}

/// A KDC by UDP that never answers.
pub(crate) fn silent() -> u16 {
    udp(|_, _, _| {})
}

/// A client of KDCs with names, and what it did.
pub(crate) struct Watched {
    pub(crate) client: KdcClient,
    events: Arc<Mutex<Vec<String>>>,
}

impl Watched {
    /// Each KDC by its name in the events, and the text form of its endpoint.
    pub(crate) fn new(kdcs: &[(&str, String)]) -> Self {
        let mut source = StaticKdcs::new();
        let mut names = HashMap::new();
        for (name, text) in kdcs {
            for service in [KdcService::Kdc, KdcService::PasswordChange] {
                let endpoint = Endpoint::parse(text, service).unwrap();
                names.insert(endpoint.clone(), (*name).to_owned());
                source = source.with(REALM, service, endpoint);
            }
        }
        let events: Arc<Mutex<Vec<String>>> = Arc::default();
        let written = Arc::clone(&events);
        let client = KdcClient::new(source)
            .patience(FOREVER)
            .timeout(FOREVER)
            .observe(move |event| written.lock().unwrap().extend(told(event, &names)));
        Self { client, events }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(KdcClient) -> KdcClient) -> Self {
        self.client = change(self.client);
        self
    }

    /// What happened since the last time.
    pub(crate) fn events(&self) -> Vec<String> {
        std::mem::take(&mut *self.events.lock().unwrap())
    }
}

fn told(event: &KdcEvent<'_>, names: &HashMap<Endpoint, String>) -> Option<String> {
    assert_eq!(event.realm, REALM.as_bytes());
    match event.kind {
        KdcEventKind::Asked {
            endpoint,
            transport,
            ..
        } => Some(format!("asked {} by {transport}", names[endpoint])),
        KdcEventKind::Answered {
            endpoint,
            transport,
            ..
        } => Some(format!("{} answered by {transport}", names[endpoint])),
        KdcEventKind::Failed {
            endpoint, failure, ..
        } => Some(format!("{} failed: {failure:?}", names[endpoint])),
        _ => None,
    }
}

/// The failures of a request that nobody answered.
pub(crate) fn failures(result: Result<Vec<u8>, Error>) -> Vec<Failure> {
    match result {
        Err(Error::Unanswered(attempts)) => {
            attempts.iter().map(|attempt| attempt.failure).collect()
        }
        other => panic!("expected no answer, got {other:?}"),
    }
}
