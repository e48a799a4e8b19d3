//! The running tasks of a session.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// How many tasks of a session run.
#[derive(Default)]
pub(super) struct TaskCount {
    running: AtomicUsize,
    /// Notified when the last of them has ended.
    all_ended: Notify,
}

impl TaskCount {
    /// Waits until no task runs.
    pub(super) async fn wait_for_none(&self) {
        loop {
            let all_ended = self.all_ended.notified();
            if self.running.load(Ordering::SeqCst) == 0 {
                return;
            }
            all_ended.await;
        }
    }
}

/// Counts a task from its creation until it is dropped.
pub(super) struct CountedTask(Arc<TaskCount>);

impl CountedTask {
    pub(super) fn new(count: &Arc<TaskCount>) -> Self {
        count.running.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for CountedTask {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.all_ended.notify_waiters();
        }
    }
}

/// The tasks of the flights in progress, by the number of the flight.
#[derive(Default)]
pub(super) struct FlightTasks {
    /// One of them. Nearly every session has one flight at a time, which then needs no allocation.
    first: Option<(u64, FlightTask)>,
    others: BTreeMap<u64, FlightTask>,
}

enum FlightTask {
    /// The refresher of the flight was not polled yet, or its first poll has not returned.
    Begun,
    Spawned(AbortHandle),
    /// The flight was aborted before it had a task, because its refresher blocked the thread.
    Aborted,
}

impl FlightTasks {
    pub(super) fn begin(&mut self, number: u64) {
        if self.first.is_none() {
            self.first = Some((number, FlightTask::Begun));
        } else {
            self.others.insert(number, FlightTask::Begun);
        }
    }

    /// Spawns the task of a flight, unless the flight has ended or was aborted.
    pub(super) fn spawn(&mut self, number: u64, spawn: impl FnOnce() -> AbortHandle) {
        if let Some(task @ FlightTask::Begun) = self.get_mut(number) {
            *task = FlightTask::Spawned(spawn());
        }
    }

    pub(super) fn abort(&mut self, number: u64) {
        if let Some(task) = self.get_mut(number)
            && let FlightTask::Spawned(handle) = std::mem::replace(task, FlightTask::Aborted)
        {
            handle.abort();
        }
    }

    pub(super) fn end(&mut self, number: u64) {
        if self.first.take_if(|(first, _)| *first == number).is_none() {
            self.others.remove(&number);
        }
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut FlightTask> {
        match &mut self.first {
            Some((first, task)) if *first == number => Some(task),
            _ => self.others.get_mut(&number),
        }
    }
}
