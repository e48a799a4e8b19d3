//! The body of an answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// A body: first the given bytes, then filler bytes.
#[derive(Clone, Default)]
pub(crate) struct Payload {
    pub(crate) bytes: Bytes,
    /// How many filler bytes follow. `None` means that the body never ends.
    filler: Option<u64>,
    stalls: bool,
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, filler: Some(0), stalls: false }
    }
}

impl Payload {
    /// A body of this many filler bytes.
    pub(super) fn filler(bytes: u64) -> Self {
        Self { filler: Some(bytes), ..Self::default() }
    }

    /// A body that never ends.
    pub(super) fn endless() -> Self {
        Self::default()
    }

    /// Lets the body stall after the given bytes.
    pub(super) fn stall(&mut self) {
        self.stalls = true;
    }

    /// Whether the body consists of the given bytes alone.
    pub(crate) fn is_complete(&self) -> bool {
        self.filler == Some(0) && !self.stalls
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        static CHUNK: [u8; 16 << 10] = [b'x'; 16 << 10];
        if !self.bytes.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.bytes)))));
        }
        if self.stalls {
            return Poll::Pending;
        }
        let size = self.filler.map_or(CHUNK.len(), |left| CHUNK.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
        if size == 0 {
            return Poll::Ready(None);
        }
        self.filler = self.filler.map(|left| left - size as u64);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&CHUNK[..size])))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && self.is_complete()
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.filler.filter(|_| !self.stalls);
        length.map_or_else(SizeHint::default, |filler| SizeHint::with_exact(self.bytes.len() as u64 + filler))
    }
}
