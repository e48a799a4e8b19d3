//! Why a refresher is called.

/// Why a refresher is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefreshReason {
    /// The session asks for the credential to send before the server has refused anything.
    Initial,
    /// The server answered 401, or with a response that counts as one
    /// ([`Builder::unauthenticated_when`](crate::Builder::unauthenticated_when)).
    Challenged,
    /// The credential is known to be expired, was marked as invalid, or was refused to a caller of
    /// [`Session::fresh_after`](crate::Session::fresh_after).
    Expired,
    /// The caller asked for a login, or needs a credential before the server has refused anything.
    Login,
    /// The caller asked for more scopes, usually after a 403.
    StepUp,
    /// The caller logged out. The refresher forgets the credential.
    Logout,
    /// A refresh returned this credential after a logout or a login had ended its epoch. The refresher forgets it.
    Discarded,
}

impl RefreshReason {
    /// Returns the name of the reason, for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Challenged => "challenged",
            Self::Expired => "expired",
            Self::Login => "login",
            Self::StepUp => "step_up",
            Self::Logout => "logout",
            Self::Discarded => "discarded",
        }
    }
}
