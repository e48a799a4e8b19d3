//! Opens a page in the person's browser.

use std::io;

use url::Url;
use webbrowser::{Browser, BrowserOptions};

use reqwest_challenge::Origin;

/// Opens it, if it is by `https`, or on this machine: nothing else is a page for a login. It goes to the browser as one argument, and by
/// no shell.
pub(super) fn open(url: &Url) -> io::Result<()> {
    let origin = Origin::of(url).filter(|origin| origin.is_https() || origin.is_loopback());
    if origin.is_none() || !url.username().is_empty() || url.password().is_some() {
        return Err(io::Error::other("it is no page by https"));
    }
    let quiet = BrowserOptions::new().with_suppress_output(true).clone();
    webbrowser::open_browser_with_options(Browser::Default, url.as_str(), &quiet)
}

// Whoever shows pages has looked at them before: this is the second lock, and nothing from outside leads to it.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_page_for_a_login_is_not_opened() {
        for odd in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "http://login.example.com/",
            "https://me@login.example.com/",
            "https://:secret@login.example.com/",
            "x-apple.systempreferences:com.apple",
        ] {
            let refused =
                Url::parse(odd).map_err(io::Error::other).and_then(|url| open(&url)).map_err(|error| error.to_string());
            assert_eq!(refused, Err("it is no page by https".to_owned()), "{odd}");
        }
    }
}
