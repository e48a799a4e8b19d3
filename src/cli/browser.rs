//! Opens a page in the person's browser.

use std::io;

use url::Url;
use webbrowser::{Browser, BrowserOptions};

use crate::origin::Origin;

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
