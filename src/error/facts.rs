//! What is known of a refusal: the head of the response, as much of its body as was read, and what both say.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Method, StatusCode};
use reqwest::Url;

use super::problem::Problem;
use super::raw_refusal::{RawRefusal, Reading};
use super::read::is_generic;
use super::report::AuthReport;
use crate::challenge::Challenges;
use crate::util::OneLine;

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
    /// Whether the response names no URL.
    pub(crate) lacks_url: bool,
    pub(crate) foreign: bool,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) challenges: Arc<Challenges>,
    pub(crate) body: Body,
    pub(crate) authenticated: bool,
    pub(crate) problem: Problem,
    /// Whether the caller's own reader made the problem.
    pub(crate) is_callers: bool,
    pub(crate) report: AuthReport,
}

/// The head of a response.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) url: Url,
    /// Whether the response names no URL.
    pub(crate) lacks_url: bool,
    pub(crate) foreign: bool,
    pub(crate) headers: HeaderMap,
    pub(crate) reading: Reading,
}

impl Facts {
    /// Of a response whose header was taken and whose body was read; URLs without what may be secret in them.
    pub(crate) fn new(method: Method, url: Url, answered: Answered, body: Body, report: AuthReport) -> Self {
        let Answered { status, url: answered, lacks_url, foreign, headers, reading } = answered;
        let challenges = Arc::new(Challenges::from_headers(&headers));
        let raw =
            RawRefusal { status, headers: &headers, challenges: &challenges, body: &body.bytes, now: reading.now };
        let (mut problem, is_callers) = reading.read(&raw);
        problem.mask(&report.masker());
        Self {
            method,
            final_url: Some(answered).filter(|answered| *answered != url),
            url,
            lacks_url,
            foreign,
            status,
            challenges,
            headers,
            body,
            authenticated: report.sent.iter().any(Option::is_some),
            problem,
            is_callers,
            report,
        }
    }

    /// `401 to GET https://…` and what the server says about it, as one line for a terminal.
    pub(super) fn line(&self) -> String {
        let mut line = format!("{} to {} {}", self.status.as_u16(), self.method, self.shown_url());
        if let Some(url) = self.final_url.as_ref().filter(|_| self.foreign) {
            line += &format!(" from another server, {}", self.report.masker().mask_certain(url.to_string()));
        }
        if let Some(said) = self.message() {
            line += &format!(": {said}");
        }
        line
    }

    /// The URL for a log, without a secret in its path. A redirect may have chosen it.
    fn shown_url(&self) -> String {
        self.report.masker().mask_certain(self.url.to_string())
    }

    pub(super) fn message(&self) -> Option<String> {
        let described = || {
            let description = |name| self.challenges.iter().find_map(|challenge| challenge.param(name));
            description("error_description").map(|text| self.report.mask(text.into_owned()))
        };
        let said = self.problem.text();
        let says_more = |text: &String| self.is_callers || !is_generic(text);
        said.clone().filter(says_more).or_else(described).or(said)
    }

    pub(super) fn error_code(&self) -> Option<String> {
        let own = self.problem.code.clone();
        let sent = || self.challenges.iter().find_map(|challenge| challenge.param("error"));
        let sent = || sent().map(|code| self.report.masker().mask_word(code.into_owned()));
        if self.is_callers { own.or_else(sent) } else { sent().or(own) }
    }

    /// The names of the header fields, for a log. The server chooses them, so they are masked.
    fn header_names(&self) -> Vec<String> {
        let masker = self.report.masker();
        let names = self.headers.keys().map(|name| masker.mask_word(name.as_str().to_owned()));
        names.map(|name| OneLine::new(&name).to_string()).collect()
    }

    pub(super) fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("method", &self.method)
            .field("url", &self.shown_url())
            .field("status", &self.status)
            .field("headers", &self.header_names())
            .field("challenges", &self.challenges)
            .field("body_length", &self.body.bytes.len())
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}
