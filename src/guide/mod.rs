//! Guides: one page for each topic.
//!
//! - [`errors`]: which error means what, and what to do.
//! - [`retries_and_streams`]: the order of middlewares, and bodies that cannot be sent twice.
//! - [`other_clients`]: one session for gRPC, WebSocket, SSE and generated clients, and for callers that block.
//! - [`multi_tenant`]: one client for many users or tenants.
//! - [`migrating`]: code of other libraries, and the same with this crate.
//! - [`observability`]: metrics, events and traces, with the list of all names.
//! - [`testing`]: tests of an API client without its API.
//! - [`command_line`]: a command-line tool that logs in by itself.
//! - [`real_servers`]: the servers that the tests run against, and the sections of RFC 9110.
//!
//! The code of these pages is compiled by the tests of this workspace.

// The pages use other crates of the workspace, so `tests/lib.rs` compiles their code.
#[cfg_attr(not(doctest), doc = include_str!("command_line.md"), doc = include_str!("command_line.svg"))]
pub mod command_line {}
#[cfg_attr(not(doctest), doc = include_str!("errors.md"))]
pub mod errors {}
#[cfg_attr(not(doctest), doc = include_str!("migrating.md"))]
pub mod migrating {}
#[cfg_attr(not(doctest), doc = include_str!("multi_tenant.md"))]
pub mod multi_tenant {}
#[cfg_attr(not(doctest), doc = include_str!("other_clients.md"))]
pub mod other_clients {}
#[cfg_attr(not(doctest), doc = include_str!("observability.md"))]
pub mod observability {}
#[cfg_attr(not(doctest), doc = include_str!("real_servers.md"))]
pub mod real_servers {}
#[cfg_attr(not(doctest), doc = include_str!("retries_and_streams.md"))]
pub mod retries_and_streams {}
#[cfg_attr(not(doctest), doc = include_str!("testing.md"))]
pub mod testing {}
