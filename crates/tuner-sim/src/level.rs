//! A level of load in virtual time: the same scheduler as the server's, driven from event to event with no sockets.
//!
//! *Invariant*: every request taken from the plan ends in exactly one record, in order of `index`.

mod talk;

use std::collections::VecDeque;

use tuner_core::Failure;
use tuner_core::record::{Fate, PlannedRequest, RequestRecord, SharedRun, TokenRead};

use crate::engine::SimEngine;
use crate::fleet::Fleet;
use crate::noise::bits;
use crate::scheduler::{Content, Gauges, SimRequest, Step};
use talk::Crowd;
pub use talk::{Talk, run_conversations, run_conversations_followed};

/// Seconds until a client knows that the engine refused its request; a loop over refusals must take time.
const REFUSAL_S: f64 = 1e-3;

/// How requests are sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Drive {
    /// Requests in flight: the number of streams of a closed loop, or the cap of an open one.
    pub concurrency: Option<u32>,
    /// Seconds after the first measured request at which no more are sent.
    pub duration_s: Option<f64>,
    /// Seconds after which a request is given up.
    pub request_timeout_s: f64,
    /// Seconds after the start of the level at which whatever is in flight is cut off.
    pub limit_s: Option<f64>,
    /// Leading tokens that all prompts have in common, a system prompt for instance.
    pub shared_prefix_tokens: u32,
}

impl Default for Drive {
    fn default() -> Self {
        Self {
            concurrency: Some(1),
            duration_s: None,
            request_timeout_s: 300.0,
            limit_s: None,
            shared_prefix_tokens: 0,
        }
    }
}

/// Follows a level while it runs and may end it. Told in order of time.
pub trait Follow {
    /// A request had its first token.
    fn first_token(&mut self, record: &RequestRecord);
    /// A request ended.
    fn ended(&mut self, record: &RequestRecord);
    /// Whether nothing more is to be sent; what is in flight is awaited.
    fn stops(&mut self, now_s: f64) -> bool;
}

/// Nobody follows.
impl Follow for () {
    fn first_token(&mut self, _record: &RequestRecord) {}
    fn ended(&mut self, _record: &RequestRecord) {}
    fn stops(&mut self, _now_s: f64) -> bool {
        false
    }
}

/// What a level gave.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelRun {
    /// One record per request taken from the plan, in order of `index`.
    pub records: Vec<RequestRecord>,
    /// When the measured window opened: the first measured request (open loop: its planned arrival).
    pub window_opened_s: Option<f64>,
    /// When sending stopped: the duration was over, the plan was, or the engine died.
    pub sending_stopped_s: f64,
    /// When the last request ended.
    pub elapsed_s: f64,
    /// The engine died of this.
    pub crash: Option<Failure>,
    /// The engine's counters at the end.
    pub gauges: Gauges,
}

/// Runs a level against a freshly started engine. Requests with a `planned_s` are sent then (open loop), those
/// without as soon as fewer than `concurrency` are in flight. Warm-up requests hand over to measured ones without
/// draining. `requests` may be endless if there is a duration.
pub fn run_level(
    engine: &SimEngine,
    requests: &mut dyn Iterator<Item = PlannedRequest>,
    drive: &Drive,
    seed: u64,
) -> LevelRun {
    run_level_followed(engine, requests, drive, seed, &mut ())
}

/// As [`run_level`], with somebody who may end it. What was not taken from `requests` by then has no record.
pub fn run_level_followed(
    engine: &SimEngine,
    requests: &mut dyn Iterator<Item = PlannedRequest>,
    drive: &Drive,
    seed: u64,
    follower: &mut dyn Follow,
) -> LevelRun {
    let mut level = Level::new(engine, requests, drive, seed, follower);
    level.run();
    level.finish()
}

struct Level<'a, 'r> {
    follower: &'a mut dyn Follow,
    ended_early: bool,
    fleet: Fleet,
    steps: Vec<Option<(f64, Step)>>,
    requests: std::iter::Peekable<&'a mut (dyn Iterator<Item = PlannedRequest> + 'r)>,
    /// Instead of requests that stand alone.
    crowd: Option<Crowd<'a, 'r>>,
    drive: &'a Drive,
    seed: u64,
    now: f64,
    records: Vec<RequestRecord>,
    /// By position in `records`: whether the request is in flight. The fleet knows a request by that position.
    flying: Vec<bool>,
    in_flight: u32,
    deadlines: VecDeque<(f64, usize)>,
    refusals: VecDeque<(f64, usize, Fate)>,
    free_since: VecDeque<f64>,
    window_opened: Option<f64>,
    stopped: Option<f64>,
    crash: Option<Failure>,
}

impl<'a, 'r> Level<'a, 'r> {
    fn new(
        engine: &SimEngine,
        requests: &'a mut (dyn Iterator<Item = PlannedRequest> + 'r),
        drive: &'a Drive,
        seed: u64,
        follower: &'a mut dyn Follow,
    ) -> Self {
        Self {
            follower,
            ended_early: false,
            fleet: Fleet::new(engine, seed),
            steps: vec![None; engine.flags().dp as usize],
            requests: requests.peekable(),
            crowd: None,
            drive,
            seed,
            now: 0.0,
            records: Vec::new(),
            flying: Vec::new(),
            in_flight: 0,
            deadlines: VecDeque::new(),
            refusals: VecDeque::new(),
            free_since: VecDeque::new(),
            window_opened: None,
            stopped: None,
            crash: None,
        }
    }

    fn run(&mut self) {
        loop {
            match self.crowd {
                Some(_) => self.say_due(),
                None => self.send_due(),
            }
            for replica in 0..self.steps.len() {
                if self.steps[replica].is_none() {
                    self.steps[replica] = self.fleet.step(replica).map(|step| (self.now + step.duration_s, step));
                }
            }
            let Some(next) = self.next_event() else { break };
            if self.drive.limit_s.is_some_and(|limit| next > limit) {
                self.now = self.drive.limit_s.unwrap_or(next);
                break;
            }
            self.now = next;
            self.end_steps();
            if self.crash.is_some() {
                break;
            }
            self.end_refused();
            self.give_up_late();
            if self.stopped.is_none() && self.follower.stops(self.now) {
                self.stopped = Some(self.now);
                self.ended_early = true;
            }
        }
        self.stopped.get_or_insert(self.now);
    }

    /// The next moment at which anything happens.
    fn next_event(&mut self) -> Option<f64> {
        while self.deadlines.front().is_some_and(|(_, at)| !self.flying[*at]) {
            self.deadlines.pop_front();
        }
        let deadline = self.deadlines.front().map(|(at, _)| *at);
        let refusal = self.refusals.front().map(|(at, _, _)| *at);
        let arrival = match (self.stopped.is_none(), self.crowd.is_some()) {
            (false, _) => None,
            (true, true) => self.next_word(),
            (true, false) if self.is_full() => None,
            (true, false) => self.requests.peek().and_then(|r| r.planned_s),
        };
        let steps = self.steps.iter().flatten().map(|(end, _)| *end);
        steps.chain(deadline).chain(refusal).chain(arrival.map(|at| at.max(self.now))).min_by(f64::total_cmp)
    }

    fn is_full(&self) -> bool {
        self.drive.concurrency.is_some_and(|n| self.in_flight >= n)
    }

    /// Sends every request whose time has come.
    fn send_due(&mut self) {
        while self.stopped.is_none() {
            let Some(request) = self.requests.peek() else {
                self.stopped = Some(self.now);
                break;
            };
            let planned = request.planned_s;
            let ends = self.window_opened.zip(self.drive.duration_s).map(|(opened, duration)| opened + duration);
            if ends.is_some_and(|end| self.now >= end || planned.is_some_and(|at| at >= end)) {
                self.stopped = ends;
                self.leave_unsent();
                break;
            }
            if planned.is_some_and(|at| at > self.now) || self.is_full() {
                break;
            }
            if let Some(request) = self.requests.next() {
                self.send(&request);
            }
        }
    }

    fn send(&mut self, request: &PlannedRequest) {
        let freed = self.free_since.pop_front().unwrap_or(0.0);
        let planned = request.planned_s.unwrap_or(freed);
        if !request.warmup {
            self.window_opened.get_or_insert(planned);
        }
        let mut record = RequestRecord::unsent(request, planned);
        record.sent_s = Some(self.now);
        record.first_event_s = Some(self.now);
        let at = self.records.len();
        let submitted = self.fleet.submit(SimRequest {
            id: at as u64,
            prompt_tokens: request.input_tokens,
            output_tokens: request.output_tokens,
            priority: 0,
            content: self.content(request),
        });
        self.flying.push(true);
        self.in_flight += 1;
        match submitted {
            Ok(_) => self.deadlines.push_back((self.now + self.drive.request_timeout_s, at)),
            Err(rejection) => {
                record.first_event_s = None;
                let fate = Fate::Failed { class: format!("http_{}", rejection.status), message: rejection.message };
                self.refusals.push_back((self.now + REFUSAL_S, at, fate));
            }
        }
        self.records.push(record);
    }

    fn content(&self, request: &PlannedRequest) -> Content {
        let key = bits(self.seed, 5, request.index);
        if let Some(conversation) = request.conversation_key() {
            // All that is said in a conversation is one text: each prompt begins as the whole of the one before it, with
            // its answer.
            let mut runs = request.shared.clone();
            runs.retain(|run| run.key != conversation);
            let before: u32 = runs.iter().map(|run| run.tokens).sum();
            let tokens = (request.input_tokens + request.output_tokens).saturating_sub(before);
            runs.push(SharedRun { key: conversation, tokens });
            return Content::Runs { key, runs };
        }
        if request.shared.is_empty() {
            return Content::Unique { key, shared: self.drive.shared_prefix_tokens };
        }
        Content::Runs { key, runs: request.shared.clone() }
    }

    /// Open loop: what was planned inside the window and could not be sent under the cap.
    fn leave_unsent(&mut self) {
        if self.ended_early {
            return;
        }
        let stopped = self.stopped.unwrap_or(self.now);
        while let Some(request) = self.requests.next_if(|r| r.planned_s.is_some_and(|at| at < stopped)) {
            self.records.push(RequestRecord::unsent(&request, request.planned_s.unwrap_or(stopped)));
        }
    }

    /// Hands out the tokens of every step that ends now.
    fn end_steps(&mut self) {
        for replica in 0..self.steps.len() {
            let Some((at, step)) = self.steps[replica].take_if(|(end, _)| *end <= self.now) else { continue };
            if step.crash.is_some() {
                self.crash = step.crash;
                return;
            }
            for emission in &step.emissions {
                let index = emission.id as usize;
                if !self.flying[index] {
                    continue;
                }
                let record = &mut self.records[index];
                if record.reads.is_empty() {
                    record.reads.reserve_exact(record.planned_output_tokens as usize);
                    record.first_answer_s = Some(at);
                    record.input_tokens = Some(record.planned_input_tokens);
                    record.cached_tokens = Some(emission.cached_tokens);
                }
                record.reads.push(TokenRead { at_s: at, events: 1, tokens: Some(emission.tokens) });
                *record.output_tokens.get_or_insert(0) += emission.tokens;
                if record.reads.len() == 1 {
                    self.follower.first_token(record);
                }
                if emission.finished {
                    record.ended_s = Some(at);
                    record.fate = Fate::Completed;
                    self.follower.ended(record);
                    self.land(index, at);
                    self.answered(index, at);
                }
            }
        }
    }

    /// Ends requests that the engine refused.
    fn end_refused(&mut self) {
        while let Some((_, index, fate)) = self.refusals.pop_front_if(|(at, _, _)| *at <= self.now) {
            if self.flying[index] {
                self.land(index, self.now);
                self.end(index, fate);
                self.answered(index, self.now);
            }
        }
    }

    /// Gives up requests that took too long.
    fn give_up_late(&mut self) {
        while let Some((_, index)) = self.deadlines.pop_front_if(|(at, _)| *at <= self.now) {
            if self.flying[index] {
                self.land(index, self.now);
                self.fleet.abort(index as u64);
                let class = if self.records[index].reads.is_empty() { "timeout_first" } else { "timeout_total" };
                let message = format!("no end after {} s", self.drive.request_timeout_s);
                self.end(index, Fate::Failed { class: class.to_owned(), message });
                self.answered(index, self.now);
            }
        }
    }

    /// Frees the stream of a request that has ended.
    fn land(&mut self, index: usize, at: f64) {
        self.flying[index] = false;
        self.in_flight -= 1;
        self.free_since.push_back(at);
    }

    fn end(&mut self, index: usize, fate: Fate) {
        self.records[index].ended_s = Some(self.now);
        self.records[index].fate = fate;
        self.follower.ended(&self.records[index]);
    }

    fn finish(mut self) -> LevelRun {
        let fate = match &self.crash {
            Some(failure) => Fate::Failed { class: "cut".to_owned(), message: failure.message.clone() },
            None => Fate::Cancelled,
        };
        for index in 0..self.flying.len() {
            if self.flying[index] {
                self.end(index, fate.clone());
            }
        }
        self.leave_unsent();
        self.leave_unsaid();
        self.records.sort_by_key(|r| r.index);
        let stopped = self.stopped.unwrap_or(self.now);
        LevelRun {
            records: self.records,
            window_opened_s: self.window_opened,
            sending_stopped_s: stopped,
            elapsed_s: self.now.max(stopped),
            crash: self.crash,
            gauges: self.fleet.gauges(),
        }
    }
}
