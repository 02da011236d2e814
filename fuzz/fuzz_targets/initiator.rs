//! A stateful initiator whose acceptor is the fuzzer: raw replies, and such as only the holder of
//! the service's key can make.
//!
//! Sections: [enctype, options], then for each step [how] and a reply: raw, the plaintext of an
//! AP-REP as it is or with the right time put into it, or a KRB-ERROR.
#![no_main]

use countersign_context::kerberos::Initiator;
use countersign_context::{ChannelBindings, ErrorKind, Flags, Mechanism, Step, Timestamp};
use countersign_crypto::KeyUsage;
use countersign_fuzz::{Seeded, oracle, realm, sections};
use countersign_token::der::Encode;
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::kerberos::{ApRep, EncApRepPart, EncryptedData, Microseconds};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_sections(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let sections = sections::split(data);
    let [control, replies @ ..] = &sections[..] else {
        return;
    };
    let &[enctype, options, ..] = *control else {
        return;
    };
    let enctype = realm::enctype(enctype);
    let session_key = realm::session_key(enctype);
    let mut initiator = Initiator::new(realm::ticket_credential(enctype))
        .require(Flags::CONFIDENTIALITY | Flags::INTEGRITY);
    if options & 1 != 0 {
        initiator = initiator.dce_style();
    }
    if options & 2 != 0 {
        initiator = initiator.channel_bindings(ChannelBindings::from_application_data("channel"));
    }
    if options & 4 != 0 {
        initiator = initiator.delegate(realm::ticket_credential(enctype));
    }
    let dce = options & 1 != 0;

    let mut random = Seeded(1);
    let first = initiator.step(None, &mut realm::environment(&mut random));
    let Ok(Step::Continue { token: mut sent }) = first else {
        panic!("no first token: {first:?}")
    };
    for reply in replies.chunks_exact(2) {
        let [how, reply] = reply else { return };
        let framed = |id, message: Vec<u8>| match dce {
            true => message,
            false => realm::frame(id, &message),
        };
        let token = match how.first().map_or(0, |how| how % 4) {
            0 => reply.to_vec(),
            how @ (1 | 2) => {
                let time = oracle::time_sent(&sent, &session_key).filter(|_| how == 2);
                let reply = time
                    .and_then(|time| at(reply, time))
                    .unwrap_or(reply.to_vec());
                let cipher = realm::seal(&session_key, KeyUsage::AP_REP, &reply, 9);
                let enc_part = EncryptedData {
                    etype: enctype.id(),
                    kvno: None,
                    cipher: &cipher,
                };
                framed(TokenId::ApRep, ApRep { enc_part }.to_der())
            }
            _ => framed(TokenId::KrbError, reply.to_vec()),
        };
        match initiator.step(Some(&token), &mut realm::environment(&mut random)) {
            Ok(Step::Continue { token }) => {
                assert_ne!(token, sent, "an AP-REQ must not be sent twice");
                sent = token;
            }
            Ok(Step::Need(need)) => panic!("{need:?}"),
            Ok(Step::Established {
                mut context,
                token: third,
            }) => {
                // Only who opened the ticket knows the time that was sent inside.
                let claim =
                    oracle::reply(&token, &session_key).expect("the acceptor proved nothing");
                assert_eq!(Some(claim), oracle::time_sent(&sent, &session_key));
                assert_eq!(third.is_some(), dce);
                let peer = context.peer().and_then(|peer| peer.principal());
                assert_eq!(peer, Some(&realm::service()));
                assert!(
                    context
                        .flags()
                        .contains(Flags::MUTUAL | Flags::CONFIDENTIALITY)
                );
                assert!(context.wrap(true, b"message").is_ok());
                let over = initiator.step(Some(&token), &mut realm::environment(&mut random));
                assert_eq!(
                    over.expect_err("over").kind(),
                    ErrorKind::AlreadyEstablished
                );
                return;
            }
            Err(error) => {
                let again = initiator.step(Some(&token), &mut realm::environment(&mut random));
                assert_eq!(again.expect_err("poisoned").kind(), error.kind());
                return;
            }
        }
    }
});

/// The plaintext of an AP-REP with the time that is waited for.
fn at(reply: &[u8], time: Timestamp) -> Option<Vec<u8>> {
    let mut part: EncApRepPart<'_> = realm::decode(reply)?;
    part.ctime.seconds = time.seconds();
    part.cusec = Microseconds::saturating(time.microseconds());
    Some(part.to_der())
}
