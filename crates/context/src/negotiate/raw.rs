//! Tokens of mechanisms without negotiation around them.

use countersign_token::framing::InitialToken;
use countersign_token::ntlm;
use countersign_token::oid::Oid;

/// Whose tokens an acceptor takes without negotiation, as some clients send them (MS-SPNG §3.3.5.1
/// and common practice of HTTP and SMB servers). Nothing proves to such a client that the server
/// would have negotiated another mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RawTokens {
    /// Kerberos tokens as RFC 4121 §4.1 frames them.
    pub kerberos: bool,
    /// NTLM messages.
    pub ntlm: bool,
}

impl RawTokens {
    /// None.
    pub const NONE: Self = Self {
        kerberos: false,
        ntlm: false,
    };

    /// Kerberos and NTLM.
    pub const ALL: Self = Self {
        kerberos: true,
        ntlm: true,
    };

    /// The mechanism that a first token without negotiation is of, if it may be taken.
    pub(super) fn mechanism(self, token: &[u8]) -> Option<Oid<'static>> {
        if self.ntlm && token.starts_with(&ntlm::SIGNATURE) {
            return Some(Oid::NTLMSSP);
        }
        let framed = InitialToken::parse(token).ok()?;
        (self.kerberos && framed.mechanism.is_kerberos()).then_some(Oid::KERBEROS)
    }
}
