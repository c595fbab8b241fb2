//! A server whose latencies are known: it answers on a fixed timetable, in every shape that real servers send and
//! some that they should not, and writes down when it sent what.
//!
//! *Invariant*: every write is stamped with CLOCK_MONOTONIC right before it is handed to the kernel, so a client on
//! this machine can be compared with what was sent, however late this server's own timers were.

mod answer;
mod vocabulary;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use answer::Answer;
pub use vocabulary::tokenizer_json;

/// How an answer is sent. The first fifteen are the matrix that load generators are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// One token per event, one event per write, usage at the end, chunked encoding.
    Clean,
    /// A role event at once, then as `Clean`.
    RoleFirst,
    /// Five tokens, an error event, `[DONE]`.
    ErrorEvent,
    /// Five tokens, then a well-formed end of the body without finish or `[DONE]`.
    Truncated,
    /// Five tokens, then the connection ends in the middle of the body.
    Cut,
    /// CRLF line ends.
    Crlf,
    /// No space after `data:`.
    NoSpace,
    /// Each event is written in two pieces, cut inside a UTF-8 character.
    Utf8Split,
    /// Four tokens per event.
    TokensPerEvent,
    /// Five events per write.
    EventsPerWrite,
    /// Three quarters of the answer is reasoning.
    Reasoning,
    /// Usage comes 300 ms after the last token.
    LateUsage,
    /// Comments before and between the events.
    Pings,
    /// No chunked encoding: the body ends with the connection.
    NotChunked,
    /// Every second request is answered with HTTP 500.
    EverySecond500,
    /// No usage at all.
    NoUsage,
    /// A running token count on every event; several tokens per event; some events without text.
    ContinuousUsage,
    /// Empty events between the tokens.
    EmptyEvents,
    /// The whole answer as one JSON document.
    NoStream,
    /// The finish comes, `[DONE]` never does, and the connection stays open for a while.
    NoDone,
    /// A finish without any token.
    NoTokens,
    /// Half of the tokens that were asked for.
    Short,
    /// One unreadable event.
    Garbage,
    /// As `Clean`, but the connection is closed after each answer without having said so.
    ClosesSilently,
}

impl Case {
    /// The fifteen cases of the stream matrix.
    pub const MATRIX: [Self; 15] = [
        Self::Clean,
        Self::RoleFirst,
        Self::ErrorEvent,
        Self::Truncated,
        Self::Cut,
        Self::Crlf,
        Self::NoSpace,
        Self::Utf8Split,
        Self::TokensPerEvent,
        Self::EventsPerWrite,
        Self::Reasoning,
        Self::LateUsage,
        Self::Pings,
        Self::NotChunked,
        Self::EverySecond500,
    ];
}

/// What `usage.prompt_tokens` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptTokens {
    /// Words in the prompt, which is what [`tokenizer_json`] counts.
    Words,
    /// The number of the request from 0, so that a record can be matched with what was sent to it.
    Number,
}

/// The timetable.
#[derive(Clone, Copy, Debug)]
pub struct Timetable {
    /// How answers are sent.
    pub case: Case,
    /// From the end of the request to the first token.
    pub first: Duration,
    /// Between token times.
    pub gap: Duration,
    /// What the prompt count says.
    pub prompt_tokens: PromptTokens,
}

impl Timetable {
    /// 20 ms to the first token, 2 ms between tokens.
    pub fn quick(case: Case) -> Self {
        Self {
            case,
            first: Duration::from_millis(20),
            gap: Duration::from_millis(2),
            prompt_tokens: PromptTokens::Words,
        }
    }
}

/// What was sent to one request.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// The prompt, or the contents of its messages, one per line.
    pub prompt: String,
    /// The request's body.
    pub body: Value,
    /// When the request had been read, nanoseconds of CLOCK_MONOTONIC.
    pub received_ns: u64,
    /// Each write that carried tokens: when, and how many.
    pub writes: Vec<(u64, u32)>,
}

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct ClosedForm {
    /// Where it listens.
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<Served>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct State {
    timetable: Timetable,
    log: Arc<Mutex<Vec<Served>>>,
    requests: AtomicU64,
}

fn lock(log: &Mutex<Vec<Served>>) -> MutexGuard<'_, Vec<Served>> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// CLOCK_MONOTONIC in nanoseconds.
pub fn monotonic_ns() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |t| Duration::from(t).as_nanos() as u64)
}

impl ClosedForm {
    /// Starts it on a free loopback port, on a thread of its own.
    ///
    /// # Errors
    /// No port or thread can be had.
    pub fn start(timetable: Timetable) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let log: Arc<Mutex<Vec<Served>>> = Arc::default();
        let state = Arc::new(State { timetable, log: log.clone(), requests: AtomicU64::new(0) });
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("closed-form".to_owned()).spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    () = accept(listener, state) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, log, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://address`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was sent so far, by request number.
    pub fn served(&self) -> Vec<Served> {
        lock(&self.log).clone()
    }
}

impl Drop for ClosedForm {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server has already failed the test that asked it.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        tokio::spawn(async move {
            // A client that goes away ends its connection, nothing else.
            let _ = connection(stream, &state).await;
        });
    }
}

async fn connection(mut stream: TcpStream, state: &State) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some((path, body)) = request(&mut stream, &mut buffer).await? {
        let received_ns = monotonic_ns();
        let keep = match path.as_str() {
            "/v1/models" => {
                let models = json!({ "object": "list", "data": [{ "id": "closed-form", "object": "model" }] });
                plain(&mut stream, 200, &models).await?
            }
            "/tokenize" => {
                let text = body.get("prompt").or(body.get("content")).and_then(Value::as_str).unwrap_or("");
                let tokens: Vec<usize> = (0..text.split_whitespace().count()).collect();
                plain(&mut stream, 200, &json!({ "count": tokens.len(), "tokens": tokens })).await?
            }
            "/v1/chat/completions" | "/v1/completions" => {
                let chat = path.contains("chat");
                let number = state.requests.fetch_add(1, Ordering::Relaxed);
                lock(&state.log).push(Served { prompt: prompt(&body), body, received_ns, writes: Vec::new() });
                Answer { stream: &mut stream, state, number, received_ns, chat, counted: 0 }.send().await?
            }
            _ => plain(&mut stream, 404, &json!({ "error": { "message": "no such path" } })).await?,
        };
        if !keep {
            break;
        }
    }
    stream.shutdown().await
}

async fn plain(stream: &mut TcpStream, status: u16, value: &Value) -> io::Result<bool> {
    let body = value.to_string();
    let head =
        format!("HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    Ok(true)
}

/// The next request's path and JSON body; `None` when the client is gone.
async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<(String, Value)>> {
    let mut piece = [0; 16 * 1024];
    loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|l| l.strip_prefix("content-length:"))
                .and_then(|v| v.trim().parse::<usize>().ok())
                .unwrap_or(0);
            if buffer.len() >= end + 4 + length {
                let path = head.split(' ').nth(1).unwrap_or("").to_owned();
                let body = serde_json::from_slice(&buffer[end + 4..end + 4 + length]).unwrap_or(Value::Null);
                buffer.drain(..end + 4 + length);
                return Ok(Some((path, body)));
            }
        }
        let n = stream.read(&mut piece).await?;
        if n == 0 {
            return Ok(None);
        }
        buffer.extend_from_slice(&piece[..n]);
    }
}

fn prompt(body: &Value) -> String {
    if let Some(text) = body.get("prompt").and_then(Value::as_str) {
        return text.to_owned();
    }
    let messages = body.get("messages").and_then(Value::as_array).into_iter().flatten();
    messages.filter_map(|m| m.get("content")?.as_str()).collect::<Vec<_>>().join("\n")
}
