//! The scheme: signs requests, and learns from responses.

use std::fmt;
use std::sync::OnceLock;
use std::time::SystemTime;

use async_trait::async_trait;
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::Request;
use url::{Position, Url};

use super::answer::{self, ProtectionSpace, Qop, SignedParts};
use super::hash::{Hash, Hex};
use super::nonces::{ChallengeNonce, NonceUse, Nonces};
use crate::BoxError;
use crate::challenge::{Challenge, Challenges, DigestAlgorithm, DigestChallenge};
use crate::credential::{Authorize, Observed, ResponseHead, Secret};
use crate::origin::Origin;

/// The field with the server's proof and the next nonce (RFC 7615 §3).
const AUTHENTICATION_INFO: HeaderName = HeaderName::from_static("authentication-info");

/// Signs requests for one user in one protection space.
pub(crate) struct DigestAuth {
    space: ProtectionSpace,
    nonces: Nonces,
}

impl DigestAuth {
    /// Returns the signer for a challenge. Returns `None` if the challenge cannot be answered: the realm or the nonce is
    /// missing, the algorithm or the `qop` is not known, or it has no `qop` and `allows_rfc_2069` is not set.
    pub(crate) fn new(
        challenge: &DigestChallenge<'_>,
        url: &Url,
        user: &str,
        password: &Secret,
        allows_rfc_2069: bool,
    ) -> Option<Self> {
        let (hash, is_sess) = acceptable(challenge, allows_rfc_2069)?;
        let (realm, nonce) = (challenge.realm_octets()?.into_owned(), challenge.nonce()?.into_owned());
        let offered = challenge.qop();
        let offers = |qop: &str| offered.iter().any(|offer| offer.eq_ignore_ascii_case(qop));
        let qop = if offers("auth") {
            Qop::Auth
        } else if offers("auth-int") {
            Qop::AuthInt
        } else {
            Qop::None
        };
        let mut space = ProtectionSpace {
            hash,
            is_sess,
            qop,
            user: user.to_owned(),
            base: answer::base(hash, user, &realm, password),
            beginning: OnceLock::new(),
            realm,
            origin: Origin::of(url),
            has_userhash: challenge.has_userhash(),
            domain: challenge.domain().iter().filter_map(|uri| url.join(uri).ok()).collect(),
        };
        // A server behind another name may send a domain that does not contain the refused URL. Such a domain is ignored.
        if !space.covers(url) {
            space.domain.clear();
        }
        let opaque = challenge.opaque().map(|opaque| opaque.into_owned());
        Some(Self { space, nonces: Nonces::new(ChallengeNonce { nonce, opaque, uri: Some(target_of(url)) }) })
    }

    fn is_of_this_space(&self, challenge: &Challenge<'_>) -> bool {
        let same = |digest: DigestChallenge<'_>| {
            acceptable(&digest, self.space.qop == Qop::None) == Some((self.space.hash, self.space.is_sess))
                && digest.realm_octets().as_deref() == Some(&*self.space.realm)
        };
        challenge.digest().is_some_and(same)
    }

    /// The nonce of a challenge for this protection space, and whether the challenge says that only the nonce was stale.
    fn challenge_nonce<'u>(&self, challenges: &Challenges, uri: Option<&'u str>) -> Option<(ChallengeNonce<'u>, bool)> {
        let ours = challenges.iter().find(|challenge| self.is_of_this_space(challenge))?.digest()?;
        let opaque = ours.opaque().map(|opaque| opaque.into_owned());
        Some((ChallengeNonce { nonce: ours.nonce()?.into_owned(), opaque, uri }, ours.is_stale()))
    }

    /// Learns from a 401. Returns whether another nonce may help.
    fn observe_401(&self, head: &ResponseHead<'_>) -> Observed {
        let sent = head.sent_header().and_then(Sent::read);
        let Some((given, is_stale)) = self.challenge_nonce(head.challenges(), sent.as_ref().map(|sent| &*sent.uri))
        else {
            return Observed::Nothing;
        };
        let nonce = sent.as_ref().map(|sent| &*sent.nonce);
        if is_stale {
            self.nonces.replace_stale(given, nonce);
            return Observed::Retry;
        }
        if self.nonces.replace_refused(given, nonce) { Observed::Retry } else { Observed::Nothing }
    }

    /// The target of the URL that answered, if it is in this protection space.
    fn target<'u>(&self, head: &'u ResponseHead<'_>) -> Option<&'u str> {
        self.space.covers(head.url()).then(|| target_of(head.url()))
    }

    /// Checks whether a 400 refuses an answer that was made for another URL.
    ///
    /// # Errors
    /// Returns an error if the request was redirected below the middleware.
    fn check_target(&self, head: &ResponseHead<'_>) -> Result<(), BoxError> {
        let answered = self.target(head).zip(head.sent_header().and_then(Sent::read));
        if answered.is_some_and(|(target, sent)| target != sent.uri) {
            return Err("the request was redirected below the middleware, and a Digest answer is for one URL: put \
                        `FollowRedirects` above it, and give the client `redirect::Policy::none()`, as `hardened` does"
                .into());
        }
        Ok(())
    }

    /// Checks the server's proof, and takes over the next nonce.
    ///
    /// # Errors
    /// Returns an error if the proof is wrong.
    fn read_info(&self, info: &HeaderValue, head: &ResponseHead<'_>) -> Result<(), BoxError> {
        // `Authentication-Info` has parameters like a challenge, but no scheme before them.
        let read = Challenges::parse([b"Digest ", info.as_bytes()].concat());
        let Some(info) = read.get("Digest") else { return Ok(()) };
        let text = |name| info.param(name).map(|value| value.into_owned());
        if let (Some(proof), Some(client), Some(count)) = (text("rspauth"), text("cnonce"), text("nc")) {
            // With `auth-int` the proof depends on the body, which has not arrived yet.
            let expected = self.expected_proof(head, &client, &count);
            if expected.is_some_and(|expected| !proof.as_bytes().eq_ignore_ascii_case(expected.as_bytes())) {
                return Err(
                    "the server's own proof (`rspauth`) is wrong, so the server does not know the password".into()
                );
            }
        }
        if let Some(next) = text("nextnonce") {
            self.nonces.add_next(next);
        }
        Ok(())
    }

    /// The right proof for the answer in the request, if the proof is about this answer: its nonce of the client and its
    /// count.
    fn expected_proof(&self, head: &ResponseHead<'_>, client: &str, count: &str) -> Option<Hex> {
        let read = Challenges::parse(head.sent_header()?.as_bytes());
        let answer = read.get("Digest")?;
        let (nonce, uri) = (answer.param("nonce")?, answer.param("uri")?);
        let is_of_answer = answer.param("cnonce")? == client && answer.param("nc")?.eq_ignore_ascii_case(count);
        let used = NonceUse {
            session: self.nonces.session_of(&nonce)?,
            nonce: (*nonce).into(),
            client: client.into(),
            count: Hex::of(&u32::from_str_radix(count, 16).ok()?.to_be_bytes()),
            opaque: None,
        };
        is_of_answer.then(|| self.space.proof(&used, &uri)).flatten()
    }
}

/// The hash of a challenge that can be answered, and whether it is the `-sess` variant. `None` if the challenge cannot be
/// answered.
pub(crate) fn acceptable(challenge: &DigestChallenge<'_>, allows_rfc_2069: bool) -> Option<(Hash, bool)> {
    let is_sess = challenge.is_session();
    let hash = match challenge.algorithm() {
        DigestAlgorithm::Md5 => Hash::Md5,
        DigestAlgorithm::Sha256 => Hash::Sha256,
        DigestAlgorithm::Sha512_256 => Hash::Sha512_256,
        DigestAlgorithm::Other(_) => return None,
    };
    let offered = challenge.qop();
    let is_known = |offer: &str| offer.eq_ignore_ascii_case("auth") || offer.eq_ignore_ascii_case("auth-int");
    let is_rfc_2069 = offered.is_empty() && !is_sess;
    let is_complete = challenge.realm().is_some() && challenge.nonce().is_some();
    let has_mode = offered.iter().any(|offer| is_known(offer)) || (is_rfc_2069 && allows_rfc_2069);
    (is_complete && has_mode).then_some((hash, is_sess))
}

#[async_trait]
impl Authorize for DigestAuth {
    fn scheme(&self) -> &str {
        "Digest"
    }

    async fn authorize(&self, request: &mut Request, _now: SystemTime) -> Result<(), BoxError> {
        if !self.space.covers(request.url()) {
            return Ok(());
        }
        let body = match self.space.qop {
            Qop::AuthInt => {
                let bytes = request.body().map_or(Some(&[][..]), reqwest::Body::as_bytes);
                Some(
                    self.space.hash.of(bytes.ok_or("`auth-int` needs a body that can be read before it is sent")?, &[]),
                )
            }
            Qop::Auth | Qop::None => None,
        };
        let uri = target_of(request.url());
        let parts = SignedParts { method: request.method().as_str(), uri, body };
        let used = self.nonces.use_one(uri)?;
        let mut value = HeaderValue::try_from(self.space.answer(&parts, &used))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok(())
    }

    fn observe(&self, head: &ResponseHead<'_>) -> Result<Observed, BoxError> {
        let status = head.status();
        if status == StatusCode::UNAUTHORIZED && self.observe_401(head) == Observed::Retry {
            return Ok(Observed::Retry);
        }
        if status == StatusCode::BAD_REQUEST {
            self.check_target(head)?;
        }
        head.headers().get_all(AUTHENTICATION_INFO).iter().try_for_each(|info| self.read_info(info, head))?;
        if (status.is_success() || status.is_redirection())
            && let Some(target) = self.target(head)
        {
            self.nonces.record_accepted(target);
        }
        Ok(Observed::Nothing)
    }

    fn learn(&self, head: &ResponseHead<'_>) {
        let target = self.target(head);
        if let Some((given, _)) = self.challenge_nonce(head.challenges(), target) {
            self.nonces.add_earlier(given);
        }
    }
}

/// The values of an answer that was sent.
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
fn target_of(url: &Url) -> &str {
    &url[Position::BeforePath..Position::AfterQuery]
}

impl fmt::Debug for DigestAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestAuth").field("hash", &self.space.hash).finish_non_exhaustive()
    }
}
