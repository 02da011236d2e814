use super::*;
use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;

/// Files in memory.
#[derive(Default)]
struct Files(BTreeMap<&'static str, String>);

impl Files {
    fn of(files: &[(&'static str, &str)]) -> Self {
        Self(
            files
                .iter()
                .map(|(name, text)| (*name, (*text).to_owned()))
                .collect(),
        )
    }
}

impl ConfSource for Files {
    fn file(&mut self, path: &str, limit: usize) -> Result<Vec<u8>, SourceProblem> {
        if path.ends_with("/folder") {
            return Err(SourceProblem::Folder);
        }
        let text = self.0.get(path).ok_or(SourceProblem::Absent)?;
        if text.len() > limit {
            return Err(SourceProblem::TooLarge);
        }
        Ok(text.clone().into_bytes())
    }

    fn folder(&mut self, path: &str) -> Result<Vec<String>, SourceProblem> {
        let names = self.0.keys().rev();
        let inside = names.filter_map(|name| name.strip_prefix(path)?.strip_prefix('/'));
        let found: Vec<String> = inside.map(ToOwned::to_owned).collect();
        if found.is_empty() {
            return Err(SourceProblem::Absent);
        }
        Ok(found)
    }
}

fn conf(text: &str) -> Krb5Conf {
    Krb5Conf::parse(text.as_bytes()).unwrap()
}

fn values(conf: &Krb5Conf, path: &[&str]) -> Vec<String> {
    conf.values(path).map(ToOwned::to_owned).collect()
}

fn problem(text: &[u8]) -> (u32, ConfProblem) {
    let error = Krb5Conf::parse(text).expect_err("must be refused");
    (error.line(), error.problem())
}

#[test]
fn sections_and_relations_are_read_as_mit_krb5_reads_them() {
    // Each seen to be read so by MIT krb5 1.20.
    for (text, path, expected) in [
        ("[a]\nb = 1\n[a]\nb = 2\n", &["a", "b"][..], &["1", "2"][..]),
        (
            "[a]\nx = {\n b = 1\n}\nx = {\n b = 2\n}\n",
            &["a", "x", "b"],
            &["1", "2"],
        ),
        ("[a]\nb* = 1\nb = 2\n", &["a", "b"], &["1", "2"]),
        ("[a]*\nb = 1\n[a]\nb = 2\n", &["a", "b"], &["1", "2"]),
        ("[a]\nx = {\n b=1\n", &["a", "x", "b"], &["1"]),
        ("[a]\nx =\n", &["a", "x"], &[]),
        (
            "[a]\nx =\n { junk\nb=1\n} junk\nc=2",
            &["a", "x", "b"],
            &["1"],
        ),
        ("[a]\nx =\n { junk\nb=1\n} junk\nc=2", &["a", "c"], &["2"]),
        (" [a]\nb=1\n[c]\nd=2", &["a", "b"], &[]),
        ("b=1\nnonsense\n}\n[c]\nd=2", &["c", "d"], &["2"]),
        (
            "[c]\n d = \"q\\n\\x\\\"z\" trailing\n",
            &["c", "d"],
            &["q\nx\"z"],
        ),
        ("[c]\n e = \"unterminated\n", &["c", "e"], &["unterminated"]),
        ("[c]\n e = \" kept \"\n", &["c", "e"], &[" kept "]),
        ("[c]\n f = v ; c # d \t\n", &["c", "f"], &["v ; c # d"]),
        ("[c]\n ; g = 1\n\t# g = 2\n", &["c", "g"], &[]),
        (
            "[a]\r\nb = 1\r\nc = { \r\n d = e \r\n }\r\n",
            &["a", "c", "d"],
            &["e"],
        ),
        ("[a]\nb**c = 1\n", &["a", "b"], &["1"]),
        ("[a]\nb = x = y\n b = {z}\n", &["a", "b"], &["x = y", "{z}"]),
        ("[a]\nx = {\n b=1\n}\nx = 3\n", &["a", "x"], &["3"]),
        ("[]\nb=1\n", &["", "b"], &["1"]),
        ("[a]\nb\t= \u{c}1\u{b}\n", &["a", "b"], &["1"]),
        ("\u{feff}[a]\nb=1\n", &["a", "b"], &[]),
        ("[a]\nb=\"\"\n", &["a", "b"], &[""]),
    ] {
        assert_eq!(values(&conf(text), path), expected, "{text}");
    }
}

#[test]
fn what_mit_krb5_refuses_is_refused_with_its_line() {
    for (text, line, expected) in [
        ("[a]\nb c = 1\n", 2, ConfProblem::NotARelation),
        ("[a]\n = 1\n", 2, ConfProblem::NotARelation),
        ("\n[a]\nnoequals\n", 3, ConfProblem::NotARelation),
        ("[a] ; comment\n", 1, ConfProblem::BadSection),
        ("[a\n", 1, ConfProblem::BadSection),
        ("[a]\n}\n", 2, ConfProblem::ExtraBrace),
        ("[a]\nx = {\n}\n}\n", 4, ConfProblem::ExtraBrace),
        ("[a]\nx = {\n[b]\n}\n", 3, ConfProblem::SectionInBraces),
        ("[a]\nx =\n\n{\n}\n", 3, ConfProblem::MissingBrace),
        ("module foo:bar\n[a]\n", 1, ConfProblem::Module),
        ("[a]\nmodule foo:bar\n", 2, ConfProblem::NotARelation),
        ("[a]\n include b\n", 2, ConfProblem::NotARelation),
        ("[a]\ninclude b\n", 2, ConfProblem::Unreadable),
        ("includedir b\n", 1, ConfProblem::Unreadable),
    ] {
        assert_eq!(problem(text.as_bytes()), (line, expected), "{text}");
    }
}

#[test]
fn only_lines_that_matter_must_be_text() {
    let comment = b"caf\xe9 \0\n[a]\n# caf\xe9 \0\nb = 1\n";
    assert_eq!(
        Krb5Conf::parse(comment).unwrap().value(&["a", "b"]),
        Some("1")
    );
    assert_eq!(problem(b"[a]\nb = caf\xe9\n"), (2, ConfProblem::NotText));
    assert_eq!(problem(b"[a]\nb = 1\0\n"), (2, ConfProblem::NotText));
}

#[test]
fn included_files_stand_on_their_own_and_share_the_tree() {
    let mut files = Files::of(&[
        ("main", "include one\n[a]\nq = 1\ninclude two\nw = 1\n"),
        ("one", "before\n[a]\nz = 1\nx = {\n y = 1\n"),
        ("two", "[b]\nz = 2\n[a]\nz = 3"),
    ]);
    let conf = Krb5Conf::read(["main"], &mut files).unwrap();
    assert_eq!(values(&conf, &["a", "z"]), ["1", "3"]);
    assert_eq!(values(&conf, &["a", "w"]), ["1"]);
    assert_eq!(values(&conf, &["a", "x", "y"]), ["1"]);
    assert_eq!(conf.relation_names(&["a"]), ["q", "w", "z"]);
    assert_eq!(conf.section_names(&[]), ["a", "b"]);
    assert_eq!(conf.section_names(&["a"]), ["x"]);
}

#[test]
fn folders_are_read_in_order_and_without_leftovers() {
    let mut files = Files::of(&[
        ("main", "includedir d\n"),
        ("d/b.conf", "[a]\nz=2"),
        ("d/a", "[a]\nz=1"),
        ("d/c-1_2", "[a]\nz=3"),
        ("d/.d.conf", "[a]\nz=4"),
        ("d/a~", "[a]\nz=5"),
        ("d/b.conf.rpmsave", "[a]\nz=6"),
        ("d/folder", ""),
    ]);
    let conf = Krb5Conf::read(["main"], &mut files).unwrap();
    assert_eq!(values(&conf, &["a", "z"]), ["1", "2", "3"]);
}

#[test]
fn files_continue_each_other_up_to_what_is_final() {
    let mut files = Files::of(&[
        (
            "one",
            "[a]\nb = 1\nf* = 1\n[s]*\nx = 1\n[t]\nu = {\n v = 1\n}*\n",
        ),
        (
            "two",
            "[a]\nb = 2\nc = 2\nf = 2\n[s]\nx = 2\ny = 2\n[t]\nu = {\n v = 2\n}\nw = 2\n",
        ),
    ]);
    let both = Krb5Conf::read(["one", "absent", "two"], &mut files).unwrap();
    assert_eq!(values(&both, &["a", "b"]), ["1", "2"]);
    assert_eq!(values(&both, &["a", "c"]), ["2"]);
    // Seen in MIT krb5 1.20: the marker counts on sections only.
    assert_eq!(values(&both, &["a", "f"]), ["1", "2"]);
    assert_eq!(values(&both, &["s", "x"]), ["1"]);
    assert_eq!(values(&both, &["s", "y"]), [""; 0]);
    assert_eq!(values(&both, &["t", "u", "v"]), ["1"]);
    assert_eq!(values(&both, &["t", "w"]), ["2"]);
    let reversed = Krb5Conf::read(["two", "one"], &mut files).unwrap();
    assert_eq!(values(&reversed, &["s", "x"]), ["2", "1"]);
    let none = Krb5Conf::read(["absent"], &mut files).expect_err("no file");
    assert_eq!(
        (none.file(), none.problem()),
        ("absent", ConfProblem::NoFile)
    );
}

#[test]
fn files_that_include_themselves_are_refused() {
    let mut files = Files::of(&[
        ("self", "include self\n"),
        ("one", "include two\n"),
        ("two", "\ninclude one\n"),
        ("twice", "include leaf\ninclude leaf\n"),
        ("leaf", "[a]\nb = 1\n"),
    ]);
    let error = Krb5Conf::read(["self"], &mut files).expect_err("loop");
    assert_eq!(
        (error.line(), error.problem()),
        (1, ConfProblem::IncludeLoop)
    );
    let error = Krb5Conf::read(["one"], &mut files).expect_err("loop");
    assert_eq!(
        format!("{error}"),
        "two, line 2: the file includes itself; break the circle"
    );
    // Including a file twice is no loop.
    let conf = Krb5Conf::read(["twice"], &mut files).unwrap();
    assert_eq!(values(&conf, &["a", "b"]), ["1", "1"]);
}

/// Every path leads to a file that includes another: a loop that no comparison of names finds.
struct Endless;

impl ConfSource for Endless {
    fn file(&mut self, path: &str, _: usize) -> Result<Vec<u8>, SourceProblem> {
        Ok(format!("include {path}/x\n").into_bytes())
    }

    fn folder(&mut self, _: &str) -> Result<Vec<String>, SourceProblem> {
        Err(SourceProblem::Absent)
    }
}

/// A folder of more files than anybody has.
struct Crowd;

impl ConfSource for Crowd {
    fn file(&mut self, _: &str, limit: usize) -> Result<Vec<u8>, SourceProblem> {
        let text = "[a]\n".repeat(16_384);
        if text.len() > limit {
            return Err(SourceProblem::TooLarge);
        }
        Ok(text.into_bytes())
    }

    fn folder(&mut self, _: &str) -> Result<Vec<String>, SourceProblem> {
        Ok((0..100_000).map(|index| format!("f{index}")).collect())
    }
}

#[test]
fn depth_size_and_count_are_bounded() {
    let too_large = |result: Result<Krb5Conf, ConfError>| {
        result.expect_err("must be refused").problem() == ConfProblem::TooLarge
    };
    assert!(too_large(Krb5Conf::read(["x"], &mut Endless)));
    assert!(too_large(Krb5Conf::parse_with(
        "x",
        b"includedir d\n",
        &mut Crowd
    )));

    let nested = |depth: usize| {
        let text = format!("[a]\n{}", "x = {\n".repeat(depth));
        Krb5Conf::parse(text.as_bytes())
    };
    assert!(nested(crate::limits::CONF_DEPTH).is_ok());
    assert!(too_large(nested(crate::limits::CONF_DEPTH + 1)));

    let relations = |count: usize| {
        let text = format!("[a]\n{}", "b = 1\n".repeat(count));
        Krb5Conf::parse(text.as_bytes())
    };
    assert!(relations(crate::limits::CONF_RELATIONS - 1).is_ok());
    assert!(too_large(relations(crate::limits::CONF_RELATIONS)));

    assert!(Krb5Conf::parse(&vec![b'#'; crate::limits::CONF_BYTES]).is_ok());
    assert!(too_large(Krb5Conf::parse(&vec![
        b'#';
        crate::limits::CONF_BYTES
            + 1
    ])));
}

const SAMPLE: &str = "# a comment\n[libdefaults]\n default_realm = A.TEST\n forwardable = yes\n \
    A.TEST = {\n  ticket_lifetime = 1d\n }\n[realms]\n A.TEST = {\n  kdc = [::1]:88\n  kdc = \
    https://p/x\n  admin_server = h\n }\n[domain_realm]\n .a.test = \"A.TEST\"\n[capaths]\n A = {\n  B \
    = .\n }\n";

fn ask_everything(conf: &Krb5Conf) {
    let _ = conf.libdefaults();
    let _ = conf.libdefaults_for("A.TEST");
    let _ = conf.kdcs("A.TEST");
    let _ = conf.primary_kdcs("A.TEST");
    let _ = conf.password_servers("A.TEST");
    let _ = conf.http_anchors("A.TEST");
    let _ = conf.realm_of_host("h.a.test");
    let _ = conf.capaths().count();
    let _ = conf.default_ccache_name(&NameTokens::default());
}

#[test]
fn every_prefix_and_bit_flip_is_read_or_refused() {
    let mut read = 0u32;
    for end in 0..SAMPLE.len() {
        if let Ok(conf) = Krb5Conf::parse(&SAMPLE.as_bytes()[..end]) {
            ask_everything(&conf);
            read += 1;
        }
    }
    assert!(read > 20);
    for bit in 0..SAMPLE.len() * 8 {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(conf) = Krb5Conf::parse(&bytes) {
            ask_everything(&conf);
        }
    }
}

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
