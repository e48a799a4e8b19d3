//! The trait of all grants.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::grant_context::GrantContext;
use super::issued_token::IssuedToken;
use reqwest_challenge::RefreshError;

/// How a token is obtained: one of the grants of this module, or one of your own.
///
/// A grant of your own is an extension grant (RFC 6749 §4.5): a `grant_type`, and the parameters that go with it. `OAuth`
/// does the rest: it finds the token endpoint, adds the client's proof, the scopes, the resource and the caller's
/// parameters, reads the response, and renews the token with the refresh token if there is one.
///
/// ```
/// use reqwest_challenge::{ChallengeMiddleware, RefreshError, async_trait};
/// use reqwest_challenge_login::oauth::{Client, Grant, GrantContext, Issuer, IssuedToken, OAuth};
///
/// /// Exchanges the identity document of a virtual machine for a token.
/// struct MachineIdentity {
///     document: std::path::PathBuf,
/// }
///
/// #[async_trait]
/// impl Grant for MachineIdentity {
///     fn grant_type(&self) -> &str {
///         "urn:example:params:oauth:grant-type:machine-identity"
///     }
///
///     async fn obtain(&self, context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError> {
///         // The document is read each time, because it expires.
///         let document = std::fs::read_to_string(&self.document)?;
///         let request = context.token_request(self.grant_type());
///         request.parameter("document_format", "pkcs7").secret_parameter("document", document).send().await
///     }
/// }
///
/// let issuer = Issuer::new("https://auth.example.com")?;
/// let grant = MachineIdentity { document: "/run/identity/document".into() };
/// let auth = ChallengeMiddleware::new("https://api.example.com", OAuth::new(issuer, Client::public("vm"), grant)?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Test a grant
/// [`OAuth::grant_context`](super::super::OAuth::grant_context) makes the context of a call. The mock identity provider of
/// `reqwest-challenge-testing` issues the token:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use reqwest_challenge::{RefreshError, async_trait};
/// # use reqwest_challenge_login::oauth::{GrantContext, IssuedToken};
/// use std::sync::Arc;
///
/// use reqwest_challenge::{RefreshContext, RefreshReason};
/// use reqwest_challenge_login::oauth::{Client, Grant, Issuer, OAuth};
/// use reqwest_challenge_testing::MockIdentityProvider;
///
/// # struct MachineIdentity;
/// # #[async_trait]
/// # impl Grant for MachineIdentity {
/// #     fn grant_type(&self) -> &str {
/// #         "urn:example:params:oauth:grant-type:machine-identity"
/// #     }
/// #     async fn obtain(&self, context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError> {
/// #         context.token_request(self.grant_type()).secret_parameter("document", "d1").send().await
/// #     }
/// # }
/// # let machine_identity = MachineIdentity;
/// let provider = MockIdentityProvider::start().await?;
/// provider.accept_grant("urn:example:params:oauth:grant-type:machine-identity", ["document"], |_request| Ok(()));
///
/// let grant = Arc::new(machine_identity);
/// let oauth = OAuth::new(Issuer::new(provider.issuer())?, Client::public("vm"), grant.clone())?.scopes(["api:read"]);
/// let login = RefreshContext::builder("https://api.example.com").reason(RefreshReason::Login).without_request().build()?;
/// let issued = grant.obtain(&oauth.grant_context(&login).await?).await?;
/// assert!(issued.refresh_token().is_some());
/// # Ok(()) }
/// ```
///
/// A grant around another grant is tested with an inner grant that returns [`IssuedToken::new`].
#[async_trait]
pub trait Grant: Send + Sync + 'static {
    /// The value of the parameter `grant_type`.
    fn grant_type(&self) -> &str;

    /// Obtains a token. `OAuth` calls it if there is no refresh token, or if the refresh token is no longer valid.
    ///
    /// # Errors
    /// Returns why there is no token. All waiting requests share the error.
    async fn obtain(&self, context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError>;

    /// Whether the grant has a secret that only an issuer named by the caller may see. If so, the issuer must not be
    /// [`Issuer::from_challenge`](super::super::Issuer::from_challenge). The default is `true`.
    fn has_secret(&self) -> bool {
        true
    }

    /// Whether the user must act. Then the grant runs only if the caller asks for a login, or if
    /// [`OAuth::prompting`](super::super::OAuth::prompting) is set. The default is `false`.
    fn needs_user(&self) -> bool {
        false
    }

    /// Whether the user can be reached now. If not, no request is sent. It matters only if the grant
    /// [needs the user](Self::needs_user). The default is `true`.
    fn can_reach_user(&self) -> bool {
        true
    }

    /// Whether the grant can run again after its token has expired. The default is `true`.
    fn is_repeatable(&self) -> bool {
        true
    }

    /// How long the grant may take. The default is 30 s. A grant that needs the user returns minutes.
    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }
}

macro_rules! forward {
    ($([$($generic:tt)*] $pointer:ty;)*) => {$(
        #[async_trait]
        impl<$($generic)*> Grant for $pointer {
            fn grant_type(&self) -> &str {
                (**self).grant_type()
            }

            async fn obtain(&self, context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError> {
                (**self).obtain(context).await
            }

            fn has_secret(&self) -> bool {
                (**self).has_secret()
            }

            fn needs_user(&self) -> bool {
                (**self).needs_user()
            }

            fn can_reach_user(&self) -> bool {
                (**self).can_reach_user()
            }

            fn is_repeatable(&self) -> bool {
                (**self).is_repeatable()
            }

            fn timeout(&self) -> Duration {
                (**self).timeout()
            }
        }
    )*};
}

forward! {
    [G: Grant + ?Sized] Arc<G>;
    [G: Grant + ?Sized] Box<G>;
}
