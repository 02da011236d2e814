//! NTLMv2_RESPONSE, MS-NLMP §2.2.2.8.

use countersign_token::DecodeErrorKind;
use countersign_token::ntlm::*;

use crate::common::ntlm::{TIMESTAMP, av_pairs, nt_response};

#[test]
fn a_response_says_what_it_is_over() {
    let bytes = nt_response();
    let response = NtlmV2Response::parse(&bytes).unwrap();
    assert_eq!(response.proof, &[0x9f; 16]);
    assert_eq!(response.blob, &bytes[16..]);
    assert_eq!(response.timestamp, TIMESTAMP);
    assert_eq!(response.client_challenge, &[0xcc; 8]);
    assert_eq!(response.av_pairs.as_bytes(), av_pairs());
    let shown = format!("{response:?}");
    assert!(
        shown.contains("MsvAvTargetName") && !shown.contains("159"),
        "{shown}"
    );
}

/// Windows adds four bytes of zero, others none; whatever is there, the proof is over it.
#[test]
fn bytes_behind_the_pairs_are_part_of_the_blob() {
    for (zeros, more) in [(0, &b""[..]), (4, b""), (8, b"anything")] {
        let blob = encode_client_challenge(7, &[1; 8], &av_pairs(), zeros);
        let bytes = [&[2; 16], &blob[..], more].concat();
        let response = NtlmV2Response::parse(&bytes).unwrap();
        assert_eq!(response.blob, &bytes[16..]);
        assert_eq!(response.av_pairs.as_bytes(), av_pairs());
    }
    // Where the acceptor sent no pairs, the zeros are the end of the list.
    let blob = encode_client_challenge(7, &[1; 8], &[], 4);
    let bytes = [&[2; 16], &blob[..]].concat();
    let response = NtlmV2Response::parse(&bytes).unwrap();
    assert_eq!(response.av_pairs.iter().count(), 0);
}

#[test]
fn reserved_bytes_are_ignored_and_stay_in_the_blob() {
    let mut bytes = nt_response();
    for place in (18..24).chain(40..44) {
        bytes[place] = 0xee;
    }
    let response = NtlmV2Response::parse(&bytes).unwrap();
    assert_eq!(
        (response.timestamp, response.blob),
        (TIMESTAMP, &bytes[16..])
    );
}

#[test]
fn every_prefix_and_other_types_of_response_are_refused() {
    let bytes = nt_response();
    let end = bytes.len() - 4;
    assert!(
        NtlmV2Response::parse(&bytes[..end]).is_ok(),
        "without the zeros"
    );
    for end in 0..end {
        let error = NtlmV2Response::parse(&bytes[..end]).unwrap_err();
        assert!(error.offset() <= end);
    }
    for (place, found) in [(16, 0), (16, 2), (17, 0), (17, 255)] {
        let mut changed = bytes.clone();
        changed[place] = found;
        let error = NtlmV2Response::parse(&changed).unwrap_err();
        let found = i32::from(found);
        let kind = DecodeErrorKind::UnexpectedNumber { expected: 1, found };
        assert_eq!((error.offset(), error.kind()), (place, kind));
    }
    // A pair that is broken is told by its place in the response.
    let mut changed = bytes;
    changed[44 + 2] = 15;
    let error = NtlmV2Response::parse(&changed).unwrap_err();
    assert_eq!(
        (error.offset(), error.kind()),
        (44, DecodeErrorKind::MalformedUtf16)
    );
}
