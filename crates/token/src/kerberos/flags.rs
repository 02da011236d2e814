use crate::der::{Reader, Tag};
use crate::error::{DecodeError, DecodeErrorKind};

/// RFC 4120 §5.2.8: `KerberosFlags ::= BIT STRING (SIZE (32..MAX))`.
///
/// Bits after the 32nd are dropped, since no specification names one; bits that a peer left out
/// are zero (see docs/TOLERANCES.md).
#[inline]
pub(crate) fn read_flags(reader: &mut Reader<'_>) -> Result<u32, DecodeError> {
    let contents = reader.read(Tag::BIT_STRING)?;
    match *contents.remaining() {
        [0, a, b, c, d] => Ok(u32::from_be_bytes([a, b, c, d])),
        ref octets => read_odd_flags(contents, octets),
    }
}

#[cold]
fn read_odd_flags(contents: Reader<'_>, octets: &[u8]) -> Result<u32, DecodeError> {
    let malformed = || contents.error(DecodeErrorKind::MalformedBitString);
    let (unused, octets) = octets.split_first().ok_or_else(malformed)?;
    // X.690 8.6.2.2 and 8.6.2.3: at most seven bits are unused, and of nothing none.
    if *unused > 7 || (octets.is_empty() && *unused != 0) {
        return Err(malformed());
    }
    // X.690 11.2.1: unused bits are zero.
    let mask = 0xff_u8.checked_shl(u32::from(*unused)).unwrap_or(0);
    if octets.last().is_some_and(|last| last & !mask != 0) {
        return Err(malformed());
    }
    let mut flags = [0; 4];
    for (flag, octet) in flags.iter_mut().zip(octets) {
        *flag = *octet;
    }
    Ok(u32::from_be_bytes(flags))
}

macro_rules! flags {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$flag_meta:meta])* $flag:ident = $bit:literal,)*
        }
    ) => {
        $(#[$meta])*
        ///
        /// Bit 0 of the ASN.1 type is the most significant bit, 0x8000_0000.
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct $name(pub u32);

        impl $name {
            $($(#[$flag_meta])* pub const $flag: Self = Self(0x8000_0000 >> $bit);)*

            /// No flags.
            pub const NONE: Self = Self(0);

            /// Whether every flag of `other` is set here.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// These flags without those of `other`.
            #[must_use]
            pub const fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// The names of the flags that are set and have one.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                [$((Self::$flag, stringify!($flag))),*]
                    .into_iter()
                    .filter(move |(flag, _)| self.contains(*flag))
                    .map(|(_, name)| name)
            }
        }

        impl core::ops::BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl core::ops::BitOrAssign for $name {
            fn bitor_assign(&mut self, other: Self) {
                self.0 |= other.0;
            }
        }

        impl core::ops::BitAnd for $name {
            type Output = Self;

            fn bitand(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}({:#010x}", stringify!($name), self.0)?;
                self.names().try_for_each(|name| write!(f, " {name}"))?;
                f.write_str(")")
            }
        }
    };
}

macro_rules! kerberos_flags {
    ($name:ident) => {
        impl<'a> $crate::der::Decode<'a> for $name {
            #[inline]
            fn decode(
                reader: &mut $crate::der::Reader<'a>,
            ) -> Result<Self, $crate::error::DecodeError> {
                $crate::kerberos::flags::read_flags(reader).map(Self)
            }
        }

        impl $crate::der::Encode for $name {
            fn encode(&self, writer: &mut $crate::der::Writer) {
                let [a, b, c, d] = self.0.to_be_bytes();
                writer.element($crate::der::Tag::BIT_STRING, &[0, a, b, c, d]);
            }
        }
    };
}

pub(crate) use {flags, kerberos_flags};

flags! {
    /// RFC 4120 §5.5.1: `APOptions ::= KerberosFlags`.
    pub struct ApOptions {
        /// The ticket is encrypted in the acceptor's session key: user-to-user.
        USE_SESSION_KEY = 1,
        /// The initiator requires mutual authentication.
        MUTUAL_REQUIRED = 2,
    }
}

flags! {
    /// RFC 4120 §5.3: `TicketFlags ::= KerberosFlags`.
    pub struct TicketFlags {
        /// RFC 4120 §2.6.
        FORWARDABLE = 1,
        /// RFC 4120 §2.6.
        FORWARDED = 2,
        /// RFC 4120 §2.5.
        PROXIABLE = 3,
        /// RFC 4120 §2.5.
        PROXY = 4,
        /// RFC 4120 §2.4.
        MAY_POSTDATE = 5,
        /// RFC 4120 §2.4.
        POSTDATED = 6,
        /// RFC 4120 §2.2: not to be accepted until a KDC has validated it.
        INVALID = 7,
        /// RFC 4120 §2.3.
        RENEWABLE = 8,
        /// RFC 4120 §2.1: issued by the AS exchange.
        INITIAL = 9,
        /// RFC 4120 §2.1.
        PRE_AUTHENT = 10,
        /// RFC 4120 §2.1.
        HW_AUTHENT = 11,
        /// RFC 4120 §2.7.
        TRANSITED_POLICY_CHECKED = 12,
        /// RFC 4120 §2.8: the realm trusts this service with delegated credentials.
        OK_AS_DELEGATE = 13,
        /// RFC 6806 §11: the reply protects its pre-authentication data.
        ENC_PA_REP = 15,
        /// RFC 8062 §3: the client is anonymous.
        ANONYMOUS = 16,
    }
}

flags! {
    /// RFC 4120 §5.4.1: `KDCOptions ::= KerberosFlags`.
    pub struct KdcOptions {
        /// RFC 4120 §2.6.
        FORWARDABLE = 1,
        /// RFC 4120 §2.6.
        FORWARDED = 2,
        /// RFC 4120 §2.5.
        PROXIABLE = 3,
        /// RFC 4120 §2.5.
        PROXY = 4,
        /// RFC 4120 §2.4.
        ALLOW_POSTDATE = 5,
        /// RFC 4120 §2.4.
        POSTDATED = 6,
        /// RFC 4120 §2.3.
        RENEWABLE = 8,
        /// RFC 4120 §5.4.1.
        OPT_HARDWARE_AUTH = 11,
        /// MS-SFU §2.2.3: constrained delegation, the client's name in an additional ticket.
        CNAME_IN_ADDL_TKT = 14,
        /// RFC 6806 §3: names may be canonicalized.
        CANONICALIZE = 15,
        /// RFC 8062 §3: the client asks to be anonymous.
        REQUEST_ANONYMOUS = 16,
        /// RFC 4120 §2.7.
        DISABLE_TRANSITED_CHECK = 26,
        /// RFC 4120 §5.4.1.
        RENEWABLE_OK = 27,
        /// RFC 4120 §2.9.2: user-to-user.
        ENC_TKT_IN_SKEY = 28,
        /// RFC 4120 §2.3.
        RENEW = 30,
        /// RFC 4120 §2.2.
        VALIDATE = 31,
    }
}

flags! {
    /// RFC 6113 §5.4.2: `FastOptions ::= KerberosFlags`.
    ///
    /// Bits 0 to 15 are critical: a KDC refuses those that it does not know.
    pub struct FastOptions {
        /// RFC 6113 §5.4.2: replies and errors are not to name the client outside the armor.
        HIDE_CLIENT_NAMES = 1,
        /// RFC 6113 §5.4.2: the KDC is to follow referrals itself.
        KDC_FOLLOW_REFERRALS = 16,
    }
}

flags! {
    /// What a client of MS-KILE asks of an Active Directory KDC: the value in a `PA-PAC-OPTIONS`.
    /// Source: MS-KILE §2.2.10.
    pub struct PacOptions {
        /// MS-KILE §2.2.10: the client wants claims.
        CLAIMS = 0,
        /// MS-KILE §2.2.10: the client knows of read-only KDCs of branches.
        BRANCH_AWARE = 1,
        /// MS-KILE §2.2.10: a read-only KDC is to forward the request.
        FORWARD_TO_FULL_DC = 2,
        /// MS-SFU §2.2.5: constrained delegation that the resource's account allows.
        RESOURCE_BASED_CONSTRAINED_DELEGATION = 3,
    }
}

flags! {
    /// The options of an `S4UUserID`, a plain BIT STRING. Source: MS-SFU §2.2.2.
    pub struct S4uOptions {
        /// MS-SFU §2.2.2: the client's logon hours are to be checked.
        CHECK_LOGON_HOURS = 1,
        /// MS-SFU §2.2.2: the reply's checksum is made with key usage 27 instead of 26.
        USE_REPLY_KEY_USAGE = 2,
    }
}

kerberos_flags!(ApOptions);
kerberos_flags!(TicketFlags);
kerberos_flags!(KdcOptions);
kerberos_flags!(FastOptions);
kerberos_flags!(PacOptions);
kerberos_flags!(S4uOptions);

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::der::{Decode, Encode};

    #[test]
    fn bit_zero_is_the_most_significant() {
        assert_eq!(ApOptions::MUTUAL_REQUIRED.0, 0x2000_0000);
        assert_eq!(
            ApOptions::MUTUAL_REQUIRED.to_der(),
            [3, 5, 0, 0x20, 0, 0, 0]
        );
        assert_eq!(KdcOptions::VALIDATE.0, 1);
        assert_eq!(TicketFlags::OK_AS_DELEGATE.0, 0x0004_0000);
    }

    #[test]
    fn short_and_long_bit_strings_are_read_and_impossible_ones_refused() {
        assert_eq!(
            ApOptions::from_der(&[3, 2, 5, 0x20]),
            Ok(ApOptions::MUTUAL_REQUIRED)
        );
        assert_eq!(ApOptions::from_der(&[3, 1, 0]), Ok(ApOptions::NONE));
        let long = [3, 6, 0, 0x20, 0, 0, 0, 0xff];
        assert_eq!(ApOptions::from_der(&long), Ok(ApOptions::MUTUAL_REQUIRED));
        for der in [&[3, 0][..], &[3, 1, 1], &[3, 2, 8, 0], &[3, 2, 6, 0x20]] {
            let error = ApOptions::from_der(der).unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::MalformedBitString);
        }
    }

    #[test]
    fn flags_print_their_names() {
        let flags = TicketFlags::INITIAL | TicketFlags::PRE_AUTHENT;
        assert_eq!(
            format!("{flags:?}"),
            "TicketFlags(0x00600000 INITIAL PRE_AUTHENT)"
        );
    }
}
