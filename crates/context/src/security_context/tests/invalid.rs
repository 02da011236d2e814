//! Malformed tokens by the classes of CVE-2014-4341 and CVE-2014-4342, as MIT krb5 tests them:
//! tokens of the other generation, short headers, short checksums, short plaintexts, bad padding,
//! truncated frames; as one buffer and as several.

use countersign_token::framing::InitialToken;

use super::*;
use crate::security_context::IoBuffer;

/// A token of RFC 1964 without sealing, as long as its header (class 1).
fn rfc1964(id: [u8; 2], length: usize) -> Vec<u8> {
    let mut inner = [id[0], id[1], 0, 0, 0xff, 0xff, 0xff, 0xff].to_vec();
    inner.resize(24.max(length), 0);
    inner.truncate(length);
    InitialToken::encode(Oid::KERBEROS, &[&inner])
}

fn refuse_everywhere(context: &mut SecurityContext, token: &[u8]) {
    let defective = |outcome: ErrorKind| {
        assert!(
            matches!(
                outcome,
                ErrorKind::DefectiveToken(_)
                    | ErrorKind::BufferLayout
                    | ErrorKind::MessageModified
                    | ErrorKind::WrongTokenId { .. }
                    | ErrorKind::WrongMechanism
                    | ErrorKind::MessageReflected
            ),
            "{outcome:?}"
        );
    };
    defective(kind(context.unwrap(token)));
    defective(kind(context.unwrap_any_order(token)));
    defective(kind(context.unwrap_in_place(&mut token.to_vec())));
    defective(kind(context.unwrap_aead(token, b"associated")));
    defective(kind(context.verify_mic(b"", token)));
    let mut copy = token.to_vec();
    defective(kind(context.unwrap_iov(&mut [IoBuffer::Header(&mut copy)])));
    for cut in 0..=token.len() {
        let mut copy = token.to_vec();
        let (header, rest) = copy.split_at_mut(cut);
        let mut buffers = [IoBuffer::Header(header), IoBuffer::Data(rest)];
        defective(kind(context.unwrap_iov(&mut buffers)));
        let mut copy = token.to_vec();
        let (header, rest) = copy.split_at_mut(cut);
        let mut buffers = [
            IoBuffer::Header(header),
            IoBuffer::Data(&mut []),
            IoBuffer::Trailer(rest),
        ];
        defective(kind(context.unwrap_iov(&mut buffers)));
    }
    let mut copy = token.to_vec();
    let mut buffers = [IoBuffer::Stream(&mut copy), IoBuffer::Data(&mut [])];
    defective(kind(context.unwrap_iov(&mut buffers)));
}

/// CVE-2014-4341: RFC 1964 tokens on a context that has RFC 4121 keys only.
#[test]
fn tokens_of_rfc_1964_are_refused_by_contexts_of_rfc_4121() {
    for enctype in cfx_enctypes() {
        let (mut initiator, mut acceptor) = pair(enctype, UNORDERED);
        for id in [[1, 1], [2, 1], [1, 2]] {
            for length in [2, 8, 16, 23, 24, 31, 32, 33, 60] {
                let token = rfc1964(id, length);
                refuse_everywhere(&mut acceptor, &token);
                refuse_everywhere(&mut acceptor, &token[13..]);
            }
        }
        let token = initiator.wrap(false, b"").unwrap();
        acceptor.unwrap(&token).unwrap();
    }
}

#[test]
fn headers_checksums_and_plaintexts_that_are_too_short_are_refused() {
    for enctype in cfx_enctypes() {
        let (mut initiator, mut acceptor) = pair(enctype, UNORDERED);
        let mac = enctype.checksum_type().len();
        let genuine = initiator.wrap(true, b"").unwrap();
        for flags in [0, 2, 4, 6] {
            for ec in [0, 1, 12, 16, 24, 0xffff] {
                for rrc in [0, 1, 28, 0xffffu16] {
                    let header = WrapHeader {
                        flags: CfxFlags(flags),
                        ec,
                        rrc,
                        seq: 0,
                    };
                    for length in [0, 1, 15, 16, 17, 16 + mac - 1, 16 + mac] {
                        let mut token = header.to_bytes().to_vec();
                        token.resize(16 + length, 0xa5);
                        refuse_everywhere(&mut acceptor, &token);
                    }
                }
            }
        }
        acceptor.unwrap(&genuine).unwrap();
    }
}

/// A genuine ciphertext whose plaintext is shorter than the header's copy.
#[test]
fn plaintexts_without_a_whole_header_are_refused() {
    for enctype in cfx_enctypes() {
        let (_, mut acceptor) = pair(enctype, UNORDERED);
        let cipher = key(enctype, 0x51).cipher(KeyUsage(24));
        let header = WrapHeader {
            flags: CfxFlags(6),
            ec: 0,
            rrc: 0,
            seq: INITIATOR_FIRST,
        }
        .to_bytes();
        for length in 0..=16 {
            let mut token = header.to_vec();
            cipher
                .encrypt_into(&[1; 16], &[&header[..length]], &mut token)
                .unwrap();
            if length < 16 {
                assert_eq!(kind(acceptor.unwrap(&token)), ErrorKind::MessageModified);
                let mut buffers = [IoBuffer::Stream(&mut token), IoBuffer::Data(&mut [])];
                assert!(acceptor.unwrap_iov(&mut buffers).is_err());
            } else {
                assert!(acceptor.unwrap(&token).unwrap().message.is_empty());
            }
        }
    }
}

/// What is wrong inside of a sealed message is told no differently from a wrong key.
#[test]
fn bad_padding_and_a_bad_mac_are_told_alike() {
    for enctype in cfx_enctypes() {
        let (_, mut acceptor) = pair(enctype, UNORDERED);
        let mut bad_padding = sealed_by_hand(enctype, b"m", &[], 0, |copy| copy.ec = 50);
        bad_padding[4..6].copy_from_slice(&50u16.to_be_bytes());
        let bad_copy = sealed_by_hand(enctype, b"m", &[], 0, |copy| copy.seq = 0);
        let mut bad_mac = sealed_by_hand(enctype, b"m", &[], 0, |_| {});
        acceptor.unwrap(&bad_mac).unwrap();
        *bad_mac.last_mut().unwrap() ^= 1;
        let told: Vec<Error> = [bad_padding, bad_copy, bad_mac]
            .iter()
            .map(|token| acceptor.unwrap(token).unwrap_err())
            .collect();
        assert!(told.iter().all(|error| *error == told[0]));
        assert_eq!(told[0].kind(), ErrorKind::MessageModified);
    }
}

#[test]
fn truncated_frames_are_refused() {
    for enctype in countersign_crypto::Enctype::ALL.iter().copied() {
        let (_, mut acceptor) = pair(enctype, UNORDERED);
        for token in [
            &b""[..],
            b"\x60",
            b"\x60\x84",
            b"\x60\x40\x06",
            b"\x60\x40\x06\x09",
            b"\x60\x80\x06\x09",
            b"\x60\x84\xff\xff\xff\xff",
            b"\x60\x0b\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02",
        ] {
            refuse_everywhere(&mut acceptor, token);
        }
    }
}
