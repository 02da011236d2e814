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
use countersign_token::ntlm::{AuthenticateMessage, AvFlags, AvPairs, NegotiateFlags, Text};

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
use super::names::TargetName;
use super::proof::Response;
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

impl Claim {
    fn message(&self) -> Result<AuthenticateMessage<'_>, ErrorKind> {
        AuthenticateMessage::parse(&self.message).map_err(ErrorKind::DefectiveToken)
    }
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
    let response = Response::of(&message, policy.ntlm())?;
    let (challenge, lm_response) = response.for_controller(&message, &exchange.server_challenge);
    let text = |text: Text<'_>| -> Result<String, Error> {
        // Nobody is asked about lines of a log or of a helper's protocol that a name would be.
        if text.chars().count() > MAX_NAME || text.chars().any(char::is_control) {
            return Err(NtlmProblem::NameRefused.into());
        }
        Ok(text.chars().collect())
    };
    let request = LogonRequest {
        domain: text(message.domain)?,
        user: text(message.user)?,
        workstation: text(message.workstation)?,
        server_challenge: challenge,
        nt_response: message.nt_response.to_vec(),
        lm_response,
    };
    Ok(Claimed::Account(Box::new(Claim {
        exchange,
        message: token.to_vec(),
        agreed,
        granted,
        request,
    })))
}

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
    credential.target().check(None)?;
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
        target: None,
    };
    context(peer, flags, keys, credential)
}

fn context(
    peer: NtlmIdentity,
    flags: Flags,
    keys: NtlmKeys,
    credential: &AcceptorCredential,
) -> Result<NewNtlmContext, Error> {
    let local = NtlmIdentity::Account(credential.names().account().clone());
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
    match logon {
        Logon::NtHash { account, hash } => {
            judge_own(claim, Some((&account, &hash)), credential, asked, env)
        }
        Logon::Verified {
            account,
            session_base_key,
        } => {
            let message = claim.message()?;
            let response = Response::of(&message, env.policy.ntlm())?;
            let proved = (account, session_base_key);
            admit(claim, &message, &response, proved, credential, asked, env)
        }
        Logon::Denied => judge_own(claim, None, credential, asked, env),
        Logon::Guest => guest(claim, credential, asked, env.policy),
        Logon::Unavailable => Err(NtlmProblem::LogonUnavailable.into()),
    }
}

/// As [`judge`], by the hash of an account, or of none: then the response is compared with what the hash of
/// nobody makes, so that a peer does not learn by the time of a refusal which accounts there are.
pub(super) fn judge_own(
    claim: &Claim,
    found: Option<(&AccountName, &NtHash)>,
    credential: &AcceptorCredential,
    asked: &Asked,
    env: &Environment<'_>,
) -> Result<NewNtlmContext, Error> {
    let message = claim.message()?;
    let response = Response::of(&message, env.policy.ntlm())?;
    let nobodys = NtHash::new([0; 16]);
    let hash = found.map_or(&nobodys, |(_, hash)| hash);
    let (genuine, base) = response.prove(&message, &claim.exchange.server_challenge, hash);
    // Who knows that hash is still nobody.
    let (account, _) = found.filter(|_| genuine).ok_or(NtlmProblem::LogonDenied)?;
    let proved = (account.clone(), base);
    admit(claim, &message, &response, proved, credential, asked, env)
}

/// The context of whoever proved to be that account, and made that key, if nothing was altered.
fn admit(
    claim: &Claim,
    message: &AuthenticateMessage<'_>,
    response: &Response<'_>,
    (account, base): (AccountName, SessionKey),
    credential: &AcceptorCredential,
    asked: &Asked,
    env: &Environment<'_>,
) -> Result<NewNtlmContext, Error> {
    let policy = env.policy;
    let key = response.key_exchange_key(base, &claim.exchange.server_challenge);
    let exported = if flags::exchanges_key(claim.agreed) {
        let encrypted = message.encrypted_session_key;
        let encrypted = encrypted.try_into();
        key.decrypt(encrypted.map_err(|_| NtlmProblem::SessionKeyDefective)?)
    } else {
        key
    };
    let pairs = response.pairs();
    let av_flags = pairs.and_then(|pairs| pairs.flags()).unwrap_or(AvFlags(0));
    check_mic(claim, message, av_flags, &exported, policy)?;
    check_time(response, env.now)?;
    check_reflection(pairs, credential)?;
    let mut granted = claim.granted | asked.required & Flags::DCE_STYLE;
    let bindings = pairs.and_then(|pairs| pairs.channel_bindings());
    if asked.bindings.check(bindings.unwrap_or(&[0; 16]), false)? {
        granted |= Flags::CHANNEL_BOUND;
    }
    let missing = asked.required.difference(granted);
    if !missing.is_empty() {
        return Err(ErrorKind::FlagsNotGranted(missing).into());
    }
    let unverified = av_flags.contains(AvFlags::UNVERIFIED_TARGET);
    let target = pairs
        .and_then(|pairs| pairs.target_name())
        .and_then(|name| TargetName::new(name.to_string(), unverified));
    credential.target().check(target.as_ref())?;
    let keys = NtlmKeys {
        exported,
        protection: flags::protection(claim.agreed),
        target,
    };
    context(NtlmIdentity::Account(account), granted, keys, credential)
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
    credential.target().check(None)?;
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

fn check_time(response: &Response<'_>, now: Timestamp) -> Result<(), Error> {
    match response.time() {
        Some(time) if time.abs_diff(file_time(now)) > MAX_LIFETIME => {
            Err(NtlmProblem::TimeRefused.into())
        }
        _ => Ok(()),
    }
}

/// A response that an initiator of this machine made comes back from somebody else
/// (CVE-2025-33073).
fn check_reflection(
    pairs: Option<AvPairs<'_>>,
    credential: &AcceptorCredential,
) -> Result<(), Error> {
    let host = pairs.and_then(|pairs| pairs.single_host());
    let (Some(machine), Some(host)) = (credential.machine(), host) else {
        return Ok(());
    };
    if *host.machine_id == machine.0 {
        Err(NtlmProblem::Reflected.into())
    } else {
        Ok(())
    }
}
