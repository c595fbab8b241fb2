//! What a level is going to send, decided before anything is sent.
//!
//! *Invariant*: the requests are a function of (workload, load, level, repeat, seeds). The load generator and the
//! simulated engine read the same iterator, so a simulated level is the same level.

use std::time::Duration;

use tuner_core::record::PlannedRequest;
use tuner_core::task::{Level, LoadSpec, Scenario, ScenarioError, WorkloadSpec};

use crate::arrival::Arrivals;
use crate::scenario;
use crate::seed::{Dimension, Seeds, mix, rng};

/// Window of a level whose task gives neither a number of requests nor a duration.
const DEFAULT_DURATION_S: f64 = 30.0;
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
    /// A level without a scenario and without the file's lengths.
    #[error("the prompts file has not been read: give its lengths with `with_file_lengths`")]
    NoLengths,
}

/// Where the lengths come from.
#[derive(Clone, Debug, PartialEq)]
enum Lengths {
    Scenario(Scenario),
    /// (input, output) of each prompt of the file.
    File(Vec<(u32, u32)>),
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
    lengths: Lengths,
}

impl LevelPlan {
    /// Plans level `level` (from 0) of `load`.
    ///
    /// # Errors
    /// The level does not exist or has no intensity, the scenario cannot be read, or the workload is a file (use
    /// [`LevelPlan::from_file`]).
    pub fn new(
        workload: &WorkloadSpec,
        load: &LoadSpec,
        level: u32,
        repeat: u32,
        seeds: Seeds,
    ) -> Result<Self, PlanError> {
        let scenario = workload.prompts.scenario.as_deref().ok_or(PlanError::NoLengths)?;
        Self::build(workload, load, level, repeat, seeds, Lengths::Scenario(scenario.parse()?))
    }

    /// Plans a level of prompts from a file; `lengths` are (input, output) of each prompt
    /// ([`crate::prompts::PromptFile::lengths`]).
    ///
    /// # Errors
    /// As [`LevelPlan::new`], or the file is empty.
    pub fn from_file(
        workload: &WorkloadSpec,
        load: &LoadSpec,
        level: u32,
        repeat: u32,
        seeds: Seeds,
        lengths: Vec<(u32, u32)>,
    ) -> Result<Self, PlanError> {
        if lengths.is_empty() {
            return Err(PlanError::NoLengths);
        }
        Self::build(workload, load, level, repeat, seeds, Lengths::File(lengths))
    }

    fn build(
        workload: &WorkloadSpec,
        load: &LoadSpec,
        level: u32,
        repeat: u32,
        seeds: Seeds,
        lengths: Lengths,
    ) -> Result<Self, PlanError> {
        let arrival =
            load.levels.get(level as usize).ok_or(PlanError::NoSuchLevel { level, levels: load.levels.len() })?.clone();
        let requests = load.requests.map(u64::from);
        let duration_s = load.duration_s.or(requests.is_none().then_some(DEFAULT_DURATION_S));
        let usual = match (arrival.is_open_loop(), arrival.burst) {
            (false, _) => arrival.concurrency.unwrap_or(1).max(2),
            (true, None) => 2,
            (true, Some(burst)) => burst,
        };
        let warmup = u64::from(load.warmup_requests.unwrap_or(usual));
        let plan = Self {
            level,
            repeat,
            seeds,
            arrival,
            workload: workload.clone(),
            warmup,
            requests,
            duration_s,
            request_timeout: Duration::from_secs_f64(load.request_timeout_s.clamp(0.001, 1e7)),
            lengths,
        };
        let sound = plan.arrival.concurrency != Some(0)
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

    /// Position in the prompts file of request `index`: each pass over the file in its own order.
    pub fn file_position(&self, index: u64) -> Option<usize> {
        match &self.lengths {
            Lengths::Scenario(_) => None,
            Lengths::File(lengths) => Some(self.shuffled(index, lengths.len() as u64) as usize),
        }
    }

    /// Prompts in the file, where prompts come from one.
    pub fn file_length(&self) -> Option<usize> {
        match &self.lengths {
            Lengths::Scenario(_) => None,
            Lengths::File(lengths) => Some(lengths.len()),
        }
    }

    /// A keyed permutation of 0..n (cycle-walking Feistel network), so that no prompt repeats within a pass.
    fn shuffled(&self, index: u64, n: u64) -> u64 {
        let pass = index / n;
        let key = [Dimension::FileOrder as u64, u64::from(self.level), u64::from(self.repeat), pass]
            .into_iter()
            .fold(mix(self.seeds.schedule), |key, word| mix(key ^ mix(word)));
        let half_bits = (64 - (n.max(2) - 1).leading_zeros()).div_ceil(2);
        let mask = (1u64 << half_bits) - 1;
        let mut x = index % n;
        loop {
            let (mut left, mut right) = (x >> half_bits, x & mask);
            for round in 0..4u64 {
                (left, right) = (right, left ^ (mix(key ^ mix(right) ^ round) & mask));
            }
            x = (left << half_bits) | right;
            if x < n {
                return x;
            }
        }
    }

    fn lengths(&self, index: u64) -> (u32, u32) {
        match &self.lengths {
            Lengths::Scenario(scenario) => {
                let mut rng = rng(self.seeds.schedule, Dimension::Lengths, self.level, self.repeat, index);
                scenario::lengths(*scenario, &mut rng)
            }
            Lengths::File(lengths) => lengths[self.shuffled(index, lengths.len() as u64) as usize],
        }
    }

    /// The requests in order, warm-up first. Open loop: with their times, ending where the window ends. Closed loop:
    /// as many as `requests` says, else without end (the consumer stops issuing `duration_s` after the first
    /// measured request was sent).
    ///
    /// In a closed loop the first request of each stream asks for a growing share of its output, so that streams
    /// reach the window spread over one service time instead of in step.
    pub fn requests(&self) -> Requests<'_> {
        Requests { plan: self, next: 0, arrivals: self.arrivals() }
    }

    fn arrivals(&self) -> Option<Arrivals> {
        let rng = rng(self.seeds.schedule, Dimension::Arrivals, self.level, self.repeat, 0);
        Arrivals::new(&self.arrival, self.warmup, self.duration_s, rng)
    }

    /// Requests there are in all, where the plan is finite.
    pub fn total(&self) -> Option<u64> {
        if self.is_open_loop() { Some(self.requests().count() as u64) } else { self.requests.map(|n| n + self.warmup) }
    }

    /// The planned window of an open loop: from the last warm-up arrival (else 0; bursts: from the first measured one)
    /// to the end of the duration, or to the last arrival where the number of requests ends it first (bursts: to the
    /// moment of the next).
    pub fn open_window(&self) -> Option<(f64, f64)> {
        self.is_open_loop().then(|| {
            let mut requests = self.requests();
            let (mut last, mut measured) = (0.0, 0);
            for request in requests.by_ref() {
                last = request.planned_s.unwrap_or(0.0);
                measured += u64::from(!request.warmup);
            }
            let start = requests.window_start_s();
            match self.duration_s {
                Some(duration) if self.requests.is_none_or(|n| measured < n) => (start, start + duration),
                _ => (start, last + self.arrival.every_s.unwrap_or(0.0)),
            }
        })
    }
}

/// Iterator over the requests of a level.
#[derive(Clone, Debug)]
pub struct Requests<'a> {
    plan: &'a LevelPlan,
    next: u64,
    arrivals: Option<Arrivals>,
}

impl Requests<'_> {
    fn window_start_s(&self) -> f64 {
        self.arrivals.as_ref().map_or(0.0, Arrivals::window_start_s)
    }
}

impl Iterator for Requests<'_> {
    type Item = PlannedRequest;

    fn next(&mut self) -> Option<PlannedRequest> {
        let plan = self.plan;
        let index = self.next;
        let warmup = index < plan.warmup;
        if plan.requests.is_some_and(|n| index >= plan.warmup + n) {
            return None;
        }
        let planned_s = self.arrivals.as_mut().and_then(Iterator::next);
        if let (Some(at), Some(duration)) = (planned_s, plan.duration_s)
            && !warmup
            && at >= self.window_start_s() + duration
        {
            return None;
        }
        self.next += 1;
        let (input_tokens, mut output_tokens) = plan.lengths(index);
        if let Some(streams) = plan.streams()
            && warmup
            && index < u64::from(streams)
        {
            let share = (index + 1) as f64 / f64::from(streams);
            output_tokens = ((f64::from(output_tokens) * share).ceil() as u32).max(1);
        }
        Some(PlannedRequest { index, warmup, planned_s, input_tokens, output_tokens, class: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(load: LoadSpec) -> LevelPlan {
        let seeds = Seeds { schedule: 1, prompts: 2 };
        LevelPlan::new(&WorkloadSpec::default(), &load, 0, 0, seeds).unwrap()
    }

    #[test]
    fn closed_loop_warm_up_spreads_the_streams() {
        let load = LoadSpec { levels: vec![Level::closed(4)], requests: Some(3), ..LoadSpec::default() };
        let plan = plan(load);
        let outputs: Vec<(bool, u32)> = plan.requests().map(|r| (r.warmup, r.output_tokens)).collect();
        let expected = [(true, 16), (true, 32), (true, 48), (true, 64), (false, 64), (false, 64), (false, 64)];
        assert_eq!(outputs, expected);
        assert_eq!(plan.total(), Some(7));
    }

    #[test]
    fn an_open_loop_ends_with_its_window() {
        let load = LoadSpec { levels: vec![Level::poisson(5.0)], duration_s: Some(20.0), ..LoadSpec::default() };
        let plan = plan(load);
        let (start, end) = plan.open_window().unwrap();
        assert!((end - start - 20.0).abs() < 1e-9);
        let requests: Vec<_> = plan.requests().collect();
        assert!(requests.iter().filter(|r| !r.warmup).all(|r| (start..end).contains(&r.planned_s.unwrap())));
        assert!((60..140).contains(&requests.len()), "{} arrivals at 5/s in 20 s", requests.len());
    }

    #[test]
    fn bursts_fill_the_window_from_its_first_moment() {
        let level = Level { burst: Some(4), every_s: Some(5.0), ..Level::default() };
        let load = LoadSpec { levels: vec![level], duration_s: Some(20.0), ..LoadSpec::default() };
        let measured_at = |plan: &LevelPlan| -> Vec<f64> {
            plan.requests().filter(|r| !r.warmup).filter_map(|r| r.planned_s).step_by(4).collect()
        };
        let whole = plan(load.clone());
        assert_eq!((whole.warmup, whole.open_window()), (4, Some((5.0, 25.0))));
        assert_eq!(measured_at(&whole), [5.0, 10.0, 15.0, 20.0]);
        let counted = plan(LoadSpec { requests: Some(8), duration_s: None, ..load });
        assert_eq!(counted.open_window(), Some((5.0, 15.0)));
    }

    #[test]
    fn a_level_without_intensity_is_refused() {
        let load = LoadSpec { levels: vec![Level::default()], ..LoadSpec::default() };
        let seeds = Seeds::default();
        let error = LevelPlan::new(&WorkloadSpec::default(), &load, 0, 0, seeds).unwrap_err();
        assert_eq!(error, PlanError::NoIntensity { level: 0 });
    }

    #[test]
    fn experiments_share_lengths_and_arrivals_whatever_their_prompts() {
        let workload = WorkloadSpec {
            prompts: tuner_core::task::Prompts { scenario: Some("N(100,30)/(50,10)".to_owned()), ..Default::default() },
            ..WorkloadSpec::default()
        };
        let load = LoadSpec { levels: vec![Level::poisson(2.0); 2], ..LoadSpec::default() };
        let requests = |level, repeat, prompts| {
            let seeds = Seeds { schedule: 9, prompts };
            LevelPlan::new(&workload, &load, level, repeat, seeds).unwrap().requests().collect::<Vec<_>>()
        };
        assert_eq!(requests(0, 0, 1), requests(0, 0, 2));
        assert_ne!(requests(0, 0, 1), requests(1, 0, 1));
        assert_ne!(requests(0, 0, 1), requests(0, 1, 1));
    }

    proptest! {
        #[test]
        fn each_pass_over_a_file_visits_every_prompt_once(n in 1u64..200, pass in 0u64..3, seed: u64) {
            let seeds = Seeds { schedule: seed, prompts: 0 };
            let lengths = vec![(1, 1); n as usize];
            let plan =
                LevelPlan::from_file(&WorkloadSpec::default(), &LoadSpec::default(), 0, 0, seeds, lengths).unwrap();
            let mut seen: Vec<usize> =
                (pass * n..(pass + 1) * n).map(|i| plan.file_position(i).unwrap()).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..n as usize).collect::<Vec<_>>());
        }
    }
}
