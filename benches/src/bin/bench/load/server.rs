//! What is connected to, and how much memory it holds.
//!
//! ```text
//! ADDRESS        what it prints first
//!
//! (a line)       asks
//! BYTES          the most that were in memory since it was asked last, or `?`
//! ```

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use countersign_benches::Result;
use countersign_context::kerberos::{Acceptor, AcceptorCredential};
use countersign_handshake::{Handshake, StreamOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};

use crate::memory::peak;

use super::{ANSWER, FLAGS, LIMIT, QUESTION, SERVICE, realm, runtime};

/// Connections that wait to be accepted, as many as Linux allows by default. Who finds no room tries again a
/// second later: with the standard library's 128 that second was what a hundredth of 1,000 clients took.
const BACKLOG: u32 = 4_096;

/// Before it tries again to accept what it could not.
const PAUSE: Duration = Duration::from_millis(1);

/// The process that serves, until this is dropped.
pub(super) struct Server {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub(super) address: SocketAddr,
}

impl Server {
    pub(super) fn start() -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("--serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("no pipe".into());
        };
        let mut output = BufReader::new(output);
        let address = line(&mut output)?.parse()?;
        Ok(Self {
            process,
            input,
            output,
            address,
        })
    }

    /// The most bytes that its process had in memory since this was asked last. `None` where the system does not tell.
    pub(super) fn peak(&mut self) -> Result<Option<u64>> {
        self.input.write_all(b"\n")?;
        Ok(line(&mut self.output)?.parse().ok())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn line(from: &mut impl std::io::BufRead) -> Result<String> {
    let mut line = String::new();
    match from.read_line(&mut line)? {
        0 => Err("the server ended".into()),
        _ => Ok(line.trim().to_owned()),
    }
}

/// What the process does.
pub(crate) fn serve() -> Result<()> {
    let credential = AcceptorCredential::new(&realm().keytab(&[SERVICE])?);
    let runtime = runtime()?;
    let listener = runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        socket.listen(BACKLOG)
    })?;
    let mut output = std::io::stdout().lock();
    writeln!(output, "{}", listener.local_addr()?)?;
    runtime.spawn(accept(listener, credential));
    for _ in std::io::stdin().lock().lines() {
        match peak() {
            Some(bytes) => writeln!(output, "{bytes}")?,
            None => writeln!(output, "?")?,
        }
    }
    Ok(())
}

/// Accepts whoever comes, each in a task of its own.
async fn accept(listener: TcpListener, credential: AcceptorCredential) {
    loop {
        // One that has gone again, or for which there is no open file left: others wait.
        let Ok((socket, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let acceptor = Acceptor::new(&credential).require(FLAGS);
        tokio::spawn(async move {
            let handshake = Handshake::acceptor(acceptor).timeout(LIMIT);
            let Ok(mut stream) = handshake
                .secure_async(socket, StreamOptions::default())
                .await
            else {
                return;
            };
            let mut question = [0; QUESTION.len()];
            if stream.read_exact(&mut question).await.is_ok() && question == QUESTION {
                let _ = stream.write_all(ANSWER).await;
                let _ = stream.flush().await;
            }
        });
    }
}
