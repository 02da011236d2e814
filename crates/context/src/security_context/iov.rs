//! Messages that lie in several buffers (`gss_wrap_iov`, `EncryptMessage`).
//!
//! ```text
//! with a trailer     Header: header | E(confounder)    Data…    Trailer: E(filler | header) | MAC
//! without a trailer  Header: header | E(filler | header) | MAC | E(confounder)    Data…
//! ```
//!
//! The MAC covers the confounder, then data and associated data in the order of the buffers, then
//! filler and header. Signed messages have no confounder, filler or second header, and the header
//! alone goes into the checksum, last.

use countersign_crypto::{Cipher, Error as CryptoError, Segment};
use countersign_token::{DecodeError, DecodeErrorKind};
use zeroize::Zeroize;

use crate::error::{Error, ErrorKind};

/// A buffer of a scattered message.
#[derive(Debug)]
pub enum IoBuffer<'a> {
    /// `GSS_IOV_BUFFER_TYPE_HEADER`, `SECBUFFER_TOKEN`: exactly one, except with a stream. Room to
    /// wrap into, of which the slice is cut to what was needed; when unwrapping as received.
    Header(&'a mut [u8]),
    /// `GSS_IOV_BUFFER_TYPE_DATA`, `SECBUFFER_DATA`: protected in place, any number.
    Data(&'a mut [u8]),
    /// `GSS_IOV_BUFFER_TYPE_SIGN_ONLY`, `SECBUFFER_READONLY_WITH_CHECKSUM`: covered by the
    /// checksum and not sent in the token, any number.
    SignOnly(&'a [u8]),
    /// `GSS_IOV_BUFFER_TYPE_PADDING`, `SECBUFFER_PADDING`: at most one; ends up empty, as only the
    /// tokens of RFC 4757 have any.
    Padding(&'a mut [u8]),
    /// `GSS_IOV_BUFFER_TYPE_TRAILER`: at most one, treated as the header; without it everything
    /// stands in the header.
    Trailer(&'a mut [u8]),
    /// `GSS_IOV_BUFFER_TYPE_STREAM`, `SECBUFFER_STREAM`, to unwrap only: a whole token. Beside it
    /// stands one `Data`, which becomes the message inside of the token; the stream becomes empty.
    Stream(&'a mut [u8]),
}

/// The lengths that [`Header`](IoBuffer::Header), [`Padding`](IoBuffer::Padding) and
/// [`Trailer`](IoBuffer::Trailer) need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IovParts {
    /// Bytes of the header.
    pub header: usize,
    /// Bytes of the padding.
    pub padding: usize,
    /// Bytes of the trailer.
    pub trailer: usize,
}

impl IovParts {
    /// All together: what a token is longer than its message.
    #[must_use]
    pub fn total(self) -> usize {
        self.header
            .saturating_add(self.padding)
            .saturating_add(self.trailer)
    }
}

/// How a message was protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protection {
    /// It was authenticated and readable by all.
    Signed,
    /// It was authenticated and encrypted.
    Sealed,
}

impl Protection {
    /// Whether it was encrypted.
    #[must_use]
    pub fn is_sealed(self) -> bool {
        self == Self::Sealed
    }
}

/// Which buffers there are.
#[derive(Clone, Copy, Default)]
pub(super) struct Survey {
    pub(super) headers: usize,
    pub(super) trailers: usize,
    pub(super) paddings: usize,
    pub(super) streams: usize,
    /// How many data buffers.
    pub(super) data_buffers: usize,
    /// How many bytes in data buffers.
    pub(super) data: usize,
    /// How many bytes in padding buffers.
    pub(super) padding: usize,
}

impl Survey {
    /// The buffers of a message with a header of its own, to be wrapped or unwrapped.
    pub(super) fn of_header(buffers: &[IoBuffer<'_>]) -> Result<Self, Error> {
        let survey = Self::of(buffers)?;
        if survey.headers != 1 || survey.streams != 0 {
            return Err(ErrorKind::BufferLayout.into());
        }
        Ok(survey)
    }

    /// The buffers of a message whose MIC stands elsewhere: data and associated data alone.
    pub(super) fn of_message(buffers: &[IoBuffer<'_>]) -> Result<(), Error> {
        let message =
            |buffer: &IoBuffer<'_>| matches!(buffer, IoBuffer::Data(_) | IoBuffer::SignOnly(_));
        if buffers.iter().all(message) {
            Ok(())
        } else {
            Err(ErrorKind::BufferLayout.into())
        }
    }

    pub(super) fn of(buffers: &[IoBuffer<'_>]) -> Result<Self, Error> {
        let mut survey = Self::default();
        let one = |count: &mut usize| *count = count.saturating_add(1);
        for buffer in buffers {
            match buffer {
                IoBuffer::Header(_) => one(&mut survey.headers),
                IoBuffer::Trailer(_) => one(&mut survey.trailers),
                IoBuffer::Stream(_) => one(&mut survey.streams),
                IoBuffer::Padding(bytes) => {
                    one(&mut survey.paddings);
                    survey.padding = survey.padding.saturating_add(bytes.len());
                }
                IoBuffer::Data(bytes) => {
                    one(&mut survey.data_buffers);
                    survey.data = survey
                        .data
                        .checked_add(bytes.len())
                        .ok_or(ErrorKind::Overflow)?;
                }
                IoBuffer::SignOnly(_) => {}
            }
        }
        if survey.trailers > 1 || survey.paddings > 1 {
            return Err(ErrorKind::BufferLayout.into());
        }
        Ok(survey)
    }

    pub(super) fn has_trailer(&self) -> bool {
        self.trailers == 1
    }
}

/// The one stream of a message that is to be unwrapped, taken out of the buffers: beside it stand
/// one data buffer and associated data.
pub(super) fn take_stream<'b>(buffers: &mut [IoBuffer<'b>]) -> Result<&'b mut [u8], Error> {
    let survey = Survey::of(buffers)?;
    let layout = (
        survey.streams,
        survey.data_buffers,
        survey.headers,
        survey.trailers,
        survey.padding,
    );
    if layout != (1, 1, 0, 0, 0) {
        return Err(ErrorKind::BufferLayout.into());
    }
    let stream = buffers.iter_mut().find_map(|buffer| match buffer {
        IoBuffer::Stream(bytes) => Some(core::mem::take(bytes)),
        _ => None,
    });
    stream.ok_or(ErrorKind::Internal("stream buffer").into())
}

/// Makes the data buffer beside a stream the message inside of it.
pub(super) fn place_message<'b>(buffers: &mut [IoBuffer<'b>], message: &'b mut [u8]) {
    if let Some(place) = buffers.iter_mut().find_map(|buffer| match buffer {
        IoBuffer::Data(bytes) => Some(bytes),
        _ => None,
    }) {
        *place = message;
    }
}

/// The header of a message of which everything stands before the data, apart from them: a buffer of
/// its own, or the first bytes of a stream, whose rest becomes the data.
pub(super) fn take_header<'b>(
    buffers: &mut [IoBuffer<'b>],
    length: usize,
) -> Result<&'b [u8], Error> {
    if Survey::of(buffers)?.streams != 0 {
        let stream = take_stream(buffers)?;
        let total = stream.len();
        let (header, message) = stream
            .split_at_mut_checked(length)
            .ok_or_else(|| truncated(total, length))?;
        place_message(buffers, message);
        return Ok(header);
    }
    Survey::of_header(buffers)?;
    let beside = |buffer: &IoBuffer<'_>| matches!(buffer, IoBuffer::Padding(bytes) | IoBuffer::Trailer(bytes) if !bytes.is_empty());
    if buffers.iter().any(beside) {
        return Err(ErrorKind::BufferLayout.into());
    }
    let header = buffers.iter_mut().find_map(|buffer| match buffer {
        IoBuffer::Header(bytes) => Some(core::mem::take(bytes)),
        _ => None,
    });
    match header {
        Some(header) if header.len() == length => Ok(header),
        _ => Err(ErrorKind::BufferLayout.into()),
    }
}

/// A token that ends before its header does.
pub(super) fn truncated(length: usize, needed: usize) -> Error {
    let missing = needed.saturating_sub(length);
    let error = DecodeError::new(length, DecodeErrorKind::Truncated { missing });
    ErrorKind::DefectiveToken(error).into()
}

/// The header's bytes; nothing where there is none.
pub(super) fn header_bytes<'b>(buffers: &'b [IoBuffer<'_>]) -> &'b [u8] {
    let header = buffers.iter().find_map(|buffer| match buffer {
        IoBuffer::Header(bytes) => Some(&**bytes),
        _ => None,
    });
    header.unwrap_or_default()
}

/// Cuts header, padding and trailer to the lengths they need.
pub(super) fn fit(buffers: &mut [IoBuffer<'_>], parts: IovParts) -> Result<(), Error> {
    // All are checked before any is cut.
    for buffer in buffers.iter() {
        let (room, needed) = match buffer {
            IoBuffer::Header(bytes) => (bytes.len(), parts.header),
            IoBuffer::Padding(bytes) => (bytes.len(), parts.padding),
            IoBuffer::Trailer(bytes) => (bytes.len(), parts.trailer),
            _ => continue,
        };
        if room < needed {
            return Err(ErrorKind::BufferTooSmall { needed }.into());
        }
    }
    for buffer in buffers {
        let (bytes, needed) = match buffer {
            IoBuffer::Header(bytes) => (bytes, parts.header),
            IoBuffer::Padding(bytes) => (bytes, parts.padding),
            IoBuffer::Trailer(bytes) => (bytes, parts.trailer),
            _ => continue,
        };
        if let Some((used, _)) = core::mem::take(bytes).split_at_mut_checked(needed) {
            *bytes = used;
        }
    }
    Ok(())
}

/// Overwrites what must not be read: a message that is refused after it was decrypted.
pub(super) fn wipe(buffers: &mut [IoBuffer<'_>]) {
    for buffer in buffers {
        if let IoBuffer::Data(bytes) = buffer {
            bytes.zeroize();
        }
    }
}

/// How many pieces are handled without an allocation.
const INLINE: usize = 10;

/// Calls `f` with `first`, the data and associated data in order, and `last`.
pub(super) fn with_parts<R>(
    first: Option<&[u8]>,
    buffers: &[IoBuffer<'_>],
    last: Option<&[u8]>,
    f: impl FnOnce(&[&[u8]]) -> R,
) -> R {
    let covered = buffers.iter().filter_map(|buffer| match buffer {
        IoBuffer::Data(bytes) | IoBuffer::Padding(bytes) => Some(&**bytes),
        IoBuffer::SignOnly(bytes) => Some(*bytes),
        _ => None,
    });
    let parts = first.into_iter().chain(covered).chain(last);
    let mut inline: [&[u8]; INLINE] = [&[]; INLINE];
    if buffers.len().saturating_add(2) <= INLINE {
        let mut count = 0usize;
        for (place, part) in inline.iter_mut().zip(parts) {
            *place = part;
            count = count.saturating_add(1);
        }
        return f(inline.get(..count).unwrap_or_default());
    }
    let all: Vec<&[u8]> = parts.collect();
    f(&all)
}

/// Buffers taken apart by what happens to them.
pub(super) struct Gathered<'s> {
    pub(super) header: Option<&'s mut [u8]>,
    pub(super) trailer: Option<&'s mut [u8]>,
    pub(super) segments: Segments<'s>,
}

/// Takes buffers apart.
#[inline]
pub(super) fn gather<'s>(buffers: &'s mut [IoBuffer<'_>]) -> Gathered<'s> {
    let mut gathered = Gathered {
        header: None,
        trailer: None,
        segments: Segments::with_room_for(buffers.len()),
    };
    for buffer in buffers {
        match buffer {
            IoBuffer::Header(bytes) => gathered.header = Some(bytes),
            IoBuffer::Trailer(bytes) => gathered.trailer = Some(bytes),
            IoBuffer::Data(bytes) | IoBuffer::Padding(bytes) => {
                gathered.segments.push(Segment::Sealed(bytes));
            }
            IoBuffer::SignOnly(bytes) => gathered.segments.push(Segment::Associated(bytes)),
            IoBuffer::Stream(_) => {}
        }
    }
    gathered
}

/// The pieces of a message for the cipher, with a place at the front for the confounder and one
/// at the end. On the stack unless there are very many.
pub(super) struct Segments<'s> {
    inline: [Segment<'s>; INLINE],
    spilled: Vec<Segment<'s>>,
    /// The first free place.
    len: usize,
}

impl<'s> Segments<'s> {
    #[inline]
    fn with_room_for(buffers: usize) -> Self {
        let needed = buffers.saturating_add(2);
        let mut spilled = Vec::new();
        if needed > INLINE {
            spilled.resize_with(needed, || Segment::Associated(&[]));
        }
        Self {
            inline: [const { Segment::Associated(&[]) }; INLINE],
            spilled,
            len: 1,
        }
    }

    fn places(&mut self) -> &mut [Segment<'s>] {
        if self.spilled.is_empty() {
            &mut self.inline
        } else {
            &mut self.spilled
        }
    }

    fn push(&mut self, segment: Segment<'s>) {
        let at = self.len;
        if let Some(place) = self.places().get_mut(at) {
            *place = segment;
            self.len = at.saturating_add(1);
        }
    }

    fn complete(&mut self, confounder: &'s mut [u8], last: &'s mut [u8]) -> &mut [Segment<'s>] {
        self.push(Segment::Sealed(last));
        let len = self.len;
        let places = self.places();
        if let Some(place) = places.first_mut() {
            *place = Segment::Sealed(confounder);
        }
        places.get_mut(..len).unwrap_or_default()
    }

    /// Encrypts all of it between `confounder` and `last`.
    #[inline]
    pub(super) fn seal(
        mut self,
        cipher: &Cipher,
        confounder: &'s mut [u8],
        last: &'s mut [u8],
        mac: &mut [u8],
    ) -> Result<(), CryptoError> {
        cipher.seal_segments(self.complete(confounder, last), mac)
    }

    /// Decrypts all of it between `confounder` and `last`; returns the end of `last`.
    #[inline]
    pub(super) fn open<const N: usize>(
        mut self,
        cipher: &Cipher,
        confounder: &'s mut [u8],
        last: &'s mut [u8],
        mac: &[u8],
    ) -> Result<[u8; N], CryptoError> {
        let segments = self.complete(confounder, last);
        cipher.open_segments(segments, mac)?;
        match segments.last() {
            Some(Segment::Sealed(last)) => last.last_chunk().copied().ok_or(CryptoError::Internal),
            _ => Err(CryptoError::Internal),
        }
    }

    /// Each sealed piece in order.
    #[cfg(feature = "rc4")]
    pub(super) fn sealed_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let len = self.len;
        self.places()
            .iter_mut()
            .take(len)
            .filter_map(|segment| match segment {
                Segment::Sealed(bytes) => Some(&mut **bytes),
                Segment::Associated(_) => None,
            })
    }
}
