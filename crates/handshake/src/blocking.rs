//! The driver over [`std::io::Read`] and [`std::io::Write`].

use std::io::{self, Read, Write};
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use countersign_context::{Answer, Need, SecurityContext};

use crate::error::{Error, ErrorKind};
use crate::framing::{Due, Header};
use crate::handshake::Handshake;
use crate::machine::{Machine, Then, Turn};
use crate::stream::{AuthenticatedStream, StreamOptions};

/// Most bytes that are allocated ahead of what a peer has really sent.
pub(crate) const READ_STEP: usize = 8 * 1024;

impl Handshake {
    /// Runs to the established context.
    ///
    /// The deadline is looked at between reads and writes and cannot interrupt one that blocks:
    /// over a socket prefer [`run_on_socket`](Self::run_on_socket), which keeps it always.
    ///
    /// # Errors
    /// Whatever the peer, the stream or the engine did wrong; the stream is then in the middle of
    /// a token and should be closed. What the engine wants to tell the peer has been sent.
    pub fn run<S: Read + Write + ?Sized>(
        self,
        stream: &mut S,
    ) -> Result<Box<SecurityContext>, Error> {
        self.run_with(stream, |_| None)
    }

    /// As [`run`](Self::run), with a handler for what the engine cannot do without I/O, such as
    /// asking an external replay cache; `None` gives the handshake up.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn run_with<S: Read + Write + ?Sized>(
        self,
        stream: &mut S,
        handler: impl FnMut(&Need) -> Option<Answer>,
    ) -> Result<Box<SecurityContext>, Error> {
        let (machine, deadline) = self.start();
        drive(machine, deadline, stream, handler)
    }

    /// As [`run`](Self::run) over a socket, whose timeouts are set before every read and write to
    /// what is left until the deadline: it holds against a peer that is silent, or trickles one
    /// byte at a time, or does not read. The socket's own timeouts are put back in the end.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn run_on_socket<S: Socket>(self, socket: &mut S) -> Result<Box<SecurityContext>, Error> {
        self.run_on_socket_with(socket, |_| None)
    }

    /// As [`run_on_socket`](Self::run_on_socket), with a handler as in
    /// [`run_with`](Self::run_with).
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn run_on_socket_with<S: Socket>(
        self,
        socket: &mut S,
        handler: impl FnMut(&Need) -> Option<Answer>,
    ) -> Result<Box<SecurityContext>, Error> {
        let (machine, deadline) = self.start();
        let Some(moment) = deadline else {
            return drive(machine, None, socket, handler);
        };
        let io = |error: io::Error| Error::new(0, ErrorKind::Io(error.kind()));
        let before = socket.timeouts().map_err(io)?;
        let result = drive(
            machine,
            deadline,
            &mut DeadlineStream::new(&mut *socket, moment),
            handler,
        );
        let restored = socket.set_timeouts(before).map_err(io);
        // What ended the handshake is worth more than what a dead socket says of its timeouts.
        let context = result?;
        restored.map(|()| context)
    }

    /// Runs to the established context with [`run_on_socket`](Self::run_on_socket), and protects
    /// what follows on the socket. Without success the socket is dropped, which closes it.
    ///
    /// # Errors
    /// Those of the handshake and of [`AuthenticatedStream::new`].
    pub fn secure<S: Socket>(
        self,
        mut socket: S,
        options: StreamOptions,
    ) -> Result<AuthenticatedStream<S>, Error> {
        let context = self.run_on_socket(&mut socket)?;
        AuthenticatedStream::new(socket, *context, options)
    }
}

fn drive<S: Read + Write + ?Sized>(
    mut machine: Machine,
    deadline: Option<Instant>,
    stream: &mut S,
    mut handler: impl FnMut(&Need) -> Option<Answer>,
) -> Result<Box<SecurityContext>, Error> {
    let mut turn = machine.begin();
    loop {
        let Turn { send, then } = turn;
        let sent = write_all(stream, &send, deadline);
        if let Then::Fail(error) = then {
            return Err(error);
        }
        sent.map_err(|kind| machine.error(kind))?;
        turn = match then {
            Then::Receive(due) => {
                let (frame, header) = read_frame(stream, &mut machine, due, deadline)?;
                machine.received(due, frame.get(header..).unwrap_or_default())
            }
            Then::Ask(need) => match handler(&need).or_else(|| ask(&machine, &need, deadline)) {
                Some(answer) => machine.answered(answer),
                None => return Err(machine.error(ErrorKind::Unanswered)),
            },
            Then::Done(context) => return Ok(context),
            Then::Fail(error) => return Err(error),
        };
    }
}

/// What the client of the KDC answers, if there is one.
fn ask(machine: &Machine, need: &Need, deadline: Option<Instant>) -> Option<Answer> {
    match (&machine.kdc_client, need) {
        (Some(client), Need::Kdc(request)) => Some(Answer::Kdc(client.answer(request, deadline))),
        _ => None,
    }
}

/// One frame, not a byte more, and the length of its header.
fn read_frame<S: Read + ?Sized>(
    stream: &mut S,
    machine: &mut Machine,
    due: Due,
    deadline: Option<Instant>,
) -> Result<(Vec<u8>, usize), Error> {
    machine.reading = Some(due);
    let mut frame = Vec::new();
    loop {
        let (missing, complete) = match machine.header(due, &frame)? {
            Header::More(more) => (more.max(1), None),
            Header::Complete { header, payload } => (
                header.saturating_add(payload).saturating_sub(frame.len()),
                Some(header),
            ),
        };
        if let (0, Some(header)) = (missing, complete) {
            return Ok((frame, header));
        }
        read_some(stream, &mut frame, missing, deadline).map_err(|kind| machine.error(kind))?;
    }
}

/// Appends some of the bytes that are missing.
fn read_some<S: Read + ?Sized>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
    missing: usize,
    deadline: Option<Instant>,
) -> Result<(), ErrorKind> {
    check(deadline)?;
    let filled = buffer.len();
    buffer.resize(filled.saturating_add(missing.min(READ_STEP)), 0);
    let result = stream.read(buffer.get_mut(filled..).unwrap_or_default());
    let read = *result.as_ref().unwrap_or(&0);
    buffer.truncate(filled.saturating_add(read));
    match result {
        Ok(0) => Err(ErrorKind::PeerClosed {
            received: filled,
            missing,
        }),
        Ok(_) => Ok(()),
        Err(error) => retry(&error, deadline),
    }
}

fn write_all<S: Write + ?Sized>(
    stream: &mut S,
    mut bytes: &[u8],
    deadline: Option<Instant>,
) -> Result<(), ErrorKind> {
    if bytes.is_empty() {
        return Ok(());
    }
    while !bytes.is_empty() {
        check(deadline)?;
        match stream.write(bytes) {
            Ok(0) => return Err(ErrorKind::Io(io::ErrorKind::WriteZero)),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) => retry(&error, deadline)?,
        }
    }
    loop {
        match stream.flush() {
            Ok(()) => return Ok(()),
            Err(error) => retry(&error, deadline)?,
        }
    }
}

fn check(deadline: Option<Instant>) -> Result<(), ErrorKind> {
    match deadline {
        Some(moment) if Instant::now() >= moment => Err(ErrorKind::DeadlineExceeded),
        _ => Ok(()),
    }
}

/// Whether to try again.
fn retry(error: &io::Error, deadline: Option<Instant>) -> Result<(), ErrorKind> {
    match error.kind() {
        io::ErrorKind::Interrupted => Ok(()),
        kind @ (io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            check(deadline)?;
            Err(ErrorKind::Io(kind))
        }
        kind => Err(ErrorKind::Io(kind)),
    }
}

/// The timeouts of a socket: of a read, then of a write; `None` never ends.
pub type Timeouts = (Option<Duration>, Option<Duration>);

/// A blocking stream whose single reads and writes can be made to end in time.
pub trait Socket: Read + Write {
    /// The timeouts in force.
    ///
    /// # Errors
    /// Those of the operating system.
    fn timeouts(&self) -> io::Result<Timeouts>;

    /// Sets both timeouts, neither of which is zero.
    ///
    /// # Errors
    /// Those of the operating system.
    fn set_timeouts(&self, timeouts: Timeouts) -> io::Result<()>;
}

macro_rules! socket {
    ($type:ty) => {
        impl Socket for $type {
            fn timeouts(&self) -> io::Result<Timeouts> {
                Ok((self.read_timeout()?, self.write_timeout()?))
            }

            fn set_timeouts(&self, (read, write): Timeouts) -> io::Result<()> {
                self.set_read_timeout(read)?;
                self.set_write_timeout(write)
            }
        }
    };
}

socket!(TcpStream);
#[cfg(unix)]
socket!(UnixStream);

/// A socket of which every read and write ends at one moment, however few bytes each of them
/// carries.
#[derive(Debug)]
pub struct DeadlineStream<S> {
    socket: S,
    deadline: Instant,
}

impl<'a, S: Socket> DeadlineStream<&'a mut S> {
    /// Reads and writes until `deadline`, after which both fail with
    /// [`TimedOut`](io::ErrorKind::TimedOut).
    pub fn new(socket: &'a mut S, deadline: Instant) -> Self {
        Self { socket, deadline }
    }

    fn until_deadline(
        &mut self,
        mut operation: impl FnMut(&mut S) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.socket.set_timeouts((Some(left), Some(left)))?;
            let result = operation(self.socket);
            match result {
                // Which of the two it is depends on the operating system; whether it was the
                // deadline is for the next turn to see. A socket that did not even wait is in
                // non-blocking mode, and asking it again would only burn time.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) && self.deadline.saturating_duration_since(Instant::now()) <= left / 2 => {}
                result => return result,
            }
        }
    }
}

impl<S: Socket> Read for DeadlineStream<&mut S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.until_deadline(|socket| socket.read(buf))
    }
}

impl<S: Socket> Write for DeadlineStream<&mut S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.until_deadline(|socket| socket.write(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.until_deadline(|socket| socket.flush().map(|()| 0))
            .map(drop)
    }
}
