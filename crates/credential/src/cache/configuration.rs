//! Configuration entries: settings that travel in a cache, disguised as tickets.
//!
//! Source: MIT krb5 documentation, "Credential cache file format", "Credential cache configuration entries".

use alloc::vec::Vec;

use super::{CONFIGURATION_NAME, CONFIGURATION_REALM, CredentialCache};
use crate::key_block::KeyBlock;
use crate::principal::{NameType, Principal};
use crate::ticket::TicketCredential;

impl CredentialCache {
    /// The value of the configuration entry `key`: one that is about `principal`, or, when that is absent, one that
    /// is about no principal. Known keys are `fast_avail`, `pa_type`, `pa_config_data`, `proxy_impersonator` and
    /// `refresh_time`.
    #[must_use]
    pub fn configuration(&self, key: &str, principal: Option<&Principal>) -> Option<&[u8]> {
        let name = name(key, principal);
        self.entries
            .iter()
            .find(|entry| entry.is_configuration() && entry.server == name)
            .map(|entry| entry.ticket.as_slice())
    }

    /// Sets the configuration entry `key`, or removes it when `value` is absent.
    pub fn set_configuration(
        &mut self,
        key: &str,
        principal: Option<&Principal>,
        value: Option<&[u8]>,
    ) {
        let name = name(key, principal);
        self.entries
            .retain(|entry| !(entry.is_configuration() && entry.server == name));
        if let Some(value) = value {
            self.entries.push(TicketCredential::new(
                self.default_principal.clone(),
                name,
                KeyBlock::from_parts(0, &[]),
                value.to_vec(),
            ));
        }
    }
}

fn name(key: &str, principal: Option<&Principal>) -> Principal {
    let mut components = Vec::from([CONFIGURATION_NAME.to_vec(), key.as_bytes().to_vec()]);
    components.extend(principal.map(Principal::to_text));
    Principal::new(CONFIGURATION_REALM, components, NameType::UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::super::Version;
    use super::*;

    #[test]
    fn settings_survive_the_file_and_are_not_tickets() {
        let user = Principal::parse("user@R").unwrap();
        let tgs = Principal::ticket_granting_service("R", "R");
        let mut cache = CredentialCache::new(user);
        cache.set_configuration("fast_avail", None, Some(b"no"));
        cache.set_configuration("fast_avail", None, Some(b"yes"));
        cache.set_configuration("pa_type", Some(&tgs), Some(b"2"));
        let cache = CredentialCache::parse(&cache.to_bytes(Version::V4).unwrap()).unwrap();
        assert_eq!(cache.configuration("fast_avail", None), Some(&b"yes"[..]));
        assert_eq!(cache.configuration("pa_type", Some(&tgs)), Some(&b"2"[..]));
        assert_eq!(cache.configuration("pa_type", None), None);
        assert_eq!((cache.entries().len(), cache.credentials().count()), (2, 0));
        assert!(cache.find(&cache.entries()[0].server).is_none());
    }

    #[test]
    fn a_setting_is_removed() {
        let mut cache = CredentialCache::new(Principal::parse("user@R").unwrap());
        cache.set_configuration("refresh_time", None, Some(b"1"));
        assert!(cache.configuration("refresh_time", None).is_some());
        cache.set_configuration("refresh_time", None, None);
        assert!(cache.configuration("refresh_time", None).is_none());
    }
}
