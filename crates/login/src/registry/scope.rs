//! The scopes of a request whose challenge names none (token authentication of the distribution specification).

use std::borrow::Cow;

use http::Method;
use url::Url;

/// The scopes that a request needs, in the notation of the distribution specification.
pub(super) fn of(method: &Method, url: &Url) -> Vec<String> {
    if url.path().trim_end_matches('/') == "/v2/_catalog" {
        return vec!["registry:catalog:*".to_owned()];
    }
    let Some(name) = repository(url).filter(|name| !name.is_empty()) else { return Vec::new() };
    let actions = match *method {
        Method::GET | Method::HEAD => "pull",
        Method::DELETE => "delete",
        _ => "pull,push",
    };
    let mut scopes = vec![format!("repository:{name}:{actions}")];
    scopes.extend(mounted_from(method, url).map(|from| format!("repository:{from}:pull")));
    scopes
}

/// The other repository from which a request mounts a blob.
pub(super) fn mounted_from<'u>(method: &Method, url: &'u Url) -> Option<Cow<'u, str>> {
    let from = url.query_pairs().find(|(parameter, _)| parameter == "from").map(|(_, from)| from)?;
    (*method == Method::POST && is_name(&from) && repository(url) != Some(&*from)).then_some(from)
}

/// The repository in a path of the distribution specification: `/v2/<name>/manifests/…` and similar.
pub(super) fn repository(url: &Url) -> Option<&str> {
    let path = url.path().strip_prefix("/v2/")?;
    // The name of a repository may contain a word such as `blobs` too, so the last of these words ends the name.
    let ends = ["/manifests/", "/blobs/", "/tags/", "/referrers/"].iter().filter_map(|kind| path.rfind(kind));
    ends.max().map(|end| &path[..end])
}

/// Whether the name may occur in a scope.
fn is_name(text: &str) -> bool {
    let fits = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"/._-".contains(&octet);
    !text.is_empty() && text.bytes().all(fits)
}
