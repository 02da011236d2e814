//! One-way functions, responses and key exchange keys of LM and NTLMv1 (MS-NLMP §3.3.1 and §3.4.5.1).

use md4::{Digest, Md4};
use md5::Md5;
use zeroize::{Zeroize, Zeroizing};

use super::des;
use crate::{
    hmac_md5::hmac_md5,
    ntlm::{NtHash, SessionKey, secret::secret},
};

secret! {
    /// LMOWFv1 (MS-NLMP §3.3.1), known as the LM hash.
    LmHash
}

/// What both halves of an LM hash are the ciphertext of.
const MAGIC: &[u8; 8] = b"KGS!@#$%";

/// LMOWFv1 (MS-NLMP §3.3.1): two halves of the password in upper case, each as a DES key.
///
/// `None` for passwords that have none: of more than 14 letters (§3.3.1), and of others than ASCII's, which
/// depend on the code page of a machine.
#[must_use]
pub fn lm_hash(password: &str) -> Option<LmHash> {
    let mut letters = Zeroizing::new([0; 14]);
    if !password.is_ascii() || password.len() > letters.len() {
        return None;
    }
    for (to, from) in letters.iter_mut().zip(password.bytes()) {
        *to = from.to_ascii_uppercase();
    }
    let mut bytes = [0; 16];
    let halves = letters.as_chunks::<7>().0;
    for (to, half) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(halves) {
        *to = des::encrypt(half, MAGIC);
    }
    let hash = LmHash::new(bytes);
    bytes.zeroize();
    Some(hash)
}

/// NtChallengeResponse of NTLMv1 without extended session security (MS-NLMP §3.3.1).
#[must_use]
pub fn nt_response(hash: &NtHash, server_challenge: &[u8; 8]) -> [u8; 24] {
    des::long(hash.expose(), server_challenge)
}

/// LmChallengeResponse of LM (MS-NLMP §3.3.1).
#[must_use]
pub fn lm_response(hash: &LmHash, server_challenge: &[u8; 8]) -> [u8; 24] {
    des::long(hash.expose(), server_challenge)
}

/// NtChallengeResponse of NTLMv1 with extended session security (MS-NLMP §3.3.1), to the first half of MD5 of
/// both challenges. Its LmChallengeResponse is the client's challenge and 16 zeros.
#[must_use]
pub fn ntlm2_session_response(
    hash: &NtHash,
    server_challenge: &[u8; 8],
    client_challenge: &[u8; 8],
) -> [u8; 24] {
    let both: [u8; 16] = Md5::new()
        .chain_update(server_challenge)
        .chain_update(client_challenge)
        .finalize()
        .into();
    des::long(hash.expose(), first_half(&both))
}

/// SessionBaseKey of NTLMv1 (MS-NLMP §3.3.1): MD4 of the NT hash. The same in every session.
///
/// It is the key exchange key, too, where neither extended session security nor one of the flags of
/// [`lm_key_exchange_key`] and [`non_nt_key_exchange_key`] is negotiated (§3.4.5.1).
#[must_use]
pub fn session_base_key(hash: &NtHash) -> SessionKey {
    let mut digest = Md4::digest(hash.expose());
    let key = SessionKey::new(digest.into());
    digest.as_mut_slice().zeroize();
    key
}

/// KXKEY with extended session security (MS-NLMP §3.4.5.1): HMAC-MD5 of the server's challenge and the first
/// 8 bytes of the LM response, which are the client's challenge.
#[must_use]
pub fn extended_key_exchange_key(
    base: &SessionKey,
    server_challenge: &[u8; 8],
    lm_response: &[u8; 24],
) -> SessionKey {
    let client_challenge: &[u8] = first_half(lm_response);
    SessionKey::new(*hmac_md5(
        base.expose(),
        &[server_challenge, client_challenge],
    ))
}

/// KXKEY where NTLMSSP_NEGOTIATE_LM_KEY is negotiated (MS-NLMP §3.4.5.1).
#[must_use]
pub fn lm_key_exchange_key(hash: &LmHash, lm_response: &[u8; 24]) -> SessionKey {
    let block = first_half(lm_response);
    let [a, b, c, d, e, f, g, h, ..] = *hash.expose();
    let mut keys = Zeroizing::new([[a, b, c, d, e, f, g], [0xBD; 7]]);
    let [_, [first, ..]] = &mut *keys;
    *first = h;
    let mut bytes = [0; 16];
    for (to, key) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(keys.iter()) {
        *to = des::encrypt(key, block);
    }
    let key = SessionKey::new(bytes);
    bytes.zeroize();
    key
}

/// KXKEY where NTLMSSP_REQUEST_NON_NT_SESSION_KEY is negotiated (MS-NLMP §3.4.5.1): half of the LM hash.
#[must_use]
pub fn non_nt_key_exchange_key(hash: &LmHash) -> SessionKey {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(first_half(hash.expose())) {
        *to = *from;
    }
    let key = SessionKey::new(bytes);
    bytes.zeroize();
    key
}

/// The first 8 bytes.
fn first_half<const N: usize>(bytes: &[u8; N]) -> &[u8; 8] {
    const { assert!(N >= 8) };
    bytes.first_chunk().unwrap_or(&[0; 8])
}
