//! A mechanism that cannot even begin: who falls back, who does not, and what is told of it.

use countersign_context::crypto::{Random, RandomError};
use countersign_context::kerberos::kdc::KdcAnswer;
use countersign_context::negotiate::{Fallback, Initiator};
use countersign_context::token::der::{Encode, SequenceOf};
use countersign_context::token::kerberos::{
    Claimed, KerberosString, KerberosTime, KrbError, Microseconds, PrincipalName,
};
use countersign_context::token::oid::Oid;
use countersign_context::token::spnego::NegTokenInit;
use countersign_context::{
    Answer, Environment, ErrorKind, Flags, KdcProblem, Mechanism, Need, NegotiationProblem, Step,
    Timestamp,
};
use countersign_testkit::{Account, Kdc, NOW};

use crate::lab::{Lab, SERVICE, Side, acceptor, initiator, run_between};

fn boxed(mechanism: impl Mechanism) -> Box<dyn Mechanism> {
    Box::new(mechanism)
}

fn krb_error(error_code: i32) -> Vec<u8> {
    let realm = KerberosString::new(b"EXAMPLE.COM");
    let components = [KerberosString::new(b"krbtgt"), realm];
    KrbError {
        ctime: None,
        cusec: None,
        stime: KerberosTime { seconds: NOW },
        susec: Microseconds::saturating(0),
        error_code,
        crealm: None,
        cname: None,
        realm: Claimed::new(realm),
        sname: Claimed::new(PrincipalName {
            name_type: 2,
            name_string: SequenceOf::new(&components),
        }),
        e_text: None,
        e_data: None,
    }
    .to_der()
}

/// Whatever may come from where a KDC should be: nothing, nonsense, and every error code.
fn hostile() -> Vec<KdcAnswer> {
    let mut answers = vec![
        KdcAnswer::Unreachable,
        KdcAnswer::Reply(Vec::new()),
        KdcAnswer::Reply(b"nonsense".to_vec()),
    ];
    answers.extend((-1..128).map(|code| KdcAnswer::Reply(krb_error(code))));
    answers
}

fn asking(initiator: Initiator, answer: KdcAnswer) -> Side {
    Side::new(initiator, 3).answering(move |need| match need {
        Need::Kdc(_) => Answer::Kdc(answer.clone()),
        need => panic!("{need:?}"),
    })
}

/// The mechanisms of a first message.
fn offered(message: &[u8]) -> Vec<Oid<'_>> {
    NegTokenInit::parse(message)
        .unwrap()
        .mech_types
        .iter()
        .collect()
}

/// MS16-101: whoever can make up an error or block a KDC must not choose NTLM where Kerberos is
/// required.
#[test]
fn where_kerberos_is_required_no_answer_of_a_kdc_brings_forth_ntlm() {
    let lab = Lab::new();
    let mut tried = 0;
    for answer in hostile() {
        let offers = [
            initiator([boxed(lab.kerberos_without_kdc()), boxed(lab.ntlm())])
                .fallback(Fallback::Never),
            initiator([boxed(lab.kerberos_without_kdc())]),
        ];
        let mut kinds = Vec::new();
        for offer in offers {
            let mut client = asking(offer, answer.clone());
            assert_eq!(client.step(None), None, "something is sent");
            assert!(client.asked > 0);
            kinds.push(client.error().kind());
            assert_eq!(client.error().token(), None);
            tried += 1;
        }
        assert_eq!(kinds[0], kinds[1]);

        // The control: who listed NTLM and did not forbid it gets it, and is told why.
        let offer = initiator([boxed(lab.kerberos_without_kdc()), boxed(lab.ntlm())]);
        let server = [boxed(lab.kerberos_acceptor()), boxed(lab.ntlm_acceptor())];
        let server = Side::new(acceptor(server), 4);
        let mut run = run_between(asking(offer, answer), server, &mut |_, token| vec![token]);
        assert_eq!(offered(&run.sent[0]), [Oid::NTLMSSP]);
        assert_eq!(run.mechanism(), Oid::NTLMSSP);
        assert!(run.proved());
        let told = &run.client.context().negotiated().unwrap().fallbacks;
        let told: Vec<_> = told.iter().map(|error| error.kind()).collect();
        assert_eq!(told, kinds[..1]);
    }
    assert_eq!(tried, 264);
}

/// The first exchange goes well, and the second does not.
#[test]
fn an_error_of_the_ticket_granting_service_is_no_way_to_ntlm_either() {
    let lab = Lab::new();
    for required in [true, false] {
        let kdc = Kdc::builder("EXAMPLE.COM")
            .user("alice", "open sesame")
            .account(Account::service("HTTP/other.example.com"))
            .build()
            .unwrap();
        let offer = initiator([boxed(lab.kerberos_without_kdc()), boxed(lab.ntlm())]);
        let offer = match required {
            true => offer.fallback(Fallback::Never),
            false => offer,
        };
        let mut client = Side::new(offer, 3).answering(move |need| match need {
            Need::Kdc(request) => Answer::Kdc(KdcAnswer::Reply(kdc.answer(&request.message))),
            need => panic!("{need:?}"),
        });
        let first = client.step(None);
        assert_eq!(first.is_none(), required);
        assert!(client.asked > 1);
        if let Some(first) = first {
            assert_eq!(offered(&first), [Oid::NTLMSSP]);
            continue;
        }
        let unknown = matches!(client.error().kind(), ErrorKind::Kdc(_));
        assert!(unknown, "{:?}", client.error());
    }
}

#[test]
fn a_ticket_that_was_acquired_on_the_way_is_used() {
    let lab = Lab::new();
    let kdc = Kdc::builder("EXAMPLE.COM")
        .user("alice", "open sesame")
        .account(Account::service(SERVICE))
        .build()
        .unwrap();
    let keytab = kdc.keytab(&[SERVICE]).unwrap();
    let credential = countersign_context::kerberos::AcceptorCredential::new(&keytab);
    let server = acceptor([boxed(countersign_context::kerberos::Acceptor::new(
        &credential,
    ))]);
    let offer = initiator([boxed(lab.kerberos_without_kdc()), boxed(lab.ntlm())]);
    let client = Side::new(offer, 3).answering(move |need| match need {
        Need::Kdc(request) => Answer::Kdc(KdcAnswer::Reply(kdc.answer(&request.message))),
        need => panic!("{need:?}"),
    });
    let mut run = run_between(client, Side::new(server, 4), &mut |_, token| vec![token]);
    assert_eq!(run.mechanism(), Oid::KERBEROS);
    assert!(
        run.client
            .context()
            .negotiated()
            .unwrap()
            .fallbacks
            .is_empty()
    );
    run.talk();
}

#[test]
fn each_mechanism_gets_its_turn_and_the_first_error_is_told_where_none_can_begin() {
    let lab = Lab::new();
    let impossible = || boxed(lab.ntlm().require(Flags::DELEGATION));
    let offer = [
        boxed(lab.kerberos_without_kdc()),
        impossible(),
        boxed(lab.toy(2)),
    ];
    let mut run = run_between(
        Side::new(initiator(offer), 3),
        Side::new(acceptor([boxed(lab.toy_acceptor(2))]), 4),
        &mut |_, token| vec![token],
    );
    let told = &run.client.context().negotiated().unwrap().fallbacks;
    let told: Vec<_> = told.iter().map(|error| error.kind()).collect();
    let unreachable = ErrorKind::Kdc(KdcProblem::Unreachable);
    assert_eq!(
        told,
        [unreachable, ErrorKind::FlagsNotGranted(Flags::DELEGATION)]
    );

    let offer = [boxed(lab.kerberos_without_kdc()), impossible()];
    let mut client = Side::new(initiator(offer), 3);
    assert_eq!(client.step(None), None);
    assert_eq!(client.error().kind(), unreachable);
    // Where one is required, the error is that one's.
    let offer = initiator([impossible(), boxed(lab.ntlm())]).fallback(Fallback::Never);
    let mut client = Side::new(offer, 3);
    assert_eq!(client.step(None), None);
    assert_eq!(
        client.error().kind(),
        ErrorKind::FlagsNotGranted(Flags::DELEGATION)
    );
}

/// What is wrong with this side is no reason for another mechanism.
#[test]
fn a_random_source_that_fails_is_no_fallback() {
    struct Broken;
    impl Random for Broken {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError)
        }
    }
    let lab = Lab::new();
    let mut offer = initiator([boxed(lab.kerberos()), boxed(lab.ntlm())]);
    let mut broken = Broken;
    let mut env = Environment::new(Timestamp::from_unix(NOW), &mut broken);
    let error = offer.step(None, &mut env).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Random);
    let Ok(Step::Continue { .. }) = initiator([boxed(lab.ntlm())]).step(None, &mut env) else {
        panic!("NTLM's first message needs no randomness")
    };
}

/// After the first message there is no falling back: the acceptor chooses, and the list is proved.
#[test]
fn a_mechanism_that_fails_later_ends_the_negotiation() {
    let lab = Lab::new();
    let offer = [boxed(lab.kerberos()), boxed(lab.ntlm())];
    let server = [boxed(lab.kerberos_acceptor()), boxed(lab.ntlm_acceptor())];
    let altered = run_between(
        Side::new(initiator(offer), 3),
        Side::new(acceptor(server), 4),
        &mut |number, mut token| {
            if number == 0 {
                *token.last_mut().unwrap() ^= 1;
            }
            vec![token]
        },
    );
    assert!(!altered.client.is_established() && !altered.server.is_established());
    assert_eq!(
        altered.server.error().kind(),
        ErrorKind::AuthenticatorModified
    );
    assert_eq!(altered.sent.len(), 2);

    // Nor where the choice cannot begin.
    let offer = [boxed(lab.ntlm()), boxed(lab.kerberos_without_kdc())];
    let run = run_between(
        Side::new(initiator(offer), 3),
        Side::new(acceptor([boxed(lab.kerberos_acceptor())]), 4),
        &mut |_, token| vec![token],
    );
    let unreachable = ErrorKind::Kdc(KdcProblem::Unreachable);
    assert_eq!(run.client.error().kind(), unreachable);
    let rejected = ErrorKind::Negotiation(NegotiationProblem::Rejected);
    assert_eq!(run.server.error().kind(), rejected);
}
