//! A stateful NTLM initiator whose acceptor is the fuzzer.
//!
//! Sections: [options, more], then for each step [how] and a reply: raw, or the flags, the challenge
//! and the target information of a CHALLENGE.
#![no_main]

use countersign_context::ntlm::{Initiator, MachineId};
use countersign_context::{ChannelBindings, ErrorKind, Flags, Mechanism, Step};
use countersign_credential::ServiceName;
use countersign_crypto::ntlm::NtHash;
use countersign_fuzz::ntlm::{self, Options};
use countersign_fuzz::{Seeded, sections};
use countersign_token::ntlm::{
    AuthenticateMessage, AvFlags, AvId, ChallengeMessage, NegotiateFlags as F, NegotiateMessage,
    NtlmV2Response,
};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_sections(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let sections = sections::split(data);
    let [control, replies @ ..] = &sections[..] else {
        return;
    };
    let &[options, more, ..] = *control else {
        return;
    };
    let (options, more) = (Options(options), Options(more));
    let policy = options.policy();
    let anonymous = options.is(4);
    let mut initiator = match anonymous {
        true => Initiator::anonymous(),
        false => Initiator::new(ntlm::credential()),
    };
    let asked = match more.0 & 3 {
        0 => Flags::NONE,
        1 => Flags::INTEGRITY,
        _ => Flags::CONFIDENTIALITY,
    };
    initiator = match more.is(2) && !anonymous {
        true => initiator.require(asked),
        false => initiator.request(asked),
    };
    let bound = more.is(3);
    let weak = more.is(4) && !bound && !anonymous;
    if bound {
        initiator = initiator
            .channel_bindings(ChannelBindings::from_application_data("channel"))
            .machine(MachineId::from_bytes([7; 32]))
            .target(ServiceName::parse("HTTP/www.example.com").expect("a name"));
    }
    if weak {
        initiator = initiator.dangerous_v1();
    }
    let datagram = options.is(6);
    if datagram {
        initiator = initiator.connectionless();
    }

    let mut random = Seeded(1);
    let first = initiator.step(None, &mut ntlm::environment(&mut random, &policy));
    let Ok(Step::Continue { token: negotiate }) = first else {
        panic!("no first token: {first:?}")
    };
    let offered = match datagram {
        true => F(u32::MAX),
        false => {
            NegotiateMessage::parse(&negotiate)
                .expect("own message")
                .flags
        }
    };
    for reply in replies.chunks_exact(2) {
        let [how, reply] = reply else { return };
        let token = match how.first().map_or(0, |how| how % 2) {
            0 => reply.to_vec(),
            _ => ntlm::challenge(reply).unwrap_or(reply.to_vec()),
        };
        let mut env = ntlm::environment(&mut random, &policy);
        match initiator.step(Some(&token), &mut env) {
            Ok(Step::Established {
                token: Some(last),
                context,
            }) => {
                let chosen = ChallengeMessage::parse(&token).expect("it was read");
                let message = AuthenticateMessage::parse(&last).expect("own message");
                assert!((offered | F::ANONYMOUS).contains(message.flags));
                assert!((chosen.flags | F::ANONYMOUS).contains(message.flags));
                assert_eq!(context.peer(), None);
                assert!(!context.flags().contains(Flags::MUTUAL));
                if more.is(2) && !anonymous {
                    assert!(context.flags().contains(asked));
                }
                if anonymous {
                    assert_eq!(context.session_key().expose(), &[0; 16]);
                    assert!(message.nt_response.is_empty());
                    return;
                }
                let hash = NtHash::from_password(ntlm::PASSWORD);
                let judged = ntlm::judge(&negotiate, &token, &last, &hash).expect("own message");
                assert!(judged.proved && judged.weak == weak);
                assert!(judged.mic == !weak && judged.announced == !weak);
                assert_eq!(context.session_key().expose(), judged.exported.expose());
                if let Ok(response) = NtlmV2Response::parse(message.nt_response) {
                    own_pairs(&response, &chosen, bound);
                }
                let over = initiator.step(Some(&token), &mut env);
                let kind = over.expect_err("over").kind();
                assert_eq!(kind, ErrorKind::AlreadyEstablished);
                return;
            }
            Ok(step) => panic!("{step:?}"),
            Err(error) => {
                assert!(!matches!(error.kind(), ErrorKind::Internal(_)), "{error}");
                let again = initiator.step(Some(&token), &mut env);
                assert_eq!(again.expect_err("poisoned").kind(), error.kind());
                return;
            }
        }
    }
});

/// What is the initiator's to say is what it was told to, and all the rest is the acceptor's.
fn own_pairs(response: &NtlmV2Response<'_>, chosen: &ChallengeMessage<'_>, bound: bool) {
    let pairs = response.av_pairs;
    let theirs = chosen.target_info;
    let constrained = theirs.and_then(|info| info.flags()).unwrap_or_default().0 & 1;
    let flags = AvFlags::MIC_PROVIDED | AvFlags(constrained);
    assert_eq!(pairs.flags(), Some(flags));
    let own = [
        AvId::FLAGS,
        AvId::CHANNEL_BINDINGS,
        AvId::SINGLE_HOST,
        AvId::TARGET_NAME,
    ];
    for id in &own[1..] {
        assert_eq!(pairs.find(*id).is_some(), bound, "{id}");
    }
    let kept = pairs.iter().filter(|pair| !own.contains(&pair.id));
    let sent = theirs.iter().flat_map(|info| info.iter());
    assert!(kept.eq(sent.filter(|pair| !own.contains(&pair.id))));
    let told = theirs.and_then(|info| info.timestamp());
    assert_eq!(response.timestamp, told.unwrap_or(ntlm::file_time()));
}
