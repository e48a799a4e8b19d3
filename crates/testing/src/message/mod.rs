//! The messages of a mock server: what it receives and what it answers.
//!
//! A server makes a [`ReceivedRequest`] of each request, finds out its [`Purpose`], and decides on an [`Answer`]. The
//! body of an answer is a [`Payload`], which can be endless or stall. The journal records the request and the answer as
//! an [`Exchange`].

mod answer;
mod exchange;
mod payload;
mod purpose;
mod received_request;

pub use answer::Answer;
pub use exchange::Exchange;
pub(crate) use payload::Payload;
pub(crate) use purpose::Purpose;
pub use received_request::ReceivedRequest;
