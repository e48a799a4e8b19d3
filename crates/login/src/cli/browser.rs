//! Opens a page in the user's browser.

use std::io;

use reqwest_challenge::Origin;
use url::Url;
use webbrowser::{Browser, BrowserOptions};

/// Opens the page if its URL is `https`, or if it is on this machine. The browser receives the URL as one argument, without a
/// shell.
pub(super) fn open(url: &Url) -> io::Result<()> {
    let origin = Origin::of(url).filter(|origin| origin.is_https() || origin.is_loopback());
    if origin.is_none() || !url.username().is_empty() || url.password().is_some() {
        return Err(io::Error::other(
            "the URL is not opened: it must be https or on this machine, without a user name or password",
        ));
    }
    let quiet = BrowserOptions::new().with_suppress_output(true).clone();
    webbrowser::open_browser_with_options(Browser::Default, url.as_str(), &quiet)
}

// The OAuth module has checked each URL before, so no public function reaches this second check.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_is_not_a_login_page_is_not_opened() {
        for url in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "http://login.example.com/",
            "https://me@login.example.com/",
            "https://:secret@login.example.com/",
            "x-apple.systempreferences:com.apple",
        ] {
            let result =
                Url::parse(url).map_err(io::Error::other).and_then(|url| open(&url)).map_err(|error| error.to_string());
            assert_eq!(
                result,
                Err("the URL is not opened: it must be https or on this machine, without a user name or password"
                    .to_owned()),
                "{url}"
            );
        }
    }
}
