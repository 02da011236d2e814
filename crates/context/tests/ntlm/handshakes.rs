//! What honest sides come to.

use countersign_context::ntlm::{Acceptor, Initiator};
use countersign_context::{ErrorKind, Flags, NtlmProblem, Policy};

use crate::support::{alice, credential, run, server};

#[test]
fn two_sides_agree_and_protect_messages_in_both_directions() {
    let initiator = Initiator::new(alice()).require(Flags::CONFIDENTIALITY | Flags::INTEGRITY);
    let acceptor = Acceptor::new(&server()).require(Flags::CONFIDENTIALITY);
    let (mut client, mut server) = run(initiator, acceptor, &Policy::DEFAULT).unwrap();
    assert_eq!(server.peer().unwrap().to_string(), "EXAMPLE\\alice");
    assert_eq!(client.peer(), None);
    assert_eq!(client.session_key().expose(), server.session_key().expose());
    for round in 0..3u8 {
        let message = vec![round; 100];
        let sealed = client.wrap(true, &message).unwrap();
        assert_eq!(sealed.len(), 116);
        let opened = server.unwrap(&sealed).unwrap();
        assert!(opened.sealed);
        assert_eq!(opened.message, message);
        let mic = server.get_mic(&message).unwrap();
        client.verify_mic(&message, &mic).unwrap();
        let answer = server.wrap(true, b"yes").unwrap();
        assert_eq!(client.unwrap(&answer).unwrap().message, b"yes");
    }
}

#[test]
fn acceptor_refuses_a_wrong_password_and_an_unknown_user_alike() {
    for (account, password) in [
        ("EXAMPLE\\alice", "open sesamo"),
        ("EXAMPLE\\mallory", "open sesame"),
        ("OTHER\\alice", "open sesame"),
    ] {
        let initiator = Initiator::new(credential(account, password));
        let error = run(initiator, Acceptor::new(&server()), &Policy::DEFAULT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Ntlm(NtlmProblem::LogonDenied));
    }
    let initiator = Initiator::new(alice());
    run(initiator, Acceptor::new(&server()), &Policy::DEFAULT).unwrap();
}

#[test]
fn a_user_of_every_domain_is_named_without_the_one_that_he_claims() {
    let initiator = Initiator::new(credential("PENTAGON\\bob", "battery staple"));
    let (_, context) = run(initiator, Acceptor::new(&server()), &Policy::DEFAULT).unwrap();
    assert_eq!(context.peer().unwrap().to_string(), "bob");
}
