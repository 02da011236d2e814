//! The driver over the sockets of tokio.
//!
//! The jobs are futures that live in the future of the request: when that is dropped they are
//! dropped with it, and their sockets are closed. Nothing is spawned.

#[cfg(feature = "https")]
mod https;
mod pool;
mod tcp;
mod udp;

use std::sync::Arc;

use countersign_context::kerberos::kdc::KdcRequest;
use tokio::time::{Instant, timeout_at};

use self::pool::{Notes, Pool};
use super::ask::Ask;
use super::endpoint::Transport;
use super::error::{Error, Failure, NoReply};
use super::locate::LocateError;
use super::observe::KdcEventKind;
use super::race::{Event, Job, Race, show};
use super::settings::Settings;

pub(super) async fn send(
    settings: &Settings,
    request: &KdcRequest,
    deadline: std::time::Instant,
) -> Result<Vec<u8>, NoReply> {
    let began = now();
    let locating = settings
        .locate
        .locate_async(&request.realm, request.service, deadline);
    let located = timeout_at(Instant::from_std(deadline), locating)
        .await
        .unwrap_or(Err(LocateError::TimedOut));
    let endpoints = match located {
        Ok(endpoints) if !endpoints.is_empty() => endpoints,
        other => {
            let error = other.err().map_or(Error::NotLocated, Error::from);
            let kind = KdcEventKind::GaveUp { error: &error };
            show(settings, request, began, now(), kind);
            return Err(error.into());
        }
    };

    let mut race = Race::new(settings, request, &endpoints, began, now());
    let ask = Arc::new(Ask::new(settings, request, race.baton(), deadline));
    let mut pool = Pool::default();
    loop {
        let moment = now();
        if moment >= deadline {
            return race.give_up(moment);
        }
        while let Some((number, job)) = race.due(moment) {
            let work = work(number, job, Arc::clone(&ask), pool.notes());
            pool.add(number, Box::pin(work));
        }
        if race.is_over() {
            return race.give_up(moment);
        }
        let until = race.wake().map_or(deadline, |wake| wake.min(deadline));
        if let Ok((number, event)) = timeout_at(Instant::from_std(until), pool.next()).await
            && let Some(reply) = race.happened(number, event, now())
        {
            return Ok(reply);
        }
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}

async fn work(number: usize, job: Job, ask: Arc<Ask>, notes: Notes) -> Event {
    match job {
        Job::Resolve(endpoint) => {
            match tokio::net::lookup_host((endpoint.host(), endpoint.port())).await {
                Ok(addresses) => Event::Resolved(addresses.collect()),
                Err(_) => Failure::Resolve.into(),
            }
        }
        Job::Ask(route, address) => match route.transport {
            Transport::Udp => udp::ask(number, &ask, address, &notes).await,
            Transport::Tcp => tcp::ask(number, &ask, address).await,
            #[cfg(feature = "https")]
            Transport::Https => https::ask(number, &ask, &route.endpoint, address).await,
            #[cfg(not(feature = "https"))]
            Transport::Https => Failure::NoHttps.into(),
        },
    }
}
