//! One-way functions and NTLMv2 responses (MS-NLMP §3.3.1 and §3.3.2).

use core::fmt;

use hmac::Mac as _;
use zeroize::Zeroizing;

use super::{SessionKey, secret::secret, upper_case};
use crate::{
    hmac_md5::{HmacMd5, compute, finish, md4_of_text},
    mac::keyed,
    wiping_stack,
};

secret! {
    /// NTOWFv1 (MS-NLMP §3.3.1), known as the NT hash: MD4 of the password in UTF-16.
    ///
    /// It is all that NTLM needs of a password, so it is as secret as one.
    NtHash
}

impl NtHash {
    /// The hash of a password.
    #[must_use]
    pub fn from_password(password: &str) -> Self {
        let mut hash = NtHash::blank();
        wiping_stack(|| md4_of_text(password, &mut hash.0));
        hash
    }

    /// From 32 hexadecimal digits of either case; `None` for any other text.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<Self> {
        let mut hash = NtHash::blank();
        let (pairs, []) = digits.as_bytes().as_chunks::<2>() else {
            return None;
        };
        if pairs.len() != hash.0.len() {
            return None;
        }
        for (byte, [high, low]) in hash.0.iter_mut().zip(pairs) {
            let digit = |letter: u8| char::from(letter).to_digit(16);
            let value = digit(*high)? << 4 | digit(*low)?;
            *byte = value.to_le_bytes()[0];
        }
        Some(hash)
    }

    /// NTOWFv2 (MS-NLMP §3.3.2): the key of an account's NTLMv2 responses.
    ///
    /// The user's name is put into upper case here, letter by letter; the domain is taken as it is, which has to
    /// be as the initiator's message has it.
    #[must_use]
    pub fn response_key(
        &self,
        user: impl Iterator<Item = char>,
        domain: impl Iterator<Item = char>,
    ) -> ResponseKey {
        let mut mac: HmacMd5 = keyed(&*self.0);
        for letter in user.map(upper_case).chain(domain) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                mac.update(&unit.to_le_bytes());
            }
        }
        ResponseKey(keyed(finish(mac).as_slice()))
    }
}

/// NTOWFv2 (MS-NLMP §3.3.2), which is LMOWFv2 as well: the key that responses are made and checked with.
///
/// Its pads are hashed once, when it is made.
pub struct ResponseKey(HmacMd5);

impl ResponseKey {
    /// NTProofStr (MS-NLMP §3.3.2): HMAC-MD5 of the server's challenge and `temp`.
    ///
    /// `blob` is the concatenation of its parts: what follows the first 16 bytes of the response.
    #[must_use]
    pub fn proof(&self, server_challenge: &[u8; 8], blob: &[&[u8]]) -> [u8; 16] {
        let mut mac = self.0.clone();
        mac.update(server_challenge);
        for part in blob {
            mac.update(part);
        }
        *finish(mac)
    }

    /// SessionBaseKey (MS-NLMP §3.3.2): HMAC-MD5 of the proof. With NTLMv2 it is the key exchange key, too
    /// (§3.4.5.1).
    #[must_use]
    pub fn session_base_key(&self, proof: &[u8; 16]) -> SessionKey {
        let mut key = SessionKey::zero();
        key.fill(&compute(&self.0, &[proof]));
        key
    }

    /// LmChallengeResponse of LMv2 (MS-NLMP §3.3.2): HMAC-MD5 of both challenges, then the client's.
    #[must_use]
    pub fn lm_v2_response(
        &self,
        server_challenge: &[u8; 8],
        client_challenge: &[u8; 8],
    ) -> [u8; 24] {
        let mac: Zeroizing<[u8; 16]> = compute(&self.0, &[server_challenge, client_challenge]);
        let mut out = [0; 24];
        for (to, from) in out.iter_mut().zip(mac.iter().chain(client_challenge)) {
            *to = *from;
        }
        out
    }
}

impl fmt::Debug for ResponseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hmac_md5::hmac_md5;

    /// MS-NLMP §4.2.4.1.1.
    #[test]
    fn response_keys_match_ms_nlmp_section_4_2() {
        let expected = 0x0c868a40_3bfd7a93_a3001ef2_2ef02e3f_u128.to_be_bytes();
        let key = NtHash::from_password("Password").response_key("User".chars(), "Domain".chars());
        assert_eq!(
            *compute(&key.0, &[b"data"]),
            *hmac_md5(&expected, &[b"data"])
        );
    }
}
