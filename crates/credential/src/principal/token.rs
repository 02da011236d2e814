//! Principals in messages.

use alloc::vec::Vec;
use core::cmp::Ordering;

use countersign_token::der::SequenceOf;
use countersign_token::kerberos::{KerberosString, PrincipalName};

use super::{NameType, Principal};

impl Principal {
    /// The principal that a message names.
    #[must_use]
    pub fn from_token(realm: &KerberosString<'_>, name: &PrincipalName<'_>) -> Self {
        let components = name.name_string.iter().map(|part| part.as_bytes());
        Self::assemble(realm.as_bytes(), components, NameType(name.name_type))
    }

    /// Whether a message names this principal; the name type is not looked at. Nothing is allocated.
    #[must_use]
    pub fn is_named(&self, realm: &KerberosString<'_>, name: &PrincipalName<'_>) -> bool {
        self.realm() == realm.as_bytes()
            && self.components().len() == name.name_string.len()
            && self
                .components()
                .zip(name.name_string.iter())
                .all(|(own, theirs)| own == theirs.as_bytes())
    }

    /// The order of this principal and one that a message names: that of [`Ord`] between two principals, so that
    /// sorted ones can be searched by it. The name type is not looked at. Nothing is allocated.
    #[must_use]
    pub fn cmp_named(&self, realm: &KerberosString<'_>, name: &PrincipalName<'_>) -> Ordering {
        let theirs = name.name_string.iter().map(|part| part.as_bytes());
        let realms = self.realm().cmp(realm.as_bytes());
        realms.then_with(|| self.components().cmp(theirs))
    }

    /// The realm as messages carry it.
    #[must_use]
    pub fn token_realm(&self) -> KerberosString<'_> {
        KerberosString::new(self.realm())
    }

    /// The components as messages carry them, for [`token_name`](Self::token_name) to borrow.
    #[must_use]
    pub fn token_components(&self) -> Vec<KerberosString<'_>> {
        self.components().map(KerberosString::new).collect()
    }

    /// The name as messages carry it: this principal's name type with `components`, which
    /// [`token_components`](Self::token_components) gives.
    #[must_use]
    pub fn token_name<'a>(&self, components: &'a [KerberosString<'a>]) -> PrincipalName<'a> {
        PrincipalName {
            name_type: self.name_type.0,
            name_string: SequenceOf::new(components),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_survives_being_put_into_a_message() {
        let principal = Principal::new("R\0", [&b"HTTP"[..], b"", b"\xff"], NameType::SRV_HST);
        let components = principal.token_components();
        let name = principal.token_name(&components);
        let back = Principal::from_token(&principal.token_realm(), &name);
        assert_eq!(back, principal);
        assert_eq!(back.name_type(), NameType::SRV_HST);
    }

    #[test]
    fn what_a_message_names_is_ordered_as_principals_are() {
        let all = ["b@A", "a/z@B", "a/zz@B", "ab@B", "b@B", "b/a@B"];
        let all = all.map(|text| Principal::parse(text).unwrap());
        for (one, other) in all
            .iter()
            .flat_map(|one| all.iter().map(move |other| (one, other)))
        {
            let components = other.token_components();
            let named = one.cmp_named(&other.token_realm(), &other.token_name(&components));
            assert_eq!(named, one.cmp(other), "{one} {other}");
        }
    }

    #[test]
    fn a_message_names_the_principal_only_when_every_part_agrees() {
        let principal = Principal::new("R", ["a", "b"], NameType::PRINCIPAL);
        let named = |realm: &str, parts: &[&str]| {
            let other = Principal::new(realm, parts, NameType::UNKNOWN);
            principal.is_named(
                &other.token_realm(),
                &other.token_name(&other.token_components()),
            )
        };
        assert!(named("R", &["a", "b"]));
        assert!(!named("S", &["a", "b"]));
        assert!(!named("R", &["a"]));
        assert!(!named("R", &["a", "b", ""]));
        assert!(!named("R", &["ab"]));
        assert!(!named("R", &["a", "c"]));
    }
}
