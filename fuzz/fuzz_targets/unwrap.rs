//! Messages under a live key: whatever arrives, only what the peer wrapped comes out.
//!
//! Sections: [enctype, flags, kind], message, associated data, edits or tokens.
#![no_main]

use std::sync::OnceLock;

use countersign_context::{Flags, IoBuffer, SecurityContext};
use countersign_crypto::{Enctype, Zeroizing};
use countersign_fuzz::{Seeded, realm, sections};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_sections(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let sections = sections::split(data);
    let [control, message, associated, rest @ ..] = &sections[..] else {
        return;
    };
    let &[enctype, flags, kind, ..] = *control else {
        return;
    };
    let enctype = realm::enctype(enctype);
    let seal = flags & 1 != 0;
    let (mut sender, mut receiver) = contexts(enctype, flags & 2 != 0, kind % 5 == 0);
    if flags & 4 != 0 {
        (sender, receiver) = (receiver, sender);
    }
    match kind % 5 {
        0 => rest
            .iter()
            .for_each(|token| forged(&mut receiver, token, message)),
        1 => {
            let token = sender.wrap(seal, message).expect("granted");
            let opened = receiver.unwrap(&token).expect("as it was sent");
            assert!(opened.message == *message && opened.sealed == seal);
            altered(
                rest,
                &token,
                |token| {
                    let (_, mut receiver) = pair(enctype, flags);
                    let opened = receiver.unwrap(token).ok()?;
                    assert_eq!(opened.sealed, seal);
                    Some(opened.message)
                },
                message,
            );
        }
        2 => {
            let mic = sender.get_mic(message).expect("granted");
            receiver.verify_mic(message, &mic).expect("as it was sent");
            altered(
                rest,
                &mic,
                |mic| {
                    let (_, mut receiver) = pair(enctype, flags);
                    receiver
                        .verify_mic(message, mic)
                        .ok()
                        .map(|()| message.to_vec())
                },
                message,
            );
            altered(
                rest,
                message,
                |message| {
                    let (_, mut receiver) = pair(enctype, flags);
                    receiver
                        .verify_mic(message, &mic)
                        .ok()
                        .map(|()| message.to_vec())
                },
                message,
            );
        }
        3 => {
            let token = sender
                .wrap_aead(seal, associated, message)
                .expect("granted");
            let opened = receiver
                .unwrap_aead(&token, associated)
                .expect("as it was sent");
            assert!(opened.message == *message && opened.sealed == seal);
            altered(
                rest,
                associated,
                |associated| {
                    let (_, mut receiver) = pair(enctype, flags);
                    receiver
                        .unwrap_aead(&token, associated)
                        .ok()
                        .map(|_| associated.to_vec())
                },
                associated,
            );
        }
        _ => scattered(&mut sender, &mut receiver, seal, message, associated, rest),
    }
});

/// A new pair in the direction that `flags` asks for.
fn pair(enctype: Enctype, flags: u8) -> (SecurityContext, SecurityContext) {
    let (initiator, acceptor) = contexts(enctype, flags & 2 != 0, false);
    match flags & 4 {
        0 => (initiator, acceptor),
        _ => (acceptor, initiator),
    }
}

/// Contexts that have been established once and are imported for each input.
///
/// Forgeries are tried on contexts of their own: libFuzzer watches every comparison, and would learn
/// from ours what a genuine token looks like.
fn contexts(enctype: Enctype, dce: bool, forgeries: bool) -> (SecurityContext, SecurityContext) {
    type Exported = [Zeroizing<Vec<u8>>; 2];
    static CONTEXTS: OnceLock<Vec<Exported>> = OnceLock::new();
    let contexts = CONTEXTS.get_or_init(|| {
        let plain = Flags::MUTUAL | Flags::REPLAY | Flags::CONFIDENTIALITY | Flags::INTEGRITY;
        let export = |index: usize| {
            let flags = if index & 2 == 0 {
                plain
            } else {
                plain | Flags::DCE_STYLE
            };
            let seed = 2 + (index as u64 & 1);
            let (initiator, acceptor) = realm::established(Enctype::ALL[index / 4], flags, seed);
            [initiator, acceptor].map(|context| context.export().expect("exports"))
        };
        (0..Enctype::ALL.len() * 4).map(export).collect()
    });
    let index = Enctype::ALL
        .iter()
        .position(|known| *known == enctype)
        .unwrap_or(0);
    let [initiator, acceptor] =
        &contexts[index * 4 + usize::from(dce) * 2 + usize::from(forgeries)];
    let import = |bytes: &[u8]| {
        let mut random = Seeded(3);
        SecurityContext::import(bytes, &mut realm::environment(&mut random)).expect("own export")
    };
    (import(initiator), import(acceptor))
}

/// Bytes of the fuzzer's own making prove nothing.
fn forged(receiver: &mut SecurityContext, token: &[u8], message: &[u8]) {
    assert!(receiver.unwrap_any_order(token).is_err());
    assert!(receiver.verify_mic_any_order(message, token).is_err());
    assert!(receiver.unwrap_aead_any_order(token, message).is_err());
    assert!(
        receiver
            .unwrap_in_place_any_order(&mut token.to_vec())
            .is_err()
    );
    for cut in [16, 28, 32, 60, 76] {
        let mut header = token[..token.len().min(cut)].to_vec();
        let mut data = token[token.len().min(cut)..].to_vec();
        let mut buffers = [IoBuffer::Header(&mut header), IoBuffer::Data(&mut data)];
        assert!(receiver.unwrap_iov_any_order(&mut buffers).is_err());
    }
    let (mut stream, mut nothing) = (token.to_vec(), []);
    let mut buffers = [IoBuffer::Stream(&mut stream), IoBuffer::Data(&mut nothing)];
    assert!(receiver.unwrap_iov_any_order(&mut buffers).is_err());
}

/// Each edit is a position (u16), an octet to be combined with, and what to do there. What `open`
/// still accepts must say the same; and it must not accept a change of any protected octet.
fn altered(
    edits: &[&[u8]],
    genuine: &[u8],
    mut open: impl FnMut(&[u8]) -> Option<Vec<u8>>,
    said: &[u8],
) {
    for edit in edits.iter().take(8) {
        let mut changed = genuine.to_vec();
        for edit in edit.as_chunks::<4>().0 {
            let [low, high, octet, action] = *edit;
            let position = usize::from(u16::from_le_bytes([low, high])) % changed.len().max(1);
            match (action % 4, changed.get_mut(position)) {
                (0 | 1, Some(at)) => *at ^= octet,
                (2, _) => changed.truncate(position),
                (_, Some(_)) => changed.rotate_left(position),
                (_, None) => changed.push(octet),
            }
        }
        if changed == genuine {
            continue;
        }
        if let Some(message) = open(&changed) {
            assert_eq!(message, said, "a changed token says something else");
            // RRC alone is not protected (RFC 4121 4.2.5): a rotation may be done otherwise. So it is
            // with a ticket of rc4-hmac too, where the subkey may be a better one.
            let same =
                |range: core::ops::Range<usize>| changed.get(range.clone()) == genuine.get(range);
            let rotated = changed.starts_with(&[5, 4]) && same(0..6) && same(8..16);
            assert!(rotated, "a changed token is accepted");
        }
    }
}

/// Header, associated data, two parts of data and a trailer.
fn scattered(
    sender: &mut SecurityContext,
    receiver: &mut SecurityContext,
    seal: bool,
    message: &[u8],
    associated: &[u8],
    rest: &[&[u8]],
) {
    let trailing = rest
        .first()
        .is_some_and(|rest| rest.first().is_some_and(|octet| octet & 1 != 0));
    let (mut first, mut second) = (
        message.to_vec(),
        rest.last().map(|r| r.to_vec()).unwrap_or_default(),
    );
    let (mut header, mut padding, mut trailer) = ([0; 128], [0; 16], [0; 128]);
    let (before, after) = (first.clone(), second.clone());
    let parts = {
        let mut buffers = vec![
            IoBuffer::Header(&mut header),
            IoBuffer::SignOnly(associated),
            IoBuffer::Data(&mut first),
            IoBuffer::Data(&mut second),
            IoBuffer::Padding(&mut padding),
        ];
        if trailing {
            buffers.push(IoBuffer::Trailer(&mut trailer));
        }
        let parts = sender
            .wrap_iov_length(seal, &buffers)
            .expect("a layout that there is");
        sender.wrap_iov(seal, &mut buffers).expect("room enough");
        parts
    };
    let mut buffers = vec![
        IoBuffer::Header(&mut header[..parts.header]),
        IoBuffer::SignOnly(associated),
        IoBuffer::Data(&mut first),
        IoBuffer::Data(&mut second),
        IoBuffer::Padding(&mut padding[..parts.padding]),
    ];
    if trailing {
        buffers.push(IoBuffer::Trailer(&mut trailer[..parts.trailer]));
    }
    let protection = receiver.unwrap_iov(&mut buffers).expect("as it was sent");
    drop(buffers);
    assert_eq!(protection.is_sealed(), seal);
    assert!(first == before && second == after);
}
