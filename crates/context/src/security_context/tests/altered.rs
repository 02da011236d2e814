//! Tokens that were altered, cut or turned around.

use countersign_crypto::Enctype;
use countersign_token::kerberos::cfx::WrapHeader;

use super::*;
use crate::security_context::IoBuffer;

/// What a flipped bit gives: an error, or, where the flip changes nothing that counts, the very
/// message. RRC is not authenticated (RFC 4121 §4.2.5), so a rotation that comes to the same is
/// the same token.
fn assert_refused(enctype: Enctype, token: &[u8], bit: usize) {
    let mut altered = token.to_vec();
    altered[bit / 8] ^= 1 << (bit % 8);
    let (_, mut acceptor) = pair(enctype, ORDERED);
    match acceptor.unwrap(&altered) {
        Err(_) => {}
        Ok(got) => {
            let (header, rest) = WrapHeader::parse(&altered).unwrap();
            assert!((6..8).contains(&(bit / 8)), "{enctype}: bit {bit} accepted");
            assert_eq!(usize::from(header.rrc) % rest.len(), 0);
            assert_eq!(got.message, MESSAGE);
        }
    }
}

const MESSAGE: &[u8] = b"seventeen bytes!!";

#[test]
fn every_flipped_bit_of_a_wrap_token_is_refused_under_every_enctype() {
    for enctype in cfx_enctypes() {
        for seal in [true, false] {
            let (mut initiator, mut acceptor) = pair(enctype, ORDERED);
            let token = initiator.wrap(seal, MESSAGE).unwrap();
            assert_eq!(acceptor.unwrap(&token).unwrap().message, MESSAGE);
            for bit in 0..token.len() * 8 {
                assert_refused(enctype, &token, bit);
            }
        }
    }
}

/// CVE-2025-57736, chimera #1234, dittofs #883: a result of the verification that nobody looked at.
#[test]
fn every_flipped_bit_of_a_mic_and_of_its_message_is_refused_under_every_enctype() {
    for enctype in cfx_enctypes() {
        let (mut initiator, mut acceptor) = pair(enctype, UNORDERED);
        let mic = initiator.get_mic(MESSAGE).unwrap();
        acceptor.verify_mic(MESSAGE, &mic).unwrap();
        for bit in 0..mic.len() * 8 {
            let mut altered = mic.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(
                acceptor.verify_mic(MESSAGE, &altered).is_err(),
                "{enctype}: bit {bit}"
            );
        }
        for bit in 0..MESSAGE.len() * 8 {
            let mut altered = MESSAGE.to_vec();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                kind(acceptor.verify_mic(&altered, &mic)),
                ErrorKind::MessageModified
            );
        }
        acceptor.verify_mic(MESSAGE, &mic).unwrap();
    }
}

#[test]
fn every_prefix_and_every_extension_is_refused() {
    for enctype in Enctype::ALL.iter().copied() {
        let (mut initiator, mut acceptor) = pair(enctype, UNORDERED);
        for seal in [true, false] {
            let mut token = initiator.wrap(seal, MESSAGE).unwrap();
            for end in 0..token.len() {
                assert!(acceptor.unwrap(&token[..end]).is_err(), "{enctype}: {end}");
            }
            acceptor.unwrap(&token).unwrap();
            token.push(0);
            assert!(acceptor.unwrap(&token).is_err());
        }
        let mut mic = initiator.get_mic(MESSAGE).unwrap();
        for end in 0..mic.len() {
            assert!(
                acceptor.verify_mic(MESSAGE, &mic[..end]).is_err(),
                "{enctype}: {end}"
            );
        }
        acceptor.verify_mic(MESSAGE, &mic).unwrap();
        mic.push(0);
        assert!(acceptor.verify_mic(MESSAGE, &mic).is_err());
    }
}

/// go-krb5 #147: an empty checksum is no checksum, whatever length the header tells.
#[test]
fn checksums_of_no_length_never_verify() {
    for enctype in cfx_enctypes() {
        let (mut initiator, mut acceptor) = pair(enctype, UNORDERED);
        let mic = initiator.get_mic(MESSAGE).unwrap();
        acceptor.verify_mic(MESSAGE, &mic).unwrap();
        assert_eq!(
            kind(acceptor.verify_mic(MESSAGE, &mic[..16])),
            ErrorKind::MessageModified
        );
        let token = initiator.wrap(false, MESSAGE).unwrap();
        acceptor.unwrap(&token).unwrap();
        let mut bare = token[..16 + MESSAGE.len()].to_vec();
        bare[4..6].fill(0);
        for token in [&bare[..], &bare[..16]] {
            assert_eq!(kind(acceptor.unwrap(token)), ErrorKind::MessageModified);
            let (header, rest) = token.split_at(16);
            let (mut header, mut rest) = (header.to_vec(), rest.to_vec());
            let mut buffers = [IoBuffer::Header(&mut header), IoBuffer::Data(&mut rest)];
            assert_eq!(
                kind(acceptor.unwrap_iov(&mut buffers)),
                ErrorKind::MessageModified
            );
        }
    }
}

#[test]
fn reflected_messages_are_refused_as_such() {
    for enctype in Enctype::ALL.iter().copied() {
        let (mut initiator, mut acceptor) = pair(enctype, UNORDERED);
        for context in [&mut initiator, &mut acceptor] {
            for seal in [true, false] {
                let token = context.wrap(seal, MESSAGE).unwrap();
                assert_eq!(kind(context.unwrap(&token)), ErrorKind::MessageReflected);
            }
            let mic = context.get_mic(MESSAGE).unwrap();
            assert_eq!(
                kind(context.verify_mic(MESSAGE, &mic)),
                ErrorKind::MessageReflected
            );
        }
        let token = initiator.wrap(true, MESSAGE).unwrap();
        assert_eq!(acceptor.unwrap(&token).unwrap().message, MESSAGE);
    }
}

/// The flag in the clear is turned too, so that only the key of the direction tells.
#[test]
fn reflected_messages_with_the_direction_turned_do_not_verify() {
    for enctype in cfx_enctypes() {
        let (mut initiator, mut acceptor) = pair(enctype, UNORDERED);
        for seal in [true, false] {
            let mut token = initiator.wrap(seal, MESSAGE).unwrap();
            acceptor.unwrap(&token).unwrap();
            token[2] ^= 1;
            assert_eq!(kind(initiator.unwrap(&token)), ErrorKind::MessageModified);
        }
        let mut mic = initiator.get_mic(MESSAGE).unwrap();
        acceptor.verify_mic(MESSAGE, &mic).unwrap();
        mic[2] ^= 1;
        assert_eq!(
            kind(initiator.verify_mic(MESSAGE, &mic)),
            ErrorKind::MessageModified
        );
    }
}

#[test]
fn the_acceptor_subkey_flag_must_match_the_key() {
    for enctype in cfx_enctypes() {
        for acceptor_subkey in [true, false] {
            let establish = |role, acceptor_subkey| {
                let mut new = side(role, enctype, UNORDERED);
                new.acceptor_subkey = acceptor_subkey;
                SecurityContext::establish(new)
            };
            let mut initiator = establish(Role::Initiator, acceptor_subkey);
            let mut same = establish(Role::Acceptor, acceptor_subkey);
            let mut other = establish(Role::Acceptor, !acceptor_subkey);
            for seal in [true, false] {
                let token = initiator.wrap(seal, MESSAGE).unwrap();
                same.unwrap(&token).unwrap();
                assert_eq!(kind(other.unwrap(&token)), ErrorKind::MessageModified);
            }
            let mic = initiator.get_mic(MESSAGE).unwrap();
            same.verify_mic(MESSAGE, &mic).unwrap();
            assert_eq!(
                kind(other.verify_mic(MESSAGE, &mic)),
                ErrorKind::MessageModified
            );
        }
    }
}

#[test]
fn messages_of_another_context_do_not_verify() {
    for enctype in Enctype::ALL.iter().copied() {
        let (mut initiator, mut acceptor) = pair(enctype, UNORDERED);
        let mut stranger = side(Role::Acceptor, enctype, UNORDERED);
        stranger.key = key(enctype, 0x99);
        let mut stranger = SecurityContext::establish(stranger);
        for seal in [true, false] {
            let token = initiator.wrap(seal, MESSAGE).unwrap();
            assert_eq!(acceptor.unwrap(&token).unwrap().message, MESSAGE);
            assert_eq!(kind(stranger.unwrap(&token)), ErrorKind::MessageModified);
        }
    }
}

#[test]
fn a_mic_is_no_wrap_token_and_the_reverse() {
    for enctype in Enctype::ALL.iter().copied() {
        let (mut initiator, mut acceptor) = pair(enctype, UNORDERED);
        let mic = initiator.get_mic(b"").unwrap();
        let wrapped = initiator.wrap(false, b"").unwrap();
        assert!(acceptor.unwrap(&mic).is_err());
        assert!(acceptor.verify_mic(b"", &wrapped).is_err());
        acceptor.verify_mic(b"", &mic).unwrap();
        acceptor.unwrap(&wrapped).unwrap();
    }
}

/// A buffer whose message is refused holds nothing of it.
#[test]
fn refused_messages_leave_no_plaintext_behind() {
    for enctype in Enctype::ALL.iter().copied() {
        let (mut initiator, mut acceptor) = pair(enctype, ORDERED);
        let token = initiator
            .wrap(true, b"plaintext-plaintext-plaintext")
            .unwrap();
        let holds = |buffer: &[u8]| buffer.windows(9).any(|window| window == b"plaintext");
        let mut first = token.clone();
        acceptor.unwrap_in_place(&mut first).unwrap();
        assert!(holds(&first));
        let mut replayed = token.clone();
        assert_eq!(
            kind(acceptor.unwrap_in_place(&mut replayed)),
            ErrorKind::MessageDuplicate
        );
        assert!(!holds(&replayed));
        let mut altered = token.clone();
        *altered.last_mut().unwrap() ^= 1;
        assert_eq!(
            kind(acceptor.unwrap_in_place(&mut altered)),
            ErrorKind::MessageModified
        );
        assert!(!holds(&altered));
    }
}

/// A million random changes of up to four bytes, and of lengths: an error, never a panic or another message.
#[test]
fn mutated_tokens_never_give_another_message() {
    let rounds: u64 = 1_000_000;
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for enctype in Enctype::ALL.iter().copied() {
        let (mut initiator, mut acceptor) = pair(enctype, UNORDERED);
        let tokens = [
            initiator.wrap(true, MESSAGE).unwrap(),
            initiator.wrap(false, MESSAGE).unwrap(),
        ];
        for token in &tokens {
            acceptor.unwrap(token).unwrap();
        }
        let mic = initiator.get_mic(MESSAGE).unwrap();
        for round in 0..rounds {
            let mut altered = tokens[next(2)].clone();
            if round % 8 == 0 {
                altered.truncate(next(altered.len() + 1));
                altered.resize(altered.len() + next(20), 0xff);
            }
            for _ in 0..=next(4) {
                if !altered.is_empty() {
                    let at = next(
                        altered
                            .len()
                            .min(if round % 2 == 0 { 40 } else { usize::MAX }),
                    );
                    altered[at] = next(256) as u8;
                }
            }
            if let Ok(got) = acceptor.unwrap(&altered) {
                assert_eq!(got.message, MESSAGE);
            }
            let mut altered = mic.clone();
            let at = next(altered.len());
            altered[at] ^= 1 + next(255) as u8;
            // In RFC 4757 neither SND_SEQ nor the frame's OID is under the checksum.
            let uncovered = enctype.confounder_len() == 8 && ((21..25).contains(&at) || at == 7);
            assert!(uncovered || acceptor.verify_mic(MESSAGE, &altered).is_err());
        }
    }
}
