//! The initiator's way to its ticket, and to the one that it delegates.

use countersign_token::kerberos::TicketFlags;

use crate::environment::Environment;
use crate::error::ErrorKind;
use crate::flags::Flags;
use crate::kerberos::kdc::{Acquisition, Exchange, ExchangeStep, KdcAnswer};
use crate::stage::Next;
use crate::step::{Need, Step};

use super::{Initiator, Source, State};

impl Initiator {
    pub(super) fn start(&mut self, env: &mut Environment<'_>) -> Result<Next<State>, ErrorKind> {
        match &self.source {
            Source::Credential(..) => self.acquire(None, env),
            Source::Ticket(_) | Source::Acquired(..) => self.send(env.now, false, env),
        }
    }

    /// Goes on with the acquisition of the ticket.
    pub(super) fn acquire(
        &mut self,
        answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, ErrorKind> {
        let Source::Credential(credential, acquisition) = &mut self.source else {
            return Err(ErrorKind::UnexpectedCall);
        };
        let ticket = match acquisition
            .step(answer, env)
            .map_err(|error| error.kind())?
        {
            ExchangeStep::Send(request) => {
                return Ok(Next::On(State::Acquire, Step::Need(Need::Kdc(request))));
            }
            ExchangeStep::Done(ticket) => ticket,
        };
        let credential = credential.clone();
        let trusted = ticket.flags.contains(TicketFlags::OK_AS_DELEGATE);
        let asked = self.options.requested.contains(Flags::DELEGATION);
        let required = self.options.required.contains(Flags::DELEGATION);
        let fetch = asked && self.options.delegate.is_none();
        let forwarded = Acquisition::forwarded(&credential);
        self.source = Source::Acquired(credential, ticket);
        // RFC 4120 §2.8: not to a service that the realm does not trust with it.
        match (fetch, trusted) {
            (true, true) => self.forward(Box::new(forwarded), None, env),
            (true, false) if required => Err(ErrorKind::DelegationRefused),
            _ => self.send_acquired(env),
        }
    }

    /// Goes on with the acquisition of what is delegated.
    pub(super) fn forward(
        &mut self,
        mut acquisition: Box<Acquisition>,
        answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, ErrorKind> {
        match acquisition.step(answer, env) {
            Ok(ExchangeStep::Send(request)) => {
                let state = State::Forward(acquisition);
                Ok(Next::On(state, Step::Need(Need::Kdc(request))))
            }
            Ok(ExchangeStep::Done(forwarded)) => {
                self.options.delegate = Some(forwarded);
                self.send_acquired(env)
            }
            Err(error) if self.options.required.contains(Flags::DELEGATION) => Err(error.kind()),
            Err(_) => self.send_acquired(env),
        }
    }

    /// The service's clock is taken to be the KDC's.
    fn send_acquired(&self, env: &mut Environment<'_>) -> Result<Next<State>, ErrorKind> {
        let offset = match &self.source {
            Source::Acquired(credential, _) => credential.tickets().time_offset(),
            Source::Ticket(_) | Source::Credential(..) => 0,
        };
        self.send(env.now.offset_by(offset), false, env)
    }
}
