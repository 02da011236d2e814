//! Lists of enctypes, by name and by family.

use alloc::vec::Vec;

use countersign_crypto::Enctype;

/// Enctypes in order of preference, as the configuration lists them.
///
/// Single-DES, which nobody implements here, and other enctypes that this build lacks keep their place as numbers,
/// so that the list can be shown as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct EnctypeList(Vec<i32>);

/// What the list may hold beyond the strong ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weak {
    /// `allow_weak_crypto`: single-DES and the export grade of rc4.
    pub crypto: bool,
    /// `allow_des3`.
    pub des3: bool,
    /// `allow_rc4`.
    pub rc4: bool,
}

const AES: &[i32] = &[18, 17, 20, 19];
const CAMELLIA: &[i32] = &[26, 25];
const DES: &[i32] = &[1, 3, 2];

/// The default of this library; MIT krb5's holds the weak ones as well.
const DEFAULT: &[i32] = &[20, 19, 18, 17];

const NAMES: &[(&str, &[i32])] = &[
    ("DEFAULT", DEFAULT),
    ("aes", AES),
    ("camellia", CAMELLIA),
    ("rc4", &[23]),
    ("des3", &[16]),
    ("des", DES),
    ("aes256-cts-hmac-sha384-192", &[20]),
    ("aes256-sha2", &[20]),
    ("aes128-cts-hmac-sha256-128", &[19]),
    ("aes128-sha2", &[19]),
    ("aes256-cts-hmac-sha1-96", &[18]),
    ("aes256-cts", &[18]),
    ("aes256-sha1", &[18]),
    ("aes128-cts-hmac-sha1-96", &[17]),
    ("aes128-cts", &[17]),
    ("aes128-sha1", &[17]),
    ("camellia256-cts-cmac", &[26]),
    ("camellia256-cts", &[26]),
    ("camellia128-cts-cmac", &[25]),
    ("camellia128-cts", &[25]),
    ("arcfour-hmac", &[23]),
    ("rc4-hmac", &[23]),
    ("arcfour-hmac-md5", &[23]),
    ("arcfour-hmac-exp", &[24]),
    ("rc4-hmac-exp", &[24]),
    ("arcfour-hmac-md5-exp", &[24]),
    ("des3-cbc-sha1", &[16]),
    ("des3-hmac-sha1", &[16]),
    ("des3-cbc-sha1-kd", &[16]),
    ("des-cbc-crc", &[1]),
    ("des-cbc-md4", &[2]),
    ("des-cbc-md5", &[3]),
];

impl EnctypeList {
    /// Reads a list: names and families (`aes`, `camellia`, `rc4`, `des3`, `des`, `DEFAULT`), separated by blanks or
    /// commas, each added or, after `-`, taken away. Unknown names are skipped, as MIT krb5 does, and so is what
    /// `weak` does not allow. `DEFAULT` stands for this library's own default: the four AES enctypes.
    #[must_use]
    pub fn parse(text: &str, weak: Weak) -> Self {
        let mut list = Vec::new();
        for word in text.split([' ', '\t', '\r', '\n', ',']) {
            let (add, name) = match word.strip_prefix('-') {
                Some(name) => (false, name),
                None => (true, word.strip_prefix('+').unwrap_or(word)),
            };
            let ids = NAMES
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, ids)| *ids)
                .unwrap_or_default();
            for id in ids {
                if !add {
                    list.retain(|present| present != id);
                } else if weak.allows(*id) && !list.contains(id) {
                    list.push(*id);
                }
            }
        }
        Self(list)
    }

    /// The assigned numbers, in order of preference.
    #[must_use]
    pub fn ids(&self) -> &[i32] {
        &self.0
    }

    /// Those that this build implements, in order of preference.
    pub fn enctypes(&self) -> impl Iterator<Item = Enctype> {
        self.0.iter().filter_map(|id| Enctype::from_id(*id))
    }

    /// Those that the other list holds too, in this list's order.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        let both = self.0.iter().filter(|id| other.0.contains(id));
        Self(both.copied().collect())
    }
}

impl Weak {
    fn allows(self, id: i32) -> bool {
        match id {
            1..=3 | 24 => self.crypto,
            16 => self.des3,
            23 => self.rc4,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Weak = Weak {
        crypto: true,
        des3: true,
        rc4: true,
    };

    fn ids(text: &str, weak: Weak) -> Vec<i32> {
        EnctypeList::parse(text, weak).0
    }

    #[test]
    fn names_families_and_signs_are_read_in_order() {
        assert_eq!(ids("aes256-cts, RC4-HMAC\taes128-cts", ALL), [18, 23, 17]);
        assert_eq!(ids("DEFAULT", ALL), [20, 19, 18, 17]);
        assert_eq!(ids("aes -aes128-sha1 +camellia", ALL), [18, 20, 19, 26, 25]);
        assert_eq!(ids("des", ALL), [1, 3, 2]);
        assert_eq!(
            ids("-rc4 default aes256-sha1 nonsense", ALL),
            [20, 19, 18, 17]
        );
        assert!(ids("nonsense", ALL).is_empty());
    }

    #[test]
    fn weak_enctypes_need_their_own_permission_besides_their_name() {
        let text = "aes256-sha1 rc4 des3 des rc4-hmac-exp";
        assert_eq!(ids(text, ALL), [18, 23, 16, 1, 3, 2, 24]);
        assert_eq!(ids(text, Weak::default()), [18]);
        let rc4 = Weak {
            rc4: true,
            ..Weak::default()
        };
        assert_eq!(ids(text, rc4), [18, 23]);
        let crypto = Weak {
            crypto: true,
            ..Weak::default()
        };
        assert_eq!(ids(text, crypto), [18, 1, 3, 2, 24]);
    }

    #[test]
    fn only_what_is_implemented_becomes_an_enctype() {
        let list = EnctypeList::parse("des3 aes128-sha2", ALL);
        let found: Vec<i32> = list.enctypes().map(Enctype::id).collect();
        assert_eq!((list.ids(), &*found), (&[16, 19][..], &[19][..]));
        let permitted = EnctypeList::parse("aes128-sha2", ALL);
        assert_eq!(list.within(&permitted), permitted);
    }
}
