//! The facts of a refusal: the head of the response, the part of its body that was read, and what both say.

use std::fmt;
use std::sync::{Arc, OnceLock};

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

/// The part of a body that was read.
#[derive(Clone, Default)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    /// Whether the body ended within the limits.
    pub(crate) whole: bool,
}

/// The facts of a refusal.
pub(crate) struct Facts {
    pub(crate) method: Method,
    /// The URL of the request, without userinfo, query and fragment.
    pub(crate) url: Url,
    /// The URL of the response, if it differs.
    pub(crate) final_url: Option<Url>,
    /// Whether the response names no URL.
    pub(crate) lacks_url: bool,
    /// Whether the response came from another origin than the request's.
    pub(crate) foreign: bool,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) challenges: Arc<Challenges>,
    pub(crate) body: Body,
    /// Whether the request carried a credential of the middleware.
    pub(crate) authenticated: bool,
    pub(crate) report: AuthReport,
    reading: Reading,
    /// What the refusal says, once it was read. A caller that looks only at the status does not pay for it.
    read: OnceLock<Read>,
}

/// What a refusal says.
struct Read {
    problem: Problem,
    /// Whether the caller's function of `Builder::read_refusals` made the problem.
    is_of_caller: bool,
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
    /// The facts of a response whose header was taken and whose body was read. The URLs have no secret parts.
    pub(crate) fn new(method: Method, url: Url, answered: Answered, body: Body, report: AuthReport) -> Self {
        let Answered { status, url: answered, lacks_url, foreign, headers, reading } = answered;
        let challenges = Arc::new(Challenges::from_headers(&headers));
        let has_reader = reading.of_caller.is_some();
        let facts = Self {
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
            report,
            reading,
            read: OnceLock::new(),
        };
        // The function of the caller runs once for each refusal, whatever is asked later.
        if has_reader {
            facts.read();
        }
        facts
    }

    fn read(&self) -> &Read {
        self.read.get_or_init(|| {
            let Self { status, headers, challenges, body, reading, .. } = self;
            let raw = RawRefusal { status: *status, headers, challenges, body: &body.bytes, now: reading.now };
            let (mut problem, is_of_caller) = reading.read(&raw);
            problem.mask(&self.report.masker());
            Read { problem, is_of_caller }
        })
    }

    /// What the refusal says.
    pub(super) fn problem(&self) -> &Problem {
        &self.read().problem
    }

    /// Whether the caller's function of `Builder::read_refusals` made the problem.
    pub(super) fn is_of_caller(&self) -> bool {
        self.read().is_of_caller
    }

    /// `401 to GET https://…` and the message of the server. The caller makes one line of it.
    pub(super) fn line(&self) -> String {
        let mut line = format!("{} to {} {}", self.status.as_u16(), self.method, self.shown_url());
        if let Some(url) = self.final_url.as_ref().filter(|_| self.foreign) {
            line += &format!(" from another server, {}", self.report.masker().mask_certain(url.to_string()));
        }
        if let Some(message) = self.message() {
            line += &format!(": {message}");
        }
        line
    }

    /// The URL for a log. A redirect may have put a secret into its path, which is masked.
    fn shown_url(&self) -> String {
        self.report.masker().mask_certain(self.url.to_string())
    }

    /// Whether the request is known to have carried no credential: the middleware had none, and the caller set none.
    pub(super) fn is_unsigned(&self) -> bool {
        !self.authenticated && self.report.signed.is_some()
    }

    /// The message for users. See `Unauthorized::message`.
    pub(super) fn message(&self) -> Option<String> {
        let described = || {
            let description = |name| self.challenges.iter().find_map(|challenge| challenge.param(name));
            description("error_description").map(|text| self.report.mask(text.into_owned()))
        };
        let text = self.problem().text();
        let has_meaning = |text: &String| self.is_of_caller() || !is_generic(text);
        text.clone().filter(has_meaning).or_else(described).or(text)
    }

    /// The error code for programs. See `Unauthorized::error_code`.
    pub(super) fn error_code(&self) -> Option<String> {
        let of_problem = || self.problem().code.clone();
        let of_challenge = || {
            let code = self.challenges.iter().find_map(|challenge| challenge.param("error"))?;
            Some(self.report.masker().mask_word(code.into_owned()))
        };
        if self.is_of_caller() { of_problem().or_else(of_challenge) } else { of_challenge().or_else(of_problem) }
    }

    /// The names of the header fields, for a log. The server chooses them, so they are masked.
    fn header_names(&self) -> Vec<String> {
        let masker = self.report.masker();
        let names = self.headers.keys().map(|name| masker.mask_word(name.as_str().to_owned()));
        names.map(|name| OneLine::new(&name).to_string()).collect()
    }

    /// Prints the facts for a log, without values.
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
