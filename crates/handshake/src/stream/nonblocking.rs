//! `AsyncRead` and `AsyncWrite` for the stream and its halves.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::AuthenticatedStream;
use super::halves::{AuthenticatedReader, AuthenticatedWriter};
use super::inbound::Inbound;
use super::outbound::{Outbound, WriteSome};

fn poll_read<R: AsyncRead + Unpin>(
    inbound: &mut Inbound,
    reader: &mut R,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let mut pending = false;
    let result = inbound.read(buf.initialize_unfilled(), &mut |bytes| {
        let mut bytes = ReadBuf::new(bytes);
        match Pin::new(&mut *reader).poll_read(cx, &mut bytes) {
            Poll::Ready(result) => result.map(|()| bytes.filled().len()),
            Poll::Pending => {
                pending = true;
                Err(io::ErrorKind::WouldBlock.into())
            }
        }
    });
    if pending
        && result
            .as_ref()
            .is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock)
    {
        return Poll::Pending;
    }
    Poll::Ready(result.map(|read| buf.advance(read)))
}

/// Runs `operation` with a writer that says `WouldBlock` where polling says `Pending`.
fn poll_with<W: AsyncWrite + Unpin, T>(
    writer: &mut W,
    cx: &mut Context<'_>,
    operation: impl FnOnce(&mut WriteSome<'_>) -> io::Result<T>,
) -> Poll<io::Result<T>> {
    let mut pending = false;
    let result = operation(
        &mut |bytes| match Pin::new(&mut *writer).poll_write(cx, bytes) {
            Poll::Ready(result) => result,
            Poll::Pending => {
                pending = true;
                Err(io::ErrorKind::WouldBlock.into())
            }
        },
    );
    match result {
        Err(error) if pending && error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
        result => Poll::Ready(result),
    }
}

fn poll_write<W: AsyncWrite + Unpin>(
    outbound: &mut Outbound,
    writer: &mut W,
    cx: &mut Context<'_>,
    buf: &[u8],
) -> Poll<io::Result<usize>> {
    poll_with(writer, cx, |write| outbound.write(buf, write))
}

fn poll_flush<W: AsyncWrite + Unpin>(
    outbound: &mut Outbound,
    writer: &mut W,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    ready!(poll_with(writer, cx, |write| outbound.drain(write)))?;
    Pin::new(writer).poll_flush(cx)
}

fn poll_shutdown<W: AsyncWrite + Unpin>(
    outbound: &mut Outbound,
    writer: &mut W,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    ready!(poll_with(writer, cx, |write| outbound.finish(write)))?;
    Pin::new(writer).poll_shutdown(cx)
}

impl<S: AsyncRead + Unpin> AsyncRead for AuthenticatedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        poll_read(&mut this.inbound, &mut this.stream, cx, buf)
    }
}

/// Shutting down sends the authenticated end and shuts the stream underneath down.
impl<S: AsyncWrite + Unpin> AsyncWrite for AuthenticatedStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        poll_write(&mut this.outbound, &mut this.stream, cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        poll_flush(&mut this.outbound, &mut this.stream, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        poll_shutdown(&mut this.outbound, &mut this.stream, cx)
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for AuthenticatedReader<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        poll_read(&mut this.inbound, &mut this.reader, cx, buf)
    }
}

/// Shutting down sends the authenticated end and shuts the stream underneath down.
impl<W: AsyncWrite + Unpin> AsyncWrite for AuthenticatedWriter<W> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        poll_write(&mut this.outbound, &mut this.writer, cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        poll_flush(&mut this.outbound, &mut this.writer, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        poll_shutdown(&mut this.outbound, &mut this.writer, cx)
    }
}
