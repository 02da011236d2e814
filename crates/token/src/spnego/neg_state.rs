use core::fmt;

use crate::der::{Decode, Encode, Reader, Tag, Writer};
use crate::error::{DecodeError, DecodeErrorKind};

/// How the negotiation stands for the acceptor.
///
/// Source: RFC 4178 §4.2.2, `negState`, an ENUMERATED.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NegState {
    /// The mechanism's context is established.
    AcceptCompleted,
    /// Another token is expected.
    AcceptIncomplete,
    /// The negotiation has failed.
    Reject,
    /// A mechanism that was not the initiator's preferred one is chosen, and a `mechListMIC` owed
    /// for it. Only in an acceptor's first reply.
    RequestMic,
}

impl NegState {
    /// The number.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::AcceptCompleted => 0,
            Self::AcceptIncomplete => 1,
            Self::Reject => 2,
            Self::RequestMic => 3,
        }
    }
}

impl<'a> Decode<'a> for NegState {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let contents = reader.read(Tag::ENUMERATED)?;
        match *contents.remaining() {
            [0] => Ok(Self::AcceptCompleted),
            [1] => Ok(Self::AcceptIncomplete),
            [2] => Ok(Self::Reject),
            [3] => Ok(Self::RequestMic),
            // X.690 8.4: an ENUMERATED is encoded as an INTEGER is.
            [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => {
                Err(contents.error(DecodeErrorKind::NonMinimalInteger))
            }
            _ => Err(contents.error(DecodeErrorKind::IntegerOutOfRange)),
        }
    }
}

impl Encode for NegState {
    fn encode(&self, writer: &mut Writer) {
        writer.element(Tag::ENUMERATED, &[self.number()]);
    }
}

/// The name in RFC 4178 §4.2.2.
impl fmt::Display for NegState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AcceptCompleted => "accept-completed",
            Self::AcceptIncomplete => "accept-incomplete",
            Self::Reject => "reject",
            Self::RequestMic => "request-mic",
        })
    }
}
