use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use rasn_kerberos as krb;

use super::client::*;
use crate::kdc::refusal::code as c;
use crate::{Kdc, KdcFault, KdcServer, NOW, wire};

fn start() -> (Kdc, KdcServer, Vec<u8>) {
    let kdc = Kdc::builder(REALM)
        .user("alice", "open sesame")
        .build()
        .unwrap();
    let server = kdc.serve("127.0.0.1:0").unwrap();
    let key = password_key("alice", "open sesame", FAST_ENCTYPE);
    let ask = Ask::initial("alice").with(|ask| ask.etypes = vec![17]);
    (kdc, server, ask.stamped(&key, NOW).as_req())
}

fn over_udp(server: &KdcServer, request: &[u8]) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server.address()).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    socket.send(request).unwrap();
    let mut answer = vec![0; 65_536];
    let length = socket.recv(&mut answer).ok()?;
    answer.truncate(length);
    Some(answer)
}

fn connect(server: &KdcServer) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    stream
}

fn ask(stream: &mut TcpStream, request: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(request.len()).unwrap();
    stream.write_all(&length.to_be_bytes()).unwrap();
    stream.write_all(request).unwrap();
    read(stream)
}

fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap();
    let mut answer = vec![0; length.min(65_536)];
    stream.read_exact(&mut answer).ok()?;
    Some(answer)
}

fn is_ticket(answer: &[u8]) -> bool {
    wire::decode::<krb::AsRep>(answer).is_ok()
}

#[test]
fn both_transports_answer_and_a_connection_carries_several_requests() {
    let (kdc, server, request) = start();
    assert!(is_ticket(&over_udp(&server, &request).unwrap()));
    let mut stream = connect(&server);
    assert!(is_ticket(&ask(&mut stream, &request).unwrap()));
    let hint = ask(&mut stream, &Ask::initial("alice").as_req()).unwrap();
    assert_eq!(code(&hint), c::PREAUTH_REQUIRED);
    assert!(kdc.seen().len() >= 2);
}

#[test]
fn a_repeated_request_has_the_same_answer_and_is_no_replay() {
    let (_kdc, server, request) = start();
    let first = over_udp(&server, &request).unwrap();
    assert_eq!(over_udp(&server, &request).unwrap(), first);
}

#[test]
fn a_request_that_is_repeated_while_it_is_answered_is_no_replay() {
    for _ in 0..20 {
        let (_kdc, server, request) = start();
        let answers: Vec<_> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| ask(&mut connect(&server), &request).unwrap()))
                .collect();
            let answers = clients.into_iter().map(|client| client.join().unwrap());
            answers.collect()
        });
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert!(is_ticket(&answers[0]));
    }
}

#[test]
fn a_long_answer_comes_over_tcp_only() {
    let kdc = Kdc::builder(REALM)
        .user("alice", "open sesame")
        .datagram_limit(400);
    let kdc = kdc.build().unwrap();
    let server = kdc.serve("127.0.0.1:0").unwrap();
    let (_, _, request) = start();
    assert_eq!(
        code(&over_udp(&server, &request).unwrap()),
        c::RESPONSE_TOO_BIG
    );
    assert!(is_ticket(&ask(&mut connect(&server), &request).unwrap()));
    assert_eq!(
        code(&over_udp(&server, &request).unwrap()),
        c::RESPONSE_TOO_BIG
    );
}

#[test]
fn an_endless_request_is_refused_before_it_is_read() {
    let (_kdc, server, request) = start();
    let mut stream = connect(&server);
    stream.write_all(&[0x80, 0, 0, 4]).unwrap();
    assert_eq!(code(&read(&mut stream).unwrap()), c::FIELD_TOO_LONG);
    assert_eq!(read(&mut stream), None);
    assert!(is_ticket(&ask(&mut connect(&server), &request).unwrap()));
}

#[test]
fn each_fault_is_its_own_and_ends_when_told() {
    let (_kdc, server, request) = start();
    let both = || {
        let udp = over_udp(&server, &request);
        (udp, ask(&mut connect(&server), &request))
    };
    server.misbehave(KdcFault::Silent);
    assert_eq!(both(), (None, None));
    server.misbehave(KdcFault::SilentOverUdp);
    let (udp, tcp) = both();
    assert!(udp.is_none() && is_ticket(&tcp.unwrap()));
    server.misbehave(KdcFault::Garbage);
    let (udp, tcp) = both();
    assert!(!is_ticket(&udp.unwrap()) && !is_ticket(&tcp.unwrap()));
    server.misbehave(KdcFault::Truncated);
    let (udp, tcp) = both();
    assert!(!is_ticket(&udp.unwrap()) && tcp.is_none());
    server.misbehave(KdcFault::HangsUp);
    assert_eq!(both(), (None, None));
    server.misbehave(KdcFault::Endless);
    assert_eq!(both(), (Some(Vec::new()), None));
    server.misbehave(KdcFault::WrongRealm);
    let (udp, tcp) = both();
    assert_eq!(code(&udp.unwrap()), c::WRONG_REALM);
    assert_eq!(code(&tcp.unwrap()), c::WRONG_REALM);
    server.misbehave(KdcFault::Twice);
    let mut stream = connect(&server);
    let first = ask(&mut stream, &request).unwrap();
    assert_eq!(read(&mut stream), Some(first));
    server.misbehave(KdcFault::Slow(Duration::from_millis(150)));
    let begin = Instant::now();
    assert!(is_ticket(&over_udp(&server, &request).unwrap()));
    assert!(begin.elapsed() >= Duration::from_millis(150));
    server.misbehave(None);
    let (udp, tcp) = both();
    assert!(is_ticket(&udp.unwrap()) && is_ticket(&tcp.unwrap()));
}

#[test]
fn faults_of_the_wire_leave_no_whole_answer() {
    let (_kdc, server, request) = start();
    let both = |fault: KdcFault| {
        server.misbehave(fault);
        let udp = over_udp(&server, &request);
        (udp, ask(&mut connect(&server), &request))
    };
    assert_eq!(both(KdcFault::Empty), (Some(Vec::new()), Some(Vec::new())));
    assert_eq!(both(KdcFault::ReservedLength), (Some(Vec::new()), None));
    assert_eq!(both(KdcFault::Resets), (None, None));
    let (udp, tcp) = both(KdcFault::TruncatedAt(100));
    assert_eq!((udp.unwrap().len(), tcp), (100, None));
    let (udp, tcp) = both(KdcFault::TooBig);
    assert_eq!((code(&udp.unwrap()), tcp), (c::RESPONSE_TOO_BIG, None));
    // Which a connected socket does not hear.
    assert_eq!(both(KdcFault::Elsewhere), (None, None));
    let (udp, tcp) = both(KdcFault::Trickle(Duration::ZERO));
    assert!(udp.is_none() && is_ticket(&tcp.unwrap()));
    server.misbehave_by_turns(KdcFault::HangsUp);
    for honest in [true, false, true, false] {
        let answer = ask(&mut connect(&server), &request);
        assert_eq!(answer.is_some(), honest);
    }
}

#[test]
fn a_stale_answer_is_that_of_another_request_of_its_kind() {
    let (_kdc, server, request) = start();
    server.misbehave(KdcFault::Stale);
    let first = over_udp(&server, &request).unwrap();
    assert!(is_ticket(&first));
    let other = Ask::initial("alice").as_req();
    assert_eq!(over_udp(&server, &other), Some(first.clone()));
    assert_eq!(ask(&mut connect(&server), &other), Some(first));
    server.misbehave(None);
    assert_eq!(
        code(&over_udp(&server, &other).unwrap()),
        c::PREAUTH_REQUIRED
    );
}

#[test]
fn a_stopped_server_refuses_connections_and_leaves_no_thread() {
    let (_kdc, mut server, request) = start();
    let mut idle = connect(&server);
    assert!(is_ticket(&ask(&mut idle, &request).unwrap()));
    server.stop();
    assert!(TcpStream::connect(server.address()).is_err());
    assert_eq!(read(&mut idle), None);
    assert_eq!(over_udp(&server, &request), None);
}
