//! Every RRC and EC that a peer may send (RFC 4121 §4.2.3 and §4.2.5).

use super::*;
use crate::security_context::{IoBuffer, Protection};

const MESSAGE: &[u8] = b"rotated";

#[test]
fn any_rotation_is_undone_also_one_larger_than_the_data() {
    for enctype in cfx_enctypes() {
        let (_, mut acceptor) = pair(enctype, UNORDERED);
        for rrc in (0..200).chain([255, 256, 1023, 32_767, 65_534, 65_535]) {
            for filler in [0, 1, 15, 16, 17] {
                let token = sealed_by_hand(enctype, MESSAGE, &vec![0xff; filler], rrc, |_| {});
                let got = acceptor.unwrap(&token).unwrap();
                assert_eq!((&got.message[..], got.sealed), (MESSAGE, true));
            }
            let token = signed_by_hand(enctype, MESSAGE, rrc);
            let got = acceptor.unwrap(&token).unwrap();
            assert_eq!((&got.message[..], got.sealed), (MESSAGE, false));
        }
    }
}

#[test]
fn any_filler_of_any_bytes_is_taken_off() {
    for enctype in cfx_enctypes() {
        let (_, mut acceptor) = pair(enctype, UNORDERED);
        for filler in (0..100).chain([65_535]) {
            for byte in [0, b'x', 0xff] {
                let token = sealed_by_hand(enctype, MESSAGE, &vec![byte; filler], 28, |_| {});
                assert_eq!(acceptor.unwrap(&token).unwrap().message, MESSAGE);
            }
        }
        let empty = sealed_by_hand(enctype, b"", &[0; 5], 0, |_| {});
        assert!(acceptor.unwrap(&empty).unwrap().message.is_empty());
    }
}

/// CVE-2024-37370: EC in the clear was not compared, so that messages could be cut.
#[test]
fn a_filler_length_changed_in_the_clear_is_refused() {
    for enctype in cfx_enctypes() {
        let (_, mut acceptor) = pair(enctype, UNORDERED);
        let token = sealed_by_hand(enctype, MESSAGE, &[0; 4], 0, |_| {});
        acceptor.unwrap(&token).unwrap();
        for ec in (0..=30u16).chain([255, 4096, 65_535]).filter(|ec| *ec != 4) {
            let mut altered = token.clone();
            altered[4..6].copy_from_slice(&ec.to_be_bytes());
            assert_eq!(
                kind(acceptor.unwrap(&altered)),
                ErrorKind::MessageModified,
                "EC {ec}"
            );
        }
    }
}

/// CVE-2024-37371: lengths within the token that go beyond it; here sealed by the peer itself.
#[test]
fn a_filler_longer_than_the_plaintext_is_refused_like_a_bad_mac() {
    for enctype in cfx_enctypes() {
        let (_, mut acceptor) = pair(enctype, UNORDERED);
        for ec in [8u16, 9, 65_535] {
            let mut token = sealed_by_hand(enctype, MESSAGE, &[], 0, |copy| copy.ec = ec);
            token[4..6].copy_from_slice(&ec.to_be_bytes());
            assert_eq!(
                kind(acceptor.unwrap(&token)),
                ErrorKind::MessageModified,
                "EC {ec}"
            );
        }
        let mut whole = sealed_by_hand(enctype, MESSAGE, &[], 0, |copy| copy.ec = 7);
        whole[4..6].copy_from_slice(&7u16.to_be_bytes());
        assert!(acceptor.unwrap(&whole).unwrap().message.is_empty());
    }
}

#[test]
fn each_field_of_the_sealed_header_is_compared() {
    for enctype in cfx_enctypes() {
        let (_, mut acceptor) = pair(enctype, UNORDERED);
        let changes: [fn(&mut WrapHeader); 6] = [
            |copy| copy.flags = CfxFlags(copy.flags.0 ^ 1),
            |copy| copy.flags = CfxFlags(copy.flags.0 ^ 0x80),
            |copy| copy.ec = 1,
            |copy| copy.rrc = 28,
            |copy| copy.seq += 1,
            |copy| copy.seq ^= 1 << 63,
        ];
        for change in changes {
            let token = sealed_by_hand(enctype, MESSAGE, &[], 28, change);
            assert_eq!(kind(acceptor.unwrap(&token)), ErrorKind::MessageModified);
        }
        let same = sealed_by_hand(enctype, MESSAGE, &[], 28, |_| {});
        acceptor.unwrap(&same).unwrap();
    }
}

/// RFC 4121 §4.2.2: reserved flags are ignored, and under the MAC.
#[test]
fn unknown_flags_are_ignored_where_they_are_authentic() {
    for enctype in cfx_enctypes() {
        let (_, mut acceptor) = pair(enctype, UNORDERED);
        let mut token = sealed_by_hand(enctype, MESSAGE, &[], 0, |copy| copy.flags.0 |= 0xf8);
        assert_eq!(kind(acceptor.unwrap(&token)), ErrorKind::MessageModified);
        token[2] |= 0xf8;
        assert_eq!(acceptor.unwrap(&token).unwrap().message, MESSAGE);
    }
}

#[test]
fn signed_messages_need_the_checksum_length_as_ec() {
    for enctype in cfx_enctypes() {
        let (_, mut acceptor) = pair(enctype, UNORDERED);
        let token = signed_by_hand(enctype, MESSAGE, 0);
        acceptor.unwrap(&token).unwrap();
        let own = enctype.checksum_type().len() as u16;
        for ec in (0..40u16).chain([65_535]).filter(|ec| *ec != own) {
            let mut altered = token.clone();
            altered[4..6].copy_from_slice(&ec.to_be_bytes());
            assert_eq!(kind(acceptor.unwrap(&altered)), ErrorKind::MessageModified);
        }
    }
}

/// MS-KILE §3.4.5.4.1: in DCE style the rotation is EC + RRC, with EC 16 and RRC 16 + MAC.
#[test]
fn windows_rotates_by_ec_and_rrc_in_dce_style() {
    for enctype in cfx_enctypes() {
        let dce = UNORDERED | Flags::DCE_STYLE;
        let rrc = 16 + enctype.checksum_type().len() as u16;
        // As sent by Windows: rotated by EC + RRC while RRC says less.
        let mut token = sealed_by_hand(enctype, MESSAGE, &[0xff; 16], rrc + 16, |_| {});
        token[6..8].copy_from_slice(&rrc.to_be_bytes());
        let (_, mut acceptor) = pair(enctype, dce);
        assert_eq!(acceptor.unwrap(&token).unwrap().message, MESSAGE);
        let (_, mut not_dce) = pair(enctype, UNORDERED);
        assert_eq!(kind(not_dce.unwrap(&token)), ErrorKind::MessageModified);

        // The same bytes in buffers, everything in the header.
        let (header, message) = token.split_at_mut(16 + usize::from(rrc) + 16 + 16);
        let mut buffers = [IoBuffer::Header(header), IoBuffer::Data(message)];
        assert_eq!(
            acceptor.unwrap_iov(&mut buffers).unwrap(),
            Protection::Sealed
        );
        let [_, IoBuffer::Data(message)] = buffers else {
            panic!()
        };
        assert_eq!(message, MESSAGE);

        // Not rotated, as sent with a trailer and by plain wrap.
        let token = sealed_by_hand(enctype, MESSAGE, &[0xff; 16], 0, |_| {});
        assert_eq!(acceptor.unwrap(&token).unwrap().message, MESSAGE);
    }
}

#[test]
fn what_we_seal_in_dce_style_is_what_windows_sends() {
    for enctype in cfx_enctypes() {
        let (mut initiator, mut acceptor) = pair(enctype, UNORDERED | Flags::DCE_STYLE);
        let mac = enctype.checksum_type().len();
        let mut header = vec![0; 16 + 16 + 16 + mac + 16];
        let mut message = MESSAGE.to_vec();
        let mut buffers = [IoBuffer::Header(&mut header), IoBuffer::Data(&mut message)];
        initiator.wrap_iov(true, &mut buffers).unwrap();
        assert_eq!(header[..8], [5, 4, 6, 0xff, 0, 16, 0, 16 + mac as u8]);
        let token = [header, message].concat();
        assert_eq!(acceptor.unwrap(&token).unwrap().message, MESSAGE);
    }
}
