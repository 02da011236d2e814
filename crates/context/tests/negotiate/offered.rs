//! User-to-user and IAKERB as mechanisms of their own.

use std::sync::Arc;

use countersign_context::credential::{Principal, ServiceName};
use countersign_context::kerberos::kdc::{Acquisition, ClientCredential, KdcAnswer};
use countersign_context::kerberos::{
    Acceptor, AcceptorCredential, IakerbAcceptor, IakerbInitiator, Initiator, UserToUserInitiator,
};
use countersign_context::token::oid::Oid;
use countersign_context::{Answer, Mechanism, Need};
use countersign_testkit::{Account, Kdc};

use crate::lab::{ALICE, Lab, SERVICE, Side, acceptor, initiator, run_between};

fn boxed(mechanism: impl Mechanism) -> Box<dyn Mechanism> {
    Box::new(mechanism)
}

fn kdc() -> Arc<Kdc> {
    let kdc = Kdc::builder("EXAMPLE.COM")
        .user("alice", "open sesame")
        .user("bob", "builder")
        .account(Account::service(SERVICE));
    Arc::new(kdc.build().unwrap())
}

fn alice() -> ClientCredential {
    ClientCredential::password(Principal::parse(ALICE).unwrap(), "open sesame")
}

fn asking(side: Side, kdc: &Arc<Kdc>) -> Side {
    let kdc = Arc::clone(kdc);
    side.answering(move |need| match need {
        Need::Kdc(request) => Answer::Kdc(KdcAnswer::Reply(kdc.answer(&request.message))),
        need => panic!("{need:?}"),
    })
}

fn iakerb() -> IakerbInitiator {
    let service = ServiceName::parse(SERVICE).unwrap();
    IakerbInitiator::new(Acquisition::new(&alice(), &service), |ticket| {
        Initiator::new(ticket)
    })
}

fn user_to_user() -> UserToUserInitiator {
    let bob = Principal::parse("bob@EXAMPLE.COM").unwrap();
    let (alice, target) = (alice(), bob.clone());
    UserToUserInitiator::new(
        bob,
        move |ticket| Acquisition::user_to_user(&alice, &target, ticket),
        Initiator::new,
    )
}

/// Negotiate asks for integrity of every mechanism that it offers, these too.
#[test]
fn iakerb_is_negotiated_as_first_and_as_other_choice() {
    let lab = Lab::new();
    let kdc = kdc();
    let keytab = kdc.keytab(&[SERVICE]).unwrap();
    let kerberos = || Acceptor::new(&AcceptorCredential::new(&keytab));
    for first in [true, false] {
        let offer = match first {
            true => initiator([boxed(iakerb()), boxed(lab.ntlm())]),
            false => initiator([boxed(lab.ntlm()), boxed(iakerb())]),
        };
        let server = acceptor([boxed(IakerbAcceptor::new(kerberos()))]);
        let server = asking(Side::new(server, 4), &kdc);
        let mut run = run_between(Side::new(offer, 3), server, &mut |_, token| vec![token]);
        assert_eq!(run.mechanism(), Oid::IAKERB);
        assert_eq!(run.proved(), !first);
        assert!(run.server.asked > 1);
        assert_eq!(run.server.context().peer().unwrap().to_string(), ALICE);
        run.talk();
    }
}

#[test]
fn user_to_user_is_negotiated_as_first_and_as_other_choice() {
    let lab = Lab::new();
    let kdc = kdc();
    let bob = lab.realm.ticket_granting_ticket("bob").mint().unwrap();
    let keytab = kdc.keytab(&[SERVICE]).unwrap();
    let alone = AcceptorCredential::user_to_user(bob.duplicate());
    let beside = AcceptorCredential::new(&keytab).with_user_to_user(bob);
    for credential in [alone, beside] {
        for first in [true, false] {
            let offer = match first {
                true => initiator([boxed(user_to_user()), boxed(lab.ntlm())]),
                false => initiator([boxed(lab.ntlm()), boxed(user_to_user())]),
            };
            let server = acceptor([boxed(Acceptor::new(&credential))]);
            let client = asking(Side::new(offer, 3), &kdc);
            let server = Side::new(server, 4);
            let mut run = run_between(client, server, &mut |_, token| vec![token]);
            assert_eq!(run.proved(), !first);
            let list: Vec<_> = run.init(0).mech_types.iter().collect();
            assert!(list.contains(&Oid::KERBEROS_USER_TO_USER));
            assert_eq!(
                run.response(1).supported_mech,
                Some(Oid::KERBEROS_USER_TO_USER)
            );
            assert_eq!(
                run.client.context().peer().unwrap().to_string(),
                "bob@EXAMPLE.COM"
            );
            run.talk();
        }
    }
}

/// An acceptor without a key has nothing to open a service's ticket with, so it does not take Kerberos;
/// one without a ticket-granting ticket does not take user-to-user.
#[test]
fn what_a_credential_cannot_serve_is_not_chosen() {
    let lab = Lab::new();
    let kdc = kdc();
    let bob = lab.realm.ticket_granting_ticket("bob").mint().unwrap();
    let keytab = kdc.keytab(&[SERVICE]).unwrap();
    let alone = AcceptorCredential::user_to_user(bob);
    let ordinary = AcceptorCredential::new(&keytab);
    for (credential, chosen) in [
        (&alone, Oid::KERBEROS_USER_TO_USER),
        (&ordinary, Oid::KERBEROS),
    ] {
        for reversed in [false, true] {
            let mut offer = [boxed(lab.kerberos()), boxed(user_to_user())];
            if reversed {
                offer.reverse();
            }
            let server = acceptor([boxed(Acceptor::new(credential))]);
            let client = asking(Side::new(initiator(offer), 3), &kdc);
            let run = run_between(client, Side::new(server, 4), &mut |number, token| {
                if number < 1 { vec![token] } else { vec![] }
            });
            assert_eq!(run.response(1).supported_mech, Some(chosen));
        }
    }
}
