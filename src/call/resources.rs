//! Which paths belong to which protected resource. A server may have several resources, each with its own tokens (RFC
//! 9728, RFC 8707 §2). Their 401s name them. If the paths are remembered, later requests need no 401.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::Url;

use super::response_kind::has_same_origin;
use crate::credential::SlotKey;
use crate::origin::url_without_secrets;
use crate::util::{BoundedList, LazyBox, lock};

/// How many paths are remembered: more than the resources of one server.
const MAX_PATHS: usize = 256;
/// The path prefix of a resource's metadata (RFC 9728 §3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// What a middleware knows about resources.
#[derive(Default)]
pub(crate) struct Resources {
    /// How many paths are remembered. If none is, no lock is taken.
    count: AtomicUsize,
    known: LazyBox<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    /// The resource that was named first. It uses the main slot.
    main: Option<Box<str>>,
    paths: BoundedList<Path, MAX_PATHS>,
}

struct Path {
    /// Without userinfo, query and fragment.
    url: Url,
    /// Whether every URL below this one belongs to the resource too, as the URL of its metadata says.
    has_subpaths: bool,
    slot: SlotKey,
}

impl Path {
    fn covers(&self, url: &Url) -> bool {
        let rest = url.path().strip_prefix(self.url.path());
        has_same_origin(&self.url, url)
            && rest.is_some_and(|rest| rest.is_empty() || self.has_subpaths && rest.starts_with('/'))
    }
}

impl Resources {
    /// The slot of requests for this URL.
    // Inlined for the row `Get` of the benchmark `engine`.
    #[inline]
    pub(crate) fn slot_of(&self, url: &Url) -> SlotKey {
        if self.count.load(Ordering::Relaxed) == 0 {
            return SlotKey::Main;
        }
        let known = lock(self.known.get_or_default());
        // The longest path is the most specific one. Of equal paths, the newest one counts.
        let nearest = known.paths.iter().filter(|path| path.covers(url)).max_by_key(|path| path.url.path().len());
        nearest.map_or(SlotKey::Main, |path| path.slot.clone())
    }

    /// Learns from a 401 at this URL which resource it belongs to. `resource` is the URL of the resource's metadata.
    pub(crate) fn learn(&self, url: &Url, resource: &str) -> SlotKey {
        let before = self.slot_of(url);
        let mut known = lock(self.known.get_or_default());
        let main = known.main.get_or_insert_with(|| resource.into());
        let slot = if **main == *resource { SlotKey::Main } else { SlotKey::Resource(Arc::from(resource)) };
        if slot == before {
            return slot;
        }
        let described = Self::described_path(url, resource);
        let has_subpaths = described.is_some();
        let url = described.unwrap_or_else(|| url_without_secrets(url));
        let path = Path { url: url.clone(), has_subpaths, slot: slot.clone() };
        known.paths.replace(path, |other| other.url == url);
        self.count.store(known.paths.len(), Ordering::Relaxed);
        slot
    }

    /// The URL of the resource, if the URL of its metadata names it and it covers the request.
    fn described_path(url: &Url, resource: &str) -> Option<Url> {
        let metadata = Url::parse(resource).ok().filter(|metadata| metadata.origin() == url.origin())?;
        let prefix = metadata.path().strip_prefix(WELL_KNOWN)?.trim_end_matches('/');
        if prefix.is_empty() {
            return None;
        }
        let mut described = url_without_secrets(url);
        described.set_path(prefix);
        let rest = url.path().strip_prefix(described.path())?;
        (rest.is_empty() || rest.starts_with('/')).then_some(described)
    }
}
