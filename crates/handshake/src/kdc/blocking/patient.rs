//! A TCP socket that gives up at the deadline, and soon after nobody wants it any more.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::super::error::Failure;
use super::Worker;

/// How long a thread sleeps at most before it looks whether it is still wanted.
pub(super) const SLICE: Duration = Duration::from_millis(50);

pub(super) struct Patient<'a> {
    socket: TcpStream,
    worker: &'a Worker,
}

impl<'a> Patient<'a> {
    pub(super) fn connect(worker: &'a Worker, address: SocketAddr) -> Result<Self, Failure> {
        let left = worker
            .ask
            .deadline
            .saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::NoAnswer);
        }
        let socket = TcpStream::connect_timeout(&address, left).map_err(|error| {
            if is_timeout(&error) {
                Failure::NoAnswer
            } else {
                Failure::Io(error.kind())
            }
        })?;
        let io = |error: io::Error| Failure::Io(error.kind());
        socket.set_nodelay(true).map_err(io)?;
        socket.set_read_timeout(Some(SLICE)).map_err(io)?;
        socket.set_write_timeout(Some(SLICE)).map_err(io)?;
        Ok(Self { socket, worker })
    }

    fn wait(
        &mut self,
        mut operation: impl FnMut(&mut TcpStream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            if !self.worker.goes_on() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match operation(&mut self.socket) {
                Err(error) if is_timeout(&error) => {}
                result => return result,
            }
        }
    }
}

impl Read for Patient<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.wait(|socket| socket.read(buf))
    }
}

impl Write for Patient<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.wait(|socket| socket.write(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

/// Which of the two it is depends on the operating system.
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}
