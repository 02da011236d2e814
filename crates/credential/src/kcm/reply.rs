//! What a server answers.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::error::{KcmCode, KcmError};
use super::fields::{CacheUuid, Fields};
use crate::cache::format;
use crate::limits;
use crate::principal::Principal;
use crate::ticket::TicketCredential;
use crate::wire::{ByteOrder, Reader, Writer};

/// The first eight bytes of a reply frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyHeader {
    length: u32,
}

impl ReplyHeader {
    /// How many bytes a header has.
    pub const LENGTH: usize = 8;

    /// Reads a header, before anything is allocated for what follows.
    ///
    /// # Errors
    /// [`KcmError::TooLarge`], or [`KcmError::Refused`] where the transport itself failed; nothing follows then.
    pub fn parse(header: [u8; 8]) -> Result<Self, KcmError> {
        let [l0, l1, l2, l3, c0, c1, c2, c3] = header;
        match i32::from_be_bytes([c0, c1, c2, c3]) {
            0 => {}
            code => return Err(KcmError::Refused(KcmCode(code))),
        }
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        if length > limits::KCM_BYTES {
            return Err(KcmError::TooLarge(length));
        }
        Ok(Self { length })
    }

    /// How many bytes follow.
    #[must_use]
    pub fn length(self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX)
    }
}

/// A reply to an operation that succeeded.
#[derive(Clone, Debug)]
pub struct Reply<'a> {
    /// The fields, unread.
    pub fields: Fields<'a>,
}

impl<'a> Reply<'a> {
    /// Reads a reply: what follows the header.
    ///
    /// # Errors
    /// [`KcmError::Refused`] where the operation failed.
    pub fn parse(reply: &'a [u8]) -> Result<Self, KcmError> {
        let mut reader = Reader::new(reply, 0, ByteOrder::Big);
        match reader.i32()? {
            0 => Ok(Self {
                fields: Fields::new(reply, 4),
            }),
            code => Err(KcmError::Refused(KcmCode(code))),
        }
    }

    fn only<T>(
        mut self,
        read: impl FnOnce(&mut Fields<'a>) -> Result<T, KcmError>,
    ) -> Result<T, KcmError> {
        let value = read(&mut self.fields)?;
        self.fields.end()?;
        Ok(value)
    }

    /// No field; some servers send one nevertheless, and it is ignored.
    pub fn nothing(self) {}

    /// A name.
    ///
    /// # Errors
    /// There is none, or more than that.
    pub fn only_name(self) -> Result<&'a str, KcmError> {
        self.only(Fields::name)
    }

    /// A number.
    ///
    /// # Errors
    /// There is none, or more than that.
    pub fn only_number(self) -> Result<i32, KcmError> {
        self.only(Fields::number)
    }

    /// A principal.
    ///
    /// # Errors
    /// There is none, or more than that. Heimdal's server answers for a cache that does not exist with success and
    /// nothing: that is [`KcmCode::NO_CACHE`].
    pub fn only_principal(self) -> Result<Principal, KcmError> {
        if self.fields.is_empty() {
            return Err(KcmError::Refused(KcmCode::NO_CACHE));
        }
        self.only(Fields::principal)
    }

    /// A credential.
    ///
    /// # Errors
    /// There is none, or more than that.
    pub fn only_credential(self) -> Result<TicketCredential, KcmError> {
        self.only(Fields::credential)
    }

    /// Credentials with their count and lengths.
    ///
    /// # Errors
    /// There is no such list, or more than that.
    pub fn only_credentials(self) -> Result<Vec<TicketCredential>, KcmError> {
        self.only(Fields::credentials)
    }

    /// UUIDs.
    ///
    /// # Errors
    /// There is something else.
    pub fn only_uuids(self) -> Result<Vec<CacheUuid>, KcmError> {
        self.only(Fields::uuids)
    }
}

/// Reply frames, as a server writes them: for tests, and for servers.
impl Reply<'_> {
    /// Success without a field, or failure.
    #[must_use]
    pub fn frame_of_code(code: KcmCode) -> Zeroizing<Vec<u8>> {
        write(code, |_| Ok(()))
    }

    /// Success with a name.
    #[must_use]
    pub fn frame_of_name(name: &str) -> Zeroizing<Vec<u8>> {
        write(KcmCode(0), |out| {
            out.bytes(name.as_bytes());
            out.u8(0);
            Ok(())
        })
    }

    /// Success with a number.
    #[must_use]
    pub fn frame_of_number(number: i32) -> Zeroizing<Vec<u8>> {
        write(KcmCode(0), |out| {
            out.i32(number);
            Ok(())
        })
    }

    /// Success with UUIDs.
    #[must_use]
    pub fn frame_of_uuids(uuids: &[CacheUuid]) -> Zeroizing<Vec<u8>> {
        write(KcmCode(0), |out| {
            uuids.iter().for_each(|uuid| out.bytes(&uuid.0));
            Ok(())
        })
    }

    /// Success with a principal.
    #[must_use]
    pub fn frame_of_principal(principal: &Principal) -> Zeroizing<Vec<u8>> {
        write(KcmCode(0), |out| format::write_principal(principal, out))
    }

    /// Success with a credential.
    #[must_use]
    pub fn frame_of_credential(credential: &TicketCredential) -> Zeroizing<Vec<u8>> {
        write(KcmCode(0), |out| format::write_credential(credential, out))
    }

    /// Success with credentials, their count and lengths.
    #[must_use]
    pub fn frame_of_credentials(credentials: &[TicketCredential]) -> Zeroizing<Vec<u8>> {
        write(KcmCode(0), |out| {
            out.count32(credentials.len())?;
            for credential in credentials {
                let one = |out: &mut Writer| format::write_credential(credential, out);
                let length = out.measure(one)?;
                out.count32(length)?;
                one(out)?;
            }
            Ok(())
        })
    }
}

/// A frame; of [`KcmCode::INTERNAL`] where the format cannot hold the fields.
fn write(
    code: KcmCode,
    fields: impl Fn(&mut Writer) -> Result<(), crate::Error>,
) -> Zeroizing<Vec<u8>> {
    let reply = |out: &mut Writer| {
        out.i32(code.0);
        fields(out)
    };
    let frame = Writer::run(ByteOrder::Big, |out| {
        let length = out.measure(reply)?;
        out.count32(length)?;
        out.i32(0);
        reply(out)
    });
    frame.unwrap_or_else(|_| {
        let mut failure = Vec::from([0, 0, 0, 4, 0, 0, 0, 0]);
        failure.extend(KcmCode::INTERNAL.0.to_be_bytes());
        Zeroizing::new(failure)
    })
}
