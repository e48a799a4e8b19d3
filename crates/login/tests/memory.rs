//! A store leaves no secret in freed memory. This is a separate binary, because its allocator serves the whole process.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "store")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use async_trait::async_trait;
use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, Refresh, RefreshContext, RefreshReason, Secret};
use reqwest_challenge_login::store::{Key, MemoryStore, Stored};
use reqwest_middleware::{ClientBuilder, Middleware, Next};

const MARKER: &[u8] = b"hunter2-hunter2-hunter2";

thread_local! {
    static LEFT_BEHIND: Cell<usize> = const { Cell::new(0) };
}

struct Watching;

// SAFETY: each call is passed on to the system's allocator. A block is read, within its layout, before it is freed.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract. The block is zeroed, so `dealloc` reads nothing uninitialised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `alloc` made the block with this layout and zeroed it.
        let octets = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        if octets.windows(MARKER.len()).any(|window| window == MARKER) {
            LEFT_BEHIND.with(|count| count.set(count.get() + 1));
        }
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static WATCHING: Watching = Watching;

/// How many blocks that the work freed on this thread still contained the marker.
fn left_behind(work: impl FnOnce()) -> usize {
    let before = LEFT_BEHIND.with(Cell::get);
    work();
    LEFT_BEHIND.with(Cell::get) - before
}

fn marker() -> String {
    String::from_utf8(MARKER.to_vec()).unwrap()
}

/// Answers 401 to a request without a credential.
struct Server;

#[async_trait]
impl Middleware for Server {
    async fn handle(
        &self,
        request: reqwest::Request,
        _: &mut http::Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let status = if request.headers().contains_key("authorization") { 200 } else { 401 };
        let response = http::Response::builder().status(status).extension(reqwest_challenge::MockResponse);
        Ok(response.body("").unwrap().into())
    }
}

#[test]
fn the_allocator_finds_a_secret_that_is_not_wiped() {
    assert_eq!(left_behind(|| drop(marker())), 1);
    assert_eq!(left_behind(|| drop(Secret::new(marker()))), 0);
}

/// The store writes and reads a credential in memory that is wiped. The attachment is not tested: the JSON parser copies
/// it while it decodes escapes.
#[test]
fn storing_a_credential_leaves_no_secret_in_freed_memory() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let count = left_behind(|| {
        let token = |_: RefreshContext| async { Ok::<_, BoxError>(Credential::bearer(marker())) };
        let (key, url) = (Key::new("https://auth.example.com"), "https://api.example.com/");
        let context = |reason| RefreshContext::builder(url).reason(reason).build().unwrap();
        let stored = Arc::new(Stored::new(token, MemoryStore::new(), key));
        let auth = ChallengeMiddleware::new("https://api.example.com", stored.clone()).unwrap();
        let client = ClientBuilder::new(reqwest::Client::new()).with(auth).with(Server).build();
        let response = runtime.block_on(client.get(url).send()).unwrap();
        assert_eq!(response.status(), 200);
        assert!(runtime.block_on(stored.initial(context(RefreshReason::Initial))).unwrap().is_some(), "it is stored");
        runtime.block_on(stored.forget(context(RefreshReason::Logout))).unwrap();
    });
    assert_eq!(count, 0);
}
