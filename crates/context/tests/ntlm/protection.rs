//! Messages: what is opened, and what is refused without a trace.

use countersign_context::ntlm::{Acceptor, Initiator};
use countersign_context::{ErrorKind, Flags, IoBuffer, Policy, Protection, SecurityContext};

use crate::forger::{BASE, F, Forger};
use crate::support::*;

/// Ways in which messages are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sealed,
    Signed,
    SealedDatagram,
    SignedDatagram,
}

pub(crate) const KINDS: [Kind; 4] = [
    Kind::Sealed,
    Kind::Signed,
    Kind::SealedDatagram,
    Kind::SignedDatagram,
];

impl Kind {
    pub(crate) fn seals(self) -> bool {
        matches!(self, Self::Sealed | Self::SealedDatagram)
    }

    fn is_datagram(self) -> bool {
        matches!(self, Self::SealedDatagram | Self::SignedDatagram)
    }

    /// The initiator's and the acceptor's context; always the same two.
    pub(crate) fn pair(self) -> (SecurityContext, SecurityContext) {
        let asked = if self.seals() {
            Flags::CONFIDENTIALITY
        } else {
            Flags::INTEGRITY
        };
        let (initiator, acceptor) = (
            Initiator::new(alice()).require(asked),
            Acceptor::new(&server()).require(asked),
        );
        let run = if self.is_datagram() {
            run_connectionless
        } else {
            run
        };
        run(initiator, acceptor, &Policy::DEFAULT).unwrap()
    }
}

#[test]
fn a_sealing_context_seals_all_that_is_wrapped_and_a_signing_one_nothing() {
    for kind in KINDS {
        let (mut client, mut server) = kind.pair();
        for asked in [false, true] {
            if asked && !kind.seals() {
                let kind = why(client.wrap(true, b"message"));
                assert_eq!(kind, ErrorKind::ConfidentialityNotGranted);
                continue;
            }
            // Nothing in the token tells whether it is sealed: both sides must do the same always.
            let token = client.wrap(asked, b"a message of some length").unwrap();
            assert_eq!(token.ends_with(b"a message of some length"), !kind.seals());
            let opened = server.unwrap(&token).unwrap();
            assert_eq!(opened.sealed, kind.seals());
            assert_eq!(opened.message, b"a message of some length");
        }
    }
}

#[test]
fn every_call_that_protects_has_its_call_that_opens() {
    for kind in KINDS {
        let (mut client, mut server) = kind.pair();
        let seal = kind.seals();
        for length in [0, 1, 15, 16, 17, 1000, 70_000] {
            let message: Vec<u8> = (0..length).map(|n: usize| n.to_le_bytes()[0]).collect();
            assert_eq!(client.wrap_size_limit(seal, length + 16), length);
            let token = client.wrap(seal, &message).unwrap();
            assert_eq!(token.len(), length + 16);
            assert_eq!(server.unwrap(&token).unwrap().message, message);

            let mut buffer = [&[0; 16][..], &message].concat();
            server.wrap_in_place(seal, &mut buffer).unwrap();
            let place = client.unwrap_in_place(&mut buffer).unwrap();
            assert_eq!(
                (place.message.clone(), place.sealed),
                (16..length + 16, seal)
            );
            assert_eq!(buffer[place.message], message);

            let mic = client.get_mic(&message).unwrap();
            assert_eq!(mic.len(), server.sizes().max_signature);
            server.verify_mic(&message, &mic).unwrap();

            let token = client.wrap_aead(seal, b"header", &message).unwrap();
            assert_eq!(token.len(), length + 16);
            let opened = server.unwrap_aead(&token, b"header").unwrap();
            assert_eq!((opened.message, opened.sealed), (message, seal));
        }
    }
}

#[test]
fn scattered_messages_are_sealed_where_they_are_data_and_signed_where_they_are_not() {
    for kind in KINDS {
        let (mut client, mut server) = kind.pair();
        let (mut header, mut one, mut two) = ([0; 16], *b"first part", *b"and the second");
        let mut buffers = [
            IoBuffer::Header(&mut header),
            IoBuffer::SignOnly(b"seen by all"),
            IoBuffer::Data(&mut one),
            IoBuffer::SignOnly(b"this too"),
            IoBuffer::Data(&mut two),
        ];
        let parts = client.wrap_iov_length(kind.seals(), &buffers).unwrap();
        assert_eq!((parts.header, parts.padding, parts.trailer), (16, 0, 0));
        client.wrap_iov(kind.seals(), &mut buffers).unwrap();
        assert_eq!(one == *b"first part", !kind.seals());
        // What is signed beside the data may not be another.
        for (beside, genuine) in [(&b"seen by one"[..], false), (b"seen by all", true)] {
            let (mut header, mut one, mut two) = (header, one, two);
            let mut buffers = [
                IoBuffer::Header(&mut header),
                IoBuffer::SignOnly(beside),
                IoBuffer::Data(&mut one),
                IoBuffer::SignOnly(b"this too"),
                IoBuffer::Data(&mut two),
            ];
            let opened = server.unwrap_iov(&mut buffers);
            if genuine {
                let sealed = kind.seals();
                let expected = [Protection::Signed, Protection::Sealed][usize::from(sealed)];
                assert_eq!(opened.unwrap(), expected);
                assert_eq!((&one, &two), (b"first part", b"and the second"));
            } else {
                assert_eq!(why(opened), ErrorKind::MessageModified);
                assert_eq!((one, two), ([0; 10], [0; 14]), "nothing is left of it");
            }
        }
        // As one stream, and the message cut otherwise.
        let mut stream = server.wrap(kind.seals(), b"one stream").unwrap();
        let (mut nothing, mut rest) = ([], []);
        let mut buffers = [
            IoBuffer::Stream(&mut stream),
            IoBuffer::Data(&mut nothing),
            IoBuffer::Data(&mut rest),
        ];
        let refused = client.unwrap_iov(&mut buffers);
        assert_eq!(why(refused), ErrorKind::BufferLayout);
        let mut buffers = [IoBuffer::Stream(&mut stream), IoBuffer::Data(&mut nothing)];
        client.unwrap_iov(&mut buffers).unwrap();
        let [_, IoBuffer::Data(message)] = buffers else {
            panic!()
        };
        assert_eq!(message, b"one stream");
    }
}

/// MS-NLMP §3.2.5.1.2, §3.4: no session security for anonymous initiators and guests, and none
/// that was not agreed on. Whoever opened their messages would trust anybody.
#[test]
fn contexts_without_protection_neither_make_messages_nor_take_any() {
    let admitted = Policy::DEFAULT.with_anonymous_initiators(true);
    let (client, nobody) =
        run(Initiator::anonymous(), Acceptor::new(&server()), &admitted).unwrap();
    let (account, bare) = run(
        Initiator::new(alice()),
        Acceptor::new(&server()),
        &Policy::DEFAULT,
    )
    .unwrap();
    for mut context in [client, nobody, account, bare] {
        let key = countersign_context::crypto::ntlm::SessionKey::new(
            context.session_key().expose().try_into().unwrap(),
        );
        let direction = match context.role() {
            countersign_context::Role::Acceptor => {
                countersign_context::crypto::ntlm::Direction::ClientToServer
            }
            countersign_context::Role::Initiator => {
                countersign_context::crypto::ntlm::Direction::ServerToClient
            }
        };
        // Forged with the context's own key.
        let wire = || {
            crate::wire::Wire::new(
                &key,
                countersign_context::crypto::ntlm::Strength::Bits40,
                direction,
            )
            .sealing(false)
            .key_exchange(false)
        };
        let refused = ErrorKind::IntegrityNotGranted;
        assert_eq!(why(context.wrap(false, b"message")), refused);
        assert_eq!(why(context.get_mic(b"message")), refused);
        assert_eq!(why(context.unwrap(&wire().wrap(b"message"))), refused);
        let mut token = wire().wrap(b"message");
        assert_eq!(why(context.unwrap_in_place_any_order(&mut token)), refused);
        let mic = wire().mic(b"message");
        assert_eq!(why(context.verify_mic(b"message", &mic)), refused);
        let token = wire().wrap(b"message");
        assert_eq!(why(context.unwrap_aead(&token, b"")), refused);
    }
    // Control: the same message, where signing was agreed on.
    let forger = Forger::alice(BASE | F::NEGOTIATE_SIGN);
    let mut world = World::new(1);
    let mut acceptor = Acceptor::new(&server());
    let negotiate = forger.negotiate();
    let challenge = world.go_on(&mut acceptor, Some(&negotiate));
    let forged = forger.authenticate(&negotiate, &challenge);
    let mut context = context(world.step(&mut acceptor, Some(&forged.token)));
    let mut wire = crate::wire::Wire::new(
        &forged.exported,
        countersign_context::crypto::ntlm::Strength::Bits128,
        countersign_context::crypto::ntlm::Direction::ClientToServer,
    )
    .sealing(false)
    .key_exchange(false);
    assert_eq!(
        context.unwrap(&wire.wrap(b"message")).unwrap().message,
        b"message"
    );
}
