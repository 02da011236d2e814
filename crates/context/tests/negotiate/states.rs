//! Steps at the wrong time, and what broke the implementations before this one.

use countersign_context::kerberos::kdc::KdcAnswer;
use countersign_context::token::oid::Oid;
use countersign_context::token::spnego::{NegState, NegTokenInit, NegTokenResp};
use countersign_context::{
    Answer, ErrorKind, MajorStatus, Mechanism, NegotiationProblem, Policy, ReplayVerdict,
    SspiStatus, Step, ntlm,
};

use crate::foreign::{Fed, choice, init, list, response};
use crate::lab::{Lab, Side, acceptor, initiator};
use crate::scenarios::{ALL, Scenario};

fn problem(problem: NegotiationProblem) -> ErrorKind {
    ErrorKind::Negotiation(problem)
}

fn boxed(mechanism: impl Mechanism) -> Box<dyn Mechanism> {
    Box::new(mechanism)
}

/// Both sides after so many messages, and the next one.
fn stopped(lab: &Lab, scenario: &Scenario, after: usize) -> (Side, Side, Vec<u8>) {
    let mut run = scenario.run(lab, 3, &mut |number, token| match number < after {
        true => vec![token],
        false => vec![],
    });
    let next = run.sent.pop().unwrap();
    (run.client, run.server, next)
}

/// CVE-2014-4343: the acceptor picks another mechanism, which then fails.
#[test]
fn a_counter_proposal_then_an_error_then_more_steps_then_nothing() {
    let lab = Lab::new();
    for scenario in ALL.iter().filter(|scenario| scenario.legs > 3) {
        for at in (1..scenario.legs).step_by(2) {
            let (mut client, _, next) = stopped(&lab, scenario, at);
            let garbage = response(Some(NegState::AcceptIncomplete), Some(b"garbage"), None);
            let error = client.refuses(&garbage);
            assert_eq!(client.call(Some(&next)).unwrap_err(), error);
            let answer = Answer::Replay(ReplayVerdict::Fresh);
            assert_eq!(client.answer(answer).unwrap_err(), error);
        }
    }
    // A second counter-proposal is none.
    let offer = [boxed(lab.kerberos()), boxed(lab.ntlm()), boxed(lab.toy(2))];
    let mut client = Side::new(initiator(offer), 3);
    client.sends(None);
    client.sends(Some(&choice(NegState::RequestMic, Oid::NTLMSSP, None)));
    for again in [Oid::KERBEROS, crate::toy::oid()] {
        let again = choice(NegState::RequestMic, again, None);
        let kind = client.refuses(&again).kind();
        assert_eq!(kind, problem(NegotiationProblem::UnexpectedState));
    }
}

/// CVE-2014-4344: an empty second token; here at every state, with the honest one as the control.
#[test]
fn empty_tokens_and_messages_are_refused_at_every_state() {
    let lab = Lab::new();
    let mut tried = 0;
    for scenario in &ALL {
        for at in 0..scenario.legs {
            let states = [
                None,
                Some(NegState::AcceptIncomplete),
                Some(NegState::AcceptCompleted),
            ];
            for state in states {
                let nothing = response(state, None, None);
                let empty = response(state, Some(b""), None);
                let no_mic = response(state, None, Some(b""));
                let both = response(state, Some(b""), Some(b""));
                for message in [b"".to_vec(), nothing, empty, no_mic, both] {
                    let (client, server, _) = stopped(&lab, scenario, at);
                    let mut side = if at % 2 == 0 { server } else { client };
                    let name = scenario.name;
                    side.step(Some(&message));
                    // An initiator whose mechanism is done, and whose list needs no proof, is told
                    // by a bare state that the acceptor is done too; or else proves its list.
                    let last = at + 1 == scenario.legs && at % 2 == 1;
                    assert!(
                        last || matches!(side.ended, Some(Err(_))),
                        "{name} {at} {message:x?}"
                    );
                    let waits = state == Some(NegState::AcceptIncomplete);
                    assert!(waits || !side.is_pending(), "{name} {at} {message:x?}");
                    tried += 1;
                }
            }
            let (client, server, next) = stopped(&lab, scenario, at);
            let mut side = if at % 2 == 0 { server } else { client };
            side.step(Some(&next));
            assert!(!matches!(side.ended, Some(Err(_))));
        }
    }
    assert_eq!(tried, 750);
}

/// CVE-2021-44758: Heimdal's acceptor dereferenced what it had not chosen.
#[test]
fn an_offer_of_nothing_acceptable_is_answered_by_a_reject() {
    let lab = Lab::new();
    let other = Oid::from_contents(b"\x2a\x03").unwrap();
    let lists = [
        &[other][..],
        &[Oid::NEGOEX],
        &[Oid::SPNEGO, other],
        &[Oid::IAKERB; 32],
    ];
    for offered in lists {
        for token in [None, Some(&b""[..]), Some(b"token")] {
            let mut server = Side::new(acceptor([boxed(lab.kerberos_acceptor())]), 4);
            let error = server.refuses(&init(&list(offered), token));
            assert_eq!(error.kind(), problem(NegotiationProblem::NothingInCommon));
            assert_eq!(error.major(), MajorStatus::GSS_S_BAD_MECH);
            let told = NegTokenResp::parse(error.token().unwrap()).unwrap();
            let reject = NegTokenResp {
                neg_state: Some(NegState::Reject),
                ..NegTokenResp::default()
            };
            assert_eq!(told, reject);

            let mut client = Side::new(initiator([boxed(lab.kerberos())]), 3);
            client.sends(None);
            let error = client.refuses(error.token().unwrap());
            assert_eq!(error.kind(), problem(NegotiationProblem::Rejected));
            assert_eq!(error.status(), SspiStatus::SEC_E_LOGON_DENIED);
        }
    }
    let ok = init(&list(&[other, Oid::KERBEROS]), None);
    let mut server = Side::new(acceptor([boxed(lab.kerberos_acceptor())]), 4);
    server.sends(Some(&ok));
}

/// CVE-2017-11462: a step that failed, then more of them. Every refusal in these tests is repeated too.
#[test]
fn a_side_that_failed_says_so_to_everything_and_a_side_that_is_done_too() {
    let lab = Lab::new();
    for scenario in &ALL {
        let honest = scenario.honest(&lab, 3);
        for at in 0..scenario.legs {
            let (client, server, next) = stopped(&lab, scenario, at);
            let mut side = if at % 2 == 0 { server } else { client };
            let error = side.refuses(b"garbage");
            assert!(matches!(error.kind(), ErrorKind::DefectiveToken(_)));
            for token in honest.sent.iter().chain([&next]) {
                assert_eq!(side.call(Some(token)).unwrap_err(), error);
            }
            let answer = Answer::Replay(ReplayVerdict::Fresh);
            assert_eq!(side.answer(answer).unwrap_err(), error);
        }
        let (mut client, mut server) = (honest.client, honest.server);
        for side in [&mut client, &mut server] {
            for token in honest.sent.iter().map(Some).chain([None]) {
                let over = side.call(token.map(|token| &token[..])).unwrap_err();
                assert_eq!(over.kind(), ErrorKind::AlreadyEstablished);
            }
            let over = side
                .answer(Answer::Replay(ReplayVerdict::Fresh))
                .unwrap_err();
            assert_eq!(over.kind(), ErrorKind::AlreadyEstablished);
        }
    }
}

#[test]
fn an_answer_that_nothing_asked_for_changes_nothing() {
    let lab = Lab::new();
    for scenario in &ALL {
        for at in 0..scenario.legs {
            let (mut client, mut server, next) = stopped(&lab, scenario, at);
            for side in [&mut client, &mut server] {
                if !side.is_pending() {
                    continue;
                }
                let unasked = side
                    .answer(Answer::Kdc(KdcAnswer::Unreachable))
                    .unwrap_err();
                assert_eq!(unasked.kind(), ErrorKind::UnexpectedCall);
            }
            let mut side = if at % 2 == 0 { server } else { client };
            side.step(Some(&next));
            assert!(
                !matches!(side.ended, Some(Err(_))),
                "{} {at}",
                scenario.name
            );
        }
    }
    let mut fresh = Side::new(initiator([boxed(lab.kerberos())]), 3);
    let unasked = fresh
        .answer(Answer::Kdc(KdcAnswer::Unreachable))
        .unwrap_err();
    assert_eq!(unasked.kind(), ErrorKind::UnexpectedCall);
    fresh.sends(None);
}

#[test]
fn a_step_or_a_foreign_answer_while_one_is_due_changes_nothing() {
    let lab = Lab::new();
    let names = ntlm::ServerNames::new("WWW", "EXAMPLE").unwrap();
    let credential = ntlm::AcceptorCredential::new(names);
    let server = || acceptor([boxed(ntlm::Acceptor::new(&credential))]);
    let knows = |need: &countersign_context::Need| match need {
        countersign_context::Need::Logon(request) => {
            let users = b"EXAMPLE:alice:open sesame\n";
            let users = countersign_context::credential::ntlm::Users::parse(users).unwrap();
            let (account, hash) = users.find(request.domain(), request.user()).unwrap();
            Answer::Logon(ntlm::Logon::NtHash {
                account: account.clone(),
                hash: hash.duplicate(),
            })
        }
        need => panic!("{need:?}"),
    };
    let client = Side::new(initiator([boxed(lab.ntlm())]), 3);
    let server_side = Side::new(server(), 4).answering(knows);
    // `Side::step` tries a step before each answer. The MIC that came with the last token is kept.
    let mut run = crate::lab::run_between(client, server_side, &mut |_, token| vec![token]);
    assert_eq!(run.server.asked, 1);
    assert!(run.proved());
    run.talk();

    let client = Side::new(initiator([boxed(lab.ntlm())]), 3);
    let mut held = crate::lab::run_between(client, Side::new(server(), 4), &mut |number, token| {
        if number < 2 { vec![token] } else { vec![] }
    });
    let authenticate = held.sent.pop().unwrap();
    let Ok(Step::Need(need)) = held.server.call(Some(&authenticate)) else {
        panic!("nobody is asked")
    };
    let wrong = held
        .server
        .answer(Answer::Replay(ReplayVerdict::Fresh))
        .unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::UnexpectedCall);
    let Ok(Step::Established { context, .. }) = held.server.answer(knows(&need)) else {
        panic!("not established")
    };
    assert!(context.negotiated().unwrap().proved);
}

#[test]
fn a_side_that_has_begun_needs_a_token() {
    let lab = Lab::new();
    let mut client = Side::new(initiator([boxed(lab.kerberos())]), 3);
    client.sends(None);
    assert_eq!(client.step(None), None);
    assert_eq!(client.error().kind(), ErrorKind::TokenMissing);

    let mut server = Side::new(acceptor([boxed(lab.ntlm_acceptor())]), 4);
    let mut raw = Side::new(lab.ntlm(), 3);
    let first = init(&list(&[Oid::NTLMSSP]), Some(&raw.sends(None)));
    server.sends(Some(&first));
    assert_eq!(server.step(None), None);
    assert_eq!(server.error().kind(), ErrorKind::TokenMissing);
}

#[test]
fn a_first_message_in_the_middle_is_refused_by_both_sides() {
    let lab = Lab::new();
    for scenario in ALL.iter().filter(|scenario| scenario.legs > 2) {
        for at in 1..scenario.legs {
            let (client, server, _) = stopped(&lab, scenario, at);
            let mut side = if at % 2 == 0 { server } else { client };
            let first = &scenario.honest(&lab, 3).sent[0];
            let kind = side.refuses(first).kind();
            assert_eq!(kind, problem(NegotiationProblem::UnexpectedState));
        }
    }
}

#[test]
fn messages_over_the_limit_are_refused_before_they_are_looked_at() {
    let lab = Lab::new();
    let scenario = &ALL[7];
    for at in 0..scenario.legs {
        let (client, server, next) = stopped(&lab, scenario, at);
        let mut side = if at % 2 == 0 { server } else { client };
        side.policy = Policy::default().with_max_token(next.len() - 1);
        let kind = side.refuses(&next).kind();
        let (length, limit) = (next.len(), next.len() - 1);
        assert_eq!(kind, ErrorKind::TokenTooLarge { length, limit });
        let (client, server, next) = stopped(&lab, scenario, at);
        let mut side = if at % 2 == 0 { server } else { client };
        side.policy = Policy::default().with_max_token(next.len());
        side.step(Some(&next));
        assert!(!matches!(side.ended, Some(Err(_))));
    }
    // A hint is a message too.
    let mut server = Side::new(acceptor([boxed(lab.kerberos_acceptor())]), 4);
    let hint = server.sends(None);
    for (spare, taken) in [(0, true), (1, false)] {
        let policy = Policy::default().with_max_token(hint.len() - spare);
        let client = initiator([boxed(lab.kerberos())]);
        let mut client = Side::new(client, 3).with_policy(policy);
        assert_eq!(client.step(Some(&hint)).is_some(), taken);
    }
}

#[test]
fn a_side_that_offers_nothing_says_so() {
    let mut client = Side::new(countersign_context::negotiate::Initiator::new(), 3);
    assert_eq!(client.step(None), None);
    assert_eq!(
        client.error().kind(),
        problem(NegotiationProblem::NothingOffered)
    );
    assert_eq!(client.error().status(), SspiStatus::SEC_E_NO_CREDENTIALS);
    let mut server = Side::new(countersign_context::negotiate::Acceptor::new(), 4);
    assert_eq!(server.step(None), None);
    assert_eq!(
        server.error().kind(),
        problem(NegotiationProblem::NothingOffered)
    );
    let mut server = Side::new(countersign_context::negotiate::Acceptor::new(), 4);
    let kind = server.refuses(&init(&list(&[Oid::KERBEROS]), None)).kind();
    assert_eq!(kind, problem(NegotiationProblem::NothingInCommon));
}

/// CVE-2015-2695: what is asked of a context that is not there yet.
#[test]
fn the_session_key_is_there_as_soon_as_the_mechanism_has_it_and_not_before() {
    let lab = Lab::new();
    let mut random = countersign_testkit::SeededRandom::new(3);
    let now = countersign_context::Timestamp::from_unix(countersign_testkit::NOW);
    let mut env = countersign_context::Environment::new(now, &mut random);
    let mut client = initiator([boxed(lab.ntlm())]);
    assert!(client.session_key().is_none());
    let Ok(Step::Continue { token }) = client.step(None, &mut env) else {
        panic!("no token")
    };
    assert!(client.session_key().is_none());
    let first = NegTokenInit::parse(&token)
        .unwrap()
        .mech_token
        .unwrap()
        .to_vec();
    let challenge = Side::new(lab.ntlm_acceptor(), 4).sends(Some(&first));
    let reply = choice(NegState::AcceptIncomplete, Oid::NTLMSSP, Some(&challenge));
    let Ok(Step::Continue { .. }) = client.step(Some(&reply), &mut env) else {
        panic!("no token")
    };
    // SMB signs with it from here on.
    assert_eq!(client.session_key().unwrap().expose().len(), 16);
    let end = response(Some(NegState::AcceptCompleted), None, None);
    let Ok(Step::Established { .. }) = client.step(Some(&end), &mut env) else {
        panic!("not established")
    };
    assert!(client.session_key().is_none());
}
