//! The logins that have begun: the codes that the provider gave out, and what the user decided.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::message::ReceivedRequest;

/// The logins that have begun.
#[derive(Default)]
pub(super) struct Logins {
    /// The authorization requests by their code. Each code is valid once.
    pub(super) authorizations: HashMap<String, Authorization>,
    /// The device logins by their device code.
    pub(super) devices: HashMap<String, Device>,
    /// How many codes and clients were given out.
    pub(super) count: usize,
    /// Whether the user refuses each login.
    pub(super) refuses: bool,
    /// The `interval` between polls for a device code.
    pub(super) interval: Option<Duration>,
}

/// An authorization request that the user confirmed.
pub(super) struct Authorization {
    pub(super) client: String,
    pub(super) redirect_uri: String,
    pub(super) code_challenge: String,
    pub(super) scopes: Option<Vec<String>>,
    /// The thumbprint of the only key that may get the token (RFC 9449 §10).
    pub(super) key: Option<String>,
}

/// A device authorization request.
pub(super) struct Device {
    pub(super) client: String,
    pub(super) user_code: String,
    pub(super) scopes: Option<Vec<String>>,
    /// What the user decided. `None` if the user has not decided yet.
    pub(super) is_confirmed: Option<bool>,
}

/// What the code of a token request is good for.
pub(super) enum Redeemed {
    /// A token with these scopes, or with all scopes.
    Scopes(Option<Vec<String>>),
    /// Nothing, for the reason that this error code names.
    Refused(&'static str),
    /// The request has no code of this provider. The provider accepts such a grant without a check.
    NotOurs,
}

impl Logins {
    /// Records what the user decided. Returns whether there is such a code.
    pub(super) fn decide(&mut self, user_code: &str, confirms: bool) -> bool {
        let device = self.devices.values_mut().find(|device| device.user_code == user_code);
        device.is_some_and(|device| {
            device.is_confirmed = Some(confirms);
            true
        })
    }

    /// Redeems the code of a token request.
    pub(super) fn redeem(&mut self, request: &ReceivedRequest, grant_type: &str, key: Option<&str>) -> Redeemed {
        if grant_type == "authorization_code" {
            self.redeem_authorization(request, key)
        } else {
            self.redeem_device(request)
        }
    }

    fn redeem_authorization(&mut self, request: &ReceivedRequest, key: Option<&str>) -> Redeemed {
        let code = request.form("code").unwrap_or_default();
        if !code.starts_with("mock-code-") {
            return Redeemed::NotOurs;
        }
        let Some(login) = self.authorizations.remove(&code) else { return Redeemed::Refused("invalid_grant") };
        let verifier = request.form("code_verifier").unwrap_or_default();
        let matches = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == login.code_challenge
            && request.form("redirect_uri") == Some(login.redirect_uri)
            && is_of_client(request, &login.client)
            && login.key.is_none_or(|bound| key == Some(&*bound));
        if matches { Redeemed::Scopes(login.scopes) } else { Redeemed::Refused("invalid_grant") }
    }

    fn redeem_device(&mut self, request: &ReceivedRequest) -> Redeemed {
        let code = request.form("device_code").unwrap_or_default();
        if !code.starts_with("mock-device-") {
            return Redeemed::NotOurs;
        }
        match self.devices.get(&code) {
            Some(device) if !is_of_client(request, &device.client) => Redeemed::Refused("invalid_grant"),
            Some(Device { is_confirmed: None, .. }) => Redeemed::Refused("authorization_pending"),
            Some(Device { is_confirmed: Some(false), .. }) => Redeemed::Refused("access_denied"),
            Some(_) => Redeemed::Scopes(self.devices.remove(&code).and_then(|device| device.scopes)),
            None => Redeemed::Refused("expired_token"),
        }
    }
}

/// Whether the request is of this client, or names no client.
fn is_of_client(request: &ReceivedRequest, client: &str) -> bool {
    request.form("client_id").is_none_or(|id| id == client)
}
