//! One binary, a module a behaviour.
#![allow(clippy::unwrap_used)]

mod attacks;
mod beginnings;
mod budgets;
mod cases;
mod cases_later;
mod challenge_differential;
mod challenge_oracle;
mod challenge_properties;
mod challenge_vectors;
mod challenge_views;
mod challenges;
#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "cli")]
mod cli_browser;
#[cfg(feature = "cli")]
mod cli_endings;
#[cfg(feature = "cli")]
mod cli_jobs;
#[cfg(feature = "cli")]
mod cli_outcomes;
#[cfg(feature = "cli")]
mod cli_prompts;
#[cfg(feature = "cli")]
mod cli_steps;
#[cfg(feature = "digest")]
mod digest_names;
#[cfg(feature = "digest")]
mod digest_urls;
#[cfg(feature = "digest")]
mod digests;
mod documents;
#[cfg(feature = "dpop")]
mod dpop;
mod engine_identities;
mod engine_limits;
mod finders;
mod first_of;
mod first_pass;
mod flights;
mod floors;
mod identities;
mod kit_claims;
#[cfg(feature = "oauth")]
mod kit_errands;
#[cfg(feature = "oauth")]
mod kit_keys;
mod kit_servers;
#[cfg(feature = "testing-wiremock")]
mod kit_wiremock;
#[cfg(feature = "lint")]
mod lint_alarms;
#[cfg(feature = "lint")]
mod lint_live;
#[cfg(feature = "lint")]
mod lint_rules;
mod mask_pieces;
mod masking;
mod network_failures;
#[cfg(feature = "oauth")]
mod oauth_answers;
#[cfg(all(feature = "oauth", feature = "store"))]
mod oauth_asides;
#[cfg(feature = "oauth")]
mod oauth_attacks;
#[cfg(feature = "oauth")]
mod oauth_claims;
#[cfg(feature = "oauth")]
mod oauth_cuts;
#[cfg(feature = "oauth")]
mod oauth_dead_tokens;
#[cfg(feature = "oauth")]
mod oauth_devices;
#[cfg(feature = "oauth")]
mod oauth_dialling;
#[cfg(feature = "oauth")]
mod oauth_discovery;
#[cfg(feature = "oauth")]
mod oauth_echoes;
#[cfg(feature = "oauth")]
mod oauth_grants;
#[cfg(feature = "oauth")]
mod oauth_issuers;
#[cfg(feature = "oauth")]
mod oauth_logins;
#[cfg(feature = "oauth")]
mod oauth_loopback;
#[cfg(feature = "oauth")]
mod oauth_places;
#[cfg(feature = "oauth")]
mod oauth_renewals;
#[cfg(feature = "oauth")]
mod oauth_resources;
#[cfg(all(feature = "oauth", feature = "store"))]
mod oauth_rotations;
#[cfg(feature = "oauth")]
mod oauth_scopes;
#[cfg(feature = "oauth")]
mod oauth_shapes;
mod origins;
mod partitions;
#[cfg(feature = "digest")]
mod passwords;
mod printing;
#[cfg(all(feature = "lint", feature = "store"))]
mod probes;
mod problems;
mod redirect_credentials;
#[cfg(feature = "digest")]
mod redirected_digests;
#[cfg(feature = "oauth")]
mod redirected_secrets;
mod redirects;
mod refresh_errors;
mod refusals;
mod refusals_own;
#[cfg(feature = "registry")]
mod registries;
#[cfg(feature = "registry")]
mod registry_challenges;
mod rests;
mod secrecy;
mod secrets;
mod sequences;
mod sessions;
mod slots;
#[cfg(feature = "store")]
mod store_deletions;
#[cfg(feature = "store")]
mod store_early;
#[cfg(feature = "store")]
mod store_failures;
#[cfg(feature = "store")]
mod store_files;
#[cfg(all(feature = "oauth", feature = "store"))]
mod store_full;
#[cfg(feature = "store")]
mod store_leftovers;
#[cfg(feature = "store")]
mod store_logins;
#[cfg(all(feature = "oauth", feature = "store"))]
mod store_modes;
#[cfg(feature = "store")]
mod store_persons;
#[cfg(all(feature = "oauth", feature = "store"))]
mod store_processes;
#[cfg(feature = "store")]
mod store_stopped;
#[cfg(feature = "store")]
mod stores;
mod support;
mod switches;
mod verdicts;
mod walks;
mod wires;
