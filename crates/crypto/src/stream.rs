//! RC4, for rc4-hmac and NTLM.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes of a [`Stream`]'s state: the permutation and the two indices.
const STATE: usize = 258;

/// An RC4 key stream; wiped when dropped.
///
/// The schedule is computed when the stream is made and costs as much as some hundred bytes of it: keep a
/// stream for all messages of its direction.
pub struct Stream {
    /// The permutation, a word an element: faster than bytes, docs/decisions/0002-cryptography-crates.md.
    /// It stays in its place on the heap: a stream that is moved leaves nothing behind.
    state: Box<[u32; 256]>,
    i: u32,
    j: u32,
}

/// An index of the permutation, which the compiler sees to be one.
const fn at(index: u32) -> usize {
    (index & 0xFF) as usize
}

impl Stream {
    /// The key schedule. RC4 takes keys of up to 256 bytes; what is beyond has no effect.
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut stream = Stream {
            state: Box::new([0; 256]),
            i: 0,
            j: 0,
        };
        for (index, slot) in (0..).zip(&mut *stream.state) {
            *slot = index;
        }
        let state = &mut *stream.state;
        let (mut i, mut j) = (0u32, 0u32);
        let mut x = state[0];
        for &byte in key.iter().cycle().take(256) {
            j = j.wrapping_add(x).wrapping_add(u32::from(byte)) & 0xFF;
            (x, i) = swap(state, i, j, x).1;
        }
        stream
    }

    /// Encrypts or decrypts in place, going on where the call before ended.
    pub fn apply(&mut self, bytes: &mut [u8]) {
        let state = &mut *self.state;
        let (mut i, mut j) = (self.i.wrapping_add(1) & 0xFF, self.j);
        let mut x = state[at(i)];
        for byte in bytes {
            j = j.wrapping_add(x) & 0xFF;
            let index;
            (index, (x, i)) = swap(state, i, j, x);
            // An element is below 256: one byte of it is all of it.
            *byte ^= state[at(index)].to_le_bytes()[0];
        }
        self.i = i.wrapping_sub(1) & 0xFF;
        self.j = j;
    }

    /// A second stream at the same place, wiped on its own: for going back when a message is refused.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Stream {
            state: self.state.clone(),
            i: self.i,
            j: self.j,
        }
    }

    /// Goes to the place of another stream: what was [duplicated](Self::duplicate) before serves again.
    pub fn assign(&mut self, other: &Self) {
        self.state.copy_from_slice(&*other.state);
        (self.i, self.j) = (other.i, other.j);
    }

    /// The state, for a context that is exported: the permutation, then both indices. As secret as the key.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(alloc::vec![0; STATE]);
        let words = self.state.iter().chain([&self.i, &self.j]);
        for (byte, word) in out.iter_mut().zip(words) {
            *byte = word.to_le_bytes()[0];
        }
        out
    }

    /// The stream whose state [`to_bytes`](Stream::to_bytes) gave; `None` for what is no state of RC4.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != STATE {
            return None;
        }
        let mut stream = Stream {
            state: Box::new([0; 256]),
            i: 0,
            j: 0,
        };
        let words = stream
            .state
            .iter_mut()
            .chain([&mut stream.i, &mut stream.j]);
        for (word, &byte) in words.zip(bytes) {
            *word = u32::from(byte);
        }
        let mut seen = Zeroizing::new([false; 256]);
        for &word in &*stream.state {
            if core::mem::replace(&mut seen[at(word)], true) {
                return None;
            }
        }
        Some(stream)
    }
}

/// Swaps elements `i` and `j`, `x` being element `i`. Gives the index of the output byte, then the next element
/// and its index.
///
/// The next element is read before element `j` is written: otherwise the read would wait for the write, to
/// see whether both are one.
#[inline(always)]
fn swap(state: &mut [u32; 256], i: u32, j: u32, x: u32) -> (u32, (u32, u32)) {
    let y = state[at(j)];
    state[at(i)] = y;
    let next = i.wrapping_add(1) & 0xFF;
    let ahead = state[at(next)];
    state[at(j)] = x;
    let ahead = if next == j { x } else { ahead };
    (x.wrapping_add(y), (ahead, next))
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.state.zeroize();
        self.i.zeroize();
        self.j.zeroize();
    }
}

impl ZeroizeOnDrop for Stream {}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::Stream;
    use alloc::{vec, vec::Vec};
    use rc4::{KeyInit, Rc4, StreamCipher};

    const SECRET: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    fn bytes<const N: usize>(stream: &mut Stream) -> [u8; N] {
        let mut out = [0; N];
        stream.apply(&mut out);
        out
    }

    #[test]
    fn streams_match_rfc_6229_section_2() {
        let mut stream = Stream::new(&SECRET);
        bytes::<5>(&mut stream);
        let mut stream = Stream::new(&SECRET);
        let (head, tail) = (bytes::<5>(&mut stream), bytes::<27>(&mut stream));
        assert_eq!(head, [0x9a, 0xc7, 0xcc, 0x9a, 0x60]);
        assert_eq!(
            tail,
            [
                0x9d, 0x1e, 0xf7, 0xb2, 0x93, 0x28, 0x99, 0xcd, 0xe4, 0x1b, 0x97, 0x52, 0x48, 0xc4,
                0x95, 0x90, 0x14, 0x12, 0x6a, 0x6e, 0x8a, 0x84, 0xf1, 0x1d, 0x1a, 0x9e, 0x1c
            ]
        );
        for (len, first) in [
            (5, [0xb2, 0x39, 0x63, 0x05]),
            (7, [0x29, 0x3f, 0x02, 0xd4]),
            (8, [0x97, 0xab, 0x8a, 0x1b]),
        ] {
            assert_eq!(bytes::<4>(&mut Stream::new(&SECRET[..len])), first);
        }
    }

    #[test]
    fn streams_equal_those_of_the_rc4_crate_however_they_are_cut() {
        for seed in 0..200usize {
            let key: Vec<u8> = (1..=1 + seed % 64)
                .map(|n| (n * n * 37 + seed * 101).to_le_bytes()[0])
                .collect();
            let mut ours = Stream::new(&key);
            let mut theirs = Rc4::new_from_slice(&key).unwrap();
            for len in (0..600).step_by(1 + seed) {
                let (mut a, mut b) = (vec![0x5A; len], vec![0x5A; len]);
                ours.apply(&mut a);
                theirs.apply_keystream(&mut b);
                assert_eq!(a, b, "{seed} {len}");
            }
        }
    }

    #[test]
    fn duplicates_go_on_where_the_original_stood() {
        let mut stream = Stream::new(&SECRET);
        bytes::<1000>(&mut stream);
        let mut copy = stream.duplicate();
        let next = bytes::<64>(&mut stream);
        assert_eq!(bytes::<64>(&mut copy), next);
        drop(copy);
        assert_ne!(bytes::<64>(&mut stream), next);
    }

    #[test]
    fn exported_states_go_on_at_every_offset() {
        let mut stream = Stream::new(&SECRET);
        for _ in 0..300 {
            let mut copy = Stream::from_bytes(&stream.to_bytes()).unwrap();
            assert_eq!(*copy.to_bytes(), *stream.to_bytes());
            assert_eq!(bytes::<3>(&mut copy), bytes::<3>(&mut stream.duplicate()));
            bytes::<1>(&mut stream);
        }
    }

    #[test]
    fn states_that_are_no_permutation_are_refused() {
        let state = Stream::new(&SECRET).to_bytes();
        assert!(Stream::from_bytes(&state).is_some());
        for index in 0..256 {
            let mut altered = state.to_vec();
            altered[index] ^= 1;
            assert!(Stream::from_bytes(&altered).is_none(), "{index}");
        }
        // Any two indices are a place in the stream.
        let mut elsewhere = state.to_vec();
        elsewhere[256..].fill(0xFF);
        assert!(Stream::from_bytes(&elsewhere).is_some());
        assert!(Stream::from_bytes(&[0; 258]).is_none());
        assert!(Stream::from_bytes(&state[1..]).is_none());
    }
}
