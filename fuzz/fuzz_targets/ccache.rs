//! Credential caches: what parses is written in each version and parses to the same entries.
#![no_main]

use countersign_credential::cache::Version;
use countersign_credential::{CredentialCache, TicketCredential};
use libfuzzer_sys::fuzz_target;

fn contents(entry: &TicketCredential) -> impl PartialEq + core::fmt::Debug + use<> {
    (
        (
            entry.client.clone(),
            entry.server.clone(),
            entry.key.enctype_id(),
            entry.key.expose().to_vec(),
        ),
        (
            entry.times,
            entry.flags,
            entry.is_skey,
            entry.addresses.clone(),
        ),
        (
            entry.authorization_data.clone(),
            entry.ticket.clone(),
            entry.second_ticket.clone(),
        ),
    )
}

fuzz_target!(|data: &[u8]| {
    let Ok((cache, version)) = CredentialCache::parse_with_version(data) else {
        return;
    };
    for version in [version, Version::V4] {
        let Ok(bytes) = cache.to_bytes(version) else {
            continue;
        };
        let again = CredentialCache::parse(&bytes).expect("own encoding");
        assert_eq!(cache.default_principal(), again.default_principal());
        assert!(
            cache
                .entries()
                .iter()
                .map(contents)
                .eq(again.entries().iter().map(contents))
        );
        assert_eq!(again.to_bytes(version).as_deref(), Ok(&*bytes));
    }
    if let Some(first) = cache.credentials().next() {
        let _ = cache.find(&first.server);
        let _ = cache.ticket_granting_ticket();
    }
});
