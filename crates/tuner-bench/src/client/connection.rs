//! One connection, driven by the task that waits for its answer.
//!
//! *Invariant*: bytes are handed over as they were read, with the stamp of that read. No redirect, no proxy, no hidden
//! pool, no retry.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::http1::{Decoder, Part};
use super::http2::Http2;
use super::target::{Address, Outgoing};
use super::transport::{Stamp, Transport};

/// A connection idle for longer is not used again: servers close idle ones after five seconds (uvicorn's default).
const MAX_IDLE: Duration = Duration::from_secs(4);

enum Protocol {
    One { transport: Transport, decoder: Decoder },
    Two(Box<Http2>),
}

/// How waiting for an answer failed: class and message.
pub(crate) type Broken = (&'static str, String);

pub(crate) struct Connection {
    protocol: Protocol,
    idle_since: Instant,
}

impl Connection {
    pub(crate) async fn open(address: &Address, limit: Duration) -> Result<Self, Broken> {
        let opening = async {
            let transport = Transport::open(address).await?;
            Ok(match address.http2 {
                false => Protocol::One { transport, decoder: Decoder::new() },
                true => Protocol::Two(Box::new(Http2::open(transport).await.map_err(|e| ("connect", e))?)),
            })
        };
        let protocol = tokio::time::timeout(limit, opening)
            .await
            .map_err(|_| ("connect", format!("no connection within {} s", limit.as_secs_f64())))??;
        Ok(Self { protocol, idle_since: Instant::now() })
    }

    /// Whether the next request can go out on it at once, as far as can be known: the server may be closing it.
    pub(crate) fn is_usable(&mut self) -> bool {
        let sound = match &mut self.protocol {
            Protocol::One { transport, decoder } => decoder.can_go_on() && !transport.is_closed_by_peer(),
            Protocol::Two(http2) => http2.can_go_on(),
        };
        sound && !self.is_old()
    }

    /// Whether it can be kept after an answer; its idle time begins.
    pub(crate) fn can_be_kept(&mut self) -> bool {
        self.idle_since = Instant::now();
        match &mut self.protocol {
            Protocol::One { decoder, .. } => decoder.can_go_on(),
            Protocol::Two(http2) => http2.can_go_on(),
        }
    }

    /// Whether it was idle for so long that it is not used again, closed or not.
    pub(crate) fn is_old(&self) -> bool {
        self.idle_since.elapsed() >= MAX_IDLE
    }

    /// Whether a byte of the answer came.
    pub(crate) fn has_begun(&self) -> bool {
        match &self.protocol {
            Protocol::One { decoder, .. } => decoder.has_begun(),
            Protocol::Two(http2) => http2.has_begun(),
        }
    }

    /// Sends a request.
    pub(crate) async fn send(&mut self, request: &Outgoing<'_>) -> Result<(), Broken> {
        let cut = |message: String| ("cut", message);
        match &mut self.protocol {
            Protocol::One { transport, decoder } => {
                decoder.expect_answer();
                transport.write_all(&request.bytes()).await.map_err(|e| cut(e.to_string()))
            }
            Protocol::Two(http2) => {
                let (head, body) = request.parts().map_err(cut)?;
                http2.send(head, body).await.map_err(cut)
            }
        }
    }

    /// Waits for the next read and hands over what it brought of the answer, possibly nothing.
    pub(crate) async fn next(&mut self, sink: &mut impl FnMut(Part<'_>, Stamp)) -> Result<(), Broken> {
        let protocol = &mut self.protocol;
        poll_fn(|cx| match protocol {
            Protocol::One { transport, decoder } => {
                let mut parsed = Ok(());
                let read = transport.poll_read(cx, &mut |bytes, stamp| {
                    if parsed.is_ok() {
                        parsed = decoder.push(bytes, &mut |part| sink(part, stamp));
                    }
                });
                let Poll::Ready(read) = read else { return Poll::Pending };
                let stamp = transport.last_read();
                Poll::Ready(match (read, parsed) {
                    (_, Err(what)) => Err(("parse", what)),
                    (Ok(0), Ok(())) => decoder.end(&mut |part| sink(part, stamp)).map_err(|what| ("cut", what)),
                    (Ok(_), Ok(())) => Ok(()),
                    (Err(e), Ok(())) => Err(("cut", e.to_string())),
                })
            }
            Protocol::Two(http2) => http2.poll_next(cx, sink).map_err(|what| ("cut", what)),
        })
        .await
    }
}
