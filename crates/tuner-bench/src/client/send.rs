//! One request from its body to its collected answer.

use std::time::Duration;

use bytes::Bytes;
use tuner_core::task::Api;

use super::body::Incoming;
use super::clock::monotonic_ns;
use super::collector::{BodyEnd, Collector};
use super::connection::{Broken, Connection};
use super::event::error_text;
use super::http1::Part;
use super::target::{Address, Outgoing};
use super::timer::Timer;
use super::transport::Stamp;

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long the rest of a body may take after its last event, before the connection is given up.
const AFTER_DONE_LIMIT: Duration = Duration::from_millis(100);

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
/// once; the request's time still begins at the first attempt. Nothing else is ever tried again, whatever the server
/// asks for (`Retry-After`).
pub(crate) async fn exchange(
    slot: &mut Option<Connection>,
    address: &Address,
    api: Api,
    body: Bytes,
    limits: Limits,
    watch: &impl Watch,
) -> Exchange {
    let mut seen = Exchange::new(api);
    let kept = slot.take().and_then(|mut kept| {
        let usable = kept.is_usable();
        seen.closed_silently = !usable && !kept.is_old();
        usable.then_some(kept)
    });
    let reused = kept.is_some();
    let mut connection = match kept {
        Some(connection) => connection,
        None => match seen.connect(address, limits).await {
            Some(connection) => connection,
            None => return seen,
        },
    };
    let request = address.ask(api, body);
    let sent = monotonic_ns();
    seen.sent_ns = Some(sent);
    watch.sent();
    let mut timer = Timer::new(limits);
    let mut incoming = Incoming::default();
    let mut result = seen.converse(&mut connection, &request, &mut timer, &mut incoming, watch).await;
    if matches!(result, Err(("cut", _))) && reused && !connection.has_begun() {
        seen.closed_silently = true;
        match seen.connect(address, limits).await {
            Some(fresh) => connection = fresh,
            None => return seen,
        }
        result = seen.converse(&mut connection, &request, &mut timer, &mut incoming, watch).await;
    }
    seen.conclude(result, &incoming);
    if seen.settle(&mut connection, &mut incoming).await {
        *slot = Some(connection);
    }
    seen
}

impl Exchange {
    /// Before anything was sent.
    pub(super) fn new(api: Api) -> Self {
        Self {
            sent_ns: None,
            connect_ns: None,
            closed_silently: false,
            answer: Collector::new(api),
            end: BodyEnd::Clean,
            delays_ns: Vec::new(),
        }
    }

    async fn connect(&mut self, address: &Address, limits: Limits) -> Option<Connection> {
        let began = monotonic_ns();
        let opened = Connection::open(address, CONNECT_LIMIT.min(limits.total)).await;
        self.connect_ns = Some(monotonic_ns() - began);
        opened.map_err(|(class, message)| self.end = BodyEnd::Broken(class, message)).ok()
    }

    /// Sends the request and follows the answer to its end, or to its last event.
    async fn converse(
        &mut self,
        connection: &mut Connection,
        request: &Outgoing<'_>,
        timer: &mut Timer,
        incoming: &mut Incoming,
        watch: &impl Watch,
    ) -> Result<(), Broken> {
        let written = match timer.limit(connection.send(request)).await {
            Ok(written) => written,
            Err(_) => return Err(("timeout_first", timer.message())),
        };
        let mut previous = self.sent_ns.unwrap_or_default();
        while !incoming.has_ended() && !self.answer.is_done() {
            let (reads, events) = (self.answer.reads().len(), self.answer.counts.token);
            let mut stamp = Stamp::default();
            let answer = &mut self.answer;
            let mut sink = |part: Part<'_>, at| {
                stamp = at;
                incoming.take(part, at, answer);
            };
            match timer.limit(connection.next(&mut sink)).await {
                Ok(Ok(())) => {}
                // A server that refuses a long prompt answers and closes while it is still being written.
                Ok(Err(broken)) => return Err(written.err().unwrap_or(broken)),
                Err(idle) => {
                    let class = match (idle, self.answer.has_tokens()) {
                        (_, false) => "timeout_first",
                        (true, true) => "timeout_idle",
                        (false, true) => "timeout_total",
                    };
                    return Err((class, timer.message()));
                }
            }
            incoming.problem()?;
            let more = self.answer.counts.token - events;
            if more > 0 {
                watch.tokens(more, stamp.at_ns.saturating_sub(previous), events == 0);
                previous = stamp.at_ns;
            }
            if self.answer.reads().len() > reads {
                self.delays_ns.extend(stamp.delay_ns);
            }
        }
        Ok(())
    }

    /// What the answer came to, once nothing more of it matters.
    pub(super) fn conclude(&mut self, result: Result<(), Broken>, incoming: &Incoming) {
        if let Some((status, whole)) = incoming.refusal() {
            let wait = incoming.retry_after().map_or_else(String::new, |wait| format!(" (retry after {wait})"));
            self.end = BodyEnd::Broken(http_class(status), format!("{status}: {}{wait}", error_message(whole)));
        } else if let Err((class, message)) = result {
            self.end = BodyEnd::Broken(class, message);
        } else if let Some((stamp, whole)) = incoming.document() {
            self.answer.whole(stamp.at_ns, whole);
            if self.answer.has_tokens() {
                self.delays_ns.extend(stamp.delay_ns);
            }
        }
    }

    /// Reads what is left of the body; whether the connection can carry another request.
    async fn settle(&mut self, connection: &mut Connection, incoming: &mut Incoming) -> bool {
        if matches!(self.end, BodyEnd::Broken(class, _) if !class.starts_with("http_")) {
            return false;
        }
        if incoming.has_ended() {
            return connection.can_be_kept();
        }
        let rest = async {
            while !incoming.has_ended() {
                if connection.next(&mut |part, _| incoming.skip(part)).await.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(AFTER_DONE_LIMIT, rest).await.unwrap_or(false) && connection.can_be_kept()
    }
}

/// A plain call outside a measurement: status and body.
pub(crate) async fn call(address: &Address, request: &Outgoing<'_>, limit: Duration) -> Result<(u16, Vec<u8>), String> {
    let mut connection = Connection::open(address, CONNECT_LIMIT.min(limit)).await.map_err(|(_, message)| message)?;
    let mut timer = Timer::new(Limits { total: limit, idle: limit });
    let mut incoming = Incoming::default();
    let mut unread = Collector::default();
    let late = |timer: &Timer| timer.message();
    timer.limit(connection.send(request)).await.map_err(|_| late(&timer))?.map_err(|(_, message)| message)?;
    while !incoming.has_ended() {
        let mut sink = |part: Part<'_>, at| incoming.take(part, at, &mut unread);
        timer.limit(connection.next(&mut sink)).await.map_err(|_| late(&timer))?.map_err(|(_, message)| message)?;
        incoming.problem().map_err(|(_, message)| message)?;
    }
    Ok(incoming.into_whole())
}

/// The message of an error answer, or its beginning.
pub(crate) fn error_message(body: &[u8]) -> String {
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(value) => error_text(value.get("error").unwrap_or(&value)),
        Err(_) => String::from_utf8_lossy(body).trim().chars().take(300).collect(),
    }
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
