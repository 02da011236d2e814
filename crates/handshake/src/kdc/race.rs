//! Who is asked when, without any I/O: both drivers do what it says.
//!
//! ```text
//!   routes, in order                       one route
//!   ───────────────                        ─────────
//!   1st ── begins at once                  Resolve ──▶ its addresses
//!   2nd ── begins when the 1st has been                   │ the first at once, the next
//!   │      silent for the client's                        ▼ a quarter second after it
//!   │      patience, or has failed         Ask ──┬── Reply: the race is over
//!   ▼                                            ├── Foreign: begin the next route now, go on
//!   …      all go on until one answers           └── Failed: begin what is next now
//! ```
//!
//! Where the request must not be repeated, jobs take `Baton` before they send its first byte, and
//! one alone gets it; nothing begins any more, and the race is over with that one.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use countersign_context::kerberos::kdc::{KdcRequest, KdcService};

use super::baton::Baton;
use super::endpoint::{Endpoint, Transport};
use super::error::{Attempt, Error, Failure, NoReply};
use super::observe::{KdcEvent, KdcEventKind};
use super::plan::{Route, Wish, routes};
use super::reply::{Verdict, judge};
use super::settings::Settings;

/// RFC 8305 §5: what one address of a host is given before the next is tried too.
const ADDRESS_PATIENCE: Duration = Duration::from_millis(250);

/// Addresses of one host that are tried.
const MOST_ADDRESSES: usize = 8;

/// Something for the driver to begin, known by a number from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Job {
    /// Find the addresses of the host: `Event::Resolved`, or `Event::Failed`.
    Resolve(Endpoint),
    /// Send the request there: `Event::Reply`, perhaps after `Event::Foreign`, or
    /// `Event::Failed`.
    Ask(Route, SocketAddr),
}

#[derive(Debug)]
pub(super) enum Event {
    Resolved(Vec<SocketAddr>),
    /// Something came that is no reply; the job goes on.
    Foreign,
    /// Another job has the baton.
    Withdrawn,
    Reply(Vec<u8>),
    Failed(Failure),
}

#[derive(Debug)]
struct Running {
    route: usize,
    address: Option<SocketAddr>,
    foreign: bool,
}

pub(super) struct Race<'a> {
    settings: &'a Settings,
    request: &'a KdcRequest,
    began: Instant,
    routes: Vec<Route>,
    /// Routes begun.
    begun: usize,
    /// Addresses of begun routes that have not had their turn.
    waiting: VecDeque<(usize, SocketAddr)>,
    next_route: Instant,
    next_address: Instant,
    /// By the number of the job.
    jobs: Vec<Option<Running>>,
    failures: Vec<Attempt>,
    /// A reply to be content with if no better one comes.
    second_best: Option<Vec<u8>>,
    baton: Baton,
}

impl<'a> Race<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        request: &'a KdcRequest,
        endpoints: &[Endpoint],
        began: Instant,
        now: Instant,
    ) -> Self {
        let wish = if request.stream_only {
            Wish::StreamOnly
        } else if request.service == KdcService::PasswordChange
            || request.message.len() > settings.udp_preference_limit
        {
            // Whether a password change can be sent at all is known before it is sent by TCP, and
            // by UDP never.
            Wish::StreamFirst
        } else {
            Wish::DatagramFirst
        };
        let last = settings.memory.recall(&request.realm, request.service, now);
        let race = Self {
            settings,
            request,
            began,
            routes: routes(endpoints, wish, last.as_ref()),
            begun: 0,
            waiting: VecDeque::new(),
            next_route: now,
            next_address: now,
            jobs: Vec::new(),
            failures: Vec::new(),
            second_best: None,
            baton: Baton::of(request.service),
        };
        race.show(now, KdcEventKind::Located { endpoints });
        race
    }

    pub(super) fn baton(&self) -> Baton {
        self.baton.clone()
    }

    /// What is to be begun now; to be asked again until there is nothing.
    pub(super) fn due(&mut self, now: Instant) -> Option<(usize, Job)> {
        loop {
            if self.baton.holder().is_some() {
                return None;
            }
            if self.next_address <= now
                && let Some((route, address)) = self.waiting.pop_front()
            {
                self.next_address = now + ADDRESS_PATIENCE;
                return Some(self.begin(route, Some(address), now));
            }
            let idle = self.waiting.is_empty() && self.jobs.iter().all(Option::is_none);
            if self.begun >= self.routes.len() || !(idle || self.next_route <= now) {
                return None;
            }
            let route = self.begun;
            self.begun = self.begun.saturating_add(1);
            self.next_route = now + self.settings.patience;
            let endpoint = &self.routes[route].endpoint;
            if self.routes[route].transport == Transport::Https && !cfg!(feature = "https") {
                self.record(route, None, Failure::NoHttps, now);
                self.next_route = now;
            } else if let Ok(ip) = endpoint.host().parse::<IpAddr>() {
                let address = SocketAddr::new(ip, endpoint.port());
                self.waiting.push_front((route, address));
                self.next_address = now;
            } else {
                return Some(self.begin(route, None, now));
            }
        }
    }

    fn begin(&mut self, route: usize, address: Option<SocketAddr>, now: Instant) -> (usize, Job) {
        let number = self.jobs.len();
        self.jobs.push(Some(Running {
            route,
            address,
            foreign: false,
        }));
        let Route {
            endpoint,
            transport,
        } = &self.routes[route];
        let job = match address {
            Some(address) => {
                self.show(
                    now,
                    KdcEventKind::Asked {
                        endpoint,
                        address: Some(address),
                        transport: *transport,
                        message: &self.request.message,
                    },
                );
                Job::Ask(self.routes[route].clone(), address)
            }
            None => Job::Resolve(endpoint.clone()),
        };
        (number, job)
    }

    /// When [`due`](Self::due) is to be asked again though nothing has happened.
    pub(super) fn wake(&self) -> Option<Instant> {
        if self.baton.holder().is_some() {
            return None;
        }
        let route = (self.begun < self.routes.len()).then_some(self.next_route);
        let address = (!self.waiting.is_empty()).then_some(self.next_address);
        route.into_iter().chain(address).min()
    }

    /// Whether nothing can come any more.
    pub(super) fn is_over(&self) -> bool {
        if let Some(holder) = self.baton.holder() {
            return self.jobs.get(holder).is_none_or(Option::is_none);
        }
        self.jobs.iter().all(Option::is_none)
            && self.waiting.is_empty()
            && self.begun >= self.routes.len()
    }

    /// Takes what happened to a job; returns the reply if that was it.
    pub(super) fn happened(&mut self, job: usize, event: Event, now: Instant) -> Option<Vec<u8>> {
        let slot = self.jobs.get_mut(job)?;
        match event {
            Event::Foreign => {
                if let Some(running) = slot {
                    running.foreign = true;
                    self.next_route = now;
                }
                None
            }
            Event::Withdrawn => {
                *slot = None;
                None
            }
            Event::Resolved(addresses) => {
                let running = slot.take()?;
                self.resolved(running.route, addresses, now);
                None
            }
            Event::Failed(failure) => {
                let running = slot.take()?;
                self.failed(&running, failure, now);
                None
            }
            Event::Reply(reply) => {
                let running = slot.take()?;
                self.replied(&running, reply, now)
            }
        }
    }

    fn resolved(&mut self, route: usize, addresses: Vec<SocketAddr>, now: Instant) {
        if addresses.is_empty() {
            self.record(route, None, Failure::Resolve, now);
            self.hurry(route, now);
        }
        let mut addresses = addresses.into_iter().take(MOST_ADDRESSES);
        if let Some(first) = addresses.next() {
            // The second address of another host can wait for the first of this one.
            self.waiting.push_front((route, first));
            self.next_address = now;
        }
        self.waiting
            .extend(addresses.map(|address| (route, address)));
    }

    fn failed(&mut self, running: &Running, failure: Failure, now: Instant) {
        let failure = match failure {
            // Silence was not all that came.
            Failure::NoAnswer if running.foreign => Failure::NotKerberos,
            failure => failure,
        };
        self.record(running.route, running.address, failure, now);
        self.hurry(running.route, now);
    }

    fn replied(&mut self, running: &Running, reply: Vec<u8>, now: Instant) -> Option<Vec<u8>> {
        let route = &self.routes[running.route];
        let verdict = judge(self.request.service, &self.request.message, &reply);
        if verdict != Verdict::Foreign {
            self.show(
                now,
                KdcEventKind::Answered {
                    endpoint: &route.endpoint,
                    address: running.address,
                    transport: route.transport,
                    message: &reply,
                },
            );
        }
        match verdict {
            Verdict::Reply => {
                let KdcRequest { realm, service, .. } = self.request;
                self.settings.memory.remember(realm, *service, route, now);
                return Some(reply);
            }
            Verdict::OutOfService => {
                self.second_best = Some(reply);
                self.failed(running, Failure::OutOfService, now);
            }
            Verdict::Foreign => self.failed(running, Failure::NotKerberos, now),
        }
        None
    }

    /// Lets what comes after a failed address begin now: the next address of its host, or the next
    /// route if it was the last sign of life of the newest.
    fn hurry(&mut self, route: usize, now: Instant) {
        if let Some(index) = self.waiting.iter().position(|(of, _)| *of == route) {
            self.waiting.swap(0, index);
            self.next_address = now;
            return;
        }
        let newest = self.begun.saturating_sub(1);
        let alive = |of: usize| of == newest;
        let waits = self.waiting.iter().any(|(of, _)| alive(*of));
        let runs = self.jobs.iter().flatten().any(|job| alive(job.route));
        if !waits && !runs {
            self.next_route = now;
        }
    }

    /// What is returned when the deadline has come or nobody is left.
    pub(super) fn give_up(mut self, now: Instant) -> Result<Vec<u8>, NoReply> {
        let delivered = self.baton.holder().is_some();
        if let Some(reply) = self.second_best.take() {
            return Ok(reply);
        }
        let running: Vec<_> = self.jobs.iter_mut().filter_map(Option::take).collect();
        for job in running {
            let failure = match (job.foreign, job.address) {
                (true, _) => Failure::NotKerberos,
                (false, Some(_)) => Failure::NoAnswer,
                (false, None) => Failure::Resolve,
            };
            self.record(job.route, job.address, failure, now);
        }
        if self.routes.is_empty() {
            // Not one of the endpoints is reached by a stream.
            let error = Error::NoStream;
            self.show(now, KdcEventKind::GaveUp { error: &error });
            return Err(error.into());
        }
        let error = Error::Unanswered(std::mem::take(&mut self.failures));
        self.show(now, KdcEventKind::GaveUp { error: &error });
        Err(NoReply { error, delivered })
    }

    fn record(
        &mut self,
        route: usize,
        address: Option<SocketAddr>,
        failure: Failure,
        now: Instant,
    ) {
        let Route {
            endpoint,
            transport,
        } = &self.routes[route];
        self.show(
            now,
            KdcEventKind::Failed {
                endpoint,
                address,
                transport: *transport,
                failure,
            },
        );
        self.failures.push(Attempt {
            endpoint: endpoint.clone(),
            address,
            transport: *transport,
            failure,
        });
    }

    fn show(&self, now: Instant, kind: KdcEventKind<'_>) {
        show(self.settings, self.request, self.began, now, kind);
    }
}

pub(super) fn show(
    settings: &Settings,
    request: &KdcRequest,
    began: Instant,
    now: Instant,
    kind: KdcEventKind<'_>,
) {
    if let Some(observer) = &settings.observer {
        observer(&KdcEvent {
            realm: &request.realm,
            service: request.service,
            elapsed: now.saturating_duration_since(began),
            kind,
        });
    }
}
