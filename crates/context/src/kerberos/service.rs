//! Which service names an acceptor answers for.

use core::fmt;

use countersign_credential::Principal;

/// A pattern of service principals: `HTTP/www.example.com`, `HTTP/*`, either with `@REALM`.
///
/// The service part is compared exactly, the host without regard to ASCII case, as host names are.
///
/// ```
/// use countersign_context::kerberos::ServicePattern;
///
/// let pattern = ServicePattern::parse("HTTP/*").unwrap();
/// assert_eq!(pattern.to_string(), "HTTP/*");
/// assert!(ServicePattern::parse("/www.example.com").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePattern {
    components: Vec<Vec<u8>>,
    any_host: bool,
    realm: Option<Vec<u8>>,
}

impl ServicePattern {
    /// Parses `service`, `service/host`, `service/*`, each optionally followed by `@REALM`; `None`
    /// if a part is empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, realm) = match text.split_once('@') {
            Some((name, realm)) => (name, Some(realm)),
            None => (text, None),
        };
        let (name, any_host) = match name.strip_suffix("/*") {
            Some(service) => (service, true),
            None => (name, false),
        };
        let components: Vec<Vec<u8>> = name
            .split('/')
            .map(|component| component.as_bytes().to_vec())
            .collect();
        let empty = components.iter().any(Vec::is_empty) || realm.is_some_and(str::is_empty);
        (!empty).then(|| Self {
            components,
            any_host,
            realm: realm.map(|r| r.as_bytes().to_vec()),
        })
    }

    /// Exactly this principal.
    #[must_use]
    pub fn exactly(principal: &Principal) -> Self {
        Self {
            components: principal.components().map(<[u8]>::to_vec).collect(),
            any_host: false,
            realm: Some(principal.realm().to_vec()),
        }
    }

    /// Whether it covers more than one name of a realm.
    pub(super) fn any_host(&self) -> bool {
        self.any_host
    }

    /// Whether the pattern fits the name.
    #[must_use]
    pub fn matches(&self, principal: &Principal) -> bool {
        let realm_fits = self
            .realm
            .as_ref()
            .is_none_or(|realm| realm == principal.realm());
        let mut name = principal.components();
        let mut service = true;
        let prefix_fits = self.components.iter().all(|wanted| {
            name.next().is_some_and(|found| {
                if core::mem::take(&mut service) {
                    found == wanted.as_slice()
                } else {
                    found.eq_ignore_ascii_case(wanted)
                }
            })
        });
        let rest_fits = if self.any_host {
            name.next().is_some()
        } else {
            name.next().is_none()
        };
        realm_fits && prefix_fits && rest_fits
    }
}

impl fmt::Display for ServicePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, component) in self.components.iter().enumerate() {
            let separator = if index == 0 { "" } else { "/" };
            write!(f, "{separator}{}", component.escape_ascii())?;
        }
        if self.any_host {
            f.write_str("/*")?;
        }
        match &self.realm {
            Some(realm) => write!(f, "@{}", realm.escape_ascii()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_with_an_empty_part_are_refused_and_others_print_as_they_are_written() {
        for empty in [
            "", "/", "HTTP/", "/host", "HTTP//*", "HTTP@", "@REALM", "HTTP/*@",
        ] {
            assert_eq!(ServicePattern::parse(empty), None, "{empty}");
        }
        for text in ["HTTP", "HTTP/host", "HTTP/*", "a/b/c@REALM", "HTTP/*@REALM"] {
            let pattern = ServicePattern::parse(text).unwrap();
            assert_eq!(pattern.to_string(), text);
        }
    }

    #[test]
    fn an_exact_pattern_fits_its_principal_and_no_other() {
        let principal = |text| Principal::parse(text).unwrap();
        let exactly = ServicePattern::exactly(&principal("HTTP/host@REALM"));
        assert!(exactly.matches(&principal("HTTP/HOST@REALM")));
        for other in [
            "http/host@REALM",
            "HTTP/host@realm",
            "HTTP/host/more@REALM",
            "HTTP@REALM",
            "HTTP/hos@REALM",
        ] {
            assert!(!exactly.matches(&principal(other)), "{other}");
        }
    }
}
