//! Replays, gaps and reordering as the receiver tells them.

use countersign_crypto::Enctype;

use super::*;
use crate::security_context::Order;

const ENCTYPE: Enctype = Enctype::Aes128CtsHmacSha1_96;

fn tokens(flags: Flags, count: usize) -> (Vec<Vec<u8>>, SecurityContext) {
    let (mut initiator, acceptor) = pair(ENCTYPE, flags | UNORDERED);
    let tokens = (0..count)
        .map(|n| initiator.wrap(n % 2 == 0, &[n as u8]).unwrap())
        .collect();
    (tokens, acceptor)
}

#[test]
fn with_sequencing_only_the_message_that_is_due_is_handed_out() {
    let (tokens, mut acceptor) = tokens(Flags::SEQUENCE | Flags::REPLAY, 5);
    acceptor.unwrap(&tokens[0]).unwrap();
    assert_eq!(
        kind(acceptor.unwrap(&tokens[0])),
        ErrorKind::MessageDuplicate
    );
    assert_eq!(kind(acceptor.unwrap(&tokens[2])), ErrorKind::MessageGap);
    // The refused message is not spent: in its turn it is accepted.
    acceptor.unwrap(&tokens[1]).unwrap();
    acceptor.unwrap(&tokens[2]).unwrap();
    assert_eq!(acceptor.unwrap_any_order(&tokens[4]).unwrap().1, Order::Gap);
    assert_eq!(
        kind(acceptor.unwrap(&tokens[3])),
        ErrorKind::MessageUnsequenced
    );
    assert_eq!(
        acceptor.unwrap_any_order(&tokens[3]).unwrap().1,
        Order::Unsequenced
    );
    assert_eq!(
        kind(acceptor.unwrap(&tokens[3])),
        ErrorKind::MessageDuplicate
    );
}

#[test]
fn with_replay_detection_messages_may_be_reordered_and_not_repeated() {
    let (tokens, mut acceptor) = tokens(Flags::REPLAY, 70);
    for n in [3, 0, 2, 1] {
        acceptor.unwrap(&tokens[n]).unwrap();
    }
    for token in &tokens[0..4] {
        assert_eq!(kind(acceptor.unwrap(token)), ErrorKind::MessageDuplicate);
    }
    acceptor.unwrap(&tokens[68]).unwrap();
    assert_eq!(kind(acceptor.unwrap(&tokens[4])), ErrorKind::MessageOld);
    assert_eq!(acceptor.unwrap_any_order(&tokens[4]).unwrap().1, Order::Old);
    acceptor.unwrap(&tokens[5]).unwrap();
}

#[test]
fn without_either_flag_order_is_not_looked_at() {
    let (tokens, mut acceptor) = tokens(Flags::NONE, 70);
    for n in [69, 69, 0, 0, 1] {
        acceptor.unwrap(&tokens[n]).unwrap();
        assert_eq!(
            acceptor.unwrap_any_order(&tokens[n]).unwrap().1,
            Order::InOrder
        );
    }
}

#[test]
fn lenient_calls_hand_the_message_out_and_tell_its_order() {
    let (tokens, mut acceptor) = tokens(Flags::SEQUENCE, 3);
    for (n, order) in [
        (0, Order::InOrder),
        (2, Order::Gap),
        (1, Order::Unsequenced),
        (1, Order::Duplicate),
    ] {
        let (got, told) = acceptor.unwrap_any_order(&tokens[n]).unwrap();
        assert_eq!((got.message, told), (vec![n as u8], order));
        let mut buffer = tokens[n].clone();
        let (got, told) = acceptor.unwrap_in_place_any_order(&mut buffer).unwrap();
        assert_eq!(
            (&buffer[got.message], told),
            (&[n as u8][..], Order::Duplicate)
        );
    }
    let mut altered = tokens[0].clone();
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(
        kind(acceptor.unwrap_any_order(&altered)),
        ErrorKind::MessageModified
    );
}

#[test]
fn mic_and_wrap_tokens_share_their_numbers() {
    let (mut initiator, mut acceptor) = pair(ENCTYPE, ORDERED);
    let mic = initiator.get_mic(b"m").unwrap();
    let wrapped = initiator.wrap(true, b"w").unwrap();
    assert_eq!(kind(acceptor.unwrap(&wrapped)), ErrorKind::MessageGap);
    acceptor.verify_mic(b"m", &mic).unwrap();
    assert_eq!(
        kind(acceptor.verify_mic(b"m", &mic)),
        ErrorKind::MessageDuplicate
    );
    assert_eq!(
        acceptor.verify_mic_any_order(b"m", &mic).unwrap(),
        Order::Duplicate
    );
    acceptor.unwrap(&wrapped).unwrap();
}

/// A forger cannot move the window: only authentic messages are recorded.
#[test]
fn altered_messages_do_not_move_the_window() {
    let (tokens, mut acceptor) = tokens(Flags::SEQUENCE | Flags::REPLAY, 2);
    for token in &tokens {
        for byte in 8..16 {
            let mut altered = token.clone();
            altered[byte] ^= 0x40;
            assert!(acceptor.unwrap_any_order(&altered).is_err());
        }
    }
    acceptor.unwrap(&tokens[0]).unwrap();
    acceptor.unwrap(&tokens[1]).unwrap();
}

#[test]
fn numbers_pass_2_to_the_32_and_end_at_2_to_the_64() {
    for first in [u64::from(u32::MAX) - 1, u64::MAX - 1] {
        let mut initiator = side(Role::Initiator, ENCTYPE, ORDERED);
        let mut acceptor = side(Role::Acceptor, ENCTYPE, ORDERED);
        initiator.send_sequence = first;
        acceptor.receive_sequence = first;
        let mut initiator = SecurityContext::establish(initiator);
        let mut acceptor = SecurityContext::establish(acceptor);
        for n in 0..2u64 {
            let token = initiator.wrap(true, b"").unwrap();
            assert_eq!(token[8..16], (first + n).to_be_bytes());
            acceptor.unwrap(&token).unwrap();
        }
        let ended = first == u64::MAX - 1;
        let mut header = [0; 200];
        for _ in 0..2 {
            assert_eq!(initiator.wrap(true, b"").is_err(), ended);
            assert_eq!(initiator.wrap(false, b"").is_err(), ended);
            assert_eq!(initiator.get_mic(b"").is_err(), ended);
            let mut buffers = [crate::security_context::IoBuffer::Header(&mut header)];
            assert_eq!(initiator.wrap_iov(true, &mut buffers).is_err(), ended);
        }
    }
}
