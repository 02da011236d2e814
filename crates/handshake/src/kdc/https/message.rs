//! What is posted to a proxy, and what is in its answer.

use countersign_context::token::der::{Decode, Encode};
use countersign_context::token::kerberos::KerberosString;
use countersign_context::token::kerberos::kkdcp::{self, KdcProxyMessage};

use super::super::endpoint::Endpoint;
use super::super::error::Failure;

/// What a KDC-PROXY-MESSAGE adds to its message, and more.
pub(super) const AROUND: usize = 1024;

/// Head and body of the request, MS-KKDCP §2.1 and §2.2.2.
pub(super) fn request(
    endpoint: &Endpoint,
    realm: &[u8],
    message: &[u8],
) -> Result<Vec<u8>, Failure> {
    let kerb_message = kkdcp::with_length(message).map_err(|_| Failure::ReservedLength)?;
    let body = KdcProxyMessage {
        kerb_message: &kerb_message,
        target_domain: Some(KerberosString::new(realm)),
        dclocator_hint: None,
    }
    .to_der();
    // RFC 9112 §3.2: the authority as in the URL, an IPv6 address in brackets.
    let (open, close) = if endpoint.host().contains(':') {
        ("[", "]")
    } else {
        ("", "")
    };
    let mut request = format!(
        "POST {path} HTTP/1.1\r\n\
         Host: {open}{name}{close}:{port}\r\n\
         Content-Type: application/kerberos\r\n\
         Content-Length: {length}\r\n\
         Cache-Control: no-cache\r\n\
         Connection: close\r\n\r\n",
        path = endpoint.path().unwrap_or("/"),
        name = endpoint.host(),
        port = endpoint.port(),
        length = body.len(),
    )
    .into_bytes();
    request.extend_from_slice(&body);
    Ok(request)
}

/// The message of a KDC-PROXY-MESSAGE, at most so long.
pub(super) fn reply(body: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
    let message = KdcProxyMessage::from_der(body).and_then(|message| message.message());
    match message {
        Ok(message) if message.len() > limit => Err(Failure::TooLarge {
            length: message.len(),
            limit,
        }),
        Ok(message) => Ok(message.to_vec()),
        Err(_) => Err(Failure::NotKerberos),
    }
}
