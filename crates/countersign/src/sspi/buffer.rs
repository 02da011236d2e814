//! Buffers of `sspi.h`, lent or owned.
//!
//! ```text
//! SecBufferDesc (SECBUFFER_VERSION = 0)
//!   SecBuffer   type | attributes      bytes
//!               ├ input    lent, read only
//!               ├ new      lent; what a function fills is cut to what it wrote
//!               └ owned    a vector; a function that fills it makes it as long as it needs
//! ```

use core::fmt;

use super::{SecurityStatus, SspiError};
use countersign_context::ErrorKind;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        $($(#[$doc])* pub const $name: u32 = $value;)*

        /// The name of a type, without its attributes.
        fn name(kind: u32) -> Option<&'static str> {
            match kind {
                $($value => Some(stringify!($name)),)*
                _ => None,
            }
        }
    };
}

/// `ulVersion` of every descriptor.
pub const SECBUFFER_VERSION: u32 = 0;

numbers! {
    /// Nothing; a place for the package to put something.
    SECBUFFER_EMPTY = 0;
    /// Data, protected where it lies.
    SECBUFFER_DATA = 1;
    /// A token of the establishment, or what protects a message.
    SECBUFFER_TOKEN = 2;
    /// Parameters of a package. These packages have none and pass it over.
    SECBUFFER_PKG_PARAMS = 3;
    /// How many bytes are missing (Schannel).
    SECBUFFER_MISSING = 4;
    /// Bytes that were not used (Schannel).
    SECBUFFER_EXTRA = 5;
    /// What follows a message of a stream (Schannel).
    SECBUFFER_STREAM_TRAILER = 6;
    /// What precedes a message of a stream (Schannel).
    SECBUFFER_STREAM_HEADER = 7;
    /// A hint of the negotiation.
    SECBUFFER_NEGOTIATION_INFO = 8;
    /// Padding of a message.
    SECBUFFER_PADDING = 9;
    /// A whole protected message.
    SECBUFFER_STREAM = 10;
    /// A list of mechanisms.
    SECBUFFER_MECHLIST = 11;
    /// The signature of a list of mechanisms.
    SECBUFFER_MECHLIST_SIGNATURE = 12;
    /// A target (obsolete).
    SECBUFFER_TARGET = 13;
    /// `SEC_CHANNEL_BINDINGS`.
    SECBUFFER_CHANNEL_BINDINGS = 14;
    /// The answer to a change of the password.
    SECBUFFER_CHANGE_PASS_RESPONSE = 15;
    /// The target's host (Digest). These packages pass it over.
    SECBUFFER_TARGET_HOST = 16;
    /// An alert of TLS (Schannel).
    SECBUFFER_ALERT = 17;
}

/// The attributes among the bits of a type.
pub const SECBUFFER_ATTRMASK: u32 = 0xF000_0000;
/// Not to be changed and not covered by the checksum.
pub const SECBUFFER_READONLY: u32 = 0x8000_0000;
/// Not to be changed, and covered by the checksum.
pub const SECBUFFER_READONLY_WITH_CHECKSUM: u32 = 0x1000_0000;
/// Reserved attributes.
pub const SECBUFFER_RESERVED: u32 = 0x6000_0000;

/// A buffer with its type.
pub struct SecBuffer<'a> {
    buffer_type: u32,
    pub(super) memory: Memory<'a>,
}

/// Whose bytes.
pub(super) enum Memory<'a> {
    Shared(&'a [u8]),
    Lent(&'a mut [u8]),
    Owned(Vec<u8>),
}

impl<'a> SecBuffer<'a> {
    /// Bytes for a function to fill or to change. Afterwards the buffer is as long as what was
    /// written, so that the next call needs a new one.
    #[must_use]
    pub fn new(buffer_type: u32, bytes: &'a mut [u8]) -> Self {
        Self {
            buffer_type,
            memory: Memory::Lent(bytes),
        }
    }

    /// Bytes to read.
    #[must_use]
    pub fn input(buffer_type: u32, bytes: &'a [u8]) -> Self {
        Self {
            buffer_type,
            memory: Memory::Shared(bytes),
        }
    }

    /// A vector, which is made as long as is needed where a function fills it.
    #[must_use]
    pub fn owned(buffer_type: u32, bytes: Vec<u8>) -> Self {
        Self {
            buffer_type,
            memory: Memory::Owned(bytes),
        }
    }

    /// `SECBUFFER_EMPTY`.
    #[must_use]
    pub fn empty() -> Self {
        Self::owned(SECBUFFER_EMPTY, Vec::new())
    }

    /// `BufferType`, with its attributes.
    #[must_use]
    pub fn buffer_type(&self) -> u32 {
        self.buffer_type
    }

    /// The type without its attributes.
    #[must_use]
    pub fn kind(&self) -> u32 {
        self.buffer_type & !SECBUFFER_ATTRMASK
    }

    /// Whether it has an attribute.
    #[must_use]
    pub fn has(&self, attribute: u32) -> bool {
        self.buffer_type & attribute == attribute
    }

    /// What `pvBuffer` points to.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.memory {
            Memory::Shared(bytes) => bytes,
            Memory::Lent(bytes) => bytes,
            Memory::Owned(bytes) => bytes,
        }
    }

    /// `cbBuffer`.
    #[must_use]
    pub fn cb_buffer(&self) -> usize {
        self.bytes().len()
    }

    /// The bytes, copied unless they are owned.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        match self.memory {
            Memory::Owned(bytes) => bytes,
            other => Self {
                buffer_type: self.buffer_type,
                memory: other,
            }
            .bytes()
            .to_vec(),
        }
    }

    /// The bytes to change; `None` where they are only lent to read.
    pub(super) fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        match &mut self.memory {
            Memory::Shared(_) => None,
            Memory::Lent(bytes) => Some(bytes),
            Memory::Owned(bytes) => Some(bytes),
        }
    }

    /// Puts bytes there and makes it as long as they are.
    pub(super) fn put(&mut self, bytes: &[u8], allocate: bool) -> Result<(), SspiError> {
        if allocate {
            self.memory = Memory::Owned(bytes.to_vec());
            return Ok(());
        }
        match &mut self.memory {
            Memory::Owned(room) => {
                room.clear();
                room.extend_from_slice(bytes);
            }
            Memory::Lent(room) => {
                let needed = bytes.len();
                let Some(place) = room.get_mut(..needed) else {
                    return Err(ErrorKind::BufferTooSmall { needed }.into());
                };
                place.copy_from_slice(bytes);
                self.cut(needed);
            }
            Memory::Shared(_) => return Err(SecurityStatus::SEC_E_INVALID_PARAMETER.into()),
        }
        Ok(())
    }

    /// Whether so many bytes can be put there.
    pub(super) fn check_room(&self, needed: usize) -> Result<(), SspiError> {
        match &self.memory {
            Memory::Lent(room) if room.len() < needed => {
                Err(ErrorKind::BufferTooSmall { needed }.into())
            }
            Memory::Shared(_) => Err(SecurityStatus::SEC_E_INVALID_PARAMETER.into()),
            Memory::Lent(_) | Memory::Owned(_) => Ok(()),
        }
    }

    /// Takes a part out, of which this buffer keeps what stands before.
    pub(super) fn split_off(&mut self, start: usize, length: usize) -> Memory<'a> {
        match &mut self.memory {
            Memory::Shared(bytes) => Memory::Shared(bytes.get(start..).unwrap_or_default()),
            Memory::Lent(bytes) => {
                let all = core::mem::take(bytes);
                let start = start.min(all.len());
                let (before, rest) = all.split_at_mut(start);
                *bytes = before;
                let length = length.min(rest.len());
                Memory::Lent(rest.split_at_mut(length).0)
            }
            Memory::Owned(bytes) => {
                let mut rest = bytes.split_off(start.min(bytes.len()));
                rest.truncate(length);
                Memory::Owned(rest)
            }
        }
    }

    /// Makes it no longer than so.
    pub(super) fn cut(&mut self, length: usize) {
        match &mut self.memory {
            Memory::Shared(bytes) => *bytes = bytes.get(..length).unwrap_or(bytes),
            Memory::Lent(bytes) => {
                let all = core::mem::take(bytes);
                let length = length.min(all.len());
                *bytes = all.split_at_mut(length).0;
            }
            Memory::Owned(bytes) => bytes.truncate(length),
        }
    }
}

/// Neither tokens nor data.
impl fmt::Debug for SecBuffer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match name(self.kind()) {
            Some(name) => f.write_str(name)?,
            None => write!(f, "{}", self.kind())?,
        }
        match self.buffer_type & SECBUFFER_ATTRMASK {
            0 => {}
            attributes => write!(f, " | {attributes:#x}")?,
        }
        write!(f, " ({} bytes)", self.cb_buffer())
    }
}

/// A descriptor: buffers in their order.
#[derive(Debug, Default)]
pub struct SecBufferDesc<'a> {
    pub(super) buffers: Vec<SecBuffer<'a>>,
}

impl<'a> SecBufferDesc<'a> {
    /// A descriptor of these buffers.
    #[must_use]
    pub fn new(buffers: impl Into<Vec<SecBuffer<'a>>>) -> Self {
        Self {
            buffers: buffers.into(),
        }
    }

    /// `ulVersion`: [`SECBUFFER_VERSION`].
    #[must_use]
    pub fn version(&self) -> u32 {
        SECBUFFER_VERSION
    }

    /// The buffers.
    #[must_use]
    pub fn buffers(&self) -> &[SecBuffer<'a>] {
        &self.buffers
    }

    /// The buffers, to be taken.
    #[must_use]
    pub fn into_buffers(self) -> Vec<SecBuffer<'a>> {
        self.buffers
    }

    /// The first buffer of a type.
    #[must_use]
    pub fn find(&self, kind: u32) -> Option<&SecBuffer<'a>> {
        self.buffers.iter().find(|buffer| buffer.kind() == kind)
    }

    pub(super) fn find_mut(&mut self, kind: u32) -> Option<&mut SecBuffer<'a>> {
        self.buffers.iter_mut().find(|buffer| buffer.kind() == kind)
    }

    /// The bytes of the first `SECBUFFER_TOKEN`; nothing where there is none.
    #[must_use]
    pub fn token(&self) -> &[u8] {
        self.find(SECBUFFER_TOKEN)
            .map_or(&[], |buffer| buffer.bytes())
    }
}

/// `FreeContextBuffer`: gives back what a function allocated. Dropping it does the same.
pub fn free_context_buffer<T>(buffer: T) {
    drop(buffer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lent_buffer_is_cut_to_what_was_put_there_and_keeps_its_room_where_nothing_fits() {
        let mut room = [0; 4];
        let mut buffer = SecBuffer::new(SECBUFFER_TOKEN, &mut room);
        let error = buffer.put(b"too long", false).unwrap_err();
        assert_eq!(error.status(), SecurityStatus::SEC_E_BUFFER_TOO_SMALL);
        assert_eq!((error.needed(), buffer.cb_buffer()), (Some(8), 4));
        buffer.put(b"fit", false).unwrap();
        assert_eq!(buffer.bytes(), b"fit");
        assert_eq!(&room[..3], b"fit");
    }

    #[test]
    fn allocated_and_owned_buffers_are_as_long_as_is_needed() {
        let mut buffer = SecBuffer::new(SECBUFFER_TOKEN, &mut []);
        buffer.put(b"allocated", true).unwrap();
        assert_eq!(buffer.into_bytes(), b"allocated");
        let mut buffer = SecBuffer::owned(SECBUFFER_TOKEN, Vec::new());
        buffer.put(b"grown", false).unwrap();
        assert_eq!(buffer.bytes(), b"grown");
        let mut buffer = SecBuffer::input(SECBUFFER_TOKEN, b"read only");
        let error = buffer.put(b"", false).unwrap_err();
        assert_eq!(error.status(), SecurityStatus::SEC_E_INVALID_PARAMETER);
    }

    #[test]
    fn attributes_are_no_part_of_a_type_and_bytes_are_not_printed() {
        let buffer = SecBuffer::input(SECBUFFER_DATA | SECBUFFER_READONLY, b"secret");
        assert_eq!(buffer.kind(), SECBUFFER_DATA);
        assert!(buffer.has(SECBUFFER_READONLY) && !buffer.has(SECBUFFER_READONLY_WITH_CHECKSUM));
        assert_eq!(
            format!("{buffer:?}"),
            "SECBUFFER_DATA | 0x80000000 (6 bytes)"
        );
        let unknown = SecBuffer::input(99, b"");
        assert_eq!(format!("{unknown:?}"), "99 (0 bytes)");
    }
}
