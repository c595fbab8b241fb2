//! Runs one level against an endpoint: warm-up, measured window, drain.
//!
//! *Invariant*: no prompt is made and no token counted while the window is open; the threads that send and read do
//! nothing else. Dropping the future stops everything.

mod alarm;
mod early;
mod finish;
mod gather;
mod pace;
mod queue;
mod release;
mod talk;
mod threads;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use nix::sys::resource::UsageWho;
use tokio::sync::{Semaphore, oneshot, watch};
use tuner_core::record::RequestRecord;
use tuner_core::server_side::ServerSide;
use tuner_core::task::SloSpec;
use tuner_core::{Measurement, Percentile, Stopped};

use crate::client::{Address, LevelClock, Limits, Target};
use crate::error::BenchError;
use crate::live::{Live, Meter, Phase, Progress};
use crate::plan::LevelPlan;
use crate::prompting::PromptSource;
use crate::protocol::{self, BuildError, Materials};
use crate::report::{self, ReportInput, Window};
use crate::server::reconcile;
use crate::tokens::TokenSource;
use crate::validity::ClientEvidence;
use alarm::Alarm;
use early::{Desk, Early};
use finish::Course;
use queue::{Prepared, Queue};
use talk::{Admission, PreparedTalk};

/// How often the live picture is renewed.
const LIVE_TICK: Duration = Duration::from_millis(200);
/// Requests made ahead at least.
const MIN_AHEAD: usize = 32;

/// What the threads of a level share.
struct Shared {
    address: Address,
    limits: Limits,
    clock: LevelClock,
    queue: Arc<Queue<Prepared>>,
    /// Conversations, where there are any; the other queue is empty then.
    talks: Arc<Queue<PreparedTalk>>,
    admission: Admission,
    /// Wakes users who have thought.
    alarm: Alarm,
    open: bool,
    /// Turns true when a closed loop of conversations is over, also for users who think.
    over: watch::Sender<bool>,
    cap: Option<Arc<Semaphore>>,
    cancel: watch::Receiver<bool>,
    progress: Progress,
    /// First measured request, or the planned start; 0 before.
    opened_ns: AtomicU64,
    /// First moment a stream had nothing to send, or the planned end; `u64::MAX` before.
    closed_ns: AtomicU64,
    /// When a rule ended the level: nothing more is sent; `u64::MAX` before.
    stopped_ns: AtomicU64,
    news: Desk,
    duration_ns: Option<u64>,
    /// Cleared for good once the server closed a kept connection without saying so (llama.cpp does after each
    /// stream): from then on each request has its own connection, made before it is sent.
    keep_alive: AtomicBool,
    /// When an open loop's next request is due, 0 before that is known; `u64::MAX` where none is planned in time.
    next_ns: AtomicU64,
}

impl Shared {
    fn new(
        plan: &LevelPlan,
        address: Address,
        clock: LevelClock,
        queues: (Arc<Queue<Prepared>>, Arc<Queue<PreparedTalk>>),
        cancel: watch::Receiver<bool>,
        news: Desk,
    ) -> Self {
        let (queue, talks) = queues;
        let window = plan.open_window();
        let cap = plan.arrival.concurrency.filter(|_| plan.is_open_loop());
        Self {
            address,
            // Between reads as long as in all: an engine that queues or prefills is silent for as long as it takes.
            limits: Limits { total: plan.request_timeout, idle: plan.request_timeout },
            clock,
            queue,
            talks,
            admission: Admission::new(plan),
            alarm: Alarm::default(),
            open: plan.is_open_loop(),
            over: watch::Sender::new(false),
            cap: cap.map(|cap| Arc::new(Semaphore::new(cap as usize))),
            cancel,
            progress: Progress::default(),
            opened_ns: AtomicU64::new(window.map_or(0, |(start, _)| clock.at_ns(start).max(1))),
            closed_ns: AtomicU64::new(window.map_or(u64::MAX, |(_, end)| clock.at_ns(end))),
            stopped_ns: AtomicU64::new(u64::MAX),
            news,
            duration_ns: plan.duration_s.filter(|_| !plan.is_open_loop()).map(|d| (d * 1e9) as u64),
            keep_alive: AtomicBool::new(true),
            // Users who think come back at moments of their own: no thread may sleep past one.
            next_ns: AtomicU64::new(if plan.is_open_loop() || plan.thinks() { 0 } else { u64::MAX }),
        }
    }

    fn mark(&self, now_ns: u64) {
        let _ = self.opened_ns.compare_exchange(0, now_ns, Relaxed, Relaxed);
    }

    fn went_idle(&self, now_ns: u64) {
        self.closed_ns.fetch_min(now_ns, Relaxed);
    }

    /// Whether a rule ended the level, so that nothing more is to be sent.
    fn was_stopped(&self) -> bool {
        self.stopped_ns.load(Relaxed) != u64::MAX
    }

    /// Whether a closed loop has reached the end of its window.
    fn must_stop(&self, now_ns: u64) -> bool {
        let opened = self.opened_ns.load(Relaxed);
        self.was_stopped() || (opened > 0 && self.duration_ns.is_some_and(|d| now_ns >= opened + d))
    }

    fn in_window(&self, now_ns: u64) -> bool {
        let opened = self.opened_ns.load(Relaxed);
        opened > 0 && now_ns >= opened && now_ns < self.closed_ns.load(Relaxed) && !self.must_stop(now_ns)
    }

    fn phase(&self, now_ns: u64) -> Phase {
        let opened = self.opened_ns.load(Relaxed);
        if opened == 0 || now_ns < opened {
            Phase::WarmUp
        } else if self.in_window(now_ns) {
            Phase::Measuring
        } else {
            Phase::Draining
        }
    }
}

/// A level that was run.
#[derive(Debug)]
pub struct LevelRun {
    /// Every request, warm-up included, by index.
    pub records: Vec<RequestRecord>,
    /// The measured window.
    pub window: Window,
    /// Time the level took, warm-up and drain included, seconds.
    pub elapsed_s: f64,
    /// The clock of the records.
    pub clock: LevelClock,
    /// What the client saw of itself.
    pub evidence: ClientEvidence,
    /// It was cut off.
    pub cancelled: bool,
    /// A rule ended it before its plan did; what was in flight was awaited.
    pub stopped: Option<Stopped>,
    /// Remarks for people.
    pub notes: Vec<String>,
    /// What the engine and its GPUs showed, where somebody watched ([`crate::server`]).
    pub server: Option<ServerSide>,
}

impl LevelRun {
    /// The level in figures, INVALID where the client failed its own test.
    pub fn measurement(&self, plan: &LevelPlan, slos: &[SloSpec], percentiles: &[Percentile]) -> Measurement {
        let mut measurement = report::measurement(&ReportInput {
            level: plan.level,
            repeat: plan.repeat,
            open_loop: plan.is_open_loop(),
            streams: plan.streams(),
            records: &self.records,
            window: self.window,
            elapsed_s: self.elapsed_s,
            stopped: self.stopped.as_ref(),
            slos,
            percentiles,
            class_slos: &plan.class_slos(),
        });
        self.evidence.apply(&mut measurement);
        measurement.notes.extend(self.notes.iter().cloned());
        if let Some(side) = &self.server {
            reconcile::attach(&mut measurement, side.clone(), &self.records, plan.is_fresh());
        }
        measurement
    }
}

/// Stops the client threads when the level's future is dropped.
struct StopOnDrop(watch::Sender<bool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

/// Stops the makers of requests when the level's future is dropped.
struct CloseOnDrop(Arc<Queue<Prepared>>, Arc<Queue<PreparedTalk>>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
        self.1.close();
    }
}

/// Ends the thread that wakes users when the level's future is dropped.
struct CloseAlarm(Arc<Shared>);

impl Drop for CloseAlarm {
    fn drop(&mut self) {
        self.0.alarm.close();
    }
}

/// Runs one level. `tokens` counts answers for which the engine gives no usage, and makes prompts exact.
///
/// `cancel` cuts it off when it turns true: what is in flight becomes `Cancelled`, the rest `Unsent`, and the
/// records so far are returned at once.
///
/// # Errors
/// The address cannot be used, a prompt cannot be made, or a thread cannot be started. Requests that fail are
/// records, not errors.
pub async fn run_level(
    target: &Target,
    plan: &LevelPlan,
    prompts: &PromptSource,
    tokens: Option<Arc<TokenSource>>,
    live: watch::Sender<Live>,
    cancel: watch::Receiver<bool>,
) -> Result<LevelRun, BenchError> {
    run_level_when(std::future::ready(()), target, plan, (prompts, tokens), live, cancel).await
}

/// As [`run_level`], with everything prepared before `begin` and nothing sent until it is there.
///
/// # Errors
/// As [`run_level`].
pub async fn run_level_when(
    begin: impl Future<Output = ()>,
    target: &Target,
    plan: &LevelPlan,
    (prompts, tokens): (&PromptSource, Option<Arc<TokenSource>>),
    live: watch::Sender<Live>,
    mut cancel: watch::Receiver<bool>,
) -> Result<LevelRun, BenchError> {
    let (stop, stopped) = watch::channel(false);
    let guard = StopOnDrop(stop);
    let address = target.address()?;
    let mut picture = Live {
        level: plan.level,
        label: plan.arrival.label(),
        repeat: plan.repeat,
        planned: plan.total().map(|n| n.saturating_sub(plan.warmup)),
        window_s: plan.open_window().map(|(from, to)| to - from).or(plan.duration_s),
        ..Live::default()
    };
    live.send_replace(picture.clone());

    let (queue, talks) = (Arc::new(Queue::new(ahead(plan))), Arc::new(Queue::new(ahead(plan))));
    let closing = CloseOnDrop(queue.clone(), talks.clone());
    let making = spawn("bench-prompts", {
        let (queue, talks, plan) = (queue.clone(), talks.clone(), plan.clone());
        let prompts = PromptSource { media_marker: target.media_marker.clone(), ..prompts.clone() };
        let (tokens, model, features) = (tokens.clone(), target.model.clone(), target.features);
        move || {
            let (plan, prompts, tokens, model) = (&plan, &prompts, tokens.as_deref(), model.as_str());
            let result = make_requests(&queue, &talks, Materials { plan, prompts, tokens, model, features });
            queue.end();
            talks.end();
            result
        }
    })?;
    let filled = spawn("bench-fill", {
        let (queue, talks, of_talks) = (queue.clone(), talks.clone(), plan.talks());
        move || if of_talks { talks.wait_until_filled() } else { queue.wait_until_filled() }
    })?;
    // A request that cannot be made ends the level: before anything is sent if it is among the first ones.
    let rest = if filled.await.map_err(|_| died())? { Some(making) } else { made(making).await.map(|()| None)? };
    begin.await;

    let clock = LevelClock::start();
    let (mut early, news) = Early::of(plan);
    let shared = Arc::new(Shared::new(plan, address, clock, (queue, talks), stopped, news));
    let _silent = CloseAlarm(shared.clone());
    if plan.talks() {
        let shared = shared.clone();
        spawn_prompt("bench-alarm", move || shared.alarm.run())?;
    }
    let (work, pacer) = release::share_out(plan, &shared)?;
    let client_threads = work.len() as u32;
    let harvests: Vec<_> = work
        .into_iter()
        .map(|work| {
            let shared = shared.clone();
            spawn_prompt("bench-client", move || worker::run(shared, work))
        })
        .collect::<Result<_, _>>()?;

    let mut all = std::pin::pin!(futures::future::join_all(harvests));
    let mut meter = Meter::default();
    let mut tick = tokio::time::interval(LIVE_TICK);
    let mut process = ProcessCpu::default();
    let mut cancelled = *cancel.borrow();
    let harvests = loop {
        if cancelled {
            guard.0.send_replace(true);
            shared.queue.close();
            shared.talks.close();
        }
        tokio::select! {
            harvests = &mut all => break harvests,
            _ = tick.tick() => {
                let now = crate::client::monotonic_ns();
                process.look(&shared, now);
                early.look(&shared, now);
                if plan.talks() && shared.must_stop(now) {
                    shared.end();
                }
                meter.read(&shared.progress, clock.seconds(now), &mut picture);
                picture.phase = shared.phase(now);
                live.send_replace(picture.clone());
            }
            () = worker::cancelled(&mut cancel), if !cancelled => cancelled = true,
        }
    };
    drop(pacer);
    drop(closing);
    if let Some(making) = rest {
        made(making).await?;
    }
    let elapsed_s = clock.now_s();
    meter.read(&shared.progress, elapsed_s, &mut picture);
    picture.phase = Phase::Done;
    live.send_replace(picture);
    let mut all = Vec::new();
    for harvest in harvests {
        let harvest = harvest.map_err(|_| died())?;
        all.push(harvest.map_err(|e| BenchError::Thread(e.to_string()))?);
    }
    let (process_cpu, verdict) = (process.share(), early.verdict);
    let course = Course { clock, elapsed_s, process_cpu, client_threads, cancelled, verdict };
    finish::level_run(plan, all, tokens.as_deref(), course).await
}

/// Waits for the maker of requests, which has nothing to wait for itself.
async fn made(making: oneshot::Receiver<Result<(), BuildError>>) -> Result<(), BenchError> {
    Ok(making.await.map_err(|_| died())??)
}

fn died() -> BenchError {
    BenchError::Thread("it died".to_owned())
}

/// Requests made ahead: enough that making one is never waited for.
fn ahead(plan: &LevelPlan) -> usize {
    if let Some(users) = plan.users().filter(|_| plan.talks()) {
        // A conversation keeps its user busy for some time.
        return users as usize + MIN_AHEAD;
    }
    let streams = plan.streams().unwrap_or(0) as usize;
    let arrivals = plan.arrival.peak_rate().map_or(0.0, |rate| (rate * 2.0).min(4096.0)) as usize;
    MIN_AHEAD.max(2 * streams).max(arrivals)
}

fn make_requests(
    queue: &Queue<Prepared>,
    talks: &Queue<PreparedTalk>,
    materials: Materials<'_>,
) -> Result<(), BuildError> {
    let Materials { plan, prompts, tokens, model, features } = materials;
    if plan.talks() {
        for conversation in plan.conversations() {
            let script = protocol::script(&materials, &conversation)?;
            if !talks.put(PreparedTalk { conversation, script }) {
                break;
            }
        }
        return Ok(());
    }
    for planned in plan.requests() {
        let built = protocol::build(plan, &planned, prompts, tokens, model, features)?;
        if !queue.put(Prepared { planned, built }) {
            break;
        }
    }
    Ok(())
}

/// Niceness of the threads that send and read. They need little CPU but need it at once; on a machine that they share
/// with the engine they would else wait behind its busy threads and charge that to it.
const PROMPT_NICENESS: i32 = -19;

/// As [`spawn`], ahead of other threads where the system allows it (root, or a nice limit).
fn spawn_prompt<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<oneshot::Receiver<T>, BenchError> {
    spawn(name, move || {
        // Linux applies it to the calling thread alone. Refused without the right to: the delays show what it cost.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::setpriority_process(None, PROMPT_NICENESS);
        work()
    })
}

/// Starts a thread and gives what it returns; the receiver fails if the thread panicked.
fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<oneshot::Receiver<T>, BenchError> {
    let (send, receive) = oneshot::channel();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            // Nobody listens any more when the level was dropped.
            let _ = send.send(work());
        })
        .map_err(|e| BenchError::Thread(e.to_string()))?;
    Ok(receive)
}

/// CPU time of the process at the edges of the window.
#[derive(Default)]
struct ProcessCpu {
    first: Option<(u64, f64)>,
    last: Option<(u64, f64)>,
}

impl ProcessCpu {
    fn look(&mut self, shared: &Shared, now_ns: u64) {
        if let Some(cpu) = worker::cpu_seconds(UsageWho::RUSAGE_SELF).filter(|_| shared.in_window(now_ns)) {
            self.first.get_or_insert((now_ns, cpu));
            self.last = Some((now_ns, cpu));
        }
    }

    /// As a share of all cores.
    fn share(&self) -> Option<f64> {
        let ((t0, c0), (t1, c1)) = (self.first?, self.last?);
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        (t1 > t0).then(|| (c1 - c0) / ((t1 - t0) as f64 / 1e9) / cores)
    }
}
