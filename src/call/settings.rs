//! What a middleware does by its builder's word.

use crate::credential::SlotKey;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use reqwest::Url;

use super::linting::Told;
use super::repeats::Repeats;
use super::resources::Resources;
use super::worked::Worked;
use crate::challenge::Challenges;
use crate::error::{Forbidden, ReadRefusals};
use crate::origin::Origin;
use crate::session::SessionCore;

/// What all clones of one middleware share.
pub(crate) struct Shared {
    pub(crate) session: Arc<SessionCore>,
    pub(crate) origins: Box<[Origin]>,
    pub(crate) settings: Settings,
    pub(crate) repeats: Repeats,
    pub(crate) resources: Resources,
    pub(crate) worked: Worked,
    pub(crate) told: Told,
}

/// Says which credential a request is for.
pub(crate) type Partition = dyn Fn(&Method, &Url) -> String + Send + Sync;

/// Says which 403 means an expired credential.
pub(crate) type MeansExpired = dyn Fn(&Forbidden) -> bool + Send + Sync;

pub(crate) struct Settings {
    pub(crate) body_bytes: usize,
    pub(crate) body_time: Duration,
    pub(crate) schemes: Option<Arc<[String]>>,
    pub(crate) strict: bool,
    pub(crate) eager: bool,
    pub(crate) partition: Option<Arc<Partition>>,
    pub(crate) pass_through: bool,
    pub(crate) safe_methods_only: bool,
    pub(crate) expired_when: Option<Arc<MeansExpired>>,
    pub(crate) read_refusals: Option<Arc<ReadRefusals>>,
    pub(crate) repeat_rest: Duration,
}

impl Settings {
    /// The partition of a request, if the caller defines partitions.
    pub(crate) fn partition_of(&self, method: &Method, url: &Url) -> Option<SlotKey> {
        let partition = self.partition.as_ref()?;
        Some(SlotKey::Partition(partition(method, url).into()))
    }

    /// Whether anybody is asked about these challenges.
    pub(crate) fn answers(&self, challenges: &Challenges) -> bool {
        let strict = !self.strict || (challenges.is_strict() && !challenges.is_empty());
        // A 401 without a challenge excludes no scheme.
        let any = |schemes: &Arc<[String]>| {
            challenges.is_empty() || schemes.iter().any(|scheme| challenges.get(scheme).is_some())
        };
        strict && self.schemes.as_ref().is_none_or(any)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("schemes", &self.schemes)
            .field("strict", &self.strict)
            .field("eager", &self.eager)
            .field("pass_through", &self.pass_through)
            .field("safe_methods_only", &self.safe_methods_only)
            .finish_non_exhaustive()
    }
}
