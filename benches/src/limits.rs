//! What the ciphers and hashes alone take for a message, one pass after the other: the measure of `messages`.
//!
//! Keys are set up before. Kerberos has a confounder and a copy of the header to hash and cipher, too.

use std::hint::black_box;

use aes::cipher::{
    Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt,
    BlockSizeUser, InnerIvInit, StreamCipher, consts::U16,
};
use aes::{Aes128, Aes256};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use rc4::Rc4;
use sha1::Sha1;
use sha2::{Sha256, Sha384};

use crate::messages::SIZES;
use crate::{Operation, Prepared, Result};

/// So many bytes of key serve each cipher and hash here.
const KEY: [u8; 32] = [0x5c; 32];

/// A confounder and a header (RFC 4121 §4.2.4).
const BESIDE: usize = 32;

type Pass = Box<dyn FnMut(&mut [u8])>;

pub(crate) fn operations() -> Vec<Prepared> {
    let mut all = Vec::new();
    for (size, label) in SIZES {
        let mut add = |what: &str, kind: &str, beside: usize, pass: fn() -> Result<Pass>| {
            let name = format!("limits/{what}/{kind}/{label}");
            all.push(Prepared::new(name, move |name| {
                let mut buffer = vec![0; size + beside];
                let mut pass = pass()?;
                let run = move || pass(black_box(&mut buffer));
                Ok(Operation::new(name, run).with_bytes(size))
            }));
        };
        let mut kerberos = |kind: &str, seal: fn() -> Result<Pass>, open: fn() -> Result<Pass>| {
            add("seal", kind, BESIDE, seal);
            add("open", kind, BESIDE, open);
        };
        kerberos(
            "aes256-sha1",
            || both(hash::<Hmac<Sha1>>(&[])?, encrypt::<Aes256>(32)?),
            || both(decrypt::<Aes256>(32)?, hash::<Hmac<Sha1>>(&[])?),
        );
        kerberos(
            "aes128-sha1",
            || both(hash::<Hmac<Sha1>>(&[])?, encrypt::<Aes128>(16)?),
            || both(decrypt::<Aes128>(16)?, hash::<Hmac<Sha1>>(&[])?),
        );
        // RFC 8009 §5: the cipher's state is hashed, too.
        kerberos(
            "aes256-sha2",
            || both(encrypt::<Aes256>(32)?, hash::<Hmac<Sha384>>(&[0; 16])?),
            || both(hash::<Hmac<Sha384>>(&[0; 16])?, decrypt::<Aes256>(32)?),
        );
        kerberos(
            "aes128-sha2",
            || both(encrypt::<Aes128>(16)?, hash::<Hmac<Sha256>>(&[0; 16])?),
            || both(hash::<Hmac<Sha256>>(&[0; 16])?, decrypt::<Aes128>(16)?),
        );
        for what in ["seal", "open"] {
            // The number is hashed (MS-NLMP §3.4.4.2), and one stream runs through all messages.
            add(what, "ntlm", 0, || {
                both(hash::<Hmac<Md5>>(&[0; 4])?, stream()?)
            });
        }
    }
    all
}

fn both(mut one: Pass, mut other: Pass) -> Result<Pass> {
    Ok(Box::new(move |bytes| {
        one(bytes);
        other(bytes);
    }))
}

/// After what is the same for all messages.
fn hash<M: Mac + KeyInit + Clone + 'static>(before: &'static [u8]) -> Result<Pass> {
    let keyed = <M as KeyInit>::new_from_slice(&KEY)?;
    Ok(Box::new(move |bytes| {
        let mut mac = keyed.clone();
        mac.update(before);
        mac.update(bytes);
        black_box(mac.finalize());
    }))
}

fn stream() -> Result<Pass> {
    let mut stream = <Rc4 as KeyInit>::new_from_slice(&KEY[..16])?;
    Ok(Box::new(move |bytes| stream.apply_keystream(bytes)))
}

fn encrypt<C>(key: usize) -> Result<Pass>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit + 'static,
{
    let cipher = C::new_from_slice(&KEY[..key])?;
    Ok(Box::new(move |bytes| {
        let mut cbc = cbc::Encryptor::inner_iv_init(&cipher, &Array::default());
        cbc.encrypt_blocks(Array::slice_as_chunks_mut(bytes).0);
    }))
}

fn decrypt<C>(key: usize) -> Result<Pass>
where
    C: BlockCipherDecrypt + BlockSizeUser<BlockSize = U16> + KeyInit + 'static,
{
    let cipher = C::new_from_slice(&KEY[..key])?;
    Ok(Box::new(move |bytes| {
        let mut cbc = cbc::Decryptor::inner_iv_init(&cipher, &Array::default());
        cbc.decrypt_blocks(Array::slice_as_chunks_mut(bytes).0);
    }))
}
