//! Exchanges with the testkit's KDC, as a driver would run them.
#![allow(dead_code)] // each test program uses its part

use countersign_context::kerberos::kdc::{
    ClientSecret, Exchange, ExchangeStep, InitialTicket, InitialTicketOutcome, KdcAnswer,
    KdcRequest,
};
use countersign_context::{Environment, Error, ErrorKind, KdcProblem, Policy, Timestamp};
use countersign_testkit::{Kdc, NOW, SeededRandom};

pub(crate) const REALM: &str = "EXAMPLE.COM";
pub(crate) const PASSWORD: &str = "open sesame";

/// A realm in which alice has a password.
pub(crate) fn kdc() -> Kdc {
    Kdc::builder(REALM).user("alice", PASSWORD).build().unwrap()
}

pub(crate) fn alice(kdc: &Kdc) -> InitialTicket {
    InitialTicket::new(kdc.principal("alice"), ClientSecret::password(PASSWORD))
}

/// A client's clock, randomness and policy.
pub(crate) struct Client {
    pub(crate) now: i64,
    pub(crate) policy: Policy,
    random: SeededRandom,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self {
            now: NOW,
            policy: Policy::default(),
            random: SeededRandom::new(11),
        }
    }

    pub(crate) fn at(mut self, now: i64) -> Self {
        self.now = now;
        self
    }

    pub(crate) fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    pub(crate) fn step<E: Exchange>(
        &mut self,
        exchange: &mut E,
        answer: Option<KdcAnswer>,
    ) -> Result<ExchangeStep<E::Output>, Error> {
        let now = Timestamp::new(self.now, 5);
        let mut env = Environment::new(now, &mut self.random).with_policy(&self.policy);
        exchange.step(answer, &mut env)
    }

    /// Runs an exchange to its end; `answer` is the network.
    pub(crate) fn run<E: Exchange>(
        &mut self,
        exchange: &mut E,
        mut answer: impl FnMut(&KdcRequest) -> KdcAnswer,
    ) -> Result<E::Output, ErrorKind> {
        let mut next = None;
        for _ in 0..100 {
            match self
                .step(exchange, next.take())
                .map_err(|error| error.kind())?
            {
                ExchangeStep::Send(request) => next = Some(answer(&request)),
                ExchangeStep::Done(output) => return Ok(output),
            }
        }
        panic!("the exchange does not end")
    }
}

/// An exchange with one KDC over streams.
pub(crate) fn obtain(
    kdc: &Kdc,
    exchange: InitialTicket,
) -> Result<InitialTicketOutcome, ErrorKind> {
    obtain_as(&mut Client::new(), kdc, exchange)
}

pub(crate) fn obtain_as(
    client: &mut Client,
    kdc: &Kdc,
    mut exchange: InitialTicket,
) -> Result<InitialTicketOutcome, ErrorKind> {
    client.run(&mut exchange, |request| {
        KdcAnswer::Reply(kdc.answer(&request.message))
    })
}

/// The same, where a KDC problem is expected.
#[track_caller]
pub(crate) fn problem(kdc: &Kdc, exchange: InitialTicket) -> KdcProblem {
    match obtain(kdc, exchange) {
        Err(ErrorKind::Kdc(problem)) => problem,
        other => panic!("not a KDC problem: {other:?}"),
    }
}
