//! Between realms: trusts, the way to a realm that is not trusted directly, referrals.
//!
//! ```text
//! krbtgt/B@A    sealed by A's KDC, opened by B's: the cross-realm ticket-granting ticket    RFC 4120 §1.2
//! transited     the realms between the client's and this one, with commas between          RFC 4120 §3.3.3.2
//! ```

use std::sync::Arc;

use countersign_credential::{NameType, Principal};

use super::account::Record;
use super::core::Core;
use super::evidence::Evidence;
use super::refusal::{Refusal, code};
use super::request::{Body, option};

/// Which realms a KDC knows, and what it thinks of them.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// A realm, and the next one on the way to it.
    pub(super) routes: Vec<(String, String)>,
    /// The end of a host's name, and the realm of such hosts.
    pub(super) hosts: Vec<(String, String)>,
    /// The end of an enterprise name, and the realm of such users.
    pub(super) users: Vec<(String, String)>,
    /// Realms through which nobody may come.
    pub(super) shunned: Vec<String>,
}

/// The realm of the first entry that `name` ends in, in any case.
fn realm_of<'a>(entries: &'a [(String, String)], name: &[u8]) -> Option<&'a str> {
    let matches = |end: &str| {
        let start = name.len().checked_sub(end.len());
        let tail = start.and_then(|start| name.get(start..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
    };
    let found = entries.iter().find(|(end, _)| matches(end));
    found.map(|(_, realm)| realm.as_str())
}

/// The realm of a client that is not of this one: RFC 6806 §7.
pub(super) fn client_referral(core: &Core, body: &Body, asked: &Principal) -> Option<Refusal> {
    let enterprise = asked.name_type() == NameType::ENTERPRISE;
    if !enterprise && !body.asks(option::CANONICALIZE) {
        return None;
    }
    let realm = realm_of(&core.config.paths.users, asked.component(0)?)?;
    let mut refusal = Refusal::new(code::WRONG_REALM, "the client is of another realm");
    refusal.client_realm = Some(realm.into());
    Some(refusal)
}

/// The ticket-granting service that leads to a server of another realm: the one that was asked for, one that is
/// nearer to it (RFC 4120 §3.3.1), or that of the realm that the host is in (RFC 6806 §8).
pub(super) fn server_referral(
    core: &Core,
    body: &Body,
    asked: &Principal,
) -> Option<(Arc<Record>, Principal)> {
    let target = match asked.is_ticket_granting_service() {
        true => String::from_utf8_lossy(asked.component(1)?).into_owned(),
        false if body.asks(option::CANONICALIZE) => {
            realm_of(&core.config.paths.hosts, asked.component(1)?)?.to_owned()
        }
        false => return None,
    };
    let own = core.realm.name();
    let hop = |realm: &str| core.find(&Principal::ticket_granting_service(realm, own));
    let routes = &core.config.paths.routes;
    let record = hop(&target).or_else(|| {
        let (_, next) = routes.iter().find(|(realm, _)| *realm == target)?;
        hop(next)
    })?;
    let name = record.principal.clone();
    Some((record, name))
}

/// Where a ticket was before it came here, and whether that is well.
pub(super) fn transited(core: &Core, evidence: &Evidence) -> Result<Vec<u8>, Refusal> {
    let ticket = &evidence.ticket;
    let own = core.realm.name().as_bytes();
    let issuer = ticket.server.realm();
    if issuer == own {
        return Ok(ticket.part.transited.contents.to_vec());
    }
    // RFC 4120 §3.3.3.2: no other realm speaks for this one's users.
    if ticket.client.realm() == own {
        return Err(Refusal::new(
            code::POLICY,
            "another realm names a user of this one",
        ));
    }
    let mut transited = ticket.part.transited.contents.to_vec();
    if issuer != ticket.client.realm() {
        if !transited.is_empty() {
            transited.push(b',');
        }
        transited.extend(issuer);
    }
    let shunned = &core.config.paths.shunned;
    let mut realms = transited.split(|byte| *byte == b',');
    if realms.any(|realm| shunned.iter().any(|name| name.as_bytes() == realm)) {
        return Err(Refusal::new(
            code::PATH_NOT_ACCEPTED,
            "a realm on the way is not trusted",
        ));
    }
    Ok(transited)
}
