//! Reads a body before the caller does, and puts it back.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use reqwest::Response;

use super::read::take_apart;
use crate::util::timeout;

/// Reads the body of a response and puts it back. Returns the body if it ends within the limits of bytes and time. Otherwise the
/// response has the part that was read, and then the rest or the failure of the connection.
pub(super) async fn peek(response: &mut Response, limit: usize, time: Duration) -> Option<Bytes> {
    let (head, body) = take_apart(response);
    let mut peeked = Peeked::new(body);
    let ended = timeout(time, pin!(poll_fn(|context| peeked.poll_whole(context, limit)))).await;
    let whole = ended.unwrap_or_default().then(|| peeked.join());
    *response = Response::from(http::Response::from_parts(head, reqwest::Body::wrap(peeked)));
    whole
}

/// A body whose beginning was read.
struct Peeked {
    /// The frames that were read and not passed on yet.
    frames: VecDeque<Frame<Bytes>>,
    rest: Rest,
    /// How many bytes are in the frames that were read.
    length: usize,
    /// How many bytes are not passed on yet, if the length of the body is known from its head.
    left: Option<u64>,
}

/// What comes after the frames that were read.
enum Rest {
    Open(reqwest::Body),
    /// The connection failed. The error is passed on once.
    Failed(reqwest::Error),
    Ended,
}

impl Peeked {
    fn new(body: reqwest::Body) -> Self {
        let left = body.size_hint().exact();
        Self { frames: VecDeque::new(), rest: Rest::Open(body), length: 0, left }
    }

    /// Reads until the body ends, fails or is longer than the limit. Returns whether it ended.
    fn poll_whole(&mut self, context: &mut Context<'_>, limit: usize) -> Poll<bool> {
        while let Rest::Open(body) = &mut self.rest {
            match ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => {
                    self.length += frame.data_ref().map_or(0, Bytes::len);
                    self.frames.push_back(frame);
                    if self.length > limit {
                        return Poll::Ready(false);
                    }
                }
                Some(Err(error)) => self.rest = Rest::Failed(error),
                None => self.rest = Rest::Ended,
            }
        }
        Poll::Ready(matches!(self.rest, Rest::Ended))
    }

    /// The bytes that were read, as one piece.
    fn join(&mut self) -> Bytes {
        if self.length == 0 {
            return Bytes::new();
        }
        if let Some(Some(only)) = self.frames.front().map(Frame::data_ref)
            && only.len() == self.length
        {
            return only.clone();
        }
        let mut joined = BytesMut::with_capacity(self.length);
        self.frames.iter().filter_map(Frame::data_ref).for_each(|piece| joined.extend_from_slice(piece));
        let joined = joined.freeze();
        self.frames.retain(Frame::is_trailers);
        self.frames.push_front(Frame::data(joined.clone()));
        joined
    }
}

impl Body for Peeked {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        let next = match (self.frames.pop_front(), &mut self.rest) {
            (Some(frame), _) => Some(Ok(frame)),
            (None, Rest::Open(body)) => ready!(Pin::new(body).poll_frame(context)),
            (None, Rest::Failed(_) | Rest::Ended) => match std::mem::replace(&mut self.rest, Rest::Ended) {
                Rest::Failed(error) => Some(Err(error)),
                Rest::Open(_) | Rest::Ended => None,
            },
        };
        if let Some(Ok(frame)) = &next
            && let (Some(left), Some(data)) = (&mut self.left, frame.data_ref())
        {
            *left = left.saturating_sub(data.len() as u64);
        }
        Poll::Ready(next)
    }

    fn is_end_stream(&self) -> bool {
        let is_over = match &self.rest {
            Rest::Open(body) => body.is_end_stream(),
            Rest::Failed(_) => false,
            Rest::Ended => true,
        };
        self.frames.is_empty() && is_over
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
