//! KRB-ERRORs that anybody may have written: what they cannot make a client do.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

#[path = "support/kdc.rs"]
mod support;

use countersign_context::credential::Principal;
use countersign_context::kerberos::kdc::{ClientSecret, InitialTicket, KdcAnswer};
use countersign_context::token::der::{Encode, SequenceOf};
use countersign_context::token::kerberos::{
    EtypeInfo2Entry, EtypeInfoEntry, KerberosString, PaAuthenticationSetElem, PaData,
};
use countersign_context::{ErrorKind, KdcProblem};
use countersign_testkit::rasn_kerberos as krb;
use countersign_testkit::{Account, Kdc};
use support::*;

/// METHOD-DATA of these elements.
fn method_data(list: &[(i32, &[u8])]) -> Vec<u8> {
    let list: Vec<_> = list
        .iter()
        .map(|(padata_type, padata_value)| PaData {
            padata_type: *padata_type,
            padata_value,
        })
        .collect();
    SequenceOf::new(&list).to_der()
}

fn info2(etype: i32, salt: Option<&[u8]>, s2kparams: Option<&[u8]>) -> Vec<u8> {
    let salt = salt.map(KerberosString::new);
    let entries = [EtypeInfo2Entry {
        etype,
        salt,
        s2kparams,
    }];
    SequenceOf::new(&entries).to_der()
}

/// Every PREAUTH_REQUIRED has this e-data.
fn hint(kdc: &Kdc, data: Vec<u8>) {
    kdc.edit_error(move |_, error| {
        if error.error_code == 25 {
            error.e_data = Some(data.clone().into());
        }
    });
}

/// How many proofs the KDC was sent.
fn proofs(kdc: &Kdc) -> usize {
    let seen = kdc.seen();
    seen.iter().filter(|seen| seen.padata.contains(&2)).count()
}

fn refused(code: i32) -> KdcProblem {
    KdcProblem::Refused {
        code,
        nt_status: None,
    }
}

#[test]
fn an_enctype_that_the_policy_does_not_name_gets_no_proof() {
    for weak in [23, 25, 26, 3, 1, 99] {
        let kdc = kdc();
        hint(
            &kdc,
            method_data(&[(2, b""), (19, &info2(weak, None, None))]),
        );
        assert_eq!(problem(&kdc, alice(&kdc)), KdcProblem::EnctypesDisjoint);
        // The older hint is not believed beside the newer one.
        let entries = [EtypeInfoEntry {
            etype: 18,
            salt: Some(b"EXAMPLE.COMalice"),
        }];
        let info = SequenceOf::new(&entries).to_der();
        let both = [(2, &b""[..]), (19, &info2(weak, None, None)), (11, &info)];
        hint(&kdc, method_data(&both));
        assert_eq!(problem(&kdc, alice(&kdc)), KdcProblem::EnctypesDisjoint);
        assert_eq!(proofs(&kdc), 0);
    }
    let kdc = kdc();
    hint(&kdc, method_data(&[(2, b""), (19, &info2(17, None, None))]));
    // Weaker than what the KDC would take, and permitted: the reply is of the KDC's choice.
    assert!(obtain(&kdc, alice(&kdc)).is_ok());
}

/// go-krb5 #159: whoever writes the KRB-ERROR picks the salt. It is good for one proof, and the
/// ticket still depends on the true key.
#[test]
fn a_salt_from_nowhere_gives_one_wrong_proof_and_no_ticket() {
    let kdc = kdc();
    hint(
        &kdc,
        method_data(&[(2, b""), (19, &info2(18, Some(b"evil"), None))]),
    );
    assert_eq!(problem(&kdc, alice(&kdc)), KdcProblem::WrongSecret);
    assert_eq!(proofs(&kdc), 1);
    hint(
        &kdc,
        method_data(&[(2, b""), (19, &info2(18, Some(b"EXAMPLE.COMalice"), None))]),
    );
    assert!(obtain(&kdc, alice(&kdc)).is_ok());
}

#[test]
fn without_a_salt_it_is_made_of_our_own_name() {
    let kdc = kdc();
    for hints in [
        method_data(&[(2, b""), (19, &info2(18, None, None))]),
        method_data(&[(2, b""), (3, b"EXAMPLE.COMalice")]),
        method_data(&[(2, b"")]),
        method_data(&[]),
    ] {
        hint(&kdc, hints);
        assert!(obtain(&kdc, alice(&kdc)).is_ok());
    }
    // The error names other principals, which are no part of it.
    kdc.edit_error(|_, error| {
        let list = method_data(&[(2, b""), (19, &info2(18, None, None))]);
        error.e_data = Some(list.into());
        error.crealm = Some(krb::KerberosString::try_from(b"EVIL".to_vec()).unwrap());
        error.cname = Some(error.sname.clone());
    });
    assert!(obtain(&kdc, alice(&kdc)).is_ok());
}

#[test]
fn absurd_iteration_counts_are_refused_before_they_are_computed() {
    for params in [
        &[0_u8; 4][..],
        &[1, 0, 0, 0],
        &[0xff; 4],
        b"",
        &[0, 0, 0, 1, 0],
    ] {
        let kdc = kdc();
        hint(
            &kdc,
            method_data(&[(2, b""), (19, &info2(18, None, Some(params)))]),
        );
        assert_eq!(problem(&kdc, alice(&kdc)), KdcProblem::KeyParameters);
        assert_eq!(proofs(&kdc), 0);
    }
    let usual = kdc();
    hint(
        &usual,
        method_data(&[(2, b""), (19, &info2(18, None, Some(&[0, 0, 0x10, 0])))]),
    );
    assert!(obtain(&usual, alice(&usual)).is_ok());
}

#[test]
fn malformed_hints_are_refused() {
    let kdc = kdc();
    hint(&kdc, method_data(&[(2, b""), (19, b"\x30\x05\xa0")]));
    assert_eq!(problem(&kdc, alice(&kdc)), KdcProblem::KeyParameters);
    kdc.clear_edits();
    assert!(obtain(&kdc, alice(&kdc)).is_ok());
}

#[test]
fn mechanisms_that_are_not_there_are_not_pretended() {
    // PKINIT, OTP, an encrypted challenge without armor.
    for kind in [16, 141, 138] {
        let kdc = kdc();
        hint(
            &kdc,
            method_data(&[(kind, b""), (19, &info2(18, None, None))]),
        );
        let unsupported = KdcProblem::PreauthenticationUnsupported;
        assert_eq!(problem(&kdc, alice(&kdc)), unsupported);
        assert_eq!(proofs(&kdc), 0);
        hint(
            &kdc,
            method_data(&[(kind, b""), (2, b""), (19, &info2(18, None, None))]),
        );
        assert!(obtain(&kdc, alice(&kdc)).is_ok());
    }
}

/// RFC 6113 §5.3.
#[test]
fn a_set_of_mechanisms_is_begun_and_named() {
    let set = |kinds: &[i32]| {
        let elements: Vec<_> = kinds
            .iter()
            .map(|kind| PaAuthenticationSetElem {
                pa_type: *kind,
                pa_hint: Some(b"hint"),
                pa_value: Some(b"value"),
            })
            .collect();
        SequenceOf::new(&elements).to_der()
    };
    let kdc = kdc();
    // The first set has a part that nobody here can do.
    let sets = [(134, &set(&[2, 16])[..]), (134, &set(&[2]))];
    hint(&kdc, method_data(&sets));
    assert!(obtain(&kdc, alice(&kdc)).is_ok());
    assert_eq!(kdc.seen()[1].padata, [2, 135, 149]);
    hint(&kdc, method_data(&sets[..1]));
    let unsupported = KdcProblem::PreauthenticationUnsupported;
    assert_eq!(problem(&kdc, alice(&kdc)), unsupported);
}

/// RFC 6113 §5.2: without its cookie the KDC would begin anew each time.
#[test]
fn cookies_are_given_back_and_proofs_repeated_as_often_as_asked() {
    let user = Account::user("alice", PASSWORD).proofs(3);
    let kdc = Kdc::builder(REALM).account(user).build().unwrap();
    assert!(obtain(&kdc, alice(&kdc)).is_ok());
    let refused: Vec<_> = kdc.seen().into_iter().map(|seen| seen.refused).collect();
    assert_eq!(refused, [Some(25), Some(91), Some(91), None]);
    let padata = kdc.seen().pop().unwrap().padata;
    assert_eq!(padata, [133, 2, 149]);

    let user = Account::user("alice", PASSWORD).proofs(1_000);
    let insatiable = Kdc::builder(REALM).account(user).build().unwrap();
    let without_end = problem(&insatiable, alice(&insatiable));
    assert_eq!(without_end, KdcProblem::TooManyRounds);
}

/// Anybody on the path can ask for proof after proof; the password is made into a key once.
#[test]
fn proofs_that_are_asked_for_again_do_not_cost_another_string_to_key() {
    let timed = |proofs| {
        let user = Account::user("alice", PASSWORD)
            .proofs(proofs)
            .iterations(1 << 18);
        let kdc = Kdc::builder(REALM).account(user).build().unwrap();
        let start = std::time::Instant::now();
        let result = obtain(&kdc, alice(&kdc));
        (result, start.elapsed())
    };
    let (once, one) = timed(1);
    let (endless, all) = timed(1_000);
    assert!(once.is_ok());
    let endless = endless.unwrap_err();
    assert_eq!(endless, ErrorKind::Kdc(KdcProblem::TooManyRounds));
    assert!(all < 6 * one, "{all:?}, and {one:?} for one");
}

#[test]
fn a_cookie_that_went_stale_begins_anew_once() {
    let kdc = kdc();
    let mut age = 601;
    let outcome = Client::new().run(&mut alice(&kdc), |request| {
        let answer = kdc.answer(&request.message);
        kdc.advance(age);
        age = 0;
        KdcAnswer::Reply(answer)
    });
    // Its clock moved too; both are followed.
    assert_eq!(outcome.unwrap().time_offset, 601);
    kdc.edit_error(|_, error| error.error_code = 90);
    assert_eq!(problem(&kdc, alice(&kdc)), refused(90));
}

#[test]
fn a_kdc_that_asks_without_end_is_left() {
    for (code, expected) in [
        (25, refused(25)),
        (90, refused(90)),
        (91, KdcProblem::PreauthenticationUnsupported),
        (24, KdcProblem::WrongSecret),
        (52, refused(52)),
        (0, refused(0)),
        (-1, refused(-1)),
        (60, refused(60)),
        (14, KdcProblem::EnctypesDisjoint),
    ] {
        let kdc = kdc();
        kdc.edit_error(move |_, error| error.error_code = code);
        kdc.edit_bytes(|_, _| {});
        // No reply ever: every request is refused.
        let nobody = InitialTicket::new(kdc.principal("nobody"), ClientSecret::password("x"));
        let found = problem(&kdc, nobody);
        // Before any proof, a failed one is the KDC's mistake.
        assert_eq!(found, expected, "{code}");
        assert!(kdc.seen().len() <= 3, "{code}: {}", kdc.seen().len());
    }
}

/// Realms that send clients elsewhere.
fn sending(realm: &str, to: &'static str) -> Kdc {
    let kdc = Kdc::builder(realm).user("somebody", "x").build().unwrap();
    kdc.edit_error(move |_, error| {
        error.error_code = 68;
        error.crealm = Some(krb::KerberosString::try_from(to.as_bytes().to_vec()).unwrap());
    });
    kdc
}

fn enterprise() -> InitialTicket {
    let name = Principal::enterprise("alice@corp.example", "ONE.COM");
    InitialTicket::new(name, ClientSecret::password(PASSWORD))
}

fn through(kdcs: &[Kdc], mut exchange: InitialTicket) -> (Vec<String>, Result<String, ErrorKind>) {
    let mut asked = Vec::new();
    let outcome = Client::new().run(&mut exchange, |request| {
        let realm = String::from_utf8(request.realm.clone()).unwrap();
        let kdc = kdcs.iter().find(|kdc| kdc.realm() == realm);
        asked.push(realm);
        match kdc {
            Some(kdc) => KdcAnswer::Reply(kdc.answer(&request.message)),
            None => KdcAnswer::Unreachable,
        }
    });
    let client = outcome.map(|outcome| outcome.credential.client.to_string());
    (asked, client)
}

/// RFC 6806 §7.
#[test]
fn a_client_is_followed_to_its_realm() {
    let home = Kdc::builder("TWO.COM")
        .account(Account::user("alice", PASSWORD).alias("alice@corp.example"))
        .build()
        .unwrap();
    let kdcs = [sending("ONE.COM", "TWO.COM"), home];
    let (asked, client) = through(&kdcs, enterprise());
    assert_eq!(asked, ["ONE.COM", "TWO.COM", "TWO.COM"]);
    assert_eq!(client.unwrap(), "alice@TWO.COM");

    // Who did not ask for it is not sent anywhere.
    let alice = Principal::parse("alice@ONE.COM").unwrap();
    let plain = InitialTicket::new(alice, ClientSecret::password(PASSWORD));
    let (asked, client) = through(&kdcs, plain);
    let problem = ErrorKind::Kdc(KdcProblem::ReferralRefused);
    assert_eq!((asked.len(), client.unwrap_err()), (1, problem));
}

#[test]
fn referrals_in_a_circle_or_without_end_are_left() {
    let circle = [sending("ONE.COM", "TWO.COM"), sending("TWO.COM", "ONE.COM")];
    let (asked, client) = through(&circle, enterprise());
    let problem = ErrorKind::Kdc(KdcProblem::ReferralLoop);
    assert_eq!((asked.len(), client.unwrap_err()), (2, problem));
    let itself = [sending("ONE.COM", "ONE.COM")];
    let (asked, client) = through(&itself, enterprise());
    assert_eq!((asked.len(), client.unwrap_err()), (1, problem));
    let nowhere = [sending("ONE.COM", "")];
    let refused = ErrorKind::Kdc(KdcProblem::ReferralRefused);
    assert_eq!(through(&nowhere, enterprise()).1.unwrap_err(), refused);

    // Ten realms may be, and not one more.
    let names: Vec<&'static str> = vec![
        "ONE.COM", "R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R10", "R11", "R12",
    ];
    let chain: Vec<Kdc> = names
        .windows(2)
        .map(|pair| sending(pair[0], pair[1]))
        .collect();
    let (asked, client) = through(&chain, enterprise());
    assert_eq!((asked.len(), client.unwrap_err()), (11, problem));
    let home = Kdc::builder("R10")
        .account(Account::user("alice", PASSWORD).alias("alice@corp.example"))
        .build()
        .unwrap();
    let mut shorter: Vec<Kdc> = names[..11]
        .windows(2)
        .map(|pair| sending(pair[0], pair[1]))
        .collect();
    shorter.push(home);
    assert_eq!(through(&shorter, enterprise()).1.unwrap(), "alice@R10");
}
