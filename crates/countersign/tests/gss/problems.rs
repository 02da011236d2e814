//! Each problem of a call, provoked.

use countersign::gss::sasl::{Layer, Layers, client_choose, server_accept, server_offer};
use countersign::gss::{self, Cause, CredStore, CredUsage, GssError, OidSet, Problem, flags, oid};
use countersign::handshake::{Clock, SystemClock};
use countersign::token::oid::Oid;
use countersign::{ChannelBindingPolicy, MajorStatus, Provider, Timestamp};
use countersign_testkit::Realm;

use crate::support::{Ask, Domain, USUAL, establish, service};

/// Two days late.
struct Late;

impl Clock for Late {
    fn now(&self) -> Timestamp {
        SystemClock.now().offset_by(2 * 86_400)
    }
}

fn problem<T>(result: Result<T, GssError>) -> Problem {
    match result.map(drop).unwrap_err().cause() {
        Cause::Call(problem) => *problem,
        cause => panic!("{cause:?}"),
    }
}

fn name(text: &str, kind: Oid<'_>) -> Result<gss::Name, GssError> {
    gss::import_name(text.as_bytes(), Some(kind))
}

fn of_names() -> Vec<Problem> {
    let user = || name("alice", oid::GSS_C_NT_USER_NAME).unwrap();
    let nowhere = Provider::new();
    let exported = b"\x04\x01\x00\x08\x06\x06\x2b\x06\x01\x05\x05\x02\x00\x00\x00\x01x";
    vec![
        problem(name("a/b", oid::GSS_C_NT_HOSTBASED_SERVICE)),
        problem(name("", oid::GSS_C_NT_USER_NAME)),
        problem(gss::canonicalize_name(&nowhere, &user(), Oid::KERBEROS)),
        problem(gss::import_name(exported, Some(oid::GSS_C_NT_EXPORT_NAME))),
        problem(name("1000", oid::GSS_C_NT_STRING_UID_NAME)),
        problem(gss::export_name(&user())),
        problem(gss::get_name_attribute(&user(), "urn:mspac:")),
        problem(gss::localname(
            &gss::Name::from(countersign::credential::Principal::parse("alice@B").unwrap()),
            &gss::LocalNames::of_realm("A"),
        )),
        problem(gss::delete_name_attribute(&mut user(), "urn:mspac:")),
        problem(gss::canonicalize_name(&nowhere, &user(), Oid::NEGOEX)),
        problem(gss::display_mech_attr(Oid::NEGOEX)),
        problem(gss::display_status(MajorStatus(20 << 16))),
    ]
}

fn of_credentials(domain: &Domain) -> Vec<Problem> {
    let (alice, sentry) = (
        domain.alice(&[Oid::KERBEROS]),
        domain.sentry(&[Oid::KERBEROS]),
    );
    let initiate = CredUsage::Initiate;
    let from = |who: Option<&str>, store: &CredStore| {
        let who = who.map(|who| name(who, oid::GSS_C_NT_USER_NAME).unwrap());
        problem(gss::acquire_cred_from(
            &domain.desk(),
            who.as_ref(),
            0,
            None,
            initiate,
            store,
        ))
    };
    let folder =
        std::env::temp_dir().join(format!("countersign-gss-problems-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let cache = |name: &str, tickets| {
        let path = folder.join(name).to_str().unwrap().to_owned();
        let cache = Realm::new("EXAMPLE.COM", 1).cache("alice", tickets);
        let version = countersign::credential::cache::Version::V4;
        std::fs::write(&path, &*cache.to_bytes(version).unwrap()).unwrap();
        CredStore::new().with("ccache", path)
    };
    let mint = |realm: Realm| realm.ticket_granting_ticket("alice").mint().unwrap();
    let now = SystemClock.now().seconds();
    let good = cache("good", vec![mint(Realm::new("EXAMPLE.COM", 1).at(now))]);
    let elsewhere = service("HTTP@elsewhere.example.com");
    let twice = CredStore::new().with("ccache", "a").with("ccache", "b");
    let provoked = vec![
        problem(establish(&alice, &sentry, &Ask::of(Oid::SPNEGO))),
        problem(establish(&sentry, &sentry, &Ask::of(Oid::KERBEROS))),
        problem(gss::acquire_cred(&Provider::new(), None, 0, None, initiate)),
        from(Some("bob"), &good),
        problem(gss::acquire_cred(
            &domain.gate(),
            Some(&elsewhere),
            0,
            None,
            CredUsage::Accept,
        )),
        from(None, &cache("empty", Vec::new())),
        from(
            None,
            &cache("old", vec![mint(Realm::new("EXAMPLE.COM", 1))]),
        ),
        problem(gss::add_cred(&alice, None, Oid::KERBEROS, initiate)),
        from(None, &CredStore::new().with("ccahce", "a")),
        from(None, &twice),
        problem(gss::export_cred(&sentry)),
    ];
    std::fs::remove_dir_all(&folder).unwrap();
    provoked
}

fn of_contexts(domain: &Domain) -> Vec<Problem> {
    let (alice, sentry) = (
        domain.alice(&[Oid::KERBEROS]),
        domain.sentry(&[Oid::KERBEROS]),
    );
    let target = service("sentry@gate.example.com");
    let mut half_open = None;
    let init = |context: &mut _, flags| {
        gss::init_sec_context(&alice, context, &target, None, flags, 0, None, None)
    };
    assert!(init(&mut half_open, USUAL).is_ok());
    let mut both = establish(&alice, &sentry, &Ask::of(Oid::KERBEROS)).unwrap();

    let none = Layers::EMPTY.with(Layer::None);
    let offer = server_offer(&mut both.server, none, 0).unwrap();
    let sealed = Layers::EMPTY.with(Layer::Confidentiality);
    let layer = problem(client_choose(&mut both.client, &offer, sealed, 0, None));
    let short = gss::wrap(&mut both.client, false, 0, b"x").unwrap().token;
    let message = problem(server_accept(&mut both.server, &short, Layers::ALL));

    let qop = problem(gss::wrap(&mut both.client, true, 1, b"x"));
    let token = problem(gss::process_context_token(&mut both.client, b"x"));
    let object = problem(gss::inquire_sec_context_by_oid(&both.client, Oid::SPNEGO));

    let exported = gss::export_sec_context(&mut Some(both.client)).unwrap();
    let late = gss::import_sec_context(&domain.desk().with_clock(Late), &exported).unwrap();
    let expired = problem(gss::context_time(&late));
    let mut established = Some(late);
    let ignore = ChannelBindingPolicy::Ignore;
    vec![
        layer,
        message,
        qop,
        token,
        object,
        expired,
        problem(gss::accept_sec_context(
            &mut established,
            &sentry,
            b"x",
            &ignore,
        )),
        problem(init(&mut established, USUAL)),
        problem(gss::wrap(half_open.as_mut().unwrap(), true, 0, b"x")),
        problem(gss::export_sec_context(&mut None)),
        problem(init(&mut None, USUAL | flags::GSS_C_ANON_FLAG)),
    ]
}

#[test]
fn every_problem_of_a_call_can_be_provoked() {
    let domain = Domain::new();
    let provoked = [of_names(), of_credentials(&domain), of_contexts(&domain)].concat();
    for problem in Problem::ALL {
        assert!(provoked.contains(problem), "{problem:?}");
    }
    assert_eq!(provoked.len(), Problem::ALL.len());
}

#[test]
fn what_costs_others_is_used_only_where_it_is_named() {
    let domain = Domain::new();
    let acquired = gss::acquire_cred(&domain.gate(), None, 0, None, CredUsage::Accept).unwrap();
    assert_eq!(
        acquired.actual_mechs,
        OidSet::from([Oid::KERBEROS, Oid::SPNEGO])
    );
    let ignore = ChannelBindingPolicy::Ignore;
    let iakerb = countersign::token::framing::InitialToken::encode(Oid::IAKERB, &[b"\x05\x01"]);
    let accept = |token: &[u8]| {
        gss::accept_sec_context(&mut None, &acquired.credential, token, &ignore).unwrap_err()
    };
    assert_eq!(accept(&iakerb).major(), MajorStatus::GSS_S_BAD_MECH);
    #[cfg(feature = "ntlm")]
    {
        let alice = domain.user("EXAMPLE\\alice", &[Oid::NTLMSSP]);
        let target = service("sentry@gate.example.com");
        let mechanism = Some(Oid::NTLMSSP);
        let mut context = None;
        let first = gss::init_sec_context(
            &alice,
            &mut context,
            &target,
            mechanism,
            USUAL,
            0,
            None,
            None,
        );
        let token = first.unwrap().output_token.unwrap();
        assert_eq!(accept(&token).major(), MajorStatus::GSS_S_BAD_MECH);
        let named = domain.sentry(&[Oid::NTLMSSP]);
        assert!(gss::accept_sec_context(&mut None, &named, &token, &ignore).is_ok());
    }
}
