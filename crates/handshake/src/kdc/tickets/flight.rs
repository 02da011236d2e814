//! One fetch at a time of each ticket, however many wait for it.
//!
//! ```text
//!   board ──┬─ nobody fetches it ──▶ Pilot ──┬─ land ─────▶ Landed: every passenger has it
//!           │                                └─ dropped ──▶ Abandoned: every passenger boards anew
//!           └─ somebody does ─────▶ Passenger, who waits in a thread or in a future
//! ```

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::PoisonError;
#[cfg(not(countersign_loom))]
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

#[cfg(countersign_loom)]
use loom::sync::{Arc, Condvar, Mutex, MutexGuard};

/// What is under way, by what is fetched.
#[derive(Debug)]
pub(super) struct Flights<K, T>(Mutex<HashMap<K, Arc<Flight<T>>>>);

#[derive(Debug)]
struct Flight<T> {
    state: Mutex<State<T>>,
    ended: Condvar,
}

#[derive(Debug)]
struct State<T> {
    end: Option<End<T>>,
    /// In the order of arrival, which is that of waking.
    wakers: BTreeMap<u64, Waker>,
    next: u64,
}

/// How a flight ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End<T> {
    Landed(T),
    Abandoned,
}

pub(super) enum Seat<'a, K: Eq + Hash, T> {
    Pilot(Pilot<'a, K, T>),
    Passenger(Passenger<T>),
}

/// Whoever fetches. Dropped before it lands, it abandons the flight.
pub(super) struct Pilot<'a, K: Eq + Hash, T> {
    flights: &'a Flights<K, T>,
    flight: Arc<Flight<T>>,
    key: K,
}

/// Whoever waits, in a thread or as a future.
pub(super) struct Passenger<T> {
    flight: Arc<Flight<T>>,
    number: Option<u64>,
}

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Eq + Hash + Clone, T> Flights<K, T> {
    pub(super) fn board(&self, key: &K) -> Seat<'_, K, T> {
        let mut flights = lock(&self.0);
        if let Some(flight) = flights.get(key) {
            return Seat::Passenger(Passenger {
                flight: Arc::clone(flight),
                number: None,
            });
        }
        let flight = Arc::new(Flight {
            state: Mutex::new(State {
                end: None,
                wakers: BTreeMap::new(),
                next: 0,
            }),
            ended: Condvar::new(),
        });
        flights.insert(key.clone(), Arc::clone(&flight));
        Seat::Pilot(Pilot {
            flights: self,
            flight,
            key: key.clone(),
        })
    }
}

impl<K: Eq + Hash, T> Pilot<'_, K, T> {
    pub(super) fn land(self, value: T) {
        self.end(End::Landed(value));
    }

    /// The first end counts. The flight is off the board in the same moment: who finds it there can
    /// wait for its end, and who has seen its end does not find it there again.
    fn end(&self, end: End<T>) {
        let wakers = {
            let mut flights = lock(&self.flights.0);
            let mut state = lock(&self.flight.state);
            if state.end.is_some() {
                return;
            }
            state.end = Some(end);
            flights.remove(&self.key);
            std::mem::take(&mut state.wakers)
        };
        self.flight.ended.notify_all();
        wakers.into_values().for_each(Waker::wake);
    }
}

impl<K: Eq + Hash, T> Drop for Pilot<'_, K, T> {
    fn drop(&mut self) {
        self.end(End::Abandoned);
    }
}

impl<T: Clone> Passenger<T> {
    /// `None` where the flight had not ended in time.
    pub(super) fn wait(&self, deadline: Instant) -> Option<End<T>> {
        let mut state = lock(&self.flight.state);
        loop {
            if let Some(end) = &state.end {
                return Some(end.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let waited = self.flight.ended.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl<T: Clone> Future for Passenger<T> {
    type Output = End<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let flight = Arc::clone(&self.flight);
        let mut state = lock(&flight.state);
        if let Some(end) = &state.end {
            return Poll::Ready(end.clone());
        }
        let number = *self.number.get_or_insert_with(|| {
            let number = state.next;
            state.next = state.next.wrapping_add(1);
            number
        });
        state.wakers.insert(number, cx.waker().clone());
        Poll::Pending
    }
}

impl<T> Drop for Passenger<T> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            lock(&self.flight.state).wakers.remove(&number);
        }
    }
}

#[cfg(test)]
#[cfg(not(countersign_loom))]
mod tests {
    use std::time::Duration;

    use super::*;

    const FOREVER: Duration = Duration::from_secs(100);

    fn pilot<'a>(flights: &'a Flights<u8, u8>, key: u8) -> Option<Pilot<'a, u8, u8>> {
        match flights.board(&key) {
            Seat::Pilot(pilot) => Some(pilot),
            Seat::Passenger(_) => None,
        }
    }

    fn passenger(flights: &Flights<u8, u8>, key: u8) -> Option<Passenger<u8>> {
        match flights.board(&key) {
            Seat::Passenger(passenger) => Some(passenger),
            Seat::Pilot(_) => None,
        }
    }

    #[test]
    fn passengers_get_what_landed_and_the_next_flies_anew() {
        let flights = Flights::default();
        let first = pilot(&flights, 1).unwrap();
        let waiting = passenger(&flights, 1).unwrap();
        // Another ticket is another flight.
        assert!(pilot(&flights, 2).is_some());
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| waiting.wait(Instant::now() + FOREVER));
            first.land(7);
            assert_eq!(thread.join().unwrap(), Some(End::Landed(7)));
        });
        assert!(pilot(&flights, 1).is_some());
    }

    #[test]
    fn pilot_that_is_dropped_lets_a_passenger_take_over() {
        let flights = Flights::default();
        let first = pilot(&flights, 1).unwrap();
        let waiting = passenger(&flights, 1).unwrap();
        assert_eq!(waiting.wait(Instant::now()), None);
        drop(first);
        assert_eq!(waiting.wait(Instant::now()), Some(End::Abandoned));
        assert!(pilot(&flights, 1).is_some());
    }

    #[test]
    fn dropped_passenger_leaves_no_waker_behind() {
        let flights = Flights::default();
        let _first = pilot(&flights, 1).unwrap();
        let mut waiting = passenger(&flights, 1).unwrap();
        let flight = Arc::clone(&waiting.flight);
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            assert!(Pin::new(&mut waiting).poll(&mut cx).is_pending());
        }
        assert_eq!(lock(&flight.state).wakers.len(), 1);
        drop(waiting);
        assert!(lock(&flight.state).wakers.is_empty());
    }
}
