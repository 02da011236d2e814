//! The outside of Kerberos tokens: RFC 4121 §4.1, and DCE style without it.

use countersign_token::der::{Encode, Writer};
use countersign_token::framing::InitialToken;
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::oid::Oid;

use crate::error::ErrorKind;

/// Whether a token came in the framing of RFC 2743 §3.1 and under which OID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framed {
    /// Under the OID of RFC 4121, its variant that a bug of old Windows made (MS-KILE §3.1.1.7), or
    /// that of user-to-user, or that of IAKERB.
    As(Oid<'static>),
    /// Bare, as DCE style has it.
    Bare,
}

impl Framed {
    /// Whether it may be around the answer to a token that was framed under `ours`.
    pub(super) fn answers(self, ours: Oid<'static>) -> bool {
        match self {
            Self::As(oid) => oid == ours || oid.is_kerberos(),
            Self::Bare => true,
        }
    }

    /// Encodes a message in the framing, in one allocation.
    pub(super) fn frame(self, id: TokenId, message: &impl Encode) -> Vec<u8> {
        match self {
            Self::As(mechanism) => FramedMessage {
                mechanism,
                id,
                message,
            }
            .to_der(),
            Self::Bare => message.to_der(),
        }
    }
}

/// RFC 4121 §4.1: the identifier and the message in the frame of RFC 2743 §3.1.
struct FramedMessage<'a, T> {
    mechanism: Oid<'static>,
    id: TokenId,
    message: &'a T,
}

impl<T: Encode> Encode for FramedMessage<'_, T> {
    fn encode(&self, writer: &mut Writer) {
        writer.nest(InitialToken::TAG, |writer| {
            self.mechanism.encode(writer);
            writer.bytes(&self.id.to_bytes());
            self.message.encode(writer);
        });
    }
}

/// The first octet of RFC 2743's framing: `[APPLICATION 0]`, constructed.
const FRAMING_TAG: u8 = 0x60;

/// Takes the message out of its framing and checks that it is the one that is due.
pub(super) fn unframe(token: &[u8], due: TokenId) -> Result<(Framed, &[u8]), ErrorKind> {
    let (framed, id, message) = unframe_any(token)?;
    match id {
        None => Ok((framed, message)),
        Some(id) if id == due.to_bytes() => Ok((framed, message)),
        Some(found) => Err(ErrorKind::WrongTokenId { found }),
    }
}

/// A token's framing, its id if it is framed, and the message in it.
pub(super) type Unframed<'a> = (Framed, Option<[u8; 2]>, &'a [u8]);

/// The mechanisms whose tokens are Kerberos messages. Which of them fits is told by the message.
const KNOWN: [Oid<'static>; 4] = [
    Oid::KERBEROS,
    Oid::MS_KERBEROS,
    Oid::KERBEROS_USER_TO_USER,
    Oid::IAKERB,
];

/// Takes the message out of its framing, whichever it is.
pub(super) fn unframe_any(token: &[u8]) -> Result<Unframed<'_>, ErrorKind> {
    if token.first() != Some(&FRAMING_TAG) {
        return Ok((Framed::Bare, None, token));
    }
    let outer = InitialToken::parse(token).map_err(ErrorKind::DefectiveToken)?;
    let mechanism = KNOWN
        .into_iter()
        .find(|known| *known == outer.mechanism)
        .ok_or(ErrorKind::WrongMechanism)?;
    match outer.inner.split_first_chunk::<2>() {
        Some((id, message)) => Ok((Framed::As(mechanism), Some(*id), message)),
        None => Err(ErrorKind::WrongTokenId { found: [0, 0] }),
    }
}
