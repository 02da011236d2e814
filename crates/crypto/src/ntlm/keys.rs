//! Keys of sealed and signed messages under extended session security (MS-NLMP §3.4.4.2, §3.4.5.2 and §3.4.5.3).

use core::fmt;

use hmac::Mac as _;
use md5::{Digest, Md5};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::SessionKey;
use crate::{
    hmac_md5::{HmacMd5, finish},
    mac::keyed,
    stream::Stream,
};

/// How much of the session key a sealing key is made of, as negotiated (MS-NLMP §3.4.5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strength {
    /// All of it: NTLMSSP_NEGOTIATE_128.
    Bits128,
    /// 56 bits: NTLMSSP_NEGOTIATE_56 alone. Weak.
    Bits56,
    /// 40 bits: neither. Weak.
    Bits40,
}

impl Strength {
    /// Bytes of the session key that are used.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Strength::Bits128 => 16,
            Strength::Bits56 => 7,
            Strength::Bits40 => 5,
        }
    }
}

/// Which way a message goes; each has keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the initiator to the acceptor.
    ClientToServer,
    /// From the acceptor to the initiator.
    ServerToClient,
}

/// The constants, each with its terminating zero byte (MS-NLMP §3.4.5.2 and §3.4.5.3).
const CLIENT_SIGNING: &[u8] = b"session key to client-to-server signing key magic constant\0";
const SERVER_SIGNING: &[u8] = b"session key to server-to-client signing key magic constant\0";
const CLIENT_SEALING: &[u8] = b"session key to client-to-server sealing key magic constant\0";
const SERVER_SEALING: &[u8] = b"session key to server-to-client sealing key magic constant\0";

/// MD5 of a key and what follows it.
fn md5(key: &[u8], rest: &[u8]) -> Zeroizing<[u8; 16]> {
    let mut hash = Md5::new();
    Digest::update(&mut hash, key);
    Digest::update(&mut hash, rest);
    let mut digest = hash.finalize();
    let out = Zeroizing::new(digest.into());
    digest.as_mut_slice().zeroize();
    out
}

/// SIGNKEY (MS-NLMP §3.4.5.2): the key of one direction's checksums.
///
/// Its pads are hashed once, when it is derived.
pub struct SignKey(HmacMd5);

impl SignKey {
    /// The key of one direction, from the exported session key.
    #[must_use]
    pub fn derive(session: &SessionKey, direction: Direction) -> Self {
        let constant = match direction {
            Direction::ClientToServer => CLIENT_SIGNING,
            Direction::ServerToClient => SERVER_SIGNING,
        };
        SignKey(keyed(md5(session.expose(), constant).as_slice()))
    }

    /// The checksum of a message in parts (MS-NLMP §3.4.4.2), before RC4 is applied to it: the first 8 bytes of
    /// HMAC-MD5 of the sequence number and the message.
    #[must_use]
    pub fn checksum(&self, sequence: u32, parts: &[&[u8]]) -> Zeroizing<[u8; 8]> {
        let mut checksum = self.begin(sequence);
        for part in parts {
            checksum.update(part);
        }
        checksum.finish()
    }

    /// Starts the checksum of a message that comes piece by piece.
    #[must_use]
    pub fn begin(&self, sequence: u32) -> Checksum {
        let mut mac = self.0.clone();
        mac.update(&sequence.to_le_bytes());
        Checksum(mac)
    }
}

impl fmt::Debug for SignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignKey(..)")
    }
}

/// A message's checksum, unfinished: see [`SignKey::begin`].
pub struct Checksum(HmacMd5);

impl Checksum {
    /// Takes the next piece of the message.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum, before RC4 is applied to it.
    #[must_use]
    pub fn finish(self) -> Zeroizing<[u8; 8]> {
        let full = finish(self.0);
        let mut out = Zeroizing::new([0; 8]);
        for (to, from) in out.iter_mut().zip(full.iter()) {
            *to = *from;
        }
        out
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Checksum(..)")
    }
}

/// SEALKEY (MS-NLMP §3.4.5.3): the key of one direction's RC4 stream.
pub struct SealKey {
    bytes: [u8; 16],
    len: usize,
}

impl SealKey {
    /// The key of one direction under extended session security, from the exported session key.
    #[must_use]
    pub fn derive(session: &SessionKey, strength: Strength, direction: Direction) -> Self {
        let constant = match direction {
            Direction::ClientToServer => CLIENT_SEALING,
            Direction::ServerToClient => SERVER_SEALING,
        };
        let (used, _) = session.expose().split_at(strength.bytes());
        SealKey {
            bytes: *md5(used, constant),
            len: 16,
        }
    }

    /// A key that is the first `len` of `bytes`.
    #[cfg(feature = "ntlm-v1")]
    pub(super) const fn from_parts(bytes: [u8; 16], len: usize) -> Self {
        SealKey { bytes, len }
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }

    /// The stream of a connection, for all messages of the direction (MS-NLMP §3.4.3).
    #[must_use]
    pub fn stream(&self) -> Stream {
        Stream::new(self.as_bytes())
    }

    /// The stream of one message in connectionless mode, where messages may be lost: its key is MD5 of this one
    /// and the sequence number (MS-NLMP §3.4).
    #[must_use]
    pub fn datagram_stream(&self, sequence: u32) -> Stream {
        Stream::new(md5(self.as_bytes(), &sequence.to_le_bytes()).as_slice())
    }
}

impl Drop for SealKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl ZeroizeOnDrop for SealKey {}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exported session keys of MS-NLMP §4.2.3 (from KXKEY, 56 bits) and §4.2.4.
    const EXPORTED_56: u128 = 0xeb93429a_8bd952f8_b89c55b8_7f475edc;
    const EXPORTED_128: u128 = 0x55555555_55555555_55555555_55555555;

    fn session(bytes: u128) -> SessionKey {
        SessionKey::new(bytes.to_be_bytes())
    }

    fn sealing(bytes: u128, strength: Strength, direction: Direction) -> u128 {
        u128::from_be_bytes(SealKey::derive(&session(bytes), strength, direction).bytes)
    }

    #[test]
    fn keys_match_ms_nlmp_section_4_2() {
        let to_server = Direction::ClientToServer;
        assert_eq!(
            sealing(EXPORTED_56, Strength::Bits56, to_server),
            0x04dd7f01_4d8504d2_65a25cc8_6a3a7c06
        );
        assert_eq!(
            sealing(EXPORTED_128, Strength::Bits128, to_server),
            0x59f60097_3cc4960a_25480a7c_196e4c58
        );
        for (exported, expected) in [
            (EXPORTED_56, 0x60e799be_5c72fc92_922ae8eb_e961fb8d_u128),
            (EXPORTED_128, 0x4788dc86_1b4782f3_5d43fd98_fe1a2d39),
        ] {
            let named: HmacMd5 = keyed(&expected.to_be_bytes());
            let derived = SignKey::derive(&session(exported), to_server);
            assert_eq!(*finish(derived.0), *finish(named));
        }
    }

    #[test]
    fn every_strength_and_direction_has_keys_of_its_own() {
        let strengths = [Strength::Bits128, Strength::Bits56, Strength::Bits40];
        let directions = [Direction::ClientToServer, Direction::ServerToClient];
        let mut seen = alloc::collections::BTreeSet::new();
        for strength in strengths {
            for direction in directions {
                assert!(seen.insert(sealing(EXPORTED_56, strength, direction)));
            }
        }
        for direction in directions {
            let key = SignKey::derive(&session(EXPORTED_56), direction);
            assert!(seen.insert(u128::from_be_bytes(*finish(key.0))));
        }
    }

    /// What a strength leaves out of the session key has no effect, and what it takes has.
    #[test]
    fn strengths_take_the_bits_that_they_name() {
        for (strength, bits) in [
            (Strength::Bits128, 128),
            (Strength::Bits56, 56),
            (Strength::Bits40, 40),
        ] {
            let key =
                |flipped: u128| sealing(EXPORTED_56 ^ flipped, strength, Direction::ClientToServer);
            for bit in 0..128 {
                assert_eq!(
                    key(1 << (127 - bit)) == key(0),
                    bit >= bits,
                    "{strength:?} {bit}"
                );
            }
        }
    }
}
