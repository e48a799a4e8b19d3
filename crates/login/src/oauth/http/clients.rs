//! The HTTP clients of a refresher.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::transport::{RefusedUrl, UrlProblem, is_public_address};
use reqwest_challenge::RefreshError;

/// The HTTP clients of one refresher, beside the middleware's.
#[derive(Default)]
pub(in crate::oauth) struct HttpClients {
    /// The caller's client, for all requests.
    pub(in crate::oauth) given: Option<Client>,
    /// Resolves the names of hosts that the caller did not name.
    pub(in crate::oauth) resolver: Option<Arc<dyn Resolve>>,
    /// The client for those hosts. It connects to public addresses only.
    guarded: OnceLock<Client>,
}

impl HttpClients {
    /// The client for hosts that the caller did not name.
    pub(super) fn guarded(&self) -> Result<Client, RefreshError> {
        if let Some(client) = self.guarded.get() {
            return Ok(client.clone());
        }
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // A proxy would resolve the name itself, and the resolved address would not be checked.
            .no_proxy()
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(30))
            .dns_resolver(PublicOnly(self.resolver.clone()))
            .build()
            .map_err(RefreshError::other)?;
        Ok(self.guarded.get_or_init(|| client).clone())
    }
}

/// Resolves names, and fails for a name that leads to an address that is not public.
struct PublicOnly(Option<Arc<dyn Resolve>>);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let inner = self.0.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = match inner {
                Some(inner) => inner.resolve(name).await?.collect(),
                None => tokio::net::lookup_host((name.as_str(), 0)).await?.collect(),
            };
            // One private address is enough to refuse the name: a public host has no reason to list one.
            if found.iter().all(|address| is_public_address(address.ip())) {
                Ok(Box::new(found.into_iter()) as Addrs)
            } else {
                Err(Box::new(RefusedUrl { problem: UrlProblem::PrivateAddress, origin: None }) as _)
            }
        })
    }
}
