//! Lengths, offsets and pairs that lie, behind a right proof and a right MIC where there are any.

use countersign_context::ntlm::{Acceptor, Initiator};
use countersign_context::token::DecodeErrorKind;
use countersign_context::token::ntlm::{AvId, MessageType, SIGNATURE};
use countersign_context::{Error, ErrorKind, Flags, NtlmProblem, Step};

use crate::forger::{F, Forger, SEALED, pair, seal_mic, utf16};
use crate::hostile::Hostile;
use crate::support::*;

/// Where an exchange of this forger stands when its last message is due.
struct Due {
    negotiate: Vec<u8>,
    challenge: Vec<u8>,
    forged: crate::forger::Forged,
}

impl Due {
    fn new(forger: &Forger) -> Self {
        let negotiate = forger.negotiate();
        let challenge = World::new(1).go_on(&mut Acceptor::new(&server()), Some(&negotiate));
        let forged = forger.authenticate(&negotiate, &challenge);
        Self {
            negotiate,
            challenge,
            forged,
        }
    }

    /// What an acceptor makes of another last message, with its MIC made anew.
    fn give(&self, mut token: Vec<u8>) -> Result<Step, Error> {
        let mut acceptor = Acceptor::new(&server());
        let challenge = World::new(1).go_on(&mut acceptor, Some(&self.negotiate));
        assert_eq!(challenge, self.challenge, "the same random bytes");
        if token.len() >= 88 {
            seal_mic(
                &self.negotiate,
                &challenge,
                &mut token,
                &self.forged.exported,
            );
        }
        World::new(2).step(&mut acceptor, Some(&token))
    }
}

/// An error, or the same identity and no more flags: a field may say the same in two ways.
#[track_caller]
fn refused_or_the_same(result: Result<Step, Error>) -> bool {
    let Ok(step) = result else {
        return false;
    };
    let context = last(step).1;
    assert_eq!(context.peer().unwrap().to_string(), "EXAMPLE\\alice");
    let most = Flags::CONFIDENTIALITY | Flags::INTEGRITY | Flags::REPLAY | Flags::SEQUENCE;
    assert!(most.contains(context.flags()));
    true
}

fn describe(length: u16, offset: u32) -> [u8; 8] {
    let [l0, l1] = length.to_le_bytes();
    let [o0, o1, o2, o3] = offset.to_le_bytes();
    [l0, l1, l0, l1, o0, o1, o2, o3]
}

/// Lengths and offsets around every edge of their types and of the message.
fn edges(token: &[u8]) -> Vec<[u8; 8]> {
    let end = u32::try_from(token.len()).unwrap();
    let mut offsets = vec![0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, u32::MAX];
    for edge in [8, 12, 32, 40, 48, 52, 56, 64, 72, 88, 0xffff, 0x1_0000, end] {
        offsets.extend([edge - 1, edge, edge + 1]);
    }
    let mut all = Vec::new();
    for length in [0, 1, 2, 15, 16, 17, 24, 0x7fff, 0x8000, 0xfffe, 0xffff] {
        all.extend(offsets.iter().map(|offset| describe(length, *offset)));
        // Up to the end, and one beyond.
        for over in [0, 1] {
            let offset = end.wrapping_sub(u32::from(length)).wrapping_add(over);
            all.push(describe(length, offset));
        }
    }
    all
}

/// CVE-2023-25563 to 25567: offset and length wrap, lie in the header, or end beyond the message.
#[test]
fn descriptors_at_every_boundary_are_refused_or_say_the_same() {
    let due = Due::new(&Forger::alice(SEALED));
    assert!(refused_or_the_same(due.give(due.forged.token.clone())));
    let (mut refused, mut same) = (0, 0);
    for field in [12, 20, 28, 36, 44, 52] {
        for descriptor in edges(&due.forged.token) {
            let mut token = due.forged.token.clone();
            token[field..field + 8].copy_from_slice(&descriptor);
            match refused_or_the_same(due.give(token)) {
                true => same += 1,
                false => refused += 1,
            }
        }
    }
    // LM response and workstation mean nothing here; all else is proved or needed.
    assert!(refused > 2_000 && same > 100, "{refused} {same}");

    // The acceptor's message, in the initiator.
    for field in [12, 40] {
        let mut initiator = Initiator::new(alice());
        let negotiate = World::new(1).go_on(&mut initiator, None);
        let genuine = Hostile::new().challenge(&negotiate);
        for descriptor in edges(&genuine) {
            let mut token = genuine.clone();
            token[field..field + 8].copy_from_slice(&descriptor);
            let mut initiator = Initiator::new(alice());
            World::new(1).go_on(&mut initiator, None);
            let _ = World::new(2).step(&mut initiator, Some(&token));
        }
    }
    // And the first.
    let genuine = Forger::alice(SEALED).negotiate();
    for field in [16, 24] {
        for descriptor in edges(&genuine) {
            let mut token = genuine.clone();
            token[field..field + 8].copy_from_slice(&descriptor);
            let _ = World::new(2).step(&mut Acceptor::new(&server()), Some(&token));
        }
    }
}

/// CVE-2022-2127: every length that the responses and the key can have.
#[test]
fn responses_and_keys_of_every_length_are_refused_or_say_the_same() {
    let due = Due::new(&Forger::alice(SEALED));
    for (field, genuine) in [(12, 24), (20, due.forged.nt_response.len()), (52, 16)] {
        let mut same = Vec::new();
        for length in 0..=u16::MAX {
            let mut token = due.forged.token.clone();
            token[field..field + 2].copy_from_slice(&length.to_le_bytes());
            if refused_or_the_same(due.give(token)) {
                same.push(usize::from(length));
            }
        }
        // The LM response has any length that lies in the message.
        assert!(
            same.contains(&genuine) && (field == 12 || same.len() == 1),
            "{same:?}"
        );
    }
}

/// Pairs of a response, which are proved: the proof is right, and they are malformed.
#[test]
fn malformed_pairs_are_refused_in_a_response_and_in_a_challenge() {
    let name = utf16("WWW");
    let two = |id, value: &[u8]| [pair(id, value), pair(id, value)].concat();
    let many = |count: u16| -> Vec<u8> {
        (100..100 + count)
            .flat_map(|id| pair(AvId(id), b""))
            .collect()
    };
    let cut = |length: u16| [&[0x77, 0][..], &length.to_le_bytes(), b"four"].concat();
    let none = Vec::new;
    let end = || vec![0; 8];
    // The pairs, what ends them, and whether they are well-formed.
    let cases: Vec<(Vec<u8>, Vec<u8>, bool)> = vec![
        (none(), end(), true),
        (pair(AvId::NB_COMPUTER_NAME, &name), end(), true),
        (pair(AvId::NB_COMPUTER_NAME, b"odd"), end(), false),
        (pair(AvId::DNS_TREE_NAME, b"\x00\xd8"), end(), false),
        (pair(AvId::TARGET_NAME, b"\x00\xdc\x00\xd8"), end(), false),
        (two(AvId::NB_DOMAIN_NAME, &name), end(), false),
        (two(AvId::TIMESTAMP, &[0; 8]), end(), false),
        (two(AvId::CHANNEL_BINDINGS, &[1; 16]), end(), false),
        (two(AvId(0x4321), b""), end(), false),
        (pair(AvId::TIMESTAMP, &[0; 7]), end(), false),
        (pair(AvId::TIMESTAMP, &[0; 9]), end(), false),
        (pair(AvId::CHANNEL_BINDINGS, &[1; 15]), end(), false),
        (pair(AvId::CHANNEL_BINDINGS, &[1; 17]), end(), false),
        (pair(AvId::SINGLE_HOST, &[0; 47]), end(), false),
        (pair(AvId::SINGLE_HOST, &[0; 48]), end(), true),
        (pair(AvId::SINGLE_HOST, &[0; 64]), end(), true),
        (many(63), end(), true),
        (many(64), end(), false),
        (cut(4), end(), true),
        (cut(0xffff), end(), false),
        (cut(13), end(), false),
        (none(), none(), false),
        (none(), vec![0; 3], false),
        (none(), vec![0; 4], true),
        (none(), vec![0, 0, 1, 0, 0], false),
        (none(), vec![0, 0, 0, 0, 0xff], true),
    ];
    for (index, (pairs, end, sound)) in cases.into_iter().enumerate() {
        let forger = Forger {
            target_info: false,
            pairs: pairs.clone(),
            end: end.clone(),
            ..Forger::alice(SEALED)
        };
        let due = Due::new(&forger);
        let result = due.give(due.forged.token.clone());
        match result {
            Ok(_) => assert!(sound, "{index}"),
            Err(error) => {
                assert!(!sound, "{index}: {error}");
                let kind = error.kind();
                let defective = |problem| matches!(problem, NtlmProblem::ResponseDefective(_));
                assert!(
                    matches!(kind, ErrorKind::Ntlm(problem) if defective(problem)),
                    "{index}: {kind:?}"
                );
            }
        }
        // The same in the target information, where nothing may follow the end.
        let (hostile, mut initiator) = (Hostile::new(), Initiator::new(alice()));
        let negotiate = World::new(1).go_on(&mut initiator, None);
        let mut token = hostile.challenge(&negotiate);
        let info = [pairs, end].concat();
        let start = u32::try_from(token.len()).unwrap();
        token.extend_from_slice(&info);
        let length = u16::try_from(info.len()).unwrap();
        token[40..48].copy_from_slice(&describe(length, start));
        let taken = World::new(2).step(&mut initiator, Some(&token)).is_ok();
        let sound = countersign_context::token::ntlm::AvPairs::parse(&info).is_ok();
        assert_eq!(taken, sound || info.is_empty(), "{index}");
    }
}

#[test]
fn two_flags_in_one_response_are_refused_whatever_they_say() {
    // The forger adds one of its own.
    let forger = Forger::alice(SEALED).pair(AvId::FLAGS, &[2, 0, 0, 0]);
    let due = Due::new(&forger);
    let kind = why(due.give(due.forged.token.clone()));
    let ErrorKind::Ntlm(NtlmProblem::ResponseDefective(error)) = kind else {
        panic!("{kind:?}")
    };
    assert_eq!(error.kind(), DecodeErrorKind::DuplicateAvPair { id: 6 });
}

/// Names up to 256 characters; a backslash makes no other name of them, and what would break a line
/// or end a string is in none.
#[test]
fn names_are_looked_up_whole_or_refused() {
    let denied = ErrorKind::Ntlm(NtlmProblem::LogonDenied);
    let refused = ErrorKind::Ntlm(NtlmProblem::NameRefused);
    let long = |length| "x".repeat(length);
    for (domain, user, expected) in [
        ("EXAMPLE", "alice\0", refused),
        ("EXAMPLE", "\0alice", refused),
        ("EXAMPLE\0", "alice", refused),
        ("EXAMPLE", "alice\nPassword: x", refused),
        ("EXAMPLE\r\n", "alice", refused),
        ("EXAMPLE", "alice\u{85}", refused),
        ("", "EXAMPLE\\alice", denied),
        ("EXAMPLE\\alice", "", denied),
        ("EXAMPLE", "", denied),
        ("*", "alice", denied),
        ("EXAMPLEalice", "", denied),
        ("EXAMPL", "Ealice", denied),
        ("EXAMPLE", "alic\u{e9}", denied),
        ("", &long(256), denied),
        ("", &long(257), refused),
        (&long(257), "alice", refused),
        ("", "\u{1d11e}", denied),
    ] {
        let forger = Forger {
            domain: domain.into(),
            user: user.into(),
            ..Forger::alice(SEALED)
        };
        let due = Due::new(&forger);
        assert_eq!(
            why(due.give(due.forged.token.clone())),
            expected,
            "{domain} {user}"
        );
    }
    for (workstation, accepted) in [("PC", true), ("", true), ("PC\n", false)] {
        let forger = Forger {
            workstation: workstation.into(),
            ..Forger::alice(SEALED)
        };
        let due = Due::new(&forger);
        let result = due.give(due.forged.token.clone());
        assert_eq!(result.is_ok(), accepted, "{workstation:?}");
    }
}

/// MS-NLMP §2.2.2.5: names in the character set of a machine, for those who have no other.
#[test]
fn oem_names_are_taken_where_unicode_was_not_offered() {
    let oem = SEALED.without(F::NEGOTIATE_UNICODE) | F::NEGOTIATE_OEM;
    let due = Due::new(&Forger::alice(oem));
    assert!(refused_or_the_same(due.give(due.forged.token.clone())));
    // Agreed on one, and sent in the other.
    let forger = Forger {
        answered: Some(SEALED),
        ..Forger::alice(oem)
    };
    let due = Due::new(&forger);
    let kind = why(due.give(due.forged.token.clone()));
    assert_eq!(kind, ErrorKind::Ntlm(NtlmProblem::CharsetMissing));
    // One that is not ASCII is nobody: no one knows what it says.
    let mut token = Due::new(&Forger::alice(oem)).forged.token;
    let place = token
        .windows(5)
        .position(|bytes| bytes == b"alice")
        .unwrap();
    token[place] = 0xe1;
    let due = Due::new(&Forger::alice(oem));
    assert_eq!(
        why(due.give(token)),
        ErrorKind::Ntlm(NtlmProblem::LogonDenied)
    );
}

#[test]
fn each_message_is_taken_where_it_is_due_and_nowhere_else() {
    let due = Due::new(&Forger::alice(SEALED));
    let genuine = [&due.negotiate, &due.challenge, &due.forged.token];
    for (place, token) in genuine.iter().enumerate() {
        let begins = |at: usize| {
            let mut acceptor = Acceptor::new(&server());
            let mut initiator = Initiator::new(alice()).request(Flags::CONFIDENTIALITY);
            let mut world = World::new(1);
            match at {
                0 => world.step(&mut acceptor, Some(token)).is_ok(),
                1 => {
                    world.go_on(&mut initiator, None);
                    world.step(&mut initiator, Some(token)).is_ok()
                }
                _ => {
                    world.go_on(&mut acceptor, Some(&due.negotiate));
                    world.step(&mut acceptor, Some(token)).is_ok()
                }
            }
        };
        for at in 0..3 {
            assert_eq!(begins(at), at == place, "{place} {at}");
        }
    }
    // A type of none of them, and the signature of another protocol.
    for kind in [0, 4, 0x0100_0001, u32::MAX] {
        let mut token = due.negotiate.clone();
        token[8..12].copy_from_slice(&kind.to_le_bytes());
        let refused = World::new(1).step(&mut Acceptor::new(&server()), Some(&token));
        assert!(matches!(why(refused), ErrorKind::DefectiveToken(_)));
    }
    assert_eq!(due.negotiate[..8], SIGNATURE);
    assert_eq!(MessageType::of(&due.negotiate), Ok(MessageType::Negotiate));
}
