use super::*;
use crate::error::NameProblem;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

const DIGITS: &str = "cfc43211ba8dc470832267827cac1407";

fn users(text: &str) -> Users {
    Users::parse(text.as_bytes()).unwrap()
}

fn refused(bytes: &[u8]) -> (u32, UsersErrorKind) {
    let error = Users::parse(bytes).unwrap_err();
    (error.line(), error.kind())
}

fn has(users: &Users, domain: &str, user: &str, password: &str) -> bool {
    users
        .find(domain, user)
        .is_some_and(|(_, hash)| hash.ct_eq(&NtHash::from_password(password)))
}

#[test]
fn passwords_are_all_that_follows_the_second_colon() {
    for password in [
        "p",
        "a:b::c:",
        " blanks ",
        "#",
        "pässword",
        DIGITS,
        "[U]",
        "\t",
    ] {
        let users = users(&format!("CORP:alice:{password}\r\n"));
        assert!(has(&users, "CORP", "alice", password), "{password:?}");
        assert!(!has(&users, "CORP", "alice", &format!("{password} ")));
        assert_eq!(users.len(), 1);
    }
}

#[test]
fn hashes_are_read_in_both_cases() {
    let users = users(&format!(
        "alice:{DIGITS}\nCORP\\bob:{}\ncarol@corp.example: {DIGITS} ",
        DIGITS.to_uppercase()
    ));
    assert!(has(&users, "", "alice", "correct horse"));
    assert!(has(&users, "ANY", "alice", "correct horse"));
    assert!(has(&users, "CORP", "bob", "correct horse"));
    assert!(users.find("OTHER", "bob").is_none());
    assert!(has(&users, "", "carol@corp.example", "correct horse"));
    assert_eq!(users.len(), 3);
}

#[test]
fn names_are_found_in_any_case_and_their_own_domain_goes_first() {
    let users = users("Corp:Jürgen:one\n*:jürgen:two\n:bob:three\n corp.example : carol :four");
    for (domain, user) in [("CORP", "JÜRGEN"), ("corp", "jürgen"), ("Corp", "Jürgen")] {
        assert!(has(&users, domain, user, "one"));
    }
    for domain in ["", "OTHER", "*", "CORP2"] {
        assert!(has(&users, domain, "JÜRGEN", "two"), "{domain}");
        assert!(has(&users, domain, "Bob", "three"), "{domain}");
        assert!(users.find(domain, "carol").is_none(), "{domain}");
    }
    assert!(has(&users, "CORP.EXAMPLE", "carol", "four"));
    assert!(users.find("Corp", "Jurgen").is_none());
}

/// What a peer may send as a name.
#[test]
fn names_that_no_account_can_have_are_not_found() {
    let users = users("CORP:alice:one\n*:bob:two");
    assert!(users.find("CORP", "alice").is_some());
    let long = "x".repeat(100_000);
    for (domain, user) in [
        ("", "CORP\\alice"),
        ("CORP\\", "alice"),
        ("CORP\\alice", ""),
        ("CORP", ""),
        ("", ""),
        ("CORP", "alice\0"),
        ("\\", "bob"),
        (&long, &long),
    ] {
        let found = users.find(domain, user).is_some();
        assert_eq!(found, user == "bob", "{domain} {user}");
    }
}

#[test]
fn comments_and_empty_lines_are_passed_over() {
    let text = "\u{feff}# one:two:three\r\n\n   \r\n\t# four\nCORP:alice:one\n\n";
    assert_eq!(users(text).len(), 1);
    assert!(users("").is_empty());
    assert!(Users::new().is_empty());
}

#[test]
fn lines_of_samba_give_the_accounts_that_can_log_on() {
    let none = "X".repeat(32);
    let no_password = "NO PASSWORDXXXXXXXXXXXXXXXXXXXXX";
    let line = |name: &str, lm: &str, nt: &str, flags: &str| {
        format!("{name}:1000:{lm}:{nt}:[{flags}]:LCT-5F5E1000:\n")
    };
    let nt = DIGITS.to_uppercase();
    for lm in [&none, no_password, &nt] {
        let users = users(&line("alice", lm, &nt, "U          "));
        assert!(has(&users, "CORP", "Alice", "correct horse"));
        assert!(users.find("alice", "1000").is_none());
    }
    for (nt, flags) in [
        (&nt, "DU         "),
        (&nt, "UL         "),
        (&nt, "NU         "),
        (&nt, "W          "),
        (&nt, ""),
        (&none, "U          "),
        (&no_password.to_string(), "U          "),
    ] {
        assert!(
            users(&line("alice", &none, nt, flags)).is_empty(),
            "{flags}"
        );
    }
    // Less than such a line is what it says.
    for text in [
        format!("alice:1000:{none}:{nt}:U\n"),
        format!("alice:1000:{none}:{}:[U]\n", &nt[1..]),
        format!("alice:10a0:{none}:{nt}:[U]\n"),
    ] {
        let (user, password) = text.trim_end()["alice:".len()..].split_once(':').unwrap();
        assert!(has(&users(&text), "alice", user, password), "{text}");
    }
}

#[test]
fn malformed_lines_are_refused_by_their_number() {
    assert_eq!(users("CORP:alice:one\nCORP:bob:two").len(), 2);
    for (line, kind) in [
        (&b"alice"[..], UsersErrorKind::Incomplete),
        (b"alice:", UsersErrorKind::NotAHash),
        (b"alice:password", UsersErrorKind::NotAHash),
        (
            b"alice:cfc43211ba8dc470832267827cac140",
            UsersErrorKind::NotAHash,
        ),
        (b"CORP:alice:", UsersErrorKind::NoPassword),
        (b"CORP::one", UsersErrorKind::Name(NameProblem::Empty)),
        (
            b":cfc43211ba8dc470832267827cac1407",
            UsersErrorKind::Name(NameProblem::Empty),
        ),
        (
            b"CO\\RP:alice:one",
            UsersErrorKind::Name(NameProblem::TooManyParts),
        ),
        (
            b"CORP:al\0ice:one",
            UsersErrorKind::Name(NameProblem::BadCharacter),
        ),
        (b"CORP:alice:\xff", UsersErrorKind::NotText),
        (b"corp:BOB:one", UsersErrorKind::Duplicate),
        (
            b"corp\\bob:cfc43211ba8dc470832267827cac1407",
            UsersErrorKind::Duplicate,
        ),
    ] {
        let file = [b"# users\nCORP:Bob:two\n", line, b"\nCORP:carol:one"].concat();
        assert_eq!(refused(&file), (3, kind), "{line:?}");
    }
    let long = [b"CORP:".to_vec(), alloc::vec![b'x'; 257], b":one".to_vec()].concat();
    assert_eq!(
        refused(&long),
        (1, UsersErrorKind::Name(NameProblem::TooLong))
    );
}

#[test]
fn the_same_user_of_two_domains_is_two_users() {
    let mut users = users("CORP:alice:one\nLAB:alice:two\n*:alice:three");
    assert_eq!(users.len(), 3);
    let name = || AccountName::parse("lab\\ALICE").unwrap();
    let refused = users.insert(name(), NtHash::from_password("four"));
    assert_eq!(refused, Err(UsersErrorKind::Duplicate));
    assert!(has(&users, "LAB", "alice", "two"));
}

#[test]
fn files_and_numbers_of_users_have_limits() {
    let lines = |count: usize| {
        (0..count)
            .flat_map(|number| format!("u{number}:{DIGITS}\n").into_bytes())
            .collect::<Vec<_>>()
    };
    assert_eq!(Users::parse(&lines(NTLM_USERS)).unwrap().len(), NTLM_USERS);
    let (line, kind) = refused(&lines(NTLM_USERS + 1));
    assert_eq!(
        (line as usize, kind),
        (NTLM_USERS + 1, UsersErrorKind::TooLarge)
    );
    let mut file = alloc::vec![b'\n'; NTLM_USERS_BYTES];
    assert!(Users::parse(&file).is_ok());
    file.push(b'\n');
    assert_eq!(refused(&file), (0, UsersErrorKind::TooLarge));
}

#[test]
fn errors_tell_the_line_and_none_of_it() {
    for line in [
        "secret",
        "secret:secret",
        "CORP:secret:",
        "CORP:sec\\ret:secret",
    ] {
        let error = Users::parse(format!("\n{line}").as_bytes()).unwrap_err();
        let text = format!("{error} {error:?} {:?}", Users::parse(line.as_bytes()));
        assert!(
            text.starts_with("line 2: ") && !text.contains("secret"),
            "{text}"
        );
    }
}

#[test]
fn a_user_is_found_under_the_name_of_the_file_not_the_one_that_was_asked_for() {
    let users = users("Corp:Alice:secret\n*:bob:secret\n");
    let name = |domain, user| users.find(domain, user).unwrap().0.to_string();
    assert_eq!(name("CORP", "alice"), "Corp\\Alice");
    assert_eq!(name("PENTAGON", "BOB"), "bob");
}
