//! TODO story of error.

pub(crate) mod chain;
mod clean;
mod clean_error;
mod denied;
mod error;
mod facts;
mod find;
#[cfg(feature = "lint")]
mod findings;
#[cfg(not(feature = "lint"))]
#[path = "findings_off.rs"]
mod findings;
mod forbidden;
mod heard;
mod lines;
mod hint;
mod masked;
mod network;
mod problem;
mod raw_refusal;
mod read;
mod redirect;
mod refresh;
mod refresh_kind;
mod refusal;
mod report;
mod seek;
mod unauthorized;
mod unauthorized_reason;

pub use chain::find_error;
pub use denied::DeniedReason;
pub use error::{AuthorizeError, Error, InsecureUrl, SessionEnded, StepUpError, StepUpKind};
pub(crate) use facts::{Answered, Body, Facts};
pub(crate) use findings::Findings;
pub use forbidden::Forbidden;
pub use lines::error_lines;
pub use network::is_transient_error;
pub use problem::Problem;
pub use raw_refusal::RawRefusal;
pub(crate) use raw_refusal::{ReadRefusals, Reading};
pub(crate) use redirect::Refused;
pub use redirect::{RedirectError, RedirectErrorKind};
pub use refresh::RefreshError;
pub use refresh_kind::RefreshErrorKind;
pub(crate) use report::Signed;
pub use report::{AuthReport, Renewed};
pub use unauthorized::Unauthorized;
pub use unauthorized_reason::UnauthorizedReason;
