//! TODO story of call.

mod call;
mod finish;
#[cfg(feature = "lint")]
pub(crate) mod linting;
#[cfg(not(feature = "lint"))]
#[path = "linting_off.rs"]
pub(crate) mod linting;
mod options;
mod decide;
pub(crate) mod read;
mod repeats;
pub(crate) mod replay;
mod resources;
mod settings;
mod sign;
mod state;
pub(crate) mod verdict;
mod worked;

pub(crate) use linting::Told;
pub use options::CallOptions;
pub(crate) use repeats::Repeats;
pub(crate) use resources::Resources;
pub(crate) use settings::{Settings, Shared};
pub(crate) use state::Call;
pub(crate) use verdict::is_made_by_hand;
pub(crate) use worked::Worked;
