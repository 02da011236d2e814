//! The one function that looks at the environment.

use std::process::Command;

use countersign::gss::{self, CredStore, CredUsage};
use countersign::handshake::cache::save_keytab;
use countersign::token::oid::Oid;

use crate::support::{Ask, Domain, SERVICE, establish};

const TEST: &str = "environment::the_environment_is_read_only_where_the_name_says_so";

#[test]
fn the_environment_is_read_only_where_the_name_says_so() {
    // This program again, with the variables that it sets below.
    if std::env::var_os("KRB5CCNAME")
        .is_some_and(|name| name.to_string_lossy().ends_with("from-gss"))
    {
        return process_with_variables();
    }
    let domain = Domain::new();
    let folder = std::env::temp_dir().join(format!("countersign-gss-env-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let address = domain.server.address();
    let conf = format!(
        "[libdefaults]\ndefault_realm = EXAMPLE.COM\n[realms]\nEXAMPLE.COM = {{\nkdc = {address}\n}}\n"
    );
    std::fs::write(path("krb5.conf"), conf).unwrap();
    save_keytab(path("keytab"), &domain.kdc.keytab(&[SERVICE]).unwrap()).unwrap();
    let store = CredStore::new().with("ccache", path("from-gss"));
    let alice = domain.alice(&[Oid::KERBEROS]);
    gss::store_cred_into(&alice, None, false, false, &store).unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture"])
        .env("KRB5_CONFIG", path("krb5.conf"))
        .env("KRB5CCNAME", path("from-gss"))
        .env("KRB5_KTNAME", path("keytab"))
        .status()
        .unwrap();
    assert!(status.success());
    std::fs::remove_dir_all(&folder).unwrap();
}

fn process_with_variables() {
    let acquire = |usage| {
        gss::acquire_cred_from_environment(None, 0, None, usage)
            .unwrap()
            .credential
    };
    let (alice, sentry) = (acquire(CredUsage::Initiate), acquire(CredUsage::Accept));
    let both = establish(&alice, &sentry, &Ask::of(Oid::SPNEGO)).unwrap();
    assert_eq!(
        both.accepted.source_name.unwrap().to_string(),
        "alice@EXAMPLE.COM"
    );
    // The others do not look.
    let nothing = countersign::Provider::new();
    gss::acquire_cred(&nothing, None, 0, None, CredUsage::Initiate).unwrap_err();
}
