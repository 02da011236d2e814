//! Who may log on: the question and its answer.

use core::fmt;

use countersign_credential::ntlm::AccountName;
use countersign_crypto::ntlm::{NtHash, SessionKey};

/// Whether a response is right: for a user store, which knows the account's NT hash, or for a domain
/// controller, which does not give it away.
///
/// It holds all that `NetrLogonSamLogonEx` takes at the level `NetlogonNetworkInformation`
/// (MS-NRPC §2.2.1.4.5, MS-APDS §3.1.5.2), and what `ntlm_auth --helper-protocol=ntlm-server-1`
/// asks for:
///
/// | here | `NETLOGON_NETWORK_INFO` |
/// |---|---|
/// | [`domain`](Self::domain) | `LogonDomainName` |
/// | [`user`](Self::user) | `UserName` |
/// | [`workstation`](Self::workstation) | `Workstation` |
/// | [`server_challenge`](Self::server_challenge) | `LmChallenge` |
/// | [`nt_response`](Self::nt_response) | `NtChallengeResponse` |
/// | [`lm_response`](Self::lm_response) | `LmChallengeResponse` |
///
/// Nobody has proved the names yet: look accounts up by them, and trust nothing else to them.
#[derive(Clone, PartialEq, Eq)]
pub struct LogonRequest {
    pub(super) domain: String,
    pub(super) user: String,
    pub(super) workstation: String,
    pub(super) server_challenge: [u8; 8],
    pub(super) nt_response: Vec<u8>,
    pub(super) lm_response: Vec<u8>,
}

impl LogonRequest {
    /// The domain that the initiator names; may be empty.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The user that the initiator names; `user@domain` where the domain is empty, by custom.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The computer that the initiator says it runs on; may be empty.
    #[must_use]
    pub fn workstation(&self) -> &str {
        &self.workstation
    }

    /// The challenge that was responded to, 8 bytes. With NTLMv1's response, where the policy names
    /// it, the one that is made of both sides' challenges, as a domain controller takes it.
    #[must_use]
    pub fn server_challenge(&self) -> &[u8; 8] {
        &self.server_challenge
    }

    /// The NTLMv2 response: NTProofStr, then what it was made over (MS-NLMP §2.2.2.8). Where the policy
    /// names them, the 24 bytes of NTLMv1's, or none beside LMv2's.
    #[must_use]
    pub fn nt_response(&self) -> &[u8] {
        &self.nt_response
    }

    /// The LM response: zeros or nothing beside NTLMv2 and NTLMv1, or LMv2's 24 bytes.
    #[must_use]
    pub fn lm_response(&self) -> &[u8] {
        &self.lm_response
    }
}

/// A response can be searched for its password, so it is not printed.
impl fmt::Debug for LogonRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogonRequest")
            .field("domain", &self.domain)
            .field("user", &self.user)
            .field("workstation", &self.workstation)
            .finish_non_exhaustive()
    }
}

/// What a user store or a domain controller says of a [`LogonRequest`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Logon {
    /// The account's NT hash: the engine verifies the response with it.
    NtHash {
        /// The account's own name. It becomes the context's peer: give the one in the store, not
        /// the one that the initiator claims.
        account: AccountName,
        /// Its NT hash.
        hash: NtHash,
    },
    /// A domain controller has verified the response, and this is its `UserSessionKey`.
    Verified {
        /// The account's own name, as the domain controller has it (`EffectiveName`).
        account: AccountName,
        /// MS-NLMP's SessionBaseKey.
        session_base_key: SessionKey,
    },
    /// The account is not known here or has no password, and counts as a guest. Refused unless
    /// [`NtlmPolicy::guests`](crate::NtlmPolicy::guests) says otherwise.
    Guest,
    /// The account is not known, its password is another, or it must not log on. An unknown account
    /// costs as much time as a wrong password.
    Denied,
    /// Nobody could tell.
    Unavailable,
}
