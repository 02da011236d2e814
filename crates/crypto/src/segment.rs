//! Scatter-gather messages: the bytes that are ciphered lie in several buffers, with bytes between them
//! that are only covered by the MAC.

/// One piece of a message that lies in several buffers.
///
/// The MAC covers all segments in their order; the cipher runs across the sealed ones as though they
/// were one buffer, whose first bytes are the confounder.
#[derive(Debug)]
pub enum Segment<'a> {
    /// Bytes that are encrypted or decrypted in place.
    Sealed(&'a mut [u8]),
    /// Bytes that only the MAC covers (SSPI's read-only-with-checksum, MIT's `SIGN_ONLY`).
    Associated(&'a [u8]),
}

/// The number of bytes that are ciphered; `None` when it does not fit a `usize`.
pub(crate) fn sealed_len(segments: &[Segment<'_>]) -> Option<usize> {
    segments
        .iter()
        .try_fold(0usize, |sum, segment| match segment {
            Segment::Sealed(bytes) => sum.checked_add(bytes.len()),
            Segment::Associated(_) => Some(sum),
        })
}

/// Copies sealed bytes from stream offset `at` on into `out`.
pub(crate) fn gather(segments: &[Segment<'_>], mut at: usize, mut out: &mut [u8]) {
    for segment in segments {
        let Segment::Sealed(bytes) = segment else {
            continue;
        };
        match bytes.get(at..) {
            Some(rest) => {
                let count = rest.len().min(out.len());
                let (now, later) = out.split_at_mut(count);
                now.copy_from_slice(&rest[..count]);
                out = later;
                at = 0;
            }
            None => at -= bytes.len(),
        }
        if out.is_empty() {
            return;
        }
    }
}

/// Overwrites sealed bytes from stream offset `at` on with `data`.
pub(crate) fn scatter(segments: &mut [Segment<'_>], mut at: usize, mut data: &[u8]) {
    for segment in segments {
        let Segment::Sealed(bytes) = segment else {
            continue;
        };
        let len = bytes.len();
        match bytes.get_mut(at..) {
            Some(rest) => {
                let count = rest.len().min(data.len());
                let (now, later) = data.split_at(count);
                rest[..count].copy_from_slice(now);
                data = later;
                at = 0;
            }
            None => at -= len,
        }
        if data.is_empty() {
            return;
        }
    }
}
