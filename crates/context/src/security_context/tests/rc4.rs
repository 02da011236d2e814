//! Tokens of RFC 4757 §7.

use countersign_crypto::Enctype;
use countersign_crypto::rc4::{GssKey, TokenUsage};
use countersign_token::framing::InitialToken;

use super::*;
use crate::security_context::IoBuffer;

const ENCTYPE: Enctype = Enctype::Rc4Hmac;

/// A Wrap token put together from RFC 4757 §7.3 without the code under test.
fn by_hand(seal: bool, message: &[u8], padding: &[u8], number: u32, direction: u8) -> Vec<u8> {
    let key = GssKey::new(&key(ENCTYPE, 0x51));
    let algorithm = if seal { [0x10, 0] } else { [0xff, 0xff] };
    let header = [2, 1, 0x11, 0, algorithm[0], algorithm[1], 0xff, 0xff];
    let mut data = [&[0xcf; 8], message, padding].concat();
    let tag = key.checksum(TokenUsage::Wrap, &[&header[..], &data]);
    let tag: [u8; 8] = tag.as_bytes().try_into().unwrap();
    if seal {
        key.data_stream(number).apply(&mut data);
    }
    let mut sequence = [0; 8];
    sequence[..4].copy_from_slice(&number.to_be_bytes());
    sequence[4..].fill(direction);
    key.apply_to_sequence(&tag, &mut sequence);
    InitialToken::encode(Oid::KERBEROS, &[&header, &sequence, &tag, &data])
}

const NUMBER: u32 = INITIATOR_FIRST as u32;

#[test]
fn tokens_made_by_hand_from_the_specification_are_accepted() {
    for seal in [true, false] {
        let (mut initiator, mut acceptor) = pair(ENCTYPE, ORDERED);
        let token = by_hand(seal, b"by hand", &[1], NUMBER, 0);
        let got = acceptor.unwrap(&token).unwrap();
        assert_eq!((&got.message[..], got.sealed), (&b"by hand"[..], seal));
        let ours = initiator.wrap(seal, b"by hand").unwrap();
        assert_eq!(ours.len(), token.len());
        assert_eq!(ours[..21], token[..21]);
    }
}

/// CVE-2014-4342: padding that is no padding, told as a bad checksum is.
#[test]
fn bad_padding_is_refused_like_a_bad_checksum() {
    for seal in [true, false] {
        let (_, mut acceptor) = pair(ENCTYPE, UNORDERED);
        let bad: &[&[u8]] = &[
            &[0],
            &[100],
            &[2],
            &[3, 2, 3],
            &[8; 7],
            &[9; 9],
            &[255],
            &[],
        ];
        for padding in bad {
            let token = by_hand(seal, b"", padding, NUMBER, 0);
            assert_eq!(
                kind(acceptor.unwrap(&token)),
                ErrorKind::MessageModified,
                "{padding:?}"
            );
            assert_eq!(
                kind(acceptor.unwrap_aead(&token, b"")),
                ErrorKind::MessageModified
            );
        }
        for length in 1..=8u8 {
            let token = by_hand(seal, b"message", &vec![length; length.into()], NUMBER, 0);
            assert_eq!(acceptor.unwrap(&token).unwrap().message, b"message");
            assert_eq!(
                acceptor.unwrap_aead(&token, b"").unwrap().message,
                b"message"
            );
        }
        let mut altered = by_hand(seal, b"m", &[1], NUMBER, 0);
        *altered.last_mut().unwrap() ^= 1;
        assert_eq!(kind(acceptor.unwrap(&altered)), ErrorKind::MessageModified);
    }
}

/// CVE-2022-3437: lengths, and one bit of the checksum. SND_SEQ of a token that is only signed is
/// not under the checksum: there the order is what refuses.
#[test]
fn every_flipped_bit_is_refused_where_order_is_enforced() {
    let (mut initiator, mut acceptor) = pair(ENCTYPE, ORDERED);
    let sealed = initiator.wrap(true, b"message").unwrap();
    let refuse = |acceptor: &mut SecurityContext, token: &[u8], mic: bool| {
        for bit in 0..token.len() * 8 {
            let mut altered = token.to_vec();
            altered[bit / 8] ^= 1 << (bit % 8);
            if altered[4..13] == *Oid::MS_KERBEROS.as_bytes() {
                continue;
            }
            let outcome = if mic {
                acceptor.verify_mic(b"message", &altered)
            } else {
                acceptor.unwrap(&altered).map(drop)
            };
            assert!(outcome.is_err(), "bit {bit}");
        }
    };
    refuse(&mut acceptor, &sealed, false);
    acceptor.unwrap(&sealed).unwrap();
    let signed = initiator.wrap(false, b"message").unwrap();
    refuse(&mut acceptor, &signed, false);
    acceptor.unwrap(&signed).unwrap();
    let mic = initiator.get_mic(b"message").unwrap();
    refuse(&mut acceptor, &mic, true);
    acceptor.verify_mic(b"message", &mic).unwrap();
}

#[test]
fn a_mic_is_of_its_message_and_of_no_other_and_nothing_follows_it() {
    let (mut initiator, mut acceptor) = pair(ENCTYPE, UNORDERED);
    let mic = initiator.get_mic(b"message").unwrap();
    for other in [&b"messagf"[..], b"messag", b"message!", b""] {
        let refused = acceptor.verify_mic(other, &mic);
        assert_eq!(kind(refused), ErrorKind::MessageModified);
    }
    let inner = InitialToken::parse(&mic).unwrap().inner;
    let longer = InitialToken::encode(Oid::KERBEROS, &[inner, &[0]]);
    assert!(acceptor.verify_mic(b"message", &longer).is_err());
    acceptor.verify_mic(b"message", &mic).unwrap();
}

#[test]
fn the_sequence_number_of_a_sealed_token_cannot_be_changed() {
    let (mut initiator, mut acceptor) = pair(ENCTYPE, UNORDERED);
    let token = initiator.wrap(true, b"message").unwrap();
    acceptor.unwrap(&token).unwrap();
    for bit in 21 * 8..29 * 8 {
        let mut altered = token.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(kind(acceptor.unwrap(&altered)), ErrorKind::MessageModified);
    }
}

#[test]
fn the_direction_is_checked() {
    let (mut initiator, mut acceptor) = pair(ENCTYPE, UNORDERED);
    let token = by_hand(true, b"m", &[1], NUMBER, 0);
    assert_eq!(kind(initiator.unwrap(&token)), ErrorKind::MessageReflected);
    acceptor.unwrap(&token).unwrap();
    for direction in [1, 0x7f, 0x80, 0xfe] {
        let token = by_hand(true, b"m", &[1], NUMBER, direction);
        assert_eq!(kind(acceptor.unwrap(&token)), ErrorKind::MessageModified);
    }
}

#[test]
fn numbers_wrap_at_2_to_the_32() {
    let mut initiator = side(Role::Initiator, ENCTYPE, ORDERED);
    let mut acceptor = side(Role::Acceptor, ENCTYPE, ORDERED);
    initiator.send_sequence = u64::from(u32::MAX) - 1;
    acceptor.receive_sequence = u64::from(u32::MAX) - 1;
    let mut initiator = SecurityContext::establish(initiator);
    let mut acceptor = SecurityContext::establish(acceptor);
    for n in 0..4u8 {
        let token = initiator.wrap(true, &[n]).unwrap();
        assert_eq!(acceptor.unwrap(&token).unwrap().message, [n]);
        assert_eq!(kind(acceptor.unwrap(&token)), ErrorKind::MessageDuplicate);
    }
}

#[test]
fn other_algorithms_are_refused() {
    let (_, mut acceptor) = pair(ENCTYPE, UNORDERED);
    let token = by_hand(false, b"m", &[1], NUMBER, 0);
    acceptor.unwrap(&token).unwrap();
    for place in 13..21 {
        for value in [0, 1, 2, 4, 0x10, 0x11, 0xff] {
            let mut altered = token.clone();
            if altered[place] != value {
                altered[place] = value;
                assert!(acceptor.unwrap(&altered).is_err(), "{place} {value}");
            }
        }
    }
}

#[test]
fn short_headers_are_refused_in_one_buffer_and_in_several() {
    let (_, mut acceptor) = pair(ENCTYPE, UNORDERED);
    let genuine = by_hand(true, b"", &[1], NUMBER, 0);
    let inner = InitialToken::parse(&genuine).unwrap().inner.to_vec();
    for length in 0..inner.len() {
        let token = InitialToken::encode(Oid::KERBEROS, &[&inner[..length]]);
        assert!(acceptor.unwrap(&token).is_err());
        let mut header = token.clone();
        assert!(
            acceptor
                .unwrap_iov(&mut [IoBuffer::Header(&mut header)])
                .is_err()
        );
        let mut mic = inner[..length].to_vec();
        if let Some(id) = mic.first_mut() {
            *id = 1;
        }
        let mic = InitialToken::encode(Oid::KERBEROS, &[&mic]);
        assert!(acceptor.verify_mic(b"", &mic).is_err());
        let mut stream = token;
        let mut list = [IoBuffer::Stream(&mut stream), IoBuffer::Data(&mut [])];
        assert!(acceptor.unwrap_iov(&mut list).is_err());
    }
    acceptor.unwrap(&genuine).unwrap();
}

/// Windows and MIT krb5: in DCE style the frame ends with the header and nothing is padded.
#[test]
fn in_dce_style_the_frame_covers_the_header_alone() {
    let (mut initiator, mut acceptor) = pair(ENCTYPE, ORDERED | Flags::DCE_STYLE);
    let (mut header, mut message) = (vec![0; 45], b"message".to_vec());
    let mut list = [IoBuffer::Header(&mut header), IoBuffer::Data(&mut message)];
    initiator.wrap_iov(true, &mut list).unwrap();
    assert_eq!(header[..2], [0x60, 43]);
    let mut list = [IoBuffer::Header(&mut header), IoBuffer::Data(&mut message)];
    acceptor.unwrap_iov(&mut list).unwrap();
    assert_eq!(message, b"message");
}

#[test]
fn tokens_of_rfc_4121_are_refused_by_contexts_of_rfc_4757() {
    let (mut initiator, _) = pair(Enctype::Aes128CtsHmacSha1_96, UNORDERED);
    let (mut old, mut acceptor) = pair(ENCTYPE, UNORDERED);
    for seal in [true, false] {
        assert!(
            acceptor
                .unwrap(&initiator.wrap(seal, b"m").unwrap())
                .is_err()
        );
        acceptor.unwrap(&old.wrap(seal, b"m").unwrap()).unwrap();
    }
    assert!(
        acceptor
            .verify_mic(b"m", &initiator.get_mic(b"m").unwrap())
            .is_err()
    );
}
