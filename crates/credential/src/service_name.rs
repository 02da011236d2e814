//! Service principal names as programs write them.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::error::{Error, NameProblem};
use crate::limits;
use crate::principal::{NameType, Principal};

/// The name of a service that a client wants to reach or a server offers.
///
/// Two forms are read:
/// - `service/host[:port][/name][@REALM]`, the service principal name of MS-KILE and `DsMakeSpn`; what follows the
///   colon is a port or an instance name;
/// - `service@host`, the host-based service of RFC 2743 §4.1.
///
/// A name with a slash before its `@` is of the first form. IPv6 addresses stand in brackets when a port follows.
///
/// ```
/// use countersign_credential::ServiceName;
///
/// let database = ServiceName::parse("MSSQLSvc/db.example.com:1433@EXAMPLE.COM")?;
/// assert_eq!(database.host(), "db.example.com");
/// assert_eq!(database.port(), Some(1433));
/// assert_eq!(database.realm(), Some("EXAMPLE.COM"));
///
/// let web = ServiceName::parse("HTTP@Web.Example.Com")?;
/// assert_eq!(web.to_principal(Some("EXAMPLE.COM"))?.to_string(), "HTTP/web.example.com@EXAMPLE.COM");
/// # Ok::<(), countersign_credential::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServiceName {
    service: String,
    host: String,
    suffix: Option<String>,
    name: Option<String>,
    realm: Option<String>,
    host_based: bool,
}

impl ServiceName {
    /// Reads either form.
    ///
    /// # Errors
    /// [`Error::Name`] with the position of what is wrong.
    pub fn parse(text: &str) -> Result<Self, Error> {
        check_characters(text)?;
        match text.split_once('/') {
            Some((service, rest)) if !service.contains('@') => parse_spn(text, service, rest),
            _ => parse_host_based(text),
        }
    }

    /// The service that runs on a host: `service/host`.
    ///
    /// # Errors
    /// [`Error::Name`] when a part is empty or holds a character that would make it another name.
    pub fn new(service: &str, host: &str) -> Result<Self, Error> {
        for part in [service, host] {
            check_characters(part)?;
            require(part, 0)?;
            if let Some(offset) = part.find(['/', '@']) {
                return fail(offset, NameProblem::BadCharacter);
            }
        }
        let (host, suffix) = split_host(host, 0)?;
        Ok(Self {
            service: service.into(),
            host: host.into(),
            suffix: suffix.map(Into::into),
            name: None,
            realm: None,
            host_based: false,
        })
    }

    /// The class of the service: `HTTP`, `host`, `cifs`, …
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The host, without port; an IPv6 address keeps its brackets when it was written with them.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, when a number follows the host's colon.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.suffix.as_deref()?.parse().ok()
    }

    /// The instance name, when something else than a port follows the host's colon.
    #[must_use]
    pub fn instance(&self) -> Option<&str> {
        match self.port() {
            Some(_) => None,
            None => self.suffix.as_deref(),
        }
    }

    /// The third part, the name of the service that a host serves (a domain, a replica).
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The realm, when the text names it.
    #[must_use]
    pub fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    /// The principal. `realm` is taken when the name has none of its own; no realm is ever made up.
    ///
    /// The host of a `service@host` name is written in lower case, as the C library's `krb5_sname_to_principal`
    /// does; the other form is taken as it stands.
    ///
    /// # Errors
    /// [`NameProblem::MissingRealm`] when neither names a realm.
    pub fn to_principal(&self, realm: Option<&str>) -> Result<Principal, Error> {
        match self.realm().or(realm) {
            Some(realm) => Ok(self.in_realm(realm.as_bytes())),
            None => fail(0, NameProblem::MissingRealm),
        }
    }

    fn in_realm(&self, realm: &[u8]) -> Principal {
        let mut instance = self.host.clone();
        if self.host_based {
            instance.make_ascii_lowercase();
        }
        if let Some(suffix) = &self.suffix {
            instance.push(':');
            instance.push_str(suffix);
        }
        let name_type = if self.host_based {
            NameType::SRV_HST
        } else {
            NameType::SRV_INST
        };
        let components = [Some(self.service()), Some(&instance), self.name()];
        Principal::new(realm, components.into_iter().flatten(), name_type)
    }

    /// Whether `principal` is this service. The host is compared without regard to ASCII case; a name without
    /// realm matches in every realm.
    #[must_use]
    pub fn matches(&self, principal: &Principal) -> bool {
        let realm = self.realm().map_or(principal.realm(), str::as_bytes);
        let own = self.in_realm(realm);
        own.realm() == principal.realm()
            && own.components().len() == principal.components().len()
            && own
                .components()
                .zip(principal.components())
                .enumerate()
                .all(|(index, (mine, theirs))| match index {
                    1 => mine.eq_ignore_ascii_case(theirs),
                    _ => mine == theirs,
                })
    }
}

impl FromStr for ServiceName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.host_based { '@' } else { '/' };
        write!(f, "{}{separator}{}", self.service, self.host)?;
        if let Some(suffix) = &self.suffix {
            write!(f, ":{suffix}")?;
        }
        if let Some(name) = &self.name {
            write!(f, "/{name}")?;
        }
        if let Some(realm) = &self.realm {
            write!(f, "@{realm}")?;
        }
        Ok(())
    }
}

fn fail<T>(offset: usize, problem: NameProblem) -> Result<T, Error> {
    Err(Error::Name { offset, problem })
}

fn require(part: &str, offset: usize) -> Result<(), Error> {
    if part.is_empty() {
        return fail(offset, NameProblem::Empty);
    }
    Ok(())
}

/// Names reach logs, directories and other programs: no NUL, space, control character or backslash.
fn check_characters(text: &str) -> Result<(), Error> {
    if text.len() > limits::NAME_TEXT {
        return fail(limits::NAME_TEXT, NameProblem::TooLong);
    }
    match text.find(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        Some(offset) => fail(offset, NameProblem::BadCharacter),
        None => Ok(()),
    }
}

/// The position of `part`, a piece of `text`, in it.
fn position(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

fn parse_spn(text: &str, service: &str, rest: &str) -> Result<ServiceName, Error> {
    let (path, realm) = match rest.split_once('@') {
        Some((path, realm)) => (path, Some(realm)),
        None => (rest, None),
    };
    require(service, 0)?;
    if let Some(realm) = realm {
        require(realm, position(text, realm))?;
        if let Some(second) = realm.find('@') {
            let offset = position(text, realm).saturating_add(second);
            return fail(offset, NameProblem::SecondRealm);
        }
    }
    let mut parts = path.split('/');
    let instance = parts.next().unwrap_or_default();
    let name = parts.next();
    if let Some(extra) = parts.next() {
        return fail(position(text, extra), NameProblem::TooManyParts);
    }
    if let Some(name) = name {
        require(name, position(text, name))?;
    }
    let (host, suffix) = split_host(instance, position(text, instance))?;
    Ok(ServiceName {
        service: service.into(),
        host: host.into(),
        suffix: suffix.map(Into::into),
        name: name.map(Into::into),
        realm: realm.map(Into::into),
        host_based: false,
    })
}

fn parse_host_based(text: &str) -> Result<ServiceName, Error> {
    require(text, 0)?;
    let Some((service, host)) = text.split_once('@') else {
        return fail(text.len(), NameProblem::Empty);
    };
    require(service, 0)?;
    require(host, position(text, host))?;
    if let Some(offset) = host.find(['/', '@']) {
        let offset = position(text, host).saturating_add(offset);
        return fail(offset, NameProblem::TooManyParts);
    }
    let (host, suffix) = split_host(host, position(text, host))?;
    Ok(ServiceName {
        service: service.into(),
        host: host.into(),
        suffix: suffix.map(Into::into),
        name: None,
        realm: None,
        host_based: true,
    })
}

/// Splits `host:suffix`. A host with several colons and no bracket is a bare IPv6 address.
fn split_host(instance: &str, offset: usize) -> Result<(&str, Option<&str>), Error> {
    let colon = match instance.strip_prefix('[').and_then(|rest| rest.find(']')) {
        Some(inside) => {
            let close = inside.saturating_add(2);
            match instance.get(close..) {
                Some("") => None,
                Some(after) if after.starts_with(':') => Some(close),
                _ => return fail(offset.saturating_add(close), NameProblem::BadPort),
            }
        }
        None => match (instance.find(':'), instance.rfind(':')) {
            (Some(first), Some(last)) if first == last => Some(first),
            _ => None,
        },
    };
    let Some(colon) = colon else {
        require(instance, offset)?;
        return Ok((instance, None));
    };
    let (host, suffix) = instance.split_at_checked(colon).unwrap_or_default();
    require(host, offset)?;
    let suffix = suffix.strip_prefix(':').unwrap_or_default();
    let number = suffix.bytes().all(|byte| byte.is_ascii_digit());
    if suffix.is_empty() || (number && suffix.parse::<u16>().is_err()) {
        let at = offset.saturating_add(colon).saturating_add(1);
        return fail(at, NameProblem::BadPort);
    }
    Ok((host, Some(suffix)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    fn problem(text: &str) -> (usize, NameProblem) {
        match ServiceName::parse(text) {
            Err(Error::Name { offset, problem }) => (offset, problem),
            other => panic!("{text:?} gave {other:?}"),
        }
    }

    #[test]
    fn every_form_is_read_and_written_back() {
        for text in [
            "HTTP/web.example.com",
            "MSSQLSvc/db:1433",
            "MSSQLSvc/db:INSTANCE",
            "ldap/dc1.example.com/example.com@EXAMPLE.COM",
            "ldap/dc1:389/example.com@EXAMPLE.COM",
            "host/[2001:db8::1]:22",
            "host/2001:db8::1",
            "host@server",
            "nfs@server:2049",
        ] {
            let name = ServiceName::parse(text).unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(text.parse(), Ok(name));
        }
    }

    #[test]
    fn parts_are_told_apart() {
        let name = ServiceName::parse("ldap/dc1:389/example.com@R").unwrap();
        assert_eq!(
            (name.service(), name.host(), name.port()),
            ("ldap", "dc1", Some(389))
        );
        assert_eq!(name.instance(), None);
        assert_eq!(
            (name.name(), name.realm()),
            (Some("example.com"), Some("R"))
        );
        let principal = name.to_principal(Some("IGNORED")).unwrap();
        let components: Vec<_> = principal.components().collect();
        assert_eq!(components, [&b"ldap"[..], b"dc1:389", b"example.com"]);
        assert_eq!(principal.realm(), b"R");

        let instance = ServiceName::parse("MSSQLSvc/db:SQL2022").unwrap();
        assert_eq!(
            (instance.port(), instance.instance()),
            (None, Some("SQL2022"))
        );
        let six = ServiceName::parse("host/[::1]:22").unwrap();
        assert_eq!((six.host(), six.port()), ("[::1]", Some(22)));
        let bare = ServiceName::parse("host/::1").unwrap();
        assert_eq!((bare.host(), bare.port()), ("::1", None));
    }

    #[test]
    fn no_realm_is_made_up() {
        let name = ServiceName::parse("HTTP/web").unwrap();
        assert!(name.to_principal(Some("R")).is_ok());
        assert_eq!(
            name.to_principal(None),
            Err(Error::Name {
                offset: 0,
                problem: NameProblem::MissingRealm
            })
        );
    }

    #[test]
    fn malformed_names_are_refused_at_their_position() {
        assert!(ServiceName::parse("a/b:1@R").is_ok());
        assert_eq!(problem(""), (0, NameProblem::Empty));
        assert_eq!(problem("host"), (4, NameProblem::Empty));
        assert_eq!(problem("/web"), (0, NameProblem::Empty));
        assert_eq!(problem("HTTP/"), (5, NameProblem::Empty));
        assert_eq!(problem("HTTP/web@"), (9, NameProblem::Empty));
        assert_eq!(problem("HTTP/web@R@S"), (10, NameProblem::SecondRealm));
        assert_eq!(problem("a/b/c/d"), (6, NameProblem::TooManyParts));
        assert_eq!(problem("a@b/c"), (3, NameProblem::TooManyParts));
        assert_eq!(problem("a/b:"), (4, NameProblem::BadPort));
        assert_eq!(problem("a/b:65536"), (4, NameProblem::BadPort));
        assert_eq!(problem("a/[::1]x"), (7, NameProblem::BadPort));
        assert_eq!(problem("a/:1"), (2, NameProblem::Empty));
        assert_eq!(problem("a/b\0c"), (3, NameProblem::BadCharacter));
        assert_eq!(problem("a/b c"), (3, NameProblem::BadCharacter));
        let long = |length: usize| "a/".to_string() + &"b".repeat(length - 2);
        assert!(ServiceName::parse(&long(limits::NAME_TEXT)).is_ok());
        let longer = problem(&long(limits::NAME_TEXT + 1));
        assert_eq!(longer, (limits::NAME_TEXT, NameProblem::TooLong));
        assert!(ServiceName::new("a", "b/c").is_err());
        assert!(ServiceName::new("a", "b:1").is_ok());
    }

    #[test]
    fn a_principal_matches_without_regard_to_the_hosts_case_only() {
        let name = ServiceName::parse("HTTP/Web.Example.Com").unwrap();
        let principal = |text: &str| Principal::parse(text).unwrap();
        assert!(name.matches(&principal("HTTP/web.example.com@ANY")));
        assert!(!name.matches(&principal("http/web.example.com@ANY")));
        assert!(!name.matches(&principal("HTTP/web.example.com:80@ANY")));
        assert!(!name.matches(&principal("HTTP/web.example.com/x@ANY")));
        let bound = ServiceName::parse("HTTP/web@R").unwrap();
        assert!(bound.matches(&principal("HTTP/web@R")));
        assert!(!bound.matches(&principal("HTTP/web@S")));
        // A realm is bytes, and need not be text.
        let odd = Principal::new(b"\xff", ["HTTP", "WEB.example.com"], NameType::UNKNOWN);
        assert!(name.matches(&odd) && !bound.matches(&odd));
    }
}
