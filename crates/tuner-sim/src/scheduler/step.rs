//! What comes out of a step, and whether the step's memory is there.

use tuner_core::{Failure, FailureClass};

use crate::cost::Work;
use crate::engine::SimEngine;
use crate::error::traceback;

/// Tokens for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emission {
    /// Whose.
    pub id: u64,
    /// How many.
    pub tokens: u32,
    /// Prompt tokens that came from the cache.
    pub cached_tokens: u32,
    /// These are its last.
    pub finished: bool,
}

/// What one step does: everything in it becomes visible when `duration_s` has passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Seconds it takes, noise included.
    pub duration_s: f64,
    /// What was computed.
    pub work: Work,
    /// Tokens that come out, in scheduling order.
    pub emissions: Vec<Emission>,
    /// Sequences thrown back to the queue for lack of blocks.
    pub preempted: u32,
    /// Sequences that started (again), in order.
    pub started: Vec<u64>,
    /// The engine died of this instead.
    pub crash: Option<Failure>,
}

/// Counters and gauges of one replica.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Sequences that run.
    pub running: u32,
    /// Sequences that wait.
    pub waiting: u32,
    /// Blocks in use.
    pub blocks_used: u32,
    /// Blocks in all.
    pub blocks: u32,
    /// Preemptions so far.
    pub preemptions: u64,
    /// Prompt tokens looked up in the prefix cache so far.
    pub prefix_queries: u64,
    /// Prompt tokens found there so far.
    pub prefix_hits: u64,
    /// Steps so far.
    pub steps: u64,
}

/// The memory spike of a step against what the static allocations left.
pub(super) fn out_of_memory(engine: &SimEngine, work: &Work) -> Option<Failure> {
    const MIB: f64 = 1024.0 * 1024.0;
    let tokens = work.prefill_tokens + work.decoding;
    let spike = engine.plan().spike_bytes(tokens, work.decoding + work.prefilling);
    let free = engine.plan().headroom_bytes;
    (spike > free).then(|| {
        let message = format!(
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {:.2} MiB. GPU 0 has a total capacity of \
             {:.2} GiB of which {:.2} MiB is free.",
            spike / MIB,
            engine.gpu().memory_bytes / MIB / 1024.0,
            free / MIB
        );
        let summary =
            format!("out of memory in a step of {tokens} tokens over {} sequences", work.decoding + work.prefilling);
        Failure::new(FailureClass::OomRun, summary)
            .with_log(traceback("gpu_model_runner.py\", line 1380, in execute_model", &message))
    })
}
