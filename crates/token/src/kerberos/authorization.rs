//! Authorization data, RFC 4120 §5.2.6, and its elements inside elements.

use super::data::Checksum;
use super::macros::sequence;
use super::principal::{PrincipalName, Realm};
use crate::der::{Decode, Iter, SequenceOf, Tag, Writer};
use crate::error::{DecodeError, DecodeErrorKind};

sequence! {
    /// An element of authorization data.
    ///
    /// ```text
    /// AuthorizationData       ::= SEQUENCE OF SEQUENCE {
    ///         ad-type         [0] Int32,
    ///         ad-data         [1] OCTET STRING
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.2.6.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AuthorizationDataEntry<'a> {
        /// The type.
        [0] ad_type: i32,
        /// The value, which the type gives a meaning.
        [1] ad_data: &'a [u8],
    }
}

/// RFC 4120 §5.2.6: `AuthorizationData ::= SEQUENCE OF SEQUENCE { .. }`, where it is there not
/// empty.
pub type AuthorizationData<'a> = SequenceOf<'a, AuthorizationDataEntry<'a>>;

/// RFC 4537 §3: `EtypeList ::= SEQUENCE OF Int32`, the initiator's enctypes in preference order.
pub type EtypeList<'a> = SequenceOf<'a, i32>;

impl AuthorizationDataEntry<'_> {
    /// RFC 4120 §5.2.6.1: an [`AuthorizationData`] that may be ignored if it is not understood.
    pub const IF_RELEVANT: i32 = 1;
    /// RFC 4120 §5.2.6.2: an [`AdKdcIssued`].
    pub const KDC_ISSUED: i32 = 4;
    /// RFC 4120 §5.2.6.3: an [`AdAndOr`].
    pub const AND_OR: i32 = 5;
    /// RFC 4120 §5.2.6.4: an [`AuthorizationData`] for the KDC, which services ignore.
    pub const MANDATORY_FOR_KDC: i32 = 8;
    /// RFC 6113 §5.4.1.1.
    pub const FX_FAST_ARMOR: i32 = 71;
    /// RFC 7751 §4.
    pub const CAMMAC: i32 = 96;
    /// MS-PAC §2: a PAC.
    pub const WIN2K_PAC: i32 = 128;
    /// RFC 4537 §3: an [`EtypeList`].
    pub const ETYPE_NEGOTIATION: i32 = 129;
    /// MS-KILE §3.2.5.8: KERB_AUTH_DATA_TOKEN_RESTRICTIONS.
    pub const TOKEN_RESTRICTIONS: i32 = 141;
    /// MS-KILE §2.2.4: KERB-LOCAL.
    pub const LOCAL: i32 = 142;
    /// MS-KILE §3.2.5.8: AD-AUTH-DATA-AP-OPTIONS, 32 little-endian bits.
    pub const AP_OPTIONS: i32 = 143;
    /// MS-KILE §3.2.5.8: the client's idea of the service's name, UTF-16.
    pub const TARGET_PRINCIPAL: i32 = 144;

    /// Appends an element of this type whose value `body` writes, where it has not been put together before.
    pub fn write(writer: &mut Writer, ad_type: i32, body: impl FnOnce(&mut Writer)) {
        writer.nest(Tag::SEQUENCE, |writer| {
            writer.field(0, &ad_type);
            writer.nest(Tag::context(1), |writer| {
                writer.nest(Tag::OCTET_STRING, body);
            });
        });
    }
}

sequence! {
    /// Elements that the KDC itself vouches for.
    ///
    /// ```text
    /// AD-KDCIssued            ::= SEQUENCE {
    ///         ad-checksum     [0] Checksum,
    ///         i-realm         [1] Realm OPTIONAL,
    ///         i-sname         [2] PrincipalName OPTIONAL,
    ///         elements        [3] AuthorizationData
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.2.6.2.
    #[derive(Clone, Copy, Debug)]
    pub struct AdKdcIssued<'a> {
        /// A checksum of the elements in the session key, key usage 19.
        [0] ad_checksum: Checksum<'a>,
        /// The issuer's realm.
        [1] i_realm: Option<Realm<'a>>,
        /// The issuer.
        [2] i_sname: Option<PrincipalName<'a>>,
        /// The elements.
        [3] elements: AuthorizationData<'a>,
    }
}

sequence! {
    /// Elements some of which must hold.
    ///
    /// ```text
    /// AD-AND-OR               ::= SEQUENCE {
    ///         condition-count [0] Int32,
    ///         elements        [1] AuthorizationData
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.2.6.3.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AdAndOr<'a> {
        /// How many must hold.
        [0] condition_count: i32,
        /// The elements.
        [1] elements: AuthorizationData<'a>,
    }
}

/// How deep AD-IF-RELEVANT may be nested.
pub const MAX_DEPTH: usize = 8;

/// An element of authorization data, found at any depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// The type and value.
    pub entry: AuthorizationDataEntry<'a>,
    /// Whether an AD-IF-RELEVANT is around it: who does not understand it may ignore it
    /// (RFC 4120 §5.2.6.1). Anything else that is not understood makes the ticket unusable.
    pub if_relevant: bool,
}

/// The elements of `data` and of every AD-IF-RELEVANT in it, in order, in constant stack.
///
/// ```
/// use countersign_token::der::{Encode, SequenceOf};
/// use countersign_token::kerberos::{AuthorizationData, AuthorizationDataEntry, authorization};
///
/// let inner = [AuthorizationDataEntry { ad_type: 128, ad_data: b"PAC" }];
/// let inner = SequenceOf::new(&inner).to_der();
/// let outer = [AuthorizationDataEntry { ad_type: 1, ad_data: &inner }];
/// let data = AuthorizationData::new(&outer);
/// let element = authorization::elements(&data).next().unwrap()?;
/// assert_eq!(element.entry.ad_data, b"PAC");
/// assert!(element.if_relevant);
/// # Ok::<_, countersign_token::DecodeError>(())
/// ```
#[must_use]
pub fn elements<'a>(data: &AuthorizationData<'a>) -> Elements<'a> {
    Elements {
        outer: data.iter(),
        inner: [const { None }; MAX_DEPTH],
        depth: 0,
    }
}

/// The iterator that [`elements`] returns. After an error it ends.
#[derive(Clone)]
pub struct Elements<'a> {
    outer: Iter<'a, AuthorizationDataEntry<'a>>,
    /// The AD-IF-RELEVANTs that are open, the outermost first.
    inner: [Option<Iter<'a, AuthorizationDataEntry<'a>>>; MAX_DEPTH],
    depth: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let level = self
                .depth
                .checked_sub(1)
                .and_then(|top| self.inner.get_mut(top));
            let entry = match level {
                Some(Some(level)) => level.next(),
                Some(None) => None,
                None => Some(self.outer.next()?),
            };
            let Some(entry) = entry else {
                self.depth = self.depth.saturating_sub(1);
                continue;
            };
            if entry.ad_type != AuthorizationDataEntry::IF_RELEVANT {
                return Some(Ok(Element {
                    entry,
                    if_relevant: self.depth > 0,
                }));
            }
            let opened = AuthorizationData::from_der(entry.ad_data).and_then(|data| {
                let place = self.inner.get_mut(self.depth).ok_or(DecodeError::new(
                    0,
                    DecodeErrorKind::TooDeep { limit: MAX_DEPTH },
                ))?;
                *place = Some(data.iter());
                Ok(())
            });
            match opened {
                Ok(()) => self.depth = self.depth.saturating_add(1),
                Err(error) => {
                    self.depth = 0;
                    self.outer = AuthorizationData::EMPTY.iter();
                    return Some(Err(error));
                }
            }
        }
    }
}

impl core::fmt::Debug for Elements<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Elements")
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::der::Encode;

    fn nested(depth: usize) -> Vec<u8> {
        let leaf = [AuthorizationDataEntry {
            ad_type: 128,
            ad_data: b"leaf",
        }];
        let mut der = SequenceOf::new(&leaf).to_der();
        for _ in 0..depth {
            let entry = [AuthorizationDataEntry {
                ad_type: 1,
                ad_data: &der,
            }];
            der = SequenceOf::new(&entry).to_der();
        }
        der
    }

    #[test]
    fn nesting_is_followed_to_the_limit_and_not_beyond() {
        let der = nested(MAX_DEPTH);
        let data = AuthorizationData::from_der(&der).unwrap();
        let found: Vec<_> = elements(&data).collect();
        assert_eq!(found.len(), 1);
        assert!(found[0].unwrap().if_relevant);

        let der = nested(MAX_DEPTH + 1);
        let data = AuthorizationData::from_der(&der).unwrap();
        let found: Vec<_> = elements(&data).collect();
        assert_eq!(found.len(), 1);
        let limit = DecodeErrorKind::TooDeep { limit: MAX_DEPTH };
        assert_eq!(found[0].unwrap_err().kind(), limit);
    }

    #[test]
    fn an_element_written_in_place_is_that_of_the_bytes() {
        let mut writer = Writer::with_capacity(0);
        AuthorizationDataEntry::write(&mut writer, 143, |writer| writer.bytes(&[0x5c; 200]));
        let element = AuthorizationDataEntry {
            ad_type: 143,
            ad_data: &[0x5c; 200],
        };
        assert_eq!(writer.into_vec(), element.to_der());
    }

    #[test]
    fn elements_come_in_order_across_levels() {
        let inner = nested(1);
        let entries = [
            AuthorizationDataEntry {
                ad_type: 7,
                ad_data: b"a",
            },
            AuthorizationDataEntry {
                ad_type: 1,
                ad_data: &inner,
            },
            AuthorizationDataEntry {
                ad_type: 9,
                ad_data: b"b",
            },
        ];
        let data = AuthorizationData::new(&entries);
        let found: Vec<_> = elements(&data)
            .map(|e| e.map(|e| (e.entry.ad_type, e.if_relevant)).unwrap())
            .collect();
        assert_eq!(found, [(7, false), (128, true), (9, false)]);
    }

    #[test]
    fn an_if_relevant_that_does_not_decode_is_an_error_and_ends_the_iteration() {
        let entries = [
            AuthorizationDataEntry {
                ad_type: 1,
                ad_data: b"\x30\x80",
            },
            AuthorizationDataEntry {
                ad_type: 9,
                ad_data: b"b",
            },
        ];
        let mut elements = elements(&AuthorizationData::new(&entries));
        assert!(elements.next().unwrap().is_err());
        assert!(elements.next().is_none());
    }

    #[test]
    fn what_is_open_is_printed_by_its_depth_without_the_data() {
        let der = nested(2);
        let data = AuthorizationData::from_der(&der).unwrap();
        let mut elements = elements(&data);
        assert_eq!(alloc::format!("{elements:?}"), "Elements { depth: 0, .. }");
        elements.next();
        assert_eq!(alloc::format!("{elements:?}"), "Elements { depth: 2, .. }");
    }
}
