//! Somebody on the way who alters flags.

use countersign_context::crypto::ntlm::Strength;
use countersign_context::ntlm::{Acceptor, Initiator};
use countersign_context::token::ntlm::{AuthenticateMessage, AvFlags};
use countersign_context::{Error, ErrorKind, Flags, NtlmProblem, Policy, SecurityContext};

use crate::forger::{F, Forger, Mic, SEALED};
use crate::hostile::Hostile;
use crate::support::*;

/// Where the flags stand in each of the messages.
const PLACES: [usize; 3] = [12, 20, 60];

/// What somebody may want to have no more, or to have.
const FLAGS: [F; 12] = [
    F::NEGOTIATE_SIGN,
    F::NEGOTIATE_SEAL,
    F::KEY_EXCH,
    F::NEGOTIATE_128,
    F::EXTENDED_SESSIONSECURITY,
    F::VERSION,
    F::ALWAYS_SIGN,
    F::TARGET_INFO,
    F::NEGOTIATE_UNICODE,
    F::REQUEST_TARGET,
    F::NEGOTIATE_NTLM,
    F::IDENTIFY,
];

fn flip(token: &mut [u8], leg: usize, flag: F) {
    let place = &mut token[PLACES[leg]..PLACES[leg] + 4];
    let flags = u32::from_le_bytes((&*place).try_into().unwrap());
    place.copy_from_slice(&(flags ^ flag.0).to_le_bytes());
}

fn exchange(
    asked: Flags,
    policy: &Policy,
    on_the_way: impl FnMut(usize, &mut Vec<u8>),
) -> Result<(SecurityContext, SecurityContext), Error> {
    let initiator = Initiator::new(alice()).request(asked | Flags::IDENTIFY);
    run_through(initiator, Acceptor::new(&server()), policy, on_the_way)
}

/// The MIC is over all three messages (MS-NLMP §3.1.5.1.2), so that nobody need require anything to
/// be safe from it.
#[test]
fn a_flag_that_is_stripped_from_or_added_to_any_message_is_noticed() {
    let permissive = policy(|ntlm| {
        ntlm.with_mic(countersign_context::MicPolicy::IfPresent)
            .with_dangerous_strength(Strength::Bits40)
    });
    for policy in [Policy::DEFAULT, permissive] {
        for asked in [Flags::CONFIDENTIALITY, Flags::INTEGRITY, Flags::NONE] {
            exchange(asked, &policy, |_, _| {}).unwrap();
            for leg in 0..3 {
                for flag in FLAGS {
                    let result = exchange(asked, &policy, |now, token| {
                        if now == leg {
                            flip(token, leg, flag);
                        }
                    });
                    assert!(result.is_err(), "{asked} {leg} {flag}: {result:?}");
                }
                // And every bit without a name.
                for bit in 0..32 {
                    let result = exchange(asked, &policy, |now, token| {
                        if now == leg {
                            flip(
                                token,
                                leg,
                                countersign_context::token::ntlm::NegotiateFlags(1 << bit),
                            );
                        }
                    });
                    assert!(result.is_err(), "{asked} {leg} {bit}");
                }
            }
        }
    }
}

/// CVE-2019-1040: taken out of the flags, of the version's place, of the MIC's place, of the
/// layout; all at once, too.
#[test]
fn a_mic_that_the_response_announces_cannot_be_taken_away() {
    let strip = |token: &mut Vec<u8>, version: bool, mic: usize| {
        if version {
            flip(token, 2, F::VERSION);
            token[64..72].fill(0);
        }
        let place = AuthenticateMessage::MIC_OFFSET..AuthenticateMessage::MIC_OFFSET + 16;
        match mic {
            0 => {}
            1 => token[place].fill(0),
            _ => {
                // Left out, and what lies behind it moved forward.
                token.drain(place);
                for descriptor in [12, 20, 28, 36, 44, 52] {
                    let offset = &mut token[descriptor + 4..descriptor + 8];
                    let moved = u32::from_le_bytes((&*offset).try_into().unwrap()) - 16;
                    offset.copy_from_slice(&moved.to_le_bytes());
                }
                assert_eq!(AuthenticateMessage::parse(token).unwrap().mic, None);
            }
        }
    };
    for policy in [Policy::DEFAULT, mic_if_present()] {
        for asked in [Flags::CONFIDENTIALITY, Flags::INTEGRITY, Flags::NONE] {
            for (version, mic) in [(true, 0), (false, 1), (true, 1), (false, 2), (true, 2)] {
                let result = exchange(asked, &policy, |leg, token| {
                    if leg == 2 {
                        strip(token, version, mic);
                    }
                });
                assert_eq!(why(result), ErrorKind::Ntlm(NtlmProblem::MicMismatch));
            }
        }
    }
    // The announcement itself is under the proof.
    let result = exchange(Flags::INTEGRITY, &mic_if_present(), |leg, token| {
        if leg == 2 {
            let pair = [6, 0, 4, 0, 2, 0, 0, 0];
            let at = token.windows(8).position(|bytes| bytes == pair).unwrap();
            token[at + 4] ^= u8::try_from(AvFlags::MIC_PROVIDED.0).unwrap();
        }
    });
    assert_eq!(why(result), ErrorKind::Ntlm(NtlmProblem::LogonDenied));
}

#[test]
fn keys_of_56_and_40_bits_are_refused_by_either_side_until_named() {
    for (weaker, least) in [
        (F::NEGOTIATE_56, Strength::Bits56),
        (F::NONE, Strength::Bits40),
    ] {
        for sealed in [true, false] {
            let offered = SEALED.without(F::NEGOTIATE_128) | weaker;
            let offered = if sealed {
                offered
            } else {
                offered.without(F::NEGOTIATE_SEAL)
            };
            let forger = Forger::alice(offered);
            let start = |policy: &Policy| {
                let mut world = World::new(1).with_policy(policy);
                world.step(&mut Acceptor::new(&server()), Some(&forger.negotiate()))
            };
            assert_eq!(
                why(start(&Policy::DEFAULT)),
                ErrorKind::Ntlm(NtlmProblem::StrengthRefused)
            );
            start(&weak(least)).map(drop).unwrap();
            if least == Strength::Bits40 {
                let refused = why(start(&weak(Strength::Bits56)));
                assert_eq!(refused, ErrorKind::Ntlm(NtlmProblem::StrengthRefused));
            }

            let hostile = Hostile {
                without: if least == Strength::Bits40 {
                    F::NEGOTIATE_128 | F::NEGOTIATE_56
                } else {
                    F::NEGOTIATE_128
                },
                ..Hostile::new()
            };
            let provoke = |policy: &Policy| {
                let asked = [Flags::INTEGRITY, Flags::CONFIDENTIALITY][usize::from(sealed)];
                let initiator = Initiator::new(alice()).require(asked);
                hostile.provoke(initiator, &mut World::new(1).with_policy(policy))
            };
            assert_eq!(
                why(provoke(&Policy::DEFAULT)),
                ErrorKind::Ntlm(NtlmProblem::StrengthRefused)
            );
            assert!(provoke(&weak(least)).unwrap().0.mic);
        }
    }
    // Where nothing is protected, no key is weak.
    let forger = Forger::alice(crate::forger::BASE.without(F::NEGOTIATE_128));
    let mut acceptor = Acceptor::new(&server());
    World::new(1).go_on(&mut acceptor, Some(&forger.negotiate()));
}

/// Without a MIC what is required is had all the same, and nothing more.
#[test]
fn without_a_mic_an_acceptor_still_gets_what_it_requires() {
    let stripped = |acceptor: Acceptor| {
        let forger = Forger {
            mic: Mic::Cleared,
            ..Forger::alice(SEALED)
        };
        let mut acceptor = acceptor;
        let mut world = World::new(1).with_policy(&mic_if_present());
        let negotiate = forger.negotiate();
        let challenge = world.go_on(&mut acceptor, Some(&negotiate));
        let mut token = forger.authenticate(&negotiate, &challenge).token;
        flip(&mut token, 2, F::NEGOTIATE_SEAL);
        world.step(&mut acceptor, Some(&token))
    };
    let open = context(stripped(Acceptor::new(&server())));
    assert!(!open.flags().contains(Flags::CONFIDENTIALITY));
    let refused = stripped(Acceptor::new(&server()).require(Flags::CONFIDENTIALITY));
    assert_eq!(
        why(refused),
        ErrorKind::FlagsNotGranted(Flags::CONFIDENTIALITY)
    );
}
