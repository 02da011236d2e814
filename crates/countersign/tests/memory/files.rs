//! Files with keys.

use countersign::credential::cache::Version;
use countersign::credential::{CredentialCache, Keytab, Password};
use countersign::kerberos::kdc::{ClientSecret, InitialTicket};

use crate::Claim;
use crate::domain::{Domain, PASSWORD, SERVICE};
use crate::kerberos::{principal, run};
use crate::search::Search;

pub(crate) const CLAIM: Claim = (
    "files_that_were_parsed_leave_nothing",
    files_that_were_parsed_leave_nothing,
);

fn files_that_were_parsed_leave_nothing(search: &mut Search) {
    let mut domain = Domain::start();
    keytab(search, &mut domain);
    search.nothing();
    cache(search, &mut domain);
    search.nothing();
}

#[inline(never)]
fn keytab(search: &mut Search, domain: &mut Domain) {
    let keytab = domain.keytab(SERVICE);
    for entry in keytab.entries() {
        search.add("key", entry.key_block().expose());
    }
    let bytes = keytab.to_bytes().unwrap();
    for length in [bytes.len(), bytes.len() - 1, bytes.len() / 2] {
        let parsed = Keytab::parse(&bytes[..length]);
        search.finds("key");
        drop(parsed.map(|keytab| keytab.duplicate()));
    }
}

#[inline(never)]
fn cache(search: &mut Search, domain: &mut Domain) {
    search.add_text("password", PASSWORD);
    let password = Password::from(PASSWORD);
    let secret = ClientSecret::password(password.expose());
    let ticket = run(domain, InitialTicket::new(principal("alice"), secret)).credential;
    search.add("ticket's key", ticket.key.expose());
    let mut cache = CredentialCache::new(principal("alice"));
    for _ in 0..20 {
        cache.push(ticket.duplicate());
    }
    for version in [Version::V3, Version::V4] {
        let bytes = cache.to_bytes(version).unwrap();
        for length in [bytes.len(), bytes.len() - 1, bytes.len() / 2] {
            let parsed = CredentialCache::parse(&bytes[..length]);
            search.finds("ticket's key");
            drop(parsed);
        }
    }
}
