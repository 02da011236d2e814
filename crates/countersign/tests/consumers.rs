//! What programs of several kinds need, with the one dependency that they have.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::collections::HashMap;

use countersign::handshake::{Clock, Handshake, SystemClock, SystemEnvironment};
use countersign::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign::{
    ChannelBindings, Flags, IoBuffer, Mechanism, Receiver, SecurityContext, Sender, Step,
};
use countersign_testkit::Realm;

const SERVICE: &str = "sentry/gate.example.com";

fn realm() -> Realm {
    Realm::new("EXAMPLE.COM", 1).at(SystemClock.now().seconds())
}

/// Both ends, from mechanisms of types unknown here that waited in a map between their tokens.
fn establish(
    initiator: Box<dyn Mechanism>,
    acceptor: Box<dyn Mechanism>,
) -> Result<(SecurityContext, SecurityContext), countersign::Error> {
    let mut system = SystemEnvironment::new();
    let mut parked = HashMap::from([("client", initiator), ("server", acceptor)]);
    let (mut client, mut server) = (None, None);
    let (mut at, mut token) = ("client", None::<Vec<u8>>);
    while client.is_none() || server.is_none() {
        let half_open = parked.get_mut(at).unwrap();
        let next = match half_open.step(token.as_deref(), &mut system.environment())? {
            Step::Continue { token } => Some(token),
            Step::Established { token, context } => {
                let end = if at == "client" {
                    &mut client
                } else {
                    &mut server
                };
                *end = Some(*context);
                token
            }
            Step::Need(need) => panic!("{need:?}"),
        };
        token = next;
        at = if at == "client" { "server" } else { "client" };
    }
    Ok((client.unwrap(), server.unwrap()))
}

fn initiator() -> Initiator {
    Initiator::new(realm().ticket("alice", SERVICE).mint().unwrap())
        .require(Flags::CONFIDENTIALITY | Flags::INTEGRITY | Flags::REPLAY | Flags::SEQUENCE)
}

fn acceptor() -> Acceptor {
    Acceptor::new(&AcceptorCredential::new(
        &realm().keytab(&[SERVICE]).unwrap(),
    ))
}

fn contexts() -> (SecurityContext, SecurityContext) {
    establish(Box::new(initiator()), Box::new(acceptor())).unwrap()
}

#[test]
fn half_open_contexts_halves_and_futures_can_be_kept_anywhere() {
    fn kept<T: Send + Sync + 'static>() {}
    fn sent<T: Send>(_: T) {}
    kept::<Box<dyn Mechanism>>();
    kept::<SecurityContext>();
    kept::<(Sender, Receiver)>();
    kept::<AcceptorCredential>();
    kept::<countersign::Error>();
    sent(Handshake::initiator(initiator()));
}

#[test]
fn names_lifetime_and_key_are_told_on_both_sides() {
    let (client, server) = contexts();
    let name = |identity: Option<&countersign::Identity>| identity.unwrap().to_string();
    assert_eq!(name(server.peer()), "alice@EXAMPLE.COM");
    assert_eq!(client.local().to_string(), "alice@EXAMPLE.COM");
    assert_eq!(name(client.peer()), "sentry/gate.example.com@EXAMPLE.COM");
    assert_eq!(server.mechanism().to_string(), "1.2.840.113554.1.2.2");
    assert!(client.remaining(SystemClock.now()) > 0);
    let key = client.session_key();
    assert_eq!(key.expose().len(), key.enctype().unwrap().key_len());
    assert_eq!(key.expose(), server.session_key().expose());
}

#[test]
fn bindings_come_as_data_or_as_the_blob_of_windows() {
    let raw = ChannelBindings::from_application_data(&b"tls-exporter:0123"[..]);
    let blob = raw.to_sec_channel_bindings();
    let other = ChannelBindings::from_application_data(&b"tls-exporter:4567"[..]);
    for (theirs, agree) in [
        (
            ChannelBindings::from_sec_channel_bindings(&blob).unwrap(),
            true,
        ),
        (other, false),
    ] {
        let ours = initiator().channel_bindings(raw.clone());
        let theirs = acceptor().channel_bindings(theirs);
        let established = establish(Box::new(ours), Box::new(theirs));
        assert_eq!(established.is_ok(), agree);
    }
}

#[test]
fn flags_that_are_required_are_granted_or_nothing_is() {
    let require =
        |flags| establish(Box::new(initiator()), Box::new(acceptor().require(flags))).is_ok();
    assert!(require(Flags::MUTUAL | Flags::CONFIDENTIALITY));
    assert!(!require(Flags::DELEGATION));
}

#[test]
fn sizes_are_known_before_a_message_is_wrapped() {
    let (mut client, _) = contexts();
    for limit in [256, 4096, 65_536] {
        let fitting = client.wrap_size_limit(true, limit);
        let token = client.wrap(true, &vec![7; fitting]).unwrap();
        assert!(token.len() <= limit, "{limit}");
        let token = client.wrap(true, &vec![7; fitting + 1]).unwrap();
        assert!(token.len() > limit, "{limit}");
    }
}

#[test]
fn a_message_is_protected_where_it_lies_and_says_whether_it_was_sealed() {
    let (mut client, mut server) = contexts();
    for seal in [true, false] {
        let overhead = client.overhead(seal, 5);
        let mut buffer = vec![0; overhead.total() + 5];
        buffer[overhead.header..][..5].copy_from_slice(b"hello");
        client.wrap_in_place(seal, &mut buffer).unwrap();
        let opened = server.unwrap_in_place(&mut buffer).unwrap();
        assert_eq!(opened.sealed, seal);
        assert_eq!(&buffer[opened.message], b"hello");
    }
}

/// WinRM and DCE/RPC: the header travels apart from the sealed body, and DCE/RPC signs its own
/// header beside it.
#[test]
fn header_body_and_associated_data_lie_in_buffers_of_their_own() {
    let (mut client, mut server) = contexts();
    let sizes = client
        .wrap_iov_length(
            true,
            &[
                IoBuffer::Header(&mut []),
                IoBuffer::SignOnly(b"rpc header"),
                IoBuffer::Data(&mut []),
            ],
        )
        .unwrap();
    let (mut header, mut body) = (vec![0; sizes.header], b"the body".to_vec());
    client
        .wrap_iov(
            true,
            &mut [
                IoBuffer::Header(&mut header),
                IoBuffer::SignOnly(b"rpc header"),
                IoBuffer::Data(&mut body),
            ],
        )
        .unwrap();
    assert_ne!(body, b"the body");
    let mut open = |associated: &[u8]| {
        let (mut header, mut body) = (header.clone(), body.clone());
        let buffers = &mut [
            IoBuffer::Header(&mut header),
            IoBuffer::SignOnly(associated),
            IoBuffer::Data(&mut body),
        ];
        server.unwrap_iov(buffers).map(|_| body)
    };
    open(b"rpc HEADER").unwrap_err();
    assert_eq!(open(b"rpc header").unwrap(), b"the body");
}
