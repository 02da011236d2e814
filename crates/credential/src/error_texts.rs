//! What the errors of this crate tell people.

use alloc::format;
use alloc::string::{String, ToString};
use core::error::Error as _;
use std::collections::HashSet;

use crate::error::{Absent, Error, FormatProblem, NameProblem};
use crate::kcm::{KcmCode, KcmError};
use crate::krb5_conf::{ConfProblem, Krb5Conf};

/// The texts of the values. Fails to compile when a variant has no value here.
macro_rules! texts {
    ($type:ty: $($variant:pat => $value:expr,)*) => {{
        fn _every(value: $type) {
            match value {
                $($variant => (),)*
            }
        }
        [$($value.to_string(),)*]
    }};
}

/// Each is one line that can follow a program's own words and a colon, and no two are the same.
fn check(texts: &[String]) {
    for text in texts {
        assert!(text.starts_with(char::is_lowercase), "{text:?}");
        assert!(!text.ends_with(['.', '!', ' ', ':', ';']), "{text:?}");
        assert!(!text.contains(char::is_control), "{text:?}");
        assert!((10..=160).contains(&text.chars().count()), "{text:?}");
    }
    let distinct: HashSet<_> = texts.iter().collect();
    assert_eq!(distinct.len(), texts.len(), "{texts:#?}");
}

fn check_exactly(expected: &[(&dyn ToString, &str)]) {
    for (value, text) in expected {
        assert_eq!(value.to_string(), *text);
    }
}

fn format_error(offset: usize, problem: FormatProblem) -> Error {
    Error::Format { offset, problem }
}

fn name_error(offset: usize, problem: NameProblem) -> Error {
    Error::Name { offset, problem }
}

#[test]
fn every_problem_of_a_file_or_name_has_its_own_line() {
    let format = texts!(FormatProblem:
        FormatProblem::Truncated => FormatProblem::Truncated,
        FormatProblem::BadMagic => FormatProblem::BadMagic,
        FormatProblem::UnsupportedVersion(_) => FormatProblem::UnsupportedVersion(9),
        FormatProblem::TooLarge => FormatProblem::TooLarge,
        FormatProblem::MissingRealm => FormatProblem::MissingRealm,
        FormatProblem::BadBoolean => FormatProblem::BadBoolean,
        FormatProblem::TrailingBytes => FormatProblem::TrailingBytes,
        FormatProblem::BadHeader => FormatProblem::BadHeader,
    );
    let name = texts!(NameProblem:
        NameProblem::Empty => NameProblem::Empty,
        NameProblem::MissingRealm => NameProblem::MissingRealm,
        NameProblem::SecondRealm => NameProblem::SecondRealm,
        NameProblem::TrailingEscape => NameProblem::TrailingEscape,
        NameProblem::TooManyParts => NameProblem::TooManyParts,
        NameProblem::TooLong => NameProblem::TooLong,
        NameProblem::BadCharacter => NameProblem::BadCharacter,
        NameProblem::BadPort => NameProblem::BadPort,
    );
    let absent = texts!(Absent:
        Absent::Principal => Absent::Principal,
        Absent::Enctype => Absent::Enctype,
        Absent::Kvno => Absent::Kvno,
    );
    let error = texts!(Error:
        Error::Format { .. } => format_error(1, FormatProblem::BadBoolean),
        Error::Name { .. } => name_error(1, NameProblem::TooLong),
        Error::NotRepresentable => Error::NotRepresentable,
        Error::NotFound(_) => Error::NotFound(Absent::Kvno),
        Error::UnsupportedEnctype(_) => Error::UnsupportedEnctype(7),
        Error::InvalidKeyLength(_) => Error::InvalidKeyLength(7),
    );
    check(&[&format[..], &name].concat());
    check(&absent);
    check(&error);
}

#[test]
fn what_an_administrator_can_mend_is_said_with_the_remedy() {
    check_exactly(&[
        (
            &format_error(21, FormatProblem::Truncated),
            "byte 21: the data end inside a field; copy the whole file",
        ),
        (
            &format_error(0, FormatProblem::BadMagic),
            "byte 0: expected 5, the first byte of a keytab or credential cache",
        ),
        (
            &format_error(1, FormatProblem::UnsupportedVersion(9)),
            "byte 1: version 9 of the format does not exist",
        ),
        (
            &format_error(40, FormatProblem::TrailingBytes),
            "byte 40: expected the end; pass one item only",
        ),
        (
            &name_error(3, NameProblem::MissingRealm),
            "character at byte 3: expected @REALM; append it or give a default realm",
        ),
        (
            &name_error(5, NameProblem::SecondRealm),
            r"character at byte 5: a second @; escape it as \@ if it belongs to the name",
        ),
        (
            &name_error(8, NameProblem::TrailingEscape),
            r"character at byte 8: the text ends with \; write \\ for a backslash",
        ),
        (
            &name_error(9, NameProblem::BadPort),
            "character at byte 9: expected a port or an instance name after the colon",
        ),
        (
            &Error::NotRepresentable,
            "a name, key, number or time does not fit the file format; write a newer version or shorten it",
        ),
        (
            &Error::UnsupportedEnctype(-133),
            "enctype -133 is not supported by this build; use a key of a supported enctype or enable its feature",
        ),
        (
            &Error::InvalidKeyLength(18),
            "the key's length is not that of enctype 18; extract the key again",
        ),
        (
            &Error::NotFound(Absent::Principal),
            "the keytab has no key of this principal; add it with ktadd or ktpass",
        ),
        (
            &Error::NotFound(Absent::Enctype),
            "the keytab has no key of this enctype for the principal; extract it again with that enctype",
        ),
        (
            &Error::NotFound(Absent::Kvno),
            "the keytab has no key of this version for the principal; the key was changed, extract it again",
        ),
    ]);
}

#[test]
fn every_problem_of_a_cache_server_has_its_own_line() {
    let error = texts!(KcmError:
        KcmError::Refused(_) => KcmError::Refused(KcmCode::PERMISSION),
        KcmError::Malformed(_) => KcmError::Malformed(format_error(4, FormatProblem::Truncated)),
        KcmError::TooLarge(_) => KcmError::TooLarge(10_485_761),
        KcmError::BadName => KcmError::BadName,
        KcmError::TrailingBytes => KcmError::TrailingBytes,
    );
    check(&error);
    let absent = [KcmCode::NOT_FOUND, KcmCode::END];
    let unsupported = [KcmCode::INTERNAL, KcmCode::IO, KcmCode::UNSUPPORTED];
    for [first, other] in [absent, [unsupported[0], unsupported[1]]] {
        assert_eq!(first.to_string(), other.to_string());
    }
    assert_eq!(unsupported[0].to_string(), unsupported[2].to_string());
    check(&[
        KcmCode::NO_CACHE.to_string(),
        KcmCode::PERMISSION.to_string(),
        absent[0].to_string(),
        unsupported[0].to_string(),
        KcmCode(13).to_string(),
        KcmCode(-13).to_string(),
    ]);
}

#[test]
fn what_a_cache_server_refused_is_said_with_the_remedy() {
    check_exactly(&[
        (
            &KcmError::Refused(KcmCode::NO_CACHE),
            "the KCM server refused: there is no such cache; get tickets first",
        ),
        (
            &KcmError::Refused(KcmCode::END),
            "the KCM server refused: there is no such entry; list them again",
        ),
        (
            &KcmError::Refused(KcmCode::PERMISSION),
            "the KCM server refused: the cache is another user's",
        ),
        (
            &KcmError::Refused(KcmCode::UNSUPPORTED),
            "the KCM server refused: it failed or lacks the operation; see its log",
        ),
        (
            &KcmError::Refused(KcmCode(13)),
            "the KCM server refused: code 13; see the server's log",
        ),
        (
            &KcmError::TooLarge(10_485_761),
            "a KCM reply of 10485761 bytes is over the limit",
        ),
        (
            &KcmError::BadName,
            "not a name of a KCM cache; use text without NUL",
        ),
    ]);
}

#[test]
fn a_malformed_reply_leads_to_the_byte_that_is_wrong() {
    let inner = format_error(12, FormatProblem::Truncated);
    let error = KcmError::from(inner);
    assert_eq!(error, KcmError::Malformed(inner));
    assert_eq!(error.to_string(), format!("not the KCM protocol: {inner}"));
    let source = error.source().and_then(|source| source.downcast_ref());
    assert_eq!(source, Some(&inner));
    assert!(KcmError::TrailingBytes.source().is_none());
    assert!(KcmError::Refused(KcmCode::END).source().is_none());
}

#[test]
fn every_problem_of_a_configuration_has_its_own_line() {
    let texts = texts!(ConfProblem:
        ConfProblem::Unreadable => ConfProblem::Unreadable,
        ConfProblem::NoFile => ConfProblem::NoFile,
        ConfProblem::TooLarge => ConfProblem::TooLarge,
        ConfProblem::IncludeLoop => ConfProblem::IncludeLoop,
        ConfProblem::Module => ConfProblem::Module,
        ConfProblem::NotText => ConfProblem::NotText,
        ConfProblem::BadSection => ConfProblem::BadSection,
        ConfProblem::SectionInBraces => ConfProblem::SectionInBraces,
        ConfProblem::NotARelation => ConfProblem::NotARelation,
        ConfProblem::MissingBrace => ConfProblem::MissingBrace,
        ConfProblem::ExtraBrace => ConfProblem::ExtraBrace,
        ConfProblem::NotABoolean => ConfProblem::NotABoolean,
        ConfProblem::NotANumber => ConfProblem::NotANumber,
        ConfProblem::NotADuration => ConfProblem::NotADuration,
        ConfProblem::NotAServer => ConfProblem::NotAServer,
        ConfProblem::UnknownToken => ConfProblem::UnknownToken,
    );
    check(&texts);
}

#[test]
fn a_line_of_a_configuration_is_refused_with_what_should_stand_there() {
    for (text, expected) in [
        (
            "\n[libdefaults\n",
            "krb5.conf, line 2: expected [name] or [name]* alone on the line",
        ),
        (
            "[a]\nx = {\n[b]\n}\n",
            "krb5.conf, line 3: a section begins inside of braces; close them first",
        ),
        (
            "[a]\nb c = 1\n",
            "krb5.conf, line 2: expected name = value, without blanks in the name",
        ),
        (
            "[a]\nx =\n\n",
            "krb5.conf, line 3: expected { on the line after name =",
        ),
        (
            "[a]\n}\n",
            "krb5.conf, line 2: there is no open brace; remove this one",
        ),
        (
            "module secret.so:x\n",
            "krb5.conf, line 1: profile modules are not loaded; write the settings into a file",
        ),
        (
            "include /absent\n",
            "krb5.conf, line 1: cannot be read; check that it exists and who may read it",
        ),
    ] {
        let refused = Krb5Conf::parse(text.as_bytes()).expect_err(text);
        assert_eq!(refused.to_string(), expected);
        assert!(refused.source().is_none());
    }
    let none = Krb5Conf::read([], &mut crate::krb5_conf::NoFiles).expect_err("no file");
    let expected = "krb5.conf: there is no configuration; name a file that exists";
    assert_eq!((none.to_string().as_str(), none.line()), (expected, 0));
}

#[test]
fn a_setting_is_refused_with_the_kinds_of_values_that_it_takes() {
    let libdefaults = |line: &str| {
        let conf = Krb5Conf::parse(format!("[libdefaults]\n{line}\n").as_bytes()).unwrap();
        conf.libdefaults().map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(libdefaults("forwardable = yes\nclockskew = 10h"), Ok(()));
    for (line, expected) in [
        ("forwardable = perhaps", "expected true or false"),
        (
            "udp_preference_limit = -1",
            "expected a number within bounds",
        ),
        (
            "clockskew = soon",
            "expected a duration such as 300, 10h, 1d 12h or 36:00",
        ),
    ] {
        let expected = format!("krb5.conf, line 2: {expected}");
        assert_eq!(libdefaults(line), Err(expected));
    }
    let conf = Krb5Conf::parse(b"[realms]\nR = {\n kdc = a b\n}\n").unwrap();
    assert_eq!(
        conf.kdcs("R").expect_err("a blank").to_string(),
        "krb5.conf, line 3: expected host, host:port, [address]:port or https://host/path"
    );
}

#[cfg(feature = "ntlm")]
#[test]
fn every_problem_of_a_file_of_users_has_its_own_line() {
    use crate::ntlm::{Users, UsersErrorKind};
    let texts = texts!(UsersErrorKind:
        UsersErrorKind::TooLarge => UsersErrorKind::TooLarge,
        UsersErrorKind::NotText => UsersErrorKind::NotText,
        UsersErrorKind::Incomplete => UsersErrorKind::Incomplete,
        UsersErrorKind::NotAHash => UsersErrorKind::NotAHash,
        UsersErrorKind::Name(_) => UsersErrorKind::Name(NameProblem::BadCharacter),
        UsersErrorKind::NoPassword => UsersErrorKind::NoPassword,
        UsersErrorKind::Duplicate => UsersErrorKind::Duplicate,
    );
    check(&texts);
    for (file, expected) in [
        (
            &b"# users\nalice\n"[..],
            "line 2: expected DOMAIN:user:password or user:hash",
        ),
        (
            b"CORP:alice:",
            "line 1: the password is empty; give the user one, or remove the line",
        ),
        (
            b"CORP:alice:\xff",
            "line 1: the line is not UTF-8 text; save the file as UTF-8",
        ),
        (
            b"CORP:alice:one\ncorp:ALICE:two\n",
            "line 2: the user is there already; remove one of both",
        ),
    ] {
        let refused = Users::parse(file).expect_err(expected);
        assert_eq!(refused.to_string(), expected);
    }
    let size = std::vec![b'\n'; crate::limits::NTLM_USERS_BYTES + 1];
    assert_eq!(
        Users::parse(&size).expect_err("too large").to_string(),
        "the file or the number of its users is over the limit"
    );
}
