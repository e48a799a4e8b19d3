//! One binary, a module a behaviour.
#![allow(clippy::unwrap_used)]

mod challenge_differential;
mod challenge_oracle;
mod challenge_properties;
mod challenge_vectors;
mod challenge_views;
mod challenges;
mod first_pass;
mod floors;
mod origins;
mod secrets;
mod support;
