//! Small parts that three or more modules use, and that know nothing of HTTP authentication.
//!
//! - `lock` locks a mutex; `lazy_box` allocates a value when it is first needed.
//! - `timeout` bounds the time of a future, and limits the durations that a caller sets.
//! - `retry_after` reads from a response how long a client must wait before it sends the next request.
//! - `read_chunks` reads a body up to a limit.
//! - `date` reads the dates of header fields.
//! - `quick_hash` is a cheap hash of a short text.
//! - `clock_skew` converts between the session's clock and the server's.
//! - `one_line` prints text that a server wrote, without control characters.
//!
//! Other crates need [`retry_after`], [`is_transient_status`], [`read_chunks`], [`OneLine`] and [`hides_text`] too, so
//! `support` exports them.

mod bounded;
mod clock_skew;
mod date;
mod lazy_box;
mod lock;
mod one_line;
mod quick_hash;
mod read_chunks;
mod retry_after;
mod timeout;

pub(crate) use bounded::BoundedList;
pub use clock_skew::ClockSkew;
pub(crate) use date::of_response as response_date;
pub(crate) use lazy_box::LazyBox;
pub(crate) use lock::lock;
pub(crate) use one_line::{DEFAULT_COLUMNS, write_escaped};
pub use one_line::{OneLine, hides_text};
pub(crate) use quick_hash::quick_hash;
pub use read_chunks::{BodyEnd, read_chunks};
pub(crate) use retry_after::parse_duration;
pub use retry_after::{is_transient_status, retry_after};
pub(crate) use timeout::{clamped, timeout};
