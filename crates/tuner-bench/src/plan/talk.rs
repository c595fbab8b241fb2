//! Conversations of a level: how many turns each has, what they ask, when their users think.
//!
//! *Invariant*: turns, think times and lengths of a conversation are functions of (workload, load, level, repeat, seeds,
//! its number), each drawn in its own dimension. A single request is the first turn of its conversation: it has the same
//! lengths and words with and without think times.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::RngExt;
use tuner_core::record::{PlannedConversation, PlannedRequest, PlannedTurn, SharedRun};
use tuner_core::task::Turns;

use super::parts::{Lengths, Part};
use super::{LevelPlan, Starts};
use crate::scenario;
use crate::seed::Dimension;

/// Bits of a key below the turn.
const TURN_SHIFT: u32 = 40;

/// What the lengths and words of a turn follow from; turns count from 1.
pub(crate) fn key(conversation: u64, turn: u32) -> u64 {
    (u64::from(turn - 1) << TURN_SHIFT) | conversation
}

impl LevelPlan {
    /// Whether requests belong to conversations, or users think: then [`LevelPlan::conversations`] says what is sent,
    /// else [`LevelPlan::requests`].
    pub fn talks(&self) -> bool {
        let level = &self.arrival;
        level.users.is_some() || level.think_s.is_some() || self.parts.iter().any(|part| part.conversation.is_some())
    }

    /// Whether some conversation may have several turns.
    pub fn has_turns(&self) -> bool {
        self.parts.iter().any(|part| part.most_turns() > 1)
    }

    /// Whether users think after an answer.
    pub fn thinks(&self) -> bool {
        self.mean_think_s() > 0.0
    }

    /// Users of a closed loop, or users with a schedule of their own.
    pub fn users(&self) -> Option<u32> {
        self.arrival.users.or_else(|| self.streams())
    }

    /// Mean turns of a conversation.
    pub(super) fn mean_turns(&self) -> f64 {
        let total: f64 = self.parts.iter().map(|part| part.weight).sum();
        self.parts.iter().map(|part| part.weight * part.mean_turns()).sum::<f64>() / total
    }

    /// Mean time that a user thinks after an answer, seconds.
    pub(super) fn mean_think_s(&self) -> f64 {
        if let Some(think) = self.arrival.think_s {
            return think.mean_s();
        }
        let total: f64 = self.parts.iter().map(|part| part.weight).sum();
        let think = |part: &Part| part.conversation.as_ref().and_then(|c| c.think_s).map_or(0.0, |t| t.mean_s());
        self.parts.iter().map(|part| part.weight * think(part)).sum::<f64>() / total
    }

    /// Requests before the window where the load does not say: as many as it takes until users stand anywhere in their
    /// conversations. In an open loop of conversations: those that begin while one of them is held.
    pub(super) fn usual_warmup(&self) -> u64 {
        let turns = self.mean_turns();
        match self.users() {
            Some(users) => (u64::from(users) * turns.ceil() as u64).max(2),
            None => {
                let rate = self.arrival.rate.unwrap_or(0.0);
                let held = rate * (turns - 1.0) * self.mean_think_s();
                held.ceil().clamp(2.0, 1e6) as u64
            }
        }
        .max(self.arrival.burst.map_or(0, u64::from))
    }

    /// Turns of conversation `number`. The first one of each user is cut short, the first user's most, so that users do
    /// not run in step.
    fn turns_of(&self, part: &Part, number: u64) -> u32 {
        let drawn = match part.conversation.as_ref().and_then(|c| c.turns) {
            None => u32::MAX,
            Some(Turns::Always(n)) => n,
            Some(Turns::Between(range)) => {
                self.rng(Dimension::Turns, number).random_range(range.low..=range.high.max(range.low))
            }
        };
        let most = match (part.rows(), self.row(number)) {
            (Some(rows), Some(at)) => rows[at].rounds.len().max(1) as u32,
            // A scenario that does not say is one request.
            _ => {
                if drawn == u32::MAX {
                    1
                } else {
                    drawn
                }
            }
        };
        let turns = if part.conversation.is_some() { drawn.min(most).max(1) } else { 1 };
        match self.users().map(u64::from).filter(|users| number < *users) {
            Some(users) => (u64::from(turns) * (number + 1)).div_ceil(users) as u32,
            None => turns,
        }
    }

    /// One conversation; its first request has this index. No times.
    fn conversation(&self, number: u64, index: u64) -> PlannedConversation {
        let part = self.part(number);
        let model = self.model(number);
        let (first_input, first_output, prefix) = self.lengths(part, number);
        let prefix_tokens: u32 = prefix.iter().map(|run| run.tokens).sum();
        let mut history = 0u32;
        let turns = (1..=self.turns_of(part, number)).map(|turn| {
            let (own_tokens, output) = match &part.lengths {
                Lengths::Rows(rows) => {
                    let rounds = self.row(number).map(|at| rows[at].rounds.as_slice()).unwrap_or_default();
                    rounds.get(turn as usize - 1).copied().unwrap_or((first_input, first_output))
                }
                Lengths::Scenario { .. } if turn == 1 => (first_input, first_output),
                Lengths::Scenario { scenario, .. } => {
                    scenario::lengths(*scenario, &mut self.rng(Dimension::Lengths, key(number, turn)))
                }
            };
            let output_tokens = self.first_of_its_stream(number, turn, output);
            let mut request = PlannedRequest {
                index: index + u64::from(turn) - 1,
                input_tokens: history.saturating_add(own_tokens),
                output_tokens,
                class: part.class.clone(),
                model: model.clone(),
                shared: prefix.clone(),
                conversation: Some(number),
                turn: Some(turn),
                ..PlannedRequest::default()
            };
            if let (true, Some(key)) = (turn > 1, request.conversation_key()) {
                request.shared.push(SharedRun { key, tokens: history.saturating_sub(prefix_tokens) });
            }
            history = request.input_tokens.saturating_add(output_tokens);
            let think = self.arrival.think_s.or(part.conversation.as_ref().and_then(|c| c.think_s));
            // From (0, 1], so that its logarithm is finite.
            let draw = || 1.0 - self.rng(Dimension::Think, key(number, turn)).random::<f64>();
            PlannedTurn { request, own_tokens, think_s: think.map_or(0.0, |think| think.at(draw())) }
        });
        PlannedConversation { number, user: None, turns: turns.collect() }
    }

    /// In a closed loop the first answer of each user has a growing share of its length, as without conversations.
    fn first_of_its_stream(&self, number: u64, turn: u32, output_tokens: u32) -> u32 {
        match self.streams().map(u64::from).filter(|streams| turn == 1 && number < *streams && self.warmup > 0) {
            Some(streams) => (f64::from(output_tokens) * (number + 1) as f64 / streams as f64).ceil() as u32,
            None => output_tokens,
        }
    }

    /// The conversations in the order in which they begin.
    ///
    /// In a closed loop without end: whoever sends decides what is still warm-up and when the window is over, by counting
    /// what was sent. In an open loop those that begin within the window or before it; where users have a schedule, with
    /// the turns that it holds only, each with its time.
    pub fn conversations(&self) -> Conversations<'_> {
        let mut heap = BinaryHeap::new();
        if let Some(users) = self.arrival.users {
            heap.extend((0..u64::from(users)).map(|user| Reverse((user, user))));
        }
        let starts = if self.arrival.users.is_none() { self.starts() } else { None };
        Conversations { plan: self, next: 0, index: 0, starts, heap }
    }

    /// The time of slot `slot`, counted over all users: user `slot % users` sends then.
    fn slot_s(&self, slot: u64) -> f64 {
        slot as f64 / self.arrival.rate.unwrap_or(1.0)
    }

    /// Slots of the schedule that users share, warm-up included.
    pub(super) fn slots(&self) -> u64 {
        let rate = self.arrival.rate.unwrap_or(1.0);
        let counted = self.requests.map(|n| self.warmup.saturating_add(n));
        let timed = self.duration_s.map(|s| {
            // The first slot at or after the end; rounding must not add one.
            ((self.users_window_start_s() + s) * rate - 1e-9).ceil().max(0.0) as u64
        });
        counted.unwrap_or(u64::MAX).min(timed.unwrap_or(u64::MAX))
    }

    fn users_window_start_s(&self) -> f64 {
        self.warmup.checked_sub(1).map_or(0.0, |last| self.slot_s(last))
    }

    /// The window of users with a schedule.
    pub(super) fn users_window(&self) -> (f64, f64) {
        let start = self.users_window_start_s();
        let end = match (self.duration_s, self.requests) {
            (Some(duration), requests) => {
                let counted = requests.map_or(f64::INFINITY, |n| self.slot_s(self.warmup.saturating_add(n)));
                counted.min(start + duration)
            }
            (None, _) => self.slot_s(self.slots()),
        };
        (start, end)
    }

    /// Everything that may be sent with an index up to `last`.
    pub(crate) fn planned_to(&self, last: u64) -> Box<dyn Iterator<Item = PlannedRequest> + '_> {
        match self.arrival.users {
            // In the order of their conversations, not of their indices.
            Some(_) => Box::new(self.planned().filter(move |p| p.index <= last)),
            None => Box::new(self.planned().take_while(move |p| p.index <= last)),
        }
    }

    /// Everything that may be sent, in order of the conversations.
    pub(crate) fn planned(&self) -> Box<dyn Iterator<Item = PlannedRequest> + '_> {
        if self.talks() {
            Box::new(self.conversations().flat_map(|c| c.turns).map(|turn| turn.request))
        } else {
            Box::new(self.requests())
        }
    }
}

/// Iterator over the conversations of a level.
#[derive(Clone, Debug)]
pub struct Conversations<'a> {
    plan: &'a LevelPlan,
    next: u64,
    /// Of the next request.
    index: u64,
    starts: Option<Starts>,
    /// Where users have a schedule: the slot of each user's next conversation, and its number.
    heap: BinaryHeap<Reverse<(u64, u64)>>,
}

impl Iterator for Conversations<'_> {
    type Item = PlannedConversation;

    fn next(&mut self) -> Option<PlannedConversation> {
        if self.plan.arrival.users.is_some() {
            return self.next_of_a_user();
        }
        let plan = self.plan;
        let number = self.next;
        let at = match &mut self.starts {
            Some(starts) => Some(starts.next()?),
            None => {
                let users = plan.streams().map_or(1, u64::from);
                // Users begin spread over one think time.
                (number < users).then(|| plan.mean_think_s() * number as f64 / users as f64)
            }
        };
        self.next += 1;
        let mut conversation = plan.conversation(number, self.index);
        self.index += conversation.turns.len() as u64;
        if let Some(first) = conversation.turns.first_mut() {
            first.request.planned_s = at;
        }
        for turn in &mut conversation.turns {
            turn.request.warmup = number < plan.warmup && self.starts.is_some();
        }
        Some(conversation)
    }
}

impl Conversations<'_> {
    /// The next conversation where each user has a schedule: the one that begins first.
    fn next_of_a_user(&mut self) -> Option<PlannedConversation> {
        let plan = self.plan;
        let users = u64::from(plan.arrival.users.unwrap_or(1));
        let slots = plan.slots();
        let Reverse((begin, number)) = self.heap.pop()?;
        if begin >= slots {
            return None;
        }
        let mut conversation = plan.conversation(number, 0);
        let turns = conversation.turns.len() as u64;
        self.heap.push(Reverse((begin + turns * users, number + users)));
        conversation.user = Some((number % users) as u32);
        for (slot, turn) in (begin..).step_by(users as usize).zip(&mut conversation.turns) {
            turn.request.index = slot;
            turn.request.planned_s = Some(plan.slot_s(slot));
            turn.request.warmup = slot < plan.warmup;
            turn.think_s = 0.0;
        }
        conversation.turns.retain(|turn| turn.request.index < slots);
        Some(conversation)
    }
}

impl Part {
    /// Whether a request of this kind is answered with something that can be said again.
    pub(super) fn can_be_a_turn(&self) -> bool {
        let several = self.extra_body.get("n").and_then(serde_json::Value::as_u64).is_some_and(|n| n > 1);
        self.is_text() && !several
    }

    pub(super) fn most_turns(&self) -> u32 {
        let Some(conversation) = &self.conversation else { return 1 };
        let most = conversation.turns.map_or(u32::MAX, |turns| turns.bounds().1);
        match &self.lengths {
            Lengths::Rows(rows) => rows.iter().map(|row| row.rounds.len().max(1) as u32).max().unwrap_or(1).min(most),
            Lengths::Scenario { .. } => conversation.turns.map_or(1, |_| most),
        }
    }

    fn mean_turns(&self) -> f64 {
        let Some(conversation) = &self.conversation else { return 1.0 };
        match &self.lengths {
            Lengths::Rows(rows) => {
                let most = conversation.turns.map_or(f64::INFINITY, Turns::mean);
                let turns = rows.iter().map(|row| (row.rounds.len().max(1) as f64).min(most));
                turns.sum::<f64>() / rows.len().max(1) as f64
            }
            Lengths::Scenario { .. } => conversation.turns.map_or(1.0, Turns::mean),
        }
    }
}

#[cfg(test)]
mod tests;
