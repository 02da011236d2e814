//! What honest sides come to, with every mechanism.

use countersign::gss::{self, flags, oid};
use countersign::handshake::{Clock, SystemClock};
use countersign::token::oid::Oid;
use countersign::{ChannelBindingPolicy, ChannelBindings, Flags, MajorStatus, Timestamp};

use crate::support::{Ask, Domain, USUAL, establish, establish_with, service, talk};

#[test]
fn kerberos_names_both_sides_and_grants_what_was_asked_for() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    let mut both = establish(&alice, &sentry, &Ask::of(Oid::KERBEROS)).unwrap();
    let told = USUAL | flags::GSS_C_PROT_READY_FLAG | flags::GSS_C_TRANS_FLAG;
    assert_eq!(both.initiated.ret_flags, told);
    assert_eq!(both.accepted.ret_flags, told);
    assert_eq!(both.initiated.actual_mech_type, Oid::KERBEROS);
    assert_eq!(both.accepted.mech_type, Oid::KERBEROS);
    let source = both.accepted.source_name.as_ref().unwrap();
    assert_eq!(source.to_string(), "alice@EXAMPLE.COM");
    let info = gss::inquire_context(&both.client);
    assert!(info.locally_initiated && info.open);
    assert_eq!(info.src_name.unwrap().to_string(), "alice@EXAMPLE.COM");
    let target = info.targ_name.unwrap();
    assert_eq!(target.to_string(), "sentry/gate.example.com@EXAMPLE.COM");
    assert_eq!(target.name_type(), Some(oid::GSS_KRB5_NT_PRINCIPAL_NAME));
    let lifetime = gss::context_time(&both.client).unwrap();
    assert!(lifetime > 3600 && lifetime < 2 * 86_400);
    talk(&mut both.client, &mut both.server);
}

#[test]
fn spnego_negotiates_kerberos_and_tells_so() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::SPNEGO]);
    let sentry = domain.sentry(&[Oid::SPNEGO]);
    let mut both = establish(&alice, &sentry, &Ask::of(Oid::SPNEGO)).unwrap();
    assert_eq!(both.initiated.actual_mech_type, Oid::KERBEROS);
    assert_eq!(both.accepted.mech_type, Oid::KERBEROS);
    talk(&mut both.client, &mut both.server);
}

#[test]
fn iakerb_needs_no_kdc_at_the_desk() {
    let domain = Domain::new();
    let sentry = domain.sentry(&[Oid::IAKERB]);
    let name = gss::import_name(b"alice@EXAMPLE.COM", None).unwrap();
    let alice = gss::acquire_cred_with_password(
        &countersign::Provider::new(),
        &name,
        "open sesame",
        0,
        Some(&[Oid::IAKERB].into()),
        gss::CredUsage::Initiate,
    )
    .unwrap()
    .credential;
    let mut both = establish(&alice, &sentry, &Ask::of(Oid::IAKERB)).unwrap();
    assert_eq!(both.accepted.mech_type, Oid::IAKERB);
    talk(&mut both.client, &mut both.server);
}

#[test]
fn bindings_must_match_where_both_have_some() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    let ours = ChannelBindings::tls_exporter(&[1; 32]);
    let other = ChannelBindings::tls_exporter(&[2; 32]);
    let ask = |bindings, expected| Ask {
        bindings,
        expected,
        ..Ask::of(Oid::KERBEROS)
    };
    let required = ChannelBindingPolicy::Required(ours.clone());
    let bound = establish(&alice, &sentry, &ask(Some(&ours), required.clone())).unwrap();
    assert!(
        bound
            .accepted
            .ret_flags
            .contains(flags::GSS_C_CHANNEL_BOUND_FLAG)
    );
    for sent in [Some(&other), None] {
        let error = establish(&alice, &sentry, &ask(sent, required.clone())).unwrap_err();
        assert_eq!(error.major(), countersign::MajorStatus::GSS_S_BAD_BINDINGS);
    }
    let lenient = ChannelBindingPolicy::IfPresent(ours.clone());
    let unbound = establish(&alice, &sentry, &ask(None, lenient)).unwrap();
    assert!(
        !unbound
            .accepted
            .ret_flags
            .contains(flags::GSS_C_CHANNEL_BOUND_FLAG)
    );
}

#[test]
fn without_mutual_authentication_one_token_is_enough_and_nobody_is_proved() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    let ask = Ask {
        flags: Flags::CONFIDENTIALITY | Flags::INTEGRITY,
        ..Ask::of(Oid::KERBEROS)
    };
    let mut both = establish(&alice, &sentry, &ask).unwrap();
    assert!(both.accepted.output_token.is_none());
    assert!(!both.initiated.ret_flags.contains(Flags::MUTUAL));
    // Whom the initiator meant, as nobody proved to be it.
    let info = gss::inquire_context(&both.client);
    assert_eq!(
        info.targ_name.unwrap().to_string(),
        "sentry@gate.example.com"
    );
    talk(&mut both.client, &mut both.server);
}

#[test]
fn dce_style_takes_three_legs() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    let ask = Ask {
        flags: USUAL | Flags::DCE_STYLE,
        ..Ask::of(Oid::KERBEROS)
    };
    let both = establish(&alice, &sentry, &ask).unwrap();
    assert!(both.initiated.output_token.is_some());
    assert!(both.accepted.ret_flags.contains(Flags::DCE_STYLE));
}

/// The acceptor is a user, who has a ticket and no key at hand.
#[test]
fn users_meet_users_by_their_tickets() {
    use countersign::kerberos::AcceptorCredential;
    let domain = Domain::new();
    let mechanism = Oid::KERBEROS_USER_TO_USER;
    let bob = gss::acquire_cred_with_password(
        &domain.desk(),
        &gss::import_name(b"bob", Some(oid::GSS_C_NT_USER_NAME)).unwrap(),
        "builder",
        0,
        Some(&[Oid::KERBEROS].into()),
        gss::CredUsage::Initiate,
    )
    .unwrap()
    .credential;
    let client = bob.client().unwrap();
    let cache = client.tickets().to_cache(client.client());
    let ticket = cache.ticket_granting_ticket().unwrap().duplicate();
    let provider = domain
        .desk()
        .with_acceptor(AcceptorCredential::user_to_user(ticket));
    let usage = gss::CredUsage::Accept;
    let mechanisms = gss::OidSet::from([mechanism, Oid::KERBEROS]);
    let bob = gss::acquire_cred(&provider, None, 0, Some(&mechanisms), usage).unwrap();

    let alice = domain.alice(&[mechanism]);
    let target = gss::import_name(b"bob", Some(oid::GSS_C_NT_USER_NAME)).unwrap();
    let mut both = establish_with(&alice, &bob.credential, &Ask::of(mechanism), &target).unwrap();
    let target = gss::inquire_context(&both.client).targ_name.unwrap();
    assert_eq!(target.to_string(), "bob@EXAMPLE.COM");
    talk(&mut both.client, &mut both.server);
}

/// SMB takes the key before the last token.
#[test]
fn the_session_key_is_there_before_the_context_is() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    let target = crate::support::service("sentry@gate.example.com");
    let dce = USUAL | Flags::DCE_STYLE;
    let (mut client, mut server) = (None, None);
    let first = gss::init_sec_context(&alice, &mut client, &target, None, dce, 0, None, None);
    let request = first.unwrap().output_token.unwrap();
    let ignore = ChannelBindingPolicy::Ignore;
    let reply = gss::accept_sec_context(&mut server, &sentry, &request, &ignore).unwrap();
    assert_eq!(reply.status, gss::Status::ContinueNeeded);
    let reply = reply.output_token;
    let last = gss::init_sec_context(
        &alice,
        &mut client,
        &target,
        None,
        dce,
        0,
        None,
        reply.as_deref(),
    );
    assert_eq!(last.unwrap().status, gss::Status::Complete);
    let key = |context: &gss::Context| {
        gss::inquire_sec_context_by_oid(context, gss::GSS_C_INQ_SSPI_SESSION_KEY).unwrap()
    };
    let server = server.unwrap();
    assert!(!gss::inquire_context(&server).open);
    assert_eq!(key(&server), key(&client.unwrap()));
}

/// An empty first token makes the acceptor of SPNEGO speak first (MS-SPNG 3.2.5.2).
#[test]
fn an_acceptor_of_spnego_speaks_first_where_it_is_asked_to() {
    let domain = Domain::new();
    let sentry = domain.sentry(&[Oid::SPNEGO]);
    let mut server = None;
    let ignore = ChannelBindingPolicy::Ignore;
    let hint = gss::accept_sec_context(&mut server, &sentry, b"", &ignore).unwrap();
    assert_eq!(hint.status, gss::Status::ContinueNeeded);
    let token = hint.output_token.unwrap();
    let framed = countersign::token::framing::InitialToken::parse(&token).unwrap();
    assert_eq!(framed.mechanism, Oid::SPNEGO);
    // Not where the credential is for another mechanism alone.
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    let error = gss::accept_sec_context(&mut None, &sentry, b"", &ignore).unwrap_err();
    assert_eq!(error.major(), countersign::MajorStatus::GSS_S_BAD_MECH);
}

#[test]
fn a_context_that_failed_stays_and_repeats_its_error() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let target = crate::support::service("sentry@gate.example.com");
    let mut context = None;
    let step = |context: &mut _, token: Option<&[u8]>| {
        gss::init_sec_context(&alice, context, &target, None, USUAL, 0, None, token)
    };
    assert!(step(&mut context, None).is_ok());
    let error = step(&mut context, Some(b"nonsense")).unwrap_err();
    assert!(context.is_some());
    assert_eq!(step(&mut context, Some(b"nonsense")).unwrap_err(), error);
    // A first call that fails leaves none.
    let elsewhere = crate::support::service("sentry@nowhere.example.com");
    let mut context = None;
    gss::init_sec_context(&alice, &mut context, &elsewhere, None, USUAL, 0, None, None)
        .unwrap_err();
    assert!(context.is_none());
}

#[cfg(feature = "ntlm")]
mod ntlm {
    use super::*;

    /// The KDC is gone; somebody may have seen to that.
    #[test]
    fn ntlm_takes_over_from_kerberos_only_where_it_is_named_and_mutuality_is_not_required() {
        let gate = Domain::new();
        let sentry = gate.sentry(&[Oid::SPNEGO, Oid::NTLMSSP]);
        let lost = {
            let domain = Domain::new();
            domain.desk()
        };
        let alice = |mechanisms: &[Oid<'static>]| {
            let name = gss::import_name(b"alice@EXAMPLE.COM", Some(oid::GSS_C_NT_USER_NAME));
            let mechanisms = mechanisms.iter().copied().collect();
            let usage = gss::CredUsage::Initiate;
            let name = name.unwrap();
            let password = "open sesame";
            gss::acquire_cred_with_password(&lost, &name, password, 0, Some(&mechanisms), usage)
        };
        let both = alice(&[Oid::SPNEGO, Oid::NTLMSSP]).unwrap().credential;
        // The whole name is the user's; the users of the gate know no such one, so that it is refused,
        // but by NTLM.
        let error = establish(&both, &sentry, &Ask::of(Oid::SPNEGO)).unwrap_err();
        assert!(matches!(
            error.cause(),
            gss::Cause::Engine(countersign::ErrorKind::Ntlm(_))
        ));
        let error = establish(&both.require(Flags::MUTUAL), &sentry, &Ask::of(Oid::SPNEGO));
        let unreachable =
            countersign::ErrorKind::Kdc(countersign::context::KdcProblem::Unreachable);
        assert_eq!(*error.unwrap_err().cause(), gss::Cause::Engine(unreachable));
        // Kerberos alone, and the password cannot even be tried.
        let error = alice(&[Oid::SPNEGO]).unwrap_err();
        assert_eq!(*error.cause(), gss::Cause::Engine(unreachable));
    }

    #[test]
    fn ntlm_proves_the_initiator_alone() {
        let domain = Domain::new();
        let alice = domain.user("EXAMPLE\\alice", &[Oid::NTLMSSP]);
        let sentry = domain.sentry(&[Oid::NTLMSSP]);
        let mut both = establish(&alice, &sentry, &Ask::of(Oid::NTLMSSP)).unwrap();
        let source = both.accepted.source_name.as_ref().unwrap();
        assert_eq!(source.to_string(), "EXAMPLE\\alice");
        assert_eq!(source.mechanism(), Some(Oid::NTLMSSP));
        assert!(!both.initiated.ret_flags.contains(Flags::MUTUAL));
        assert_eq!(
            gss::context_time(&both.client).unwrap(),
            gss::GSS_C_INDEFINITE
        );
        talk(&mut both.client, &mut both.server);
    }

    #[test]
    fn spnego_negotiates_ntlm_where_both_name_it() {
        let domain = Domain::new();
        let alice = domain.user("EXAMPLE\\alice", &[Oid::SPNEGO, Oid::NTLMSSP]);
        let sentry = domain.sentry(&[Oid::SPNEGO, Oid::NTLMSSP]);
        let mut both = establish(&alice, &sentry, &Ask::of(Oid::SPNEGO)).unwrap();
        assert_eq!(both.accepted.mech_type, Oid::NTLMSSP);
        talk(&mut both.client, &mut both.server);

        // Not where only one of them does.
        let sentry = domain.sentry(&[Oid::SPNEGO]);
        let error = establish(&alice, &sentry, &Ask::of(Oid::SPNEGO)).unwrap_err();
        assert_eq!(error.major(), countersign::MajorStatus::GSS_S_BAD_MECH);
    }

    #[test]
    fn what_is_required_and_not_granted_ends_the_context() {
        let domain = Domain::new();
        let alice = domain.user("EXAMPLE\\alice", &[Oid::NTLMSSP]);
        let sentry = domain.sentry(&[Oid::NTLMSSP]);
        establish(&alice, &sentry, &Ask::of(Oid::NTLMSSP)).unwrap();
        let alice = alice.require(Flags::MUTUAL);
        let error = establish(&alice, &sentry, &Ask::of(Oid::NTLMSSP)).unwrap_err();
        let flags = countersign::ErrorKind::FlagsNotGranted(Flags::MUTUAL);
        assert_eq!(*error.cause(), gss::Cause::Engine(flags));
    }

    #[test]
    fn nobody_authenticates_where_anonymity_was_asked_for() {
        let domain = Domain::new();
        let alice = domain.user("EXAMPLE\\alice", &[Oid::NTLMSSP]);
        let ask = Ask {
            flags: Flags::ANONYMOUS,
            ..Ask::of(Oid::NTLMSSP)
        };
        let policy = countersign::Policy::default().with_anonymous_initiators(true);
        let gate = domain.gate().with_policy(policy);
        let sentry = gss::acquire_cred(
            &gate,
            None,
            0,
            Some(&[Oid::NTLMSSP].into()),
            gss::CredUsage::Accept,
        )
        .unwrap()
        .credential;
        let both = establish(&alice, &sentry, &ask).unwrap();
        assert!(both.accepted.ret_flags.contains(Flags::ANONYMOUS));
        let source = both.accepted.source_name.unwrap();
        assert_eq!(source.name_type(), Some(oid::GSS_C_NT_ANONYMOUS));
        assert!(!gss::compare_name(&source, &source).unwrap());
    }
}

/// The system's, moved on.
struct Moved(std::sync::Arc<std::sync::atomic::AtomicI64>);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        let by = self.0.load(std::sync::atomic::Ordering::Relaxed);
        SystemClock.now().offset_by(by)
    }
}

#[test]
fn contexts_last_no_longer_than_the_initiator_asked_for() {
    let domain = Domain::new();
    let moved = std::sync::Arc::default();
    let desk = domain
        .desk()
        .with_clock(Moved(std::sync::Arc::clone(&moved)));
    let name = gss::import_name(b"alice", Some(oid::GSS_C_NT_USER_NAME)).unwrap();
    let alice = gss::acquire_cred_with_password(
        &desk,
        &name,
        "open sesame",
        0,
        None,
        gss::CredUsage::Initiate,
    );
    let alice = alice.unwrap().credential;
    let target = service("sentry@gate.example.com");
    let one_way = USUAL.difference(Flags::MUTUAL);
    let begin = |time_req| {
        let mut context = None;
        let first = gss::init_sec_context(
            &alice,
            &mut context,
            &target,
            None,
            one_way,
            time_req,
            None,
            None,
        );
        let time_rec = first.unwrap().time_rec;
        (context.unwrap(), time_rec)
    };
    let (_, whole) = begin(0);
    assert!(whole > 3600);
    for time_req in [gss::GSS_C_INDEFINITE, gss::GSS_C_INDEFINITE - 1, whole + 60] {
        let (context, time_rec) = begin(time_req);
        assert!(time_rec > 3600 && time_rec <= whole, "{time_req}");
        assert!(gss::context_time(&context).unwrap() <= whole);
    }
    let (context, time_rec) = begin(600);
    assert!(time_rec > 540 && time_rec <= 600);
    assert!(gss::inquire_context(&context).lifetime_rec <= 600);
    moved.store(599 - 60, std::sync::atomic::Ordering::Relaxed);
    assert!(gss::context_time(&context).unwrap() <= 61);
    moved.store(601, std::sync::atomic::Ordering::Relaxed);
    let error = gss::context_time(&context).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_CONTEXT_EXPIRED);
    // The ticket was not cut short.
    assert!(begin(0).1 > 3600);
}

#[test]
fn both_sides_know_when_the_client_authenticated() {
    let domain = Domain::new();
    let before = SystemClock.now().seconds();
    let alice = domain.alice(&[Oid::KERBEROS, Oid::SPNEGO]);
    let after = SystemClock.now().seconds();
    let sentry = domain.sentry(&[Oid::KERBEROS, Oid::SPNEGO]);
    for mechanism in [Oid::KERBEROS, Oid::SPNEGO] {
        let both = establish(&alice, &sentry, &Ask::of(mechanism)).unwrap();
        let time = gss::extract_authtime(&both.server).unwrap();
        assert!((before..=after).contains(&time));
        assert_eq!(gss::extract_authtime(&both.client).unwrap(), time);
        let told = gss::inquire_context(&both.server).auth_time;
        assert_eq!(told, Some(Timestamp::from_unix(time)));
        // The PAC has it too.
        let exported = gss::export_sec_context(&mut Some(both.server)).unwrap();
        let imported = gss::import_sec_context(&domain.desk(), &exported).unwrap();
        assert_eq!(gss::extract_authtime(&imported).unwrap(), time);
        // An initiator's has none.
        let exported = gss::export_sec_context(&mut Some(both.client)).unwrap();
        let imported = gss::import_sec_context(&domain.desk(), &exported).unwrap();
        let error = gss::extract_authtime(&imported).unwrap_err();
        assert_eq!(error.major(), MajorStatus::GSS_S_UNAVAILABLE);
        assert_eq!(gss::inquire_context(&imported).auth_time, None);
    }
}
