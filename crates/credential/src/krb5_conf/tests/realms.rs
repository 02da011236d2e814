//! `[realms]`, `[domain_realm]` and `[capaths]`.

use super::*;
use crate::krb5_conf::{ConfServer, ConfTransport};
use alloc::format;
use alloc::vec;

fn host(host: &str, port: u16) -> ConfServer {
    ConfServer::Host {
        host: host.into(),
        port,
        transport: None,
    }
}

#[test]
fn servers_are_read_in_the_order_of_the_file() {
    let conf = conf(
        "[realms]\nR = {\n kdc = kdc1.r.test\n kdc = kdc2.r.test:750\n kdc = [::1]:89\n kdc = 2001:db8::1\n \
         kdc = https://proxy.r.test/KdcProxy\n kdc = https://[::1]:8443\n kdc = tcp/kdc3\n master_kdc = old\n \
         admin_server = adm:7749\n http_anchors = FILE:/ca.pem\n http_anchors = DIR:/cas\n}\nS = {\n \
         primary_kdc = new\n master_kdc = old\n kpasswd_server = pw:465\n admin_server = adm\n}\n",
    );
    let proxy = |host: &str, port, path: &str| ConfServer::Proxy {
        host: host.into(),
        port,
        path: path.into(),
    };
    let expected = [
        host("kdc1.r.test", 88),
        host("kdc2.r.test", 750),
        host("::1", 89),
        host("2001:db8::1", 88),
        proxy("proxy.r.test", 443, "KdcProxy"),
        proxy("::1", 8443, ""),
        ConfServer::Host {
            host: "kdc3".into(),
            port: 88,
            transport: Some(ConfTransport::Tcp),
        },
    ];
    assert_eq!(conf.kdcs("R").unwrap(), expected);
    assert_eq!(conf.primary_kdcs("R").unwrap(), [host("old", 88)]);
    assert_eq!(conf.primary_kdcs("S").unwrap(), [host("new", 88)]);
    assert_eq!(conf.admin_servers("R").unwrap(), [host("adm", 7749)]);
    assert_eq!(conf.password_servers("R").unwrap(), [host("adm", 464)]);
    assert_eq!(conf.password_servers("S").unwrap(), [host("pw", 465)]);
    assert_eq!(conf.http_anchors("R"), ["FILE:/ca.pem", "DIR:/cas"]);
    assert!(
        conf.kdcs("r").unwrap().is_empty(),
        "realms are told apart by case"
    );
    assert!(conf.kdcs(b"\xff").unwrap().is_empty());
}

#[test]
fn servers_that_are_none_are_refused_with_their_line() {
    for text in [
        ":88",
        "h:",
        "h:0",
        "h:65536",
        "h:x",
        "h:+88",
        "[h]:88",
        "[::1",
        "[::1]x",
        "https://",
        "https:///x",
        "http://h",
        "h/x",
        "/run/socket",
        "a b",
        "u@h",
    ] {
        let conf = conf(&format!("[realms]\nR = {{\n kdc = ok\n kdc = {text}\n}}\n"));
        let error = conf.kdcs("R").expect_err(text);
        assert_eq!(
            (error.line(), error.problem()),
            (4, ConfProblem::NotAServer),
            "{text}"
        );
    }
}

#[test]
fn a_hosts_realm_is_its_own_or_its_parents_and_never_the_default() {
    let conf = conf(
        "[libdefaults]\ndefault_realm = DEFAULT\n[domain_realm]\nb.c = BARE\n.b.c = DOT\nx.b.c = HOST\n.d = D\n",
    );
    for (host, realm) in [
        ("x.b.c", Some("HOST")),
        ("X.B.C.", Some("HOST")),
        ("y.b.c", Some("DOT")),
        ("z.x.b.c", Some("HOST")),
        ("b.c", Some("BARE")),
        ("c", None),
        ("d", None),
        ("e.d", Some("D")),
        ("elsewhere", None),
        ("", None),
        (".", None),
        ("10.0.0.1", None),
        ("::1", None),
    ] {
        assert_eq!(conf.realm_of_host(host), realm, "{host}");
    }
}

#[test]
fn paths_between_realms_are_read_as_written() {
    let conf = conf("[capaths]\nA = {\n B = .\n C = B\n C = X\n}\nB = {\n C = .\n}\n");
    assert_eq!(conf.capath("A", "B"), Some(vec![]));
    assert_eq!(conf.capath("A", "C"), Some(vec!["B", "X"]));
    assert_eq!(conf.capath("C", "A"), None);
    let all: Vec<_> = conf.capaths().collect();
    assert_eq!(
        all,
        [
            ("A", "B", vec![]),
            ("A", "C", vec!["B", "X"]),
            ("B", "C", vec![])
        ]
    );
}
