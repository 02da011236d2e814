//! The driver over the sockets of the standard library.
//!
//! Neither a search for a host's addresses nor a connection being made can be interrupted there,
//! so each job has a thread of its own, and whoever waits for the reply waits for the first of
//! them that has something to say, or for the deadline. A thread whose work is no longer wanted
//! notices within a twentieth of a second; one that is stuck in the operating system, when that
//! lets go of it: a connection at the deadline of its request, a search when the resolver gives up.

#[cfg(feature = "https")]
mod https;
mod patient;
mod tcp;
mod udp;

use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Instant;

use countersign_context::kerberos::kdc::KdcRequest;

use super::ask::Ask;
use super::endpoint::Transport;
use super::error::{Error, Failure, NoReply};
use super::observe::KdcEventKind;
use super::race::{Event, Job, Race, show};
use super::settings::Settings;

pub(super) fn send(
    settings: &Settings,
    request: &KdcRequest,
    deadline: Instant,
) -> Result<Vec<u8>, NoReply> {
    let began = Instant::now();
    let located = settings
        .locate
        .locate(&request.realm, request.service, deadline);
    let endpoints = match located {
        Ok(endpoints) if !endpoints.is_empty() => endpoints,
        other => {
            let error = other.err().map_or(Error::NotLocated, Error::from);
            let kind = KdcEventKind::GaveUp { error: &error };
            show(settings, request, began, Instant::now(), kind);
            return Err(error.into());
        }
    };

    let mut race = Race::new(settings, request, &endpoints, began, Instant::now());
    let dismissal = Dismissal::default();
    let ask = Arc::new(Ask::new(settings, request, race.baton(), deadline));
    let (sender, events) = mpsc::channel();
    loop {
        let now = Instant::now();
        if now >= deadline {
            return race.give_up(now);
        }
        while let Some((number, job)) = race.due(now) {
            let worker = Worker {
                number,
                ask: Arc::clone(&ask),
                dismissed: Arc::clone(&dismissal.0),
                events: sender.clone(),
            };
            if let Some(event) = worker.start(job) {
                race.happened(number, event, now);
            }
        }
        if race.is_over() {
            return race.give_up(now);
        }
        let until = race.wake().map_or(deadline, |wake| wake.min(deadline));
        match events.recv_timeout(until.saturating_duration_since(now)) {
            Ok((number, event)) => {
                if let Some(reply) = race.happened(number, event, Instant::now()) {
                    return Ok(reply);
                }
            }
            // This function holds a sender, too: they are never all gone.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}

/// Tells the threads, when it is dropped, that nobody waits for them any more.
#[derive(Default)]
struct Dismissal(Arc<AtomicBool>);

impl Drop for Dismissal {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One job in its thread.
struct Worker {
    number: usize,
    ask: Arc<Ask>,
    dismissed: Arc<AtomicBool>,
    events: Sender<(usize, Event)>,
}

impl Worker {
    /// What there is to say at once: that no thread could be had.
    fn start(self, job: Job) -> Option<Event> {
        thread::Builder::new()
            .name("countersign-kdc".into())
            .spawn(move || {
                let event = self.work(&job);
                self.tell(event);
            })
            .err()
            .map(|error| Event::Failed(Failure::Io(error.kind())))
    }

    fn work(&self, job: &Job) -> Event {
        match job {
            Job::Resolve(endpoint) => match (endpoint.host(), endpoint.port()).to_socket_addrs() {
                Ok(addresses) => Event::Resolved(addresses.collect()),
                Err(_) => Event::Failed(Failure::Resolve),
            },
            Job::Ask(route, address) => match route.transport {
                Transport::Udp => udp::ask(self, *address),
                Transport::Tcp => tcp::ask(self, *address),
                #[cfg(feature = "https")]
                Transport::Https => https::ask(self, &route.endpoint, *address),
                #[cfg(not(feature = "https"))]
                Transport::Https => Event::Failed(Failure::NoHttps),
            },
        }
    }

    /// Whether there is time, and somebody who waits.
    fn goes_on(&self) -> bool {
        !self.dismissed.load(Ordering::Relaxed) && Instant::now() < self.ask.deadline
    }

    /// Nobody may listen any more, which is no error.
    fn tell(&self, event: Event) {
        let _ = self.events.send((self.number, event));
    }
}

impl From<Failure> for Event {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
