//! The getters that `Unauthorized`, `Forbidden` and `Refusal` have in common.

/// Defines the getters of a refusal whose facts are `self.0.facts`.
macro_rules! refusal_getters {
    () => {
        /// Returns the method of the request.
        #[must_use]
        pub fn method(&self) -> &Method {
            &self.0.facts.method
        }

        /// Returns the URL of the request, without userinfo, query and fragment.
        #[must_use]
        pub fn url(&self) -> &Url {
            &self.0.facts.url
        }

        /// Returns the URL that responded, without userinfo, query and fragment. After a redirect it differs from
        /// [`url`](Self::url).
        #[must_use]
        pub fn final_url(&self) -> &Url {
            self.0.facts.final_url.as_ref().unwrap_or(&self.0.facts.url)
        }

        /// Whether another origin than the request's responded, after a redirect. If so, the text of the response does not
        /// come from the API.
        #[must_use]
        pub fn is_foreign(&self) -> bool {
            self.0.facts.foreign
        }

        /// Returns the status.
        #[must_use]
        pub fn status(&self) -> StatusCode {
            self.0.facts.status
        }

        /// Returns the response's header fields as received. Nothing in them is masked.
        #[must_use]
        pub fn headers(&self) -> &HeaderMap {
            &self.0.facts.headers
        }

        /// Returns the response's challenges as received. Nothing in them is masked.
        #[must_use]
        pub fn challenges(&self) -> &Challenges {
            &self.0.facts.challenges
        }

        /// Returns the response's body as received, up to the limit of
        /// [`Builder::body_limit`](crate::Builder::body_limit). Nothing in it is masked.
        #[must_use]
        pub fn body(&self) -> &Bytes {
            &self.0.facts.body.bytes
        }

        /// Whether the whole body was read, within the limits of bytes and time.
        #[must_use]
        pub fn is_body_whole(&self) -> bool {
            self.0.facts.body.whole
        }

        /// Whether the request carried a credential of this middleware.
        #[must_use]
        pub fn is_authenticated(&self) -> bool {
            self.0.facts.authenticated
        }

        /// Returns the error code: the `error` of the first challenge that has one, or else [`Problem::code`].
        #[must_use]
        pub fn error_code(&self) -> Option<String> {
            self.0.facts.error_code()
        }

        /// Returns the server's message for users: title and detail of the [`Problem`], or else the `error_description` of
        /// a challenge. A text that only repeats the status is used if there is no other.
        #[must_use]
        pub fn message(&self) -> Option<String> {
            self.0.facts.message()
        }

        /// Returns the URL where the server documents the error, if it names one.
        #[must_use]
        pub fn help_url(&self) -> Option<&str> {
            self.0.facts.problem().help_url.as_deref()
        }

        /// Returns what the body says, and the header fields other than the challenges.
        #[must_use]
        pub fn problem(&self) -> &Problem {
            self.0.facts.problem()
        }

        /// Returns what the middleware did in this call.
        #[must_use]
        pub fn report(&self) -> &AuthReport {
            &self.0.facts.report
        }
    };
}

pub(super) use refusal_getters;
