//! The grants. Each grant is one file. A grant of another crate implements the same trait.
//!
//! [`Grant`] is the trait. `OAuth` finds the authorization server, puts what is known into a [`GrantContext`], and calls
//! [`Grant::obtain`]. A machine grant adds its parameters to a [`TokenRequest`] and sends it. A user's grant first shows an
//! [`AuthorizationPrompt`] and waits: the authorization code grant for a request to its loopback port, the device grant by
//! polling the token endpoint. Either way the result is an [`IssuedToken`].

mod grant_context;
mod demanded;
mod issued_token;
mod token_request;
mod grant;
mod prompt;
mod loopback;
mod authorization_code;
mod device;
mod interactive;
mod client_credentials;
mod jwt_bearer;
mod token_exchange;
mod refresh_token;

pub use authorization_code::AuthorizationCode;
pub use client_credentials::ClientCredentials;
pub use device::DeviceCode;
pub use grant::Grant;
pub use grant_context::GrantContext;
pub use interactive::{Interactive, LoginMethod, LoginMethods};
pub use issued_token::IssuedToken;
pub use jwt_bearer::JwtBearer;
pub use prompt::AuthorizationPrompt;
pub use refresh_token::RefreshToken;
pub(super) use refresh_token::renew;
pub use token_exchange::TokenExchange;
pub use token_request::TokenRequest;
