//! What strangers cost, and what they learn by it.

use allocation_counter::measure;
use countersign_context::ntlm::{Acceptor, Initiator};
use countersign_context::{
    ErrorKind, Flags, MajorStatus, Mechanism, NtlmProblem, Policy, SspiStatus, Step,
};

use crate::forger::{Forged, Forger, Mic, SEALED};
use crate::support::*;

/// What a half-open context may hold, tokens not counted.
const HALF_OPEN: i64 = 8 * 1024;

/// An acceptor that awaits this forger's last message.
fn challenged(forger: &Forger) -> (Acceptor, Forged) {
    let mut acceptor = Acceptor::new(&server());
    let negotiate = forger.negotiate();
    let challenge = World::new(1).go_on(&mut acceptor, Some(&negotiate));
    let forged = forger.authenticate(&negotiate, &challenge);
    (acceptor, forged)
}

fn stranger(user: &str, password: &str) -> Forger {
    Forger {
        user: user.into(),
        password: password.into(),
        ..Forger::alice(SEALED)
    }
}

/// Both compute the same HMACs of the same lengths: what is allocated shows that they take the
/// same way through the code. Names are of one length.
#[test]
fn an_unknown_user_costs_what_a_wrong_password_costs() {
    let cost = |forger: &Forger| {
        let (mut acceptor, forged) = challenged(forger);
        let mut world = World::new(2);
        let mut result = None;
        let info = measure(|| result = Some(world.step(&mut acceptor, Some(&forged.token))));
        let kind = why(result.unwrap());
        assert_eq!(kind, ErrorKind::Ntlm(NtlmProblem::LogonDenied));
        (info.count_total, info.bytes_total, info.bytes_max)
    };
    let known = cost(&stranger("alice", "a wrong one"));
    let unknown = cost(&stranger("carol", "a wrong one"));
    assert_eq!(known, unknown);
    assert!(known.0 > 0);
}

/// A peer that is told the status learns not even whether the MIC was looked at.
#[test]
fn strangers_are_all_told_the_same() {
    let mut seen = Vec::new();
    for forger in [
        stranger("alice", "a wrong one"),
        stranger("carol", PASSWORD),
        Forger {
            mic: Mic::Wrong,
            ..Forger::alice(SEALED)
        },
        Forger {
            mic: Mic::Absent,
            ..Forger::alice(SEALED)
        },
        Forger {
            mic: Mic::Cleared,
            ..Forger::alice(SEALED)
        },
        Forger {
            response: crate::forger::Response::Empty,
            ..Forger::alice(SEALED)
        },
    ] {
        let (mut acceptor, forged) = challenged(&forger);
        let error = World::new(2)
            .step(&mut acceptor, Some(&forged.token))
            .unwrap_err();
        assert_eq!(error.token(), None, "NTLM has none");
        assert_eq!((error.minor(), error.krb_error_code()), (0, None));
        assert_eq!(
            (error.status(), error.major()),
            (
                SspiStatus::SEC_E_LOGON_DENIED,
                MajorStatus::GSS_S_UNAUTHORIZED
            )
        );
        seen.push(error.kind());
    }
    // The server's own log has it in full.
    seen.dedup();
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[test]
fn half_open_contexts_hold_little() {
    let negotiate = Forger::alice(SEALED).negotiate();
    let server = server();
    let mut parked: Option<Box<dyn Mechanism>> = None;
    let info = measure(|| {
        let mut acceptor = Acceptor::new(&server);
        let step = World::new(1).step(&mut acceptor, Some(&negotiate));
        assert!(matches!(step, Ok(Step::Continue { .. })));
        parked = Some(Box::new(acceptor));
    });
    assert!(
        info.bytes_current > 0 && info.bytes_current <= HALF_OPEN,
        "{}",
        info.bytes_current
    );
    let alice = std::sync::Arc::new(alice());
    let info = measure(|| {
        let mut initiator = Initiator::new(alice.clone());
        let step = World::new(1).step(&mut initiator, None);
        assert!(matches!(step, Ok(Step::Continue { .. })));
        parked = Some(Box::new(initiator));
    });
    assert!(info.bytes_current <= HALF_OPEN, "{}", info.bytes_current);
}

/// CVE-2024-26461, CVE-2026-3039, CVE-2023-25567.
#[test]
fn failed_and_abandoned_handshakes_leave_nothing() {
    let server = server();
    let (negotiate, genuine) = {
        let forger = Forger::alice(SEALED);
        let (_, forged) = challenged(&forger);
        (forger.negotiate(), forged.token)
    };
    let round = || {
        for token in [&genuine[..], &genuine[..100], b"", &negotiate] {
            let mut acceptor = Acceptor::new(&server);
            let mut world = World::new(5);
            assert!(world.step(&mut acceptor, Some(&negotiate)).is_ok());
            assert!(world.step(&mut acceptor, Some(token)).is_err());
            assert!(world.step(&mut acceptor, Some(token)).is_err());
        }
        let mut initiator = Initiator::new(alice()).require(Flags::CONFIDENTIALITY);
        assert!(World::new(1).step(&mut initiator, None).is_ok());
        assert!(World::new(1).step(&mut initiator, Some(&genuine)).is_err());
    };
    round();
    let info = measure(|| (0..2_000).for_each(|_| round()));
    assert_eq!((info.count_current, info.bytes_current), (0, 0));
}

/// Names and pairs as large as a token may be: refused at once or held a small number of times.
#[test]
fn a_large_token_is_held_a_small_multiple_of_its_length() {
    let large = |forger: Forger| {
        let (mut acceptor, forged) = challenged(&forger);
        let limit = Policy::DEFAULT.max_token();
        assert!(forged.token.len() > 30_000 && forged.token.len() <= limit);
        let mut result = None;
        let mut world = World::new(2);
        let info = measure(|| result = Some(world.step(&mut acceptor, Some(&forged.token))));
        let most = 4 * u64::try_from(forged.token.len()).unwrap();
        assert!(info.bytes_max <= most, "{} of {most}", info.bytes_max);
        result.unwrap()
    };
    let long = "x".repeat(15_000);
    let refused = large(stranger(&long, PASSWORD));
    assert_eq!(why(refused), ErrorKind::Ntlm(NtlmProblem::NameRefused));
    let pair = countersign_context::token::ntlm::AvId(0x77);
    large(Forger::alice(SEALED).pair(pair, &[0x5a; 60_000]))
        .map(drop)
        .unwrap();
}

/// The stream to go back to has its place at the first message that is opened; datagrams have a stream each.
#[test]
fn messages_in_place_allocate_nothing_after_the_first() {
    for flags in [Flags::CONFIDENTIALITY | Flags::INTEGRITY, Flags::INTEGRITY] {
        let seal = flags.contains(Flags::CONFIDENTIALITY);
        let initiator = Initiator::new(alice()).require(flags);
        let (mut ours, mut theirs) =
            run(initiator, Acceptor::new(&server()), &Policy::default()).unwrap();
        let mut buffer = vec![0x6d; ours.overhead(seal, 64).total() + 64];
        let mut message = || {
            measure(|| {
                ours.wrap_in_place(seal, &mut buffer).unwrap();
                theirs.unwrap_in_place(&mut buffer).unwrap();
            })
            .count_total
        };
        assert!(message() > 0, "the places of the keys");
        assert_eq!(message(), 0);
    }
}
