//! An acceptor whose peer holds a real ticket and lies inside the encrypted parts: the fuzzer
//! changes plaintexts, the target seals them.
//!
//! Sections: those of `src/inside.rs`, and EncAPRepPart of the third leg.
#![no_main]

use std::sync::Arc;

use countersign_context::kerberos::{Acceptor, ReplayCache, ReplayProtection};
use countersign_context::{Flags, Mechanism, Step};
use countersign_crypto::KeyUsage;
use countersign_fuzz::inside::Inside;
use countersign_fuzz::{Seeded, oracle, realm, sections};
use countersign_token::der::Encode;
use countersign_token::kerberos::{ApRep, EncApRepPart, EncryptedData};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_sections(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Some(Inside {
        options,
        flip,
        position,
        session_key,
        mut token,
        sealed: [ticket, authenticator],
        rest,
        ..
    }) = Inside::new(data)
    else {
        return;
    };
    // Without the key nobody can change a sealed octet.
    let tampered = flip != 0 && position < ticket.len() + authenticator.len();
    if tampered {
        let start = |part: &[u8]| token.windows(part.len()).position(|window| window == part);
        let at = match position.checked_sub(ticket.len()) {
            None => start(&ticket).map(|start| start + position),
            Some(position) => start(&authenticator).map(|start| start + position),
        };
        let at = at.expect("the sealed parts are in the token");
        token[at] ^= flip;
    }

    let cache = ReplayProtection::Shared(Arc::new(ReplayCache::new(4)));
    let credential = realm::acceptor_credential()
        .clone()
        .with_replay_protection(cache);
    let mut acceptor = Acceptor::new(&credential);
    if options & 2 != 0 {
        acceptor = acceptor.require(Flags::MUTUAL | Flags::REPLAY);
    }
    let mut random = Seeded(5);
    let mut result = acceptor.step(Some(&token), &mut realm::environment(&mut random));
    if let (Ok(Step::Continue { token: reply }), [third, ..]) = (&result, &rest[..]) {
        assert!(!tampered);
        // Its sequence number proves the third leg (MS-KILE 3.4.5.1): right, unless it is not to be.
        let sequence = oracle::sequence(reply, &session_key).filter(|_| options & 4 == 0);
        let third = match realm::decode::<EncApRepPart<'_>>(third) {
            Some(mut part) if sequence.is_some() => {
                part.seq_number = sequence;
                part.to_der()
            }
            _ => third.to_vec(),
        };
        let cipher = realm::seal(&session_key, KeyUsage::AP_REP, &third, 6);
        let enc_part = EncryptedData {
            etype: session_key.enctype().id(),
            kvno: None,
            cipher: &cipher,
        };
        let third = ApRep { enc_part }.to_der();
        result = acceptor.step(Some(&third), &mut realm::environment(&mut random));
    }
    let Ok(Step::Established { mut context, .. }) = result else {
        return;
    };
    assert!(!tampered, "a changed sealed part is accepted");
    let claim = oracle::request(&token).expect("nothing proves an identity");
    assert_eq!(
        context.peer().and_then(|peer| peer.principal()),
        Some(&claim.client)
    );
    assert!(options & 2 == 0 || context.flags().contains(Flags::MUTUAL | Flags::REPLAY));
    // What it was established with works.
    let mut random = Seeded(7);
    if context.flags().contains(Flags::INTEGRITY) {
        let seal = context.flags().contains(Flags::CONFIDENTIALITY);
        assert!(context.wrap(seal, b"message").is_ok());
    }
    if let Ok(exported) = context.export() {
        let env = &mut realm::environment(&mut random);
        countersign_context::SecurityContext::import(&exported, env).expect("own export");
    }
});
