//! Every message dropped, repeated, exchanged, emptied, cut off and altered: an error, or the same
//! mechanism and the same peers.

use crate::lab::{Lab, Run, Side};
use crate::scenarios::{ALL, Scenario};

/// The session that is attacked, and another one of the same two.
const SEED: u64 = 3;
const OTHER: u64 = 77;

/// Who receives the message of that number.
fn receiver(run: &Run, number: usize) -> &Side {
    match number % 2 {
        0 => &run.server,
        _ => &run.client,
    }
}

/// The session in which `arrived` comes in the place of one message; how many sides are established.
fn with(lab: &Lab, scenario: &Scenario, number: usize, arrived: &[&[u8]]) -> (Run, usize) {
    let mut run = scenario.run(lab, SEED, &mut |at, token| match at == number {
        true => arrived.iter().map(|token| token.to_vec()).collect(),
        false => vec![token],
    });
    let what = (number, arrived.len());
    let established = scenario.judge(&mut run, &what);
    if established == 2 && keys(&mut run) {
        run.talk();
    }
    (run, established)
}

/// Whether both sides have the same one.
fn keys(run: &mut Run) -> bool {
    let server = run.server.context().session_key().expose().to_vec();
    run.client.context().session_key().expose() == server
}

#[test]
fn messages_dropped_repeated_reordered_emptied_and_of_other_sessions_change_nothing_or_fail() {
    let lab = Lab::new();
    let mut tried = 0;
    for scenario in &ALL {
        let own = scenario.honest(&lab, SEED).sent;
        let other = scenario.honest(&lab, OTHER).sent;
        for (number, message) in own.iter().enumerate() {
            let message = &message[..];
            // The control.
            assert_eq!(with(&lab, scenario, number, &[message]).1, 2);
            let (run, established) = with(&lab, scenario, number, &[]);
            let last = number + 1 == scenario.legs;
            assert!(receiver(&run, number).is_pending());
            assert_eq!(established, usize::from(last), "dropped: {}", scenario.name);
            let (run, _) = with(&lab, scenario, number, &[b""]);
            assert!(!receiver(&run, number).is_established());
            tried += 3;

            for wrong in own.iter().chain(&other).filter(|wrong| *wrong != message) {
                // In its place, before it and after it: what follows has to fit what came first.
                with(&lab, scenario, number, &[wrong]);
                with(&lab, scenario, number, &[wrong, message]);
                with(&lab, scenario, number, &[message, wrong]);
                tried += 3;
            }
            with(&lab, scenario, number, &[message, message]);
            tried += 1;
        }
    }
    assert_eq!(tried, 1406);
}

/// Of another session an acceptor that never saw it takes a request, which is one like any other: its
/// replay cache is for that. Whoever sent it is not reached by what follows.
#[test]
fn messages_of_another_session_are_taken_for_nothing_but_a_first_word() {
    let lab = Lab::new();
    let (mut tried, mut taken) = (0, Vec::new());
    for scenario in &ALL {
        let own = scenario.honest(&lab, SEED).sent;
        let other = scenario.honest(&lab, OTHER).sent;
        for (number, message) in other.iter().enumerate() {
            // What is the same in every session, as a request to begin anew, is of this one too.
            if own.get(number) == Some(message) {
                continue;
            }
            let (mut run, _) = with(&lab, scenario, number, &[message]);
            tried += 1;
            // A first token that is thrown away is as good as another.
            let same = run.client.is_established() && run.server.is_established() && keys(&mut run);
            if same || !receiver(&run, number).is_established() {
                continue;
            }
            taken.push((scenario.name, number));
            // One-way, the initiator does not notice; it cannot be heard.
            assert!(!run.client.is_established() || scenario.server.is_none());
        }
    }
    assert_eq!(tried, 34);
    let requests = [
        ("Kerberos", 0),
        ("Kerberos one-way", 0),
        ("Kerberos one-way reselected", 2),
        ("a third mechanism", 0),
    ];
    assert_eq!(taken, requests);
}

#[test]
fn every_message_cut_off_at_every_byte_is_refused() {
    let lab = Lab::new();
    let mut tried = 0;
    for scenario in &ALL {
        for (number, message) in scenario.honest(&lab, SEED).sent.iter().enumerate() {
            for length in 0..message.len() {
                let (run, _) = with(&lab, scenario, number, &[&message[..length]]);
                receiver(&run, number).error();
                tried += 1;
            }
            let longer = [message, &[0][..]].concat();
            let (run, _) = with(&lab, scenario, number, &[&longer]);
            receiver(&run, number).error();
        }
    }
    assert!(tried > 8_000, "{tried}");
}

/// What is altered unseen is nobody's word: the mechanism that both sides like best does not prove the
/// rest of the list, a token that is thrown away is of no consequence (it is most of what is altered of
/// reselected ones), an AP-REQ has some unprotected octets, `accept-incomplete` and `request-mic` pass
/// for each other where the proof is required anyway, and Kerberos has two identifiers.
const UNSEEN: [usize; 12] = [195, 194, 196, 371, 369, 370, 3, 4622, 3, 78, 325, 326];

#[test]
fn every_flipped_bit_is_an_error_or_changes_neither_the_mechanism_nor_the_peers() {
    let lab = Lab::new();
    let mut tried = 0;
    for (scenario, expected) in ALL.iter().zip(UNSEEN) {
        let mut unseen = 0;
        for (number, message) in scenario.honest(&lab, SEED).sent.iter().enumerate() {
            let mut flipped = message.clone();
            for bit in 0..message.len() * 8 {
                flipped[bit / 8] ^= 1 << (bit % 8);
                let (_, established) = with(&lab, scenario, number, &[&flipped]);
                unseen += usize::from(established == 2);
                tried += 1;
                flipped[bit / 8] ^= 1 << (bit % 8);
            }
        }
        assert_eq!(unseen, expected, "{}", scenario.name);
    }
    assert_eq!(tried, 65_832);
}
