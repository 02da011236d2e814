//! What a client asks for.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::error::KcmError;
use super::fields::{CacheUuid, Fields};
use crate::cache::format;
use crate::error::{Error, FormatProblem};
use crate::limits;
use crate::principal::Principal;
use crate::ticket::TicketCredential;
use crate::wire::{ByteOrder, Reader, Writer};

const MAJOR: u8 = 2;
const MINOR: u8 = 0;

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// An operation of the protocol, with its number. Those of Heimdal that no client here needs (modes and owners,
        /// tickets fetched by the server, NTLM) are left out.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Operation {
            $($(#[$doc])* $name = $code,)*
        }

        impl Operation {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

operations! {
    /// `() -> ()`
    Noop = 0,
    /// `() -> (name)`: a name that no cache has yet.
    GenerateName = 3,
    /// `(name, principal) -> ()`: makes a cache empty, creating it where it is absent.
    Initialize = 4,
    /// `(name) -> ()`
    Destroy = 5,
    /// `(name, credential) -> ()`
    Store = 6,
    /// `(name) -> (principal)`
    Principal = 8,
    /// `(name) -> (uuid …)`
    CredentialUuids = 9,
    /// `(name, uuid) -> (credential)`
    CredentialByUuid = 10,
    /// `() -> (uuid …)`
    CacheUuids = 18,
    /// `(uuid) -> (name)`
    CacheByUuid = 19,
    /// `() -> (name)`
    DefaultCache = 20,
    /// `(name) -> ()`
    SetDefaultCache = 21,
    /// `(name) -> (offset)`
    KdcOffset = 22,
    /// `(name, offset) -> ()`
    SetKdcOffset = 23,
    /// `(name) -> (count, { length, credential } …)`: an extension of MIT krb5.
    Credentials = 13_001,
    /// `(name, offset, principal, count, { length, credential } …) -> ()`: an extension of MIT krb5.
    Replace = 13_002,
}

impl Operation {
    /// The operation of the number.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code() == code)
    }

    /// The number.
    #[must_use]
    pub fn code(self) -> u16 {
        self as u16
    }
}

/// Request frames, ready to be written to the server. Those with credentials are wiped when dropped.
#[derive(Clone, Copy, Debug)]
pub struct Request;

impl Request {
    /// The name of the default cache.
    #[must_use]
    pub fn default_cache() -> Zeroizing<Vec<u8>> {
        plain(Operation::DefaultCache)
    }

    /// A name for a new cache.
    #[must_use]
    pub fn generate_name() -> Zeroizing<Vec<u8>> {
        plain(Operation::GenerateName)
    }

    /// The UUIDs of this user's caches.
    #[must_use]
    pub fn cache_uuids() -> Zeroizing<Vec<u8>> {
        plain(Operation::CacheUuids)
    }

    /// The name of the cache.
    ///
    /// # Errors
    /// None that can happen.
    pub fn cache_by_uuid(uuid: CacheUuid) -> Result<Zeroizing<Vec<u8>>, KcmError> {
        frame(Operation::CacheByUuid, None, |out| {
            out.bytes(&uuid.0);
            Ok(())
        })
    }

    /// Makes the cache the default one.
    ///
    /// # Errors
    /// [`KcmError::BadName`].
    pub fn set_default_cache(name: &str) -> Result<Zeroizing<Vec<u8>>, KcmError> {
        frame(Operation::SetDefaultCache, Some(name), |_| Ok(()))
    }

    /// Makes the cache empty, creating it where it is absent.
    ///
    /// # Errors
    /// [`KcmError::BadName`], or a principal that the format cannot hold.
    pub fn initialize(name: &str, principal: &Principal) -> Result<Zeroizing<Vec<u8>>, KcmError> {
        frame(Operation::Initialize, Some(name), |out| {
            format::write_principal(principal, out)
        })
    }

    /// Removes the cache.
    ///
    /// # Errors
    /// [`KcmError::BadName`].
    pub fn destroy(name: &str) -> Result<Zeroizing<Vec<u8>>, KcmError> {
        frame(Operation::Destroy, Some(name), |_| Ok(()))
    }

    /// Adds a credential.
    ///
    /// # Errors
    /// [`KcmError::BadName`], or a credential that the format cannot hold.
    pub fn store(
        name: &str,
        credential: &TicketCredential,
    ) -> Result<Zeroizing<Vec<u8>>, KcmError> {
        frame(Operation::Store, Some(name), |out| {
            format::write_credential(credential, out)
        })
    }

    /// Whose cache it is.
    ///
    /// # Errors
    /// [`KcmError::BadName`].
    pub fn principal(name: &str) -> Result<Zeroizing<Vec<u8>>, KcmError> {
        frame(Operation::Principal, Some(name), |_| Ok(()))
    }

    /// Every credential at once, where the server has MIT krb5's extension.
    ///
    /// # Errors
    /// [`KcmError::BadName`].
    pub fn credentials(name: &str) -> Result<Zeroizing<Vec<u8>>, KcmError> {
        frame(Operation::Credentials, Some(name), |_| Ok(()))
    }

    /// The UUIDs of the credentials.
    ///
    /// # Errors
    /// [`KcmError::BadName`].
    pub fn credential_uuids(name: &str) -> Result<Zeroizing<Vec<u8>>, KcmError> {
        frame(Operation::CredentialUuids, Some(name), |_| Ok(()))
    }

    /// One credential.
    ///
    /// # Errors
    /// [`KcmError::BadName`].
    pub fn credential_by_uuid(name: &str, uuid: CacheUuid) -> Result<Zeroizing<Vec<u8>>, KcmError> {
        frame(Operation::CredentialByUuid, Some(name), |out| {
            out.bytes(&uuid.0);
            Ok(())
        })
    }

    /// How far the KDC's clock is ahead of ours, in seconds.
    ///
    /// # Errors
    /// [`KcmError::BadName`].
    pub fn kdc_offset(name: &str) -> Result<Zeroizing<Vec<u8>>, KcmError> {
        frame(Operation::KdcOffset, Some(name), |_| Ok(()))
    }

    /// Notes how far the KDC's clock is ahead of ours, in seconds.
    ///
    /// # Errors
    /// [`KcmError::BadName`].
    pub fn set_kdc_offset(name: &str, seconds: i32) -> Result<Zeroizing<Vec<u8>>, KcmError> {
        frame(Operation::SetKdcOffset, Some(name), |out| {
            out.i32(seconds);
            Ok(())
        })
    }

    /// Replaces the cache as a whole, where the server has MIT krb5's extension.
    ///
    /// # Errors
    /// [`KcmError::BadName`], or a credential or principal that the format cannot hold.
    pub fn replace<'c>(
        name: &str,
        offset: i32,
        principal: &Principal,
        credentials: impl ExactSizeIterator<Item = &'c TicketCredential> + Clone,
    ) -> Result<Zeroizing<Vec<u8>>, KcmError> {
        frame(Operation::Replace, Some(name), |out| {
            out.i32(offset);
            format::write_principal(principal, out)?;
            out.count32(credentials.len())?;
            for credential in credentials.clone() {
                let write = |out: &mut Writer| format::write_credential(credential, out);
                let length = out.measure(write)?;
                out.count32(length)?;
                write(out)?;
            }
            Ok(())
        })
    }
}

fn plain(operation: Operation) -> Zeroizing<Vec<u8>> {
    let [high, low] = operation.code().to_be_bytes();
    Zeroizing::new(Vec::from([0, 0, 0, 4, MAJOR, MINOR, high, low]))
}

fn frame(
    operation: Operation,
    name: Option<&str>,
    fields: impl Fn(&mut Writer) -> Result<(), Error>,
) -> Result<Zeroizing<Vec<u8>>, KcmError> {
    if name
        .is_some_and(|name| name.is_empty() || name.len() > limits::KCM_NAME || name.contains('\0'))
    {
        return Err(KcmError::BadName);
    }
    let request = |out: &mut Writer| {
        out.bytes(&[MAJOR, MINOR]);
        out.u16(operation.code());
        if let Some(name) = name {
            out.bytes(name.as_bytes());
            out.u8(0);
        }
        fields(out)
    };
    let frame = Writer::run(ByteOrder::Big, |out| {
        let length = out.measure(request)?;
        out.count32(length)?;
        request(out)
    })?;
    Ok(frame)
}

/// A request as a server reads it: for tests, and for servers.
#[derive(Clone, Debug)]
pub struct ParsedRequest<'a> {
    /// What is asked for.
    pub operation: Operation,
    /// The fields, unread.
    pub fields: Fields<'a>,
}

impl<'a> ParsedRequest<'a> {
    /// Reads a request, without the length of its frame.
    ///
    /// # Errors
    /// It is of another version, or its operation is unknown.
    pub fn parse(request: &'a [u8]) -> Result<Self, KcmError> {
        let mut reader = Reader::new(request, 0, ByteOrder::Big);
        let start = reader.clone();
        let (major, _minor) = (reader.u8()?, reader.u8()?);
        let unknown = |version| start.error(FormatProblem::UnsupportedVersion(version));
        if major != MAJOR {
            return Err(unknown(major).into());
        }
        let operation = Operation::from_code(reader.u16()?).ok_or(unknown(major))?;
        let fields = Fields::new(request, request.len().saturating_sub(reader.remaining()));
        Ok(Self { operation, fields })
    }
}
