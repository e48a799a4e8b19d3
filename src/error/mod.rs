//! The errors of this crate, and what they know of a failure.
//!
//! ```text
//! Error ─┬─ Unauthorized   a 401 against which no other credential helped   source: RefreshError, if a refresh failed
//!        ├─ Forbidden      a 403
//!        ├─ Refresh        no credential before a send                      source: that of the RefreshError
//!        ├─ Authorize      the scheme could not sign                        source: the scheme's error
//!        ├─ SessionEnded   a login or logout before a send
//!        ├─ StepUp         a step-up that cannot help
//!        ├─ Insecure       plain http to a host with https
//!        ├─ Redirect       a redirect that is not followed
//!        └─ Tenant         a pool has no session for the request          source: the error of its factory
//! ```
//!
//! A call that ends with a 401 or 403 makes the `Facts` of the response. `read` reads a [`Problem`] from its body and header
//! fields. The facts and an [`AuthReport`] of the call become an [`Unauthorized`], whose `hint` names a remedy, or a
//! [`Forbidden`]. Each text of a server is masked by `report`, because a server may echo a credential.
//!
//! A refresher's error becomes a [`RefreshError`]. `chain` walks the causes of any error, `seek` and `find_printed` look into
//! errors that hide their causes, and `network` decides whether a failure is temporary. `clean` removes secrets from the
//! messages that are printed.

mod authorize_error;
mod chain;
mod clean;
mod clean_error;
mod denied_reason;
mod error;
mod facts;
mod find;
mod find_printed;
#[cfg(feature = "lint")]
mod findings;
#[cfg(not(feature = "lint"))]
#[path = "findings_off.rs"]
mod findings;
mod forbidden;
mod hint;
mod insecure_url;
mod lines;
mod masked;
mod network;
mod of_scheme;
mod problem;
mod raw_refusal;
mod read;
mod redirect_error;
mod refresh_error;
mod refresh_error_from;
mod refresh_error_kind;
mod refusal;
mod refusal_getters;
mod report;
mod seek;
mod session_ended;
mod step_up_error;
mod tenant_error;
mod unauthorized;
mod unauthorized_reason;

pub use authorize_error::AuthorizeError;
pub use chain::find_error;
pub use denied_reason::DeniedReason;
pub use error::Error;
pub(crate) use facts::{Answered, Body, Facts};
pub(crate) use findings::Findings;
pub use forbidden::Forbidden;
pub use insecure_url::InsecureUrl;
pub use lines::error_lines;
pub use network::is_transient_error;
pub use problem::Problem;
pub use raw_refusal::RawRefusal;
pub(crate) use raw_refusal::{ReadRefusals, Reading};
pub(crate) use redirect_error::Refused;
pub use redirect_error::{RedirectError, RedirectErrorKind};
pub use refresh_error::RefreshError;
pub use refresh_error_kind::RefreshErrorKind;
pub use refusal::Refusal;
pub(crate) use report::Signed;
pub use report::{AuthReport, Renewed};
pub use session_ended::SessionEnded;
pub use step_up_error::{StepUpError, StepUpKind};
pub use tenant_error::{TenantError, TenantErrorKind};
pub use unauthorized::Unauthorized;
pub use unauthorized_reason::UnauthorizedReason;
