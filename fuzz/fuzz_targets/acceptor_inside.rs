//! An acceptor whose peer holds a real ticket and lies inside the encrypted parts: the fuzzer
//! changes plaintexts, the target seals them.
//!
//! Sections: [enctype, options, ap-options, flip, low, high], EncTicketPart, Authenticator, the
//! 0x8003 checksum (empty: the authenticator's own), EncKrbCredPart (empty: none), EncAPRepPart of
//! the third leg.
#![no_main]

use std::sync::Arc;

use countersign_context::kerberos::{Acceptor, ReplayCache, ReplayProtection};
use countersign_context::{Flags, Mechanism, Step};
use countersign_crypto::{Enctype, Key, KeyUsage};
use countersign_fuzz::{Seeded, oracle, realm, sections};
use countersign_token::der::{Encode, Encoded, SequenceOf};
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::kerberos::{
    ApOptions, ApRep, ApReq, Authenticator, Checksum, EncApRepPart, EncTicketPart, EncryptedData,
    GssChecksum, KrbCred, Ticket,
};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_sections(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let sections = sections::split(data);
    let [
        control,
        ticket_part,
        authenticator,
        checksum,
        cred,
        rest @ ..,
    ] = &sections[..]
    else {
        return;
    };
    let &[enctype, options, ap_options, flip, low, high, ..] = *control else {
        return;
    };
    let enctype = realm::enctype(enctype);
    let session_key = session_key(ticket_part).unwrap_or_else(|| realm::session_key(enctype));
    let ticket = realm::seal_ticket(enctype, ticket_part);
    let authenticator = with_checksum(authenticator, checksum, cred, &session_key, &ticket);
    let cipher = realm::seal(
        &session_key,
        KeyUsage::AP_REQ_AUTHENTICATOR,
        &authenticator,
        4,
    );
    let Ok(ticket) = Encoded::<Ticket<'_>>::parse(&ticket) else {
        panic!("own ticket")
    };
    let message = ApReq {
        ap_options: ApOptions(u32::from(ap_options) << 24),
        ticket,
        authenticator: EncryptedData {
            etype: session_key.enctype().id(),
            kvno: None,
            cipher: &cipher,
        },
    }
    .to_der();
    let mut token = match options & 1 {
        0 => realm::frame(TokenId::ApReq, &message),
        _ => message,
    };
    // Without the key nobody can change a sealed octet.
    let position = usize::from(u16::from_le_bytes([low, high]));
    let tampered = flip != 0 && position < ticket.value().enc_part.cipher.len() + cipher.len();
    if tampered {
        let start = |part: &[u8]| token.windows(part.len()).position(|window| window == part);
        let sealed = ticket.value().enc_part.cipher;
        let at = match position.checked_sub(sealed.len()) {
            None => start(sealed).map(|start| start + position),
            Some(position) => start(&cipher).map(|start| start + position),
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
    if let (Ok(Step::Continue { token: reply }), [third, ..]) = (&result, rest) {
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

/// The session key that a ticket's plaintext names, if there is such a key.
fn session_key(ticket_part: &[u8]) -> Option<Key> {
    let part: EncTicketPart<'_> = realm::decode(ticket_part)?;
    Key::new(Enctype::from_id(part.key.keytype)?, part.key.keyvalue).ok()
}

/// The authenticator with a checksum put into it, and credentials sealed into that.
fn with_checksum(
    authenticator: &[u8],
    checksum: &[u8],
    cred: &[u8],
    key: &Key,
    ticket: &[u8],
) -> Vec<u8> {
    let Some(mut value) = realm::decode::<Authenticator<'_>>(authenticator) else {
        return authenticator.to_vec();
    };
    let mut checksum = checksum.to_vec();
    if let (Ok(mut parsed), false) = (GssChecksum::parse(&checksum), cred.is_empty()) {
        let cipher = realm::seal(key, KeyUsage::KRB_CRED, cred, 8);
        let tickets = Encoded::parse(ticket).map(|ticket| [ticket]);
        let cred = KrbCred {
            tickets: tickets
                .as_ref()
                .map(|t| SequenceOf::new(t))
                .unwrap_or_default(),
            enc_part: EncryptedData {
                etype: key.enctype().id(),
                kvno: None,
                cipher: &cipher,
            },
        }
        .to_der();
        parsed.delegation = Some(&cred);
        if let Ok(encoded) = parsed.encode() {
            checksum = encoded;
        }
    }
    if checksum.is_empty() {
        return authenticator.to_vec();
    }
    value.cksum = Some(Checksum {
        cksumtype: GssChecksum::TYPE,
        checksum: &checksum,
    });
    value.to_der()
}
