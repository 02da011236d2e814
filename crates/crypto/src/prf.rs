use core::ops::Deref;

use aes::{
    Aes128Enc, Aes256Enc,
    cipher::{Block, BlockCipherEncrypt, BlockSizeUser, KeyInit, consts::U16},
};
use camellia::{Camellia128, Camellia256};
use cmac::Cmac;
use sha1::{Digest, Sha1};
use zeroize::Zeroize;

use crate::{Enctype, Error, Key, derive::Deriver, mac::keyed};

/// The longest PRF output, in bytes (aes256-cts-hmac-sha384-192).
const MAX_OUTPUT: usize = 48;

/// No enctype's PRF+ is longer, in bytes.
pub(crate) const MAX_PLUS: usize = 255 * MAX_OUTPUT;

const PRF: &[u8] = b"prf";

/// KRB-FX-CF2 (RFC 6113 §5.1): one key from two, of the first one's enctype.
///
/// # Errors
///
/// [`Error::Internal`] only.
pub fn combine(first: &Key, second: &Key, pepper1: &[u8], pepper2: &[u8]) -> Result<Key, Error> {
    let enctype = first.enctype();
    let mut one = Output::new(enctype.key_len());
    let mut two = Output::new(enctype.key_len());
    prf_plus(first, pepper1, one.bytes_mut())?;
    prf_plus(second, pepper2, two.bytes_mut())?;
    for (a, b) in one.bytes_mut().iter_mut().zip(two.iter()) {
        *a ^= b;
    }
    Key::new(enctype, &one)
}

/// PRF+ (RFC 6113 §5.1): PRF(K, 01 | pepper) | PRF(K, 02 | pepper) | ...
pub(crate) fn prf_plus(key: &Key, pepper: &[u8], out: &mut [u8]) -> Result<(), Error> {
    let mut count = 0u8;
    let mut filled = 0;
    while filled < out.len() {
        count = count.checked_add(1).ok_or(Error::OutputTooLong)?;
        let block = prf(key, &[&[count], pepper]);
        let len = block.len().min(out.len() - filled);
        out[filled..filled + len].copy_from_slice(&block[..len]);
        filled += len;
    }
    Ok(())
}

/// The PRF over the concatenation of `parts`.
///
/// | enctype | function | source |
/// |---|---|---|
/// | aes*-cts-hmac-sha1-96 | E(DK(key, "prf"), SHA-1(input) cut to a block) | RFC 3961 §5.3, RFC 3962 |
/// | aes*-cts-hmac-sha2 | KDF-HMAC-SHA2(key, "prf", input, 256 or 384) | RFC 8009 §5 |
/// | camellia*-cts-cmac | CMAC(KDF-FEEDBACK-CMAC(key, "prf"), input) | RFC 6803 §6 |
/// | rc4-hmac | HMAC-SHA1(key, input) | as MIT krb5 and Heimdal do; RFC 4757 has none |
pub(crate) fn prf(key: &Key, parts: &[&[u8]]) -> Output {
    let bytes = key.expose();
    match key.enctype() {
        Enctype::Aes128CtsHmacSha1_96 => {
            hash_and_encrypt::<Aes128Enc>(&Deriver::Aes128(keyed(bytes)).constant_key(PRF), parts)
        }
        Enctype::Aes256CtsHmacSha1_96 => {
            hash_and_encrypt::<Aes256Enc>(&Deriver::Aes256(keyed(bytes)).constant_key(PRF), parts)
        }
        Enctype::Aes128CtsHmacSha256_128 => {
            let mut out = Output::new(32);
            Deriver::Sha256(keyed(bytes)).labelled(PRF, parts, out.bytes_mut());
            out
        }
        Enctype::Aes256CtsHmacSha384_192 => {
            let mut out = Output::new(48);
            Deriver::Sha384(keyed(bytes)).labelled(PRF, parts, out.bytes_mut());
            out
        }
        Enctype::Camellia128CtsCmac => {
            mac::<Cmac<Camellia128>>(&Deriver::Camellia128(keyed(bytes)).constant_key(PRF), parts)
        }
        Enctype::Camellia256CtsCmac => {
            mac::<Cmac<Camellia256>>(&Deriver::Camellia256(keyed(bytes)).constant_key(PRF), parts)
        }
        #[cfg(feature = "rc4")]
        Enctype::Rc4Hmac => mac::<hmac::Hmac<Sha1>>(bytes, parts),
    }
}

fn hash_and_encrypt<C>(key: &[u8], parts: &[&[u8]]) -> Output
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
{
    let mut hash = Sha1::new();
    for part in parts {
        Digest::update(&mut hash, part);
    }
    let digest = hash.finalize();
    let mut block = Block::<C>::default();
    let len = block.len();
    block.copy_from_slice(&digest[..len]);
    keyed::<C>(key).encrypt_block(&mut block);
    let out = Output::copy(&block);
    block.as_mut_slice().zeroize();
    out
}

fn mac<M: hmac::Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Output {
    let mut mac = keyed::<M>(key);
    for part in parts {
        mac.update(part);
    }
    let mut full = mac.finalize().into_bytes();
    let out = Output::copy(&full);
    full.as_mut_slice().zeroize();
    out
}

/// PRF output on the stack, wiped when dropped.
pub(crate) struct Output {
    bytes: [u8; MAX_OUTPUT],
    len: usize,
}

impl Output {
    fn new(len: usize) -> Self {
        Output {
            bytes: [0; MAX_OUTPUT],
            len: len.min(MAX_OUTPUT),
        }
    }

    fn copy(bytes: &[u8]) -> Self {
        let mut out = Self::new(bytes.len());
        let len = out.len;
        out.bytes[..len].copy_from_slice(&bytes[..len]);
        out
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }
}

impl Deref for Output {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}
