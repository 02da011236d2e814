use alloc::vec::Vec;

use super::neg_state::NegState;
use crate::der::{Decode, Encode, Reader, Tag, Writer};
use crate::error::DecodeError;
use crate::oid::Oid;

/// Every token but the first, in both directions.
///
/// ```text
/// NegTokenResp ::= SEQUENCE {
///     negState      [0] ENUMERATED {
///         accept-completed (0), accept-incomplete (1), reject (2), request-mic (3)
///     } OPTIONAL,
///     supportedMech [1] MechType OPTIONAL,
///     responseToken [2] OCTET STRING OPTIONAL,
///     mechListMIC   [3] OCTET STRING OPTIONAL,
///     ...
/// }
/// ```
///
/// Source: RFC 4178 §4.2.2. It is the alternative `[1]` of a NegotiationToken (§4.2), without the
/// frame of RFC 2743 §3.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NegTokenResp<'a> {
    /// How the negotiation stands; initiators leave it out.
    pub neg_state: Option<NegState>,
    /// The mechanism that was chosen; only in an acceptor's first reply.
    pub supported_mech: Option<Oid<'a>>,
    /// The next token of the mechanism.
    pub response_token: Option<&'a [u8]>,
    /// The MIC of the [`MechTypes`](super::MechTypes) that the initiator offered.
    pub mech_list_mic: Option<&'a [u8]>,
}

impl<'a> NegTokenResp<'a> {
    /// The alternative of a NegotiationToken.
    const TAG: Tag = Tag::context(1);

    /// Reads a token.
    ///
    /// # Errors
    /// It is malformed, has fields that are not known, or bytes follow it.
    #[inline]
    pub fn parse(token: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(token);
        let mut outer = reader.read(Self::TAG)?;
        reader.finish()?;
        let resp = Self::decode(&mut outer)?;
        outer.finish()?;
        Ok(resp)
    }

    /// The token.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        Tagged(self).to_der()
    }
}

/// The SEQUENCE alone.
impl<'a> Decode<'a> for NegTokenResp<'a> {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut fields = reader.read(Tag::SEQUENCE)?;
        let resp = Self {
            neg_state: fields.optional_field(0)?,
            supported_mech: fields.optional_field(1)?,
            response_token: fields.optional_field(2)?,
            mech_list_mic: fields.optional_field(3)?,
        };
        fields.finish()?;
        Ok(resp)
    }
}

/// The SEQUENCE alone.
impl Encode for NegTokenResp<'_> {
    fn encode(&self, writer: &mut Writer) {
        writer.nest(Tag::SEQUENCE, |writer| {
            writer.field(0, &self.neg_state);
            writer.field(1, &self.supported_mech);
            writer.field(2, &self.response_token);
            writer.field(3, &self.mech_list_mic);
        });
    }
}

/// The SEQUENCE as a NegotiationToken.
struct Tagged<'a>(&'a NegTokenResp<'a>);

impl Encode for Tagged<'_> {
    fn encode(&self, writer: &mut Writer) {
        writer.nest(NegTokenResp::TAG, |writer| self.0.encode(writer));
    }
}
