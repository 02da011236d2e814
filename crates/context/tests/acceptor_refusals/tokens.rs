//! Frames, sizes, and the order of tokens.

use crate::support::*;
use countersign_context::{ErrorKind, Step};
use countersign_testkit::flags::gss;
use countersign_testkit::framing::{self, Framing};
use countersign_testkit::{PacBuilder, PacLogonInfo, read_krb_error};

#[test]
fn acceptor_refuses_bare_tokens_outside_of_dce_style_and_framed_ones_in_it() {
    let realm = realm();
    let ticket = ticket(&realm);
    let dce = gss::MUTUAL | gss::DCE_STYLE;
    let bare = |flags| build(honest(&ticket).gss_flags(flags).framing(Framing::Bare));
    let framed = |flags| build(honest(&ticket).gss_flags(flags));
    accepted(&mut acceptor(&realm), &framed(gss::MUTUAL));
    assert!(matches!(
        accept(&mut acceptor(&realm), &bare(dce)),
        Ok(Step::Continue { .. })
    ));
    for bad in [bare(gss::MUTUAL), framed(dce)] {
        assert_eq!(
            refused(&mut acceptor(&realm), &bad),
            ErrorKind::FramingMismatch
        );
    }
}

#[test]
fn acceptor_takes_both_kerberos_oids_and_no_other() {
    let realm = realm();
    let ticket = ticket(&realm);
    let under = |oid: &[u8], token_id| {
        build(honest(&ticket).framing(Framing::Gss {
            oid: oid.to_vec(),
            token_id,
        }))
    };
    accepted(
        &mut acceptor(&realm),
        &under(framing::KERBEROS, framing::AP_REQ),
    );
    accepted(
        &mut acceptor(&realm),
        &under(framing::MS_KERBEROS, framing::AP_REQ),
    );
    let other = under(framing::USER_TO_USER, framing::AP_REQ);
    assert_eq!(
        refused(&mut acceptor(&realm), &other),
        ErrorKind::WrongMechanism
    );
    for id in [[2, 0], [3, 0], [1, 1], [4, 4], [0, 1]] {
        let other = under(framing::KERBEROS, id);
        assert_eq!(
            refused(&mut acceptor(&realm), &other),
            ErrorKind::WrongTokenId { found: id }
        );
    }
}

/// chimera #1231: the mechanism's OID is compared whole; trailing bytes are refused.
#[test]
fn acceptor_refuses_trailing_bytes() {
    let realm = realm();
    let ticket = ticket(&realm);
    let mut token = build(honest(&ticket));
    accepted(&mut acceptor(&realm), &token);
    token.push(0);
    let kind = refused(&mut acceptor(&realm), &token);
    assert!(matches!(kind, ErrorKind::DefectiveToken(_)), "{kind:?}");
}

/// CVE-2014-4344: an empty token is not an absent one, and neither is a token.
#[test]
fn acceptor_tells_empty_from_absent_tokens_in_every_state() {
    let realm = realm();
    let ticket = ticket(&realm);
    let kind = World::new(1)
        .step(&mut acceptor(&realm), None)
        .unwrap_err()
        .kind();
    assert_eq!(kind, ErrorKind::TokenMissing);
    let kind = refused(&mut acceptor(&realm), b"");
    assert!(matches!(kind, ErrorKind::DefectiveToken(_)), "{kind:?}");

    let dce = build(
        honest(&ticket)
            .gss_flags(gss::DCE_STYLE)
            .framing(Framing::Bare),
    );
    for (token, empty) in [(None, false), (Some(&b""[..]), true)] {
        let mut third = acceptor(&realm);
        assert!(matches!(
            accept(&mut third, &dce),
            Ok(Step::Continue { .. })
        ));
        let kind = World::new(1).step(&mut third, token).unwrap_err().kind();
        match empty {
            true => assert!(matches!(kind, ErrorKind::DefectiveToken(_)), "{kind:?}"),
            false => assert_eq!(kind, ErrorKind::TokenMissing),
        }
    }
}

#[test]
fn acceptor_refuses_large_tokens_before_it_looks_at_them() {
    let realm = realm();
    let kind = refused(&mut acceptor(&realm), &vec![0x60; 65_537]);
    assert_eq!(
        kind,
        ErrorKind::TokenTooLarge {
            length: 65_537,
            limit: 65_536
        }
    );
    let kind = refused(&mut acceptor(&realm), &vec![0x60; 65_536]);
    assert!(matches!(kind, ErrorKind::DefectiveToken(_)), "{kind:?}");
}

#[test]
fn acceptor_accepts_a_ticket_of_48_kilobytes() {
    let realm = realm();
    let mut logon = PacLogonInfo::new(CLIENT, "EXAMPLE", "S-1-5-21-1-2-3", 1105);
    logon.groups = (0..6_000).map(|rid| (rid, 7)).collect();
    let ticket = realm
        .ticket(CLIENT, SERVICE)
        .pac(PacBuilder::of(logon))
        .mint()
        .unwrap();
    let context = accepted(&mut acceptor(&realm), &build(honest(&ticket)));
    assert!(context.authorization_data().len() > 48_000);
}

#[test]
fn acceptor_tells_the_initiator_why_in_a_krb_error() {
    let realm = realm();
    for (bad, code) in [
        (realm.ticket(CLIENT, SERVICE).expired(), 32),
        (realm.ticket(CLIENT, SERVICE).not_yet_valid(), 33),
        (realm.ticket(CLIENT, SERVICE).wrong_key(), 31),
        (realm.ticket(CLIENT, "cifs/www.example.com"), 35),
        (realm.ticket(CLIENT, SERVICE).named_kvno(Some(99)), 45),
    ] {
        let token = build(honest(&bad.mint().unwrap()));
        let error = accept(&mut acceptor(&realm), &token).unwrap_err();
        assert_eq!(error.krb_error_code(), Some(code));
        assert_eq!(error.minor(), (code - 1_765_328_384).cast_unsigned());
        let told = read_krb_error(error.token().unwrap()).unwrap();
        assert_eq!(told.error_code, code);
    }
}

/// CVE-2017-11462: a context survives its failure and reports the same error; so does a finished
/// one.
#[test]
fn acceptor_never_restarts() {
    let realm = realm();
    let ticket = ticket(&realm);
    let good = build(honest(&ticket));
    let mut failed = acceptor(&realm);
    refused(&mut failed, b"\x60\x00");
    let kind = refused(&mut failed, &good);
    assert!(matches!(kind, ErrorKind::DefectiveToken(_)), "{kind:?}");
    let mut finished = acceptor(&realm);
    accepted(&mut finished, &good);
    assert_eq!(refused(&mut finished, &good), ErrorKind::AlreadyEstablished);
}
