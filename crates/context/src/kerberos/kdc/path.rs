//! Which realms lie between two: RFC 4120 §1.2.

/// What the configuration says of the way between realms: `[capaths]` of a krb5.conf.
///
/// Between realms that it does not name, the way is the hierarchical one (RFC 4120 §1.2), along
/// the dots of the realms' names.
///
/// ```
/// use countersign_context::kerberos::kdc::RealmPaths;
///
/// let paths = RealmPaths::new().with("ENG.EXAMPLE.COM", "PARTNER.TEST", ["HUB.TEST"]);
/// let route = paths.between(b"ENG.EXAMPLE.COM", b"PARTNER.TEST");
/// assert!(route.is_configured());
/// assert!(route.realms().eq([&b"ENG.EXAMPLE.COM"[..], b"HUB.TEST", b"PARTNER.TEST"]));
///
/// let up_and_down = paths.between(b"ENG.EXAMPLE.COM", b"LAB.EXAMPLE.COM");
/// assert!(up_and_down.realms().eq([&b"ENG.EXAMPLE.COM"[..], b"EXAMPLE.COM", b"LAB.EXAMPLE.COM"]));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RealmPaths {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    client: Vec<u8>,
    server: Vec<u8>,
    between: Vec<Vec<u8>>,
}

/// A way from one realm to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealmPath {
    realms: Vec<Vec<u8>>,
    configured: bool,
}

impl RealmPaths {
    /// Nothing is configured: every way is hierarchical.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The way from the client's realm to the server's leads through these realms, in this order;
    /// through none where the two share a key. A later entry for the same pair replaces the
    /// earlier one.
    #[must_use]
    pub fn with<R: Into<Vec<u8>>>(
        mut self,
        client: impl Into<Vec<u8>>,
        server: impl Into<Vec<u8>>,
        between: impl IntoIterator<Item = R>,
    ) -> Self {
        let (client, server) = (client.into(), server.into());
        self.entries
            .retain(|entry| entry.client != client || entry.server != server);
        self.entries.push(Entry {
            client,
            server,
            between: between.into_iter().map(Into::into).collect(),
        });
        self
    }

    /// The way from `client` to `server`.
    #[must_use]
    pub fn between(&self, client: &[u8], server: &[u8]) -> RealmPath {
        let configured = self
            .entries
            .iter()
            .find(|entry| entry.client == client && entry.server == server);
        let mut realms = vec![client.to_vec()];
        match configured {
            Some(entry) => realms.extend(entry.between.iter().cloned()),
            None => realms.extend(hierarchical(client, server).map(<[u8]>::to_vec)),
        }
        realms.push(server.to_vec());
        // A realm is not passed twice, whatever the configuration says.
        realms.dedup();
        RealmPath {
            realms,
            configured: configured.is_some(),
        }
    }
}

impl RealmPath {
    /// The realms in order, the first and the last included.
    pub fn realms(&self) -> impl Iterator<Item = &[u8]> {
        self.realms.iter().map(Vec::as_slice)
    }

    /// Whether the configuration names this way. If it does, each realm is asked for the next;
    /// if not, a realm that knows a shorter way may take it.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.configured
    }

    /// The realms after `realm`, if it is on the way.
    pub(super) fn after(&self, realm: &[u8]) -> &[Vec<u8>] {
        self.realms
            .iter()
            .position(|other| other == realm)
            .and_then(|at| self.realms.get(at.saturating_add(1)..))
            .unwrap_or_default()
    }
}

/// Labels of a realm's name that the hierarchical way goes along. The direct way is left to those
/// with more.
const MAX_DEPTH: usize = 16;

/// Up from `client` to the nearest common ancestor and down to `server`, both left out; nothing
/// where the names have no ancestor in common.
fn hierarchical<'a>(client: &'a [u8], server: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    // Nobody has realms this deep; a KDC that names one in a referral wants the client busy.
    let is_deep = |realm: &[u8]| ancestors(realm).nth(MAX_DEPTH).is_some();
    let deep = is_deep(client) || is_deep(server);
    let is_ancestor_or_self = |realm: &[u8], of: &[u8]| ancestors(of).any(|other| other == realm);
    let common = ancestors(client)
        .filter(|_| !deep)
        .find(|realm| is_ancestor_or_self(realm, server));
    let up = ancestors(client)
        .skip(1)
        .take_while(move |realm| common.is_some_and(|common| realm.len() >= common.len()));
    let mut down: Vec<&[u8]> = ancestors(server)
        .skip(1)
        .take_while(|realm| common.is_some_and(|common| realm.len() > common.len()))
        .collect();
    down.reverse();
    up.chain(down)
        .filter(move |realm| *realm != server && *realm != client)
}

/// The realm itself, then each realm that is left when the first label is taken off.
fn ancestors(realm: &[u8]) -> impl Iterator<Item = &[u8]> {
    core::iter::successors(Some(realm), |realm| {
        let dot = realm.iter().position(|byte| *byte == b'.')?;
        realm
            .get(dot.saturating_add(1)..)
            .filter(|rest| !rest.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(paths: &RealmPaths, client: &str, server: &str) -> String {
        let path = paths.between(client.as_bytes(), server.as_bytes());
        let realms: Vec<_> = path.realms().map(String::from_utf8_lossy).collect();
        realms.join(" ")
    }

    #[test]
    fn without_configuration_the_way_is_up_to_the_common_ancestor_and_down() {
        let none = RealmPaths::new();
        for (client, server, expected) in [
            ("A.X.TEST", "B.X.TEST", "A.X.TEST X.TEST B.X.TEST"),
            (
                "C.A.X.TEST",
                "B.X.TEST",
                "C.A.X.TEST A.X.TEST X.TEST B.X.TEST",
            ),
            ("X.TEST", "B.A.X.TEST", "X.TEST A.X.TEST B.A.X.TEST"),
            ("B.A.X.TEST", "X.TEST", "B.A.X.TEST A.X.TEST X.TEST"),
            ("A.X", "A.Y", "A.X A.Y"),
            ("ONE", "OTHER", "ONE OTHER"),
            ("SAME.TEST", "SAME.TEST", "SAME.TEST"),
            ("A..", ".A", "A.. .A"),
        ] {
            assert_eq!(route(&none, client, server), expected);
        }
    }

    #[test]
    fn configuration_wins_over_the_hierarchy_and_a_later_entry_over_an_earlier() {
        let paths = RealmPaths::new()
            .with("A.X.TEST", "B.X.TEST", ["WRONG"])
            .with("A.X.TEST", "B.X.TEST", ["HUB", "RIM"])
            .with("A.X.TEST", "C.X.TEST", [""; 0]);
        assert_eq!(
            route(&paths, "A.X.TEST", "B.X.TEST"),
            "A.X.TEST HUB RIM B.X.TEST"
        );
        assert_eq!(route(&paths, "A.X.TEST", "C.X.TEST"), "A.X.TEST C.X.TEST");
        // The other direction is another matter.
        assert_eq!(
            route(&paths, "B.X.TEST", "A.X.TEST"),
            "B.X.TEST X.TEST A.X.TEST"
        );
    }

    #[test]
    fn what_lies_after_a_realm_is_what_is_still_to_go() {
        let path = RealmPaths::new().between(b"A.X.TEST", b"B.X.TEST");
        assert_eq!(path.after(b"X.TEST"), [b"B.X.TEST".to_vec()]);
        assert!(path.after(b"B.X.TEST").is_empty());
        assert!(path.after(b"ELSEWHERE").is_empty());
    }
}
