//! The settings of a middleware, and what its clones share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use reqwest::Url;

use super::accepted_urls::AcceptedUrls;
use super::rejecting_paths::RejectingPaths;
use super::reported_findings::ReportedFindings;
use super::resources::Resources;
use crate::challenge::Challenges;
use crate::credential::{ResponseHead, SlotKey};
use crate::error::{ReadRefusals, Refusal};
use crate::origin::Origins;
use crate::session::SessionCore;

/// What all clones of one middleware share.
pub(crate) struct Shared {
    pub(crate) session: Arc<SessionCore>,
    pub(crate) origins: Origins,
    pub(crate) settings: Arc<Settings>,
    pub(super) rejecting_paths: RejectingPaths,
    pub(super) resources: Resources,
    pub(super) accepted_urls: AcceptedUrls,
    #[cfg_attr(not(feature = "lint"), expect(dead_code, reason = "only the lint uses it"))]
    pub(super) reported_findings: ReportedFindings,
}

impl Shared {
    pub(crate) fn new(session: Arc<SessionCore>, origins: Origins, settings: Arc<Settings>) -> Self {
        Self {
            session,
            origins,
            settings,
            rejecting_paths: RejectingPaths::default(),
            resources: Resources::default(),
            accepted_urls: AcceptedUrls::default(),
            reported_findings: ReportedFindings::default(),
        }
    }
}

/// Names the partition of a request. Each partition has its own credential.
pub(crate) type Partition = dyn Fn(&Method, &Url) -> String + Send + Sync;

/// Says which refusal means an expired credential.
pub(crate) type MeansExpired = dyn Fn(&Refusal) -> bool + Send + Sync;

/// Says which response counts as a 401.
pub(crate) type IsUnauthenticated = dyn Fn(&ResponseHead<'_>) -> bool + Send + Sync;

/// The settings that give a meaning to other responses than 401s and 403s. The builder documents each of them.
#[derive(Clone, Default)]
pub(crate) struct Verdicts {
    pub(crate) unauthenticated_when: Option<Arc<IsUnauthenticated>>,
    /// How many bytes of a body are read for `expired_when`.
    pub(crate) inspect_limit: Option<usize>,
}

impl fmt::Debug for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verdicts")
            .field("unauthenticated_when", &self.unauthenticated_when.is_some())
            .field("inspect_limit", &self.inspect_limit)
            .finish()
    }
}

/// The settings that calls read. The builder documents each of them.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) body_limit: usize,
    pub(crate) body_timeout: Duration,
    pub(crate) schemes: Option<Arc<[String]>>,
    pub(crate) strict: bool,
    pub(crate) refresh_before_streams: bool,
    pub(crate) partition_by: Option<Arc<Partition>>,
    pub(crate) pass_through: bool,
    pub(crate) safe_methods_only: bool,
    pub(crate) expired_when: Option<Arc<MeansExpired>>,
    /// `None` if only 401s and 403s have a meaning. One test then decides that a success passes at once.
    pub(crate) verdicts: Option<Arc<Verdicts>>,
    pub(crate) login_first: bool,
    pub(crate) read_refusals: Option<Arc<ReadRefusals>>,
    pub(crate) rejection_cooldown: Duration,
}

impl Settings {
    /// The partition of a request, if the caller defines partitions.
    pub(crate) fn partition_of(&self, method: &Method, url: &Url) -> Option<SlotKey> {
        let partition_by = self.partition_by.as_ref()?;
        Some(SlotKey::Partition(partition_by(method, url).into()))
    }

    /// Whether the refresher is asked about these challenges.
    pub(crate) fn answers(&self, challenges: &Challenges) -> bool {
        let is_allowed = !self.strict || (challenges.is_strict() && !challenges.is_empty());
        // A 401 without a challenge excludes no scheme.
        let has_scheme = |schemes: &Arc<[String]>| {
            challenges.is_empty() || schemes.iter().any(|scheme| challenges.get(scheme).is_some())
        };
        is_allowed && self.schemes.as_ref().is_none_or(has_scheme)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("schemes", &self.schemes)
            .field("strict", &self.strict)
            .field("refresh_before_streams", &self.refresh_before_streams)
            .field("pass_through", &self.pass_through)
            .field("safe_methods_only", &self.safe_methods_only)
            .finish_non_exhaustive()
    }
}
