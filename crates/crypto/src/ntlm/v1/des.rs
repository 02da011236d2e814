//! DES and DESL with keys of 7 bytes (MS-NLMP §6).

use des::{Des, cipher::BlockCipherEncrypt};
use zeroize::Zeroizing;

use crate::mac::keyed;

/// DES of one block; each byte of the cipher's key takes 7 bits of `key`, above a parity bit that DES ignores.
pub(super) fn encrypt(key: &[u8; 7], block: &[u8; 8]) -> [u8; 8] {
    let mut bits = Zeroizing::new([0; 8]);
    for (to, from) in bits.iter_mut().skip(1).zip(key) {
        *to = *from;
    }
    let bits = Zeroizing::new(u64::from_be_bytes(*bits));
    let mut spread = Zeroizing::new([0; 8]);
    for (byte, shift) in spread.iter_mut().rev().zip((0..).step_by(7)) {
        *byte = (*bits >> shift).to_le_bytes()[0] << 1;
    }
    let mut out = (*block).into();
    keyed::<Des>(spread.as_slice()).encrypt_block(&mut out);
    out.into()
}

/// DESL: the block under three keys, which are 16 bytes and five of zeros.
pub(super) fn long(key: &[u8; 16], block: &[u8; 8]) -> [u8; 24] {
    let mut padded = Zeroizing::new([0; 21]);
    for (to, from) in padded.iter_mut().zip(key) {
        *to = *from;
    }
    let mut out = [0; 24];
    let (keys, _) = padded.as_chunks::<7>();
    for (to, key) in out.as_chunks_mut::<8>().0.iter_mut().zip(keys) {
        *to = encrypt(key, block);
    }
    out
}
