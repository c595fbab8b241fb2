//! As little HTTP as it takes, so that clients do not take the processor from the server that they measure.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that is kept.
pub(crate) struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Wire {
    pub(crate) async fn to(address: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(1 << 16) })
    }

    pub(crate) async fn send(&mut self, path: &str) -> std::io::Result<()> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await
    }

    /// Asks and waits for the whole answer.
    pub(crate) async fn get(&mut self, path: &str) -> std::io::Result<Answer> {
        self.send(path).await?;
        self.read.clear();
        let head = loop {
            if let Some(end) = self.read.windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let text = String::from_utf8_lossy(&self.read[..head]).to_ascii_lowercase();
        let status = text.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        let end = head + length.ok_or_else(|| std::io::Error::other("an answer without length"))?;
        while self.read.len() < end {
            self.more().await?;
        }
        Ok(Answer { status, body: self.read[head..end].to_vec() })
    }

    /// What comes next, at least one byte.
    pub(crate) async fn more(&mut self) -> std::io::Result<&[u8]> {
        let before = self.read.len();
        if self.stream.read_buf(&mut self.read).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(&self.read[before..])
    }

    /// Forgets what was read.
    pub(crate) fn clear(&mut self) {
        self.read.clear();
    }
}

/// Waits for the first good answer; `None` if there is none in time.
pub(crate) async fn healthy(address: &str, path: &str, limit: Duration) -> Option<()> {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        if let Ok(mut wire) = Wire::to(address).await
            && let Ok(answer) = wire.get(path).await
            && answer.status == 200
        {
            return Some(());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    None
}
