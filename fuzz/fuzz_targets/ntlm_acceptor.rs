//! A stateful NTLM acceptor: several tokens of the fuzzer's making, one after the other, raw or with
//! the right proof and the right MIC put into them.
//!
//! Sections: [options, more], then for each step [how] and a token.
#![no_main]

use countersign_context::ntlm::{Acceptor, AcceptorCredential, Logon};
use countersign_context::{
    Answer, ChannelBindings, ErrorKind, Flags, Identity, Mechanism, Need, NtlmIdentity, Step,
};
use countersign_fuzz::ntlm::{self, Options};
use countersign_fuzz::{Seeded, sections};
use countersign_token::ntlm::{AuthenticateMessage, NegotiateFlags as F, NtlmV2Response};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_sections(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let sections = sections::split(data);
    let [control, tokens @ ..] = &sections[..] else {
        return;
    };
    let &[options, more, ..] = *control else {
        return;
    };
    let (options, more) = (Options(options), Options(more));
    let policy = options.policy();
    let asks = options.is(4);
    let credential = AcceptorCredential::new(ntlm::names());
    let credential = match asks {
        true => credential,
        false => credential.with_users(ntlm::users()),
    };
    let bindings = ChannelBindings::from_application_data("channel");
    let required = match more.is(0) {
        true => Flags::CONFIDENTIALITY,
        false => Flags::NONE,
    };
    let new = || {
        let mut acceptor = Acceptor::new(&credential).require(required);
        if options.is(5) {
            acceptor = acceptor.channel_bindings(bindings.clone());
        }
        if options.is(6) {
            acceptor = acceptor.connectionless();
        }
        acceptor
    };

    let mut acceptor = new();
    let mut random = Seeded(1);
    let (mut negotiate, mut challenge) = (Vec::new(), Vec::new());
    if options.is(6) {
        let step = acceptor.step(None, &mut ntlm::environment(&mut random, &policy));
        let Ok(Step::Continue { token }) = step else {
            panic!("{step:?}")
        };
        challenge = token;
    }
    for token in tokens.chunks_exact(2) {
        let [how, token] = token else { return };
        let how = Options(how.first().copied().unwrap_or(0));
        let token = ntlm::repair(&negotiate, &challenge, token, how.is(0), how.is(1));
        let mut env = ntlm::environment(&mut random, &policy);
        let mut result = acceptor.step(Some(&token), &mut env);
        if let Ok(Step::Need(Need::Logon(request))) = &result {
            assert!(asks);
            let message = AuthenticateMessage::parse(&token).expect("it was read");
            let account = ntlm::account(&message);
            let judged = account
                .as_ref()
                .and_then(|(_, hash)| ntlm::judge(&negotiate, &challenge, &token, hash));
            assert_eq!(request.user(), message.user.to_string());
            let logon = match (account, judged) {
                // As a domain controller.
                (Some((account, _)), Some(judged)) if more.is(1) && judged.proved => {
                    Logon::Verified {
                        account,
                        session_base_key: judged.base,
                    }
                }
                (Some((account, hash)), _) if !more.is(1) => Logon::NtHash { account, hash },
                _ => Logon::Denied,
            };
            assert!(
                acceptor.step(Some(&token), &mut env).is_err(),
                "an answer is due"
            );
            result = acceptor.resume(Answer::Logon(logon), &mut env);
        }
        match result {
            Ok(Step::Continue { token: next }) => {
                assert!(challenge.is_empty() && !next.is_empty());
                (negotiate, challenge) = (token, next);
            }
            Ok(Step::Need(need)) => panic!("asked twice: {need:?}"),
            Ok(Step::Established {
                token: None,
                mut context,
            }) => {
                let message = AuthenticateMessage::parse(&token).expect("it was read");
                match context.peer() {
                    Some(Identity::Ntlm(NtlmIdentity::Anonymous)) => {
                        assert!(options.is(1) && message.user.is_empty());
                        assert_eq!(context.flags(), Flags::ANONYMOUS);
                        assert!(context.unwrap(&[0; 16]).is_err());
                        return;
                    }
                    Some(Identity::Ntlm(NtlmIdentity::Account(peer))) => {
                        let (account, hash) = ntlm::account(&message).expect("somebody");
                        assert_eq!(*peer, account);
                        let judged = ntlm::judge(&negotiate, &challenge, &token, &hash);
                        let judged = judged.expect("it was judged");
                        assert!(judged.proved, "nothing proves it");
                        assert!(judged.mic || !judged.announced && options.is(0));
                        assert!(!judged.weak || options.is(3));
                        assert_eq!(context.session_key().expose(), judged.exported.expose());
                        granted(context.flags(), judged.agreed);
                        assert!(context.flags().contains(required));
                        if options.is(5) {
                            let response = NtlmV2Response::parse(message.nt_response);
                            let pairs = response.expect("weak ones have none").av_pairs;
                            assert!(context.flags().contains(Flags::CHANNEL_BOUND));
                            assert_ne!(pairs.channel_bindings(), Some(&[0; 16]));
                        }
                    }
                    peer => panic!("{peer:?}"),
                }
                let over = acceptor.step(Some(&token), &mut env).expect_err("over");
                assert_eq!(over.kind(), ErrorKind::AlreadyEstablished);
                // Another challenge, and it is of no use.
                let mut again = new();
                let first = match options.is(6) {
                    true => again.step(None, &mut env),
                    false => again.step(Some(&negotiate), &mut env),
                };
                assert!(matches!(first, Ok(Step::Continue { .. })));
                match again.step(Some(&token), &mut env) {
                    Ok(Step::Need(_)) => assert!(asks),
                    result => assert!(result.is_err(), "a replay"),
                }
                return;
            }
            Ok(step) => panic!("{step:?}"),
            Err(error) => {
                let _ = (error.to_string(), error.status(), error.major());
                assert_eq!(error.token(), None);
                let again = acceptor.step(Some(&token), &mut env).expect_err("poisoned");
                assert_eq!(again.kind(), error.kind());
                return;
            }
        }
    }
});

/// No more than both sides said.
fn granted(granted: Flags, agreed: F) {
    let protects = agreed.contains(F::NEGOTIATE_SIGN) || agreed.contains(F::NEGOTIATE_SEAL);
    assert!(agreed.contains(F::EXTENDED_SESSIONSECURITY));
    assert_eq!(granted.contains(Flags::INTEGRITY), protects);
    assert_eq!(
        granted.contains(Flags::CONFIDENTIALITY),
        agreed.contains(F::NEGOTIATE_SEAL)
    );
    assert!(!granted.contains(Flags::MUTUAL) && !granted.contains(Flags::DELEGATION));
}
