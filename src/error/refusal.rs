//! What both refusals tell of the response, written once.

/// The getters of a refusal, whose facts are `self.0.facts`.
macro_rules! refusal_getters {
    () => {
        /// The method of the request.
        #[must_use]
        pub fn method(&self) -> &Method {
            &self.0.facts.method
        }

        /// The URL of the request, without userinfo and query.
        #[must_use]
        pub fn url(&self) -> &Url {
            &self.0.facts.url
        }

        /// The URL that answered, without userinfo and query: another after a redirect.
        #[must_use]
        pub fn final_url(&self) -> &Url {
            self.0.facts.final_url.as_ref().unwrap_or(&self.0.facts.url)
        }

        /// Whether another origin than the request's answered, after a redirect: what it says is not the API's word.
        #[must_use]
        pub fn is_foreign(&self) -> bool {
            self.0.facts.foreign
        }

        /// The status.
        #[must_use]
        pub fn status(&self) -> StatusCode {
            self.0.facts.status
        }

        /// The response's header fields as received. They contain whatever the server echoes.
        #[must_use]
        pub fn headers(&self) -> &HeaderMap {
            &self.0.facts.headers
        }

        /// The response's challenges as received.
        #[must_use]
        pub fn challenges(&self) -> &Challenges {
            &self.0.facts.challenges
        }

        /// The response's body as received, up to the limit. Nothing in it is masked.
        #[must_use]
        pub fn body(&self) -> &Bytes {
            &self.0.facts.body.bytes
        }

        /// Whether the body ended before the cap of bytes and time did.
        #[must_use]
        pub fn is_body_whole(&self) -> bool {
            self.0.facts.body.whole
        }

        /// Whether a credential of this middleware was on the request.
        #[must_use]
        pub fn authenticated(&self) -> bool {
            self.0.facts.authenticated
        }

        /// The error code: the `error` of the first challenge, else [`Problem::code`].
        #[must_use]
        pub fn error_code(&self) -> Option<String> {
            self.0.facts.error_code()
        }

        /// What the server says, for users: title and text of the [`Problem`], else the `error_description` of the
        /// first challenge. A text that only repeats the status comes last.
        #[must_use]
        pub fn message(&self) -> Option<String> {
            self.0.facts.message()
        }

        /// Where to read on, if the server says so.
        #[must_use]
        pub fn help_url(&self) -> Option<&str> {
            self.0.facts.problem.help_url.as_deref()
        }

        /// What the body and the header fields besides the challenges say.
        #[must_use]
        pub fn problem(&self) -> &Problem {
            &self.0.facts.problem
        }

        /// What was done about authentication.
        #[must_use]
        pub fn report(&self) -> &AuthReport {
            &self.0.facts.report
        }
    };
}

pub(super) use refusal_getters;
