//! `[libdefaults]`.

use super::*;
use crate::krb5_conf::{Canonicalization, NameTokens};
use alloc::format;

#[test]
fn settings_have_their_defaults_and_their_values() {
    let silent = Krb5Conf::default().libdefaults().unwrap();
    assert_eq!(
        (silent.clock_skew, silent.udp_preference_limit),
        (300, 1465)
    );
    assert_eq!(silent.permitted_enctypes.ids(), [20, 19, 18, 17]);
    assert!(silent.no_addresses && silent.dns_lookup_kdc && silent.rdns && silent.dns_uri_lookup);
    assert!(!silent.forwardable && !silent.dns_lookup_realm && !silent.canonicalize);

    let conf = conf(
        "[libdefaults]\n clockskew = 1m\n forwardable = 1\n noaddresses = off\n dns_fallback = no\n \
         dns_canonicalize_hostname = fallback\n permitted_enctypes = aes256-sha1 rc4 aes128-sha1\n \
         default_tkt_enctypes = rc4 aes128-sha1 camellia\n allow_rc4 = true\n kdc_timeout = 2\n \
         ticket_lifetime = 1h\n renew_lifetime = 7d\n R = {\n  ticket_lifetime = 2h\n  proxiable = \
         true\n  clockskew = 9\n }\n kcm_socket = /run/kcm\n default_cc_name = DIR:/tmp/%{uid}\n",
    );
    let all = conf.libdefaults().unwrap();
    assert_eq!((all.clock_skew, all.kdc_timeout), (60, Some(2)));
    assert!(all.forwardable && !all.no_addresses && !all.dns_lookup_kdc && !all.proxiable);
    assert_eq!(all.dns_canonicalize_hostname, Canonicalization::Fallback);
    assert_eq!(all.permitted_enctypes.ids(), [18, 23, 17]);
    assert_eq!(all.initial_enctypes.ids(), [23, 17]);
    assert_eq!(all.service_enctypes, all.permitted_enctypes);
    assert_eq!(
        (all.ticket_lifetime, all.renew_lifetime),
        (Some(3_600), Some(604_800))
    );
    assert_eq!(all.kcm_socket.as_deref(), Some("/run/kcm"));
    let own = conf.libdefaults_for("R").unwrap();
    assert_eq!(
        (own.ticket_lifetime, own.renew_lifetime),
        (Some(7_200), Some(604_800))
    );
    assert!(own.proxiable && own.forwardable);
    assert_eq!(own.clock_skew, 60);
    let tokens = NameTokens {
        uid: Some(7),
        ..NameTokens::default()
    };
    let name = conf.default_ccache_name(&tokens).unwrap();
    assert_eq!(name.as_deref(), Some("DIR:/tmp/7"));
    let error = conf
        .default_ccache_name(&NameTokens::default())
        .expect_err("no uid");
    assert_eq!(error.problem(), ConfProblem::UnknownToken);
}

#[test]
fn values_of_the_wrong_kind_are_refused_with_their_line() {
    assert!(
        conf("[libdefaults]\nforwardable = TRUE\n")
            .libdefaults()
            .is_ok()
    );
    for (line, expected) in [
        ("forwardable = maybe", ConfProblem::NotABoolean),
        (
            "dns_canonicalize_hostname = later",
            ConfProblem::NotABoolean,
        ),
        ("clockskew = soon", ConfProblem::NotADuration),
        ("ticket_lifetime = -1h", ConfProblem::NotADuration),
        ("udp_preference_limit = -1", ConfProblem::NotANumber),
        ("max_retries = 99999999999", ConfProblem::NotANumber),
    ] {
        let error = conf(&format!("[libdefaults]\n{line}\n")).libdefaults();
        let error = error.expect_err(line);
        assert_eq!((error.line(), error.problem()), (2, expected), "{line}");
    }
}

#[test]
fn names_of_keytabs_are_expanded_or_refused_with_their_line() {
    let conf = conf(
        "[libdefaults]\ndefault_keytab_name = FILE:/etc/%{username}.keytab\n\
         default_client_keytab_name = FILE:/var/user/%{euid}/client.keytab\n",
    );
    let tokens = NameTokens {
        euid: Some(7),
        username: Some("web"),
        ..NameTokens::default()
    };
    let keytab = conf.default_keytab_name(&tokens).unwrap();
    assert_eq!(keytab.as_deref(), Some("FILE:/etc/web.keytab"));
    let client = conf.default_client_keytab_name(&tokens).unwrap();
    assert_eq!(client.as_deref(), Some("FILE:/var/user/7/client.keytab"));

    let refused = |result: Result<Option<String>, ConfError>| {
        let error = result.expect_err("an unknown token");
        (error.line(), error.problem())
    };
    let none = NameTokens::default();
    let keytab = refused(conf.default_keytab_name(&none));
    assert_eq!(keytab, (2, ConfProblem::UnknownToken));
    let client = refused(conf.default_client_keytab_name(&none));
    assert_eq!(client, (3, ConfProblem::UnknownToken));

    let silent = Krb5Conf::default();
    assert_eq!(silent.default_keytab_name(&tokens), Ok(None));
    assert_eq!(silent.default_client_keytab_name(&tokens), Ok(None));
}

#[test]
fn canonicalization_is_a_truth_value_or_a_fallback() {
    for (value, expected) in [
        ("true", Canonicalization::Always),
        ("ON", Canonicalization::Always),
        ("false", Canonicalization::Never),
        ("nil", Canonicalization::Never),
        ("Fallback", Canonicalization::Fallback),
    ] {
        let text = format!("[libdefaults]\ndns_canonicalize_hostname = {value}\n");
        let read = conf(&text).libdefaults().unwrap();
        assert_eq!(read.dns_canonicalize_hostname, expected, "{value}");
    }
    let silent = Krb5Conf::default().libdefaults().unwrap();
    assert_eq!(silent.dns_canonicalize_hostname, Canonicalization::Always);
}
