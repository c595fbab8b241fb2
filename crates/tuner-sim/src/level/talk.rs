//! Conversations in virtual time: users who wait for an answer, think, and go on.
//!
//! *Invariant*: the same rules as the load generator's (`tuner-bench`, `run/talk.rs`): a turn is planned when the answer
//! before it ended and its user has thought, or when the user's schedule says; one that fails ends its conversation, and
//! what was still to come is recorded as never sent, with the reason.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use tuner_core::record::{Fate, PlannedConversation, PlannedTurn, RequestRecord};

use super::{Drive, Follow, Level, LevelRun};
use crate::engine::SimEngine;

/// How conversations are held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Talk {
    /// Requests before the window of a closed loop.
    pub warmup: u64,
    /// Requests in the window of a closed loop, at most.
    pub requests: Option<u64>,
    /// The window of an open loop, seconds; `None` in a closed loop.
    pub window: Option<(f64, f64)>,
}

/// Runs a level of conversations against a freshly started engine. In a closed loop `drive.concurrency` users hold one
/// after another; in an open loop they begin when they are planned to.
pub fn run_conversations(
    engine: &SimEngine,
    conversations: &mut dyn Iterator<Item = PlannedConversation>,
    drive: &Drive,
    talk: &Talk,
    seed: u64,
) -> LevelRun {
    run_conversations_followed(engine, conversations, drive, talk, seed, &mut ())
}

/// As [`run_conversations`], with somebody who may end it: then nobody says anything more, and what is in flight is
/// awaited.
pub fn run_conversations_followed(
    engine: &SimEngine,
    conversations: &mut dyn Iterator<Item = PlannedConversation>,
    drive: &Drive,
    talk: &Talk,
    seed: u64,
    follower: &mut dyn Follow,
) -> LevelRun {
    let mut nothing = std::iter::empty();
    let mut level = Level::new(engine, &mut nothing, drive, seed, follower);
    level.crowd = Some(Crowd {
        conversations: conversations.peekable(),
        talk: talk.clone(),
        due: BinaryHeap::new(),
        held: Vec::new(),
        by_record: HashMap::new(),
        users: HashMap::new(),
        sent: 0,
    });
    level.meet();
    level.run();
    level.finish()
}

/// Everyone who talks.
pub(super) struct Crowd<'a, 'r> {
    conversations: std::iter::Peekable<&'a mut (dyn Iterator<Item = PlannedConversation> + 'r)>,
    talk: Talk,
    /// When the next turn of each conversation is due, as the bits of a time that is not negative, and which it is.
    due: BinaryHeap<Reverse<(u64, usize)>>,
    held: Vec<Held>,
    /// The conversation of a request in flight, by its position in the records.
    by_record: HashMap<usize, usize>,
    /// Where users have a schedule: the conversations of each user that wait for the one before.
    users: HashMap<u32, VecDeque<PlannedConversation>>,
    sent: u64,
}

/// A conversation that is being held.
struct Held {
    user: Option<u32>,
    rest: VecDeque<PlannedTurn>,
    /// After the answer that is awaited.
    think_s: f64,
}

impl Crowd<'_, '_> {
    fn begin(&mut self, conversation: PlannedConversation, due_s: f64) {
        let at = self.held.len();
        let PlannedConversation { user, turns, .. } = conversation;
        self.held.push(Held { user, rest: turns.into(), think_s: 0.0 });
        self.due.push(Reverse((due_s.max(0.0).to_bits(), at)));
    }

    fn first_due(&self) -> Option<f64> {
        self.due.peek().map(|Reverse((bits, _))| f64::from_bits(*bits))
    }

    /// When the next conversation of an open loop begins.
    fn next_start(&mut self) -> Option<f64> {
        self.talk.window?;
        self.conversations.peek()?.turns.first()?.request.planned_s
    }
}

impl Level<'_, '_> {
    /// Lets the users of a closed loop begin.
    fn meet(&mut self) {
        let users = self.drive.concurrency.unwrap_or(1);
        let Some(crowd) = self.crowd.as_mut().filter(|crowd| crowd.talk.window.is_none()) else { return };
        for _ in 0..users {
            let Some(conversation) = crowd.conversations.next() else { break };
            let due_s = conversation.turns.first().and_then(|turn| turn.request.planned_s).unwrap_or(0.0);
            crowd.begin(conversation, due_s);
        }
    }

    /// The next moment at which somebody may have something to say.
    pub(super) fn next_word(&mut self) -> Option<f64> {
        let full = self.is_over_cap();
        let crowd = self.crowd.as_mut()?;
        let due = crowd.first_due().filter(|_| !full);
        [due, crowd.next_start()].into_iter().flatten().min_by(f64::total_cmp)
    }

    /// Whether an open loop has as many in flight as it may.
    fn is_over_cap(&self) -> bool {
        let open = self.crowd.as_ref().is_some_and(|crowd| crowd.talk.window.is_some());
        open && self.is_full()
    }

    /// Whether the window is known to be over at this moment.
    fn ends_before(&self, at_s: f64) -> bool {
        match self.crowd.as_ref().and_then(|crowd| crowd.talk.window) {
            Some((_, end)) => at_s > end,
            None => self.window_opened.zip(self.drive.duration_s).is_some_and(|(opened, s)| at_s >= opened + s),
        }
    }

    fn has_opened(&self, at_s: f64) -> bool {
        let opened = self.crowd.as_ref().and_then(|crowd| crowd.talk.window).map(|(start, _)| start);
        opened.or(self.window_opened).is_some_and(|opened| at_s >= opened)
    }

    /// Sends every turn whose time has come.
    pub(super) fn say_due(&mut self) {
        while self.stopped.is_none() {
            self.come();
            let over_cap = self.is_over_cap();
            let now = self.now;
            let Some(crowd) = &mut self.crowd else { return };
            let Some(due_s) = crowd.first_due() else {
                if crowd.next_start().is_none() && crowd.by_record.is_empty() {
                    self.stopped = Some(now);
                }
                return;
            };
            if due_s > now || over_cap {
                return;
            }
            let Some(Reverse((_, at))) = crowd.due.pop() else { return };
            let Some(turn) = crowd.held[at].rest.pop_front() else { continue };
            let Some(warmup) = self.admit(&turn, due_s) else {
                if self.crowd.as_ref().is_some_and(|crowd| crowd.talk.window.is_none()) {
                    let ends = self.window_opened.zip(self.drive.duration_s).map(|(opened, s)| opened + s);
                    self.stopped = Some(ends.map_or(now, |end| end.min(now)));
                } else {
                    self.part(at, now);
                }
                continue;
            };
            let mut request = turn.request;
            (request.warmup, request.planned_s) = (warmup, Some(due_s));
            let position = self.records.len();
            self.send(&request);
            let Some(crowd) = &mut self.crowd else { return };
            crowd.held[at].think_s = turn.think_s;
            crowd.by_record.insert(position, at);
            if crowd.talk.window.is_none() && turn.think_s > 0.0 {
                self.records[position].think_s = Some(turn.think_s);
            }
        }
    }

    /// Lets conversations of an open loop begin whose time has come.
    fn come(&mut self) {
        let now = self.now;
        let Some(crowd) = &mut self.crowd else { return };
        while let Some(start) = crowd.next_start().filter(|start| *start <= now) {
            let Some(conversation) = crowd.conversations.next() else { return };
            match conversation.user {
                Some(user) if crowd.users.contains_key(&user) => {
                    crowd.users.entry(user).or_default().push_back(conversation);
                }
                user => {
                    if let Some(user) = user {
                        crowd.users.insert(user, VecDeque::new());
                    }
                    crowd.begin(conversation, start);
                }
            }
        }
    }

    /// Whether a turn is warm-up; `None` where the window is over.
    fn admit(&mut self, turn: &PlannedTurn, due_s: f64) -> Option<bool> {
        let closed = self.crowd.as_ref().is_some_and(|crowd| crowd.talk.window.is_none());
        if closed {
            if self.ends_before(self.now) {
                return None;
            }
            let crowd = self.crowd.as_mut()?;
            let n = crowd.sent;
            crowd.sent += 1;
            let Talk { warmup, requests, .. } = crowd.talk;
            return requests.is_none_or(|most| n < warmup + most).then_some(n < warmup);
        }
        match turn.request.planned_s {
            Some(_) => Some(turn.request.warmup),
            None => (!self.ends_before(due_s)).then(|| !self.has_opened(due_s)),
        }
    }

    /// Goes on after a request that has ended, at `now`.
    pub(super) fn answered(&mut self, position: usize, now: f64) {
        let Some(crowd) = &mut self.crowd else { return };
        let Some(at) = crowd.by_record.remove(&position) else { return };
        let held = &mut crowd.held[at];
        let free_s = now + held.think_s;
        if self.records[position].fate != Fate::Completed {
            let rest = std::mem::take(&mut held.rest);
            self.give_up(position, rest, free_s);
            return self.part(at, free_s);
        }
        match held.rest.front() {
            None => self.part(at, free_s),
            Some(next) => {
                let due_s = next.request.planned_s.unwrap_or(free_s);
                crowd.due.push(Reverse((due_s.to_bits(), at)));
            }
        }
    }

    /// Ends a conversation; its user begins the next one when it is free.
    fn part(&mut self, at: usize, free_s: f64) {
        let Some(crowd) = &mut self.crowd else { return };
        if crowd.talk.window.is_none() {
            if let Some(next) = crowd.conversations.next() {
                crowd.begin(next, free_s);
            }
            return;
        }
        let Some(user) = crowd.held[at].user else { return };
        match crowd.users.get_mut(&user).and_then(VecDeque::pop_front) {
            None => drop(crowd.users.remove(&user)),
            Some(next) => {
                let start = next.turns.first().and_then(|turn| turn.request.planned_s).unwrap_or(free_s);
                crowd.begin(next, start);
            }
        }
    }

    /// Records the turns that cannot follow a failed one.
    fn give_up(&mut self, failed: usize, rest: VecDeque<PlannedTurn>, mut due_s: f64) {
        let number = self.records[failed].turn.unwrap_or(1);
        for turn in rest {
            let planned_s = turn.request.planned_s.unwrap_or(due_s);
            due_s += turn.think_s;
            let mut request = turn.request;
            if request.planned_s.is_none() {
                if self.ends_before(planned_s) {
                    return;
                }
                request.warmup = !self.has_opened(planned_s);
            }
            let reason = format!("turn {number} of its conversation failed");
            let record = RequestRecord { unsent_because: Some(reason), ..RequestRecord::unsent(&request, planned_s) };
            self.flying.push(false);
            self.records.push(record);
        }
    }

    /// Those who had something to say when an open loop was cut off. Its later turns were never planned to be said then.
    pub(super) fn leave_unsaid(&mut self) {
        let Some(crowd) = self.crowd.take().filter(|crowd| crowd.talk.window.is_some()) else { return };
        let waiting = crowd.users.into_values().flatten();
        let unheld = crowd.held.into_iter().flat_map(|held| held.rest);
        let turns = unheld.chain(waiting.chain(crowd.conversations).flat_map(|c| c.turns));
        for turn in turns {
            if let Some(planned_s) = turn.request.planned_s {
                self.records.push(RequestRecord::unsent(&turn.request, planned_s));
            }
        }
    }
}
