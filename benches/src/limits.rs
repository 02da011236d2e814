//! What the ciphers and hashes alone take for a message: the measure of `messages`. One pass after the other; of longer
//! messages each by itself too, as who works on both at once cannot be faster than the slower of them.
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

/// Messages whose passes are measured by themselves, too.
const LONG: [&str; 2] = ["4k", "64k"];

type Pass = Box<dyn FnMut(&mut [u8])>;

/// What a cipher and a hash do to a message of one kind.
struct Passes {
    kind: &'static str,
    /// Bytes of it that are no message.
    beside: usize,
    hash: fn() -> Result<Pass>,
    seal: fn() -> Result<Pass>,
    open: fn() -> Result<Pass>,
}

const ALL: [Passes; 5] = [
    kerberos::<Aes256, Hmac<Sha1>, 0>("aes256-sha1"),
    kerberos::<Aes128, Hmac<Sha1>, 0>("aes128-sha1"),
    // RFC 8009 §5: the cipher's state is hashed, too.
    kerberos::<Aes256, Hmac<Sha384>, 16>("aes256-sha2"),
    kerberos::<Aes128, Hmac<Sha256>, 16>("aes128-sha2"),
    // The number is hashed (MS-NLMP §3.4.4.2), and one stream runs through all messages.
    Passes {
        kind: "ntlm",
        beside: 0,
        hash: hash::<Hmac<Md5>, 4>,
        seal: stream,
        open: stream,
    },
];

const fn kerberos<C, M, const BEFORE: usize>(kind: &'static str) -> Passes
where
    C: BlockCipherEncrypt + BlockCipherDecrypt + BlockSizeUser<BlockSize = U16> + KeyInit + 'static,
    M: Mac + KeyInit + Clone + 'static,
{
    Passes {
        kind,
        beside: BESIDE,
        hash: hash::<M, BEFORE>,
        seal: encrypt::<C>,
        open: decrypt::<C>,
    }
}

pub(crate) fn operations() -> Vec<Prepared> {
    let mut all = Vec::new();
    for (size, label) in SIZES {
        for Passes {
            kind,
            beside,
            hash,
            seal,
            open,
        } in ALL
        {
            for (what, cipher) in [("seal", seal), ("open", open)] {
                let name = format!("limits/{what}/{kind}/{label}");
                let both = move || both(cipher()?, hash()?);
                if LONG.contains(&label) {
                    all.push(prepared(format!("{name}/cipher"), size, beside, cipher));
                    all.push(prepared(format!("{name}/hash"), size, beside, hash));
                }
                all.push(prepared(name, size, beside, both));
            }
        }
    }
    all
}

fn prepared(
    name: String,
    size: usize,
    beside: usize,
    pass: impl Fn() -> Result<Pass> + 'static,
) -> Prepared {
    Prepared::new(name, move |name| {
        let mut buffer = vec![0; size + beside];
        let mut pass = pass()?;
        let run = move || pass(black_box(&mut buffer));
        Ok(Operation::new(name, run).with_bytes(size))
    })
}

fn both(mut one: Pass, mut other: Pass) -> Result<Pass> {
    Ok(Box::new(move |bytes| {
        one(bytes);
        other(bytes);
    }))
}

/// After so many bytes that are no message.
fn hash<M: Mac + KeyInit + Clone + 'static, const BEFORE: usize>() -> Result<Pass> {
    let keyed = <M as KeyInit>::new_from_slice(&KEY)?;
    Ok(Box::new(move |bytes| {
        let mut mac = keyed.clone();
        mac.update(&[0; BEFORE]);
        mac.update(bytes);
        black_box(mac.finalize());
    }))
}

fn stream() -> Result<Pass> {
    let mut stream = <Rc4 as KeyInit>::new_from_slice(&KEY[..16])?;
    Ok(Box::new(move |bytes| stream.apply_keystream(bytes)))
}

fn encrypt<C>() -> Result<Pass>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit + 'static,
{
    let cipher = C::new_from_slice(&KEY[..C::key_size()])?;
    Ok(Box::new(move |bytes| {
        let mut cbc = cbc::Encryptor::inner_iv_init(&cipher, &Array::default());
        cbc.encrypt_blocks(Array::slice_as_chunks_mut(bytes).0);
    }))
}

fn decrypt<C>() -> Result<Pass>
where
    C: BlockCipherDecrypt + BlockSizeUser<BlockSize = U16> + KeyInit + 'static,
{
    let cipher = C::new_from_slice(&KEY[..C::key_size()])?;
    Ok(Box::new(move |bytes| {
        let mut cbc = cbc::Decryptor::inner_iv_init(&cipher, &Array::default());
        cbc.decrypt_blocks(Array::slice_as_chunks_mut(bytes).0);
    }))
}
