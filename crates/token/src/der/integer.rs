use super::reader::{Decode, Reader};
use super::tag::Tag;
use super::writer::{Encode, Writer};
use crate::error::{DecodeError, DecodeErrorKind};

#[inline(always)]
fn read_integer(reader: &mut Reader<'_>) -> Result<i64, DecodeError> {
    integer(reader.read(Tag::INTEGER)?)
}

/// X.690 8.3: the contents of an INTEGER of at most five octets, which hold both `Int32` and
/// `UInt32` of RFC 4120 §5.2.4.
#[inline(always)]
pub(crate) fn integer(contents: Reader<'_>) -> Result<i64, DecodeError> {
    match *contents.remaining() {
        [a] => Ok(i64::from(a.cast_signed())),
        ref octets => read_longer(contents, octets),
    }
}

/// An integer that some peers write as the four octets that they have it in, where fewer would do
/// (X.690 8.3.2; see docs/TOLERANCES.md).
#[inline(always)]
pub(crate) fn integer_of_32_bits(contents: Reader<'_>) -> Result<i64, DecodeError> {
    match *contents.remaining() {
        [0, a @ 0..=0x7f, b, c] => Ok(i64::from(u32::from_be_bytes([0, a, b, c]))),
        _ => integer(contents),
    }
}

#[inline(never)]
fn read_longer(contents: Reader<'_>, octets: &[u8]) -> Result<i64, DecodeError> {
    match *octets {
        [] => Err(contents.error(DecodeErrorKind::NonMinimalInteger)),
        // X.690 8.3.2: the first nine bits are neither all zero nor all one.
        [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => {
            Err(contents.error(DecodeErrorKind::NonMinimalInteger))
        }
        [first, ..] if octets.len() <= 5 => {
            let sign = i64::from(first.cast_signed() >> 7);
            Ok(octets
                .iter()
                .fold(sign, |value, octet| (value << 8) | i64::from(*octet)))
        }
        _ => Err(contents.error(DecodeErrorKind::IntegerOutOfRange)),
    }
}

/// RFC 4120 §5.2.4: `Int32 ::= INTEGER (-2147483648..2147483647)`.
impl<'a> Decode<'a> for i32 {
    #[inline(always)]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let at = *reader;
        Self::try_from(read_integer(reader)?)
            .map_err(|_| at.error(DecodeErrorKind::IntegerOutOfRange))
    }
}

/// RFC 4120 §5.2.4: `UInt32 ::= INTEGER (0..4294967295)`.
///
/// RFC 1510 had signed numbers here, and peers that kept a sign write numbers from 2^31 as
/// negative ones: -1 is read as 4294967295. Others write the four octets that they have, whatever they
/// mean as a signed number (see docs/TOLERANCES.md).
impl<'a> Decode<'a> for u32 {
    #[inline(always)]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let at = *reader;
        let contents = reader.read(Tag::INTEGER)?;
        if let Ok(octets) = contents.remaining().try_into() {
            return Ok(Self::from_be_bytes(octets));
        }
        let value = integer(contents)?;
        match (Self::try_from(value), i32::try_from(value)) {
            (Ok(value), _) => Ok(value),
            (_, Ok(negative)) => Ok(negative.cast_unsigned()),
            _ => Err(at.error(DecodeErrorKind::IntegerOutOfRange)),
        }
    }
}

fn write_integer(writer: &mut Writer, value: i64) {
    if let Ok(octet @ ..0x80) = u8::try_from(value) {
        return writer.bytes(&[Tag::INTEGER.0, 1, octet]);
    }
    // X.690 8.3.2: as many octets as leave one bit for the sign.
    let significant = 65_u32.saturating_sub(value.leading_zeros().max(value.leading_ones()));
    let octets = significant.div_ceil(8).clamp(1, 8);
    let first = value
        .wrapping_shl(64_u32.saturating_sub(octets.saturating_mul(8)))
        .to_be_bytes();
    let contents = first.get(..octets as usize).unwrap_or(&first);
    writer.element(Tag::INTEGER, contents);
}

impl Encode for i32 {
    fn encode(&self, writer: &mut Writer) {
        write_integer(writer, i64::from(*self));
    }
}

impl Encode for u32 {
    fn encode(&self, writer: &mut Writer) {
        write_integer(writer, i64::from(*self));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_boundary_of_int32_round_trips() {
        for value in [
            0,
            1,
            -1,
            127,
            128,
            -128,
            -129,
            255,
            256,
            32767,
            32768,
            i32::MAX,
            i32::MIN,
        ] {
            assert_eq!(i32::from_der(&value.to_der()), Ok(value));
        }
    }

    #[test]
    fn every_boundary_of_uint32_round_trips_in_the_fewest_octets() {
        for (value, length) in [(0, 3), (127, 3), (128, 4), (0x7fff_ffff, 6), (u32::MAX, 7)] {
            let der = value.to_der();
            assert_eq!(der.len(), length);
            assert_eq!(u32::from_der(&der), Ok(value));
        }
    }

    #[test]
    fn uint32_from_a_peer_that_keeps_a_sign_is_read_modulo_2_to_the_32() {
        assert_eq!(u32::from_der(&[2, 1, 0xff]), Ok(u32::MAX));
        assert_eq!(u32::from_der(&[2, 4, 0x80, 0, 0, 0]), Ok(0x8000_0000));
        let error = u32::from_der(&[2, 5, 1, 0, 0, 0, 0]).unwrap_err();
        assert_eq!(error.kind(), DecodeErrorKind::IntegerOutOfRange);
    }

    #[test]
    fn uint32_in_four_octets_is_read_and_in_no_other_padding() {
        let padded = [0_u32, 1, 0x7f, 0x80, 0x7fff, 0x8000, 0x7f_ffff, 0xff80_0000];
        for value in padded.into_iter().chain([u32::MAX]) {
            let der = [&[2, 4][..], &value.to_be_bytes()].concat();
            assert_eq!(u32::from_der(&der), Ok(value));
            assert!(i32::from_der(&der).is_err());
        }
        for der in [
            &[2, 2, 0, 1][..],
            &[2, 2, 0xff, 0xff],
            &[2, 3, 0, 0x7f, 1],
            &[2, 3, 0xff, 0xff, 0xff],
            &[2, 5, 0, 0, 0, 0, 1],
            &[2, 5, 0xff, 0xff, 0xff, 0xff, 0xff],
        ] {
            let error = u32::from_der(der).unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::NonMinimalInteger);
        }
    }

    #[test]
    fn padded_and_empty_integers_are_refused() {
        for der in [
            &[2, 0][..],
            &[2, 2, 0, 1],
            &[2, 2, 0xff, 0xff],
            &[2, 2, 0, 0x7f],
        ] {
            let error = i32::from_der(der).unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::NonMinimalInteger);
        }
        assert_eq!(i32::from_der(&[2, 2, 0, 0x80]), Ok(128));
    }
}
