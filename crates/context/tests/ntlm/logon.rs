//! Who answers whether a response is right, and what becomes of each answer.

use countersign_context::credential::ntlm::AccountName;
use countersign_context::crypto::ntlm::{NtHash, SessionKey};
use countersign_context::ntlm::{
    Acceptor, AcceptorCredential, Logon, LogonRequest, TargetNamePolicy,
};
use countersign_context::{
    Answer, ChannelBindings, Error, ErrorKind, Flags, Identity, Need, NtlmIdentity, NtlmProblem,
    Policy, SecurityContext, Step,
};

use crate::forger::{Forged, Forger, SEALED};
use crate::support::*;

/// An acceptor that was asked by `forger`, what it asks, and the keys.
fn asked(
    forger: &Forger,
    acceptor: Acceptor,
    world: &mut World,
) -> (Acceptor, LogonRequest, Forged) {
    let mut acceptor = acceptor;
    let negotiate = forger.negotiate();
    let challenge = world.go_on(&mut acceptor, Some(&negotiate));
    let forged = forger.authenticate(&negotiate, &challenge);
    match world.step(&mut acceptor, Some(&forged.token)).unwrap() {
        Step::Need(Need::Logon(request)) => (acceptor, request, forged),
        other => panic!("{other:?}"),
    }
}

fn asking() -> Acceptor {
    Acceptor::new(&AcceptorCredential::new(names()))
}

/// What becomes of an answer.
fn answered(
    acceptor: Acceptor,
    policy: &Policy,
    answer: impl FnOnce(&LogonRequest, &Forged) -> Logon,
) -> Result<SecurityContext, Error> {
    let mut world = World::new(2).with_policy(policy);
    let (mut acceptor, request, forged) = asked(&Forger::alice(SEALED), acceptor, &mut world);
    let answer = answer(&request, &forged);
    let step = world.resume(&mut acceptor, Answer::Logon(answer))?;
    Ok(last(step).1)
}

fn account(text: &str) -> AccountName {
    AccountName::parse(text).unwrap()
}

fn hash(password: &str) -> NtHash {
    NtHash::from_password(password)
}

#[test]
fn the_request_holds_all_that_a_domain_controller_asks_for_and_prints_no_response() {
    let mut world = World::new(2);
    let forger = Forger {
        workstation: "PC".into(),
        ..Forger::alice(SEALED)
    };
    let (_, request, forged) = asked(&forger, asking(), &mut world);
    assert_eq!(
        (request.domain(), request.user(), request.workstation()),
        ("EXAMPLE", "alice", "PC")
    );
    assert_eq!(request.nt_response(), forged.nt_response);
    assert_eq!(request.lm_response(), [0; 24]);
    // The challenge and the response are a pair.
    let key = hash(PASSWORD).response_key("alice".chars(), "EXAMPLE".chars());
    let proof = key.proof(request.server_challenge(), &[&request.nt_response()[16..]]);
    assert_eq!(request.nt_response()[..16], proof);
    let text = format!("{request:?}");
    assert!(text.contains("alice") && text.contains("EXAMPLE") && text.contains("PC"));
    let digits = format!("{:?}", &request.nt_response()[..4]);
    assert!(
        !text.contains(&digits) && !text.contains("nt_response"),
        "{text}"
    );
}

#[test]
fn the_hash_of_a_user_store_is_verified_here_and_names_the_peer() {
    let context = answered(asking(), &Policy::DEFAULT, |_, _| Logon::NtHash {
        account: account("STORE\\Alice Liddell"),
        hash: hash(PASSWORD),
    })
    .unwrap();
    assert_eq!(context.peer().unwrap().to_string(), "STORE\\Alice Liddell");
    assert!(context.flags().contains(Flags::CONFIDENTIALITY));
    let refused = answered(asking(), &Policy::DEFAULT, |_, _| Logon::NtHash {
        account: account("STORE\\Alice Liddell"),
        hash: hash("another"),
    });
    assert_eq!(why(refused), ErrorKind::Ntlm(NtlmProblem::LogonDenied));
}

#[test]
fn a_domain_controllers_key_is_proved_by_the_mic() {
    let verified = |key: SessionKey| Logon::Verified {
        account: account("EXAMPLE\\alice"),
        session_base_key: key,
    };
    let context = answered(asking(), &Policy::DEFAULT, |_, forged| {
        verified(forged.base.duplicate())
    })
    .unwrap();
    assert_eq!(context.peer().unwrap().to_string(), "EXAMPLE\\alice");
    assert_eq!(context.session_key().expose(), [0x55; 16]);
    // One that has another key, or none, is not the initiator's.
    for key in [SessionKey::zero(), SessionKey::new([0x55; 16])] {
        let refused = answered(asking(), &Policy::DEFAULT, |_, _| verified(key));
        assert_eq!(why(refused), ErrorKind::Ntlm(NtlmProblem::MicMismatch));
    }
}

#[test]
fn denied_and_unavailable_end_the_context_each_with_its_own_error() {
    for (logon, problem) in [
        (Logon::Denied, NtlmProblem::LogonDenied),
        (Logon::Unavailable, NtlmProblem::LogonUnavailable),
        (Logon::Guest, NtlmProblem::GuestRefused),
    ] {
        let refused = answered(asking(), &Policy::DEFAULT, |_, _| logon);
        assert_eq!(why(refused), ErrorKind::Ntlm(problem));
    }
}

#[test]
fn a_guest_is_known_as_one_and_gets_no_protection_and_no_name() {
    let guests = policy(|ntlm| ntlm.with_guests(true));
    let context = answered(asking(), &guests, |_, _| Logon::Guest).unwrap();
    let claimed = account("EXAMPLE\\alice");
    let guest = Identity::Ntlm(NtlmIdentity::Guest { claimed });
    assert_eq!(context.peer(), Some(&guest));
    assert_eq!(context.peer().and_then(Identity::account), None);
    assert!(context.peer().unwrap().to_string().starts_with("guest\\"));
    assert_eq!(context.flags(), Flags::NONE);
    assert_eq!(context.session_key().expose(), [0; 16]);
}

#[test]
fn guests_get_in_nowhere_where_something_must_be_proved() {
    let guests = policy(|ntlm| ntlm.with_guests(true));
    let bindings = ChannelBindings::tls_unique(b"finished");
    let named = TargetNamePolicy::Required(Vec::new());
    let named = AcceptorCredential::new(names()).with_target_names(named);
    for (acceptor, kind) in [
        (
            asking().require(Flags::INTEGRITY),
            ErrorKind::FlagsNotGranted(Flags::INTEGRITY),
        ),
        (
            asking().channel_bindings(bindings.clone()),
            ErrorKind::BindingsMissing,
        ),
        (
            Acceptor::new(&named),
            ErrorKind::Ntlm(NtlmProblem::TargetRefused),
        ),
    ] {
        let refused = answered(acceptor, &guests, |_, _| Logon::Guest);
        assert_eq!(why(refused), kind);
    }
    let acceptor = asking().channel_bindings_if_present(bindings);
    answered(acceptor, &guests, |_, _| Logon::Guest).unwrap();
}

/// No name of a guest can be taken for an account's, nor an account's for a guest's.
#[test]
fn exported_names_of_accounts_guests_and_nobody_differ() {
    let claimed = account("EXAMPLE\\alice");
    let names = [
        NtlmIdentity::Account(claimed.clone()),
        NtlmIdentity::Guest { claimed },
        NtlmIdentity::Anonymous,
    ]
    .map(|identity| Identity::Ntlm(identity).to_exported_name());
    assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
    for printed in ["anonymous\\", "guest\\ (says EXAMPLE\\alice)"] {
        assert!(AccountName::parse(printed).is_err(), "{printed}");
    }
}
