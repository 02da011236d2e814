//! Principals in messages.

use alloc::vec::Vec;

use countersign_token::der::SequenceOf;
use countersign_token::kerberos::{KerberosString, PrincipalName};

use super::{NameType, Principal};

impl Principal {
    /// The principal that a message names.
    #[must_use]
    pub fn from_token(realm: &KerberosString<'_>, name: &PrincipalName<'_>) -> Self {
        // An acceptor does this for every context: both allocations are made once, in full length.
        let components = || {
            name.name_string
                .iter()
                .map(|component| component.as_bytes())
        };
        let realm = realm.as_bytes();
        let length = components().fold(realm.len(), |sum, part| sum.saturating_add(part.len()));
        let mut bytes = Vec::with_capacity(length);
        let mut ends = Vec::with_capacity(name.name_string.len());
        bytes.extend_from_slice(realm);
        for component in components() {
            bytes.extend_from_slice(component);
            ends.push(bytes.len());
        }
        Self {
            realm_end: realm.len(),
            bytes: bytes.into_boxed_slice(),
            ends: ends.into_boxed_slice(),
            name_type: NameType(name.name_type),
        }
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
