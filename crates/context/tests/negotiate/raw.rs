//! Tokens without negotiation, and acceptors that speak first.

use countersign_context::negotiate::{Acceptor, RawTokens};
use countersign_context::token::oid::Oid;
use countersign_context::token::spnego::{
    MechTypes, NegHints, NegState, NegTokenInit, NegTokenResp,
};
use countersign_context::{ErrorKind, Mechanism};

use crate::foreign::{Fed, established, init, list};
use crate::lab::{Lab, Run, Side, acceptor, initiator, run_between};

fn boxed(mechanism: impl Mechanism) -> Box<dyn Mechanism> {
    Box::new(mechanism)
}

fn both(lab: &Lab) -> Acceptor {
    acceptor([boxed(lab.kerberos_acceptor()), boxed(lab.ntlm_acceptor())])
}

/// Mechanisms that are not negotiated, from the first token to the end.
fn raw(client: impl Mechanism, acceptor: Acceptor) -> Run {
    run_between(
        Side::new(client, 3),
        Side::new(acceptor, 4),
        &mut |_, token| vec![token],
    )
}

#[test]
fn a_mechanisms_own_tokens_are_taken_only_where_they_are_named() {
    let lab = Lab::new();
    let mut named = [RawTokens::NONE; 4];
    named[1].kerberos = true;
    named[2].ntlm = true;
    named[3] = RawTokens::ALL;
    for permitted in named {
        for kerberos in [true, false] {
            let server = both(&lab).accept_raw(permitted);
            let mut run = match kerberos {
                true => raw(lab.kerberos(), server),
                false => raw(lab.ntlm(), server),
            };
            if permitted.kerberos && kerberos || permitted.ntlm && !kerberos {
                let mechanism = if kerberos {
                    Oid::KERBEROS
                } else {
                    Oid::NTLMSSP
                };
                assert_eq!(run.mechanism(), mechanism);
                assert!(run.server.context().negotiated().is_none());
                continue;
            }
            assert!(!run.client.is_established() || !kerberos);
            assert!(matches!(
                run.server.error().kind(),
                ErrorKind::DefectiveToken(_)
            ));
        }
        // What is negotiated is taken in any case.
        let offer = initiator([boxed(lab.kerberos())]);
        let mut run = raw(offer, both(&lab).accept_raw(permitted));
        assert!(run.server.context().negotiated().is_some());
        run.talk();
    }
}

#[test]
fn raw_tokens_of_a_mechanism_that_is_not_offered_are_refused() {
    let lab = Lab::new();
    let ntlm = acceptor([boxed(lab.ntlm_acceptor())]).accept_raw(RawTokens::ALL);
    let run = raw(lab.kerberos(), ntlm);
    assert!(matches!(
        run.server.error().kind(),
        ErrorKind::DefectiveToken(_)
    ));
    let kerberos = acceptor([boxed(lab.kerberos_acceptor())]).accept_raw(RawTokens::ALL);
    let run = raw(lab.ntlm(), kerberos);
    assert!(matches!(
        run.server.error().kind(),
        ErrorKind::DefectiveToken(_)
    ));
}

/// Raw first, negotiated later, or the reverse: the first token says which it is.
#[test]
fn the_two_forms_are_not_mixed() {
    let lab = Lab::new();
    let mut client = Side::new(lab.ntlm(), 3);
    let negotiate = client.sends(None);

    let mut server = Side::new(both(&lab).accept_raw(RawTokens::ALL), 4);
    let challenge = server.sends(Some(&negotiate));
    assert!(challenge.starts_with(b"NTLMSSP\0"));
    let authenticate = client.step(Some(&challenge)).unwrap();
    let wrapped = crate::foreign::response(None, Some(&authenticate), None);
    server.refuses(&wrapped);

    let mut client = Side::new(lab.ntlm(), 3);
    let negotiate = client.sends(None);
    let mut server = Side::new(both(&lab).accept_raw(RawTokens::ALL), 4);
    let reply = server.sends(Some(&init(&list(&[Oid::NTLMSSP]), Some(&negotiate))));
    let reply = NegTokenResp::parse(&reply).unwrap();
    let authenticate = client.step(reply.response_token).unwrap();
    server.refuses(&authenticate);
}

/// MS-SPNG §3.2.5.2: the acceptor says first what it has.
#[test]
fn an_acceptor_that_speaks_first_names_its_mechanisms_and_then_negotiates() {
    let lab = Lab::new();
    let mut server = Side::new(both(&lab), 4);
    let hint = server.sends(None);
    let told = NegTokenInit::parse(&hint).unwrap();
    let mechanisms: Vec<_> = told.mech_types.iter().collect();
    assert_eq!(mechanisms, [Oid::KERBEROS, Oid::MS_KERBEROS, Oid::NTLMSSP]);
    assert_eq!(told.hints, Some(NegHints::PLEASE_IGNORE));
    assert_eq!(
        (told.mech_token, told.mech_list_mic, told.req_flags),
        (None, None, None)
    );

    let offer = initiator([boxed(lab.kerberos()), boxed(lab.ntlm())]);
    let mut client = Side::new(offer, 3);
    let first = client.sends(Some(&hint));
    let reply = server.step(Some(&first)).unwrap();
    assert_eq!(client.step(Some(&reply)), None);
    let sent = vec![hint, first, reply];
    let mut run = Run {
        client,
        server,
        sent,
    };
    assert_eq!(run.mechanism(), Oid::KERBEROS);
    run.talk();
}

/// Whoever is between can write the hint.
#[test]
fn nothing_follows_from_a_hint() {
    let lab = Lab::new();
    let hints = [
        &[Oid::NTLMSSP][..],
        &[Oid::NEGOEX, Oid::NTLMSSP],
        &[Oid::SPNEGO],
    ];
    for mechanisms in hints {
        let list = list(mechanisms);
        let hint = NegTokenInit {
            hints: Some(NegHints::PLEASE_IGNORE),
            mech_token: Some(b"NTLMSSP\0"),
            ..NegTokenInit::new(MechTypes::parse(&list).unwrap())
        };
        let offer = || initiator([boxed(lab.kerberos()), boxed(lab.ntlm())]);
        let first = Side::new(offer(), 3).sends(Some(&hint.to_bytes()));
        assert_eq!(first, Side::new(offer(), 3).sends(None));
    }
    for wrong in [&b""[..], b"NTLMSSP\0", &[0x60, 0]] {
        let mut client = Side::new(initiator([boxed(lab.kerberos())]), 3);
        let kind = client.refuses(wrong).kind();
        assert!(matches!(kind, ErrorKind::DefectiveToken(_)));
    }
}

#[test]
fn an_acceptor_speaks_first_once() {
    let lab = Lab::new();
    let mut server = Side::new(both(&lab), 4);
    server.sends(None);
    assert_eq!(server.step(None), None);
    assert_eq!(server.error().kind(), ErrorKind::TokenMissing);
    // An empty token is not an absent one.
    let mut server = Side::new(both(&lab), 4);
    assert!(matches!(
        server.refuses(b"").kind(),
        ErrorKind::DefectiveToken(_)
    ));
    // After the hint a raw token is taken, where it is named.
    let mut server = Side::new(both(&lab).accept_raw(RawTokens::ALL), 4);
    server.sends(None);
    let token = Side::new(lab.kerberos(), 3).sends(None);
    assert!(established(server.call(Some(&token))).is_some());
}

#[test]
fn a_first_message_that_is_no_first_message_is_refused() {
    let lab = Lab::new();
    let token = crate::foreign::choice(NegState::AcceptIncomplete, Oid::KERBEROS, None);
    let mut server = Side::new(both(&lab).accept_raw(RawTokens::ALL), 4);
    assert!(matches!(
        server.refuses(&token).kind(),
        ErrorKind::DefectiveToken(_)
    ));
}
