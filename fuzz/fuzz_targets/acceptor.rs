//! A stateful acceptor: several tokens of the fuzzer's making, one after the other.
//!
//! Sections: [options], then a token a step.
#![no_main]

use std::sync::Arc;

use countersign_context::kerberos::{Acceptor, ReplayCache, ReplayProtection};
use countersign_context::{
    Answer, ChannelBindings, ErrorKind, Flags, Mechanism, ReplayVerdict, Step,
};
use countersign_fuzz::{Seeded, oracle, realm, sections};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_sections(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let sections = sections::split(data);
    let [control, tokens @ ..] = &sections[..] else {
        return;
    };
    let &[options, ..] = *control else {
        return;
    };
    let external = options & 1 != 0;
    let replay = match external {
        true => ReplayProtection::External,
        false => ReplayProtection::Shared(Arc::new(ReplayCache::new(4))),
    };
    let credential = realm::acceptor_credential()
        .clone()
        .with_replay_protection(replay);
    let bindings = ChannelBindings::from_application_data("channel");
    let new = || match (options >> 1) & 3 {
        0 => Acceptor::new(&credential),
        1 => Acceptor::new(&credential).channel_bindings(bindings.clone()),
        2 => Acceptor::new(&credential).channel_bindings_if_present(bindings.clone()),
        _ => Acceptor::new(&credential)
            .require(Flags::MUTUAL | Flags::CONFIDENTIALITY)
            .peer_address(2, [192, 0, 2, 1]),
    };

    let mut acceptor = new();
    let mut random = Seeded(1);
    let mut requests: Vec<&[u8]> = Vec::new();
    for token in tokens {
        let mut env = realm::environment(&mut random);
        requests.push(token);
        let mut result = acceptor.step(Some(token), &mut env);
        if let Ok(Step::Need(_)) = result {
            assert!(external);
            assert!(
                acceptor.step(Some(token), &mut env).is_err(),
                "a verdict is due"
            );
            let verdict = match options & 8 {
                0 => ReplayVerdict::Fresh,
                _ => ReplayVerdict::Replayed,
            };
            result = acceptor.resume(Answer::Replay(verdict), &mut env);
            assert!(verdict == ReplayVerdict::Fresh || result.is_err());
        }
        match result {
            Ok(Step::Continue { token }) => assert!(!token.is_empty()),
            Ok(Step::Need(need)) => panic!("asked twice: {need:?}"),
            Ok(Step::Established { context, .. }) => {
                // The claim is that of the last request before the third leg, if there is one.
                let claim = requests
                    .iter()
                    .rev()
                    .find_map(|token| oracle::request(token));
                let claim = claim.expect("nothing proves an identity");
                let peer = context.peer().and_then(|peer| peer.principal());
                assert_eq!(peer, Some(&claim.client));
                let granted = context.flags();
                assert!(
                    granted
                        .difference(claim.asked | Flags::CHANNEL_BOUND | Flags::MUTUAL)
                        .is_empty()
                );
                assert!(claim.asked.contains(granted & Flags::DELEGATION));
                if (options >> 1) & 3 == 1 {
                    assert!(granted.contains(Flags::CHANNEL_BOUND) && claim.bindings != [0; 16]);
                }
                if !external {
                    // Nobody enters twice with one token.
                    let again = new().step(Some(token), &mut env);
                    assert!(!matches!(again, Ok(Step::Established { .. })));
                    if !granted.contains(Flags::DCE_STYLE) {
                        let kind = again.expect_err("a replay").kind();
                        assert_eq!(kind, ErrorKind::Replayed);
                    }
                }
                let over = acceptor.step(Some(token), &mut env).expect_err("over");
                assert_eq!(over.kind(), ErrorKind::AlreadyEstablished);
                return;
            }
            Err(error) => {
                let _ = (
                    error.to_string(),
                    error.minor(),
                    error.status(),
                    error.major(),
                );
                let again = acceptor.step(Some(token), &mut env).expect_err("poisoned");
                assert_eq!(again.kind(), error.kind());
                return;
            }
        }
    }
});
