//! A client thread: one event loop that carries a share of the streams and does nothing else.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{AbortHandle, abortable};
use nix::sys::resource::{UsageWho, getrusage};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tuner_core::record::{Fate, PlannedRequest, RequestRecord, TokenRead};

use super::early::News;
use super::queue::Prepared;
use super::release::Due;
use super::talk::{self, PreparedTalk};
use super::{Shared, gather};
use crate::client::{Connection, EventCounts, Exchange, exchange, monotonic_ns};
use crate::protocol::Built;

/// How often a thread looks at its own CPU time.
const CPU_TICK: Duration = Duration::from_millis(50);

/// A record with what the report needs beside it.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) record: RequestRecord,
    /// Between the planned release and sending, caps and connecting left out, nanoseconds.
    pub(super) lag_ns: u64,
    pub(super) delays_ns: Vec<u64>,
    pub(super) counts: EventCounts,
    /// The answer's text, kept only where it must be counted.
    pub(super) text: Option<String>,
}

impl Finished {
    /// A request that was never sent.
    pub(super) fn unsent(record: RequestRecord) -> Self {
        Self { record, lag_ns: 0, delays_ns: Vec::new(), counts: EventCounts::default(), text: None }
    }
}

/// What a thread brings home.
#[derive(Debug, Default)]
pub(super) struct Harvest {
    pub(super) finished: Vec<Finished>,
    /// Share of a core that it used in the window.
    pub(super) cpu: Option<f64>,
}

/// How a thread gets its requests.
pub(super) enum Work {
    /// Streams that each send when they are free.
    Streams(u32),
    /// Requests as they fall due.
    Arrivals(mpsc::UnboundedReceiver<Due<Prepared>>),
    /// Users who each begin a conversation when they are free.
    Users(u32),
    /// Conversations as they fall due.
    Talks(mpsc::UnboundedReceiver<Due<PreparedTalk>>),
}

/// What the tasks of a thread share. No other thread takes these locks.
#[derive(Default)]
pub(super) struct Local {
    pub(super) finished: Mutex<Vec<Finished>>,
    /// Ends each request that is under way, by its index.
    under_way: Mutex<HashMap<u64, AbortHandle>>,
    pub(super) idle: Mutex<Vec<Connection>>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each is whole between statements, whatever a panicking task left undone.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a client thread to its end.
pub(super) fn run(shared: Arc<Shared>, work: Work) -> std::io::Result<Harvest> {
    let waiting = shared.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(move || gather::before_waiting(&waiting.next_ns))
        .build()?;
    let local = Arc::new(Local::default());
    let window = Arc::new(Mutex::new(CpuWindow::default()));
    // The loop's own future is looked at whenever anything happens, so it only waits for the task that does the rest.
    let all = runtime.spawn({
        let (shared, local, window) = (shared.clone(), local.clone(), window.clone());
        async move {
            let watcher = tokio::spawn(watch_cpu(shared.clone(), window));
            let ender = tokio::spawn(end_all(shared.clone(), local.clone()));
            match work {
                Work::Streams(count) => {
                    all((0..count).map(|_| tokio::spawn(stream(shared.clone(), local.clone())))).await;
                }
                Work::Users(count) => {
                    let user = |_| tokio::spawn(talk::user(shared.clone(), local.clone()));
                    all((0..count).map(user)).await;
                }
                Work::Arrivals(due) => arrivals(shared, local, due).await,
                Work::Talks(due) => talk::talks(shared, local, due).await,
            }
            watcher.abort();
            ender.abort();
        }
    });
    // As above: one that panicked brings home what the others did.
    let _ = runtime.block_on(all);
    let finished = std::mem::take(&mut *lock(&local.finished));
    let cpu = lock(&window).share();
    Ok(Harvest { finished, cpu })
}

/// Waits for every one of these tasks.
async fn all(tasks: impl Iterator<Item = JoinHandle<()>>) {
    let tasks: Vec<_> = tasks.collect();
    for task in tasks {
        // A task that panicked has lost its own request only; the count shows it as unsent.
        let _ = task.await;
    }
}

/// Ends what is under way when the level is cut off.
async fn end_all(shared: Arc<Shared>, local: Arc<Local>) {
    let mut cancel = shared.cancel.clone();
    cancelled(&mut cancel).await;
    lock(&local.under_way).values().for_each(AbortHandle::abort);
}

async fn stream(shared: Arc<Shared>, local: Arc<Local>) {
    let mut slot = Connection::open(&shared.address, shared.limits.total).await.ok();
    loop {
        let free_ns = monotonic_ns();
        if shared.must_stop(free_ns) {
            shared.queue.close();
            return;
        }
        let mut cancel = shared.cancel.clone();
        let prepared = tokio::select! {
            biased;
            prepared = shared.queue.take() => prepared,
            () = cancelled(&mut cancel) => None,
        };
        let Some(prepared) = prepared else {
            shared.went_idle(free_ns);
            return;
        };
        if !prepared.planned.warmup {
            shared.mark(monotonic_ns());
        }
        let sent = send(&shared, &local, &mut slot, Sending::alone(prepared, free_ns, 0)).await;
        if sent.unanswered {
            // A server that refuses at once would be asked millions of times; a real client waits a moment too.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn arrivals(shared: Arc<Shared>, local: Arc<Local>, mut due: mpsc::UnboundedReceiver<Due<Prepared>>) {
    let mut tasks = tokio::task::JoinSet::new();
    while let Some(Due { what, planned_ns }) = due.recv().await {
        let (shared, local) = (shared.clone(), local.clone());
        tasks.spawn(async move {
            let waited_from = monotonic_ns();
            let permit = match &shared.cap {
                Some(cap) => cap.clone().acquire_owned().await.ok(),
                None => None,
            };
            if permit.is_some() && shared.was_stopped() {
                // It never got its place: one of those that were not sent.
                return;
            }
            let waited_ns = if shared.cap.is_some() { monotonic_ns() - waited_from } else { 0 };
            let mut slot = lock(&local.idle).pop();
            send(&shared, &local, &mut slot, Sending::alone(what, planned_ns, waited_ns)).await;
            lock(&local.idle).extend(slot);
            drop(permit);
        });
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
}

pub(super) async fn cancelled(cancel: &mut watch::Receiver<bool>) {
    // A sender that is gone can no longer cancel.
    if cancel.wait_for(|c| *c).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// A request that is about to be sent.
pub(super) struct Sending {
    pub(super) planned: PlannedRequest,
    pub(super) built: Built,
    pub(super) planned_ns: u64,
    /// Of the time since then, what was not the client's to decide: for a place under a cap, for an earlier answer.
    pub(super) waited_ns: u64,
    /// How long its user thinks after the answer.
    pub(super) think_s: Option<f64>,
    /// The answer's text is wanted.
    pub(super) keep_answer: bool,
}

impl Sending {
    fn alone(prepared: Prepared, planned_ns: u64, waited_ns: u64) -> Self {
        let Prepared { planned, built } = prepared;
        Self { planned, built, planned_ns, waited_ns, think_s: None, keep_answer: false }
    }
}

/// What became of it, for whoever sends the next one.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) completed: bool,
    /// It failed without an answer.
    pub(super) unanswered: bool,
    pub(super) ended_ns: u64,
    /// What was answered, where it was wanted.
    pub(super) answer: String,
}

/// Sends one request and files its record.
pub(super) async fn send(shared: &Shared, local: &Local, slot: &mut Option<Connection>, sending: Sending) -> Sent {
    let Sending { planned, built, planned_ns, waited_ns, think_s, keep_answer } = sending;
    let began_ns = monotonic_ns();
    let clock = shared.clock;
    let planned_s = (!planned.warmup).then(|| clock.seconds(planned_ns));
    let sent = Seen { shared, planned_s, at_ns: AtomicU64::new(0) };
    let result = {
        let asking = exchange(&mut *slot, &shared.address, built.api, built.bytes, shared.limits, &sent);
        let (asking, handle) = abortable(asking);
        lock(&local.under_way).insert(planned.index, handle);
        // Asked after it was listed: whoever cancels later finds it.
        if *shared.cancel.borrow() { None } else { asking.await.ok() }
    };
    lock(&local.under_way).remove(&planned.index);
    let mut record =
        RequestRecord { fate: Fate::Cancelled, think_s, ..RequestRecord::unsent(&planned, clock.seconds(planned_ns)) };
    let lag_ns = began_ns.saturating_sub(planned_ns + waited_ns);
    let mut finished = Finished { lag_ns, ..Finished::unsent(record.clone()) };
    let mut told = Sent::default();
    match result {
        None => {
            let sent_ns = sent.at_ns.load(Relaxed);
            if sent_ns > 0 {
                record.sent_s = Some(clock.seconds(sent_ns));
                record.ended_s = Some(clock.now_s());
            } else {
                record.fate = Fate::Unsent;
            }
        }
        Some(seen) => {
            let Exchange { sent_ns, connect_ns, closed_silently, mut answer, end, delays_ns } = seen;
            shared.keep_alive.fetch_and(!closed_silently, Relaxed);
            if !shared.keep_alive.load(Relaxed) {
                *slot = None;
            }
            let end_ns = monotonic_ns();
            gather::answered(end_ns.saturating_sub(sent_ns.unwrap_or(end_ns)));
            record.fate = answer.finish(end, built.exact_output);
            let seconds = |ns: Option<u64>| ns.map(|ns| clock.seconds(ns));
            record.sent_s = seconds(sent_ns);
            record.connect_s = connect_ns.map(|ns| ns as f64 / 1e9);
            record.first_event_s = seconds(answer.first_event_ns);
            record.first_answer_s = seconds(answer.first_answer_ns);
            told.ended_ns = answer.ended_ns.unwrap_or(end_ns);
            record.ended_s = Some(clock.seconds(told.ended_ns));
            record.reads = answer.reads().iter().map(|(at, r)| TokenRead { at_s: clock.seconds(*at), ..*r }).collect();
            if let Some(usage) = answer.usage {
                record.input_tokens = usage.prompt_tokens;
                record.output_tokens = usage.completion_tokens;
                record.cached_tokens = usage.prompt_tokens_details.and_then(|d| d.cached_tokens);
            }
            told.completed = record.fate == Fate::Completed;
            told.unanswered = !told.completed && record.reads.is_empty();
            if keep_answer && told.completed {
                told.answer = answer.answered().into_owned();
            }
            finished.counts = answer.counts;
            finished.delays_ns = delays_ns;
            finished.text = (record.output_tokens.is_none() && !answer.text.is_empty()).then_some(answer.text);
        }
    }
    shared.progress.ended(&record);
    if let Some(news) = shared.news.as_ref().filter(|_| !record.warmup) {
        // Nobody looks any more once the level is being put together.
        let _ = news.send(News::Ended(Box::new(record.clone())));
    }
    finished.record = record;
    lock(&local.finished).push(finished);
    told
}

/// Tells the progress counters and remembers when the request went out.
struct Seen<'a> {
    shared: &'a Shared,
    /// When it was due; `None` for warm-up.
    planned_s: Option<f64>,
    at_ns: AtomicU64,
}

impl crate::client::Watch for Seen<'_> {
    fn sent(&self) {
        self.at_ns.store(monotonic_ns(), Relaxed);
        self.shared.progress.sent();
    }

    fn tokens(&self, events: u64, since_ns: u64, first: bool) {
        self.shared.progress.tokens(events, since_ns, first);
        if let (Some(planned_s), Some(news)) = (self.planned_s.filter(|_| first), &self.shared.news) {
            let at_ns = self.at_ns.load(Relaxed) + since_ns;
            // As above.
            let _ = news.send(News::FirstToken { planned_s, at_s: self.shared.clock.seconds(at_ns) });
        }
    }
}

/// CPU time of this thread at the edges of the window.
#[derive(Debug, Default)]
struct CpuWindow {
    first: Option<(u64, f64)>,
    last: Option<(u64, f64)>,
}

impl CpuWindow {
    fn share(&self) -> Option<f64> {
        let ((t0, c0), (t1, c1)) = (self.first?, self.last?);
        (t1 > t0).then(|| (c1 - c0) / ((t1 - t0) as f64 / 1e9))
    }
}

async fn watch_cpu(shared: Arc<Shared>, window: Arc<Mutex<CpuWindow>>) {
    loop {
        let now = monotonic_ns();
        if let Some(cpu) = cpu_seconds(thread()).filter(|_| shared.in_window(now)) {
            let mut window = lock(&window);
            window.first.get_or_insert((now, cpu));
            window.last = Some((now, cpu));
        }
        tokio::time::sleep(CPU_TICK).await;
    }
}

#[cfg(target_os = "linux")]
fn thread() -> UsageWho {
    UsageWho::RUSAGE_THREAD
}
#[cfg(not(target_os = "linux"))]
fn thread() -> UsageWho {
    UsageWho::RUSAGE_SELF
}

/// CPU time used so far, seconds.
pub(super) fn cpu_seconds(who: UsageWho) -> Option<f64> {
    let usage = getrusage(who).ok()?;
    let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
    Some(seconds(usage.user_time()) + seconds(usage.system_time()))
}
