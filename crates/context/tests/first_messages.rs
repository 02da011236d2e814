//! What a context's first message makes: keys that both halves agree in, and confounders that no other has.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

mod support;

use std::collections::HashSet;
use std::sync::Arc;
use std::thread::spawn;

use allocation_counter::measure;
use countersign_context::crypto::{Enctype, KeyUsage};
use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_context::{EnctypeSet, Flags, Policy, Role, SecurityContext};
use support::*;

const PROTECTION: Flags = Flags::CONFIDENTIALITY
    .union(Flags::INTEGRITY)
    .union(Flags::REPLAY)
    .union(Flags::SEQUENCE);

/// Both sides, each with randomness of its own.
fn pair(enctype: Enctype, dce: bool, seed: u64) -> (Box<SecurityContext>, Box<SecurityContext>) {
    let realm = realm();
    let ticket = realm.ticket(CLIENT, SERVICE).enctype(enctype);
    let ticket = ticket.session_enctype(enctype).mint();
    let policy = Policy::default().with_enctypes(EnctypeSet::of(&[enctype]));
    let [mut here, mut there] =
        [2 * seed, 2 * seed + 1].map(|seed| World::new(seed).with_policy(policy.clone()));
    let mut initiator = Initiator::new(Arc::new(ticket.unwrap())).require(PROTECTION);
    if dce {
        initiator = initiator.dce_style();
    }
    let mut acceptor = Acceptor::new(&AcceptorCredential::new(&keytab(&realm)));
    establish_in(&mut initiator, &mut here, &mut acceptor, &mut there).unwrap()
}

/// That of the next message.
fn confounder(context: &mut SecurityContext) -> [u8; 16] {
    let mut token = context.wrap(true, b"").unwrap();
    let usage = match context.role() {
        Role::Initiator => KeyUsage::INITIATOR_SEAL,
        Role::Acceptor => KeyUsage::ACCEPTOR_SEAL,
    };
    let key = context.lucid().unwrap().key;
    // RFC 4121 §4.2.4: the header of 16 octets, and the ciphertext rotated by RRC; in DCE style by EC too (MS-KILE
    // §3.4.5.4.1), which otherwise is 0.
    let field = |at: usize| usize::from(u16::from_be_bytes([token[at], token[at + 1]]));
    let rotated = field(4) + field(6);
    let sealed = &mut token[16..];
    sealed.rotate_left(rotated % sealed.len());
    key.cipher(usage).decrypt_in_place(sealed).unwrap();
    *sealed.first_chunk().unwrap()
}

/// The first block of AES-128 in counter mode under a key of zeros (NIST CAVP, KAT `VarTxt`): what a seed that nobody
/// drew makes.
const OF_NO_SEED: [u8; 16] = 0x66e94bd4ef8a2c3b884cfa59ca342b2e_u128.to_be_bytes();

#[test]
fn confounders_are_of_each_context_and_side_alone() {
    let mut seen = HashSet::from([OF_NO_SEED]);
    for seed in 1..5 {
        for dce in [false, true] {
            // The steps of one side of both styles draw the same; a seed of a side is of that side alone.
            let seed = 2 * seed + u64::from(dce);
            let (mut ours, mut theirs) = pair(Enctype::Aes256CtsHmacSha1_96, dce, seed);
            for _ in 0..3 {
                assert!(seen.insert(confounder(&mut ours)));
                assert!(seen.insert(confounder(&mut theirs)));
            }
        }
    }
}

#[test]
fn halves_that_part_before_the_first_message_are_one_context() {
    for &enctype in Enctype::ALL {
        let (ours, theirs) = pair(enctype, false, 9);
        let (mut sender, mut receiver) = ours.split();
        let (mut sends, mut receives) = theirs.split();
        let sending = spawn(move || (sender.wrap(true, b"to").unwrap(), sender));
        let signing = spawn(move || (sends.get_mic(b"fro").unwrap(), sends));
        let (first, sender) = sending.join().unwrap();
        let (mic, sends) = signing.join().unwrap();
        let sealed = first.clone();
        let receiving = spawn(move || (receives.unwrap(&sealed).unwrap().message, receives));
        let verifying = spawn(move || (receiver.verify_mic(b"fro", &mic), receiver));
        let (message, receives) = receiving.join().unwrap();
        let (verified, receiver) = verifying.join().unwrap();
        assert_eq!((&*message, verified), (&b"to"[..], Ok(())), "{enctype}");
        let halves = (
            SecurityContext::rejoin(sender, receiver),
            SecurityContext::rejoin(sends, receives),
        );
        let (Ok(mut ours), Ok(mut theirs)) = halves else {
            panic!("of one context")
        };
        let token = ours.wrap(true, b"again").unwrap();
        assert_ne!(token, first);
        assert_eq!(*theirs.unwrap(&token).unwrap().message, *b"again");
        // Control: a message that was opened is not opened again.
        assert!(theirs.unwrap(&first).is_err(), "{enctype}");
    }
}

#[test]
fn messages_in_place_allocate_nothing_after_the_first_whatever_that_was() {
    for &enctype in Enctype::ALL {
        for signed_first in [false, true] {
            let (mut ours, mut theirs) = pair(enctype, false, 11);
            let first = measure(|| match signed_first {
                true => theirs.verify_mic(b"", &ours.get_mic(b"").unwrap()).unwrap(),
                false => {
                    let token = ours.wrap(true, b"").unwrap();
                    assert!(theirs.unwrap(&token).is_ok());
                }
            });
            // Control: the places of the keys are counted.
            assert!(first.count_total >= 3, "{enctype}");
            for seal in [true, false] {
                let overhead = ours.overhead(seal, 64);
                let mut buffer = vec![0x6d; overhead.total() + 64];
                let mut opened = None;
                let counted = measure(|| {
                    ours.wrap_in_place(seal, &mut buffer).unwrap();
                    opened = theirs.unwrap_in_place(&mut buffer).ok();
                });
                assert!(opened.is_some(), "{enctype}");
                // RFC 4757 §7.3: a key stream of each message's number, and of each sealed message.
                let streams = match enctype.confounder_len() {
                    8 => 2 * (1 + u64::from(seal)),
                    _ => 0,
                };
                assert_eq!(counted.count_total, streams, "{enctype} {seal}");
            }
        }
    }
}
