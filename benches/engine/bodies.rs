//! The memory of large bodies over loopback.

use reqwest::Body;

use super::super::{DELAY, row};
use super::loopback::{Api, runtime};
use crate::allocator;

pub(crate) fn bodies() -> bool {
    const SIZE: usize = 100 << 20;
    let (api, runtime) = (Api::start(10, false, DELAY), runtime());
    let client = api.client(false);
    let peak = allocator::peak();
    let sent = runtime
        .block_on(async { client.post(api.url("/gated")).body(vec![b'x'; SIZE]).send().await.unwrap().status() });
    let mut within = sent == 200 && row("100 MiB of bytes sent twice: MiB above one copy", peak() - 100.0, 2.0, true);
    let stream = Body::wrap_stream(Zeros(SIZE / 65_536));
    let peak = allocator::peak();
    let sent = runtime.block_on(async {
        client.post(api.url("/gated")).header("content-length", SIZE).body(stream).send().await.unwrap().status()
    });
    within &= sent == 200 && row("100 MiB of a stream with a valid credential: MiB", peak(), 6.0, true);
    within
}

/// A stream of that many chunks of 64 KiB.
struct Zeros(usize);

impl futures_core::Stream for Zeros {
    type Item = Result<Vec<u8>, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0 = match self.0.checked_sub(1) {
            Some(left) => left,
            None => return std::task::Poll::Ready(None),
        };
        std::task::Poll::Ready(Some(Ok(vec![0; 65_536])))
    }
}
