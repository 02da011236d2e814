//! Connectionless mode (MS-NLMP §1.3.1.4): the acceptor speaks first, and messages come as they come.

use countersign_context::crypto::ntlm::{Direction, Strength};
use countersign_context::ntlm::{Acceptor, Initiator};
use countersign_context::{ErrorKind, Flags, NtlmProblem, Order, Policy};

use crate::forger::{F, Forged, Forger, SEALED};
use crate::protection::Kind;
use crate::support::*;
use crate::wire::Wire;

/// An acceptor that has proposed, and this forger's answer; there is no NEGOTIATE.
fn proposed(forger: &Forger, policy: &Policy) -> (Acceptor, Forged) {
    let mut acceptor = Acceptor::new(&server()).connectionless();
    let challenge = World::new(1).with_policy(policy).go_on(&mut acceptor, None);
    let forged = forger.authenticate(&[], &challenge);
    (acceptor, forged)
}

const DATAGRAMS: F = SEALED.union(F::NEGOTIATE_DATAGRAM);

/// MS-NLMP §3.4: each message has a key of its own, of its number.
#[test]
fn datagrams_are_protected_as_the_specification_has_it_at_every_strength() {
    for (strength, flag) in [
        (Strength::Bits128, F::NEGOTIATE_128),
        (Strength::Bits56, F::NEGOTIATE_56),
        (Strength::Bits40, F::NONE),
    ] {
        for seal in [true, false] {
            let mut offered = DATAGRAMS.without(F::NEGOTIATE_128) | flag;
            if !seal {
                offered = offered.without(F::NEGOTIATE_SEAL);
            }
            let forger = Forger::alice(offered);
            let (mut acceptor, forged) = proposed(&forger, &weak(strength));
            let mut world = World::new(2).with_policy(&weak(strength));
            let mut server = context(world.step(&mut acceptor, Some(&forged.token)));
            assert_eq!(server.session_key().expose(), forged.exported.expose());
            assert_eq!(server.ntlm_strength(), Some(strength));
            let wire = |direction| {
                Wire::new(&forged.exported, strength, direction)
                    .sealing(seal)
                    .datagram()
            };
            let mut to_server = wire(Direction::ClientToServer);
            let mut to_client = wire(Direction::ServerToClient);
            let tokens: Vec<_> = (0..5u8).map(|n| to_server.wrap(&[n; 20])).collect();
            for n in [4_usize, 1, 3] {
                let opened = server.unwrap(&tokens[n]).unwrap();
                assert_eq!(opened.message, [u8::try_from(n).unwrap(); 20]);
                assert_eq!(opened.sealed, seal);
            }
            let message = b"an answer";
            assert_eq!(server.wrap(seal, message).unwrap(), to_client.wrap(message));
            assert_eq!(server.get_mic(message).unwrap(), to_client.mic(message));
            to_server.sequence = 40;
            server.verify_mic(message, &to_server.mic(message)).unwrap();
        }
    }
}

/// MS-NLMP §3.2.5.2.1: this variant always exchanges keys.
#[test]
fn an_acceptor_refuses_protected_datagrams_without_key_exchange() {
    let forger = Forger::alice(DATAGRAMS.without(F::KEY_EXCH));
    let (mut acceptor, forged) = proposed(&forger, &Policy::DEFAULT);
    let refused = World::new(2).step(&mut acceptor, Some(&forged.token));
    assert_eq!(
        why(refused),
        ErrorKind::Ntlm(NtlmProblem::KeyExchangeMissing)
    );
    // Where nothing is protected there is no key to exchange.
    let bare = F::KEY_EXCH | F::NEGOTIATE_SIGN | F::NEGOTIATE_SEAL;
    let forger = Forger::alice(DATAGRAMS.without(bare));
    let (mut acceptor, forged) = proposed(&forger, &Policy::DEFAULT);
    let context = context(World::new(2).step(&mut acceptor, Some(&forged.token)));
    assert_eq!(context.flags(), Flags::NONE);
}

#[test]
fn the_two_modes_are_not_taken_for_each_other() {
    let refused = ErrorKind::Ntlm(NtlmProblem::FlagsNotOffered);
    let forger = Forger::alice(DATAGRAMS.without(F::NEGOTIATE_DATAGRAM));
    let (mut acceptor, forged) = proposed(&forger, &Policy::DEFAULT);
    let result = World::new(2).step(&mut acceptor, Some(&forged.token));
    assert_eq!(why(result), refused);
    let (mut acceptor, forged) = proposed(&Forger::alice(DATAGRAMS), &Policy::DEFAULT);
    World::new(2)
        .step(&mut acceptor, Some(&forged.token))
        .map(drop)
        .unwrap();
    // A NEGOTIATE that asks for datagrams gets a connection.
    let mut acceptor = Acceptor::new(&server());
    let negotiate = Forger::alice(DATAGRAMS).negotiate();
    let challenge = World::new(1).go_on(&mut acceptor, Some(&negotiate));
    let forged = Forger::alice(DATAGRAMS).authenticate(&negotiate, &challenge);
    let mut context = context(World::new(2).step(&mut acceptor, Some(&forged.token)));
    let mut wire = Wire::new(
        &forged.exported,
        Strength::Bits128,
        Direction::ClientToServer,
    );
    for message in [b"one", b"two"] {
        let opened = context.unwrap(&wire.wrap(message)).unwrap();
        assert_eq!(opened.message, message);
    }
}

/// MS-NLMP §3.4: connectionless, messages arrive in any order or not at all.
#[test]
fn datagrams_are_opened_in_any_order_and_each_once() {
    for kind in [Kind::SealedDatagram, Kind::SignedDatagram] {
        let (mut client, mut server) = kind.pair();
        assert!(client.flags().contains(Flags::REPLAY));
        assert!(!client.flags().contains(Flags::SEQUENCE));
        let tokens: Vec<_> = (0..80u8)
            .map(|n| client.wrap(kind.seals(), &[n; 33]).unwrap())
            .collect();
        for n in [3, 0, 2, 70, 10, 69] {
            let opened = server.unwrap(&tokens[n]).unwrap();
            assert_eq!(opened.message, [u8::try_from(n).unwrap(); 33]);
            assert_eq!(why(server.unwrap(&tokens[n])), ErrorKind::MessageDuplicate);
        }
        // Out of the window: nobody knows any more whether it came.
        assert_eq!(why(server.unwrap(&tokens[1])), ErrorKind::MessageOld);
        let (opened, order) = server.unwrap_any_order(&tokens[1]).unwrap();
        assert_eq!((opened.message, order), (vec![1; 33], Order::Old));
        // A MIC has its own number, and goes astray likewise.
        let mic = client.get_mic(b"message").unwrap();
        let later = client.get_mic(b"another").unwrap();
        server.verify_mic(b"another", &later).unwrap();
        server.verify_mic(b"message", &mic).unwrap();
        converse(&mut server, &mut client, kind.seals());
    }
    let refused = run_connectionless(
        Initiator::new(alice()).require(Flags::SEQUENCE),
        Acceptor::new(&server()),
        &Policy::DEFAULT,
    );
    assert_eq!(why(refused), ErrorKind::FlagsNotGranted(Flags::SEQUENCE));
    let refused = run_connectionless(
        Initiator::new(alice()).require(Flags::REPLAY),
        Acceptor::new(&server()).require(Flags::SEQUENCE),
        &Policy::DEFAULT,
    );
    assert_eq!(why(refused), ErrorKind::FlagsNotGranted(Flags::SEQUENCE));
}

/// MS-NLMP §3.4.4: the application numbers datagrams, where it does.
#[test]
fn datagrams_have_the_numbers_of_the_application_and_none_twice() {
    for kind in [Kind::SealedDatagram, Kind::SignedDatagram] {
        let (mut client, mut server) = kind.pair();
        let wire_number = |token: &[u8]| u32::from_le_bytes(token[12..16].try_into().unwrap());
        client.number_next(7).unwrap();
        let seventh = client.wrap(kind.seals(), b"seven").unwrap();
        let mic = client.get_mic(b"eight").unwrap();
        assert_eq!((wire_number(&seventh), wire_number(&mic)), (7, 8));
        for spent in [0, 7, 8] {
            assert_eq!(why(client.number_next(spent)), ErrorKind::NumberSpent);
        }
        client.number_next(9).unwrap();
        assert_eq!(wire_number(&client.wrap(kind.seals(), b"nine").unwrap()), 9);

        server.check_number(&seventh, 7).unwrap();
        server.check_number(&mic, 8).unwrap();
        assert_eq!(
            why(server.check_number(&seventh, 8)),
            ErrorKind::MessageUnsequenced
        );
        assert_eq!(why(server.check_number(&seventh, 6)), ErrorKind::MessageGap);
        assert!(matches!(
            why(server.check_number(&seventh[..15], 7)),
            ErrorKind::DefectiveToken(_)
        ));
        // The number is under the checksum.
        let mut altered = seventh.clone();
        altered[12] = 6;
        server.check_number(&altered, 6).unwrap();
        assert_eq!(why(server.unwrap(&altered)), ErrorKind::MessageModified);
        assert_eq!(server.unwrap(&seventh).unwrap().message, b"seven");
        server.verify_mic(b"eight", &mic).unwrap();

        // The last number there is.
        client.number_next(u32::MAX).unwrap();
        client.get_mic(b"last").unwrap();
        assert_eq!(why(client.get_mic(b"after it")), ErrorKind::Overflow);
    }
    // On a connection the numbers are the mechanism's.
    let (mut client, mut server) = Kind::Sealed.pair();
    client.number_next(7).unwrap();
    let first = client.wrap(true, b"message").unwrap();
    server.check_number(&first, 7).unwrap();
    assert_eq!(server.unwrap(&first).unwrap().message, b"message");
}
