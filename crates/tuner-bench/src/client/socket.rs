//! A TCP stream that stamps every read once, before anyone parses it.
//!
//! On Linux reads go through `recvmsg` with `SO_TIMESTAMPNS`, so the kernel's time of receipt comes with the bytes
//! and shows how long they waited for this process.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

use super::clock::{ReadStamp, monotonic_ns};

/// Bytes taken per read.
const READ_BYTES: usize = 16 * 1024;

pub(crate) struct StampedStream {
    stream: TcpStream,
    stamp: Arc<ReadStamp>,
    buffer: Box<[u8]>,
    #[cfg(target_os = "linux")]
    control: Vec<u8>,
}

impl StampedStream {
    pub(crate) fn new(stream: TcpStream, stamp: Arc<ReadStamp>) -> Self {
        // Both are refinements: without them events still arrive, a little later or without a kernel stamp.
        let _ = stream.set_nodelay(true);
        #[cfg(target_os = "linux")]
        {
            let _ = nix::sys::socket::setsockopt(&stream, nix::sys::socket::sockopt::ReceiveTimestampns, &true);
        }
        Self {
            stream,
            stamp,
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
            #[cfg(target_os = "linux")]
            control: nix::cmsg_space!(nix::sys::time::TimeSpec),
        }
    }

    #[cfg(target_os = "linux")]
    fn try_read(&mut self, most: usize) -> io::Result<usize> {
        use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
        use std::io::IoSliceMut;
        use std::os::fd::AsRawFd;

        let Self { stream, buffer, control, stamp } = self;
        let most = most.min(buffer.len());
        stream.try_io(tokio::io::Interest::READABLE, || {
            let mut slices = [IoSliceMut::new(&mut buffer[..most])];
            let message =
                recvmsg::<()>(stream.as_raw_fd(), &mut slices, Some(control.as_mut_slice()), MsgFlags::empty())?;
            let user_ns = monotonic_ns();
            let received = message.cmsgs().ok().and_then(|mut all| {
                all.find_map(|c| match c {
                    ControlMessageOwned::ScmTimestampns(at) => Some(std::time::Duration::from(at).as_nanos() as u64),
                    _ => None,
                })
            });
            let delay = received.map(|at| super::clock::realtime_ns().saturating_sub(at));
            if message.bytes > 0 {
                stamp.set(user_ns, delay);
            }
            Ok(message.bytes)
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn try_read(&mut self, most: usize) -> io::Result<usize> {
        let most = most.min(self.buffer.len());
        let n = self.stream.try_read(&mut self.buffer[..most])?;
        if n > 0 {
            self.stamp.set(monotonic_ns(), None);
        }
        Ok(n)
    }
}

impl Read for StampedStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut cursor: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            ready!(this.stream.poll_read_ready(cx))?;
            match this.try_read(cursor.remaining()) {
                Ok(n) => {
                    cursor.put_slice(&this.buffer[..n]);
                    return Poll::Ready(Ok(()));
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
    }
}

impl Write for StampedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
