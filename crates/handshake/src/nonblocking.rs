//! The driver over tokio's `AsyncRead` and `AsyncWrite`.

use core::future::{Future, ready};

use countersign_context::kerberos::kdc::KdcRequest;
use countersign_context::{Answer, Need, SecurityContext};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::blocking::READ_STEP;
use crate::error::{Error, ErrorKind};
use crate::framing::{Due, Header};
use crate::handshake::Handshake;
use crate::kdc::KdcClient;
use crate::limits::Deadline;
use crate::machine::{Machine, Then, Turn};
use crate::stream::{AuthenticatedStream, StreamOptions};

impl Handshake {
    /// Runs to the established context. The deadline, kept by tokio's clock, holds always; a
    /// runtime with time enabled is needed unless it is [`Deadline::Never`].
    ///
    /// # Cancellation
    /// The future owns the half-open context. Dropping it before it is ready drops the context:
    /// none is ever established by a handshake that was cut short, and the stream, left in the
    /// middle of a token, should be closed. [`secure_async`](Self::secure_async) owns the stream
    /// too and closes it.
    ///
    /// # Errors
    /// Whatever the peer, the stream or the engine did wrong; the stream is then in the middle of
    /// a token and should be closed. What the engine wants to tell the peer has been sent.
    pub async fn run_async<S>(self, stream: &mut S) -> Result<Box<SecurityContext>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + ?Sized,
    {
        self.run_async_with(stream, |_| ready(None)).await
    }

    /// As [`run_async`](Self::run_async), with a handler for what the engine cannot do without
    /// I/O, such as asking an external replay cache; `None` gives the handshake up.
    ///
    /// # Errors
    /// As for [`run_async`](Self::run_async).
    pub async fn run_async_with<S, H, A>(
        self,
        stream: &mut S,
        handler: H,
    ) -> Result<Box<SecurityContext>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + ?Sized,
        H: FnMut(Need) -> A + Send,
        A: Future<Output = Option<Answer>> + Send,
    {
        let deadline = match self.configured_deadline() {
            Deadline::After(duration) => Instant::now().checked_add(duration),
            Deadline::At(moment) => Some(Instant::from_std(moment)),
            Deadline::Never => None,
        };
        let (mut machine, _) = self.start();
        let Some(moment) = deadline else {
            return drive(&mut machine, stream, handler).await;
        };
        // A timeout polls what it guards first, and a stream may have everything there already.
        if Instant::now() >= moment {
            return Err(machine.error(ErrorKind::DeadlineExceeded));
        }
        match timeout_at(moment, drive(&mut machine, stream, handler)).await {
            Ok(result) => result,
            Err(_) => Err(machine.error(ErrorKind::DeadlineExceeded)),
        }
    }

    /// Runs to the established context, and protects what follows on the stream. Without success,
    /// and when the future is dropped, the stream is dropped, which closes it.
    ///
    /// # Errors
    /// Those of the handshake and of [`AuthenticatedStream::new`].
    pub async fn secure_async<S>(
        self,
        mut stream: S,
        options: StreamOptions,
    ) -> Result<AuthenticatedStream<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let context = self.run_async(&mut stream).await?;
        AuthenticatedStream::new(stream, *context, options)
    }
}

async fn drive<S, H, A>(
    machine: &mut Machine,
    stream: &mut S,
    mut handler: H,
) -> Result<Box<SecurityContext>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + ?Sized,
    H: FnMut(Need) -> A + Send,
    A: Future<Output = Option<Answer>> + Send,
{
    let mut turn = machine.begin();
    loop {
        let Turn { send, then } = turn;
        let sent = write_all(stream, &send).await;
        if let Then::Fail(error) = then {
            return Err(error);
        }
        sent.map_err(|kind| machine.error(kind))?;
        turn = match then {
            Then::Receive(due) => {
                let (frame, header) = read_frame(stream, machine, due).await?;
                machine.received(due, frame.get(header..).unwrap_or_default())
            }
            Then::Ask(need) => {
                // The handler takes the need with it.
                let request = kdc_request(machine, &need);
                let answer = match (handler(need).await, request) {
                    (None, Some((client, request))) => {
                        Some(Answer::Kdc(client.answer_async(&request).await))
                    }
                    (answer, _) => answer,
                };
                match answer {
                    Some(answer) => machine.answered(answer),
                    None => return Err(machine.error(ErrorKind::Unanswered)),
                }
            }
            Then::Done(context) => return Ok(context),
            Then::Fail(error) => return Err(error),
        };
    }
}

/// What the client of the KDC would be asked, if there is one.
fn kdc_request(machine: &Machine, need: &Need) -> Option<(KdcClient, KdcRequest)> {
    match (&machine.kdc_client, need) {
        (Some(client), Need::Kdc(request)) => Some((client.clone(), request.clone())),
        _ => None,
    }
}

/// One frame, not a byte more, and the length of its header.
async fn read_frame<S: AsyncRead + Unpin + ?Sized>(
    stream: &mut S,
    machine: &mut Machine,
    due: Due,
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
        read_some(stream, &mut frame, missing)
            .await
            .map_err(|kind| machine.error(kind))?;
    }
}

/// Appends some of the bytes that are missing.
async fn read_some<S: AsyncRead + Unpin + ?Sized>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
    missing: usize,
) -> Result<(), ErrorKind> {
    let filled = buffer.len();
    buffer.resize(filled.saturating_add(missing.min(READ_STEP)), 0);
    let result = stream
        .read(buffer.get_mut(filled..).unwrap_or_default())
        .await;
    let read = *result.as_ref().unwrap_or(&0);
    buffer.truncate(filled.saturating_add(read));
    match result {
        Ok(0) => Err(ErrorKind::PeerClosed {
            received: filled,
            missing,
        }),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Ok(()),
        Err(error) => Err(ErrorKind::Io(error.kind())),
    }
}

async fn write_all<S: AsyncWrite + Unpin + ?Sized>(
    stream: &mut S,
    bytes: &[u8],
) -> Result<(), ErrorKind> {
    if bytes.is_empty() {
        return Ok(());
    }
    let io = |error: std::io::Error| ErrorKind::Io(error.kind());
    stream.write_all(bytes).await.map_err(io)?;
    stream.flush().await.map_err(io)
}
