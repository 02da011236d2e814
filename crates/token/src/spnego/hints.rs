use crate::der::{Decode, Encode, Reader, Tag, Writer};
use crate::error::DecodeError;

/// What an acceptor that speaks first may tell: to be ignored.
///
/// ```text
/// NegHints ::= SEQUENCE {
///     hintName    [0] GeneralString OPTIONAL,
///     hintAddress [1] OCTET STRING OPTIONAL
/// }
/// ```
///
/// Source: MS-SPNG §2.2.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NegHints<'a> {
    /// The acceptor's name, or [`PLEASE_IGNORE`](Self::PLEASE_IGNORE).
    pub hint_name: Option<&'a [u8]>,
    /// The acceptor's address; never there in practice.
    pub hint_address: Option<&'a [u8]>,
}

impl NegHints<'static> {
    /// What Windows has for a name: `not_defined_in_RFC4178@please_ignore`.
    pub const PLEASE_IGNORE: Self = Self {
        hint_name: Some(b"not_defined_in_RFC4178@please_ignore"),
        hint_address: None,
    };
}

/// GeneralString of any bytes.
struct GeneralString<'a>(&'a [u8]);

impl<'a> Decode<'a> for GeneralString<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self(reader.read(Tag::GENERAL_STRING)?.remaining()))
    }
}

impl Encode for GeneralString<'_> {
    fn encode(&self, writer: &mut Writer) {
        writer.element(Tag::GENERAL_STRING, self.0);
    }
}

impl<'a> Decode<'a> for NegHints<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut fields = reader.read(Tag::SEQUENCE)?;
        let hint_name = fields.optional_field::<GeneralString<'_>>(0)?;
        let hint_address = fields.optional_field(1)?;
        fields.finish()?;
        Ok(Self {
            hint_name: hint_name.map(|name| name.0),
            hint_address,
        })
    }
}

impl Encode for NegHints<'_> {
    fn encode(&self, writer: &mut Writer) {
        writer.nest(Tag::SEQUENCE, |writer| {
            writer.field(0, &self.hint_name.map(GeneralString));
            writer.field(1, &self.hint_address);
        });
    }
}
