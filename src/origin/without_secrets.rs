//! URLs in a form that is safe to print.

use url::Url;

/// The URL without the parts that may hold a secret: user name, password, query and fragment.
///
/// Print this form in errors and logs. A path can hold a secret too: [`Masker`](crate::support::Masker) removes the
/// secrets that the caller knows.
///
/// ```
/// use reqwest_challenge::support::url_without_secrets;
///
/// let url = "https://ann:s3cret@api.example.com/reports?token=s3cret#top".parse()?;
/// assert_eq!(url_without_secrets(&url).as_str(), "https://api.example.com/reports");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn url_without_secrets(url: &Url) -> Url {
    let has_secrets = !url.username().is_empty() || url.password().is_some() || url.query().is_some();
    let mut url = url.clone();
    if !has_secrets && url.fragment().is_none() {
        return url;
    }
    // Both fail only for a URL without a host, which has no user name and no password.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url
}
