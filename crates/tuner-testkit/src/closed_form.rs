//! A server whose latencies are known: it answers on a fixed timetable, in every shape that real servers send and
//! some that they should not, and writes down when it sent what.
//!
//! *Invariant*: every write is stamped with CLOCK_MONOTONIC right before it is handed to the kernel, so a client on
//! this machine can be compared with what was sent, however late this server's own timers were.

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

struct Answer<'a> {
    stream: &'a mut TcpStream,
    state: &'a State,
    number: u64,
    received_ns: u64,
    chat: bool,
    counted: u32,
}

impl Answer<'_> {
    fn field(&self, path: &[&str]) -> Option<Value> {
        let log = lock(&self.state.log);
        let mut value = &log[self.number as usize].body;
        for name in path {
            value = value.get(*name)?;
        }
        Some(value.clone())
    }

    /// Sends the answer on its timetable; whether the connection can be kept.
    async fn send(mut self) -> io::Result<bool> {
        let Timetable { case, first, gap, .. } = self.state.timetable;
        if case == Case::EverySecond500 && self.number % 2 == 1 {
            let error = json!({ "error": { "message": "planned failure", "code": 500 } });
            return plain(self.stream, 500, &error).await;
        }
        let asked = self.field(&["max_tokens"]).and_then(|v| v.as_u64()).unwrap_or(16) as u32;
        let total = match case {
            Case::ErrorEvent | Case::Truncated | Case::Cut => 5.min(asked),
            Case::Short => asked / 2,
            Case::NoTokens => 0,
            _ => asked,
        };
        if case == Case::NoStream {
            self.wait(first + gap * total.saturating_sub(1)).await;
            return self.whole(total).await;
        }
        let framing = if case == Case::NotChunked { "connection: close" } else { "transfer-encoding: chunked" };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{framing}\r\n\r\n");
        self.stream.write_all(head.as_bytes()).await?;
        match case {
            Case::RoleFirst => {
                let role = self.event(json!({ "role": "assistant", "content": "" }), Value::Null, None);
                self.write(role.as_bytes(), 0).await?;
            }
            Case::Pings => self.write(b": ping\n\n: ping\r\n\r\n", 0).await?,
            _ => {}
        }
        self.tokens(total).await?;
        self.end(total).await
    }

    async fn tokens(&mut self, total: u32) -> io::Result<()> {
        let Timetable { case, first, gap, .. } = self.state.timetable;
        let (per_event, per_write) = match case {
            Case::TokensPerEvent => (4, 1),
            Case::ContinuousUsage => (3, 1),
            Case::EventsPerWrite => (1, 5),
            _ => (1, 1),
        };
        let mut sent = 0;
        while sent < total {
            // A write leaves when its last token is there.
            let in_write = (per_event * per_write).min(total - sent);
            self.wait(first + gap * (sent + in_write - 1)).await;
            let mut bytes = String::new();
            for event in 0..in_write.div_ceil(per_event) {
                let begin = sent + event * per_event;
                let count = per_event.min(total - begin);
                bytes.push_str(&self.token_event(begin, count, total));
                if case == Case::EmptyEvents {
                    bytes.push_str(&self.event(json!({ "content": "" }), Value::Null, None));
                }
            }
            if case == Case::Pings && sent.is_multiple_of(4) {
                bytes.push_str(": ping\n\n");
            }
            let middle = bytes.find('漢').filter(|_| case == Case::Utf8Split);
            match middle {
                Some(at) => {
                    self.write(&bytes.as_bytes()[..at + 1], 0).await?;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    self.write(&bytes.as_bytes()[at + 1..], in_write).await?;
                }
                None => self.write(bytes.as_bytes(), in_write).await?,
            }
            sent += in_write;
        }
        Ok(())
    }

    fn token_event(&mut self, begin: u32, count: u32, total: u32) -> String {
        let case = self.state.timetable.case;
        let words: Vec<String> = (begin..begin + count)
            .map(|k| if case == Case::Utf8Split { " ä漢".to_owned() } else { format!(" {}", word(k)) })
            .collect();
        // Special tokens are real tokens without text; only a running count shows them.
        let silent = case == Case::ContinuousUsage && (begin / 3) % 4 == 3;
        let text = if silent { String::new() } else { words.concat() };
        let reasoning = case == Case::Reasoning && begin < total * 3 / 4;
        let delta = if reasoning { json!({ "reasoning_content": text }) } else { json!({ "content": text }) };
        self.counted += count;
        let usage = (case == Case::ContinuousUsage).then(|| self.usage(self.counted));
        self.event(delta, Value::Null, usage)
    }

    fn usage(&self, completion: u32) -> Value {
        let prompt = match self.state.timetable.prompt_tokens {
            PromptTokens::Number => self.number,
            PromptTokens::Words => lock(&self.state.log)[self.number as usize].prompt.split_whitespace().count() as u64,
        };
        json!({ "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + u64::from(completion) })
    }

    fn event(&self, delta: Value, finish: Value, usage: Option<Value>) -> String {
        let mut choice = json!({ "index": 0, "finish_reason": finish });
        if self.chat {
            choice["delta"] = delta;
        } else {
            choice["text"] = delta.get("content").cloned().unwrap_or(json!(""));
        }
        let mut chunk = json!({ "object": "chat.completion.chunk", "choices": [choice] });
        if let Some(usage) = usage {
            chunk["usage"] = usage;
        }
        self.frame(&chunk.to_string())
    }

    fn frame(&self, data: &str) -> String {
        match self.state.timetable.case {
            Case::Crlf => format!("data: {data}\r\n\r\n"),
            Case::NoSpace => format!("data:{data}\n\n"),
            _ => format!("data: {data}\n\n"),
        }
    }

    async fn end(mut self, total: u32) -> io::Result<bool> {
        let case = self.state.timetable.case;
        match case {
            Case::ErrorEvent => {
                let error = self.frame(r#"{"error":{"message":"planned failure","code":500}}"#);
                self.write(error.as_bytes(), 0).await?;
            }
            Case::Truncated => return self.last_chunk().await,
            Case::Cut => return Ok(false),
            Case::Garbage => {
                let garbage = self.frame("what is this");
                self.write(garbage.as_bytes(), 0).await?;
            }
            _ => {}
        }
        if case != Case::ErrorEvent {
            let finish = self.event(json!({}), json!("length"), None);
            self.write(finish.as_bytes(), 0).await?;
            let wanted = self.field(&["stream_options", "include_usage"]) == Some(Value::Bool(true));
            if wanted && case != Case::NoUsage {
                if case == Case::LateUsage {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                let chunk = json!({ "choices": [], "usage": self.usage(total) });
                let usage = self.frame(&chunk.to_string());
                self.write(usage.as_bytes(), 0).await?;
            }
        }
        if case != Case::NoDone {
            let done = self.frame("[DONE]");
            self.write(done.as_bytes(), 0).await?;
        }
        self.last_chunk().await
    }

    async fn last_chunk(&mut self) -> io::Result<bool> {
        if self.state.timetable.case == Case::NotChunked {
            return Ok(false);
        }
        self.stream.write_all(b"0\r\n\r\n").await?;
        Ok(true)
    }

    async fn whole(self, total: u32) -> io::Result<bool> {
        let text: String = (0..total).map(|k| format!(" {}", word(k))).collect();
        let choice = json!({ "index": 0, "finish_reason": "length", "message": { "role": "assistant", "content": text }, "text": text });
        let body = json!({ "object": "chat.completion", "choices": [choice], "usage": self.usage(total) });
        lock(&self.state.log)[self.number as usize].writes.push((monotonic_ns(), total));
        plain(self.stream, 200, &body).await
    }

    async fn wait(&self, after: Duration) {
        let at = self.received_ns + after.as_nanos() as u64;
        let now = monotonic_ns();
        if at > now {
            tokio::time::sleep(Duration::from_nanos(at - now)).await;
        }
    }

    async fn write(&mut self, bytes: &[u8], tokens: u32) -> io::Result<()> {
        let framed = if self.state.timetable.case == Case::NotChunked {
            bytes.to_vec()
        } else {
            [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
        };
        let at_ns = monotonic_ns();
        self.stream.write_all(&framed).await?;
        if tokens > 0 {
            lock(&self.state.log)[self.number as usize].writes.push((at_ns, tokens));
        }
        Ok(())
    }
}

/// Pronounceable words, each one token of [`tokenizer_json`].
fn word(k: u32) -> String {
    let syllable = |n: u32| {
        let consonant = char::from(b"bdfgklmnprstvz"[(n % 14) as usize]);
        let vowel = char::from(b"aeiou"[(n / 14 % 5) as usize]);
        format!("{consonant}{vowel}")
    };
    format!("{}{}", syllable(k), syllable(k / 70 + 3))
}

/// Words in the vocabulary.
const VOCABULARY: u32 = 1400;

/// A Hugging Face `tokenizer.json` whose tokens are the words that this server writes, one per word.
pub fn tokenizer_json() -> String {
    let mut vocabulary = serde_json::Map::new();
    vocabulary.insert("<unk>".to_owned(), json!(0));
    for entry in (0..VOCABULARY).map(word).chain(["ä漢".to_owned()]) {
        let id = vocabulary.len();
        vocabulary.entry(entry).or_insert(json!(id));
    }
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": { "type": "WhitespaceSplit" },
        "post_processor": null, "decoder": null,
        "model": { "type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>" },
    })
    .to_string()
}
