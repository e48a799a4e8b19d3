//! Which scopes of the API a grant without a user may ask for.

use std::fmt;
use std::sync::Arc;

/// Which scopes of a challenge, or of the API's metadata, a grant without a user may ask for. See
/// [`OAuth::challenge_scopes`](super::OAuth::challenge_scopes).
///
/// ```
/// use reqwest_challenge_login::oauth::ChallengeScopes;
///
/// let reading = ChallengeScopes::matching(|scope| scope.ends_with(":read"));
/// ```
#[derive(Clone)]
pub struct ChallengeScopes(Allowed);

#[derive(Clone)]
enum Allowed {
    None,
    Any,
    Only(Vec<String>),
    Matching(Arc<dyn Fn(&str) -> bool + Send + Sync>),
}

impl ChallengeScopes {
    /// No scope. This is the default.
    #[must_use]
    pub fn none() -> Self {
        Self(Allowed::None)
    }

    /// Every scope that the API names.
    #[must_use]
    pub fn any() -> Self {
        Self(Allowed::Any)
    }

    /// The scopes of this list that the API names.
    #[must_use]
    pub fn only<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        Self(Allowed::Only(scopes.into_iter().map(Into::into).collect()))
    }

    /// The scopes for which the function returns `true`.
    #[must_use]
    pub fn matching(allows: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Allowed::Matching(Arc::new(allows)))
    }

    pub(super) fn allows(&self, scope: &str) -> bool {
        match &self.0 {
            Allowed::None => false,
            Allowed::Any => true,
            Allowed::Only(scopes) => scopes.iter().any(|allowed| allowed == scope),
            Allowed::Matching(allows) => allows(scope),
        }
    }
}

impl fmt::Debug for ChallengeScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Allowed::None => f.write_str("None"),
            Allowed::Any => f.write_str("Any"),
            Allowed::Only(scopes) => f.debug_tuple("Only").field(scopes).finish(),
            Allowed::Matching(_) => f.write_str("Matching(_)"),
        }
    }
}
