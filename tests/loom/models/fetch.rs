//! One fetch of a ticket for all who wait, whatever becomes of whoever fetches.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use loom::future::block_on;
use loom::sync::{Arc, Mutex};
use loom::thread;

use super::{every_order, every_order_of};
use crate::flight::{End, Flights, Pilot, Seat};

/// What a model's threads share: a cache, who fetches for it, and how often.
#[derive(Default)]
struct Source {
    cache: Mutex<Option<u8>>,
    flights: Flights<u8, Result<u8, u8>>,
    fetches: AtomicUsize,
}

/// How one waits.
#[derive(Clone, Copy)]
enum How {
    Thread,
    Future,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Thread => "thread",
            Self::Future => "task",
        })
    }
}

impl Source {
    fn cached(&self) -> Option<u8> {
        *self.cache.lock().unwrap()
    }

    /// As `TicketSource` fetches: whoever has a seat as the pilot looks into the cache once more,
    /// as an `Acquisition` does before it asks anybody.
    fn ticket(&self, how: How, fetch: impl Fn() -> Result<u8, u8>) -> Result<u8, u8> {
        loop {
            if let Some(ticket) = self.cached() {
                return Ok(ticket);
            }
            match self.flights.board(&1) {
                Seat::Pilot(pilot) => return self.fly(pilot, &fetch),
                Seat::Passenger(passenger) => {
                    let end = match how {
                        How::Thread => passenger.wait(Instant::now() + Duration::from_secs(1000)),
                        How::Future => Some(block_on(passenger)),
                    };
                    match end {
                        Some(End::Landed(result)) => return result,
                        Some(End::Abandoned) => {}
                        None => panic!("waited too long"),
                    }
                }
            }
        }
    }

    fn fly(
        &self,
        pilot: Pilot<'_, u8, Result<u8, u8>>,
        fetch: impl Fn() -> Result<u8, u8>,
    ) -> Result<u8, u8> {
        let fetched = match self.cached() {
            Some(ticket) => Ok(ticket),
            None => {
                self.fetches.fetch_add(1, Ordering::Relaxed);
                fetch()
            }
        };
        if let Ok(ticket) = fetched {
            *self.cache.lock().unwrap() = Some(ticket);
        }
        pilot.land(fetched);
        fetched
    }

    /// Takes the seat, if it is free, and leaves without a ticket, as a future that is dropped.
    fn give_up(&self) {
        if let Seat::Pilot(pilot) = self.flights.board(&1) {
            drop(pilot);
        }
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }
}

fn waiting(
    source: &Arc<Source>,
    how: How,
    fetch: fn() -> Result<u8, u8>,
) -> thread::JoinHandle<Result<u8, u8>> {
    let source = Arc::clone(source);
    thread::spawn(move || source.ticket(how, fetch))
}

#[test]
fn one_fetch_serves_a_thread_or_a_task_that_waits() {
    for how in [How::Thread, How::Future] {
        every_order(&format!("a fetch, and a {how} that waits"), move || {
            let source = Arc::new(Source::default());
            let other = waiting(&source, how, || Ok(7));
            assert_eq!(source.ticket(How::Thread, || Ok(7)), Ok(7));
            assert_eq!(other.join().unwrap(), Ok(7));
            assert_eq!(source.fetches(), 1);
            // Later there is nobody to wait for, and nothing to fetch.
            assert_eq!(source.ticket(How::Thread, || Err(1)), Ok(7));
        });
    }
}

#[test]
fn one_fetch_serves_a_thread_and_a_task_that_wait() {
    every_order_of(3, "a fetch, a thread and a task that wait", || {
        let source = Arc::new(Source::default());
        let thread = waiting(&source, How::Thread, || Ok(7));
        let task = waiting(&source, How::Future, || Ok(7));
        assert_eq!(source.ticket(How::Thread, || Ok(7)), Ok(7));
        assert_eq!(thread.join().unwrap(), Ok(7));
        assert_eq!(task.join().unwrap(), Ok(7));
        assert_eq!(source.fetches(), 1);
    });
}

#[test]
fn whoever_waits_takes_over_from_a_fetch_that_is_given_up() {
    for how in [How::Thread, How::Future] {
        every_order(&format!("a fetch given up, and a {how}"), move || {
            let source = Arc::new(Source::default());
            let other = waiting(&source, how, || Ok(7));
            source.give_up();
            assert_eq!(other.join().unwrap(), Ok(7));
            assert_eq!(source.fetches(), 1);
        });
        every_order_of(3, &format!("a fetch given up, and two {how}s"), move || {
            let source = Arc::new(Source::default());
            let others = [(); 2].map(|()| waiting(&source, how, || Ok(7)));
            source.give_up();
            for other in others {
                assert_eq!(other.join().unwrap(), Ok(7));
            }
            assert_eq!(source.fetches(), 1);
        });
    }
}

#[test]
fn a_fetch_that_fails_wakes_all_who_wait_and_is_not_remembered() {
    every_order_of(3, "a fetch that fails, a thread and a task", || {
        let source = Arc::new(Source::default());
        let thread = waiting(&source, How::Thread, || Err(1));
        let task = waiting(&source, How::Future, || Err(1));
        assert_eq!(source.ticket(How::Thread, || Err(1)), Err(1));
        assert_eq!(thread.join().unwrap(), Err(1));
        assert_eq!(task.join().unwrap(), Err(1));
        assert!((1..=3).contains(&source.fetches()));
        // Whoever comes later tries again.
        assert_eq!(source.ticket(How::Thread, || Ok(7)), Ok(7));
    });
}

#[test]
fn a_task_that_gives_up_waiting_takes_nobodys_place() {
    every_order("a task that gives up, and one that waits", || {
        let source = Arc::new(Source::default());
        let task = waiting(&source, How::Future, || Ok(7));
        if let Seat::Passenger(mut passenger) = source.flights.board(&1) {
            let mut cx = Context::from_waker(Waker::noop());
            let _ = Pin::new(&mut passenger).poll(&mut cx);
        }
        assert_eq!(task.join().unwrap(), Ok(7));
        assert_eq!(source.fetches(), 1);
    });
}
