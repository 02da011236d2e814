//! The environment is read by the functions whose names say so, and by no other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where it fails"
)]

use std::path::PathBuf;
use std::process::Command;

use countersign_credential::Krb5Conf;
use countersign_handshake::cache::CacheName;
use countersign_handshake::configuration;

#[test]
fn the_environment_is_read_only_where_the_name_says_so() {
    // This program again, with the variables that it sets below.
    if std::env::var_os("KRB5CCNAME").is_some_and(|name| name == "MEMORY:from-environment") {
        return process_with_variables();
    }
    let folder = std::env::temp_dir().join(format!("countersign-env-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (one, two) = (folder.join("one.conf"), folder.join("two.conf"));
    std::fs::write(&one, "[libdefaults]\ndefault_realm = ONE\n").unwrap();
    std::fs::write(&two, "[libdefaults]\ndefault_realm = TWO\nclockskew = 7\n").unwrap();
    let paths = [folder.join("absent"), one, two];
    let status = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "the_environment_is_read_only_where_the_name_says_so",
            "--nocapture",
        ])
        .env("KRB5_CONFIG", std::env::join_paths(paths).unwrap())
        .env("KRB5CCNAME", "MEMORY:from-environment")
        .env("KRB5_KTNAME", "FILE:/from/environment")
        .env("KRB5_CLIENT_KTNAME", "/client/from/environment")
        .env("TMPDIR", "/temp/from/environment")
        .status()
        .unwrap();
    assert!(status.success());
    std::fs::remove_dir_all(&folder).unwrap();
}

fn process_with_variables() {
    let named = Krb5Conf::parse(b"[libdefaults]\ndefault_ccache_name = FILE:%{TEMP}/x\n").unwrap();
    let conf = configuration::load_from_environment().unwrap();
    let settings = conf.libdefaults().unwrap();
    assert_eq!(settings.default_realm.as_deref(), Some("ONE"));
    assert_eq!(settings.clock_skew, 7);
    let name = CacheName::from_environment(&named).unwrap();
    assert_eq!(name, CacheName::Memory("from-environment".into()));
    let path = |text: &str| Ok(PathBuf::from(text));
    let keytab = configuration::keytab_from_environment(&named);
    assert_eq!(keytab, path("/from/environment"));
    let keytab = configuration::client_keytab_from_environment(&named);
    assert_eq!(keytab, path("/client/from/environment"));
    let temp = configuration::UserTokens::from_environment();
    assert_eq!(temp.tokens().temp, Some("/temp/from/environment"));

    // Control: what does not say so does not.
    let name = CacheName::from_configuration(&named).unwrap();
    if !cfg!(windows) {
        assert_eq!(name, CacheName::File("/tmp/x".into()));
    }
}
