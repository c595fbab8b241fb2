//! Continuous batching: which sequences take part in the next step, and what comes out of it.
//!
//! One [`Scheduler`] is one replica. [`Scheduler::step`] is a function of state, engine and seed; who calls it, in
//! virtual time or in real time, makes no difference. *Invariants*: tokens out equal tokens asked for; no block is
//! used twice; under `fcfs` sequences start in order of arrival.

mod request;
mod step;

use std::collections::VecDeque;

use crate::cost::Work;
use crate::engine::SimEngine;
use crate::flags::Policy;
use crate::kv::BlockPool;
use crate::noise::{bits, factor, unit};
pub use request::{Content, SimRequest};
use step::out_of_memory;
pub use step::{Emission, Gauges, Step};

/// Spread of a single step's time.
const STEP_SIGMA: f64 = 0.04;
/// Spread between runs of one configuration: clocks, neighbours, temperature.
const RUN_SIGMA: f64 = 0.01;
/// Share of guessed tokens that are accepted (n-gram and small draft models on mixed text).
const ACCEPTANCE: f64 = 0.5;
/// Waiting queues longer than this are not sorted by prefix (as SGLang).
const SORT_LIMIT: usize = 128;

const STREAM_STEP: u64 = 1;
const STREAM_RUN: u64 = 2;
const STREAM_ACCEPT: u64 = 3;

#[derive(Clone, Debug)]
struct Sequence {
    id: u64,
    arrival: u64,
    priority: i64,
    prompt: u32,
    output: u32,
    generated: u32,
    computed: u32,
    cached: Option<u32>,
    hashes: Vec<u64>,
    registered: u32,
    blocks: Vec<u32>,
    scheduled: u32,
}

impl Sequence {
    fn target(&self) -> u32 {
        self.prompt + self.generated
    }
    fn remaining(&self) -> u32 {
        self.target() - self.computed
    }
    fn decodes(&self) -> bool {
        self.generated > 0 && self.remaining() == 1
    }
}

/// One replica's queues and cache.
#[derive(Clone, Debug)]
pub struct Scheduler {
    waiting: VecDeque<Sequence>,
    running: Vec<Sequence>,
    pool: BlockPool,
    block_size: u32,
    replica: u64,
    arrivals: u64,
    gauges: Gauges,
}

impl Scheduler {
    /// An idle replica of the engine.
    pub fn new(engine: &SimEngine, replica: u32) -> Self {
        let plan = engine.plan();
        Self {
            waiting: VecDeque::new(),
            running: Vec::new(),
            pool: BlockPool::new(plan.blocks),
            block_size: plan.block_size,
            replica: u64::from(replica),
            arrivals: 0,
            gauges: Gauges { blocks: plan.blocks, ..Gauges::default() },
        }
    }

    /// Requests that are not finished.
    pub fn unfinished(&self) -> u32 {
        (self.waiting.len() + self.running.len()) as u32
    }

    /// Counters and gauges now.
    pub fn gauges(&self) -> Gauges {
        Gauges {
            running: self.running.len() as u32,
            waiting: self.waiting.len() as u32,
            blocks_used: self.pool.referenced(),
            ..self.gauges
        }
    }

    /// Queues a request. It must fit: prompt and output within the context length.
    pub fn submit(&mut self, engine: &SimEngine, request: SimRequest) {
        let hashes = if engine.flags().prefix_caching { request.block_hashes(self.block_size) } else { Vec::new() };
        let sequence = Sequence {
            id: request.id,
            arrival: self.arrivals,
            priority: request.priority,
            prompt: request.prompt_tokens.max(1),
            output: request.output_tokens.max(1),
            generated: 0,
            computed: 0,
            cached: None,
            hashes,
            registered: 0,
            blocks: Vec::new(),
            scheduled: 0,
        };
        self.arrivals += 1;
        self.enqueue(engine, sequence);
    }

    /// Drops a request wherever it is; its blocks are free at once.
    pub fn abort(&mut self, id: u64) {
        self.waiting.retain(|s| s.id != id);
        if let Some(at) = self.running.iter().position(|s| s.id == id) {
            let sequence = self.running.remove(at);
            self.free(&sequence.blocks);
        }
    }

    /// Decides and computes the next step, or `None` when there is nothing to do.
    pub fn step(&mut self, engine: &SimEngine, seed: u64) -> Option<Step> {
        if self.running.is_empty() && self.waiting.is_empty() {
            return None;
        }
        for sequence in &mut self.running {
            sequence.scheduled = 0;
        }
        let mut step = Step {
            duration_s: 0.0,
            work: Work::default(),
            emissions: Vec::new(),
            preempted: 0,
            started: Vec::new(),
            crash: None,
        };
        let budget = engine.plan().max_batched_tokens;
        if engine.flags().mixed {
            let left = self.schedule_running(engine, budget, |_| true, &mut step);
            if step.preempted == 0 {
                self.admit(engine, left, &mut step);
            }
        } else {
            let left = self.schedule_running(engine, budget, |s| !s.decodes(), &mut step);
            if step.preempted == 0 {
                self.admit(engine, left, &mut step);
            }
            if self.running.iter().all(|s| s.scheduled == 0) {
                self.schedule_running(engine, u32::MAX, Sequence::decodes, &mut step);
            }
        }
        self.compute(engine, seed, &mut step);
        Some(step)
    }

    /// Gives tokens to running sequences that `chosen` accepts, preempting the last when blocks run out. Returns what
    /// is left of the budget.
    fn schedule_running(
        &mut self,
        engine: &SimEngine,
        mut budget: u32,
        chosen: impl Fn(&Sequence) -> bool,
        step: &mut Step,
    ) -> u32 {
        let guesses = engine.flags().speculative_tokens;
        let mut at = 0;
        'sequences: while at < self.running.len() && budget > 0 {
            let sequence = &self.running[at];
            if sequence.scheduled > 0 || !chosen(sequence) {
                at += 1;
                continue;
            }
            let tokens = sequence.remaining().min(budget);
            let ahead = if sequence.decodes() { guesses } else { 0 };
            let length = (sequence.computed + tokens + ahead).min(sequence.prompt + sequence.output);
            while !self.grow(at, length) {
                let victim = self.victim(engine);
                budget += self.running[victim].scheduled;
                self.preempt(engine, victim, step);
                if victim == at {
                    continue 'sequences;
                }
                at -= usize::from(victim < at);
            }
            self.running[at].scheduled = tokens;
            budget -= tokens;
            at += 1;
        }
        budget
    }

    /// Starts waiting sequences while slots, tokens and blocks last. The head of the queue is never overtaken.
    fn admit(&mut self, engine: &SimEngine, mut budget: u32, step: &mut Step) {
        let most = engine.plan().max_num_seqs as usize;
        if self.running.len() < most && engine.flags().policy == Policy::Lpm && self.waiting.len() <= SORT_LIMIT {
            let pool = &self.pool;
            self.waiting
                .make_contiguous()
                .sort_by_cached_key(|s| (std::cmp::Reverse(pool.match_prefix(&s.hashes).0), s.arrival));
        }
        while self.running.len() < most && budget > 0 {
            let Some(head) = self.waiting.front() else { break };
            let reusable = ((head.target() - 1) / self.block_size) as usize;
            let (hits, idle) = self.pool.match_prefix(&head.hashes[..head.hashes.len().min(reusable)]);
            let start = hits * self.block_size;
            let missing = head.target() - start;
            let alone = self.running.iter().all(|s| s.scheduled == 0);
            let tokens = match engine.flags().chunked_prefill {
                true => missing.min(budget),
                false if missing > budget && !alone => break,
                false => missing,
            };
            let fresh = (start + tokens).div_ceil(self.block_size) - hits;
            if fresh + idle > self.pool.available() {
                break;
            }
            let Some(mut sequence) = self.waiting.pop_front() else { break };
            for hash in &sequence.hashes[..hits as usize] {
                if let Some(block) = self.pool.find(*hash) {
                    self.pool.acquire(block);
                    sequence.blocks.push(block);
                }
            }
            sequence.blocks.extend(std::iter::from_fn(|| self.pool.allocate()).take(fresh as usize));
            sequence.computed = start;
            sequence.registered = hits;
            sequence.scheduled = tokens;
            if sequence.cached.is_none() {
                sequence.cached = Some(start);
                self.gauges.prefix_queries += u64::from(sequence.prompt);
                self.gauges.prefix_hits += u64::from(start);
            }
            budget = budget.saturating_sub(tokens);
            step.started.push(sequence.id);
            self.running.push(sequence);
        }
    }

    /// Computes what was scheduled: time, tokens out, sequences that end.
    fn compute(&mut self, engine: &SimEngine, seed: u64, step: &mut Step) {
        let guesses = engine.flags().speculative_tokens;
        let number = self.gauges.steps;
        self.gauges.steps += 1;
        for sequence in self.running.iter().filter(|s| s.scheduled > 0) {
            if sequence.decodes() {
                step.work.decode(sequence.computed + 1);
            } else {
                step.work.prefill(sequence.scheduled, sequence.computed);
            }
        }
        step.duration_s = engine.step_s(&step.work) * self.noise(engine, seed, number);
        step.crash = out_of_memory(engine, &step.work);
        if step.crash.is_some() {
            return;
        }
        let mut running = std::mem::take(&mut self.running);
        running.retain_mut(|sequence| {
            if sequence.scheduled == 0 {
                return true;
            }
            let decodes = sequence.decodes();
            sequence.computed += sequence.scheduled;
            self.register(sequence);
            if sequence.remaining() > 0 {
                return true;
            }
            let guessed = if decodes { accepted(seed, sequence, guesses) } else { 0 };
            let tokens = (1 + guessed).min(sequence.output - sequence.generated);
            sequence.generated += tokens;
            sequence.computed += tokens - 1;
            let finished = sequence.generated == sequence.output;
            step.emissions.push(Emission {
                id: sequence.id,
                tokens,
                cached_tokens: sequence.cached.unwrap_or(0),
                finished,
            });
            if finished {
                self.free(&sequence.blocks);
            }
            !finished
        });
        self.running = running;
    }

    fn noise(&self, engine: &SimEngine, seed: u64, number: u64) -> f64 {
        let scale = engine.flags().noise;
        let stream = bits(self.replica, STREAM_STEP, 0);
        factor(seed, stream, number, STEP_SIGMA * scale) * factor(seed, STREAM_RUN, 0, RUN_SIGMA * scale)
    }

    /// Blocks for `length` tokens of a running sequence; all or none.
    fn grow(&mut self, at: usize, length: u32) -> bool {
        let needed = length.div_ceil(self.block_size) as usize;
        let have = self.running[at].blocks.len();
        if needed <= have {
            return true;
        }
        if (needed - have) as u64 > u64::from(self.pool.available()) {
            return false;
        }
        let blocks = std::iter::from_fn(|| self.pool.allocate()).take(needed - have);
        self.running[at].blocks.extend(blocks);
        true
    }

    /// Who gives way: the last to start, or under `priority` the least important.
    fn victim(&self, engine: &SimEngine) -> usize {
        let last = self.running.len() - 1;
        if engine.flags().policy != Policy::Priority {
            return last;
        }
        (0..=last).max_by_key(|i| (self.running[*i].priority, self.running[*i].arrival)).unwrap_or(last)
    }

    /// Throws a sequence back to the queue; it is computed again from its prompt and what it has said so far.
    fn preempt(&mut self, engine: &SimEngine, at: usize, step: &mut Step) {
        let mut sequence = self.running.remove(at);
        self.free(&sequence.blocks);
        sequence.blocks.clear();
        sequence.computed = 0;
        sequence.registered = 0;
        sequence.scheduled = 0;
        step.preempted += 1;
        self.gauges.preemptions += 1;
        self.enqueue(engine, sequence);
    }

    /// The queue is in order of arrival, or of priority and then arrival; what was preempted goes back to its place.
    fn enqueue(&mut self, engine: &SimEngine, sequence: Sequence) {
        let by_priority = engine.flags().policy == Policy::Priority;
        let rank = |s: &Sequence| (if by_priority { s.priority } else { 0 }, s.arrival);
        let at = match engine.flags().policy {
            Policy::Lpm if sequence.generated > 0 => 0,
            Policy::Lpm => self.waiting.len(),
            _ => self.waiting.partition_point(|s| rank(s) < rank(&sequence)),
        };
        self.waiting.insert(at, sequence);
    }

    /// Later blocks are evicted before earlier ones, so that prefixes survive.
    fn free(&mut self, blocks: &[u32]) {
        for block in blocks.iter().rev() {
            self.pool.release(*block);
        }
    }

    /// Makes the full blocks computed so far findable, whose content is known.
    fn register(&mut self, sequence: &mut Sequence) {
        let full = ((sequence.computed / self.block_size) as usize).min(sequence.hashes.len());
        for at in sequence.registered as usize..full {
            self.pool.register(sequence.blocks[at], sequence.hashes[at]);
        }
        sequence.registered = sequence.registered.max(full as u32);
    }
}

/// Guesses accepted in one step: each is accepted with the same chance, up to the first refusal.
fn accepted(seed: u64, sequence: &Sequence, guesses: u32) -> u32 {
    let draw = |i: u32| unit(seed, bits(STREAM_ACCEPT, sequence.id, u64::from(i)), u64::from(sequence.generated));
    (0..guesses).take_while(|i| draw(*i) < ACCEPTANCE).count() as u32
}
