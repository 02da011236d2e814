//! Messages that are refused, and what that leaves behind: nothing.

use countersign_context::ntlm::{Acceptor, Initiator};
use countersign_context::{
    Environment, ErrorKind, Flags, IoBuffer, Order, Receiver, SecurityContext, Sender,
};
use countersign_testkit::SeededRandom;

use crate::protection::{KINDS, Kind};
use crate::support::*;

/// A token and the contexts between which it is the next.
fn next(kind: Kind) -> (SecurityContext, SecurityContext, Vec<u8>) {
    let (mut client, mut server) = kind.pair();
    converse(&mut client, &mut server, kind.seals());
    let token = client.wrap(kind.seals(), b"transfer 1 to bob").unwrap();
    (client, server, token)
}

#[test]
fn every_flipped_bit_and_every_prefix_of_a_token_is_refused_and_the_genuine_one_still_opens() {
    for kind in KINDS {
        let (_, mut server, token) = next(kind);
        for bit in 0..token.len() * 8 {
            let mut flipped = token.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(server.unwrap(&flipped).is_err(), "{kind:?} {bit}");
            assert!(server.unwrap_any_order(&flipped).is_err(), "{kind:?} {bit}");
            let before = flipped.clone();
            assert!(server.unwrap_in_place(&mut flipped).is_err());
            // Nothing unverified is left.
            assert!(flipped == before || flipped[16..].iter().all(|byte| *byte == 0));
        }
        for end in 0..token.len() {
            assert!(server.unwrap(&token[..end]).is_err(), "{kind:?} {end}");
        }
        let longer = [&token[..], &[0]].concat();
        assert_eq!(why(server.unwrap(&longer)), ErrorKind::MessageModified);
        assert_eq!(server.unwrap(&token).unwrap().message, b"transfer 1 to bob");
    }
}

#[test]
fn every_flipped_bit_of_a_mic_and_of_its_message_is_refused_and_the_genuine_one_still_verifies() {
    for kind in KINDS {
        let (mut client, mut server, token) = next(kind);
        server.unwrap(&token).unwrap();
        let message = b"a message";
        let mic = client.get_mic(message).unwrap();
        for bit in 0..mic.len() * 8 {
            let mut flipped = mic.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(
                server.verify_mic(message, &flipped).is_err(),
                "{kind:?} {bit}"
            );
        }
        for bit in 0..message.len() * 8 {
            let mut flipped = *message;
            flipped[bit / 8] ^= 1 << (bit % 8);
            let kind = why(server.verify_mic(&flipped, &mic));
            assert_eq!(kind, ErrorKind::MessageModified);
        }
        for end in 0..mic.len() {
            assert!(server.verify_mic(message, &mic[..end]).is_err());
        }
        assert!(
            server
                .verify_mic(message, &[&mic[..], &[0]].concat())
                .is_err()
        );
        server.verify_mic(message, &mic).unwrap();
    }
}

/// MS-NLMP §3.4.4: another number than the one that is due is an error, and does not count.
#[test]
fn on_a_connection_gaps_duplicates_and_old_messages_are_refused_and_do_not_count() {
    for kind in [Kind::Sealed, Kind::Signed] {
        let (mut client, mut server, first) = next(kind);
        let second = client.wrap(kind.seals(), b"second").unwrap();
        let mic = client.get_mic(b"third").unwrap();
        for _ in 0..3 {
            assert_eq!(why(server.unwrap(&second)), ErrorKind::MessageGap);
            assert_eq!(why(server.unwrap_any_order(&second)), ErrorKind::MessageGap);
            assert_eq!(
                why(server.verify_mic(b"third", &mic)),
                ErrorKind::MessageGap
            );
        }
        server.unwrap(&first).unwrap();
        for _ in 0..3 {
            assert_eq!(why(server.unwrap(&first)), ErrorKind::MessageDuplicate);
            assert_eq!(
                why(server.unwrap_any_order(&first)),
                ErrorKind::MessageDuplicate
            );
        }
        assert_eq!(server.unwrap(&second).unwrap().message, b"second");
        server.verify_mic(b"third", &mic).unwrap();
        assert_eq!(
            why(server.verify_mic(b"third", &mic)),
            ErrorKind::MessageDuplicate
        );
    }
}

/// Each direction has keys of its own (MS-NLMP §3.4.5.2, §3.4.5.3).
#[test]
fn a_message_sent_back_to_its_sender_does_not_verify() {
    for kind in KINDS {
        let (mut client, mut server) = kind.pair();
        for _ in 0..2 {
            let token = client.wrap(kind.seals(), b"to the server").unwrap();
            let mic = client.get_mic(b"to the server").unwrap();
            assert!(client.unwrap(&token).is_err());
            assert!(client.verify_mic(b"to the server", &mic).is_err());
            server.unwrap(&token).unwrap();
            server.verify_mic(b"to the server", &mic).unwrap();
            let answer = server.wrap(kind.seals(), b"to the client").unwrap();
            assert!(server.unwrap(&answer).is_err());
            client.unwrap(&answer).unwrap();
        }
    }
}

#[test]
fn messages_of_another_context_do_not_verify() {
    for kind in KINDS {
        let (_, mut server, token) = next(kind);
        // The same account and the same number, another challenge.
        let initiator = Initiator::new(alice()).require(Flags::INTEGRITY);
        let acceptor = Acceptor::new(&crate::support::server());
        let (mut other, _) = run_datagrams(initiator, acceptor, World::new(99)).unwrap();
        let foreign = loop {
            let foreign = other.wrap(false, b"transfer 1 to bob").unwrap();
            if foreign[12..16] == token[12..16] {
                break foreign;
            }
        };
        assert_eq!(why(server.unwrap(&foreign)), ErrorKind::MessageModified);
        server.unwrap(&token).unwrap();
    }
}

#[test]
fn a_conversation_among_forgeries_goes_on_as_if_there_were_none() {
    let mut random = SeededRandom::new(0x4e54_4c4d);
    for kind in KINDS {
        let (mut client, mut server) = kind.pair();
        for round in 0..2_000 {
            let (from, to) = if random.below(2) == 0 {
                (&mut client, &mut server)
            } else {
                (&mut server, &mut client)
            };
            let message = vec![random.next_u64().to_le_bytes()[0]; random.below(50)];
            let token = from.wrap(kind.seals(), &message).unwrap();
            for _ in 0..random.below(3) {
                let mut forged = token.clone();
                let place = random.below(forged.len());
                forged[place] ^= 1 << random.below(8);
                assert!(to.unwrap(&forged).is_err());
                if place < 16 {
                    // With the signature alone nothing of it shows what it is of.
                    assert!(to.verify_mic(&message, &forged[..16]).is_err());
                }
                assert!(to.unwrap_aead(&forged, b"beside").is_err());
                let (head, data) = forged.split_at_mut(16);
                let mut buffers = [IoBuffer::Header(head), IoBuffer::Data(data)];
                assert!(to.unwrap_iov(&mut buffers).is_err());
            }
            assert_eq!(to.unwrap(&token).unwrap().message, message, "{round}");
        }
    }
}

#[test]
fn the_halves_work_on_threads_of_their_own_and_are_joined_again() {
    for kind in KINDS {
        let (client, server) = kind.pair();
        let ((mut out, back), (answers, mut into)) = (client.split(), server.split());
        let (give, take) = std::sync::mpsc::channel();
        let sending = std::thread::spawn(move || -> Sender {
            for n in 0..200u8 {
                give.send(out.wrap(kind.seals(), &[n; 5]).unwrap()).unwrap();
            }
            out
        });
        let receiving = std::thread::spawn(move || -> Receiver {
            for (n, token) in take.iter().enumerate() {
                let opened = into.unwrap(&token).unwrap();
                assert_eq!(opened.message, [u8::try_from(n).unwrap(); 5]);
            }
            into
        });
        let (out, into) = (sending.join().unwrap(), receiving.join().unwrap());
        let mut client = SecurityContext::rejoin(out, back).map_err(drop).unwrap();
        let mut server = SecurityContext::rejoin(answers, into)
            .map_err(drop)
            .unwrap();
        converse(&mut client, &mut server, kind.seals());
        // Halves of two contexts are none.
        let ((one, _), (_, other)) = (client.split(), server.split());
        assert!(SecurityContext::rejoin(one, other).is_err());
    }
}

pub(crate) fn import(bytes: &[u8]) -> Result<SecurityContext, countersign_context::Error> {
    let mut random = SeededRandom::new(1);
    SecurityContext::import(bytes, &mut Environment::new(NOW, &mut random))
}

/// Where the sending number stands in an exported context: behind the names.
fn numbers(exported: &[u8]) -> usize {
    let mut at = 23;
    let counted = |at: &mut usize| {
        let length = exported[*at..*at + 4].try_into().unwrap();
        *at += 4 + usize::try_from(u32::from_be_bytes(length)).unwrap();
    };
    counted(&mut at);
    at += 16;
    let identity = |at: &mut usize| {
        *at += 2;
        counted(at);
        counted(at);
    };
    identity(&mut at);
    at += 1;
    if exported[at - 1] == 1 {
        identity(&mut at);
    }
    at
}

#[test]
fn an_exported_context_goes_on_where_it_ended_and_refuses_what_was_altered() {
    for kind in KINDS {
        let (mut client, mut server, pending) = next(kind);
        let (sent, exported) = (client.export().unwrap(), server.export().unwrap());
        client = import(&sent).unwrap();
        server = import(&exported).unwrap();
        assert_eq!(
            server.unwrap(&pending).unwrap().message,
            b"transfer 1 to bob"
        );
        assert!(server.unwrap(&pending).is_err());
        converse(&mut client, &mut server, kind.seals());
        assert_eq!(*import(&sent).unwrap().export().unwrap(), *sent);
        for end in 0..exported.len() {
            assert_eq!(why(import(&exported[..end])), ErrorKind::DefectiveExport);
        }
        assert!(import(&[&exported[..], &[0]].concat()).is_err());
        for bit in 0..exported.len() * 8 {
            let mut flipped = exported.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // A context that says that it seals does.
            let Ok(mut context) = import(&flipped) else {
                continue;
            };
            if let Ok(token) = context.wrap(true, b"a message of some length") {
                assert!(
                    !token.ends_with(b"a message of some length"),
                    "{kind:?} {bit}"
                );
            }
            assert!(context.unwrap(&[0; 40]).is_err());
        }
    }
}

#[test]
fn sending_ends_at_2_to_the_32_and_no_number_comes_twice() {
    for kind in KINDS {
        let (client, _) = kind.pair();
        let mut exported = client.export().unwrap();
        let next = numbers(&exported) + 8;
        assert_eq!(exported[next..next + 9], [1, 0, 0, 0, 0, 0, 0, 0, 0]);
        exported[next + 1..next + 9].copy_from_slice(&0xffff_fffe_u64.to_be_bytes());
        let mut client = import(&exported).unwrap();
        for number in [0xffff_fffe_u32, 0xffff_ffff] {
            let token = client.wrap(kind.seals(), b"message").unwrap();
            assert_eq!(token[12..16], number.to_le_bytes());
        }
        for _ in 0..2 {
            assert_eq!(
                why(client.wrap(kind.seals(), b"message")),
                ErrorKind::Overflow
            );
            assert_eq!(why(client.get_mic(b"message")), ErrorKind::Overflow);
        }
    }
}

/// A 32-bit number half way around is nearer to the one that is due than the one that it is.
#[test]
fn a_datagram_that_was_opened_long_ago_is_not_opened_again() {
    for kind in [Kind::SealedDatagram, Kind::SignedDatagram] {
        let (mut client, mut server) = kind.pair();
        let early = client.wrap(kind.seals(), b"early").unwrap();
        server.unwrap(&early).unwrap();
        let mut exported = server.export().unwrap();
        // Behind: sending first and next; receiving first, then whether there is a last one.
        let last = numbers(&exported) + 8 + 9 + 8;
        assert_eq!(exported[last..last + 9], [1, 0, 0, 0, 1, 0, 0, 0, 0]);
        let late = (1_u64 << 32) + (1 << 31) + 100;
        exported[last + 1..last + 9].copy_from_slice(&late.to_be_bytes());
        let mut server = import(&exported).unwrap();
        assert_eq!(why(server.unwrap(&early)), ErrorKind::MessageOld);
        let (_, order) = server.unwrap_any_order(&early).unwrap();
        assert_eq!(order, Order::Old);
    }
}
