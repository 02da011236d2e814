//! An initiator that does what it is told, right or wrong. It knows nothing of the engine: it is
//! made of the codec and the keys alone.

use countersign_context::crypto::ntlm::{NtHash, SessionKey};
use countersign_context::token::ntlm::{
    AuthenticateMessage, AvFlags, AvId, ChallengeMessage, Charset, NegotiateFlags,
    NegotiateMessage, Text, Version, encode_client_challenge,
};

use crate::support::{FILE_TIME, PASSWORD};

pub(crate) type F = NegotiateFlags;

/// What everybody offers.
pub(crate) const BASE: F = F::NEGOTIATE_UNICODE
    .union(F::REQUEST_TARGET)
    .union(F::NEGOTIATE_NTLM)
    .union(F::ALWAYS_SIGN)
    .union(F::EXTENDED_SESSIONSECURITY)
    .union(F::TARGET_INFO)
    .union(F::VERSION)
    .union(F::NEGOTIATE_128);

pub(crate) const SIGNED: F = BASE.union(F::NEGOTIATE_SIGN).union(F::KEY_EXCH);
pub(crate) const SEALED: F = SIGNED.union(F::NEGOTIATE_SEAL);

pub(crate) const VERSION: Version = Version {
    major: 10,
    minor: 0,
    build: 19_045,
    revision: Version::REVISION_W2K3,
};

/// What becomes of the MIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mic {
    /// Announced and right.
    Right,
    /// Neither announced nor there.
    Cleared,
    /// Announced, and zeros in its place.
    Zeroed,
    /// Announced, and no place for it.
    Absent,
    /// Announced, and one bit of it is wrong.
    Wrong,
}

/// The NT response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Response {
    /// Made for this challenge.
    Fresh,
    /// No bytes.
    Empty,
    /// These bytes, and the key that they made.
    Bytes(Vec<u8>, [u8; 16]),
}

#[derive(Debug, Clone)]
pub(crate) struct Forger {
    pub(crate) domain: String,
    pub(crate) user: String,
    pub(crate) workstation: String,
    pub(crate) password: String,
    /// In the NEGOTIATE.
    pub(crate) offered: F,
    /// In the AUTHENTICATE; else what is offered and chosen.
    pub(crate) answered: Option<F>,
    pub(crate) mic: Mic,
    /// The acceptor's pairs are in the response.
    pub(crate) target_info: bool,
    /// Bits of MsvAvFlags beside the one of the MIC.
    pub(crate) av_flags: u32,
    /// Pairs behind those of the acceptor, as they are.
    pub(crate) pairs: Vec<u8>,
    /// What ends them: MsvAvEOL, and the zeros of MS-NLMP §3.3.2.
    pub(crate) end: Vec<u8>,
    pub(crate) time: u64,
    pub(crate) response: Response,
    pub(crate) lm_response: Vec<u8>,
    /// The exported session key, where one is exchanged.
    pub(crate) session_key: [u8; 16],
    /// What stands in its field in place of it.
    pub(crate) encrypted: Option<Vec<u8>>,
    pub(crate) version: Option<Version>,
}

/// An AUTHENTICATE, and the keys behind it.
pub(crate) struct Forged {
    pub(crate) token: Vec<u8>,
    pub(crate) nt_response: Vec<u8>,
    pub(crate) base: SessionKey,
    pub(crate) exported: SessionKey,
}

impl Forger {
    /// An honest one.
    pub(crate) fn alice(offered: F) -> Self {
        Self {
            domain: "EXAMPLE".into(),
            user: "alice".into(),
            workstation: "PC".into(),
            password: PASSWORD.into(),
            offered,
            answered: None,
            mic: Mic::Right,
            target_info: true,
            av_flags: 0,
            pairs: Vec::new(),
            end: vec![0; 8],
            time: FILE_TIME,
            response: Response::Fresh,
            lm_response: vec![0; 24],
            session_key: [0x55; 16],
            encrypted: None,
            version: Some(VERSION),
        }
    }

    pub(crate) fn pair(mut self, id: AvId, value: &[u8]) -> Self {
        self.pairs.extend(pair(id, value));
        self
    }

    pub(crate) fn negotiate(&self) -> Vec<u8> {
        NegotiateMessage {
            flags: self.offered,
            domain: Text::empty(Charset::Oem),
            workstation: Text::empty(Charset::Oem),
            version: self.version,
        }
        .to_bytes()
        .unwrap()
    }

    /// What follows the proof.
    fn blob(&self, challenge: &ChallengeMessage<'_>) -> Vec<u8> {
        let mut pairs = Vec::new();
        if let Some(info) = challenge.target_info.filter(|_| self.target_info) {
            pairs.extend_from_slice(&info.as_bytes()[..info.as_bytes().len() - 4]);
        }
        let announced = match self.mic {
            Mic::Cleared => 0,
            _ => AvFlags::MIC_PROVIDED.0,
        };
        if announced | self.av_flags != 0 {
            let flags = (announced | self.av_flags).to_le_bytes();
            pairs.extend(pair(AvId::FLAGS, &flags));
        }
        pairs.extend_from_slice(&self.pairs);
        pairs.extend_from_slice(&self.end);
        encode_client_challenge(self.time, &[0xaa; 8], &pairs, 0)
    }

    pub(crate) fn authenticate(&self, negotiate: &[u8], challenge: &[u8]) -> Forged {
        let chosen = ChallengeMessage::parse(challenge).unwrap();
        let agreed = self.answered.unwrap_or(self.offered & chosen.flags);
        let (nt_response, base) = match &self.response {
            Response::Empty => (Vec::new(), SessionKey::zero()),
            Response::Bytes(bytes, key) => (bytes.clone(), SessionKey::new(*key)),
            Response::Fresh => {
                let key = NtHash::from_password(&self.password)
                    .response_key(self.user.chars(), self.domain.chars());
                let blob = self.blob(&chosen);
                let proof = key.proof(&chosen.server_challenge, &[&blob]);
                ([&proof[..], &blob].concat(), key.session_base_key(&proof))
            }
        };
        // MS-NLMP §3.1.5.1.2: for what both agreed to.
        let both = agreed & chosen.flags;
        let protects = both.contains(F::NEGOTIATE_SIGN) || both.contains(F::NEGOTIATE_SEAL);
        let (exported, encrypted) = if both.contains(F::KEY_EXCH) && protects {
            let exported = SessionKey::new(self.session_key);
            let encrypted = base.encrypt(&exported).to_vec();
            (exported, encrypted)
        } else {
            (base.duplicate(), Vec::new())
        };
        let encrypted = self.encrypted.clone().unwrap_or(encrypted);
        let charset = Charset::of(agreed);
        let [domain, user, workstation] =
            [&self.domain, &self.user, &self.workstation].map(|text| charset.encode(text).unwrap());
        let text = |bytes| Text::parse(bytes, charset).unwrap();
        let placed = !matches!(self.mic, Mic::Cleared | Mic::Absent);
        let mut token = AuthenticateMessage {
            flags: agreed,
            lm_response: &self.lm_response,
            nt_response: &nt_response,
            domain: text(&domain),
            user: text(&user),
            workstation: text(&workstation),
            encrypted_session_key: &encrypted,
            version: self.version,
            mic: placed.then_some([0; 16]),
        }
        .to_bytes()
        .unwrap();
        if matches!(self.mic, Mic::Right | Mic::Wrong) {
            seal_mic(negotiate, challenge, &mut token, &exported);
        }
        if self.mic == Mic::Wrong {
            token[AuthenticateMessage::MIC_OFFSET + 9] ^= 0x10;
        }
        Forged {
            token,
            nt_response,
            base,
            exported,
        }
    }
}

/// Puts the right MIC into its place.
pub(crate) fn seal_mic(negotiate: &[u8], challenge: &[u8], token: &mut [u8], key: &SessionKey) {
    let place = AuthenticateMessage::MIC_OFFSET..AuthenticateMessage::MIC_OFFSET + 16;
    token[place.clone()].fill(0);
    let mic = key.mic(&[negotiate, challenge, token]);
    token[place].copy_from_slice(mic.as_bytes());
}

/// A pair's bytes, whether or not they are well-formed.
pub(crate) fn pair(id: AvId, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap();
    [&id.0.to_le_bytes()[..], &length.to_le_bytes(), value].concat()
}

pub(crate) fn utf16(text: &str) -> Vec<u8> {
    Charset::Unicode.encode(text).unwrap()
}
