use super::*;
use alloc::vec;

const VERSIONS: [Version; 6] = [
    Version::V1(ByteOrder::Little),
    Version::V1(ByteOrder::Big),
    Version::V2(ByteOrder::Little),
    Version::V2(ByteOrder::Big),
    Version::V3,
    Version::V4,
];

fn user() -> Principal {
    Principal::new("R", ["user"], NameType::PRINCIPAL)
}

fn cache() -> CredentialCache {
    let server = Principal::new("R", ["HTTP", "web"], NameType::SRV_HST);
    let mut first = TicketCredential::new(
        user(),
        server.clone(),
        KeyBlock::from_parts(17, &[9; 16]),
        vec![1; 20],
    );
    first.times = TicketTimes {
        auth_time: 1_000,
        start_time: 1_001,
        end_time: 0xffff_ffff,
        renew_till: 7,
    };
    first.flags = TicketFlags(0x40a1_0000);
    first.addresses = vec![
        HostAddress {
            addr_type: 2,
            address: vec![127, 0, 0, 1],
        },
        HostAddress {
            addr_type: 24,
            address: vec![0; 16],
        },
    ];
    first.authorization_data = vec![AuthorizationElement {
        ad_type: -3,
        ad_data: vec![5; 5],
    }];
    let mut second =
        TicketCredential::new(user(), server, KeyBlock::from_parts(-99, &[8; 3]), vec![]);
    second.second_ticket = vec![2; 9];
    second.is_skey = true;
    let mut cache = CredentialCache::new(user());
    cache.set_time_offset(Some(TimeOffset {
        seconds: -3,
        microseconds: 4,
    }));
    cache.other_fields.push(HeaderField {
        tag: 9,
        value: vec![1, 2, 3],
    });
    cache.push(first);
    cache.push(second);
    cache.set_configuration("pa_type", Some(&user()), Some(b"2"));
    cache
}

fn problem(bytes: &[u8]) -> (usize, FormatProblem) {
    match CredentialCache::parse(bytes) {
        Err(Error::Format { offset, problem }) => (offset, problem),
        other => panic!("expected a format error, got {other:?}"),
    }
}

#[test]
fn every_version_keeps_every_entry() {
    let cache = cache();
    for version in VERSIONS {
        let bytes = cache.to_bytes(version).unwrap();
        let (read, found) = CredentialCache::parse_with_version(&bytes).unwrap();
        assert_eq!(found, version);
        assert_eq!(read.default_principal(), cache.default_principal());
        assert_eq!(read.entries().len(), 3);
        for (before, after) in cache.entries().iter().zip(read.entries()) {
            assert_eq!(after.client, before.client);
            assert_eq!(after.server, before.server);
            assert_eq!(after.key.enctype_id(), before.key.enctype_id());
            assert_eq!(after.key.expose(), before.key.expose());
            assert_eq!(after.times, before.times);
            assert_eq!(after.flags.0, before.flags.0);
            assert_eq!(after.addresses, before.addresses);
            assert_eq!(after.authorization_data, before.authorization_data);
            assert_eq!(after.ticket, before.ticket);
            assert_eq!(after.second_ticket, before.second_ticket);
            assert_eq!(after.is_skey, before.is_skey);
            if !matches!(version, Version::V1(_)) {
                assert_eq!(after.server.name_type(), before.server.name_type());
            }
        }
        assert_eq!(
            read.configuration("pa_type", Some(&user())),
            Some(&b"2"[..])
        );
        let header = version == Version::V4;
        assert_eq!(
            read.time_offset(),
            header.then_some(TimeOffset {
                seconds: -3,
                microseconds: 4
            })
        );
        assert_eq!(read.other_fields.len(), usize::from(header));
        assert_eq!(read.to_bytes(version).unwrap(), bytes);
    }
}

/// Written from the documentation and not by the code under test.
#[test]
fn version_4_and_1_are_laid_out_as_documented() {
    let mut cache = CredentialCache::new(user());
    cache.set_time_offset(Some(TimeOffset {
        seconds: 1,
        microseconds: 2,
    }));
    let v4 = cache.to_bytes(Version::V4).unwrap();
    let expected = [
        &[5, 4, 0, 12, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2][..],
        &[0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, b'R', 0, 0, 0, 4],
        b"user",
    ];
    assert_eq!(*v4, expected.concat());
    let v1 = cache.to_bytes(Version::V1(ByteOrder::Little)).unwrap();
    let expected = [
        &[5, 1, 2, 0, 0, 0, 1, 0, 0, 0, b'R', 4, 0, 0, 0][..],
        b"user",
    ];
    assert_eq!(*v1, expected.concat());

    let key = KeyBlock::from_parts(17, &[7; 16]);
    cache.push(TicketCredential::new(user(), user(), key, vec![]));
    let v3 = cache.to_bytes(Version::V3).unwrap();
    let keyblock = [&[0, 17, 0, 17, 0, 0, 0, 16][..], &[7; 16]].concat();
    assert!(v3.windows(keyblock.len()).any(|window| window == keyblock));
    let v2 = cache.to_bytes(Version::V2(ByteOrder::Little)).unwrap();
    let keyblock = [&[17, 0, 16, 0, 0, 0][..], &[7; 16]].concat();
    assert!(v2.windows(keyblock.len()).any(|window| window == keyblock));
}

#[test]
fn other_files_are_refused() {
    let header = |field: &[u8]| {
        let mut file = vec![5, 4, 0, u8::try_from(field.len()).unwrap()];
        file.extend_from_slice(field);
        file.extend_from_slice(&[0; 12]);
        file
    };
    assert!(CredentialCache::parse(&header(&[])).is_ok());
    assert!(CredentialCache::parse(&header(&[0, 9, 0, 1, 7])).is_ok());
    assert_eq!(
        problem(&header(&[0, 9, 0, 2, 7])),
        (4, FormatProblem::BadHeader)
    );
    assert_eq!(
        problem(&header(&[0, 1, 0, 1, 7])),
        (4, FormatProblem::BadHeader)
    );
    assert_eq!(problem(&header(&[0])), (4, FormatProblem::BadHeader));
    assert_eq!(problem(b""), (0, FormatProblem::Truncated));
    assert_eq!(problem(b"5\x04"), (0, FormatProblem::BadMagic));
    assert_eq!(problem(&[5, 5]), (1, FormatProblem::UnsupportedVersion(5)));
    assert_eq!(problem(&[5, 4, 0xff, 0xff]), (4, FormatProblem::Truncated));
    assert_eq!(
        problem(&[5, 3, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]),
        (6, FormatProblem::TooLarge)
    );
    assert_eq!(
        problem(&[5, 3, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0]),
        (6, FormatProblem::Truncated)
    );
    assert_eq!(
        problem(&[5, 1, 0, 0, 0, 0, 0, 0]),
        (2, FormatProblem::MissingRealm)
    );
}

#[test]
fn a_truth_value_other_than_0_or_1_is_refused() {
    let mut cache = CredentialCache::new(user());
    cache.push(TicketCredential::new(
        user(),
        user(),
        KeyBlock::from_parts(17, &[7; 16]),
        vec![],
    ));
    let mut bytes = cache.to_bytes(Version::V4).unwrap().to_vec();
    // is_skey, flags, two counts and two lengths end the file.
    let position = bytes.len() - 21;
    assert_eq!(bytes[position], 0);
    bytes[position] = 1;
    assert!(CredentialCache::parse(&bytes).unwrap().entries()[0].is_skey);
    bytes[position] = 2;
    assert_eq!(problem(&bytes), (position, FormatProblem::BadBoolean));
}

#[test]
fn every_prefix_is_an_error_or_a_shorter_cache() {
    for version in VERSIONS {
        let bytes = cache().to_bytes(version).unwrap();
        assert_eq!(CredentialCache::parse(&bytes).unwrap().entries().len(), 3);
        let mut shorter = Vec::new();
        for length in 0..bytes.len() {
            match CredentialCache::parse(&bytes[..length]) {
                Ok(read) => shorter.push(read.entries().len()),
                Err(Error::Format { offset, .. }) => assert!(offset <= length),
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(shorter, [0, 1, 2], "{version:?}");
    }
}

#[test]
fn every_single_bit_flip_is_an_error_or_another_cache() {
    for version in VERSIONS {
        let original = cache().to_bytes(version).unwrap();
        let mut file = original.to_vec();
        let (mut errors, mut others) = (0, 0);
        for bit in 0..file.len() * 8 {
            file[bit / 8] ^= 1 << (bit % 8);
            match CredentialCache::parse_with_version(&file) {
                Ok((read, found)) => {
                    let written = read.to_bytes(found).unwrap();
                    // Only the second enctype of version 3 is not kept.
                    assert!(
                        *written == file || version == Version::V3,
                        "{version:?} bit {bit}"
                    );
                    others += 1;
                }
                Err(Error::Format { offset, .. }) => {
                    assert!(offset <= file.len());
                    errors += 1;
                }
                Err(other) => panic!("{other:?}"),
            }
            file[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(
            CredentialCache::parse(&file)
                .unwrap()
                .to_bytes(version)
                .unwrap(),
            original
        );
        assert!(errors > 0 && others > 0, "{errors} {others}");
    }
}

/// CVE-2015-2697.
#[test]
fn nul_non_utf8_and_64_kib_names_round_trip() {
    let long = vec![0xe9; 65_536];
    for part in [&b"\0R"[..], b"\xff\xfe", b"", &long] {
        let principal = Principal::new(part, [part, b"", part], NameType(-7));
        for version in VERSIONS {
            let bytes = CredentialCache::new(principal.clone())
                .to_bytes(version)
                .unwrap();
            let (read, found) = CredentialCache::parse_with_version(&bytes).unwrap();
            assert_eq!((read.default_principal(), found), (&principal, version));
        }
    }
    let many = Principal::new("R", vec![""; limits::COMPONENTS + 1], NameType::PRINCIPAL);
    let written = CredentialCache::new(many).to_bytes(Version::V4);
    assert_eq!(written.map(|_| ()), Err(Error::NotRepresentable));
}

#[test]
fn values_that_do_not_fit_are_refused_and_not_wrapped() {
    let attempt = |change: fn(&mut TicketCredential)| {
        let mut entry =
            TicketCredential::new(user(), user(), KeyBlock::from_parts(17, &[7; 16]), vec![]);
        change(&mut entry);
        let mut cache = CredentialCache::new(user());
        cache.push(entry);
        cache.to_bytes(Version::V4).map(|_| ())
    };
    assert_eq!(attempt(|entry| entry.times.end_time = 0xffff_ffff), Ok(()));
    let refused = Err(Error::NotRepresentable);
    assert_eq!(
        attempt(|entry| entry.times.end_time = 0x1_0000_0000),
        refused
    );
    assert_eq!(attempt(|entry| entry.times.end_time = -1), refused);
    assert_eq!(
        attempt(|entry| entry.key = KeyBlock::from_parts(40_000, &[])),
        refused
    );
    assert_eq!(
        attempt(|entry| entry.addresses.push(HostAddress {
            addr_type: -1,
            address: vec![]
        })),
        refused
    );
}

#[test]
fn numbers_of_entries_and_elements_have_limits() {
    let entry = || TicketCredential::new(user(), user(), KeyBlock::from_parts(0, &[]), vec![]);
    let one = entry().to_bytes().unwrap();
    let mut file = CredentialCache::new(user())
        .to_bytes(Version::V4)
        .unwrap()
        .to_vec();
    let start = file.len();
    file.extend(one.repeat(limits::CACHE_ENTRIES));
    let most = CredentialCache::parse(&file).unwrap();
    assert_eq!(most.entries().len(), limits::CACHE_ENTRIES);
    file.extend_from_slice(&one);
    let last = start + one.len() * limits::CACHE_ENTRIES;
    assert_eq!(problem(&file), (last, FormatProblem::TooLarge));

    let element = AuthorizationElement {
        ad_type: 1,
        ad_data: vec![],
    };
    let address = HostAddress {
        addr_type: 2,
        address: vec![],
    };
    let mut many = entry();
    many.authorization_data = vec![element.clone(); limits::ELEMENTS];
    many.addresses = vec![address.clone(); limits::ELEMENTS];
    let bytes = many.to_bytes().unwrap();
    let read = TicketCredential::parse(&bytes).unwrap();
    assert_eq!(read.authorization_data.len(), limits::ELEMENTS);
    assert_eq!(read.addresses.len(), limits::ELEMENTS);
    many.authorization_data.push(element);
    let refused = Err(Error::NotRepresentable);
    assert_eq!(many.to_bytes().map(|_| ()), refused);
    many.authorization_data.pop();
    many.addresses.push(address);
    assert_eq!(many.to_bytes().map(|_| ()), refused);
    // Addresses are counted behind the names, the key, the times, is_skey and the flags.
    let mut bytes = one.to_vec();
    let count = one.len() - 16;
    bytes[count..count + 4].copy_from_slice(&4_097_u32.to_be_bytes());
    let read = TicketCredential::parse(&bytes).map(|_| ());
    let error = Error::Format {
        offset: count,
        problem: FormatProblem::TooLarge,
    };
    assert_eq!(read, Err(error));
}

#[test]
fn debug_output_has_no_key() {
    let mut cache = CredentialCache::new(user());
    cache.push(TicketCredential::new(
        user(),
        user(),
        KeyBlock::from_parts(18, &[0xa7; 32]),
        vec![],
    ));
    cache.push(TicketCredential::new(
        user(),
        user(),
        KeyBlock::from_parts(99, &[0xa7; 32]),
        vec![],
    ));
    let text = alloc::format!("{cache:?} {cache:#?}");
    assert!(text.contains("user@R"));
    for secret in ["167", "a7a7", "A7A7", "a7, a7"] {
        assert!(!text.contains(secret), "{text}");
    }
}
