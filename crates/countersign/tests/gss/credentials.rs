//! Credentials: where they come from, whose they are, what they are refused for.

use std::path::PathBuf;

use countersign::credential::{KeytabEntry, Principal};
use countersign::gss::{self, Acquired, CredStore, CredUsage, GssError, OidSet, oid};
use countersign::handshake::cache::save_keytab;
use countersign::token::oid::Oid;
use countersign::{Flags, MajorStatus, Provider};
use countersign_testkit::Realm;

use crate::support::{Ask, BACK, Domain, SERVICE, TRUSTED, USUAL, establish, service};

/// A folder that is gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("countersign-gss-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn user(name: &str) -> gss::Name {
    gss::import_name(name.as_bytes(), Some(oid::GSS_C_NT_USER_NAME)).unwrap()
}

fn password(domain: &Domain, name: &str, password: &str) -> Result<Acquired, GssError> {
    let mechanisms = [Oid::KERBEROS].into();
    let usage = CredUsage::Initiate;
    let desk = domain.desk();
    gss::acquire_cred_with_password(&desk, &user(name), password, 0, Some(&mechanisms), usage)
}

#[test]
fn a_wrong_password_is_told_when_the_credential_is_acquired() {
    let domain = Domain::new();
    let acquired = password(&domain, "alice", "open sesame").unwrap();
    assert!(acquired.time_rec > 0 && acquired.time_rec < 2 * 86_400);
    let wrong = password(&domain, "alice", "open barley").unwrap_err();
    // KDC_ERR_PREAUTH_FAILED.
    assert_eq!(wrong.minor(), (-1_765_328_360_i32).cast_unsigned());
    let unknown = password(&domain, "nobody", "x").unwrap_err();
    // KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, -1765328378.
    assert_eq!(unknown.minor(), (-1_765_328_378_i32).cast_unsigned());
}

#[test]
fn credentials_tell_whose_they_are_and_for_what() {
    let domain = Domain::new();
    let alice = password(&domain, "alice", "open sesame")
        .unwrap()
        .credential;
    let info = gss::inquire_cred(&alice);
    assert_eq!(info.name.unwrap().to_string(), "alice@EXAMPLE.COM");
    assert_eq!(info.cred_usage, CredUsage::Initiate);
    assert_eq!(info.mechanisms, OidSet::from([Oid::KERBEROS]));
    assert!(info.lifetime > 0);
    let by_mech = gss::inquire_cred_by_mech(&alice, Oid::KERBEROS).unwrap();
    assert!(by_mech.initiator_lifetime > 0 && by_mech.acceptor_lifetime == 0);
    let error = gss::inquire_cred_by_mech(&alice, Oid::SPNEGO).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_NO_CRED);

    let more = gss::add_cred(&alice, None, Oid::SPNEGO, CredUsage::Initiate).unwrap();
    assert_eq!(gss::inquire_cred(&more).mechanisms.len(), 2);
    let error = gss::add_cred(&more, None, Oid::SPNEGO, CredUsage::Initiate).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_DUPLICATE_ELEMENT);
    let sentry = domain.sentry(&[Oid::SPNEGO]);
    establish(&more, &sentry, &Ask::of(Oid::SPNEGO)).unwrap();
}

#[test]
fn acceptors_answer_for_the_name_that_they_were_acquired_for() {
    let domain = Domain::new();
    let acquire = |name: &str| {
        gss::acquire_cred(
            &domain.gate(),
            Some(&service(name)),
            0,
            None,
            CredUsage::Accept,
        )
    };
    let alice = domain.alice(&[Oid::KERBEROS]);
    for name in [
        "sentry@gate.example.com",
        "sentry@GATE.example.com",
        "sentry",
    ] {
        let sentry = acquire(name).unwrap().credential;
        establish(&alice, &sentry, &Ask::of(Oid::KERBEROS)).unwrap();
    }
    let other = acquire("store@back.example.com").unwrap().credential;
    let error = establish(&alice, &other, &Ask::of(Oid::KERBEROS)).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_NO_CRED);
    let error = acquire("HTTP@gate.example.com").unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_NO_CRED);
    // KG_KEYTAB_NOMATCH.
    assert_eq!(error.minor(), 39_756_033);
}

#[test]
fn a_credential_is_used_for_what_it_was_acquired_for() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    establish(&alice, &sentry, &Ask::of(Oid::KERBEROS)).unwrap();
    let error = establish(&sentry, &sentry, &Ask::of(Oid::KERBEROS)).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_NO_CRED);
    let error = establish(&alice, &alice, &Ask::of(Oid::KERBEROS)).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_NO_CRED);
    let error = establish(&alice, &sentry, &Ask::of(Oid::SPNEGO)).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_BAD_MECH);
    // Nothing at all to be anybody with.
    for usage in [CredUsage::Both, CredUsage::Initiate, CredUsage::Accept] {
        let error = gss::acquire_cred(&Provider::new(), None, 0, None, usage).unwrap_err();
        assert_eq!(error.major(), MajorStatus::GSS_S_NO_CRED);
    }
}

#[test]
fn what_spnego_negotiates_is_what_was_named() {
    let domain = Domain::new();
    let mut alice = domain.alice(&[Oid::SPNEGO]);
    let sentry = domain.sentry(&[Oid::SPNEGO]);
    gss::set_neg_mechs(&mut alice, &[Oid::KERBEROS].into()).unwrap();
    establish(&alice, &sentry, &Ask::of(Oid::SPNEGO)).unwrap();
    for (mechanism, major) in [
        (Oid::SPNEGO, MajorStatus::GSS_S_BAD_MECH),
        (Oid::NEGOEX, MajorStatus::GSS_S_BAD_MECH),
    ] {
        let error = gss::set_neg_mechs(&mut alice, &[mechanism].into()).unwrap_err();
        assert_eq!(error.major(), major);
    }
    let error = gss::set_neg_mechs(&mut alice, &OidSet::new()).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_NO_CRED);
    // It is as it was.
    establish(&alice, &sentry, &Ask::of(Oid::SPNEGO)).unwrap();
}

#[test]
fn tickets_are_stored_and_found_again() {
    let domain = Domain::new();
    let folder = Folder::new("stored");
    let store = CredStore::new().with("ccache", format!("FILE:{}", folder.file("cc")));
    let from = |name: Option<&gss::Name>| {
        gss::acquire_cred_from(&domain.desk(), name, 0, None, CredUsage::Initiate, &store)
    };
    let absent = from(None).unwrap_err();
    assert_eq!(absent.major(), MajorStatus::GSS_S_NO_CRED);
    // KRB5_FCC_NOFILE.
    assert_eq!(absent.minor(), (-1_765_328_189_i32).cast_unsigned());

    let alice = domain.alice(&[Oid::KERBEROS]);
    let stored = gss::store_cred_into(&alice, None, false, true, &store).unwrap();
    assert!(stored.contains(Oid::KERBEROS));
    let again = gss::store_cred_into(&alice, None, false, false, &store).unwrap_err();
    assert_eq!(again.major(), MajorStatus::GSS_S_DUPLICATE_ELEMENT);
    gss::store_cred_into(&alice, None, true, false, &store).unwrap();

    let found = from(Some(&user("alice"))).unwrap().credential;
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    let both = establish(&found, &sentry, &Ask::of(Oid::KERBEROS)).unwrap();
    assert_eq!(
        both.accepted.source_name.unwrap().to_string(),
        "alice@EXAMPLE.COM"
    );
    let other = from(Some(&user("bob"))).unwrap_err();
    // KG_CCACHE_NOMATCH.
    assert_eq!(
        (other.major(), other.minor()),
        (MajorStatus::GSS_S_NO_CRED, 39_756_032)
    );
}

#[test]
fn expired_and_empty_caches_are_told_apart() {
    let domain = Domain::new();
    let folder = Folder::new("expired");
    let realm = Realm::new("EXAMPLE.COM", 1);
    let cases = [
        (
            vec![realm.ticket_granting_ticket("alice").mint().unwrap()],
            MajorStatus::GSS_S_CREDENTIALS_EXPIRED,
        ),
        (Vec::new(), MajorStatus::GSS_S_NO_CRED),
    ];
    for (index, (tickets, major)) in cases.into_iter().enumerate() {
        let path = folder.file(&index.to_string());
        let cache = realm.cache("alice", tickets);
        let version = countersign::credential::cache::Version::V4;
        std::fs::write(&path, &*cache.to_bytes(version).unwrap()).unwrap();
        let store = CredStore::new().with("ccache", path);
        let acquired =
            gss::acquire_cred_from(&domain.desk(), None, 0, None, CredUsage::Initiate, &store);
        assert_eq!(acquired.unwrap_err().major(), major);
    }
}

#[test]
fn keytabs_serve_both_sides() {
    let domain = Domain::new();
    let folder = Folder::new("keytabs");
    let keytab = folder.file("keytab");
    let mut keys = domain.kdc.keytab(&[SERVICE]).unwrap();
    save_keytab(&keytab, &keys).unwrap();
    let client = folder.file("client.keytab");
    keys.retain(|_| false);
    for entry in domain.kdc.keytab(&["bob"]).unwrap().entries() {
        keys.push(KeytabEntry::duplicate(entry));
    }
    save_keytab(&client, &keys).unwrap();

    let store = CredStore::new()
        .with("client_keytab", format!("FILE:{client}"))
        .with("keytab", &keytab);
    let from = |usage| {
        gss::acquire_cred_from(&domain.desk(), None, 0, None, usage, &store)
            .unwrap()
            .credential
    };
    let (bob, sentry) = (from(CredUsage::Initiate), from(CredUsage::Accept));
    let both = establish(&bob, &sentry, &Ask::of(Oid::KERBEROS)).unwrap();
    assert_eq!(
        both.accepted.source_name.unwrap().to_string(),
        "bob@EXAMPLE.COM"
    );
    let whole = from(CredUsage::Both);
    establish(&whole, &whole, &Ask::of(Oid::KERBEROS)).unwrap();
}

#[test]
fn stores_take_no_unknown_key_and_no_contradiction() {
    let desk = Domain::new().desk();
    let from = |store: &CredStore| {
        let alice = user("alice");
        gss::acquire_cred_from(&desk, Some(&alice), 0, None, CredUsage::Initiate, store)
            .map(drop)
            .map_err(|error| error.major())
    };
    let good = || CredStore::new().with("password", "open sesame");
    assert_eq!(
        from(&good()),
        Err(MajorStatus::GSS_S_FAILURE),
        "its KDC is gone"
    );
    let unknown = CredStore::new().with("ccahce", "x");
    assert_eq!(from(&unknown), Err(MajorStatus::GSS_S_UNAVAILABLE));
    let structure = Err(MajorStatus::GSS_S_CALL_BAD_STRUCTURE);
    assert_eq!(from(&good().with("password", "x")), structure);
    assert_eq!(from(&good().with("ccache", "x")), structure);
    assert!(!format!("{:?}", good()).contains("sesame"));
}

/// The service's machine, where it is a client too.
fn gate_that_initiates(domain: &Domain) -> Provider {
    use countersign::kerberos::kdc::{ClientCredential, TicketOptions};
    let principal = Principal::parse(format!("{SERVICE}@EXAMPLE.COM")).unwrap();
    let keys = domain.kdc.keytab(&[SERVICE]).unwrap();
    let client = ClientCredential::keytab(principal, &keys).unwrap();
    let client = client.options(TicketOptions::default().forwardable(true));
    domain.gate().with_initiator(client)
}

#[test]
fn an_accepted_client_is_delegated_under_constraint_where_that_is_asked_for() {
    let domain = Domain::new();
    let gate = gate_that_initiates(&domain);
    let mechanisms = OidSet::from([Oid::KERBEROS, Oid::SPNEGO]);
    let acquire = |usage| {
        let acquired = gss::acquire_cred(&gate, None, 0, Some(&mechanisms), usage);
        acquired.unwrap().credential
    };
    let alice = domain.alice(&[Oid::KERBEROS, Oid::SPNEGO]);
    let back = domain.sentry(&[Oid::KERBEROS]);
    let to = |target| Ask {
        target,
        ..Ask::of(Oid::KERBEROS)
    };
    let sentry = acquire(CredUsage::Both).delegate_constrained();
    for mechanism in [Oid::KERBEROS, Oid::SPNEGO] {
        let both = establish(&alice, &sentry, &Ask::of(mechanism)).unwrap();
        assert!(!both.accepted.ret_flags.contains(Flags::DELEGATION));
        let proxy = both.accepted.delegated_cred.unwrap();
        let info = gss::inquire_cred(&proxy);
        assert_eq!(info.name.unwrap().to_string(), "alice@EXAMPLE.COM");
        assert_eq!(info.cred_usage, CredUsage::Initiate);
        let further = establish(&proxy, &back, &to("store@back.example.com")).unwrap();
        let source = further.accepted.source_name.unwrap();
        assert_eq!(source.to_string(), "alice@EXAMPLE.COM");
        // Not to whom the service may not delegate.
        establish(&proxy, &back, &to("host@trusted.example.com")).unwrap_err();
    }
    // What the initiator delegates itself comes first, and is bound to nothing.
    let ask = Ask {
        flags: USUAL | Flags::DELEGATION,
        ..to("host@trusted.example.com")
    };
    let both = establish(&alice, &sentry, &ask).unwrap();
    assert!(both.accepted.ret_flags.contains(Flags::DELEGATION));
    let delegated = both.accepted.delegated_cred.unwrap();
    establish(&delegated, &back, &to("host@trusted.example.com")).unwrap();

    // Unasked, and without tickets of the service's own, there is none.
    for sentry in [
        acquire(CredUsage::Both),
        acquire(CredUsage::Accept).delegate_constrained(),
    ] {
        let both = establish(&alice, &sentry, &Ask::of(Oid::KERBEROS)).unwrap();
        assert!(both.accepted.delegated_cred.is_none());
    }
}

#[test]
fn a_service_acts_for_users_as_far_as_the_kdc_permits() {
    let domain = Domain::new();
    let provider = gate_that_initiates(&domain);
    let itself = gss::acquire_cred(&provider, None, 0, None, CredUsage::Initiate).unwrap();
    let usage = CredUsage::Initiate;
    let alice =
        gss::acquire_cred_impersonate_name(&itself.credential, &user("alice"), 0, None, usage);
    let alice = alice.unwrap().credential;
    let back = domain.sentry(&[Oid::KERBEROS]);
    let to_back = Ask {
        target: "store@back.example.com",
        ..Ask::of(Oid::KERBEROS)
    };
    assert!(BACK.starts_with("store/back"));
    let both = establish(&alice, &back, &to_back).unwrap();
    assert_eq!(
        both.accepted.source_name.unwrap().to_string(),
        "alice@EXAMPLE.COM"
    );
    // Not to whom it may not delegate.
    let elsewhere = Ask {
        target: "host@trusted.example.com",
        ..Ask::of(Oid::KERBEROS)
    };
    establish(&alice, &back, &elsewhere).unwrap_err();
    let unknown =
        gss::acquire_cred_impersonate_name(&itself.credential, &user("nobody"), 0, None, usage);
    unknown.unwrap_err();
}

#[test]
fn credentials_are_delegated_to_whom_the_kdc_trusts_and_to_nobody_else() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    assert!(TRUSTED.starts_with("host/trusted"));
    for flag in [
        gss::flags::GSS_C_DELEG_FLAG,
        gss::flags::GSS_C_DELEG_POLICY_FLAG,
    ] {
        let ask = |target| Ask {
            target,
            flags: USUAL | flag,
            ..Ask::of(Oid::KERBEROS)
        };
        let trusted = establish(&alice, &sentry, &ask("host@trusted.example.com")).unwrap();
        assert!(trusted.initiated.ret_flags.contains(Flags::DELEGATION));
        // What was delegated reaches further.
        let delegated = trusted.accepted.delegated_cred.unwrap();
        let both = establish(&delegated, &sentry, &Ask::of(Oid::KERBEROS)).unwrap();
        assert_eq!(
            both.accepted.source_name.unwrap().to_string(),
            "alice@EXAMPLE.COM"
        );

        let other = establish(&alice, &sentry, &ask("sentry@gate.example.com")).unwrap();
        assert!(!other.initiated.ret_flags.contains(Flags::DELEGATION));
        assert!(other.accepted.delegated_cred.is_none());
    }
}

#[test]
fn exported_credentials_are_tickets_and_no_secrets() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let exported = gss::export_cred(&alice).unwrap();
    let secret = b"open sesame";
    assert!(
        !exported
            .windows(secret.len())
            .any(|window| window == secret)
    );
    let imported = gss::import_cred(&domain.desk(), &exported).unwrap();
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    let both = establish(&imported, &sentry, &Ask::of(Oid::KERBEROS)).unwrap();
    assert_eq!(
        both.accepted.source_name.unwrap().to_string(),
        "alice@EXAMPLE.COM"
    );
    let error = gss::export_cred(&sentry).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_UNAVAILABLE);
    let error = gss::import_cred(&domain.desk(), b"nonsense").unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_DEFECTIVE_CREDENTIAL);
}

#[cfg(feature = "ntlm")]
#[test]
fn the_providers_account_is_whom_ntlm_initiates_as_unless_another_is_named() {
    use countersign::credential::Password;
    use countersign::credential::ntlm::{AccountName, NtlmCredential};
    let domain = Domain::new();
    let account = AccountName::parse("EXAMPLE\\alice").unwrap();
    let password = Password::from("open sesame");
    let desk =
        Provider::new().with_ntlm_initiator(NtlmCredential::with_password(account, &password));
    let acquire = |desk: &Provider, name: Option<&str>, mechanisms: Option<&OidSet>| {
        let name = name.map(user);
        gss::acquire_cred(desk, name.as_ref(), 0, mechanisms, CredUsage::Initiate)
    };
    let ntlm = OidSet::from([Oid::NTLMSSP]);
    let both = OidSet::from([Oid::NTLMSSP, Oid::SPNEGO]);
    for mechanism in [Oid::NTLMSSP, Oid::SPNEGO] {
        let alice = acquire(&desk, Some("example\\Alice"), Some(&both)).unwrap();
        let sentry = domain.sentry(&[Oid::NTLMSSP, Oid::SPNEGO]);
        let ask = Ask {
            flags: USUAL.difference(Flags::MUTUAL),
            ..Ask::of(mechanism)
        };
        let context = establish(&alice.credential, &sentry, &ask).unwrap();
        let source = context.accepted.source_name.unwrap().to_string();
        assert_eq!(source, "EXAMPLE\\alice");
    }
    // The provider has named NTLM: SPNEGO may use it. Kerberos has nothing.
    let default = acquire(&desk, None, None).unwrap();
    assert_eq!(default.actual_mechs, OidSet::from([Oid::SPNEGO]));
    let more = gss::add_cred(&default.credential, None, Oid::NTLMSSP, CredUsage::Initiate);
    assert_eq!(gss::inquire_cred(&more.unwrap()).mechanisms.len(), 2);
    for (desk, name) in [(&desk, Some("EXAMPLE\\bob")), (&Provider::new(), None)] {
        let error = acquire(desk, name, Some(&ntlm)).unwrap_err();
        assert_eq!(error.major(), MajorStatus::GSS_S_NO_CRED);
    }
}
