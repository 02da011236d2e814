//! FAST: what is armored is answered in armor, or not believed.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

#[path = "support/kdc.rs"]
mod support;

use std::sync::Arc;

use countersign_context::credential::{Principal, TicketCredential};
use countersign_context::crypto::{Enctype, Key};
use countersign_context::kerberos::kdc::{ClientSecret, InitialTicket, KdcAnswer};
use countersign_context::{EnctypeSet, ErrorKind, KdcProblem, Policy, ReplyPart};
use countersign_testkit::kdc::SeenRequest;
use countersign_testkit::rasn_kerberos as krb;
use countersign_testkit::{Account, AccountState, FastPolicy, FixedClock, Kdc, NOW};
use support::*;

fn realm() -> Kdc {
    Kdc::builder(REALM)
        .user("alice", PASSWORD)
        .user("machine$", "machine")
        .build()
        .unwrap()
}

/// The machine's ticket.
fn armor(kdc: &Kdc) -> Arc<TicketCredential> {
    let secret = ClientSecret::password("machine");
    let exchange = InitialTicket::new(kdc.principal("machine$"), secret);
    Arc::new(obtain(kdc, exchange).unwrap().credential)
}

fn armored(kdc: &Kdc) -> InitialTicket {
    alice(kdc).armor(armor(kdc))
}

const DEFECTIVE: ErrorKind = ErrorKind::Kdc(KdcProblem::ArmorDefective);

/// The honest KDC gives a ticket, the changed one an error.
#[track_caller]
fn refused(change: impl Fn(&Kdc), expected: ErrorKind) {
    let kdc = realm();
    let ticket = armor(&kdc);
    let exchange = || alice(&kdc).armor(ticket.clone());
    assert!(obtain(&kdc, exchange()).is_ok());
    change(&kdc);
    assert_eq!(obtain(&kdc, exchange()).unwrap_err(), expected);
    kdc.clear_edits();
    assert!(obtain(&kdc, exchange()).is_ok());
}

#[test]
fn an_armored_exchange_proves_both_sides_and_hides_the_proof() {
    let kdc = realm();
    let outcome = obtain(&kdc, armored(&kdc)).unwrap();
    assert!(outcome.armored && outcome.fast_supported);
    let seen = kdc.seen().split_off(2);
    assert!(seen.iter().all(|seen| seen.armored));
    // An encrypted challenge, and no timestamp that could be guessed at.
    let padata: Vec<_> = seen.into_iter().map(|seen| seen.padata).collect();
    assert_eq!(padata, [vec![149], vec![133, 138, 149]]);
}

#[test]
fn armor_is_of_every_enctype_whatever_the_clients_key() {
    for &enctype in Enctype::ALL {
        let kdc = Kdc::builder(REALM)
            .account(Account::user("alice", PASSWORD).enctypes(&[enctype]))
            .account(Account::user("machine$", "machine"))
            .enctypes(&[enctype, Enctype::Aes256CtsHmacSha1_96])
            .build()
            .unwrap();
        let policy = Policy::default().with_enctypes(EnctypeSet::of(&[enctype]));
        let mut client = Client::new().with_policy(policy);
        let secret = ClientSecret::password("machine");
        let machine = InitialTicket::new(kdc.principal("machine$"), secret);
        let ticket = obtain_as(&mut client, &kdc, machine).unwrap().credential;
        assert_eq!(ticket.key.enctype(), Some(enctype));
        let exchange = alice(&kdc).armor(ticket);
        assert!(obtain_as(&mut client, &kdc, exchange).is_ok(), "{enctype}");
    }
}

#[test]
fn a_reply_without_armor_is_refused() {
    let unarmored = |code| ErrorKind::Kdc(KdcProblem::Unarmored { code });
    refused(Kdc::strip_fast, unarmored(Some(25)));

    // Only the last reply: as if the KDC had answered another request.
    let kdc = realm();
    let mut exchange = armored(&kdc);
    let mut rounds = 0;
    let error = Client::new().run(&mut exchange, |request| {
        rounds += 1;
        if rounds == 2 {
            kdc.strip_fast();
        }
        KdcAnswer::Reply(kdc.answer(&request.message))
    });
    assert_eq!(error.unwrap_err(), unarmored(None));

    // A KDC that has never heard of it.
    let deaf = Kdc::builder(REALM)
        .user("alice", PASSWORD)
        .user("machine$", "machine")
        .fast(FastPolicy::Unavailable)
        .build()
        .unwrap();
    let before = deaf.seen().len() + 2;
    let refused = obtain(&deaf, armored(&deaf)).unwrap_err();
    assert_eq!(refused, unarmored(Some(25)));
    // One request, and none without armor after it.
    assert_eq!(deaf.seen().len() - before, 1);
}

#[test]
fn armor_is_asked_for_where_the_kdc_requires_it() {
    let kdc = Kdc::builder(REALM)
        .user("alice", PASSWORD)
        .fast(FastPolicy::Required)
        .build()
        .unwrap();
    let code = 12;
    let nt_status = None;
    let expected = KdcProblem::Refused { code, nt_status };
    assert_eq!(problem(&kdc, alice(&kdc)), expected);
}

#[test]
fn an_unarmored_error_downgrades_nothing() {
    for code in [6, 14, 18, 23, 24, 25, 60, 68, 90, 91] {
        let kdc = realm();
        let mut exchange = armored(&kdc);
        let seen = kdc.seen().len();
        // Somebody answers in the KDC's place, without the armor key.
        kdc.strip_fast();
        kdc.edit_error(move |_, error| error.error_code = code);
        let error = obtain_once(&kdc, &mut exchange);
        let expected = KdcProblem::Unarmored { code: Some(code) };
        assert_eq!(error, ErrorKind::Kdc(expected));
        assert_eq!(kdc.seen().len(), seen + 1, "nothing was sent after it");
    }
}

fn obtain_once(kdc: &Kdc, exchange: &mut InitialTicket) -> ErrorKind {
    let answer = |request: &countersign_context::kerberos::kdc::KdcRequest| {
        KdcAnswer::Reply(kdc.answer(&request.message))
    };
    Client::new().run(exchange, answer).unwrap_err()
}

#[test]
fn the_error_inside_is_the_kdcs_word() {
    type P = KdcProblem;
    for (state, expected) in [
        (AccountState::Disabled, P::AccountDisabled),
        (AccountState::Locked, P::AccountLocked),
        (AccountState::MustChangePassword, P::PasswordExpired),
    ] {
        let kdc = Kdc::builder(REALM)
            .user("alice", PASSWORD)
            .user("machine$", "machine")
            .windows_errors()
            .build()
            .unwrap();
        let ticket = armor(&kdc);
        assert!(obtain(&kdc, alice(&kdc).armor(ticket.clone())).is_ok());
        kdc.set_state("alice", state).unwrap();
        assert_eq!(problem(&kdc, alice(&kdc).armor(ticket)), expected);
    }
    let kdc = realm();
    let wrong = InitialTicket::new(kdc.principal("alice"), ClientSecret::password("wrong"));
    let ticket = armor(&kdc);
    assert_eq!(problem(&kdc, wrong.armor(ticket.clone())), P::WrongSecret);
    // What stands outside may be rewritten at will.
    kdc.edit_bytes(|_, bytes| {
        // error-code [6] INTEGER 25
        if let Some(at) = bytes.windows(5).position(|w| w == [0xa6, 3, 2, 1, 25]) {
            bytes[at + 4] = 6;
        }
    });
    assert!(obtain(&kdc, alice(&kdc).armor(ticket)).is_ok());
}

#[test]
fn a_reply_that_is_not_finished_or_of_another_request_is_refused() {
    refused(
        |kdc| kdc.edit_fast(|_, fast| fast.finished = None),
        DEFECTIVE,
    );
    refused(|kdc| kdc.edit_fast(|_, fast| fast.nonce ^= 1), DEFECTIVE);
    let cut = |kdc: &Kdc| {
        kdc.edit_fast(|_, fast| {
            if let Some(finished) = &mut fast.finished {
                finished.ticket_checksum.checksum = Vec::new().into();
            }
        });
    };
    refused(cut, DEFECTIVE);
    let unkeyed = |kdc: &Kdc| {
        kdc.edit_fast(|_, fast| {
            if let Some(finished) = &mut fast.finished {
                // CRC-32.
                finished.ticket_checksum.r#type = 1;
            }
        });
    };
    refused(unkeyed, DEFECTIVE);
    let flipped = |kdc: &Kdc| {
        kdc.edit_fast(|_, fast| {
            if let Some(finished) = &mut fast.finished {
                let mut checksum = finished.ticket_checksum.checksum.to_vec();
                checksum[0] ^= 1;
                finished.ticket_checksum.checksum = checksum.into();
            }
        });
    };
    refused(flipped, DEFECTIVE);
}

#[test]
fn a_ticket_that_was_exchanged_on_its_way_is_noticed() {
    let change = |kdc: &Kdc| {
        kdc.edit_reply(|_, reply| {
            let mut cipher = reply.ticket.enc_part.cipher.to_vec();
            cipher[0] ^= 1;
            reply.ticket.enc_part.cipher = cipher.into();
        });
    };
    refused(change, DEFECTIVE);
    // Without armor nobody can notice: the service will.
    let kdc = realm();
    change(&kdc);
    assert!(obtain(&kdc, alice(&kdc)).is_ok());
}

#[test]
fn the_client_is_the_one_that_the_armor_names() {
    let mallory = || vec![krb::KerberosString::try_from(b"mallory".to_vec()).unwrap()];
    let kdc = realm();
    // Whatever stands outside; Heimdal 7 has nothing there.
    for outside in [mallory(), Vec::new()] {
        kdc.edit_reply(move |seen, reply| {
            if seen.armored {
                reply.cname.string.clone_from(&outside);
            }
        });
        let outcome = obtain(&kdc, armored(&kdc)).unwrap();
        assert_eq!(outcome.credential.client, kdc.principal("alice"));
    }
    let rename = move |kdc: &Kdc| {
        kdc.edit_fast(move |_, fast| {
            if let Some(finished) = &mut fast.finished {
                finished.cname.string = mallory();
            }
        });
    };
    let client = ErrorKind::Kdc(KdcProblem::ReplyMismatch(ReplyPart::Client));
    refused(rename, client);
}

#[test]
fn armored_errors_must_hold_an_error() {
    let change = |kdc: &Kdc| {
        kdc.edit_fast(|_, fast| fast.padata.retain(|data| data.r#type != 137));
    };
    refused(change, DEFECTIVE);
}

/// RFC 6113 §5.4.6.
#[test]
fn the_kdc_proves_that_it_knows_the_clients_key() {
    let not_proven = ErrorKind::Kdc(KdcProblem::KdcNotProven);
    let absent = |kdc: &Kdc| {
        kdc.edit_fast(|_, fast| {
            if fast.finished.is_some() {
                fast.padata.retain(|data| data.r#type != 138);
            }
        });
    };
    refused(absent, not_proven);
    let altered = |kdc: &Kdc| {
        kdc.edit_fast(|_, fast| {
            if fast.finished.is_some()
                && let Some(data) = fast.padata.iter_mut().find(|data| data.r#type == 138)
            {
                let mut value = data.value.to_vec();
                *value.last_mut().unwrap() ^= 1;
                data.value = value.into();
            }
        });
    };
    refused(altered, not_proven);
}

#[test]
fn a_strengthened_key_opens_the_reply_and_no_other_does() {
    let wrong = ErrorKind::Kdc(KdcProblem::WrongSecret);
    refused(
        |kdc| kdc.edit_fast(|_, fast| fast.strengthen_key = None),
        wrong,
    );
    let other = |kdc: &Kdc| {
        kdc.edit_fast(|_, fast| {
            if let Some(key) = &mut fast.strengthen_key {
                key.value = vec![7; key.value.len()].into();
            }
        });
    };
    refused(other, wrong);
    let odd = |kdc: &Kdc| {
        kdc.edit_fast(|_, fast| {
            if let Some(key) = &mut fast.strengthen_key {
                key.value = vec![7; 3].into();
            }
        });
    };
    refused(odd, DEFECTIVE);
}

#[test]
fn armor_of_another_service_realm_or_time_is_refused_before_anything_is_sent() {
    let kdc = realm();
    let good = armor(&kdc);
    let with = |change: &dyn Fn(&mut TicketCredential)| {
        let mut ticket = good.duplicate();
        change(&mut ticket);
        let seen = kdc.seen().len();
        let result = obtain(&kdc, alice(&kdc).armor(ticket));
        let sent = kdc.seen().len() > seen;
        (result.map(|_| ()), sent)
    };
    assert_eq!(with(&|_| {}), (Ok(()), true));
    let other = ErrorKind::Kdc(KdcProblem::ArmorOfAnotherService);
    for name in [
        "HTTP/www@EXAMPLE.COM",
        "krbtgt/OTHER.COM@EXAMPLE.COM",
        "krbtgt@EXAMPLE.COM",
    ] {
        let server = Principal::parse(name).unwrap();
        let refused = with(&|ticket| ticket.server = server.clone());
        assert_eq!(refused, (Err(other), false), "{name}");
    }
    let expired = with(&|ticket| ticket.times.end_time = NOW);
    assert_eq!(expired, (Err(ErrorKind::TicketExpired), false));
    let weak = with(&|ticket| {
        let key = Key::new(Enctype::Camellia128CtsCmac, &[1; 16]).unwrap();
        ticket.key = key.into();
    });
    let enctype = 25;
    assert_eq!(weak, (Err(ErrorKind::EnctypeRefused { enctype }), false));
}

#[test]
fn a_wrong_clock_is_corrected_once_in_armor_too() {
    let kdc = realm();
    let ticket = armor(&kdc);
    kdc.set_time(FixedClock::at(NOW + 1_000));
    let outcome = obtain(&kdc, alice(&kdc).armor(ticket.clone())).unwrap();
    assert_eq!(outcome.time_offset, 1_000);
    assert!(outcome.armored);
    // Whoever says so again is not followed.
    kdc.strip_fast();
    kdc.edit_error(|_, error| error.error_code = 37);
    let seen = kdc.seen().len();
    let skew = problem(&kdc, alice(&kdc).armor(ticket));
    assert_eq!(skew, KdcProblem::ClockSkew { offset: 1_000 });
    let later = kdc.seen().split_off(seen);
    // The KDC could not open the armor of the first.
    let armored = |seen: &SeenRequest| seen.armored || seen.padata == [136];
    assert!(later.len() == 2 && later.iter().all(armored));
}

#[test]
fn every_prefix_and_bit_flip_of_an_armored_reply_is_refused_or_says_the_same() {
    let kdc = realm();
    let ticket = armor(&kdc);
    let keytab = kdc.keytab(&["alice"]).unwrap();
    let secret = ClientSecret::keytab(&keytab, &kdc.principal("alice")).unwrap();
    // The client's randomness repeats, and with it each request.
    let run = |answers: &mut dyn FnMut(usize, &[u8]) -> Vec<u8>| {
        let mut exchange =
            InitialTicket::new(kdc.principal("alice"), secret.clone()).armor(ticket.clone());
        let mut round = 0;
        Client::new().run(&mut exchange, |request| {
            round += 1;
            KdcAnswer::Reply(answers(round, &request.message))
        })
    };
    let mut recorded = Vec::new();
    let honest = run(&mut |_, request| {
        recorded.push(kdc.answer(request));
        recorded.last().unwrap().clone()
    })
    .unwrap();
    let expected = honest.credential.key.expose().to_vec();
    assert_eq!(recorded.len(), 2);
    let mut accepted = 0;
    let last = recorded[1].clone();
    for bit in (0..last.len() * 8).step_by(3) {
        let mut flipped = last.clone();
        flipped[bit / 8] ^= 0x80 >> (bit % 8);
        let answer = &mut |round: usize, _: &[u8]| match round {
            1 => recorded[0].clone(),
            _ => flipped.clone(),
        };
        if let Ok(outcome) = run(answer) {
            assert_eq!(outcome.credential.key.expose(), expected, "bit {bit}");
            assert_eq!(
                outcome.credential.ticket, honest.credential.ticket,
                "bit {bit}"
            );
            assert_eq!(outcome.credential.client, honest.credential.client);
            accepted += 1;
        }
    }
    // Name types and key versions, which mean nothing here.
    assert!(accepted < 64, "{accepted}");
    for length in (0..last.len()).step_by(5) {
        let answer = &mut |round: usize, _: &[u8]| match round {
            1 => recorded[0].clone(),
            _ => last[..length].to_vec(),
        };
        assert!(run(answer).is_err(), "prefix of {length} bytes");
    }
}
