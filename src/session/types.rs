//! The generic types of the state, with the types of this crate. The model checker in `model/` uses others.

use super::slot::Held;
use super::state::State;
use super::step::{Outcome, Start};
use crate::credential::{Credential, SlotKey};
use crate::error::RefreshError;
use crate::refresh::Demand;

/// What the session holds in one slot.
pub(crate) type Current = Held<Credential, Demand>;
pub(super) type SessionState = State<Credential, RefreshError, Demand, SlotKey>;
pub(super) type SessionOutcome = Outcome<Credential, RefreshError, Demand>;
pub(super) type SessionStart = Start<Credential, RefreshError, Demand>;
