//! The checksum of RFC 4121 §4.1.1: flags and channel bindings.

use crate::only_the_control_is_accepted;
use crate::support::*;
use countersign_context::crypto::KeyUsage;
use countersign_context::{ChannelBindings, ErrorKind, Flags};
use countersign_testkit::flags::gss;
use countersign_testkit::{bindings_hash, if_relevant};

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
