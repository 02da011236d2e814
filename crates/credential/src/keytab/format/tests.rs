use super::*;
use crate::error::Absent;
use alloc::vec;

fn be(out: &mut Vec<u8>, order: ByteOrder, value: u32, width: usize) {
    let bytes = value.to_be_bytes();
    let narrow = &bytes[4 - width..];
    match order {
        ByteOrder::Big => out.extend_from_slice(narrow),
        ByteOrder::Little => out.extend(narrow.iter().rev()),
    }
}

/// A record of version 1 or 2, written from the documentation and not by the code under test.
fn record(
    version: u8,
    order: ByteOrder,
    kvno8: u8,
    enctype: u32,
    key: &[u8],
    tail: &[u8],
) -> Vec<u8> {
    let mut entry = Vec::new();
    be(&mut entry, order, if version == 1 { 3 } else { 2 }, 2);
    for part in [&b"EXAMPLE.COM"[..], b"HTTP", b"web"] {
        be(&mut entry, order, u32::try_from(part.len()).unwrap(), 2);
        entry.extend_from_slice(part);
    }
    if version == 2 {
        be(&mut entry, order, 3, 4);
    }
    be(&mut entry, order, 1_700_000_000, 4);
    entry.push(kvno8);
    be(&mut entry, order, enctype, 2);
    be(&mut entry, order, u32::try_from(key.len()).unwrap(), 2);
    entry.extend_from_slice(key);
    entry.extend_from_slice(tail);
    let mut record = Vec::new();
    be(&mut record, order, u32::try_from(entry.len()).unwrap(), 4);
    record.extend(entry);
    record
}

fn two(kvno8: u8, enctype: u32, key: &[u8], tail: &[u8]) -> Vec<u8> {
    record(2, ByteOrder::Big, kvno8, enctype, key, tail)
}

fn keytab(records: &[&[u8]]) -> Vec<u8> {
    let mut file = vec![5, 2];
    for record in records {
        file.extend_from_slice(record);
    }
    file
}

fn problem(bytes: &[u8]) -> (usize, FormatProblem) {
    match Keytab::parse(bytes) {
        Err(Error::Format { offset, problem }) => (offset, problem),
        other => panic!("expected a format error, got {other:?}"),
    }
}

fn web() -> Principal {
    Principal::parse("HTTP/web@EXAMPLE.COM").unwrap()
}

#[test]
fn version_2_is_read_as_documented() {
    let read = Keytab::parse(&keytab(&[&two(7, 18, &[9; 32], &[])])).unwrap();
    let [entry] = read.entries() else { panic!() };
    assert_eq!(entry.principal(), &web());
    assert_eq!(entry.principal().name_type(), NameType::SRV_HST);
    assert_eq!(
        (entry.kvno(), entry.timestamp(), entry.enctype_id()),
        (7, 1_700_000_000, 18)
    );
    assert_eq!(entry.key().unwrap().expose(), [9; 32]);
}

#[test]
fn version_1_is_read_in_either_byte_order() {
    for order in [ByteOrder::Little, ByteOrder::Big] {
        let mut file = vec![5, 1];
        file.extend(record(1, order, 7, 17, &[9; 16], &[]));
        file.extend(record(1, order, 8, 17, &[8; 16], &[]));
        let read = Keytab::parse(&file).unwrap();
        assert_eq!(read.entries().len(), 2, "{order:?}");
        let entry = read.find(&web(), Some(8), None).unwrap();
        assert_eq!((entry.timestamp(), entry.enctype_id()), (1_700_000_000, 17));
        assert_eq!(entry.key().unwrap().expose(), [8; 16]);
        let rewritten = Keytab::parse(&read.to_bytes().unwrap()).unwrap();
        assert_eq!(
            rewritten.find(&web(), Some(8), None).unwrap().timestamp(),
            1_700_000_000
        );
    }
}

#[test]
fn the_32_bit_kvno_wins_when_it_is_there_and_not_zero() {
    let kvno = |tail: &[u8]| {
        Keytab::parse(&keytab(&[&two(7, 18, &[9; 32], tail)]))
            .unwrap()
            .entries()[0]
            .kvno()
    };
    assert_eq!(kvno(&[]), 7);
    assert_eq!(kvno(&[0, 0, 1, 44]), 300);
    assert_eq!(kvno(&[0, 0, 0, 0]), 7);
    assert_eq!(kvno(&[0, 1, 44]), 7);
    assert_eq!(kvno(&[0, 0, 1, 44, 0, 0, 0, 0]), 300);
}

#[test]
fn holes_are_skipped_and_a_zero_length_ends_the_file() {
    let entry = two(1, 18, &[9; 32], &[]);
    let hole = [&(-20_i32).to_be_bytes()[..], &[0; 20]].concat();
    let end = [0; 4];
    let count = |records: &[&[u8]]| Keytab::parse(&keytab(records)).unwrap().entries().len();
    assert_eq!(count(&[&entry, &hole, &entry]), 2);
    assert_eq!(count(&[&hole, &entry, &hole]), 1);
    assert_eq!(count(&[&entry, &end, b"whatever follows"]), 1);
    assert_eq!(count(&[]), 0);
    assert_eq!(
        problem(&keytab(&[&i32::MIN.to_be_bytes()])),
        (2, FormatProblem::Truncated)
    );
}

#[test]
fn entries_of_unknown_enctypes_survive_a_rewrite() {
    let file = keytab(&[
        &two(1, 3, &[1; 8], &[]),
        &two(1, 0xff7b, &[2; 3], &[]),
        &two(1, 18, &[3; 31], &[]),
        &two(1, 18, &[4; 32], &[]),
    ]);
    let read = Keytab::parse(&file).unwrap();
    let ids: Vec<_> = read.entries().iter().map(KeytabEntry::enctype_id).collect();
    assert_eq!(ids, [3, -133, 18, 18]);
    let usable: Vec<_> = read
        .entries()
        .iter()
        .map(|entry| entry.key().is_some())
        .collect();
    assert_eq!(usable, [false, false, false, true]);
    let again = Keytab::parse(&read.to_bytes().unwrap()).unwrap();
    for (before, after) in read.entries().iter().zip(again.entries()) {
        assert_eq!(before.enctype_id(), after.enctype_id());
        assert_eq!(before.key_block().expose(), after.key_block().expose());
    }
    assert_eq!(again.entries().len(), 4);
}

#[test]
fn what_is_written_is_version_2_with_both_key_versions() {
    let entry = KeytabEntry::new(
        web().with_name_type(NameType::SRV_HST),
        300,
        KeyBlock::from_parts(18, &[9; 32]),
    )
    .with_timestamp(1_700_000_000);
    let written = [entry].into_iter().collect::<Keytab>().to_bytes().unwrap();
    assert_eq!(
        *written,
        keytab(&[&two(44, 18, &[9; 32], &300_u32.to_be_bytes())])
    );
}

#[test]
fn other_files_are_refused() {
    assert!(Keytab::parse(&[5, 2]).is_ok());
    assert_eq!(problem(b""), (0, FormatProblem::Truncated));
    assert_eq!(problem(&[5]), (1, FormatProblem::Truncated));
    assert_eq!(problem(b"{}"), (0, FormatProblem::BadMagic));
    assert_eq!(problem(&[5, 3]), (1, FormatProblem::UnsupportedVersion(3)));
    assert_eq!(
        problem(&[5, 2, 0, 0, 0, 2, 0xff, 0xff]),
        (6, FormatProblem::TooLarge)
    );
    assert_eq!(
        problem(&[5, 1, 2, 0, 0, 0, 0, 0]),
        (6, FormatProblem::MissingRealm)
    );
}

#[test]
fn a_keytab_over_the_limit_is_refused_before_it_is_read() {
    let mut file = vec![0; limits::KEYTAB_BYTES];
    file[..2].copy_from_slice(&[5, 2]);
    assert!(Keytab::parse(&file).is_ok());
    file.push(0);
    assert_eq!(
        problem(&file),
        (limits::KEYTAB_BYTES, FormatProblem::TooLarge)
    );
}

#[test]
fn a_keytab_of_too_many_entries_is_refused_at_the_first_of_them() {
    let record = two(1, 18, &[], &[]);
    let mut file = keytab(&[&record.repeat(limits::KEYTAB_ENTRIES)]);
    let most = Keytab::parse(&file).unwrap();
    assert_eq!(most.entries().len(), limits::KEYTAB_ENTRIES);
    let end = file.len();
    file.extend_from_slice(&record);
    assert_eq!(problem(&file), (end, FormatProblem::TooLarge));
}

/// gokrb5 #339: lengths and counts that run past their record.
#[test]
fn lengths_that_run_past_their_record_are_refused() {
    let record = two(1, 18, &[9; 32], &[]);
    let file = keytab(&[&record, &record]);
    assert_eq!(Keytab::parse(&file).unwrap().entries().len(), 2);
    // The count of components, then the lengths of realm, components and key.
    for at in [6, 8, 21, 27, 43] {
        for value in [0x7fff_u16, 0x8000, 0xffff] {
            let mut changed = file.clone();
            changed[at..at + 2].copy_from_slice(&value.to_be_bytes());
            let (offset, problem) = problem(&changed);
            let expected = match at {
                6 => FormatProblem::TooLarge,
                _ => FormatProblem::Truncated,
            };
            assert_eq!((offset, problem), (at, expected), "{value:#x}");
        }
    }
    // A record that tells less than its entry has: what follows is not read as part of it.
    let entry = record.len() - 4;
    for length in 1..entry {
        let mut changed = file.clone();
        changed[2..6].copy_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
        let (offset, problem) = problem(&changed);
        assert!(offset <= 6 + length, "{length}");
        assert_eq!(problem, FormatProblem::Truncated, "{length}");
    }
}

/// go-krb5 #132-135: a decoder of keytabs must not panic.
#[test]
fn every_prefix_is_an_error_or_a_shorter_keytab() {
    let entry = two(1, 18, &[9; 32], &[0; 4]);
    let file = keytab(&[&entry, &entry]);
    assert_eq!(Keytab::parse(&file).unwrap().entries().len(), 2);
    for length in 0..file.len() {
        let shorter = [(2, 0), (2 + entry.len(), 1)];
        match Keytab::parse(&file[..length]) {
            Ok(read) => assert!(
                shorter.contains(&(length, read.entries().len())),
                "{length}"
            ),
            Err(Error::Format { offset, .. }) => assert!(offset <= length),
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_single_bit_flip_is_an_error_or_another_keytab() {
    for (version, order) in [
        (2, ByteOrder::Big),
        (1, ByteOrder::Little),
        (1, ByteOrder::Big),
    ] {
        let mut file = vec![5, version];
        file.extend(record(version, order, 1, 18, &[9; 32], &[]));
        file.extend(record(version, order, 2, 17, &[9; 16], &[0; 4]));
        let original = Keytab::parse(&file).unwrap().to_bytes().unwrap();
        let (mut errors, mut others) = (0, 0);
        for bit in 0..file.len() * 8 {
            file[bit / 8] ^= 1 << (bit % 8);
            match Keytab::parse(&file) {
                Ok(read) => {
                    // What was read can be written and read back without loss. Version 1 has no name type
                    // and the slack after an entry is not kept, so only those flips may go unseen.
                    let written = read.to_bytes().unwrap();
                    let again = Keytab::parse(&written).unwrap();
                    assert_eq!(again.to_bytes().unwrap(), written);
                    others += usize::from(written != original);
                }
                Err(Error::Format { offset, .. }) => {
                    assert!(offset <= file.len());
                    errors += 1;
                }
                Err(other) => panic!("{other:?}"),
            }
            file[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(Keytab::parse(&file).unwrap().to_bytes().unwrap(), original);
        assert!(errors > 0 && others > 0, "{errors} {others}");
        assert!(errors + others >= file.len() * 8 - 16, "{errors} {others}");
    }
}

/// CVE-2015-2697.
#[test]
fn nul_non_utf8_and_64_kib_names_round_trip_or_fail() {
    let longest = vec![b'x'; 65_535];
    for part in [&b"\0R"[..], b"\xff\xfe", b"", &longest] {
        let principal = Principal::new(part, [part, b"", part], NameType(-7));
        let entry = KeytabEntry::new(principal.clone(), 1, KeyBlock::from_parts(17, &[0; 16]));
        let written = [entry].into_iter().collect::<Keytab>().to_bytes().unwrap();
        let read = Keytab::parse(&written).unwrap();
        let found = read.find(&principal, None, None).unwrap();
        assert_eq!(found.principal().name_type(), NameType(-7));
    }
    for principal in [
        Principal::new(vec![b'x'; 65_536], ["a"], NameType::PRINCIPAL),
        Principal::new("R", [vec![b'x'; 65_536]], NameType::PRINCIPAL),
        Principal::new("R", vec![""; limits::COMPONENTS + 1], NameType::PRINCIPAL),
    ] {
        let entry = KeytabEntry::new(principal, 1, KeyBlock::from_parts(17, &[0; 16]));
        let keytab: Keytab = [entry].into_iter().collect();
        assert_eq!(keytab.to_bytes().map(|_| ()), Err(Error::NotRepresentable));
    }
}

#[test]
fn debug_output_has_no_key() {
    let file = keytab(&[&two(1, 18, &[0xa7; 32], &[]), &two(1, 99, &[0xa7; 32], &[])]);
    let read = Keytab::parse(&file).unwrap();
    let text = alloc::format!("{read:?} {read:#?}");
    assert!(text.contains("HTTP/web@EXAMPLE.COM"));
    for secret in ["167", "a7a7", "A7A7", "a7, a7"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert_eq!(
        read.find(&web(), Some(9), None).map(|_| ()),
        Err(Error::NotFound(Absent::Kvno))
    );
}
