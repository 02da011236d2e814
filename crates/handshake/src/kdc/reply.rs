//! Whether bytes are an answer at all.
//!
//! Nothing here authenticates: it only tells a KDC from something else that listens at its port,
//! so that stray or forged rubbish does not end a request that a KDC would have answered.

use countersign_context::kerberos::kdc::KdcService;
use countersign_context::token::der::{Decode, Reader};
use countersign_context::token::kerberos::KrbError;

/// Tags of whole messages, RFC 4120 §5.10.
const AS_REQ: u8 = 0x6a;
const AS_REP: u8 = 0x6b;
const TGS_REQ: u8 = 0x6c;
const TGS_REP: u8 = 0x6d;
const KRB_ERROR: u8 = 0x7e;

/// RFC 4120 §7.5.9: this KDC cannot serve now, another may.
const KDC_ERR_SVC_UNAVAILABLE: i32 = 29;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Reply,
    /// A reply, but another KDC may have a better one.
    OutOfService,
    /// Nothing that a KDC says in answer to this request.
    Foreign,
}

pub(super) fn judge(service: KdcService, request: &[u8], reply: &[u8]) -> Verdict {
    match reply.first() {
        Some(&KRB_ERROR) => match KrbError::from_der(reply) {
            Ok(error) if error.error_code == KDC_ERR_SVC_UNAVAILABLE => Verdict::OutOfService,
            Ok(_) => Verdict::Reply,
            // What is odd about it is for the engine to judge.
            Err(_) if is_one_element(reply) => Verdict::Reply,
            Err(_) => Verdict::Foreign,
        },
        _ if service == KdcService::PasswordChange => {
            if is_password_reply(reply) {
                Verdict::Reply
            } else {
                Verdict::Foreign
            }
        }
        Some(&tag) if answers(request.first().copied(), tag) && is_one_element(reply) => {
            Verdict::Reply
        }
        _ => Verdict::Foreign,
    }
}

fn answers(request: Option<u8>, reply: u8) -> bool {
    match request {
        Some(AS_REQ) => reply == AS_REP,
        Some(TGS_REQ) => reply == TGS_REP,
        _ => matches!(reply, AS_REP | TGS_REP),
    }
}

fn is_one_element(message: &[u8]) -> bool {
    let mut reader = Reader::new(message);
    reader.read_any().is_ok() && reader.is_empty()
}

/// RFC 3244 §2: the length of the whole, the version, the length of the AP-REP.
fn is_password_reply(message: &[u8]) -> bool {
    match message {
        [a, b, _, _, _, _, ..] => usize::from(u16::from_be_bytes([*a, *b])) == message.len(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kdc(request: u8, reply: &[u8]) -> Verdict {
        judge(KdcService::Kdc, &[request, 0], reply)
    }

    #[test]
    fn only_the_reply_to_the_kind_of_request_is_one() {
        assert_eq!(kdc(AS_REQ, &[AS_REP, 1, 0]), Verdict::Reply);
        assert_eq!(kdc(TGS_REQ, &[TGS_REP, 1, 0]), Verdict::Reply);
        assert_eq!(kdc(AS_REQ, &[TGS_REP, 1, 0]), Verdict::Foreign);
        assert_eq!(kdc(TGS_REQ, &[AS_REP, 1, 0]), Verdict::Foreign);
        assert_eq!(kdc(AS_REQ, &[AS_REQ, 1, 0]), Verdict::Foreign);
        assert_eq!(kdc(AS_REQ, b"HTTP/1.1 400"), Verdict::Foreign);
        assert_eq!(kdc(AS_REQ, &[]), Verdict::Foreign);
    }

    #[test]
    fn a_reply_is_one_whole_element() {
        for (reply, expected) in [
            (&[AS_REP, 2, 5, 0][..], Verdict::Reply),
            (&[AS_REP, 2, 5], Verdict::Foreign),
            (&[AS_REP, 2, 5, 0, 0], Verdict::Foreign),
            (&[AS_REP, 0x80, 0, 0], Verdict::Foreign),
            (&[KRB_ERROR, 0], Verdict::Reply),
            (&[KRB_ERROR, 1], Verdict::Foreign),
        ] {
            assert_eq!(kdc(AS_REQ, reply), expected, "{reply:?}");
        }
    }

    #[test]
    fn a_password_reply_says_its_own_length() {
        let judged = |reply: &[u8]| judge(KdcService::PasswordChange, &[0, 0], reply);
        assert_eq!(judged(&[0, 8, 0, 1, 0, 0, 9, 9]), Verdict::Reply);
        assert_eq!(judged(&[0, 9, 0, 1, 0, 0, 9, 9]), Verdict::Foreign);
        assert_eq!(judged(&[0, 4, 0, 1]), Verdict::Foreign);
        assert_eq!(judged(&[AS_REP, 1, 0]), Verdict::Foreign);
    }
}
