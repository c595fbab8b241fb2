//! A small HTTP server that answers as a script says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// A request as far as the tests look at it.
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

/// Status and body; `None` leaves the request without an answer, connection open.
pub(crate) type Answer = Option<(u16, String)>;

pub(crate) struct Server {
    pub(crate) port: u16,
}

impl Server {
    pub(crate) fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || serve(listener, script));
        Self { port }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Serves until the process ends.
pub(crate) fn serve(listener: TcpListener, script: impl Fn(&Request) -> Answer + Send + Sync + 'static) {
    let script = Arc::new(script);
    for stream in listener.incoming().flatten() {
        let script = Arc::clone(&script);
        std::thread::spawn(move || converse(stream, &*script));
    }
}

fn converse(stream: TcpStream, script: &dyn Fn(&Request) -> Answer) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
        let path = line.split(' ').nth(1)?.to_owned();
        let (mut length, mut authorization) = (0, None);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let Some((name, value)) = header.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "authorization" => authorization = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let request = Request { path, authorization, body: String::from_utf8_lossy(&body).into_owned() };
        match script(&request) {
            Some((status, text)) => {
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", text.len());
                stream.write_all((head + &text).as_bytes()).ok()?;
            }
            None => loop {
                std::thread::park();
            },
        }
    }
}

/// An engine that is fine: serves `model` and completes.
pub(crate) fn good(model: &str, request: &Request) -> Answer {
    Some(match request.path.as_str() {
        "/health" => (200, String::new()),
        "/v1/models" => (200, format!(r#"{{"data":[{{"id":"{model}","max_model_len":2048}}]}}"#)),
        "/v1/completions" => (200, r#"{"choices":[{"text":" a king"}]}"#.to_owned()),
        "/props" => (200, r#"{"n_ctx":2048}"#.to_owned()),
        "/metrics" => (200, "vllm:x 1\n".to_owned()),
        _ => (404, "no such route".to_owned()),
    })
}
