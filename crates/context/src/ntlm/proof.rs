//! The response that proves an initiator, by its form.

use countersign_crypto::ntlm::{NtHash, SessionKey};
use countersign_crypto::verify_equal;
use countersign_token::ntlm::{AuthenticateMessage, AvPairs, NtlmV2Response};

use crate::error::{Error, NtlmProblem};
use crate::policy::NtlmPolicy;

#[cfg(feature = "ntlm-v1")]
use super::v1::Weak;

/// The length of NTLMv1's response, and of both kinds of LM response; NTLMv2's is longer (MS-NLMP
/// §2.2.2.6, §2.2.2.8).
const WEAK: usize = 24;

/// What an AUTHENTICATE message proves its sender with.
pub(super) enum Response<'a> {
    V2(NtlmV2Response<'a>),
    #[cfg(feature = "ntlm-v1")]
    Weak(Weak),
}

impl<'a> Response<'a> {
    /// The response of a message, where the policy takes one of this form.
    #[cfg_attr(
        not(feature = "ntlm-v1"),
        expect(unused_variables, reason = "there is one form only")
    )]
    pub(super) fn of(
        message: &AuthenticateMessage<'a>,
        policy: &NtlmPolicy,
    ) -> Result<Self, Error> {
        if message.nt_response.len() > WEAK {
            let response = NtlmV2Response::parse(message.nt_response);
            return Ok(Self::V2(response.map_err(NtlmProblem::ResponseDefective)?));
        }
        #[cfg(feature = "ntlm-v1")]
        if let Some(response) = Weak::of(message) {
            Weak::admit(policy)?;
            return Ok(Self::Weak(response));
        }
        Err(NtlmProblem::ResponseRefused.into())
    }

    /// The pairs, which are proved; weak responses have none.
    pub(super) fn pairs(&self) -> Option<AvPairs<'a>> {
        match self {
            Self::V2(response) => Some(response.av_pairs),
            #[cfg(feature = "ntlm-v1")]
            Self::Weak(_) => None,
        }
    }

    /// When it was made; weak responses do not tell.
    pub(super) fn time(&self) -> Option<u64> {
        match self {
            Self::V2(response) => Some(response.timestamp),
            #[cfg(feature = "ntlm-v1")]
            Self::Weak(_) => None,
        }
    }

    /// What a domain controller is asked with: the challenge, and the LM response.
    pub(super) fn for_controller(
        &self,
        message: &AuthenticateMessage<'a>,
        server_challenge: &[u8; 8],
    ) -> ([u8; 8], Vec<u8>) {
        match self {
            Self::V2(_) => (*server_challenge, message.lm_response.to_vec()),
            #[cfg(feature = "ntlm-v1")]
            Self::Weak(response) => (
                response.challenge(server_challenge),
                response.lm_response().to_vec(),
            ),
        }
    }

    /// Whether it is what this hash makes (MS-NLMP §3.3.1, §3.3.2), and SessionBaseKey.
    pub(super) fn prove(
        &self,
        message: &AuthenticateMessage<'a>,
        server_challenge: &[u8; 8],
        hash: &NtHash,
    ) -> (bool, SessionKey) {
        match self {
            Self::V2(response) => {
                let key = hash.response_key(message.user.chars(), message.domain.chars());
                let proof = key.proof(server_challenge, &[response.blob]);
                let base = key.session_base_key(&proof);
                (verify_equal(&proof, response.proof), base)
            }
            #[cfg(feature = "ntlm-v1")]
            Self::Weak(response) => response.prove(message, server_challenge, hash),
        }
    }

    /// KXKEY (MS-NLMP §3.4.5.1): with NTLMv2 SessionBaseKey itself.
    #[cfg_attr(
        not(feature = "ntlm-v1"),
        expect(unused_variables, reason = "there is one form only")
    )]
    pub(super) fn key_exchange_key(
        &self,
        base: SessionKey,
        server_challenge: &[u8; 8],
    ) -> SessionKey {
        match self {
            Self::V2(_) => base,
            #[cfg(feature = "ntlm-v1")]
            Self::Weak(response) => response.key_exchange_key(base, server_challenge),
        }
    }
}
