use super::reader::{Decode, Reader};
use super::tag::Tag;
use super::writer::{Encode, Writer};
use crate::error::{DecodeError, DecodeErrorKind};

/// BOOLEAN: of the values for true that BER has, DER has 0xFF alone (X.690 11.1).
impl<'a> Decode<'a> for bool {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let contents = reader.read(Tag::BOOLEAN)?;
        match contents.remaining() {
            [0] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(contents.error(DecodeErrorKind::MalformedBoolean)),
        }
    }
}

impl Encode for bool {
    fn encode(&self, writer: &mut Writer) {
        writer.element(Tag::BOOLEAN, &[if *self { 0xff } else { 0 }]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_values_round_trip_and_others_are_refused() {
        for value in [false, true] {
            assert_eq!(bool::from_der(&value.to_der()), Ok(value));
        }
        for der in [&[1, 1, 1][..], &[1, 0], &[1, 2, 0, 0]] {
            let error = bool::from_der(der).unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::MalformedBoolean);
        }
    }
}
