//! What a man in the middle of the gss-sample protocol can do: record a client's tokens, say them again.
//!
//! A frame of that protocol is a byte of flags, a 4-byte big-endian length, and the data.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use crate::Result;
use crate::process::{PATIENCE, accept};

/// Listens, passes one connection on to the server and keeps what the client sent.
pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    thread: JoinHandle<std::io::Result<Vec<u8>>>,
}

impl Recorder {
    pub(crate) fn start(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
        let address = listener.local_addr().map_err(|e| e.to_string())?;
        let thread = std::thread::spawn(move || {
            let client = accept(&listener)?;
            let server = TcpStream::connect(server)?;
            server.set_read_timeout(Some(PATIENCE))?;
            let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
            let back = std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(std::net::Shutdown::Write);
            });
            let recorded = record(client, server);
            let _ = back.join();
            recorded
        });
        Ok(Self { address, thread })
    }

    /// Everything that the client sent, once both have hung up.
    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        match self.thread.join() {
            Ok(recorded) => recorded.map_err(|e| format!("the recording proxy: {e}")),
            Err(_) => Err("the recording proxy failed".into()),
        }
    }
}

fn record(mut client: TcpStream, mut server: TcpStream) -> std::io::Result<Vec<u8>> {
    let mut recorded = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let count = client.read(&mut chunk)?;
        let Some(bytes @ [_, ..]) = chunk.get(..count) else {
            break;
        };
        recorded.extend_from_slice(bytes);
        server.write_all(bytes)?;
    }
    let _ = server.shutdown(std::net::Shutdown::Write);
    Ok(recorded)
}

/// Says again what was recorded; what the server answers until it hangs up.
pub(crate) fn replay(server: SocketAddr, recorded: &[u8]) -> Result<Vec<u8>> {
    let mut answer = Vec::new();
    let mut exchange = || -> std::io::Result<()> {
        let mut stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(recorded)?;
        stream.shutdown(std::net::Shutdown::Write)?;
        stream.read_to_end(&mut answer)?;
        Ok(())
    };
    match exchange() {
        // A server that refuses the first token resets the connection under the rest of the recording.
        Err(e)
            if e.kind() != std::io::ErrorKind::ConnectionReset
                && e.kind() != std::io::ErrorKind::BrokenPipe
                && e.kind() != std::io::ErrorKind::NotConnected =>
        {
            Err(format!("replaying: {e}"))
        }
        _ => Ok(answer),
    }
}

/// The first mechanism token with that RFC 4121 §4.1 id among the frames.
pub(crate) fn find_token(mut frames: &[u8], id: [u8; 2]) -> Option<&[u8]> {
    const KERBEROS: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
    let wanted = [KERBEROS, &id].concat();
    loop {
        let (head, rest) = frames.split_first_chunk::<5>()?;
        let [_, length @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
        let (data, rest) = rest.split_at_checked(length)?;
        if data.windows(wanted.len()).any(|window| window == wanted) {
            return Some(data);
        }
        frames = rest;
    }
}
