//! Files that include and continue each other.

use super::*;
use alloc::format;

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

/// Files that are there and cannot be read.
struct Refusing;

impl ConfSource for Refusing {
    fn file(&mut self, path: &str, _: usize) -> Result<Vec<u8>, SourceProblem> {
        match path {
            "long" => Err(SourceProblem::TooLarge),
            "secret" => Err(SourceProblem::Unreadable),
            "folder" => Err(SourceProblem::Folder),
            _ => Ok(b"include long\n".to_vec()),
        }
    }

    fn folder(&mut self, _: &str) -> Result<Vec<String>, SourceProblem> {
        Err(SourceProblem::Unreadable)
    }
}

#[test]
fn a_file_that_cannot_be_read_is_refused_by_name_and_not_passed_over() {
    for (path, line, problem) in [
        ("secret", 0, ConfProblem::Unreadable),
        ("folder", 0, ConfProblem::Unreadable),
        ("long", 0, ConfProblem::TooLarge),
        ("main", 1, ConfProblem::TooLarge),
    ] {
        let error = Krb5Conf::read([path], &mut Refusing).expect_err(path);
        let found = (error.file(), error.line(), error.problem());
        assert_eq!(found, (path, line, problem));
    }
    let error = Krb5Conf::parse_with("main", b"includedir d\n", &mut Refusing);
    let error = error.expect_err("a folder that cannot be read");
    assert_eq!(
        (error.line(), error.problem()),
        (1, ConfProblem::Unreadable)
    );
}
