//! What a screen shows while a level runs.
//!
//! *Invariant*: counters only, written by the client threads without locks that matter; the figures of a report
//! never come from here.

mod buckets;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::Serialize;
use tuner_core::record::{Fate, RequestRecord};

use crate::client::Watch;
use buckets::Buckets;

/// Part of a level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Prompts are made and connections opened.
    #[default]
    Preparing,
    /// Before the window.
    WarmUp,
    /// In the window.
    Measuring,
    /// The last answers are awaited.
    Draining,
    /// Everything ended.
    Done,
}

/// A level at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Live {
    /// Position of the level in the task's list, from 0.
    pub level: u32,
    /// Name of the level for people, `c8`.
    pub label: String,
    /// Repeat of this level within the attempt, from 0.
    pub repeat: u32,
    /// Part of the level.
    pub phase: Phase,
    /// Requests in flight.
    pub in_flight: u64,
    /// Measured requests that ended well.
    pub done: u64,
    /// Measured requests that will be sent, where the plan says how many.
    pub planned: Option<u64>,
    /// Failed requests by class, warm-up included.
    pub failed: BTreeMap<String, u64>,
    /// Output tokens (events where tokens are not counted) per second over the last seconds.
    pub output_tok_s: f64,
    /// Times to first token so far.
    pub ttft: Option<LiveTimes>,
    /// Gaps between token reads so far.
    pub icl: Option<LiveTimes>,
    /// Since the level began, seconds.
    pub elapsed_s: f64,
    /// Length that the window will have at most, seconds.
    pub window_s: Option<f64>,
}

/// A distribution as a screen shows it, within 6 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LiveTimes {
    /// Median, milliseconds.
    pub p50_ms: f64,
    /// 99th percentile, milliseconds.
    pub p99_ms: f64,
}

/// Counters behind [`Live`].
#[derive(Debug, Default)]
pub(crate) struct Progress {
    sent: AtomicU64,
    ended: AtomicU64,
    done: AtomicU64,
    tokens: AtomicU64,
    first: Buckets,
    gaps: Buckets,
    failed: Mutex<BTreeMap<String, u64>>,
}

impl Watch for Progress {
    fn sent(&self) {
        self.sent.fetch_add(1, Relaxed);
    }

    fn tokens(&self, events: u64, since_ns: u64, first: bool) {
        self.tokens.fetch_add(events, Relaxed);
        if first { &self.first } else { &self.gaps }.add(since_ns);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Counters are sound whatever a panicking thread left behind.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Progress {
    pub(crate) fn ended(&self, record: &RequestRecord) {
        if record.sent_s.is_some() {
            self.ended.fetch_add(1, Relaxed);
        }
        match &record.fate {
            Fate::Completed if !record.warmup => {
                self.done.fetch_add(1, Relaxed);
            }
            Fate::Failed { class, .. } => *lock(&self.failed).entry(class.clone()).or_insert(0) += 1,
            _ => {}
        }
    }
}

/// Seconds over which the live rate is taken.
const RATE_SPAN_S: f64 = 3.0;

/// Turns counters into a picture, with a rate over the last seconds.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    history: VecDeque<(f64, u64)>,
}

impl Meter {
    /// Fills in the moving parts of `live`.
    pub(crate) fn read(&mut self, progress: &Progress, now_s: f64, live: &mut Live) {
        let tokens = progress.tokens.load(Relaxed);
        self.history.push_back((now_s, tokens));
        while self.history.len() > 2 && self.history[1].0 < now_s - RATE_SPAN_S {
            self.history.pop_front();
        }
        let (then, before) = self.history[0];
        let times =
            |of: &Buckets| Some(LiveTimes { p50_ms: of.quantile(0.5)? / 1e6, p99_ms: of.quantile(0.99)? / 1e6 });
        live.elapsed_s = now_s;
        live.in_flight = progress.sent.load(Relaxed).saturating_sub(progress.ended.load(Relaxed));
        live.done = progress.done.load(Relaxed);
        live.failed = lock(&progress.failed).clone();
        live.output_tok_s = if now_s > then { (tokens - before) as f64 / (now_s - then) } else { 0.0 };
        live.ttft = times(&progress.first);
        live.icl = times(&progress.gaps);
    }
}
