//! How the examples put messages on a connection: a length in 4 bytes, big-endian, and so many bytes.

use std::io::{Error, ErrorKind, Read, Result, Write};

/// Longest message that is received, checked before memory is taken for it.
pub(crate) const MAX_MESSAGE: usize = 64 * 1024;

/// Receives a message; `None` where the peer has closed.
pub(crate) fn receive(stream: &mut impl Read) -> Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    if stream.read(&mut length[..1])? == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut length[1..])?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > MAX_MESSAGE {
        return Err(Error::new(
            ErrorKind::InvalidData,
            "the message is too long",
        ));
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message)?;
    Ok(Some(message))
}

/// Sends a message.
pub(crate) fn send(stream: &mut impl Write, message: &[u8]) -> Result<()> {
    let length = u32::try_from(message.len())
        .map_err(|_| Error::new(ErrorKind::InvalidInput, "the message is too long"))?;
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(message)?;
    stream.flush()
}
