//! Weak responses, which are neither taken nor sent until somebody names them.

use countersign_context::credential::ServiceName;
use countersign_context::crypto::ntlm::{Direction, NtHash, SessionKey, Strength, v1};
use countersign_context::ntlm::{
    Acceptor, AcceptorCredential, Initiator, Logon, MachineId, TargetNamePolicy,
};
use countersign_context::token::ntlm::{AuthenticateMessage, ChallengeMessage};
use countersign_context::{
    Answer, ChannelBindings, Environment, Error, ErrorKind, Flags, Mechanism, MicPolicy, Need,
    NtlmProblem, Policy, SecurityContext, Step,
};

use crate::forger::{BASE, F, Forged, Forger, Mic, Response, SEALED};
use crate::support::*;
use crate::vectors::{CLIENT_CHALLENGE, THEN, example, hex, plaintext, user};
use crate::wire::Wire;

const OURS: [u8; 8] = *b"client!!";

/// Everything that has to be named.
fn named() -> Policy {
    policy(|ntlm| ntlm.with_dangerous_v1(true).with_mic(MicPolicy::IfPresent))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    SessionResponse,
    LmV2,
}

const FORMS: [Form; 2] = [Form::SessionResponse, Form::LmV2];

/// The last message of an exchange, made by the primitives alone, and SessionBaseKey.
fn weak_answer(
    form: Form,
    user: &str,
    password: &str,
    offered: F,
    negotiate: &[u8],
    challenge: &[u8],
) -> (Forged, SessionKey) {
    let hash = NtHash::from_password(password);
    let server = ChallengeMessage::parse(challenge).unwrap().server_challenge;
    let (nt, lm, base, key) = match form {
        Form::SessionResponse => {
            let nt = v1::ntlm2_session_response(&hash, &server, &OURS).to_vec();
            let mut lm = [0; 24];
            lm[..8].copy_from_slice(&OURS);
            let base = v1::session_base_key(&hash);
            let key = v1::extended_key_exchange_key(&base, &server, &lm);
            (nt, lm, base, key)
        }
        Form::LmV2 => {
            let key = hash.response_key(user.chars(), "EXAMPLE".chars());
            let lm = key.lm_v2_response(&server, &OURS);
            let base = key.session_base_key(lm.first_chunk().unwrap());
            (Vec::new(), lm, base.duplicate(), base)
        }
    };
    let forger = Forger {
        user: user.into(),
        mic: Mic::Cleared,
        response: Response::Bytes(nt, *key.expose()),
        lm_response: lm.to_vec(),
        ..Forger::alice(offered)
    };
    (forger.authenticate(negotiate, challenge), base)
}

/// What an acceptor makes of a weak response that `alter` may have spoiled.
fn accept(
    form: Form,
    acceptor: Acceptor,
    policy: &Policy,
    alter: impl FnOnce(&mut Vec<u8>),
) -> Result<SecurityContext, Error> {
    let mut acceptor = acceptor;
    let mut world = World::new(4).with_policy(policy);
    let negotiate = Forger::alice(SEALED).negotiate();
    let challenge = world.go_on(&mut acceptor, Some(&negotiate));
    let (forged, _) = weak_answer(form, "alice", PASSWORD, SEALED, &negotiate, &challenge);
    let mut token = forged.token;
    alter(&mut token);
    world
        .step(&mut acceptor, Some(&token))
        .map(|step| last(step).1)
}

#[test]
fn weak_responses_are_refused_until_they_and_the_missing_mic_are_named() {
    for form in FORMS {
        let judge = |policy: &Policy| accept(form, Acceptor::new(&server()), policy, |_| {});
        for (policy, problem) in [
            (Policy::DEFAULT, NtlmProblem::ResponseRefused),
            (mic_if_present(), NtlmProblem::ResponseRefused),
            (
                policy(|ntlm| ntlm.with_dangerous_v1(true)),
                NtlmProblem::MicMissing,
            ),
        ] {
            assert_eq!(why(judge(&policy)), ErrorKind::Ntlm(problem));
            // Nobody is even asked about them.
            let asking = Acceptor::new(&AcceptorCredential::new(names()));
            let refused = accept(form, asking, &policy, |_| {});
            assert_eq!(why(refused), ErrorKind::Ntlm(problem));
        }
        let context = judge(&named()).unwrap();
        assert_eq!(context.peer().unwrap().to_string(), "EXAMPLE\\alice");
    }
    // NTLMv2 is taken as ever.
    run(Initiator::new(alice()), Acceptor::new(&server()), &named()).unwrap();
}

/// The rule of the great matrix, where there is no MIC: the password, and nothing but the password.
#[test]
fn every_cell_of_the_weak_matrix_is_as_the_rule_has_it() {
    let levels = [
        SEALED,
        SEALED.without(F::NEGOTIATE_SEAL),
        BASE,
        SEALED.without(F::KEY_EXCH),
    ];
    let (mut cells, mut accepted) = (0, 0);
    for form in FORMS {
        for (user, password) in [
            ("alice", PASSWORD),
            ("alice", "open sesamo"),
            ("mallory", PASSWORD),
        ] {
            for offered in levels {
                for replayed in [false, true] {
                    for judge in ["own", "store", "controller"] {
                        let credential = match judge {
                            "own" => server(),
                            _ => AcceptorCredential::new(names()),
                        };
                        let negotiate = Forger::alice(offered).negotiate();
                        let challenge = |seed| {
                            let mut acceptor = Acceptor::new(&credential);
                            let mut world = World::new(seed).with_policy(&named());
                            (
                                world.go_on(&mut acceptor, Some(&negotiate)),
                                acceptor,
                                world,
                            )
                        };
                        let (heard, ..) = challenge(1);
                        let (mut due, mut acceptor, mut world) = challenge(2);
                        if replayed {
                            due = heard;
                        }
                        let (forged, base) =
                            weak_answer(form, user, password, offered, &negotiate, &due);
                        let mut step = world.step(&mut acceptor, Some(&forged.token));
                        if let Ok(Step::Need(Need::Logon(request))) = &step {
                            let account = alice().name().clone();
                            let hash = NtHash::from_password(PASSWORD);
                            let known = request.user() == "alice";
                            let right = (user, password) == ("alice", PASSWORD) && !replayed;
                            let logon = match judge {
                                _ if !known => Logon::Denied,
                                "store" => Logon::NtHash { account, hash },
                                _ if !right => Logon::Denied,
                                _ => Logon::Verified {
                                    account,
                                    session_base_key: base.duplicate(),
                                },
                            };
                            step = world.resume(&mut acceptor, Answer::Logon(logon));
                        }
                        cells += 1;
                        let right = (user, password) == ("alice", PASSWORD) && !replayed;
                        if !right {
                            let denied = ErrorKind::Ntlm(NtlmProblem::LogonDenied);
                            assert_eq!(why(step), denied, "{form:?} {user} {judge}");
                            continue;
                        }
                        let mut context = context(step);
                        accepted += 1;
                        assert_eq!(context.session_key().expose(), forged.exported.expose());
                        let seal = offered.contains(F::NEGOTIATE_SEAL);
                        if offered.contains(F::NEGOTIATE_SIGN) {
                            let direction = Direction::ClientToServer;
                            let mut wire =
                                Wire::new(&forged.exported, Strength::Bits128, direction)
                                    .sealing(seal)
                                    .key_exchange(offered.contains(F::KEY_EXCH));
                            let opened = context.unwrap(&wire.wrap(b"message")).unwrap();
                            assert_eq!(
                                (opened.message, opened.sealed),
                                (b"message".to_vec(), seal)
                            );
                        }
                    }
                }
            }
        }
    }
    assert_eq!((cells, accepted), (2 * 3 * 4 * 2 * 3, 2 * 4 * 3));
}

#[test]
fn every_flipped_bit_of_a_weak_response_is_refused() {
    for form in FORMS {
        let judge =
            |alter: &dyn Fn(&mut Vec<u8>)| accept(form, Acceptor::new(&server()), &named(), alter);
        judge(&|_| {}).unwrap();
        let start = |token: &[u8], field: usize| {
            let offset = token[field + 4..field + 8].try_into().unwrap();
            usize::try_from(u32::from_le_bytes(offset)).unwrap()
        };
        for field in [12, 20] {
            if field == 20 && form == Form::LmV2 {
                continue;
            }
            for bit in 0..24 * 8 {
                let result = judge(&|token| {
                    let place = start(token, field) + bit / 8;
                    token[place] ^= 1 << (bit % 8);
                });
                assert!(result.is_err(), "{form:?} {field} {bit}");
            }
        }
        // One of another length.
        for (field, length) in [(12, 23), (12, 0), (12, 25), (20, 16), (20, 23)] {
            let result = judge(&|token| token[field] = length);
            assert!(result.is_err(), "{form:?} {field} {length}");
        }
    }
}

/// What is not here at all: NTLMv1 and LM without extended session security.
#[test]
fn plain_ntlmv1_and_lm_are_refused_whatever_is_named() {
    let offered = SEALED.without(F::EXTENDED_SESSIONSECURITY);
    let start = |offered| {
        let negotiate = Forger::alice(offered).negotiate();
        let mut world = World::new(1).with_policy(&named());
        world.step(&mut Acceptor::new(&server()), Some(&negotiate))
    };
    let refused = ErrorKind::Ntlm(NtlmProblem::SessionSecurityRefused);
    assert_eq!(why(start(offered)), refused);
    start(SEALED).map(drop).unwrap();

    let hash = NtHash::from_password(PASSWORD);
    let lm_hash = v1::lm_hash(PASSWORD).unwrap();
    let mut acceptor = Acceptor::new(&server());
    let negotiate = Forger::alice(SEALED).negotiate();
    let challenge = World::new(1).go_on(&mut acceptor, Some(&negotiate));
    let server_challenge = ChallengeMessage::parse(&challenge)
        .unwrap()
        .server_challenge;
    let nt = v1::nt_response(&hash, &server_challenge).to_vec();
    let lm = v1::lm_response(&lm_hash, &server_challenge).to_vec();
    let key = *v1::session_base_key(&hash).expose();
    let (resp, denied) = (NtlmProblem::ResponseRefused, NtlmProblem::LogonDenied);
    for (answered, nt, lm, problem) in [
        (
            offered,
            &nt[..],
            &lm[..],
            NtlmProblem::SessionSecurityRefused,
        ),
        (SEALED, &nt, &lm, resp),
        (SEALED, &nt, &nt, resp),
        (SEALED, &nt, &[], resp),
        // As a session response to a challenge of zeros, and as LMv2.
        (SEALED, &nt, &[0; 24], denied),
        (SEALED, &[], &lm, denied),
    ] {
        let forger = Forger {
            answered: Some(answered),
            mic: Mic::Cleared,
            response: Response::Bytes(nt.to_vec(), key),
            lm_response: lm.to_vec(),
            ..Forger::alice(SEALED)
        };
        let mut acceptor = Acceptor::new(&server());
        let challenge = World::new(1).go_on(&mut acceptor, Some(&negotiate));
        let token = forger.authenticate(&negotiate, &challenge).token;
        let mut world = World::new(2).with_policy(&named());
        let result = world.step(&mut acceptor, Some(&token));
        assert_eq!(why(result), ErrorKind::Ntlm(problem));
    }
    let initiator = Initiator::new(alice()).dangerous_v1();
    let hostile = crate::hostile::Hostile {
        without: F::EXTENDED_SESSIONSECURITY,
        ..crate::hostile::Hostile::new()
    };
    let result = hostile.provoke(initiator, &mut World::new(1));
    assert_eq!(why(result.map(drop)), refused);
}

/// An acceptor that wants the response bound to something gets no such response.
#[test]
fn weak_responses_are_bound_to_nothing_and_refused_where_they_must_be() {
    let bindings = ChannelBindings::tls_exporter(&[1; 32]);
    let services = vec![ServiceName::parse("HTTP/www.example.com").unwrap()];
    let required = server().with_target_names(TargetNamePolicy::Required(services));
    for form in FORMS {
        for (acceptor, kind) in [
            (
                Acceptor::new(&server()).channel_bindings(bindings.clone()),
                ErrorKind::BindingsMissing,
            ),
            (
                Acceptor::new(&required),
                ErrorKind::Ntlm(NtlmProblem::TargetRefused),
            ),
            (
                Acceptor::new(&server()).require(Flags::CHANNEL_BOUND),
                ErrorKind::FlagsNotGranted(Flags::CHANNEL_BOUND),
            ),
        ] {
            assert_eq!(why(accept(form, acceptor, &named(), |_| {})), kind);
        }
        let machine = server().with_machine(MachineId::from_bytes([1; 32]));
        let acceptor = Acceptor::new(&machine).channel_bindings_if_present(bindings.clone());
        accept(form, acceptor, &named(), |_| {}).unwrap();
    }
    let service = ServiceName::parse("HTTP/www.example.com").unwrap();
    let weak = || Initiator::new(alice()).dangerous_v1();
    for mut initiator in [
        weak().channel_bindings(bindings),
        weak().target(service),
        weak().machine(MachineId::from_bytes([1; 32])),
    ] {
        let kind = why(World::new(1).step(&mut initiator, None));
        assert_eq!(kind, ErrorKind::Ntlm(NtlmProblem::ResponseUnbound));
    }
}

#[test]
fn an_initiator_sends_ntlmv1_where_it_is_told_to_and_agrees_with_the_acceptor() {
    for asked in [Flags::CONFIDENTIALITY, Flags::INTEGRITY, Flags::NONE] {
        let initiator = || Initiator::new(alice()).dangerous_v1().require(asked);
        let mut sent = Vec::new();
        let acceptor = Acceptor::new(&server()).require(asked);
        let (mut client, mut server) = run_through(initiator(), acceptor, &named(), |_, token| {
            sent = token.clone()
        })
        .unwrap();
        assert_eq!(client.flags(), server.flags());
        assert_eq!(client.session_key().expose(), server.session_key().expose());
        if asked != Flags::NONE {
            converse(&mut client, &mut server, asked == Flags::CONFIDENTIALITY);
        }
        let message = AuthenticateMessage::parse(&sent).unwrap();
        assert_eq!((message.nt_response.len(), message.mic), (24, None));
        assert_eq!(message.lm_response[8..], [0; 16]);
        let refused = run(
            initiator(),
            Acceptor::new(&crate::support::server()),
            &Policy::DEFAULT,
        );
        assert_eq!(why(refused), ErrorKind::Ntlm(NtlmProblem::ResponseRefused));
    }
    let acceptor = Acceptor::new(&server());
    let (mut client, mut server) = run_connectionless(
        Initiator::new(alice())
            .dangerous_v1()
            .require(Flags::INTEGRITY),
        acceptor,
        &named(),
    )
    .unwrap();
    converse(&mut client, &mut server, false);
}

/// MS-APDS: a domain controller knows nothing of extended session security, and is asked with the
/// challenge that the response is to.
#[test]
fn a_domain_controller_is_asked_with_the_challenge_that_was_responded_to() {
    for form in FORMS {
        let mut acceptor = Acceptor::new(&AcceptorCredential::new(names()));
        let mut world = World::new(1).with_policy(&named());
        let negotiate = Forger::alice(SEALED).negotiate();
        let challenge = world.go_on(&mut acceptor, Some(&negotiate));
        let (forged, _) = weak_answer(form, "alice", PASSWORD, SEALED, &negotiate, &challenge);
        let step = world.step(&mut acceptor, Some(&forged.token)).unwrap();
        let Step::Need(Need::Logon(request)) = step else {
            panic!("{step:?}")
        };
        let hash = NtHash::from_password(PASSWORD);
        match form {
            Form::SessionResponse => {
                let made = v1::nt_response(&hash, request.server_challenge());
                assert_eq!(request.nt_response(), made);
                assert_eq!(request.lm_response(), b"");
            }
            Form::LmV2 => {
                let key = hash.response_key("alice".chars(), "EXAMPLE".chars());
                let made = key.lm_v2_response(request.server_challenge(), &OURS);
                assert_eq!(request.lm_response(), made);
                assert_eq!(request.nt_response(), b"");
            }
        }
    }
}

#[test]
fn an_unknown_user_costs_what_a_wrong_password_costs_with_weak_responses_too() {
    for form in FORMS {
        let cost = |user: &str| {
            let mut acceptor = Acceptor::new(&server());
            let negotiate = Forger::alice(SEALED).negotiate();
            let mut world = World::new(1).with_policy(&named());
            let challenge = world.go_on(&mut acceptor, Some(&negotiate));
            let (forged, _) = weak_answer(form, user, "wrong", SEALED, &negotiate, &challenge);
            let mut result = None;
            let info = allocation_counter::measure(|| {
                result = Some(world.step(&mut acceptor, Some(&forged.token)));
            });
            let denied = ErrorKind::Ntlm(NtlmProblem::LogonDenied);
            assert_eq!(why(result.unwrap()), denied);
            (info.count_total, info.bytes_total, info.bytes_max)
        };
        assert_eq!(cost("alice"), cost("carol"));
    }
}

/// §4.2.3: 56 bits, and no key exchange.
fn weaker() -> Policy {
    policy(|ntlm| {
        ntlm.with_dangerous_v1(true)
            .with_mic(MicPolicy::IfPresent)
            .with_dangerous_strength(Strength::Bits56)
    })
}

/// §4.2.3.4.
const SEALED_BY_THE_SPECIFICATION: &str =
    "01000000 ff2aeb52f681793a 00000000 a02372f6530273f3aa1eb90190ce5200c99d";

#[test]
fn an_acceptor_takes_the_authenticate_message_of_section_4_2_3_and_opens_its_message() {
    let message = example("MS-NLMP 4.2.3.3 AUTHENTICATE");
    let offered =
        (BASE | F::NEGOTIATE_SIGN | F::NEGOTIATE_SEAL | F::NEGOTIATE_56).without(F::NEGOTIATE_128);
    let mut context = crate::vectors::accept(&message, offered, &weaker());
    assert_eq!(context.peer().unwrap().to_string(), "Domain\\User");
    let key = hex("eb93429a8bd952f8b89c55b87f475edc");
    assert_eq!(context.session_key().expose(), key);
    let opened = context.unwrap(&hex(SEALED_BY_THE_SPECIFICATION)).unwrap();
    assert_eq!((opened.message, opened.sealed), (plaintext(), true));
}

#[test]
fn an_initiator_answers_the_challenge_message_of_section_4_2_3_and_seals_its_message() {
    let mut initiator = Initiator::new(user())
        .dangerous_v1()
        .require(Flags::CONFIDENTIALITY);
    let mut random = Script(CLIENT_CHALLENGE.to_vec());
    let weaker = weaker();
    let mut env = Environment::new(THEN, &mut random).with_policy(&weaker);
    assert!(initiator.step(None, &mut env).is_ok());
    let challenge = example("MS-NLMP 4.2.3.3 CHALLENGE");
    let (token, mut context) = last(initiator.step(Some(&challenge), &mut env).unwrap());
    let (token, theirs) = (token.unwrap(), example("MS-NLMP 4.2.3.3 AUTHENTICATE"));
    let ours = AuthenticateMessage::parse(&token).unwrap();
    let theirs = AuthenticateMessage::parse(&theirs).unwrap();
    assert_eq!(ours.nt_response, theirs.nt_response);
    assert_eq!(ours.lm_response, theirs.lm_response);
    assert_eq!(
        (ours.domain, ours.user, ours.workstation),
        (theirs.domain, theirs.user, theirs.workstation)
    );
    assert_eq!((ours.encrypted_session_key, ours.mic), (&[][..], None));
    let sealed = context.wrap(true, &plaintext()).unwrap();
    assert_eq!(sealed, hex(SEALED_BY_THE_SPECIFICATION));
}
