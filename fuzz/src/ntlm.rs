//! NTLM among peers whose passwords are known: repairs what the fuzzer broke, and judges what the
//! engine says, by the codec and the keys alone.

use std::sync::{Arc, OnceLock};

use countersign_context::ntlm::ServerNames;
use countersign_context::{Environment, MicPolicy, NtlmPolicy, Policy, Timestamp};
use countersign_credential::Password;
use countersign_credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign_crypto::ntlm::{NtHash, SessionKey, Strength, v1};
use countersign_token::ntlm::{
    AuthenticateMessage, AvFlags, AvPairs, ChallengeMessage, NegotiateFlags, NtlmV2Response,
};

use crate::{Seeded, realm};

pub const PASSWORD: &str = "open sesame";

type F = NegotiateFlags;

/// What an octet of the input asks for.
#[derive(Clone, Copy)]
pub struct Options(pub u8);

impl Options {
    pub fn is(self, bit: u8) -> bool {
        self.0 >> bit & 1 == 1
    }

    /// Everything weak is named, bit by bit.
    pub fn policy(self) -> Policy {
        let mic = [MicPolicy::Required, MicPolicy::IfPresent][usize::from(self.is(0))];
        let least = [Strength::Bits128, Strength::Bits40][usize::from(self.is(2))];
        let ntlm = NtlmPolicy::default()
            .with_mic(mic)
            .with_dangerous_strength(least)
            .with_dangerous_v1(self.is(3));
        Policy::default()
            .with_anonymous_initiators(self.is(1))
            .with_ntlm(ntlm)
    }
}

pub fn environment<'a>(random: &'a mut Seeded, policy: &'a Policy) -> Environment<'a> {
    Environment::new(Timestamp::from_unix(realm::NOW), random).with_policy(policy)
}

/// [`realm::NOW`] as a FILETIME.
pub fn file_time() -> u64 {
    (realm::NOW as u64 + 11_644_473_600) * 10_000_000
}

pub fn names() -> ServerNames {
    ServerNames::new("WWW", "EXAMPLE").expect("names")
}

pub fn users() -> Arc<Users> {
    static USERS: OnceLock<Arc<Users>> = OnceLock::new();
    let parsed = || Users::parse(b"EXAMPLE:alice:open sesame\n*:bob:battery staple\n");
    USERS
        .get_or_init(|| Arc::new(parsed().expect("users")))
        .clone()
}

pub fn credential() -> NtlmCredential {
    let name = AccountName::parse("EXAMPLE\\alice").expect("a name");
    NtlmCredential::with_password(name, &Password::from(PASSWORD))
}

/// The account that a message names, in the store; no domain means the server's.
pub fn account(message: &AuthenticateMessage<'_>) -> Option<(AccountName, NtHash)> {
    let (domain, user) = (message.domain.to_string(), message.user.to_string());
    let domain = if domain.is_empty() {
        "EXAMPLE"
    } else {
        &domain
    };
    let users = users();
    let (account, hash) = users.find(domain, &user)?;
    Some((account.clone(), hash.duplicate()))
}

/// What the keys say of an AUTHENTICATE.
pub struct Judged {
    /// The response is what the hash makes.
    pub proved: bool,
    /// What is in the right response's place.
    pub right: Vec<u8>,
    pub base: SessionKey,
    pub exported: SessionKey,
    /// The response announces a MIC.
    pub announced: bool,
    /// The MIC is right.
    pub mic: bool,
    pub agreed: F,
    /// NTLMv1 or LMv2.
    pub weak: bool,
}

pub fn judge(negotiate: &[u8], challenge: &[u8], token: &[u8], hash: &NtHash) -> Option<Judged> {
    let chosen = ChallengeMessage::parse(challenge).ok()?;
    let message = AuthenticateMessage::parse(token).ok()?;
    let server = chosen.server_challenge;
    let key = hash.response_key(message.user.chars(), message.domain.chars());
    let mut announced = false;
    let lm: Option<[u8; 24]> = message.lm_response.try_into().ok();
    let (right, sent, base, exchange) = if message.nt_response.len() > 24 {
        let response = NtlmV2Response::parse(message.nt_response).ok()?;
        let flags = response.av_pairs.flags().unwrap_or_default();
        announced = flags.contains(AvFlags::MIC_PROVIDED);
        let proof = key.proof(&server, &[response.blob]);
        let base = key.session_base_key(&proof);
        (proof.to_vec(), &response.proof[..], base.duplicate(), base)
    } else if message.nt_response.is_empty() {
        let lm = lm?;
        let made = key.lm_v2_response(&server, lm.last_chunk()?);
        let base = key.session_base_key(lm.first_chunk()?);
        let sent = message.lm_response;
        (made.to_vec(), sent, base.duplicate(), base)
    } else {
        let lm = lm.filter(|lm| lm[8..] == [0; 16])?;
        let made = v1::ntlm2_session_response(hash, &server, lm.first_chunk()?);
        let base = v1::session_base_key(hash);
        let exchange = v1::extended_key_exchange_key(&base, &server, &lm);
        (made.to_vec(), message.nt_response, base, exchange)
    };
    let agreed = message.flags & chosen.flags;
    let protects = agreed.contains(F::NEGOTIATE_SIGN) || agreed.contains(F::NEGOTIATE_SEAL);
    let exported = if agreed.contains(F::KEY_EXCH) && protects {
        exchange.decrypt(message.encrypted_session_key.try_into().ok()?)
    } else {
        exchange
    };
    let mic = message.mic.is_some_and(|mic| {
        exported
            .mic(&[negotiate, challenge, &without_mic(token)])
            .as_bytes()
            == mic
    });
    Some(Judged {
        proved: right == sent,
        weak: message.nt_response.len() <= 24,
        right,
        base,
        exported,
        announced,
        mic,
        agreed,
    })
}

fn without_mic(token: &[u8]) -> Vec<u8> {
    let mut token = token.to_vec();
    if let Some(place) = token.get_mut(72..88) {
        place.fill(0);
    }
    token
}

/// Puts the right proof, the right MIC or both into an AUTHENTICATE that the fuzzer made, so that
/// mutations land behind them.
pub fn repair(negotiate: &[u8], challenge: &[u8], token: &[u8], proof: bool, mic: bool) -> Vec<u8> {
    let mut token = token.to_vec();
    let hash = |token: &[u8]| {
        let message = AuthenticateMessage::parse(token).ok()?;
        let known = account(&message).map(|(_, hash)| hash);
        Some(known.unwrap_or_else(|| NtHash::from_password(PASSWORD)))
    };
    if let (true, Some(hash)) = (proof, hash(&token))
        && let Some(judged) = judge(negotiate, challenge, &token, &hash)
    {
        let empty = token[20..22] == [0; 2];
        let descriptor = if empty { 12 } else { 20 };
        let offset = token[descriptor + 4..descriptor + 8]
            .try_into()
            .expect("four");
        let start = u32::from_le_bytes(offset) as usize;
        if let Some(place) = token.get_mut(start..start + judged.right.len()) {
            place.copy_from_slice(&judged.right);
        }
    }
    let placed = AuthenticateMessage::parse(&token).is_ok_and(|message| message.mic.is_some());
    if let (true, Some(hash)) = (mic && placed, hash(&token))
        && let Some(judged) = judge(negotiate, challenge, &token, &hash)
    {
        let mic = judged
            .exported
            .mic(&[negotiate, challenge, &without_mic(&token)]);
        token[72..88].copy_from_slice(mic.as_bytes());
    }
    token
}

/// A CHALLENGE of the fuzzer's parts: flags and challenge, then target information that decodes or
/// is left out.
pub fn challenge(parts: &[u8]) -> Option<Vec<u8>> {
    let (flags, rest) = parts.split_first_chunk::<4>()?;
    let (server_challenge, info) = rest.split_first_chunk::<8>()?;
    let flags = NegotiateFlags(u32::from_le_bytes(*flags));
    let charset = countersign_token::ntlm::Charset::of(flags);
    ChallengeMessage {
        flags,
        target_name: countersign_token::ntlm::Text::empty(charset),
        server_challenge: *server_challenge,
        target_info: AvPairs::parse(info).ok(),
        version: None,
    }
    .to_bytes()
    .ok()
}
