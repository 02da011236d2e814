use core::fmt;
use core::ops::{BitAnd, BitOr, BitOrAssign};

macro_rules! negotiate_flags {
    ($($(#[$meta:meta])* $flag:ident = $bits:literal,)*) => {
        impl NegotiateFlags {
            $($(#[$meta])* pub const $flag: Self = Self($bits);)*

            const NAMES: &[(Self, &str)] = &[$((Self::$flag, stringify!($flag))),*];
        }
    };
}

/// What the sender of a message can do, asks for or has chosen.
///
/// Source: MS-NLMP §2.2.2.5; the names are those there without `NTLMSSP_`, and where the names
/// would begin with a digit or say nothing, without `NEGOTIATE_`.
///
/// ```
/// use countersign_token::ntlm::NegotiateFlags;
///
/// let flags = NegotiateFlags::NEGOTIATE_UNICODE | NegotiateFlags::NEGOTIATE_128;
/// assert!(flags.contains(NegotiateFlags::NEGOTIATE_128));
/// assert_eq!(flags.to_string(), "NEGOTIATE_UNICODE, NEGOTIATE_128");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct NegotiateFlags(pub u32);

negotiate_flags! {
    /// A: names are UTF-16.
    NEGOTIATE_UNICODE = 0x0000_0001,
    /// B: names are in a character set of the machine. UNICODE wins where both are set.
    NEGOTIATE_OEM = 0x0000_0002,
    /// C: the CHALLENGE names its target.
    REQUEST_TARGET = 0x0000_0004,
    /// D: messages can be signed.
    NEGOTIATE_SIGN = 0x0000_0010,
    /// E: messages can be sealed.
    NEGOTIATE_SEAL = 0x0000_0020,
    /// F: connectionless authentication.
    NEGOTIATE_DATAGRAM = 0x0000_0040,
    /// G: the session key is made of the LM response. Weak; excludes
    /// [`EXTENDED_SESSIONSECURITY`](Self::EXTENDED_SESSIONSECURITY).
    NEGOTIATE_LM_KEY = 0x0000_0080,
    /// H: set by everybody.
    NEGOTIATE_NTLM = 0x0000_0200,
    /// J: the client is anonymous.
    ANONYMOUS = 0x0000_0800,
    /// K: the NEGOTIATE has a domain name.
    OEM_DOMAIN_SUPPLIED = 0x0000_1000,
    /// L: the NEGOTIATE has a workstation name.
    OEM_WORKSTATION_SUPPLIED = 0x0000_2000,
    /// M: there is a session key even if messages are neither signed nor sealed.
    ALWAYS_SIGN = 0x0000_8000,
    /// N: the target is a domain.
    TARGET_TYPE_DOMAIN = 0x0001_0000,
    /// O: the target is a server.
    TARGET_TYPE_SERVER = 0x0002_0000,
    /// P: session security with a key for each direction.
    EXTENDED_SESSIONSECURITY = 0x0008_0000,
    /// Q: the acceptor may identify the client but not act for it.
    IDENTIFY = 0x0010_0000,
    /// R: the LM hash is used.
    REQUEST_NON_NT_SESSION_KEY = 0x0040_0000,
    /// S: the CHALLENGE has target information.
    TARGET_INFO = 0x0080_0000,
    /// T: the message has a version.
    VERSION = 0x0200_0000,
    /// U: keys of 128 bits.
    NEGOTIATE_128 = 0x2000_0000,
    /// V: the client chooses the session key and sends it encrypted.
    KEY_EXCH = 0x4000_0000,
    /// W: keys of 56 bits, where not of 128.
    NEGOTIATE_56 = 0x8000_0000,
}

impl NegotiateFlags {
    /// No flags.
    pub const NONE: Self = Self(0);

    /// Whether every flag of `other` is set here.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether no flag is set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The flags that are set in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The flags that are set in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// These flags without those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The names of the flags that are set and have one.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .iter()
            .filter(move |(flag, _)| self.contains(*flag))
            .map(|(_, name)| *name)
    }
}

impl BitOr for NegotiateFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl BitOrAssign for NegotiateFlags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for NegotiateFlags {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.intersection(other)
    }
}

/// The names, then bits without a name as one hexadecimal number; `none` when empty.
impl fmt::Display for NegotiateFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        let mut rest = *self;
        let mut separator = "";
        for (flag, name) in Self::NAMES {
            if self.contains(*flag) {
                write!(f, "{separator}{name}")?;
                separator = ", ";
                rest = rest.without(*flag);
            }
        }
        if !rest.is_empty() {
            write!(f, "{separator}{:#x}", rest.0)?;
        }
        Ok(())
    }
}

impl fmt::Debug for NegotiateFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NegotiateFlags({:#010x} {self})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    /// MS-NLMP §4.2.4 lists the flags of its examples by name.
    #[test]
    fn flags_are_the_bits_of_the_specification_s_example() {
        let flags = NegotiateFlags::KEY_EXCH
            | NegotiateFlags::NEGOTIATE_56
            | NegotiateFlags::NEGOTIATE_128
            | NegotiateFlags::VERSION
            | NegotiateFlags::TARGET_INFO
            | NegotiateFlags::EXTENDED_SESSIONSECURITY
            | NegotiateFlags::TARGET_TYPE_SERVER
            | NegotiateFlags::ALWAYS_SIGN
            | NegotiateFlags::NEGOTIATE_NTLM
            | NegotiateFlags::NEGOTIATE_SEAL
            | NegotiateFlags::NEGOTIATE_SIGN
            | NegotiateFlags::NEGOTIATE_OEM
            | NegotiateFlags::NEGOTIATE_UNICODE;
        assert_eq!(flags.0.to_le_bytes(), [0x33, 0x82, 0x8a, 0xe2]);
        assert_eq!(flags.names().count(), 13);
    }

    #[test]
    fn bits_without_a_name_are_printed_and_each_name_has_its_own_bit() {
        let every = NegotiateFlags::NAMES
            .iter()
            .fold(0, |all, (flag, _)| all + flag.0);
        assert_eq!(every.count_ones(), 22);
        let flags = NegotiateFlags(!every) | NegotiateFlags::IDENTIFY;
        assert_eq!(flags.to_string(), "IDENTIFY, 0x1d244508");
        assert_eq!(NegotiateFlags::NONE.to_string(), "none");
    }
}
