//! Decoding allocates nothing, and encoding allocates once.

mod common;

use allocation_counter::measure;
use common::kinds;
use countersign_token::der::{Decode, Encode};
use countersign_token::framing::InitialToken;
use countersign_token::kerberos::cfx::{MicHeader, WrapHeader};
use countersign_token::kerberos::*;

/// How many times decoding `input` and walking it allocates.
fn allocations<'a, T: Decode<'a>>(input: &'a [u8]) -> u64 {
    let mut decoded = false;
    let info = measure(|| decoded = T::from_der(input).is_ok());
    assert!(decoded);
    info.count_total
}

#[test]
fn decoding_every_message_allocates_nothing() {
    assert_eq!(allocations::<Ticket<'_>>(&common::ticket()), 0);
    assert_eq!(
        allocations::<EncTicketPart<'_>>(&common::enc_ticket_part()),
        0
    );
    assert_eq!(allocations::<ApReq<'_>>(&common::ap_req()), 0);
    assert_eq!(
        allocations::<Authenticator<'_>>(&common::authenticator()),
        0
    );
    assert_eq!(allocations::<ApRep<'_>>(&common::ap_rep()), 0);
    assert_eq!(
        allocations::<EncApRepPart<'_>>(&common::enc_ap_rep_part()),
        0
    );
    assert_eq!(allocations::<AsReq<'_>>(&common::as_req()), 0);
    assert_eq!(allocations::<TgsReq<'_>>(&common::tgs_req()), 0);
    assert_eq!(allocations::<AsRep<'_>>(&common::as_rep()), 0);
    assert_eq!(allocations::<TgsRep<'_>>(&common::tgs_rep()), 0);
    assert_eq!(
        allocations::<EncAsRepPart<'_>>(&common::enc_as_rep_part()),
        0
    );
    assert_eq!(
        allocations::<EncTgsRepPart<'_>>(&common::enc_tgs_rep_part()),
        0
    );
    assert_eq!(allocations::<KrbError<'_>>(&common::krb_error()), 0);
    assert_eq!(allocations::<KrbCred<'_>>(&common::krb_cred()), 0);
    assert_eq!(
        allocations::<EncKrbCredPart<'_>>(&common::enc_krb_cred_part()),
        0
    );
    assert_eq!(allocations::<KrbSafe<'_>>(&common::krb_safe()), 0);
    assert_eq!(allocations::<KrbPriv<'_>>(&common::krb_priv()), 0);
    assert_eq!(
        allocations::<EncKrbPrivPart<'_>>(&common::enc_krb_priv_part()),
        0
    );
    assert_eq!(allocations::<MethodData<'_>>(&common::method_data()), 0);
    assert_eq!(
        allocations::<AuthorizationData<'_>>(&common::authorization_data()),
        0
    );
}

#[test]
fn refusing_a_message_allocates_nothing() {
    let sample = common::ap_req();
    let info = measure(|| {
        for end in 0..sample.len() {
            assert!(ApReq::from_der(&sample[..end]).is_err());
        }
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn reading_frames_headers_checksums_and_lists_allocates_nothing() {
    let (token, mic, wrap) = (common::gss_token(), common::mic(), common::wrap());
    let (checksum, part) = (common::gss_checksum(), common::enc_ticket_part());
    let mut seen = 0;
    let info = measure(|| {
        seen += usize::from(InitialToken::parse(&token).is_ok());
        seen += usize::from(MicHeader::parse(&mic).is_ok());
        seen += usize::from(WrapHeader::parse(&wrap).is_ok());
        seen += GssChecksum::parse(&checksum).map_or(0, |c| c.extensions.count());
        let data = EncTicketPart::from_der(&part)
            .ok()
            .and_then(|p| p.authorization_data);
        seen += data.map_or(0, |data| authorization::elements(&data).count());
    });
    assert_eq!(seen, 3 + 2 + 2);
    assert_eq!(info.count_total, 0);
}

/// Were an encoder to grow its buffer, copies of keys would be left in freed memory.
#[test]
fn encoding_allocates_once() {
    let sample = common::enc_ticket_part();
    let part = EncTicketPart::from_der(&sample).unwrap();
    let mut encoded = Vec::new();
    let info = measure(|| encoded = part.to_der());
    assert_eq!(encoded, sample);
    assert_eq!(info.count_total, 1);
    assert_eq!(encoded.capacity(), encoded.len());
}

/// The control: the counter counts, and in this thread.
#[test]
fn the_counter_sees_an_allocation() {
    let info = measure(|| drop(std::hint::black_box(Box::new(1))));
    assert_eq!(info.count_total, 1);
    assert!(!kinds().is_empty());
}

#[test]
fn reading_a_pac_allocates_nothing() {
    use countersign_token::pac::{BufferType, Pac};
    let bytes: Vec<u8> = include_str!("files/windows-2003.pac.hex")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.as_bytes().chunks(2))
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let mut read = 0;
    let info = allocation_counter::measure(|| {
        let pac = Pac::parse(&bytes).unwrap();
        let info = pac.logon_info().unwrap().unwrap();
        read += info.group_ids.iter().count() + info.extra_sids.iter().count();
        read += usize::from(pac.client_info().unwrap().unwrap().name == "w2003final$");
        read += usize::from(pac.server_signed().is_ok());
        read += usize::from(pac.signature(BufferType::KDC_SIGNATURE).is_ok());
    });
    assert_eq!((read, info.count_total), (5, 0));
}
