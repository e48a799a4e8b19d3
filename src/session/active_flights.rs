//! The flights in progress: at most one for each slot, and one login.

use std::collections::HashMap;

use super::flight::Flight;
use super::flight_request::Purpose;
use super::slots::Key;
use super::step::Outcome;
use super::sync::Arc;

/// A flight in progress.
pub(crate) struct ActiveFlight<C, E, D, K> {
    pub(crate) number: u64,
    pub(crate) purpose: Purpose,
    pub(crate) slot: K,
    pub(crate) demand: D,
    pub(crate) question_id: u64,
    pub(crate) is_early: bool,
    /// The epoch of the credential that the flight will obtain.
    pub(crate) epoch: u64,
    pub(crate) shared: Arc<Flight<Outcome<C, E, D>>>,
}

/// How many flights are searched one by one. Nearly every session has one flight at a time. If there are more, an index
/// finds them, so that a call costs the same with one flight and with thousands.
const MAX_SEARCHED: usize = 8;

/// The flights in progress. It has no memory allocated while there is none, because a pool has many sessions.
pub(crate) struct ActiveFlights<C, E, D, K> {
    flights: Vec<ActiveFlight<C, E, D, K>>,
    login: Option<Box<ActiveFlight<C, E, D, K>>>,
    index: Option<Box<Index<K>>>,
}

/// The places of the flights in their list.
struct Index<K> {
    by_number: HashMap<u64, usize>,
    by_slot: HashMap<K, usize>,
}

impl<C, E, D, K> Default for ActiveFlights<C, E, D, K> {
    fn default() -> Self {
        Self { flights: Vec::new(), login: None, index: None }
    }
}

impl<C, E, D, K: Key> ActiveFlights<C, E, D, K> {
    pub(crate) fn add(&mut self, flight: ActiveFlight<C, E, D, K>) {
        if flight.purpose == Purpose::Login {
            self.login = Some(Box::new(flight));
            return;
        }
        if self.flights.is_empty() {
            self.flights.reserve_exact(1);
        }
        self.flights.push(flight);
        if self.flights.len() > MAX_SEARCHED {
            self.index_from(self.flights.len() - 1);
        }
    }

    /// Adds the flights from this place on to the index, or all of them if there is no index.
    fn index_from(&mut self, place: usize) {
        let place = if self.index.is_some() { place } else { 0 };
        let new = || Box::new(Index { by_number: HashMap::new(), by_slot: HashMap::new() });
        let index = self.index.get_or_insert_with(new);
        for (place, flight) in self.flights.iter().enumerate().skip(place) {
            index.by_number.insert(flight.number, place);
            index.by_slot.insert(flight.slot.clone(), place);
        }
    }

    /// The login in progress.
    pub(crate) fn login(&self) -> Option<&ActiveFlight<C, E, D, K>> {
        self.login.as_deref()
    }

    /// The flight of this slot. A login belongs to no slot.
    pub(crate) fn in_slot(&self, slot: &K) -> Option<&ActiveFlight<C, E, D, K>> {
        match &self.index {
            Some(index) => index.by_slot.get(slot).map(|&place| &self.flights[place]),
            None => self.flights.iter().find(|flight| flight.slot == *slot),
        }
    }

    /// The flight of this number.
    pub(crate) fn get(&self, number: u64) -> Option<&ActiveFlight<C, E, D, K>> {
        let login = self.login().filter(|login| login.number == number);
        login.or_else(|| self.place(number).map(|place| &self.flights[place]))
    }

    fn place(&self, number: u64) -> Option<usize> {
        match &self.index {
            Some(index) => index.by_number.get(&number).copied(),
            None => self.flights.iter().position(|flight| flight.number == number),
        }
    }

    /// Removes the flight of this number.
    pub(crate) fn take(&mut self, number: u64) -> Option<ActiveFlight<C, E, D, K>> {
        if let Some(login) = self.login.take_if(|login| login.number == number) {
            return Some(*login);
        }
        let place = self.place(number)?;
        let flight = self.flights.swap_remove(place);
        if self.flights.is_empty() {
            (self.flights, self.index) = (Vec::new(), None);
        } else if let Some(index) = &mut self.index {
            index.by_number.remove(&number);
            index.by_slot.remove(&flight.slot);
            if place < self.flights.len() {
                // The last flight is at the free place now.
                self.index_one(place);
            }
        }
        Some(flight)
    }

    fn index_one(&mut self, place: usize) {
        let (Some(index), flight) = (&mut self.index, &self.flights[place]) else { return };
        index.by_number.insert(flight.number, place);
        index.by_slot.insert(flight.slot.clone(), place);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.flights.is_empty() && self.login.is_none()
    }

    /// Removes all flights.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = ActiveFlight<C, E, D, K>> + use<C, E, D, K> {
        let Self { flights, login, .. } = std::mem::take(self);
        login.into_iter().map(|login| *login).chain(flights)
    }
}
