//! What a level is going to send, decided before anything is sent.
//!
//! *Invariant*: the requests are a function of (workload, load, level, repeat, seeds). The load generator and the
//! simulated engine read the same iterator, so a simulated level is the same level.

mod order;
mod parts;
mod talk;
mod unsent;

use std::sync::Arc;
use std::time::Duration;

use tuner_core::record::{PlannedRequest, SharedRun};
use tuner_core::task::{Api, Level, LoadSpec, Scenario, ScenarioError, WorkloadSpec};

use crate::arrival::Arrivals;
use crate::report::ClassSlos;
use crate::scenario;
use crate::seed::{Dimension, Seeds, mix, rng};
use crate::stopping::StopWhen;
use order::Replay;
use parts::Lengths;

pub use parts::{Part, Row, Rows};
pub use talk::Conversations;
pub(crate) use talk::key;

/// Window of a level whose task gives neither a number of requests nor a duration.
const DEFAULT_DURATION_S: f64 = 30.0;
/// Requests whose lengths are added up at most.
const MOST_SUMMED: u64 = 1_000_000;
/// Output length of file prompts that do not say, where the task does not say either.
pub const DEFAULT_OUTPUT_TOKENS: u32 = 128;

/// Why a level cannot be planned.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum PlanError {
    /// The task has fewer levels.
    #[error("level {level} was asked for, the load has {levels}")]
    NoSuchLevel {
        /// Position asked for, from 0.
        level: u32,
        /// Levels there are.
        levels: usize,
    },
    /// The scenario string is wrong.
    #[error("the workload's scenario cannot be read")]
    Scenario(#[from] ScenarioError),
    /// The level is neither a closed nor an open loop.
    #[error("level {level} needs a concurrency of at least 1 or a rate above 0")]
    NoIntensity {
        /// Position of the level.
        level: u32,
    },
    /// Pictures for an endpoint that takes none.
    #[error("`{scenario}` shows pictures, which {} does not take; set the api to chat, responses, anthropic, sglang_generate or llamacpp_completion", .api.name())]
    Pictures {
        /// The scenario.
        scenario: Scenario,
        /// The endpoint.
        api: Api,
    },
    /// Requests that nothing can follow.
    #[error("{what} cannot be a turn of a conversation: turns are texts that are answered with texts")]
    NoTurn {
        /// What they are.
        what: String,
    },
    /// A level without a scenario and without rows.
    #[error("the data set has no rows that can be used here")]
    NoLengths,
    /// A level that replays a data set without times.
    #[error("the data set does not say when its requests arrive; give the level a `rate` or a `concurrency`")]
    NoTimes,
}

/// One level, planned.
#[derive(Clone, Debug)]
pub struct LevelPlan {
    /// Position of the level in the task's list, from 0.
    pub level: u32,
    /// Repeat of this level within the attempt, from 0.
    pub repeat: u32,
    /// Seeds of the level.
    pub seeds: Seeds,
    /// The arrival process.
    pub arrival: Level,
    /// What is asked.
    pub workload: WorkloadSpec,
    /// Requests before the window.
    pub warmup: u64,
    /// Requests in the window at most.
    pub requests: Option<u64>,
    /// Length of the window at most, seconds.
    pub duration_s: Option<f64>,
    /// Time-out of one request.
    pub request_timeout: Duration,
    /// What may end it before its plan does.
    pub stop: StopWhen,
    /// Threads that send and read, where not as many as suit the machine.
    pub client_threads: Option<u32>,
    /// The kinds of requests; at least one.
    pub parts: Arc<[Part]>,
    replay: Option<Replay>,
}

impl LevelPlan {
    /// Plans level `level` (from 0) of `load`, for a workload of scenarios only.
    ///
    /// # Errors
    /// The level does not exist or has no intensity, the scenario cannot be read, or the workload has a data set (use
    /// [`LevelPlan::with_rows`]).
    pub fn new(
        workload: &WorkloadSpec,
        load: &LoadSpec,
        level: u32,
        repeat: u32,
        seeds: Seeds,
    ) -> Result<Self, PlanError> {
        Self::with_rows(workload, load, level, repeat, seeds, &Rows::new())
    }

    /// Plans a level of a workload whose data sets have been read.
    ///
    /// # Errors
    /// As [`LevelPlan::new`], or a data set has no rows, or a trace is replayed that has no times.
    pub fn with_rows(
        workload: &WorkloadSpec,
        load: &LoadSpec,
        level: u32,
        repeat: u32,
        seeds: Seeds,
        rows: &Rows,
    ) -> Result<Self, PlanError> {
        let parts = parts::parts(workload, rows)?;
        let arrival =
            load.levels.get(level as usize).ok_or(PlanError::NoSuchLevel { level, levels: load.levels.len() })?.clone();
        let replay = match parts.first().and_then(Part::rows).filter(|_| arrival.is_trace()) {
            Some(rows) => Some(Replay::new(rows, &arrival, seeds)?),
            None if arrival.is_trace() => return Err(PlanError::NoTimes),
            None => None,
        };
        if let Some(part) = parts.iter().find(|part| part.most_turns() > 1 && !part.can_be_a_turn()) {
            let what =
                part.scenario().map_or_else(|| format!("a request to {}", part.api.name()), |s| format!("`{s}`"));
            return Err(PlanError::NoTurn { what });
        }
        let requests = load.requests.map(u64::from);
        let duration_s = load.duration_s.or(requests.is_none().then_some(DEFAULT_DURATION_S));
        let mut plan = Self {
            level,
            repeat,
            seeds,
            arrival,
            workload: workload.clone(),
            warmup: 0,
            requests,
            duration_s,
            request_timeout: Duration::from_secs_f64(load.request_timeout_s.clamp(0.001, 1e7)),
            stop: if load.stop_when_saturated { StopWhen::saturated() } else { StopWhen::default() },
            client_threads: None,
            parts: parts.into(),
            replay,
        };
        let usual = match (plan.arrival.is_open_loop(), plan.arrival.burst) {
            _ if plan.talks() => plan.usual_warmup(),
            (false, _) => u64::from(plan.arrival.concurrency.unwrap_or(1).max(2)),
            (true, None) => 2,
            (true, Some(burst)) => u64::from(burst),
        };
        plan.warmup = load.warmup_requests.map_or(usual, u64::from);
        let sound = plan.arrival.concurrency != Some(0)
            && plan.arrival.users != Some(0)
            && if plan.is_open_loop() { plan.arrivals().is_some() } else { plan.arrival.concurrency.is_some() };
        if sound { Ok(plan) } else { Err(PlanError::NoIntensity { level }) }
    }

    /// Whether arrivals are planned in time rather than by free streams.
    pub fn is_open_loop(&self) -> bool {
        self.arrival.is_open_loop()
    }

    /// Streams of a closed loop.
    pub fn streams(&self) -> Option<u32> {
        if self.is_open_loop() { None } else { self.arrival.concurrency }
    }

    /// The kind of request `index`.
    pub fn part(&self, index: u64) -> &Part {
        let chosen = match self.parts.len() {
            1 => 0,
            _ => parts::pick(self.parts.iter().map(|p| p.weight), &mut self.rng(Dimension::Classes, index)),
        };
        &self.parts[chosen]
    }

    /// Position in its data set of request `index`: each pass over the rows in its own order, a trace in order of time.
    pub fn row(&self, index: u64) -> Option<usize> {
        let rows = self.part(index).rows()?;
        match &self.replay {
            Some(replay) => replay.rows.get(index as usize).copied(),
            None => Some(order::shuffled(self.seeds, self.level, self.repeat, index, rows.len() as u64) as usize),
        }
    }

    /// Who says something in request, or in the first turn of conversation, `number`, in order; `None` where more goes
    /// into its prompt than texts, so that its length is not known beforehand. Requests of the same roles have the same
    /// share of a chat's template.
    pub fn roles(&self, number: u64) -> Option<&str> {
        match (self.part(number).rows(), self.row(number)) {
            (Some(rows), Some(at)) => rows[at].roles.as_deref(),
            (Some(_), None) => None,
            (None, _) => Some("user"),
        }
    }

    /// Rows in the smallest data set, where there is one.
    pub fn fewest_rows(&self) -> Option<usize> {
        self.parts.iter().filter_map(|part| part.rows()).map(|rows| rows.len()).min()
    }

    /// What must hold for each class beside the SLOs of the task.
    pub fn class_slos(&self) -> ClassSlos {
        let own = self.workload.classes.iter().filter(|class| !class.slos.is_empty());
        own.map(|class| (class.name.clone(), class.slos.clone())).collect()
    }

    /// Whether no prompt begins like another one, of this measurement or an earlier one: then a prefix cache that hits
    /// was warmed by accident.
    pub fn is_fresh(&self) -> bool {
        self.workload.salt && self.workload.shared_prefix.is_none() && self.fewest_rows().is_none() && !self.has_turns()
    }

    /// What the words of the prompts follow from: the measurement's own seeds, or without a salt those of every
    /// measurement alike.
    pub(crate) fn words(&self) -> (Seeds, u32, u32) {
        if self.workload.salt {
            return (self.seeds, self.level, self.repeat);
        }
        (Seeds { prompts: mix(self.seeds.schedule), ..self.seeds }, 0, 0)
    }

    fn rng(&self, dimension: Dimension, index: u64) -> rand_chacha::ChaCha8Rng {
        rng(self.seeds.schedule, dimension, self.level, self.repeat, index)
    }

    /// Input and output lengths of a request, and what its prompt shares with others.
    fn lengths(&self, part: &Part, index: u64) -> (u32, u32, Vec<SharedRun>) {
        let prefix = |input: u32| match &self.workload.shared_prefix {
            Some(prefix) => parts::shared_prefix(prefix, input, &mut self.rng(Dimension::Prefixes, index)),
            None => Vec::new(),
        };
        match (&part.lengths, self.row(index)) {
            (Lengths::Rows(rows), Some(at)) => {
                let row = &rows[at];
                let plain = row.shared.is_empty() && !row.has_prompt;
                let shared = if plain { prefix(row.input_tokens) } else { row.shared.clone() };
                (row.input_tokens, row.output_tokens, shared)
            }
            (Lengths::Scenario { output: Some(output), .. }, _) => (0, *output, Vec::new()),
            (Lengths::Scenario { scenario, .. }, _) => {
                let (input, output) = scenario::lengths(*scenario, &mut self.rng(Dimension::Lengths, index));
                (input, output, prefix(input))
            }
            (Lengths::Rows(_), None) => (1, 1, Vec::new()),
        }
    }

    /// The requests in order, warm-up first. Open loop: with their times, ending where the window ends. Closed loop:
    /// as many as `requests` says, else without end (the consumer stops issuing `duration_s` after the first
    /// measured request was sent).
    ///
    /// In a closed loop the first request of each stream asks for a growing share of its output, so that streams
    /// reach the window spread over one service time instead of in step.
    pub fn requests(&self) -> Requests<'_> {
        Requests { plan: self, next: 0, starts: self.starts() }
    }

    /// When requests, or conversations, begin in an open loop.
    fn starts(&self) -> Option<Starts> {
        let arrivals = self.arrivals()?;
        Some(Starts { arrivals, next: 0, warmup: self.warmup, most: self.requests, duration_s: self.duration_s })
    }

    /// The model name of request, or conversation, `number`.
    fn model(&self, number: u64) -> Option<String> {
        match self.workload.models.as_slice() {
            [] => None,
            models => parts::model(models, &mut self.rng(Dimension::Models, number)),
        }
    }

    fn arrivals(&self) -> Option<Arrivals> {
        let rng = self.rng(Dimension::Arrivals, 0);
        match &self.replay {
            Some(replay) => Some(Arrivals::replay(replay.at_s.clone(), self.warmup, rng)),
            None => Arrivals::new(&self.arrival, self.warmup, self.duration_s, rng),
        }
    }

    /// Requests there are in all, where the plan is finite and says.
    pub fn total(&self) -> Option<u64> {
        if self.arrival.users.is_some() {
            return Some(self.slots());
        }
        // How many turns fall into the window is up to the engine.
        if self.is_open_loop() && self.has_turns() {
            return None;
        }
        if self.is_open_loop() { Some(self.requests().count() as u64) } else { self.requests.map(|n| n + self.warmup) }
    }

    /// Output tokens that its requests can give at most, warm-up included, where the plan is finite and says.
    pub fn most_output(&self) -> Option<u64> {
        let several = |part: &Part| part.extra_body.contains_key("n");
        if self.talks() || self.total()? > MOST_SUMMED || self.parts.iter().any(several) {
            return None;
        }
        Some(self.requests().map(|request| u64::from(request.output_tokens)).sum())
    }

    /// The planned window of an open loop: from the last warm-up arrival (else 0; bursts: from the first measured one)
    /// to the end of the duration, or to the last arrival where the number of requests ends it first (bursts: to the
    /// moment of the next).
    pub fn open_window(&self) -> Option<(f64, f64)> {
        if self.arrival.users.is_some() {
            return Some(self.users_window());
        }
        let mut starts = self.starts()?;
        let last = starts.by_ref().last().unwrap_or(0.0);
        let (start, measured) = (starts.arrivals.window_start_s(), starts.next.saturating_sub(self.warmup));
        Some(match self.duration_s {
            // A trace that is over leaves no idle tail.
            Some(duration) if self.replay.as_ref().is_some_and(|r| starts.next == r.rows.len() as u64) => {
                (start, last.min(start + duration))
            }
            Some(duration) if self.requests.is_none_or(|n| measured < n) => (start, start + duration),
            _ => (start, last + self.arrival.every_s.unwrap_or(0.0)),
        })
    }
}

/// When requests begin in an open loop: warm-up first, then those of the window.
#[derive(Clone, Debug)]
struct Starts {
    arrivals: Arrivals,
    next: u64,
    warmup: u64,
    /// In the window.
    most: Option<u64>,
    duration_s: Option<f64>,
}

impl Iterator for Starts {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        if self.most.is_some_and(|most| self.next >= self.warmup + most) {
            return None;
        }
        // A trace ends.
        let at = self.arrivals.next()?;
        if let Some(duration) = self.duration_s
            && self.next >= self.warmup
            && at >= self.arrivals.window_start_s() + duration
        {
            return None;
        }
        self.next += 1;
        Some(at)
    }
}

/// Iterator over the requests of a level.
#[derive(Clone, Debug)]
pub struct Requests<'a> {
    plan: &'a LevelPlan,
    next: u64,
    starts: Option<Starts>,
}

impl Iterator for Requests<'_> {
    type Item = PlannedRequest;

    fn next(&mut self) -> Option<PlannedRequest> {
        let plan = self.plan;
        let index = self.next;
        let warmup = index < plan.warmup;
        let planned_s = match &mut self.starts {
            Some(starts) => Some(starts.next()?),
            None if plan.requests.is_some_and(|n| index >= plan.warmup + n) => return None,
            None => None,
        };
        self.next += 1;
        let part = plan.part(index);
        let (input_tokens, mut output_tokens, shared) = plan.lengths(part, index);
        if let Some(streams) = plan.streams()
            && warmup
            && index < u64::from(streams)
        {
            let share = (index + 1) as f64 / f64::from(streams);
            output_tokens = (f64::from(output_tokens) * share).ceil() as u32;
        }
        let (class, model) = (part.class.clone(), plan.model(index));
        let alone =
            PlannedRequest { index, warmup, planned_s, input_tokens, output_tokens, ..PlannedRequest::default() };
        Some(PlannedRequest { class, model, shared, ..alone })
    }
}

#[cfg(test)]
mod tests;
