//! Tickets for many at once.

mod flight;

use std::sync::Arc;
use std::time::Instant;

use countersign_context::credential::TicketCredential;
use countersign_context::kerberos::Initiator;
use countersign_context::kerberos::kdc::{Acquisition, ClientCredential, Target, TicketKey};

use self::flight::{End, Flights, Seat};
use super::client::KdcClient;
use super::error::Error;

type Fetched = Result<Arc<TicketCredential>, Error>;

/// A credential's tickets, for as many threads and tasks as want them: each ticket is fetched once
/// though many ask for it at the same time, the ticket-granting ticket included.
///
/// A clone is cheap and the same source. If whoever fetches gives up (its future is dropped, say),
/// another of those who wait takes over. What the KDC refused, it refused to all who waited.
///
/// ```no_run
/// use countersign_handshake::Handshake;
/// use countersign_handshake::context::credential::{Principal, ServiceName};
/// use countersign_handshake::context::kerberos::kdc::ClientCredential;
/// use countersign_handshake::kdc::{KdcClient, StaticKdcs, TicketSource};
///
/// let kdcs = StaticKdcs::new().kdc("EXAMPLE.COM", "kdc1.example.com")?;
/// let alice = ClientCredential::password(Principal::parse("alice@EXAMPLE.COM")?, "open sesame");
/// let tickets = TicketSource::new(KdcClient::new(kdcs), alice);
/// // In every thread that talks to the service:
/// let initiator = tickets.initiator(ServiceName::parse("HTTP@www.example.com")?)?;
/// let handshake = Handshake::initiator(initiator);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct TicketSource {
    client: KdcClient,
    credential: ClientCredential,
    flights: Arc<Flights<TicketKey, Fetched>>,
}

impl TicketSource {
    /// Tickets for this credential, from the KDCs of this client.
    #[must_use]
    pub fn new(client: KdcClient, credential: ClientCredential) -> Self {
        Self {
            client,
            credential,
            flights: Arc::default(),
        }
    }

    /// The credential.
    #[must_use]
    pub fn credential(&self) -> &ClientCredential {
        &self.credential
    }

    /// A ticket for the service: from the credential's cache, or fetched.
    ///
    /// # Errors
    /// Those of [`KdcClient::run`], and [`Error::TimedOut`] if another one's fetch took too long.
    pub fn ticket(&self, target: impl Into<Target>) -> Result<Arc<TicketCredential>, Error> {
        let deadline = self.client.deadline();
        let wanted = Acquisition::new(&self.credential, target);
        self.fetch(wanted, deadline, |deadline| {
            let first = Acquisition::ticket_granting_ticket(&self.credential);
            self.fetch(first, deadline, |_| Ok(())).map(drop)
        })
    }

    /// An initiator for the service, whose ticket has been fetched: it needs no KDC any more,
    /// unless it is told to delegate.
    ///
    /// # Errors
    /// As for [`ticket`](Self::ticket).
    pub fn initiator(&self, target: impl Into<Target>) -> Result<Initiator, Error> {
        let target = target.into();
        self.ticket(target.clone())?;
        Ok(Initiator::from_credential(&self.credential, target))
    }

    fn fetch(
        &self,
        wanted: Acquisition,
        deadline: Instant,
        before: impl FnOnce(Instant) -> Result<(), Error>,
    ) -> Fetched {
        let key = wanted.key();
        loop {
            if self.has(&wanted) {
                return self.client.run_until(wanted, deadline);
            }
            match self.flights.board(&key) {
                Seat::Pilot(pilot) => {
                    let fetched = unless_impossible(before(deadline))
                        .and_then(|()| self.client.run_until(wanted, deadline));
                    pilot.land(fetched.clone());
                    return fetched;
                }
                Seat::Passenger(passenger) => match passenger.wait(deadline) {
                    Some(End::Landed(fetched)) => return fetched,
                    Some(End::Abandoned) => {}
                    None => return Err(Error::TimedOut),
                },
            }
        }
    }

    fn has(&self, wanted: &Acquisition) -> bool {
        let now = self.client.now();
        wanted.tickets().contains(&wanted.key(), now)
    }
}

/// A credential that has no ticket-granting ticket of its own may have another way.
fn unless_impossible(first: Result<(), Error>) -> Result<(), Error> {
    use countersign_context::ErrorKind;
    match first {
        Err(Error::Refused(error)) if error.kind() == ErrorKind::CredentialMissing => Ok(()),
        first => first,
    }
}

#[cfg(feature = "tokio")]
mod nonblocking {
    use tokio::time::timeout_at;

    use super::{
        Acquisition, Arc, End, Error, Fetched, Initiator, Instant, Seat, Target, TicketCredential,
        TicketSource, unless_impossible,
    };

    impl TicketSource {
        /// As [`ticket`](Self::ticket), without blocking; threads and tasks wait for one another.
        ///
        /// # Cancellation
        /// Dropping the future gives the fetch up, if it was this one's, and another takes over.
        ///
        /// # Errors
        /// As for [`ticket`](Self::ticket).
        pub async fn ticket_async(
            &self,
            target: impl Into<Target>,
        ) -> Result<Arc<TicketCredential>, Error> {
            self.wanted_async(Acquisition::new(&self.credential, target))
                .await
        }

        /// As [`initiator`](Self::initiator), without blocking.
        ///
        /// # Errors
        /// As for [`ticket`](Self::ticket).
        pub async fn initiator_async(&self, target: impl Into<Target>) -> Result<Initiator, Error> {
            let target = target.into();
            let wanted = Acquisition::new(&self.credential, target.clone());
            self.wanted_async(wanted).await?;
            Ok(Initiator::from_credential(&self.credential, target))
        }

        async fn wanted_async(&self, wanted: Acquisition) -> Fetched {
            let deadline = self.client.deadline_async();
            let key = wanted.key();
            loop {
                if self.has(&wanted) {
                    return self.client.run_until_async(wanted, deadline).await;
                }
                match self.flights.board(&key) {
                    Seat::Pilot(pilot) => {
                        let first = self.first_async(deadline).await;
                        let fetched = match unless_impossible(first) {
                            Ok(()) => self.client.run_until_async(wanted, deadline).await,
                            Err(error) => Err(error),
                        };
                        pilot.land(fetched.clone());
                        return fetched;
                    }
                    Seat::Passenger(passenger) => {
                        match timeout_at(deadline.into(), passenger).await {
                            Ok(End::Landed(fetched)) => return fetched,
                            Ok(End::Abandoned) => {}
                            Err(_) => return Err(Error::TimedOut),
                        }
                    }
                }
            }
        }

        /// The ticket-granting ticket.
        async fn first_async(&self, deadline: Instant) -> Result<(), Error> {
            let wanted = Acquisition::ticket_granting_ticket(&self.credential);
            let key = wanted.key();
            loop {
                if self.has(&wanted) {
                    return Ok(());
                }
                match self.flights.board(&key) {
                    Seat::Pilot(pilot) => {
                        let fetched = self.client.run_until_async(wanted, deadline).await;
                        pilot.land(fetched.clone());
                        return fetched.map(drop);
                    }
                    Seat::Passenger(passenger) => {
                        match timeout_at(deadline.into(), passenger).await {
                            Ok(End::Landed(fetched)) => return fetched.map(drop),
                            Ok(End::Abandoned) => {}
                            Err(_) => return Err(Error::TimedOut),
                        }
                    }
                }
            }
        }
    }
}
