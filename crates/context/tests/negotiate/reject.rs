//! Refusals, and what the mechanism has to say of them.

use countersign_context::kerberos::{Acceptor, AcceptorCredential};
use countersign_context::token::oid::Oid;
use countersign_context::token::spnego::{NegState, NegTokenInit, NegTokenResp};
use countersign_context::{ErrorKind, Mechanism, NegotiationProblem, NtlmProblem, Policy};
use countersign_testkit::{NOW, Realm};

use crate::foreign::{Fed, choice, edited};
use crate::lab::{Lab, Run, Side, acceptor, initiator, run_between};
use crate::scenarios::ALL;

const REJECTED: ErrorKind = ErrorKind::Negotiation(NegotiationProblem::Rejected);

fn boxed(mechanism: impl Mechanism) -> Box<dyn Mechanism> {
    Box::new(mechanism)
}

fn kerberos_at(lab: &Lab, time: i64, policy: Policy) -> Run {
    let client = Side::new(initiator([boxed(lab.kerberos())]), 3);
    let server = acceptor([boxed(lab.kerberos_acceptor())]);
    let server = Side::new(server, 4).with_policy(policy).at(time);
    run_between(client, server, &mut |_, token| vec![token])
}

/// Heimdal #697: the KRB-ERROR inside tells the initiator more than the reject around it.
#[test]
fn the_mechanisms_error_inside_a_reject_reaches_the_initiator() {
    let lab = Lab::new();
    kerberos_at(&lab, NOW, Policy::default()).talk();

    let policy = Policy::default().with_skew_recovery(false);
    let run = kerberos_at(&lab, NOW + 1000, policy);
    assert_eq!(run.server.error().kind(), ErrorKind::ClockSkew);
    let told = NegTokenResp::parse(run.server.error().token().unwrap()).unwrap();
    assert_eq!(told.neg_state, Some(NegState::Reject));
    assert_eq!(told.supported_mech, Some(Oid::KERBEROS));
    assert!(told.response_token.is_some());
    let offset = 1000;
    assert_eq!(
        run.client.error().kind(),
        ErrorKind::PeerClockSkew { offset }
    );

    // KRB_AP_ERR_MODIFIED: the key is another realm's.
    let other = Realm::new("EXAMPLE.COM", 2)
        .keytab(&[crate::lab::SERVICE])
        .unwrap();
    let server = Acceptor::new(&AcceptorCredential::new(&other));
    let run = run_between(
        Side::new(initiator([boxed(lab.kerberos())]), 3),
        Side::new(acceptor([boxed(server)]), 4),
        &mut |_, token| vec![token],
    );
    assert_eq!(run.server.error().kind(), ErrorKind::TicketModified);
    assert_eq!(run.client.error().kind(), ErrorKind::PeerError { code: 31 });
}

/// The error is nobody's word, and the reject neither; a mechanism that a reject completes is not
/// completed.
#[test]
fn a_reject_that_carries_acceptance_is_a_refusal() {
    let lab = Lab::new();
    for scenario in &ALL {
        for number in (1..scenario.legs).step_by(2) {
            let run = scenario.run(&lab, 3, &mut |at, token| match at == number {
                true => vec![edited(&token, |response| {
                    response.neg_state = Some(NegState::Reject);
                })],
                false => vec![token],
            });
            let error = run.client.error();
            assert!(!run.client.is_established());
            let done = ErrorKind::Negotiation(NegotiationProblem::TokenAfterEnd);
            assert!(
                [REJECTED, done].contains(&error.kind()),
                "{} {error:?}",
                scenario.name
            );
            // Who refuses is told nothing.
            assert_eq!(error.token(), None);
        }
    }
}

#[test]
fn an_error_of_a_mechanism_that_is_not_at_work_is_not_looked_at() {
    let lab = Lab::new();
    let policy = Policy::default().with_skew_recovery(false);
    let run = kerberos_at(&lab, NOW + 1000, policy);
    let reject = run.server.error().token().unwrap();
    let krb_error = NegTokenResp::parse(reject).unwrap().response_token;
    for (mechanism, expected) in [
        (Oid::KERBEROS, ErrorKind::PeerClockSkew { offset: 1000 }),
        (Oid::MS_KERBEROS, ErrorKind::PeerClockSkew { offset: 1000 }),
        (Oid::NTLMSSP, REJECTED),
    ] {
        let mut client = Side::new(initiator([boxed(lab.kerberos()), boxed(lab.ntlm())]), 3);
        client.sends(None);
        let reject = choice(NegState::Reject, mechanism, krb_error);
        assert_eq!(client.refuses(&reject).kind(), expected);
    }
}

/// NTLM has no token for it: who was refused learns that he was.
#[test]
fn a_wrong_password_is_refused_without_a_word() {
    let lab = Lab::new();
    let users = b"EXAMPLE:alice:another password\n";
    let users = countersign_context::credential::ntlm::Users::parse(users).unwrap();
    let names = countersign_context::ntlm::ServerNames::new("WWW", "EXAMPLE").unwrap();
    let credential = countersign_context::ntlm::AcceptorCredential::new(names).with_users(users);
    let server = countersign_context::ntlm::Acceptor::new(&credential);
    let run = run_between(
        Side::new(initiator([boxed(lab.ntlm())]), 3),
        Side::new(acceptor([boxed(server)]), 4),
        &mut |_, token| vec![token],
    );
    let denied = ErrorKind::Ntlm(NtlmProblem::LogonDenied);
    assert_eq!(run.server.error().kind(), denied);
    let told = NegTokenResp::parse(run.server.error().token().unwrap()).unwrap();
    let reject = NegTokenResp {
        neg_state: Some(NegState::Reject),
        ..NegTokenResp::default()
    };
    assert_eq!(told, reject);
    assert_eq!(run.client.error().kind(), REJECTED);
}

#[test]
fn an_initiator_that_refuses_tells_the_acceptor() {
    let lab = Lab::new();
    let run = ALL[7].run(&lab, 3, &mut |number, token| match number {
        3 => vec![edited(&token, |response| {
            response.response_token = Some(b"NTLM")
        })],
        _ => vec![token],
    });
    let told = NegTokenResp::parse(run.client.error().token().unwrap()).unwrap();
    assert_eq!(told.neg_state, Some(NegState::Reject));
    assert_eq!(run.server.error().kind(), REJECTED);
    assert_eq!(run.server.error().token(), None);
}

/// MS-KILE §3.4.5 inside of Negotiate: the acceptor tells its time, once, and is told again.
#[test]
fn clock_skew_is_recovered_from_inside_of_the_negotiation() {
    let lab = Lab::new();
    let mut run = kerberos_at(&lab, NOW + 1000, Policy::default());
    assert_eq!(run.sent.len(), 4);
    assert_eq!(run.response(1).neg_state, Some(NegState::AcceptIncomplete));
    run.talk();

    let reselected = [boxed(lab.ntlm()), boxed(lab.kerberos())];
    let server = acceptor([boxed(lab.kerberos_acceptor())]);
    let mut run = run_between(
        Side::new(initiator(reselected), 3),
        Side::new(server, 4).at(NOW + 1000),
        &mut |_, token| vec![token],
    );
    assert_eq!(run.sent.len(), 7);
    assert!(run.proved());
    run.talk();
    assert!(NegTokenInit::parse(&run.sent[0]).is_ok());
}
