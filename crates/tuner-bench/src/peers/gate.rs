//! A door in front of an endpoint that knows how many have come: two tools that go through one each can begin at the
//! same moment, although one of them takes half a minute to start.
//!
//! *Invariant*: bytes pass as they are, in order, both ways, as soon as they come; only the first requests may be made to
//! wait, until the other side has come too.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a request that comes alone waits for the others: some tools ask for one answer before they begin.
const COMPANY: Duration = Duration::from_millis(20);
/// Bytes that are passed on at a time.
const BUFFER: usize = 64 * 1024;

/// A door, open until it is dropped.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    inner: Arc<Inner>,
    listening: JoinHandle<()>,
}

#[derive(Debug)]
struct Inner {
    /// Connections through which something has been asked and that are still there.
    busy: watch::Sender<u32>,
    /// As many are everybody.
    all: u32,
    /// Whom those who are all there wait for; nobody where there is none.
    other: Option<watch::Receiver<bool>>,
}

impl Gate {
    /// A door to `upstream` (host and port) for a tool with `all` requests in flight. Once so many have come, they wait
    /// until `other` turns true.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn open(upstream: String, all: u32, other: Option<watch::Receiver<bool>>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let inner = Arc::new(Inner { busy: watch::Sender::new(0), all, other });
        let listening = tokio::spawn({
            let inner = inner.clone();
            async move {
                let mut passing = tokio::task::JoinSet::new();
                // A listener that fails lets nobody in any more; whoever asks is told by the system.
                while let Ok((client, _)) = listener.accept().await {
                    passing.spawn(pass(client, upstream.clone(), inner.clone()));
                    while passing.try_join_next().is_some() {}
                }
            }
        });
        Ok(Self { address, inner, listening })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until everybody has come.
    pub async fn full(&self) {
        let mut busy = self.inner.busy.subscribe();
        // The sender lives as long as the gate.
        let _ = busy.wait_for(|busy| *busy >= self.inner.all).await;
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // What passes goes with it.
        self.listening.abort();
    }
}

/// Counts a connection for as long as it is there.
struct Busy(Arc<Inner>);

impl Busy {
    fn new(inner: Arc<Inner>) -> Self {
        inner.busy.send_modify(|busy| *busy += 1);
        Self(inner)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.send_modify(|busy| *busy -= 1);
    }
}

async fn pass(mut client: TcpStream, upstream: String, inner: Arc<Inner>) {
    // A small write is sent at once, as without a door. A connection that fails is closed, as the endpoint's would be.
    let Ok(mut server) = TcpStream::connect(&upstream).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    // Nothing is taken; a connection that ends without having asked for anything counts for nothing.
    if !matches!(client.peek(&mut [0]).await, Ok(1)) {
        return;
    }
    let _busy = Busy::new(inner.clone());
    if let Some(mut other) = inner.other.clone() {
        let mut busy = inner.busy.subscribe();
        let all_there = tokio::time::timeout(COMPANY, busy.wait_for(|busy| *busy >= inner.all)).await.is_ok();
        if all_there {
            let _ = other.wait_for(|there| *there).await;
        }
    }
    let _ = copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER, BUFFER).await;
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Answers every byte with the same byte, and says what came.
    async fn echo() -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = socket.split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        address.to_string()
    }

    async fn ask(gate: &Gate) -> TcpStream {
        let mut socket = TcpStream::connect(gate.address).await.unwrap();
        socket.write_all(b"x").await.unwrap();
        socket
    }

    async fn answered(socket: &mut TcpStream) -> bool {
        let mut byte = [0];
        tokio::time::timeout(Duration::from_millis(300), socket.read_exact(&mut byte)).await.is_ok()
    }

    #[tokio::test]
    async fn those_who_are_all_there_wait_for_the_other_side_and_one_alone_does_not() {
        let (come, other) = watch::channel(false);
        let gate = Gate::open(echo().await, 2, Some(other)).await.unwrap();
        let mut alone = ask(&gate).await;
        assert!(answered(&mut alone).await, "a tool that asks once before it begins gets its answer");
        assert!(tokio::time::timeout(Duration::from_millis(50), gate.full()).await.is_err());
        drop(alone);
        let (mut a, mut b) = (ask(&gate).await, ask(&gate).await);
        gate.full().await;
        assert!(!answered(&mut a).await, "the other side has not come");
        come.send_replace(true);
        assert!(answered(&mut a).await && answered(&mut b).await);
    }

    #[tokio::test]
    async fn a_connection_without_a_request_counts_for_nothing() {
        let gate = Gate::open(echo().await, 1, None).await.unwrap();
        let silent = TcpStream::connect(gate.address).await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(100), gate.full()).await.is_err());
        let mut asked = ask(&gate).await;
        gate.full().await;
        assert!(answered(&mut asked).await);
        drop(silent);
    }
}
