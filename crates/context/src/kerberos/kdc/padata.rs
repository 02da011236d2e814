//! Pre-authentication data that outlives the message that it came in: RFC 4120 §5.2.7.

use countersign_token::der::SequenceOf;
use countersign_token::kerberos::PaData;

/// A PA-DATA.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct OwnedPaData {
    pub(crate) kind: i32,
    pub(crate) value: Vec<u8>,
}

impl OwnedPaData {
    pub(crate) fn new(kind: i32, value: impl Into<Vec<u8>>) -> Self {
        Self {
            kind,
            value: value.into(),
        }
    }

    /// Every element of a message's list.
    pub(crate) fn collect(list: SequenceOf<'_, PaData<'_>>) -> Vec<Self> {
        list.iter()
            .map(|data| Self::new(data.padata_type, data.padata_value))
            .collect()
    }

    /// The list as messages carry it, for `SequenceOf` to borrow.
    pub(crate) fn borrow(list: &[Self]) -> Vec<PaData<'_>> {
        list.iter()
            .map(|data| PaData {
                padata_type: data.kind,
                padata_value: &data.value,
            })
            .collect()
    }
}

/// The value of the first element of a type.
pub(crate) fn find(list: &[OwnedPaData], kind: i32) -> Option<&[u8]> {
    list.iter()
        .find(|data| data.kind == kind)
        .map(|data| data.value.as_slice())
}

/// Types and sizes: the values may be proofs of a password.
impl core::fmt::Debug for OwnedPaData {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "PaData({}, {} bytes)", self.kind, self.value.len())
    }
}
