//! From realm to realm: RFC 4120 §3.3.1, RFC 6806 §8.

use std::sync::Arc;

use countersign_credential::{Principal, TicketCredential};
use countersign_token::kerberos::TicketFlags;

use crate::environment::Timestamp;
use crate::error::{ErrorKind, KdcProblem};
use crate::kerberos::kdc::path::{RealmPath, RealmPaths};

use super::Settings;
use super::goal::Goal;

/// RFC 6806 §8 asks for a limit; ten realms are further than anybody's trust reaches.
const MAX_HOPS: usize = 10;

/// Where the exchange is, and where it came through.
#[derive(Debug)]
pub(super) struct Walk {
    /// The ticket that the next request is made with.
    header: Arc<TicketCredential>,
    /// Where to, and along which way, as long as that is not here.
    toward: Option<Toward>,
    /// The realms since the last change of direction, none of which is entered again.
    seen: Vec<Vec<u8>>,
    /// The realms that were referred to without being entered so.
    referred: Vec<Vec<u8>>,
    hops: usize,
    gathered: Vec<Arc<TicketCredential>>,
    recovered: bool,
    /// A realm on the way does not vouch for whom the next one trusts with delegation.
    unvouched: bool,
}

#[derive(Debug)]
struct Toward {
    realm: Vec<u8>,
    path: Option<RealmPath>,
    /// How many realms at the end of the way the KDC here has no key of.
    unknown: usize,
}

/// The realm whose ticket-granting service a ticket is for; a ticket for anything else is used at
/// the KDC that issued it.
pub(super) fn realm_of(ticket: &TicketCredential) -> &[u8] {
    match ticket.server.component(1) {
        Some(realm) if ticket.server.is_ticket_granting_service() => realm,
        _ => ticket.server.realm(),
    }
}

/// Whether the realm that issued a ticket lets the next one say to whom its clients may delegate:
/// OK-AS-DELEGATE is a word on the issuer's own policy (RFC 4120 §2.8), so another realm's counts
/// only where the ticket-granting ticket for it has the flag too.
fn vouches_for_next(ticket: &TicketCredential) -> bool {
    let server = &ticket.server;
    let leads_on =
        server.is_ticket_granting_service() && server.component(1) != Some(server.realm());
    !leads_on || ticket.flags.contains(TicketFlags::OK_AS_DELEGATE)
}

impl Walk {
    /// Begins with `header`, toward `first` if that is not empty.
    pub(super) fn new(header: Arc<TicketCredential>, first: &[u8]) -> Self {
        let here = realm_of(&header).to_vec();
        let mut walk = Self {
            unvouched: !vouches_for_next(&header),
            header,
            toward: None,
            referred: vec![here.clone()],
            seen: vec![here],
            hops: 0,
            gathered: Vec::new(),
            recovered: false,
        };
        if !first.is_empty() {
            walk.turn_to(first);
        }
        walk
    }

    pub(super) fn header(&self) -> &Arc<TicketCredential> {
        &self.header
    }

    /// The realm whose ticket-granting service can be asked now.
    pub(super) fn realm(&self) -> &[u8] {
        realm_of(&self.header)
    }

    /// The realm whose KDC gets the request: a ticket is renewed and validated by whoever issued
    /// it.
    pub(super) fn kdc(&self, goal: &Goal) -> &[u8] {
        match goal {
            Goal::Again(_) => self.header.server.realm(),
            _ => self.realm(),
        }
    }

    /// Goes to a realm before the goal is asked for again.
    pub(super) fn turn_to(&mut self, realm: &[u8]) {
        let here = self.realm().to_vec();
        self.toward = (here != realm).then(|| Toward {
            realm: realm.to_vec(),
            path: None,
            unknown: 0,
        });
        self.seen = vec![here];
    }

    /// The realm that the KDC here is asked a ticket-granting ticket for; none once we are there.
    pub(super) fn next_realm(&mut self, paths: &RealmPaths) -> Result<Option<Vec<u8>>, ErrorKind> {
        let here = realm_of(&self.header);
        let Some(toward) = &mut self.toward else {
            return Ok(None);
        };
        let path = match toward.path.take() {
            Some(path) if !path.after(here).is_empty() => path,
            _ => paths.between(here, &toward.realm),
        };
        let ahead = path.after(here);
        let next = match path.is_configured() {
            // Step by step, as configured.
            true => ahead.first(),
            // The nearest to the destination that the KDC here has a key of: it may know a shorter
            // way than the hierarchy (RFC 4120 §1.2).
            false => ahead.iter().rev().nth(toward.unknown),
        };
        let next = next.cloned();
        toward.path = Some(path);
        match next {
            Some(realm) => Ok(Some(realm)),
            None => Err(ErrorKind::Kdc(KdcProblem::ServiceUnknown)),
        }
    }

    /// Whether a realm nearer to this one is left to ask for.
    pub(super) fn try_nearer(&mut self, paths: &RealmPaths) -> bool {
        match &mut self.toward {
            Some(toward) if !toward.path.as_ref().is_some_and(RealmPath::is_configured) => {
                toward.unknown = toward.unknown.saturating_add(1);
                self.next_realm(paths).is_ok()
            }
            _ => false,
        }
    }

    /// Whether the way is configured, so that nobody may send us another.
    pub(super) fn is_bound(&self) -> bool {
        self.toward
            .as_ref()
            .and_then(|toward| toward.path.as_ref())
            .is_some_and(RealmPath::is_configured)
    }

    /// Goes on with a ticket-granting ticket, for a realm that was not passed before.
    pub(super) fn arrive(&mut self, tgt: Arc<TicketCredential>) -> Result<(), ErrorKind> {
        self.gathered.push(Arc::clone(&tgt));
        self.enter(tgt)
    }

    /// As [`arrive`](Self::arrive), and does not keep the ticket for later.
    pub(super) fn enter(&mut self, tgt: Arc<TicketCredential>) -> Result<(), ErrorKind> {
        let realm = realm_of(&tgt).to_vec();
        let looped = ErrorKind::Kdc(KdcProblem::ReferralLoop);
        if self.hops >= MAX_HOPS || self.seen.contains(&realm) {
            return Err(looped);
        }
        self.hops = self.hops.saturating_add(1);
        if let Some(toward) = &mut self.toward {
            toward.unknown = 0;
        }
        if self.toward.as_ref().is_some_and(|to| to.realm == realm) {
            self.toward = None;
            // From the user's realm S4U2self goes back the way that it came (MS-SFU §3.1.5.1.1).
            self.seen.clear();
        }
        self.seen.push(realm);
        self.unvouched |= !vouches_for_next(&tgt);
        self.header = tgt;
        Ok(())
    }

    /// Counts a referral to a realm that is not entered with it, and that was not the goal of one
    /// before.
    pub(super) fn count_hop(&mut self, realm: &[u8]) -> Result<(), ErrorKind> {
        let again = realm == self.realm() || self.referred.iter().any(|other| other == realm);
        if self.hops >= MAX_HOPS || again {
            return Err(ErrorKind::Kdc(KdcProblem::ReferralLoop));
        }
        self.referred.push(realm.to_vec());
        self.hops = self.hops.saturating_add(1);
        Ok(())
    }

    /// Takes ticket-granting tickets that the client has already, as far as they lead.
    pub(super) fn take_known(
        &mut self,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(), ErrorKind> {
        while let Some(next) = self.next_realm(&settings.paths)? {
            let bound = self.is_bound();
            let wanted = Principal::ticket_granting_service(next, realm_of(&self.header));
            let found = settings.known.iter().find(|ticket| {
                let leads = ticket.server == wanted
                    // Without a configured way it does not matter how a TGT was come by.
                    || (!bound
                        && ticket.server.is_ticket_granting_service()
                        && ticket.server.component(1) == wanted.component(1));
                leads
                    && !ticket.is_skey
                    && ticket.client == self.header.client
                    && ticket.is_valid_at(now.seconds(), 0)
                    && !self.seen.iter().any(|realm| realm == realm_of(ticket))
            });
            match found {
                Some(ticket) => self.enter(Arc::clone(ticket))?,
                None => break,
            }
        }
        Ok(())
    }

    /// True the first time.
    pub(super) fn recover_once(&mut self) -> bool {
        !core::mem::replace(&mut self.recovered, true)
    }

    /// Whether a service's OK-AS-DELEGATE is no more than the word of a realm that nobody on the way
    /// vouches for.
    pub(super) fn is_unvouched(&self) -> bool {
        self.unvouched
    }

    pub(super) fn take_gathered(&mut self) -> Vec<Arc<TicketCredential>> {
        core::mem::take(&mut self.gathered)
    }
}
