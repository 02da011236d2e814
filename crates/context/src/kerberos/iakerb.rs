//! IAKERB: Kerberos for initiators that reach no KDC. The initiator's messages to KDCs travel in
//! the context's tokens, the acceptor passes them on; then an AP exchange follows, in which the
//! initiator proves that it saw every one of those tokens (draft-ietf-kitten-iakerb-03).

mod acceptor;
mod initiator;

pub use acceptor::IakerbAcceptor;
pub use countersign_token::kerberos::iakerb::Dialect as IakerbDialect;
pub use initiator::IakerbInitiator;

use core::fmt;

use countersign_crypto::{Key, KeyUsage};
use countersign_token::der::{Decode, Encode};
use countersign_token::framing::InitialToken;
use countersign_token::kerberos::gss_checksum::{Extension, Extensions};
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::kerberos::iakerb::{self, Dialect, IakerbHeader};
use countersign_token::kerberos::{Checksum, IakerbFinished};
use countersign_token::oid::Oid;
use countersign_token::{DecodeError, DecodeErrorKind};

use crate::error::ErrorKind;
use crate::policy::Policy;

/// Round trips that one context may cost: a log-on has two or three, a path of realms some more.
const MAX_ROUNDS: usize = 26;

/// How many tokens of the greatest size a conversation may be long: all of it is kept until the
/// initiator proves to have seen it.
const MAX_CONVERSATION: usize = 4;

/// Every token before the AP exchange, as it was sent, in order.
#[derive(Default)]
pub(super) struct Conversation {
    bytes: Vec<u8>,
    rounds: usize,
}

impl Conversation {
    fn push(&mut self, token: &[u8], policy: &Policy) -> Result<(), ErrorKind> {
        let limit = policy.max_token().saturating_mul(MAX_CONVERSATION);
        let length = self.bytes.len().saturating_add(token.len());
        if length > limit {
            return Err(ErrorKind::TokenTooLarge { length, limit });
        }
        self.bytes.extend_from_slice(token);
        Ok(())
    }

    /// Counts a message to a KDC.
    fn round(&mut self) -> Result<(), ErrorKind> {
        self.rounds = self.rounds.saturating_add(1);
        match self.rounds > MAX_ROUNDS {
            true => Err(crate::error::KdcProblem::TooManyRounds.into()),
            false => Ok(()),
        }
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("rounds", &self.rounds)
            .finish_non_exhaustive()
    }
}

/// That an AP exchange is part of IAKERB, and what came before it.
#[derive(Debug, Default)]
pub(super) struct Proxied {
    /// Which extension the initiator sends; an acceptor takes either.
    dialect: Dialect,
    conversation: Conversation,
}

impl Proxied {
    /// The initiator's proof, an extension of the checksum of its authenticator (RFC 4121 §4.1.1);
    /// `None` where nothing was passed on.
    pub(super) fn finished(&self, subkey: &Key) -> Result<Option<Vec<u8>>, ErrorKind> {
        if self.conversation.bytes.is_empty() {
            return Ok(None);
        }
        let checksum_type = subkey.enctype().checksum_type();
        let usage = KeyUsage(self.dialect.key_usage());
        let checksum = subkey
            .checksum(usage, checksum_type, &self.conversation.bytes)
            .map_err(|_| ErrorKind::Internal("checksum of a conversation"))?;
        let gss_mic = Checksum {
            cksumtype: checksum_type.id(),
            checksum: checksum.as_bytes(),
        };
        Ok(Some(Extensions::encode(&[Extension {
            kind: self.dialect.extension(),
            data: &IakerbFinished { gss_mic }.to_der(),
        }])))
    }

    /// draft-ietf-kitten-iakerb-03 3: the acceptor verifies that proof, without which whoever
    /// stands between could have had other messages passed on.
    pub(super) fn verify(
        &self,
        extensions: Extensions<'_>,
        subkey: Option<&Key>,
    ) -> Result<(), ErrorKind> {
        let conversation = &self.conversation.bytes;
        if conversation.is_empty() {
            return Ok(());
        }
        let unproven = ErrorKind::ProxiedMessagesUnproven;
        let subkey = subkey.ok_or(unproven)?;
        let (dialect, finished) = extensions
            .into_iter()
            .find_map(|extension| {
                let dialects = [Dialect::Kitten, Dialect::Zhu];
                let its = |dialect: &Dialect| dialect.extension() == extension.kind;
                Some((dialects.into_iter().find(its)?, extension.data))
            })
            .ok_or(unproven)?;
        let finished = IakerbFinished::from_der(finished).map_err(ErrorKind::ChecksumDefective)?;
        subkey
            .verify_checksum(
                KeyUsage(dialect.key_usage()),
                finished.gss_mic.cksumtype,
                &[conversation],
                finished.gss_mic.checksum,
            )
            .map_err(|_| unproven)
    }
}

/// A token that carries a message to or from a KDC.
fn proxy_token(header: &IakerbHeader<'_>, message: &[u8], framed: bool) -> Vec<u8> {
    let id = TokenId::IakerbProxy.to_bytes();
    let inner = iakerb::join(header, message);
    match framed {
        true => InitialToken::encode(Oid::IAKERB, &[&id, &inner]),
        false => [&id[..], &inner].concat(),
    }
}

/// What a token is.
enum Received<'a> {
    /// A message to or from a KDC.
    Proxied(IakerbHeader<'a>, &'a [u8]),
    /// A token of the AP exchange.
    Exchange,
}

/// Tells the two kinds of token apart. The first one has the frame of RFC 2743 §3.1, later ones
/// may do without it (see [`Dialect`]).
fn receive(token: &[u8], first: bool) -> Result<Received<'_>, ErrorKind> {
    let id = TokenId::IakerbProxy.to_bytes();
    let frame = token.first() == Some(&InitialToken::TAG.0);
    let inner = match frame {
        true => {
            let frame = InitialToken::parse(token).map_err(ErrorKind::DefectiveToken)?;
            if frame.mechanism != Oid::IAKERB {
                return Err(ErrorKind::WrongMechanism);
            }
            frame.inner
        }
        false if first => {
            let kind = DecodeErrorKind::UnexpectedTag {
                expected: InitialToken::TAG,
                found: countersign_token::der::Tag(token.first().copied().unwrap_or_default()),
            };
            return Err(ErrorKind::DefectiveToken(DecodeError::new(0, kind)));
        }
        false => token,
    };
    let Some(body) = inner.strip_prefix(&id) else {
        return Ok(Received::Exchange);
    };
    let offset = token.len().saturating_sub(body.len());
    let (header, message) = iakerb::split(body).map_err(|error| {
        let at = offset.saturating_add(error.offset());
        ErrorKind::DefectiveToken(DecodeError::new(at, error.kind()))
    })?;
    Ok(Received::Proxied(header, message))
}
