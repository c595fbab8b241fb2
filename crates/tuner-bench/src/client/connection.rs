//! One HTTP/1.1 connection, driven by the task that waits for its answer.
//!
//! *Invariant*: a body frame is handed over before the socket is read again, so the stamp of the latest read is the
//! stamp of the frame. No redirect, no proxy, no hidden pool.

use std::future::poll_fn;
use std::os::fd::{AsRawFd, RawFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response};
use nix::sys::socket::{MsgFlags, recv};
use tokio::net::TcpStream;
use tuner_core::with_causes;

use super::clock::ReadStamp;
use super::socket::StampedStream;
use super::target::Address;

/// A connection idle for longer is not used again: servers close idle ones after five seconds (uvicorn's default).
const MAX_IDLE: Duration = Duration::from_secs(4);

pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    /// `None` once it ended.
    driver: Option<http1::Connection<StampedStream, Full<Bytes>>>,
    stamp: Arc<ReadStamp>,
    idle_since: Instant,
    /// Owned by `driver`: meaningful only while that is there.
    socket: RawFd,
}

impl Connection {
    pub(crate) async fn open(address: &Address, limit: Duration) -> Result<Self, String> {
        let connecting = TcpStream::connect((address.host.as_str(), address.port));
        let stream = tokio::time::timeout(limit, connecting)
            .await
            .map_err(|_| format!("no connection within {} s", limit.as_secs_f64()))?
            .map_err(|e| e.to_string())?;
        let socket = stream.as_raw_fd();
        let stamp = Arc::new(ReadStamp::default());
        let (sender, driver) = http1::Builder::new()
            .handshake(StampedStream::new(stream, stamp.clone()))
            .await
            .map_err(|e| with_causes(&e))?;
        Ok(Self { sender, driver: Some(driver), stamp, idle_since: Instant::now(), socket })
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && Pin::new(driver).poll(cx).is_ready()
        {
            self.driver = None;
        }
    }

    /// Whether the next request can go out on it at once, as far as can be known: the server may be closing it.
    pub(crate) fn is_usable(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.driver.is_some() && self.sender.is_ready() && !self.is_old() && !self.is_closed_by_peer()
    }

    /// Whether it was idle for so long that it is not used again, closed or not.
    pub(crate) fn is_old(&self) -> bool {
        self.idle_since.elapsed() >= MAX_IDLE
    }

    /// Asks the kernel, because the event loop may not have looked since the server closed.
    fn is_closed_by_peer(&self) -> bool {
        let looking = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        !matches!(recv(self.socket, &mut [0], looking), Err(nix::errno::Errno::EAGAIN))
    }

    /// Sends the request and waits for the head of the answer.
    pub(crate) async fn respond(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        let mut answer = Box::pin(self.sender.send_request(request));
        let driver = &mut self.driver;
        poll_fn(move |cx| {
            if let Poll::Ready(result) = answer.as_mut().poll(cx) {
                return Poll::Ready(result);
            }
            if let Some(connection) = driver
                && Pin::new(connection).poll(cx).is_ready()
            {
                *driver = None;
            }
            answer.as_mut().poll(cx)
        })
        .await
    }

    /// The next data of the body; `None` at its end.
    pub(crate) async fn data(&mut self, body: &mut Incoming) -> Option<hyper::Result<Bytes>> {
        loop {
            let frame = poll_fn(|cx| {
                if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) {
                    return Poll::Ready(frame);
                }
                self.drive(cx);
                Pin::new(&mut *body).poll_frame(cx)
            })
            .await;
            self.idle_since = Instant::now();
            match frame? {
                // Trailers carry nothing that is measured.
                Ok(frame) => match frame.into_data() {
                    Ok(data) => return Some(Ok(data)),
                    Err(_) => continue,
                },
                Err(e) => return Some(Err(e)),
            }
        }
    }

    /// (when the latest read returned, how long its bytes had waited in the kernel), nanoseconds.
    pub(crate) fn last_read(&self) -> (u64, Option<u64>) {
        self.stamp.get()
    }
}
