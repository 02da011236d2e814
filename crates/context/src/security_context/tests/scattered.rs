//! Messages in several buffers.

use countersign_crypto::Enctype;

use super::*;
use crate::security_context::{IoBuffer, Order, Protection};

/// Kinds of buffers in the order of a call.
#[derive(Clone, Copy, Debug)]
enum Part {
    Header,
    Data(usize),
    SignOnly(usize),
    Padding,
    Trailer,
}

fn content(index: usize, length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 3 + index * 50) as u8).collect()
}

/// The memory behind the parts: contents of messages, room for the rest.
fn memory(parts: &[Part], room: usize) -> Vec<Vec<u8>> {
    let fill = |(index, part): (usize, &Part)| match part {
        Part::Data(length) | Part::SignOnly(length) => content(index, *length),
        Part::Header | Part::Padding | Part::Trailer => vec![0; room],
    };
    parts.iter().enumerate().map(fill).collect()
}

fn buffers<'m>(parts: &[Part], memory: &'m mut [Vec<u8>]) -> Vec<IoBuffer<'m>> {
    parts
        .iter()
        .zip(memory)
        .map(|(part, bytes)| match part {
            Part::Header => IoBuffer::Header(bytes),
            Part::Data(_) => IoBuffer::Data(bytes),
            Part::SignOnly(_) => IoBuffer::SignOnly(bytes),
            Part::Padding => IoBuffer::Padding(bytes),
            Part::Trailer => IoBuffer::Trailer(bytes),
        })
        .collect()
}

fn lengths(buffers: &[IoBuffer<'_>]) -> Vec<usize> {
    let length = |buffer: &IoBuffer<'_>| match buffer {
        IoBuffer::Header(bytes)
        | IoBuffer::Data(bytes)
        | IoBuffer::Padding(bytes)
        | IoBuffer::Trailer(bytes)
        | IoBuffer::Stream(bytes) => bytes.len(),
        IoBuffer::SignOnly(bytes) => bytes.len(),
    };
    buffers.iter().map(length).collect()
}

/// Wraps and cuts the memory to what was used.
fn wrap(context: &mut SecurityContext, seal: bool, parts: &[Part]) -> Vec<Vec<u8>> {
    let mut memory = memory(parts, 200);
    let mut list = buffers(parts, &mut memory);
    let expected = context.wrap_iov_length(seal, &list).unwrap();
    context.wrap_iov(seal, &mut list).unwrap();
    let used = lengths(&list);
    drop(list);
    for (bytes, (used, part)) in memory.iter_mut().zip(used.into_iter().zip(parts)) {
        bytes.truncate(used);
        match part {
            Part::Header => assert_eq!(used, expected.header),
            Part::Padding => assert_eq!(used, expected.padding),
            Part::Trailer => assert_eq!(used, expected.trailer),
            Part::Data(_) | Part::SignOnly(_) => {}
        }
    }
    memory
}

const LAYOUTS: &[&[Part]] = &[
    &[Part::Header, Part::Data(33), Part::Padding, Part::Trailer],
    &[Part::Header, Part::Data(0), Part::Padding, Part::Trailer],
    &[Part::Header, Part::Data(33), Part::Padding],
    &[Part::Header, Part::Padding],
    &[
        Part::SignOnly(24),
        Part::Data(160),
        Part::SignOnly(8),
        Part::Header,
        Part::Padding,
    ],
    &[
        Part::SignOnly(24),
        Part::Data(160),
        Part::SignOnly(8),
        Part::Padding,
        Part::Trailer,
        Part::Header,
    ],
    &[
        Part::Header,
        Part::SignOnly(5),
        Part::Data(1),
        Part::Data(15),
        Part::Data(31),
        Part::Padding,
        Part::Trailer,
    ],
    &[
        Part::Header,
        Part::Data(1),
        Part::Data(2),
        Part::Data(3),
        Part::Data(4),
        Part::Data(5),
        Part::Data(6),
        Part::Data(7),
        Part::Data(8),
        Part::Data(9),
        Part::Data(10),
        Part::Data(11),
        Part::Data(12),
        Part::Data(13),
        Part::SignOnly(14),
        Part::Data(15),
        Part::Data(16),
        Part::Data(17),
        Part::SignOnly(18),
        Part::Padding,
        Part::Trailer,
    ],
];

fn each(mut test: impl FnMut(Enctype, Flags, &[Part])) {
    for enctype in Enctype::ALL.iter().copied() {
        for flags in [ORDERED, ORDERED | Flags::DCE_STYLE] {
            for layout in LAYOUTS {
                test(enctype, flags, layout);
            }
        }
    }
}

#[test]
fn scattered_messages_cross_in_every_layout() {
    each(|enctype, flags, parts| {
        let (mut initiator, mut acceptor) = pair(enctype, flags);
        for (seal, protection) in [(true, Protection::Sealed), (false, Protection::Signed)] {
            let mut sent = wrap(&mut initiator, seal, parts);
            for (index, part) in parts.iter().enumerate() {
                if let Part::Data(length @ 15..) = part {
                    assert_eq!(seal, sent[index] != content(index, *length));
                }
            }
            let mut list = buffers(parts, &mut sent);
            assert_eq!(
                acceptor.unwrap_iov(&mut list).unwrap(),
                protection,
                "{parts:?}"
            );
            for (index, (part, bytes)) in parts.iter().zip(&sent).enumerate() {
                if let Part::Data(length) | Part::SignOnly(length) = part {
                    assert_eq!(*bytes, content(index, *length));
                }
            }
        }
    });
}

#[test]
fn every_flipped_bit_of_any_buffer_is_refused() {
    for enctype in Enctype::ALL.iter().copied() {
        for flags in [ORDERED, ORDERED | Flags::DCE_STYLE] {
            for (parts, seal) in [
                (LAYOUTS[4], true),
                (LAYOUTS[4], false),
                (LAYOUTS[5], true),
                (LAYOUTS[5], false),
            ] {
                let (mut initiator, mut acceptor) = pair(enctype, flags);
                let sent = wrap(&mut initiator, seal, parts);
                for (index, part) in parts.iter().enumerate() {
                    let stride = if matches!(part, Part::Header | Part::Trailer) {
                        1
                    } else {
                        7
                    };
                    for bit in (0..sent[index].len() * 8).step_by(stride) {
                        let mut altered = sent.clone();
                        altered[index][bit / 8] ^= 1 << (bit % 8);
                        // Both identifiers of Kerberos are one, and no checksum covers them.
                        let frame = &altered[index];
                        if frame
                            .windows(9)
                            .any(|part| part == Oid::MS_KERBEROS.as_bytes())
                        {
                            continue;
                        }
                        let outcome = acceptor.unwrap_iov(&mut buffers(parts, &mut altered));
                        assert!(outcome.is_err(), "{enctype} {parts:?} {index} bit {bit}");
                    }
                }
                let mut sent = sent;
                acceptor.unwrap_iov(&mut buffers(parts, &mut sent)).unwrap();
            }
        }
    }
}

#[test]
fn buffers_of_other_lengths_are_refused() {
    each(|enctype, flags, parts| {
        for seal in [true, false] {
            let (mut initiator, mut acceptor) = pair(enctype, flags);
            let mut sent = wrap(&mut initiator, seal, parts);
            for index in 0..parts.len() {
                let mut shorter = sent.clone();
                if shorter[index].pop().is_some() {
                    assert!(
                        acceptor
                            .unwrap_iov(&mut buffers(parts, &mut shorter))
                            .is_err()
                    );
                }
                let mut longer = sent.clone();
                longer[index].push(1);
                assert!(
                    acceptor
                        .unwrap_iov(&mut buffers(parts, &mut longer))
                        .is_err()
                );
            }
            acceptor.unwrap_iov(&mut buffers(parts, &mut sent)).unwrap();
        }
    });
}

#[test]
fn buffers_that_are_too_small_are_refused_with_the_length_needed() {
    for enctype in Enctype::ALL.iter().copied() {
        for seal in [true, false] {
            let (mut initiator, _) = pair(enctype, UNORDERED);
            let needed = {
                let list = [
                    IoBuffer::Header(&mut []),
                    IoBuffer::Data(&mut []),
                    IoBuffer::Padding(&mut []),
                ];
                initiator.wrap_iov_length(seal, &list).unwrap()
            };
            let mut padding = vec![0; needed.padding];
            for room in 0..needed.header {
                let mut header = vec![0; room];
                let mut list = [
                    IoBuffer::Header(&mut header),
                    IoBuffer::Data(&mut []),
                    IoBuffer::Padding(&mut padding),
                ];
                let expected = ErrorKind::BufferTooSmall {
                    needed: needed.header,
                };
                assert_eq!(kind(initiator.wrap_iov(seal, &mut list)), expected);
            }
            let mut header = vec![0; needed.header];
            let mut list = [
                IoBuffer::Header(&mut header),
                IoBuffer::Data(&mut []),
                IoBuffer::Padding(&mut padding),
            ];
            initiator.wrap_iov(seal, &mut list).unwrap();
        }
    }
}

#[test]
fn lists_without_a_header_or_with_two_of_a_kind_are_refused() {
    let (mut initiator, mut acceptor) = pair(Enctype::Aes128CtsHmacSha1_96, UNORDERED);
    let refused: &[&[Part]] = &[
        &[],
        &[Part::Data(1)],
        &[Part::Header, Part::Header, Part::Data(1)],
        &[Part::Header, Part::Data(1), Part::Trailer, Part::Trailer],
        &[Part::Header, Part::Data(1), Part::Padding, Part::Padding],
    ];
    for parts in refused {
        let mut memory = memory(parts, 200);
        let mut list = buffers(parts, &mut memory);
        assert_eq!(
            kind(initiator.wrap_iov(true, &mut list)),
            ErrorKind::BufferLayout
        );
        assert_eq!(
            kind(initiator.wrap_iov_length(true, &list)),
            ErrorKind::BufferLayout
        );
        assert!(acceptor.unwrap_iov(&mut list).is_err());
    }
    let (mut one, mut two) = (vec![0; 100], vec![0; 100]);
    let mut list = [IoBuffer::Header(&mut one), IoBuffer::Stream(&mut two)];
    assert_eq!(
        kind(initiator.wrap_iov(true, &mut list)),
        ErrorKind::BufferLayout
    );
    assert_eq!(
        kind(acceptor.unwrap_iov(&mut list)),
        ErrorKind::BufferLayout
    );
}

#[test]
fn plain_wrap_and_scattered_wrap_with_a_trailer_are_one_token() {
    for enctype in cfx_enctypes() {
        for seal in [true, false] {
            let (mut one, _) = pair(enctype, UNORDERED);
            let (mut two, _) = pair(enctype, UNORDERED);
            let parts = [Part::Header, Part::Data(33), Part::Padding, Part::Trailer];
            let scattered = wrap(&mut one, seal, &parts).concat();
            assert_eq!(two.wrap(seal, &content(1, 33)).unwrap(), scattered);
        }
    }
}

#[test]
fn streams_give_the_message_inside_of_the_token() {
    for enctype in Enctype::ALL.iter().copied() {
        for seal in [true, false] {
            let (mut initiator, mut acceptor) = pair(enctype, ORDERED);
            let mut token = initiator.wrap(seal, b"in a stream").unwrap();
            let mut again = token.clone();
            let mut list = [IoBuffer::Data(&mut []), IoBuffer::Stream(&mut token)];
            assert_eq!(acceptor.unwrap_iov(&mut list).unwrap().is_sealed(), seal);
            let [IoBuffer::Data(message), IoBuffer::Stream(rest)] = list else {
                panic!()
            };
            assert_eq!((&*message, rest.len()), (&b"in a stream"[..], 0));
            let mut list = [IoBuffer::Data(&mut []), IoBuffer::Stream(&mut again)];
            let (_, order) = acceptor.unwrap_iov_any_order(&mut list).unwrap();
            assert_eq!(order, Order::Duplicate);
        }
    }
}

#[test]
fn associated_data_is_authenticated_and_not_sent() {
    for enctype in Enctype::ALL.iter().copied() {
        for flags in [UNORDERED, UNORDERED | Flags::DCE_STYLE] {
            for seal in [true, false] {
                let (mut initiator, mut acceptor) = pair(enctype, flags);
                let token = match initiator.wrap_aead(seal, b"associated", b"message") {
                    Ok(token) => token,
                    Err(error) => panic!("{enctype} {flags}: {error}"),
                };
                assert!(!token.windows(10).any(|window| window == b"associated"));
                if flags.contains(Flags::DCE_STYLE) && enctype.confounder_len() == 8 {
                    continue;
                }
                let got = acceptor.unwrap_aead(&token, b"associated").unwrap();
                assert_eq!((&got.message[..], got.sealed), (&b"message"[..], seal));
                for wrong in [&b""[..], b"associatee", b"associated\0", b"associate"] {
                    let refused = kind(acceptor.unwrap_aead(&token, wrong));
                    assert_eq!(refused, ErrorKind::MessageModified);
                }
                for bit in 0..token.len() * 8 {
                    let mut altered = token.clone();
                    altered[bit / 8] ^= 1 << (bit % 8);
                    if let Ok(got) = acceptor.unwrap_aead(&altered, b"associated") {
                        // RRC a multiple of the length, or SND_SEQ of RFC 4757.
                        assert_eq!(got.message, b"message");
                        assert!((6..8).contains(&(bit / 8)) || enctype.confounder_len() == 8);
                    }
                }
                let plain = initiator.wrap_aead(seal, b"", b"message").unwrap();
                assert_eq!(acceptor.unwrap(&plain).unwrap().message, b"message");
            }
        }
    }
}

#[test]
fn scattered_messages_out_of_order_are_refused_and_wiped() {
    let (mut initiator, mut acceptor) = pair(Enctype::Aes256CtsHmacSha1_96, ORDERED);
    let parts = LAYOUTS[0];
    let sent = wrap(&mut initiator, true, parts);
    let mut first = sent.clone();
    acceptor
        .unwrap_iov(&mut buffers(parts, &mut first))
        .unwrap();
    let mut second = sent.clone();
    let refused = acceptor.unwrap_iov(&mut buffers(parts, &mut second));
    assert_eq!(kind(refused), ErrorKind::MessageDuplicate);
    assert_eq!(second[1], vec![0; 33]);
}

#[test]
fn a_mic_covers_scattered_buffers_in_order_however_they_are_cut() {
    for enctype in Enctype::ALL.iter().copied() {
        let (mut initiator, mut acceptor) = pair(enctype, UNORDERED);
        let (mut data, message) = (*b"scattered", b"before scattered after");
        let sent = [
            IoBuffer::SignOnly(b"before "),
            IoBuffer::Data(&mut data),
            IoBuffer::SignOnly(b" after"),
        ];
        let mic = initiator.get_mic_iov(&sent).unwrap();
        acceptor.verify_mic_iov(&sent, &mic).unwrap();
        acceptor.verify_mic(message, &mic).unwrap();
        // More pieces than fit the stack.
        let many: Vec<_> = message.chunks(1).map(IoBuffer::SignOnly).collect();
        acceptor.verify_mic_iov(&many, &mic).unwrap();
        let whole = initiator.get_mic(message).unwrap();
        let order = acceptor.verify_mic_iov_any_order(&many, &whole).unwrap();
        assert_eq!(order, Order::InOrder);

        let [first, second, third] = sent;
        for altered in [vec![second, first, third], Vec::new()] {
            let refused = acceptor.verify_mic_iov(&altered, &mic);
            assert_eq!(kind(refused), ErrorKind::MessageModified);
        }
        let layout = [IoBuffer::Header(&mut [])];
        assert_eq!(
            kind(initiator.get_mic_iov(&layout)),
            ErrorKind::BufferLayout
        );
        let refused = acceptor.verify_mic_iov(&layout, &mic);
        assert_eq!(kind(refused), ErrorKind::BufferLayout);
    }
}
