//! The acceptor beside MIT krb5's, on requests whose encrypted parts say anything, sealed with the
//! right keys.
//!
//! What ours accepts MIT's accepts too, and of the same client. The reverse is no claim: ours wants
//! more of a request. Known differences, in which ours passes over what MIT decodes:
//!
//! - a type of the transited field beyond an octet, which RFC 4120 5.3 has as an Int32;
//! - an element of the authenticator's authorization data that does not decode;
//! - the parts of delegated credentials that nobody needs.
//!
//! Sections: those of `src/inside.rs`.
#![no_main]

use std::cell::RefCell;

use countersign_context::kerberos::{Acceptor, ReplayProtection};
use countersign_context::{Flags, Mechanism, Step};
use countersign_credential::Principal;
use countersign_fuzz::inside::Inside;
use countersign_fuzz::mit::{self, Verdict};
use countersign_fuzz::{Seeded, oracle, realm, sections};
use countersign_token::kerberos::{Authenticator, EncTicketPart};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_sections(data, size, max_size, seed)
});

thread_local! {
    static MIT: RefCell<mit::Acceptor> = RefCell::new(mit::Acceptor::start());
}

fuzz_target!(|data: &[u8]| {
    let Some(Inside {
        token,
        ticket_part,
        authenticator,
        ..
    }) = Inside::new(data)
    else {
        return;
    };
    let credential = realm::acceptor_credential()
        .clone()
        .with_replay_protection(ReplayProtection::DangerouslyOff);
    let mut random = Seeded(5);
    // MIT's acceptor gives a client whose clock is wrong no second try.
    let policy = realm::policy().clone().with_skew_recovery(false);
    let env = realm::environment(&mut random);
    let ours = Acceptor::new(&credential).step(Some(&token), &mut env.with_policy(&policy));
    let theirs = MIT.with_borrow_mut(|mit| mit.judge(&token));
    match (ours, theirs) {
        (Ok(Step::Established { context, .. }), Verdict::Established(name)) => {
            let text = mit::exported_text(&name).expect("an exported name");
            let text = std::str::from_utf8(text).ok();
            let theirs = text.and_then(|text| Principal::parse(text).ok());
            let ours = context.peer().and_then(|peer| peer.principal());
            assert_eq!(ours, theirs.as_ref(), "{text:?}");
        }
        (Ok(Step::Continue { .. }), Verdict::Waits) => {}
        (Ok(_), Verdict::Refused(reason))
            if is_known(&reason, &token, ticket_part, &authenticator) => {}
        (Ok(Step::Established { context, .. }), theirs) => {
            panic!("ours: {:?}; MIT: {theirs:?}", context.peer())
        }
        (Ok(_), theirs) => panic!("ours waits; MIT: {theirs:?}"),
        (Err(_), _) => {}
    }
});

/// Whether MIT's side refuses what it does not decode, and ours need not.
fn is_known(reason: &str, token: &[u8], ticket_part: &[u8], authenticator: &[u8]) -> bool {
    let odd_transit = realm::decode::<EncTicketPart<'_>>(ticket_part)
        .is_some_and(|part| u8::try_from(part.transited.tr_type).is_err());
    let has_data = realm::decode::<Authenticator<'_>>(authenticator)
        .is_some_and(|authenticator| authenticator.authorization_data.is_some());
    let delegates =
        oracle::request(token).is_some_and(|claim| claim.asked.contains(Flags::DELEGATION));
    delegates
        || (odd_transit && reason.contains("cannot decrypt ticket"))
        || (has_data && reason.contains("ASN.1"))
}
