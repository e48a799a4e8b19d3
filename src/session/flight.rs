//! One piece of work that many wait for. It knows no HTTP and no runtime: a mutex and wakers, so that a model checker
//! can run it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use smallvec::SmallVec;

use super::sync::{Arc, Mutex, lock};

/// The outcome that is to come, and those who wait for it.
pub(crate) struct Flight<T> {
    cell: Mutex<Cell<T>>,
}

struct Cell<T> {
    outcome: Option<T>,
    /// A seat for each who waits; a seat that is left is taken by the next.
    seats: SmallVec<[Seat; 2]>,
    free: Vec<usize>,
}

enum Seat {
    Free,
    Taken(Option<Waker>),
}

impl<T: Clone> Flight<T> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { cell: Mutex::new(Cell { outcome: None, seats: SmallVec::new(), free: Vec::new() }) })
    }

    /// Ends the flight: whoever waits gets a copy of the outcome. The first one counts; whether this was it is returned.
    pub(crate) fn land(&self, outcome: T) -> bool {
        let mut cell = lock(&self.cell);
        if cell.outcome.is_some() {
            return false;
        }
        cell.outcome = Some(outcome);
        let wakers: Vec<_> = cell.seats.iter_mut().filter_map(Seat::waker).collect();
        drop(cell);
        // Outside of the lock: a waker may run the waiting task at once, and that task looks into the cell.
        wakers.into_iter().for_each(Waker::wake);
        true
    }

    /// Waits for the outcome. Whoever drops this no longer waits; the flight goes on.
    pub(crate) fn wait(self: &Arc<Self>) -> Wait<T> {
        let mut cell = lock(&self.cell);
        let seat = cell.free.pop().unwrap_or(cell.seats.len());
        if seat == cell.seats.len() {
            cell.seats.push(Seat::Free);
        }
        cell.seats[seat] = Seat::Taken(None);
        drop(cell);
        Wait { flight: self.clone(), seat }
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        let cell = lock(&self.cell);
        cell.seats.len() - cell.free.len()
    }
}

impl Seat {
    fn waker(&mut self) -> Option<Waker> {
        match self {
            Self::Taken(waker) => waker.take(),
            Self::Free => None,
        }
    }
}

/// The wait of one caller.
pub(crate) struct Wait<T> {
    flight: Arc<Flight<T>>,
    seat: usize,
}

impl<T: Clone> Future for Wait<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut cell = lock(&self.flight.cell);
        if let Some(outcome) = &cell.outcome {
            return Poll::Ready(outcome.clone());
        }
        let seat = &mut cell.seats[self.seat];
        let known = matches!(seat, Seat::Taken(Some(waker)) if waker.will_wake(context.waker()));
        let old = (!known).then(|| std::mem::replace(seat, Seat::Taken(Some(context.waker().clone()))));
        drop(cell);
        // A waker's own drop may do anything, so it does not run under the lock.
        drop(old);
        Poll::Pending
    }
}

impl<T> Drop for Wait<T> {
    fn drop(&mut self) {
        let mut cell = lock(&self.flight.cell);
        let left = if self.seat + 1 == cell.seats.len() {
            cell.seats.pop()
        } else {
            cell.free.push(self.seat);
            Some(std::mem::replace(&mut cell.seats[self.seat], Seat::Free))
        };
        drop(cell);
        drop(left);
    }
}
