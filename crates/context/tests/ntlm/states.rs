//! Steps out of turn, answers to nothing, and tokens that are none.

use std::panic::{AssertUnwindSafe, catch_unwind};

use countersign_context::crypto::{Random, RandomError};
use countersign_context::ntlm::{Acceptor, AcceptorCredential, Initiator, Logon};
use countersign_context::{
    Answer, Environment, ErrorKind, Flags, Mechanism, Need, Policy, ReplayVerdict, Step,
};
use countersign_testkit::{FailingRandom, SeededRandom};

use crate::forger::{Forger, SEALED};
use crate::support::*;

/// Mechanisms that wait for a token, one in each state in which one waits.
fn waiting() -> Vec<(&'static str, Box<dyn Mechanism>)> {
    let negotiate = Forger::alice(SEALED).negotiate();
    let mut initiator = Initiator::new(alice());
    World::new(1).go_on(&mut initiator, None);
    let mut datagrams = Initiator::new(alice()).connectionless();
    World::new(1).go_on(&mut datagrams, None);
    let mut challenged = Acceptor::new(&server());
    World::new(1).go_on(&mut challenged, Some(&negotiate));
    let mut proposed = Acceptor::new(&server()).connectionless();
    World::new(1).go_on(&mut proposed, None);
    vec![
        ("initiator, challenge due", Box::new(initiator)),
        ("initiator, connectionless", Box::new(datagrams)),
        ("acceptor, nothing said", Box::new(Acceptor::new(&server()))),
        ("acceptor, challenged", Box::new(challenged)),
        ("acceptor, connectionless", Box::new(proposed)),
    ]
}

/// It fails as it is told to, and again so whatever comes.
#[track_caller]
fn poisoned(name: &str, side: &mut dyn Mechanism, kind: ErrorKind) {
    let mut world = World::new(2);
    let negotiate = Forger::alice(SEALED).negotiate();
    for token in [None, Some(&b""[..]), Some(&negotiate), Some(b"junk")] {
        assert_eq!(why(world.step(side, token)), kind, "{name}");
        let answer = Answer::Logon(Logon::Unavailable);
        assert_eq!(why(world.resume(side, answer)), kind, "{name}");
    }
    assert!(side.session_key().is_none());
}

/// CVE-2014-4344, CVE-2017-11462.
#[test]
fn empty_absent_oversize_and_foreign_tokens_end_the_context_in_every_state() {
    let limit = Policy::DEFAULT.max_token();
    let large = vec![0; limit + 1];
    for (token, expected) in [
        (None, Some(ErrorKind::TokenMissing)),
        (
            Some(&large[..]),
            Some(ErrorKind::TokenTooLarge {
                length: limit + 1,
                limit,
            }),
        ),
        (Some(&[][..]), None),
        (Some(b"N"), None),
        (Some(b"NTLMSSP\0"), None),
        (Some(b"\x60\x28\x06\x06\x2b\x06\x01\x05\x05\x02"), None),
        (Some(&large[..limit]), None),
    ] {
        for (name, mut side) in waiting() {
            let kind = why(World::new(2).step(&mut *side, token));
            match expected {
                Some(expected) => assert_eq!(kind, expected, "{name}"),
                None => assert!(
                    matches!(kind, ErrorKind::DefectiveToken(_)),
                    "{name} {kind:?}"
                ),
            }
            poisoned(name, &mut *side, kind);
        }
    }
}

#[test]
fn the_side_that_speaks_first_takes_no_token_and_the_other_needs_one() {
    let negotiate = Forger::alice(SEALED).negotiate();
    for token in [&b""[..], &negotiate] {
        let sides: [Box<dyn Mechanism>; 3] = [
            Box::new(Initiator::new(alice())),
            Box::new(Initiator::new(alice()).connectionless()),
            Box::new(Acceptor::new(&server()).connectionless()),
        ];
        for mut side in sides {
            let kind = why(World::new(1).step(&mut *side, Some(token)));
            assert_eq!(kind, ErrorKind::TokenUnexpected);
            poisoned("first", &mut *side, kind);
        }
    }
    let mut acceptor = Acceptor::new(&server());
    let kind = why(World::new(1).step(&mut acceptor, None));
    assert_eq!(kind, ErrorKind::TokenMissing);
    poisoned("second", &mut acceptor, kind);
}

#[test]
fn an_established_side_says_so_and_nothing_else() {
    let mut world = World::new(1);
    let mut initiator = Initiator::new(alice()).require(Flags::INTEGRITY);
    let mut acceptor = Acceptor::new(&server());
    let negotiate = world.go_on(&mut initiator, None);
    let challenge = world.go_on(&mut acceptor, Some(&negotiate));
    let (token, _) = last(world.step(&mut initiator, Some(&challenge)).unwrap());
    world
        .step(&mut acceptor, token.as_deref())
        .map(drop)
        .unwrap();
    poisoned("initiator", &mut initiator, ErrorKind::AlreadyEstablished);
    poisoned("acceptor", &mut acceptor, ErrorKind::AlreadyEstablished);
    // CVE-2014-0015: the same messages open nothing a second time.
    for token in [&challenge, token.as_ref().unwrap()] {
        let again = why(world.step(&mut acceptor, Some(token)));
        assert_eq!(again, ErrorKind::AlreadyEstablished);
    }
}

fn asking() -> (Acceptor, World) {
    let mut acceptor = Acceptor::new(&AcceptorCredential::new(names()));
    let mut world = World::new(1);
    let forger = Forger::alice(SEALED);
    let negotiate = forger.negotiate();
    let challenge = world.go_on(&mut acceptor, Some(&negotiate));
    let forged = forger.authenticate(&negotiate, &challenge);
    let step = world.step(&mut acceptor, Some(&forged.token)).unwrap();
    assert!(matches!(step, Step::Need(Need::Logon(_))));
    (acceptor, world)
}

#[test]
fn wrong_answers_and_steps_while_one_is_due_change_nothing() {
    let (mut acceptor, mut world) = asking();
    let right = || {
        Answer::Logon(Logon::NtHash {
            account: alice().name().clone(),
            hash: alice().hash().duplicate(),
        })
    };
    for _ in 0..2 {
        let wrong = Answer::Replay(ReplayVerdict::Fresh);
        assert_eq!(
            why(world.resume(&mut acceptor, wrong)),
            ErrorKind::UnexpectedCall
        );
        for token in [None, Some(&b""[..]), Some(b"junk")] {
            assert_eq!(
                why(world.step(&mut acceptor, token)),
                ErrorKind::UnexpectedCall
            );
        }
    }
    let context = context(world.resume(&mut acceptor, right()));
    assert_eq!(context.peer().unwrap().to_string(), "EXAMPLE\\alice");
    poisoned("answered", &mut acceptor, ErrorKind::AlreadyEstablished);

    // An answer that nothing asked for.
    for (name, mut side) in waiting() {
        let kind = why(world.resume(&mut *side, right()));
        assert_eq!(kind, ErrorKind::UnexpectedCall, "{name}");
    }
    let (mut acceptor, mut world) = asking();
    let kind = why(world.resume(&mut acceptor, Answer::Logon(Logon::Denied)));
    poisoned("denied", &mut acceptor, kind);
    assert_eq!(why(world.resume(&mut acceptor, right())), kind);
}

#[test]
fn a_random_source_that_fails_ends_the_context_wherever_it_is_drawn_from() {
    let negotiate = Forger::alice(SEALED).negotiate();
    let mut acceptor = Acceptor::new(&server());
    let mut random = FailingRandom::after(0);
    let mut env = Environment::new(NOW, &mut random);
    assert_eq!(
        why(acceptor.step(Some(&negotiate), &mut env)),
        ErrorKind::Random
    );
    poisoned("acceptor", &mut acceptor, ErrorKind::Random);
    // The client challenge and the session key at once.
    for (draws, fails) in [(0, true), (1, false)] {
        let mut initiator = Initiator::new(alice()).require(Flags::INTEGRITY);
        let negotiate = World::new(1).go_on(&mut initiator, None);
        let challenge = World::new(1).go_on(&mut Acceptor::new(&server()), Some(&negotiate));
        let mut random = FailingRandom::after(draws);
        let result = initiator.step(Some(&challenge), &mut Environment::new(NOW, &mut random));
        assert_eq!(result.is_err(), fails);
        if fails {
            poisoned("initiator", &mut initiator, ErrorKind::Random);
        }
    }
}

#[test]
fn a_step_that_panicked_is_never_resumed() {
    struct Panicking;
    impl Random for Panicking {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
            panic!("the caller's")
        }
    }
    let negotiate = Forger::alice(SEALED).negotiate();
    let mut acceptor = Acceptor::new(&server());
    let step = catch_unwind(AssertUnwindSafe(|| {
        let mut random = Panicking;
        let mut env = Environment::new(NOW, &mut random);
        acceptor.step(Some(&negotiate), &mut env)
    }));
    assert!(step.is_err());
    let mut random = SeededRandom::new(1);
    let again = acceptor.step(Some(&negotiate), &mut Environment::new(NOW, &mut random));
    assert!(matches!(why(again), ErrorKind::Internal(_)));
}

/// 100,000 of them wait in a map.
#[test]
fn half_open_contexts_are_owned_and_go_from_thread_to_thread() {
    fn parked<T: Send + Sync + 'static>(_: T) {}
    for (_, side) in waiting() {
        parked(side);
    }
    let (acceptor, world) = asking();
    let mut context = std::thread::spawn(move || (acceptor, world))
        .join()
        .unwrap();
    let denied = Answer::Logon(Logon::Denied);
    assert!(context.1.resume(&mut context.0, denied).is_err());
}
