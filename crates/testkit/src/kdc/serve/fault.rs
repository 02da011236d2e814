//! KDCs that misbehave on the wire.

use std::time::Duration;

use super::{Service, Shared};
use crate::SeededRandom;
use crate::kdc::refusal::code;

/// How a [`KdcServer`](super::KdcServer) misbehaves. A dead one is a server that was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KdcFault {
    /// Takes requests and connections, and never answers: a black hole.
    Silent,
    /// Is a black hole for datagrams only.
    SilentOverUdp,
    /// Answers after this time.
    Slow(Duration),
    /// Answers bytes that are no message.
    Garbage,
    /// Answers the first half: of the message in a datagram, of what the length announced on a stream.
    Truncated,
    /// Answers each request twice.
    Twice,
    /// Closes each connection as soon as the request is in; is silent for datagrams.
    HangsUp,
    /// Answers that it is another realm's KDC.
    WrongRealm,
    /// Announces a message of 2 GiB on a stream; answers datagrams with none.
    Endless,
    /// Answers with nothing: an empty datagram, a length of zero on a stream.
    Empty,
    /// Answers so many octets, the length on a stream among them, and closes it.
    TruncatedAt(usize),
    /// Announces a length whose highest bit is set, which RFC 4120 §7.2.2 reserves; answers datagrams with none.
    ReservedLength,
    /// Answers an octet at a time on a stream, after this pause each; is silent for datagrams.
    Trickle(Duration),
    /// Resets each connection while the request is on its way; is silent for datagrams.
    Resets,
    /// Answers with its first ticket that was for another request; honestly while there is none.
    Stale,
    /// Answers datagrams from another port; is a black hole on streams.
    Elsewhere,
    /// Answers datagrams that the answer is too long for one, and closes connections as soon as the request is in.
    TooBig,
}

/// The datagrams that answer `request`.
pub(super) fn datagrams(
    shared: &Shared,
    service: Service,
    request: &[u8],
    fault: Option<KdcFault>,
) -> Vec<Vec<u8>> {
    let honest = || {
        let answer = shared.answer(service, request, true);
        // A KDC that keeps silent sends no empty datagram.
        (!answer.is_empty()).then_some(answer)
    };
    match fault {
        None | Some(KdcFault::Elsewhere) => honest().into_iter().collect(),
        Some(
            KdcFault::Silent
            | KdcFault::SilentOverUdp
            | KdcFault::HangsUp
            | KdcFault::Trickle(_)
            | KdcFault::Resets,
        ) => Vec::new(),
        Some(KdcFault::Slow(delay)) => match shared.sleep(delay) {
            true => honest().into_iter().collect(),
            false => Vec::new(),
        },
        Some(KdcFault::Garbage) => vec![garbage(request)],
        Some(KdcFault::Truncated) => honest().map(half).into_iter().collect(),
        Some(KdcFault::Twice) => {
            honest().map_or_else(Vec::new, |answer| vec![answer.clone(), answer])
        }
        Some(KdcFault::WrongRealm) => vec![wrong_realm(shared)],
        Some(KdcFault::Endless | KdcFault::Empty | KdcFault::ReservedLength) => vec![Vec::new()],
        Some(KdcFault::TruncatedAt(length)) => {
            let cut = honest().map(|mut answer| {
                answer.truncate(length);
                answer
            });
            cut.into_iter().collect()
        }
        Some(KdcFault::Stale) => match shared.stale(request) {
            Some(answer) => vec![answer],
            None => honest().into_iter().collect(),
        },
        Some(KdcFault::TooBig) => vec![too_big(shared)],
    }
}

/// Bytes that follow from the request and look like nothing.
pub(super) fn garbage(request: &[u8]) -> Vec<u8> {
    let mut random = SeededRandom::derived(0, &[b"garbage", request]);
    let length = random.below(200).saturating_add(1);
    (0..length)
        .map(|_| random.next_u64().to_le_bytes()[0])
        .collect()
}

/// KDC_ERR_WRONG_REALM, of nobody's making: no key protects it.
pub(super) fn wrong_realm(shared: &Shared) -> Vec<u8> {
    shared
        .kdc
        .refuse_plainly(code::WRONG_REALM, "another realm's KDC")
}

/// KRB_ERR_RESPONSE_TOO_BIG, RFC 4120 §7.2.1.
fn too_big(shared: &Shared) -> Vec<u8> {
    shared.kdc.refuse_plainly(code::RESPONSE_TOO_BIG, "")
}

pub(super) fn half(mut answer: Vec<u8>) -> Vec<u8> {
    answer.truncate(answer.len().wrapping_div(2));
    answer
}
