//! Statuses: their numbers, their texts, and what provokes them.

use std::collections::HashSet;

use countersign::gss::{self, Cause, GssError, Problem, flags, oid};
use countersign::kerberos::kdc::ClientCredential;
use countersign::token::oid::Oid;
use countersign::{ChannelBindingPolicy, ChannelBindings, MajorStatus, Provider};
use countersign_testkit::Realm;

use crate::support::{Ask, Domain, SERVICE, USUAL, establish, service};

/// RFC 2744 §3.9.1 and appendix A, and RFC 5587 §3.4: name, number.
pub(crate) const NUMBERS: [(MajorStatus, u32); 28] = [
    (MajorStatus::GSS_S_COMPLETE, 0),
    (MajorStatus::GSS_S_CONTINUE_NEEDED, 1),
    (MajorStatus::GSS_S_DUPLICATE_TOKEN, 1 << 1),
    (MajorStatus::GSS_S_OLD_TOKEN, 1 << 2),
    (MajorStatus::GSS_S_UNSEQ_TOKEN, 1 << 3),
    (MajorStatus::GSS_S_GAP_TOKEN, 1 << 4),
    (MajorStatus::GSS_S_BAD_MECH, 1 << 16),
    (MajorStatus::GSS_S_BAD_NAME, 2 << 16),
    (MajorStatus::GSS_S_BAD_NAMETYPE, 3 << 16),
    (MajorStatus::GSS_S_BAD_BINDINGS, 4 << 16),
    (MajorStatus::GSS_S_BAD_STATUS, 5 << 16),
    (MajorStatus::GSS_S_BAD_SIG, 6 << 16),
    (MajorStatus::GSS_S_NO_CRED, 7 << 16),
    (MajorStatus::GSS_S_NO_CONTEXT, 8 << 16),
    (MajorStatus::GSS_S_DEFECTIVE_TOKEN, 9 << 16),
    (MajorStatus::GSS_S_DEFECTIVE_CREDENTIAL, 10 << 16),
    (MajorStatus::GSS_S_CREDENTIALS_EXPIRED, 11 << 16),
    (MajorStatus::GSS_S_CONTEXT_EXPIRED, 12 << 16),
    (MajorStatus::GSS_S_FAILURE, 13 << 16),
    (MajorStatus::GSS_S_BAD_QOP, 14 << 16),
    (MajorStatus::GSS_S_UNAUTHORIZED, 15 << 16),
    (MajorStatus::GSS_S_UNAVAILABLE, 16 << 16),
    (MajorStatus::GSS_S_DUPLICATE_ELEMENT, 17 << 16),
    (MajorStatus::GSS_S_NAME_NOT_MN, 18 << 16),
    (MajorStatus::GSS_S_BAD_MECH_ATTR, 19 << 16),
    (MajorStatus::GSS_S_CALL_INACCESSIBLE_READ, 1 << 24),
    (MajorStatus::GSS_S_CALL_INACCESSIBLE_WRITE, 2 << 24),
    (MajorStatus::GSS_S_CALL_BAD_STRUCTURE, 3 << 24),
];

#[test]
fn every_status_has_its_number_and_a_text_of_its_own() {
    let mut texts = HashSet::new();
    for (status, number) in NUMBERS {
        assert_eq!(status.0, number, "{status:?}");
        let text = gss::display_status(status).unwrap();
        assert_eq!(text.len(), 1);
        assert!(texts.insert(text[0]), "{status:?}");
        assert_eq!(status.is_error(), number >= 1 << 16);
    }
    assert_eq!(MajorStatus::GSS_S_BAD_MIC, MajorStatus::GSS_S_BAD_SIG);
    for unknown in [20 << 16, 0xff << 16, 4 << 24, 1 << 5, 1 << 15] {
        let error = gss::display_status(MajorStatus(unknown)).unwrap_err();
        assert_eq!(error.major(), MajorStatus::GSS_S_BAD_STATUS);
    }
    let all = MajorStatus(2 << 24 | 7 << 16 | 2 | 16);
    assert_eq!(gss::display_status(all).unwrap().len(), 4);
    assert_eq!(all.calling_error().0, 2 << 24);
    assert_eq!(all.routine_error(), MajorStatus::GSS_S_NO_CRED);
    assert_eq!(all.supplementary().0, 2 | 16);
}

#[test]
fn every_flag_has_its_number() {
    let numbers = [
        1, 2, 4, 8, 16, 32, 64, 128, 256, 0x800, 0x1000, 0x2000, 0x4000, 0x8000,
    ];
    for ((name, flag), number) in flags::ALL.into_iter().zip(numbers) {
        assert_eq!(flag.bits(), number, "{name}");
    }
}

#[test]
fn every_problem_of_a_call_is_an_error_with_a_text() {
    for problem in Problem::ALL {
        let error = GssError::from(*problem);
        assert!(error.major().is_error());
        assert!(error.major().name().is_some(), "{error:?}");
        assert_eq!(*error.cause(), Cause::Call(*problem));
        assert!(error.to_string().len() > 20);
        gss::display_minor_status(error.minor()).unwrap();
    }
}

#[test]
fn minor_statuses_are_those_of_mits_tables() {
    for (minor, word) in [
        (0, "nothing"),
        (39_756_032, "cache"),
        (39_756_033, "keytab"),
        ((-2_045_022_968_i32).cast_unsigned(), "quality"),
        ((-1_765_328_228_i32).cast_unsigned(), "KDC"),
        ((-1_765_328_378_i32).cast_unsigned(), "PRINCIPAL_UNKNOWN"),
    ] {
        let text = gss::display_minor_status(minor).unwrap();
        assert!(text.contains(word), "{minor}: {text}");
    }
    for unknown in [1, u32::MAX, (-1_765_328_384_i32).cast_unsigned()] {
        gss::display_minor_status(unknown).unwrap_err();
    }
}

/// The common failures, with the numbers under which C programs know them.
#[test]
fn common_failures_have_the_numbers_that_c_programs_know() {
    type M = MajorStatus;
    /// `ERROR_TABLE_BASE_krb5` and a code of RFC 4120 §7.5.9 or of the library.
    const fn krb5(code: i32) -> u32 {
        (-1_765_328_384_i32 + code).cast_unsigned()
    }
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    let usual = || Ask::of(Oid::KERBEROS);
    establish(&alice, &sentry, &usual()).unwrap();

    let with_ticket = |realm: &Realm| {
        let ticket = realm.ticket("alice", SERVICE).mint().unwrap();
        let now = countersign::handshake::Clock::now(&countersign::handshake::SystemClock);
        let cache = realm.cache("alice", [ticket]);
        let client = ClientCredential::cache(&cache, now.seconds());
        let provider = Provider::new().with_initiator(client);
        let usage = gss::CredUsage::Initiate;
        gss::acquire_cred(&provider, None, 0, None, usage)
            .unwrap()
            .credential
    };
    let now = countersign::handshake::Clock::now(&countersign::handshake::SystemClock).seconds();
    let other_keys = with_ticket(&Realm::new("EXAMPLE.COM", 99).at(now));

    let fail = |alice: &gss::Credential, ask: &Ask<'_>| establish(alice, &sentry, ask).unwrap_err();
    let unknown_service = Ask {
        target: "sentry@nowhere.example.com",
        ..usual()
    };
    let ours = ChannelBindings::tls_exporter(&[1; 32]);
    let unbound = Ask {
        expected: ChannelBindingPolicy::Required(ours),
        ..usual()
    };
    let anonymous = Ask {
        flags: USUAL | flags::GSS_C_ANON_FLAG,
        ..usual()
    };
    let user =
        |name: &str| gss::import_name(name.as_bytes(), Some(oid::GSS_C_NT_USER_NAME)).unwrap();
    let log_on = |provider: &Provider, name: &str, password: &str| {
        let usage = gss::CredUsage::Initiate;
        gss::acquire_cred_with_password(provider, &user(name), password, 0, None, usage)
            .unwrap_err()
    };
    let mut context = None;
    let mut accept = |token: &[u8]| {
        let ignore = ChannelBindingPolicy::Ignore;
        gss::accept_sec_context(&mut context, &sentry, token, &ignore).unwrap_err()
    };
    let spnego = countersign::token::framing::InitialToken::encode(Oid::SPNEGO, &[b"x"]);

    let target = service("sentry@gate.example.com");
    let mut replayed = None;
    let request = gss::init_sec_context(&alice, &mut replayed, &target, None, USUAL, 0, None, None);
    let request = request.unwrap().output_token.unwrap();
    let ignore = ChannelBindingPolicy::Ignore;
    let _first = gss::accept_sec_context(&mut None, &sentry, &request, &ignore).unwrap();

    let cases = [
        (
            "unknown service",
            fail(&alice, &unknown_service),
            M::GSS_S_FAILURE,
            krb5(7),
        ),
        (
            "no bindings",
            fail(&alice, &unbound),
            M::GSS_S_BAD_BINDINGS,
            krb5(60),
        ),
        (
            "other keys",
            fail(&other_keys, &usual()),
            M::GSS_S_FAILURE,
            krb5(31),
        ),
        (
            "anonymous",
            fail(&alice, &anonymous),
            M::GSS_S_UNAVAILABLE,
            0,
        ),
        (
            "unknown user",
            log_on(&domain.desk(), "nobody", "x"),
            M::GSS_S_FAILURE,
            krb5(6),
        ),
        (
            "wrong password",
            log_on(&domain.desk(), "alice", "x"),
            M::GSS_S_FAILURE,
            krb5(24),
        ),
        (
            "no KDC",
            log_on(&Provider::new(), "a@B", "x"),
            M::GSS_S_FAILURE,
            krb5(156),
        ),
        ("no token", accept(b"x"), M::GSS_S_DEFECTIVE_TOKEN, krb5(40)),
        (
            "another mechanism",
            accept(&spnego),
            M::GSS_S_BAD_MECH,
            2_249_944_331,
        ),
        (
            "replayed",
            accept(&request),
            MajorStatus(M::GSS_S_FAILURE.0 | 2),
            krb5(34),
        ),
    ];
    for (what, error, major, minor) in cases {
        assert_eq!(
            (error.major(), error.minor()),
            (major, minor),
            "{what}: {error:?}"
        );
        gss::display_status(error.major()).unwrap();
        gss::display_minor_status(error.minor()).unwrap();
    }
    // The acceptor tells the initiator, where the mechanism has a token for it.
    let error = fail(&other_keys, &usual());
    assert!(error.token().is_some());
}
