//! string-to-key: RFC 3962 §4, RFC 6803 §4, RFC 8009 §4, RFC 4757 §2.

use alloc::vec::Vec;

use sha1::Sha1;
use sha2::{Sha256, Sha384};
use zeroize::Zeroizing;

use crate::{Enctype, Error, derive::Deriver, mac::keyed};

/// Iteration counts from here on are refused: a KDC's hint is unauthenticated, and computing it would stall
/// the initiator. MIT krb5 draws the line at the same count.
const ITERATION_LIMIT: u32 = 1 << 24;

/// The constant of the last derivation step in every PBKDF2 enctype.
const KERBEROS: &[u8] = b"kerberos";

pub(crate) fn derive(
    enctype: Enctype,
    password: &[u8],
    salt: &[u8],
    params: Option<&[u8]>,
    out: &mut [u8],
) -> Result<(), Error> {
    let (count, salt) = match enctype {
        #[cfg(feature = "rc4")]
        Enctype::Rc4Hmac => return crate::rc4::string_to_key(password, out),
        Enctype::Aes128CtsHmacSha1_96 | Enctype::Aes256CtsHmacSha1_96 => {
            (iteration_count(params, 4096)?, salt.to_vec())
        }
        _ => (iteration_count(params, 32768)?, prefixed(enctype, salt)),
    };
    let mut bytes = Zeroizing::new([0; 32]);
    let key = &mut bytes[..enctype.key_len()];
    let deriver = match enctype {
        Enctype::Aes128CtsHmacSha256_128 => {
            pbkdf2::pbkdf2_hmac::<Sha256>(password, &salt, count, key);
            Deriver::Sha256(keyed(key))
        }
        Enctype::Aes256CtsHmacSha384_192 => {
            pbkdf2::pbkdf2_hmac::<Sha384>(password, &salt, count, key);
            Deriver::Sha384(keyed(key))
        }
        _ => {
            pbkdf2::pbkdf2_hmac::<Sha1>(password, &salt, count, key);
            match enctype {
                Enctype::Aes128CtsHmacSha1_96 => Deriver::Aes128(keyed(key)),
                Enctype::Aes256CtsHmacSha1_96 => Deriver::Aes256(keyed(key)),
                Enctype::Camellia128CtsCmac => Deriver::Camellia128(keyed(key)),
                Enctype::Camellia256CtsCmac => Deriver::Camellia256(keyed(key)),
                _ => return Err(Error::Internal),
            }
        }
    };
    deriver.labelled(KERBEROS, &[], out);
    Ok(())
}

/// saltp = enctype-name | 00 | salt.
fn prefixed(enctype: Enctype, salt: &[u8]) -> Vec<u8> {
    let mut out = Vec::from(enctype.name());
    out.push(0);
    out.extend_from_slice(salt);
    out
}

fn iteration_count(params: Option<&[u8]>, default: u32) -> Result<u32, Error> {
    let Some(params) = params else {
        return Ok(default);
    };
    let bytes = params
        .try_into()
        .map_err(|_| Error::StringToKeyParameters)?;
    // RFC 3962 §4: zero stands for 2^32.
    match u32::from_be_bytes(bytes) {
        count @ 1..ITERATION_LIMIT => Ok(count),
        count => Err(Error::IterationCount(count)),
    }
}
