//! Sections, relations and values.

use super::*;
use alloc::format;

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
fn quoted_values_have_the_escapes_of_mit_krb5() {
    // Each seen to be read so by MIT krb5 1.20.
    for (quoted, expected) in [
        (r#""a\\tb""#, r"a\tb"),
        (r#""a\tb""#, "a\tb"),
        (r#""a\bb""#, "a\u{8}b"),
        (r#""a\"b""#, "a\"b"),
        (r#""ends with \"#, r"ends with \"),
    ] {
        let conf = conf(&format!("[a]\nb = {quoted}\n"));
        assert_eq!(conf.value(&["a", "b"]), Some(expected), "{quoted}");
    }
}

#[test]
fn a_path_that_names_no_relation_has_no_value() {
    let conf = conf("[a]\nb = 1\n");
    assert_eq!(conf.value(&["a", "b"]), Some("1"));
    for path in [&[][..], &["a"], &["b"], &["a", "b", "c"], &["A", "b"]] {
        assert_eq!(conf.value(path), None, "{path:?}");
    }
}
