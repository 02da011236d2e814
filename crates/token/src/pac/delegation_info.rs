use core::fmt;

use super::Utf16;
use super::cursor::Cursor;
use super::ndr::{Array, Reader};
use crate::error::DecodeError;

/// Which services a client's identity came through.
///
/// ```text
/// typedef struct _S4U_DELEGATION_INFO {
///     RPC_UNICODE_STRING S4U2proxyTarget;
///     ULONG TransitedListSize;
///     [size_is(TransitedListSize)] PRPC_UNICODE_STRING S4UTransitedServices;
/// } S4U_DELEGATION_INFO;
/// ```
///
/// Source: MS-PAC §2.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelegationInfo<'a> {
    /// The service that the ticket is for.
    pub proxy_target: Utf16<'a>,
    /// The services on the way, the first to act for the client first.
    pub transited_services: TransitedServices<'a>,
}

impl<'a> DelegationInfo<'a> {
    pub(super) fn read(cursor: Cursor<'a>) -> Result<Self, DecodeError> {
        let reader = &mut Reader::open(cursor)?;
        let target = reader.string_head()?;
        let count = reader.u32()?;
        let services = reader.pointer()?;
        let proxy_target = reader.string(target)?;
        let heads = reader.array(services, count, TransitedServices::SIZE)?;
        let (texts, ()) = reader.record(|reader| {
            let mut elements = heads.reader();
            for _ in 0..count {
                reader.string(elements.string_head()?)?;
            }
            Ok(())
        })?;
        reader.finish()?;
        Ok(Self {
            proxy_target,
            transited_services: TransitedServices {
                heads: heads.bytes,
                texts,
            },
        })
    }
}

/// Names of services, where they arrived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TransitedServices<'a> {
    heads: &'a [u8],
    texts: &'a [u8],
}

impl<'a> TransitedServices<'a> {
    const SIZE: usize = 8;

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heads.chunks_exact(Self::SIZE).len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The names.
    pub fn iter(self) -> impl Iterator<Item = Utf16<'a>> + 'a {
        let heads = Array {
            bytes: self.heads,
            offset: 0,
        };
        let (mut heads, mut texts) = (heads.reader(), Reader::again(self.texts));
        core::iter::from_fn(move || {
            let head = heads.string_head().ok()?;
            texts.string(head).ok()
        })
    }
}

impl fmt::Debug for TransitedServices<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
