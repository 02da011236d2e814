//! The AS exchange with an honest KDC of another make: what is asked for is what comes.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

#[path = "support/kdc.rs"]
mod support;

use std::time::Duration;

use countersign_context::credential::{HostAddress, NameType, Principal};
use countersign_context::crypto::Enctype;
use countersign_context::kerberos::kdc::{
    ClientSecret, ExchangeStep, InitialTicket, KdcAnswer, TicketOptions,
};
use countersign_context::token::kerberos::TicketFlags;
use countersign_context::{EnctypeSet, ErrorKind, KdcProblem, Policy};
use countersign_testkit::{Account, AccountState, FixedClock, Kdc, NOW};
use support::*;

#[test]
fn a_password_gives_a_ticket_granting_ticket() {
    let kdc = kdc();
    let outcome = obtain(&kdc, alice(&kdc)).unwrap();
    let ticket = &outcome.credential;
    assert_eq!(ticket.client.to_string(), "alice@EXAMPLE.COM");
    assert_eq!(ticket.server.to_string(), "krbtgt/EXAMPLE.COM@EXAMPLE.COM");
    assert!(
        ticket
            .flags
            .contains(TicketFlags::INITIAL | TicketFlags::PRE_AUTHENT)
    );
    assert!(!ticket.flags.contains(TicketFlags::FORWARDABLE));
    assert_eq!(ticket.times.end_time, NOW + 10 * 3_600);
    assert_eq!(outcome.time_offset, 0);
    assert_eq!(outcome.key_enctype, Enctype::Aes256CtsHmacSha384_192);
    assert!(!outcome.armored);
    // Without a proof, and then with one.
    let padata: Vec<_> = kdc.seen().into_iter().map(|seen| seen.padata).collect();
    assert_eq!(padata, [vec![149], vec![133, 2, 149]]);
}

#[test]
fn every_enctype_gives_a_ticket_by_password_and_by_key() {
    for &enctype in Enctype::ALL {
        let user = Account::user("alice", PASSWORD).enctypes(&[enctype]);
        let kdc = Kdc::builder(REALM)
            .enctypes(&[enctype])
            .account(user)
            .build()
            .unwrap();
        let policy = Policy::default().with_enctypes(EnctypeSet::of(&[enctype]));
        let mut client = Client::new().with_policy(policy);
        let outcome = obtain_as(&mut client, &kdc, alice(&kdc)).unwrap();
        assert_eq!(outcome.key_enctype, enctype);
        assert_eq!(outcome.credential.key.enctype(), Some(enctype));

        let name = kdc.principal("alice");
        let keytab = kdc.keytab(&["alice"]).unwrap();
        let secret = ClientSecret::keytab(&keytab, &name).unwrap();
        let by_key = InitialTicket::new(name, secret).optimistic(true);
        assert!(obtain_as(&mut client, &kdc, by_key).is_ok(), "{enctype}");
    }
}

#[test]
fn an_nt_hash_is_a_key_that_a_policy_must_name() {
    #[cfg(feature = "rc4")]
    {
        let user = Account::user("alice", PASSWORD).enctypes(&[Enctype::Rc4Hmac]);
        let kdc = Kdc::builder(REALM)
            .enctypes(&[Enctype::Rc4Hmac])
            .account(user)
            .build()
            .unwrap();
        let name = kdc.principal("alice");
        let keytab = kdc.keytab(&["alice"]).unwrap();
        let hash = keytab.entries()[0].key_block().expose().try_into().unwrap();
        let exchange = || InitialTicket::new(name.clone(), ClientSecret::nt_hash(&name, &hash));
        let named = EnctypeSet::AES.with(Enctype::Rc4Hmac);
        let mut client = Client::new().with_policy(Policy::default().with_enctypes(named));
        assert!(obtain_as(&mut client, &kdc, exchange()).is_ok());
        assert_eq!(problem(&kdc, exchange()), KdcProblem::EnctypesDisjoint);
    }
}

#[test]
fn salts_and_iteration_counts_are_the_ones_that_the_kdc_names() {
    let user = Account::user("alice", PASSWORD)
        .salt(b"elsewhere")
        .iterations(777);
    let kdc = Kdc::builder(REALM).account(user).build().unwrap();
    assert!(obtain(&kdc, alice(&kdc)).is_ok());
    // The default salt first, in vain, and then the KDC's.
    assert!(obtain(&kdc, alice(&kdc).optimistic(true)).is_ok());
    let refused: Vec<_> = kdc.seen().into_iter().map(|seen| seen.refused).collect();
    assert_eq!(refused, [Some(25), None, Some(24), None]);
}

#[test]
fn an_optimistic_proof_saves_a_round() {
    let kdc = kdc();
    assert!(obtain(&kdc, alice(&kdc).optimistic(true)).is_ok());
    let padata: Vec<_> = kdc.seen().into_iter().map(|seen| seen.padata).collect();
    assert_eq!(padata, [[2, 149]]);
}

/// Samba and Heimdal answer so, without a hint.
#[test]
fn an_optimistic_proof_of_an_enctype_that_the_kdc_lacks_is_taken_back() {
    for code in [14, 24] {
        let user = Account::user("alice", PASSWORD).salt(b"odd");
        let kdc = Kdc::builder(REALM).account(user).build().unwrap();
        kdc.edit_error(move |seen, error| {
            if seen.padata.contains(&2) {
                error.error_code = code;
                error.e_data = None;
            }
        });
        let outcome = obtain(&kdc, alice(&kdc).optimistic(true));
        assert!(outcome.is_ok(), "{outcome:?}");
        let refused: Vec<_> = kdc.seen().into_iter().map(|seen| seen.refused).collect();
        assert_eq!(refused, [Some(code), Some(25), None]);
    }
}

#[test]
fn an_account_without_preauthentication_needs_no_proof() {
    let user = Account::user("alice", PASSWORD)
        .salt(b"odd")
        .without_preauth();
    let kdc = Kdc::builder(REALM).account(user).build().unwrap();
    assert!(obtain(&kdc, alice(&kdc)).is_ok());
    assert_eq!(kdc.seen().len(), 1);
    let wrong = InitialTicket::new(kdc.principal("alice"), ClientSecret::password("wrong"));
    assert_eq!(problem(&kdc, wrong), KdcProblem::WrongSecret);
}

#[test]
fn a_wrong_password_is_refused_after_one_proof() {
    let kdc = kdc();
    for optimistic in [false, true] {
        let secret = ClientSecret::password("open sesam");
        let exchange = InitialTicket::new(kdc.principal("alice"), secret).optimistic(optimistic);
        let before = kdc.seen().len();
        assert_eq!(problem(&kdc, exchange), KdcProblem::WrongSecret);
        let proofs = kdc.seen().split_off(before);
        let proofs = proofs
            .iter()
            .filter(|seen| seen.padata.contains(&2))
            .count();
        assert_eq!(proofs, 1);
    }
    assert!(obtain(&kdc, alice(&kdc)).is_ok());
}

#[test]
fn every_kind_of_refused_account_says_what_is_wrong() {
    type P = KdcProblem;
    for (state, plain, windows) in [
        (
            AccountState::Disabled,
            P::AccountRevoked,
            P::AccountDisabled,
        ),
        (AccountState::Locked, P::AccountRevoked, P::AccountLocked),
        (AccountState::Expired, P::AccountExpired, P::AccountExpired),
        (
            AccountState::PasswordExpired,
            P::PasswordExpired,
            P::PasswordExpired,
        ),
        (
            AccountState::MustChangePassword,
            P::PasswordExpired,
            P::PasswordExpired,
        ),
    ] {
        for (builder, expected) in [
            (Kdc::builder(REALM), plain),
            (Kdc::builder(REALM).windows_errors(), windows),
        ] {
            let kdc = builder.user("alice", PASSWORD).build().unwrap();
            assert!(obtain(&kdc, alice(&kdc)).is_ok());
            kdc.set_state("alice", state).unwrap();
            assert_eq!(problem(&kdc, alice(&kdc)), expected, "{state:?}");
        }
    }
    let kdc = kdc();
    let nobody = InitialTicket::new(kdc.principal("nobody"), ClientSecret::password("x"));
    assert_eq!(problem(&kdc, nobody), P::ClientUnknown);
    let service = alice(&kdc).service(kdc.principal("HTTP/nowhere"));
    assert_eq!(problem(&kdc, service), P::ServiceUnknown);
}

#[test]
fn an_account_with_weak_keys_only_is_refused_by_default() {
    let weak = Account::user("alice", PASSWORD).enctypes(&[Enctype::Camellia128CtsCmac]);
    let kdc = Kdc::builder(REALM).account(weak).build().unwrap();
    assert_eq!(problem(&kdc, alice(&kdc)), KdcProblem::EnctypesDisjoint);
    let named = EnctypeSet::AES.with(Enctype::Camellia128CtsCmac);
    let mut client = Client::new().with_policy(Policy::default().with_enctypes(named));
    assert!(obtain_as(&mut client, &kdc, alice(&kdc)).is_ok());
}

#[test]
fn options_become_flags_times_and_addresses() {
    let kdc = kdc();
    let here = HostAddress {
        addr_type: 2,
        address: vec![192, 0, 2, 1],
    };
    let hour = Duration::from_secs(3_600);
    let options = TicketOptions::default()
        .forwardable(true)
        .proxiable(true)
        .lifetime(hour)
        .renewable(24 * hour)
        .addresses([here.clone()]);
    let ticket = obtain(&kdc, alice(&kdc).options(options))
        .unwrap()
        .credential;
    let asked = TicketFlags::FORWARDABLE | TicketFlags::PROXIABLE | TicketFlags::RENEWABLE;
    assert!(ticket.flags.contains(asked));
    assert_eq!(ticket.times.end_time, NOW + 3_600);
    assert_eq!(ticket.times.renew_till, NOW + 24 * 3_600);
    assert_eq!(ticket.addresses, [here]);
}

#[test]
fn a_postdated_ticket_starts_when_asked_and_is_invalid_until_then() {
    let kdc = kdc();
    let options = TicketOptions::default().start_at(NOW + 7_200);
    let ticket = obtain(&kdc, alice(&kdc).options(options))
        .unwrap()
        .credential;
    assert_eq!(ticket.times.start_time, NOW + 7_200);
    assert!(ticket.flags.contains(TicketFlags::INVALID));
}

#[test]
fn a_reply_that_does_not_fit_is_asked_for_again_over_a_stream() {
    let kdc = Kdc::builder(REALM)
        .user("alice", PASSWORD)
        .datagram_limit(400)
        .build()
        .unwrap();
    let mut streams = Vec::new();
    let mut exchange = alice(&kdc);
    let outcome = Client::new().run(&mut exchange, |request| {
        streams.push(request.stream_only);
        KdcAnswer::Reply(match request.stream_only {
            true => kdc.answer(&request.message),
            false => kdc.answer_datagram(&request.message),
        })
    });
    assert!(outcome.is_ok());
    assert_eq!(streams, [false, false, true]);
    let seen = kdc.seen();
    assert_eq!(seen[1].bytes, seen[2].bytes, "the same request");

    // Over a stream it fits, whatever the KDC says.
    let stubborn = Client::new().run(&mut alice(&kdc), |request| {
        KdcAnswer::Reply(kdc.answer_datagram(&request.message))
    });
    let code = 52;
    let nt_status = None;
    let refused = KdcProblem::Refused { code, nt_status };
    assert_eq!(stubborn.unwrap_err(), ErrorKind::Kdc(refused));
}

#[test]
fn a_wrong_clock_is_corrected_once_and_reported() {
    for offset in [-7_200, 7_200] {
        let kdc = kdc();
        kdc.set_time(FixedClock::at(NOW + offset));
        let outcome = obtain(&kdc, alice(&kdc)).unwrap();
        assert_eq!(outcome.time_offset, offset);

        let strict = Policy::default().with_skew_recovery(false);
        let mut client = Client::new().with_policy(strict);
        let problem = KdcProblem::ClockSkew { offset };
        let refused = obtain_as(&mut client, &kdc, alice(&kdc));
        assert_eq!(refused.unwrap_err(), ErrorKind::Kdc(problem));

        // A KDC that is never content.
        kdc.edit_error(|_, error| error.error_code = 37);
        let before = kdc.seen().len();
        assert!(obtain(&kdc, alice(&kdc)).is_err());
        assert!(kdc.seen().len() - before <= 2);
    }
}

#[test]
fn the_end_of_the_password_is_told() {
    let user = Account::user("alice", PASSWORD).password_expires(NOW + 86_400);
    let kdc = Kdc::builder(REALM).account(user).build().unwrap();
    let outcome = obtain(&kdc, alice(&kdc)).unwrap();
    assert_eq!(outcome.key_expiration, Some(NOW + 86_400));
    assert!(!outcome.last_requests.is_empty());
}

#[test]
fn an_enterprise_name_comes_back_canonical() {
    let user = Account::user("alice", PASSWORD).alias("alice@corp.example");
    let kdc = Kdc::builder(REALM).account(user).build().unwrap();
    let name = Principal::enterprise("alice@EXAMPLE.COM", REALM);
    assert_eq!(name.name_type(), NameType::ENTERPRISE);
    let exchange = InitialTicket::new(name, ClientSecret::password(PASSWORD));
    let outcome = obtain(&kdc, exchange).unwrap();
    assert_eq!(outcome.credential.client.to_string(), "alice@EXAMPLE.COM");
}

#[test]
fn silence_is_an_error_of_its_own_and_nothing_follows_the_end() {
    let kdc = kdc();
    let mut client = Client::new();
    let mut exchange = alice(&kdc);
    let unreachable = client.run(&mut exchange, |_| KdcAnswer::Unreachable);
    let problem = ErrorKind::Kdc(KdcProblem::Unreachable);
    assert_eq!(unreachable.unwrap_err(), problem);
    let again = client.step(&mut exchange, None).unwrap_err();
    assert_eq!(again.kind(), problem);

    let mut exchange = alice(&kdc);
    let reply = |request: &_| {
        let request: &countersign_context::kerberos::kdc::KdcRequest = request;
        KdcAnswer::Reply(kdc.answer(&request.message))
    };
    assert!(client.run(&mut exchange, reply).is_ok());
    for answer in [None, Some(KdcAnswer::Unreachable)] {
        assert!(client.step(&mut exchange, answer).is_err());
    }
}

#[test]
fn an_answer_before_the_question_and_a_missing_one_are_errors() {
    let kdc = kdc();
    let mut client = Client::new();
    let mut early = alice(&kdc);
    let answer = KdcAnswer::Reply(Vec::new());
    let error = client.step(&mut early, Some(answer)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedCall);
    let mut waiting = alice(&kdc);
    let step = client.step(&mut waiting, None).unwrap();
    assert!(matches!(step, ExchangeStep::Send(_)));
    let error = client.step(&mut waiting, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedCall);
}
