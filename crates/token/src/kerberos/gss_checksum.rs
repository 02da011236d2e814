//! The checksum field of a GSS-API authenticator, type 0x8003, RFC 4121 §4.1.1.

use alloc::vec::Vec;
use core::fmt;

use crate::error::{DecodeError, DecodeErrorKind};

/// What an initiator says in the checksum field: channel bindings, flags, delegated credentials.
///
/// ```text
///  0..3      Lgth    u32 little-endian, 16
///  4..19     Bnd     MD5 of the channel bindings; zeros for none
/// 20..23     Flags   u32 little-endian
/// 24..25     DlgOpt  u16 little-endian, 1; this and the next two only with GSS_C_DELEG_FLAG
/// 26..27     Dlgth   u16 little-endian
/// 28..(n-1)  Deleg   a KRB-CRED
///  n..last   Exts    (u32 big-endian type, u32 big-endian length, bytes)*
/// ```
///
/// Source: RFC 4121 §4.1.1; the form of the extensions is of RFC 6542 §3.1.
///
/// ```
/// use countersign_token::kerberos::{GssChecksum, GssFlags};
///
/// let checksum = GssChecksum::new(GssFlags::MUTUAL | GssFlags::INTEG);
/// let bytes = checksum.encode()?;
/// assert_eq!(bytes.len(), 24);
/// assert_eq!(GssChecksum::parse(&bytes)?.flags, checksum.flags);
/// # Ok::<_, countersign_token::DecodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GssChecksum<'a> {
    /// MD5 of the channel bindings (RFC 4121 §4.1.1.2); zeros for none.
    pub bindings: [u8; 16],
    /// What the initiator asks for.
    pub flags: GssFlags,
    /// A KRB-CRED, if there is one. Some peers set the flag and send none.
    pub delegation: Option<&'a [u8]>,
    /// The extensions.
    pub extensions: Extensions<'a>,
}

/// The context flags of RFC 4121 §4.1.1.1 and RFC 4757 §7.1, as GSS-API numbers them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct GssFlags(pub u32);

impl<'a> GssChecksum<'a> {
    /// The checksum type that says that the field is one of these.
    pub const TYPE: i32 = 0x8003;
    /// RFC 4121 §4.1.1: the fixed part.
    pub const MIN_LEN: usize = 24;
    /// The length of the greatest KRB-CRED that the field can carry.
    pub const MAX_DELEGATION: usize = 0xffff;

    /// Flags alone.
    #[must_use]
    pub const fn new(flags: GssFlags) -> Self {
        Self {
            bindings: [0; 16],
            flags,
            delegation: None,
            extensions: Extensions { rest: &[] },
        }
    }

    /// Reads the field of a checksum whose type is [`TYPE`](Self::TYPE).
    ///
    /// # Errors
    /// Fewer than 24 bytes, a binding length other than 16, a delegation option other than 1, or
    /// a part that is cut off.
    pub fn parse(field: &'a [u8]) -> Result<Self, DecodeError> {
        let truncated = |available: usize, needed: usize| {
            let missing = needed.saturating_sub(available);
            DecodeError::new(field.len(), DecodeErrorKind::Truncated { missing })
        };
        let fixed = || truncated(field.len(), Self::MIN_LEN);
        let (length, rest) = field.split_first_chunk::<4>().ok_or_else(fixed)?;
        let (bindings, rest) = rest.split_first_chunk::<16>().ok_or_else(fixed)?;
        let (flags, mut rest) = rest.split_first_chunk::<4>().ok_or_else(fixed)?;
        let found = u32::from_le_bytes(*length);
        if found != 16 {
            return Err(DecodeError::new(
                0,
                DecodeErrorKind::MalformedBindingLength { found },
            ));
        }
        let flags = GssFlags(u32::from_le_bytes(*flags));
        let mut delegation = None;
        // The three fields are there if and only if the flag is set; peers that set it and have
        // nothing to delegate leave them out.
        if flags.contains(GssFlags::DELEG) && !rest.is_empty() {
            let ([a, b, c, d], after) = rest
                .split_first_chunk::<4>()
                .ok_or_else(|| truncated(rest.len(), 4))?;
            let found = u16::from_le_bytes([*a, *b]);
            if found != 1 {
                let kind = DecodeErrorKind::UnknownDelegationOption { found };
                return Err(DecodeError::new(Self::MIN_LEN, kind));
            }
            let length = usize::from(u16::from_le_bytes([*c, *d]));
            let (credentials, after) = after
                .split_at_checked(length)
                .ok_or_else(|| truncated(after.len(), length))?;
            delegation = Some(credentials);
            rest = after;
        }
        let start = field.len().saturating_sub(rest.len());
        let extensions = Extensions::parse(rest).map_err(|error| {
            DecodeError::new(start.saturating_add(error.offset()), error.kind())
        })?;
        Ok(Self {
            bindings: *bindings,
            flags,
            delegation,
            extensions,
        })
    }

    /// The field.
    ///
    /// # Errors
    /// [`DecodeErrorKind::LengthTooLarge`]: the KRB-CRED is longer than
    /// [`MAX_DELEGATION`](Self::MAX_DELEGATION).
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        let credentials = self.delegation.unwrap_or_default();
        let length = u16::try_from(credentials.len())
            .map_err(|_| DecodeError::new(26, DecodeErrorKind::LengthTooLarge))?;
        let mut field = Vec::with_capacity(
            Self::MIN_LEN
                .saturating_add(4)
                .saturating_add(credentials.len())
                .saturating_add(self.extensions.rest.len()),
        );
        field.extend_from_slice(&16_u32.to_le_bytes());
        field.extend_from_slice(&self.bindings);
        // RFC 4121 §4.1.1: the three fields are there if and only if the flag is set.
        let flags = match self.delegation {
            Some(_) => self.flags | GssFlags::DELEG,
            None => GssFlags(self.flags.0 & !GssFlags::DELEG.0),
        };
        field.extend_from_slice(&flags.0.to_le_bytes());
        if self.delegation.is_some() {
            field.extend_from_slice(&1_u16.to_le_bytes());
            field.extend_from_slice(&length.to_le_bytes());
            field.extend_from_slice(credentials);
        }
        field.extend_from_slice(self.extensions.rest);
        Ok(field)
    }

    /// Whether the initiator bound the context to a channel.
    #[must_use]
    pub fn has_bindings(&self) -> bool {
        self.bindings != [0; 16]
    }
}

/// Without the KRB-CRED, which holds keys.
impl fmt::Debug for GssChecksum<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GssChecksum")
            .field("bindings", &self.bindings)
            .field("flags", &self.flags)
            .field("delegation_length", &self.delegation.map(<[u8]>::len))
            .field("extensions", &self.extensions)
            .finish()
    }
}

/// An extension of the field, RFC 6542 §3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// The type.
    pub kind: u32,
    /// The value.
    pub data: &'a [u8],
}

/// The extensions of a [`GssChecksum`], in order: an iterator over the received bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions<'a> {
    rest: &'a [u8],
}

impl<'a> Extensions<'a> {
    /// The extensions that [`encode`](Self::encode) wrote into `bytes`.
    ///
    /// # Errors
    /// The last one is cut off.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut checked = Self { rest: bytes };
        while checked.next().is_some() {}
        if checked.rest.is_empty() {
            return Ok(Self { rest: bytes });
        }
        let at = bytes.len().saturating_sub(checked.rest.len());
        Err(DecodeError::new(
            at,
            DecodeErrorKind::Truncated { missing: 1 },
        ))
    }

    /// The bytes of some extensions, for [`parse`](Self::parse).
    #[must_use]
    pub fn encode(extensions: &[Extension<'_>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for extension in extensions {
            // What has 4 GiB gets a length that no reader accepts.
            let length = u32::try_from(extension.data.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&extension.kind.to_be_bytes());
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(extension.data);
        }
        bytes
    }

    /// The bytes not yet iterated.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Extension<'a>;

    fn next(&mut self) -> Option<Extension<'a>> {
        let (kind, rest) = self.rest.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (data, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(Extension {
            kind: u32::from_be_bytes(*kind),
            data,
        })
    }
}

impl GssFlags {
    /// No flags.
    pub const NONE: Self = Self(0);
    /// GSS_C_DELEG_FLAG: credentials are delegated.
    pub const DELEG: Self = Self(0x0001);
    /// GSS_C_MUTUAL_FLAG: mutual authentication.
    pub const MUTUAL: Self = Self(0x0002);
    /// GSS_C_REPLAY_FLAG: replayed messages are detected.
    pub const REPLAY: Self = Self(0x0004);
    /// GSS_C_SEQUENCE_FLAG: messages out of sequence are detected.
    pub const SEQUENCE: Self = Self(0x0008);
    /// GSS_C_CONF_FLAG: messages can be sealed.
    pub const CONF: Self = Self(0x0010);
    /// GSS_C_INTEG_FLAG: messages can be signed.
    pub const INTEG: Self = Self(0x0020);
    /// GSS_C_DCE_STYLE (RFC 4757 §7.1): three legs, the frame left out.
    pub const DCE_STYLE: Self = Self(0x1000);
    /// GSS_C_IDENTIFY_FLAG (RFC 4757 §7.1): the acceptor may identify but not impersonate.
    pub const IDENTIFY: Self = Self(0x2000);
    /// GSS_C_EXTENDED_ERROR_FLAG (RFC 4757 §7.1): status codes of Windows in KRB-ERROR.
    pub const EXTENDED_ERROR: Self = Self(0x4000);

    const NAMES: [(Self, &'static str); 9] = [
        (Self::DELEG, "DELEG"),
        (Self::MUTUAL, "MUTUAL"),
        (Self::REPLAY, "REPLAY"),
        (Self::SEQUENCE, "SEQUENCE"),
        (Self::CONF, "CONF"),
        (Self::INTEG, "INTEG"),
        (Self::DCE_STYLE, "DCE_STYLE"),
        (Self::IDENTIFY, "IDENTIFY"),
        (Self::EXTENDED_ERROR, "EXTENDED_ERROR"),
    ];

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
        Self::NAMES
            .into_iter()
            .filter(move |(flag, _)| self.contains(*flag))
            .map(|(_, name)| name)
    }
}

impl core::ops::BitOr for GssFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl core::ops::BitOrAssign for GssFlags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl core::ops::BitAnd for GssFlags {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl fmt::Debug for GssFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GssFlags({:#x}", self.0)?;
        self.names().try_for_each(|name| write!(f, " {name}"))?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Vec<u8> {
        let extensions = Extensions::encode(&[
            Extension { kind: 0, data: b"" },
            Extension {
                kind: 2,
                data: b"finished",
            },
        ]);
        GssChecksum {
            bindings: [7; 16],
            flags: GssFlags::DELEG | GssFlags::MUTUAL,
            delegation: Some(b"KRB-CRED"),
            extensions: Extensions::parse(&extensions).unwrap(),
        }
        .encode()
        .unwrap()
    }

    #[test]
    fn a_full_field_round_trips() {
        let field = full();
        let parsed = GssChecksum::parse(&field).unwrap();
        assert!(parsed.has_bindings());
        assert_eq!(parsed.delegation, Some(&b"KRB-CRED"[..]));
        let kinds: Vec<_> = parsed.extensions.map(|e| (e.kind, e.data)).collect();
        assert_eq!(kinds, [(0, &b""[..]), (2, b"finished")]);
        assert_eq!(parsed.encode().unwrap(), field);
    }

    /// CVE-2010-1321's neighbourhood: a field too short for its fixed part.
    #[test]
    fn every_field_shorter_than_24_bytes_is_refused() {
        let field = GssChecksum::new(GssFlags::MUTUAL).encode().unwrap();
        assert!(GssChecksum::parse(&field).is_ok());
        for end in 0..field.len() {
            let missing = 24 - end;
            let error = GssChecksum::parse(&field[..end]).unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::Truncated { missing });
        }
    }

    #[test]
    fn every_cut_of_a_full_field_is_refused_except_between_parts() {
        let field = full();
        let whole_parts = [24, 24 + 4 + 8, 24 + 4 + 8 + 8, field.len()];
        for end in 0..=field.len() {
            let parsed = GssChecksum::parse(&field[..end]);
            assert_eq!(parsed.is_ok(), whole_parts.contains(&end), "cut at {end}");
        }
    }

    #[test]
    fn a_binding_length_other_than_16_is_refused() {
        let field = GssChecksum::new(GssFlags::MUTUAL).encode().unwrap();
        for length in [0_u32, 15, 17, 24, u32::MAX] {
            let mut changed = field.clone();
            changed[..4].copy_from_slice(&length.to_le_bytes());
            let error = GssChecksum::parse(&changed).unwrap_err();
            let kind = DecodeErrorKind::MalformedBindingLength { found: length };
            assert_eq!((error.offset(), error.kind()), (0, kind));
        }
    }

    #[test]
    fn a_delegation_option_other_than_one_is_refused() {
        let mut field = full();
        field[24] = 2;
        let error = GssChecksum::parse(&field).unwrap_err();
        assert_eq!(
            error.kind(),
            DecodeErrorKind::UnknownDelegationOption { found: 2 }
        );
    }

    #[test]
    fn the_delegation_flag_without_credentials_is_read_and_never_written() {
        let mut field = GssChecksum::new(GssFlags::MUTUAL).encode().unwrap();
        field[20] |= 1;
        let parsed = GssChecksum::parse(&field).unwrap();
        assert!(parsed.flags.contains(GssFlags::DELEG));
        assert_eq!(parsed.delegation, None);
        assert_eq!(parsed.encode().unwrap()[20] & 1, 0);
    }

    #[test]
    fn a_delegation_that_does_not_fit_is_not_written() {
        let credentials = alloc::vec![0; GssChecksum::MAX_DELEGATION + 1];
        let mut checksum = GssChecksum::new(GssFlags::NONE);
        checksum.delegation = Some(&credentials);
        assert!(checksum.encode().is_err());
        checksum.delegation = credentials.get(1..);
        assert!(checksum.encode().is_ok());
    }

    /// RFC 6542 §3.1.
    #[test]
    fn an_extension_that_is_cut_off_is_refused_where_it_begins() {
        let first = Extension {
            kind: 0,
            data: b"hash",
        };
        let last = Extension {
            kind: 2,
            data: b"finished",
        };
        let bytes = Extensions::encode(&[first, last]);
        let read = Extensions::parse(&bytes).unwrap();
        assert_eq!(read.as_bytes(), bytes);
        assert!(read.eq([first, last]));
        let cut = DecodeErrorKind::Truncated { missing: 1 };
        for end in 13..bytes.len() {
            let error = Extensions::parse(&bytes[..end]).unwrap_err();
            assert_eq!((error.offset(), error.kind()), (12, cut));
            let field = GssChecksum::new(GssFlags::MUTUAL).encode().unwrap();
            let error = GssChecksum::parse(&[&field, &bytes[..end]].concat()).unwrap_err();
            assert_eq!((error.offset(), error.kind()), (24 + 12, cut));
        }
        assert!(Extensions::parse(&bytes[..12]).unwrap().eq([first]));
    }
}
