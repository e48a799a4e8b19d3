//! The disk space that a process has reserved for its next saves.

use std::sync::{Arc, Mutex, Weak};

use super::guards::Prepared;
use super::key::Key;
use super::temporary::Temporary;
use crate::util::lock;

/// Reserved disk space, until a save takes it.
type Space = Mutex<Option<Temporary>>;

struct Reservation {
    key: Key,
    /// The caller of `prepare` owns the space.
    space: Weak<Space>,
}

/// The reserved disk space of this process.
#[derive(Clone, Default)]
pub(super) struct Reservations(Arc<Mutex<Vec<Reservation>>>);

impl Reservations {
    pub(super) fn add(&self, key: &Key, temporary: Temporary) -> Prepared {
        let space = Arc::new(Mutex::new(Some(temporary)));
        let mut all = lock(&self.0);
        all.retain(|reservation| reservation.space.strong_count() > 0);
        all.push(Reservation { key: key.clone(), space: Arc::downgrade(&space) });
        Prepared::new(space)
    }

    /// Takes the space that was reserved for this key.
    pub(super) fn take(&self, key: &Key) -> Option<Temporary> {
        let all = lock(&self.0);
        let spaces = all.iter().filter(|other| other.key == *key).filter_map(|reservation| reservation.space.upgrade());
        spaces.filter_map(|space| lock(&space).take()).next()
    }
}
