//! Tokens as an attacker writes them: cut, flipped, stretched, nested, mutated at random. Each is
//! a typed error or a valid value, never a panic: CVE-2009-0844, CVE-2009-0845,
//! CVE-2010-0628, CVE-2010-1321, CVE-2015-2697, CVE-2020-28196, CVE-2021-36222, CVE-2021-37750.

#![allow(clippy::unwrap_used, reason = "it is a test")]

mod common;

use common::{Kind, Random, kinds};
use countersign_token::der::{Decode, Encode, Reader, SequenceOf, Tag, Writer};
use countersign_token::kerberos::{
    AuthorizationData, Claimed, EncTicketPart, KerberosString, PrincipalName, Ticket,
};
use countersign_token::{DecodeErrorKind, describe};

/// What any input must do: error inside the input, or a value whose encoding is stable.
fn hold(kind: &Kind, input: &[u8]) -> bool {
    match (kind.decode)(input) {
        Err(error) => {
            assert!(
                error.offset() <= input.len(),
                "{}: {error} is outside",
                kind.name
            );
            false
        }
        Ok(encoded) => {
            let again = (kind.decode)(&encoded);
            assert_eq!(
                again.as_deref(),
                Ok(&encoded[..]),
                "{}: {input:02x?}",
                kind.name
            );
            true
        }
    }
}

/// Kinds whose last part is the rest of the input, or a list of such, and so can be shorter.
fn ends_anywhere(kind: &Kind) -> bool {
    matches!(
        kind.name,
        "MIC token" | "Wrap token" | "RFC 1964 token" | "GSS checksum"
    )
}

#[test]
fn every_sample_decodes_and_encodes_to_itself() {
    for kind in kinds() {
        let sample = (kind.sample)();
        assert_eq!(
            (kind.decode)(&sample).as_deref(),
            Ok(&sample[..]),
            "{}",
            kind.name
        );
    }
}

/// CVE-2009-0844, CVE-2009-0845, CVE-2010-0628, go-krb5 #132: what is cut off is told, not read.
#[test]
fn every_prefix_of_every_token_is_an_error() {
    for kind in kinds() {
        let sample = (kind.sample)();
        assert!(hold(&kind, &sample));
        for end in 0..sample.len() {
            let accepted = hold(&kind, &sample[..end]);
            assert!(
                !accepted || ends_anywhere(&kind),
                "{} cut at {end}",
                kind.name
            );
        }
    }
}

#[test]
fn bytes_after_every_token_are_an_error() {
    for kind in kinds() {
        let mut sample = (kind.sample)();
        assert!(hold(&kind, &sample));
        sample.push(0);
        let accepted = hold(&kind, &sample);
        let unframed = ends_anywhere(&kind) && kind.name != "GSS checksum"
            || kind.name == "SEC_CHANNEL_BINDINGS";
        assert_eq!(accepted, unframed, "{}", kind.name);
        if kind.fields {
            let error = (kind.decode)(&sample).unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::TrailingData, "{}", kind.name);
            assert_eq!(error.offset(), sample.len() - 1, "{}", kind.name);
        }
    }
}

#[test]
fn every_single_bit_flip_of_every_token_is_an_error_or_a_stable_value() {
    for kind in kinds() {
        let sample = (kind.sample)();
        for bit in 0..sample.len() * 8 {
            let mut flipped = sample.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            hold(&kind, &flipped);
            if bit % 5 == 0 {
                assert!(!describe::tree(&flipped).is_empty());
            }
        }
    }
}

/// The offsets of the tags and the first length octets of every element in `input`.
fn headers(input: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut open = vec![Reader::new(input)];
    while let Some(mut reader) = open.pop() {
        let offset = reader.offset();
        let Ok((tag, contents)) = reader.read_any() else {
            continue;
        };
        found.push(offset);
        open.push(reader);
        if tag.is_constructed() {
            open.push(contents);
        }
    }
    found
}

#[test]
fn every_value_of_every_tag_and_length_octet_is_an_error_or_a_stable_value() {
    for kind in kinds().into_iter().filter(|kind| kind.fields) {
        let sample = (kind.sample)();
        let headers = headers(&sample);
        assert!(headers.len() > 2, "{} has elements", kind.name);
        for header in headers {
            for place in [header, header + 1] {
                for value in 0..=u8::MAX {
                    let mut changed = sample.clone();
                    changed[place] = value;
                    hold(&kind, &changed);
                }
            }
        }
    }
}

/// CVE-2009-0844: a length beyond the buffer.
#[test]
fn a_length_that_wraps_or_exceeds_the_input_is_an_error_at_every_element() {
    for kind in kinds().into_iter().filter(|kind| kind.fields) {
        let sample = (kind.sample)();
        for header in headers(&sample) {
            for length in [
                &[0x84, 0xff, 0xff, 0xff, 0xff][..],
                &[0x84, 0x80, 0, 0, 0],
                &[0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                &[0xff],
                &[0x84],
            ] {
                let mut changed = sample.clone();
                changed.splice(header + 1..header + 2, length.iter().copied());
                assert!(!hold(&kind, &changed), "{} at {header}", kind.name);
            }
        }
    }
}

#[test]
fn indefinite_and_padded_lengths_are_refused_at_every_element() {
    for kind in kinds().into_iter().filter(|kind| kind.fields) {
        let sample = (kind.sample)();
        for header in headers(&sample) {
            let mut indefinite = sample.clone();
            indefinite[header + 1] = 0x80;
            indefinite.extend_from_slice(&[0, 0]);
            assert!(!hold(&kind, &indefinite), "{} at {header}", kind.name);
            let error = (kind.decode)(&indefinite).unwrap_err();
            assert_eq!(
                error.kind(),
                DecodeErrorKind::IndefiniteLength,
                "{}",
                kind.name
            );
            assert_eq!(error.offset(), header + 1, "{}", kind.name);
        }
        // The outermost length with one octet too many.
        let mut padded = sample.clone();
        let (octets, start) = match sample[1] {
            short @ 0..=0x7f => (vec![0x81, short], 2),
            0x81 => (vec![0x82, 0, sample[2]], 3),
            _ => (vec![0x83, 0, sample[2], sample[3]], 4),
        };
        padded.splice(1..start, octets);
        let error = (kind.decode)(&padded).unwrap_err();
        assert_eq!(
            (error.offset(), error.kind()),
            (1, DecodeErrorKind::NonMinimalLength)
        );
    }
}

/// The message without its field `[number]`: its outermost SEQUENCE and what is around it rebuilt.
fn without_field(sample: &[u8], number: u8) -> Option<Vec<u8>> {
    let mut reader = Reader::new(sample);
    let (tag, mut contents) = reader.read_any().unwrap();
    let mut wrapper = None;
    if tag != Tag::SEQUENCE {
        wrapper = Some(tag);
        contents = contents.read(Tag::SEQUENCE).unwrap();
    }
    let mut kept = Vec::new();
    let mut found = false;
    while !contents.is_empty() {
        let element = contents.read_element().unwrap();
        if element[0] == Tag::context(number).0 {
            found = true;
        } else {
            kept.extend_from_slice(element);
        }
    }
    let mut writer = Writer::with_capacity(0);
    match wrapper {
        Some(tag) => writer.nest(tag, |writer| writer.element(Tag::SEQUENCE, &kept)),
        None => writer.element(Tag::SEQUENCE, &kept),
    }
    found.then(|| writer.into_vec())
}

/// CVE-2021-36222, CVE-2021-37750: an absent field that the code relied on.
#[test]
fn every_optional_field_may_be_absent_and_no_other() {
    for kind in kinds().into_iter().filter(|kind| kind.fields) {
        let sample = (kind.sample)();
        let mut seen = 0;
        for number in 0..30 {
            let Some(shorter) = without_field(&sample, number) else {
                continue;
            };
            let accepted = hold(&kind, &shorter);
            assert_eq!(
                accepted,
                kind.optional.contains(&number),
                "{} [{number}]",
                kind.name
            );
            if accepted {
                assert_eq!(
                    (kind.decode)(&shorter),
                    Ok(shorter),
                    "{} [{number}]",
                    kind.name
                );
                seen += 1;
            }
        }
        assert_eq!(
            seen,
            kind.optional.len(),
            "{}: the sample has every field",
            kind.name
        );
    }
}

#[test]
fn a_field_that_is_twice_there_or_out_of_order_is_an_error() {
    let sample = common::authenticator();
    let mut outer = Reader::new(&sample);
    let mut contents = outer
        .read(Tag::application(2))
        .unwrap()
        .read(Tag::SEQUENCE)
        .unwrap();
    let mut fields = Vec::new();
    while !contents.is_empty() {
        fields.push(contents.read_element().unwrap());
    }
    let build = |fields: &[&[u8]]| {
        let mut writer = Writer::with_capacity(0);
        writer.nest(Tag::application(2), |w| {
            w.element(Tag::SEQUENCE, &fields.concat())
        });
        writer.into_vec()
    };
    let kind = kinds()
        .into_iter()
        .find(|kind| kind.name == "Authenticator")
        .unwrap();
    assert!(hold(&kind, &build(&fields)));
    for place in 0..fields.len() {
        let mut twice = fields.clone();
        twice.insert(place, fields[place]);
        assert!(!hold(&kind, &build(&twice)));
        if place > 0 {
            let mut swapped = fields.clone();
            swapped.swap(place, place - 1);
            assert!(!hold(&kind, &build(&swapped)));
        }
    }
}

/// CVE-2020-28196: a stack that grows with the input.
#[test]
fn nesting_of_100_000_is_refused_in_constant_stack() {
    const DEPTH: usize = 100_000;
    // Definite lengths, from the inside out: written backwards.
    let mut definite = Vec::new();
    for tag in [0x30, 0xa0, 0x6e].into_iter().cycle().take(DEPTH) {
        let length = definite.len();
        match length {
            0..0x80 => definite.push(u8::try_from(length).unwrap()),
            _ => {
                let octets = u32::try_from(length).unwrap().to_be_bytes();
                let used: Vec<_> = octets.into_iter().skip_while(|octet| *octet == 0).collect();
                definite.extend(used.iter().rev());
                definite.push(0x80 | u8::try_from(used.len()).unwrap());
            }
        }
        definite.push(tag);
    }
    definite.reverse();
    let indefinite: Vec<u8> = [0x30, 0x80].repeat(DEPTH);
    let framed: Vec<u8> = [0x60, 0x80].repeat(DEPTH);

    let checks = move || {
        for input in [&definite, &indefinite, &framed] {
            for kind in kinds().into_iter().filter(|kind| kind.fields) {
                assert!((kind.decode)(input).is_err(), "{}", kind.name);
            }
            let lines = describe::tree(input);
            assert!(lines.len() <= describe::MAX_LINES + 1);
            assert!(lines.iter().any(|line| line.error.is_some()));
        }
        // The control: the same decoders in the same stack accept what is flat.
        for kind in kinds() {
            assert!((kind.decode)(&(kind.sample)()).is_ok(), "{}", kind.name);
        }
    };
    std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(checks)
        .unwrap()
        .join()
        .unwrap();
}

/// CVE-2015-2697: names are bytes with a length, not C strings.
#[test]
fn names_with_nul_non_utf8_and_64_kib_round_trip() {
    let long = vec![b'x'; 64 << 10];
    let names: [&[u8]; 8] = [
        b"",
        b"\0",
        b"\0EXAMPLE.COM",
        b"EXAMPLE\0.COM",
        b"\xff\xfe\x80",
        "K\u{f6}ln".as_bytes(),
        b"@/\\",
        &long,
    ];
    for bytes in names {
        let components = [KerberosString::new(bytes), KerberosString::new(b"x")];
        let name = PrincipalName {
            name_type: 1,
            name_string: SequenceOf::new(&components),
        };
        let ticket = Ticket {
            realm: Claimed::new(KerberosString::new(bytes)),
            sname: Claimed::new(name),
            enc_part: common::encrypted(),
        };
        let der = ticket.to_der();
        let read = Ticket::from_der(&der).unwrap();
        assert_eq!(read, ticket);
        assert_eq!(read.realm.unverified().as_bytes(), bytes);
        let first = read.sname.unverified().name_string.first().unwrap();
        assert_eq!(first.as_bytes(), bytes);
        assert_eq!(
            first.as_str().is_some(),
            core::str::from_utf8(bytes).is_ok()
        );
    }
}

#[test]
fn a_name_of_no_components_and_one_of_1024_are_read_and_one_of_1025_is_refused() {
    for (count, accepted) in [(0, true), (1024, true), (1025, false)] {
        let components = vec![KerberosString::new(b"c"); count];
        let name = PrincipalName {
            name_type: 1,
            name_string: SequenceOf::new(&components),
        };
        let der = name.to_der();
        let read = PrincipalName::from_der(&der);
        assert_eq!(read.is_ok(), accepted);
        match read {
            Ok(read) => assert_eq!(read.name_string.len(), count),
            Err(error) => {
                let kind = DecodeErrorKind::TooManyElements { limit: 1024 };
                assert_eq!(error.kind(), kind);
            }
        }
    }
}

#[test]
fn an_error_inside_a_list_has_its_offset_in_the_whole_message() {
    let mut sample = common::enc_ticket_part();
    assert!(EncTicketPart::from_der(&sample).is_ok());
    let place = sample
        .windows(4)
        .position(|window| window == b"user")
        .unwrap()
        - 2;
    assert_eq!(sample[place], Tag::GENERAL_STRING.0);
    sample[place] = Tag::UTF8_STRING.0;
    let error = EncTicketPart::from_der(&sample).unwrap_err();
    assert_eq!(error.offset(), place);
    assert_eq!(
        error.to_string(),
        format!("byte {place}: expected GeneralString, found UTF8String")
    );
}

#[test]
fn a_message_of_another_version_or_type_is_an_error_that_names_both() {
    let mut sample = common::ap_req();
    let place = sample
        .windows(5)
        .position(|w| w == [0xa0, 3, 2, 1, 5])
        .unwrap();
    sample[place + 4] = 4;
    let kind = kinds()
        .into_iter()
        .find(|kind| kind.name == "AP-REQ")
        .unwrap();
    let error = (kind.decode)(&sample).unwrap_err();
    let expected = DecodeErrorKind::UnexpectedNumber {
        expected: 5,
        found: 4,
    };
    assert_eq!((error.offset(), error.kind()), (place, expected));
}

#[test]
fn a_million_random_mutations_of_each_token_are_errors_or_stable_values() {
    let kinds = kinds();
    let samples: Vec<_> = kinds.iter().map(|kind| (kind.sample)()).collect();
    let mut random = Random(0x0123_4567_89ab_cdef);
    let (mut accepted, mut refused) = (0_u32, 0_u32);
    let mut input = Vec::new();
    for round in 0..1_000_000 * kinds.len() {
        let which = round % kinds.len();
        input.clear();
        input.extend_from_slice(&samples[which]);
        for _ in 0..=random.below(3) {
            mutate(&mut random, &mut input, &samples);
        }
        if hold(&kinds[which], &input) {
            accepted += 1;
        } else {
            refused += 1;
        }
        if round % 997 == 0 {
            let lines = describe::tree(&input);
            assert!(lines.iter().all(|line| line.offset <= input.len()));
            let errors = lines.iter().filter_map(|line| line.error);
            assert!(
                errors
                    .into_iter()
                    .all(|error| error.offset() <= input.len())
            );
        }
    }
    // Both outcomes are reached, so the assertions of both were.
    assert!(
        accepted > 10_000 && refused > 100_000,
        "{accepted} accepted, {refused} refused"
    );
}

fn mutate(random: &mut Random, input: &mut Vec<u8>, samples: &[Vec<u8>]) {
    if input.is_empty() {
        input.push(random.byte());
    }
    let place = random.below(input.len());
    match random.below(8) {
        0 | 1 => input[place] ^= 1 << random.below(8),
        2 => input[place] = random.byte(),
        3 => input[place] = [0, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xff, 0x30][random.below(8)],
        4 => input.truncate(place),
        5 => input.insert(place, random.byte()),
        6 => {
            input.remove(place);
        }
        _ => {
            let other = &samples[random.below(samples.len())];
            let start = random.below(other.len());
            let end = (start + 1 + random.below(16)).min(other.len());
            input.splice(place..place, other[start..end].iter().copied());
        }
    }
}

#[test]
fn lists_are_validated_once_so_that_iteration_reaches_their_length() {
    let der = common::authorization_data();
    let data = AuthorizationData::from_der(&der).unwrap();
    assert_eq!(data.iter().count(), data.len());
    assert_eq!(data.iter().len(), 2);
}

/// RFC 4120 §5.4.2: see docs/TOLERANCES.md.
#[test]
fn either_tag_of_the_encrypted_part_of_a_kdc_reply_is_read() {
    use countersign_token::kerberos::{EncAsRepPart, EncTgsRepPart};
    let (as_part, tgs_part) = (common::enc_as_rep_part(), common::enc_tgs_rep_part());
    assert_eq!((as_part[0], tgs_part[0]), (0x79, 0x7a));
    assert_eq!(EncAsRepPart::from_der(&tgs_part).unwrap().to_der(), as_part);
    assert_eq!(
        EncTgsRepPart::from_der(&as_part).unwrap().to_der(),
        tgs_part
    );
    let other = [&[0x7b], &as_part[1..]].concat();
    assert!(EncAsRepPart::from_der(&other).is_err());
}

/// RFC 4120 §5.1.3: see docs/TOLERANCES.md.
#[test]
fn an_optional_list_that_is_there_and_empty_is_read() {
    let sample = common::enc_ticket_part();
    let mut part = EncTicketPart::from_der(&sample).unwrap();
    part.caddr = Some(SequenceOf::EMPTY);
    part.authorization_data = Some(SequenceOf::EMPTY);
    let der = part.to_der();
    assert!(der.ends_with(&[0xa9, 2, 0x30, 0, 0xaa, 2, 0x30, 0]));
    let read = EncTicketPart::from_der(&der).unwrap();
    assert!(read.caddr.unwrap().is_empty());
    assert!(read.authorization_data.unwrap().is_empty());
}

/// X.690 10.2: strings are primitive in DER.
#[test]
fn constructed_strings_are_refused() {
    let primitive = [0x04, 2, 0x04, 0];
    assert_eq!(<&[u8]>::from_der(&primitive), Ok(&[0x04, 0][..]));
    let constructed = [0x24, 2, 0x04, 0];
    assert!(<&[u8]>::from_der(&constructed).is_err());
    assert!(KerberosString::from_der(&[0x3b, 2, 0x1b, 0]).is_err());
    assert!(KerberosString::from_der(&[0x1b, 0]).is_ok());
}
