//! Weak responses: NTLMv1 with extended session security, and LMv2.
//!
//! ```text
//!                        NT response (24)                       LM response (24)
//! NTLM2 session response DESL(hash, MD5(both challenges)[0..8])  client challenge | 16 zeros    MS-NLMP §3.3.1
//! LMv2                   none                                    HMAC-MD5 | client challenge    MS-NLMP §3.3.2
//! ```
//!
//! Neither has a place for pairs, hence for no MIC, channel bindings, target name, time or machine:
//! whoever is on the way alters flags as it likes, and relays what it hears to wherever it likes. The
//! first can be searched for the NT hash, which is as good as the password, in hours.
//!
//! NTLMv1 without extended session security is not here and is always refused
//! ([`NtlmProblem::SessionSecurityRefused`]): one key for both directions, and a checksum that
//! anybody can adjust.

use countersign_crypto::ntlm::{NtHash, SessionKey, v1};
use countersign_crypto::verify_equal;
use countersign_token::ntlm::AuthenticateMessage;
use md5::{Digest, Md5};

use crate::error::NtlmProblem;
use crate::policy::{MicPolicy, NtlmPolicy};

/// Length of either response.
const LEN: usize = 24;

/// A weak response, by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weak {
    SessionResponse {
        nt: [u8; LEN],
        /// The client's challenge and zeros.
        lm: [u8; LEN],
    },
    LmV2([u8; LEN]),
}

impl Weak {
    /// The responses of a message, where they are weak ones.
    pub(super) fn of(message: &AuthenticateMessage<'_>) -> Option<Self> {
        let lm: [u8; LEN] = message.lm_response.try_into().ok()?;
        if message.nt_response.is_empty() {
            return Some(Self::LmV2(lm));
        }
        let nt = message.nt_response.try_into().ok()?;
        lm.ends_with(&[0; 16])
            .then_some(Self::SessionResponse { nt, lm })
    }

    /// Such responses are taken where the policy names them, and that there may be no MIC.
    pub(super) fn admit(policy: &NtlmPolicy) -> Result<(), NtlmProblem> {
        if !policy.v1() {
            return Err(NtlmProblem::ResponseRefused);
        }
        match policy.mic() {
            MicPolicy::Required => Err(NtlmProblem::MicMissing),
            MicPolicy::IfPresent => Ok(()),
        }
    }

    /// The challenge that was responded to, as a domain controller is to be asked with it: for
    /// the session response it is made of both challenges.
    pub(super) fn challenge(&self, server_challenge: &[u8; 8]) -> [u8; 8] {
        match self {
            Self::LmV2(_) => *server_challenge,
            Self::SessionResponse { lm, .. } => {
                let client_challenge: &[u8] = first_half(lm);
                let both: [u8; 16] = Md5::new()
                    .chain_update(server_challenge)
                    .chain_update(client_challenge)
                    .finalize()
                    .into();
                *first_half(&both)
            }
        }
    }

    /// The LM response for a domain controller: none where it is only the client's challenge.
    pub(super) fn lm_response(&self) -> &[u8] {
        match self {
            Self::LmV2(response) => response,
            Self::SessionResponse { .. } => &[],
        }
    }

    /// Whether this is what the hash makes, and the SessionBaseKey that it makes.
    pub(super) fn prove(
        &self,
        message: &AuthenticateMessage<'_>,
        server_challenge: &[u8; 8],
        hash: &NtHash,
    ) -> (bool, SessionKey) {
        match self {
            Self::SessionResponse { nt, lm } => {
                let made = v1::ntlm2_session_response(hash, server_challenge, first_half(lm));
                (verify_equal(&made, nt), v1::session_base_key(hash))
            }
            Self::LmV2(response) => {
                let key = hash.response_key(message.user.chars(), message.domain.chars());
                let [proof @ .., _, _, _, _, _, _, _, _] = response;
                let [.., a, b, c, d, e, f, g, h] = *response;
                let client_challenge = [a, b, c, d, e, f, g, h];
                let made = key.lm_v2_response(server_challenge, &client_challenge);
                // MS-NLMP names no key for this response alone. It is the one of the NT response with
                // this proof in the place of NTProofStr, as Samba has it.
                (verify_equal(&made, response), key.session_base_key(proof))
            }
        }
    }

    /// KXKEY (MS-NLMP §3.4.5.1).
    pub(super) fn key_exchange_key(
        &self,
        base: SessionKey,
        server_challenge: &[u8; 8],
    ) -> SessionKey {
        match self {
            Self::SessionResponse { lm, .. } => {
                v1::extended_key_exchange_key(&base, server_challenge, lm)
            }
            Self::LmV2(_) => base,
        }
    }
}

/// An initiator's session response: the NT and the LM response, and the key exchange key.
pub(super) fn respond(
    hash: &NtHash,
    server_challenge: &[u8; 8],
    client_challenge: &[u8; 8],
) -> ([u8; LEN], [u8; LEN], SessionKey) {
    let nt = v1::ntlm2_session_response(hash, server_challenge, client_challenge);
    let mut lm = [0; LEN];
    for (to, from) in lm.iter_mut().zip(client_challenge) {
        *to = *from;
    }
    let base = v1::session_base_key(hash);
    let key = v1::extended_key_exchange_key(&base, server_challenge, &lm);
    (nt, lm, key)
}

/// The first 8 bytes.
fn first_half<const N: usize>(bytes: &[u8; N]) -> &[u8; 8] {
    const { assert!(N >= 8) };
    bytes.first_chunk().unwrap_or(&[0; 8])
}
