//! Whole tokens, both ways.

use countersign_crypto::Enctype;

use super::*;
use crate::security_context::{Overhead, PrfKey, Receiver, Sender, Unwrapped};

#[test]
fn messages_of_every_length_cross_in_both_directions_under_every_enctype() {
    for enctype in Enctype::ALL.iter().copied() {
        let (mut initiator, mut acceptor) = pair(enctype, ORDERED);
        for length in (0usize..70).chain([127, 128, 255, 256, 1000, 4096, 65_536]) {
            let message: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            for sealed in [true, false] {
                let token = initiator.wrap(sealed, &message).unwrap();
                let got = acceptor.unwrap(&token).unwrap();
                assert_eq!(
                    got,
                    Unwrapped {
                        message: message.clone(),
                        sealed
                    }
                );
                let token = acceptor.wrap(sealed, &message).unwrap();
                assert_eq!(initiator.unwrap(&token).unwrap().message, message);
            }
            let mic = acceptor.get_mic(&message).unwrap();
            initiator.verify_mic(&message, &mic).unwrap();
            let mic = initiator.get_mic(&message).unwrap();
            acceptor.verify_mic(&message, &mic).unwrap();
        }
    }
}

#[test]
fn tokens_have_the_layout_of_rfc_4121() {
    for enctype in cfx_enctypes() {
        let mac = enctype.checksum_type().len();
        let (mut initiator, mut acceptor) = pair(enctype, ORDERED);
        let sealed = initiator.wrap(true, b"message").unwrap();
        assert_eq!(sealed[..8], [5, 4, 6, 0xff, 0, 0, 0, 0]);
        assert_eq!(sealed[8..16], INITIATOR_FIRST.to_be_bytes());
        assert_eq!(sealed.len(), 16 + 16 + 7 + 16 + mac);
        let signed = initiator.wrap(false, b"message").unwrap();
        assert_eq!(signed[..8], [5, 4, 4, 0xff, 0, mac as u8, 0, 0]);
        assert_eq!(signed[8..16], (INITIATOR_FIRST + 1).to_be_bytes());
        assert_eq!(&signed[16..23], b"message");
        assert_eq!(signed.len(), 16 + 7 + mac);
        let mic = acceptor.get_mic(b"message").unwrap();
        assert_eq!(mic[..8], [4, 4, 5, 0xff, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(mic[8..16], ACCEPTOR_FIRST.to_be_bytes());
        assert_eq!(mic.len(), 16 + mac);
    }
}

#[test]
fn tokens_made_by_hand_from_the_specification_are_ours() {
    for enctype in cfx_enctypes() {
        let (mut initiator, mut acceptor) = pair(enctype, UNORDERED);
        let signed = signed_by_hand(enctype, b"by hand", 0);
        assert_eq!(initiator.wrap(false, b"by hand").unwrap(), signed);
        assert_eq!(acceptor.unwrap(&signed).unwrap().message, b"by hand");
        let sealed = sealed_by_hand(enctype, b"by hand", &[], 0, |_| {});
        assert_eq!(acceptor.unwrap(&sealed).unwrap().message, b"by hand");

        let mut plain = side(Role::Initiator, enctype, UNORDERED);
        plain.acceptor_subkey = false;
        let token = SecurityContext::establish(plain).get_mic(b"m").unwrap();
        let header = &token[..16];
        let mac = key(enctype, 0x51).mac(KeyUsage(25));
        assert_eq!(header[2], 0);
        assert_eq!(token[16..], *mac.compute(&[b"m", header]).as_bytes());
    }
}

#[test]
fn tokens_made_in_place_are_those_made_anew() {
    for enctype in Enctype::ALL.iter().copied() {
        for seal in [true, false] {
            let (mut one, _) = pair(enctype, ORDERED);
            let (mut two, mut acceptor) = pair(enctype, ORDERED);
            let message = b"the very same message";
            let Overhead { header, trailer } = two.overhead(seal, message.len());
            let mut buffer = vec![0xee; header + message.len() + trailer];
            buffer[header..header + message.len()].copy_from_slice(message);
            two.wrap_in_place(seal, &mut buffer).unwrap();
            assert_eq!(one.wrap(seal, message).unwrap(), buffer);
            let mut out = b"before".to_vec();
            let (mut three, _) = pair(enctype, ORDERED);
            three.wrap_into(seal, message, &mut out).unwrap();
            assert_eq!(out, [&b"before"[..], &buffer].concat());

            let got = acceptor.unwrap_in_place(&mut buffer).unwrap();
            assert_eq!((&buffer[got.message], got.sealed), (&message[..], seal));
        }
    }
}

#[test]
fn buffers_without_room_are_refused_and_spend_no_sequence_number() {
    for enctype in Enctype::ALL.iter().copied() {
        for seal in [true, false] {
            let (mut initiator, mut acceptor) = pair(enctype, ORDERED);
            let overhead = initiator.overhead(seal, 0).total();
            for length in 0..overhead {
                let refused = kind(initiator.wrap_in_place(seal, &mut vec![0; length]));
                assert_eq!(refused, ErrorKind::BufferLayout);
            }
            let mut token = vec![0; overhead];
            initiator.wrap_in_place(seal, &mut token).unwrap();
            assert!(acceptor.unwrap(&token).unwrap().message.is_empty());
        }
    }
}

#[test]
fn what_was_not_granted_is_refused() {
    for (flags, seal, sign) in [
        (Flags::NONE, false, false),
        (Flags::INTEGRITY, false, true),
        (Flags::CONFIDENTIALITY, true, true),
        (UNORDERED, true, true),
    ] {
        let (mut context, _) = pair(Enctype::Aes256CtsHmacSha1_96, flags);
        let outcome = |result: Result<Vec<u8>, Error>, granted: bool, refusal: ErrorKind| {
            assert_eq!(
                result.map(drop).map_err(|error| error.kind()),
                if granted { Ok(()) } else { Err(refusal) }
            );
        };
        outcome(
            context.wrap(true, b""),
            seal,
            ErrorKind::ConfidentialityNotGranted,
        );
        outcome(
            context.wrap_aead(true, b"", b""),
            seal,
            ErrorKind::ConfidentialityNotGranted,
        );
        outcome(
            context.wrap(false, b""),
            sign,
            ErrorKind::IntegrityNotGranted,
        );
        outcome(context.get_mic(b""), sign, ErrorKind::IntegrityNotGranted);
    }
}

#[test]
fn the_size_limit_fits_and_one_byte_more_does_not() {
    for enctype in Enctype::ALL.iter().copied() {
        let (mut context, _) = pair(enctype, UNORDERED);
        for seal in [true, false] {
            let least = context.wrap(seal, b"").unwrap().len();
            for max in (least..least + 400).chain(65_500..65_800) {
                let limit = context.wrap_size_limit(seal, max);
                let length = |message: usize| message + context.overhead(seal, message).total();
                assert!(
                    length(limit) <= max && length(limit + 1) > max,
                    "{enctype} {max}"
                );
            }
            for max in [least, least + 1, 200, 65_536] {
                let limit = context.wrap_size_limit(seal, max);
                assert!(context.wrap(seal, &vec![0; limit]).unwrap().len() <= max);
                assert!(context.wrap(seal, &vec![0; limit + 1]).unwrap().len() > max);
            }
            for max in [0, 1, least - 1] {
                assert_eq!(context.wrap_size_limit(seal, max), 0);
            }
        }
        let sizes = context.sizes();
        assert_eq!(sizes.max_signature, context.get_mic(b"").unwrap().len());
        assert_eq!(sizes.block, 1);
    }
}

#[test]
fn sealing_in_the_header_alone_needs_the_security_trailer() {
    use crate::security_context::IoBuffer;
    for enctype in Enctype::ALL.iter().copied() {
        for flags in [UNORDERED, UNORDERED | Flags::DCE_STYLE] {
            let (context, _) = pair(enctype, flags);
            let buffers = [
                IoBuffer::Header(&mut []),
                IoBuffer::Data(&mut []),
                IoBuffer::Padding(&mut []),
            ];
            let parts = context.wrap_iov_length(true, &buffers).unwrap();
            assert_eq!(context.sizes().security_trailer, parts.total(), "{enctype}");
        }
    }
    // MS-KILE §4.3 has such a token: EC 16, RRC 28, 76 bytes beside the message.
    let (context, _) = pair(Enctype::Aes128CtsHmacSha1_96, UNORDERED | Flags::DCE_STYLE);
    assert_eq!(context.sizes().security_trailer, 76);
}

#[test]
fn halves_work_at_once_in_two_threads_and_rejoin() {
    let (initiator, acceptor) = pair(Enctype::Aes256CtsHmacSha384_192, ORDERED);
    let ((sender, mut receiver), (mut echo_sender, mut echo_receiver)) =
        (initiator.split(), acceptor.split());
    let (there, at_acceptor) = std::sync::mpsc::channel::<Vec<u8>>();
    let (back, at_initiator) = std::sync::mpsc::channel::<Vec<u8>>();
    let sending = std::thread::spawn(move || {
        let mut sender: Sender = sender;
        for n in 0u32..500 {
            there
                .send(sender.wrap(true, &n.to_be_bytes()).unwrap())
                .unwrap();
        }
        sender
    });
    let echoing = std::thread::spawn(move || {
        for token in at_acceptor {
            let message = echo_receiver.unwrap(&token).unwrap().message;
            back.send(echo_sender.wrap(false, &message).unwrap())
                .unwrap();
        }
    });
    for n in 0u32..500 {
        let token = at_initiator.recv().unwrap();
        assert_eq!(receiver.unwrap(&token).unwrap().message, n.to_be_bytes());
    }
    let sender = sending.join().unwrap();
    echoing.join().unwrap();
    assert_eq!(sender.peer(), receiver.peer());

    let (_, other): (Sender, Receiver) = pair(Enctype::Aes128CtsHmacSha1_96, ORDERED).0.split();
    let (sender, _) = SecurityContext::rejoin(sender, other).unwrap_err();
    let mut whole = SecurityContext::rejoin(sender, receiver).unwrap();
    assert!(whole.wrap(true, b"").is_ok());
}

#[test]
fn confounders_never_repeat() {
    for enctype in Enctype::ALL.iter().copied() {
        let (mut initiator, _) = pair(enctype, ORDERED);
        // Signed tokens of RFC 4757 show their confounder; sealed ones of RFC 4121 differ by it
        // beyond their header.
        let mut seen = std::collections::HashSet::new();
        for _ in 0..200 {
            let token = initiator.wrap(true, b"same").unwrap();
            assert!(seen.insert(token[token.len() - 40..].to_vec()));
        }
    }
}

#[test]
fn the_pseudo_random_function_counts_its_blocks_from_zero_on_both_sides() {
    let (initiator, acceptor) = pair(Enctype::Aes128CtsHmacSha1_96, ORDERED);
    for which in [PrfKey::Full, PrfKey::Partial] {
        let ours = initiator.pseudo_random(which, b"input", 100).unwrap();
        assert_eq!(ours, acceptor.pseudo_random(which, b"input", 100).unwrap());
        let short = initiator.pseudo_random(which, b"input", 16).unwrap();
        assert_eq!(short[..], ours[..16]);
        let key = match which {
            PrfKey::Full => key(Enctype::Aes128CtsHmacSha1_96, 0x51),
            PrfKey::Partial => key(Enctype::Aes128CtsHmacSha1_96, 0x0f),
        };
        // RFC 7802 §2: the count starts at zero.
        assert_eq!(ours[..16], key.prf(b"\0\0\0\0input")[..]);
        assert_eq!(ours[16..32], key.prf(b"\0\0\0\x01input")[..]);
    }
    assert!(
        initiator
            .pseudo_random(PrfKey::Full, b"", 0)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn lifetime_is_told_and_not_negative() {
    let (context, _) = pair(Enctype::Aes128CtsHmacSha1_96, ORDERED);
    let at = Timestamp::from_unix;
    assert_eq!(context.remaining(at(999_990)), 10);
    assert!(!context.is_expired(Timestamp::new(999_999, 999_999)));
    assert!(context.is_expired(at(1_000_000)));
    assert_eq!(context.remaining(at(1_000_001)), 0);
}

#[test]
fn keys_do_not_print() {
    let (context, _) = pair(Enctype::Aes128CtsHmacSha1_96, ORDERED);
    let (one, two) = (
        context.session_key().expose()[0],
        context.session_key().expose()[1],
    );
    let printed = format!("{:?} {:?}", context.session_key(), context);
    let (sender, receiver) = context.split();
    let printed = format!("{printed} {sender:?} {receiver:?}");
    for secret in [format!("{one}, {two}"), format!("{one:02x}{two:02x}")] {
        assert!(!printed.contains(&secret), "{printed}");
    }
}
