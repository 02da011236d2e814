//! What an acceptor must refuse, each beside a control that it accepts.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

mod support;

use countersign_context::crypto::{Enctype, Key, KeyUsage};
use countersign_context::kerberos::{
    Acceptor, AcceptorCredential, ReplayProtection, ServicePattern,
};
use countersign_context::{
    Answer, ChannelBindings, Environment, ErrorKind, Flags, Mechanism, Need, Policy, ReplayVerdict,
    SspiStatus, Step, Timestamp,
};
use countersign_testkit::flags::{ap_options, gss, ticket as ticket_flags};
use countersign_testkit::framing::{self, Framing};
use countersign_testkit::{
    FixedClock, NOW, PacBuilder, PacLogonInfo, Realm, SeededRandom, bindings_hash, if_relevant,
    read_krb_error, seal_krb_cred,
};
use support::*;

/// Accepts the control and refuses the variation, each with an acceptor of its own.
#[track_caller]
fn only_the_control_is_accepted(realm: &Realm, control: &[u8], bad: &[u8], expected: ErrorKind) {
    accepted(&mut acceptor(realm), control);
    assert_eq!(refused(&mut acceptor(realm), bad), expected);
}

#[test]
fn acceptor_refuses_replayed_authenticator_across_contexts() {
    let realm = realm();
    let ticket = ticket(&realm);
    let credential = AcceptorCredential::new(&keytab(&realm));
    let token = build(honest(&ticket));
    accepted(&mut Acceptor::new(&credential), &token);
    assert_eq!(
        refused(&mut Acceptor::new(&credential), &token),
        ErrorKind::Replayed
    );
    // Control: another authenticator of the same client for the same ticket.
    let other = build(honest(&ticket).time(NOW, 1));
    accepted(&mut Acceptor::new(&credential), &other);
}

/// go-krb5 #155: a cache keyed on the cleartext name forgets a replay under another name.
#[test]
fn acceptor_refuses_replay_whose_cleartext_service_name_was_edited() {
    let realm = realm();
    let other_service = "HTTP/other.example.com";
    let mut keytab = keytab(&realm);
    keytab.extend(
        realm
            .keytab(&[other_service])
            .unwrap()
            .entries()
            .iter()
            .map(|e| e.duplicate()),
    );
    // The account's key serves both names.
    let service_key = realm.key(&realm.principal(SERVICE), Enctype::Aes256CtsHmacSha1_96, 1);
    let service_key = service_key.unwrap();
    let credential = AcceptorCredential::new(&keytab).with_services([
        ServicePattern::parse(SERVICE).unwrap(),
        ServicePattern::parse("HTTP/alias.example.com").unwrap(),
    ]);
    let session = Key::new(Enctype::Aes256CtsHmacSha1_96, &[9; 32]).unwrap();
    let mint = |cleartext: &str| {
        realm
            .ticket(CLIENT, SERVICE)
            .enctype(Enctype::Aes256CtsHmacSha1_96)
            .session_key(session.duplicate())
            .cleartext_server(cleartext)
            .mint()
            .unwrap()
    };
    drop(service_key);
    let first = mint(SERVICE);
    let edited = mint("HTTP/alias.example.com");
    let token = build(honest(&first));
    accepted(&mut Acceptor::new(&credential), &token);
    // The same authenticator beside the edited ticket.
    let replay = build(honest(&first).ticket(edited.ticket.clone()));
    assert_eq!(
        refused(&mut Acceptor::new(&credential), &replay),
        ErrorKind::Replayed
    );
    let control = build(honest(&edited).time(NOW, 7));
    accepted(&mut Acceptor::new(&credential), &control);
}

/// CVE-2010-1321: an authenticator without a checksum.
#[test]
fn acceptor_refuses_absent_checksum() {
    let realm = realm();
    let ticket = ticket(&realm);
    only_the_control_is_accepted(
        &realm,
        &build(honest(&ticket)),
        &build(honest(&ticket).no_checksum()),
        ErrorKind::ChecksumMissing,
    );
}

/// CVE-2010-1323, CVE-2010-1324: checksums that are unkeyed, or keyed but for another purpose.
#[test]
fn acceptor_refuses_checksum_of_another_type() {
    let realm = realm();
    let ticket = ticket(&realm);
    let control = build(honest(&ticket));
    let key = ticket.session_key().unwrap();
    let keyed = key
        .checksum(
            KeyUsage::AP_REQ_CHECKSUM,
            key.enctype().checksum_type(),
            b"",
        )
        .unwrap();
    let keyed_type = key.enctype().checksum_type().id();
    only_the_control_is_accepted(
        &realm,
        &control,
        &build(honest(&ticket).raw_checksum(keyed_type, keyed.as_bytes())),
        ErrorKind::ChecksumMissing,
    );
    // CRC-32, RSA-MD4, RSA-MD5, SHA-1 and unknown types over contents that would be a GSS checksum.
    let contents = countersign_testkit::GssChecksum::new(gss::MUTUAL).to_bytes();
    for cksumtype in [1, 2, 7, 14, 0, -138, 0x8002, 0x8004, i32::MAX, i32::MIN] {
        let bad = build(honest(&ticket).raw_checksum(cksumtype, &contents));
        assert_eq!(
            refused(&mut acceptor(&realm), &bad),
            ErrorKind::ChecksumMissing,
            "{cksumtype}"
        );
    }
}

/// CVE-2010-1321: a checksum of type 0x8003 of fewer than 24 bytes.
#[test]
fn acceptor_refuses_every_short_gss_checksum() {
    let realm = realm();
    let ticket = ticket(&realm);
    for length in 0..24 {
        let bad = build(honest(&ticket).short_checksum(length));
        let kind = refused(&mut acceptor(&realm), &bad);
        assert!(
            matches!(kind, ErrorKind::ChecksumDefective(_)),
            "{length}: {kind:?}"
        );
    }
    accepted(
        &mut acceptor(&realm),
        &build(honest(&ticket).short_checksum(24)),
    );
}

#[test]
fn acceptor_refuses_ticket_of_another_key() {
    let realm = realm();
    let bad = realm.ticket(CLIENT, SERVICE).wrong_key().mint().unwrap();
    only_the_control_is_accepted(
        &realm,
        &build(honest(&ticket(&realm))),
        &build(honest(&bad)),
        ErrorKind::TicketModified,
    );
}

#[test]
fn acceptor_refuses_tampered_ticket() {
    let realm = realm();
    let bad = realm.ticket(CLIENT, SERVICE).tampered().mint().unwrap();
    only_the_control_is_accepted(
        &realm,
        &build(honest(&ticket(&realm))),
        &build(honest(&bad)),
        ErrorKind::TicketModified,
    );
}

#[test]
fn acceptor_names_the_key_that_its_keytab_lacks() {
    let realm = realm();
    let bad = realm
        .ticket(CLIENT, SERVICE)
        .named_kvno(Some(99))
        .mint()
        .unwrap();
    let kind = refused(&mut acceptor(&realm), &build(honest(&bad)));
    assert!(
        matches!(kind, ErrorKind::NoKey { kvno: Some(99), .. }),
        "{kind:?}"
    );
    let absent = realm
        .ticket(CLIENT, SERVICE)
        .named_kvno(None)
        .mint()
        .unwrap();
    accepted(&mut acceptor(&realm), &build(honest(&absent)));
}

/// CVE-2025-33073, CVE-2022-2031: tickets for other services of the same realm.
#[test]
fn acceptor_refuses_ticket_for_another_service() {
    let realm = realm();
    for other in [
        "cifs/www.example.com",
        "HTTP/other.example.com",
        "kadmin/changepw",
        "krbtgt/EXAMPLE.COM",
    ] {
        let bad = realm.ticket(CLIENT, other).mint().unwrap();
        only_the_control_is_accepted(
            &realm,
            &build(honest(&ticket(&realm))),
            &build(honest(&bad)),
            ErrorKind::NotOurService,
        );
    }
}

/// CVE-2025-33073: the key is right, the name is not one that this acceptor answers for.
#[test]
fn acceptor_refuses_cleartext_name_outside_of_its_list_even_with_its_key() {
    let realm = realm();
    let bad = realm
        .ticket(CLIENT, SERVICE)
        .cleartext_server("cifs/www.example.com")
        .mint()
        .unwrap();
    only_the_control_is_accepted(
        &realm,
        &build(honest(&ticket(&realm))),
        &build(honest(&bad)),
        ErrorKind::NotOurService,
    );
}

#[test]
fn acceptor_answers_for_listed_services_only() {
    let realm = realm();
    let both = [SERVICE, "cifs/www.example.com"];
    let keytab = realm.keytab(&both).unwrap();
    let listed = |pattern: &str| {
        let services = [ServicePattern::parse(pattern).unwrap()];
        Acceptor::new(&AcceptorCredential::new(&keytab).with_services(services))
    };
    let web = build(honest(&ticket(&realm)));
    let files = realm.ticket(CLIENT, both[1]).mint().unwrap();
    let files = build(honest(&files));
    for (pattern, accepts_web, accepts_files) in [
        ("HTTP/www.example.com", true, false),
        ("HTTP/WWW.example.com", true, false),
        ("HTTP/*", true, false),
        ("HTTP/*@EXAMPLE.COM", true, false),
        ("cifs/*", false, true),
        ("http/*", false, false),
        ("HTTP/*@OTHER.COM", false, false),
        ("HTTP", false, false),
    ] {
        for (token, accepts) in [(&web, accepts_web), (&files, accepts_files)] {
            match accepts {
                true => drop(accepted(&mut listed(pattern), token)),
                false => {
                    assert_eq!(
                        refused(&mut listed(pattern), token),
                        ErrorKind::NotOurService
                    );
                }
            }
        }
    }
}

#[test]
fn acceptor_refuses_expired_and_early_tickets_at_the_second() {
    let realm = realm();
    let ticket = realm
        .ticket(CLIENT, SERVICE)
        .valid(NOW, NOW + 3600)
        .mint()
        .unwrap();
    let at = |now: i64| {
        let token = build(honest(&ticket).time(now, 0));
        World::new(1)
            .at(now)
            .step(&mut acceptor(&realm), Some(&token))
            .map(drop)
    };
    assert_eq!(at(NOW + 3600 + 300), Ok(()));
    assert_eq!(
        at(NOW + 3600 + 301).unwrap_err().kind(),
        ErrorKind::TicketExpired
    );
    assert_eq!(at(NOW - 300), Ok(()));
    assert_eq!(
        at(NOW - 301).unwrap_err().kind(),
        ErrorKind::TicketNotYetValid
    );
}

#[test]
fn acceptor_refuses_ticket_with_the_invalid_flag() {
    let realm = realm();
    let bad = realm.ticket(CLIENT, SERVICE).invalid().mint().unwrap();
    only_the_control_is_accepted(
        &realm,
        &build(honest(&ticket(&realm))),
        &build(honest(&bad)),
        ErrorKind::TicketNotYetValid,
    );
}

#[test]
fn acceptor_refuses_clock_skew_at_the_second_on_both_sides() {
    let realm = realm();
    let ticket = ticket(&realm);
    let no_recovery = Policy::default().with_skew_recovery(false);
    let at = |seconds: i64, micros| {
        let token = build(honest(&ticket).time(seconds, micros));
        World::new(1)
            .with_policy(no_recovery.clone())
            .step(&mut acceptor(&realm), Some(&token))
            .map(drop)
    };
    assert_eq!(at(NOW + 300, 0), Ok(()));
    assert_eq!(at(NOW + 300, 1).unwrap_err().kind(), ErrorKind::ClockSkew);
    assert_eq!(at(NOW - 300, 0), Ok(()));
    assert_eq!(
        at(NOW - 301, 999_999).unwrap_err().kind(),
        ErrorKind::ClockSkew
    );
    assert_eq!(
        at(NOW - 301, 0).unwrap_err().status(),
        SspiStatus::SEC_E_TIME_SKEW
    );
}

#[test]
fn acceptor_refuses_authenticator_of_another_client() {
    let realm = realm();
    let ticket = ticket(&realm);
    for other in ["mallory", "alice/admin", "alice@OTHER.COM", ""] {
        only_the_control_is_accepted(
            &realm,
            &build(honest(&ticket)),
            &build(honest(&ticket).client(realm.principal(other))),
            ErrorKind::ClientMismatch,
        );
    }
}

/// RFC 4120 §7.5.1: the authenticator of an AP-REQ has key usage 11 and the session key.
#[test]
fn acceptor_refuses_authenticator_of_another_key_or_usage() {
    let realm = realm();
    let ticket = ticket(&realm);
    let other = Key::new(Enctype::Aes256CtsHmacSha1_96, &[3; 32]).unwrap();
    let control = build(honest(&ticket));
    for bad in [
        build(honest(&ticket).authenticator_key(&other)),
        build(honest(&ticket).usage(KeyUsage::AP_REP)),
        build(honest(&ticket).usage(KeyUsage(7))),
    ] {
        only_the_control_is_accepted(&realm, &control, &bad, ErrorKind::AuthenticatorModified);
    }
}

/// CVE-2022-37966: the policy on enctypes covers the ticket, the session key and the subkey.
#[test]
fn acceptor_refuses_unlisted_enctypes_of_ticket_session_key_and_subkey() {
    let realm = realm();
    let camellia = Enctype::Camellia256CtsCmac;
    let refusal = ErrorKind::EnctypeRefused {
        enctype: camellia.id(),
    };
    let allowed = Policy::default();
    let allowed = allowed
        .clone()
        .with_enctypes(allowed.enctypes().with(camellia));
    let sealed = realm
        .ticket(CLIENT, SERVICE)
        .enctype(camellia)
        .mint()
        .unwrap();
    let session = realm
        .ticket(CLIENT, SERVICE)
        .session_enctype(camellia)
        .mint()
        .unwrap();
    let plain = ticket(&realm);
    for token in [
        build(honest(&sealed)),
        build(honest(&session)),
        build(honest(&plain).fresh_subkey(camellia)),
    ] {
        assert_eq!(refused(&mut acceptor(&realm), &token), refusal);
        let mut world = World::new(1).with_policy(allowed.clone());
        assert!(matches!(
            world.step(&mut acceptor(&realm), Some(&token)),
            Ok(Step::Established { .. })
        ));
    }
}

/// CVE-2025-3576, CVE-2022-38023, CVE-2026-20833.
#[cfg(feature = "rc4")]
#[test]
fn acceptor_refuses_rc4_until_it_is_named() {
    let realm = realm();
    let rc4 = Enctype::Rc4Hmac;
    let ticket = realm
        .ticket(CLIENT, SERVICE)
        .enctype(rc4)
        .session_enctype(rc4)
        .mint()
        .unwrap();
    let token = build(honest(&ticket));
    let refusal = ErrorKind::EnctypeRefused { enctype: 23 };
    assert_eq!(refused(&mut acceptor(&realm), &token), refusal);
    let named = Policy::default();
    let named = named.clone().with_enctypes(named.enctypes().with(rc4));
    let mut world = World::new(1).with_policy(named);
    assert!(world.step(&mut acceptor(&realm), Some(&token)).is_ok());
}

#[test]
fn acceptor_refuses_wrong_and_missing_channel_bindings_where_required() {
    let realm = realm();
    let ticket = ticket(&realm);
    let bindings = ChannelBindings::tls_exporter(&[7; 32]);
    let hash = bindings_hash(bindings.application_data());
    let required = || acceptor(&realm).channel_bindings(bindings.clone());
    let context = accepted(&mut required(), &build(honest(&ticket).bindings(hash)));
    assert!(context.flags().contains(Flags::CHANNEL_BOUND));

    let mut flipped = hash;
    for bit in 0..128 {
        flipped[bit / 8] ^= 1 << (bit % 8);
        let bad = build(honest(&ticket).bindings(flipped));
        assert_eq!(refused(&mut required(), &bad), ErrorKind::BindingsMismatch);
        flipped[bit / 8] ^= 1 << (bit % 8);
    }
    assert_eq!(
        refused(&mut required(), &build(honest(&ticket))),
        ErrorKind::BindingsMissing
    );
}

#[test]
fn acceptor_compares_bindings_if_present_and_honours_the_clients_promise_to_send_them() {
    let realm = realm();
    let ticket = ticket(&realm);
    let bindings = ChannelBindings::tls_server_end_point(&[8; 32]);
    let hash = bindings_hash(bindings.application_data());
    let lenient = || acceptor(&realm).channel_bindings_if_present(bindings.clone());
    let bound = accepted(&mut lenient(), &build(honest(&ticket).bindings(hash)));
    assert!(bound.flags().contains(Flags::CHANNEL_BOUND));
    let unbound = accepted(&mut lenient(), &build(honest(&ticket)));
    assert!(!unbound.flags().contains(Flags::CHANNEL_BOUND));
    let wrong = build(honest(&ticket).bindings([1; 16]));
    assert_eq!(refused(&mut lenient(), &wrong), ErrorKind::BindingsMismatch);
    // MS-KILE §3.2.5.8: KERB_AP_OPTIONS_CBT.
    let with_options = |bytes: Vec<u8>| {
        let options = if_relevant(&[(143, bytes)]).unwrap();
        build(honest(&ticket).authorization_data(vec![options]))
    };
    for promise in [0x4000_u32, 0xc000] {
        let lured = with_options(promise.to_le_bytes().to_vec());
        assert_eq!(refused(&mut lenient(), &lured), ErrorKind::BindingsMissing);
    }
    // KERB_AP_OPTIONS_UNVERIFIED_TARGET_NAME alone promises nothing.
    accepted(
        &mut lenient(),
        &with_options(0x8000_u32.to_le_bytes().to_vec()),
    );
}

#[test]
fn acceptor_without_a_channel_does_not_call_a_context_bound() {
    let realm = realm();
    let ticket = ticket(&realm);
    let context = accepted(
        &mut acceptor(&realm),
        &build(honest(&ticket).bindings([1; 16])),
    );
    assert!(!context.flags().contains(Flags::CHANNEL_BOUND));
}

/// CVE-2016-2111, CVE-2016-2112: flags stripped on the way leave a context that is not refused.
#[test]
fn acceptor_refuses_context_without_a_required_flag() {
    let realm = realm();
    let ticket = ticket(&realm);
    let all = [
        (gss::MUTUAL, Flags::MUTUAL),
        (gss::REPLAY, Flags::REPLAY),
        (gss::SEQUENCE, Flags::SEQUENCE),
        (gss::CONF, Flags::CONFIDENTIALITY),
        (gss::INTEG, Flags::INTEGRITY),
    ];
    let sum = all.iter().fold(0, |sum, (bit, _)| sum | bit);
    for (bit, flag) in all {
        let require = || acceptor(&realm).require(flag);
        accepted(&mut require(), &build(honest(&ticket).gss_flags(sum)));
        let stripped = build(honest(&ticket).gss_flags(sum & !bit));
        assert_eq!(
            refused(&mut require(), &stripped),
            ErrorKind::FlagsNotGranted(flag)
        );
    }
}

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

/// RFC 4120 §5.2.6: authorization data that is not understood and not in AD-IF-RELEVANT.
#[test]
fn acceptor_refuses_critical_authorization_data_that_it_does_not_understand() {
    let realm = realm();
    let unknown = (4711, b"restriction".to_vec());
    let refusal = ErrorKind::AuthorizationDataRefused { ad_type: 4711 };
    let optional = if_relevant(std::slice::from_ref(&unknown)).unwrap();
    let in_ticket = |element| {
        let builder = realm
            .ticket(CLIENT, SERVICE)
            .authorization_data(vec![element]);
        build(honest(&builder.mint().unwrap()))
    };
    accepted(&mut acceptor(&realm), &in_ticket(optional.clone()));
    assert_eq!(
        refused(&mut acceptor(&realm), &in_ticket(unknown.clone())),
        refusal
    );
    let ticket = ticket(&realm);
    let in_authenticator = |element| build(honest(&ticket).authorization_data(vec![element]));
    accepted(&mut acceptor(&realm), &in_authenticator(optional));
    assert_eq!(
        refused(&mut acceptor(&realm), &in_authenticator(unknown)),
        refusal
    );
}

#[test]
fn acceptor_refuses_unchecked_transit_through_foreign_realms() {
    let realm = realm();
    let client = countersign_context::credential::Principal::parse("bob@FOREIGN.ORG").unwrap();
    let ticket = |flags: u32, transited: &[u8]| {
        let server = realm.principal(SERVICE);
        let builder = realm.ticket_for(client.clone(), server).flags(flags);
        build(honest(&builder.transited(1, transited).mint().unwrap()))
    };
    let checked = ticket_flags::TRANSITED_POLICY_CHECKED;
    let bob = accepted(&mut acceptor(&realm), &ticket(checked, b"MIDDLE.NET"));
    assert_eq!(bob.peer().unwrap().to_string(), "bob@FOREIGN.ORG");
    accepted(&mut acceptor(&realm), &ticket(0, b""));
    let bad = ticket(0, b"MIDDLE.NET");
    assert_eq!(
        refused(&mut acceptor(&realm), &bad),
        ErrorKind::TransitRefused
    );
    let named = Policy::default().with_dangerous_unchecked_transit(true);
    let mut world = World::new(1).with_policy(named);
    assert!(world.step(&mut acceptor(&realm), Some(&bad)).is_ok());
}

#[test]
fn acceptor_refuses_ticket_bound_to_other_addresses() {
    let realm = realm();
    let builder = realm
        .ticket(CLIENT, SERVICE)
        .addresses(&[(2, &[192, 0, 2, 1])]);
    let token = build(honest(&builder.mint().unwrap()));
    let from = |address: [u8; 4]| acceptor(&realm).peer_address(2, address);
    accepted(&mut from([192, 0, 2, 1]), &token);
    accepted(&mut acceptor(&realm), &token);
    assert_eq!(
        refused(&mut from([192, 0, 2, 2]), &token),
        ErrorKind::AddressMismatch
    );
    let anywhere = build(honest(&ticket(&realm)));
    accepted(&mut from([192, 0, 2, 2]), &anywhere);
}

#[test]
fn acceptor_refuses_user_to_user_requests() {
    let realm = realm();
    let ticket = ticket(&realm);
    only_the_control_is_accepted(
        &realm,
        &build(honest(&ticket)),
        &build(honest(&ticket).ap_options(ap_options::USE_SESSION_KEY)),
        ErrorKind::UserToUserUnsupported,
    );
}

#[test]
fn acceptor_refuses_delegation_of_somebody_elses_ticket() {
    let realm = realm();
    let ticket = ticket(&realm);
    let mut random = SeededRandom::new(8);
    let mut delegating = |client: &str, key: &Key| {
        let forwarded = realm
            .forwarded_ticket_granting_ticket(client)
            .mint()
            .unwrap();
        let cred = seal_krb_cred(&[&forwarded], Some(key), FixedClock::new(), &mut random).unwrap();
        build(honest(&ticket).delegation(cred))
    };
    let session = ticket.session_key().unwrap();
    let mut context = accepted(&mut acceptor(&realm), &delegating(CLIENT, session));
    assert!(context.flags().contains(Flags::DELEGATION));
    let delegated = context.take_delegated().unwrap();
    assert_eq!(delegated.client.to_string(), "alice@EXAMPLE.COM");

    let bad = delegating("mallory", session);
    assert_eq!(
        refused(&mut acceptor(&realm), &bad),
        ErrorKind::DelegationDefective
    );
    let other = Key::new(Enctype::Aes256CtsHmacSha1_96, &[3; 32]).unwrap();
    let bad = delegating(CLIENT, &other);
    assert_eq!(
        refused(&mut acceptor(&realm), &bad),
        ErrorKind::DelegationDefective
    );
    // RFC 4120 §3.6's unencrypted form.
    let forwarded = realm
        .forwarded_ticket_granting_ticket(CLIENT)
        .mint()
        .unwrap();
    let mut random = SeededRandom::new(8);
    let clear = seal_krb_cred(&[&forwarded], None, FixedClock::new(), &mut random).unwrap();
    let bad = build(honest(&ticket).delegation(clear));
    assert_eq!(
        refused(&mut acceptor(&realm), &bad),
        ErrorKind::DelegationDefective
    );
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

#[test]
fn acceptor_asks_an_external_replay_cache_and_obeys_it() {
    let realm = realm();
    let ticket = ticket(&realm);
    let credential =
        AcceptorCredential::new(&keytab(&realm)).with_replay_protection(ReplayProtection::External);
    let token = build(honest(&ticket));
    let mut tags = Vec::new();
    for (verdict, expected) in [
        (ReplayVerdict::Fresh, None),
        (ReplayVerdict::Replayed, Some(ErrorKind::Replayed)),
        (
            ReplayVerdict::Unavailable,
            Some(ErrorKind::ReplayCacheUnavailable),
        ),
    ] {
        let mut acceptor = Acceptor::new(&credential);
        let Ok(Step::Need(Need::Replay(query))) = accept(&mut acceptor, &token) else {
            panic!("asks for a verdict")
        };
        assert_eq!(query.expires, NOW + 301);
        tags.push(query.tag);
        // A token in the meantime is the caller's mistake and changes nothing.
        let mistake = accept(&mut acceptor, &token).unwrap_err();
        assert_eq!(mistake.kind(), ErrorKind::UnexpectedCall);
        let mut random = SeededRandom::new(1);
        let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
        let outcome = acceptor.resume(Answer::Replay(verdict), &mut env);
        assert_eq!(outcome.err().map(|error| error.kind()), expected);
        let finished = acceptor
            .resume(Answer::Replay(verdict), &mut env)
            .unwrap_err()
            .kind();
        assert_eq!(finished, expected.unwrap_or(ErrorKind::AlreadyEstablished));
    }
    assert!(tags.iter().all(|tag| *tag == tags[0]));
}

#[test]
fn acceptor_refuses_everything_when_its_replay_cache_is_full() {
    use countersign_context::kerberos::ReplayCache;
    let realm = realm();
    let ticket = ticket(&realm);
    let cache = std::sync::Arc::new(ReplayCache::new(2));
    let credential = AcceptorCredential::new(&keytab(&realm))
        .with_replay_protection(ReplayProtection::Shared(cache));
    for micros in 0..2 {
        accepted(
            &mut Acceptor::new(&credential),
            &build(honest(&ticket).time(NOW, micros)),
        );
    }
    let third = build(honest(&ticket).time(NOW, 2));
    let kind = refused(&mut Acceptor::new(&credential), &third);
    assert_eq!(kind, ErrorKind::ReplayCacheUnavailable);
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
