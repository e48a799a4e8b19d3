//! What is known of a refusal: the head of the response, as much of its body as was read, and what both say.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{Method, StatusCode};
use reqwest::Url;

use super::json::{Place, Texts};
use crate::challenge::Challenges;
use crate::printed::{FEW_LINES, Printed};
use crate::report::AuthReport;

/// As much of a body as was read.
#[derive(Clone, Default)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    pub(crate) whole: bool,
}

/// What is known of a refusal.
pub(crate) struct Facts {
    pub(crate) method: Method,
    /// Without userinfo and query.
    pub(crate) url: Url,
    /// Of the response, where that is another.
    pub(crate) final_url: Option<Url>,
    pub(crate) foreign: bool,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) challenges: Arc<Challenges>,
    pub(crate) body: Body,
    pub(crate) authenticated: bool,
    pub(crate) problem: Problem,
    pub(crate) report: AuthReport,
}

/// The head of a response.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) url: Url,
    pub(crate) foreign: bool,
    pub(crate) headers: HeaderMap,
}

/// The URL without what may be secret in it: userinfo, query and fragment.
pub(crate) fn bare(url: &Url) -> Url {
    let mut bare = url.clone();
    // Neither can fail where there is a host, and without one there is nothing to take away.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    bare.set_query(None);
    bare.set_fragment(None);
    bare
}

/// What a refusal's body says: a problem (RFC 9457), or the common shapes of JSON errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// `error`, `code`, or the problem's `type`.
    pub code: Option<String>,
    /// The problem's `title`.
    pub title: Option<String>,
    /// `detail`, `message`, `error_description`, or `error` where it is a sentence.
    pub detail: Option<String>,
    /// Where to read on: `documentation_url`, `help_url`, `error_uri`.
    pub help_url: Option<String>,
}

impl Problem {
    /// Reads a body by its media type; text that is no JSON says nothing that could be told apart from a page.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if media != "application/json" && !media.ends_with("+json") {
            return Self::default();
        }
        let texts = Texts::of(body);
        // Some wrap it: {"error": {"code": …, "message": …}}, {"errors": [{…}]}.
        let text = |names: &[&str]| texts.get(texts.inner(), names);
        let error = text(&["error"]);
        let is_code = |text: &String| !text.contains(' ');
        Self {
            code: error.clone().filter(is_code).or_else(|| text(&["code", "type", "reason"])),
            title: text(&["title"]),
            detail: text(&["detail", "error_description", "message", "error_message"])
                .or_else(|| error.filter(|text| !is_code(text))),
            help_url: text(&["documentation_url", "help_url", "error_uri"])
                .or_else(|| texts.get(Place::Top, &["documentation_url"])),
        }
    }
}

impl Facts {
    /// Of a response whose header was taken and whose body was read; URLs without what may be secret in them.
    pub(crate) fn new(method: Method, url: Url, answered: Answered, body: Body, report: AuthReport) -> Self {
        let Answered { status, url: answered, foreign, headers } = answered;
        let mut problem = Problem::read(&headers, &body.bytes);
        let masker = report.masker();
        problem.code = problem.code.map(|code| masker.mask_word(code));
        problem.title = problem.title.map(|text| masker.mask(text));
        problem.detail = problem.detail.map(|text| masker.mask(text));
        problem.help_url = problem.help_url.map(|url| masker.mask_certain(url));
        Self {
            method,
            final_url: Some(answered).filter(|answered| *answered != url),
            url,
            foreign,
            status,
            challenges: Arc::new(Challenges::from_headers(&headers)),
            headers,
            body,
            authenticated: report.sent.iter().any(Option::is_some),
            problem,
            report,
        }
    }

    /// `401 to GET https://…`, and what the server says of it: one line for a terminal. Only what the server wrote is masked.
    pub(super) fn line(&self) -> String {
        let mut line = format!("{} to {} {}", self.status.as_u16(), self.method, self.url);
        if let Some(url) = self.final_url.as_ref().filter(|_| self.foreign) {
            line += &format!(" from another server, {}", self.report.masker().mask_certain(url.to_string()));
        }
        if let Some(said) = self.message() {
            line += &format!(": {said}");
        }
        line
    }

    pub(super) fn message(&self) -> Option<String> {
        let described = || {
            let description = |name| self.challenges.iter().find_map(|challenge| challenge.param(name));
            description("error_description").map(|text| self.report.mask(text.into_owned()))
        };
        self.problem.detail.clone().or_else(described).or_else(|| self.problem.title.clone())
    }

    pub(super) fn error_code(&self) -> Option<String> {
        let sent = self.challenges.iter().find_map(|challenge| challenge.param("error"));
        sent.map(|code| self.report.masker().mask_word(code.into_owned())).or_else(|| self.problem.code.clone())
    }

    /// The names of the header's fields, for a log: a server chooses them too.
    fn header_names(&self) -> Vec<String> {
        let masker = self.report.masker();
        let names = self.headers.keys().map(|name| masker.mask_word(name.as_str().to_owned()));
        names.map(|name| Printed(&name, FEW_LINES).to_string()).collect()
    }

    pub(super) fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("method", &self.method)
            .field("url", &self.url.as_str())
            .field("status", &self.status)
            .field("headers", &self.header_names())
            .field("challenges", &self.challenges)
            .field("body_length", &self.body.bytes.len())
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}
