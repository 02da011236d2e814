//! PACs that are wrong.

#![allow(clippy::unwrap_used, reason = "it is a test")]

mod common;

use common::pac::{container, windows_2003};
use countersign_token::pac::{BufferType, Pac, Sid};
use countersign_token::{DecodeError, DecodeErrorKind};

fn sid(text: &str) -> Sid {
    text.parse().unwrap()
}

fn kind(result: Result<Pac<'_>, DecodeError>) -> DecodeErrorKind {
    result.unwrap_err().kind()
}

/// CVE-2022-42898, CVE-2023-36054: the count is not the array's.
#[test]
fn counts_of_buffers_that_lie_are_refused_before_anything_is_read() {
    let limit = DecodeErrorKind::TooManyElements { limit: 64 };
    let good = container(&[(0x77, b"data")]);
    assert_eq!(Pac::parse(&good).unwrap().buffers().count(), 1);
    for count in [65, 4096, 0x1000_0000, 0x1000_0001, u32::MAX] {
        let mut bytes = good.clone();
        bytes[..4].copy_from_slice(&count.to_le_bytes());
        assert_eq!(kind(Pac::parse(&bytes)), limit);
        assert_eq!(Pac::parse(&bytes).unwrap_err().offset(), 0);
    }
    for count in 2..=64_u32 {
        let mut bytes = good.clone();
        bytes[..4].copy_from_slice(&count.to_le_bytes());
        assert!(matches!(
            kind(Pac::parse(&bytes)),
            DecodeErrorKind::Truncated { .. }
        ));
    }
    let many = container(&[(0x77, &b"data"[..]); 64]);
    assert_eq!(Pac::parse(&many).unwrap().buffers().count(), 64);
    let empty = [0; 8];
    assert_eq!(Pac::parse(&empty).unwrap().buffers().count(), 0);
    assert!(Pac::parse(&[]).is_err());
}

#[test]
fn offsets_and_sizes_that_wrap_overlap_or_are_unaligned_are_refused() {
    let good = container(&[(0x77, b"12345678"), (0x78, b"12345678")]);
    assert!(Pac::parse(&good).is_ok());
    let with = |at: usize, bytes: &[u8]| {
        let mut bent = good.clone();
        bent[at..at + bytes.len()].copy_from_slice(bytes);
        Pac::parse(&bent).map(|_| ()).map_err(|error| error.kind())
    };
    let offset = |value: u64| with(16, &value.to_le_bytes());
    let size = |value: u32| with(12, &value.to_le_bytes());
    let outside = Err(DecodeErrorKind::OutOfBounds);
    for value in [0, 8, 32, 48, 56, 1 << 32, (1 << 32) + 40, u64::MAX - 7] {
        let expected = if value == 48 {
            Err(DecodeErrorKind::Overlap)
        } else {
            outside
        };
        assert_eq!(offset(value), expected, "{value}");
    }
    assert_eq!(offset(40), Ok(()));
    assert_eq!(offset(41), Err(DecodeErrorKind::Unaligned));
    assert_eq!(offset(44), Err(DecodeErrorKind::Unaligned));
    for (value, expected) in [
        (0, Ok(())),
        (8, Ok(())),
        (9, Err(DecodeErrorKind::Overlap)),
        (16, Err(DecodeErrorKind::Overlap)),
        (17, outside),
        (u32::MAX, outside),
        (0u32.wrapping_sub(40), outside),
    ] {
        assert_eq!(size(value), expected, "{value}");
    }
    // What has no bytes shares none.
    let empty = container(&[(0x77, b""), (0x78, b"12345678")]);
    assert!(Pac::parse(&empty).is_ok());
    let number = DecodeErrorKind::UnexpectedNumber {
        expected: 0,
        found: 1,
    };
    assert_eq!(with(4, &[1, 0, 0, 0]), Err(number));
}

#[test]
fn a_second_buffer_of_a_known_type_is_refused() {
    for known in [1, 2, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19] {
        let once = container(&[(known, b"x"), (0x77, b"x"), (0x77, b"y")]);
        assert!(Pac::parse(&once).is_ok());
        let twice = container(&[(known, b"x"), (0x77, b"x"), (known, b"y")]);
        let refused = DecodeErrorKind::DuplicateBuffer { buffer_type: known };
        assert_eq!(kind(Pac::parse(&twice)), refused);
    }
}

#[test]
fn every_prefix_of_a_pac_is_an_error_up_to_the_padding() {
    let bytes = windows_2003();
    for length in 0..bytes.len() {
        assert_eq!(Pac::parse(&bytes[..length]).is_ok(), length >= 0x26c);
    }
    // And of the serialized structure in it.
    let info = &bytes[0x48..0x48 + 472];
    for length in 0..info.len() {
        let bytes = container(&[(1, &info[..length])]);
        assert!(
            Pac::parse(&bytes).unwrap().logon_info().is_err(),
            "{length}"
        );
    }
}

/// The structure is NDR: counts, pointers, strings and SIDs that lie.
#[test]
fn logon_info_that_lies_is_refused_where_it_lies() {
    use DecodeErrorKind::*;
    const INFO: usize = 0x48;
    let good = windows_2003();
    // Offset in the PAC, bytes there, what is refused and where.
    let cases: &[(usize, &[u8], DecodeErrorKind, usize)] = &[
        (INFO, &[2], MalformedNdrHeader, INFO),
        (INFO + 1, &[0], MalformedNdrHeader, INFO),
        (INFO + 2, &[16], MalformedNdrHeader, INFO),
        (
            INFO + 8,
            &[0xff; 4],
            Truncated {
                missing: 0xffff_ffff - 456,
            },
            INFO + 16,
        ),
        (INFO + 8, &[0; 4], TrailingData, INFO + 16),
        (INFO + 16, &[0; 4], NullPointer, INFO + 16),
        // EffectiveName: Length, MaximumLength, pointer.
        (0x8c, &[0x15], MalformedUtf16, 0x8c),
        (0x8c, &[0x18], OutOfBounds, 0x8c),
        (
            0x8c,
            &[0x14],
            CountMismatch {
                expected: 10,
                found: 11,
            },
            0x13c,
        ),
        (
            0x8e,
            &[0x18],
            CountMismatch {
                expected: 12,
                found: 11,
            },
            0x134,
        ),
        (0x90, &[0; 4], NullPointer, 0x90),
        // GroupCount and GroupIds.
        (
            0xc8,
            &[2],
            CountMismatch {
                expected: 2,
                found: 1,
            },
            0x194,
        ),
        (
            0xc8,
            &[0xff; 4],
            CountMismatch {
                expected: u32::MAX,
                found: 1,
            },
            0x194,
        ),
        (0xcc, &[0; 4], NullPointer, 0xcc),
        // SidCount and ExtraSids.
        (
            0x120,
            &[0],
            CountMismatch {
                expected: 0,
                found: 1,
            },
            0x200,
        ),
        (0x124, &[0; 4], NullPointer, 0x124),
        // The characters: half of a pair.
        (0x140, &[0x00, 0xd8], MalformedUtf16, 0x140),
        // LogonDomainId: its count, its revision, its own count.
        (0x1e4, &[5], MalformedSid, 0x1e8),
        (0x1e4, &[0xff; 4], MalformedSid, 0x1e8),
        (0x1e8, &[2], MalformedSid, 0x1e8),
        (0x1e9, &[3], MalformedSid, 0x1e8),
        // The SID in the array of extra ones: its pointer, its count.
        (0x204, &[0; 4], NullPointer, 0x204),
    ];
    assert!(Pac::parse(&good).unwrap().logon_info().is_ok());
    for (at, with, expected, offset) in cases {
        let mut bytes = good.clone();
        bytes[*at..at + with.len()].copy_from_slice(with);
        let error = Pac::parse(&bytes).unwrap().logon_info().unwrap_err();
        assert_eq!(
            (error.kind(), error.offset()),
            (*expected, *offset),
            "at {at:#x}"
        );
    }
}

#[test]
fn client_info_is_exact() {
    let read = |data: &[u8]| {
        let bytes = container(&[(10, data)]);
        let pac = Pac::parse(&bytes).unwrap();
        pac.client_info().map(|info| info.unwrap().name == "ab")
    };
    let good = b"\0\0\0\0\0\0\0\0\x04\0a\0b\0";
    assert_eq!(read(good), Ok(true));
    for length in 0..good.len() {
        assert!(read(&good[..length]).is_err());
    }
    assert!(read(b"\0\0\0\0\0\0\0\0\x04\0a\0b\0\0").is_err());
    assert!(read(b"\0\0\0\0\0\0\0\0\x03\0a\0b").is_err());
    assert!(read(b"\0\0\0\0\0\0\0\0\x04\0a\0\0\xdc").is_err());
    assert!(read(b"\0\0\0\0\0\0\0\0\xff\xffa\0b\0").is_err());
}

/// go-krb5 #132 to #135: UPN_DNS_INFO whose offsets and lengths lie.
#[test]
fn upn_dns_info_that_lies_is_refused() {
    let user = sid("S-1-5-21-1-2-3-1105");
    let good = common::pac::upn_dns_info();
    let read = |data: &[u8]| {
        let bytes = container(&[(12, data)]);
        let pac = Pac::parse(&bytes).unwrap();
        pac.upn_dns_info().map(|info| {
            let info = info.unwrap();
            (
                info.upn.to_string(),
                info.dns_domain_name.to_string(),
                info.sid,
            )
        })
    };
    let whole = ("ab".into(), "c".into(), Some(user));
    assert_eq!(read(&good), Ok(whole));
    let bent = |at: usize, value: u16| {
        let mut bytes = good.clone();
        bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
        read(&bytes)
    };
    for (at, value) in [
        (0, 3),
        (0, u16::MAX - 1),
        (2, 0),
        (2, 19),
        (2, 0xfffe),
        (2, 74),
        (4, 1),
        (6, 0xfff0),
        (14, 4),
        (16, 24),
        (16, 0),
        (18, 46),
    ] {
        assert!(bent(at, value).is_err(), "{at} {value}");
    }
    // Without the S flag the rest is not looked at.
    assert_eq!(bent(8, 0).unwrap().2, None);
    assert!(bent(0, 0).is_ok());
}

#[test]
fn the_small_buffers_are_exact() {
    let one = |kind: u32, data: &[u8]| container(&[(kind, data)]);
    let user = sid("S-1-5-21-1-2-3-1105");
    let binary = user.to_bytes();
    let requestor = |data: &[u8]| Pac::parse(&one(0x12, data)).unwrap().requestor();
    assert_eq!(requestor(binary.as_slice()), Ok(Some(user)));
    let long = [binary.as_slice(), &[0]].concat();
    assert!(requestor(&long).is_err() && requestor(&[]).is_err());

    let attributes = |data: &[u8]| {
        let bytes = one(0x11, data);
        let read = Pac::parse(&bytes).unwrap().attributes();
        read.map(|found| found.unwrap().flags)
    };
    assert_eq!(attributes(b"\x02\0\0\0\x01\0\0\0"), Ok(1));
    assert_eq!(attributes(b"\0\0\0\0"), Ok(0));
    assert_eq!(attributes(b"\x21\0\0\0\x02\0\0\0\x09\0\0\0"), Ok(2));
    for bad in [
        &b"\x02\0\0\0"[..],
        b"\x02\0\0\0\x01\0\0\0\0",
        b"\xff\xff\xff\xff\x01\0\0\0",
        b"",
    ] {
        assert!(attributes(bad).is_err());
    }

    let signature = |signature_type: i32, length: usize| {
        let data = [&signature_type.to_le_bytes()[..], &vec![7; length]].concat();
        let bytes = one(7, &data);
        let read = Pac::parse(&bytes)
            .unwrap()
            .signature(BufferType::KDC_SIGNATURE);
        read.map(|found| {
            let found = found.unwrap();
            (found.signature.len(), found.rodc_identifier)
        })
    };
    for (signature_type, length) in [
        (15, 12),
        (16, 12),
        (-138, 16),
        (17, 16),
        (18, 16),
        (19, 16),
        (20, 24),
    ] {
        assert_eq!(signature(signature_type, length), Ok((length, None)));
        assert_eq!(
            signature(signature_type, length + 2),
            Ok((length, Some(0x0707)))
        );
        for wrong in [0, length - 1, length + 1, length + 3] {
            assert!(signature(signature_type, wrong).is_err());
        }
    }
    assert_eq!(signature(7, 16), Ok((16, None)));
    assert_eq!(signature(7, 0), Ok((0, None)));
}

#[test]
fn delegation_info_that_lies_is_refused() {
    let good = common::pac::delegation_info();
    let read = |data: &[u8]| {
        let bytes = container(&[(11, data)]);
        let pac = Pac::parse(&bytes).unwrap();
        pac.delegation_info().map(|info| {
            let info = info.unwrap();
            let services: Vec<_> = info.transited_services.iter().map(String::from).collect();
            (String::from(info.proxy_target), services)
        })
    };
    assert_eq!(read(&good), Ok(("a".into(), vec!["b".into()])));
    for (at, value) in [
        (20 + 8, 2_u32),
        (20 + 8, u32::MAX),
        (20 + 12, 0),
        (20 + 32, 2),
        (20 + 36, 0x0002_0001),
        (20 + 40, 0),
        (20 + 48, 1),
    ] {
        let mut bent = good.clone();
        bent[at..at + 4].copy_from_slice(&value.to_le_bytes());
        assert!(read(&bent).is_err(), "{at} {value}");
    }
}

/// Reads all there is to read, and says whether all of it could be.
fn read_all(bytes: &[u8]) -> bool {
    let Ok(pac) = Pac::parse(bytes) else {
        return false;
    };
    let mut sound = true;
    let info = pac.logon_info();
    if let Ok(Some(info)) = info {
        let groups = info.group_ids.iter().count() + info.extra_sids.iter().count();
        assert_eq!(groups, info.group_ids.len() + info.extra_sids.len());
        assert!(groups * 8 <= bytes.len());
        let _ = (info.user_sid(), format!("{info:?}"));
    }
    if let Ok(Some(info)) = pac.delegation_info() {
        let services = info.transited_services;
        assert_eq!(services.iter().count(), services.len());
    }
    for kind in [6, 7, 16, 19].map(BufferType) {
        sound &= pac.signature(kind).is_ok();
    }
    for parts in [pac.server_signed(), pac.fully_signed()]
        .into_iter()
        .flatten()
    {
        let length: usize = parts.as_slice().iter().map(|part| part.len()).sum();
        assert_eq!(length, bytes.len());
    }
    sound
        & info.is_ok()
        & pac.client_info().is_ok()
        & pac.upn_dns_info().is_ok()
        & pac.delegation_info().is_ok()
        & pac.requestor().is_ok()
        & pac.attributes().is_ok()
}

#[test]
fn a_million_random_mutations_of_a_pac_are_errors_or_stable_values() {
    let good = windows_2003();
    assert!(read_all(&good));
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(bound).unwrap()).unwrap()
    };
    let interesting = [0, 1, 2, 4, 7, 8, 0x10, 0x7f, 0x80, 0xff];
    let (mut sound, mut broken) = (0, 0);
    let mut bytes = good.clone();
    for _ in 0..1_000_000 {
        bytes.clone_from(&good);
        for _ in 0..=below(4) {
            let at = below(bytes.len());
            bytes[at] = interesting[below(interesting.len())];
        }
        if below(8) == 0 {
            bytes.truncate(below(good.len()));
        }
        if read_all(&bytes) {
            sound += 1;
        } else {
            broken += 1;
        }
    }
    assert!(sound > 100_000 && broken > 100_000, "{sound} {broken}");
}

/// Every value of every byte.
#[test]
fn every_value_of_every_octet_of_a_pac_is_an_error_or_a_value() {
    let good = windows_2003();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        for value in 0..=255 {
            bytes[at] = value;
            read_all(&bytes);
        }
    }
}
