//! The tests of this workspace that need more dependencies than its examples. The code of the README and of the guides is
//! compiled as doctests of this package.

/// The README.
#[doc = include_str!("../README.md")]
pub struct Readme;

/// The guides.
#[doc = include_str!("../src/guide/errors.md")]
#[doc = include_str!("../src/guide/migrating.md")]
#[doc = include_str!("../src/guide/multi_tenant.md")]
#[doc = include_str!("../src/guide/other_clients.md")]
#[doc = include_str!("../src/guide/observability.md")]
#[doc = include_str!("../src/guide/retries_and_streams.md")]
#[doc = include_str!("../src/guide/testing.md")]
#[doc = include_str!("../src/guide/command_line.md")]
pub struct Guides;
