//! `%{…}` in the names of files and caches.

use alloc::string::String;
use core::fmt::Write as _;

use super::error::ConfProblem;

/// What `%{…}` stands for in the names of keytabs and credential caches. Values that are absent are not guessed: a
/// name that needs one is refused.
///
/// Source: MIT krb5 documentation, "krb5.conf", "Parameter expansion".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameTokens<'a> {
    /// `%{uid}` and `%{USERID}`: the real user's number.
    pub uid: Option<u32>,
    /// `%{euid}`: the effective user's number.
    pub euid: Option<u32>,
    /// `%{username}`: the effective user's name.
    pub username: Option<&'a str>,
    /// `%{TEMP}`: the folder of temporary files.
    pub temp: Option<&'a str>,
}

impl NameTokens<'_> {
    /// The text with each `%{…}` replaced; `%{null}` stands for nothing.
    ///
    /// # Errors
    /// [`ConfProblem::UnknownToken`] for one that is unknown, has no value here, or does not end.
    pub fn expand(&self, text: &str) -> Result<String, ConfProblem> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("%{") {
            let (token, after) = after.split_once('}').ok_or(ConfProblem::UnknownToken)?;
            out.push_str(before);
            let number = match token {
                "uid" | "USERID" => self.uid,
                "euid" => self.euid,
                _ => None,
            };
            match (token, number) {
                (_, Some(number)) => {
                    let _ = write!(out, "{number}");
                }
                ("username", _) => out.push_str(self.username.ok_or(ConfProblem::UnknownToken)?),
                ("TEMP", _) => out.push_str(self.temp.ok_or(ConfProblem::UnknownToken)?),
                ("null", _) => {}
                _ => return Err(ConfProblem::UnknownToken),
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_replaced_by_the_callers_values() {
        let tokens = NameTokens {
            uid: Some(1000),
            euid: Some(0),
            username: Some("alice"),
            temp: Some("/tmp"),
        };
        for (text, expanded) in [
            ("FILE:%{TEMP}/krb5cc_%{uid}", "FILE:/tmp/krb5cc_1000"),
            ("KEYRING:persistent:%{USERID}", "KEYRING:persistent:1000"),
            ("%{euid}%{null}-%{username}", "0-alice"),
            ("100%", "100%"),
            ("", ""),
        ] {
            assert_eq!(tokens.expand(text).as_deref(), Ok(expanded));
        }
    }

    #[test]
    fn what_is_unknown_or_unfinished_is_refused() {
        let tokens = NameTokens {
            uid: Some(1000),
            ..NameTokens::default()
        };
        assert!(tokens.expand("%{uid}").is_ok());
        for text in [
            "%{euid}",
            "%{username}",
            "%{TEMP}",
            "%{uid",
            "%{}",
            "%{nonsense}",
            "%{ui}",
        ] {
            assert_eq!(
                tokens.expand(text),
                Err(ConfProblem::UnknownToken),
                "{text}"
            );
        }
    }
}
