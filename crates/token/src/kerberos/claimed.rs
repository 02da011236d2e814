use crate::der::{Decode, Encode, Reader, Writer};
use crate::error::DecodeError;

/// A value that nobody has authenticated: anyone on the path could have written it.
///
/// The names outside the encrypted parts are of this type: `realm` and `sname` of a
/// [`Ticket`](super::Ticket), `crealm` and `cname` of a [`KdcRep`](super::KdcRep), everything in
/// a [`KrbError`](super::KrbError). Take the authenticated copy from the encrypted part, or call
/// [`unverified`](Self::unverified) where a claim is enough, such as to choose a key to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Claimed<T>(T);

impl<T> Claimed<T> {
    /// Marks `value` as a claim.
    #[must_use]
    #[inline]
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, which nobody has authenticated.
    #[must_use]
    #[inline]
    pub const fn unverified(&self) -> &T {
        &self.0
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Claimed<T> {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        T::decode(reader).map(Self)
    }
}

impl<T: Encode> Encode for Claimed<T> {
    fn encode(&self, writer: &mut Writer) {
        self.0.encode(writer);
    }
}
