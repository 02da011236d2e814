//! What honest sides come to.

use countersign_context::crypto::ntlm::{Direction, NtHash, Strength};
use countersign_context::ntlm::{Acceptor, Initiator};
use countersign_context::token::oid::Oid;
use countersign_context::{
    ErrorKind, Flags, Identity, NtlmIdentity, NtlmProblem, Policy, Role, Timestamp,
};
use countersign_credential::ntlm::NtlmCredential;

use crate::forger::{F, Forger, SEALED, SIGNED};
use crate::support::*;
use crate::wire::Wire;

const SIGNING: Flags = Flags::INTEGRITY.union(Flags::REPLAY).union(Flags::SEQUENCE);
const SEALING: Flags = SIGNING.union(Flags::CONFIDENTIALITY);

#[test]
fn two_sides_agree_and_protect_messages_in_both_directions() {
    let initiator = Initiator::new(alice()).require(Flags::CONFIDENTIALITY | Flags::INTEGRITY);
    let acceptor = Acceptor::new(&server()).require(Flags::CONFIDENTIALITY);
    let (mut client, mut server) = run(initiator, acceptor, &Policy::DEFAULT).unwrap();
    assert_eq!(server.peer().unwrap().to_string(), "EXAMPLE\\alice");
    assert_eq!(client.peer(), None);
    assert_eq!(client.session_key().expose(), server.session_key().expose());
    converse(&mut client, &mut server, true);
    converse(&mut server, &mut client, true);
}

#[test]
fn contexts_are_sealed_signed_or_neither_as_they_were_asked_for() {
    for (asked, granted) in [
        (Flags::CONFIDENTIALITY, SEALING),
        (SEALING, SEALING),
        (Flags::INTEGRITY, SIGNING),
        (Flags::REPLAY, SIGNING),
        (Flags::SEQUENCE, SIGNING),
        (Flags::NONE, Flags::NONE),
        (Flags::IDENTIFY, Flags::IDENTIFY),
        (
            Flags::IDENTIFY | Flags::INTEGRITY,
            SIGNING | Flags::IDENTIFY,
        ),
    ] {
        for required in [false, true] {
            let initiator = Initiator::new(alice());
            let (initiator, acceptor) = if required {
                let acceptor = Acceptor::new(&server()).require(asked);
                (initiator.require(asked), acceptor)
            } else {
                (initiator.request(asked), Acceptor::new(&server()))
            };
            let (mut client, mut server) = run(initiator, acceptor, &Policy::DEFAULT).unwrap();
            assert_eq!((client.flags(), server.flags()), (granted, granted));
            assert_eq!(client.session_key().expose(), server.session_key().expose());
            assert_eq!(client.session_key().expose().len(), 16);
            let sealed = granted.contains(Flags::CONFIDENTIALITY);
            if granted.contains(Flags::INTEGRITY) {
                converse(&mut client, &mut server, sealed);
            }
        }
    }
}

#[test]
fn a_context_tells_who_each_side_is_and_that_it_does_not_expire() {
    let initiator = Initiator::new(alice());
    let (client, server) = run(initiator, Acceptor::new(&server()), &Policy::DEFAULT).unwrap();
    assert_eq!(
        (client.role(), server.role()),
        (Role::Initiator, Role::Acceptor)
    );
    assert_eq!(client.local().to_string(), "EXAMPLE\\alice");
    assert_eq!(server.local().to_string(), "EXAMPLE\\WWW$");
    let alice = server.peer().and_then(Identity::account).unwrap();
    assert_eq!((alice.domain(), alice.user()), ("EXAMPLE", "alice"));
    for context in [&client, &server] {
        assert_eq!(context.mechanism(), Oid::NTLMSSP);
        assert_eq!(context.expires(), Timestamp::NEVER);
        assert!(context.enctype().is_none() && context.pac().is_none());
        assert!(!context.flags().contains(Flags::MUTUAL));
    }
}

#[test]
fn acceptor_refuses_a_wrong_password_and_an_unknown_user_alike() {
    for (account, password) in [
        ("EXAMPLE\\alice", "open sesamo"),
        ("EXAMPLE\\alice", "Open sesame"),
        ("EXAMPLE\\alice", ""),
        ("EXAMPLE\\mallory", PASSWORD),
        ("OTHER\\alice", PASSWORD),
        ("mallory", PASSWORD),
    ] {
        let initiator = Initiator::new(credential(account, password));
        let result = run(initiator, Acceptor::new(&server()), &Policy::DEFAULT);
        assert_eq!(why(result), ErrorKind::Ntlm(NtlmProblem::LogonDenied));
    }
    let initiator = Initiator::new(alice());
    run(initiator, Acceptor::new(&server()), &Policy::DEFAULT).unwrap();
}

/// The response of an unknown account is compared with what a hash of zeros makes: who has that hash is still nobody.
#[test]
fn acceptor_refuses_an_unknown_user_with_the_hash_that_unknown_users_are_judged_by() {
    for account in ["EXAMPLE\\mallory", "mallory", "EXAMPLE\\alice"] {
        let account = account.parse().unwrap();
        let zeros = NtlmCredential::with_nt_hash(account, NtHash::new([0; 16]));
        let result = run(
            Initiator::new(zeros),
            Acceptor::new(&server()),
            &Policy::DEFAULT,
        );
        assert_eq!(why(result), ErrorKind::Ntlm(NtlmProblem::LogonDenied));
    }
    let hash = NtlmCredential::with_nt_hash(
        "EXAMPLE\\alice".parse().unwrap(),
        NtHash::from_password(PASSWORD),
    );
    run(
        Initiator::new(hash),
        Acceptor::new(&server()),
        &Policy::DEFAULT,
    )
    .unwrap();
}

/// The store's name is proved; what the initiator calls itself is not.
#[test]
fn the_peer_has_the_name_of_the_user_store_and_not_the_claimed_one() {
    for (claimed, password, known) in [
        ("PENTAGON\\bob", "battery staple", "bob"),
        ("\\BOB", "battery staple", "bob"),
        ("example\\ALICE", PASSWORD, "EXAMPLE\\alice"),
        ("EXAMPLE\\alice", PASSWORD, "EXAMPLE\\alice"),
        // Of this server's domain, where none is named.
        ("alice", PASSWORD, "EXAMPLE\\alice"),
    ] {
        let initiator = Initiator::new(credential(claimed, password));
        let (client, server) = run(initiator, Acceptor::new(&server()), &Policy::DEFAULT).unwrap();
        assert_eq!(server.peer().unwrap().to_string(), known);
        assert_eq!(
            client.local().to_string(),
            claimed.trim_start_matches('\\'),
            "its own name is its own affair"
        );
    }
}

#[test]
fn anonymous_initiators_are_refused_until_named_and_then_known_as_such() {
    let anonymous = || Initiator::anonymous().request(Flags::INTEGRITY);
    let refused = run(anonymous(), Acceptor::new(&server()), &Policy::DEFAULT);
    assert_eq!(why(refused), ErrorKind::AnonymousRefused);
    let admitted = Policy::DEFAULT.with_anonymous_initiators(true);
    let (client, server) = run(anonymous(), Acceptor::new(&server()), &admitted).unwrap();
    let nobody = Identity::Ntlm(NtlmIdentity::Anonymous);
    assert_eq!((client.local(), server.peer()), (&nobody, Some(&nobody)));
    assert_eq!(server.peer().and_then(Identity::account), None);
    for context in [&client, &server] {
        assert_eq!(context.flags(), Flags::ANONYMOUS);
        assert_eq!(context.session_key().expose(), [0; 16]);
    }
}

#[test]
fn an_acceptor_that_wants_protection_refuses_anonymous_initiators() {
    let admitted = Policy::DEFAULT.with_anonymous_initiators(true);
    let acceptor = || Acceptor::new(&server());
    for flags in [
        Flags::INTEGRITY,
        Flags::CONFIDENTIALITY,
        Flags::CHANNEL_BOUND,
    ] {
        let result = run(Initiator::anonymous(), acceptor().require(flags), &admitted);
        assert_eq!(why(result), ErrorKind::FlagsNotGranted(flags));
        // Anybody knows the key: the initiator does not even begin.
        let result = run(Initiator::anonymous().require(flags), acceptor(), &admitted);
        assert_eq!(why(result), ErrorKind::FlagsNotGranted(flags));
    }
    let acceptor = acceptor().require(Flags::ANONYMOUS);
    let initiator = Initiator::anonymous().require(Flags::ANONYMOUS);
    run(initiator, acceptor, &admitted).unwrap();
}

#[test]
fn in_connectionless_mode_the_acceptor_speaks_first() {
    for (asked, sealed) in [(Flags::CONFIDENTIALITY, true), (Flags::INTEGRITY, false)] {
        let initiator = Initiator::new(alice()).require(asked);
        let acceptor = Acceptor::new(&server()).require(asked);
        let (mut client, mut server) =
            run_connectionless(initiator, acceptor, &Policy::DEFAULT).unwrap();
        assert_eq!(server.peer().unwrap().to_string(), "EXAMPLE\\alice");
        assert_eq!(client.session_key().expose(), server.session_key().expose());
        assert_eq!(client.flags(), server.flags());
        converse(&mut client, &mut server, sealed);
    }
    let neither = Initiator::new(alice());
    let (client, _) =
        run_connectionless(neither, Acceptor::new(&server()), &Policy::DEFAULT).unwrap();
    assert_eq!(client.flags(), Flags::NONE);
    let admitted = Policy::DEFAULT.with_anonymous_initiators(true);
    let acceptor = Acceptor::new(&server());
    let (_, server) = run_connectionless(Initiator::anonymous(), acceptor, &admitted).unwrap();
    assert_eq!(server.flags(), Flags::ANONYMOUS);
}

/// What another implementation makes of the same keys, at every strength, with and without key
/// exchange, on a connection.
#[test]
fn keys_of_every_strength_protect_messages_as_the_specification_has_it() {
    const STRENGTHS: [(Strength, F); 3] = [
        (Strength::Bits128, F::NEGOTIATE_128),
        (Strength::Bits56, F::NEGOTIATE_56),
        (Strength::Bits40, F::NONE),
    ];
    for (strength, flag) in STRENGTHS {
        for offered in [SEALED, SIGNED] {
            for key_exchange in [true, false] {
                let mut offered = offered.without(F::NEGOTIATE_128) | flag;
                if !key_exchange {
                    offered = offered.without(F::KEY_EXCH);
                }
                let forger = Forger::alice(offered);
                let mut world = World::new(1).with_policy(&weak(strength));
                let mut acceptor = Acceptor::new(&server());
                let negotiate = forger.negotiate();
                let challenge = world.go_on(&mut acceptor, Some(&negotiate));
                let forged = forger.authenticate(&negotiate, &challenge);
                let mut server = context(world.step(&mut acceptor, Some(&forged.token)));
                assert_eq!(server.session_key().expose(), forged.exported.expose());
                let seal = offered.contains(F::NEGOTIATE_SEAL);
                let wire = |direction| {
                    Wire::new(&forged.exported, strength, direction)
                        .sealing(seal)
                        .key_exchange(key_exchange)
                };
                let mut to_server = wire(Direction::ClientToServer);
                let mut to_client = wire(Direction::ServerToClient);
                for message in [&b"first"[..], b"", b"a third one"] {
                    let opened = server.unwrap(&to_server.wrap(message)).unwrap();
                    assert_eq!((&opened.message[..], opened.sealed), (message, seal));
                    assert_eq!(server.wrap(seal, message).unwrap(), to_client.wrap(message));
                    server.verify_mic(message, &to_server.mic(message)).unwrap();
                    assert_eq!(server.get_mic(message).unwrap(), to_client.mic(message));
                }
            }
        }
    }
}
