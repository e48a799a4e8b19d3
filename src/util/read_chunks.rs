//! Reads a body up to a limit.

use std::future::Future;

use bytes::Bytes;
use reqwest::Response;

/// Why [`read_chunks`] stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum BodyEnd {
    /// The body ended within the limit.
    Whole,
    /// The body is longer than the limit, and its rest was not read.
    TooLong,
}

/// Reads a body and passes each chunk on, `max_bytes` bytes in total at most. A server that sends an endless body cannot
/// fill the memory of a program that keeps the chunks.
///
/// It does not limit the time. If the future is dropped, the chunks that arrived before have been passed on.
///
/// # Errors
/// Returns the error of reqwest if the connection fails before the body ends, or if the body cannot be decompressed.
///
/// ```
/// use reqwest_challenge::support::{BodyEnd, read_chunks};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> reqwest_challenge::reqwest::Result<()> {
/// let mut response = reqwest_challenge::reqwest::Response::from(http::Response::new("a long text"));
/// let mut beginning = Vec::new();
/// let end = read_chunks(&mut response, 6, |chunk| beginning.extend_from_slice(&chunk)).await?;
/// assert_eq!((beginning.as_slice(), end), (&b"a long"[..], BodyEnd::TooLong));
/// # Ok(())
/// # }
/// ```
#[allow(
    clippy::manual_async_fn,
    reason = "the future of an `async fn` holds each argument twice; see `peak memory` in the benchmark `engine`"
)]
pub fn read_chunks<F: FnMut(Bytes) + Send>(
    response: &mut Response,
    mut max_bytes: usize,
    mut pass_on: F,
) -> impl Future<Output = reqwest::Result<BodyEnd>> + Send {
    async move {
        while let Some(mut chunk) = response.chunk().await? {
            let is_too_long = chunk.len() > max_bytes;
            chunk.truncate(max_bytes);
            // What is left of the limit.
            max_bytes -= chunk.len();
            pass_on(chunk);
            if is_too_long {
                return Ok(BodyEnd::TooLong);
            }
        }
        Ok(BodyEnd::Whole)
    }
}
