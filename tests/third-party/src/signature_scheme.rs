//! A scheme that signs requests with a key that client and server share.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use reqwest_challenge::reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest_challenge::reqwest::{Body, Request, StatusCode};
use reqwest_challenge::{Authorize, BoxError, Credential, Observed, ResponseHead, Secret, async_trait};
use sha2::{Digest, Sha256};

/// The name of the scheme.
pub const SCHEME: &str = "Signature";
/// The header that the scheme sets.
static HEADER: HeaderName = AUTHORIZATION;
/// By how many seconds the clock of the client may be corrected.
const MAX_SKEW: i64 = 24 * 60 * 60;

/// Signs the method, the path, the digest of the body and the time of a request.
///
/// A server whose clock differs answers 401 with `Signature error="skewed", time="SECONDS"`. The scheme then signs
/// with the time of the server, and the request is sent once more.
///
/// ```
/// use reqwest_challenge::{ChallengeMiddleware, Credential, Secret};
/// use third_party::signature_scheme::SignatureScheme;
///
/// # fn main() -> Result<(), reqwest_challenge::BoxError> {
/// let credential = Credential::custom(SignatureScheme::new("key-1", Secret::new("s3cret"))?);
/// let auth = ChallengeMiddleware::new("https://api.example.com", credential)?;
/// # Ok(())
/// # }
/// ```
pub struct SignatureScheme {
    key_id: String,
    key: Secret,
    /// By how many seconds the server's clock is ahead.
    skew: AtomicI64,
}

impl SignatureScheme {
    /// Signs with that key.
    ///
    /// # Errors
    ///
    /// If `key_id` is empty, or has a character other than ASCII letters, digits, `-` and `_`.
    pub fn new(key_id: impl Into<String>, key: Secret) -> Result<Self, BoxError> {
        let key_id = key_id.into();
        let is_allowed = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
        if key_id.is_empty() || !key_id.bytes().all(is_allowed) {
            return Err("a key identifier is one word of letters, digits, `-` and `_`".into());
        }
        Ok(Self { key_id, key, skew: AtomicI64::new(0) })
    }

    /// Makes the credential of an exported text again, for a store.
    pub fn restore(scheme: &str, exported: Secret) -> Option<Credential> {
        let (key_id, key) = exported.expose().split_once(':').filter(|_parts| scheme == SCHEME)?;
        Self::new(key_id, Secret::new(key)).ok().map(Credential::custom)
    }

    /// The value of `Authorization` for a request, for a server that checks one.
    ///
    /// # Errors
    ///
    /// If the key cannot be used.
    pub fn value(&self, method: &str, target: &str, body: &[u8], time: i64) -> Result<String, BoxError> {
        let digest = crate::hex(&Sha256::digest(body));
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose().as_bytes())?;
        mac.update(format!("{method}\n{target}\n{digest}\n{time}").as_bytes());
        let signature = crate::hex(&mac.finalize().into_bytes());
        Ok(format!("{SCHEME} key=\"{}\", time=\"{time}\", signature=\"{signature}\"", self.key_id))
    }
}

#[async_trait]
impl Authorize for SignatureScheme {
    fn scheme(&self) -> &str {
        SCHEME
    }

    async fn authorize(&self, request: &mut Request, now: SystemTime) -> Result<(), BoxError> {
        let body = request.body().map_or(Some(&b""[..]), Body::as_bytes).ok_or("a stream cannot be signed")?;
        let url = request.url();
        let target = url.query().map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let time = seconds(now)? + self.skew.load(Ordering::Relaxed);
        let mut value = HeaderValue::try_from(self.value(request.method().as_str(), &target, body, time)?)?;
        value.set_sensitive(true);
        request.headers_mut().insert(&HEADER, value);
        Ok(())
    }

    fn header_name(&self) -> Option<&HeaderName> {
        Some(&HEADER)
    }

    fn export(&self) -> Option<Secret> {
        Some(Secret::new(format!("{}:{}", self.key_id, self.key.expose())))
    }

    fn observe(&self, head: &ResponseHead<'_>) -> Result<Observed, BoxError> {
        let challenge = head.challenges().get(SCHEME).filter(|_challenge| head.status() == StatusCode::UNAUTHORIZED);
        let Some(challenge) = challenge.filter(|challenge| challenge.param("error").as_deref() == Some("skewed"))
        else {
            return Ok(Observed::Nothing);
        };
        let time: i64 = challenge.param("time").ok_or("the server does not say its time")?.parse()?;
        let skew = time.saturating_sub(seconds(head.now())?);
        if skew.saturating_abs() > MAX_SKEW {
            return Err("the clock of the server differs by more than a day".into());
        }
        self.skew.store(skew, Ordering::Relaxed);
        Ok(Observed::Retry)
    }
}

/// The time in seconds since 1970.
fn seconds(time: SystemTime) -> Result<i64, BoxError> {
    Ok(i64::try_from(time.duration_since(SystemTime::UNIX_EPOCH)?.as_secs())?)
}
