//! The origins of a middleware, and which of them a URL belongs to.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use url::Url;

use super::origin::Origin;

/// How many origins are compared one by one. If there are more, an index finds the one of a URL.
const MAX_COMPARED: usize = 4;

/// A list of origins. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Origins(Arc<List>);

#[derive(Debug)]
struct List {
    origins: Box<[Origin]>,
    /// The places of the origins of each host, ordered by scheme and port. Empty if the list is short.
    by_host: HashMap<Box<str>, Vec<Place>>,
}

/// Whether the scheme is `https`, the port, and the place in the list.
type Place = (bool, u16, usize);

impl Origins {
    /// The origin that contains the URL.
    pub(crate) fn containing(&self, url: &Url) -> Option<&Origin> {
        let List { origins, by_host } = &*self.0;
        if origins.len() <= MAX_COMPARED {
            return origins.iter().find(|origin| origin.contains(url));
        }
        let places = by_host.get(url.host_str()?)?;
        let (is_https, port) = (url.scheme() == "https", url.port_or_known_default()?);
        let at = places.partition_point(|(https, number, _)| (*https, *number) < (is_https, port));
        places.get(at).map(|(.., place)| &origins[*place]).filter(|origin| origin.contains(url))
    }

    /// An origin with `https` and the host of the URL.
    pub(crate) fn secure_host_of(&self, url: &Url) -> Option<&Origin> {
        let List { origins, by_host } = &*self.0;
        if origins.len() <= MAX_COMPARED {
            return origins.iter().find(|origin| origin.is_https() && origin.is_host_of(url));
        }
        // The list of a host is sorted, and an origin with `https` comes last.
        let (is_https, _, place) = by_host.get(url.host_str()?)?.last()?;
        is_https.then(|| &origins[*place])
    }
}

impl From<Vec<Origin>> for Origins {
    fn from(origins: Vec<Origin>) -> Self {
        let mut by_host = HashMap::<Box<str>, Vec<Place>>::new();
        if origins.len() > MAX_COMPARED {
            for (place, origin) in origins.iter().enumerate() {
                by_host.entry(origin.host().into()).or_default().push((origin.is_https(), origin.port(), place));
            }
        }
        by_host.values_mut().for_each(|places| places.sort_unstable());
        Self(Arc::new(List { origins: origins.into(), by_host }))
    }
}

impl Deref for Origins {
    type Target = [Origin];

    fn deref(&self) -> &[Origin] {
        &self.0.origins
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails at a wrong URL")]
mod tests {
    use super::*;

    fn origins(count: usize) -> Origins {
        let fixed = ["https://a.example", "http://a.example:8080", "https://a.example:444", "http://[::1]:81"];
        let others = (4..count).map(|number| format!("https://host{number}.example"));
        let all = fixed.into_iter().map(str::to_owned).chain(others);
        all.map(|text| Origin::new(text).unwrap()).collect::<Vec<_>>().into()
    }

    #[test]
    fn a_long_list_finds_the_same_origins_as_a_short_one() {
        let (short, long) = (origins(4), origins(1_000));
        for (text, wanted, secure) in [
            ("https://a.example/x", Some("https://a.example"), true),
            ("https://user:pass@a.example:443/x?y", Some("https://a.example"), true),
            ("http://a.example:8080/", Some("http://a.example:8080"), true),
            ("http://a.example/", None, true),
            ("https://a.example:444/", Some("https://a.example:444"), true),
            ("https://a.example:445/", None, true),
            ("http://[::1]:81/", Some("http://[::1]:81"), false),
            ("https://[::1]:81/", None, false),
            ("https://b.a.example/", None, false),
            ("ftp://a.example/", None, true),
            ("data:text/plain,a", None, false),
        ] {
            let url = Url::parse(text).unwrap();
            for origins in [&short, &long] {
                assert_eq!(origins.containing(&url).map(Origin::as_str), wanted, "{text}");
                assert_eq!(origins.secure_host_of(&url).is_some(), secure, "{text}");
            }
        }
        let last = Url::parse("https://host999.example/").unwrap();
        assert_eq!(long.containing(&last).map(Origin::as_str), Some("https://host999.example"));
    }
}
