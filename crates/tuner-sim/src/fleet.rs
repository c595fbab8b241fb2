//! The replicas of one engine behind one door: admission, routing and injected faults, the same for both doors.

use std::collections::HashMap;

use tuner_core::{Failure, FailureClass};

use crate::engine::SimEngine;
use crate::error::traceback;
use crate::scheduler::{Gauges, Scheduler, SimRequest, Step};

/// Why a request is not served; `status` is the HTTP status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// HTTP status.
    pub status: u16,
    /// What the client is told.
    pub message: String,
}

/// All replicas of an engine.
#[derive(Clone, Debug)]
pub struct Fleet {
    engine: SimEngine,
    replicas: Vec<Scheduler>,
    homes: HashMap<u64, usize>,
    seed: u64,
    accepted: u64,
    crash: Option<Failure>,
}

impl Fleet {
    /// Idle replicas. Equal seeds give equal noise.
    pub fn new(engine: &SimEngine, seed: u64) -> Self {
        let replicas = (0..engine.flags().dp).map(|i| Scheduler::new(engine, i)).collect();
        Self { engine: engine.clone(), replicas, homes: HashMap::new(), seed, accepted: 0, crash: None }
    }

    /// The engine.
    pub fn engine(&self) -> &SimEngine {
        &self.engine
    }

    /// Replicas.
    pub fn len(&self) -> usize {
        self.replicas.len()
    }

    /// Never: an engine has a replica.
    pub fn is_empty(&self) -> bool {
        self.replicas.is_empty()
    }

    /// Gives a request to the replica with the fewest unfinished ones and says which.
    ///
    /// # Errors
    /// 400 when prompt and output exceed the context length, 500 when a fault says so.
    pub fn submit(&mut self, request: SimRequest) -> Result<usize, Rejection> {
        let limit = self.engine.plan().max_model_len;
        let asked = u64::from(request.prompt_tokens) + u64::from(request.output_tokens);
        if asked > u64::from(limit) {
            let message = format!(
                "This model's maximum context length is {limit} tokens. However, you requested {asked} tokens ({} in \
                 the messages, {} in the completion). Please reduce the length of the messages or completion.",
                request.prompt_tokens, request.output_tokens
            );
            return Err(Rejection { status: 400, message });
        }
        let faults = &self.engine.flags().faults;
        if faults.fail_after_requests.is_some_and(|n| self.accepted >= n) {
            return Err(Rejection { status: 500, message: "injected fault: fail-after-requests".to_owned() });
        }
        self.accepted += 1;
        if faults.die_at_concurrency.is_some_and(|n| self.unfinished() + 1 >= n) {
            self.crash = Some(
                Failure::new(FailureClass::EngineCrash, "injected fault: die-at-concurrency")
                    .with_log(traceback("core.py\", line 708, in run_engine_core", "RuntimeError: injected fault")),
            );
        }
        let home = (0..self.replicas.len()).min_by_key(|i| self.replicas[*i].unfinished()).unwrap_or(0);
        self.homes.insert(request.id, home);
        self.replicas[home].submit(&self.engine, request);
        Ok(home)
    }

    /// Drops a request; unknown ones are none of its business.
    pub fn abort(&mut self, id: u64) {
        if let Some(home) = self.homes.remove(&id) {
            self.replicas[home].abort(id);
        }
    }

    /// The next step of a replica, or `None` when it is idle. After a crash there is no further step.
    pub fn step(&mut self, replica: usize) -> Option<Step> {
        let mut step = self.replicas[replica].step(&self.engine, self.seed)?;
        if let Some(failure) = self.crash.take() {
            step.crash = Some(failure);
        }
        for emission in step.emissions.iter().filter(|e| e.finished) {
            self.homes.remove(&emission.id);
        }
        Some(step)
    }

    /// Requests that are not finished.
    pub fn unfinished(&self) -> u32 {
        self.replicas.iter().map(Scheduler::unfinished).sum()
    }

    /// Counters and gauges over all replicas.
    pub fn gauges(&self) -> Gauges {
        self.replicas.iter().map(Scheduler::gauges).fold(Gauges::default(), |a, b| Gauges {
            running: a.running + b.running,
            waiting: a.waiting + b.waiting,
            blocks_used: a.blocks_used + b.blocks_used,
            blocks: a.blocks + b.blocks,
            preemptions: a.preemptions + b.preemptions,
            prefix_queries: a.prefix_queries + b.prefix_queries,
            prefix_hits: a.prefix_hits + b.prefix_hits,
            steps: a.steps + b.steps,
        })
    }
}
