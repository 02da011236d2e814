//! Child processes that never outlive their owner, whose output is kept, and for which nobody waits
//! longer than a deadline.

use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::Result;

/// How long anything that one row does may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running program, killed (by its process id) when dropped.
pub(crate) struct Running {
    name: String,
    child: Child,
    output: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Running {
    /// Starts `command` with both outputs collected and no input.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .spawn()
            .map_err(|e| format!("cannot start {name}: {e}"))?;
        let output = Arc::new(Mutex::new(Vec::new()));
        let mut readers = Vec::new();
        if let Some(pipe) = child.stdout.take() {
            readers.push(collect(pipe, &output));
        }
        if let Some(pipe) = child.stderr.take() {
            readers.push(collect(pipe, &output));
        }
        Ok(Self {
            name,
            child,
            output,
            readers,
        })
    }

    /// What it has printed so far, both outputs in the order of arrival.
    pub(crate) fn output(&self) -> String {
        self.output
            .lock()
            .map_or_else(|_| String::new(), |o| String::from_utf8_lossy(&o).into())
    }

    /// Waits for `found` to find something in the output.
    pub(crate) fn wait_for_output<T>(&mut self, found: impl Fn(&str) -> Option<T>) -> Result<T> {
        self.poll(|this| Ok(found(&this.output())))
    }

    /// Waits until the process listens on the TCP port.
    pub(crate) fn wait_for_port(&mut self, port: u16) -> Result<()> {
        self.poll(|_| Ok(is_listening(port)?.then_some(())))
    }

    fn poll<T>(&mut self, mut done: impl FnMut(&Self) -> Result<Option<T>>) -> Result<T> {
        let start = Instant::now();
        loop {
            let ended = self.try_wait()?;
            if ended.is_some() {
                self.drain();
            }
            if let Some(value) = done(self)? {
                return Ok(value);
            }
            if let Some(status) = ended {
                return Err(format!(
                    "{} ended early: {status}\n{}",
                    self.name,
                    self.output()
                ));
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("{} is not ready after {PATIENCE:?}", self.name));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.try_wait()?.is_some())
    }

    fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .map_err(|e| format!("{}: {e}", self.name))
    }

    /// Waits so long at most for the end, and ends it then: everything it printed.
    pub(crate) fn end_within(mut self, patience: Duration) -> Result<String> {
        let start = Instant::now();
        while self.try_wait()?.is_none() && start.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        self.drain();
        Ok(self.output())
    }

    /// Waits for the end: whether it succeeded, and everything it printed.
    pub(crate) fn finish(mut self) -> Result<(bool, String)> {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.try_wait()? {
                break status;
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("{} hangs\n{}", self.name, self.output()));
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        self.drain();
        Ok((status.success(), self.output()))
    }

    /// Everything that an ended process wrote is in the output after this: the end is seen before the
    /// last of it was read.
    fn drain(&mut self) {
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // libfaketime forgets these when a signal ends its process.
        let id = self.child.id();
        let _ = std::fs::remove_file(format!("/dev/shm/faketime_shm_{id}"));
        let _ = std::fs::remove_file(format!("/dev/shm/sem.faketime_sem_{id}"));
    }
}

fn collect(mut pipe: impl Read + Send + 'static, output: &Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        let mut chunk = [0u8; 4096];
        while let Ok(n @ 1..) = pipe.read(&mut chunk) {
            if let (Ok(mut output), Some(bytes)) = (output.lock(), chunk.get(..n)) {
                output.extend_from_slice(bytes);
            }
        }
    })
}

/// Whether some process listens on the TCP port (Linux: column 4 of `/proc/net/tcp` is `0A`).
fn is_listening(port: u16) -> Result<bool> {
    let suffix = format!(":{port:04X}");
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let Ok(text) = std::fs::read_to_string(table) else {
            continue;
        };
        for line in text.lines() {
            let mut columns = line.split_whitespace().skip(1);
            let local = columns.next().unwrap_or_default();
            if local.ends_with(&suffix) && columns.nth(1) == Some("0A") {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// A TCP port on which nobody listens at this moment.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("bind: {e}"))?;
    Ok(listener
        .local_addr()
        .map_err(|e| format!("bind: {e}"))?
        .port())
}

/// The next connection, for which nobody waits for ever.
pub(crate) fn accept(listener: &TcpListener) -> std::io::Result<TcpStream> {
    let start = Instant::now();
    listener.set_nonblocking(true)?;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(e) if e.kind() != ErrorKind::WouldBlock => return Err(e),
            Err(_) if start.elapsed() > PATIENCE => return Err(ErrorKind::TimedOut.into()),
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}
