//! The origins of a middleware.

use std::collections::HashMap;
use std::sync::Arc;

use reqwest::Url;

use super::origin::Origin;

/// Up to this number, the origins are compared one after the other, which costs less than a search by host.
const MAX_COMPARED: usize = 4;

/// The origins of a middleware, at least one. Clones share them.
#[derive(Clone)]
pub(crate) struct Origins(Arc<Inner>);

struct Inner {
    all: Box<[Origin]>,
    /// The indices of the origins of each host, if there are many origins.
    by_host: Option<HashMap<Box<str>, Vec<u32>>>,
}

impl Origins {
    pub(crate) fn new(all: Vec<Origin>) -> Self {
        let by_host = (all.len() > MAX_COMPARED).then(|| {
            let mut by_host: HashMap<Box<str>, Vec<u32>> = HashMap::new();
            for (origin, index) in all.iter().zip(0..) {
                by_host.entry(origin.host().into()).or_default().push(index);
            }
            by_host
        });
        Self(Arc::new(Inner { all: all.into(), by_host }))
    }

    /// The origins that may contain the URL: those of its host, or all if there are few.
    #[inline]
    fn candidates(&self, url: &Url) -> impl Iterator<Item = &Origin> {
        let Inner { all, by_host } = &*self.0;
        let of_host = by_host.as_ref().map(|by_host| url.host_str().and_then(|host| by_host.get(host)));
        let indices = of_host.flatten().into_iter().flatten().filter_map(|&index| all.get(index as usize));
        let few = if of_host.is_some() { &[][..] } else { &all[..] };
        few.iter().chain(indices)
    }

    /// The origin of the URL, if it is one of these.
    #[inline]
    pub(crate) fn of(&self, url: &Url) -> Option<&Origin> {
        self.candidates(url).find(|origin| origin.contains(url))
    }

    /// An origin with `https` and the host of the URL.
    pub(crate) fn with_https(&self, url: &Url) -> Option<&Origin> {
        self.candidates(url).find(|origin| origin.is_https() && origin.is_host_of(url))
    }

    /// All origins, in the order in which the caller listed them.
    pub(crate) fn all(&self) -> &[Origin] {
        &self.0.all
    }

    /// The origin that the caller listed first.
    pub(crate) fn first(&self) -> &Origin {
        &self.0.all[0]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_origins_find_the_same() {
        let texts = [
            "https://a.example",
            "http://a.example:8080",
            "https://b.example:444",
            "http://127.0.0.1",
            "http://[::1]:9",
        ];
        let parse = |texts: &[&str]| Origins::new(texts.iter().map(|text| Origin::new(text).unwrap()).collect());
        let more: Vec<_> = (0..100).map(|number| format!("https://host-{number}.example")).collect();
        let many: Vec<_> = texts.iter().copied().chain(more.iter().map(String::as_str)).collect();
        let (few, many) = (parse(&texts[..MAX_COMPARED]), parse(&many));
        for (url, origin, https) in [
            ("https://a.example/x", Some(texts[0]), true),
            ("https://user@A.example/x", Some(texts[0]), true),
            ("http://a.example:8080/", Some(texts[1]), true),
            ("http://a.example/", None, true),
            ("https://b.example:444/", Some(texts[2]), true),
            ("https://b.example/", None, true),
            ("http://127.0.0.1/", Some(texts[3]), false),
            ("http://c.example/", None, false),
            ("data:text/plain,x", None, false),
        ] {
            let url = Url::parse(url).unwrap();
            for origins in [&few, &many] {
                assert_eq!(origins.of(&url).map(Origin::as_str), origin, "{url}");
                assert_eq!(origins.with_https(&url).is_some(), https, "{url}");
            }
        }
        let ipv6 = Url::parse("http://[::1]:9/").unwrap();
        assert_eq!(many.of(&ipv6).map(Origin::as_str), Some(texts[4]));
        assert_eq!((many.first().as_str(), many.all().len()), (texts[0], 105));
    }
}
