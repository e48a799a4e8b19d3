//! The parser does not panic with any bytes, as one line or as several, and neither does any method of the result.
#![no_main]

use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use libfuzzer_sys::fuzz_target;
use reqwest_challenge::Challenges;

fuzz_target!(|data: &[u8]| {
    call_all(&Challenges::parse(data));
    let lines: Vec<&[u8]> = data.split(|&byte| byte == b'\n').collect();
    call_all(&Challenges::parse_lines(&lines));
    let mut headers = HeaderMap::new();
    for value in lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok()) {
        headers.append(WWW_AUTHENTICATE, value);
    }
    call_all(&Challenges::from_headers(&headers));
});

/// Calls each method of the result.
fn call_all(read: &Challenges) {
    assert_eq!(read.is_strict(), read.defects().len() == 0);
    let _ = format!("{read} {read:?}");
    for defect in read.defects() {
        assert!(defect.mark().to_string().lines().all(|line| line.len() <= 61));
        let _ = (defect.to_string(), defect.kind().section());
    }
    for challenge in read {
        assert!(challenge.to_string().chars().all(|shown| shown == '\t' || !shown.is_control()));
        for param in challenge.params() {
            assert!(param.is_broken() || challenge.param(param.name()).is_some());
        }
        if let Some(bearer) = challenge.bearer() {
            let _ = (bearer.error(), bearer.scopes(), bearer.max_age(), bearer.decoded_claims(), bearer.acr_values());
        }
        if let Some(digest) = challenge.digest() {
            let _ = (digest.algorithm(), digest.is_session(), digest.qop(), digest.domain(), digest.is_stale());
        }
        let _ = (challenge.registry().map(|registry| registry.scopes()), challenge.dpop().map(|dpop| dpop.algs()));
    }
}
