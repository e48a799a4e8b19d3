//! The tasks of a session that are at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// The tasks that are at work.
#[derive(Default)]
pub(super) struct Tasks {
    pub(super) count: AtomicUsize,
    /// Told when the last of them has ended.
    pub(super) ended: Notify,
}

/// Ends the tasks of the flights in progress.
#[derive(Default)]
pub(super) struct Aborts(pub(super) Vec<(u64, Task)>);

pub(super) enum Task {
    /// Its refresher was not polled up to its first wait yet.
    Begun,
    Spawned(AbortHandle),
    /// It was evicted before there was a task, because its refresher blocked the thread.
    Evicted,
}

impl Aborts {
    pub(super) fn evict(&mut self, number: u64) {
        if let Some((_, task)) = self.0.iter_mut().find(|(other, _)| *other == number)
            && let Task::Spawned(handle) = std::mem::replace(task, Task::Evicted)
        {
            handle.abort();
        }
    }

    pub(super) fn begin(&mut self, number: u64) {
        self.0.push((number, Task::Begun));
    }

    pub(super) fn end(&mut self, number: u64) {
        self.0.retain(|(other, _)| *other != number);
    }
}

/// Counts a task for as long as it is there.
pub(super) struct TaskCount(Arc<Tasks>);

impl TaskCount {
    pub(super) fn one(tasks: &Arc<Tasks>) -> Self {
        tasks.count.fetch_add(1, Ordering::SeqCst);
        Self(tasks.clone())
    }
}

impl Drop for TaskCount {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.ended.notify_waiters();
        }
    }
}
