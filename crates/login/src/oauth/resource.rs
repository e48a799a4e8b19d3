//! What a protected resource says of itself (RFC 9728).

use url::Url;

use super::dialer::{Dialer, untrusted};
use super::failures::Failures;
use super::reply::printed;
use super::server::{document, well_known};
use crate::secret_json::SecretJson;
use reqwest_challenge::Origin;
use reqwest_challenge::{RefreshContext, RefreshError};

/// A protected resource, as far as it is known.
#[derive(Debug)]
pub(super) struct Resource {
    /// As it was written.
    pub(super) id: String,
    pub(super) servers: Vec<String>,
    pub(super) scopes: Vec<String>,
    /// The server that says so.
    pub(super) by: Origin,
}

/// Where the challenges say that the metadata are.
pub(super) fn named(context: &RefreshContext) -> Option<String> {
    let mut challenges = context.challenges().iter();
    challenges.find_map(|challenge| challenge.param("resource_metadata")).map(|text| text.into_owned())
}

/// Whether the 401 is about another resource than this one, judged by the URL of its metadata (RFC 9728 §3.1). `false`
/// if the URL does not show it.
pub(super) fn is_another(resource: &str, context: &RefreshContext) -> bool {
    let parsed = |text: &str| Url::parse(text).ok();
    let (Some(resource), Some(place)) = (parsed(resource), named(context).as_deref().and_then(parsed)) else {
        return false;
    };
    let described = place.path().strip_prefix("/.well-known/oauth-protected-resource");
    let paths = described.map(|path| path.trim_end_matches('/') == resource.path().trim_end_matches('/'));
    place.origin() == resource.origin() && paths == Some(false)
}

/// The resource that a 401 was about: where its challenge says, or else at the well-known places, with the path and without. `None`
/// where no metadata are.
pub(super) async fn discover(
    dialer: &Dialer<'_>,
    context: &RefreshContext,
    (wanted, seen): (Option<&str>, Option<String>),
) -> Result<Option<Resource>, RefreshError> {
    let api = Url::parse(&context.origin().to_string()).map_err(RefreshError::other)?;
    // What nobody's request asked for is about the resource that is known, or else about any of the API's.
    let known = wanted.and_then(|text| Url::parse(text).ok());
    let asked = context.url().or(known.as_ref()).filter(|url| context.origin().contains(url));
    let (asked, is_any) = (asked.unwrap_or(&api), asked.is_none());
    let named = named(context).or(seen);
    let places = match named {
        Some(text) => {
            let refused = |error| untrusted("the challenge's `resource_metadata`", &error);
            vec![dialer.by_api().url(&text).map_err(refused)?]
        }
        None => {
            let path = asked.path().trim_end_matches('/');
            let mut places = vec![well_known(asked, "oauth-protected-resource", path)];
            if !path.is_empty() {
                places.push(well_known(asked, "oauth-protected-resource", ""));
            }
            places
        }
    };
    let mut failures = Failures::default();
    for url in places {
        match dialer.get("the resource's metadata", url).await {
            Err(error) => failures.add_network(error)?,
            Ok(reply) => match document(&reply).filter(|members| members.value("resource").is_some()) {
                Some(members) => {
                    let by = Origin::of(&reply.url).unwrap_or_else(|| dialer.api.clone());
                    match read(&members, (asked, is_any), wanted, by) {
                        Ok(found) => return Ok(Some(found)),
                        Err(error) => failures.add(error),
                    }
                }
                None => failures.add_reply("the resource's metadata", &reply),
            },
        }
    }
    failures.worst().map_or(Ok(None), Err)
}

fn read(members: &SecretJson, asked: (&Url, bool), wanted: Option<&str>, by: Origin) -> Result<Resource, RefreshError> {
    let id = members.text("resource").unwrap_or_default();
    let is_ours = match (wanted, asked) {
        (Some(wanted), _) => wanted == id,
        (None, (url, false)) => covers(id, url),
        (None, (api, true)) => Url::parse(id).is_ok_and(|mut resource| {
            resource.set_path("");
            covers(resource.as_str(), api)
        }),
    };
    if !is_ours {
        let line = format!(
            "the metadata are of another resource, `{}`, and not of {}",
            printed(id),
            wanted.map_or_else(|| printed(asked.0.as_str().split('?').next().unwrap_or_default()), printed)
        );
        return Err(RefreshError::denied("resource_mismatch").caused_by(line));
    }
    Ok(Resource {
        id: id.to_owned(),
        servers: members.texts("authorization_servers").unwrap_or_default(),
        scopes: members.texts("scopes_supported").unwrap_or_default(),
        by,
    })
}

/// Whether the URL is of that resource: of its origin, and its path begins with the resource's, segment by segment.
pub(super) fn covers(resource: &str, url: &Url) -> bool {
    let Ok(resource) = Url::parse(resource) else { return false };
    let of = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default());
    let plain = resource.username().is_empty() && resource.password().is_none() && resource.fragment().is_none();
    if !plain || of(&resource) != of(url) {
        return false;
    }
    let segments = |url: &Url| url.path().split('/').map(str::to_owned).collect::<Vec<_>>();
    let mut prefix = segments(&resource);
    // A slash at its end is no segment of its own.
    while prefix.last().is_some_and(String::is_empty) {
        prefix.pop();
    }
    segments(url).starts_with(&prefix)
}
