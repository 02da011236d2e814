use core::fmt;

/// What an [`AvPair`] tells.
///
/// Source: MS-NLMP §2.2.2.1, the values of AvId.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AvId(pub u16);

impl AvId {
    /// The end of a list; no value.
    pub const EOL: Self = Self(0);
    /// The NetBIOS name of the acceptor's machine, in Unicode.
    pub const NB_COMPUTER_NAME: Self = Self(1);
    /// The NetBIOS name of the acceptor's domain, in Unicode.
    pub const NB_DOMAIN_NAME: Self = Self(2);
    /// The DNS name of the acceptor's machine, in Unicode.
    pub const DNS_COMPUTER_NAME: Self = Self(3);
    /// The DNS name of the acceptor's domain, in Unicode.
    pub const DNS_DOMAIN_NAME: Self = Self(4);
    /// The DNS name of the acceptor's forest, in Unicode.
    pub const DNS_TREE_NAME: Self = Self(5);
    /// [`AvFlags`].
    pub const FLAGS: Self = Self(6);
    /// The acceptor's time, a FILETIME.
    pub const TIMESTAMP: Self = Self(7);
    /// A [`SingleHostData`](super::SingleHostData).
    pub const SINGLE_HOST: Self = Self(8);
    /// The service principal name of the target that the initiator means, in Unicode.
    pub const TARGET_NAME: Self = Self(9);
    /// The MD5 hash of the channel bindings (RFC 4121 §4.1.1.2); all zero for none.
    pub const CHANNEL_BINDINGS: Self = Self(10);

    /// The name in MS-NLMP §2.2.2.1.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::EOL => "MsvAvEOL",
            Self::NB_COMPUTER_NAME => "MsvAvNbComputerName",
            Self::NB_DOMAIN_NAME => "MsvAvNbDomainName",
            Self::DNS_COMPUTER_NAME => "MsvAvDnsComputerName",
            Self::DNS_DOMAIN_NAME => "MsvAvDnsDomainName",
            Self::DNS_TREE_NAME => "MsvAvDnsTreeName",
            Self::FLAGS => "MsvAvFlags",
            Self::TIMESTAMP => "MsvAvTimestamp",
            Self::SINGLE_HOST => "MsvAvSingleHost",
            Self::TARGET_NAME => "MsvAvTargetName",
            Self::CHANNEL_BINDINGS => "MsvAvChannelBindings",
            _ => return None,
        })
    }

    /// Whether the value is text in Unicode.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(
            self,
            Self::NB_COMPUTER_NAME
                | Self::NB_DOMAIN_NAME
                | Self::DNS_COMPUTER_NAME
                | Self::DNS_DOMAIN_NAME
                | Self::DNS_TREE_NAME
                | Self::TARGET_NAME
        )
    }
}

/// The name, or the number.
impl fmt::Display for AvId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "AvId {:#06x}", self.0),
        }
    }
}

impl fmt::Debug for AvId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AvId({} {self})", self.0)
    }
}

/// One thing told, in a list of [`AvPairs`](super::AvPairs).
///
/// ```text
/// 0   AvId    u16 little-endian
/// 2   AvLen   u16
/// 4   Value
/// ```
///
/// Source: MS-NLMP §2.2.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvPair<'a> {
    /// What it tells.
    pub id: AvId,
    /// The value, well-formed for its AvId.
    pub value: &'a [u8],
}

/// The value of [`AvId::FLAGS`].
///
/// Source: MS-NLMP §2.2.2.1. Bits that are not known are kept and to be ignored.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct AvFlags(pub u32);

impl AvFlags {
    /// The account's authentication is constrained.
    pub const CONSTRAINED: Self = Self(1);
    /// The AUTHENTICATE has a MIC. It is part of what the response proves, so nobody can take the
    /// MIC away unnoticed.
    pub const MIC_PROVIDED: Self = Self(2);
    /// The target's name in [`AvId::TARGET_NAME`] comes from a source that is not trusted.
    pub const UNVERIFIED_TARGET: Self = Self(4);

    /// Whether every flag of `other` is set here.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of the flags that are set and have one.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [
            (Self::CONSTRAINED, "CONSTRAINED"),
            (Self::MIC_PROVIDED, "MIC_PROVIDED"),
            (Self::UNVERIFIED_TARGET, "UNVERIFIED_TARGET"),
        ]
        .into_iter()
        .filter(move |(flag, _)| self.contains(*flag))
        .map(|(_, name)| name)
    }
}

impl core::ops::BitOr for AvFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for AvFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AvFlags({:#x}", self.0)?;
        self.names().try_for_each(|name| write!(f, " {name}"))?;
        f.write_str(")")
    }
}
