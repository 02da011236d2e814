//! `GSS_Pseudo_random` of Kerberos (RFC 4401, RFC 7802).

use zeroize::Zeroizing;

use super::facts::Facts;
use crate::error::{Error, ErrorKind};

/// Which key the pseudo-random function is keyed with (RFC 4401 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrfKey {
    /// `GSS_C_PRF_KEY_FULL`: the key that the whole exchange agreed on.
    Full,
    /// `GSS_C_PRF_KEY_PARTIAL`: the key that the initiator had before the acceptor answered.
    Partial,
}

/// The first `length` bytes of T0 | T1 | …, Tn = pseudo-random(K, n | input), n in four bytes,
/// big-endian, from zero (RFC 7802 §2; RFC 4402 counted from one and nobody did).
pub(super) fn pseudo_random(
    facts: &Facts,
    key: PrfKey,
    input: &[u8],
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let keys = facts.kerberos().ok_or(ErrorKind::Unsupported)?.keys;
    let key = match key {
        PrfKey::Full => &keys.key,
        PrfKey::Partial => &keys.initiator_key,
    };
    let mut numbered = Zeroizing::new(Vec::with_capacity(input.len().saturating_add(4)));
    numbered.extend_from_slice(&[0; 4]);
    numbered.extend_from_slice(input);
    let mut out = Zeroizing::new(Vec::new());
    out.try_reserve_exact(length)
        .map_err(|_| ErrorKind::Overflow)?;
    let mut count: Option<u32> = Some(0);
    while out.len() < length {
        let number = count.ok_or(ErrorKind::Overflow)?;
        if let Some(place) = numbered.first_chunk_mut() {
            *place = number.to_be_bytes();
        }
        let block = key.prf(&numbered);
        let missing = length.saturating_sub(out.len());
        out.extend(block.iter().take(missing));
        count = number.checked_add(1);
    }
    Ok(out)
}
