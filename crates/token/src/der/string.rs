use super::reader::{Decode, Reader};
use super::tag::Tag;
use super::writer::{Encode, Writer};
use crate::error::DecodeError;

/// OCTET STRING, primitive (X.690 10.2).
impl<'a> Decode<'a> for &'a [u8] {
    #[inline(always)]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(reader.read(Tag::OCTET_STRING)?.remaining())
    }
}

impl Encode for [u8] {
    fn encode(&self, writer: &mut Writer) {
        writer.element(Tag::OCTET_STRING, self);
    }
}
