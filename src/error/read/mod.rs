//! Reads what a server says about a refusal, in the body (whatever its media type) and in header fields.
//!
//! `body` finds out the format of the body and calls its reader: `json`, `xml`, `html`, or a form. Each reader puts the
//! members that the `table` names into `found`. A `rule` of the table says where a value is and which values count there;
//! `words` and `generic` exclude texts that say no more than the status. `problem` picks the code, the texts, the link, the
//! scopes and the waiting time, and returns them as a [`Problem`](crate::Problem).
//!
//! To support another API, add a line to `table`.

mod body;
mod found;
mod generic;
mod html;
mod json;
mod problem;
mod rule;
mod table;
mod words;
mod xml;

pub(super) use generic::is_generic;
pub(super) use problem::read;
