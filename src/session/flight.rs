//! One piece of work whose outcome many callers wait for. It knows no HTTP and no runtime: it is a mutex and wakers, so that
//! a model checker can run it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use smallvec::SmallVec;

use super::sync::{Arc, Mutex, lock};

/// The outcome of the work, once there is one, and the callers that wait for it.
pub(crate) struct Flight<T> {
    cell: Mutex<Cell<T>>,
}

struct Cell<T> {
    outcome: Option<T>,
    /// One entry for each caller that waits. A free entry is used again.
    waiters: SmallVec<[Waiter; 2]>,
    /// The indices of the free entries.
    free: Vec<usize>,
}

enum Waiter {
    Free,
    /// The waker is there once the caller was polled.
    Waiting(Option<Waker>),
}

impl<T: Clone> Flight<T> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { cell: Mutex::new(Cell { outcome: None, waiters: SmallVec::new(), free: Vec::new() }) })
    }

    /// Ends the flight. Every caller that waits gets a copy of the outcome. Only the first call has an effect.
    pub(crate) fn complete(&self, outcome: T) {
        let mut cell = lock(&self.cell);
        if cell.outcome.is_some() {
            return;
        }
        cell.outcome = Some(outcome);
        let wakers: Vec<_> = cell.waiters.iter_mut().filter_map(Waiter::take_waker).collect();
        drop(cell);
        // Outside of the lock: a waker may run the waiting task at once, and that task locks the cell.
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Waits for the outcome. A caller that drops the future no longer waits, and the flight goes on.
    pub(crate) fn wait(self: &Arc<Self>) -> Wait<T> {
        let mut cell = lock(&self.cell);
        let index = cell.free.pop().unwrap_or(cell.waiters.len());
        if index == cell.waiters.len() {
            cell.waiters.push(Waiter::Free);
        }
        cell.waiters[index] = Waiter::Waiting(None);
        drop(cell);
        Wait { flight: self.clone(), index }
    }

    /// How many callers wait.
    pub(crate) fn waiting(&self) -> usize {
        let cell = lock(&self.cell);
        cell.waiters.len() - cell.free.len()
    }
}

impl Waiter {
    fn take_waker(&mut self) -> Option<Waker> {
        match self {
            Self::Waiting(waker) => waker.take(),
            Self::Free => None,
        }
    }
}

/// The wait of one caller.
pub(crate) struct Wait<T> {
    flight: Arc<Flight<T>>,
    index: usize,
}

impl<T: Clone> Future for Wait<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut cell = lock(&self.flight.cell);
        if let Some(outcome) = &cell.outcome {
            return Poll::Ready(outcome.clone());
        }
        let waiter = &mut cell.waiters[self.index];
        let is_known = matches!(waiter, Waiter::Waiting(Some(waker)) if waker.will_wake(context.waker()));
        let old = (!is_known).then(|| std::mem::replace(waiter, Waiter::Waiting(Some(context.waker().clone()))));
        drop(cell);
        // The drop of a waker may run any code, so it does not run under the lock.
        drop(old);
        Poll::Pending
    }
}

impl<T> Drop for Wait<T> {
    fn drop(&mut self) {
        let mut cell = lock(&self.flight.cell);
        let old = if self.index + 1 == cell.waiters.len() {
            cell.waiters.pop()
        } else {
            cell.free.push(self.index);
            Some(std::mem::replace(&mut cell.waiters[self.index], Waiter::Free))
        };
        drop(cell);
        // Outside of the lock, like the old waker of a poll.
        drop(old);
    }
}
