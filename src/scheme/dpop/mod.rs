//! DPoP (RFC 9449), with the feature `dpop`: a token that is bound to a key, and a proof of the key on each request.
//!
//! A [`ProofKey`] signs. [`Dpop`] makes a proof for each send from the method, the URL, the time and the last nonce of the
//! server, and puts it into the `DPoP` field. It learns the nonces from every response. [`Dpop::credential`] binds a token
//! to the key. [`sign_jws`] signs other statements with such a key.
//!
//! The second send of a call has a new proof. After a 401 with `use_dpop_nonce`, the call is sent again without a
//! refresh. When a redirect leads to another server, reqwest does not remove the `DPoP` field, and a proof is for one URL.
//! Send such a credential with a [`hardened`](crate::hardened) client, which makes a proof for each hop.
//!
//! If an API wants a nonce and sends none with its first 401, the first call of a session needs three sends: without a
//! token, without a nonce, with both. A call makes at most two, so that first call fails and the next one succeeds. To avoid
//! this, call [`login`](crate::Session::login) first.
//!
//! ```
//! use reqwest_challenge::dpop::{Dpop, Es256Key};
//! use reqwest_challenge::{BoxError, Credential, RefreshContext};
//!
//! # fn refresher() -> Result<(), BoxError> {
//! let dpop = Dpop::new(Es256Key::generate()?);
//! let log_in = move |context: RefreshContext| {
//!     let dpop = dpop.clone();
//!     async move {
//!         let client = context.http_client()?;
//!         let mut request = client.post("https://auth.example.com/token").body("grant_type=…").build()?;
//!         dpop.prove(&mut request, context.server_now()).await?;
//!         let response = client.execute(request).await?;
//!         dpop.learn(response.url(), response.headers());
//!         // The members `access_token` and `token_type` of the response's body.
//!         let (token, token_type) = ("t1", "DPoP");
//!         Ok::<Credential, BoxError>(dpop.credential(token, token_type)?)
//!     }
//! };
//! # let _ = log_in; Ok(()) }
//! ```

mod dpop;
mod jws;
mod key;
mod nonces;
mod proof;

pub use dpop::{Dpop, NotBound};
pub use jws::sign_jws;
pub use key::{Es256Key, ProofKey};
