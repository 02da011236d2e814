//! A stateful acceptor of negotiations whose initiator is the fuzzer: raw messages, and such as are put
//! together from lists, states, an honest mechanism's tokens and its MICs over this list or another.
//!
//! Sections: [options], then for each step [how, which, state, mic] and data: the message, or the
//! identifiers of a list, or a token, or what a MIC is over.
#![no_main]

use countersign_context::negotiate::RawTokens;
use countersign_context::{Flags, Mechanism, Step};
use countersign_fuzz::negotiate::{
    Honest, Mech, Proof, acceptor, environment, identifier, own, policy, recorded_proofs, state,
};
use countersign_fuzz::{Seeded, realm, sections};
use countersign_token::oid::Oid;
use countersign_token::spnego::{MechTypes, NegTokenInit, NegTokenResp};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_sections(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let sections = sections::split(data);
    let [control, steps @ ..] = &sections[..] else {
        return;
    };
    let &[options, ..] = *control else {
        return;
    };
    let own = own(options);
    let mut acceptor = acceptor(options);
    let raw = options & 8 != 0;
    if raw {
        acceptor = acceptor.accept_raw(RawTokens::ALL);
    }
    let policy = policy(options & 16 != 0);

    let mut random = Seeded(1);
    let mut honest: Option<(Mech, Honest)> = None;
    // The list as it was received, and MICs that a holder of the key made over it.
    let mut list: Option<Vec<u8>> = None;
    let mut genuine: Vec<Proof> = Vec::new();
    for step in steps.chunks_exact(2) {
        let [how, data] = step else { return };
        let octet = |at: usize| how.get(at).copied().unwrap_or_default();
        let (kind, which, mic) = (octet(0), octet(1), octet(3));
        if honest.is_none() && which & 128 == 0 {
            let mechanism = Mech::of(which);
            let mut one = Honest::new(mechanism.initiator(), 7);
            one.feed(None);
            honest = Some((mechanism, one));
        }
        let token = match which & 96 {
            0 => honest.as_mut().and_then(|(_, honest)| honest.token.take()),
            32 => Some(data.to_vec()),
            _ => None,
        };
        let mut made = None;
        if let (Some((_, honest)), Some(list)) = (&mut honest, &list) {
            made = match mic & 3 {
                0 => honest
                    .mic(list)
                    .inspect(|mic| genuine.push((list.clone(), mic.clone()))),
                1 => honest.mic(data),
                2 => Some(data.to_vec()),
                _ => None,
            };
        }
        let message = match kind % 4 {
            0 => data.to_vec(),
            1 => {
                let mechanisms: Vec<Oid<'_>> =
                    data.iter().take(32).map(|id| identifier(*id)).collect();
                let list = MechTypes::encode(&mechanisms);
                let Ok(mech_types) = MechTypes::parse(&list) else {
                    return;
                };
                let init = NegTokenInit {
                    mech_token: token.as_deref(),
                    mech_list_mic: made.as_deref(),
                    ..NegTokenInit::new(mech_types)
                };
                init.to_bytes()
            }
            _ => NegTokenResp {
                neg_state: state(octet(2)),
                supported_mech: (mic & 4 != 0).then_some(identifier(octet(2) / 5)),
                response_token: token.as_deref(),
                mech_list_mic: made.as_deref(),
            }
            .to_bytes(),
        };
        if list.is_none()
            && let Ok(init) = NegTokenInit::parse(&message)
        {
            list = Some(init.mech_types.as_bytes().to_vec());
        }
        let mut env = environment(&mut random, policy);
        match acceptor.step(Some(&message), &mut env) {
            Ok(Step::Continue { token }) => answer(&token, &mut honest),
            Ok(Step::Need(need)) => panic!("{need:?}"),
            Ok(Step::Established { token, context }) => {
                if let Some(token) = token {
                    answer(&token, &mut honest);
                }
                let mechanism = context.mechanism();
                let place = own.iter().position(|own| own.is(mechanism));
                let place = place.expect("a mechanism that is not offered");
                let peer = context.peer().expect("nobody").to_string();
                let expected = match own[place] {
                    Mech::Ntlm => "EXAMPLE\\user".to_owned(),
                    _ => realm::client().to_string(),
                };
                assert_eq!(peer, expected);
                match context.negotiated() {
                    None => assert!(raw && list.is_none()),
                    Some(negotiated) => {
                        let octets = list.as_deref().expect("a list");
                        let list = MechTypes::parse(octets).expect("parsed before");
                        let favourite = own[place].is(list.first());
                        let integrity = context.flags().contains(Flags::INTEGRITY);
                        let lenient = mechanism == Oid::NTLMSSP && options & 16 != 0;
                        let ntlm = mechanism == Oid::NTLMSSP && !lenient;
                        let wanted = integrity && ((place > 0 && !lenient) || ntlm);
                        assert!(negotiated.proved || (favourite && !wanted), "unproved");
                        assert!(
                            !negotiated.proved || proved(octets, &message, &genuine),
                            "forged"
                        );
                    }
                }
                let over = acceptor.step(Some(&message), &mut env).expect_err("over");
                assert!(over.token().is_none());
                return;
            }
            Err(error) => {
                let _ = (error.to_string(), error.status(), error.major());
                if let Some(token) = error.token().filter(|_| !raw) {
                    let told = NegTokenResp::parse(token).expect("a reject");
                    assert!(told.neg_state.is_some() && told.mech_list_mic.is_none());
                }
                let again = acceptor
                    .step(Some(&message), &mut env)
                    .expect_err("poisoned");
                assert_eq!(again.kind(), error.kind());
                return;
            }
        }
    }
});

/// What is answered goes to the honest mechanism.
fn answer(message: &[u8], honest: &mut Option<(Mech, Honest)>) {
    let token = NegTokenResp::parse(message)
        .ok()
        .and_then(|response| response.response_token);
    if let (Some((_, honest)), Some(token)) = (honest, token) {
        honest.feed(Some(token));
    }
}

/// Whether the message that ended it brought a MIC of the right key over the right list.
fn proved(list: &[u8], message: &[u8], genuine: &[Proof]) -> bool {
    let mic = match NegTokenResp::parse(message) {
        Ok(response) => response.mech_list_mic,
        Err(_) => NegTokenInit::parse(message)
            .ok()
            .and_then(|init| init.mech_list_mic),
    };
    mic.is_some_and(|mic| {
        let proof = (list.to_vec(), mic.to_vec());
        genuine.contains(&proof) || recorded_proofs().contains(&proof)
    })
}
