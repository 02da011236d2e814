//! What ties a response to a channel, a service, a machine and a time.

use countersign_context::credential::ServiceName;
use countersign_context::ntlm::{Acceptor, Initiator, MachineId, TargetName, TargetNamePolicy};
use countersign_context::token::ntlm::{AvFlags, AvId, SingleHostData};
use countersign_context::{
    ChannelBindings, Error, ErrorKind, Flags, NtlmProblem, Policy, SecurityContext,
};

use crate::forger::{F, Forger, SEALED, utf16};
use crate::refusals::import;
use crate::support::*;

fn here() -> ChannelBindings {
    ChannelBindings::tls_exporter(&[1; 32])
}

fn elsewhere() -> ChannelBindings {
    ChannelBindings::tls_exporter(&[2; 32])
}

#[test]
fn an_anonymous_initiator_proves_no_bindings() {
    let admitted = Policy::DEFAULT.with_anonymous_initiators(true);
    let asking = || Acceptor::new(&server());
    for initiator in [
        Initiator::anonymous(),
        Initiator::anonymous().channel_bindings(here()),
    ] {
        let refused = run(initiator, asking().channel_bindings(here()), &admitted);
        assert_eq!(why(refused), ErrorKind::BindingsMissing);
    }
    let acceptor = asking().channel_bindings_if_present(here());
    let (_, server) = run(Initiator::anonymous(), acceptor, &admitted).unwrap();
    assert_eq!(server.flags(), Flags::ANONYMOUS);
}

/// What an acceptor makes of a forger that it has never seen.
fn accept(forger: &Forger, acceptor: Acceptor) -> Result<SecurityContext, Error> {
    let mut acceptor = acceptor;
    let mut world = World::new(3);
    let negotiate = forger.negotiate();
    let challenge = world.go_on(&mut acceptor, Some(&negotiate));
    let forged = forger.authenticate(&negotiate, &challenge);
    world
        .step(&mut acceptor, Some(&forged.token))
        .map(|step| last(step).1)
}

#[test]
fn channel_bindings_are_required_compared_or_ignored_as_the_acceptor_says() {
    let acceptors: [fn() -> Acceptor; 4] = [
        || Acceptor::new(&server()),
        || Acceptor::new(&server()).channel_bindings(here()),
        || Acceptor::new(&server()).channel_bindings_if_present(here()),
        || {
            Acceptor::new(&server())
                .channel_bindings_if_present(here())
                .require(Flags::CHANNEL_BOUND)
        },
    ];
    let bound = Ok(Flags::CHANNEL_BOUND);
    let none = Ok(Flags::NONE);
    let (missing, wrong) = (
        Err(ErrorKind::BindingsMissing),
        Err(ErrorKind::BindingsMismatch),
    );
    let unbound = Err(ErrorKind::FlagsNotGranted(Flags::CHANNEL_BOUND));
    for (sent, expected) in [
        (Some(here()), [none, bound, bound, bound]),
        (Some(elsewhere()), [none, wrong, wrong, wrong]),
        (None, [none, missing, none, unbound]),
    ] {
        for (new, expected) in acceptors.iter().zip(expected) {
            let mut initiator = Initiator::new(alice());
            if let Some(sent) = &sent {
                initiator = initiator.channel_bindings(sent.clone());
            }
            let result = run(initiator, new(), &Policy::DEFAULT);
            let result = result.map(|(_, server)| server.flags());
            assert_eq!(result.map_err(|error| error.kind()), expected);
        }
    }
}

/// Sixteen zeros are what those send that have no channel (MS-NLMP §2.2.2.1).
#[test]
fn bindings_of_zeros_are_none() {
    let forger = Forger::alice(SEALED).pair(AvId::CHANNEL_BINDINGS, &[0; 16]);
    let required = Acceptor::new(&server()).channel_bindings(here());
    assert_eq!(why(accept(&forger, required)), ErrorKind::BindingsMissing);
    let if_present = Acceptor::new(&server()).channel_bindings_if_present(here());
    let context = accept(&forger, if_present).unwrap();
    assert!(!context.flags().contains(Flags::CHANNEL_BOUND));
}

/// Whoever relays a response from another channel has no way to alter the bindings in it.
#[test]
fn bindings_cannot_be_exchanged_or_taken_out_on_the_way() {
    let initiator = || Initiator::new(alice()).channel_bindings(elsewhere());
    let sent = messages(initiator(), Acceptor::new(&server()), &Policy::DEFAULT);
    let pair = [10, 0, 16, 0];
    let place = sent.authenticate.windows(4).position(|bytes| bytes == pair);
    let place = place.unwrap() + 4;
    let (theirs, hidden) = (
        sent.authenticate[place..place + 16].to_vec(),
        Acceptor::new(&server()).channel_bindings(here()),
    );
    let exchanged = |acceptor: Acceptor, alter: &dyn Fn(&mut [u8])| {
        run_through(initiator(), acceptor, &mic_if_present(), |leg, token| {
            if leg == 2 {
                assert_eq!(token[place..place + 16], theirs);
                alter(&mut token[place - 4..place + 16]);
            }
        })
    };
    let denied = ErrorKind::Ntlm(NtlmProblem::LogonDenied);
    let zeroed = exchanged(hidden, &|pair| pair[4..].fill(0));
    assert_eq!(why(zeroed), denied);
    // By the name of a pair that nobody looks at.
    let if_present = Acceptor::new(&server()).channel_bindings_if_present(here());
    let renamed = exchanged(if_present, &|pair| pair[0] = 0x70);
    assert_eq!(why(renamed), denied);
}

fn services(list: &[&str]) -> Vec<ServiceName> {
    list.iter()
        .map(|name| ServiceName::parse(name).unwrap())
        .collect()
}

/// CVE-2025-33073: a name with something marshalled behind the host is another name.
#[test]
fn target_names_are_those_of_the_list_and_no_other() {
    let marshalled = "HTTP/www.example.com1UWhRCAAAAAAAAAAAAAAAAAAAAAAAAAAAAwbEAYBAAAA";
    let listed = ["HTTP/www.example.com", "cifs/www.example.com:445"];
    let credential = |policy| server().with_target_names(policy);
    let required = credential(TargetNamePolicy::Required(services(&listed)));
    let if_present = credential(TargetNamePolicy::IfPresent(services(&listed)));
    let ignored = credential(TargetNamePolicy::Ignore);
    // The name, and what each of the three makes of it.
    for (name, expected) in [
        (Some("HTTP/www.example.com"), [true, true, true]),
        (Some("http/WWW.EXAMPLE.COM"), [true, true, true]),
        (Some("HTTP/www.example.com:8080"), [true, true, true]),
        (Some("cifs/www.example.com:445"), [true, true, true]),
        (Some("cifs/www.example.com"), [false, false, true]),
        (Some("cifs/www.example.com:446"), [false, false, true]),
        (Some("HTTP/www.example.com."), [false, false, true]),
        (Some("HTTP/other.example.com"), [false, false, true]),
        (Some("LDAP/www.example.com"), [false, false, true]),
        (Some("www.example.com"), [false, false, true]),
        (Some("HTTP/www.example.com\0"), [false, false, true]),
        (Some(marshalled), [false, false, true]),
        (Some(""), [false, true, true]),
        (None, [false, true, true]),
    ] {
        let forger = match name {
            Some(name) => Forger::alice(SEALED).pair(AvId::TARGET_NAME, &utf16(name)),
            None => Forger::alice(SEALED),
        };
        for (credential, expected) in [&required, &if_present, &ignored].into_iter().zip(expected) {
            match accept(&forger, Acceptor::new(credential)) {
                Ok(_) => assert!(expected, "{name:?}"),
                Err(error) => {
                    assert!(!expected, "{name:?}: {error}");
                    assert_eq!(error.kind(), ErrorKind::Ntlm(NtlmProblem::TargetRefused));
                }
            }
        }
    }
}

/// MS-NLMP §2.2.2.1, 0x00000004: the initiator does not know whether the name is the one that was
/// meant.
#[test]
fn a_name_of_unknown_origin_is_no_proof_where_one_is_required() {
    let forger = |av_flags| {
        Forger {
            av_flags,
            ..Forger::alice(SEALED)
        }
        .pair(AvId::TARGET_NAME, &utf16("HTTP/www.example.com"))
    };
    let list = || services(&["HTTP/www.example.com"]);
    let required = server().with_target_names(TargetNamePolicy::Required(list()));
    let if_present = server().with_target_names(TargetNamePolicy::IfPresent(list()));
    let unverified = forger(AvFlags::UNVERIFIED_TARGET.0);
    let refused = accept(&unverified, Acceptor::new(&required));
    assert_eq!(why(refused), ErrorKind::Ntlm(NtlmProblem::TargetRefused));
    accept(&unverified, Acceptor::new(&if_present)).unwrap();
    accept(&forger(0), Acceptor::new(&required)).unwrap();
}

/// MS-NLMP §3.1.5.1.2: ClientSuppliedTargetName and UnverifiedTargetName.
#[test]
fn the_acceptor_tells_the_service_that_was_meant_and_what_the_initiator_says_of_its_name() {
    let name = || ServiceName::parse("HTTP/www.example.com").unwrap();
    let initiator = || Initiator::new(alice());
    for (initiator, expected) in [
        (initiator(), None),
        (
            initiator().target(name()),
            Some(("HTTP/www.example.com", false)),
        ),
        (
            initiator().unverified_target(name()),
            Some(("HTTP/www.example.com", true)),
        ),
        // The last word counts.
        (
            initiator().unverified_target(name()).target(name()),
            Some(("HTTP/www.example.com", false)),
        ),
    ] {
        let (client, server) = run(initiator, Acceptor::new(&server()), &Policy::DEFAULT).unwrap();
        let told = |context: &SecurityContext| {
            let target = context.ntlm_target()?;
            Some((target.as_str().to_owned(), target.is_unverified()))
        };
        let expected = expected.map(|(name, unverified)| (name.to_owned(), unverified));
        assert_eq!(told(&server), expected);
        assert_eq!(told(&client), None);
        let exported = server.export().unwrap();
        let imported = import(&exported).unwrap();
        assert_eq!(told(&imported), expected);
    }
    // Names that are no names of services are told too, and the empty one is none.
    for (sent, expected) in [("anything", Some("anything")), ("", None)] {
        let forger = Forger::alice(SEALED).pair(AvId::TARGET_NAME, &utf16(sent));
        let context = accept(&forger, Acceptor::new(&server())).unwrap();
        assert_eq!(context.ntlm_target().map(TargetName::as_str), expected);
    }
    // Nobody has proved what an anonymous client says.
    let policy = Policy::DEFAULT.with_anonymous_initiators(true);
    let anonymous = Initiator::anonymous().target(name());
    let (_, server) = run(anonymous, Acceptor::new(&server()), &policy).unwrap();
    assert_eq!(server.ntlm_target(), None);
}

/// CVE-2025-33073, and reflection before it: what an initiator of this machine made comes back.
#[test]
fn what_this_machine_made_is_not_accepted_by_it() {
    let (ours, theirs) = (
        MachineId::from_bytes([1; 32]),
        MachineId::from_bytes([2; 32]),
    );
    let acceptor = || Acceptor::new(&server().with_machine(ours));
    let reflected = Initiator::new(alice()).machine(ours);
    let refused = run(reflected, acceptor(), &Policy::DEFAULT);
    assert_eq!(why(refused), ErrorKind::Ntlm(NtlmProblem::Reflected));
    for initiator in [
        Initiator::new(alice()).machine(theirs),
        Initiator::new(alice()),
    ] {
        run(initiator, acceptor(), &Policy::DEFAULT).unwrap();
    }
    let reflected = Initiator::new(alice()).machine(ours);
    run(reflected, Acceptor::new(&server()), &Policy::DEFAULT).unwrap();
    // Windows puts bytes behind it that nobody reads.
    let host = SingleHostData {
        custom_data: &[9; 8],
        machine_id: &[1; 32],
    };
    let longer = [&host.to_bytes()[..], &[0; 16]].concat();
    let forger = Forger::alice(SEALED).pair(AvId::SINGLE_HOST, &longer);
    let refused = accept(&forger, acceptor());
    assert_eq!(why(refused), ErrorKind::Ntlm(NtlmProblem::Reflected));
}

/// One's own messages are not the other side's, whoever sends them back.
#[test]
fn a_side_does_not_take_its_own_messages() {
    let mut world = World::new(1);
    let mut initiator = Initiator::new(alice()).require(Flags::INTEGRITY);
    let negotiate = world.go_on(&mut initiator, None);
    let refused = world.step(&mut initiator, Some(&negotiate));
    assert!(matches!(why(refused), ErrorKind::DefectiveToken(_)));
    let mut acceptor = Acceptor::new(&server());
    let challenge = world.go_on(&mut acceptor, Some(&negotiate));
    for token in [&challenge, &negotiate] {
        let mut acceptor = Acceptor::new(&server());
        world.go_on(&mut acceptor, Some(&negotiate));
        let refused = world.step(&mut acceptor, Some(token));
        assert!(matches!(why(refused), ErrorKind::DefectiveToken(_)));
    }
    let mut initiator = Initiator::new(alice()).require(Flags::INTEGRITY);
    world.go_on(&mut initiator, None);
    let (token, _) = last(world.step(&mut initiator, Some(&challenge)).unwrap());
    let token = token.unwrap();
    let mut initiator = Initiator::new(alice()).require(Flags::INTEGRITY);
    world.go_on(&mut initiator, None);
    let refused = world.step(&mut initiator, Some(&token));
    assert!(matches!(why(refused), ErrorKind::DefectiveToken(_)));
}

/// MS-NLMP §3.2.5.1.2, §3.1.1.1: MaxLifetime, to the tick.
#[test]
fn a_response_of_another_time_is_refused_where_it_is_more_than_36_hours_away() {
    const HOURS_36: u64 = 36 * 3_600 * 10_000_000;
    for (time, accepted) in [
        (FILE_TIME, true),
        (FILE_TIME - HOURS_36, true),
        (FILE_TIME - HOURS_36 - 1, false),
        (FILE_TIME + HOURS_36, true),
        (FILE_TIME + HOURS_36 + 1, false),
        (0, false),
        (u64::MAX, false),
    ] {
        let forger = Forger {
            time,
            ..Forger::alice(SEALED)
        };
        match accept(&forger, Acceptor::new(&server())) {
            Ok(_) => assert!(accepted, "{time}"),
            Err(error) => {
                assert!(!accepted, "{time}: {error}");
                assert_eq!(error.kind(), ErrorKind::Ntlm(NtlmProblem::TimeRefused));
            }
        }
    }
    // A response that was held back on its way.
    let held_back = |seconds| {
        let forger = Forger::alice(SEALED.without(F::NEGOTIATE_SEAL));
        let mut acceptor = Acceptor::new(&server());
        let mut world = World::new(3);
        let negotiate = forger.negotiate();
        let challenge = world.go_on(&mut acceptor, Some(&negotiate));
        let forged = forger.authenticate(&negotiate, &challenge);
        world.now = NOW.offset_by(seconds);
        world.step(&mut acceptor, Some(&forged.token))
    };
    let refused = why(held_back(36 * 3_600 + 1));
    assert_eq!(refused, ErrorKind::Ntlm(NtlmProblem::TimeRefused));
    held_back(36 * 3_600).map(drop).unwrap();
}
