//! Checks what a client signed with a key: DPoP proofs (RFC 9449 §4.3) and client assertions (RFC 7523 §3).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use super::judgement::Judgement;
use super::tokens::Tokens;
use crate::message::ReceivedRequest;

/// The largest difference between the `iat` of a proof and the clock, in seconds.
const MAX_CLOCK_DIFFERENCE: u64 = 300;

/// What a proof must be made for, besides the request.
pub(crate) struct ProofTarget<'t> {
    /// The access token that the request presents.
    pub(crate) token: Option<&'t str>,
    /// The nonce that the server requires.
    pub(crate) nonce: Option<&'t str>,
}

/// The thumbprint of the key that the request proves to have (RFC 7638). The error says why the proof is invalid.
pub(crate) fn proven_key(
    request: &ReceivedRequest,
    target: &ProofTarget<'_>,
    tokens: &Tokens,
) -> Result<String, Judgement> {
    let invalid = |why: &str| Judgement::InvalidProof(why.to_owned());
    let mut proofs = request.headers.get_all("dpop").iter();
    let (Some(proof), None) = (proofs.next().and_then(|proof| proof.to_str().ok()), proofs.next()) else {
        return Err(invalid("the request does not have exactly one proof"));
    };
    let header = part(proof, 0).ok_or_else(|| invalid("the proof is not a JWT"))?;
    let jwk = &header["jwk"];
    if header["typ"] != "dpop+jwt" || header["alg"] != "ES256" || !jwk["d"].is_null() {
        return Err(invalid("the proof has another type or algorithm, or contains the private key"));
    }
    let claims = claims_signed_by(proof, jwk).ok_or_else(|| invalid("the signature of the proof is invalid"))?;
    if claims["htm"] != request.method().as_str() || !is_same_target(&claims["htu"], request.url()) {
        return Err(invalid("the proof is for another request"));
    }
    if let Some(nonce) = target.nonce.filter(|nonce| claims["nonce"] != *nonce) {
        return Err(Judgement::NonceRequired(nonce.to_owned()));
    }
    if claims["iat"].as_u64().is_none_or(|time| time.abs_diff(tokens.seconds()) > MAX_CLOCK_DIFFERENCE) {
        return Err(invalid("the proof was made at another time"));
    }
    if target.token.is_some_and(|token| claims["ath"] != hash(token.as_bytes())) {
        return Err(invalid("the proof is for another token"));
    }
    if !tokens.is_first_use(&claims["jti"]) {
        return Err(invalid("the proof was used before, or has no `jti`"));
    }
    thumbprint(jwk).ok_or_else(|| invalid("the proof contains no key"))
}

/// Whether the request has an assertion that this client signed for this provider (RFC 7523 §3).
pub(crate) fn is_signed_client(request: &ReceivedRequest, id: &str, jwk: &Value, tokens: &Tokens) -> bool {
    const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let assertion = request.form("client_assertion").unwrap_or_default();
    let Some(claims) = claims_signed_by(&assertion, jwk) else { return false };
    let issuer = request.url().origin().ascii_serialization();
    let is_audience = |audience: &Value| *audience == *issuer || *audience == *format!("{issuer}/token");
    request.form("client_assertion_type").as_deref() == Some(ASSERTION_TYPE)
        && claims["iss"] == id
        && claims["sub"] == id
        && (is_audience(&claims["aud"]) || claims["aud"].as_array().is_some_and(|all| all.iter().any(is_audience)))
        && claims["exp"].as_u64().is_some_and(|end| end > tokens.seconds())
        && tokens.is_first_use(&claims["jti"])
}

/// The claims of a JWT that this key signed with ES256.
fn claims_signed_by(jwt: &str, jwk: &Value) -> Option<Value> {
    let (signed, signature) = jwt.rsplit_once('.')?;
    let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    if part(jwt, 0)?["alg"] != "ES256" || jwk["kty"] != "EC" || jwk["crv"] != "P-256" {
        return None;
    }
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok();
    // The tag 4 means that both coordinates follow.
    let point = [vec![4], coordinate("x")?, coordinate("y")?].concat();
    VerifyingKey::from_sec1_bytes(&point).ok()?.verify(signed.as_bytes(), &signature).ok()?;
    part(jwt, 1)
}

/// The JSON of one part of a JWT: 0 is the header, 1 are the claims.
fn part(jwt: &str, number: usize) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(number)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Whether the `htu` is the URL, both without query and fragment.
fn is_same_target(htu: &Value, url: &Url) -> bool {
    let Some(mut htu) = htu.as_str().and_then(|text| Url::parse(text).ok()) else { return false };
    let mut url = url.clone();
    for url in [&mut htu, &mut url] {
        url.set_query(None);
        url.set_fragment(None);
    }
    htu == url
}

/// The hash of the required members of the key, in the order of their names (RFC 7638 §3.2).
fn thumbprint(jwk: &Value) -> Option<String> {
    let [x, y] = [jwk["x"].as_str()?, jwk["y"].as_str()?];
    Some(hash(format!("{{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"{x}\",\"y\":\"{y}\"}}").as_bytes()))
}

fn hash(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(bytes))
}
