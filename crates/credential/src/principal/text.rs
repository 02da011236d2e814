//! The textual form of a principal: `component/component@REALM`.
//!
//! The form and its escapes are those of the C library's `krb5_parse_name` and `krb5_unparse_name`; RFC 4120 names
//! none. `\/`, `\@` and `\\` stand for the character itself, `\n`, `\t`, `\b` and `\0` for newline, tab, backspace
//! and NUL; a backslash before any other character is dropped. A slash after the `@` belongs to the realm, because
//! X.500 realms have them (RFC 4120 §6.1).

use alloc::vec::Vec;
use core::fmt::{self, Write as _};
use core::str::FromStr;

use super::{NameType, Principal};
use crate::error::{Error, NameProblem};
use crate::limits;

impl Principal {
    /// Reads `component/component@REALM`; the realm must be there.
    ///
    /// # Errors
    /// [`Error::Name`] with the position of what is wrong.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, Error> {
        parse(text.as_ref(), None)
    }

    /// Reads `component/component[@REALM]`; `realm` is taken when the text names none.
    ///
    /// # Errors
    /// [`Error::Name`] with the position of what is wrong.
    pub fn parse_with_default_realm(
        text: impl AsRef<[u8]>,
        realm: impl AsRef<[u8]>,
    ) -> Result<Self, Error> {
        parse(text.as_ref(), Some(realm.as_ref()))
    }

    /// The exact textual form: [`parse`](Self::parse) gives the same principal back, whatever bytes it holds (a
    /// principal without components excepted, which has no textual form).
    ///
    /// [`Display`](fmt::Display) is for people and logs: it writes the same text, with U+FFFD for control
    /// characters and for bytes that are no UTF-8.
    #[must_use]
    pub fn to_text(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len());
        for (index, component) in self.components().enumerate() {
            if index > 0 {
                out.push(b'/');
            }
            escape(component, true, &mut out);
        }
        out.push(b'@');
        escape(self.realm(), false, &mut out);
        out
    }
}

impl FromStr for Principal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_text();
        for chunk in text.utf8_chunks() {
            for character in chunk.valid().chars() {
                f.write_char(if character.is_control() {
                    char::REPLACEMENT_CHARACTER
                } else {
                    character
                })?;
            }
            if !chunk.invalid().is_empty() {
                f.write_char(char::REPLACEMENT_CHARACTER)?;
            }
        }
        Ok(())
    }
}

fn escape(bytes: &[u8], slash: bool, out: &mut Vec<u8>) {
    for &byte in bytes {
        let escaped = match byte {
            b'/' if slash => b'/',
            b'@' | b'\\' => byte,
            b'\n' => b'n',
            b'\t' => b't',
            0x08 => b'b',
            0 => b'0',
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', escaped]);
    }
}

fn parse(text: &[u8], default_realm: Option<&[u8]>) -> Result<Principal, Error> {
    let fail = |offset, problem| Err(Error::Name { offset, problem });
    if text.len() > limits::NAME_TEXT {
        return fail(limits::NAME_TEXT, NameProblem::TooLong);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut ends = Vec::new();
    let mut realm_start = None;
    let mut input = text.iter().copied().enumerate();
    while let Some((offset, byte)) = input.next() {
        match byte {
            b'\\' => match input.next() {
                Some((_, b'n')) => bytes.push(b'\n'),
                Some((_, b't')) => bytes.push(b'\t'),
                Some((_, b'b')) => bytes.push(0x08),
                Some((_, b'0')) => bytes.push(0),
                Some((_, other)) => bytes.push(other),
                None => return fail(offset, NameProblem::TrailingEscape),
            },
            b'/' if realm_start.is_none() => {
                if ends.len() >= limits::COMPONENTS {
                    return fail(offset, NameProblem::TooManyParts);
                }
                ends.push(bytes.len());
            }
            b'@' if realm_start.is_some() => return fail(offset, NameProblem::SecondRealm),
            b'@' => {
                if offset == 0 {
                    return fail(0, NameProblem::Empty);
                }
                ends.push(bytes.len());
                realm_start = Some(bytes.len());
            }
            0 => return fail(offset, NameProblem::BadCharacter),
            _ => bytes.push(byte),
        }
    }
    if text.is_empty() {
        return fail(0, NameProblem::Empty);
    }
    let (name, realm) = match (realm_start, default_realm) {
        (Some(start), _) => bytes.split_at_checked(start).unwrap_or_default(),
        (None, Some(realm)) => {
            ends.push(bytes.len());
            (bytes.as_slice(), realm)
        }
        (None, None) => return fail(text.len(), NameProblem::MissingRealm),
    };
    let mut start = 0;
    let components: Vec<&[u8]> = ends
        .iter()
        .map(|&end| {
            let component = name.get(start..end).unwrap_or_default();
            start = end;
            component
        })
        .collect();
    Ok(Principal::new(realm, &components, infer_type(&components)))
}

/// The type that the C library (1.20 and later) infers from the name.
fn infer_type(components: &[&[u8]]) -> NameType {
    match components {
        [b"krbtgt", _] => NameType::SRV_INST,
        [b"WELLKNOWN", _, ..] => NameType::WELL_KNOWN,
        _ => NameType::PRINCIPAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    fn problem(text: &str) -> (usize, NameProblem) {
        match Principal::parse(text) {
            Err(Error::Name { offset, problem }) => (offset, problem),
            other => panic!("{text:?} gave {other:?}"),
        }
    }

    #[test]
    fn text_with_escapes_is_read() {
        let text = r"a\/b/c\@d\\\n\t\b\0\x@R\@S/T";
        let principal = Principal::parse(text).unwrap();
        assert_eq!(text.parse(), Ok(principal.clone()));
        assert_eq!(principal.realm(), b"R@S/T");
        let components: Vec<_> = principal.components().collect();
        assert_eq!(components, [&b"a/b"[..], b"c@d\\\n\t\x08\0x"]);
    }

    #[test]
    fn faults_are_found_at_their_position() {
        assert!(Principal::parse("a@R").is_ok());
        assert_eq!(problem(""), (0, NameProblem::Empty));
        assert_eq!(problem("@R"), (0, NameProblem::Empty));
        assert_eq!(problem("abc"), (3, NameProblem::MissingRealm));
        assert_eq!(problem("a@R@S"), (3, NameProblem::SecondRealm));
        assert_eq!(problem("a\\"), (1, NameProblem::TrailingEscape));
        assert_eq!(problem("a\0b@R"), (1, NameProblem::BadCharacter));
        let long = "a/".repeat(limits::COMPONENTS + 1) + "@R";
        assert_eq!(problem(&long).1, NameProblem::TooManyParts);
        let longer = "a".repeat(limits::NAME_TEXT) + "@R";
        assert_eq!(problem(&longer).1, NameProblem::TooLong);
    }

    #[test]
    fn the_default_realm_is_taken_only_when_none_is_named() {
        let named = Principal::parse_with_default_realm("a@R", "S").unwrap();
        assert_eq!(named.realm(), b"R");
        let default = Principal::parse_with_default_realm("a/b", "S").unwrap();
        assert_eq!(default.to_string(), "a/b@S");
        assert_eq!(Principal::parse("a@").unwrap().realm(), b"");
    }

    #[test]
    fn types_are_inferred_as_the_c_library_does() {
        let name_type = |text| Principal::parse(text).unwrap().name_type();
        assert_eq!(name_type("a@R"), NameType::PRINCIPAL);
        assert_eq!(name_type("krbtgt/R@R"), NameType::SRV_INST);
        assert_eq!(name_type("WELLKNOWN/ANONYMOUS@R"), NameType::WELL_KNOWN);
    }

    /// CVE-2015-2697: a realm with a leading NUL; and every other byte.
    #[test]
    fn nul_non_utf8_and_64_kib_names_survive_their_text() {
        let every_byte: Vec<u8> = (0..=255).collect();
        for part in [
            &b"\0R"[..],
            b"\xff\xfe",
            &every_byte,
            &vec![b'x'; 65_536],
            b"",
        ] {
            let principal = Principal::new(part, [part, b"", part], NameType::PRINCIPAL);
            assert_eq!(Principal::parse(principal.to_text()).unwrap(), principal);
        }
    }

    #[test]
    fn display_never_prints_control_characters() {
        let principal = Principal::new("R\x1b[2J", ["a\nb\r\u{85}\x7f"], NameType::PRINCIPAL);
        let text = principal.to_string();
        assert!(!text.chars().any(char::is_control), "{text:?}");
        let invalid = Principal::new("R", [&b"\xffa"[..]], NameType::PRINCIPAL);
        assert_eq!(invalid.to_string(), "\u{fffd}a@R");
    }
}
