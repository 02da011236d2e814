use core::fmt;

use crate::der::Tag;

/// Why bytes are not the token that was asked for, and where.
///
/// ```
/// use countersign_token::{DecodeErrorKind, der::Decode, kerberos::ApReq};
///
/// let error = ApReq::from_der(&[0x6e, 0x80, 0x00, 0x00]).unwrap_err();
/// assert_eq!(error.offset(), 1);
/// assert_eq!(error.kind(), DecodeErrorKind::IndefiniteLength);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    offset: usize,
    kind: DecodeErrorKind,
}

impl DecodeError {
    /// An error at `offset` bytes into the outermost input.
    #[must_use]
    pub const fn new(offset: usize, kind: DecodeErrorKind) -> Self {
        Self { offset, kind }
    }

    /// The offset, in bytes, of the offending byte in the outermost input that was handed to
    /// [`Decode::from_der`](crate::der::Decode::from_der) or to a `parse` function.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// What is wrong there.
    #[must_use]
    pub const fn kind(&self) -> DecodeErrorKind {
        self.kind
    }
}

/// What is wrong with the bytes at a [`DecodeError`]'s offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The input ends before the value does: so many bytes are missing.
    Truncated {
        /// How many bytes more the value needs, at least.
        missing: usize,
    },
    /// The enclosing value ends where this element must be.
    Missing {
        /// The element that must be here.
        expected: Tag,
    },
    /// Another element stands where this one must be.
    UnexpectedTag {
        /// The element that must be here.
        expected: Tag,
        /// The element that is here.
        found: Tag,
    },
    /// Bytes follow the last element of a value.
    TrailingData,
    /// X.690 8.1.3.6: indefinite length, which DER (X.690 10.1) does not have.
    IndefiniteLength,
    /// X.690 10.1: the length is not in the fewest octets.
    NonMinimalLength,
    /// The length needs more than four octets.
    LengthTooLarge,
    /// X.690 8.1.2.4: a tag number above 30; no token here has one.
    HighTagNumber,
    /// X.690 8.3.2: an INTEGER without contents or not in the fewest octets.
    NonMinimalInteger,
    /// The INTEGER is outside the range of its type.
    IntegerOutOfRange,
    /// X.690 11.1: a BOOLEAN other than one octet 0x00 or 0xFF.
    MalformedBoolean,
    /// X.690 8.6.2: a BIT STRING without its count of unused bits, or with an impossible one.
    MalformedBitString,
    /// RFC 4120 §5.2.3: not a `YYYYMMDDHHMMSSZ` time that exists.
    MalformedTime,
    /// RFC 4120 §5.2.4: microseconds above 999,999.
    MicrosecondsOutOfRange,
    /// X.690 8.19: an OBJECT IDENTIFIER without contents, padded, or cut off within an arc.
    MalformedOid,
    /// A version or message type other than the only one possible here.
    UnexpectedNumber {
        /// The number that must be here.
        expected: i32,
        /// The number that is here.
        found: i32,
    },
    /// A SEQUENCE OF has more elements than are accepted.
    TooManyElements {
        /// The greatest number accepted.
        limit: usize,
    },
    /// Values are nested deeper than is accepted.
    TooDeep {
        /// The greatest depth accepted.
        limit: usize,
    },
    /// RFC 4121 §4.1: no token with this identifier is known.
    UnknownTokenId {
        /// The two octets as a big-endian number.
        found: u16,
    },
    /// The token has another identifier than the one that must be here.
    UnexpectedTokenId {
        /// The identifier that must be here, as a big-endian number.
        expected: u16,
        /// The identifier that is here, as a big-endian number.
        found: u16,
    },
    /// RFC 4121 §4.2.6, RFC 1964 §1.2: a filler octet other than 0xFF.
    MalformedFiller,
    /// RFC 4121 §4.1.1: the length of the channel binding field is not 16.
    MalformedBindingLength {
        /// The length that is here.
        found: u32,
    },
    /// RFC 4121 §4.1.1: the delegation option is not 1.
    UnknownDelegationOption {
        /// The option that is here.
        found: u16,
    },
    /// An offset and length in a structure reach outside it.
    OutOfBounds,
    /// MS-PAC §2.3: a buffer of a PAC that does not begin on an 8-byte boundary.
    Unaligned,
    /// Two buffers of a PAC share bytes.
    Overlap,
    /// MS-PAC §2.4: a second buffer of a type of which a PAC has one.
    DuplicateBuffer {
        /// The type.
        buffer_type: u32,
    },
    /// UTF-16 of an odd number of bytes, or with half of a surrogate pair.
    MalformedUtf16,
    /// MS-DTYP §2.4.2: not a security identifier.
    MalformedSid,
    /// MS-RPCE §2.2.6: not the header of a little-endian value of type serialization version 1.
    MalformedNdrHeader,
    /// A null pointer to a value that must be there.
    NullPointer,
    /// An array or string has another length than the one that was declared.
    CountMismatch {
        /// The number that was declared.
        expected: u32,
        /// The number that is here.
        found: u32,
    },
    /// MS-NLMP §2.2.1: the first eight bytes are not `NTLMSSP` and a NUL.
    NotNtlm,
    /// MS-NLMP §2.2.1: an NTLM message of another type than 1, 2 and 3.
    UnknownMessageType {
        /// The type that is here.
        found: u32,
    },
    /// The NTLM message has another type than the one that must be here.
    UnexpectedMessageType {
        /// The type that must be here.
        expected: u32,
        /// The type that is here.
        found: u32,
    },
    /// A second AV_PAIR of one AvId.
    DuplicateAvPair {
        /// The AvId.
        id: u16,
    },
    /// MS-NLMP §2.2.2.1: a list of AV_PAIR that does not end with MsvAvEOL.
    MissingEol,
    /// A value of another length than the only one possible here, or than the least one.
    UnexpectedLength {
        /// The length that must be here.
        expected: usize,
        /// The length that is here.
        found: usize,
    },
    /// To be written: a value that is longer than the field for its length can say.
    ValueTooLong {
        /// The greatest length that can be said.
        limit: usize,
    },
    /// RFC 2743 §3.1: the token is framed for another mechanism than the one that must be here.
    UnexpectedMechanism,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {}", self.offset, self.kind)
    }
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { missing } => {
                write!(f, "input ends {missing} bytes early; pass the whole token")
            }
            Self::Missing { expected } => write!(f, "expected {expected}, found the end"),
            Self::UnexpectedTag { expected, found } => {
                write!(f, "expected {expected}, found {found}")
            }
            Self::TrailingData => f.write_str("bytes after the end; pass one token alone"),
            Self::IndefiniteLength => f.write_str("indefinite length; the sender must use DER"),
            Self::NonMinimalLength => {
                f.write_str("length not in the fewest octets; the sender must use DER")
            }
            Self::LengthTooLarge => f.write_str("length of more than four octets"),
            Self::HighTagNumber => f.write_str("tag number above 30, which no token here has"),
            Self::NonMinimalInteger => {
                f.write_str("integer empty or not in the fewest octets; the sender must use DER")
            }
            Self::IntegerOutOfRange => f.write_str("integer out of range for this field"),
            Self::MalformedBoolean => {
                f.write_str("boolean other than 0x00 or 0xff; the sender must use DER")
            }
            Self::MalformedBitString => f.write_str("malformed bit string"),
            Self::MalformedTime => f.write_str("expected an existing time as YYYYMMDDHHMMSSZ"),
            Self::MicrosecondsOutOfRange => f.write_str("expected microseconds from 0 to 999999"),
            Self::MalformedOid => f.write_str("malformed object identifier"),
            Self::UnexpectedNumber { expected, found } => {
                write!(
                    f,
                    "expected version or message type {expected}, found {found}"
                )
            }
            Self::TooManyElements { limit } => write!(f, "more than {limit} elements"),
            Self::TooDeep { limit } => write!(f, "nested more than {limit} deep"),
            Self::UnknownTokenId { found } => write!(f, "unknown token identifier {found:#06x}"),
            Self::UnexpectedTokenId { expected, found } => {
                write!(
                    f,
                    "expected token identifier {expected:#06x}, found {found:#06x}"
                )
            }
            Self::MalformedFiller => f.write_str("filler octet other than 0xff"),
            Self::MalformedBindingLength { found } => {
                write!(f, "channel binding field of {found} bytes, expected 16")
            }
            Self::UnknownDelegationOption { found } => {
                write!(f, "delegation option {found}, expected 1")
            }
            Self::OutOfBounds => f.write_str("offset and length reach outside the structure"),
            Self::Unaligned => f.write_str("a buffer that is not aligned to 8 bytes"),
            Self::Overlap => f.write_str("a buffer that shares bytes with another"),
            Self::DuplicateBuffer { buffer_type } => {
                write!(f, "a second buffer of type {buffer_type:#x}")
            }
            Self::MalformedUtf16 => f.write_str("malformed UTF-16"),
            Self::MalformedSid => f.write_str("malformed security identifier"),
            Self::MalformedNdrHeader => {
                f.write_str("expected the header of little-endian NDR, version 1")
            }
            Self::NullPointer => f.write_str("a null pointer where a value must be"),
            Self::CountMismatch { expected, found } => {
                write!(f, "expected {expected} elements, found {found}")
            }
            Self::NotNtlm => f.write_str("expected the signature NTLMSSP; pass an NTLM message"),
            Self::UnknownMessageType { found } => {
                write!(f, "unknown NTLM message type {found}, expected 1, 2 or 3")
            }
            Self::UnexpectedMessageType { expected, found } => {
                write!(f, "expected NTLM message type {expected}, found {found}")
            }
            Self::DuplicateAvPair { id } => write!(f, "a second AV_PAIR of type {id}"),
            Self::MissingEol => f.write_str("a list of AV_PAIR without its end, MsvAvEOL"),
            Self::UnexpectedLength { expected, found } => {
                write!(f, "a value of {found} bytes, expected {expected}")
            }
            Self::ValueTooLong { limit } => {
                write!(f, "a value of more than {limit} bytes; shorten it")
            }
            Self::UnexpectedMechanism => f.write_str("a token framed for another mechanism"),
        }
    }
}

impl core::error::Error for DecodeError {}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use super::DecodeErrorKind::{self as Kind, *};
    use super::{DecodeError, Tag};

    /// The kind after `kind`; whoever adds one has to give it a place here.
    fn next(kind: Kind) -> Option<Kind> {
        let (expected, found) = (Tag::SEQUENCE, Tag(0x81));
        Some(match kind {
            Truncated { .. } => Missing { expected },
            Missing { .. } => UnexpectedTag { expected, found },
            UnexpectedTag { .. } => TrailingData,
            TrailingData => IndefiniteLength,
            IndefiniteLength => NonMinimalLength,
            NonMinimalLength => LengthTooLarge,
            LengthTooLarge => HighTagNumber,
            HighTagNumber => NonMinimalInteger,
            NonMinimalInteger => IntegerOutOfRange,
            IntegerOutOfRange => MalformedBoolean,
            MalformedBoolean => MalformedBitString,
            MalformedBitString => MalformedTime,
            MalformedTime => MicrosecondsOutOfRange,
            MicrosecondsOutOfRange => MalformedOid,
            MalformedOid => UnexpectedNumber {
                expected: 901,
                found: -902,
            },
            UnexpectedNumber { .. } => TooManyElements { limit: 901 },
            TooManyElements { .. } => TooDeep { limit: 901 },
            TooDeep { .. } => UnknownTokenId { found: 0x901 },
            UnknownTokenId { .. } => UnexpectedTokenId {
                expected: 0x901,
                found: 0x902,
            },
            UnexpectedTokenId { .. } => MalformedFiller,
            MalformedFiller => MalformedBindingLength { found: 902 },
            MalformedBindingLength { .. } => UnknownDelegationOption { found: 902 },
            UnknownDelegationOption { .. } => OutOfBounds,
            OutOfBounds => Unaligned,
            Unaligned => Overlap,
            Overlap => DuplicateBuffer { buffer_type: 0x901 },
            DuplicateBuffer { .. } => MalformedUtf16,
            MalformedUtf16 => MalformedSid,
            MalformedSid => MalformedNdrHeader,
            MalformedNdrHeader => NullPointer,
            NullPointer => CountMismatch {
                expected: 901,
                found: 902,
            },
            CountMismatch { .. } => NotNtlm,
            NotNtlm => UnknownMessageType { found: 902 },
            UnknownMessageType { .. } => UnexpectedMessageType {
                expected: 901,
                found: 902,
            },
            UnexpectedMessageType { .. } => DuplicateAvPair { id: 901 },
            DuplicateAvPair { .. } => MissingEol,
            MissingEol => UnexpectedLength {
                expected: 901,
                found: 902,
            },
            UnexpectedLength { .. } => ValueTooLong { limit: 901 },
            ValueTooLong { .. } => UnexpectedMechanism,
            UnexpectedMechanism => return None,
        })
    }

    fn all() -> Vec<Kind> {
        core::iter::successors(Some(Truncated { missing: 901 }), |kind| next(*kind)).collect()
    }

    #[test]
    fn every_kind_is_said_in_a_line_of_its_own_that_can_follow_another_text() {
        let mut texts: Vec<String> = all().iter().map(ToString::to_string).collect();
        for text in &texts {
            assert!(text.starts_with(|c: char| c.is_ascii_lowercase()), "{text}");
            assert!(!text.ends_with(['.', '\n', ' ']), "{text}");
            assert!(text.len() <= 72 && !text.contains('\n'), "{text}");
        }
        let count = texts.len();
        assert_eq!(count, 40);
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), count);
    }

    /// `Debug` has every field; what it has as a number stands in the text too, in either base.
    #[test]
    fn every_number_of_a_kind_is_in_its_text() {
        let mut numbers = 0;
        for kind in all() {
            let (text, fields) = (kind.to_string(), alloc::format!("{kind:?}"));
            let fields = fields.split_once('{').map_or("", |(_, fields)| fields);
            for field in fields.split(|c: char| !c.is_ascii_alphanumeric()) {
                let Ok(number) = field.parse::<u32>() else {
                    continue;
                };
                let hexadecimal = alloc::format!("{number:x}");
                assert!(
                    text.contains(field) || text.contains(&hexadecimal),
                    "{number} in {text}"
                );
                numbers += 1;
            }
        }
        assert_eq!(numbers, 21);
    }

    #[test]
    fn an_error_says_its_byte_then_what_is_there_and_what_must_be() {
        let text = |offset, kind| DecodeError::new(offset, kind).to_string();
        assert_eq!(
            text(7, Truncated { missing: 2 }),
            "byte 7: input ends 2 bytes early; pass the whole token"
        );
        assert_eq!(
            text(
                0,
                UnexpectedTag {
                    expected: Tag::SEQUENCE,
                    found: Tag(0x81)
                }
            ),
            "byte 0: expected SEQUENCE, found [1] primitive"
        );
        assert_eq!(
            text(
                3,
                UnexpectedTokenId {
                    expected: 0x0100,
                    found: 0x0404
                }
            ),
            "byte 3: expected token identifier 0x0100, found 0x0404"
        );
        assert_eq!(
            text(8, UnknownMessageType { found: 4 }),
            "byte 8: unknown NTLM message type 4, expected 1, 2 or 3"
        );
        assert_eq!(
            text(40, DuplicateBuffer { buffer_type: 0x13 }),
            "byte 40: a second buffer of type 0x13"
        );
        assert_eq!(
            text(
                9,
                UnexpectedLength {
                    expected: 16,
                    found: 20
                }
            ),
            "byte 9: a value of 20 bytes, expected 16"
        );
    }
}
