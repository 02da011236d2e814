//! What an AUTHENTICATE message must withstand: MS-NLMP §3.2.5.1.2 and §3.2.5.2.2.
//!
//! ```text
//! claim   flags agreed, form of the response          before anybody is asked
//! judge   proof (or a domain controller's word) ─▶ session key ─▶ MIC ─▶ time ─▶ reflection
//!           ─▶ channel bindings ─▶ target name ─▶ context
//! ```

use core::fmt;

use countersign_crypto::ntlm::{NtHash, SessionKey};
use countersign_crypto::verify_equal;
use countersign_token::ntlm::{AuthenticateMessage, AvFlags, NegotiateFlags, NtlmV2Response, Text};

use crate::bindings::ChannelBindingPolicy;
use crate::environment::{Environment, Timestamp};
use crate::error::{Error, ErrorKind, NtlmProblem};
use crate::flags::Flags;
use crate::identity::{Identity, NtlmIdentity};
use crate::policy::{MicPolicy, Policy};
use crate::security_context::ntlm::NtlmKeys;
use crate::security_context::{NewNtlmContext, Role};

use countersign_credential::ntlm::AccountName;

use super::credential::AcceptorCredential;
use super::flags;
use super::logon::{Logon, LogonRequest};
use super::time::file_time;

/// What the acceptor wants.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) required: Flags,
    pub(super) bindings: ChannelBindingPolicy,
}

/// What was said so far.
#[derive(Debug)]
pub(super) struct Exchange {
    /// `None` in connectionless mode.
    pub(super) negotiate: Option<Vec<u8>>,
    pub(super) challenge: Vec<u8>,
    pub(super) server_challenge: [u8; 8],
    pub(super) offered: NegotiateFlags,
}

/// An AUTHENTICATE message of which nothing is proved yet.
pub(super) struct Claim {
    exchange: Exchange,
    message: Vec<u8>,
    agreed: NegotiateFlags,
    granted: Flags,
    pub(super) request: LogonRequest,
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// Who an AUTHENTICATE message says it is from.
pub(super) enum Claimed {
    Account(Box<Claim>),
    /// Anonymous, which there is nothing to prove of.
    Nobody(NewNtlmContext),
}

/// Reads an AUTHENTICATE message and checks what needs no key.
pub(super) fn claim(
    exchange: Exchange,
    token: &[u8],
    credential: &AcceptorCredential,
    asked: &Asked,
    policy: &Policy,
) -> Result<Claimed, Error> {
    let message = AuthenticateMessage::parse(token).map_err(ErrorKind::DefectiveToken)?;
    let agreed = message.flags & exchange.offered;
    if !agreed.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY) {
        return Err(NtlmProblem::SessionSecurityRefused.into());
    }
    let mode = NegotiateFlags::NEGOTIATE_DATAGRAM;
    if agreed.contains(mode) != exchange.offered.contains(mode) {
        return Err(NtlmProblem::FlagsNotOffered.into());
    }
    flags::check_charset(agreed)?;
    flags::check_keys(agreed, policy.ntlm())?;
    if is_anonymous(&message) {
        let context = anonymous(credential, asked, policy)?;
        return Ok(Claimed::Nobody(context));
    }
    let granted = flags::granted(agreed, asked.required)?;
    // NTLMv1's is 24 bytes long, NTLMv2's longer (§2.2.2.6, §2.2.2.8).
    if message.nt_response.len() <= NTLM_V1_RESPONSE {
        return Err(NtlmProblem::ResponseRefused.into());
    }
    NtlmV2Response::parse(message.nt_response).map_err(NtlmProblem::ResponseDefective)?;
    let text = |text: Text<'_>| -> Result<String, Error> {
        if text.chars().count() > MAX_NAME {
            return Err(NtlmProblem::NameRefused.into());
        }
        Ok(text.to_string())
    };
    let request = LogonRequest {
        domain: text(message.domain)?,
        user: text(message.user)?,
        workstation: text(message.workstation)?,
        server_challenge: exchange.server_challenge,
        nt_response: message.nt_response.to_vec(),
        lm_response: message.lm_response.to_vec(),
    };
    Ok(Claimed::Account(Box::new(Claim {
        exchange,
        message: token.to_vec(),
        agreed,
        granted,
        request,
    })))
}

const NTLM_V1_RESPONSE: usize = 24;

/// No account, domain or computer has a longer name.
const MAX_NAME: usize = 256;

/// §3.2.5.1.2: no user, no NT response, and an LM response that is one zero byte or none.
fn is_anonymous(message: &AuthenticateMessage<'_>) -> bool {
    message.user.is_empty()
        && message.nt_response.is_empty()
        && matches!(message.lm_response, [] | [0])
}

fn anonymous(
    credential: &AcceptorCredential,
    asked: &Asked,
    policy: &Policy,
) -> Result<NewNtlmContext, Error> {
    if !policy.anonymous_initiators() {
        return Err(ErrorKind::AnonymousRefused.into());
    }
    if let ChannelBindingPolicy::Required(_) = asked.bindings {
        return Err(ErrorKind::BindingsMissing.into());
    }
    credential.target().check(None, false)?;
    unprotected(NtlmIdentity::Anonymous, Flags::ANONYMOUS, credential, asked)
}

/// A context whose key anybody knows: it grants no protection.
fn unprotected(
    peer: NtlmIdentity,
    flags: Flags,
    credential: &AcceptorCredential,
    asked: &Asked,
) -> Result<NewNtlmContext, Error> {
    let missing = asked.required.difference(flags | Flags::DCE_STYLE);
    if !missing.is_empty() {
        return Err(ErrorKind::FlagsNotGranted(missing).into());
    }
    let flags = flags | asked.required & Flags::DCE_STYLE;
    let keys = NtlmKeys {
        exported: SessionKey::zero(),
        protection: flags::protection(NegotiateFlags::NONE),
    };
    context(peer, flags, keys, credential)
}

fn context(
    peer: NtlmIdentity,
    flags: Flags,
    keys: NtlmKeys,
    credential: &AcceptorCredential,
) -> Result<NewNtlmContext, Error> {
    let local = NtlmIdentity::Account(credential.names().account()?);
    Ok(NewNtlmContext {
        role: Role::Acceptor,
        flags,
        local: Identity::Ntlm(local),
        peer: Some(Identity::Ntlm(peer)),
        keys,
    })
}

/// The context, if the response is what the account's owner makes and nothing was altered.
pub(super) fn judge(
    claim: &Claim,
    logon: Logon,
    credential: &AcceptorCredential,
    asked: &Asked,
    env: &Environment<'_>,
) -> Result<NewNtlmContext, Error> {
    let policy = env.policy;
    let message = AuthenticateMessage::parse(&claim.message).map_err(ErrorKind::DefectiveToken)?;
    let response =
        NtlmV2Response::parse(message.nt_response).map_err(NtlmProblem::ResponseDefective)?;
    let (account, base) = match logon {
        Logon::NtHash { account, hash } => {
            let (account, base) = prove(claim, &message, &response, &hash, Some(account));
            (account.ok_or(NtlmProblem::LogonDenied)?, base)
        }
        Logon::Verified {
            account,
            session_base_key,
        } => (account, session_base_key),
        Logon::Denied => {
            deny(claim, &message, &response);
            return Err(NtlmProblem::LogonDenied.into());
        }
        Logon::Guest => return guest(claim, credential, asked, policy),
        Logon::Unavailable => return Err(NtlmProblem::LogonUnavailable.into()),
    };
    let exported = if flags::exchanges_key(claim.agreed) {
        let encrypted = message.encrypted_session_key;
        let encrypted = encrypted.try_into();
        base.decrypt(encrypted.map_err(|_| NtlmProblem::SessionKeyDefective)?)
    } else {
        base
    };
    let av_flags = response.av_pairs.flags().unwrap_or(AvFlags(0));
    check_mic(claim, &message, av_flags, &exported, policy)?;
    check_time(response.timestamp, env.now)?;
    check_reflection(&response, credential)?;
    let mut granted = claim.granted | asked.required & Flags::DCE_STYLE;
    let bindings = response.av_pairs.channel_bindings().unwrap_or(&[0; 16]);
    if asked.bindings.check(bindings, false)? {
        granted |= Flags::CHANNEL_BOUND;
    }
    let missing = asked.required.difference(granted);
    if !missing.is_empty() {
        return Err(ErrorKind::FlagsNotGranted(missing).into());
    }
    let target = response.av_pairs.target_name().map(|name| name.to_string());
    let unverified = av_flags.contains(AvFlags::UNVERIFIED_TARGET);
    credential.target().check(target.as_deref(), unverified)?;
    let keys = NtlmKeys {
        exported,
        protection: flags::protection(claim.agreed),
    };
    context(NtlmIdentity::Account(account), granted, keys, credential)
}

/// The account, where the response is what this hash makes (§3.3.2), and the key that it makes.
fn prove(
    claim: &Claim,
    message: &AuthenticateMessage<'_>,
    response: &NtlmV2Response<'_>,
    hash: &NtHash,
    account: Option<AccountName>,
) -> (Option<AccountName>, SessionKey) {
    let key = hash.response_key(message.user.chars(), message.domain.chars());
    let proof = key.proof(&claim.exchange.server_challenge, &[response.blob]);
    let base = key.session_base_key(&proof);
    let genuine = verify_equal(&proof, response.proof);
    (account.filter(|_| genuine), base)
}

/// What a wrong password costs, for accounts that nobody knows: the same work and the same
/// allocations, so that a peer does not learn which accounts there are.
fn deny(claim: &Claim, message: &AuthenticateMessage<'_>, response: &NtlmV2Response<'_>) {
    let LogonRequest { domain, user, .. } = &claim.request;
    let decoy = AccountName::new(domain.as_str(), user.as_str()).ok();
    prove(claim, message, response, &NtHash::new([0; 16]), decoy);
}

fn guest(
    claim: &Claim,
    credential: &AcceptorCredential,
    asked: &Asked,
    policy: &Policy,
) -> Result<NewNtlmContext, Error> {
    if !policy.ntlm().guests() {
        return Err(NtlmProblem::GuestRefused.into());
    }
    if let ChannelBindingPolicy::Required(_) = asked.bindings {
        return Err(ErrorKind::BindingsMissing.into());
    }
    credential.target().check(None, false)?;
    let claimed = AccountName::new(claim.request.domain(), claim.request.user())
        .map_err(|_| NtlmProblem::NameRefused)?;
    unprotected(
        NtlmIdentity::Guest { claimed },
        Flags::NONE,
        credential,
        asked,
    )
}

/// §3.2.5.1.2: the MIC over all three messages. Whether there is one says the response, which is
/// proved (CVE-2019-1040); the message around it is not.
fn check_mic(
    claim: &Claim,
    message: &AuthenticateMessage<'_>,
    av_flags: AvFlags,
    exported: &SessionKey,
    policy: &Policy,
) -> Result<(), Error> {
    if !av_flags.contains(AvFlags::MIC_PROVIDED) {
        return match policy.ntlm().mic() {
            MicPolicy::Required => Err(NtlmProblem::MicMissing.into()),
            MicPolicy::IfPresent => Ok(()),
        };
    }
    let received = message.mic.ok_or(NtlmProblem::MicMismatch)?;
    let start = AuthenticateMessage::MIC_OFFSET;
    let end = start.saturating_add(AuthenticateMessage::MIC_LEN);
    let split = claim.message.get(..start).zip(claim.message.get(end..));
    let (before, after) = split.ok_or(NtlmProblem::MicMismatch)?;
    let negotiate = claim.exchange.negotiate.as_deref().unwrap_or_default();
    let computed = exported.mic(&[
        negotiate,
        &claim.exchange.challenge,
        before,
        &[0; AuthenticateMessage::MIC_LEN],
        after,
    ]);
    if verify_equal(computed.as_bytes(), &received) {
        Ok(())
    } else {
        Err(NtlmProblem::MicMismatch.into())
    }
}

/// §3.1.1.1 and §3.2.5.1.2: MaxLifetime, 36 hours with Windows. The challenge is fresh whatever the
/// time, so that this bounds how long a response that was held back on its way is good for.
const MAX_LIFETIME: u64 = 36 * 60 * 60 * 10_000_000;

fn check_time(response: u64, now: Timestamp) -> Result<(), Error> {
    if response.abs_diff(file_time(now)) > MAX_LIFETIME {
        return Err(NtlmProblem::TimeRefused.into());
    }
    Ok(())
}

/// A response that an initiator of this machine made comes back from somebody else
/// (CVE-2025-33073).
fn check_reflection(
    response: &NtlmV2Response<'_>,
    credential: &AcceptorCredential,
) -> Result<(), Error> {
    let (Some(machine), Some(host)) = (credential.machine(), response.av_pairs.single_host())
    else {
        return Ok(());
    };
    if *host.machine_id == machine.0 {
        Err(NtlmProblem::Reflected.into())
    } else {
        Ok(())
    }
}
