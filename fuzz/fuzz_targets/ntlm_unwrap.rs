//! Messages of NTLM under a live key: whatever arrives, only what the peer wrapped comes out, and
//! what is refused leaves the stream where it was.
//!
//! Sections: [kind, calls], then a message or forgeries of it, by turns: [call], bytes.
#![no_main]

use std::sync::OnceLock;

use countersign_context::ntlm::{Acceptor, AcceptorCredential, Initiator};
use countersign_context::{Flags, IoBuffer, Mechanism, Policy, SecurityContext, Step};
use countersign_crypto::Zeroizing;
use countersign_fuzz::{Seeded, ntlm, sections};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_sections(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let sections = sections::split(data);
    let [control, turns @ ..] = &sections[..] else {
        return;
    };
    let &[kind, ..] = *control else {
        return;
    };
    let (mut sender, mut receiver) = contexts(kind & 7, 0);
    if kind & 8 != 0 {
        (sender, receiver) = (receiver, sender);
    }
    let seals = sender.flags().contains(Flags::CONFIDENTIALITY);
    // Forgeries from nothing are tried on a context of their own: libFuzzer watches every comparison.
    let (_, mut stranger) = contexts(kind & 7, 1);
    for turn in turns.chunks_exact(2) {
        let [call, bytes] = turn else { return };
        let [call, place_low, place_high, change, ..] = **call else {
            forged(&mut stranger, bytes);
            continue;
        };
        let place = usize::from(u16::from_le_bytes([place_low, place_high]));
        let seal = seals && call & 0x80 != 0;
        let altered = |token: &[u8]| {
            let mut altered = token.to_vec();
            let place = place % altered.len();
            altered[place] ^= change;
            (change != 0).then_some(altered)
        };
        match call % 4 {
            0 => {
                let token = sender.wrap(seal, bytes).expect("granted");
                if let Some(altered) = altered(&token) {
                    assert!(receiver.unwrap(&altered).is_err(), "a changed token");
                    assert!(receiver.unwrap_in_place(&mut altered.clone()).is_err());
                }
                let opened = receiver.unwrap(&token).expect("as it was sent");
                assert!(opened.message == *bytes && opened.sealed == seals);
                assert!(receiver.unwrap(&token).is_err(), "a second time");
            }
            1 => {
                let mic = sender.get_mic(bytes).expect("granted");
                if let Some(altered) = altered(&mic) {
                    assert!(receiver.verify_mic(bytes, &altered).is_err());
                }
                if let Some(altered) = Some(*bytes).filter(|b| !b.is_empty()).and_then(altered) {
                    assert!(receiver.verify_mic(&altered, &mic).is_err());
                }
                receiver.verify_mic(bytes, &mic).expect("as it was sent");
                assert!(receiver.verify_mic(bytes, &mic).is_err(), "a second time");
            }
            2 => {
                let (beside, message) = bytes.split_at(place.min(bytes.len()));
                let token = sender.wrap_aead(seal, beside, message).expect("granted");
                if let Some(altered) = altered(&token) {
                    assert!(receiver.unwrap_aead(&altered, beside).is_err());
                }
                let longer = [beside, b"more"].concat();
                assert!(receiver.unwrap_aead(&token, &longer).is_err());
                let opened = receiver.unwrap_aead(&token, beside);
                assert!(opened.expect("as it was sent").message == *message);
            }
            _ => scattered(&mut sender, &mut receiver, bytes, place, change),
        }
    }
});

/// Bytes of the fuzzer's own making prove nothing.
fn forged(receiver: &mut SecurityContext, token: &[u8]) {
    assert!(receiver.unwrap_any_order(token).is_err());
    assert!(receiver.verify_mic_any_order(b"message", token).is_err());
    assert!(receiver.unwrap_aead_any_order(token, b"message").is_err());
    let mut copy = token.to_vec();
    assert!(receiver.unwrap_in_place_any_order(&mut copy).is_err());
    let (head, data) = copy.split_at_mut(token.len().min(16));
    let mut buffers = [IoBuffer::Header(head), IoBuffer::Data(data)];
    assert!(receiver.unwrap_iov_any_order(&mut buffers).is_err());
}

/// Header, associated data, two parts of data; one octet of one of them is another, then genuine.
fn scattered(
    sender: &mut SecurityContext,
    receiver: &mut SecurityContext,
    bytes: &[u8],
    place: usize,
    change: u8,
) {
    let (beside, rest) = bytes.split_at(bytes.len() / 3);
    let mut parts = [[0; 16].to_vec(), beside.to_vec(), rest.to_vec()];
    let cut = rest.len() / 2;
    let before = parts[2].clone();
    let with = |context: &mut SecurityContext, parts: &mut [Vec<u8>; 3], open: bool| {
        let [header, beside, data] = parts;
        let (one, two) = data.split_at_mut(cut);
        let mut buffers = [
            IoBuffer::Header(header),
            IoBuffer::Data(one),
            IoBuffer::SignOnly(beside),
            IoBuffer::Data(two),
        ];
        match open {
            true => context.unwrap_iov(&mut buffers).map(drop),
            false => context.wrap_iov(false, &mut buffers),
        }
    };
    with(sender, &mut parts, false).expect("a layout that there is");
    let mut altered = parts.clone();
    if let Some(octet) = altered.iter_mut().flatten().nth(place % (16 + bytes.len())) {
        *octet ^= change;
    }
    if change != 0 {
        assert!(
            with(receiver, &mut altered, true).is_err(),
            "a changed part"
        );
    }
    with(receiver, &mut parts, true).expect("as it was sent");
    assert!(parts[2] == before);
}

/// Contexts that have been established once and are imported for each input: sealed or signed, on a
/// connection or not, with 128 bits.
fn contexts(kind: u8, forgeries: usize) -> (SecurityContext, SecurityContext) {
    type Exported = [Zeroizing<Vec<u8>>; 2];
    static CONTEXTS: OnceLock<Vec<Exported>> = OnceLock::new();
    let contexts = CONTEXTS.get_or_init(|| {
        let export = |index: usize| {
            let seed = 2 + (index as u64 / 4);
            let (initiator, acceptor) = established(index & 1 != 0, index & 2 != 0, seed);
            [initiator, acceptor].map(|context| context.export().expect("exports"))
        };
        (0..8).map(export).collect()
    });
    let [initiator, acceptor] = &contexts[usize::from(kind & 3) + 4 * forgeries];
    let import = |bytes: &[u8]| {
        let (mut random, policy) = (Seeded(3), Policy::default());
        let mut env = ntlm::environment(&mut random, &policy);
        SecurityContext::import(bytes, &mut env).expect("own export")
    };
    (import(initiator), import(acceptor))
}

fn established(seal: bool, datagram: bool, seed: u64) -> (SecurityContext, SecurityContext) {
    let asked = [Flags::INTEGRITY, Flags::CONFIDENTIALITY][usize::from(seal)];
    let credential = AcceptorCredential::new(ntlm::names()).with_users(ntlm::users());
    let mut initiator = Initiator::new(ntlm::credential()).require(asked);
    let mut acceptor = Acceptor::new(&credential);
    if datagram {
        (initiator, acceptor) = (initiator.connectionless(), acceptor.connectionless());
    }
    let (mut random, policy) = (Seeded(seed), Policy::default());
    let mut env = ntlm::environment(&mut random, &policy);
    let go_on = |step| match step {
        Ok(Step::Continue { token }) => token,
        step => panic!("{step:?}"),
    };
    let last = |step| match step {
        Ok(Step::Established { token, context }) => (token, *context),
        step => panic!("{step:?}"),
    };
    let first = go_on(initiator.step(None, &mut env));
    let first = (!datagram).then_some(first);
    let second = go_on(acceptor.step(first.as_deref(), &mut env));
    let (third, client) = last(initiator.step(Some(&second), &mut env));
    let (_, server) = last(acceptor.step(third.as_deref(), &mut env));
    (client, server)
}
