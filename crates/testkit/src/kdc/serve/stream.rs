//! Requests over TCP, RFC 4120 §7.2.2.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use super::fault::{self, KdcFault};
use super::{Service, Shared, TURN};
use crate::kdc::refusal::code;

/// The longest request that is read.
const LONGEST: usize = 1 << 20;

pub(super) fn serve(shared: &Shared, service: Service, mut stream: TcpStream) {
    // The client's failures are its own.
    let _ = conversation(shared, service, &mut stream);
}

fn conversation(shared: &Shared, service: Service, stream: &mut TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(TURN))?;
    stream.set_nodelay(true)?;
    loop {
        let mut length = [0; 4];
        if !read(shared, stream, &mut length)? {
            return Ok(());
        }
        let length = u32::from_be_bytes(length);
        // RFC 4120 §7.2.2: the high bit is for extensions, of which there are none.
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > LONGEST {
            let answer = shared.kdc.refuse_plainly(code::FIELD_TOO_LONG, "too long");
            return stream.write_all(&frame(&answer));
        }
        let fault = shared.fault();
        if fault == Some(KdcFault::Resets) {
            // What closes with something unread is reset (RFC 1122 §4.2.2.13).
            while matches!(stream.peek(&mut [0]), Err(error) if is_timeout(&error)) {
                if shared.stopping() {
                    break;
                }
            }
            return Ok(());
        }
        let mut request = vec![0; length];
        if !read(shared, stream, &mut request)?
            || !answer(shared, service, stream, &request, fault)?
        {
            return Ok(());
        }
    }
}

/// Answers one request; `false` when the connection is over.
fn answer(
    shared: &Shared,
    service: Service,
    stream: &mut TcpStream,
    request: &[u8],
    fault: Option<KdcFault>,
) -> io::Result<bool> {
    let honest = || frame(&shared.answer(service, request, false));
    let (bytes, goes_on) = match fault {
        None | Some(KdcFault::SilentOverUdp) => (honest(), true),
        Some(KdcFault::Silent | KdcFault::Elsewhere) => (Vec::new(), true),
        Some(KdcFault::Slow(delay)) => match shared.sleep(delay) {
            true => (honest(), true),
            false => return Ok(false),
        },
        Some(KdcFault::Garbage) => (frame(&fault::garbage(request)), true),
        Some(KdcFault::Truncated) => (fault::half(honest()), false),
        Some(KdcFault::Twice) => ([honest(), honest()].concat(), true),
        Some(KdcFault::WrongRealm) => (frame(&fault::wrong_realm(shared)), true),
        Some(KdcFault::HangsUp | KdcFault::TooBig | KdcFault::Resets) => return Ok(false),
        Some(KdcFault::Endless) => (vec![0x7f, 0xff, 0xff, 0xff, 0x6b], true),
        Some(KdcFault::ReservedLength) => (vec![0x80, 0, 0, 0, 0x6b], true),
        Some(KdcFault::Empty) => {
            stream.write_all(&frame(&[]))?;
            return Ok(true);
        }
        Some(KdcFault::TruncatedAt(length)) => {
            let bytes = honest();
            stream.write_all(bytes.get(..length).unwrap_or(&bytes))?;
            return Ok(false);
        }
        Some(KdcFault::Trickle(pause)) => {
            for octet in honest() {
                if !shared.sleep(pause) {
                    return Ok(false);
                }
                stream.write_all(&[octet])?;
            }
            return Ok(true);
        }
        Some(KdcFault::Stale) => match shared.stale(request) {
            Some(answer) => (frame(&answer), true),
            None => (honest(), true),
        },
    };
    // Just the length of nothing would be an answer.
    if bytes.len() == 4 {
        return Ok(false);
    }
    stream.write_all(&bytes)?;
    Ok(goes_on)
}

fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(0);
    [&length.to_be_bytes(), message].concat()
}

/// Fills `buffer`; `false` at the end of the stream and when the server stops.
fn read(shared: &Shared, stream: &mut TcpStream, mut buffer: &mut [u8]) -> io::Result<bool> {
    while !buffer.is_empty() {
        if shared.stopping() {
            return Ok(false);
        }
        match stream.read(buffer) {
            Ok(0) => return Ok(false),
            Ok(length) => buffer = buffer.get_mut(length..).unwrap_or_default(),
            Err(error) if is_timeout(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

fn is_timeout(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}
