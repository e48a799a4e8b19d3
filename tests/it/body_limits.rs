//! `read_chunks` passes on at most as many bytes as its limit, and says whether the body ended.

use bytes::Bytes;
use reqwest_challenge::support::{BodyEnd, read_chunks};

use crate::support::faults::{FAULTS, failing};

/// A response whose body arrives in these chunks.
fn chunks(parts: &[&'static str]) -> reqwest::Response {
    struct Chunks(Vec<&'static str>);
    impl http_body::Body for Chunks {
        type Data = Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Ready(self.0.pop().map(|part| Ok(http_body::Frame::data(part.into()))))
        }
    }
    let body = reqwest::Body::wrap(Chunks(parts.iter().rev().copied().collect()));
    reqwest::Response::from(http::Response::new(body))
}

#[tokio::test]
async fn the_limit_is_exact_whatever_the_chunks_are() {
    for (parts, limit, wanted, end) in [
        (&[][..], 0, "", BodyEnd::Whole),
        (&[], 5, "", BodyEnd::Whole),
        (&["abc", "de"], 6, "abcde", BodyEnd::Whole),
        (&["abc", "de"], 5, "abcde", BodyEnd::Whole),
        (&["abc", "de", ""], 5, "abcde", BodyEnd::Whole),
        (&["abc", "de"], 4, "abcd", BodyEnd::TooLong),
        (&["abc", "de", "f"], 3, "abc", BodyEnd::TooLong),
        (&["abc"], 0, "", BodyEnd::TooLong),
        (&["abc"], usize::MAX, "abc", BodyEnd::Whole),
    ] {
        let mut seen = Vec::new();
        let read = read_chunks(&mut chunks(parts), limit, |chunk| seen.extend_from_slice(&chunk)).await;
        assert_eq!((read.unwrap(), seen.as_slice()), (end, wanted.as_bytes()), "{parts:?} {limit}");
    }
}

#[tokio::test]
async fn a_connection_that_fails_is_an_error_after_the_chunks_that_arrived() {
    let http = reqwest::Client::builder().timeout(std::time::Duration::from_millis(300)).build().unwrap();
    for fault in FAULTS {
        let mut response = http.get(failing(fault).await).send().await.unwrap();
        read_chunks(&mut response, 1 << 20, drop).await.expect_err("the body is truncated");
    }
}
