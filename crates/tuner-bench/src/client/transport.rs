//! Bytes to and from a server: TCP, with TLS over it where the address says so.
//!
//! *Invariant*: a read is stamped once, right after it returned and before anyone parses it. On Linux reads go through
//! `recvmsg` with `SO_TIMESTAMPNS`, so the kernel's time of receipt comes with the bytes (encrypted ones too): that is
//! their time, and what they then waited for this process is known apart.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::os::fd::AsRawFd;
use std::task::{Context, Poll, ready};

use nix::sys::socket::{MsgFlags, recv};
use rustls::ClientConnection;
use tokio::net::TcpStream;

use super::clock::monotonic_ns;
use super::target::Address;

/// Most bytes taken by one read. One such buffer serves all streams of a thread: nothing is kept in it between reads.
const READ_BYTES: usize = 64 * 1024;
/// Most decrypted bytes handed over at once.
const PLAIN_BYTES: usize = 16 * 1024;

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers::new());
    static READS: Cell<Reads> = const { Cell::new(Reads::NONE) };
}

/// Reads of a thread so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reads {
    /// Those whose time the kernel told.
    pub(crate) stamped: u64,
    /// Between two of one connection: about the shortest time of late, of those that would be missed in a figure.
    pub(crate) gap_ns: f64,
}

impl Reads {
    /// Writes closer together than this are one.
    const ONE_NS: u64 = 100_000;
    /// What a gap that is not seen again loses of its weight with each read.
    const FORGET: f64 = 1.005;

    pub(crate) const NONE: Self = Self { stamped: 0, gap_ns: f64::INFINITY };

    fn and(self, gap_ns: u64) -> Self {
        let forgotten = self.gap_ns * Self::FORGET;
        let gap_ns = if gap_ns < Self::ONE_NS { self.gap_ns } else { forgotten.min(gap_ns as f64) };
        Self { stamped: self.stamped + 1, gap_ns }
    }
}

/// Of this thread.
pub(crate) fn reads() -> Reads {
    READS.get()
}

struct Buffers {
    read: Box<[u8]>,
    plain: Box<[u8]>,
    #[cfg(target_os = "linux")]
    control: Vec<u8>,
    #[cfg(target_os = "linux")]
    realtime: super::clock::RealtimeOffset,
}

impl Buffers {
    fn new() -> Self {
        Self {
            read: vec![0; READ_BYTES].into_boxed_slice(),
            plain: vec![0; PLAIN_BYTES].into_boxed_slice(),
            #[cfg(target_os = "linux")]
            control: nix::cmsg_space!(nix::sys::time::TimeSpec),
            #[cfg(target_os = "linux")]
            realtime: super::clock::RealtimeOffset::default(),
        }
    }
}

/// When bytes arrived. Nanoseconds of CLOCK_MONOTONIC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// When the kernel received the last of them; where it does not say, when the read returned.
    pub(crate) at_ns: u64,
    /// How long they then waited for this process; `None` where the kernel gives no time of receipt.
    pub(crate) delay_ns: Option<u64>,
}

impl Stamp {
    /// Of a read that returned at `user_ns`. Nothing of it arrived before `earliest_ns`: the kernel's clock is the
    /// machine's, which may be set while it runs.
    fn new(user_ns: u64, delay_ns: Option<u64>, earliest_ns: u64) -> Self {
        let delay_ns = delay_ns.map(|delay| delay.min(user_ns.saturating_sub(earliest_ns)));
        Self { at_ns: user_ns - delay_ns.unwrap_or(0), delay_ns }
    }
}

/// One connection.
pub(crate) struct Transport {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    last: Stamp,
    /// The next read brings nothing that arrived earlier: what was asked before, or the last read.
    earliest_ns: u64,
}

impl Transport {
    /// Connects, and shakes hands where the address is one of TLS. The error says in which of the two it failed.
    pub(crate) async fn open(address: &Address) -> Result<Self, (&'static str, String)> {
        let stream =
            TcpStream::connect((address.host.as_str(), address.port)).await.map_err(|e| ("connect", e.to_string()))?;
        // Both are refinements: without them events still arrive, a little later or without a kernel stamp.
        let _ = stream.set_nodelay(true);
        #[cfg(target_os = "linux")]
        {
            let _ = nix::sys::socket::setsockopt(&stream, nix::sys::socket::sockopt::ReceiveTimestampns, &true);
        }
        let mut transport = Self { stream, tls: None, last: Stamp::default(), earliest_ns: monotonic_ns() };
        if let Some(tls) = &address.tls {
            let session = tls.session().map_err(|e| ("tls", e))?;
            transport.tls = Some(Box::new(session));
            transport.shake_hands().await.map_err(|e| ("tls", e.to_string()))?;
            let spoken = transport.tls.as_ref().and_then(|tls| tls.alpn_protocol());
            if address.http2 && spoken != Some(b"h2") {
                return Err(("tls", "the server does not offer HTTP/2; measure it without --http2".to_owned()));
            }
        }
        Ok(transport)
    }

    async fn shake_hands(&mut self) -> io::Result<()> {
        while self.tls.as_ref().is_some_and(|tls| tls.is_handshaking()) {
            self.flush_tls().await?;
            if !self.tls.as_ref().is_some_and(|tls| tls.is_handshaking()) {
                break;
            }
            let read = poll_fn(|cx| self.poll_read(cx, &mut |_, _| ())).await?;
            if read == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed during the handshake"));
            }
        }
        self.flush_tls().await
    }

    /// The latest read.
    pub(crate) fn last_read(&self) -> Stamp {
        self.last
    }

    /// Asks the kernel, because the event loop may not have looked since the server closed.
    pub(crate) fn is_closed_by_peer(&self) -> bool {
        let looking = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        match recv(self.stream.as_raw_fd(), &mut [0], looking) {
            Err(nix::errno::Errno::EAGAIN) => false,
            // Session tickets may follow an answer; anything else between answers is not HTTP.
            Ok(n) => n == 0 || self.tls.is_none(),
            Err(_) => true,
        }
    }

    /// Reads once and hands over what it brought; the number of bytes read, 0 at the end. Bytes of TLS that complete
    /// no record bring nothing yet.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut dyn FnMut(&[u8], Stamp),
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            let read: io::Result<usize> = BUFFERS.with_borrow_mut(|buffers| {
                let (n, user_ns, delay_ns) = receive(&self.stream, buffers)?;
                let stamp = Stamp::new(user_ns, delay_ns, self.earliest_ns);
                if delay_ns.is_some() {
                    READS.set(READS.get().and(stamp.at_ns - self.earliest_ns));
                }
                if n > 0 {
                    self.last = stamp;
                    self.earliest_ns = stamp.at_ns;
                }
                let Buffers { read, plain, .. } = buffers;
                match &mut self.tls {
                    None => sink(&read[..n], stamp),
                    Some(tls) => decrypt(tls, &self.stream, &read[..n], plain, &mut |bytes| sink(bytes, stamp))?,
                }
                Ok(n)
            });
            match read {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                other => return Poll::Ready(other),
            }
        }
    }

    /// Writes all of `bytes`.
    pub(crate) async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.earliest_ns = monotonic_ns();
        let Some(tls) = &mut self.tls else { return write(&self.stream, bytes).await };
        io::Write::write_all(&mut tls.writer(), bytes)?;
        self.flush_tls().await
    }

    async fn flush_tls(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        let mut records = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut records)?;
        }
        write(&self.stream, &records).await
    }

    /// As the writing half of an event loop: what could be written at once.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush(cx))?;
        match &mut self.tls {
            Some(tls) => Poll::Ready(io::Write::write(&mut tls.writer(), bytes)),
            None => poll_write(&self.stream, cx, bytes),
        }
    }

    /// Sends what TLS still holds.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(tls) = &mut self.tls else { return Poll::Ready(Ok(())) };
        while tls.wants_write() {
            ready!(self.stream.poll_write_ready(cx))?;
            match tls.write_tls(&mut NonBlocking(&self.stream)) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                other => drop(other?),
            }
        }
        Poll::Ready(Ok(()))
    }
}

async fn write(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let n = poll_fn(|cx| poll_write(stream, cx, bytes)).await?;
        bytes = &bytes[n..];
    }
    Ok(())
}

fn poll_write(stream: &TcpStream, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
    loop {
        // A socket is writable as a rule: trying first saves asking.
        match stream.try_write(bytes) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => ready!(stream.poll_write_ready(cx))?,
            other => return Poll::Ready(other),
        }
    }
}

struct NonBlocking<'a>(&'a TcpStream);

impl io::Write for NonBlocking<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Decrypts what was read.
fn decrypt(
    tls: &mut ClientConnection,
    stream: &TcpStream,
    mut bytes: &[u8],
    plain: &mut [u8],
    sink: &mut dyn FnMut(&[u8]),
) -> io::Result<()> {
    loop {
        // Nothing read is the end of the stream, which the session must hear of too.
        tls.read_tls(&mut bytes)?;
        tls.process_new_packets().map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e.to_string()))?;
        loop {
            match io::Read::read(&mut tls.reader(), plain) {
                Ok(0) => break,
                Ok(n) => sink(&plain[..n]),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                // The peer left without a closing alert. HTTP's own framing tells whether something is missing.
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(e) => return Err(e),
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
    // Answers to key updates; if the socket is full they go out with the next write.
    while tls.wants_write() && !tls.is_handshaking() {
        if tls.write_tls(&mut NonBlocking(stream)).is_err() {
            break;
        }
    }
    Ok(())
}

/// One read from the kernel into the thread's buffer: bytes, when it returned, how long they had waited.
#[cfg(target_os = "linux")]
fn receive(stream: &TcpStream, buffers: &mut Buffers) -> io::Result<(usize, u64, Option<u64>)> {
    use nix::sys::socket::{ControlMessageOwned, recvmsg};
    use std::io::IoSliceMut;

    let Buffers { read, control, realtime, .. } = buffers;
    let mut short = None;
    let result = stream.try_io(tokio::io::Interest::READABLE, || {
        let most = read.len();
        let mut slices = [IoSliceMut::new(read)];
        let message = recvmsg::<()>(stream.as_raw_fd(), &mut slices, Some(control), MsgFlags::empty())?;
        let user_ns = monotonic_ns();
        let received = message.cmsgs().ok().and_then(|mut all| {
            all.find_map(|c| match c {
                ControlMessageOwned::ScmTimestampns(at) => Some(std::time::Duration::from(at).as_nanos() as u64),
                _ => None,
            })
        });
        let delay_ns = received.map(|at| user_ns.saturating_sub(realtime.monotonic_ns(at, user_ns)));
        let got = (message.bytes, user_ns, delay_ns);
        if (1..most).contains(&message.bytes) {
            // Fewer bytes than asked for: the socket is empty. Saying so spares the read that would find out
            // (epoll(7), edge-triggered: a new event follows when more arrives).
            short = Some(got);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(got)
    });
    short.map_or(result, Ok)
}

#[cfg(not(target_os = "linux"))]
fn receive(stream: &TcpStream, buffers: &mut Buffers) -> io::Result<(usize, u64, Option<u64>)> {
    let n = stream.try_read(&mut buffers.read)?;
    Ok((n, monotonic_ns(), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_gap_is_kept_a_while_and_what_is_sent_at_once_is_none() {
        let after = |gaps: &[u64]| gaps.iter().fold(Reads::NONE, |reads, gap| reads.and(*gap));
        let reads = after(&[500_000_000, 20_000_000, 30_000, 8_000_000, 20_000_000]);
        assert_eq!(reads.stamped, 5);
        assert!((8_000_000.0..8_100_000.0).contains(&reads.gap_ns), "{reads:?}");
        let reads = (0..1000).fold(reads, |reads, _| reads.and(20_000_000));
        assert_eq!(reads.gap_ns, 20_000_000.0);
    }

    #[test]
    fn the_time_of_bytes_is_the_kernels_and_lies_between_asking_and_reading() {
        assert_eq!(Stamp::new(100, None, 10), Stamp { at_ns: 100, delay_ns: None });
        assert_eq!(Stamp::new(100, Some(30), 10), Stamp { at_ns: 70, delay_ns: Some(30) });
        // The machine's clock was set between receipt and reading.
        assert_eq!(Stamp::new(100, Some(5_000), 10), Stamp { at_ns: 10, delay_ns: Some(90) });
        assert_eq!(Stamp::new(100, Some(0), 10), Stamp { at_ns: 100, delay_ns: Some(0) });
    }
}
