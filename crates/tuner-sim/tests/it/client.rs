//! A raw HTTP/1.1 client: it sees what was sent, and whether the body was ended or cut.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
    /// The body ended as it must; not cut.
    pub(crate) complete: bool,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// Payloads of the events, `[DONE]` included.
    pub(crate) fn events(&self) -> Vec<&str> {
        self.body.split("\n\n").filter(|e| !e.is_empty()).map(|e| e.strip_prefix("data: ").unwrap()).collect()
    }

    /// Payloads of the events but `[DONE]`, which must be the last.
    pub(crate) fn chunks(&self) -> Vec<Value> {
        let mut events = self.events();
        assert_eq!(events.pop(), Some("[DONE]"));
        events.into_iter().map(|e| serde_json::from_str(e).unwrap()).collect()
    }
}

/// Opens a connection and sends a request.
pub(crate) async fn open(address: SocketAddr, path: &str, body: Option<&Value>) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let method = if body.is_some() { "POST" } else { "GET" };
    let body = body.map(Value::to_string).unwrap_or_default();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    socket
}

/// One request on a connection of its own.
pub(crate) async fn call(address: SocketAddr, path: &str, body: Option<&Value>) -> Reply {
    let mut socket = open(address, path, body).await;
    let mut bytes = Vec::new();
    let clean = socket.read_to_end(&mut bytes).await.is_ok();
    let text = String::from_utf8(bytes).unwrap();
    let (head, raw) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let (body, complete) = if chunked { dechunk(raw) } else { (raw.to_owned(), clean) };
    Reply { status, head: head.to_owned(), body, complete }
}

fn dechunk(mut raw: &str) -> (String, bool) {
    let mut out = String::new();
    while let Some((size, rest)) = raw.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return (out, true);
        }
        let Some(chunk) = rest.get(..size) else { break };
        out.push_str(chunk);
        raw = rest.get(size + 2..).unwrap_or_default();
    }
    (out, false)
}
