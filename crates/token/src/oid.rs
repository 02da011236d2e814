//! Object identifiers, as the DER contents octets that tokens carry.

use alloc::vec::Vec;
use core::fmt;

use crate::der::{Decode, Encode, Reader, Tag, Writer};
use crate::error::{DecodeError, DecodeErrorKind};

/// An OBJECT IDENTIFIER: borrowed contents octets (X.690 8.19), well-formed, compared as bytes.
///
/// ```
/// use countersign_token::oid::Oid;
///
/// assert_eq!(Oid::KERBEROS.to_string(), "1.2.840.113554.1.2.2");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid<'a> {
    contents: &'a [u8],
}

impl Oid<'static> {
    /// 1.2.840.113554.1.2.2, Kerberos 5 (RFC 1964 §1).
    pub const KERBEROS: Self = Self {
        contents: b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02",
    };
    /// 1.2.840.48018.1.2.2, Kerberos 5 as Windows 2000 misspelled it (MS-SPNG §3.1.5.2).
    pub const MS_KERBEROS: Self = Self {
        contents: b"\x2a\x86\x48\x82\xf7\x12\x01\x02\x02",
    };
    /// 1.2.840.113554.1.2.2.3, Kerberos 5 user-to-user (draft-swift-win2k-krb-user2user-03).
    pub const KERBEROS_USER_TO_USER: Self = Self {
        contents: b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x03",
    };
    /// 1.3.6.1.5.2.5, IAKERB (draft-ietf-kitten-iakerb 3).
    pub const IAKERB: Self = Self {
        contents: b"\x2b\x06\x01\x05\x02\x05",
    };
    /// 1.3.6.1.5.5.2, SPNEGO (RFC 4178 §3).
    pub const SPNEGO: Self = Self {
        contents: b"\x2b\x06\x01\x05\x05\x02",
    };
    /// 1.3.6.1.4.1.311.2.2.10, NTLM (MS-NLMP §1.9).
    pub const NTLMSSP: Self = Self {
        contents: b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a",
    };
    /// 1.3.6.1.4.1.311.2.2.30, NEGOEX (MS-NEGOEX §1.9), known only to be named.
    pub const NEGOEX: Self = Self {
        contents: b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x1e",
    };
}

impl Oid<'static> {
    /// The identifier with these DER contents octets, for constants: where they are malformed, the
    /// program does not compile.
    ///
    /// ```
    /// use countersign_token::oid::Oid;
    ///
    /// const USER_NAME: Oid<'static> = Oid::from_static(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x01");
    /// assert_eq!(USER_NAME.to_string(), "1.2.840.113554.1.2.1.1");
    /// ```
    ///
    /// # Panics
    /// On malformed octets, where it is called outside of a constant; see
    /// [`from_contents`](Self::from_contents).
    #[must_use]
    pub const fn from_static(contents: &'static [u8]) -> Self {
        let (mut rest, mut starts_arc) = (contents, true);
        while let Some((octet, after)) = rest.split_first() {
            assert!(!starts_arc || *octet != 0x80, "an arc begins with 0x80");
            starts_arc = *octet & 0x80 == 0;
            rest = after;
        }
        assert!(
            !contents.is_empty() && starts_arc,
            "the last arc does not end"
        );
        Self { contents }
    }
}

impl<'a> Oid<'a> {
    /// The identifier with these DER contents octets.
    ///
    /// # Errors
    /// [`DecodeErrorKind::MalformedOid`]: no octets, a padded arc, or an arc that does not end.
    pub fn from_contents(contents: &'a [u8]) -> Result<Self, DecodeError> {
        Self::checked(Reader::new(contents))
    }

    /// The DER contents octets, without tag and length.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.contents
    }

    /// Whether this is Kerberos 5 under either of its identifiers.
    #[must_use]
    pub fn is_kerberos(&self) -> bool {
        *self == Oid::KERBEROS || *self == Oid::MS_KERBEROS
    }

    /// The name of the mechanism, if it is one of the constants here.
    #[must_use]
    pub fn mechanism_name(&self) -> Option<&'static str> {
        [
            (Oid::KERBEROS, "Kerberos 5"),
            (Oid::MS_KERBEROS, "Kerberos 5, Windows 2000"),
            (Oid::KERBEROS_USER_TO_USER, "Kerberos 5 user-to-user"),
            (Oid::IAKERB, "IAKERB"),
            (Oid::SPNEGO, "SPNEGO"),
            (Oid::NTLMSSP, "NTLM"),
            (Oid::NEGOEX, "NEGOEX"),
        ]
        .into_iter()
        .find(|(oid, _)| oid == self)
        .map(|(_, name)| name)
    }

    fn checked(reader: Reader<'a>) -> Result<Self, DecodeError> {
        let contents = reader.remaining();
        let mut starts_arc = true;
        for octet in contents {
            // X.690 8.19.2: the first octet of an arc is not 0x80.
            if starts_arc && *octet == 0x80 {
                return Err(reader.error(DecodeErrorKind::MalformedOid));
            }
            starts_arc = octet & 0x80 == 0;
        }
        if contents.is_empty() || !starts_arc {
            return Err(reader.error(DecodeErrorKind::MalformedOid));
        }
        Ok(Self { contents })
    }

    /// The identifier's DER: tag, length and contents.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        Encode::to_der(self)
    }
}

impl<'a> Decode<'a> for Oid<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Self::checked(reader.read(Tag::OID)?)
    }
}

impl Encode for Oid<'_> {
    fn encode(&self, writer: &mut Writer) {
        writer.element(Tag::OID, self.contents);
    }
}

impl fmt::Display for Oid<'_> {
    /// Dotted decimal; an arc of more than 128 bits is written `*`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut arc = Some(0_u128);
        let mut first = true;
        for octet in self.contents {
            arc = arc
                .filter(|arc| arc >> 121 == 0)
                .map(|arc| (arc << 7) | u128::from(octet & 0x7f));
            if octet & 0x80 != 0 {
                continue;
            }
            match (first, arc) {
                // X.690 8.19.4: the first two arcs share one number, 40 times the first plus the
                // second, the first being at most 2.
                (true, Some(both)) => {
                    let root = (both / 40).min(2);
                    write!(f, "{root}.{}", both.saturating_sub(root.saturating_mul(40)))?;
                }
                (false, Some(arc)) => write!(f, ".{arc}")?,
                (true, None) => f.write_str("2.*")?,
                (false, None) => f.write_str(".*")?,
            }
            first = false;
            arc = Some(0);
        }
        Ok(())
    }
}

impl fmt::Debug for Oid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn constants_are_the_identifiers_of_their_specifications() {
        for (oid, dotted) in [
            (Oid::KERBEROS, "1.2.840.113554.1.2.2"),
            (Oid::MS_KERBEROS, "1.2.840.48018.1.2.2"),
            (Oid::KERBEROS_USER_TO_USER, "1.2.840.113554.1.2.2.3"),
            (Oid::IAKERB, "1.3.6.1.5.2.5"),
            (Oid::SPNEGO, "1.3.6.1.5.5.2"),
            (Oid::NTLMSSP, "1.3.6.1.4.1.311.2.2.10"),
            (Oid::NEGOEX, "1.3.6.1.4.1.311.2.2.30"),
        ] {
            assert_eq!(oid.to_string(), dotted);
            assert_eq!(Oid::from_der(&oid.to_der()), Ok(oid));
        }
    }

    #[test]
    fn roots_and_huge_arcs_are_displayed() {
        let show = |contents| Oid::from_contents(contents).map(|oid| oid.to_string());
        assert_eq!(show(&[0x88, 0x37, 3]).as_deref(), Ok("2.999.3"));
        assert_eq!(show(&[39]).as_deref(), Ok("0.39"));
        assert_eq!(show(&[40]).as_deref(), Ok("1.0"));
        let mut huge = [0xff; 22];
        huge[0] = 0x2a;
        huge[21] = 0x7f;
        assert_eq!(show(&huge).as_deref(), Ok("1.2.*"));
    }

    #[test]
    fn empty_padded_and_unfinished_identifiers_are_refused() {
        for contents in [&[][..], &[0x2a, 0x80, 1], &[0x2a, 0x86]] {
            let error = Oid::from_contents(contents).unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::MalformedOid);
        }
        assert!(Oid::from_contents(&[0x2a, 0x86, 0x48]).is_ok());
    }

    /// What a constant is checked by is what input is checked by.
    #[test]
    fn constants_are_checked_as_identifiers_from_the_wire_are() {
        for oid in [Oid::KERBEROS, Oid::SPNEGO, Oid::NTLMSSP, Oid::IAKERB] {
            let contents: &'static [u8] = oid.as_bytes();
            assert_eq!(Oid::from_static(contents), oid);
            assert_eq!(Oid::from_contents(contents), Ok(oid));
        }
        assert_eq!(
            alloc::format!("{:?}", Oid::from_static(&[0x2a, 3])),
            "Oid(1.2.3)"
        );
    }

    #[test]
    #[should_panic(expected = "an arc begins with 0x80")]
    fn a_constant_with_a_padded_arc_panics() {
        let _ = Oid::from_static(&[0x2a, 0x80, 1]);
    }

    #[test]
    #[should_panic(expected = "the last arc does not end")]
    fn a_constant_that_does_not_end_panics() {
        let _ = Oid::from_static(&[0x2a, 0x86]);
    }

    /// RFC 4178 §4.1: by the whole identifier. MS-SPNG §3.1.5.2 has a second one of Kerberos.
    #[test]
    fn both_identifiers_of_kerberos_are_kerberos_and_its_kin_are_not() {
        assert!(Oid::KERBEROS.is_kerberos() && Oid::MS_KERBEROS.is_kerberos());
        for other in [Oid::KERBEROS_USER_TO_USER, Oid::IAKERB, Oid::NEGOEX] {
            assert!(!other.is_kerberos());
            assert!(other.mechanism_name().is_some());
        }
        assert_eq!(Oid::from_static(&[0x2a, 3]).mechanism_name(), None);
        // Arcs of more than 128 bits, the first and a later one.
        let mut huge = [0xff; 20];
        huge[19] = 0x7f;
        assert_eq!(
            Oid::from_contents(&huge).map(|oid| oid.to_string()),
            Ok("2.*".into())
        );
    }
}
