//! What is signed by a key, as a server looks at it: proofs (RFC 9449 §4.3), and assertions of a client (RFC 7523 §3).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use crate::answer::Answer;
use crate::arrived::Arrived;
use crate::endpoint::error;
use crate::provider::{Inner, State};
use crate::tokens::{Judgement, Tokens};

/// How far the time of a proof may be from now, in seconds, either way.
const NEAR: u64 = 300;

/// What a proof should be made for.
pub(super) struct Wanted<'w> {
    /// The token that it comes with.
    pub(super) token: Option<&'w str>,
    pub(super) nonce: Option<&'w str>,
}

/// The thumbprint of the key that the request proves to have (RFC 7638), or what is wrong with the proof.
pub(super) fn proven(arrived: &Arrived, wanted: &Wanted<'_>, tokens: &Tokens) -> Result<String, Judgement> {
    let no = |why: &str| Judgement::Unproven(why.to_owned());
    let mut proofs = arrived.headers.get_all("dpop").iter();
    let (Some(proof), None) = (proofs.next().and_then(|proof| proof.to_str().ok()), proofs.next()) else {
        return Err(no("there is not one proof"));
    };
    let header = part(proof, 0).ok_or_else(|| no("the proof is no JWT"))?;
    let jwk = &header["jwk"];
    if header["typ"] != "dpop+jwt" || header["alg"] != "ES256" || !jwk["d"].is_null() {
        return Err(no("the proof is of another type or algorithm, or shows its private key"));
    }
    let claims = signed_by(proof, jwk).ok_or_else(|| no("the signature of the proof does not hold"))?;
    if claims["htm"] != arrived.method().as_str() || !is_target(&claims["htu"], arrived.url()) {
        return Err(no("the proof is for another request"));
    }
    if let Some(nonce) = wanted.nonce.filter(|nonce| claims["nonce"] != *nonce) {
        return Err(Judgement::WantsNonce(nonce.to_owned()));
    }
    if claims["iat"].as_u64().is_none_or(|time| time.abs_diff(tokens.seconds()) > NEAR) {
        return Err(no("the proof was made at another time"));
    }
    if wanted.token.is_some_and(|token| claims["ath"] != hashed(token.as_bytes())) {
        return Err(no("the proof is for another token"));
    }
    if !tokens.is_first(&claims["jti"]) {
        return Err(no("the proof came before, or has no `jti`"));
    }
    thumbprint(jwk).ok_or_else(|| no("the proof shows no key"))
}

/// Whether a client proves by its key that it is the one, to that issuer (RFC 7523 §3).
pub(super) fn is_client(arrived: &Arrived, id: &str, jwk: &Value, tokens: &Tokens) -> bool {
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let assertion = arrived.form("client_assertion").unwrap_or_default();
    let Some(claims) = signed_by(&assertion, jwk) else { return false };
    let issuer = arrived.url().origin().ascii_serialization();
    let is_for = |audience: &Value| *audience == *issuer || *audience == *format!("{issuer}/token");
    arrived.form("client_assertion_type").as_deref() == Some(kind)
        && claims["iss"] == id
        && claims["sub"] == id
        && (is_for(&claims["aud"]) || claims["aud"].as_array().is_some_and(|all| all.iter().any(is_for)))
        && claims["exp"].as_u64().is_some_and(|end| end > tokens.seconds())
        && tokens.is_first(&claims["jti"])
}

impl State {
    /// The key that a token request proves to have, if it proves any (RFC 9449 §5).
    pub(super) fn key_of(&self, inner: &Inner, arrived: &Arrived) -> Result<Option<String>, Box<Answer>> {
        if !arrived.headers().contains_key("dpop") {
            return Ok(None);
        }
        let wanted = Wanted { token: None, nonce: inner.nonce.as_deref() };
        proven(arrived, &wanted, &self.tokens).map(Some).map_err(|fault| {
            Box::new(match fault {
                Judgement::WantsNonce(nonce) => error(400, "use_dpop_nonce").header("dpop-nonce", nonce),
                _ => error(400, "invalid_dpop_proof"),
            })
        })
    }

    /// Binds a token to the key, and gives its type.
    pub(super) fn bind(&self, token: &str, key: Option<String>) -> &'static str {
        let Some(key) = key else { return "Bearer" };
        self.tokens.bind(token, &key);
        "DPoP"
    }
}

/// The claims of a JWT that this key signed by ES256.
fn signed_by(jwt: &str, jwk: &Value) -> Option<Value> {
    let (signed, signature) = jwt.rsplit_once('.')?;
    let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    if part(jwt, 0)?["alg"] != "ES256" || jwk["kty"] != "EC" || jwk["crv"] != "P-256" {
        return None;
    }
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok();
    // The tag of a point whose two coordinates follow.
    let point = [vec![4], coordinate("x")?, coordinate("y")?].concat();
    VerifyingKey::from_sec1_bytes(&point).ok()?.verify(signed.as_bytes(), &signature).ok()?;
    part(jwt, 1)
}

/// The header of a JWT, which is its part 0, or the claims.
fn part(jwt: &str, number: usize) -> Option<Value> {
    let octets = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(number)?).ok()?;
    serde_json::from_slice(&octets).ok()
}

/// Whether that is the URL, without its query and fragment.
fn is_target(said: &Value, url: &Url) -> bool {
    let Some(mut said) = said.as_str().and_then(|text| Url::parse(text).ok()) else { return false };
    let mut url = url.clone();
    for url in [&mut said, &mut url] {
        url.set_query(None);
        url.set_fragment(None);
    }
    said == url
}

/// The hash of the members that such a key has, in the order of their names (RFC 7638 §3.2).
fn thumbprint(jwk: &Value) -> Option<String> {
    let [x, y] = [jwk["x"].as_str()?, jwk["y"].as_str()?];
    Some(hashed(format!("{{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"{x}\",\"y\":\"{y}\"}}").as_bytes()))
}

fn hashed(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(octets))
}
