//! Session security without the extended kind (MS-NLMP §3.4.4.1 and §3.4.5.3).

use crate::ntlm::{SealKey, SessionKey, Stream, Strength};

/// SEALKEY without extended session security (MS-NLMP §3.4.5.3): one key, the same in both directions.
///
/// Only where NTLMSSP_NEGOTIATE_LM_KEY is negotiated, or the connectionless mode, is it weakened to 56 or 40 bits;
/// otherwise it is the whole session key, [`Strength::Bits128`], whatever else was negotiated.
#[must_use]
pub fn seal_key(session: &SessionKey, strength: Strength) -> SealKey {
    let [a, b, c, d, e, f, g, ..] = *session.expose();
    let weak = match strength {
        Strength::Bits128 => return SealKey::from_parts(*session.expose(), 16),
        Strength::Bits56 => [a, b, c, d, e, f, g, 0xA0],
        Strength::Bits40 => [a, b, c, d, e, 0xE5, 0x38, 0xB0],
    };
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(weak) {
        *to = from;
    }
    SealKey::from_parts(bytes, 8)
}

/// The MAC of a message (MS-NLMP §3.4.4.1): RandomPad, Checksum and SeqNum of its signature, in this order, as
/// they are on the wire. `checksum` is the message's [`Crc32`](super::Crc32).
///
/// RC4 goes on from where `stream` is, behind the message if that is sealed. A random pad of zeros is encrypted
/// here; peers send others, so the first four bytes are not to be compared.
#[must_use]
pub fn mac(stream: &mut Stream, sequence: u32, checksum: u32) -> [u8; 12] {
    let mut words = [[0; 4], checksum.to_le_bytes(), sequence.to_le_bytes()];
    // The specification encrypts a zero and adds the number to the outcome: the same, RC4 being an exclusive or.
    let bytes = words.as_flattened_mut();
    stream.apply(bytes);
    let mut out = [0; 12];
    out.copy_from_slice(bytes);
    out
}
