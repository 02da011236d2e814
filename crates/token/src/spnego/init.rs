use alloc::vec::Vec;

use super::context_flags::ContextFlags;
use super::hints::NegHints;
use super::mech_types::MechTypes;
use crate::der::{Decode, Encode, Reader, Tag, Writer};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::framing::InitialToken;
use crate::oid::Oid;

/// The first token: of the initiator, or of an acceptor that speaks first.
///
/// ```text
/// NegTokenInit ::= SEQUENCE {               NegTokenInit2 ::= SEQUENCE {
///     mechTypes   [0] MechTypeList,             mechTypes   [0] MechTypeList OPTIONAL,
///     reqFlags    [1] ContextFlags OPTIONAL,    reqFlags    [1] ContextFlags OPTIONAL,
///     mechToken   [2] OCTET STRING OPTIONAL,    mechToken   [2] OCTET STRING OPTIONAL,
///     mechListMIC [3] OCTET STRING OPTIONAL,    negHints    [3] NegHints OPTIONAL,
///     ...                                       mechListMIC [4] OCTET STRING OPTIONAL,
/// }                                             ...
///                                           }
/// ```
///
/// Source: RFC 4178 §4.2.1; MS-SPNG §2.2.1. It is the alternative `[0]` of a NegotiationToken
/// (RFC 4178 §4.2) in the frame of RFC 2743 §3.1. What is in `[3]` tells the two apart; a list of
/// mechanisms is demanded in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NegTokenInit<'a> {
    /// The mechanisms that are offered.
    pub mech_types: MechTypes<'a>,
    /// To be ignored.
    pub req_flags: Option<ContextFlags>,
    /// The first token of the preferred mechanism.
    pub mech_token: Option<&'a [u8]>,
    /// What an acceptor that speaks first says; makes this a NegTokenInit2.
    pub hints: Option<NegHints<'a>>,
    /// The MIC of [`MechTypes::as_bytes`].
    pub mech_list_mic: Option<&'a [u8]>,
}

impl<'a> NegTokenInit<'a> {
    /// The alternative of a NegotiationToken.
    const TAG: Tag = Tag::context(0);

    /// An offer of these mechanisms and nothing else.
    #[must_use]
    pub const fn new(mech_types: MechTypes<'a>) -> Self {
        Self {
            mech_types,
            req_flags: None,
            mech_token: None,
            hints: None,
            mech_list_mic: None,
        }
    }

    /// Reads a token in its frame.
    ///
    /// # Errors
    /// It is malformed, framed for another mechanism than SPNEGO, without mechanisms, or has
    /// fields that are not known, or bytes follow it.
    #[inline]
    pub fn parse(token: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(token);
        let mut frame = reader.read(InitialToken::TAG)?;
        reader.finish()?;
        let at = frame;
        if Oid::decode(&mut frame)? != Oid::SPNEGO {
            return Err(at.error(DecodeErrorKind::UnexpectedMechanism));
        }
        let mut outer = frame.read(Self::TAG)?;
        frame.finish()?;
        let init = Self::decode(&mut outer)?;
        outer.finish()?;
        Ok(init)
    }

    /// The token in its frame.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        Framed(self).to_der()
    }
}

/// The SEQUENCE alone.
impl<'a> Decode<'a> for NegTokenInit<'a> {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut fields = reader.read(Tag::SEQUENCE)?;
        let mut init = Self::new(fields.field(0)?);
        init.req_flags = fields.optional_field(1)?;
        init.mech_token = fields.optional_field(2)?;
        if fields.peek() == Some(Tag::context(3)) {
            let mut third = fields.read(Tag::context(3))?;
            if third.peek() == Some(Tag::SEQUENCE) {
                init.hints = Some(NegHints::decode(&mut third)?);
                init.mech_list_mic = fields.optional_field(4)?;
            } else {
                init.mech_list_mic = Some(Decode::decode(&mut third)?);
            }
            third.finish()?;
        }
        fields.finish()?;
        Ok(init)
    }
}

/// The SEQUENCE alone.
impl Encode for NegTokenInit<'_> {
    fn encode(&self, writer: &mut Writer) {
        writer.nest(Tag::SEQUENCE, |writer| {
            writer.field(0, &self.mech_types);
            writer.field(1, &self.req_flags);
            writer.field(2, &self.mech_token);
            match self.hints {
                Some(hints) => {
                    writer.field(3, &hints);
                    writer.field(4, &self.mech_list_mic);
                }
                None => writer.field(3, &self.mech_list_mic),
            }
        });
    }
}

/// The SEQUENCE as a NegotiationToken in the frame of a first token.
struct Framed<'a>(&'a NegTokenInit<'a>);

impl Encode for Framed<'_> {
    fn encode(&self, writer: &mut Writer) {
        writer.nest(InitialToken::TAG, |writer| {
            Oid::SPNEGO.encode(writer);
            writer.nest(NegTokenInit::TAG, |writer| self.0.encode(writer));
        });
    }
}
