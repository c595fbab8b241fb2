//! A connection that can be cut: between a process and its database, or between a client and the server.
//!
//! *Invariant*: a connection that lost a byte never carries another one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::watch;

/// What happens to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// They go through.
    Open,
    /// Connections are closed, and new ones at once.
    Closed,
    /// They are swallowed, and nobody is told.
    Hole,
    /// Each piece comes so much later.
    Slow(Duration),
}

/// How a link is, and how often its connections were cut.
#[derive(Clone, Copy, Debug)]
struct State {
    way: Way,
    cuts: u64,
}

/// A listener that passes on to one address.
#[derive(Debug)]
pub(crate) struct Link {
    state: watch::Sender<State>,
}

impl Link {
    /// On a free port of the loopback address.
    pub(crate) async fn tcp(to: SocketAddr) -> std::io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (link, state) = Self::new();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Closing it then tells the other side at once, with a reset.
                let _ = stream.set_zero_linger();
                let _ = stream.set_nodelay(true);
                tokio::spawn(carry(stream, to, state.clone()));
            }
        });
        Ok((link, address))
    }

    /// In a folder, by the name that PostgreSQL's clients look for there: seen from every network namespace.
    pub(crate) fn in_folder(folder: &Path, to: SocketAddr) -> std::io::Result<(Self, PathBuf)> {
        std::fs::create_dir_all(folder)?;
        let listener = UnixListener::bind(folder.join(".s.PGSQL.5432"))?;
        let (link, state) = Self::new();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, to, state.clone()));
            }
        });
        Ok((link, folder.to_owned()))
    }

    fn new() -> (Self, watch::Receiver<State>) {
        let (state, seen) = watch::channel(State { way: Way::Open, cuts: 0 });
        (Self { state }, seen)
    }

    /// From now on; connections that are open stay open, but for [`Way::Closed`].
    pub(crate) fn set(&self, way: Way) {
        self.state.send_modify(|state| {
            // What was swallowed is lost: such a connection can carry nothing more.
            let cut = way == Way::Closed || state.way == Way::Hole;
            *state = State { way, cuts: state.cuts + u64::from(cut) };
        });
    }

    /// Resets every connection that is open.
    pub(crate) fn reset(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }
}

/// Carries one connection until an end closes it or it is cut.
async fn carry(near: impl AsyncRead + AsyncWrite + Send + 'static, to: SocketAddr, state: watch::Receiver<State>) {
    let begun = *state.borrow();
    if begun.way == Way::Closed {
        return;
    }
    let mut watched = state.clone();
    let cut = async move {
        let _ = watched.wait_for(|now| now.cuts != begun.cuts).await;
    };
    let through = async move {
        if begun.way == Way::Hole {
            std::future::pending::<()>().await;
        }
        let Ok(far) = TcpStream::connect(to).await else { return };
        let _ = far.set_zero_linger();
        let _ = far.set_nodelay(true);
        let (mut near_read, mut near_write) = tokio::io::split(near);
        let (mut far_read, mut far_write) = tokio::io::split(far);
        let state = Arc::new(state);
        tokio::select! {
            () = pump(&mut near_read, &mut far_write, &state) => {}
            () = pump(&mut far_read, &mut near_write, &state) => {}
        }
    };
    tokio::select! {
        () = cut => {}
        () = through => {}
    }
}

async fn pump(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin), state: &watch::Receiver<State>) {
    let mut bytes = vec![0; 1 << 14];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        let way = state.borrow().way;
        match way {
            Way::Hole => continue,
            Way::Slow(wait) => tokio::time::sleep(wait).await,
            Way::Open | Way::Closed => {}
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
