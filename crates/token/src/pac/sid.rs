use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use crate::error::{DecodeError, DecodeErrorKind};

/// A security identifier: MS-DTYP §2.4.2.
///
/// ```text
/// typedef struct _RPC_SID {
///   unsigned char Revision;                     // 1
///   unsigned char SubAuthorityCount;            // at most 15
///   RPC_SID_IDENTIFIER_AUTHORITY IdentifierAuthority;
///   [size_is(SubAuthorityCount)] unsigned long SubAuthority[];
/// } RPC_SID;
/// ```
///
/// It is a value of its own, without a pointer; compare and hash it, never its text.
///
/// ```
/// use countersign_token::pac::Sid;
///
/// let domain: Sid = "S-1-5-21-3623811015-3361044348-30300820".parse()?;
/// let user = domain.with_rid(1013).unwrap();
/// assert_eq!(user.to_string(), "S-1-5-21-3623811015-3361044348-30300820-1013");
/// assert_eq!((user.domain(), user.rid()), (Some(domain), Some(1013)));
/// assert!(user != Sid::ANONYMOUS);
/// # Ok::<_, countersign_token::pac::ParseSidError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sid {
    authority: [u8; 6],
    count: u8,
    /// Zero beyond `count`.
    sub_authorities: [u32; Sid::MAX_SUB_AUTHORITIES],
}

impl Sid {
    /// MS-DTYP §2.4.2.2: sub-authorities of a SID, at most.
    pub const MAX_SUB_AUTHORITIES: usize = 15;

    /// `S-1-0-0`: nobody.
    pub const NULL: Self = Self::one(0, 0);
    /// `S-1-1-0`: everyone.
    pub const EVERYONE: Self = Self::one(1, 0);
    /// `S-1-5-2`: logged on across a network.
    pub const NETWORK: Self = Self::one(5, 2);
    /// `S-1-5-7`: logged on without a name.
    pub const ANONYMOUS: Self = Self::one(5, 7);
    /// `S-1-5-9`: the domain controllers of the forest.
    pub const ENTERPRISE_DOMAIN_CONTROLLERS: Self = Self::one(5, 9);
    /// `S-1-5-11`: everyone who proved who they are.
    pub const AUTHENTICATED_USERS: Self = Self::one(5, 11);
    /// `S-1-5-18`: the operating system.
    pub const LOCAL_SYSTEM: Self = Self::one(5, 18);
    /// `S-1-5-32-544`: the administrators of a computer.
    pub const BUILTIN_ADMINISTRATORS: Self = Self::two(5, 32, 544);
    /// `S-1-5-32-545`: the users of a computer.
    pub const BUILTIN_USERS: Self = Self::two(5, 32, 545);
    /// `S-1-5-32-546`: the guests of a computer.
    pub const BUILTIN_GUESTS: Self = Self::two(5, 32, 546);
    /// `S-1-18-1`: the KDC saw the client prove its identity.
    pub const AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY: Self = Self::one(18, 1);
    /// `S-1-18-2`: a service asserted the client's identity (S4U2self).
    pub const SERVICE_ASSERTED_IDENTITY: Self = Self::one(18, 2);
    /// `S-1-5-21-0-0-0-497`: claims are present.
    pub const CLAIMS_VALID: Self = Self {
        authority: [0, 0, 0, 0, 0, 5],
        count: 5,
        sub_authorities: [21, 0, 0, 0, 497, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    };

    /// RID of a domain's administrator.
    pub const RID_ADMINISTRATOR: u32 = 500;
    /// RID of a domain's `krbtgt`.
    pub const RID_KRBTGT: u32 = 502;
    /// RID of the group of a domain's administrators.
    pub const RID_DOMAIN_ADMINS: u32 = 512;
    /// RID of the group of all users of a domain.
    pub const RID_DOMAIN_USERS: u32 = 513;
    /// RID of the group of all computers of a domain.
    pub const RID_DOMAIN_COMPUTERS: u32 = 515;
    /// RID of the group of a domain's controllers.
    pub const RID_DOMAIN_CONTROLLERS: u32 = 516;
    /// RID of the group of the forest's administrators.
    pub const RID_ENTERPRISE_ADMINS: u32 = 519;

    const fn one(authority: u8, first: u32) -> Self {
        Self {
            authority: [0, 0, 0, 0, 0, authority],
            count: 1,
            sub_authorities: [first, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        }
    }

    const fn two(authority: u8, first: u32, second: u32) -> Self {
        Self {
            authority: [0, 0, 0, 0, 0, authority],
            count: 2,
            sub_authorities: [first, second, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        }
    }

    /// The SID of an authority, big-endian as it is on the wire, and sub-authorities; `None` when
    /// there are more than 15.
    #[must_use]
    pub fn new(authority: [u8; 6], sub_authorities: &[u32]) -> Option<Self> {
        let mut sid = Self {
            authority,
            count: 0,
            sub_authorities: [0; Self::MAX_SUB_AUTHORITIES],
        };
        for &value in sub_authorities {
            sid = sid.with_rid(value)?;
        }
        Some(sid)
    }

    /// The SID of an account or group of this domain; `None` when this one cannot grow.
    #[must_use]
    pub fn with_rid(mut self, rid: u32) -> Option<Self> {
        *self.sub_authorities.get_mut(usize::from(self.count))? = rid;
        self.count = self.count.checked_add(1)?;
        Some(self)
    }

    /// Without the last sub-authority: the domain of an account or group. `None` when there is
    /// none.
    #[must_use]
    pub fn domain(mut self) -> Option<Self> {
        self.count = self.count.checked_sub(1)?;
        *self.sub_authorities.get_mut(usize::from(self.count))? = 0;
        Some(self)
    }

    /// The last sub-authority: which account or group of the domain.
    #[must_use]
    pub fn rid(&self) -> Option<u32> {
        self.sub_authorities().last().copied()
    }

    /// The authority, big-endian.
    #[must_use]
    pub const fn authority(&self) -> [u8; 6] {
        self.authority
    }

    /// The sub-authorities.
    #[must_use]
    pub fn sub_authorities(&self) -> &[u32] {
        self.sub_authorities
            .get(..usize::from(self.count))
            .unwrap_or_default()
    }

    /// Reads a SID that fills `bytes`: MS-DTYP §2.4.2.2.
    ///
    /// # Errors
    /// [`DecodeErrorKind::MalformedSid`] for another revision, more than 15 sub-authorities or
    /// another length than these make.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::at(bytes, 0)
    }

    pub(super) fn at(bytes: &[u8], offset: usize) -> Result<Self, DecodeError> {
        Self::read(bytes).ok_or(DecodeError::new(offset, DecodeErrorKind::MalformedSid))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<8>()?;
        let [1, count, authority @ ..] = *head else {
            return None;
        };
        let mut sid = Self {
            authority,
            count,
            sub_authorities: [0; Self::MAX_SUB_AUTHORITIES],
        };
        if rest.len() != usize::from(count).checked_mul(4)? {
            return None;
        }
        let places = sid.sub_authorities.get_mut(..usize::from(count))?;
        for (place, bytes) in places.iter_mut().zip(rest.chunks_exact(4)) {
            *place = u32::from_le_bytes(bytes.try_into().ok()?);
        }
        Some(sid)
    }

    /// The binary form: MS-DTYP §2.4.2.2.
    #[must_use]
    pub fn to_bytes(&self) -> SidBytes {
        let mut bytes = [0; SidBytes::MAX];
        let head = [1, self.count].into_iter().chain(self.authority);
        let body = self
            .sub_authorities()
            .iter()
            .flat_map(|value| value.to_le_bytes());
        let mut length = 0_usize;
        for (place, byte) in bytes.iter_mut().zip(head.chain(body)) {
            *place = byte;
            length = length.saturating_add(1);
        }
        SidBytes { bytes, length }
    }
}

/// By authority, then sub-authority by sub-authority; a domain comes before its accounts.
impl Ord for Sid {
    fn cmp(&self, other: &Self) -> Ordering {
        self.authority
            .cmp(&other.authority)
            .then_with(|| self.sub_authorities().cmp(other.sub_authorities()))
    }
}

impl PartialOrd for Sid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// `S-1-` and so on: MS-DTYP §2.4.2.1. The authority is decimal, or hexadecimal from 2^32 on.
impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.authority;
        let authority = u64::from_be_bytes([0, 0, a, b, c, d, e, g]);
        if authority <= u64::from(u32::MAX) {
            write!(f, "S-1-{authority}")?;
        } else {
            write!(f, "S-1-{authority:#014x}")?;
        }
        self.sub_authorities()
            .iter()
            .try_for_each(|value| write!(f, "-{value}"))
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sid({self})")
    }
}

/// Text that is not a SID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseSidError;

impl fmt::Display for ParseSidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a security identifier: write it as S-1-5-21-1-2-3-1105")
    }
}

impl core::error::Error for ParseSidError {}

impl FromStr for Sid {
    type Err = ParseSidError;

    /// Reads what [`Display`](fmt::Display) writes; the `S` may be small, the authority may be
    /// hexadecimal.
    fn from_str(text: &str) -> Result<Self, ParseSidError> {
        /// No sign, no space, at least one digit.
        fn number(text: &str, radix: u32) -> Option<u64> {
            let digits = !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
            if digits {
                u64::from_str_radix(text, radix).ok()
            } else {
                None
            }
        }
        let read = || {
            let mut parts = text.split('-');
            let ("S" | "s", "1") = (parts.next()?, parts.next()?) else {
                return None;
            };
            let authority = parts.next()?;
            let authority = match authority
                .strip_prefix("0x")
                .or_else(|| authority.strip_prefix("0X"))
            {
                Some(digits) => number(digits, 16)?,
                None => number(authority, 10)?,
            };
            let [0, 0, authority @ ..] = authority.to_be_bytes() else {
                return None;
            };
            let mut sid = Self::new(authority, &[])?;
            for part in parts {
                sid = sid.with_rid(u32::try_from(number(part, 10)?).ok()?)?;
            }
            Some(sid)
        };
        read().ok_or(ParseSidError)
    }
}

/// A SID in its binary form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SidBytes {
    bytes: [u8; SidBytes::MAX],
    length: usize,
}

impl SidBytes {
    /// The longest: 8 bytes and 15 sub-authorities of 4.
    pub const MAX: usize = 68;

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl AsRef<[u8]> for SidBytes {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec::Vec;

    use super::*;

    fn sid(text: &str) -> Sid {
        text.parse().unwrap()
    }

    #[test]
    fn text_and_bytes_go_both_ways() {
        for text in [
            "S-1-0",
            "S-1-1-0",
            "S-1-5-32-544",
            "S-1-5-21-3623811015-3361044348-30300820-1013",
            "S-1-4294967295-1",
            "S-1-0x000100000000-1",
            "S-1-0xffffffffffff-0-4294967295",
            "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15",
        ] {
            let sid = sid(text);
            assert_eq!(sid.to_string(), text);
            assert_eq!(Sid::from_bytes(sid.to_bytes().as_slice()), Ok(sid));
        }
        assert_eq!(sid("s-1-0x5-32-544"), Sid::BUILTIN_ADMINISTRATORS);
        assert_eq!(sid("S-1-5-21-0-0-0-497"), Sid::CLAIMS_VALID);
    }

    #[test]
    fn the_binary_form_is_that_of_ms_dtyp() {
        let bytes = b"\x01\x02\0\0\0\0\0\x05\x20\0\0\0\x20\x02\0\0";
        assert_eq!(Sid::from_bytes(bytes), Ok(Sid::BUILTIN_ADMINISTRATORS));
        assert_eq!(Sid::BUILTIN_ADMINISTRATORS.to_bytes().as_slice(), bytes);
    }

    #[test]
    fn text_that_is_no_sid_is_refused() {
        for text in [
            "",
            "S",
            "S-1",
            "S-2-5-1",
            "S-1-",
            "S-1-5-",
            "S-1-5--1",
            "S-1-5-+1",
            "S-1-5-4294967296",
            "S-1-281474976710656-1",
            "S-1-0x-1",
            "S-1-5-1 ",
            "X-1-5-1",
            "S-1-5-0x20",
            "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
        ] {
            assert_eq!(text.parse::<Sid>(), Err(ParseSidError), "{text}");
        }
    }

    #[test]
    fn bytes_of_another_revision_count_or_length_are_refused() {
        let good = Sid::BUILTIN_USERS.to_bytes();
        let good = good.as_slice();
        assert!(Sid::from_bytes(good).is_ok());
        for length in 0..good.len() {
            assert!(Sid::from_bytes(&good[..length]).is_err());
        }
        let change = |index: usize, value: u8| {
            let mut bytes = good.to_vec();
            bytes[index] = value;
            Sid::from_bytes(&bytes)
        };
        for value in (0..=255).filter(|value| *value != 1) {
            assert!(change(0, value).is_err());
        }
        for value in (0..=255).filter(|value| *value != 2) {
            assert!(change(1, value).is_err());
        }
        let mut sixteen: Vec<u8> = [1, 16, 0, 0, 0, 0, 0, 5].to_vec();
        sixteen.extend([0; 64]);
        assert!(Sid::from_bytes(&sixteen).is_err());
    }

    #[test]
    fn a_domain_is_followed_by_its_accounts_in_order() {
        let domain = sid("S-1-5-21-1-2-3");
        let mut sids = [
            sid("S-1-5-32-544"),
            domain.with_rid(1000).unwrap(),
            domain,
            domain.with_rid(513).unwrap(),
            Sid::EVERYONE,
        ];
        sids.sort();
        let texts: Vec<_> = sids.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "S-1-1-0",
                "S-1-5-21-1-2-3",
                "S-1-5-21-1-2-3-513",
                "S-1-5-21-1-2-3-1000",
                "S-1-5-32-544"
            ]
        );
        // What was cut off leaves no trace in comparisons.
        assert_eq!(domain.with_rid(7).unwrap().domain(), Some(domain));
        assert_eq!(sid("S-1-5").domain(), None);
        assert_eq!(sid("S-1-5").rid(), None);
    }

    #[test]
    fn what_is_no_sid_is_answered_with_how_to_write_one() {
        let text = "Administrator".parse::<Sid>().unwrap_err().to_string();
        let (_, example) = text.rsplit_once(' ').unwrap();
        assert_eq!(sid(example).rid(), Some(1105));
        assert_eq!(alloc::format!("{:?}", Sid::EVERYONE), "Sid(S-1-1-0)");
    }

    #[test]
    fn a_sid_is_made_of_its_parts() {
        let made = Sid::new([0, 0, 0, 0, 0, 5], &[32, 544]).unwrap();
        assert_eq!(made, Sid::BUILTIN_ADMINISTRATORS);
        assert_eq!(
            Sid::new(made.authority(), made.sub_authorities()),
            Some(made)
        );
        assert_eq!(made.to_bytes().as_ref(), made.to_bytes().as_slice());
        assert!(Sid::new([0; 6], &[0; 15]).is_some());
        assert_eq!(Sid::new([0; 6], &[0; 16]), None);
    }
}
