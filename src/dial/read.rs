//! Reads an answer that may have secrets in it.

use reqwest::Response;
use zeroize::Zeroizing;

/// How much of an answer is read: tokens and metadata have some kilobytes.
const LONGEST: usize = 1 << 20;

/// The body, in memory that is wiped; `Ok(None)` is one that has more than 1 MiB.
///
/// # Errors
/// The network's.
pub(crate) async fn read(response: &mut Response) -> reqwest::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LONGEST {
            return Ok(None);
        }
        grow(&mut body, chunk.len());
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Makes room without leaving a copy behind.
fn grow(body: &mut Zeroizing<Vec<u8>>, more: usize) {
    if body.capacity() - body.len() < more {
        let mut larger = Zeroizing::new(Vec::with_capacity((2 * body.capacity()).max(body.len() + more).max(4 << 10)));
        larger.extend_from_slice(body);
        *body = larger;
    }
}
