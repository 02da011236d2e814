//! A few futures, polled together.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::race::Event;

type Work = Pin<Box<dyn Future<Output = Event> + Send>>;

/// What a job has to say before it is ready.
#[derive(Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Vec<(usize, Event)>>>);

impl Notes {
    pub(super) fn tell(&self, number: usize, event: Event) {
        self.lock().push((number, event));
    }

    fn take(&self) -> Option<(usize, Event)> {
        self.lock().pop()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(usize, Event)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each wake polls them all: they are as many as a realm has KDCs.
#[derive(Default)]
pub(super) struct Pool {
    works: Vec<(usize, Work)>,
    notes: Notes,
}

impl Pool {
    pub(super) fn notes(&self) -> Notes {
        self.notes.clone()
    }

    pub(super) fn add(&mut self, number: usize, work: Work) {
        self.works.push((number, work));
    }

    /// The next event. Never ready while there is nothing to wait for.
    pub(super) async fn next(&mut self) -> (usize, Event) {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(usize, Event)> {
        let mut ready = None;
        for (index, (number, work)) in self.works.iter_mut().enumerate() {
            if let Poll::Ready(event) = work.as_mut().poll(cx) {
                ready = Some((index, (*number, event)));
                break;
            }
        }
        if let Some((index, event)) = ready {
            drop(self.works.swap_remove(index));
            return Poll::Ready(event);
        }
        match self.notes.take() {
            Some(note) => Poll::Ready(note),
            None => Poll::Pending,
        }
    }
}
