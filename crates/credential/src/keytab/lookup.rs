//! Finding a key: by principal, key version and enctype.

use countersign_crypto::Enctype;

use super::{Keytab, KeytabEntry};
use crate::error::{Absent, Error};
use crate::principal::Principal;

/// How well an entry's key version answers the one that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KvnoMatch {
    /// The entry's version is the low 8 bits of the wanted one: it was written by a program, or carried by a
    /// protocol, that keeps 8 bits. Or it is the low 16 bits: the high ones name a read-only domain controller
    /// (MS-KILE §3.1.5.8).
    Truncated,
    /// The entry's version is 0, which stands for every version.
    Wildcard,
    /// No version was asked for, or it is the entry's.
    Exact,
}

impl KeytabEntry {
    /// Whether the key version `wanted`, as a ticket's EncryptedData names it, is this entry's, and how surely.
    /// Absent or 0 asks for any version.
    #[must_use]
    pub fn matches_kvno(&self, wanted: Option<u32>) -> Option<KvnoMatch> {
        match (wanted.unwrap_or(0), self.kvno()) {
            (0, _) => Some(KvnoMatch::Exact),
            (_, 0) => Some(KvnoMatch::Wildcard),
            (wanted, own) if wanted == own => Some(KvnoMatch::Exact),
            (wanted, own) if wanted & 0xff == own => Some(KvnoMatch::Truncated),
            (wanted, own) if wanted > 0xffff && wanted & 0xffff == own => {
                Some(KvnoMatch::Truncated)
            }
            _ => None,
        }
    }

    /// Whether this entry supersedes `other`, a key of the same principal.
    ///
    /// The greater version does. Versions that were kept in 8 bits wrap: below 128 is taken to follow above 240
    /// when the entry is not older (the rule of the C library's `more_recent`).
    #[must_use]
    pub fn supersedes(&self, other: &Self) -> bool {
        let wrapped = |new: &Self, old: &Self| {
            new.timestamp() >= old.timestamp()
                && new.kvno() < 128
                && (241..256).contains(&old.kvno())
        };
        if wrapped(self, other) {
            return true;
        }
        if wrapped(other, self) {
            return false;
        }
        self.kvno() > other.kvno()
    }
}

impl Keytab {
    /// The key of `principal`, of the version `kvno` (absent or 0: the latest) and of `enctype` (absent: any).
    ///
    /// An exact version is preferred to the wildcard 0, and that to a version which matches in its low bits only.
    /// Among equals the first entry is taken, or the latest version when none is asked for.
    ///
    /// Keys that this build cannot use are never found; [`entries`](Self::entries) has them.
    ///
    /// # Errors
    /// [`Error::NotFound`] with the part that had no match.
    pub fn find(
        &self,
        principal: &Principal,
        kvno: Option<u32>,
        enctype: Option<Enctype>,
    ) -> Result<&KeytabEntry, Error> {
        let mut absent = Absent::Principal;
        let mut best: Option<(KvnoMatch, &KeytabEntry)> = None;
        for entry in self.of_principal(principal) {
            let usable = match enctype {
                Some(enctype) => entry.enctype() == Some(enctype),
                None => entry.enctype().is_some(),
            };
            if !usable {
                if absent == Absent::Principal {
                    absent = Absent::Enctype;
                }
                continue;
            }
            absent = Absent::Kvno;
            let Some(quality) = entry.matches_kvno(kvno) else {
                continue;
            };
            let better = match best {
                None => true,
                Some((known, _)) if known != quality => quality > known,
                Some((_, current)) => kvno.unwrap_or(0) == 0 && entry.supersedes(current),
            };
            if better {
                best = Some((quality, entry));
            }
        }
        best.map(|(_, entry)| entry).ok_or(Error::NotFound(absent))
    }

    /// The entries that could decrypt a ticket whose EncryptedData names `kvno` and `enctype`, whichever principal
    /// they belong to, in the order of the file.
    pub fn candidates(
        &self,
        kvno: Option<u32>,
        enctype: Enctype,
    ) -> impl Iterator<Item = &KeytabEntry> {
        self.entries().iter().filter(move |entry| {
            entry.enctype() == Some(enctype) && entry.matches_kvno(kvno).is_some()
        })
    }

    /// The entries of `principal`, in the order of the file.
    pub fn of_principal(&self, principal: &Principal) -> impl Iterator<Item = &KeytabEntry> {
        self.entries()
            .iter()
            .filter(move |entry| entry.principal() == principal)
    }

    /// The latest key version of `principal`, as [`KeytabEntry::supersedes`] orders them.
    #[must_use]
    pub fn latest_kvno(&self, principal: &Principal) -> Option<u32> {
        self.of_principal(principal)
            .reduce(|latest, entry| {
                if entry.supersedes(latest) {
                    entry
                } else {
                    latest
                }
            })
            .map(KeytabEntry::kvno)
    }

    /// The principals that have keys here, each once, in the order of the file.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.entries()
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| {
                let earlier = self.entries().get(..index).unwrap_or_default();
                let first = !earlier
                    .iter()
                    .any(|other| other.principal() == entry.principal());
                first.then(|| entry.principal())
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_block::KeyBlock;
    use crate::principal::NameType;
    use alloc::vec::Vec;

    const AES256: Enctype = Enctype::Aes256CtsHmacSha1_96;
    const AES128: Enctype = Enctype::Aes128CtsHmacSha1_96;

    fn principal(name: &str) -> Principal {
        Principal::new("R", [name], NameType::PRINCIPAL)
    }

    fn entry(name: &str, kvno: u32, timestamp: u32) -> KeytabEntry {
        KeytabEntry::new(principal(name), kvno, KeyBlock::from_parts(18, &[1; 32]))
            .with_timestamp(timestamp)
    }

    fn found(keytab: &Keytab, kvno: Option<u32>) -> Result<(u32, u32), Error> {
        let entry = keytab.find(&principal("a"), kvno, Some(AES256))?;
        Ok((entry.kvno(), entry.timestamp()))
    }

    #[test]
    fn an_absent_or_zero_kvno_finds_the_latest() {
        let keytab: Keytab = [entry("a", 2, 0), entry("a", 4, 0), entry("a", 3, 0)]
            .into_iter()
            .collect();
        assert_eq!(found(&keytab, None), Ok((4, 0)));
        assert_eq!(found(&keytab, Some(0)), Ok((4, 0)));
        assert_eq!(found(&keytab, Some(3)), Ok((3, 0)));
        assert_eq!(keytab.latest_kvno(&principal("a")), Some(4));
        assert_eq!(keytab.latest_kvno(&principal("b")), None);
    }

    #[test]
    fn an_8_bit_kvno_that_wrapped_is_later_unless_it_is_older() {
        let wrapped: Keytab = [entry("a", 255, 10), entry("a", 1, 11)]
            .into_iter()
            .collect();
        assert_eq!(found(&wrapped, None), Ok((1, 11)));
        assert_eq!(wrapped.latest_kvno(&principal("a")), Some(1));
        let reversed: Keytab = [entry("a", 1, 11), entry("a", 255, 10)]
            .into_iter()
            .collect();
        assert_eq!(found(&reversed, None), Ok((1, 11)));
        assert_eq!(reversed.latest_kvno(&principal("a")), Some(1));
        let older: Keytab = [entry("a", 1, 9), entry("a", 255, 10)]
            .into_iter()
            .collect();
        assert_eq!(found(&older, None), Ok((255, 10)));
        let wide: Keytab = [entry("a", 300, 10), entry("a", 1, 11)]
            .into_iter()
            .collect();
        assert_eq!(found(&wide, None), Ok((300, 10)));
    }

    #[test]
    fn exact_beats_wildcard_beats_truncated() {
        let mut keytab: Keytab = [entry("a", 4, 1)].into_iter().collect();
        assert_eq!(found(&keytab, Some(260)), Ok((4, 1)));
        keytab.push(entry("a", 0, 2));
        assert_eq!(found(&keytab, Some(260)), Ok((0, 2)));
        keytab.push(entry("a", 260, 3));
        assert_eq!(found(&keytab, Some(260)), Ok((260, 3)));
        assert_eq!(found(&keytab, Some(4)), Ok((4, 1)));
        assert_eq!(found(&keytab, Some(9)), Ok((0, 2)));
    }

    #[test]
    fn a_wide_entry_does_not_answer_for_its_low_bits() {
        let keytab: Keytab = [entry("a", 260, 0)].into_iter().collect();
        assert_eq!(found(&keytab, Some(260)), Ok((260, 0)));
        assert_eq!(found(&keytab, Some(4)), Err(Error::NotFound(Absent::Kvno)));
        assert_eq!(
            found(&keytab, Some(516)),
            Err(Error::NotFound(Absent::Kvno))
        );
    }

    #[test]
    fn the_number_of_a_read_only_domain_controller_is_set_aside() {
        let keytab: Keytab = [entry("a", 0x0102, 0)].into_iter().collect();
        assert_eq!(found(&keytab, Some(0x7fff_0102)), Ok((0x0102, 0)));
        assert_eq!(
            found(&keytab, Some(0x7fff_0103)),
            Err(Error::NotFound(Absent::Kvno))
        );
    }

    #[test]
    fn an_empty_answer_names_the_missing_part() {
        let keytab: Keytab = [entry("a", 1, 0)].into_iter().collect();
        let find = |name, kvno, enctype| keytab.find(&principal(name), kvno, enctype).map(|_| ());
        assert_eq!(find("a", Some(1), Some(AES256)), Ok(()));
        assert_eq!(
            find("b", Some(1), Some(AES256)),
            Err(Error::NotFound(Absent::Principal))
        );
        assert_eq!(
            find("a", Some(1), Some(AES128)),
            Err(Error::NotFound(Absent::Enctype))
        );
        assert_eq!(
            find("a", Some(2), Some(AES256)),
            Err(Error::NotFound(Absent::Kvno))
        );
    }

    #[test]
    fn unusable_keys_are_listed_and_never_found() {
        let unknown = KeytabEntry::new(principal("a"), 1, KeyBlock::from_parts(3, &[0; 8]));
        let mut keytab: Keytab = [unknown].into_iter().collect();
        assert_eq!(
            keytab.find(&principal("a"), None, None).map(|_| ()),
            Err(Error::NotFound(Absent::Enctype))
        );
        assert!(keytab.entries()[0].key().is_none());
        assert_eq!(
            keytab.entries()[0].key_block().key().map(|_| ()),
            Err(Error::UnsupportedEnctype(3))
        );
        keytab.push(entry("a", 1, 0));
        assert!(keytab.find(&principal("a"), None, None).is_ok());
    }

    #[test]
    fn candidates_and_principals_cover_every_principal_once() {
        let keytab: Keytab = [entry("a", 1, 0), entry("b", 1, 0), entry("a", 2, 0)]
            .into_iter()
            .collect();
        assert_eq!(keytab.candidates(Some(1), AES256).count(), 2);
        assert_eq!(keytab.candidates(None, AES256).count(), 3);
        assert_eq!(keytab.candidates(None, AES128).count(), 0);
        let principals: Vec<_> = keytab.principals().cloned().collect();
        assert_eq!(principals, [principal("a"), principal("b")]);
    }
}
