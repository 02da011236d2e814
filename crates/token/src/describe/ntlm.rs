//! A message of NTLM, for people: MS-NLMP §2.2.

use alloc::format;
use alloc::string::{String, ToString};

use super::walk::{Walk, hex};
use crate::der::Reader;
use crate::error::DecodeError;
use crate::ntlm::{
    AuthenticateMessage, AvFlags, AvId, AvPair, AvPairs, ChallengeMessage, MessageSignature,
    MessageType, NegotiateFlags, NegotiateMessage, NtlmV2Response, SingleHostData, Text, Version,
};
use crate::pac::FileTime;

/// Where in a larger input a message stands, and how deep its fields are shown.
#[derive(Clone, Copy)]
struct Place<'a> {
    bytes: &'a [u8],
    start: usize,
    depth: usize,
}

impl Place<'_> {
    /// Of what the shorter forms leave out, the place is the end.
    fn at(&self, offset: usize) -> usize {
        self.start.saturating_add(offset.min(self.bytes.len()))
    }

    /// Where the field begins that the descriptor at `at` describes: of an empty one the
    /// descriptor.
    fn field(&self, at: usize) -> usize {
        let descriptor = self.bytes.get(at..).and_then(<[u8]>::first_chunk::<8>);
        match descriptor {
            Some([0, 0, ..]) | None => self.at(at),
            Some([_, _, _, _, o0, o1, o2, o3]) => {
                let offset = u32::from_le_bytes([*o0, *o1, *o2, *o3]);
                self.at(usize::try_from(offset).unwrap_or(at))
            }
        }
    }
}

impl<'a> Walk<'a> {
    pub(super) fn ntlm(&mut self, token: Reader<'a>, depth: usize) {
        let bytes = token.remaining();
        let place = Place {
            bytes,
            start: token.offset(),
            depth: depth.saturating_add(1),
        };
        let shown =
            MessageType::of(bytes).and_then(|message_type| {
                let value = format!("{message_type}, {} bytes", bytes.len());
                self.line(depth, place.start, "NTLM message", value);
                match message_type {
                    MessageType::Negotiate => NegotiateMessage::parse(bytes)
                        .map(|message| self.negotiate(&message, place)),
                    MessageType::Challenge => ChallengeMessage::parse(bytes)
                        .map(|message| self.challenge(&message, place)),
                    MessageType::Authenticate => AuthenticateMessage::parse(bytes)
                        .map(|message| self.authenticate(&message, place)),
                }
            });
        if let Err(error) = shown {
            let error = DecodeError::new(place.at(error.offset()), error.kind());
            self.broken(place.depth, token, error);
        }
    }

    fn negotiate(&mut self, message: &NegotiateMessage<'_>, place: Place<'_>) {
        self.negotiate_flags(message.flags, place, 12);
        self.name("DomainName", &message.domain, place, 16);
        self.name("WorkstationName", &message.workstation, place, 24);
        self.version(message.version, place, NegotiateMessage::VERSION);
    }

    fn challenge(&mut self, message: &ChallengeMessage<'_>, place: Place<'_>) {
        self.name("TargetName", &message.target_name, place, 12);
        self.negotiate_flags(message.flags, place, 20);
        let challenge = hex(&message.server_challenge);
        self.line(place.depth, place.at(24), "ServerChallenge", challenge);
        self.version(message.version, place, ChallengeMessage::VERSION);
        if let Some(pairs) = message.target_info {
            self.av_pairs("TargetInfo", pairs, place.field(40), place.depth);
        }
    }

    fn authenticate(&mut self, message: &AuthenticateMessage<'_>, place: Place<'_>) {
        let (depth, below) = (place.depth, place.depth.saturating_add(1));
        let lm_response = match message.lm_response {
            bytes if bytes.iter().all(|byte| *byte == 0) => format!("{} bytes of 0", bytes.len()),
            bytes => format!("{} bytes, not shown", bytes.len()),
        };
        self.line(depth, place.field(12), "LmChallengeResponse", lm_response);
        let (offset, label) = (place.field(20), "NtChallengeResponse");
        match NtlmV2Response::parse(message.nt_response) {
            Ok(response) => {
                let value = format!("NTLMv2, {} bytes", message.nt_response.len());
                self.line(depth, offset, label, value);
                let at = |place: usize| offset.saturating_add(place);
                self.line(
                    below,
                    offset,
                    "NTProofStr",
                    "16 bytes, not shown".to_string(),
                );
                let time = FileTime(response.timestamp).to_string();
                self.line(below, at(24), "TimeStamp", time);
                let challenge = hex(response.client_challenge);
                self.line(below, at(32), "ChallengeFromClient", challenge);
                self.av_pairs("AvPairs", response.av_pairs, at(44), below);
            }
            Err(error) => {
                let value = format!("{} bytes, not shown", message.nt_response.len());
                self.line(depth, offset, label, value);
                // NTLM version 1 has responses of 24 bytes, and an anonymous client none.
                if !matches!(message.nt_response.len(), 0 | 24) {
                    let offset = offset.saturating_add(error.offset());
                    let rest = Reader::at(&[], offset);
                    self.broken(below, rest, DecodeError::new(offset, error.kind()));
                }
            }
        }
        self.name("DomainName", &message.domain, place, 28);
        self.name("UserName", &message.user, place, 36);
        self.name("Workstation", &message.workstation, place, 44);
        let key = message.encrypted_session_key.len();
        if key != 0 {
            let value = format!("{key} bytes, encrypted");
            self.line(depth, place.field(52), "EncryptedRandomSessionKey", value);
        }
        // The oldest form has no place for them.
        if !message.flags.is_empty() {
            self.negotiate_flags(message.flags, place, 60);
        }
        self.version(message.version, place, AuthenticateMessage::VERSION);
        if let Some(mic) = message.mic {
            let at = place.at(AuthenticateMessage::MIC_OFFSET);
            self.line(depth, at, "MIC", hex(&mic));
        }
    }

    fn negotiate_flags(&mut self, flags: NegotiateFlags, place: Place<'_>, at: usize) {
        let value = named(flags.0, 8, flags.names());
        self.line(place.depth, place.at(at), "NegotiateFlags", value);
    }

    fn name(&mut self, label: &str, name: &Text<'_>, place: Place<'_>, at: usize) {
        self.line(place.depth, place.field(at), label, format!("{name:?}"));
    }

    fn version(&mut self, version: Option<Version>, place: Place<'_>, at: usize) {
        if let Some(version) = version {
            self.line(place.depth, place.at(at), "Version", version.to_string());
        }
    }

    /// A list that begins at `offset`.
    fn av_pairs(&mut self, label: &str, pairs: AvPairs<'_>, offset: usize, depth: usize) {
        let value = format!("{} pairs", pairs.iter().count());
        self.line(depth, offset, label, value);
        let mut offset = offset;
        for pair in pairs {
            if self.is_cut() {
                break;
            }
            let label = pair.id.to_string();
            self.line(depth.saturating_add(1), offset, &label, av_value(pair));
            offset = offset.saturating_add(4).saturating_add(pair.value.len());
        }
    }

    /// The signature of a message, or what stands for `mechListMIC` with NTLM.
    pub(super) fn ntlm_signature(&mut self, token: Reader<'a>, depth: usize) {
        let (bytes, start) = (token.remaining(), token.offset());
        match MessageSignature::parse(bytes) {
            Ok(signature) => {
                let below = depth.saturating_add(1);
                let at = |place: usize| start.saturating_add(place);
                self.line(depth, start, "NTLM signature", "16 bytes".to_string());
                self.line(below, at(4), "Checksum", hex(&signature.checksum));
                self.line(below, at(12), "SeqNum", signature.sequence.to_string());
            }
            Err(error) => {
                let offset = start.saturating_add(error.offset());
                self.broken(depth, token, DecodeError::new(offset, error.kind()));
            }
        }
    }
}

/// The value of a pair, for people.
fn av_value(pair: AvPair<'_>) -> String {
    let number = || {
        pair.value
            .first_chunk()
            .map(|octets| u32::from_le_bytes(*octets))
    };
    let time = || {
        pair.value
            .first_chunk()
            .map(|octets| u64::from_le_bytes(*octets))
    };
    let shown = match pair.id {
        id if id.is_text() => Text::parse(pair.value, crate::ntlm::Charset::Unicode)
            .ok()
            .map(|text| format!("{text:?}")),
        AvId::FLAGS => number().map(|bits| named(bits, 0, AvFlags(bits).names())),
        AvId::TIMESTAMP => time().map(|time| FileTime(time).to_string()),
        AvId::SINGLE_HOST => SingleHostData::parse(pair.value).ok().map(|data| {
            let (custom, machine) = (hex(data.custom_data), hex(data.machine_id));
            format!("custom data {custom}, machine {machine}")
        }),
        AvId::CHANNEL_BINDINGS if pair.value.iter().all(|byte| *byte == 0) => {
            Some("none".to_string())
        }
        _ => None,
    };
    shown.unwrap_or_else(|| hex(pair.value))
}

/// Bits in at least so many digits, and the names of those that have one.
fn named(bits: u32, digits: usize, names: impl Iterator<Item = &'static str>) -> String {
    let width = digits.saturating_add(2);
    names.fold(format!("{bits:#0width$x}"), |mut text, name| {
        text.push(' ');
        text.push_str(name);
        text
    })
}
