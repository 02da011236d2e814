//! Exchanges with KDCs that live in the test.
#![allow(dead_code)] // each test program uses its part

use countersign_context::credential::{Principal, TicketCredential};
use countersign_context::kerberos::kdc::{
    Exchange, ExchangeStep, KdcAnswer, KdcRequest, ServiceTicket, ServiceTicketOutcome,
};
use countersign_context::{Environment, Error, ErrorKind, Policy, Timestamp};
use countersign_testkit::{Kdc, NOW, Realm, SeededRandom, flags};

pub(crate) const REALM: &str = "EXAMPLE.COM";
pub(crate) const SERVICE: &str = "HTTP/www.example.com";

/// A network of KDCs, a clock and a policy.
pub(crate) struct Network {
    pub(crate) kdcs: Vec<Kdc>,
    pub(crate) now: i64,
    pub(crate) policy: Policy,
    pub(crate) datagrams: bool,
    /// What was sent.
    pub(crate) sent: Vec<KdcRequest>,
    random: SeededRandom,
}

impl Network {
    pub(crate) fn of(kdcs: impl IntoIterator<Item = Kdc>) -> Self {
        Self {
            kdcs: kdcs.into_iter().collect(),
            now: NOW,
            policy: Policy::default(),
            datagrams: false,
            sent: Vec::new(),
            random: SeededRandom::new(42),
        }
    }

    pub(crate) fn step<E: Exchange + ?Sized>(
        &mut self,
        exchange: &mut E,
        answer: Option<KdcAnswer>,
    ) -> Result<ExchangeStep<E::Output>, Error> {
        let now = Timestamp::new(self.now, 123_456);
        let mut env = Environment::new(now, &mut self.random).with_policy(&self.policy);
        exchange.step(answer, &mut env)
    }

    /// What the realm's KDC answers.
    pub(crate) fn answer(&self, request: &KdcRequest) -> KdcAnswer {
        let kdc = self
            .kdcs
            .iter()
            .find(|kdc| kdc.realm().as_bytes() == request.realm);
        match kdc {
            Some(kdc) if self.datagrams && !request.stream_only => {
                KdcAnswer::Reply(kdc.answer_datagram(&request.message))
            }
            Some(kdc) => KdcAnswer::Reply(kdc.answer(&request.message)),
            None => KdcAnswer::Unreachable,
        }
    }

    /// The exchange to its end, and then once more.
    pub(crate) fn run<E>(&mut self, mut exchange: E) -> Result<E::Output, Error>
    where
        E: Exchange,
        E::Output: core::fmt::Debug,
    {
        let mut answer = None;
        for _ in 0..64 {
            match self.step(&mut exchange, answer) {
                Ok(ExchangeStep::Send(request)) => {
                    answer = Some(self.answer(&request));
                    self.sent.push(request);
                }
                Ok(ExchangeStep::Done(output)) => {
                    let again = self.step(&mut exchange, None).unwrap_err();
                    assert_eq!(again.kind(), ErrorKind::UnexpectedCall);
                    return Ok(output);
                }
                Err(error) => {
                    let again = self.step(&mut exchange, None).unwrap_err();
                    assert_eq!(error, again, "a failed exchange repeats its error");
                    return Err(error);
                }
            }
        }
        panic!("the exchange does not end")
    }

    /// The realms that were asked, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.sent
            .iter()
            .map(|request| String::from_utf8_lossy(&request.realm).into_owned())
            .collect()
    }
}

/// A realm with one service and two users.
pub(crate) fn kdc() -> Kdc {
    Kdc::builder(REALM)
        .user("alice", "wonderland")
        .user("bob", "builder")
        .service(SERVICE)
        .service("HTTP/other.example.com")
        .build()
        .unwrap()
}

/// A user's ticket-granting ticket, which the KDC of the realm's name and seed can read.
pub(crate) fn tgt(realm: &str, client: &str) -> TicketCredential {
    tgt_for(realm, client, realm)
}

/// `client`'s ticket for the ticket-granting service of `target`, issued by `realm`.
pub(crate) fn tgt_for(realm: &str, client: &str, target: &str) -> TicketCredential {
    Realm::new(realm, 1)
        .ticket(client, &format!("krbtgt/{target}"))
        .add_flags(flags::ticket::FORWARDABLE | flags::ticket::PROXIABLE)
        .mint()
        .unwrap()
}

pub(crate) fn service() -> Principal {
    named(SERVICE)
}

pub(crate) fn named(name: &str) -> Principal {
    Realm::new(REALM, 1).principal(name)
}

/// Alice asks for the service.
pub(crate) fn exchange() -> ServiceTicket {
    ServiceTicket::new(tgt(REALM, "alice"), service())
}

pub(crate) fn fetch(network: &mut Network) -> Result<ServiceTicketOutcome, Error> {
    network.run(exchange())
}

/// Why the exchange failed.
pub(crate) fn refusal(network: &mut Network) -> ErrorKind {
    fetch(network).unwrap_err().kind()
}
