//! Lists, recorded values, and what a reader says of input that is not there.

#![allow(clippy::unwrap_used, reason = "it is a test")]

use countersign_token::DecodeErrorKind;
use countersign_token::der::{
    Decode, Encode, Encoded, MAX_ELEMENTS, Reader, SequenceOf, Tag, Writer,
};
use countersign_token::kerberos::KerberosString;

/// The elements are the same wherever they come from.
#[test]
fn a_list_from_the_wire_is_the_list_of_a_slice() {
    let made = SequenceOf::from(&[18, 17, 23]);
    let der = made.to_der();
    assert_eq!(der, [0x30, 9, 2, 1, 18, 2, 1, 17, 2, 1, 23]);
    let read = SequenceOf::<i32>::from_der(&der).unwrap();
    assert_eq!(read, made);
    assert_eq!(read.to_der(), der);
    assert_ne!(read, SequenceOf::from(&[18, 17][..]));
    for list in [read, made] {
        assert_eq!((list.len(), list.is_empty()), (3, false));
        assert_eq!(
            (list.first(), list.nth(2), list.nth(3)),
            (Some(18), Some(23), None)
        );
        assert_eq!(format!("{list:?}"), "[18, 17, 23]");
        let mut sum = 0;
        for element in &list {
            sum += element;
        }
        assert_eq!(sum, 58);
        let mut rest = list.into_iter();
        assert_eq!((rest.next(), rest.len()), (Some(18), 2));
        // A clone goes on where it was made.
        assert_eq!(rest.clone().collect::<Vec<_>>(), [17, 23]);
        assert_eq!(
            (rest.next(), rest.next(), rest.next()),
            (Some(17), Some(23), None)
        );
        assert_eq!((rest.next(), rest.len()), (None, 0));
    }
    let none = SequenceOf::<i32>::default();
    assert!(none.is_empty() && none.first().is_none());
    assert_eq!(SequenceOf::from_der(&[0x30, 0]), Ok(none));
}

#[test]
fn a_list_of_more_elements_than_the_limit_is_refused_at_the_first_too_many() {
    let full = vec![5; MAX_ELEMENTS];
    let der = SequenceOf::new(&full).to_der();
    assert_eq!(
        SequenceOf::<i32>::from_der(&der).unwrap().len(),
        MAX_ELEMENTS
    );
    let over = vec![5; MAX_ELEMENTS + 1];
    let der = SequenceOf::new(&over).to_der();
    let error = SequenceOf::<i32>::from_der(&der).unwrap_err();
    let limit = MAX_ELEMENTS;
    assert_eq!(error.kind(), DecodeErrorKind::TooManyElements { limit });
    // Four octets of tag and length, then three an element.
    assert_eq!(error.offset(), 4 + 3 * MAX_ELEMENTS);
}

#[test]
fn an_element_of_a_list_that_is_wrong_is_refused_where_it_stands() {
    let error = SequenceOf::<i32>::from_der(&[0x30, 6, 2, 1, 18, 0x0a, 1, 17]).unwrap_err();
    let (expected, found) = (Tag::INTEGER, Tag::ENUMERATED);
    let kind = DecodeErrorKind::UnexpectedTag { expected, found };
    assert_eq!((error.offset(), error.kind()), (5, kind));
    let error = SequenceOf::<i32>::from_der(&[0x30, 3, 2, 1, 18, 0]).unwrap_err();
    let kind = DecodeErrorKind::TrailingData;
    assert_eq!((error.offset(), error.kind()), (5, kind));
}

/// RFC 4120 §5.6.1: the checksum of a KRB-SAFE is over the bytes of its body as they came.
#[test]
fn a_recorded_value_is_equal_by_its_bytes_and_encodes_as_them() {
    let text = [0x1b, 2, b'R', b'1'];
    let recorded = Encoded::<KerberosString<'_>>::parse(&text).unwrap();
    assert_eq!(recorded.raw(), text);
    assert_eq!(recorded.value(), &KerberosString::new(b"R1"));
    assert_eq!(recorded.as_str(), Some("R1"));
    assert_eq!(recorded.to_der(), text);
    assert_eq!(format!("{recorded:?}"), "\"R1\"");
    let other = [0x1b, 2, b'R', b'2'];
    assert_eq!(recorded, Encoded::parse(&text.clone()).unwrap());
    assert_ne!(recorded, Encoded::parse(&other).unwrap());
}

#[test]
fn a_reader_at_the_end_asks_for_more_and_a_writer_counts_what_it_has() {
    let mut reader = Reader::at(&[], 7);
    let error = reader.read_any().unwrap_err();
    let kind = DecodeErrorKind::Truncated { missing: 1 };
    assert_eq!((error.offset(), error.kind()), (7, kind));
    let mut reader = Reader::new(&[5, 0]);
    assert_eq!(reader.read_any().unwrap().0, Tag::NULL);

    for mut writer in [Writer::with_capacity(4), Writer::counting()] {
        assert!(writer.is_empty());
        writer.element(Tag::NULL, &[]);
        assert_eq!((writer.is_empty(), writer.len()), (false, 2));
    }
}

#[test]
fn tags_are_printed_by_name_class_and_form() {
    for (tag, display, debug) in [
        (Tag::SEQUENCE, "SEQUENCE", "Tag(0x30, SEQUENCE)"),
        (Tag::context(3), "[3]", "Tag(0xa3, [3])"),
        (Tag(0x83), "[3] primitive", "Tag(0x83, [3] primitive)"),
        (
            Tag::application(14),
            "[APPLICATION 14]",
            "Tag(0x6e, [APPLICATION 14])",
        ),
        (Tag(0xe1), "[PRIVATE 1]", "Tag(0xe1, [PRIVATE 1])"),
        (Tag(0x31), "[UNIVERSAL 17]", "Tag(0x31, [UNIVERSAL 17])"),
    ] {
        assert_eq!(
            (tag.to_string(), format!("{tag:?}")),
            (display.into(), debug.into())
        );
    }
}
