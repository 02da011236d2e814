//! How a KDC says that keys are made from passwords: ETYPE-INFO2, ETYPE-INFO and PW-SALT,
//! RFC 4120 §5.2.7.3 to §5.2.7.5.

use countersign_credential::Principal;
use countersign_crypto::Enctype;
use countersign_token::der::Decode;
use countersign_token::kerberos::{EtypeInfo, EtypeInfo2, PaData};

use crate::error::KdcProblem;

use super::padata::{OwnedPaData, find};

/// What the KDC offers. Nothing yet means that everything may be tried, with the default salt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KeyHints {
    entries: Vec<Entry>,
    /// For every enctype, from PW-SALT.
    salt: Option<Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    enctype: i32,
    salt: Option<Vec<u8>>,
    params: Option<Vec<u8>>,
}

/// The inputs of string-to-key beside the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hint {
    pub(crate) salt: Vec<u8>,
    pub(crate) params: Option<Vec<u8>>,
}

impl KeyHints {
    /// The hints among padata; `None` if there are none. ETYPE-INFO2 is believed before
    /// ETYPE-INFO, and that before PW-SALT (RFC 4120 §5.2.7.5).
    pub(crate) fn read(padata: &[OwnedPaData]) -> Result<Option<Self>, KdcProblem> {
        let malformed = |_| KdcProblem::KeyParameters;
        if let Some(value) = find(padata, PaData::ETYPE_INFO2) {
            let list = EtypeInfo2::from_der(value).map_err(malformed)?;
            let entries = list.iter().map(|entry| Entry {
                enctype: entry.etype,
                salt: entry.salt.map(|salt| salt.as_bytes().to_vec()),
                params: entry.s2kparams.map(<[u8]>::to_vec),
            });
            return Ok(Self::of_entries(entries.collect()));
        }
        if let Some(value) = find(padata, PaData::ETYPE_INFO) {
            let list = EtypeInfo::from_der(value).map_err(malformed)?;
            let entries = list.iter().map(|entry| Entry {
                enctype: entry.etype,
                salt: entry.salt.map(<[u8]>::to_vec),
                params: None,
            });
            return Ok(Self::of_entries(entries.collect()));
        }
        Ok(find(padata, PaData::PW_SALT).map(|salt| Self {
            entries: Vec::new(),
            salt: Some(salt.to_vec()),
        }))
    }

    /// An empty list says nothing.
    fn of_entries(entries: Vec<Entry>) -> Option<Self> {
        let hints = Self {
            entries,
            salt: None,
        };
        (!hints.entries.is_empty()).then_some(hints)
    }

    /// Whether the KDC offers the enctype; it offers all where it lists none.
    pub(crate) fn offer(&self, enctype: Enctype) -> bool {
        self.entries.is_empty() || self.entry(enctype).is_some()
    }

    fn entry(&self, enctype: Enctype) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.enctype == enctype.id())
    }

    /// Salt and parameters for an enctype. RFC 4120 §4: where the KDC names no salt, it is our own
    /// realm and name.
    pub(crate) fn of(&self, enctype: Enctype, client: &Principal) -> Hint {
        let entry = self.entry(enctype);
        let salt = entry
            .and_then(|entry| entry.salt.as_ref())
            .or(self.salt.as_ref());
        Hint {
            salt: salt.cloned().unwrap_or_else(|| default_salt(client)),
            params: entry.and_then(|entry| entry.params.clone()),
        }
    }
}

/// RFC 4120 §4: the realm and the components, joined without separators.
fn default_salt(client: &Principal) -> Vec<u8> {
    let mut salt = client.realm().to_vec();
    salt.extend(client.components().flatten());
    salt
}

#[cfg(test)]
mod tests {
    use countersign_token::der::{Encode, SequenceOf};
    use countersign_token::kerberos::{EtypeInfo2Entry, EtypeInfoEntry, KerberosString};

    use super::*;

    const AES256: Enctype = Enctype::Aes256CtsHmacSha1_96;
    const AES128: Enctype = Enctype::Aes128CtsHmacSha1_96;

    fn info2() -> OwnedPaData {
        let entries = [EtypeInfo2Entry {
            etype: 18,
            salt: Some(KerberosString::new(b"two")),
            s2kparams: Some(&[0, 0, 0, 9]),
        }];
        OwnedPaData::new(PaData::ETYPE_INFO2, SequenceOf::new(&entries).to_der())
    }

    fn info() -> OwnedPaData {
        let entries = [EtypeInfoEntry {
            etype: 18,
            salt: Some(b"one"),
        }];
        OwnedPaData::new(PaData::ETYPE_INFO, SequenceOf::new(&entries).to_der())
    }

    fn salt_of(padata: &[OwnedPaData]) -> Vec<u8> {
        let client = Principal::parse("a/b@R").unwrap();
        let hints = KeyHints::read(padata).unwrap().unwrap_or_default();
        hints.of(AES256, &client).salt
    }

    #[test]
    fn the_newest_kind_of_hint_wins_and_our_own_name_is_the_last_resort() {
        let pw_salt = OwnedPaData::new(PaData::PW_SALT, *b"zero");
        assert_eq!(salt_of(&[pw_salt.clone(), info(), info2()]), b"two");
        assert_eq!(salt_of(&[pw_salt.clone(), info()]), b"one");
        assert_eq!(salt_of(&[pw_salt]), b"zero");
        assert_eq!(salt_of(&[]), b"Rab");
    }

    #[test]
    fn only_listed_enctypes_are_offered_and_parameters_are_theirs() {
        let client = Principal::parse("a@R").unwrap();
        let hints = KeyHints::read(&[info2()]).unwrap().unwrap();
        assert!(hints.offer(AES256) && !hints.offer(AES128));
        assert_eq!(hints.of(AES256, &client).params, Some(vec![0, 0, 0, 9]));
        assert_eq!(hints.of(AES128, &client).params, None);
        let nothing = KeyHints::default();
        assert!(nothing.offer(AES256) && nothing.offer(AES128));
    }

    #[test]
    fn malformed_hints_are_an_error_and_not_passed_over() {
        let broken = OwnedPaData::new(PaData::ETYPE_INFO2, *b"\x30\x03abc");
        let problem = KeyHints::read(&[broken, info()]).unwrap_err();
        assert_eq!(problem, KdcProblem::KeyParameters);
        assert!(KeyHints::read(&[info2(), info()]).is_ok());
    }
}
