//! Digest (RFC 7616), behind [`Password`](crate::Password): a scheme that signs each request with a hash of the password.
//!
//! MD5, SHA-256 and SHA-512/256, their `-sess` variants, `auth` and `auth-int`, hashed user names. A nonce is counted without a
//! repeated value however many requests use it at once; `stale=true`, `nextnonce`, nonces that serve once and nonces that are bound
//! to a URL are answered without asking anybody; a server's `rspauth` is checked.

use super::answer;
use super::hash::Hash;
use std::fmt;

use async_trait::async_trait;
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::Request;
use url::Url;

use super::answer::{Quality, Space, Target};
use super::nonces::{Given, Nonces};
use crate::BoxError;
use crate::challenge::{Challenge, Challenges, DigestAlgorithm, DigestChallenge};
use crate::credential::Secret;
use crate::credential::{Authorize, Observed, ResponseHead};
use crate::origin::Origin;

/// Where a server proves itself, and gives the next nonce (RFC 7615 §3).
const INFO: HeaderName = HeaderName::from_static("authentication-info");

/// Signs requests for one user in one protection space.
pub(crate) struct DigestAuth {
    space: Space,
    nonces: Nonces,
}

impl DigestAuth {
    /// An answer to that challenge; `None` if it cannot be answered: without a realm or a nonce, of an algorithm or a quality that
    /// nobody knows, or in RFC 2069's mode, unless that is allowed.
    pub(crate) fn new(
        challenge: &DigestChallenge<'_>,
        url: &Url,
        (user, password): (&str, Secret),
        legacy: bool,
    ) -> Option<Self> {
        let (hash, sess) = acceptable(challenge, legacy)?;
        let (realm, nonce) = (challenge.realm_octets()?.into_owned(), challenge.nonce()?.into_owned());
        let offered = challenge.qop();
        let offers = |quality: &str| offered.iter().any(|offer| offer.eq_ignore_ascii_case(quality));
        let quality = if offers("auth") {
            Quality::Auth
        } else if offers("auth-int") {
            Quality::AuthInt
        } else {
            Quality::Legacy
        };
        let mut space = Space {
            hash,
            sess,
            quality,
            user: user.to_owned(),
            base: answer::base(hash, user, &realm, &password),
            realm,
            origin: Origin::of(url),
            userhash: challenge.has_userhash(),
            domain: challenge.domain().iter().filter_map(|uri| url.join(uri).ok()).collect(),
        };
        // A domain without the very URL that was refused, as of a server behind another name, says nothing.
        if !space.covers(url) {
            space.domain.clear();
        }
        let opaque = challenge.opaque().map(|opaque| opaque.into_owned());
        Some(Self { space, nonces: Nonces::new(Given { nonce, opaque, uri: Some(&target_of(url)) }) })
    }

    fn is_of_this_space(&self, challenge: &Challenge<'_>) -> bool {
        let same = |digest: DigestChallenge<'_>| {
            acceptable(&digest, self.space.quality == Quality::Legacy) == Some((self.space.hash, self.space.sess))
                && digest.realm_octets().as_deref() == Some(&*self.space.realm)
        };
        challenge.digest().is_some_and(same)
    }

    /// The nonce and the `opaque` of a challenge for this protection space, and whether its only complaint is a stale
    /// nonce.
    fn given<'u>(&self, challenges: &Challenges, uri: Option<&'u str>) -> Option<(Given<'u>, bool)> {
        let ours = challenges.iter().find(|challenge| self.is_of_this_space(challenge))?.digest()?;
        let opaque = ours.opaque().map(|opaque| opaque.into_owned());
        Some((Given { nonce: ours.nonce()?.into_owned(), opaque, uri }, ours.is_stale()))
    }

    /// What to do about a 401 to an answer.
    fn challenged(&self, head: &ResponseHead<'_>) -> Observed {
        let sent = head.sent_header().and_then(Sent::read);
        let Some((given, stale)) = self.given(head.challenges(), sent.as_ref().map(|sent| &*sent.uri)) else {
            return Observed::Nothing;
        };
        let nonce = sent.as_ref().map(|sent| &*sent.nonce);
        if stale {
            self.nonces.stale(given, nonce);
            return Observed::Retry;
        }
        if self.nonces.refused(given, nonce) { Observed::Retry } else { Observed::Nothing }
    }

    /// The target of the URL that answered, if it is in this protection space.
    fn target(&self, head: &ResponseHead<'_>) -> Option<String> {
        self.space.covers(head.url()).then(|| target_of(head.url()))
    }

    /// Whether a 400 refuses an answer that was made for another URL.
    fn check_target(&self, head: &ResponseHead<'_>) -> Result<(), BoxError> {
        let answered = self.target(head).zip(head.sent_header().and_then(Sent::read));
        if answered.is_some_and(|(target, sent)| target != sent.uri) {
            return Err("the request was redirected below the middleware, and a Digest answer is for one URL: put \
                        `FollowRedirects` above it, and give the client `redirect::Policy::none()`, as `hardened` does"
                .into());
        }
        Ok(())
    }

    /// Takes the next nonce over, and checks the server's own proof.
    fn informed(&self, info: &HeaderValue) -> Result<(), BoxError> {
        // The field has parameters as a challenge has, without a scheme before them.
        let read = Challenges::parse([b"Digest ", info.as_bytes()].concat());
        let Some(info) = read.get("Digest") else { return Ok(()) };
        let text = |name| info.param(name).map(|value| value.into_owned());
        if let (Some(proof), Some(client), Some(count)) = (text("rspauth"), text("cnonce"), text("nc")) {
            let Some(asked) = self.nonces.answered(&client, &count) else { return Ok(()) };
            let expected = self.space.proof(&asked);
            // Of `auth-int` the body is part, which is not there yet.
            if expected.is_some_and(|expected| !proof.eq_ignore_ascii_case(&expected)) {
                return Err("the server's own proof (`rspauth`) does not hold: it does not know the password".into());
            }
        }
        if let Some(next) = text("nextnonce") {
            self.nonces.next(next);
        }
        Ok(())
    }
}

/// The hash of a challenge that can be answered, and whether it is the `-sess` variant.
pub(crate) fn acceptable(challenge: &DigestChallenge<'_>, legacy: bool) -> Option<(Hash, bool)> {
    let sess = challenge.is_session();
    let hash = match challenge.algorithm() {
        DigestAlgorithm::Md5 => Hash::Md5,
        DigestAlgorithm::Sha256 => Hash::Sha256,
        DigestAlgorithm::Sha512_256 => Hash::Sha512_256,
        DigestAlgorithm::Other(_) => return None,
    };
    let offered = challenge.qop();
    let known =
        offered.iter().any(|offer| offer.eq_ignore_ascii_case("auth") || offer.eq_ignore_ascii_case("auth-int"));
    let whole = challenge.realm().is_some() && challenge.nonce().is_some();
    (whole && (known || (offered.is_empty() && legacy && !sess))).then_some((hash, sess))
}

#[async_trait]
impl Authorize for DigestAuth {
    fn scheme(&self) -> &str {
        "Digest"
    }

    async fn authorize(&self, request: &mut Request, _now: std::time::SystemTime) -> Result<(), BoxError> {
        if !self.space.covers(request.url()) {
            return Ok(());
        }
        let body = match self.space.quality {
            Quality::AuthInt => {
                let bytes = request.body().map_or(Some(&[][..]), reqwest::Body::as_bytes);
                Some(self.space.hash.of(&[bytes.ok_or("`auth-int` needs a body that can be read before it is sent")?]))
            }
            Quality::Auth | Quality::Legacy => None,
        };
        let uri = target_of(request.url());
        let target = Target { method: request.method().as_str(), uri: &uri, body };
        let used = self.nonces.used(&uri)?;
        let mut value = HeaderValue::try_from(self.space.answer(&target, &used))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok(())
    }

    fn observe(&self, head: &ResponseHead<'_>) -> Result<Observed, BoxError> {
        let status = head.status();
        if status == StatusCode::UNAUTHORIZED && self.challenged(head) == Observed::Retry {
            return Ok(Observed::Retry);
        }
        if status == StatusCode::BAD_REQUEST {
            self.check_target(head)?;
        }
        head.headers().get_all(INFO).iter().try_for_each(|info| self.informed(info))?;
        if (status.is_success() || status.is_redirection())
            && let Some(target) = self.target(head)
        {
            self.nonces.accepted(&target);
        }
        Ok(Observed::Nothing)
    }

    fn learn(&self, head: &ResponseHead<'_>) {
        let target = self.target(head);
        if let Some((given, _)) = self.given(head.challenges(), target.as_deref()) {
            self.nonces.learnt(given);
        }
    }
}

/// The values in an answer that was sent.
struct Sent {
    nonce: String,
    uri: String,
}

impl Sent {
    fn read(value: &HeaderValue) -> Option<Self> {
        let read = Challenges::parse(value.as_bytes());
        let answer = read.get("Digest")?;
        Some(Self { nonce: answer.param("nonce")?.into_owned(), uri: answer.param("uri")?.into_owned() })
    }
}

/// The request target: path and query.
fn target_of(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

impl fmt::Debug for DigestAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestAuth").field("hash", &self.space.hash).finish_non_exhaustive()
    }
}
