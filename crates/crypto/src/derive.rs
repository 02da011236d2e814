//! Key derivation: from a protocol key to the keys that a key usage works with.
//!
//! | enctype | Kc, Ke, Ki | source |
//! |---|---|---|
//! | aes*-cts-hmac-sha1-96 | DK over n-fold | RFC 3961 section 5.1, 5.3 |
//! | aes*-cts-hmac-sha2 | KDF-HMAC-SHA2 | RFC 8009 section 3, 5 |
//! | camellia*-cts-cmac | KDF-FEEDBACK-CMAC | RFC 6803 section 3, 6 |

use core::ops::Deref;

use aes::{
    Aes128Enc, Aes256Enc,
    cipher::{Block, BlockCipherEncrypt, BlockSizeUser, consts::U16},
};
use camellia::{Camellia128, Camellia256};
use cmac::Cmac;
use hmac::Hmac;
use sha2::{Sha256, Sha384};
use zeroize::Zeroize;

use crate::KeyUsage;

/// The last byte of a usage's constant (RFC 3961 section 5.3).
const CHECKSUM: u8 = 0x99;
const ENCRYPTION: u8 = 0xAA;
const INTEGRITY: u8 = 0x55;

/// n-fold (RFC 3961 section 5.1): stretches or folds `input` to the length of `out`.
///
/// Copies of the input, each rotated right by 13 bits more than the one before, are laid end to end up to
/// the least common multiple of both lengths; pieces of the output's length are added with end-around
/// carry. An empty input or output gives zeros.
pub fn n_fold(input: &[u8], out: &mut [u8]) {
    out.fill(0);
    let (len, width) = (input.len(), out.len());
    if len == 0 || width == 0 {
        return;
    }
    let total = len / gcd(len, width) * width;
    let mut carry = 0u16;
    // From the last byte to the first, so that carries run the way they do in addition; the carry out of
    // one piece's first byte enters the next piece's last, which is the end-around carry.
    for position in (0..total).rev() {
        let sum =
            u16::from(rotated_byte(input, position)) + u16::from(out[position % width]) + carry;
        out[position % width] = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    while carry != 0 {
        for byte in out.iter_mut().rev() {
            let sum = u16::from(*byte) + carry;
            *byte = (sum & 0xff) as u8;
            carry = sum >> 8;
        }
    }
}

/// The byte at `position` of the endless row of copies of `input`, each rotated right by 13 bits more.
fn rotated_byte(input: &[u8], position: usize) -> u8 {
    let len = input.len();
    let bits = len * 8;
    let (copy, offset) = (position / len, position % len);
    let start = (offset * 8 + bits - (13 * copy) % bits) % bits;
    let (byte, shift) = (start / 8, start % 8);
    let pair = u16::from_be_bytes([input[byte], input[(byte + 1) % len]]);
    ((pair << shift) >> 8) as u8
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// [`n_fold`] of a usage's five bytes to a cipher block, for the path that every message key takes:
/// 16 copies of 40 bits make five 128-bit pieces.
fn n_fold_usage(usage: KeyUsage, purpose: u8) -> [u8; 16] {
    const BITS: u32 = 40;
    const MASK: u64 = (1 << BITS) - 1;
    let mut copy = u64::from(usage.0) << 8 | u64::from(purpose);
    let mut row = [0u8; 80];
    for bytes in row.chunks_exact_mut(5) {
        bytes.copy_from_slice(&copy.to_be_bytes()[3..]);
        copy = (copy >> 13 | copy << (BITS - 13)) & MASK;
    }
    let mut sum = 0u128;
    for piece in row.chunks_exact(16) {
        let mut block = [0; 16];
        block.copy_from_slice(piece);
        let (next, overflow) = sum.overflowing_add(u128::from_be_bytes(block));
        sum = next + u128::from(overflow);
    }
    sum.to_be_bytes()
}

/// A derived key on the stack, wiped when dropped.
pub(crate) struct Derived {
    bytes: [u8; 32],
    len: usize,
}

impl Derived {
    fn new(len: usize) -> Self {
        Derived {
            bytes: [0; 32],
            len: len.min(32),
        }
    }
}

impl Deref for Derived {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Drop for Derived {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// A protocol key with its schedule computed, to derive any number of keys from it.
pub(crate) enum Deriver {
    Aes128(Aes128Enc),
    Aes256(Aes256Enc),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Camellia128(Cmac<Camellia128>),
    Camellia256(Cmac<Camellia256>),
}

impl Deriver {
    /// Kc.
    pub(crate) fn checksum_key(&self, usage: KeyUsage) -> Derived {
        self.usage_key(usage, CHECKSUM, self.integrity_len())
    }

    /// Ke.
    pub(crate) fn encryption_key(&self, usage: KeyUsage) -> Derived {
        self.usage_key(usage, ENCRYPTION, self.key_len())
    }

    /// Ki.
    pub(crate) fn integrity_key(&self, usage: KeyUsage) -> Derived {
        self.usage_key(usage, INTEGRITY, self.integrity_len())
    }

    fn key_len(&self) -> usize {
        match self {
            Deriver::Aes128(_) | Deriver::Sha256(_) | Deriver::Camellia128(_) => 16,
            Deriver::Aes256(_) | Deriver::Sha384(_) | Deriver::Camellia256(_) => 32,
        }
    }

    /// RFC 8009 section 5: 192 bits of Kc and Ki for aes256-cts-hmac-sha384-192.
    fn integrity_len(&self) -> usize {
        match self {
            Deriver::Sha384(_) => 24,
            _ => self.key_len(),
        }
    }

    fn usage_key(&self, usage: KeyUsage, purpose: u8, len: usize) -> Derived {
        let mut constant = [0; 5];
        constant[..4].copy_from_slice(&usage.0.to_be_bytes());
        constant[4] = purpose;
        let mut out = Derived::new(len);
        let key = &mut out.bytes[..len];
        match self {
            Deriver::Aes128(cipher) => dk(cipher, n_fold_usage(usage, purpose), key),
            Deriver::Aes256(cipher) => dk(cipher, n_fold_usage(usage, purpose), key),
            _ => self.labelled(&constant, &[], key),
        }
        out
    }

    /// A key of the enctype's own length from a well-known constant, such as `kerberos` or `prf`.
    pub(crate) fn constant_key(&self, constant: &[u8]) -> Derived {
        let mut out = Derived::new(self.key_len());
        let len = out.len;
        self.labelled(constant, &[], &mut out.bytes[..len]);
        out
    }

    /// The key derivation function with a label, and with a context where it takes one (RFC 8009).
    pub(crate) fn labelled(&self, label: &[u8], context: &[&[u8]], out: &mut [u8]) {
        let fold = || {
            let mut block = [0; 16];
            n_fold(label, &mut block);
            block
        };
        match self {
            Deriver::Aes128(cipher) => dk(cipher, fold(), out),
            Deriver::Aes256(cipher) => dk(cipher, fold(), out),
            Deriver::Sha256(mac) => kdf_hmac(mac, label, context, out),
            Deriver::Sha384(mac) => kdf_hmac(mac, label, context, out),
            Deriver::Camellia128(mac) => kdf_cmac(mac, label, out),
            Deriver::Camellia256(mac) => kdf_cmac(mac, label, out),
        }
    }
}

/// DR, and DK since random-to-key is the identity (RFC 3961 section 5.1; RFC 3962 section 6):
/// K1 = E(key, n-fold(constant)), K2 = E(key, K1), ...
fn dk<C>(cipher: &C, folded: [u8; 16], out: &mut [u8])
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
{
    let mut block = Block::<C>::from(folded);
    for piece in out.chunks_mut(16) {
        cipher.encrypt_block(&mut block);
        piece.copy_from_slice(&block[..piece.len()]);
    }
    block.as_mut_slice().zeroize();
}

/// KDF-HMAC-SHA2 (RFC 8009 section 3): K1 = HMAC(key, 00000001 | label | 00 | context | k), k the length
/// in bits.
fn kdf_hmac<M: hmac::Mac + Clone>(mac: &M, label: &[u8], context: &[&[u8]], out: &mut [u8]) {
    let mut mac = mac.clone();
    mac.update(&1u32.to_be_bytes());
    mac.update(label);
    mac.update(&[0]);
    for part in context {
        mac.update(part);
    }
    mac.update(&bit_len(out));
    let mut full = mac.finalize().into_bytes();
    let len = out.len().min(full.len());
    out[..len].copy_from_slice(&full[..len]);
    full.as_mut_slice().zeroize();
}

/// KDF-FEEDBACK-CMAC (RFC 6803 section 3): K(i) = CMAC(key, K(i-1) | i | constant | 00 | k), K(0) zeros.
fn kdf_cmac<M: hmac::Mac + Clone>(mac: &M, constant: &[u8], out: &mut [u8]) {
    let bits = bit_len(out);
    let mut previous = [0; 16];
    for (piece, i) in out.chunks_mut(16).zip(1u32..) {
        let mut mac = mac.clone();
        mac.update(&previous);
        mac.update(&i.to_be_bytes());
        mac.update(constant);
        mac.update(&[0]);
        mac.update(&bits);
        let mut block = mac.finalize().into_bytes();
        previous.copy_from_slice(&block);
        piece.copy_from_slice(&block[..piece.len()]);
        block.as_mut_slice().zeroize();
    }
    previous.zeroize();
}

fn bit_len(out: &[u8]) -> [u8; 4] {
    u32::try_from(out.len().saturating_mul(8))
        .unwrap_or(u32::MAX)
        .to_be_bytes()
}
