//! What the ciphers and hashes alone take for a message, one pass after the other: the measure of `messages`.

use std::hint::black_box;

use aes::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, StreamCipher};
use aes::{Aes128, Aes256};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use rc4::Rc4;
use sha1::Sha1;
use sha2::{Sha256, Sha384};

use crate::messages::SIZES;
use crate::{Operation, Prepared};

/// So many bytes of key serve each cipher and hash here.
const KEY: [u8; 32] = [0x5c; 32];

pub(crate) fn operations() -> Vec<Prepared> {
    let mut all = Vec::new();
    for (size, label) in SIZES {
        let mut add = |what: &str, kind: &str, pass: fn(&mut [u8])| {
            let name = format!("limits/{what}/{kind}/{label}");
            all.push(Prepared::new(name, move |name| {
                let mut buffer = vec![0; size];
                let run = move || pass(black_box(&mut buffer));
                Ok(Operation::new(name, run).with_bytes(size))
            }));
        };
        add("seal", "aes256-sha1", |bytes| {
            hash::<Hmac<Sha1>>(bytes);
            encrypt::<cbc::Encryptor<Aes256>>(bytes, 32);
        });
        add("open", "aes256-sha1", |bytes| {
            decrypt::<cbc::Decryptor<Aes256>>(bytes, 32);
            hash::<Hmac<Sha1>>(bytes);
        });
        add("seal", "aes128-sha1", |bytes| {
            hash::<Hmac<Sha1>>(bytes);
            encrypt::<cbc::Encryptor<Aes128>>(bytes, 16);
        });
        add("open", "aes128-sha1", |bytes| {
            decrypt::<cbc::Decryptor<Aes128>>(bytes, 16);
            hash::<Hmac<Sha1>>(bytes);
        });
        add("seal", "aes256-sha2", |bytes| {
            encrypt::<cbc::Encryptor<Aes256>>(bytes, 32);
            hash::<Hmac<Sha384>>(bytes);
        });
        add("open", "aes256-sha2", |bytes| {
            hash::<Hmac<Sha384>>(bytes);
            decrypt::<cbc::Decryptor<Aes256>>(bytes, 32);
        });
        add("seal", "aes128-sha2", |bytes| {
            encrypt::<cbc::Encryptor<Aes128>>(bytes, 16);
            hash::<Hmac<Sha256>>(bytes);
        });
        add("open", "aes128-sha2", |bytes| {
            hash::<Hmac<Sha256>>(bytes);
            decrypt::<cbc::Decryptor<Aes128>>(bytes, 16);
        });
        for what in ["seal", "open"] {
            add(what, "ntlm", |bytes| {
                hash::<Hmac<Md5>>(bytes);
                // Of a stream that goes on no schedule is made; here it is one for each message, and the
                // limit of short ones is none.
                if let Ok(mut stream) = <Rc4 as KeyInit>::new_from_slice(&KEY[..16]) {
                    stream.apply_keystream(bytes);
                }
            });
        }
    }
    all
}

fn hash<M: Mac + KeyInit>(bytes: &[u8]) {
    if let Ok(mut mac) = <M as KeyInit>::new_from_slice(&KEY) {
        mac.update(bytes);
        black_box(mac.finalize());
    }
}

fn encrypt<C: KeyIvInit + BlockModeEncrypt>(bytes: &mut [u8], key: usize) {
    if let Ok(mut cipher) = C::new_from_slices(&KEY[..key], &[0; 16]) {
        cipher.encrypt_blocks(Array::slice_as_chunks_mut(bytes).0);
    }
}

fn decrypt<C: KeyIvInit + BlockModeDecrypt>(bytes: &mut [u8], key: usize) {
    if let Ok(mut cipher) = C::new_from_slices(&KEY[..key], &[0; 16]) {
        cipher.decrypt_blocks(Array::slice_as_chunks_mut(bytes).0);
    }
}
