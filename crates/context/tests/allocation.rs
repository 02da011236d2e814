//! What contexts that come to nothing cost: memory while they wait, none when they are gone.

#![allow(clippy::unwrap_used, clippy::panic)] // it is a test

mod support;

use allocation_counter::measure;
use countersign_context::crypto::Enctype;
use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator, ReplayProtection};
use countersign_context::{Mechanism, Step};
use countersign_testkit::flags::gss;
use countersign_testkit::framing::Framing;
use countersign_testkit::{PacBuilder, PacLogonInfo, if_relevant};
use support::*;

/// What a half-open context may hold, tokens not counted.
const HALF_OPEN: i64 = 8 * 1024;

fn credential(replay: ReplayProtection) -> AcceptorCredential {
    AcceptorCredential::new(&keytab(&realm())).with_replay_protection(replay)
}

/// CVE-2024-26461, CVE-2024-26462, CVE-2026-3039: failed and abandoned handshakes leak nothing.
#[test]
fn failed_and_abandoned_handshakes_leave_nothing() {
    let realm = realm();
    let ticket = std::sync::Arc::new(ticket(&realm));
    let off = credential(ReplayProtection::DangerouslyOff);
    let external = credential(ReplayProtection::External);
    let dce = honest(&ticket).gss_flags(gss::DCE_STYLE);
    let dce = build(dce.framing(Framing::Bare));
    let plain = build(honest(&ticket));
    let bad = build(honest(&ticket).no_checksum());
    let skewed = build(honest(&ticket).time(1, 0));
    let round = || {
        for (credential, token) in [
            (&off, &dce[..]),
            (&off, &skewed),
            (&external, &plain),
            (&off, &bad),
            (&off, &plain[..plain.len() - 1]),
            (&off, &[]),
        ] {
            let mut acceptor = Acceptor::new(credential);
            let _ = accept(&mut acceptor, token);
            let _ = accept(&mut acceptor, &plain);
        }
        let mut initiator = Initiator::new(ticket.clone());
        let begun = World::new(1).step(&mut initiator, None);
        assert!(begun.is_ok());
        let _ = World::new(1).step(&mut initiator, Some(&plain));
    };
    round();
    // Control: what is kept is counted.
    let mut kept = Vec::new();
    let info = measure(|| kept.push(Acceptor::new(&off)));
    assert!(info.bytes_current > 0);

    let info = measure(|| (0..2_000).for_each(|_| round()));
    assert_eq!((info.count_current, info.bytes_current), (0, 0));
}

#[test]
fn half_open_contexts_hold_little() {
    let realm = realm();
    let ticket = std::sync::Arc::new(ticket(&realm));
    let (off, external) = (
        credential(ReplayProtection::DangerouslyOff),
        credential(ReplayProtection::External),
    );
    let dce = honest(&ticket).gss_flags(gss::DCE_STYLE);
    let dce = build(dce.framing(Framing::Bare));
    let plain = build(honest(&ticket));
    let skewed = build(honest(&ticket).time(1, 0));
    for (credential, token) in [(&off, &dce), (&off, &skewed), (&external, &plain)] {
        let mut parked: Option<Box<dyn Mechanism>> = None;
        let info = measure(|| {
            let mut acceptor = Acceptor::new(credential);
            let step = accept(&mut acceptor, token).unwrap();
            assert!(!matches!(step, Step::Established { .. }));
            parked = Some(Box::new(acceptor));
        });
        assert!(info.bytes_current <= HALF_OPEN, "{}", info.bytes_current);
    }
    let mut parked: Option<Box<dyn Mechanism>> = None;
    let info = measure(|| {
        let mut initiator = Initiator::new(ticket.clone());
        let step = World::new(1).step(&mut initiator, None).unwrap();
        assert!(matches!(step, Step::Continue { .. }));
        parked = Some(Box::new(initiator));
    });
    assert!(info.bytes_current <= HALF_OPEN, "{}", info.bytes_current);
}

/// A stranger's token never makes the acceptor hold more than four times its length.
#[test]
fn refusing_a_large_token_holds_a_small_multiple_of_it() {
    let realm = realm();
    let mut logon = PacLogonInfo::new(CLIENT, "EXAMPLE", "S-1-5-21-1-2-3", 1105);
    logon.groups = (0..6_000).map(|rid| (rid, 7)).collect();
    let large = |wrong: bool| {
        let ticket = realm
            .ticket(CLIENT, SERVICE)
            .enctype(Enctype::Aes256CtsHmacSha1_96)
            .pac(PacBuilder::of(logon.clone()));
        let ticket = if wrong { ticket.wrong_key() } else { ticket };
        build(honest(&ticket.mint().unwrap()))
    };
    let off = credential(ReplayProtection::DangerouslyOff);
    for (token, accepted) in [(large(true), false), (large(false), true)] {
        let info = measure(|| {
            let step = accept(&mut Acceptor::new(&off), &token);
            assert_eq!(step.is_ok(), accepted);
        });
        let most = 4 * token.len() as u64;
        assert!(info.bytes_max <= most, "{} of {most}", info.bytes_max);
    }
}

/// A PAC is verified and read where it lies.
#[test]
fn a_pac_costs_no_allocation_of_its_own() {
    let realm = realm();
    let off = credential(ReplayProtection::DangerouslyOff);
    let logon = PacLogonInfo::new(CLIENT, "EXAMPLE", "S-1-5-21-1-2-3", 1105);
    let pac = realm.ticket(CLIENT, SERVICE).pac(PacBuilder::of(logon));
    let other = if_relevant(&[(77, vec![0x5a; 700])]).unwrap();
    let other = realm
        .ticket(CLIENT, SERVICE)
        .authorization_data(vec![other]);
    let [with, without] = [pac, other].map(|ticket| {
        let token = build(honest(&ticket.mint().unwrap()));
        let mut known = None;
        let info = measure(|| {
            let context = accepted(&mut Acceptor::new(&off), &token);
            known = context.pac().map(|pac| pac.user_sid().is_some());
        });
        (info.count_total, known)
    });
    assert_eq!((with.1, without.1), (Some(true), None));
    assert_eq!(with.0, without.0);
}
