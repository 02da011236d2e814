//! The first half of the demo: a realm, and a client that turns its password into a ticket.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use countersign::Policy;
use countersign::credential::{Keytab, TicketCredential};
use countersign::crypto::Enctype;
use countersign::handshake::kdc::{KdcClient, KdcEvent, KdcEventKind, StaticKdcs};
use countersign::handshake::{Clock, SystemClock, SystemEnvironment, SystemRandom};
use countersign::kerberos::kdc::{ClientSecret, InitialTicket, ServiceTicket};
use countersign::token::describe;
use countersign_testkit::{Account, FixedClock, Kdc, KdcServer};
use serde_json::json;

use crate::failure::Failure;
use crate::output::event;
use crate::ticket::moment;

const REALM: &str = "COUNTERSIGN.TEST";
const CLIENT: &str = "alice";
const PASSWORD: &str = "open sesame";
const SERVICE: &str = "sentry/gate.test";

/// A realm with keys that no other run has, behind a KDC that listens on loopback.
pub(super) struct Realm {
    kdc: Kdc,
    server: KdcServer,
}

/// A message to or from the KDC.
struct Seen {
    sent: bool,
    length: usize,
    what: String,
}

impl Realm {
    pub(super) fn start(enctype: Enctype) -> Result<Self, Failure> {
        let clock = || {
            let now = SystemClock.now();
            FixedClock {
                seconds: now.seconds(),
                microseconds: now.microseconds(),
            }
        };
        let kdc = Kdc::builder(REALM)
            .random(SystemRandom)
            .clock(clock)
            .account(Account::user(CLIENT, PASSWORD).enctypes(&[enctype]))
            .account(Account::service(SERVICE).enctypes(&[enctype]))
            .enctypes(&[enctype])
            .build()
            .map_err(failed)?;
        let server = kdc.serve("127.0.0.1:0")?;
        Ok(Self { kdc, server })
    }

    /// The keys of the service.
    pub(super) fn keytab(&self) -> Result<Keytab, Failure> {
        self.kdc.keytab(&[SERVICE]).map_err(failed)
    }

    pub(super) fn announce(&self, as_json: bool) {
        let address = self.server.address();
        event(
            as_json,
            || {
                format!(
                    "a realm, {REALM}, has a KDC on {address}\n\
                     {CLIENT} has a password and nothing else\n\nKDC"
                )
            },
            || json!({ "event": "realm", "realm": REALM, "address": address.to_string() }),
        );
    }

    /// From the password to a ticket for the service, showing each message.
    pub(super) fn ticket(
        &self,
        policy: &Policy,
        as_json: bool,
    ) -> Result<TicketCredential, Failure> {
        let (messages, seen) = mpsc::channel();
        let address = self.server.address().to_string();
        let kdcs = StaticKdcs::new()
            .kdc(REALM, &address)
            .map_err(|error| Failure::refused(error.to_string()))?;
        let policy = policy.clone();
        let client = KdcClient::new(kdcs)
            .environment(move || SystemEnvironment::new().with_policy(policy.clone()))
            // The receiver lives as long as the client.
            .observe(move |event| drop(message(event).map(|seen| messages.send(seen))));
        let show = || seen.try_iter().for_each(|seen| show(&seen, as_json));

        let started = Instant::now();
        let user = self.kdc.principal(CLIENT);
        let initial = client.run(InitialTicket::new(user, ClientSecret::password(PASSWORD)));
        show();
        let tgt = initial?.credential;
        obtained("ticket-granting ticket", &tgt, started.elapsed(), as_json);

        let started = Instant::now();
        let service = self.kdc.principal(SERVICE);
        let outcome = client.run(ServiceTicket::new(tgt, service));
        show();
        let ticket = outcome?.credential.duplicate();
        obtained("service ticket", &ticket, started.elapsed(), as_json);
        Ok(ticket)
    }
}

fn failed(error: countersign_testkit::Error) -> Failure {
    Failure::refused(format!("the realm cannot be made: {error}"))
}

fn message(event: &KdcEvent<'_>) -> Option<Seen> {
    let (sent, message) = match event.kind {
        KdcEventKind::Asked { message, .. } => (true, message),
        KdcEventKind::Answered { message, .. } => (false, message),
        _ => return None,
    };
    let what = describe::tree(message).into_iter().next();
    Some(Seen {
        sent,
        length: message.len(),
        what: what.map_or_else(String::new, |line| line.label),
    })
}

fn show(seen: &Seen, as_json: bool) {
    let Seen { sent, length, what } = seen;
    event(
        as_json,
        || {
            let arrow = if *sent {
                "client -> KDC   "
            } else {
                "client <- KDC   "
            };
            format!("  {arrow}  {length:>4} bytes  {what}")
        },
        || {
            let from = if *sent { "client" } else { "kdc" };
            json!({ "event": "kdc", "from": from, "length": length, "what": what })
        },
    );
}

fn obtained(what: &str, ticket: &TicketCredential, took: Duration, as_json: bool) {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    event(
        as_json,
        || {
            let until = moment(ticket.times.end_time);
            format!(
                "  {what} for {}\n    until {until}, in {took:.0?}",
                ticket.server
            )
        },
        || {
            json!({
                "event": "ticket", "service": ticket.server.to_string(),
                "expires": ticket.times.end_time, "took_us": micros,
            })
        },
    );
}
