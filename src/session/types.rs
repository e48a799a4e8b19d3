//! The types of a session of this crate.

use super::flight_request::Ended;
use super::slot::Held;
use super::state::State;
use crate::credential::{Credential, SlotKey};
use crate::error::RefreshError;
use crate::refresh::Demand;

pub(crate) type Current = Held<Credential, Demand>;
pub(super) type Ending = Ended<RefreshError>;
pub(super) type Known = State<Credential, RefreshError, Demand, SlotKey>;
