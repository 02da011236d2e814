//! What was sent before, and what remembers it.

use crate::support::*;
use countersign_context::crypto::{Enctype, Key};
use countersign_context::kerberos::{
    Acceptor, AcceptorCredential, ReplayProtection, ServicePattern,
};
use countersign_context::{
    Answer, Environment, ErrorKind, Mechanism, Need, ReplayVerdict, Step, Timestamp,
};
use countersign_testkit::{NOW, SeededRandom};

#[test]
fn acceptor_refuses_replayed_authenticator_across_contexts() {
    let realm = realm();
    let ticket = ticket(&realm);
    let credential = AcceptorCredential::new(&keytab(&realm));
    let token = build(honest(&ticket));
    accepted(&mut Acceptor::new(&credential), &token);
    assert_eq!(
        refused(&mut Acceptor::new(&credential), &token),
        ErrorKind::Replayed
    );
    // Control: another authenticator of the same client for the same ticket.
    let other = build(honest(&ticket).time(NOW, 1));
    accepted(&mut Acceptor::new(&credential), &other);
}

/// go-krb5 #155: a cache keyed on the cleartext name forgets a replay under another name.
#[test]
fn acceptor_refuses_replay_whose_cleartext_service_name_was_edited() {
    let realm = realm();
    let other_service = "HTTP/other.example.com";
    let mut keytab = keytab(&realm);
    keytab.extend(
        realm
            .keytab(&[other_service])
            .unwrap()
            .entries()
            .iter()
            .map(|e| e.duplicate()),
    );
    // The account's key serves both names.
    let service_key = realm.key(&realm.principal(SERVICE), Enctype::Aes256CtsHmacSha1_96, 1);
    let service_key = service_key.unwrap();
    let credential = AcceptorCredential::new(&keytab).with_services([
        ServicePattern::parse(SERVICE).unwrap(),
        ServicePattern::parse("HTTP/alias.example.com").unwrap(),
    ]);
    let session = Key::new(Enctype::Aes256CtsHmacSha1_96, &[9; 32]).unwrap();
    let mint = |cleartext: &str| {
        realm
            .ticket(CLIENT, SERVICE)
            .enctype(Enctype::Aes256CtsHmacSha1_96)
            .session_key(session.duplicate())
            .cleartext_server(cleartext)
            .mint()
            .unwrap()
    };
    drop(service_key);
    let first = mint(SERVICE);
    let edited = mint("HTTP/alias.example.com");
    let token = build(honest(&first));
    accepted(&mut Acceptor::new(&credential), &token);
    // The same authenticator beside the edited ticket.
    let replay = build(honest(&first).ticket(edited.ticket.clone()));
    assert_eq!(
        refused(&mut Acceptor::new(&credential), &replay),
        ErrorKind::Replayed
    );
    let control = build(honest(&edited).time(NOW, 7));
    accepted(&mut Acceptor::new(&credential), &control);
}

#[test]
fn acceptor_asks_an_external_replay_cache_and_obeys_it() {
    let realm = realm();
    let ticket = ticket(&realm);
    let credential =
        AcceptorCredential::new(&keytab(&realm)).with_replay_protection(ReplayProtection::External);
    let token = build(honest(&ticket));
    let mut tags = Vec::new();
    for (verdict, expected) in [
        (ReplayVerdict::Fresh, None),
        (ReplayVerdict::Replayed, Some(ErrorKind::Replayed)),
        (
            ReplayVerdict::Unavailable,
            Some(ErrorKind::ReplayCacheUnavailable),
        ),
    ] {
        let mut acceptor = Acceptor::new(&credential);
        let Ok(Step::Need(Need::Replay(query))) = accept(&mut acceptor, &token) else {
            panic!("asks for a verdict")
        };
        assert_eq!(query.expires, NOW + 301);
        tags.push(query.tag);
        // A token in the meantime is the caller's mistake and changes nothing.
        let mistake = accept(&mut acceptor, &token).unwrap_err();
        assert_eq!(mistake.kind(), ErrorKind::UnexpectedCall);
        let mut random = SeededRandom::new(1);
        let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
        let outcome = acceptor.resume(Answer::Replay(verdict), &mut env);
        assert_eq!(outcome.err().map(|error| error.kind()), expected);
        let finished = acceptor
            .resume(Answer::Replay(verdict), &mut env)
            .unwrap_err()
            .kind();
        assert_eq!(finished, expected.unwrap_or(ErrorKind::AlreadyEstablished));
    }
    assert!(tags.iter().all(|tag| *tag == tags[0]));
}

#[test]
fn acceptor_refuses_everything_when_its_replay_cache_is_full() {
    use countersign_context::kerberos::ReplayCache;
    let realm = realm();
    let ticket = ticket(&realm);
    let cache = std::sync::Arc::new(ReplayCache::new(2));
    let credential = AcceptorCredential::new(&keytab(&realm))
        .with_replay_protection(ReplayProtection::Shared(cache));
    for micros in 0..2 {
        accepted(
            &mut Acceptor::new(&credential),
            &build(honest(&ticket).time(NOW, micros)),
        );
    }
    let third = build(honest(&ticket).time(NOW, 2));
    let kind = refused(&mut Acceptor::new(&credential), &third);
    assert_eq!(kind, ErrorKind::ReplayCacheUnavailable);
}
