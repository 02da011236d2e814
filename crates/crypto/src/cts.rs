//! CBC with ciphertext stealing over scattered buffers (RFC 3962 §5, RFC 6803 §5,
//! RFC 8009 §5): the last two blocks change places and the last one on the wire is cut, so that the
//! ciphertext is as long as the plaintext. The initial vector is zero.
//!
//! ```text
//!   sealed bytes   | body: whole blocks, plain CBC          | last: 16 < n <= 32 bytes, or one block |
//! ```
//!
//! The body is ciphered in place by runs of whole blocks; a block that straddles two segments, and the last
//! bytes, go over the stack. Nothing is allocated and no message is copied.

use aes::cipher::{
    Array, Block, BlockCipherDecrypt, BlockCipherEncBackend, BlockCipherEncClosure,
    BlockCipherEncrypt, BlockModeDecrypt, BlockSizeUser, InnerIvInit, KeyInit, consts::U16,
};
use zeroize::{Zeroize, Zeroizing};

use crate::segment::{Segment, gather, scatter, sealed_len};

pub(crate) const BLOCK: usize = 16;

/// A block, whichever the cipher.
type OneBlock = Array<u8, U16>;

/// A 128-bit block cipher in both directions.
pub(crate) trait BlockCipher:
    BlockCipherEncrypt + BlockCipherDecrypt + BlockSizeUser<BlockSize = U16> + KeyInit
{
}

impl<C> BlockCipher for C where
    C: BlockCipherEncrypt + BlockCipherDecrypt + BlockSizeUser<BlockSize = U16> + KeyInit
{
}

/// When the MAC sees a stretch of bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
}

/// One direction of CBC-CTS, part way through a message.
pub(crate) trait Direction {
    /// Whether the last two blocks change places before they are ciphered, or after.
    const CHANGES_FIRST: bool;
    /// Ciphers whole blocks in place; `bytes` is a multiple of the block.
    fn body(&mut self, bytes: &mut [u8]);
    /// The same, and shows each stretch of them to `observe`.
    #[inline]
    fn run(
        &mut self,
        bytes: &mut [u8],
        stretch: usize,
        when: When,
        mut observe: impl FnMut(&[u8]),
    ) {
        for bytes in bytes.chunks_mut(stretch) {
            if when == When::Before {
                observe(bytes);
            }
            self.body(bytes);
            if when == When::After {
                observe(bytes);
            }
        }
    }
    /// Ciphers the last `len` bytes: one block, or more than one and at most two.
    fn last(&mut self, bytes: &mut [u8; 2 * BLOCK], len: usize);
}

pub(crate) struct Encrypt<'a, C: BlockCipher> {
    cipher: &'a C,
    /// The last ciphertext.
    previous: OneBlock,
}

impl<'a, C: BlockCipher> Encrypt<'a, C> {
    pub(crate) fn new(cipher: &'a C) -> Self {
        Encrypt {
            cipher,
            previous: OneBlock::default(),
        }
    }
}

impl<C: BlockCipher> Direction for Encrypt<'_, C> {
    const CHANGES_FIRST: bool = false;

    #[inline]
    fn run(&mut self, bytes: &mut [u8], stretch: usize, when: When, observe: impl FnMut(&[u8])) {
        self.cipher.encrypt_with_backend(Run {
            previous: &mut self.previous,
            bytes,
            stretch,
            when,
            observe,
        });
    }

    #[inline]
    fn body(&mut self, bytes: &mut [u8]) {
        self.run(bytes, usize::MAX, When::After, |_| {});
    }

    fn last(&mut self, bytes: &mut [u8; 2 * BLOCK], len: usize) {
        if len <= BLOCK {
            return self.body(&mut bytes[..BLOCK]);
        }
        bytes[len..].fill(0);
        self.body(bytes);
        let (first, second) = bytes.split_at_mut(BLOCK);
        first.swap_with_slice(second);
    }
}

pub(crate) struct Decrypt<'a, C: BlockCipher> {
    cbc: cbc::Decryptor<&'a C>,
    cipher: &'a C,
}

impl<'a, C: BlockCipher> Decrypt<'a, C> {
    pub(crate) fn new(cipher: &'a C) -> Self {
        Decrypt {
            cbc: cbc::Decryptor::inner_iv_init(cipher, &Block::<C>::default()),
            cipher,
        }
    }
}

impl<C: BlockCipher> Direction for Decrypt<'_, C> {
    const CHANGES_FIRST: bool = true;

    #[inline]
    fn body(&mut self, bytes: &mut [u8]) {
        self.cbc.decrypt_blocks(Array::slice_as_chunks_mut(bytes).0);
    }

    fn last(&mut self, bytes: &mut [u8; 2 * BLOCK], len: usize) {
        if len <= BLOCK {
            return self.body(&mut bytes[..BLOCK]);
        }
        let stolen = len - BLOCK;
        let (first, second) = bytes.split_at_mut(BLOCK);
        // D(C[n-1]) is the zero-padded last plaintext XOR C[n]: its end supplies the bytes of C[n] that
        // were not sent.
        let mut mixed = Block::<C>::default();
        mixed.copy_from_slice(first);
        self.cipher.decrypt_block(&mut mixed);
        second[stolen..].copy_from_slice(&mixed[stolen..]);
        for (plain, cut) in mixed.iter_mut().zip(second.iter()) {
            *plain ^= cut;
        }
        self.body(second);
        first.copy_from_slice(second);
        second.copy_from_slice(&mixed);
        mixed.as_mut_slice().zeroize();
    }
}

/// A run of whole blocks within one call of the cipher's code for this processor: rounds of the cipher are
/// compiled into the loop, and the processor works on them while it waits for the MAC, and the reverse.
/// A call for each stretch would set up the code for many blocks at once each time.
struct Run<'a, F> {
    previous: &'a mut OneBlock,
    bytes: &'a mut [u8],
    stretch: usize,
    when: When,
    observe: F,
}

impl<F> BlockSizeUser for Run<'_, F> {
    type BlockSize = U16;
}

impl<F: FnMut(&[u8])> BlockCipherEncClosure for Run<'_, F> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(mut self, backend: &B) {
        let mut previous = *self.previous;
        for stretch in self.bytes.chunks_mut(self.stretch) {
            if self.when == When::Before {
                (self.observe)(stretch);
            }
            for block in Array::<u8, U16>::slice_as_chunks_mut(stretch).0 {
                for (byte, other) in block.iter_mut().zip(previous) {
                    *byte ^= other;
                }
                backend.encrypt_block_inplace(block);
                previous = *block;
            }
            if self.when == When::After {
                (self.observe)(stretch);
            }
        }
        *self.previous = previous;
    }
}

/// Where the body ends and the last bytes begin, for `total` sealed bytes.
fn body_len(total: usize) -> usize {
    if total <= BLOCK {
        0
    } else {
        (total - 1) / BLOCK * BLOCK - BLOCK
    }
}

/// A message of several whole blocks in one piece: nothing is stolen from its ciphertext, which is that of CBC
/// with the last two blocks in each other's place.
fn whole_blocks<'a>(segments: &'a mut [Segment<'_>]) -> Option<&'a mut [u8]> {
    match segments {
        [Segment::Sealed(bytes)] if bytes.len() > BLOCK && bytes.len() % BLOCK == 0 => Some(bytes),
        _ => None,
    }
}

fn change_last(bytes: &mut [u8]) {
    if let Some((rest, last)) = bytes.split_last_chunk_mut::<BLOCK>()
        && let Some((_, before)) = rest.split_last_chunk_mut::<BLOCK>()
    {
        core::mem::swap(before, last);
    }
}

fn straddle(direction: &mut impl Direction, segments: &mut [Segment<'_>], at: usize) {
    let mut block = Zeroizing::new([0; BLOCK]);
    gather(segments, at, block.as_mut_slice());
    direction.body(block.as_mut_slice());
    scatter(segments, at, block.as_slice());
}

fn finish(direction: &mut impl Direction, segments: &mut [Segment<'_>], at: usize, total: usize) {
    let len = total - at;
    let mut bytes = Zeroizing::new([0; 2 * BLOCK]);
    gather(segments, at, &mut bytes[..len]);
    direction.last(&mut bytes, len);
    scatter(segments, at, &bytes[..len]);
}

/// Ciphers so that `observe` sees every byte, associated ones included, before it is ciphered.
///
/// `segments` hold at least one block of sealed bytes, and their sum fits a `usize`.
pub(crate) fn observe_then_cipher<D: Direction>(
    segments: &mut [Segment<'_>],
    mut direction: D,
    stride: usize,
    mut observe: impl FnMut(&[u8]),
) {
    if !D::CHANGES_FIRST
        && let Some(bytes) = whole_blocks(segments)
    {
        direction.run(bytes, stride, When::Before, observe);
        return change_last(bytes);
    }
    let total = sealed_len(segments).unwrap_or(0);
    let body = body_len(total);
    let (mut observed, mut ciphered) = (0, 0);
    for index in 0..segments.len() {
        let mut used = 0;
        match &segments[index] {
            Segment::Associated(bytes) => {
                observe(bytes);
                continue;
            }
            // A block begun in an earlier segment.
            Segment::Sealed(bytes) if ciphered < observed && ciphered < body => {
                used = bytes.len().min(ciphered + BLOCK - observed);
                observe(&bytes[..used]);
                observed += used;
                if observed == ciphered + BLOCK {
                    straddle(&mut direction, segments, ciphered);
                    ciphered += BLOCK;
                }
            }
            Segment::Sealed(_) => {}
        }
        if let Segment::Sealed(bytes) = &mut segments[index] {
            let rest = &mut bytes[used..];
            let whole = if ciphered == observed {
                rest.len().min(body - ciphered) / BLOCK * BLOCK
            } else {
                0
            };
            let (run, tail) = rest.split_at_mut(whole);
            direction.run(run, stride, When::Before, &mut observe);
            observe(tail);
            ciphered += whole;
            observed += whole + tail.len();
        }
    }
    finish(&mut direction, segments, body, total);
}

/// Ciphers so that `observe` sees every byte, associated ones included, after it was ciphered.
///
/// `segments` hold at least one block of sealed bytes, and their sum fits a `usize`.
pub(crate) fn cipher_then_observe<D: Direction>(
    segments: &mut [Segment<'_>],
    mut direction: D,
    stride: usize,
    mut observe: impl FnMut(&[u8]),
) {
    if D::CHANGES_FIRST
        && let Some(bytes) = whole_blocks(segments)
    {
        change_last(bytes);
        return direction.run(bytes, stride, When::After, observe);
    }
    let total = sealed_len(segments).unwrap_or(0);
    let body = body_len(total);
    let (mut observed, mut ciphered) = (0, 0);
    for index in 0..segments.len() {
        let (used, whole) = match &mut segments[index] {
            Segment::Associated(bytes) => {
                observe(bytes);
                continue;
            }
            Segment::Sealed(bytes) => {
                // Bytes that a block or the end of an earlier segment reached into.
                let used = bytes.len().min(ciphered - observed);
                let (done, rest) = bytes.split_at_mut(used);
                observe(done);
                let whole = rest.len().min(body.saturating_sub(ciphered)) / BLOCK * BLOCK;
                direction.run(&mut rest[..whole], stride, When::After, &mut observe);
                ciphered += whole;
                observed += used + whole;
                (used, whole)
            }
        };
        let tail = segment_len(&segments[index]) - used - whole;
        if tail > 0 && ciphered < body {
            straddle(&mut direction, segments, ciphered);
            ciphered += BLOCK;
        }
        if tail > 0 && ciphered == body && observed + tail > body {
            finish(&mut direction, segments, body, total);
            ciphered = total;
        }
        if let Segment::Sealed(bytes) = &segments[index] {
            observe(&bytes[used + whole..]);
            observed += tail;
        }
    }
}

fn segment_len(segment: &Segment<'_>) -> usize {
    match segment {
        Segment::Sealed(bytes) => bytes.len(),
        Segment::Associated(bytes) => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use aes::{Aes128, cipher::KeyInit};

    use super::{Decrypt, Encrypt, cipher_then_observe, observe_then_cipher};
    use crate::Segment;

    /// RFC 3962 appendix B.
    #[test]
    fn ciphertext_stealing_matches_rfc_3962_appendix_b() {
        let plain = b"I would like the General Gau's Chicken, please, and wonton soup.";
        let cipher = Aes128::new(b"chicken teriyaki".into());
        for (len, expected) in [
            (17, "c6353568f2bf8cb4d8a580362da7ff7f97"),
            (
                31,
                "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5",
            ),
            (
                32,
                "39312523a78662d5be7fcbcc98ebf5a897687268d6ecccc0c07b25e25ecfe584",
            ),
            (
                47,
                "97687268d6ecccc0c07b25e25ecfe584b3fffd940c16a18c1b5549d2f838029e39312523a78662d5be7fcbcc98ebf5",
            ),
            (
                48,
                "97687268d6ecccc0c07b25e25ecfe5849dad8bbb96c4cdc03bc103e1a194bbd839312523a78662d5be7fcbcc98ebf5a8",
            ),
            (
                64,
                "97687268d6ecccc0c07b25e25ecfe58439312523a78662d5be7fcbcc98ebf5a84807efe836ee89a526730dbc2f7bc8409dad8bbb96c4cdc03bc103e1a194bbd8",
            ),
        ] {
            let mut one = plain[..len].to_vec();
            let mut seen = alloc::vec::Vec::new();
            let segments = &mut [Segment::Sealed(&mut one)];
            observe_then_cipher(segments, Encrypt::new(&cipher), 32, |b| {
                seen.extend_from_slice(b)
            });
            let hex: alloc::string::String = one
                .iter()
                .map(|byte| alloc::format!("{byte:02x}"))
                .collect();
            assert_eq!(hex, expected);
            assert_eq!(seen, plain[..len]);

            let mut other = plain[..len].to_vec();
            seen.clear();
            let segments = &mut [Segment::Sealed(&mut other)];
            cipher_then_observe(segments, Encrypt::new(&cipher), 32, |b| {
                seen.extend_from_slice(b)
            });
            assert_eq!(other, one);
            assert_eq!(seen, one);

            seen.clear();
            let segments = &mut [Segment::Sealed(&mut other)];
            cipher_then_observe(segments, Decrypt::new(&cipher), 32, |b| {
                seen.extend_from_slice(b)
            });
            assert_eq!(other, plain[..len]);
            assert_eq!(seen, plain[..len]);
        }
    }
}
