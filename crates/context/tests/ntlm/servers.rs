//! What an initiator makes of acceptors that lie.

use countersign_context::credential::ServiceName;
use countersign_context::ntlm::{Initiator, MachineId};
use countersign_context::token::DecodeErrorKind;
use countersign_context::token::ntlm::{AvFlags, AvId, NegotiateMessage, SingleHostData};
use countersign_context::{ChannelBindings, ErrorKind, Flags, NtlmProblem};

use crate::forger::{F, utf16};
use crate::hostile::{Hostile, Told, info};
use crate::support::*;

/// What the honest initiator of these tests tells this acceptor.
fn told(hostile: &Hostile) -> Told {
    let initiator = Initiator::new(alice()).require(Flags::CONFIDENTIALITY);
    hostile.provoke(initiator, &mut World::new(1)).unwrap().0
}

fn refused(hostile: &Hostile) -> ErrorKind {
    let initiator = Initiator::new(alice()).require(Flags::CONFIDENTIALITY);
    why(hostile.provoke(initiator, &mut World::new(1)).map(drop))
}

#[test]
fn an_initiator_proves_itself_by_ntlmv2_with_a_mic_whatever_the_server_asks_for() {
    let without_info = Hostile {
        info: None,
        ..Hostile::new()
    };
    for hostile in [Hostile::new(), without_info] {
        let told = told(&hostile);
        assert!(told.proved && told.mic);
        assert_eq!((&*told.domain, &*told.user), ("EXAMPLE", "alice"));
        assert_eq!(told.workstation, "");
        assert_eq!(told.lm_response, [0; 24]);
        assert!(told.nt_response.len() > 24);
        assert_eq!(told.av_flags(), AvFlags::MIC_PROVIDED);
    }
    // MS-NLMP §3.1.5.2.1: no LM response at all.
    let initiator = Initiator::new(alice()).connectionless();
    let (told, _) = Hostile::new()
        .provoke(initiator, &mut World::new(1))
        .unwrap();
    assert!(told.proved && told.mic && told.lm_response.is_empty());
}

#[test]
fn a_server_that_adds_flags_gets_none_of_them() {
    for asked in [Flags::NONE, Flags::INTEGRITY, Flags::CONFIDENTIALITY] {
        let mut initiator = Initiator::new(alice()).request(asked);
        let negotiate = World::new(1).go_on(&mut initiator, None);
        let offered = NegotiateMessage::parse(&negotiate).unwrap().flags;
        let every = countersign_context::token::ntlm::NegotiateFlags(u32::MAX);
        let hostile = Hostile {
            with: every.without(F::NEGOTIATE_DATAGRAM),
            ..Hostile::new()
        };
        let initiator = Initiator::new(alice()).request(asked);
        let (told, context) = hostile.provoke(initiator, &mut World::new(1)).unwrap();
        assert!(offered.contains(told.flags), "{}", told.flags);
        assert!(told.proved && told.mic);
        assert!(asked.contains(context.flags() & Flags::CONFIDENTIALITY));
        assert!(!context.flags().contains(Flags::MUTUAL));
    }
}

#[test]
fn a_server_that_chooses_another_form_of_the_messages_is_refused() {
    let with = |flag| Hostile {
        with: Hostile::new().with | flag,
        ..Hostile::new()
    };
    let without = |flag| Hostile {
        without: flag,
        ..Hostile::new()
    };
    for (hostile, problem) in [
        (without(F::NEGOTIATE_UNICODE), NtlmProblem::FlagsNotOffered),
        (with(F::NEGOTIATE_DATAGRAM), NtlmProblem::FlagsNotOffered),
        (
            without(F::EXTENDED_SESSIONSECURITY),
            NtlmProblem::SessionSecurityRefused,
        ),
        (without(F::NEGOTIATE_128), NtlmProblem::StrengthRefused),
    ] {
        assert_eq!(refused(&hostile), ErrorKind::Ntlm(problem));
    }
    for flag in [F::NEGOTIATE_SEAL, F::NEGOTIATE_SEAL | F::NEGOTIATE_SIGN] {
        let missing = ErrorKind::FlagsNotGranted(Flags::CONFIDENTIALITY);
        assert_eq!(refused(&without(flag)), missing);
    }
    // Without a key of its own choice the initiator still has one.
    assert!(told(&without(F::KEY_EXCH)).mic);
    for mode in [F::NEGOTIATE_DATAGRAM, F::KEY_EXCH] {
        let hostile = Hostile {
            without: mode,
            ..Hostile::new()
        };
        let initiator = Initiator::new(alice())
            .require(Flags::INTEGRITY)
            .connectionless();
        let problem = if mode == F::KEY_EXCH {
            NtlmProblem::KeyExchangeMissing
        } else {
            NtlmProblem::FlagsNotOffered
        };
        let result = hostile.provoke(initiator, &mut World::new(1)).map(drop);
        assert_eq!(why(result), ErrorKind::Ntlm(problem));
    }
}

/// CVE-2019-1166: what is the initiator's to say comes from nobody else.
#[test]
fn pairs_that_are_the_initiators_to_set_are_not_taken_from_the_server() {
    let host = SingleHostData {
        custom_data: &[1; 8],
        machine_id: &[0x66; 32],
    };
    let bits = [0, 1, 2, 3, 4, 0xffff_fffc, u32::MAX];
    for flags in bits {
        let hostile = Hostile {
            info: Some(info(&[
                (AvId::FLAGS, &flags.to_le_bytes()),
                (AvId(0x77), b"unknown"),
                (AvId::CHANNEL_BINDINGS, &[0xcb; 16]),
                (AvId::TARGET_NAME, &utf16("HTTP/elsewhere")),
                (AvId::SINGLE_HOST, &host.to_bytes()),
                (AvId::DNS_COMPUTER_NAME, &utf16("www.example.com")),
            ])),
            ..Hostile::new()
        };
        let told = told(&hostile);
        assert!(told.proved && told.mic);
        // MS-NLMP §2.2.2.1: that the account's authentication is constrained is for the server to
        // say, and to be said again.
        assert_eq!(told.av_flags().0, 2 | flags & 1);
        // The server's in their order, those of an unknown id with them, then its own.
        let ids: Vec<_> = told.pairs.iter().map(|(id, _)| *id).collect();
        assert_eq!(
            ids,
            [
                AvId::NB_DOMAIN_NAME,
                AvId::NB_COMPUTER_NAME,
                AvId::TIMESTAMP,
                AvId(0x77),
                AvId::DNS_COMPUTER_NAME,
                AvId::FLAGS,
            ]
        );
        assert_eq!(told.pair(AvId(0x77)), Some(&b"unknown"[..]));
    }
}

#[test]
fn the_initiators_own_pairs_say_what_it_was_told_to_say() {
    let bindings = ChannelBindings::tls_exporter(&[7; 32]);
    let initiator = Initiator::new(alice())
        .channel_bindings(bindings)
        .target(ServiceName::parse("HTTP/www.example.com").unwrap())
        .machine(MachineId::from_bytes([0x4d; 32]));
    let (told, _) = Hostile::new()
        .provoke(initiator, &mut World::new(1))
        .unwrap();
    assert_eq!(
        told.pair(AvId::TARGET_NAME).unwrap(),
        utf16("HTTP/www.example.com")
    );
    let host = SingleHostData::parse(told.pair(AvId::SINGLE_HOST).unwrap()).unwrap();
    assert_eq!(host.machine_id, &[0x4d; 32]);
    // RFC 4121 §4.1.1.2: MD5 of four empty fields and the data behind its length.
    let sent = told.pair(AvId::CHANNEL_BINDINGS).unwrap();
    assert!(sent.len() == 16 && sent != [0; 16]);
    // Without them there is no such pair: sixteen zeros would be a claim that there is no channel.
    let (told, _) = Hostile::new()
        .provoke(Initiator::new(alice()), &mut World::new(1))
        .unwrap();
    for id in [AvId::CHANNEL_BINDINGS, AvId::TARGET_NAME, AvId::SINGLE_HOST] {
        assert_eq!(told.pair(id), None, "{id}");
    }
}

/// MS-NLMP §3.1.5.1.2.
#[test]
fn the_time_is_the_servers_where_it_told_it_and_else_the_initiators() {
    let at = |time: u64| Hostile {
        info: Some(info(&[(AvId::TIMESTAMP, &time.to_le_bytes())])),
        ..Hostile::new()
    };
    for time in [0, 1, FILE_TIME - 1, u64::MAX] {
        let told = told(&at(time));
        assert_eq!(told.time, time);
        assert_eq!(told.pair(AvId::TIMESTAMP), Some(&time.to_le_bytes()[..]));
    }
    for info in [None, Some(vec![0; 4])] {
        let told = told(&Hostile {
            info,
            ..Hostile::new()
        });
        assert_eq!(told.time, FILE_TIME);
        assert_eq!(told.pair(AvId::TIMESTAMP), None);
        assert!(told.proved && told.mic);
    }
}

#[test]
fn a_server_with_too_many_or_too_long_pairs_is_at_fault_itself() {
    let with = |count: u16, length: usize| {
        let value = vec![0x5a; length];
        let more: Vec<_> = (100..100 + count)
            .map(|id| (AvId(id), &value[..]))
            .collect();
        Hostile {
            info: Some(info(&more)),
            ..Hostile::new()
        }
    };
    let told = |hostile: &Hostile| {
        let initiator = Initiator::new(alice()).machine(MachineId::from_bytes([0x4d; 32]));
        hostile.provoke(initiator, &mut World::new(1))
    };
    // Three are always there, and the initiator adds two.
    assert!(told(&with(59, 4)).unwrap().0.proved);
    assert!(told(&with(1, 65_300)).unwrap().0.proved);
    for (hostile, kind) in [
        (with(60, 4), DecodeErrorKind::TooManyElements { limit: 64 }),
        (
            with(1, 65_400),
            DecodeErrorKind::ValueTooLong { limit: 65_535 },
        ),
    ] {
        match why(told(&hostile).map(drop)) {
            ErrorKind::DefectiveToken(error) => assert_eq!(error.kind(), kind),
            kind => panic!("{kind:?}"),
        }
    }
}
