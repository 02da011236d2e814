//! GSS-API framing, written a second time.
//!
//! ```text
//! InitialContextToken ::= [APPLICATION 0] IMPLICIT SEQUENCE {       -- RFC 2743 §3.1
//!     thisMech MechType, innerContextToken ANY DEFINED BY thisMech }
//! innerContextToken   ::= token id (16 bits, big-endian), message   -- RFC 4121 §4.1
//! ```

use crate::Error;

/// 1.2.840.113554.1.2.2, Kerberos V5: the contents of the DER element.
pub const KERBEROS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];
/// 1.2.840.48018.1.2.2, Kerberos V5 as old Windows misspells it.
pub const MS_KERBEROS: &[u8] = &[0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02];
/// 1.2.840.113554.1.2.2.3, Kerberos V5 user-to-user.
pub const USER_TO_USER: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x03];

/// The token id of an AP-REQ.
pub const AP_REQ: [u8; 2] = [1, 0];
/// The token id of an AP-REP.
pub const AP_REP: [u8; 2] = [2, 0];
/// The token id of a KRB-ERROR.
pub const KRB_ERROR: [u8; 2] = [3, 0];

/// What stands around a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The framing of RFC 2743 with an OID (contents bytes) and a token id.
    Gss {
        /// The mechanism.
        oid: Vec<u8>,
        /// The token id.
        token_id: [u8; 2],
    },
    /// Nothing: the bare message, as DCE style has it after the first leg.
    Bare,
}

impl Framing {
    /// Kerberos V5 with this token id.
    #[must_use]
    pub fn kerberos(token_id: [u8; 2]) -> Self {
        Self::Gss {
            oid: KERBEROS.to_vec(),
            token_id,
        }
    }

    /// Puts the framing around a message.
    ///
    /// # Errors
    /// [`Error::TooLong`] beyond 4 GiB.
    pub fn wrap(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let Self::Gss { oid, token_id } = self else {
            return Ok(message.to_vec());
        };
        let inner = [&element(0x06, oid)?[..], token_id, message].concat();
        element(0x60, &inner)
    }

    /// Takes the framing off; without framing the message is bare.
    ///
    /// # Errors
    /// [`Error::Framing`] when there is a framing and it is malformed.
    pub fn unwrap(token: &[u8]) -> Result<(Self, &[u8]), Error> {
        if token.first() != Some(&0x60) {
            return Ok((Self::Bare, token));
        }
        let (contents, after) = open(0x60, token).ok_or(Error::Framing)?;
        let (oid, inner) = open(0x06, contents).ok_or(Error::Framing)?;
        let (token_id, message) = inner.split_first_chunk::<2>().ok_or(Error::Framing)?;
        if !after.is_empty() {
            return Err(Error::Framing);
        }
        Ok((
            Self::Gss {
                oid: oid.to_vec(),
                token_id: *token_id,
            },
            message,
        ))
    }
}

/// A DER element with its length in the shortest form.
fn element(tag: u8, contents: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = vec![tag];
    match u8::try_from(contents.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let length = u32::try_from(contents.len()).map_err(|_| Error::TooLong)?;
            let bytes: Vec<u8> = length
                .to_be_bytes()
                .into_iter()
                .skip_while(|&byte| byte == 0)
                .collect();
            out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(4));
            out.extend(bytes);
        }
    }
    out.extend_from_slice(contents);
    Ok(out)
}

/// The contents of the element at the start, and what follows it.
fn open(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    if first < 0x80 {
        return rest.split_at_checked(usize::from(first));
    }
    let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    if length.len() > 4 {
        return None;
    }
    let length = length
        .iter()
        .fold(0_u32, |value, &byte| (value << 8) | u32::from(byte));
    rest.split_at_checked(usize::try_from(length).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_is_put_on_and_taken_off() {
        for length in [0, 1, 100, 127, 128, 255, 256, 70_000] {
            let message = vec![0x6e; length];
            for framing in [
                Framing::Bare,
                Framing::kerberos(AP_REQ),
                Framing::Gss {
                    oid: MS_KERBEROS.to_vec(),
                    token_id: KRB_ERROR,
                },
            ] {
                let token = framing.wrap(&message).unwrap();
                assert_eq!(Framing::unwrap(&token).unwrap(), (framing, &message[..]));
            }
        }
    }

    #[test]
    fn malformed_framing_is_refused() {
        let token = Framing::kerberos(AP_REP).wrap(b"message").unwrap();
        assert!(Framing::unwrap(&token).is_ok());
        for length in 1..token.len() {
            assert_eq!(
                Framing::unwrap(&token[..length]),
                Err(Error::Framing),
                "{length}"
            );
        }
        let trailing = [&token[..], &[0]].concat();
        assert_eq!(Framing::unwrap(&trailing), Err(Error::Framing));
    }
}
