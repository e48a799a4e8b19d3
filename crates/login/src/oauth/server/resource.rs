//! The metadata of a protected resource (RFC 9728).

use url::Url;

use super::well_known::{Failures, well_known};
use crate::oauth::http::{Sender, one_line, untrusted};
use crate::secret_json::SecretJson;
use reqwest_challenge::{Origin, RefreshContext, RefreshError};

/// What is known about a protected resource.
#[derive(Debug)]
pub(in crate::oauth) struct ResourceMetadata {
    /// The identifier as the API wrote it.
    pub(in crate::oauth) resource: String,
    pub(in crate::oauth) authorization_servers: Vec<String>,
    pub(in crate::oauth) scopes: Vec<String>,
    /// The server that published the metadata.
    pub(in crate::oauth) published_by: Origin,
}

/// Which metadata are searched for.
#[derive(Default)]
pub(in crate::oauth) struct WantedResource<'w> {
    /// The resource that they must describe. If it is `None`, the URL of the refused request decides.
    pub(in crate::oauth) resource: Option<&'w str>,
    /// Their URL from an earlier challenge, for a context without a challenge.
    pub(in crate::oauth) metadata_url: Option<String>,
}

/// The URL of the metadata in the challenges.
pub(in crate::oauth) fn metadata_url(context: &RefreshContext) -> Option<String> {
    let mut challenges = context.challenges().iter();
    challenges.find_map(|challenge| challenge.param("resource_metadata")).map(|text| text.into_owned())
}

/// Whether the 401 is about another resource than this one, by the URL of the metadata in its challenges (RFC 9728 §3.1).
/// `false` if the URL does not tell.
pub(in crate::oauth) fn is_about_another(resource: &str, context: &RefreshContext) -> bool {
    let parsed = |text: &str| Url::parse(text).ok();
    let (Some(resource), Some(url)) = (parsed(resource), metadata_url(context).as_deref().and_then(parsed)) else {
        return false;
    };
    let path = url.path().strip_prefix("/.well-known/oauth-protected-resource");
    let is_same_path = path.map(|path| path.trim_end_matches('/') == resource.path().trim_end_matches('/'));
    url.origin() == resource.origin() && is_same_path == Some(false)
}

impl ResourceMetadata {
    /// Finds the metadata of the resource that a 401 is about: at the URL in its challenge, or else at the well-known URLs,
    /// first with the path of the request and then without. `None` if there are no metadata.
    pub(in crate::oauth) async fn find(
        sender: &Sender<'_>,
        context: &RefreshContext,
        wanted: WantedResource<'_>,
    ) -> Result<Option<Self>, RefreshError> {
        let api = Url::parse(context.origin().as_ref()).map_err(RefreshError::other)?;
        // Without a request, the metadata are about the wanted resource, or else about any resource of the API.
        let known = wanted.resource.and_then(|text| Url::parse(text).ok());
        let protected = context.url().or(known.as_ref()).filter(|url| context.origin().contains(url));
        let protected = Protected { url: protected.unwrap_or(&api), is_whole_api: protected.is_none() };
        let urls = match metadata_url(context).or(wanted.metadata_url) {
            Some(text) => {
                let refused = |error| untrusted("the challenge's `resource_metadata`", error);
                vec![sender.policy_for_api().check(&text).map_err(refused)?]
            }
            None => well_known_urls(protected.url),
        };
        let mut failures = Failures::default();
        for url in urls {
            match sender.get_resource_metadata("the resource's metadata", url).await {
                Err(error) => failures.add_network(error)?,
                Ok(response) => match response.document().filter(|members| members.value("resource").is_some()) {
                    Some(members) => {
                        let published_by = Origin::of(&response.url).unwrap_or_else(|| sender.api.clone());
                        match Self::read(&members, &protected, wanted.resource, published_by) {
                            Ok(found) => return Ok(Some(found)),
                            Err(error) => failures.add(error),
                        }
                    }
                    None => failures.add_response("the resource's metadata", &response),
                },
            }
        }
        failures.into_error().map_or(Ok(None), Err)
    }

    fn read(
        members: &SecretJson,
        protected: &Protected<'_>,
        wanted: Option<&str>,
        published_by: Origin,
    ) -> Result<Self, RefreshError> {
        let resource = members.text("resource").unwrap_or_default();
        let is_wanted = wanted.map_or_else(|| protected.is_covered_by(resource), |wanted| wanted == resource);
        if !is_wanted {
            let without_query = || one_line(protected.url.as_str().split('?').next().unwrap_or_default());
            let expected = wanted.map_or_else(without_query, one_line);
            let line = format!("the metadata are of another resource, `{}`, and not of {expected}", one_line(resource));
            return Err(RefreshError::denied("resource_mismatch").caused_by(line));
        }
        Ok(Self {
            resource: resource.to_owned(),
            authorization_servers: members.texts("authorization_servers").unwrap_or_default(),
            scopes: members.texts("scopes_supported").unwrap_or_default(),
            published_by,
        })
    }
}

fn well_known_urls(protected: &Url) -> Vec<Url> {
    let path = protected.path().trim_end_matches('/');
    let mut urls = vec![well_known(protected, "oauth-protected-resource", path)];
    if !path.is_empty() {
        urls.push(well_known(protected, "oauth-protected-resource", ""));
    }
    urls
}

/// The URL that the metadata must cover.
struct Protected<'p> {
    url: &'p Url,
    /// Whether any resource of the API is accepted.
    is_whole_api: bool,
}

impl Protected<'_> {
    fn is_covered_by(&self, resource: &str) -> bool {
        if !self.is_whole_api {
            return covers(resource, self.url);
        }
        Url::parse(resource).is_ok_and(|mut resource| {
            resource.set_path("");
            covers(resource.as_str(), self.url)
        })
    }
}

/// Whether the resource covers the URL: the origins are the same, and the path of the URL begins with the path of the
/// resource, segment by segment.
fn covers(resource: &str, url: &Url) -> bool {
    let Ok(resource) = Url::parse(resource) else { return false };
    let origin = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default());
    let is_plain = resource.username().is_empty() && resource.password().is_none() && resource.fragment().is_none();
    if !is_plain || origin(&resource) != origin(url) {
        return false;
    }
    let segments = |url: &Url| url.path().split('/').map(str::to_owned).collect::<Vec<_>>();
    let mut prefix = segments(&resource);
    // A slash at the end is not a segment.
    while prefix.last().is_some_and(String::is_empty) {
        prefix.pop();
    }
    segments(url).starts_with(&prefix)
}
