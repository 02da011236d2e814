//! What an initiator says and takes.

use countersign_context::kerberos::Initiator;
use countersign_context::{ErrorKind, Step};
use countersign_testkit::{NOW, RawAcceptor, SeededRandom};

use crate::support::*;

/// An AP-REP is matched to its AP-REQ by the time in both: one that is stolen from a context begun
/// at the same moment of a coarse clock must not fit.
#[test]
fn initiator_refuses_the_reply_to_another_of_its_contexts() {
    let realm = realm();
    let ticket = std::sync::Arc::new(ticket(&realm));
    for micros in [0, 25_000] {
        let begin = |seed| {
            let mut initiator = Initiator::new(ticket.clone());
            let mut world = World::new(seed);
            world.micros = micros;
            let Ok(Step::Continue { token }) = world.step(&mut initiator, None) else {
                panic!("begins")
            };
            (initiator, token)
        };
        let reply = |token: &[u8]| {
            let received = RawAcceptor::new(&keytab(&realm)).accept(token).unwrap();
            assert_eq!(received.clock.seconds, NOW);
            received.reply().build(&mut SeededRandom::new(6)).unwrap()
        };
        let ((mut first, token), (mut second, _)) = (begin(1), begin(2));
        let reply = reply(&token);
        let kind = World::new(9)
            .step(&mut second, Some(&reply))
            .unwrap_err()
            .kind();
        assert_eq!(kind, ErrorKind::MutualAuthenticationFailed);
        assert!(World::new(9).step(&mut first, Some(&reply)).is_ok());
    }
}

/// The same where somebody between sends one KRB-ERROR to two contexts, each of which then follows the
/// clock that it tells, to the microsecond.
#[test]
fn initiators_that_follow_one_clock_are_not_taken_for_each_other() {
    let realm = realm();
    let ticket = std::sync::Arc::new(ticket(&realm));
    let begin = |seed| {
        let mut initiator = Initiator::new(ticket.clone());
        let mut world = World::new(seed);
        world.micros = u32::try_from(seed).unwrap();
        let Ok(Step::Continue { token }) = world.step(&mut initiator, None) else {
            panic!("begins")
        };
        (initiator, world, token)
    };
    let ((mut first, mut here, token), (mut second, mut there, _)) = (begin(1), begin(2));
    let mut far = World::new(4).at(NOW + 1000);
    far.micros = 123_457;
    let Ok(Step::Continue { token: error }) = far.step(&mut acceptor(&realm), Some(&token)) else {
        panic!("tells its time")
    };
    let follow = |initiator: &mut Initiator, world: &mut World| {
        let Ok(Step::Continue { token }) = world.step(initiator, Some(&error)) else {
            panic!("follows")
        };
        RawAcceptor::new(&keytab(&realm)).accept(&token).unwrap()
    };
    let requests = (
        follow(&mut first, &mut here),
        follow(&mut second, &mut there),
    );
    assert_eq!(requests.0.clock.seconds, NOW + 1000);
    assert_eq!(requests.1.clock.seconds, NOW + 1000);
    let reply = requests.0.reply().build(&mut SeededRandom::new(6)).unwrap();
    let refusal = there.step(&mut second, Some(&reply)).unwrap_err().kind();
    assert_eq!(refusal, ErrorKind::MutualAuthenticationFailed);
    assert!(here.step(&mut first, Some(&reply)).is_ok());
}

#[test]
fn initiator_tells_the_time_that_its_clock_resolves() {
    let realm = realm();
    for (micros, range) in [
        (0, 0..1_000_000),
        (25_000, 25_000..26_000),
        (25_001, 25_001..25_002),
    ] {
        let mut world = World::new(1);
        world.micros = micros;
        let Ok(Step::Continue { token }) = world.step(&mut Initiator::new(ticket(&realm)), None)
        else {
            panic!("begins")
        };
        let received = RawAcceptor::new(&keytab(&realm)).accept(&token).unwrap();
        assert!(range.contains(&received.clock.microseconds));
    }
}

/// What is drawn is drawn from all that can be: numbers of 30 bits, as old peers read a sign, and
/// every microsecond of a clock of whole seconds.
#[test]
fn sequence_numbers_and_unresolved_time_are_drawn_from_their_whole_range() {
    let realm = realm();
    let ticket = std::sync::Arc::new(ticket(&realm));
    let (mut numbers, mut micros) = ((u32::MAX, 0), 0);
    for seed in 0..64 {
        let mut initiator = Initiator::new(ticket.clone());
        let Ok(Step::Continue { token }) = World::new(seed).step(&mut initiator, None) else {
            panic!("begins")
        };
        let received = RawAcceptor::new(&keytab(&realm)).accept(&token).unwrap();
        let number = received.seq_number.unwrap();
        assert!(number < 1 << 30);
        numbers = (numbers.0 & number, numbers.1 | number);
        micros = micros.max(received.clock.microseconds);
    }
    assert_eq!(numbers, (0, (1 << 30) - 1), "each bit is drawn");
    assert!(micros > 500_000);
}

#[test]
fn initiator_of_three_legs_is_mutual_whatever_else_was_asked() {
    let realm = realm();
    let mut initiator = Initiator::new(ticket(&realm)).dce_style().one_way();
    let step = World::new(1).step(&mut initiator, None).unwrap();
    assert!(matches!(step, Step::Continue { .. }), "{step:?}");
    // Control: without three legs it is established at once.
    let mut initiator = Initiator::new(ticket(&realm)).one_way();
    let step = World::new(1).step(&mut initiator, None).unwrap();
    assert!(matches!(step, Step::Established { .. }), "{step:?}");
}
