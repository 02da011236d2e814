//! Bounds, and input that is damaged.

use super::*;
use crate::krb5_conf::NameTokens;
use crate::limits;
use alloc::format;
use alloc::vec;

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
    assert!(nested(limits::CONF_DEPTH).is_ok());
    assert!(too_large(nested(limits::CONF_DEPTH + 1)));

    let relations = |count: usize| {
        let text = format!("[a]\n{}", "b = 1\n".repeat(count));
        Krb5Conf::parse(text.as_bytes())
    };
    assert!(relations(limits::CONF_RELATIONS - 1).is_ok());
    assert!(too_large(relations(limits::CONF_RELATIONS)));

    assert!(Krb5Conf::parse(&vec![b'#'; limits::CONF_BYTES]).is_ok());
    assert!(too_large(Krb5Conf::parse(&vec![
        b'#';
        limits::CONF_BYTES + 1
    ])));
}

#[test]
fn a_list_of_more_files_than_the_limit_is_refused_at_the_first_of_them() {
    let mut files = Files::of(&[("one", "[a]\nb = 1\n")]);
    let mut read = |count: usize| Krb5Conf::read((0..count).map(|_| "one"), &mut files);
    let most = read(limits::CONF_FILES).unwrap();
    assert_eq!(values(&most, &["a", "b"]).len(), limits::CONF_FILES);
    let error = read(limits::CONF_FILES + 1).expect_err("too many");
    let found = (error.file(), error.line(), error.problem());
    assert_eq!(found, ("one", 0, ConfProblem::TooLarge));
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
