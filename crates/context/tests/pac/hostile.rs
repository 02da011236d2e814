//! PACs that lie, and PACs in the wrong place.

use super::*;

#[test]
fn acceptor_refuses_pac_without_what_must_be_there() {
    let refused = |kind| refuses(ServiceKey, &with_pac(pac().without(kind)));
    assert_eq!(
        refused(buffer_type::SERVER_SIGNATURE),
        PacProblem::SignatureMissing {
            signature: PacSignature::Server
        }
    );
    assert_eq!(
        refused(buffer_type::KDC_SIGNATURE),
        PacProblem::SignatureMissing {
            signature: PacSignature::Kdc
        }
    );
    assert_eq!(
        refused(buffer_type::CLIENT_INFO),
        PacProblem::ClientInfoMissing
    );
    accepts(
        ServiceKey,
        &with_pac(pac().without(buffer_type::LOGON_INFO)),
    );
}

/// MS-PAC §2.7: a PAC moved from another ticket of the same service, rightly signed.
#[test]
fn acceptor_refuses_pac_of_another_client_or_time() {
    for (name, time, ours) in [
        (CLIENT, NOW, true),
        (CLIENT, NOW + 1, false),
        (CLIENT, NOW - 1, false),
        (CLIENT, 0, false),
        ("administrator", NOW, false),
        ("ALICE", NOW, false),
        ("alic", NOW, false),
        ("alice ", NOW, false),
        ("alice/", NOW, false),
        ("alice@EXAMPLE.COM", NOW, false),
        ("", NOW, false),
    ] {
        let ticket = with_pac(pac().client(name, time));
        let result = accept_as(ServiceKey, PacPolicy::WhenPresent, &ticket);
        assert_eq!(result.is_ok(), ours, "{name} {time}");
        if !ours {
            assert_eq!(refuses(ServiceKey, &ticket), PacProblem::ClientMismatch);
        }
    }
    // The components of a service's name are joined.
    let ticket = minted(realm().ticket("host/a.example.com", SERVICE).pac(pac()));
    accepts(ServiceKey, &ticket);
    let odd = minted(realm().ticket("\u{e9}\u{f1}", SERVICE).pac(pac()));
    accepts(ServiceKey, &odd);
}

/// Only the ticket's PAC counts: anybody can put one into an authenticator.
#[test]
fn a_pac_outside_of_the_ticket_is_nobodys_and_two_are_one_too_many() {
    let realm = realm();
    let key = realm
        .key(&realm.principal(SERVICE), Enctype::Aes256CtsHmacSha1_96, 1)
        .unwrap();
    let kdc = realm.ticket_granting_key().unwrap();
    let bytes = pac().client(CLIENT, NOW).sign(&key, &kdc, None).unwrap();
    let element = if_relevant(&[(128, bytes)]).unwrap();

    let ticket = minted(realm.ticket(CLIENT, SERVICE));
    let token = build(honest(&ticket).authorization_data(vec![element.clone()]));
    assert!(accepted(&mut acceptor(&realm), &token).pac().is_none());

    let one = realm
        .ticket(CLIENT, SERVICE)
        .authorization_data(vec![element.clone()]);
    assert!(accepts(ServiceKey, &minted(one)).pac().is_some());
    let two = realm
        .ticket(CLIENT, SERVICE)
        .authorization_data(vec![element])
        .pac(pac());
    assert_eq!(refuses(ServiceKey, &minted(two)), PacProblem::Repeated);
}

/// CVE-2022-42898, CVE-2023-36054: counts, offsets and sizes that lie, under a right signature and
/// without one. The codec's own tests are in `crates/token/tests/pac.rs`.
#[test]
fn acceptor_refuses_lying_headers_whether_signed_or_not() {
    type Bend = fn(&mut Vec<u8>);
    let bends: [(Bend, Option<DecodeErrorKind>); 9] = [
        (|pac| pac[0..4].fill(0), None),
        (
            |pac| pac[0..4].copy_from_slice(&65_u32.to_le_bytes()),
            Some(DecodeErrorKind::TooManyElements { limit: 64 }),
        ),
        (
            |pac| pac[0..4].copy_from_slice(&4096_u32.to_le_bytes()),
            Some(DecodeErrorKind::TooManyElements { limit: 64 }),
        ),
        (
            |pac| pac[0..4].fill(0xff),
            Some(DecodeErrorKind::TooManyElements { limit: 64 }),
        ),
        // The second buffer where the first is.
        (
            |pac| pac.copy_within(16..24, 32),
            Some(DecodeErrorKind::Overlap),
        ),
        (|pac| pac[16] += 1, Some(DecodeErrorKind::Unaligned)),
        (
            |pac| pac[16..24].copy_from_slice(&u64::MAX.to_le_bytes()),
            Some(DecodeErrorKind::OutOfBounds),
        ),
        (
            |pac| pac[12..16].fill(0xff),
            Some(DecodeErrorKind::OutOfBounds),
        ),
        (
            |pac| pac.copy_within(8..12, 24),
            Some(DecodeErrorKind::DuplicateBuffer { buffer_type: 1 }),
        ),
    ];
    accepts(ServiceKey, &with_pac(pac()));
    for (bend, expected) in bends {
        let unsigned = with_pac(pac().map_unsigned(bend));
        let signed = with_pac(pac().map_signed(bend));
        for ticket in [unsigned, signed] {
            match (refuses(ServiceKey, &ticket), expected) {
                (PacProblem::Malformed(error), Some(kind)) => assert_eq!(error.kind(), kind),
                (PacProblem::SignatureMissing { .. }, None) => {}
                (problem, _) => panic!("{problem:?}"),
            }
        }
    }
}

#[test]
fn acceptor_refuses_malformed_buffers_under_right_signatures() {
    for kind in [
        buffer_type::LOGON_INFO,
        buffer_type::UPN_DNS_INFO,
        buffer_type::REQUESTOR,
        buffer_type::ATTRIBUTES_INFO,
        buffer_type::DELEGATION_INFO,
        buffer_type::CLIENT_INFO,
    ] {
        let ticket = with_pac(pac().buffer(kind, b"\x01\x02\x03".to_vec()));
        let problem = refuses(TicketGrantingKey, &ticket);
        assert!(matches!(problem, PacProblem::Malformed(_)), "{problem:?}");
    }
    for kind in [
        buffer_type::CREDENTIALS_INFO,
        buffer_type::CLIENT_CLAIMS_INFO,
        buffer_type::DEVICE_INFO,
        buffer_type::DEVICE_CLAIMS_INFO,
        0x7777,
    ] {
        let ticket = with_pac(pac().buffer(kind, b"\x01\x02\x03".to_vec()));
        let context = accepts(TicketGrantingKey, &ticket);
        let kept = context.pac().unwrap().buffer(BufferType(kind));
        assert_eq!(kept, Some(&b"\x01\x02\x03"[..]));
    }
}

/// Every bit of a signed PAC is covered: by the server's signature all but the KDC's, and by the
/// ticket-granting key that too.
#[test]
fn every_flipped_bit_of_a_signed_pac_is_refused_or_is_of_the_kdcs_signature() {
    let realm = realm();
    let key = realm
        .key(&realm.principal(SERVICE), Enctype::Aes256CtsHmacSha1_96, 1)
        .unwrap();
    let kdc = realm.ticket_granting_key().unwrap();
    let builder = pac()
        .upn("alice@example.com", "EXAMPLE.COM")
        .client(CLIENT, NOW)
        .rodc_identifier(0)
        .without(buffer_type::TICKET_SIGNATURE);
    let bytes = builder.sign(&key, &kdc, None).unwrap();
    let parsed = countersign_context::token::pac::Pac::parse(&bytes).unwrap();
    let uncovered = parsed
        .buffers()
        .find(|buffer| buffer.buffer_type == BufferType::KDC_SIGNATURE)
        .map(|buffer| buffer.offset + 4..buffer.offset + buffer.data.len())
        .unwrap();
    let result = |knows, bytes: &[u8]| {
        let element = if_relevant(&[(128, bytes.to_vec())]).unwrap();
        let ticket = realm.ticket(CLIENT, SERVICE);
        let ticket = minted(ticket.authorization_data(vec![element]));
        accept_as(knows, PacPolicy::WhenPresent, &ticket)
    };
    assert!(result(ServiceKey, &bytes).is_ok() && result(TicketGrantingKey, &bytes).is_ok());
    let mut harmless = 0;
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let alone = result(ServiceKey, &flipped);
        assert_eq!(alone.is_ok(), uncovered.contains(&(bit / 8)), "bit {bit}");
        harmless += usize::from(alone.is_ok());
        assert!(result(TicketGrantingKey, &flipped).is_err(), "bit {bit}");
    }
    // HMAC and identifier.
    assert_eq!(harmless, 8 * (12 + 2));
}

/// Mutations land inside of signed PACs.
#[test]
fn mutated_pacs_under_right_signatures_never_panic() {
    let rounds: u64 = 30_000;
    let mut outcomes = (0, 0);
    let realm = realm();
    let credential = AcceptorCredential::new(&keytab(&realm))
        .with_replay_protection(ReplayProtection::DangerouslyOff)
        .with_ticket_granting_keys(&ticket_granting_keys(&realm, &[1]));
    let base = pac()
        .upn_extended("alice@example.com", "EXAMPLE.COM", "alice", DOMAIN)
        .delegation("target", &["one", "two"]);
    for seed in 0..rounds {
        let ticket = with_pac(base.clone().map_unsigned(move |pac| {
            let mut random = SeededRandom::new(seed);
            for _ in 0..=random.below(3) {
                let at = random.below(pac.len());
                pac[at] = u8::try_from(random.below(256)).unwrap();
            }
        }));
        match accept_with(&credential, &Policy::default(), &ticket) {
            Ok(context) => {
                let pac = context.pac().unwrap();
                let _ = (pac.user_sid(), pac.groups().count());
                outcomes.0 += 1;
            }
            Err(ErrorKind::Pac(_)) => outcomes.1 += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(outcomes.0 > 1_000 && outcomes.1 > 1_000, "{outcomes:?}");
}
