//! The exchanges, and the KDCs that they are had with.

use std::sync::Arc;
use std::time::Duration;

use countersign_handshake::SystemEnvironment;
use countersign_handshake::context::Timestamp;
use countersign_handshake::context::credential::{Principal, ServiceName, TicketCredential};
use countersign_handshake::context::kerberos::kdc::{
    Acquisition, ClientCredential, Exchange, ExchangeStep, KdcAnswer,
};
use countersign_handshake::kdc::{Error, KdcClient};
use countersign_testkit::{Kdc, KdcFault, KdcServer, NOW};

use crate::support::Driver;
use crate::support::kdc::{REALM, Watched};

pub(crate) const SERVICE: &str = "sentry/gate.example.com";

/// Where nothing will ever come, the exchange ends with this; it decides nothing else.
pub(crate) const SHORT: Duration = Duration::from_millis(400);

/// A KDC that is silent is overtaken after this; one that is slower than it is asked twice.
pub(crate) const SOON: Duration = Duration::from_millis(40);

/// Every fault that [`KdcServer`] knows and that no other implies.
pub(crate) const FAULTS: [KdcFault; 17] = [
    KdcFault::Silent,
    KdcFault::SilentOverUdp,
    KdcFault::Slow(Duration::from_secs(3600)),
    KdcFault::Garbage,
    KdcFault::Truncated,
    KdcFault::TruncatedAt(0),
    KdcFault::TruncatedAt(3),
    KdcFault::TruncatedAt(4),
    KdcFault::TruncatedAt(150),
    KdcFault::HangsUp,
    KdcFault::Endless,
    KdcFault::ReservedLength,
    KdcFault::Empty,
    KdcFault::Trickle(Duration::from_secs(3600)),
    KdcFault::Resets,
    KdcFault::Elsewhere,
    KdcFault::TooBig,
];

pub(crate) const TRANSPORTS: [&str; 2] = ["udp", "tcp"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// AS exchange: a ticket-granting ticket.
    Initial,
    /// TGS exchange: a ticket for the service, with the ticket-granting ticket at hand.
    Service,
}

pub(crate) const WANTS: [Want; 2] = [Want::Initial, Want::Service];

pub(crate) fn kdc() -> Kdc {
    let kdc = Kdc::builder(REALM)
        .user("alice", "open sesame")
        .service(SERVICE);
    kdc.build().unwrap()
}

/// Another one of the realm, with the same keys. What one has seen the other has not.
pub(crate) fn another() -> Kdc {
    kdc()
}

pub(crate) fn serve(kdc: &Kdc) -> KdcServer {
    kdc.serve("127.0.0.1:0").unwrap()
}

pub(crate) fn environment() -> SystemEnvironment {
    SystemEnvironment::new().with_clock(|| Timestamp::from_unix(NOW))
}

pub(crate) fn alice() -> ClientCredential {
    let alice = Principal::parse("alice@EXAMPLE.COM").unwrap();
    ClientCredential::password(alice, "open sesame")
}

/// A client of these KDCs by this transport.
pub(crate) fn client(transport: &str, servers: &[&KdcServer]) -> Watched {
    let names = ["a", "b", "c"];
    let at = servers
        .iter()
        .map(|server| format!("{transport}/{}", server.address()));
    let kdcs: Vec<_> = names.into_iter().zip(at).collect();
    Watched::new(&kdcs).with(|client| client.environment(environment))
}

type Ticket = Result<Arc<TicketCredential>, Error>;

/// What comes before, without any network: the credential then has what the exchange needs.
pub(crate) fn prepared(want: Want, kdc: &Kdc) -> ClientCredential {
    let credential = alice();
    if want == Want::Service {
        let mut first = Acquisition::ticket_granting_ticket(&credential);
        let (mut own, mut answer) = (environment(), None);
        while let ExchangeStep::Send(request) =
            first.step(answer.take(), &mut own.environment()).unwrap()
        {
            answer = Some(KdcAnswer::Reply(kdc.answer(&request.message)));
        }
    }
    credential
}

pub(crate) fn run(
    want: Want,
    driver: Driver,
    client: &KdcClient,
    credential: &ClientCredential,
) -> Ticket {
    let exchange = match want {
        Want::Initial => Acquisition::ticket_granting_ticket(credential),
        Want::Service => Acquisition::new(credential, ServiceName::parse(SERVICE).unwrap()),
    };
    driver.run_exchange(client, exchange)
}

/// The ticket of an exchange with nobody misbehaving.
pub(crate) fn honest(want: Want, kdc: &Kdc) -> Arc<TicketCredential> {
    let server = serve(kdc);
    let client = client("tcp", &[&server]).client;
    run(want, Driver::Blocking, &client, &prepared(want, kdc)).unwrap()
}

/// All but what is drawn anew for each ticket: its key, and what is sealed with it.
pub(crate) fn assert_same(ticket: &TicketCredential, honest: &TicketCredential, case: &str) {
    assert_eq!(ticket.client, honest.client, "{case}");
    assert_eq!(ticket.server, honest.server, "{case}");
    assert_eq!(ticket.times, honest.times, "{case}");
    assert_eq!(ticket.flags, honest.flags, "{case}");
}
