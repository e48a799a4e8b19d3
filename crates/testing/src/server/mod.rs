//! Servers that receive requests and ask a [`Respond`] for the answers.
//!
//! A [`Listener`] serves HTTP/1.1 on a loopback port: it reads the request, records it in the journal, gets the answer,
//! waits for the gate of the answer, and sends it. A [`Script`] does the same without a socket, as the last middleware of
//! a client.

mod body;
mod listener;
mod respond;
mod script;

pub(crate) use listener::Listener;
pub(crate) use respond::Respond;
pub use script::Script;
