//! Lists of AV_PAIR, MS-NLMP §2.2.2.1.

use countersign_token::ntlm::*;
use countersign_token::{DecodeError, DecodeErrorKind};

use crate::common::ntlm::{TIMESTAMP, av_pairs, utf16};

fn pair(id: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap().to_le_bytes();
    [&id.to_le_bytes()[..], &length, value].concat()
}

fn ended(pairs: &[&[u8]]) -> Vec<u8> {
    [&pairs.concat()[..], &[0; 4]].concat()
}

fn error(list: &[u8]) -> (usize, DecodeErrorKind) {
    let error = AvPairs::parse(list).unwrap_err();
    (error.offset(), error.kind())
}

#[test]
fn every_pair_is_read_in_its_order_and_unknown_ones_are_kept() {
    let bytes = av_pairs();
    let list = AvPairs::parse(&bytes).unwrap();
    let ids: Vec<_> = list.iter().map(|pair| pair.id.0).collect();
    assert_eq!(ids, [2, 1, 4, 3, 5, 9, 7, 6, 8, 0x1234, 10]);
    assert_eq!(list.as_bytes(), bytes);
    assert_eq!(list.timestamp(), Some(TIMESTAMP));
    assert_eq!(list.flags(), Some(AvFlags::MIC_PROVIDED));
    assert_eq!(list.channel_bindings(), Some(&[0xcb; 16]));
    assert_eq!(list.single_host().unwrap().machine_id, &[0x4d; 32]);
    assert!(list.nb_computer().unwrap() == "SERVER" && list.nb_domain().unwrap() == "EXAMPLE");
    assert!(list.dns_computer().unwrap() == "server.example.com");
    assert!(list.dns_domain().unwrap() == "example.com");
    assert!(list.dns_tree().unwrap() == "example.com");
    assert!(list.target_name().unwrap() == "HTTP/server.example.com");
    assert_eq!(list.find(AvId(0x1234)), Some(&b"unknown"[..]));

    let mut builder = AvPairsBuilder::with_capacity(bytes.len());
    for pair in &list {
        builder.push(pair.id, pair.value).unwrap();
    }
    assert_eq!(builder.finish(), bytes);
}

#[test]
fn absent_pairs_are_absent_and_empty_ones_are_empty() {
    let list = AvPairs::parse(&[0; 4]).unwrap();
    assert_eq!(list.iter().count(), 0);
    assert_eq!((list.timestamp(), list.flags()), (None, None));
    assert_eq!((list.target_name(), list.channel_bindings()), (None, None));
    assert!(list.single_host().is_none());
    let empty = ended(&[&pair(9, b""), &pair(6, &[0; 4])]);
    let list = AvPairs::parse(&empty).unwrap();
    assert!(list.target_name().unwrap().is_empty());
    assert_eq!(list.flags(), Some(AvFlags(0)));
}

/// CVE-2023-25565: a list that does not end.
#[test]
fn a_list_without_its_end_is_refused() {
    let whole = av_pairs();
    assert!(AvPairs::parse(&whole).is_ok());
    for end in 0..whole.len() {
        let (offset, _) = error(&whole[..end]);
        assert!(offset <= end);
    }
    let unended = pair(1, &utf16("SERVER"));
    assert_eq!(error(&unended), (16, DecodeErrorKind::MissingEol));
    assert_eq!(error(b""), (0, DecodeErrorKind::MissingEol));
    let cut = DecodeErrorKind::Truncated { missing: 1 };
    assert_eq!(error(&[0; 3]), (3, cut));
    let beyond = [&unended[..], b"\x02\0\x05\0abcd"].concat();
    assert_eq!(error(&beyond), (16, cut));
}

#[test]
fn an_end_with_a_value_and_bytes_behind_the_end_are_refused() {
    let (expected, found) = (0, 1);
    let kind = DecodeErrorKind::UnexpectedLength { expected, found };
    assert_eq!(error(b"\0\0\x01\0x\0\0\0\0"), (0, kind));
    let followed = [&av_pairs()[..], b"\0"].concat();
    assert_eq!(
        error(&followed),
        (followed.len() - 1, DecodeErrorKind::TrailingData)
    );
    let (list, rest) = AvPairs::parse_prefix(&followed).unwrap();
    assert_eq!((list.as_bytes(), rest), (&av_pairs()[..], &b"\0"[..]));
}

/// CVE-2019-1166: a second MsvAvFlags, which one side reads and the other does not.
#[test]
fn a_second_pair_of_any_id_is_refused() {
    for id in [1, 6, 7, 9, 10, 11, 63, 64, 65, 0x1234, u16::MAX] {
        let value: &[u8] = match id {
            6 => &[2, 0, 0, 0],
            7 => &[1; 8],
            10 => &[1; 16],
            _ => b"ab",
        };
        let (once, between) = (pair(id, value), pair(12, b"other"));
        assert!(AvPairs::parse(&ended(&[&once, &between])).is_ok());
        let twice = ended(&[&once, &between, &once]);
        let at = once.len() + between.len();
        assert_eq!(error(&twice), (at, DecodeErrorKind::DuplicateAvPair { id }));

        let mut builder = AvPairsBuilder::new();
        builder.push(AvId(id), value).unwrap();
        let refused = builder.push(AvId(id), value).unwrap_err();
        assert_eq!(refused.kind(), DecodeErrorKind::DuplicateAvPair { id });
    }
}

/// CVE-2023-25564: a value of another length than its reader takes for granted.
#[test]
fn values_of_a_wrong_length_are_refused_by_reader_and_writer() {
    for (id, expected, good, bad) in [
        (AvId::FLAGS, 4, &[4][..], &[0, 1, 3, 5, 8][..]),
        (AvId::TIMESTAMP, 8, &[8], &[0, 4, 7, 9, 16]),
        (AvId::CHANNEL_BINDINGS, 16, &[16], &[0, 15, 17, 32]),
        (AvId::SINGLE_HOST, 48, &[48, 80], &[0, 8, 47]),
    ] {
        let write = |length: &usize| {
            let value = vec![0; *length];
            let mut builder = AvPairsBuilder::new();
            let written = builder.push(id, &value);
            (ended(&[&pair(id.0, &value)]), written)
        };
        for (list, written) in good.iter().map(write) {
            assert!(AvPairs::parse(&list).is_ok() && written.is_ok());
        }
        for (found, (list, written)) in bad.iter().map(|length| (*length, write(length))) {
            let kind = DecodeErrorKind::UnexpectedLength { expected, found };
            assert_eq!(error(&list), (0, kind));
            assert_eq!(written, Err(DecodeError::new(0, kind)));
        }
    }
}

/// CVE-2023-25566 and its like: names that are not UTF-16.
#[test]
fn names_that_are_malformed_utf16_are_refused_by_reader_and_writer() {
    for id in 1..=12 {
        let text = AvId(id).is_text();
        assert_eq!(text, matches!(id, 1..=5 | 9));
        if matches!(id, 6..=8 | 10) {
            continue;
        }
        for value in [&b"odd"[..], b"\x00\xd8", b"\x00\xdc\x00\xd8"] {
            let list = ended(&[&pair(12 + 1, b"x"), &pair(id, value)]);
            let mut builder = AvPairsBuilder::new();
            let written = builder.push(AvId(id), value);
            if text {
                assert_eq!(error(&list), (5, DecodeErrorKind::MalformedUtf16));
                assert!(written.is_err());
            } else {
                assert!(AvPairs::parse(&list).is_ok() && written.is_ok());
            }
        }
        assert!(AvPairs::parse(&ended(&[&pair(id, &utf16("\u{1f511}"))])).is_ok());
    }
}

#[test]
fn lists_of_more_pairs_than_the_limit_are_refused_by_reader_and_writer() {
    let pairs = |count: u16| -> Vec<Vec<u8>> { (0..count).map(|id| pair(100 + id, b"")).collect() };
    let list = |count| ended(&pairs(count).iter().map(Vec::as_slice).collect::<Vec<_>>());
    let full = list(64);
    assert_eq!(AvPairs::parse(&full).unwrap().iter().count(), AvPairs::MAX);
    let kind = DecodeErrorKind::TooManyElements { limit: 64 };
    assert_eq!(error(&list(65)), (256, kind));
    let mut builder = AvPairsBuilder::new();
    for id in 0..64 {
        builder.push(AvId(100 + id), b"").unwrap();
    }
    assert_eq!(builder.push(AvId(99), b"").unwrap_err().kind(), kind);
}

#[test]
fn an_end_and_a_value_that_is_too_long_are_not_written() {
    let mut builder = AvPairsBuilder::new();
    assert!(builder.push(AvId::EOL, b"").is_err());
    let limit = usize::from(u16::MAX);
    let error = builder.push(AvId(20), &vec![0; limit + 1]).unwrap_err();
    assert_eq!(error.kind(), DecodeErrorKind::ValueTooLong { limit });
    builder.push(AvId(20), &vec![0; limit]).unwrap();
    assert_eq!(builder.finish().len(), 4 + limit + 4);
}

/// MS-NLMP §2.2.2.1.
#[test]
fn the_types_of_pairs_are_named_and_told_apart() {
    let mut names: Vec<_> = (0..=0x100).filter_map(|id| AvId(id).name()).collect();
    assert_eq!(names[..2], ["MsvAvEOL", "MsvAvNbComputerName"]);
    assert_eq!(names.len(), 11);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 11);
    assert_eq!(AvId(11).to_string(), "AvId 0x000b");
    let text: Vec<_> = (0..=0x100).filter(|id| AvId(*id).is_text()).collect();
    assert_eq!(text, [1, 2, 3, 4, 5, 9]);
}
