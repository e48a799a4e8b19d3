//! Tokens: how they arrive, and what is remembered about them.
//!
//! A [`TokenResponse`] is read from the response of the token endpoint and becomes a credential. Its refresh token does not
//! go into the credential itself but into the [`Attachment`], together with the issuer and the client. For renewals,
//! [`Rotation`] remembers which refresh token replaced another, and [`RefusedTokens`] remembers which ones the server
//! refused.

mod token_response;
mod attachment;
mod rotation;
mod refused_tokens;

pub(super) use attachment::Attachment;
pub(super) use refused_tokens::{MetClaims, RefusedTokens};
pub(super) use rotation::Rotation;
pub(super) use token_response::TokenResponse;
