//! What is negotiated is what both can do, and what one of them requires is had or the context ends.

use countersign_context::ntlm::{Acceptor, Initiator};
use countersign_context::token::ntlm::{AvId, ChallengeMessage};
use countersign_context::{ErrorKind, Flags, NtlmProblem, Policy, Step};

use crate::forger::{BASE, F, Forger, SEALED};
use crate::support::*;

/// What offers are made of here.
const PARTS: [F; 11] = [
    F::NEGOTIATE_UNICODE,
    F::NEGOTIATE_OEM,
    F::NEGOTIATE_SIGN,
    F::NEGOTIATE_SEAL,
    F::NEGOTIATE_DATAGRAM,
    F::EXTENDED_SESSIONSECURITY,
    F::KEY_EXCH,
    F::IDENTIFY,
    F::VERSION,
    F::NEGOTIATE_128,
    F::NEGOTIATE_56,
];

/// What acceptors add, as the specification has it.
const ADDED: F = F::TARGET_INFO
    .union(F::TARGET_TYPE_SERVER)
    .union(F::NEGOTIATE_NTLM);

fn subsets() -> impl Iterator<Item = F> {
    (0..1_u32 << PARTS.len()).map(|mask| {
        (0..)
            .zip(PARTS)
            .filter(|(bit, _)| mask >> bit & 1 == 1)
            .fold(F::NONE, |all, (_, flag)| all | flag)
    })
}

fn protects(flags: F) -> bool {
    flags.contains(F::NEGOTIATE_SIGN) || flags.contains(F::NEGOTIATE_SEAL)
}

/// Why these flags are refused under the default policy.
fn problem(flags: F) -> Option<NtlmProblem> {
    let text = flags.contains(F::NEGOTIATE_UNICODE) || flags.contains(F::NEGOTIATE_OEM);
    if !flags.contains(F::EXTENDED_SESSIONSECURITY) {
        Some(NtlmProblem::SessionSecurityRefused)
    } else if !text {
        Some(NtlmProblem::CharsetMissing)
    } else if protects(flags) && !flags.contains(F::NEGOTIATE_128) {
        Some(NtlmProblem::StrengthRefused)
    } else {
        None
    }
}

fn granted(flags: F) -> Flags {
    let mut granted = Flags::NONE;
    if protects(flags) {
        granted |= Flags::INTEGRITY | Flags::REPLAY | Flags::SEQUENCE;
    }
    if flags.contains(F::NEGOTIATE_SEAL) {
        granted |= Flags::CONFIDENTIALITY;
    }
    if flags.contains(F::IDENTIFY) {
        granted |= Flags::IDENTIFY;
    }
    granted
}

#[test]
fn an_acceptor_chooses_from_what_was_offered_and_adds_what_the_specification_says() {
    let mut accepted = 0;
    for offered in subsets() {
        let forger = Forger::alice(offered);
        let mut acceptor = Acceptor::new(&server());
        let step = World::new(1).step(&mut acceptor, Some(&forger.negotiate()));
        match (step, problem(offered)) {
            (Ok(Step::Continue { token }), None) => {
                let chosen = ChallengeMessage::parse(&token).unwrap().flags;
                let expected = (offered | ADDED).without(F::NEGOTIATE_DATAGRAM);
                assert!(expected.contains(chosen), "{offered}: {chosen}");
                assert!(!chosen.contains(F::NEGOTIATE_UNICODE | F::NEGOTIATE_OEM));
                assert!(!chosen.contains(F::KEY_EXCH) || protects(chosen));
                assert!(!chosen.contains(F::NEGOTIATE_56), "nobody named it");
                accepted += 1;
            }
            (Err(error), Some(problem)) => assert_eq!(error.kind(), ErrorKind::Ntlm(problem)),
            (step, problem) => panic!("{offered}: {step:?} {problem:?}"),
        }
    }
    // 1,024 have session security, of which 3 of 4 have a character set, of which 5 of 8 have 128
    // bits or no use of them.
    assert_eq!(accepted, 1_024 * 3 / 4 * 5 / 8);
}

/// MS-NLMP §2.2.1.2, §3.2.5.1.1. There are no MsvAvFlags among them: of value 0 they make Windows send
/// a wrong MIC (gss-ntlmssp #98).
#[test]
fn an_acceptor_tells_its_names_and_the_time_and_no_flags_of_pairs() {
    let negotiate = Forger::alice(SEALED).negotiate();
    let challenge = World::new(1).go_on(&mut Acceptor::new(&server()), Some(&negotiate));
    let challenge = ChallengeMessage::parse(&challenge).unwrap();
    assert!(challenge.target_name == "WWW");
    let info = challenge.target_info.unwrap();
    let ids: Vec<_> = info.iter().map(|pair| pair.id).collect();
    assert_eq!(
        ids,
        [
            AvId::NB_DOMAIN_NAME,
            AvId::NB_COMPUTER_NAME,
            AvId::DNS_DOMAIN_NAME,
            AvId::DNS_COMPUTER_NAME,
            AvId::TIMESTAMP,
        ]
    );
    assert!(info.nb_domain().unwrap() == "EXAMPLE" && info.nb_computer().unwrap() == "WWW");
    assert_eq!(info.timestamp(), Some(FILE_TIME));
    // Another context, another challenge.
    let other = World::new(2).go_on(&mut Acceptor::new(&server()), Some(&negotiate));
    let other = ChallengeMessage::parse(&other).unwrap().server_challenge;
    assert_ne!(other, challenge.server_challenge);
}

#[test]
fn an_initiator_gets_what_it_answers_and_was_offered() {
    let offered = PARTS.into_iter().fold(BASE, |all, flag| all | flag);
    for answered in subsets() {
        let forger = Forger {
            answered: Some(answered),
            ..Forger::alice(offered)
        };
        let mut world = World::new(1);
        let mut acceptor = Acceptor::new(&server());
        let negotiate = forger.negotiate();
        let challenge = world.go_on(&mut acceptor, Some(&negotiate));
        let chosen = ChallengeMessage::parse(&challenge).unwrap().flags;
        let forged = forger.authenticate(&negotiate, &challenge);
        let step = world.step(&mut acceptor, Some(&forged.token));
        let both = answered & chosen;
        match (step, problem(both)) {
            (Ok(step), None) => {
                let context = last(step).1;
                assert_eq!(context.flags(), granted(both), "{answered}");
                assert_eq!(context.session_key().expose(), forged.exported.expose());
            }
            (Err(error), Some(problem)) => assert_eq!(error.kind(), ErrorKind::Ntlm(problem)),
            (step, problem) => panic!("{answered}: {step:?} {problem:?}"),
        }
    }
}

/// CVE-2016-2110, CVE-2016-2111, CVE-2016-2112, CVE-2016-2115, CVE-2016-2124.
#[test]
fn what_a_side_requires_and_the_other_does_not_agree_to_ends_the_context() {
    for (required, offered) in [
        (Flags::CONFIDENTIALITY, SEALED.without(F::NEGOTIATE_SEAL)),
        (Flags::INTEGRITY, BASE),
        (Flags::REPLAY, BASE),
        (Flags::SEQUENCE, BASE),
        (Flags::IDENTIFY, SEALED),
    ] {
        // As soon as it is known: at the offer, or else at the answer.
        let forger = Forger::alice(offered);
        let mut acceptor = Acceptor::new(&server()).require(required);
        let refused = World::new(1).step(&mut acceptor, Some(&forger.negotiate()));
        assert_eq!(why(refused), ErrorKind::FlagsNotGranted(required));
        for mic in [true, false] {
            let forger = Forger {
                answered: Some(offered),
                mic: [crate::forger::Mic::Cleared, crate::forger::Mic::Right][usize::from(mic)],
                ..Forger::alice(SEALED | F::IDENTIFY)
            };
            let mut world = World::new(1).with_policy(&mic_if_present());
            let mut acceptor = Acceptor::new(&server()).require(required);
            let negotiate = forger.negotiate();
            let challenge = world.go_on(&mut acceptor, Some(&negotiate));
            let forged = forger.authenticate(&negotiate, &challenge);
            let refused = world.step(&mut acceptor, Some(&forged.token));
            assert_eq!(why(refused), ErrorKind::FlagsNotGranted(required));
        }
    }
}

#[test]
fn what_ntlm_cannot_grant_is_refused_before_anything_is_sent() {
    for required in [
        Flags::MUTUAL,
        Flags::DELEGATION,
        Flags::EXTENDED_ERROR,
        Flags::from_bits(0x8000_0000),
    ] {
        let mut initiator = Initiator::new(alice()).require(required | Flags::INTEGRITY);
        let refused = World::new(1).step(&mut initiator, None);
        assert_eq!(why(refused), ErrorKind::FlagsNotGranted(required));
        let mut acceptor = Acceptor::new(&server()).require(required);
        let negotiate = Forger::alice(SEALED).negotiate();
        let refused = World::new(1).step(&mut acceptor, Some(&negotiate));
        assert_eq!(why(refused), ErrorKind::FlagsNotGranted(required));
        // Asked for, it is not granted.
        let initiator = Initiator::new(alice()).request(required);
        let (client, _) = run(initiator, Acceptor::new(&server()), &Policy::DEFAULT).unwrap();
        assert_eq!(client.flags(), Flags::NONE);
    }
}

/// An initiator does not learn whether its channel bindings were looked at, and nobody with a name
/// is anonymous.
#[test]
fn an_initiator_is_not_told_to_have_what_it_required_and_did_not_get() {
    for required in [Flags::CHANNEL_BOUND, Flags::ANONYMOUS] {
        let mut initiator = Initiator::new(alice()).require(required);
        let refused = World::new(1).step(&mut initiator, None);
        assert_eq!(why(refused), ErrorKind::FlagsNotGranted(required));
    }
    let acceptor = Acceptor::new(&server()).require(Flags::ANONYMOUS);
    let refused = run(Initiator::new(alice()), acceptor, &Policy::DEFAULT);
    assert_eq!(why(refused), ErrorKind::FlagsNotGranted(Flags::ANONYMOUS));
}

/// It has no part in the tokens, so whoever asks for it has it.
#[test]
fn dce_style_is_granted_to_each_side_that_asks_for_it() {
    for (ours, theirs) in [
        (Flags::DCE_STYLE, Flags::NONE),
        (Flags::NONE, Flags::DCE_STYLE),
        (Flags::DCE_STYLE, Flags::DCE_STYLE),
    ] {
        let initiator = Initiator::new(alice()).require(ours);
        let acceptor = Acceptor::new(&server()).require(theirs);
        let (client, server) = run(initiator, acceptor, &Policy::DEFAULT).unwrap();
        assert_eq!((client.flags(), server.flags()), (ours, theirs));
        let admitted = Policy::DEFAULT.with_anonymous_initiators(true);
        let acceptor = Acceptor::new(&crate::support::server()).require(theirs);
        let (_, server) = run(Initiator::anonymous(), acceptor, &admitted).unwrap();
        assert_eq!(server.flags(), Flags::ANONYMOUS | theirs);
    }
}
