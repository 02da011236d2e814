//! What protects the messages of one direction.

use countersign_crypto::ntlm::{Direction, SealKey, SessionKey, SignKey, Stream, Strength};
use countersign_crypto::verify_equal;

use crate::ntlm::TargetName;
use crate::security_context::Role;
use crate::security_context::iov::{self, IoBuffer};

/// What NTLM agreed on.
pub(crate) struct NtlmKeys {
    /// MS-NLMP §3.1.5.1.2: ExportedSessionKey.
    pub(crate) exported: SessionKey,
    pub(crate) protection: Protection,
    /// Which service the initiator meant, as far as the acceptor knows.
    pub(crate) target: Option<TargetName>,
}

/// How messages are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Protection {
    pub(crate) strength: Strength,
    /// A session key was exchanged: checksums are encrypted too.
    pub(crate) key_exchange: bool,
    /// Connectionless: messages come in any order.
    pub(crate) datagram: bool,
    /// Wrapped messages are sealed.
    pub(crate) seal: bool,
}

impl Protection {
    /// As exported contexts have it.
    pub(crate) fn to_bytes(self) -> [u8; 4] {
        let strength = match self.strength {
            Strength::Bits128 => 128,
            Strength::Bits56 => 56,
            Strength::Bits40 => 40,
        };
        [
            strength,
            u8::from(self.key_exchange),
            u8::from(self.datagram),
            u8::from(self.seal),
        ]
    }

    pub(crate) fn from_bytes(bytes: [u8; 4]) -> Option<Self> {
        let [strength, key_exchange, datagram, seal] = bytes;
        let boolean = |byte| match byte {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        };
        Some(Self {
            strength: match strength {
                128 => Strength::Bits128,
                56 => Strength::Bits56,
                40 => Strength::Bits40,
                _ => return None,
            },
            key_exchange: boolean(key_exchange)?,
            datagram: boolean(datagram)?,
            seal: boolean(seal)?,
        })
    }
}

/// What protects one direction.
pub(super) struct Channel {
    protection: Protection,
    sign: SignKey,
    cipher: Cipher,
    /// The stream before the last message that was opened: one place for all of them.
    before: Option<Stream>,
}

/// Where the key stream of a message comes from.
enum Cipher {
    /// One stream for all messages.
    Connection(Stream),
    /// A stream for each.
    Datagram(SealKey),
}

impl Cipher {
    fn derive(exported: &SessionKey, protection: Protection, direction: Direction) -> Self {
        let key = SealKey::derive(exported, protection.strength, direction);
        if protection.datagram {
            Self::Datagram(key)
        } else {
            Self::Connection(key.stream())
        }
    }

    fn with_stream(&mut self, sequence: u32, apply: impl FnOnce(&mut Stream)) {
        match self {
            Self::Connection(stream) => apply(stream),
            Self::Datagram(key) => apply(&mut key.datagram_stream(sequence)),
        }
    }
}

impl Channel {
    pub(super) fn new(keys: &NtlmKeys, sender: Role) -> Self {
        let direction = match sender {
            Role::Initiator => Direction::ClientToServer,
            Role::Acceptor => Direction::ServerToClient,
        };
        Self {
            protection: keys.protection,
            sign: SignKey::derive(&keys.exported, direction),
            cipher: Cipher::derive(&keys.exported, keys.protection, direction),
            before: None,
        }
    }

    pub(super) fn seals(&self) -> bool {
        self.protection.seal
    }

    pub(super) fn is_datagram(&self) -> bool {
        self.protection.datagram
    }

    /// The running stream, where there is one.
    pub(super) fn stream(&self) -> Option<&Stream> {
        match &self.cipher {
            Cipher::Connection(stream) => Some(stream),
            Cipher::Datagram(_) => None,
        }
    }

    /// Goes on with the stream of an exported context; false where it has none and this has, or
    /// the reverse.
    pub(super) fn resume(&mut self, exported: Option<Stream>) -> bool {
        match (&mut self.cipher, exported) {
            (Cipher::Connection(stream), Some(exported)) => {
                *stream = exported;
                true
            }
            (Cipher::Datagram(_), None) => true,
            _ => false,
        }
    }

    /// Seals the data in the buffers, where this context does, and makes the checksum of all of
    /// them: MS-NLMP §3.4.3 and §3.4.4.2.
    pub(super) fn protect(&mut self, sequence: u32, message: &mut [IoBuffer<'_>]) -> [u8; 8] {
        let Protection {
            seal, key_exchange, ..
        } = self.protection;
        let mut checksum = self.checksum(sequence, message);
        self.cipher.with_stream(sequence, |stream| {
            if seal {
                cipher(stream, message);
            }
            if key_exchange {
                stream.apply(&mut checksum);
            }
        });
        checksum
    }

    /// The checksum of a message that is not part of the token.
    pub(super) fn sign(&mut self, sequence: u32, message: &[IoBuffer<'_>]) -> [u8; 8] {
        let mut checksum = self.checksum(sequence, message);
        if self.protection.key_exchange {
            self.cipher
                .with_stream(sequence, |stream| stream.apply(&mut checksum));
        }
        checksum
    }

    /// Undoes [`protect`](Self::protect). Where it is false the stream stands where it stood.
    pub(super) fn open(
        &mut self,
        sequence: u32,
        message: &mut [IoBuffer<'_>],
        received: [u8; 8],
    ) -> bool {
        self.remember();
        let mut received = received;
        let Protection {
            seal, key_exchange, ..
        } = self.protection;
        self.cipher.with_stream(sequence, |stream| {
            if seal {
                cipher(stream, message);
            }
            if key_exchange {
                stream.apply(&mut received);
            }
        });
        let genuine = verify_equal(&self.checksum(sequence, message), &received);
        self.undo_unless(genuine)
    }

    /// Whether [`sign`](Self::sign) makes this. Where it is false the stream stands where it stood.
    pub(super) fn verify(
        &mut self,
        sequence: u32,
        message: &[IoBuffer<'_>],
        received: &[u8; 8],
    ) -> bool {
        self.remember();
        let genuine = verify_equal(&self.sign(sequence, message), received);
        self.undo_unless(genuine)
    }

    /// Where the stream stands, to go back to.
    fn remember(&mut self) {
        if let Cipher::Connection(stream) = &self.cipher {
            match &mut self.before {
                Some(before) => before.assign(stream),
                before => *before = Some(stream.duplicate()),
            }
        }
    }

    fn undo_unless(&mut self, genuine: bool) -> bool {
        if let (false, Some(before), Cipher::Connection(stream)) =
            (genuine, &self.before, &mut self.cipher)
        {
            stream.assign(before);
        }
        genuine
    }

    /// The checksum in the clear.
    fn checksum(&self, sequence: u32, message: &[IoBuffer<'_>]) -> [u8; 8] {
        iov::with_parts(None, message, None, |parts| {
            *self.sign.checksum(sequence, parts)
        })
    }
}

fn cipher(stream: &mut Stream, message: &mut [IoBuffer<'_>]) {
    for buffer in message {
        if let IoBuffer::Data(bytes) = buffer {
            stream.apply(bytes);
        }
    }
}
