use super::cursor::Cursor;
use crate::error::DecodeError;

/// How a PAC came to be asked for.
///
/// ```text
/// typedef struct _PAC_ATTRIBUTES_INFO {
///     ULONG FlagsLength;              // in bits
///     ULONG Flags[ANYSIZE_ARRAY];
/// } PAC_ATTRIBUTES_INFO;
/// ```
///
/// Source: MS-PAC §2.14.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacAttributes {
    /// How many bits the sender knows.
    pub flags_length: u32,
    /// The first 32.
    pub flags: u32,
}

impl PacAttributes {
    /// The client asked for a PAC.
    pub const WAS_REQUESTED: u32 = 1;
    /// The client said nothing and was given one.
    pub const WAS_GIVEN_IMPLICITLY: u32 = 2;

    pub(super) fn read(mut cursor: Cursor<'_>) -> Result<Self, DecodeError> {
        let flags_length = cursor.u32()?;
        let words = flags_length.div_ceil(32);
        let flags = cursor.elements(words, 4)?;
        cursor.finish()?;
        let first = flags.first_chunk().copied().unwrap_or_default();
        Ok(Self {
            flags_length,
            flags: u32::from_le_bytes(first),
        })
    }
}
