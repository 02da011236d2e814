//! What protects the messages of one direction.

use countersign_crypto::ntlm::{Direction, SealKey, SessionKey, SignKey, Stream, Strength};
use countersign_crypto::{verify_equal, wiping_stack};

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
    exported: SessionKey,
    direction: Direction,
    protection: Protection,
    /// Many a context only tells who the peer is: the keys are derived for the first message.
    keys: Option<Box<Keys>>,
    /// The stream before the last message that was opened: one place for all of them.
    before: Option<Stream>,
}

struct Keys {
    sign: SignKey,
    cipher: Cipher,
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
}

impl Channel {
    pub(super) fn new(keys: &NtlmKeys, sender: Role) -> Self {
        let direction = match sender {
            Role::Initiator => Direction::ClientToServer,
            Role::Acceptor => Direction::ServerToClient,
        };
        Self {
            exported: keys.exported.duplicate(),
            direction,
            protection: keys.protection,
            keys: None,
            before: None,
        }
    }

    pub(super) fn seals(&self) -> bool {
        self.protection.seal
    }

    pub(super) fn is_datagram(&self) -> bool {
        self.protection.datagram
    }

    /// The step that established the context has overwritten its stack already; what is derived
    /// later begins in its place.
    fn keys(&mut self) -> &mut Keys {
        let (exported, direction, protection) = (&self.exported, self.direction, self.protection);
        self.keys.get_or_insert_with(|| {
            wiping_stack(|| {
                Box::new(Keys {
                    sign: SignKey::derive(exported, direction),
                    cipher: Cipher::derive(exported, protection, direction),
                })
            })
        })
    }

    /// The running stream, where there is one.
    pub(super) fn stream(&mut self) -> Option<&Stream> {
        match &self.keys().cipher {
            Cipher::Connection(stream) => Some(stream),
            Cipher::Datagram(_) => None,
        }
    }

    /// Goes on with the stream of an exported context; false where it has none and this has, or
    /// the reverse.
    pub(super) fn resume(&mut self, exported: Option<Stream>) -> bool {
        match (&mut self.keys().cipher, exported) {
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
        let keys = self.keys();
        let mut checksum = keys.checksum(sequence, message);
        keys.with_stream(sequence, |stream| {
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
        let key_exchange = self.protection.key_exchange;
        let keys = self.keys();
        let mut checksum = keys.checksum(sequence, message);
        if key_exchange {
            keys.with_stream(sequence, |stream| stream.apply(&mut checksum));
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
        let keys = self.keys();
        keys.with_stream(sequence, |stream| {
            if seal {
                cipher(stream, message);
            }
            if key_exchange {
                stream.apply(&mut received);
            }
        });
        let genuine = verify_equal(&keys.checksum(sequence, message), &received);
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
        self.keys();
        if let Some(Keys {
            cipher: Cipher::Connection(stream),
            ..
        }) = self.keys.as_deref()
        {
            match &mut self.before {
                Some(before) => before.assign(stream),
                before => *before = Some(stream.duplicate()),
            }
        }
    }

    fn undo_unless(&mut self, genuine: bool) -> bool {
        if let (false, Some(before), Some(keys)) = (genuine, &self.before, &mut self.keys)
            && let Cipher::Connection(stream) = &mut keys.cipher
        {
            stream.assign(before);
        }
        genuine
    }
}

impl Keys {
    /// The checksum in the clear.
    fn checksum(&self, sequence: u32, message: &[IoBuffer<'_>]) -> [u8; 8] {
        iov::with_parts(None, message, None, |parts| {
            *self.sign.checksum(sequence, parts)
        })
    }

    fn with_stream(&mut self, sequence: u32, apply: impl FnOnce(&mut Stream)) {
        match &mut self.cipher {
            Cipher::Connection(stream) => apply(stream),
            Cipher::Datagram(key) => apply(&mut key.datagram_stream(sequence)),
        }
    }
}

fn cipher(stream: &mut Stream, message: &mut [IoBuffer<'_>]) {
    for buffer in message {
        if let IoBuffer::Data(bytes) = buffer {
            stream.apply(bytes);
        }
    }
}
