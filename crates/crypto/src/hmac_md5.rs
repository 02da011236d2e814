//! HMAC-MD5 and the MD4 of a password: what rc4-hmac and NTLM are made of.

use hmac::{Hmac, Mac as _};
use md5::{Digest, Md5};
use zeroize::{Zeroize, Zeroizing};

use crate::mac::keyed;

pub(crate) type HmacMd5 = Hmac<Md5>;

/// HMAC-MD5 (RFC 2104) over the concatenation of `parts`.
pub(crate) fn hmac_md5(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 16]> {
    compute(&keyed(key), parts)
}

/// The MAC of the concatenation of `parts` under a prepared key.
pub(crate) fn compute(key: &HmacMd5, parts: &[&[u8]]) -> Zeroizing<[u8; 16]> {
    let mut mac = key.clone();
    for part in parts {
        mac.update(part);
    }
    finish(mac)
}

pub(crate) fn finish(mac: HmacMd5) -> Zeroizing<[u8; 16]> {
    let mut out = Zeroizing::new([0; 16]);
    let mut full = mac.finalize().into_bytes();
    out.copy_from_slice(&full);
    full.as_mut_slice().zeroize();
    out
}

/// MD4 of a text in UTF-16, little-endian: string-to-key of RFC 4757 §2, NTOWFv1 of MS-NLMP §3.3.1.
///
/// The text goes to the hash unit by unit: there is no copy of it to wipe.
pub(crate) fn md4_of_text(text: &str, out: &mut [u8; 16]) {
    let mut hash = md4::Md4::new();
    for unit in text.encode_utf16() {
        Digest::update(&mut hash, unit.to_le_bytes());
    }
    let mut digest = hash.finalize();
    out.copy_from_slice(&digest);
    digest.as_mut_slice().zeroize();
}

#[cfg(test)]
mod tests {
    use super::hmac_md5;

    #[test]
    fn hmac_md5_matches_rfc_2202_section_2() {
        assert_eq!(
            *hmac_md5(&[0x0b; 16], &[b"Hi ", b"There"]),
            [
                0x92, 0x94, 0x72, 0x7a, 0x36, 0x38, 0xbb, 0x1c, 0x13, 0xf4, 0x8e, 0xf8, 0x15, 0x8b,
                0xfc, 0x9d
            ]
        );
    }
}
