//! Rows of the C program with our programs over TCP, each token behind its 4-byte length.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::sample::Usual;
use crate::Result;
use crate::gss_peer::GssPeer;
use crate::lab::{ENCTYPES, Lab};
use crate::process::{PATIENCE, accept};
use crate::row::{Role, Row, not_built};
use crate::sample::{ClientSetup, Program, Server, ServerSetup, run_client};
use crate::side::{AcceptorSetup, Handshake, InitiatorSetup, Side};

const MESSAGE: &str = "Who goes there?";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (role, run) in [
        (
            Role::Acceptor,
            serve as fn(&Lab, &'static str) -> Result<()>,
        ),
        (Role::Initiator, connect),
    ] {
        for enctype in ENCTYPES {
            rows.push(Row {
                peer: "libgssapi/tcp",
                role,
                enctype,
                protection: "length framing, sealed",
                skip: not_built(role, enctype),
                run: Box::new(move |lab| run(lab, enctype)),
            });
        }
    }
    rows
}

/// The C program speaks to `countersign serve`, which answers each sealed message with itself.
fn serve(lab: &Lab, enctype: &'static str) -> Result<()> {
    let usual = Usual::new(lab, enctype);
    let setup = ServerSetup {
        framing: "length",
        ..usual.server(true)
    };
    let server = Server::start(lab, Program::Ours, &setup)?;
    let mut stream = TcpStream::connect(server.address).map_err(|e| e.to_string())?;
    let mut peer = GssPeer::start(lab, None)?;
    peer.start_initiator(&InitiatorSetup {
        host: usual.host.clone(),
        flags: vec!["mutual", "replay", "sequence", "conf", "integ"],
        ccache: usual.ccache.clone(),
        ..Default::default()
    })?;
    let mut stepped = peer.step(None)?;
    while let Some(token) = &stepped.token {
        send(&mut stream, token)?;
        if stepped.complete {
            break;
        }
        let answer = receive(&mut stream)?.ok_or("the server hung up")?;
        stepped = peer.step(Some(&answer))?;
    }
    for length in [0usize, 15, 4096] {
        let message = vec![b'x'; length];
        let token = peer.wrap(true, &message)?;
        send(&mut stream, &token)?;
        let answer = receive(&mut stream)?.ok_or("the server hung up")?;
        let opened = peer.unwrap(&answer)?;
        if opened.message != message || !opened.sealed {
            return Err(format!("{length} bytes came back otherwise: {opened:?}"));
        }
    }
    drop(stream);
    let (ok, output) = server.running.finish()?;
    if ok && output.contains("alice@COUNTERSIGN.TEST") {
        Ok(())
    } else {
        Err(format!("the server ended with success {ok}:\n{output}"))
    }
}

/// `countersign connect` speaks to the C program, which answers each sealed message with itself.
fn connect(lab: &Lab, enctype: &'static str) -> Result<()> {
    let usual = Usual::new(lab, enctype);
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let mut peer = GssPeer::start(lab, None)?;
    peer.start_acceptor(&AcceptorSetup {
        keytab: usual.keytab.clone(),
        ..Default::default()
    })?;
    let server = std::thread::spawn(move || answer_one(&listener, peer));
    let setup = ClientSetup {
        framing: "length",
        message: MESSAGE,
        ..usual.client()
    };
    let (ok, output) = run_client(lab, Program::Ours, address, &setup)?;
    let heard = match server.join() {
        Ok(heard) => heard,
        Err(_) => Err("the answering thread failed".into()),
    };
    match heard {
        Ok(messages) if ok && messages == [MESSAGE.as_bytes()] => Ok(()),
        heard => Err(format!("{heard:?}; client, success {ok}:\n{output}")),
    }
}

fn answer_one(listener: &TcpListener, mut peer: GssPeer) -> Result<Vec<Vec<u8>>> {
    let mut stream = accept(listener).map_err(|e| format!("no client: {e}"))?;
    loop {
        let token = receive(&mut stream)?.ok_or("the client hung up in the handshake")?;
        let stepped = peer.step(Some(&token))?;
        if let Some(token) = stepped.token {
            send(&mut stream, &token)?;
        }
        if stepped.complete {
            break;
        }
    }
    let mut messages = Vec::new();
    while let Some(token) = receive(&mut stream)? {
        let opened = peer.unwrap(&token)?;
        if !opened.sealed {
            return Err("a message came unsealed".into());
        }
        let answer = peer.wrap(true, &opened.message)?;
        send(&mut stream, &answer)?;
        messages.push(opened.message);
    }
    Ok(messages)
}

pub(super) fn send(stream: &mut TcpStream, data: &[u8]) -> Result<()> {
    let mut frame = u32::try_from(data.len())
        .map_err(|e| e.to_string())?
        .to_be_bytes()
        .to_vec();
    frame.extend_from_slice(data);
    stream
        .write_all(&frame)
        .map_err(|e| format!("sending a frame: {e}"))
}

/// A frame, or nothing where the other side has hung up between two.
fn receive(stream: &mut TcpStream) -> Result<Option<Vec<u8>>> {
    let problem = |e: std::io::Error| format!("receiving a frame: {e}");
    stream.set_read_timeout(Some(PATIENCE)).map_err(problem)?;
    let mut length = [0; 4];
    match stream.read(&mut length).map_err(problem)? {
        0 => return Ok(None),
        n => stream
            .read_exact(length.get_mut(n..).unwrap_or_default())
            .map_err(problem)?,
    }
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|e| e.to_string())?;
    if length > 1 << 20 {
        return Err(format!("a frame of {length} bytes"));
    }
    let mut data = vec![0; length];
    stream.read_exact(&mut data).map_err(problem)?;
    Ok(Some(data))
}
