//! Key derivation: from a protocol key to the keys that a key usage works with.
//!
//! | enctype | Kc, Ke, Ki | source |
//! |---|---|---|
//! | aes*-cts-hmac-sha1-96 | DK over n-fold | RFC 3961 §5.1, §5.3 |
//! | aes*-cts-hmac-sha2 | KDF-HMAC-SHA2 | RFC 8009 §3, §5 |
//! | camellia*-cts-cmac | KDF-FEEDBACK-CMAC | RFC 6803 §3, §6 |

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

/// The last byte of a usage's constant (RFC 3961 §5.3).
const CHECKSUM: u8 = 0x99;
const ENCRYPTION: u8 = 0xAA;
const INTEGRITY: u8 = 0x55;

/// n-fold (RFC 3961 §5.1): stretches or folds `input` to the length of `out`.
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

    /// RFC 8009 §5: 192 bits of Kc and Ki for aes256-cts-hmac-sha384-192.
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

/// DR, and DK since random-to-key is the identity (RFC 3961 §5.1; RFC 3962 §6):
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

/// KDF-HMAC-SHA2 (RFC 8009 §3): K1 = HMAC(key, 00000001 | label | 00 | context | k), k the length
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

/// KDF-FEEDBACK-CMAC (RFC 6803 §3): K(i) = CMAC(key, K(i-1) | i | constant | 00 | k), K(0) zeros.
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

#[cfg(test)]
mod tests {
    use super::{Deriver, n_fold, n_fold_usage};
    use crate::{Enctype, KeyUsage, mac::keyed};

    fn hex(bytes: &[u8]) -> alloc::string::String {
        bytes
            .iter()
            .map(|byte| alloc::format!("{byte:02x}"))
            .collect()
    }

    #[test]
    fn n_fold_matches_rfc_3961_appendix_a_1() {
        for (input, bits, expected) in [
            ("012345", 64, "be072631276b1955"),
            ("password", 56, "78a07b6caf85fa"),
            ("Rough Consensus, and Running Code", 64, "bb6ed30870b7f0e0"),
            (
                "password",
                168,
                "59e4a8ca7c0385c3c37b3f6d2000247cb6e6bd5b3e",
            ),
            (
                "MASSACHVSETTS INSTITVTE OF TECHNOLOGY",
                192,
                "db3b0d8f0b061e603282b308a50841229ad798fab9540c1b",
            ),
            ("Q", 168, "518a54a215a8452a518a54a215a8452a518a54a215"),
            ("ba", 168, "fb25d531ae8974499f52fd92ea9857c4ba24cf297e"),
            ("kerberos", 64, "6b65726265726f73"),
            ("kerberos", 128, "6b65726265726f737b9b5b2b93132b93"),
            (
                "kerberos",
                168,
                "8372c236344e5f1550cd0747e15d62ca7a5a3bcea4",
            ),
            (
                "kerberos",
                256,
                "6b65726265726f737b9b5b2b93132b935c9bdcdad95c9899c4cae4dee6d6cae4",
            ),
        ] {
            let mut out = alloc::vec![0xEE; bits / 8];
            n_fold(input.as_bytes(), &mut out);
            assert_eq!(hex(&out), expected, "{bits}-fold({input})");
        }
    }

    #[test]
    fn n_fold_of_nothing_is_zeros() {
        let mut out = [0xEE; 16];
        n_fold(b"", &mut out);
        assert_eq!(out, [0; 16]);
        n_fold(b"input", &mut []);
    }

    #[test]
    fn the_short_path_for_usages_equals_n_fold() {
        for usage in (0..200).chain([0x7fff_ffff, 0x8000_0000, 0xdead_beef, u32::MAX]) {
            for purpose in [0x99, 0xAA, 0x55, 0x00, 0xFF] {
                let mut constant = [0; 5];
                constant[..4].copy_from_slice(&u32::to_be_bytes(usage));
                constant[4] = purpose;
                let mut expected = [0; 16];
                n_fold(&constant, &mut expected);
                assert_eq!(n_fold_usage(KeyUsage(usage), purpose), expected);
            }
        }
    }

    fn deriver(enctype: Enctype, key: &[u8]) -> Deriver {
        match enctype {
            Enctype::Aes128CtsHmacSha1_96 => Deriver::Aes128(keyed(key)),
            Enctype::Aes256CtsHmacSha1_96 => Deriver::Aes256(keyed(key)),
            Enctype::Aes128CtsHmacSha256_128 => Deriver::Sha256(keyed(key)),
            Enctype::Aes256CtsHmacSha384_192 => Deriver::Sha384(keyed(key)),
            Enctype::Camellia128CtsCmac => Deriver::Camellia128(keyed(key)),
            _ => Deriver::Camellia256(keyed(key)),
        }
    }

    /// Usage 2: RFC 8009 appendix A, RFC 6803 §10; the aes-sha1 rows are MIT krb5's.
    #[test]
    fn usage_keys_match_published_values() {
        for (enctype, base, kc, ke, ki) in [
            (
                Enctype::Aes128CtsHmacSha1_96,
                "42263c6e89f4fc28b8df68ee09799f15",
                "34280a382bc92769b2da2f9ef066854b",
                "5b14fc4e250e14ddf9dccf1af6674f53",
                "4ed31063621684f09ae8d89991af3e8f",
            ),
            (
                Enctype::Aes256CtsHmacSha1_96,
                "fe697b52bc0d3ce14432ba036a92e65bbb52280990a2fa27883998d72af30161",
                "bfab388bdcb238e9f9c98d6a878304f04d30c82556375ac507a7a852790f4674",
                "c7cfd9cd75fe793a586a542d87e0d1396f1134a104bb1a9190b8c90ada3ddf37",
                "97151b4c76945063e2eb0529dc067d97d7bba90776d8126d91f34f3101aea8ba",
            ),
            (
                Enctype::Aes128CtsHmacSha256_128,
                "3705d96080c17728a0e800eab6e0d23c",
                "b31a018a48f54776f403e9a396325dc3",
                "9b197dd1e8c5609d6e67c3e37c62c72e",
                "9fda0e56ab2d85e1569a688696c26a6c",
            ),
            (
                Enctype::Aes256CtsHmacSha384_192,
                "6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52",
                "ef5718be86cc84963d8bbb5031e9f5c4ba41f28faf69e73d",
                "56ab22bee63d82d7bc5227f6773f8ea7a5eb1c825160c38312980c442e5c7e49",
                "69b16514e3cd8e56b82010d5c73012b622c4d00ffc23ed1f",
            ),
            (
                Enctype::Camellia128CtsCmac,
                "57d0297298ffd9d35de5a47fb4bde24b",
                "d155775a209d05f02b38d42a389e5a56",
                "64df83f85a532f17577d8c37035796ab",
                "3e4fbdf30fb8259c425cb6c96f1f4635",
            ),
            (
                Enctype::Camellia256CtsCmac,
                "b9d6828b2056b7be656d88a123b1fac68214ac2b727ecf5f69afe0c4df2a6d2c",
                "e467f9a9552bc7d3155a6220af9c19220eeed4ff78b0d1e6a1544991461a9e50",
                "412aefc362a7285fc3966c6a5181e7605ae675235b6d549fbfc9ab6630a4c604",
                "fa624fa0e523993fa388aefdc67e67ebcd8c08e8a0246b1d73b0d1dd9fc582b0",
            ),
        ] {
            let base: alloc::vec::Vec<u8> = (0..base.len() / 2)
                .map(|i| u8::from_str_radix(&base[2 * i..2 * i + 2], 16).unwrap())
                .collect();
            let deriver = deriver(enctype, &base);
            assert_eq!(hex(&deriver.checksum_key(KeyUsage(2))), kc, "{enctype}");
            assert_eq!(hex(&deriver.encryption_key(KeyUsage(2))), ke, "{enctype}");
            assert_eq!(hex(&deriver.integrity_key(KeyUsage(2))), ki, "{enctype}");
        }
    }
}
