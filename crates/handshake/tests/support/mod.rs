//! One test suite over both drivers.
#![allow(dead_code, reason = "each test program uses a part")]

pub(crate) mod cancellation;
pub(crate) mod kdc;
pub(crate) mod kerberos;
#[cfg(feature = "https")]
pub(crate) mod proxy;

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use countersign_handshake::context::{
    Answer, Environment, Mechanism, SecurityContext, Step, token::oid::Oid,
};
use countersign_handshake::{Error, Handshake};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The two drivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    Blocking,
    Tokio,
}

pub(crate) const DRIVERS: [Driver; 2] = [Driver::Blocking, Driver::Tokio];

impl Driver {
    /// Runs a handshake over a script.
    pub(crate) fn run(
        self,
        handshake: Handshake,
        stream: &mut Script,
    ) -> Result<Box<SecurityContext>, Error> {
        match self {
            Self::Blocking => handshake.run(stream),
            Self::Tokio => runtime().block_on(handshake.run_async(stream)),
        }
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// A stream that says what it was told to say, so many bytes at a time, then ends; and that keeps
/// what it is told.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) input: Vec<u8>,
    pub(crate) read: usize,
    pub(crate) output: Vec<u8>,
    /// Most bytes of one read or write; 0 for any number.
    pub(crate) step: usize,
    /// What every write fails with.
    pub(crate) write_error: Option<io::ErrorKind>,
}

impl Script {
    pub(crate) fn of(input: impl Into<Vec<u8>>) -> Self {
        Self {
            input: input.into(),
            ..Self::default()
        }
    }

    pub(crate) fn stepping(mut self, step: usize) -> Self {
        self.step = step;
        self
    }

    /// What the other side has not read.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.input[self.read..]
    }

    fn limit(&self, n: usize) -> usize {
        if self.step == 0 { n } else { n.min(self.step) }
    }
}

impl Read for Script {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.limit(buf.len()).min(self.input.len() - self.read);
        buf[..n].copy_from_slice(&self.input[self.read..][..n]);
        self.read += n;
        Ok(n)
    }
}

impl Write for Script {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if let Some(kind) = self.write_error {
            return Err(kind.into());
        }
        let n = self.limit(buf.len());
        self.output.extend_from_slice(&buf[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let n = self.read(buf.initialize_unfilled())?;
        buf.advance(n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(buf))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A mechanism that answers every token with its own length and never comes to an end.
#[derive(Debug)]
pub(crate) struct Endless;

impl Mechanism for Endless {
    fn mechanism(&self) -> Oid<'static> {
        Oid::KERBEROS
    }

    fn step(
        &mut self,
        token: Option<&[u8]>,
        _env: &mut Environment<'_>,
    ) -> Result<Step, countersign_handshake::context::Error> {
        let token = match token {
            None => b"first".to_vec(),
            Some(token) => token.len().to_string().into_bytes(),
        };
        Ok(Step::Continue { token })
    }

    fn resume(
        &mut self,
        _answer: Answer,
        env: &mut Environment<'_>,
    ) -> Result<Step, countersign_handshake::context::Error> {
        self.step(None, env)
    }
}
