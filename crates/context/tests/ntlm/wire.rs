//! The protection of messages, made of the keys alone: MS-NLMP §3.4.

use countersign_context::crypto::ntlm::{
    Direction, SealKey, SessionKey, SignKey, Stream, Strength,
};

/// One direction.
pub(crate) struct Wire {
    sign: SignKey,
    key: SealKey,
    stream: Stream,
    pub(crate) sequence: u32,
    seal: bool,
    key_exchange: bool,
    datagram: bool,
}

impl Wire {
    pub(crate) fn new(exported: &SessionKey, strength: Strength, direction: Direction) -> Self {
        let key = SealKey::derive(exported, strength, direction);
        Self {
            sign: SignKey::derive(exported, direction),
            stream: key.stream(),
            key,
            sequence: 0,
            seal: true,
            key_exchange: true,
            datagram: false,
        }
    }

    pub(crate) fn sealing(mut self, seal: bool) -> Self {
        self.seal = seal;
        self
    }

    pub(crate) fn key_exchange(mut self, exchanged: bool) -> Self {
        self.key_exchange = exchanged;
        self
    }

    pub(crate) fn datagram(mut self) -> Self {
        self.datagram = true;
        self
    }

    /// A wrapped message.
    pub(crate) fn wrap(&mut self, message: &[u8]) -> Vec<u8> {
        self.token(message, self.seal)
    }

    /// A signature alone.
    pub(crate) fn mic(&mut self, message: &[u8]) -> Vec<u8> {
        self.token(message, false)[..16].to_vec()
    }

    fn token(&mut self, message: &[u8], seal: bool) -> Vec<u8> {
        let mut checksum = *self.sign.checksum(self.sequence, &[message]);
        let mut message = message.to_vec();
        let mut own = self.key.datagram_stream(self.sequence);
        let stream = if self.datagram {
            &mut own
        } else {
            &mut self.stream
        };
        if seal {
            stream.apply(&mut message);
        }
        if self.key_exchange {
            stream.apply(&mut checksum);
        }
        let sequence = self.sequence.to_le_bytes();
        self.sequence = self.sequence.wrapping_add(1);
        [&[1, 0, 0, 0], &checksum[..], &sequence, &message].concat()
    }
}
