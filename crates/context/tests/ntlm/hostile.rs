//! An acceptor that says what it is told, and judges what it is sent by the codec and the keys
//! alone.

use countersign_context::crypto::ntlm::{NtHash, SessionKey};
use countersign_context::ntlm::Initiator;
use countersign_context::token::ntlm::{
    AuthenticateMessage, AvFlags, AvId, AvPairs, AvPairsBuilder, ChallengeMessage, Charset,
    NegotiateFlags, NegotiateMessage, NtlmV2Response, Text,
};
use countersign_context::{Error, SecurityContext};

use crate::forger::{F, VERSION};
use crate::support::{FILE_TIME, PASSWORD, World, last};

#[derive(Clone)]
pub(crate) struct Hostile {
    /// Removed from what the initiator offers.
    pub(crate) without: F,
    /// Added to it.
    pub(crate) with: F,
    /// `None`: no target information.
    pub(crate) info: Option<Vec<u8>>,
    pub(crate) server_challenge: [u8; 8],
    pub(crate) target: String,
}

impl Hostile {
    /// Honest, to begin with.
    pub(crate) fn new() -> Self {
        Self {
            without: F::NONE,
            with: F::TARGET_INFO | F::TARGET_TYPE_SERVER,
            info: Some(info(&[])),
            server_challenge: *b"hostile!",
            target: "WWW".into(),
        }
    }

    pub(crate) fn challenge(&self, negotiate: &[u8]) -> Vec<u8> {
        let offered = match negotiate {
            [] => NegotiateFlags(u32::MAX),
            _ => NegotiateMessage::parse(negotiate).unwrap().flags,
        };
        let mut flags = offered.without(self.without) | self.with;
        if self.info.is_none() {
            flags = flags.without(F::TARGET_INFO);
        }
        let charset = Charset::of(flags);
        let target = charset.encode(&self.target).unwrap();
        ChallengeMessage {
            flags,
            target_name: Text::parse(&target, charset).unwrap(),
            server_challenge: self.server_challenge,
            target_info: self
                .info
                .as_deref()
                .map(|info| AvPairs::parse(info).unwrap()),
            version: Some(VERSION),
        }
        .to_bytes()
        .unwrap()
    }

    /// The initiator's answer and its context.
    pub(crate) fn provoke(
        &self,
        mut initiator: Initiator,
        world: &mut World,
    ) -> Result<(Told, SecurityContext), Error> {
        let negotiate = match world.step(&mut initiator, None)? {
            countersign_context::Step::Continue { token } => token,
            other => panic!("{other:?}"),
        };
        let challenge = self.challenge(&negotiate);
        let (token, context) = last(world.step(&mut initiator, Some(&challenge))?);
        let token = token.expect("AUTHENTICATE");
        Ok((Told::read(&negotiate, &challenge, &token), context))
    }
}

/// What an initiator told.
pub(crate) struct Told {
    pub(crate) flags: NegotiateFlags,
    pub(crate) user: String,
    pub(crate) domain: String,
    pub(crate) workstation: String,
    pub(crate) lm_response: Vec<u8>,
    pub(crate) nt_response: Vec<u8>,
    /// The pairs in their order.
    pub(crate) pairs: Vec<(AvId, Vec<u8>)>,
    pub(crate) time: u64,
    /// It knows the password.
    pub(crate) proved: bool,
    /// The MIC is right.
    pub(crate) mic: bool,
    pub(crate) exported: SessionKey,
}

impl Told {
    /// Judges it by alice's password.
    pub(crate) fn read(negotiate: &[u8], challenge: &[u8], token: &[u8]) -> Self {
        let chosen = ChallengeMessage::parse(challenge).unwrap();
        let message = AuthenticateMessage::parse(token).unwrap();
        let key = NtHash::from_password(PASSWORD)
            .response_key(message.user.chars(), message.domain.chars());
        let (mut proved, mut time, mut pairs) = (false, 0, Vec::new());
        let mut base = SessionKey::zero();
        if let Ok(response) = NtlmV2Response::parse(message.nt_response) {
            let proof = key.proof(&chosen.server_challenge, &[response.blob]);
            proved = proof == *response.proof;
            base = key.session_base_key(&proof);
            time = response.timestamp;
            pairs = response
                .av_pairs
                .iter()
                .map(|pair| (pair.id, pair.value.to_vec()))
                .collect();
        }
        let exported = match message.encrypted_session_key.try_into() {
            Ok(encrypted) => base.decrypt(encrypted),
            Err(_) => base,
        };
        let mut bare = token.to_vec();
        let mic = message.mic.is_some_and(|mic| {
            let start = AuthenticateMessage::MIC_OFFSET;
            bare[start..start + 16].fill(0);
            exported.mic(&[negotiate, challenge, &bare]).as_bytes() == mic
        });
        Self {
            flags: message.flags,
            user: message.user.to_string(),
            domain: message.domain.to_string(),
            workstation: message.workstation.to_string(),
            lm_response: message.lm_response.to_vec(),
            nt_response: message.nt_response.to_vec(),
            pairs,
            time,
            proved,
            mic,
            exported,
        }
    }

    pub(crate) fn pair(&self, id: AvId) -> Option<&[u8]> {
        let found = self.pairs.iter().find(|(found, _)| *found == id)?;
        Some(&found.1)
    }

    pub(crate) fn av_flags(&self) -> AvFlags {
        let value = self.pair(AvId::FLAGS).unwrap();
        AvFlags(u32::from_le_bytes(value.try_into().unwrap()))
    }
}

/// Target information: names, the time, and these.
pub(crate) fn info(more: &[(AvId, &[u8])]) -> Vec<u8> {
    let mut pairs = AvPairsBuilder::new();
    pairs.push_text(AvId::NB_DOMAIN_NAME, "EXAMPLE").unwrap();
    pairs.push_text(AvId::NB_COMPUTER_NAME, "WWW").unwrap();
    if !more.iter().any(|(id, _)| *id == AvId::TIMESTAMP) {
        pairs
            .push(AvId::TIMESTAMP, &FILE_TIME.to_le_bytes())
            .unwrap();
    }
    for (id, value) in more {
        pairs.push(*id, value).unwrap();
    }
    pairs.finish()
}
