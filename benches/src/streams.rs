//! What goes through a stream on loopback, beside a bare socket.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_context::{EnctypeSet, Flags, Policy};
use countersign_handshake::{Clock as _, Handshake, StreamOptions, SystemClock};
use countersign_testkit::Realm;

use crate::kerberos::{ENCTYPES, FLAGS, SERVICE};
use crate::{Operation, Prepared, Result};

/// What one run writes.
const CHUNK: usize = 1 << 20;

/// A stream has an order.
const STREAM: Flags = FLAGS.union(Flags::SEQUENCE);

pub(crate) fn operations() -> Vec<Prepared> {
    let mut all = Vec::new();
    for (enctype, label) in ENCTYPES {
        all.push(Prepared::new(
            format!("stream/write-1m/{label}"),
            move |name| {
                let realm = Realm::new("EXAMPLE.COM", 1).at(SystemClock.now().seconds());
                let ticket = Arc::new(realm.ticket("user", SERVICE).enctype(enctype).mint()?);
                let credential = AcceptorCredential::new(&realm.keytab(&[SERVICE])?);
                let policy = Policy::default().with_enctypes(EnctypeSet::of(&[enctype]));
                let (ours, theirs) = sockets()?;
                let theirs_policy = policy.clone();
                thread::spawn(move || {
                    let acceptor = Acceptor::new(&credential).require(STREAM);
                    let handshake = Handshake::acceptor(acceptor).policy(theirs_policy);
                    if let Ok(stream) = handshake.secure(theirs, StreamOptions::default()) {
                        drain(stream);
                    }
                });
                let initiator = Initiator::new(ticket).request(STREAM);
                let handshake = Handshake::initiator(initiator).policy(policy);
                let stream = handshake.secure(ours, StreamOptions::default())?;
                Ok(writing(name, stream))
            },
        ));
        all.push(Prepared::new(
            format!("stream/write-1m/{label}/plain-socket"),
            |name| {
                let (ours, theirs) = sockets()?;
                thread::spawn(move || drain(theirs));
                Ok(writing(name, ours))
            },
        ));
    }
    all
}

fn sockets() -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let ours = TcpStream::connect(listener.local_addr()?)?;
    let (theirs, _) = listener.accept()?;
    ours.set_nodelay(true)?;
    Ok((ours, theirs))
}

fn drain(mut from: impl Read) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(1..) = from.read(&mut buffer) {}
}

/// The socket's buffers are full all the time: what is measured is what gets through.
fn writing(name: &str, mut to: impl Write + 'static) -> Operation {
    let chunk = vec![0x5c; CHUNK];
    let run = move || assert!(to.write_all(&chunk).and_then(|()| to.flush()).is_ok());
    Operation::new(name, run).with_bytes(CHUNK)
}
