use super::cursor::Cursor;
use super::{FileTime, Utf16};
use crate::error::DecodeError;

/// Which ticket a PAC belongs to.
///
/// ```text
/// typedef struct _PAC_CLIENT_INFO {
///     FILETIME ClientId;
///     USHORT NameLength;
///     WCHAR Name[1];
/// } PAC_CLIENT_INFO;
/// ```
///
/// Source: MS-PAC §2.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientInfo<'a> {
    /// When the client authenticated: the ticket's `authtime`.
    pub client_id: FileTime,
    /// The client's name: the ticket's `cname`, its components joined by `/`.
    pub name: Utf16<'a>,
}

impl<'a> ClientInfo<'a> {
    pub(super) fn read(mut cursor: Cursor<'a>) -> Result<Self, DecodeError> {
        let client_id = FileTime(cursor.u64()?);
        let length = cursor.u16()?;
        let offset = cursor.offset();
        let name = Utf16::at(cursor.take(usize::from(length))?, offset)?;
        cursor.finish()?;
        Ok(Self { client_id, name })
    }
}
