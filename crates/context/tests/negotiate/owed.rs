//! RFC 4178 §5: who owes a MIC over the list, when, and what becomes of who does not send it.

use countersign_context::negotiate::Acceptor;
use countersign_context::token::oid::Oid;
use countersign_context::token::spnego::{NegState, NegTokenResp};
use countersign_context::{
    ErrorKind, Flags, Mechanism, MicPolicy, NegotiationProblem, NtlmPolicy, Policy, SspiStatus,
};

use crate::foreign::{Fed, choice, edited, init, list, response};
use crate::lab::{Lab, Run, Side, acceptor, initiator, run, run_between};
use crate::scenarios::ALL;
use crate::toy;

const MISSING: ErrorKind = ErrorKind::Negotiation(NegotiationProblem::MicMissing);

fn no_mic(response: &mut NegTokenResp<'_>) {
    response.mech_list_mic = None;
}

fn state(run: &Run, number: usize) -> Option<NegState> {
    run.response(number).neg_state
}

/// Where an acceptor's mechanism is all it wants, an unsolicited MIC makes Windows give up.
#[test]
fn nobody_sends_a_mic_where_both_sides_like_the_mechanism_best_and_ntlm_is_not_it() {
    let lab = Lab::new();
    for scenario in &ALL {
        let mics = scenario.honest(&lab, 3);
        let mics = (1..mics.sent.len()).filter(|at| mics.response(*at).mech_list_mic.is_some());
        let expected = if scenario.proved { 2 } else { 0 };
        assert_eq!(mics.count(), expected, "{}", scenario.name);
    }
}

/// §5: the acceptor's preference counts as the initiator's does. A list without what it likes best may
/// have lost it on the way.
#[test]
fn acceptor_asks_for_the_proof_unless_both_sides_like_the_mechanism_best() {
    let lab = Lab::new();
    let k = || Box::new(lab.kerberos());
    let n = || Box::new(lab.ntlm());
    let a = || Box::new(lab.kerberos_acceptor());
    let m = || Box::new(lab.ntlm_acceptor());
    let (request, incomplete) = (NegState::RequestMic, NegState::AcceptIncomplete);
    let cases = [
        (
            initiator([k()]),
            acceptor([a()]),
            Oid::KERBEROS,
            NegState::AcceptCompleted,
        ),
        (
            initiator([k(), n()]),
            acceptor([a(), m()]),
            Oid::KERBEROS,
            NegState::AcceptCompleted,
        ),
        (initiator([n()]), acceptor([m()]), Oid::NTLMSSP, incomplete),
        (
            initiator([n()]),
            acceptor([m(), a()]),
            Oid::NTLMSSP,
            incomplete,
        ),
        (
            initiator([n()]),
            acceptor([a(), m()]),
            Oid::NTLMSSP,
            request,
        ),
        (
            initiator([n(), k()]),
            acceptor([a(), m()]),
            Oid::NTLMSSP,
            request,
        ),
        (
            initiator([n(), k()]),
            acceptor([a(), m()]).prefer_own_order(),
            Oid::KERBEROS,
            request,
        ),
        (
            initiator([k(), n()]),
            acceptor([m(), a()]),
            Oid::KERBEROS,
            request,
        ),
        (
            initiator([k(), n()]),
            acceptor([m(), a()]).prefer_own_order(),
            Oid::NTLMSSP,
            request,
        ),
        (
            initiator([k(), n()]),
            acceptor([m()]),
            Oid::NTLMSSP,
            request,
        ),
    ];
    for (at, (i, a, mechanism, first)) in cases.into_iter().enumerate() {
        let mut run = run(i, a);
        assert_eq!(run.mechanism(), mechanism, "{at}");
        assert_eq!(state(&run, 1), Some(first), "{at}");
        let proved = first == request || mechanism == Oid::NTLMSSP;
        assert_eq!(run.proved(), proved, "{at}");
        run.talk();
    }
}

/// §5 b I: the initiator's MIC, after the acceptor's, ends the negotiation.
#[test]
fn the_initiators_mic_is_the_last_word_unless_it_asks_for_another() {
    let lab = Lab::new();
    let scenario = &ALL[3];
    let honest = scenario.honest(&lab, 3);
    assert_eq!(honest.sent.len(), 5);
    assert_eq!(state(&honest, 4), Some(NegState::AcceptCompleted));
    // Samba, and Heimdal that is not satisfied, want to hear that it was taken.
    for asks in [None, Some(NegState::AcceptIncomplete)] {
        let mut run = scenario.run(&lab, 3, &mut |number, token| match number {
            4 => vec![edited(&token, |response| response.neg_state = asks)],
            5 => vec![],
            _ => vec![token],
        });
        assert_eq!(state(&run, 5), Some(NegState::AcceptCompleted));
        assert_eq!(run.sent.len(), 6);
        run.talk();
    }
    // Beside a token it is no last word: the acceptor has its MIC to send, or to say that it is done.
    for (scenario, last) in [(2, 2), (4, 2), (5, 4), (6, 2), (7, 4)] {
        let scenario = &ALL[scenario];
        let mut run = scenario.run(&lab, 3, &mut |number, token| match number == last {
            true => vec![edited(&token, |response| {
                response.neg_state = Some(NegState::AcceptCompleted);
            })],
            false => vec![token],
        });
        assert_eq!(run.sent.len(), scenario.legs, "{}", scenario.name);
        run.talk();
    }
}

/// §5 b IV.
#[test]
fn initiator_refuses_the_acceptors_last_token_without_the_mic_that_is_due() {
    let lab = Lab::new();
    for (scenario, last) in [(3, 3), (4, 3), (5, 5), (7, 5), (10, 3), (11, 5)] {
        let scenario = &ALL[scenario];
        let run = scenario.run(&lab, 3, &mut |number, token| match number == last {
            true => vec![edited(&token, no_mic)],
            false => vec![token],
        });
        assert_eq!(run.client.error().kind(), MISSING, "{}", scenario.name);
        assert_eq!(
            run.client.error().status(),
            SspiStatus::SEC_E_MESSAGE_ALTERED
        );
        let told = run.client.error().token();
        // Who has said that it is done is told nothing.
        let open = run.server.is_pending() || !run.server.is_established();
        assert_eq!(told.is_some(), open, "{}", scenario.name);
    }
}

/// §5 c V.
#[test]
fn acceptor_refuses_the_last_token_of_an_initiator_that_was_told_without_the_mic() {
    let lab = Lab::new();
    for (scenario, last) in [(4, 2), (5, 4), (7, 4), (8, 2), (11, 4)] {
        let scenario = &ALL[scenario];
        let run = scenario.run(&lab, 3, &mut |number, token| match number == last {
            true => vec![edited(&token, no_mic)],
            false => vec![token],
        });
        assert_eq!(run.server.error().kind(), MISSING, "{}", scenario.name);
        let told = NegTokenResp::parse(run.server.error().token().unwrap()).unwrap();
        assert_eq!(told.neg_state, Some(NegState::Reject));
        assert!(!run.client.is_established());
    }
}

/// MS-SPNG appendix A, 8: with NTLM's own MIC there the list is proved even for the first choice. As
/// Windows does, the acceptor tells who did not know by its own MIC.
#[test]
fn acceptor_waits_for_the_proof_of_ntlm_unless_the_policy_goes_without_ntlms_own() {
    let lab = Lab::new();
    let alone = || acceptor([Box::new(lab.ntlm_acceptor()) as Box<dyn Mechanism>]);
    let second = || {
        acceptor([
            Box::new(lab.kerberos_acceptor()) as Box<dyn Mechanism>,
            Box::new(lab.ntlm_acceptor()),
        ])
    };
    let stripped = |a: Acceptor, policy: &Policy| {
        let i = initiator([Box::new(lab.ntlm())]);
        let server = Side::new(a, 4).with_policy(policy.clone());
        let mut mic = Vec::new();
        let run = run_between(Side::new(i, 3), server, &mut |number, token| match number {
            2 => {
                let response = NegTokenResp::parse(&token).unwrap();
                mic = response.mech_list_mic.unwrap().to_vec();
                vec![edited(&token, no_mic)]
            }
            3 => vec![],
            _ => vec![token],
        });
        (run, mic)
    };
    let (mut run, mic) = stripped(alone(), &Policy::default());
    assert!(run.server.is_pending());
    assert_eq!(state(&run, 3), Some(NegState::AcceptIncomplete));
    assert!(run.response(3).mech_list_mic.is_some());
    let late = response(None, None, Some(&mic));
    let end = run.server.sends(Some(&late));
    let end = NegTokenResp::parse(&end).unwrap();
    assert_eq!(end.neg_state, Some(NegState::AcceptCompleted));
    assert!(run.server.context().negotiated().unwrap().proved);

    let lenient = NtlmPolicy::default().with_mic(MicPolicy::IfPresent);
    let lenient = Policy::default().with_ntlm(lenient);
    for a in [alone(), second()] {
        let (mut run, _) = stripped(a, &lenient);
        assert!(!run.server.context().negotiated().unwrap().proved);
        assert_eq!(state(&run, 3), Some(NegState::AcceptCompleted));
    }
    let (run, _) = stripped(second(), &Policy::default());
    assert_eq!(run.server.error().kind(), MISSING);
}

/// Azure and Apple take the initiator's MIC and send none.
#[test]
fn initiator_that_has_ntlm_for_its_first_choice_goes_without_the_acceptors_mic() {
    let lab = Lab::new();
    let scenario = &ALL[6];
    let mut run = scenario.run(&lab, 3, &mut |number, token| match number {
        3 => vec![edited(&token, no_mic)],
        _ => vec![token],
    });
    assert!(!run.client.context().negotiated().unwrap().proved);
    assert!(run.server.context().negotiated().unwrap().proved);
}

/// §5 c IV: the optimistic token is the last, and the acceptor wants the list proved.
#[test]
fn an_only_token_is_answered_by_the_acceptors_mic_where_it_prefers_another_mechanism() {
    let lab = Lab::new();
    let i = initiator([Box::new(lab.kerberos().one_way())]);
    let server = [
        Box::new(lab.toy_acceptor(2)) as Box<dyn Mechanism>,
        Box::new(lab.kerberos_acceptor()),
    ];
    let mut run = run(i, acceptor(server));
    let first = run.response(1);
    assert_eq!(first.neg_state, Some(NegState::RequestMic));
    assert!(first.mech_list_mic.is_some() && first.response_token.is_none());
    assert_eq!(state(&run, 2), Some(NegState::AcceptCompleted));
    assert_eq!(run.sent.len(), 3);
    assert!(run.proved());
    run.talk();
}

/// An acceptor that is not done although its mechanism is waits for the initiator's MIC.
#[test]
fn initiator_proves_the_list_to_an_acceptor_that_does_not_say_that_it_is_done() {
    let lab = Lab::new();
    let mut client = Side::new(initiator([Box::new(lab.kerberos())]), 3);
    let mut server = Side::new(lab.kerberos_acceptor(), 4);
    let first = client.sends(None);
    let first = countersign_context::token::spnego::NegTokenInit::parse(&first).unwrap();
    let reply = server.sends(first.mech_token);
    let waiting = choice(NegState::AcceptIncomplete, Oid::KERBEROS, Some(&reply));
    let mic = client.sends(Some(&waiting));
    let mic = NegTokenResp::parse(&mic)
        .unwrap()
        .mech_list_mic
        .unwrap()
        .to_vec();
    let list = first.mech_types.as_bytes();
    server.context().verify_mic(list, &mic).unwrap();
    // It may answer with a MIC, or not.
    let own = server.context().get_mic(list).unwrap();
    let done = Some(NegState::AcceptCompleted);
    assert_eq!(client.step(Some(&response(done, None, Some(&own)))), None);
    assert!(client.context().negotiated().unwrap().proved);
}

#[test]
fn a_mechanism_without_integrity_goes_unproved_as_first_choice_and_not_at_all_as_another() {
    let lab = Lab::new();
    let weak = |legs| {
        (
            Box::new(lab.toy(legs).without_integrity()),
            lab.toy_acceptor(legs),
        )
    };
    for legs in 1..5 {
        let (t, a) = weak(legs);
        let a = acceptor([
            Box::new(lab.kerberos_acceptor()),
            Box::new(a.without_integrity()),
        ]);
        let mut run = run(initiator([t]), a);
        assert_eq!(run.mechanism(), toy::oid());
        assert!(!run.proved());

        let (t, a) = weak(legs);
        let run = crate::lab::run(
            initiator([Box::new(lab.kerberos()), t]),
            acceptor([Box::new(a.without_integrity())]),
        );
        let unprotected = ErrorKind::Negotiation(NegotiationProblem::Unprotected);
        let refused = match run.client.ended {
            Some(Err(error)) => error.kind() == unprotected,
            _ => false,
        };
        let noticed = match run.server.ended {
            Some(Err(error)) => error.kind() == unprotected,
            Some(Ok(_)) => false,
            None => true,
        };
        assert!(refused || noticed, "{legs}");
    }
}

/// A MIC whose key anybody knows proves nothing, and pyspnego sends one all the same.
#[test]
fn a_mic_of_a_context_without_integrity_counts_for_nothing() {
    let lab = Lab::new();
    let policy = Policy::default().with_anonymous_initiators(true);
    let anonymous = countersign_context::ntlm::Initiator::anonymous();
    let (i, a) = (
        initiator([Box::new(anonymous)]),
        acceptor([Box::new(lab.ntlm_acceptor())]),
    );
    let server = Side::new(a, 4).with_policy(policy);
    let mut run = run_between(Side::new(i, 3), server, &mut |_, token| vec![token]);
    assert!(!run.proved());
    assert!(!run.client.context().flags().contains(Flags::INTEGRITY));

    let anonymous = countersign_context::ntlm::Initiator::anonymous();
    let mut raw = Side::new(anonymous, 3);
    let list = list(&[Oid::NTLMSSP]);
    let a = acceptor([Box::new(lab.ntlm_acceptor())]);
    let mut server = Side::new(a, 4).with_policy(Policy::default().with_anonymous_initiators(true));
    let negotiate = raw.sends(None);
    let answer = server.sends(Some(&init(&list, Some(&negotiate))));
    let challenge = NegTokenResp::parse(&answer)
        .unwrap()
        .response_token
        .unwrap();
    let authenticate = raw.sends(Some(challenge));
    let forged = response(None, Some(&authenticate), Some(&[1; 16]));
    server.sends(Some(&forged));
    assert!(!server.context().negotiated().unwrap().proved);
}

/// In DCE style the acceptor has the key before it is done. Its MIC may come then, and comes once.
#[test]
fn a_mic_may_come_as_soon_as_there_is_a_key_and_not_twice() {
    let lab = Lab::new();
    for repeated in [false, true] {
        let dce: Box<dyn Mechanism> = Box::new(lab.kerberos().dce_style());
        let mut client = Side::new(initiator([Box::new(lab.ntlm()), dce]), 3);
        let mut server = Side::new(lab.kerberos_acceptor(), 4);
        let first = client.sends(None);
        let first = countersign_context::token::spnego::NegTokenInit::parse(&first).unwrap();
        let list = first.mech_types.as_bytes();
        let request = client.sends(Some(&choice(NegState::RequestMic, Oid::KERBEROS, None)));
        let request = NegTokenResp::parse(&request).unwrap();
        let reply = server.sends(request.response_token);
        let mic = crate::fields::signed(&server.session_key().unwrap(), list);
        let state = Some(NegState::AcceptIncomplete);
        let third = client.sends(Some(&response(state, Some(&reply), Some(&mic))));
        let third = NegTokenResp::parse(&third).unwrap();
        server.step(third.response_token);
        let proof = third.mech_list_mic.unwrap();
        server.context().verify_mic(list, proof).unwrap();
        let again = Some(&mic[..]).filter(|_| repeated);
        let end = response(Some(NegState::AcceptCompleted), None, again);
        if repeated {
            let kind = client.refuses(&end).kind();
            let twice = NegotiationProblem::MicRepeated;
            assert_eq!(kind, ErrorKind::Negotiation(twice));
        } else {
            assert_eq!(client.step(Some(&end)), None);
            assert!(client.context().negotiated().unwrap().proved);
        }
    }
}
