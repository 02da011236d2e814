//! Steps without what is in their tokens: an AUTHENTICATE message of NTLM can be searched for its
//! password, and a ticket is nobody's who reads a log.

use core::fmt;

use countersign_token::framing::InitialToken;
use countersign_token::kerberos::gss_token::{self, TokenId};
use countersign_token::oid::Oid;
use countersign_token::spnego::NegTokenResp;

use super::Step;

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Continue { token } => f
                .debug_struct("Continue")
                .field("token", &Shown(token))
                .finish(),
            Self::Need(need) => f.debug_tuple("Need").field(need).finish(),
            Self::Established { token, context } => f
                .debug_struct("Established")
                .field("token", &token.as_deref().map(Shown))
                .field("context", context)
                .finish(),
        }
    }
}

/// Of what kind a token is, and how long.
struct Shown<'a>(&'a [u8]);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} bytes", Kind(self.0), self.0.len())
    }
}

/// Kept apart by how they begin; only a negotiation's reply is read whole.
struct Kind<'a>(&'a [u8]);

impl fmt::Display for Kind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(feature = "ntlm")]
        if let Ok(kind) = countersign_token::ntlm::MessageType::of(self.0) {
            return write!(f, "NTLM {kind}");
        }
        let Ok(framed) = InitialToken::parse(self.0) else {
            return f.write_str(if NegTokenResp::parse(self.0).is_ok() {
                "SPNEGO NegTokenResp"
            } else {
                "token"
            });
        };
        match framed.mechanism.mechanism_name() {
            Some(name) => f.write_str(name)?,
            None => fmt::Display::fmt(&framed.mechanism, f)?,
        }
        if framed.mechanism == Oid::SPNEGO {
            return f.write_str(" NegTokenInit");
        }
        match gss_token::split(framed.inner) {
            Ok((TokenId::ApReq, _)) => f.write_str(" AP-REQ"),
            Ok((TokenId::ApRep, _)) => f.write_str(" AP-REP"),
            Ok((TokenId::KrbError, _)) => f.write_str(" KRB-ERROR"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_token::spnego::{MechTypes, NegTokenInit};

    use super::*;

    fn shown(token: &[u8]) -> String {
        let token = token.to_vec();
        format!("{:?}", Step::Continue { token })
    }

    #[test]
    fn a_step_tells_kind_and_length_of_its_token_and_nothing_of_its_contents() {
        let ap_req = InitialToken::encode(Oid::KERBEROS, &[b"\x01\x00ticket"]);
        let list = MechTypes::encode(&[Oid::KERBEROS]);
        let init = NegTokenInit {
            mech_token: Some(&ap_req),
            ..NegTokenInit::new(MechTypes::parse(&list).unwrap())
        };
        let response = NegTokenResp {
            response_token: Some(&ap_req),
            ..NegTokenResp::default()
        };
        let other = InitialToken::encode(Oid::from_contents(b"\x2a\x03").unwrap(), &[b"ticket"]);
        for (token, kind) in [
            (ap_req.clone(), "Kerberos 5 AP-REQ"),
            (init.to_bytes(), "SPNEGO NegTokenInit"),
            (response.to_bytes(), "SPNEGO NegTokenResp"),
            (other, "1.2.3"),
            (b"ticket".to_vec(), "token"),
            (Vec::new(), "token"),
        ] {
            let length = token.len();
            let expected = format!("Continue {{ token: {kind}, {length} bytes }}");
            assert_eq!(shown(&token), expected);
        }
    }

    #[cfg(feature = "ntlm")]
    #[test]
    fn a_step_tells_which_message_of_ntlm_it_has() {
        for (number, kind) in [(1, "NEGOTIATE"), (2, "CHALLENGE"), (3, "AUTHENTICATE")] {
            let token = [&b"NTLMSSP\0"[..], &[number, 0, 0, 0], b"response"].concat();
            let expected = format!("Continue {{ token: NTLM {kind}, 20 bytes }}");
            assert_eq!(shown(&token), expected);
        }
    }
}
