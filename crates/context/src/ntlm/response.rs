//! The initiator's response to a challenge: MS-NLMP §3.1.5.1.2, §3.1.5.2.1 and §3.3.2.

use countersign_credential::ntlm::NtlmCredential;
use countersign_crypto::ntlm::SessionKey;
use countersign_token::ntlm::{
    AuthenticateMessage, AvFlags, AvId, AvPairs, AvPairsBuilder, ChallengeMessage, Charset,
    NegotiateFlags, SingleHostData, Text, encode_client_challenge,
};
use zeroize::Zeroizing;

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, NtlmProblem};
use crate::flags::Flags;
use crate::identity::{Identity, NtlmIdentity};
use crate::security_context::ntlm::NtlmKeys;
use crate::security_context::{NewNtlmContext, Role};

use super::flags;
use super::initiator::{Options, VERSION};
use super::time::file_time;
#[cfg(feature = "ntlm-v1")]
use super::v1;

/// What was sent, and is under the MIC.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) flags: NegotiateFlags,
    /// Empty in connectionless mode.
    pub(super) message: Vec<u8>,
}

/// MS-NLMP §3.3.2: the reserved bytes after the list.
const TRAILING_ZEROS: usize = 4;

/// LmChallengeResponse beside NTLMv2 (MS-NLMP §3.1.5.1.2), whether or not the server sent a
/// timestamp: LMv2 can be had from nobody here. In connectionless mode there is none at all
/// (§3.1.5.2.1).
const NO_LM_RESPONSE: [u8; 24] = [0; 24];

/// The AUTHENTICATE message and the context that it establishes.
pub(super) fn respond(
    offer: &Offer,
    token: &[u8],
    options: &Options,
    env: &mut Environment<'_>,
) -> Result<(Vec<u8>, NewNtlmContext), Error> {
    let challenge = ChallengeMessage::parse(token).map_err(ErrorKind::DefectiveToken)?;
    let agreed = agree(offer, &challenge, options, env)?;
    let mut granted = flags::granted(agreed, options.required)?;
    granted |= options.requested & Flags::DCE_STYLE;
    let fresh = Fresh::draw(
        options.credential.is_some(),
        flags::exchanges_key(agreed),
        env,
    )?;
    let proof = match &options.credential {
        Some(credential) => {
            Proof::of(credential, &challenge, options, fresh.client_challenge, env)?
        }
        None => {
            granted |= Flags::ANONYMOUS;
            Proof::anonymous()
        }
    };
    let local = match &options.credential {
        Some(credential) => NtlmIdentity::Account(credential.name().clone()),
        None => NtlmIdentity::Anonymous,
    };
    let (exported, encrypted) = match fresh.exported {
        Some(exported) => {
            let encrypted = proof.key.encrypt(&exported);
            (exported, Some(encrypted))
        }
        None => (proof.key, None),
    };
    let unicode = |text: &str| {
        Charset::Unicode
            .encode(text)
            .ok_or(ErrorKind::Internal("UTF-16"))
    };
    let credential = options.credential.as_deref();
    let domain = unicode(credential.map_or("", |known| known.name().domain()))?;
    let user = unicode(credential.map_or("", |known| known.name().user()))?;
    let workstation = unicode(
        credential
            .and_then(NtlmCredential::workstation)
            .unwrap_or(""),
    )?;
    let text = |bytes| {
        Text::parse(bytes, Charset::Unicode).map_err(|_| ErrorKind::Internal("text of a message"))
    };
    let anonymous = credential.is_none();
    let empty_mic = proof.mic.then_some([0; AuthenticateMessage::MIC_LEN]);
    let message = AuthenticateMessage {
        flags: if anonymous {
            agreed | NegotiateFlags::ANONYMOUS
        } else {
            agreed
        },
        lm_response: if anonymous { &[0] } else { &proof.lm_response },
        nt_response: &proof.response,
        domain: text(&domain)?,
        user: text(&user)?,
        workstation: text(&workstation)?,
        encrypted_session_key: encrypted.as_ref().map_or(&[], |key| key),
        version: Some(VERSION),
        mic: empty_mic,
    };
    // Too long are only the acceptor's pairs.
    let mut message = message.to_bytes().map_err(ErrorKind::DefectiveToken)?;
    if empty_mic.is_some() {
        let mic = exported.mic(&[&offer.message, token, &message]);
        let start = AuthenticateMessage::MIC_OFFSET;
        let place = message
            .get_mut(start..start.saturating_add(AuthenticateMessage::MIC_LEN))
            .ok_or(ErrorKind::Internal("place of the MIC"))?;
        place.copy_from_slice(mic.as_bytes());
    }
    let context = NewNtlmContext {
        role: Role::Initiator,
        flags: granted,
        local: Identity::Ntlm(local),
        // NTLM proves the initiator alone.
        peer: None,
        keys: NtlmKeys {
            exported,
            protection: flags::protection(agreed),
            target: None,
        },
    };
    Ok((message, context))
}

/// What a response draws, in one call: to the operating system a call costs as much as two dozen bytes.
struct Fresh {
    client_challenge: [u8; 8],
    /// ExportedSessionKey, where one is exchanged.
    exported: Option<SessionKey>,
}

impl Fresh {
    fn draw(proves: bool, exchanges: bool, env: &mut Environment<'_>) -> Result<Self, Error> {
        let mut client_challenge = [0; 8];
        let mut key = Zeroizing::new([0; 16]);
        let mut bytes = Zeroizing::new([0; 24]);
        let (challenge, rest) = bytes.split_at_mut(8);
        let needed = match (proves, exchanges) {
            (true, true) => &mut *bytes,
            (true, false) => challenge,
            (false, true) => rest,
            (false, false) => &mut [],
        };
        env.random.fill(needed)?;
        for (to, from) in client_challenge
            .iter_mut()
            .chain(key.iter_mut())
            .zip(&*bytes)
        {
            *to = *from;
        }
        Ok(Self {
            client_challenge,
            exported: exchanges.then(|| SessionKey::new(*key)),
        })
    }
}

/// What both sides can do: the acceptor chose it from the offer, and what it added counts for
/// nothing.
fn agree(
    offer: &Offer,
    challenge: &ChallengeMessage<'_>,
    options: &Options,
    env: &Environment<'_>,
) -> Result<NegotiateFlags, Error> {
    let agreed = challenge.flags & offer.flags;
    if !agreed.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY) {
        return Err(NtlmProblem::SessionSecurityRefused.into());
    }
    // Names and response are in Unicode, and the mode is the one that was chosen.
    let fixed = NegotiateFlags::NEGOTIATE_UNICODE | NegotiateFlags::NEGOTIATE_DATAGRAM;
    if agreed & fixed != offer.flags & fixed {
        return Err(NtlmProblem::FlagsNotOffered.into());
    }
    if challenge.flags.contains(NegotiateFlags::NEGOTIATE_DATAGRAM) != options.datagram {
        return Err(NtlmProblem::FlagsNotOffered.into());
    }
    flags::check_keys(agreed, env.policy.ntlm())?;
    Ok(agreed)
}

/// What proves the initiator.
struct Proof {
    response: Vec<u8>,
    lm_response: Vec<u8>,
    /// KeyExchangeKey, which is SessionBaseKey with NTLMv2 (MS-NLMP §3.4.5.1).
    key: SessionKey,
    /// The response announces a MIC, or there is no response that could.
    mic: bool,
}

impl Proof {
    /// MS-NLMP §3.2.5.1.2: nothing, and a key that everybody knows.
    fn anonymous() -> Self {
        Self {
            response: Vec::new(),
            lm_response: Vec::new(),
            key: SessionKey::zero(),
            mic: true,
        }
    }

    /// NTLMv2, unless the caller names a weaker one.
    fn of(
        credential: &NtlmCredential,
        challenge: &ChallengeMessage<'_>,
        options: &Options,
        client_challenge: [u8; 8],
        env: &Environment<'_>,
    ) -> Result<Self, Error> {
        #[cfg(feature = "ntlm-v1")]
        if options.v1 {
            let (hash, server_challenge) = (credential.hash(), &challenge.server_challenge);
            let (nt, lm, key) = v1::respond(hash, server_challenge, &client_challenge);
            return Ok(Self {
                response: nt.to_vec(),
                lm_response: lm.to_vec(),
                key,
                mic: false,
            });
        }
        let target = challenge.target_info.as_ref();
        // §3.1.5.1.2: the server's time, where it told it.
        let time = target
            .and_then(AvPairs::timestamp)
            .unwrap_or_else(|| file_time(env.now));
        let pairs = pairs(target, options)?;
        let blob = encode_client_challenge(time, &client_challenge, &pairs, TRAILING_ZEROS);
        let key = credential.response_key();
        let proof = key.proof(&challenge.server_challenge, &[&blob]);
        Ok(Self {
            response: [&proof[..], &blob].concat(),
            lm_response: if options.datagram {
                Vec::new()
            } else {
                NO_LM_RESPONSE.to_vec()
            },
            key: key.session_base_key(&proof),
            mic: true,
        })
    }
}

/// The server's pairs in their order, without those that are the initiator's to set
/// (CVE-2019-1166), then the initiator's in the order in which Windows has them.
fn pairs(target: Option<&AvPairs<'_>>, options: &Options) -> Result<Vec<u8>, Error> {
    const OWN: [AvId; 4] = [
        AvId::FLAGS,
        AvId::SINGLE_HOST,
        AvId::CHANNEL_BINDINGS,
        AvId::TARGET_NAME,
    ];
    // All that can be wrong is that the acceptor's are too many for ours to be added.
    let refused = |error| Error::from(ErrorKind::DefectiveToken(error));
    // As long as the list of a server in a domain, and ours.
    let mut pairs = AvPairsBuilder::with_capacity(512);
    let mut own = AvFlags::MIC_PROVIDED;
    if let Some(target) = target {
        for pair in target.iter().filter(|pair| !OWN.contains(&pair.id)) {
            pairs.push(pair.id, pair.value).map_err(refused)?;
        }
        if target
            .flags()
            .is_some_and(|flags| flags.contains(AvFlags::CONSTRAINED))
        {
            own = own | AvFlags::CONSTRAINED;
        }
    }
    if options.target.is_some() && options.target_unverified {
        own = own | AvFlags::UNVERIFIED_TARGET;
    }
    pairs
        .push(AvId::FLAGS, &own.0.to_le_bytes())
        .map_err(refused)?;
    if let Some(machine) = &options.machine {
        let host = SingleHostData {
            custom_data: &[0; 8],
            machine_id: &machine.0,
        };
        pairs
            .push(AvId::SINGLE_HOST, &host.to_bytes())
            .map_err(refused)?;
    }
    // Sixteen zeros would say that there are bindings, to acceptors that require them; without a
    // channel there is no such pair.
    if let Some(bindings) = &options.bindings {
        pairs
            .push(AvId::CHANNEL_BINDINGS, &bindings.hash())
            .map_err(refused)?;
    }
    if let Some(target) = &options.target {
        pairs
            .push_text(AvId::TARGET_NAME, &target.to_string())
            .map_err(refused)?;
    }
    Ok(pairs.finish())
}
