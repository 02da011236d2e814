//! Mechanisms of pre-authentication: RFC 4120 §5.2.7.2 and RFC 6113 §5.4.6, and how one is chosen.
//!
//! This is where another one fits: a mechanism is a variant of [`Method`] that says under which
//! types a KDC offers it ([`Method::choose`]), what the client sends ([`Method::prove`]), and what
//! the KDC must prove in return ([`Method::check_kdc`]). Both of these prove a long-term key, which
//! then also opens the reply. PKINIT (RFC 4556) will be a variant that carries its Diffie-Hellman
//! secret, and makes the reply key of it when the KDC's part is checked.

use countersign_crypto::{Key, KeyUsage, combine};
use countersign_token::der::{Decode, Encode, SequenceOf};
use countersign_token::kerberos::{
    EncryptedData, KerberosTime, Microseconds, PaAuthenticationSet, PaAuthenticationSetElem,
    PaData, PaEncTsEnc,
};

use crate::environment::{Environment, Timestamp};
use crate::error::{ErrorKind, KdcProblem};
use crate::kerberos::plaintext::seal;

use super::fast::Armor;
use super::padata::{OwnedPaData, find};
use super::reply::open;

/// RFC 6113 §5.4.6, and what the KDC of Heimdal 7 uses in its place (see docs/TOLERANCES.md).
const KDC_PEPPERS: [&[u8]; 2] = [b"kdcchallengearmor", b"clientchallengearmor"];

/// A mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// The time, encrypted in the client's key (RFC 4120 §5.2.7.2).
    EncryptedTimestamp,
    /// The same inside of armor and in a key that is made of the armor's too; the KDC answers in
    /// kind (RFC 6113 §5.4.6).
    EncryptedChallenge,
}

/// A mechanism, and the set that it is a part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) method: Method,
    set: Vec<SetElement>,
    position: usize,
}

/// An element of a PA-AUTHENTICATION-SET, RFC 6113 §5.3.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SetElement {
    kind: i32,
    hint: Option<Vec<u8>>,
}

impl Method {
    fn pa_type(self) -> i32 {
        match self {
            Self::EncryptedTimestamp => PaData::ENC_TIMESTAMP,
            Self::EncryptedChallenge => PaData::ENCRYPTED_CHALLENGE,
        }
    }

    /// The mechanism to use with armor, or without. RFC 6113 §5.4.6: the encrypted challenge needs
    /// armor; with armor there is no reason for a timestamp that the armor is no part of.
    fn for_armor(armored: bool) -> Self {
        match armored {
            true => Self::EncryptedChallenge,
            false => Self::EncryptedTimestamp,
        }
    }

    /// The mechanism among those that the KDC offers; of sets of mechanisms (RFC 6113 §5.3) one
    /// that can be done from its beginning to its end.
    pub(crate) fn choose(offered: &[OwnedPaData], armored: bool) -> Result<Selection, KdcProblem> {
        let method = Self::for_armor(armored);
        let alone = Selection {
            method,
            set: Vec::new(),
            position: 0,
        };
        // A KDC that lists nothing at all wants what RFC 4120 has.
        let offers_none = offered.iter().all(|data| is_hint(data.kind));
        if find(offered, method.pa_type()).is_some() || (offers_none && !armored) {
            return Ok(alone);
        }
        offered
            .iter()
            .filter(|data| data.kind == PaData::AUTHENTICATION_SET)
            .filter_map(|data| PaAuthenticationSet::from_der(&data.value).ok())
            .map(|set| {
                set.iter()
                    .map(|element| SetElement {
                        kind: element.pa_type,
                        hint: element.pa_hint.map(<[u8]>::to_vec),
                    })
                    .collect::<Vec<_>>()
            })
            .find(|set| {
                !set.is_empty() && set.iter().all(|element| element.kind == method.pa_type())
            })
            .map(|set| Selection { set, ..alone })
            .ok_or(KdcProblem::PreauthenticationUnsupported)
    }

    /// What the client sends.
    fn prove(
        self,
        key: &Key,
        armor: Option<&Armor>,
        time: Timestamp,
        env: &mut Environment<'_>,
    ) -> Result<OwnedPaData, ErrorKind> {
        let timestamp = PaEncTsEnc {
            patimestamp: KerberosTime {
                seconds: time.seconds(),
            },
            pausec: Some(Microseconds::saturating(time.microseconds())),
        };
        let challenge;
        let (key, usage) = match self {
            Self::EncryptedTimestamp => (key, KeyUsage::AS_REQ_TIMESTAMP),
            Self::EncryptedChallenge => {
                challenge = challenge_key(armor, b"clientchallengearmor", key)?;
                (&challenge, KeyUsage::ENC_CHALLENGE_CLIENT)
            }
        };
        let cipher = seal(&timestamp, key, usage, env.random)?;
        let data = EncryptedData {
            etype: key.enctype().id(),
            kvno: None,
            cipher: &cipher,
        };
        Ok(OwnedPaData::new(self.pa_type(), data.to_der()))
    }

    /// What the KDC must prove beside the reply: with the encrypted challenge, that it knows the
    /// client's key. The time in it need not be checked (RFC 6113 §5.4.6): the armor key is of
    /// this conversation alone.
    pub(crate) fn check_kdc(
        self,
        key: &Key,
        armor: Option<&Armor>,
        padata: &[OwnedPaData],
    ) -> Result<(), ErrorKind> {
        if self == Self::EncryptedTimestamp {
            return Ok(());
        }
        let not_proven = ErrorKind::Kdc(KdcProblem::KdcNotProven);
        let value = find(padata, PaData::ENCRYPTED_CHALLENGE).ok_or(not_proven)?;
        let data = EncryptedData::from_der(value).map_err(|_| not_proven)?;
        for pepper in KDC_PEPPERS {
            let key = challenge_key(armor, pepper, key)?;
            // The usage is the KDC's alone: our own challenge is no answer.
            if let Some(plaintext) = open(&key, KeyUsage::ENC_CHALLENGE_KDC, &data) {
                PaEncTsEnc::from_der(&plaintext).map_err(|_| not_proven)?;
                return Ok(());
            }
        }
        Err(not_proven)
    }
}

impl Selection {
    /// The proof, and in a set what tells the KDC which set it is of (RFC 6113 §5.3).
    pub(crate) fn prove(
        &self,
        key: &Key,
        armor: Option<&Armor>,
        time: Timestamp,
        env: &mut Environment<'_>,
    ) -> Result<Vec<OwnedPaData>, ErrorKind> {
        let mut padata = vec![self.method.prove(key, armor, time, env)?];
        if !self.set.is_empty() {
            let elements: Vec<_> = self
                .set
                .iter()
                .map(|element| PaAuthenticationSetElem {
                    pa_type: element.kind,
                    pa_hint: element.hint.as_deref(),
                    pa_value: None,
                })
                .collect();
            let set = SequenceOf::new(&elements).to_der();
            padata.push(OwnedPaData::new(PaData::AUTH_SET_SELECTED, set));
        }
        Ok(padata)
    }

    /// What MORE_PREAUTH_DATA_REQUIRED wants (RFC 6113 §5.2): the next mechanism of the set, or the
    /// same again where the KDC names it.
    pub(crate) fn next(mut self, offered: &[OwnedPaData]) -> Result<Self, KdcProblem> {
        self.position = self.position.saturating_add(1);
        let named = self.set.is_empty() && find(offered, self.method.pa_type()).is_some();
        match named || self.position < self.set.len() {
            true => Ok(self),
            false => Err(KdcProblem::PreauthenticationUnsupported),
        }
    }
}

/// Whether padata only tell something and ask for no proof.
fn is_hint(kind: i32) -> bool {
    matches!(
        kind,
        PaData::PW_SALT
            | PaData::ETYPE_INFO
            | PaData::ETYPE_INFO2
            | PaData::FX_COOKIE
            | PaData::FX_FAST
            | PaData::FX_ERROR
            | PaData::REQ_ENC_PA_REP
    )
}

/// RFC 6113 §5.4.6: `KRB-FX-CF2(armor-key, long-term-key, pepper, "challengelongterm")`.
fn challenge_key(armor: Option<&Armor>, pepper: &[u8], key: &Key) -> Result<Key, ErrorKind> {
    let armor = armor.ok_or(ErrorKind::Internal("a challenge without armor"))?;
    combine(armor.key(), key, pepper, b"challengelongterm")
        .map_err(|_| ErrorKind::Internal("a challenge key"))
}

#[cfg(test)]
mod tests {
    use countersign_crypto::{Enctype, Random, RandomError};

    use super::*;

    const ENCTYPE: Enctype = Enctype::Aes256CtsHmacSha1_96;

    struct Zeros;

    impl Random for Zeros {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            out.fill(0);
            Ok(())
        }
    }

    #[test]
    fn a_challenge_is_the_kdcs_by_its_key_usage_and_our_own_is_no_answer() {
        let key = |byte| Key::new(ENCTYPE, &[byte; 32]).unwrap();
        let armor = Armor::implicit(&key(1), &key(2)).unwrap();
        let client = key(3);
        let method = Method::EncryptedChallenge;
        let mut random = Zeros;
        let mut env = Environment::new(Timestamp::from_unix(1), &mut random);
        let ours = method.prove(&client, Some(&armor), Timestamp::from_unix(1), &mut env);
        let not_proven = Err(ErrorKind::Kdc(KdcProblem::KdcNotProven));
        let check = |padata| method.check_kdc(&client, Some(&armor), &[padata]);
        assert_eq!(check(ours.unwrap()), not_proven);

        for (pepper, of, usage, expected) in [
            (&b"kdcchallengearmor"[..], &client, 55, Ok(())),
            // What Heimdal 7 sends.
            (b"clientchallengearmor", &client, 55, Ok(())),
            (b"kdcchallengearmor", &client, 54, not_proven),
            (b"kdcchallengearmor", &key(4), 55, not_proven),
        ] {
            let key = challenge_key(Some(&armor), pepper, of).unwrap();
            let part = PaEncTsEnc {
                patimestamp: KerberosTime { seconds: 1 },
                pausec: None,
            };
            let cipher = key.encrypt(KeyUsage(usage), &part.to_der(), &mut Zeros);
            let data = EncryptedData {
                etype: ENCTYPE.id(),
                kvno: None,
                cipher: &cipher.unwrap(),
            };
            let padata = OwnedPaData::new(PaData::ENCRYPTED_CHALLENGE, data.to_der());
            assert_eq!(check(padata), expected);
        }
    }
}
