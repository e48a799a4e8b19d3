//! The tests of this workspace that need more dependencies than its examples.
