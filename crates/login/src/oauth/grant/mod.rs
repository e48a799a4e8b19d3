//! The grants: a file each.

mod authorization_code;
mod client_credentials;
mod device;
mod interactive;
mod jwt_bearer;
mod loopback;
mod refresh_token;
mod token_exchange;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

pub use authorization_code::AuthorizationCode;
pub use client_credentials::ClientCredentials;
pub use device::DeviceCode;
pub use interactive::{Interactive, Offers, Way};
pub use jwt_bearer::JwtBearer;
pub use refresh_token::RefreshToken;
pub(super) use refresh_token::renew;
pub use token_exchange::TokenExchange;

use crate::oauth::grant_context::{GrantContext, Granted};
use reqwest_challenge::RefreshError;

/// How a first token is had: one of the grants of this module.
pub struct Grant(pub(super) Box<dyn Obtain>);

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Grant").field(&self.0.name()).finish()
    }
}

/// What a grant does.
#[async_trait]
pub(super) trait Obtain: Send + Sync + 'static {
    /// As `grant_type` has it.
    fn name(&self) -> &'static str;

    /// Asks for a token.
    async fn obtain(&self, grant: &GrantContext<'_>) -> Result<Granted, RefreshError>;

    /// Whether a person must act, so that nobody is asked who did not ask for it.
    fn needs_person(&self) -> bool {
        false
    }

    /// Whether there is a person to ask. No server is asked where there is none.
    fn reaches_person(&self) -> bool {
        true
    }

    /// Whether it has a secret that only an issuer of the caller's choice may see.
    fn has_secret(&self) -> bool {
        false
    }

    /// Whether it can be asked again when what it gave is finished.
    fn gives_again(&self) -> bool {
        true
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }
}

macro_rules! grants {
    ($($grant:ty),*) => {$(
        impl From<$grant> for Grant {
            fn from(grant: $grant) -> Self {
                Self(Box::new(grant))
            }
        }
    )*};
}

grants!(AuthorizationCode, ClientCredentials, DeviceCode, Interactive, JwtBearer, RefreshToken, TokenExchange);
