//! What a caller does with both sides, and what is left of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use countersign_context::crypto::{Enctype, Key, Random, RandomError};
use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_context::{
    Answer, Environment, ErrorKind, Mechanism, ReplayVerdict, SecurityContext, Step, Timestamp,
};
use countersign_testkit::flags::ticket as ticket_flags;
use countersign_testkit::{NOW, SeededRandom};

use crate::support::*;

/// Identities of one context cannot become those of another connection's by a copy of the context
/// (CVE-2014-0015).
#[test]
fn contexts_cannot_be_copied() {
    use std::marker::PhantomData;
    struct Probe<T>(PhantomData<T>);
    trait Otherwise {
        fn is_clone(&self) -> bool {
            false
        }
    }
    impl<T> Otherwise for Probe<T> {}
    impl<T: Clone> Probe<T> {
        fn is_clone(&self) -> bool {
            true
        }
    }
    assert!(Probe::<AcceptorCredential>(PhantomData).is_clone());
    assert!(!Probe::<SecurityContext>(PhantomData).is_clone());
    assert!(!Probe::<Acceptor>(PhantomData).is_clone());
    assert!(!Probe::<Initiator>(PhantomData).is_clone());
}

/// Clocks at either end of time are no reason to panic.
#[test]
fn extreme_clocks_are_refused_or_served_without_panic() {
    let realm = realm();
    let token = build(honest(&ticket(&realm)));
    accepted(&mut acceptor(&realm), &token);
    for now in [
        i64::MIN,
        i64::MIN + 301,
        -1,
        0,
        253_402_300_800,
        i64::MAX - 1,
        i64::MAX,
    ] {
        assert!(
            World::new(1)
                .at(now)
                .step(&mut acceptor(&realm), Some(&token))
                .is_err()
        );
        let mut initiator = Initiator::new(ticket(&realm));
        let _ = World::new(1).at(now).step(&mut initiator, None);
    }
}

/// A caller's random source that panics leaves a context that is over, not one in a false state.
#[test]
fn a_step_that_panicked_is_never_resumed() {
    struct Panicking;
    impl Random for Panicking {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
            panic!("the caller's")
        }
    }
    let realm = realm();
    let token = build(honest(&ticket(&realm)));
    type Side<'a> = (Box<dyn Mechanism>, Option<&'a [u8]>);
    let sides: [Side<'_>; 2] = [
        (Box::new(Initiator::new(ticket(&realm))), None),
        (Box::new(acceptor(&realm)), Some(&token)),
    ];
    for (mut side, token) in sides {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let mut random = Panicking;
            let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
            side.step(token, &mut env).map(drop)
        }));
        assert!(panicked.is_err());
        let kind = World::new(1).step(side.as_mut(), token).unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::Internal(_)), "{kind:?}");
    }
}

#[test]
fn answers_that_nothing_asked_for_change_nothing() {
    let realm = realm();
    let token = build(honest(&ticket(&realm)));
    let mut random = SeededRandom::new(1);
    let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
    let answer = || Answer::Replay(ReplayVerdict::Fresh);
    let mut waiting = acceptor(&realm);
    let kind = waiting.resume(answer(), &mut env).unwrap_err().kind();
    assert_eq!(kind, ErrorKind::UnexpectedCall);
    accepted(&mut waiting, &token);
    let kind = waiting.resume(answer(), &mut env).unwrap_err().kind();
    assert_eq!(kind, ErrorKind::AlreadyEstablished);

    let mut initiator = Initiator::new(ticket(&realm)).one_way();
    let kind = initiator.resume(answer(), &mut env).unwrap_err().kind();
    assert_eq!(kind, ErrorKind::UnexpectedCall);
    assert!(initiator.step(None, &mut env).is_ok());
    for _ in 0..2 {
        let kind = initiator.resume(answer(), &mut env).unwrap_err().kind();
        assert_eq!(kind, ErrorKind::AlreadyEstablished);
        let kind = initiator.step(None, &mut env).unwrap_err().kind();
        assert_eq!(kind, ErrorKind::AlreadyEstablished);
    }
}

#[test]
fn nothing_that_is_printed_holds_a_key() {
    let realm = realm();
    let ticket = realm
        .ticket(CLIENT, SERVICE)
        .session_key(Key::new(Enctype::Aes256CtsHmacSha1_96, &[0xa7; 32]).unwrap())
        .add_flags(ticket_flags::OK_AS_DELEGATE)
        .mint()
        .unwrap();
    let credential = AcceptorCredential::new(&keytab(&realm));
    let mut acceptor = Acceptor::new(&credential);
    let mut initiator = Initiator::new(ticket).dce_style();
    let mut printed = format!("{credential:?}{acceptor:?}{initiator:?}");
    let (mut here, mut there) = (World::new(3), World::new(4));
    let first = here.step(&mut initiator, None).unwrap();
    let Step::Continue { token } = &first else {
        panic!("{first:?}")
    };
    let second = there.step(&mut acceptor, Some(token)).unwrap();
    printed += &format!("{initiator:?}{acceptor:?}");
    let Step::Continue { token } = &second else {
        panic!("{second:?}")
    };
    let Ok(Step::Established { context, .. }) = here.step(&mut initiator, Some(token)) else {
        panic!("established")
    };
    printed += &format!("{initiator:?}{context:?}");
    // Control: what may be printed is.
    assert!(printed.contains("alice@EXAMPLE.COM") || printed.contains("alice"));
    let service_keys = keytab(&realm);
    let secrets = service_keys
        .entries()
        .iter()
        .filter_map(|entry| entry.key())
        .map(|key| key.expose().to_vec())
        .chain([vec![0xa7; 32], context.session_key().expose().to_vec()]);
    for secret in secrets {
        let decimal: Vec<String> = secret[..4].iter().map(u8::to_string).collect();
        let hex: String = secret[..4].iter().map(|b| format!("{b:02x}")).collect();
        for form in [
            decimal.join(", "),
            decimal.join(" "),
            hex.to_uppercase(),
            hex,
        ] {
            assert!(!printed.contains(&form), "{form} in {printed}");
        }
    }
}
