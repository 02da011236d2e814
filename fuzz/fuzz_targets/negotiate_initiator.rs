//! A stateful initiator of negotiations whose acceptor is the fuzzer: raw replies, and such as are put
//! together from choices, states, honest mechanisms' tokens and their MICs over this list or another.
//!
//! Sections: [options], then for each step [how, choice, state, mic] and data: the reply, or a token, or
//! what a MIC is over.
#![no_main]

use countersign_context::{Flags, Mechanism, Step};
use countersign_fuzz::negotiate::{
    Honest, Mech, Proof, environment, identifier, initiator, policy, recorded_proofs, state,
};
use countersign_fuzz::{Seeded, realm, sections};
use countersign_token::spnego::{NegTokenInit, NegTokenResp};
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
    let (first, second) = (Mech::of(options), Mech::of(options >> 2));
    let mut initiator = initiator(first, second);
    let mut offer = vec![first];
    if second.oid() != first.oid() {
        offer.push(second);
    }

    let mut random = Seeded(1);
    let policy = policy(false);
    let opening = initiator.step(None, &mut environment(&mut random, policy));
    let Ok(Step::Continue { token: opening }) = opening else {
        panic!("no first message: {opening:?}")
    };
    let init = NegTokenInit::parse(&opening).expect("our own");
    let list = init.mech_types.as_bytes();
    // An honest acceptor of each mechanism; that of the first gets the first token.
    let mut honest: Vec<Honest> = offer
        .iter()
        .map(|mechanism| Honest::new(mechanism.acceptor(), 7))
        .collect();
    honest[0].feed(init.mech_token);
    let mut genuine: Vec<Proof> = Vec::new();
    let mut at_work = 0;
    // The MICs that came.
    let mut came: Vec<Vec<u8>> = Vec::new();

    for (number, step) in steps.chunks_exact(2).enumerate() {
        let [how, data] = step else { return };
        let octet = |at: usize| how.get(at).copied().unwrap_or_default();
        let (kind, choice, mic) = (octet(0), octet(1), octet(3));
        let supported = (choice & 8 != 0).then_some(identifier(choice));
        let holder = usize::from(choice >> 4) % honest.len();
        let token = match kind & 12 {
            0 => honest[holder].token.take(),
            4 => Some(data.to_vec()),
            _ => None,
        };
        let made = match mic & 3 {
            0 => honest[holder]
                .mic(list)
                .inspect(|mic| genuine.push((list.to_vec(), mic.clone()))),
            1 => honest[holder].mic(data),
            2 => Some(data.to_vec()),
            _ => None,
        };
        let message = match kind & 3 {
            0 => data.to_vec(),
            _ => NegTokenResp {
                neg_state: state(octet(2)),
                supported_mech: supported,
                response_token: token.as_deref(),
                mech_list_mic: made.as_deref(),
            }
            .to_bytes(),
        };
        let response = NegTokenResp::parse(&message);
        if let Ok(NegTokenResp {
            mech_list_mic: Some(mic),
            ..
        }) = response
        {
            came.push(mic.to_vec());
        }
        if number == 0
            && let Ok(NegTokenResp {
                supported_mech: Some(chosen),
                ..
            }) = response
        {
            let place = offer.iter().position(|mechanism| mechanism.is(chosen));
            at_work = place.unwrap_or_default();
        }
        match initiator.step(Some(&message), &mut environment(&mut random, policy)) {
            Ok(Step::Continue { token }) => {
                let sent = NegTokenResp::parse(&token).expect("our own");
                assert!(sent.supported_mech.is_none());
                if let Some(token) = sent.response_token {
                    honest[at_work].feed(Some(token));
                }
            }
            Ok(Step::Need(need)) => panic!("{need:?}"),
            Ok(Step::Established { token, context }) => {
                let mechanism = context.mechanism();
                let place = offer.iter().position(|offered| offered.is(mechanism));
                let place = place.expect("a mechanism that was not offered");
                let negotiated = context.negotiated().expect("negotiated");
                assert!(negotiated.proved || place == 0, "unproved");
                assert!(negotiated.fallbacks.is_empty());
                assert!(context.flags().contains(Flags::INTEGRITY));
                if negotiated.proved {
                    let genuine = came.iter().any(|mic| {
                        let proof = (list.to_vec(), mic.clone());
                        genuine.contains(&proof) || recorded_proofs().contains(&proof)
                    });
                    assert!(genuine, "forged");
                }
                // Whoever proves itself holds the service's key.
                let peer = context.peer().and_then(|peer| peer.principal());
                let mutual = matches!(offer[place], Mech::Kerberos | Mech::Dce);
                assert_eq!(peer, Some(&realm::service()).filter(|_| mutual));
                assert!(token.is_none() || negotiated.proved);
                let over = initiator.step(Some(&message), &mut environment(&mut random, policy));
                assert!(over.is_err());
                return;
            }
            Err(error) => {
                let _ = (error.to_string(), error.status(), error.major());
                if let Some(token) = error.token() {
                    NegTokenResp::parse(token).expect("a reject");
                }
                let again = initiator.step(Some(&message), &mut environment(&mut random, policy));
                assert_eq!(again.expect_err("poisoned").kind(), error.kind());
                return;
            }
        }
    }
});
