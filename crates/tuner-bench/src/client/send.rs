//! One request from its body to its collected answer.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::Method;
use hyper::body::Incoming;
use tokio::time::Instant;
use tuner_core::task::Api;

use super::clock::monotonic_ns;
use super::collector::{BodyEnd, Collector};
use super::connection::{Connection, describe};
use super::event::error_text;
use super::target::Address;

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long the rest of a body may take after `[DONE]`, before the connection is given up.
const AFTER_DONE_LIMIT: Duration = Duration::from_millis(100);
/// Most bytes of an error answer, and of one that does not stream.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Limits on one request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From sending to the end.
    pub total: Duration,
    /// Between reads.
    pub idle: Duration,
}

/// What was seen of one request.
#[derive(Debug)]
pub struct Exchange {
    /// When it was sent; `None` if no connection could be made.
    pub sent_ns: Option<u64>,
    /// Time spent connecting.
    pub connect_ns: Option<u64>,
    /// The server had closed a kept connection without having said so.
    pub closed_silently: bool,
    /// The answer.
    pub answer: Collector,
    /// How the answer ended.
    pub end: BodyEnd,
    /// Kernel-to-user delay of each token-bearing read, nanoseconds.
    pub delays_ns: Vec<u64>,
}

/// Called when a read brought tokens: (events so far, time since the previous token read or since sending, first).
pub(crate) trait Watch {
    fn sent(&self) {}
    fn tokens(&self, _events: u64, _since_ns: u64, _first: bool) {}
}

impl Watch for () {}

/// Sends `body` on `slot`'s connection, making one first if there is none that can be used.
///
/// A kept connection that the server closes in the very moment of sending, before a byte of an answer, is replaced
/// once; the request's time still begins at the first attempt. Nothing else is ever tried again.
pub(crate) async fn exchange(
    slot: &mut Option<Connection>,
    address: &Address,
    api: Api,
    body: Bytes,
    limits: Limits,
    watch: &impl Watch,
) -> Exchange {
    let mut seen = Exchange {
        sent_ns: None,
        connect_ns: None,
        closed_silently: false,
        answer: Collector::new(api),
        end: BodyEnd::Clean,
        delays_ns: Vec::new(),
    };
    let kept = slot.take().and_then(|mut kept| {
        let usable = kept.is_usable();
        seen.closed_silently = !usable && !kept.is_old();
        usable.then_some(kept)
    });
    let mut reused = kept.is_some();
    let mut connection = match kept {
        Some(connection) => connection,
        None => match seen.connect(address, limits).await {
            Some(connection) => connection,
            None => return seen,
        },
    };
    let sent = monotonic_ns();
    seen.sent_ns = Some(sent);
    watch.sent();
    let mut timer = Timer::new(limits);
    let response = loop {
        let request = address.ask(api, body.clone());
        match timer.limit(connection.respond(request)).await {
            Ok(Ok(response)) => break response,
            Ok(Err(_)) if reused && connection.last_read().0 < sent => {
                reused = false;
                seen.closed_silently = true;
                match seen.connect(address, limits).await {
                    Some(fresh) => connection = fresh,
                    None => return seen,
                }
            }
            Ok(Err(error)) => {
                seen.end = broken(&error);
                return seen;
            }
            Err(_) => {
                seen.end = BodyEnd::Broken("timeout_first", timer.message());
                return seen;
            }
        }
    };
    let status = response.status();
    let streams = response
        .headers()
        .get(hyper::header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.trim_start().starts_with("text/event-stream"));
    let mut body = response.into_body();
    if status.is_success() && streams {
        seen.follow(&mut connection, &mut body, &mut timer, sent, watch).await;
    } else {
        let (whole, end) = read_whole(&mut connection, &mut body, &mut timer).await;
        seen.end = end;
        if !status.is_success() {
            let class = http_class(status.as_u16());
            seen.end = BodyEnd::Broken(class, format!("{status}: {}", error_message(&whole)));
        } else if seen.end == BodyEnd::Clean {
            seen.answer.whole(connection.last_read().0, &whole);
        }
    }
    if seen.settle(&mut connection, &mut body).await {
        *slot = Some(connection);
    }
    seen
}

impl Exchange {
    async fn connect(&mut self, address: &Address, limits: Limits) -> Option<Connection> {
        let began = monotonic_ns();
        let opened = Connection::open(address, CONNECT_LIMIT.min(limits.total)).await;
        self.connect_ns = Some(monotonic_ns() - began);
        opened.map_err(|message| self.end = BodyEnd::Broken("connect", message)).ok()
    }

    async fn follow(
        &mut self,
        connection: &mut Connection,
        body: &mut Incoming,
        timer: &mut Timer,
        sent: u64,
        watch: &impl Watch,
    ) {
        let mut previous = sent;
        while !self.answer.is_done() {
            let data = match timer.limit(connection.data(body)).await {
                Ok(Some(Ok(data))) => data,
                Ok(None) => return,
                Ok(Some(Err(error))) => {
                    self.end = broken(&error);
                    return;
                }
                Err(idle) => {
                    let class = match (idle, self.answer.has_tokens()) {
                        (_, false) => "timeout_first",
                        (true, true) => "timeout_idle",
                        (false, true) => "timeout_total",
                    };
                    self.end = BodyEnd::Broken(class, timer.message());
                    return;
                }
            };
            let (at, delay) = connection.last_read();
            let (reads, events) = (self.answer.reads().len(), self.answer.counts.token);
            self.answer.stream(at, &data);
            if self.answer.counts.token > events {
                watch.tokens(self.answer.counts.token - events, at.saturating_sub(previous), events == 0);
                previous = at;
            }
            if self.answer.reads().len() > reads {
                self.delays_ns.extend(delay);
            }
        }
    }

    /// Reads what is left of the body; whether the connection can carry another request.
    async fn settle(&mut self, connection: &mut Connection, body: &mut Incoming) -> bool {
        if matches!(self.end, BodyEnd::Broken(class, _) if !class.starts_with("http_")) {
            return false;
        }
        let rest = async {
            while let Some(data) = connection.data(body).await {
                if data.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(AFTER_DONE_LIMIT, rest).await.unwrap_or(false)
    }
}

async fn read_whole(connection: &mut Connection, body: &mut Incoming, timer: &mut Timer) -> (Bytes, BodyEnd) {
    let mut whole = BytesMut::new();
    loop {
        match timer.limit(connection.data(body)).await {
            Ok(None) => return (whole.freeze(), BodyEnd::Clean),
            Ok(Some(Ok(data))) if whole.len() + data.len() <= MAX_BODY => whole.extend_from_slice(&data),
            Ok(Some(Ok(_))) => {
                let message = format!("the answer is longer than {MAX_BODY} bytes");
                return (whole.freeze(), BodyEnd::Broken("parse", message));
            }
            Ok(Some(Err(error))) => return (whole.freeze(), broken(&error)),
            Err(_) => return (whole.freeze(), BodyEnd::Broken("timeout_first", timer.message())),
        }
    }
}

/// A plain call outside a measurement: status and body.
pub(crate) async fn call(
    address: &Address,
    method: Method,
    path: &str,
    body: Bytes,
    limit: Duration,
) -> Result<(u16, Bytes), String> {
    let mut connection = Connection::open(address, CONNECT_LIMIT.min(limit)).await?;
    let mut timer = Timer::new(Limits { total: limit, idle: limit });
    let response = match timer.limit(connection.respond(address.request(method, path, body))).await {
        Ok(answer) => answer.map_err(|e| describe(&e))?,
        Err(_) => return Err(timer.message()),
    };
    let status = response.status().as_u16();
    let mut body = response.into_body();
    match read_whole(&mut connection, &mut body, &mut timer).await {
        (whole, BodyEnd::Clean) => Ok((status, whole)),
        (_, BodyEnd::Broken(_, message)) => Err(message),
    }
}

/// The message of an error answer, or its beginning.
pub(crate) fn error_message(body: &[u8]) -> String {
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(value) => error_text(value.get("error").unwrap_or(&value)),
        Err(_) => String::from_utf8_lossy(body).trim().chars().take(300).collect(),
    }
}

fn broken(error: &hyper::Error) -> BodyEnd {
    let class = if error.is_parse() { "parse" } else { "cut" };
    BodyEnd::Broken(class, describe(error))
}

/// `http_` and the status, as static text so that classes stay a closed set.
fn http_class(status: u16) -> &'static str {
    match status {
        400 => "http_400",
        401 => "http_401",
        403 => "http_403",
        404 => "http_404",
        408 => "http_408",
        413 => "http_413",
        422 => "http_422",
        429 => "http_429",
        500 => "http_500",
        501 => "http_501",
        502 => "http_502",
        503 => "http_503",
        504 => "http_504",
        300..=399 => "http_3xx",
        other if other < 500 => "http_4xx",
        _ => "http_5xx",
    }
}

/// Two limits on one timer, which is only moved when it fires.
struct Timer {
    limits: Limits,
    deadline: Instant,
    last_read: Instant,
    sleep: std::pin::Pin<Box<tokio::time::Sleep>>,
}

impl Timer {
    fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let sleep = Box::pin(tokio::time::sleep_until(now + limits.idle.min(limits.total)));
        Self { limits, deadline: now + limits.total, last_read: now, sleep }
    }

    /// The future's output, or whether it was the idle limit that ended the wait.
    async fn limit<F: Future>(&mut self, future: F) -> Result<F::Output, bool> {
        let mut future = std::pin::pin!(future);
        loop {
            tokio::select! {
                biased;
                output = &mut future => {
                    self.last_read = Instant::now();
                    return Ok(output);
                }
                () = &mut self.sleep => {
                    let now = Instant::now();
                    let idle_end = self.last_read + self.limits.idle;
                    if now >= self.deadline {
                        return Err(false);
                    }
                    if now >= idle_end {
                        return Err(true);
                    }
                    self.sleep.as_mut().reset(idle_end.min(self.deadline));
                }
            }
        }
    }

    fn message(&self) -> String {
        let Limits { total, idle } = self.limits;
        if Instant::now() >= self.deadline {
            format!("not finished after {} s", total.as_secs_f64())
        } else {
            format!("nothing came for {} s", idle.as_secs_f64())
        }
    }
}
