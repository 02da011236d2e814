//! Changing passwords: what the service says is heard, and what others say in its place is not.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

#[path = "support/kdc.rs"]
mod support;

use countersign_context::kerberos::kdc::{
    ClientSecret, ExchangeStep, InitialTicket, KdcAnswer, KdcRequest, KdcService, PasswordChange,
    PasswordChangeOutcome, PasswordChangeResult,
};
use countersign_context::token::der::Decode;
use countersign_context::token::kerberos::KrbPriv;
use countersign_context::token::kerberos::kpasswd::{KpasswdReply, KpasswdRequest};
use countersign_context::{ErrorKind, KdcProblem};
use countersign_testkit::{Account, AccountState, FixedClock, Kdc, NOW};
use support::*;

fn realm() -> Kdc {
    Kdc::builder(REALM)
        .user("alice", PASSWORD)
        .account(Account::user("admin", "root").sets_passwords())
        .password_policy(8, "too short\x1b[31m\nalas")
        .build()
        .unwrap()
}

fn change(kdc: &Kdc, old: &str, new: &str) -> PasswordChange {
    PasswordChange::new(kdc.principal("alice"), ClientSecret::password(old), new)
}

fn answer(kdc: &Kdc, request: &KdcRequest) -> Vec<u8> {
    match request.service {
        KdcService::Kdc => kdc.answer(&request.message),
        KdcService::PasswordChange => kdc.answer_password_change(&request.message),
    }
}

fn run(kdc: &Kdc, mut exchange: PasswordChange) -> Result<PasswordChangeOutcome, ErrorKind> {
    Client::new().run(&mut exchange, |request| {
        KdcAnswer::Reply(answer(kdc, request))
    })
}

/// The honest KDC but for the service's reply, which `bend` changes; and whether it was changed
/// all the same.
fn bent(
    bend: impl Fn(&KdcRequest, Vec<u8>) -> Vec<u8>,
) -> Result<PasswordChangeOutcome, ErrorKind> {
    let kdc = realm();
    Client::new().run(&mut change(&kdc, PASSWORD, "long enough"), |request| {
        let reply = answer(&kdc, request);
        KdcAnswer::Reply(match request.service {
            KdcService::Kdc => reply,
            KdcService::PasswordChange => bend(request, reply),
        })
    })
}

#[test]
fn a_password_is_changed_and_the_old_one_opens_nothing_more() {
    let kdc = realm();
    let outcome = run(&kdc, change(&kdc, PASSWORD, "long enough")).unwrap();
    assert!(outcome.is_changed() && outcome.authenticated);
    assert_eq!(problem(&kdc, alice(&kdc)), KdcProblem::WrongSecret);
    let new = InitialTicket::new(
        kdc.principal("alice"),
        ClientSecret::password("long enough"),
    );
    assert!(obtain(&kdc, new).is_ok());
    let wrong = run(&kdc, change(&kdc, "wrong", "long enough"));
    let problem = ErrorKind::Kdc(KdcProblem::WrongSecret);
    assert_eq!(wrong.unwrap_err(), problem);
}

#[test]
fn expired_passwords_are_changed_too() {
    for state in [
        AccountState::PasswordExpired,
        AccountState::MustChangePassword,
    ] {
        let kdc = realm();
        kdc.set_state("alice", state).unwrap();
        assert_eq!(problem(&kdc, alice(&kdc)), KdcProblem::PasswordExpired);
        assert!(
            run(&kdc, change(&kdc, PASSWORD, "long enough"))
                .unwrap()
                .is_changed()
        );
    }
}

#[test]
fn a_refused_password_comes_with_words_that_can_be_shown() {
    let kdc = realm();
    let outcome = run(&kdc, change(&kdc, PASSWORD, "short")).unwrap();
    assert_eq!(outcome.result, PasswordChangeResult::PasswordRefused);
    assert!(outcome.authenticated && !outcome.is_changed());
    // A text with an escape sequence is none.
    assert_eq!((outcome.text, outcome.policy), (None, None));
    assert!(obtain(&kdc, alice(&kdc)).is_ok());

    let plain = Kdc::builder(REALM)
        .user("alice", PASSWORD)
        .password_policy(8, "too short\nalas")
        .build()
        .unwrap();
    let outcome = run(&plain, change(&plain, PASSWORD, "short")).unwrap();
    assert_eq!(outcome.text.as_deref(), Some("too short alas"));

    let windows = Kdc::builder(REALM)
        .user("alice", PASSWORD)
        .password_policy(8, "")
        .windows_errors()
        .build()
        .unwrap();
    let outcome = run(&windows, change(&windows, PASSWORD, "short")).unwrap();
    assert_eq!(outcome.policy.unwrap().minimum_length, 8);
}

#[test]
fn an_administrator_sets_anothers_password_and_nobody_else_does() {
    let kdc = realm();
    let of_alice = |name: &str, password: &str| {
        let secret = ClientSecret::password(password);
        PasswordChange::new(kdc.principal(name), secret, "set for her").of(kdc.principal("alice"))
    };
    assert!(run(&kdc, of_alice("admin", "root")).unwrap().is_changed());
    let of_admin = change(&kdc, "set for her", "ha ha ha ha").of(kdc.principal("admin"));
    let denied = run(&kdc, of_admin).unwrap();
    assert_eq!(denied.result, PasswordChangeResult::AccessDenied);
}

#[test]
fn a_service_of_datagrams_only_is_asked_by_datagram() {
    let kdc = realm();
    let mut streams = Vec::new();
    let outcome = Client::new().run(&mut change(&kdc, PASSWORD, "long enough"), |request| {
        if request.service == KdcService::Kdc {
            return KdcAnswer::Reply(answer(&kdc, request));
        }
        streams.push(request.stream_only);
        match request.stream_only {
            true => KdcAnswer::Unreachable,
            false => KdcAnswer::Reply(answer(&kdc, request)),
        }
    });
    assert!(outcome.unwrap().is_changed());
    assert_eq!(streams, [true, false]);

    let silent =
        Client::new().run(
            &mut change(&kdc, "long enough", "and longer"),
            |request| match request.service {
                KdcService::Kdc => KdcAnswer::Reply(answer(&kdc, request)),
                KdcService::PasswordChange => KdcAnswer::Unreachable,
            },
        );
    let problem = ErrorKind::Kdc(KdcProblem::Unreachable);
    assert_eq!(silent.unwrap_err(), problem);
}

#[test]
fn the_kdcs_clock_is_the_services() {
    let kdc = realm();
    kdc.set_time(FixedClock::at(NOW + 5_000));
    assert!(
        run(&kdc, change(&kdc, PASSWORD, "long enough"))
            .unwrap()
            .is_changed()
    );
}

/// CVE-2022-2031.
#[test]
fn a_ticket_for_another_service_changes_no_password() {
    let kdc = realm();
    let tgt = obtain(&kdc, alice(&kdc)).unwrap().credential;
    let with_tgt = run(&kdc, PasswordChange::with_ticket(tgt, "long enough"));
    let problem = ErrorKind::Kdc(KdcProblem::ServiceUnknown);
    assert_eq!(with_tgt.unwrap_err(), problem);
    let service = kdc.principal("kadmin/changepw");
    let ticket = obtain(&kdc, alice(&kdc).service(service))
        .unwrap()
        .credential;
    let changed = run(&kdc, PasswordChange::with_ticket(ticket, "long enough"));
    assert!(changed.unwrap().is_changed());
}

/// A KRB-ERROR in the frame of version 1, with this result in its e-data.
fn forged(kdc: &Kdc, result: &[u8]) -> Vec<u8> {
    let data = result.to_vec();
    kdc.edit_error(move |_, error| error.e_data = Some(data.clone().into()));
    // Any error will do as a form.
    let error = kdc.answer(b"\x6a\x02\x30\x00");
    KpasswdReply::Error(&error).encode().unwrap()
}

#[test]
fn only_the_service_itself_says_that_a_password_is_changed() {
    let kdc = realm();
    // "Success" in an error, framed and not.
    let success = forged(&kdc, b"\0\0done");
    for reply in [success.clone(), success[6..].to_vec()] {
        let error = bent(|_, _| reply.clone()).unwrap_err();
        assert!(matches!(error, ErrorKind::Kdc(KdcProblem::Refused { .. })));
    }
    // A refusal is taken for what it is: nobody's word.
    let refusal = forged(&kdc, b"\0\x04no");
    let outcome = bent(|_, _| refusal.clone()).unwrap();
    assert_eq!(outcome.result, PasswordChangeResult::PasswordRefused);
    assert!(!outcome.authenticated);

    // Our own message for the service's, with the service's AP-REP.
    let reflected = bent(|request, reply| {
        let sent = KpasswdRequest::parse(&request.message).unwrap();
        let KpasswdReply::Reply { ap_rep, .. } = KpasswdReply::parse(&reply).unwrap() else {
            panic!("refused")
        };
        let krb_priv = sent.krb_priv;
        assert!(KrbPriv::from_der(krb_priv).is_ok());
        KpasswdReply::Reply { ap_rep, krb_priv }.encode().unwrap()
    });
    assert_eq!(reflected.unwrap_err(), ErrorKind::MessageReflected);
    for garbage in [Vec::new(), vec![0; 6], b"\0\x06\0\x01\0\0".to_vec()] {
        let error = bent(|_, _| garbage.clone()).unwrap_err();
        let defective = matches!(error, ErrorKind::Kdc(KdcProblem::DefectiveReply(_)));
        assert!(defective, "{error:?}");
    }
    assert!(bent(|_, reply| reply).unwrap().is_changed());
}

#[test]
fn the_reply_to_another_request_is_refused() {
    let kdc = realm();
    let mut recorded = Vec::new();
    let first = Client::new().run(&mut change(&kdc, PASSWORD, "long enough"), |request| {
        recorded = answer(&kdc, request);
        KdcAnswer::Reply(recorded.clone())
    });
    assert!(first.unwrap().is_changed());
    let mut later = Client::new().at(NOW + 1);
    let replayed = later.run(&mut change(&kdc, "long enough", "and longer"), |request| {
        KdcAnswer::Reply(match request.service {
            KdcService::Kdc => answer(&kdc, request),
            KdcService::PasswordChange => recorded.clone(),
        })
    });
    let failed = ErrorKind::MutualAuthenticationFailed;
    assert_eq!(replayed.unwrap_err(), failed);
}

#[test]
fn every_bit_flip_of_a_reply_is_refused_or_says_the_same() {
    let kdc = realm();
    let service = kdc.principal("kadmin/changepw");
    let ticket = obtain(&kdc, alice(&kdc).service(service))
        .unwrap()
        .credential;
    let ticket = std::sync::Arc::new(ticket);
    // The client's randomness repeats, and with it the request.
    let run = |reply: &mut dyn FnMut(&[u8]) -> Vec<u8>| {
        let mut exchange = PasswordChange::with_ticket(ticket.clone(), "long enough");
        let mut client = Client::new();
        let Ok(ExchangeStep::Send(request)) = client.step(&mut exchange, None) else {
            panic!("nothing was sent")
        };
        let reply = KdcAnswer::Reply(reply(&request.message));
        client.step(&mut exchange, Some(reply))
    };
    let mut recorded = Vec::new();
    let honest = run(&mut |request| {
        recorded = kdc.answer_password_change(request);
        recorded.clone()
    });
    let Ok(ExchangeStep::Done(honest)) = honest else {
        panic!("refused: {honest:?}")
    };
    assert!(honest.is_changed());
    for bit in 0..recorded.len() * 8 {
        let mut flipped = recorded.clone();
        flipped[bit / 8] ^= 0x80 >> (bit % 8);
        if let Ok(ExchangeStep::Done(outcome)) = run(&mut |_| flipped.clone()) {
            assert_eq!(outcome, honest, "bit {bit}");
        }
    }
    for length in 0..recorded.len() {
        assert!(
            run(&mut |_| recorded[..length].to_vec()).is_err(),
            "{length} bytes"
        );
    }
}

#[test]
fn neither_password_is_printed() {
    let kdc = realm();
    let exchange = change(&kdc, PASSWORD, "long enough");
    let text = format!("{exchange:?} {exchange:#?}");
    assert!(text.contains("PasswordChange"));
    assert!(
        !text.contains(PASSWORD) && !text.contains("long enough"),
        "{text}"
    );
}
