use core::fmt;

/// X.690 8.1.2: an identifier octet: class, primitive or constructed, number 0 to 30.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag(pub u8);

/// X.690 8.1.2.2, table 1: the class of a [`Tag`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Types that ASN.1 itself defines.
    Universal,
    /// Types of one application; the messages of RFC 4120.
    Application,
    /// Fields of the enclosing type.
    Context,
    /// Types of one enterprise.
    Private,
}

impl Tag {
    /// BOOLEAN.
    pub const BOOLEAN: Self = Self(0x01);
    /// INTEGER.
    pub const INTEGER: Self = Self(0x02);
    /// BIT STRING, primitive.
    pub const BIT_STRING: Self = Self(0x03);
    /// OCTET STRING, primitive.
    pub const OCTET_STRING: Self = Self(0x04);
    /// NULL.
    pub const NULL: Self = Self(0x05);
    /// OBJECT IDENTIFIER.
    pub const OID: Self = Self(0x06);
    /// ENUMERATED.
    pub const ENUMERATED: Self = Self(0x0a);
    /// UTF8String.
    pub const UTF8_STRING: Self = Self(0x0c);
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: Self = Self(0x18);
    /// GeneralString, the only alternative of KerberosString (RFC 4120 §5.2.1).
    pub const GENERAL_STRING: Self = Self(0x1b);
    /// SEQUENCE and SEQUENCE OF.
    pub const SEQUENCE: Self = Self(0x30);

    /// The constructed tag `[number]`, number 0 to 30.
    #[must_use]
    #[inline]
    pub const fn context(number: u8) -> Self {
        Self(0xa0 | (number & 0x1f))
    }

    /// The constructed tag `[APPLICATION number]`, number 0 to 30.
    #[must_use]
    #[inline]
    pub const fn application(number: u8) -> Self {
        Self(0x60 | (number & 0x1f))
    }

    /// The class.
    #[must_use]
    pub const fn class(self) -> Class {
        match self.0 >> 6 {
            0 => Class::Universal,
            1 => Class::Application,
            2 => Class::Context,
            _ => Class::Private,
        }
    }

    /// The number; 31 announces the multi-octet form, which is refused.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0 & 0x1f
    }

    /// Whether the contents are themselves elements.
    #[must_use]
    pub const fn is_constructed(self) -> bool {
        self.0 & 0x20 != 0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::BOOLEAN => "BOOLEAN",
            Self::INTEGER => "INTEGER",
            Self::BIT_STRING => "BIT STRING",
            Self::OCTET_STRING => "OCTET STRING",
            Self::NULL => "NULL",
            Self::OID => "OBJECT IDENTIFIER",
            Self::ENUMERATED => "ENUMERATED",
            Self::UTF8_STRING => "UTF8String",
            Self::GENERALIZED_TIME => "GeneralizedTime",
            Self::GENERAL_STRING => "GeneralString",
            Self::SEQUENCE => "SEQUENCE",
            _ => {
                let number = self.number();
                let form = if self.is_constructed() {
                    ""
                } else {
                    " primitive"
                };
                return match self.class() {
                    Class::Universal => write!(f, "[UNIVERSAL {number}]{form}"),
                    Class::Application => write!(f, "[APPLICATION {number}]{form}"),
                    Class::Context => write!(f, "[{number}]{form}"),
                    Class::Private => write!(f, "[PRIVATE {number}]{form}"),
                };
            }
        };
        f.write_str(name)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({:#04x}, {self})", self.0)
    }
}
