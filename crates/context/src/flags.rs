//! Properties of a security context, asked, required and granted.

use core::fmt;
use core::ops::{BitAnd, BitOr, BitOrAssign, Not};

/// Context flags with the values that RFC 2744 appendix A and RFC 4121 §4.1.1.1 assign, and the
/// extensions in use beside them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(u32);

impl Flags {
    /// No property.
    pub const NONE: Self = Self(0);
    /// The initiator's credential is delegated to the acceptor.
    pub const DELEGATION: Self = Self(0x1);
    /// The acceptor proves its identity too.
    pub const MUTUAL: Self = Self(0x2);
    /// Replayed messages are detected.
    pub const REPLAY: Self = Self(0x4);
    /// Messages out of order or missing are detected.
    pub const SEQUENCE: Self = Self(0x8);
    /// Messages can be sealed.
    pub const CONFIDENTIALITY: Self = Self(0x10);
    /// Messages can be signed.
    pub const INTEGRITY: Self = Self(0x20);
    /// The initiator stays anonymous: the name that it goes by says nothing of who it is
    /// (RFC 8062).
    pub const ANONYMOUS: Self = Self(0x40);
    /// Channel bindings were present and matched (an extension of MIT and Heimdal).
    pub const CHANNEL_BOUND: Self = Self(0x800);
    /// DCE style: three legs, tokens without framing (MS-KILE §3.4.5.1).
    pub const DCE_STYLE: Self = Self(0x1000);
    /// The acceptor may identify the initiator but not act for it (RFC 4757 §7.1).
    pub const IDENTIFY: Self = Self(0x2000);
    /// Errors are told to the peer in tokens (RFC 4757 §7.1).
    pub const EXTENDED_ERROR: Self = Self(0x4000);

    /// The flags with exactly these bits.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits, as RFC 2744 numbers them.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether every flag of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether no flag is set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The flags of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The flags of this set that `other` lacks.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    const NAMES: [(Self, &'static str); 12] = [
        (Self::DELEGATION, "delegation"),
        (Self::MUTUAL, "mutual"),
        (Self::REPLAY, "replay"),
        (Self::SEQUENCE, "sequence"),
        (Self::CONFIDENTIALITY, "confidentiality"),
        (Self::INTEGRITY, "integrity"),
        (Self::ANONYMOUS, "anonymous"),
        (Self::CHANNEL_BOUND, "channel-bound"),
        (Self::DCE_STYLE, "dce-style"),
        (Self::IDENTIFY, "identify"),
        (Self::EXTENDED_ERROR, "extended-error"),
        (Self(0x8000), "delegation-policy"),
    ];
}

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Flags {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Flags {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

/// `mutual, confidentiality`; bits without a name as hexadecimal; `none` when empty.
impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        let mut rest = *self;
        let mut separator = "";
        for (flag, name) in Self::NAMES {
            if self.contains(flag) {
                write!(f, "{separator}{name}")?;
                separator = ", ";
                rest = rest.difference(flag);
            }
        }
        if !rest.is_empty() {
            write!(f, "{separator}{:#x}", rest.0)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_flags_behave_as_sets() {
        let (a, b) = (Flags::MUTUAL, Flags::MUTUAL | Flags::REPLAY);
        assert_eq!(a.union(b), b);
        assert_eq!(a | b, b);
        assert_eq!(a & b, a);
        assert_eq!(b.difference(a), Flags::REPLAY);
        assert_eq!(a.difference(b), Flags::NONE);
        assert!(b.contains(a) && !a.contains(b) && a.contains(Flags::NONE));
        assert_eq!(!(!b), b);
        assert!(!(!b).contains(a));
        let mut sum = a;
        sum |= b;
        assert_eq!(sum, b);
        assert_eq!(Flags::from_bits(b.bits()), b);
    }

    #[test]
    fn flags_print_their_names_and_what_has_none() {
        assert_eq!(Flags::NONE.to_string(), "none");
        let both = Flags::MUTUAL | Flags::DCE_STYLE;
        assert_eq!(both.to_string(), "mutual, dce-style");
        let odd = Flags::from_bits(0x8000_0000) | Flags::MUTUAL;
        assert_eq!(odd.to_string(), "mutual, 0x80000000");
        assert_eq!(Flags::from_bits(0x10_0000).to_string(), "0x100000");
    }
}
