//! Contexts that begin with a password: the initiator acquires what it needs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

#[path = "support/network.rs"]
mod support;

use countersign_context::credential::ServiceName;
use countersign_context::kerberos::kdc::{ClientCredential, KdcAnswer, TicketOptions};
use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_context::{
    Answer, Environment, Error, ErrorKind, Flags, KdcProblem, Mechanism, Need, ReplayVerdict,
    SecurityContext, Step, Timestamp,
};
use countersign_testkit::{Account, FixedClock, Kdc, NOW, SeededRandom};
use support::*;

fn realm(delegate: bool) -> Kdc {
    let mut web = Account::service(SERVICE);
    if delegate {
        web = web.ok_as_delegate();
    }
    Kdc::builder(REALM)
        .user("alice", "wonderland")
        .account(web)
        .build()
        .unwrap()
}

fn alice() -> ClientCredential {
    ClientCredential::password(named("alice"), "wonderland")
        .options(TicketOptions::default().forwardable(true))
}

fn initiator(credential: &ClientCredential) -> Initiator {
    Initiator::from_credential(credential, ServiceName::parse(SERVICE).unwrap())
}

/// The initiator until it has a token.
fn first_token(
    network: &Network,
    initiator: &mut Initiator,
    asked: &mut usize,
) -> Result<Vec<u8>, Error> {
    let mut random = SeededRandom::new(3);
    let mut env = Environment::new(Timestamp::from_unix(network.now), &mut random);
    let mut step = initiator.step(None, &mut env)?;
    loop {
        step = match step {
            Step::Need(Need::Kdc(request)) => {
                *asked += 1;
                let answer = network.answer(&request);
                initiator.resume(Answer::Kdc(answer), &mut env)?
            }
            Step::Continue { token } => return Ok(token),
            step => panic!("unexpected {step:?}"),
        };
    }
}

fn establish(
    network: &Network,
    mut initiator: Initiator,
) -> Result<(Box<SecurityContext>, Box<SecurityContext>, usize), Error> {
    let mut asked = 0;
    let token = first_token(network, &mut initiator, &mut asked)?;
    let keytab = network.kdcs[0].keytab(&[SERVICE]).unwrap();
    let mut acceptor = Acceptor::new(&AcceptorCredential::new(&keytab));
    let mut random = SeededRandom::new(4);
    let now = Timestamp::from_unix(network.kdcs[0].now().seconds);
    let mut env = Environment::new(now, &mut random);
    let Step::Established {
        token: Some(reply),
        context: theirs,
    } = acceptor.step(Some(&token), &mut env)?
    else {
        panic!("the acceptor is not done")
    };
    let mut env = Environment::new(Timestamp::from_unix(network.now), &mut random);
    match initiator.step(Some(&reply), &mut env)? {
        Step::Established { context, .. } => Ok((context, theirs, asked)),
        step => panic!("unexpected {step:?}"),
    }
}

#[test]
fn a_password_becomes_a_context_and_the_second_context_asks_no_kdc() {
    let network = Network::of([realm(false)]);
    let credential = alice();
    let (ours, mut theirs, asked) = establish(&network, initiator(&credential)).unwrap();
    assert!(asked >= 2);
    let client = theirs.peer().unwrap().to_string();
    assert_eq!(client, "alice@EXAMPLE.COM");
    assert!(ours.peer().unwrap().to_string().starts_with(SERVICE));
    assert!(theirs.take_delegated().is_none());
    let (_, _, asked) = establish(&network, initiator(&credential)).unwrap();
    assert_eq!(asked, 0);
}

#[test]
fn delegation_fetches_a_forwarded_tgt_for_trusted_services_only() {
    let trusted = Network::of([realm(true)]);
    let untrusted = Network::of([realm(false)]);
    for (network, flag, delegated) in [(&trusted, true, true), (&trusted, false, false)] {
        let credential = alice();
        let mut side = initiator(&credential);
        if flag {
            side = side.require(Flags::DELEGATION);
        }
        let (_, mut theirs, _) = establish(network, side).unwrap();
        assert_eq!(theirs.take_delegated().is_some(), delegated);
        let kdc = &network.kdcs[0];
        let forwarded = kdc
            .seen()
            .iter()
            .filter(|r| r.options & (1 << 29) != 0)
            .count();
        assert_eq!(forwarded, 1, "it is asked for only if wanted");
    }
    // Asked for and not trusted: nothing is fetched or handed over.
    let (_, mut theirs, _) =
        establish(&untrusted, initiator(&alice()).request(Flags::DELEGATION)).unwrap();
    assert!(theirs.take_delegated().is_none());
    let kdc = &untrusted.kdcs[0];
    assert!(kdc.seen().iter().all(|r| r.options & (1 << 29) == 0));
    let result = establish(&untrusted, initiator(&alice()).require(Flags::DELEGATION));
    assert_eq!(result.unwrap_err().kind(), ErrorKind::DelegationRefused);
}

#[test]
fn what_was_delegated_is_a_credential_of_the_client() {
    let mut network = Network::of([realm(true)]);
    let side = initiator(&alice()).require(Flags::DELEGATION);
    let (_, mut theirs, _) = establish(&network, side).unwrap();
    let delegated = ClientCredential::delegated(theirs.take_delegated().unwrap());
    let acquisition = countersign_context::kerberos::kdc::Acquisition::new(&delegated, service());
    assert_eq!(network.run(acquisition).unwrap().client, named("alice"));
}

#[test]
fn an_error_of_the_kdc_ends_the_context_and_is_repeated() {
    let network = Network::of([realm(false)]);
    let wrong = ClientCredential::password(named("alice"), "wonderlamp");
    let mut side = initiator(&wrong);
    let error = first_token(&network, &mut side, &mut 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Kdc(KdcProblem::WrongSecret));
    let mut random = SeededRandom::new(3);
    let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
    assert_eq!(side.step(None, &mut env).unwrap_err(), error);
    let answer = Answer::Kdc(KdcAnswer::Unreachable);
    assert_eq!(side.resume(answer, &mut env).unwrap_err(), error);
}

#[test]
fn answers_that_nothing_asked_for_change_nothing_and_steps_while_one_is_due_fail() {
    let network = Network::of([realm(false)]);
    let mut random = SeededRandom::new(3);
    let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
    let credential = alice();
    let mut side = initiator(&credential);
    let unasked = Answer::Kdc(KdcAnswer::Unreachable);
    let error = side.resume(unasked, &mut env).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedCall);
    let Step::Need(Need::Kdc(_)) = side.step(None, &mut env).unwrap() else {
        panic!("no KDC is needed")
    };
    let other = Answer::Replay(ReplayVerdict::Fresh);
    let error = side.resume(other, &mut env).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedCall);
    let error = side.step(Some(b"token"), &mut env).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedCall);
    // None of it was the peer's doing: the answer is still awaited.
    let unreachable = Answer::Kdc(KdcAnswer::Unreachable);
    let error = side.resume(unreachable, &mut env).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Kdc(KdcProblem::Unreachable));
    // The control.
    first_token(&network, &mut initiator(&credential), &mut 0).unwrap();
}

#[test]
fn a_clock_that_is_off_is_corrected_by_what_the_kdc_taught() {
    let mut network = Network::of([realm(false)]);
    network.kdcs[0].set_time(FixedClock::at(NOW + 3_600));
    network.now = NOW;
    let (_, theirs, _) = establish(&network, initiator(&alice())).unwrap();
    assert!(theirs.peer().is_some());
}

#[test]
fn initiators_of_one_ticket_have_one_key() {
    let credential = alice();
    let key = initiator(&credential).ticket_key();
    assert!(key.is_some());
    assert_eq!(key, initiator(&credential.clone()).ticket_key());
    let network = Network::of([realm(false)]);
    let mut side = initiator(&credential);
    first_token(&network, &mut side, &mut 0).unwrap();
    assert_eq!(side.ticket_key(), None);
    assert!(credential.tickets().contains(&key.unwrap(), NOW));
}
