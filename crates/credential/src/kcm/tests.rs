use super::*;
use crate::error::{Error, FormatProblem};
use crate::key_block::KeyBlock;
use crate::limits;
use crate::principal::{NameType, Principal};
use crate::ticket::TicketCredential;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

fn user() -> Principal {
    Principal::new("R", ["user"], NameType::PRINCIPAL)
}

fn credential() -> TicketCredential {
    let server = Principal::new("R", ["HTTP", "web"], NameType::SRV_HST);
    let key = KeyBlock::from_parts(18, &[0xa7; 32]);
    let mut credential = TicketCredential::new(user(), server, key, vec![1, 2, 3]);
    credential.times.end_time = 77;
    credential
}

fn request(frame: &[u8]) -> ParsedRequest<'_> {
    let (length, request) = frame.split_first_chunk::<4>().unwrap();
    assert_eq!(u32::from_be_bytes(*length) as usize, request.len());
    ParsedRequest::parse(request).unwrap()
}

fn body(frame: &[u8]) -> &[u8] {
    let (header, body) = frame.split_first_chunk::<8>().unwrap();
    assert_eq!(ReplyHeader::parse(*header).unwrap().length(), body.len());
    body
}

#[test]
fn requests_are_laid_out_as_the_servers_read_them() {
    assert_eq!(&Request::generate_name()[..], [0, 0, 0, 4, 2, 0, 0, 3]);
    assert_eq!(&Request::cache_uuids()[..], [0, 0, 0, 4, 2, 0, 0, 18]);
    let frame = Request::destroy("1000:7").unwrap();
    assert_eq!(&frame[..], b"\0\0\0\x0b\x02\0\0\x051000:7\0");
    let frame = Request::set_kdc_offset("a", -2).unwrap();
    assert_eq!(&frame[..], b"\0\0\0\x0a\x02\0\0\x17a\0\xff\xff\xff\xfe");
    let frame = Request::initialize("a", &user()).unwrap();
    let principal = b"\0\0\0\x01\0\0\0\x01\0\0\0\x01R\0\0\0\x04user";
    assert_eq!(&frame[4..], [&b"\x02\0\0\x04a\0"[..], principal].concat());
    let frame = Request::credentials("a").unwrap();
    assert_eq!(&frame[4..], b"\x02\0\x32\xc9a\0");
}

#[test]
fn a_server_reads_what_a_client_writes() {
    let frame = Request::store("a", &credential()).unwrap();
    let mut parsed = request(&frame);
    assert_eq!(parsed.operation, Operation::Store);
    assert_eq!(parsed.fields.name(), Ok("a"));
    let read = parsed.fields.credential().unwrap();
    assert_eq!(
        (read.key.expose(), &*read.ticket),
        (&[0xa7; 32][..], &[1, 2, 3][..])
    );
    assert_eq!(parsed.fields.end(), Ok(()));

    let entries = [credential(), credential()];
    let frame = Request::replace("b", 5, &user(), entries.iter()).unwrap();
    let mut parsed = request(&frame);
    assert_eq!(parsed.operation, Operation::Replace);
    assert_eq!(parsed.fields.name(), Ok("b"));
    assert_eq!(parsed.fields.number(), Ok(5));
    assert_eq!(parsed.fields.principal().unwrap(), user());
    assert_eq!(parsed.fields.credentials().unwrap().len(), 2);
    assert_eq!(parsed.fields.end(), Ok(()));

    let uuid = CacheUuid([9; 16]);
    let frame = Request::credential_by_uuid("c", uuid).unwrap();
    let mut parsed = request(&frame);
    assert_eq!(parsed.fields.name(), Ok("c"));
    assert_eq!(parsed.fields.uuid(), Ok(uuid));
    for operation in Operation::ALL {
        assert_eq!(Operation::from_code(operation.code()), Some(*operation));
    }
}

#[test]
fn every_question_about_a_cache_is_read_as_that_question() {
    type Question = fn(&str) -> Result<zeroize::Zeroizing<Vec<u8>>, KcmError>;
    let questions: [(Operation, Question); 6] = [
        (Operation::Destroy, Request::destroy),
        (Operation::Principal, Request::principal),
        (Operation::CredentialUuids, Request::credential_uuids),
        (Operation::Credentials, Request::credentials),
        (Operation::SetDefaultCache, Request::set_default_cache),
        (Operation::KdcOffset, Request::kdc_offset),
    ];
    for (operation, question) in questions {
        let frame = question("1000:käse").unwrap();
        let mut parsed = request(&frame);
        assert_eq!(parsed.operation, operation);
        assert_eq!(parsed.fields.name(), Ok("1000:käse"));
        assert_eq!(parsed.fields.end(), Ok(()));
        assert_eq!(question("").map(|_| ()), Err(KcmError::BadName));
    }
    for (operation, frame) in [
        (Operation::DefaultCache, Request::default_cache()),
        (Operation::GenerateName, Request::generate_name()),
        (Operation::CacheUuids, Request::cache_uuids()),
    ] {
        let parsed = request(&frame);
        assert_eq!(parsed.operation, operation);
        assert_eq!(parsed.fields.end(), Ok(()));
    }
    let uuid = CacheUuid([7; 16]);
    let frame = Request::cache_by_uuid(uuid).unwrap();
    let mut parsed = request(&frame);
    assert_eq!(parsed.operation, Operation::CacheByUuid);
    assert_eq!(parsed.fields.uuid(), Ok(uuid));
    assert_eq!(parsed.fields.end(), Ok(()));
}

#[test]
fn requests_of_other_versions_and_unknown_operations_are_refused() {
    let parse = |request: &[u8]| ParsedRequest::parse(request).map(|parsed| parsed.operation);
    let malformed = |offset, problem| Err(Error::Format { offset, problem }.into());
    assert_eq!(parse(&[2, 0, 0, 20]), Ok(Operation::DefaultCache));
    assert_eq!(parse(&[2, 9, 0, 20]), Ok(Operation::DefaultCache));
    let version = FormatProblem::UnsupportedVersion;
    assert_eq!(parse(&[1, 0, 0, 20]), malformed(0, version(1)));
    assert_eq!(parse(&[2, 0, 0, 99]), malformed(0, version(2)));
    assert_eq!(parse(&[2, 0, 0]), malformed(2, FormatProblem::Truncated));
}

#[test]
fn a_client_reads_what_a_server_writes() {
    let read = |frame: &[u8]| Reply::parse(body(frame)).map(|_| ());
    assert_eq!(read(&Reply::frame_of_code(KcmCode(0))), Ok(()));
    let frame = Reply::frame_of_name("1000");
    assert_eq!(Reply::parse(body(&frame)).unwrap().only_name(), Ok("1000"));
    let frame = Reply::frame_of_number(-3);
    assert_eq!(Reply::parse(body(&frame)).unwrap().only_number(), Ok(-3));
    let uuids = [CacheUuid([1; 16]), CacheUuid([2; 16])];
    let frame = Reply::frame_of_uuids(&uuids);
    assert_eq!(
        Reply::parse(body(&frame)).unwrap().only_uuids().unwrap(),
        uuids
    );
    let frame = Reply::frame_of_principal(&user());
    assert_eq!(
        Reply::parse(body(&frame))
            .unwrap()
            .only_principal()
            .unwrap(),
        user()
    );
    let frame = Reply::frame_of_credential(&credential());
    let read = Reply::parse(body(&frame))
        .unwrap()
        .only_credential()
        .unwrap();
    assert_eq!(read.times.end_time, 77);
    let frame = Reply::frame_of_credentials(&[credential(), credential()]);
    let read = Reply::parse(body(&frame))
        .unwrap()
        .only_credentials()
        .unwrap();
    assert_eq!(read.len(), 2);
}

#[test]
fn refusals_are_told_from_the_transports_and_the_operations_code() {
    let refused = |code| Err::<(), _>(KcmError::Refused(code));
    let frame = Reply::frame_of_code(KcmCode::NO_CACHE);
    assert_eq!(
        Reply::parse(body(&frame)).map(|_| ()),
        refused(KcmCode::NO_CACHE)
    );
    let mut header = [0; 8];
    header[4..].copy_from_slice(&KcmCode::UNSUPPORTED.0.to_be_bytes());
    let error = ReplyHeader::parse(header).map(|_| ());
    assert_eq!(error, refused(KcmCode::UNSUPPORTED));
    assert!(KcmCode::UNSUPPORTED.is_unsupported() && !KcmCode::NO_CACHE.is_unsupported());
    assert!(KcmCode::END.is_absent() && !KcmCode::PERMISSION.is_absent());
    // Heimdal: success, and no principal.
    let frame = Reply::frame_of_code(KcmCode(0));
    let none = Reply::parse(body(&frame))
        .unwrap()
        .only_principal()
        .map(|_| ());
    assert_eq!(none, refused(KcmCode::NO_CACHE));
}

#[test]
fn replies_are_bounded_before_anything_is_allocated() {
    let header = |length: u32| {
        let mut header = [0; 8];
        header[..4].copy_from_slice(&length.to_be_bytes());
        ReplyHeader::parse(header).map(ReplyHeader::length)
    };
    let limit = limits::KCM_BYTES;
    assert_eq!(header(limit), Ok(limit as usize));
    assert_eq!(header(limit + 1), Err(KcmError::TooLarge(limit + 1)));
    // A count that the bytes cannot hold.
    let mut reply = vec![0; 4];
    reply.extend(0x0fff_ffffu32.to_be_bytes());
    let error = Reply::parse(&reply).unwrap().only_credentials().map(|_| ());
    assert!(matches!(error, Err(KcmError::Malformed(_))));
}

#[test]
fn lists_that_are_too_long_are_refused_where_they_end() {
    let uuids = |count: usize| {
        let frame = Reply::frame_of_uuids(&vec![CacheUuid([1; 16]); count]);
        let reply = Reply::parse(body(&frame)).unwrap();
        reply.only_uuids().map(|uuids| uuids.len())
    };
    let limit = limits::CACHE_ENTRIES;
    assert_eq!(uuids(limit), Ok(limit));
    let error = Error::Format {
        offset: 4 + 16 * limit,
        problem: FormatProblem::TooLarge,
    };
    assert_eq!(uuids(limit + 1), Err(error.into()));

    // A credential that is shorter than its length says.
    let frame = Reply::frame_of_credentials(&[credential()]);
    let mut reply = body(&frame).to_vec();
    let whole = Reply::parse(&reply).unwrap().only_credentials();
    assert_eq!(whole.map(|read| read.len()), Ok(1));
    let length = u32::try_from(reply.len() - 12 + 1).unwrap();
    reply[8..12].copy_from_slice(&length.to_be_bytes());
    reply.push(0);
    let read = Reply::parse(&reply).unwrap().only_credentials();
    assert_eq!(read.map(|_| ()), Err(KcmError::TrailingBytes));
}

#[test]
fn a_reply_without_fields_may_have_some_and_still_be_a_success() {
    let nothing = |reply: &[u8]| Reply::parse(reply).map(Reply::nothing);
    assert_eq!(nothing(&[0, 0, 0, 0]), Ok(()));
    assert_eq!(nothing(&[0, 0, 0, 0, 1, 2, 3]), Ok(()));
    let refused = KcmError::Refused(KcmCode(13));
    assert_eq!(nothing(&[0, 0, 0, 13, 1, 2, 3]), Err(refused));
}

#[test]
fn a_reply_that_the_format_cannot_hold_becomes_a_failure_of_the_server() {
    let answer = |principal: &Principal| {
        let frame = Reply::frame_of_principal(principal);
        let reply = Reply::parse(body(&frame))?;
        reply.only_principal()
    };
    let of = |count: usize| Principal::new("R", vec!["x"; count], NameType::PRINCIPAL);
    let most = of(limits::COMPONENTS);
    assert_eq!(answer(&most), Ok(most));
    let error = KcmError::Refused(KcmCode::INTERNAL);
    assert_eq!(answer(&of(limits::COMPONENTS + 1)), Err(error));
}

#[test]
fn names_that_are_none_are_refused() {
    assert!(Request::destroy("a").is_ok());
    let long = "x".repeat(limits::KCM_NAME + 1);
    for name in ["", "a\0b", &long] {
        assert_eq!(Request::destroy(name), Err(KcmError::BadName));
    }
    assert!(Request::destroy(&long[1..]).is_ok());
    for reply in [&b"\0\0\0\0unterminated"[..], b"\0\0\0\0\xff\0"] {
        let error = Reply::parse(reply).unwrap().only_name();
        assert_eq!(error, Err(KcmError::BadName));
    }
    let trailing = Reply::parse(b"\0\0\0\0a\0b").unwrap().only_name();
    assert_eq!(trailing, Err(KcmError::TrailingBytes));
}

fn read_every_way(reply: &[u8]) {
    let Ok(reply) = Reply::parse(reply) else {
        return;
    };
    let _ = reply.clone().only_name();
    let _ = reply.clone().only_number();
    let _ = reply.clone().only_uuids();
    let _ = reply.clone().only_principal();
    let _ = reply.clone().only_credential();
    let _ = reply.only_credentials();
}

#[test]
fn every_prefix_and_bit_flip_of_a_reply_is_read_or_refused() {
    let frame = Reply::frame_of_credentials(&[credential()]);
    let reply = body(&frame);
    let whole = Reply::parse(reply).unwrap().only_credentials();
    assert!(whole.is_ok());
    for end in 0..reply.len() {
        let read = Reply::parse(&reply[..end]).and_then(Reply::only_credentials);
        assert!(read.is_err(), "prefix of {end}");
        read_every_way(&reply[..end]);
    }
    for bit in 0..reply.len() * 8 {
        let mut altered = reply.to_vec();
        altered[bit / 8] ^= 1 << (bit % 8);
        read_every_way(&altered);
        let _ = ParsedRequest::parse(&altered).map(|request| request.fields.clone().name().is_ok());
    }
}

#[test]
fn debug_output_has_no_key() {
    let frame = Reply::frame_of_credential(&credential());
    let text: Vec<String> = vec![
        format!("{:?}", Reply::parse(body(&frame)).unwrap()),
        format!(
            "{:?}",
            request(&Request::store("a", &credential()).unwrap())
        ),
    ];
    for text in text {
        assert!(!text.contains("167") && !text.contains("a7"), "{text}");
    }
}

#[test]
fn a_uuid_is_printed_as_32_hexadecimal_digits() {
    let mut uuid = CacheUuid([0; 16]);
    (uuid.0[0], uuid.0[1], uuid.0[15]) = (0x0a, 0xbc, 0xf1);
    let text = format!("{uuid:?}");
    assert_eq!(text, "CacheUuid(0abc00000000000000000000000000f1)");
}
