//! RFC 4178 §3 and §4.2, MS-SPNG: what is in a message, where it may not be, and the habits of others.

use countersign_context::crypto::ntlm::{Direction, SealKey, SessionKey, SignKey, Strength};
use countersign_context::crypto::{Enctype, Key, KeyUsage};
use countersign_context::token::kerberos::cfx::{CfxFlags, MicHeader};
use countersign_context::token::oid::Oid;
use countersign_context::token::spnego::{
    ContextFlags, MechTypes, NegState, NegTokenInit, NegTokenResp,
};
use countersign_context::{ErrorKind, Flags, Mechanism, NegotiationProblem};

use crate::foreign::{Fed, choice, edited, init, list, response};
use crate::lab::{Lab, Side, acceptor, initiator, run};
use crate::scenarios::ALL;

const UNEXPECTED: ErrorKind = ErrorKind::Negotiation(NegotiationProblem::UnexpectedState);
const NOT_OFFERED: ErrorKind = ErrorKind::Negotiation(NegotiationProblem::NotOffered);

fn boxed(mechanism: impl Mechanism) -> Box<dyn Mechanism> {
    Box::new(mechanism)
}

/// A client of ours, and what it sent; Kerberos first.
fn client(lab: &Lab) -> (Side, Vec<u8>) {
    let offer = [boxed(lab.kerberos()), boxed(lab.ntlm())];
    let mut client = Side::new(initiator(offer), 3);
    let first = client.sends(None);
    (client, first)
}

/// The same, and the AP-REP of an acceptor without Negotiate.
fn answered(lab: &Lab) -> (Side, Vec<u8>, Vec<u8>) {
    let (client, first) = client(lab);
    let token = NegTokenInit::parse(&first).unwrap().mech_token.unwrap();
    let reply = Side::new(lab.kerberos_acceptor(), 4).sends(Some(token));
    (client, first, reply)
}

#[test]
fn the_first_message_has_the_list_the_first_token_and_nothing_else() {
    let lab = Lab::new();
    let (_, first) = client(&lab);
    let init = NegTokenInit::parse(&first).unwrap();
    let list: Vec<_> = init.mech_types.iter().collect();
    assert_eq!(list, [Oid::KERBEROS, Oid::MS_KERBEROS, Oid::NTLMSSP]);
    assert_eq!(
        (init.req_flags, init.hints, init.mech_list_mic),
        (None, None, None)
    );
    let offer = [
        boxed(lab.kerberos()),
        boxed(lab.ntlm()),
        boxed(lab.kerberos()),
    ];
    let first = Side::new(initiator(offer), 3).sends(None);
    let list = NegTokenInit::parse(&first)
        .unwrap()
        .mech_types
        .iter()
        .count();
    assert_eq!(list, 3, "each identifier once");
}

/// §4.2.2: the acceptor's state and choice are in its first reply, the choice in no other, and of the
/// initiator there is no choice at all.
#[test]
fn the_choice_is_told_once_and_by_the_acceptor_alone() {
    let lab = Lab::new();
    for scenario in &ALL {
        let run = scenario.honest(&lab, 3);
        for number in 1..run.sent.len() {
            let response = run.response(number);
            assert!(response.neg_state.is_some());
            assert_eq!(
                response.supported_mech.is_some(),
                number == 1,
                "{}",
                scenario.name
            );
            let request = response.neg_state == Some(NegState::RequestMic);
            assert!(!request || number == 1);
        }
    }
}

/// MS-SPNG §3.2.5: Windows gives up where its identifier for Kerberos is answered by the other one.
#[test]
fn the_acceptor_answers_by_the_identifier_that_was_offered() {
    let lab = Lab::new();
    let (ours, windows) = (Oid::KERBEROS, Oid::MS_KERBEROS);
    for offer in [
        &[windows, ours, Oid::NTLMSSP][..],
        &[ours, windows],
        &[windows],
        &[ours],
    ] {
        for own_order in [false, true] {
            let mut kerberos = Side::new(lab.kerberos().require(Flags::INTEGRITY), 3);
            let mut a = acceptor([boxed(lab.kerberos_acceptor())]);
            if own_order {
                a = a.prefer_own_order();
            }
            let mut server = Side::new(a, 4);
            let token = kerberos.sends(None);
            let reply = server.sends(Some(&init(&list(offer), Some(&token))));
            let reply = NegTokenResp::parse(&reply).unwrap();
            assert_eq!(reply.supported_mech, Some(offer[0]));
            assert_eq!(reply.neg_state, Some(NegState::AcceptCompleted));
            assert!(server.is_established());
        }
    }
}

/// Samba answers by the old identifier always.
#[test]
fn the_initiator_takes_either_identifier_of_kerberos_for_its_own() {
    let lab = Lab::new();
    let other = [
        (Oid::MS_KERBEROS, true),
        (Oid::KERBEROS, true),
        (Oid::IAKERB, false),
    ];
    for (identifier, taken) in other {
        let (mut client, _, reply) = answered(&lab);
        let reply = choice(NegState::AcceptCompleted, identifier, Some(&reply));
        client.step(Some(&reply));
        assert_eq!(client.is_established(), taken);
    }
}

/// Java's first reply has a token and nothing else, and §4.2.2 lets later ones be without a state.
#[test]
fn a_state_that_is_not_told_is_that_of_the_mechanism() {
    let lab = Lab::new();
    let (mut client, _, reply) = answered(&lab);
    assert_eq!(client.step(Some(&response(None, Some(&reply), None))), None);
    assert!(!client.context().negotiated().unwrap().proved);

    for scenario in &ALL {
        let mut stateless = scenario.run(&lab, 3, &mut |number, token| {
            let optional = number > 1;
            let edit = |response: &mut NegTokenResp<'_>| response.neg_state = None;
            vec![if optional {
                edited(&token, edit)
            } else {
                token
            }]
        });
        assert_eq!(scenario.judge(&mut stateless, &"no state"), 2);
        stateless.talk();
    }
}

/// MS-SPNG §3.3.5 has it ignored, as Samba repeats its choice; one that is another is none of it.
#[test]
fn the_choice_may_be_repeated_and_not_be_changed() {
    let lab = Lab::new();
    for scenario in &ALL {
        let mechanism = (scenario.mechanism)();
        for (repeated, established) in [(mechanism, 2), (Oid::SPNEGO, 0)] {
            let later = |number: usize| number > 1 && number % 2 == 1;
            let mut run = scenario.run(&lab, 3, &mut |number, token| {
                let edit =
                    |response: &mut NegTokenResp<'_>| response.supported_mech = Some(repeated);
                vec![if later(number) {
                    edited(&token, edit)
                } else {
                    token
                }]
            });
            let found = scenario.judge(&mut run, &repeated);
            if scenario.legs > 3 && established == 0 {
                assert_eq!(run.client.error().kind(), NOT_OFFERED, "{}", scenario.name);
            } else {
                assert_eq!(found, 2, "{}", scenario.name);
            }
        }
    }
}

#[test]
fn what_belongs_to_the_first_reply_is_refused_elsewhere() {
    let lab = Lab::new();
    let scenario = &ALL[7];
    for (number, what) in [(3, "request-mic"), (2, "choice"), (4, "choice")] {
        let run = scenario.run(&lab, 3, &mut |at, token| match at == number {
            true => vec![edited(&token, |response| match what {
                "request-mic" => response.neg_state = Some(NegState::RequestMic),
                _ => response.supported_mech = Some(Oid::NTLMSSP),
            })],
            false => vec![token],
        });
        let side = if number == 3 {
            &run.client
        } else {
            &run.server
        };
        assert_eq!(side.error().kind(), UNEXPECTED);
        let told = NegTokenResp::parse(side.error().token().unwrap()).unwrap();
        assert_eq!(told.neg_state, Some(NegState::Reject));
    }
    // The state that an initiator tells counts for nothing: pyspnego had request-mic there.
    let mut run = scenario.run(&lab, 3, &mut |number, token| match number {
        2 | 4 => vec![edited(&token, |response| {
            response.neg_state = Some(NegState::RequestMic);
        })],
        _ => vec![token],
    });
    run.talk();
}

#[test]
fn a_choice_that_was_not_offered_is_refused() {
    let lab = Lab::new();
    let other = Oid::from_contents(b"\x2a\x03").unwrap();
    for mechanism in [Oid::NEGOEX, Oid::SPNEGO, Oid::KERBEROS_USER_TO_USER, other] {
        let (mut client, _) = client(&lab);
        let reply = choice(NegState::RequestMic, mechanism, None);
        assert_eq!(client.refuses(&reply).kind(), NOT_OFFERED);
    }
    let (mut client, _) = client(&lab);
    client.sends(Some(&choice(NegState::RequestMic, Oid::NTLMSSP, None)));
}

/// A mechanism that has not begun has nothing to be told.
#[test]
fn a_token_for_a_mechanism_that_was_chosen_this_moment_is_refused() {
    let lab = Lab::new();
    let (mut client, _) = client(&lab);
    let reply = choice(NegState::RequestMic, Oid::NTLMSSP, Some(b"NTLMSSP\0"));
    assert_eq!(client.refuses(&reply).kind(), UNEXPECTED);
}

/// Windows 2000 has the token over again in the MIC's place: that is no MIC, and none where one is due.
#[test]
fn a_token_in_the_place_of_the_mic_is_ignored_and_proves_nothing() {
    let lab = Lab::new();
    let (mut client, _, reply) = answered(&lab);
    let doubled = edited(
        &choice(NegState::AcceptCompleted, Oid::KERBEROS, Some(&reply)),
        |response| response.mech_list_mic = response.response_token,
    );
    client.step(Some(&doubled));
    assert!(!client.context().negotiated().unwrap().proved);

    let run = ALL[3].run(&lab, 3, &mut |number, token| match number {
        3 => vec![edited(&token, |response| {
            response.mech_list_mic = response.response_token;
        })],
        _ => vec![token],
    });
    let missing = ErrorKind::Negotiation(NegotiationProblem::MicMissing);
    assert_eq!(run.client.error().kind(), missing);
}

/// IIS has an empty token for none, where only the initiator is authenticated.
#[test]
fn an_empty_token_is_none_to_a_mechanism_that_is_done_and_an_error_to_one_that_waits() {
    let lab = Lab::new();
    let reply = choice(NegState::AcceptCompleted, Oid::KERBEROS, Some(b""));
    let offer = initiator([boxed(lab.kerberos().one_way())]);
    let mut one_way = Side::new(offer, 3);
    one_way.sends(None);
    assert_eq!(one_way.step(Some(&reply)), None);
    one_way.context();

    let (mut waiting, _) = client(&lab);
    waiting.refuses(&reply);
    let mut one_way = Side::new(initiator([boxed(lab.kerberos().one_way())]), 3);
    one_way.sends(None);
    let more = choice(NegState::AcceptCompleted, Oid::KERBEROS, Some(b"more"));
    let kind = one_way.refuses(&more).kind();
    assert_eq!(
        kind,
        ErrorKind::Negotiation(NegotiationProblem::TokenAfterEnd)
    );
}

/// Windows signs the list with the number 0, whatever number it begins with, and begins with that.
#[test]
fn the_number_of_the_acceptors_mic_tells_nothing_and_the_messages_follow_in_order() {
    let lab = Lab::new();
    for windows in [false, true] {
        let flags = Flags::INTEGRITY | Flags::SEQUENCE | Flags::REPLAY;
        let offer = [boxed(lab.ntlm()), boxed(lab.kerberos().require(flags))];
        let mut client = Side::new(initiator(offer), 3);
        let mut server = Side::new(lab.kerberos_acceptor(), 4);
        let first = client.sends(None);
        let list = NegTokenInit::parse(&first).unwrap().mech_types.as_bytes();
        let request = client.sends(Some(&choice(NegState::RequestMic, Oid::KERBEROS, None)));
        let request = NegTokenResp::parse(&request)
            .unwrap()
            .response_token
            .unwrap()
            .to_vec();
        let reply = server.sends(Some(&request));
        let context = server.context();
        let mic = match windows {
            false => context.get_mic(list).unwrap(),
            true => signed(context.session_key().expose(), list),
        };
        let state = Some(NegState::AcceptIncomplete);
        let last = client.sends(Some(&response(state, Some(&reply), Some(&mic))));
        let mic = NegTokenResp::parse(&last).unwrap().mech_list_mic.unwrap();
        context.verify_mic(list, mic).unwrap();
        for _ in 0..3 {
            let message = context.wrap(false, b"in order").unwrap();
            client.context().unwrap(&message).unwrap();
            let message = client.context().wrap(false, b"in order").unwrap();
            context.unwrap(&message).unwrap();
        }
    }
}

/// The acceptor's MIC with the number 0 (RFC 4121 §4.2.4 and §4.2.6.1).
pub(crate) fn signed(key: &[u8], list: &[u8]) -> Vec<u8> {
    let key = Key::new(Enctype::Aes256CtsHmacSha384_192, key).unwrap();
    let flags = CfxFlags::SENT_BY_ACCEPTOR | CfxFlags::ACCEPTOR_SUBKEY;
    let header = MicHeader { flags, seq: 0 }.to_bytes();
    let signed = [list, &header].concat();
    let kind = key.enctype().checksum_type();
    let mic = key
        .checksum(KeyUsage::ACCEPTOR_SIGN, kind, &signed)
        .unwrap();
    [&header, mic.as_bytes()].concat()
}

/// MS-SPNG §3.2.5.1: after the MIC, NTLM's key stream begins anew in either direction. Its numbers run on, as
/// those of gss-ntlmssp, pyspnego, sspi and Samba do.
#[test]
fn the_key_stream_of_ntlm_begins_anew_after_the_mic_and_its_numbers_run_on() {
    let lab = Lab::new();
    let mut run = ALL[7].honest(&lab, 3);
    let mic = run.response(4).mech_list_mic.unwrap().to_vec();
    let list = run.init(0).mech_types.as_bytes().to_vec();
    let key = run.client.context().session_key().expose().to_vec();
    let key = SessionKey::new(key.try_into().unwrap());
    let direction = Direction::ClientToServer;
    let by_a_fresh_stream = |number: u32| {
        let mut checksum = *SignKey::derive(&key, direction).checksum(number, &[&list]);
        let stream = SealKey::derive(&key, Strength::Bits128, direction);
        stream.stream().apply(&mut checksum);
        let number = number.to_le_bytes();
        [&[1, 0, 0, 0][..], &checksum, &number].concat()
    };
    assert_eq!(mic, by_a_fresh_stream(0));
    let message = run.client.context().get_mic(&list).unwrap();
    assert_eq!(message, by_a_fresh_stream(1));
    run.server.context().verify_mic(&list, &message).unwrap();
    let answer = run.server.context().get_mic(&list).unwrap();
    assert_eq!(answer[12..], [1, 0, 0, 0]);
    run.client.context().verify_mic(&list, &answer).unwrap();
}

/// §4.2.1: nothing protects the flags, so they say nothing.
#[test]
fn what_the_initiator_asks_for_outside_of_the_mechanism_is_ignored() {
    let lab = Lab::new();
    let mut kerberos = Side::new(lab.kerberos(), 3);
    let token = kerberos.sends(None);
    let list = list(&[Oid::KERBEROS]);
    let asked = NegTokenInit {
        req_flags: Some(ContextFlags::CONF | ContextFlags::DELEG | ContextFlags::ANON),
        mech_token: Some(&token),
        ..NegTokenInit::new(MechTypes::parse(&list).unwrap())
    };
    let mut server = Side::new(acceptor([boxed(lab.kerberos_acceptor())]), 4);
    server.sends(Some(&asked.to_bytes()));
    assert_eq!(server.context().flags(), Flags::MUTUAL);
}

/// NEGOEX is offered first by Windows where it is set up, with a token of its own.
#[test]
fn negoex_is_passed_over_and_its_token_thrown_away() {
    let lab = Lab::new();
    let list = list(&[Oid::NEGOEX, Oid::MS_KERBEROS, Oid::KERBEROS, Oid::NTLMSSP]);
    let server = [boxed(lab.kerberos_acceptor()), boxed(lab.ntlm_acceptor())];
    let mut server = Side::new(acceptor(server), 4);
    let mut kerberos = Side::new(lab.kerberos().require(Flags::INTEGRITY), 3);
    let reply = server.sends(Some(&init(&list, Some(b"NEGOEXTS"))));
    let reply = NegTokenResp::parse(&reply).unwrap();
    assert_eq!(reply.supported_mech, Some(Oid::MS_KERBEROS));
    assert_eq!(reply.neg_state, Some(NegState::RequestMic));
    assert_eq!((reply.response_token, reply.mech_list_mic), (None, None));
    let token = kerberos.sends(None);
    let reply = server.sends(Some(&response(None, Some(&token), None)));
    let reply = NegTokenResp::parse(&reply).unwrap();
    kerberos.step(reply.response_token);
    let context = kerberos.context();
    context
        .verify_mic(&list, reply.mech_list_mic.unwrap())
        .unwrap();
    let mic = context.get_mic(&list).unwrap();
    server.step(Some(&response(None, None, Some(&mic))));
    assert!(server.context().negotiated().unwrap().proved);
    // Alone it is nothing in common.
    let alone = init(&crate::foreign::list(&[Oid::NEGOEX]), Some(b"NEGOEXTS"));
    let mut server = Side::new(acceptor([boxed(lab.kerberos_acceptor())]), 4);
    let kind = server.refuses(&alone).kind();
    assert_eq!(
        kind,
        ErrorKind::Negotiation(NegotiationProblem::NothingInCommon)
    );
}

/// A MIC before there is a key.
#[test]
fn a_mic_before_the_mechanism_is_done_is_refused_and_one_for_another_mechanism_ignored() {
    let lab = Lab::new();
    let (mut client, _) = client(&lab);
    client.sends(Some(&choice(NegState::RequestMic, Oid::NTLMSSP, None)));
    let mut server = Side::new(lab.ntlm_acceptor(), 4);
    let mut raw = Side::new(lab.ntlm(), 3);
    let negotiate = raw.sends(None);
    let challenge = server.sends(Some(&negotiate));
    let early = response(Some(NegState::AcceptIncomplete), None, Some(&[1; 16]));
    assert_eq!(client.refuses(&early).kind(), UNEXPECTED);
    assert!(challenge.starts_with(b"NTLMSSP\0"));

    // NEGOTIATE does not end NTLM.
    let list = list(&[Oid::NTLMSSP, Oid::KERBEROS]);
    let early = |token: &[u8]| {
        NegTokenInit {
            mech_token: Some(token),
            mech_list_mic: Some(&[1; 16]),
            ..NegTokenInit::new(MechTypes::parse(&list).unwrap())
        }
        .to_bytes()
    };
    let mut server = Side::new(acceptor([boxed(lab.ntlm_acceptor())]), 4);
    assert_eq!(server.refuses(&early(&negotiate)).kind(), UNEXPECTED);
    let mut server = Side::new(acceptor([boxed(lab.kerberos_acceptor())]), 4);
    server.sends(Some(&early(&negotiate)));
}

/// The MIC of an only token may come with it (§4.2.1).
#[test]
fn the_mic_in_a_first_message_is_verified_where_the_first_token_is_the_last() {
    let lab = Lab::new();
    let list = list(&[Oid::KERBEROS, Oid::NTLMSSP]);
    for altered in [false, true] {
        let one_way = lab.kerberos().one_way().require(Flags::INTEGRITY);
        let mut raw = Side::new(one_way, 3);
        let token = raw.sends(None);
        let mut mic = raw.context().get_mic(&list).unwrap();
        mic[20] ^= u8::from(altered);
        let first = NegTokenInit {
            mech_token: Some(&token),
            mech_list_mic: Some(&mic),
            ..NegTokenInit::new(MechTypes::parse(&list).unwrap())
        };
        let mut server = Side::new(acceptor([boxed(lab.kerberos_acceptor())]), 4);
        let reply = server.step(Some(&first.to_bytes())).unwrap();
        if altered {
            let mismatch = ErrorKind::Negotiation(NegotiationProblem::MicMismatch);
            assert_eq!(server.error().kind(), mismatch);
            continue;
        }
        assert!(server.context().negotiated().unwrap().proved);
        let own = NegTokenResp::parse(&reply).unwrap().mech_list_mic.unwrap();
        raw.context().verify_mic(&list, own).unwrap();
    }
}

#[test]
fn a_control_of_these_runs_is_honest() {
    let lab = Lab::new();
    let offer = [boxed(lab.kerberos()), boxed(lab.ntlm())];
    let server = [boxed(lab.kerberos_acceptor()), boxed(lab.ntlm_acceptor())];
    run(initiator(offer), acceptor(server)).talk();
}

/// Nothing protects the state: an acceptor that is done before the mechanism is does not end it, nor does
/// one that is never done.
#[test]
fn a_state_that_does_not_fit_the_mechanism_is_refused() {
    let lab = Lab::new();
    let after_end = ErrorKind::Negotiation(NegotiationProblem::TokenAfterEnd);
    for (scenario, number) in [(2, 1), (5, 3), (6, 1), (7, 1), (7, 3), (11, 3)] {
        let scenario = &ALL[scenario];
        let run = scenario.run(&lab, 3, &mut |at, token| match at == number {
            true => vec![edited(&token, |response| {
                response.neg_state = Some(NegState::AcceptCompleted);
            })],
            false => vec![token],
        });
        assert_eq!(run.client.error().kind(), after_end, "{}", scenario.name);
        assert_eq!(run.client.error().token(), None);
    }

    let (mut client, _, reply) = answered(&lab);
    let state = Some(NegState::AcceptIncomplete);
    let waiting = choice(NegState::AcceptIncomplete, Oid::KERBEROS, Some(&reply));
    client.sends(Some(&waiting));
    let kind = client.refuses(&response(state, None, None)).kind();
    assert_eq!(kind, UNEXPECTED);
}
