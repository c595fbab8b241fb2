//! HTTP/2 over one connection, one request at a time: what arrives belongs to that request, so reads can be stamped.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use h2::{Reason, RecvStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::http1::{Head, Part};
use super::transport::{Stamp, Transport};

/// Bytes that the server may send ahead. Large, so that flow control never delays a token.
const WINDOW: u32 = 64 * 1024 * 1024;

/// A transport as an event loop's stream. Reads may bring more than is asked for; the rest is kept.
struct Stream {
    transport: Transport,
    rest: Vec<u8>,
    used: usize,
    stamp: Arc<Mutex<Stamp>>,
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { transport, rest, used, stamp } = self.get_mut();
        while *used == rest.len() {
            rest.clear();
            *used = 0;
            let read = std::task::ready!(transport.poll_read(cx, &mut |bytes, _| rest.extend_from_slice(bytes)))?;
            if read == 0 {
                return Poll::Ready(Ok(()));
            }
            *stamp.lock().unwrap_or_else(PoisonError::into_inner) = transport.last_read();
        }
        let take = into.remaining().min(rest.len() - *used);
        into.put_slice(&rest[*used..*used + take]);
        *used += take;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().transport.poll_write(cx, bytes)
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().transport.poll_flush(cx)
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

enum Answer {
    None,
    Head(ResponseFuture),
    Body(RecvStream),
}

pub(crate) struct Http2 {
    sender: SendRequest<Bytes>,
    /// `None` once it ended.
    driver: Option<Connection<Stream, Bytes>>,
    answer: Answer,
    stamp: Arc<Mutex<Stamp>>,
    begun: bool,
}

impl Http2 {
    pub(crate) async fn open(transport: Transport) -> Result<Self, String> {
        let stamp = Arc::new(Mutex::new(Stamp::default()));
        let stream = Stream { transport, rest: Vec::new(), used: 0, stamp: stamp.clone() };
        let mut builder = Builder::new();
        builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW).enable_push(false);
        let (sender, driver) = builder.handshake(stream).await.map_err(|e| e.to_string())?;
        let mut this = Self { sender, driver: Some(driver), answer: Answer::None, stamp, begun: false };
        // The server's settings belong to connecting, not to the first request.
        poll_fn(|cx| {
            this.drive(cx);
            match this.sender.poll_ready(cx) {
                Poll::Pending if this.driver.is_some() => Poll::Pending,
                Poll::Pending => Poll::Ready(Err("the server closed the connection".to_owned())),
                Poll::Ready(ready) => Poll::Ready(ready.map_err(|e| e.to_string())),
            }
        })
        .await?;
        Ok(this)
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && Pin::new(driver).poll(cx).is_ready()
        {
            self.driver = None;
        }
    }

    pub(crate) fn last_read(&self) -> Stamp {
        *self.stamp.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether another request can go out on it.
    pub(crate) fn can_go_on(&mut self) -> bool {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        self.drive(&mut cx);
        self.driver.is_some() && matches!(self.answer, Answer::None) && self.sender.poll_ready(&mut cx).is_ready()
    }

    pub(crate) async fn send(&mut self, request: http::Request<()>, body: Bytes) -> Result<(), String> {
        self.begun = false;
        let (answer, mut sending) = self.sender.send_request(request, false).map_err(|e| e.to_string())?;
        sending.send_data(body, true).map_err(|e| e.to_string())?;
        self.answer = Answer::Head(answer);
        poll_fn(|cx| {
            self.drive(cx);
            Poll::Ready(())
        })
        .await;
        Ok(())
    }

    /// The next parts of the answer.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut dyn FnMut(Part<'_>, Stamp),
    ) -> Poll<Result<(), String>> {
        self.drive(cx);
        let stamp = self.last_read();
        match &mut self.answer {
            Answer::None => Poll::Ready(Err("no answer is expected".to_owned())),
            Answer::Head(waiting) => match Pin::new(waiting).poll(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Err(e)) => Poll::Ready(Err(e.to_string())),
                Poll::Ready(Ok(response)) => {
                    let (parts, body) = response.into_parts();
                    let mut head = Head { status: parts.status.as_u16(), ..Head::default() };
                    for (name, value) in &parts.headers {
                        head.take(name.as_str(), value.as_bytes());
                    }
                    self.answer = Answer::Body(body);
                    self.begun = true;
                    sink(Part::Head(head), stamp);
                    Poll::Ready(Ok(()))
                }
            },
            Answer::Body(body) => match body.poll_data(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Some(Ok(data))) => {
                    // Refused only for more than was received.
                    let _ = body.flow_control().release_capacity(data.len());
                    sink(Part::Data(&data), stamp);
                    Poll::Ready(Ok(()))
                }
                Poll::Ready(Some(Err(e))) if e.reason() != Some(Reason::NO_ERROR) => Poll::Ready(Err(e.to_string())),
                Poll::Ready(_) => {
                    self.answer = Answer::None;
                    sink(Part::End, stamp);
                    Poll::Ready(Ok(()))
                }
            },
        }
    }
}
