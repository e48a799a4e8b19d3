//! TODO story of util.

mod bounded;
mod lock;
mod one_line;
mod retry_after;
mod timeout;

pub use bounded::BoundedList;
pub(crate) use lock::lock;
pub(crate) use one_line::{FEW_LINES, write_escaped};
pub use one_line::{OneLine, hides_text};
pub(crate) use retry_after::span;
pub use retry_after::{is_transient_status, retry_after};
pub(crate) use timeout::{clamped, within};
