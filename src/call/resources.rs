//! Which paths belong to which resource. A server may have several protected resources, each with its own tokens (RFC
//! 9728, RFC 8707 §2). Their 401s name them. Remembering the paths spares later requests the 401.

use crate::origin::url_without_secrets;
use crate::util::lock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::Url;

use crate::credential::SlotKey;

/// How many paths are remembered: as many as there are slots.
const PATHS: usize = 256;
/// The path prefix of a resource's metadata (RFC 9728 §3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// What a session knows about resources.
#[derive(Default)]
pub(crate) struct Resources {
    /// How many paths are remembered. If none is, no lock is taken.
    count: AtomicUsize,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The resource that was named first. It uses the main slot.
    main: Option<Box<str>>,
    paths: Vec<Path>,
}

struct Path {
    /// A URL without its query. If the resource's own URL says so, every URL below belongs to the resource too.
    url: Url,
    below: bool,
    slot: SlotKey,
}

impl Path {
    fn covers(&self, url: &Url) -> bool {
        let same = self.url.scheme() == url.scheme()
            && self.url.host() == url.host()
            && self.url.port_or_known_default() == url.port_or_known_default();
        let rest = url.path().strip_prefix(self.url.path());
        same && rest.is_some_and(|rest| rest.is_empty() || self.below && rest.starts_with('/'))
    }
}

impl Resources {
    /// The slot of requests for that URL.
    pub(crate) fn slot_of(&self, url: &Url) -> SlotKey {
        if self.count.load(Ordering::Relaxed) == 0 {
            return SlotKey::Main;
        }
        let known = lock(&self.known);
        // The longest path is the most specific.
        let nearest = known.paths.iter().filter(|path| path.covers(url)).max_by_key(|path| path.url.path().len());
        nearest.map_or(SlotKey::Main, |path| path.slot.clone())
    }

    /// Learns from a 401 of that URL which resource it belongs to, by the URL of the resource's metadata.
    pub(crate) fn learn(&self, url: &Url, resource: &str) -> SlotKey {
        let before = self.slot_of(url);
        let mut known = lock(&self.known);
        let main = known.main.get_or_insert_with(|| resource.into());
        let slot = if **main == *resource { SlotKey::Main } else { SlotKey::Resource(Arc::from(resource)) };
        if slot == before {
            return slot;
        }
        let mut path = Self::below(url, resource).unwrap_or_else(|| Path {
            url: url_without_secrets(url),
            below: false,
            slot: SlotKey::Main,
        });
        path.slot = slot.clone();
        known.paths.retain(|other| other.url != path.url);
        if known.paths.len() == PATHS {
            known.paths.remove(0);
        }
        known.paths.push(path);
        self.count.store(known.paths.len(), Ordering::Relaxed);
        slot
    }

    /// The path of the resource, if the metadata URL names it and it covers the request.
    fn below(url: &Url, resource: &str) -> Option<Path> {
        let described = Url::parse(resource).ok().filter(|described| described.origin() == url.origin())?;
        let prefix = described.path().strip_prefix(WELL_KNOWN)?.trim_end_matches('/');
        if prefix.is_empty() {
            return None;
        }
        let mut above = url_without_secrets(url);
        above.set_path(prefix);
        Some(Path { url: above, below: true, slot: SlotKey::Main }).filter(|path| path.covers(url))
    }
}
