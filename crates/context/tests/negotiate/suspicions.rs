//! What an attacker would try beside editing lists and states: proofs used again, one mechanism's
//! tokens under another's name, mechanisms that misbehave, contexts moved in the middle.

use std::panic::{AssertUnwindSafe, catch_unwind};

use countersign_context::kerberos::{Acceptor as Kerberos, AcceptorCredential, IakerbAcceptor};
use countersign_context::negotiate::RawTokens;
use countersign_context::token::ntlm::{ChallengeMessage, NegotiateFlags};
use countersign_context::token::oid::Oid;
use countersign_context::token::spnego::{NegState, NegTokenInit};
use countersign_context::{
    Answer, Environment, Error, ErrorKind, Flags, Mechanism, MicPolicy, NegotiationProblem,
    NtlmPolicy, Policy, SecurityContext, Step, Timestamp,
};
use countersign_testkit::SeededRandom;

use crate::foreign::{Fed, choice, edited, init, list, response};
use crate::lab::{Lab, SERVICE, Side, acceptor, initiator, run, run_between};
use crate::scenarios::ALL;
use crate::toy;

fn boxed(mechanism: impl Mechanism) -> Box<dyn Mechanism> {
    Box::new(mechanism)
}

fn problem(problem: NegotiationProblem) -> ErrorKind {
    ErrorKind::Negotiation(problem)
}

/// The proof is a message's MIC, under the keys of messages. Whoever saw it has no message of it.
#[test]
fn a_proof_of_the_list_is_no_message_afterwards() {
    let lab = Lab::new();
    let strict = Flags::INTEGRITY | Flags::REPLAY;
    let kerberos = initiator([boxed(lab.ntlm()), boxed(lab.kerberos().require(strict))]);
    let mut runs = vec![run(kerberos, acceptor([boxed(lab.kerberos_acceptor())]))];
    runs.extend([6, 7, 10, 11].map(|scenario| ALL[scenario].honest(&lab, 3)));
    for mut run in runs {
        assert!(run.proved());
        let list = run.init(0).mech_types.as_bytes().to_vec();
        let mut replayed = 0;
        for number in 1..run.sent.len() {
            let Some(mic) = run.response(number).mech_list_mic.map(<[u8]>::to_vec) else {
                continue;
            };
            let (from, to) = match number % 2 {
                1 => (&mut run.server, &mut run.client),
                _ => (&mut run.client, &mut run.server),
            };
            for receiver in [to.context(), from.context()] {
                assert!(receiver.verify_mic(&list, &mic).is_err(), "{number}");
            }
            let message = from.context().get_mic(&list).unwrap();
            to.context().verify_mic(&list, &message).unwrap();
            replayed += 1;
        }
        assert_eq!(replayed, 2);
    }
}

/// RFC 4178 §3.2: the optimistic token is the first mechanism's. What stands under its name and is
/// another's makes nobody of anybody. Kerberos and user-to-user are one here: one key, one identity.
#[test]
fn a_token_under_another_mechanisms_name_establishes_nothing() {
    let lab = Lab::new();
    let bob = lab.realm.ticket_granting_ticket("bob").mint().unwrap();
    let keytab = lab.realm.keytab(&[SERVICE]).unwrap();
    let credential = AcceptorCredential::new(&keytab).with_user_to_user(bob);
    let names = [
        Oid::KERBEROS,
        Oid::MS_KERBEROS,
        Oid::KERBEROS_USER_TO_USER,
        Oid::IAKERB,
        Oid::NTLMSSP,
        toy::oid(),
    ];
    let mut established = Vec::new();
    // Each token is made at another time: none is a replay.
    let mut seed = 10;
    for name in names {
        for (of, mechanism) in [
            (Oid::KERBEROS, boxed(lab.kerberos().one_way())),
            (Oid::NTLMSSP, boxed(lab.ntlm())),
            (toy::oid(), boxed(lab.toy(2))),
        ] {
            seed += 1;
            let mut client = Side::new(initiator([mechanism]), seed);
            let first = client.sends(None);
            let first = NegTokenInit::parse(&first).unwrap();
            let mut server = Side::new(
                acceptor([
                    boxed(Kerberos::new(&credential)),
                    boxed(IakerbAcceptor::new(Kerberos::new(&credential))),
                    boxed(lab.ntlm_acceptor()),
                    boxed(lab.toy_acceptor(2)),
                ]),
                4,
            );
            server.step(Some(&init(&list(&[name]), first.mech_token)));
            if let Some(Ok(context)) = &server.ended {
                assert_eq!(context.mechanism(), of);
                established.push((name, of));
            }
        }
    }
    // The toy is not what this acceptor likes best: its list is not proved yet.
    let kerberos = Oid::KERBEROS;
    let expected = [
        (kerberos, kerberos),
        (Oid::MS_KERBEROS, kerberos),
        (Oid::KERBEROS_USER_TO_USER, kerberos),
    ];
    assert_eq!(established, expected);
}

/// Whoever is between clears NTLM's flags for signatures, so that no list can be proved: the initiator
/// ends before its response is out, also where the acceptor's policy goes without NTLM's MIC.
#[test]
fn a_challenge_without_signing_gets_no_response_where_the_list_must_be_proved() {
    let lab = Lab::new();
    let lenient = NtlmPolicy::default().with_mic(MicPolicy::IfPresent);
    let lenient = Policy::default().with_ntlm(lenient);
    for cleared in [false, true] {
        let offer = initiator([boxed(lab.kerberos()), boxed(lab.ntlm())]);
        let server = acceptor([boxed(lab.ntlm_acceptor())]);
        let between = &mut |number, token: Vec<u8>| {
            if number != 3 || !cleared {
                return vec![token];
            }
            vec![edited(&token, |response| {
                let message = response.response_token.unwrap();
                let mut challenge = ChallengeMessage::parse(message).unwrap();
                challenge.flags = challenge.flags.without(
                    NegotiateFlags::NEGOTIATE_SIGN
                        | NegotiateFlags::NEGOTIATE_SEAL
                        | NegotiateFlags::KEY_EXCH,
                );
                let message = challenge.to_bytes().unwrap();
                response.response_token = Some(message.leak());
            })]
        };
        let server = Side::new(server, 4).with_policy(lenient.clone());
        let mut run = run_between(Side::new(offer, 3), server, between);
        if !cleared {
            assert!(run.proved());
            continue;
        }
        let unprotected = problem(NegotiationProblem::Unprotected);
        assert_eq!(run.client.error().kind(), unprotected);
        let authenticate = b"NTLMSSP\0\x03";
        let said = run.sent.concat();
        assert!(!said.windows(9).any(|part| part == authenticate));
    }
}

/// An acceptor that goes without NTLM's MIC does not see that Kerberos was taken out of the list, as
/// decision 13 says. The initiator does, whatever is said to it.
#[test]
fn a_lenient_acceptor_lets_no_initiator_be_downgraded() {
    let lab = Lab::new();
    let lenient = NtlmPolicy::default().with_mic(MicPolicy::IfPresent);
    let lenient = Policy::default().with_ntlm(lenient);
    let completed = Some(NegState::AcceptCompleted);
    for state in [None, completed, Some(NegState::AcceptIncomplete)] {
        for without_mic in [false, true] {
            let offer = initiator([boxed(lab.kerberos()), boxed(lab.ntlm())]);
            let server = acceptor([boxed(lab.kerberos_acceptor()), boxed(lab.ntlm_acceptor())]);
            let between = &mut |number, token: Vec<u8>| {
                vec![match number {
                    // Kerberos is gone, and its token with it.
                    0 => init(&list(&[Oid::NTLMSSP]), None),
                    1 => choice(NegState::RequestMic, Oid::NTLMSSP, None),
                    number if number % 2 == 1 => edited(&token, |response| {
                        if response.response_token.is_none() {
                            response.neg_state = state;
                        }
                        if without_mic {
                            response.mech_list_mic = None;
                        }
                    }),
                    _ => token,
                }]
            };
            let server = Side::new(server, 4).with_policy(lenient.clone());
            let run = run_between(Side::new(offer, 3), server, between);
            assert!(!run.client.is_established());
            assert!(run.sent.len() > 4, "ended before the proof was due");
        }
    }
}

/// A program's own mechanism that does not keep to the rules of [`Mechanism`].
#[derive(Debug)]
struct Careless {
    name: Oid<'static>,
    steps: usize,
    panics: bool,
}

impl Mechanism for Careless {
    fn mechanism(&self) -> Oid<'static> {
        self.name
    }

    fn step(&mut self, token: Option<&[u8]>, _: &mut Environment<'_>) -> Result<Step, Error> {
        assert!(token.is_none_or(|token| token.len() < 60_000), "not asked");
        self.steps += 1;
        match self.steps {
            2 if self.panics => panic!("a mechanism's own defect"),
            2 => Err(ErrorKind::Custom("once").into()),
            _ => Ok(Step::Continue { token: vec![1] }),
        }
    }

    fn resume(&mut self, _: Answer, _: &mut Environment<'_>) -> Result<Step, Error> {
        Err(ErrorKind::UnexpectedCall.into())
    }
}

fn careless(panics: bool) -> Careless {
    Careless {
        name: Oid::NTLMSSP,
        steps: 0,
        panics,
    }
}

/// A first and a second token, without negotiation and with.
fn forms() -> [(Vec<u8>, Vec<u8>); 2] {
    let raw = b"NTLMSSP\0\x01".to_vec();
    let first = init(&list(&[Oid::NTLMSSP]), Some(&raw));
    let state = Some(NegState::AcceptIncomplete);
    let second = response(state, Some(&raw), None);
    [(raw.clone(), raw), (first, second)]
}

fn careless_acceptor(panics: bool) -> Side {
    let server = acceptor([boxed(careless(panics))]).accept_raw(RawTokens::ALL);
    Side::new(server, 4)
}

/// [`Mechanism`]: after an error nothing restarts. Negotiate holds that, whether its mechanisms do or not.
#[test]
fn a_mechanism_that_goes_on_after_its_error_does_not_take_the_negotiation_along() {
    for (first, second) in forms() {
        let mut server = careless_acceptor(false);
        server.sends(Some(&first));
        let error = server.refuses(&second);
        assert_eq!(error.kind(), ErrorKind::Custom("once"));
        let unasked = Answer::Replay(countersign_context::ReplayVerdict::Fresh);
        assert_eq!(server.answer(unasked).unwrap_err(), error);
    }
}

/// The limit holds before a mechanism sees the token, without negotiation too.
#[test]
fn a_token_over_the_limit_reaches_no_mechanism() {
    for (first, _) in forms() {
        let mut server = careless_acceptor(false);
        server.sends(Some(&first));
        let kind = server.refuses(&vec![b'N'; 70_000]).kind();
        let length = 70_000;
        let limit = Policy::default().max_token();
        assert_eq!(kind, ErrorKind::TokenTooLarge { length, limit });
    }
}

/// A panic that somebody catches leaves a side that is over.
#[test]
fn a_mechanism_that_panics_leaves_nothing_to_go_on_with() {
    for (first, second) in forms() {
        let mut server = careless_acceptor(true);
        server.sends(Some(&first));
        let step = AssertUnwindSafe(|| server.call(Some(&second)).is_ok());
        assert!(catch_unwind(step).is_err());
        let kind = server.call(Some(&second)).unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::Internal(_)), "{kind:?}");
    }
}

/// What could not begin is not in the list, and so cannot be chosen.
#[test]
fn nobody_chooses_what_was_given_up() {
    let lab = Lab::new();
    let offer = [boxed(lab.kerberos_without_kdc()), boxed(lab.ntlm())];
    let mut client = Side::new(initiator(offer), 3);
    client.sends(None);
    let chosen = choice(NegState::RequestMic, Oid::KERBEROS, None);
    let not_offered = problem(NegotiationProblem::NotOffered);
    assert_eq!(client.refuses(&chosen).kind(), not_offered);
    // Control: where it can begin it can be chosen.
    let offer = [boxed(lab.ntlm()), boxed(lab.kerberos())];
    let mut client = Side::new(initiator(offer), 3);
    client.sends(None);
    client.sends(Some(&chosen));
}

/// Exported as soon as it is there, with its last token still to be sent: what follows is in its
/// order, and NTLM's key streams are where the proof left them.
#[test]
fn contexts_go_on_after_they_were_moved_at_once() {
    let lab = Lab::new();
    let mut random = SeededRandom::new(9);
    let mut env = Environment::new(Timestamp::from_unix(countersign_testkit::NOW), &mut random);
    for scenario in &ALL[..9] {
        let mut run = scenario.honest(&lab, 3);
        for side in [&mut run.client, &mut run.server] {
            let context = side.ended.take().unwrap().unwrap();
            let exported = context.export().unwrap();
            let imported = SecurityContext::import(&exported, &mut env).unwrap();
            // That the list was proved is nobody's word after the move.
            assert!(imported.negotiated().is_none());
            side.ended = Some(Ok(Box::new(imported)));
        }
        assert_eq!(run.mechanism(), (scenario.mechanism)());
        run.talk();
    }
}
