//! Two sides in memory.

use countersign_context::credential::Password;
use countersign_context::credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign_context::ntlm::{Acceptor, AcceptorCredential, Initiator, ServerNames};
use countersign_context::{
    Environment, Error, Mechanism, Policy, SecurityContext, Step, Timestamp,
};
use countersign_testkit::SeededRandom;

pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

pub(crate) fn credential(account: &str, password: &str) -> NtlmCredential {
    NtlmCredential::with_password(
        AccountName::parse(account).unwrap(),
        &Password::from(password),
    )
}

pub(crate) fn alice() -> NtlmCredential {
    credential("EXAMPLE\\alice", "open sesame")
}

pub(crate) fn server() -> AcceptorCredential {
    let users = Users::parse(b"EXAMPLE:alice:open sesame\n*:bob:battery staple\n").unwrap();
    AcceptorCredential::new(names()).with_users(users)
}

pub(crate) fn names() -> ServerNames {
    ServerNames::new("WWW", "EXAMPLE")
        .unwrap()
        .with_dns("www.example.com", "example.com")
        .unwrap()
}

/// Both sides' contexts, or the first error.
pub(crate) fn run(
    mut initiator: Initiator,
    mut acceptor: Acceptor,
    policy: &Policy,
) -> Result<(SecurityContext, SecurityContext), Error> {
    let mut random = SeededRandom::new(7);
    let mut env = Environment::new(NOW, &mut random).with_policy(policy);
    let Step::Continue { token: negotiate } = initiator.step(None, &mut env)? else {
        panic!("NEGOTIATE")
    };
    let Step::Continue { token: challenge } = acceptor.step(Some(&negotiate), &mut env)? else {
        panic!("CHALLENGE")
    };
    let Step::Established {
        token: Some(authenticate),
        context: client,
    } = initiator.step(Some(&challenge), &mut env)?
    else {
        panic!("AUTHENTICATE")
    };
    let Step::Established {
        token: None,
        context: server,
    } = acceptor.step(Some(&authenticate), &mut env)?
    else {
        panic!("established")
    };
    Ok((*client, *server))
}
