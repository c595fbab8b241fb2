//! Conversations: users who wait for an answer, think, and go on.
//!
//! *Invariant*: a turn is planned when the answer before it ended and its user has thought, or when the user's schedule
//! says. Its body is ready before that moment. A turn that fails ends its conversation: what was still to come is recorded
//! as never sent, with the reason.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::sync::mpsc;
use tuner_core::record::{PlannedConversation, PlannedTurn, RequestRecord};

use super::Shared;
use super::release::Due;
use super::worker::{Finished, Local, Sending, cancelled, lock, send};
use crate::client::{Connection, monotonic_ns};
use crate::plan::LevelPlan;
use crate::protocol::{History, Script};

/// A user whose request could not even be answered waits a moment, as a real client would.
const AFTER_NOTHING_NS: u64 = 20_000_000;

/// A planned conversation with its bodies.
pub(super) struct PreparedTalk {
    pub(super) conversation: PlannedConversation,
    pub(super) script: Script,
}

/// Which turns count: in a closed loop by the order in which they are sent.
#[derive(Debug, Default)]
pub(super) struct Admission {
    warmup: u64,
    most: Option<u64>,
    sent: AtomicU64,
}

impl Admission {
    pub(super) fn new(plan: &LevelPlan) -> Self {
        Self { warmup: plan.warmup, most: plan.requests, sent: AtomicU64::new(0) }
    }

    /// Whether the next request is warm-up; `None` when there were enough.
    fn next(&self) -> Option<bool> {
        let n = self.sent.fetch_add(1, Relaxed);
        self.most.is_none_or(|most| n < self.warmup + most).then_some(n < self.warmup)
    }
}

/// Who holds a conversation.
struct User<'a> {
    shared: &'a Shared,
    local: &'a Local,
    slot: &'a mut Option<Connection>,
}

/// A user of a closed loop: one conversation after another.
pub(super) async fn user(shared: Arc<Shared>, local: Arc<Local>) {
    let mut slot = Connection::open(&shared.address, shared.limits.total).await.ok();
    let mut free_ns = None;
    loop {
        let mut cancel = shared.cancel.clone();
        let talk = tokio::select! {
            biased;
            talk = shared.talks.take() => talk,
            () = cancelled(&mut cancel) => None,
        };
        let Some(talk) = talk else {
            shared.went_idle(monotonic_ns());
            return;
        };
        let first = talk.conversation.turns.first().and_then(|turn| turn.request.planned_s);
        let due_ns = free_ns.unwrap_or_else(|| shared.clock.at_ns(first.unwrap_or(0.0)));
        let mut user = User { shared: &shared, local: &local, slot: &mut slot };
        free_ns = user.hold(talk, due_ns).await;
        if free_ns.is_none() {
            return;
        }
    }
}

/// Conversations as they fall due. Those of one user follow each other, however late.
pub(super) async fn talks(shared: Arc<Shared>, local: Arc<Local>, mut due: mpsc::UnboundedReceiver<Due<PreparedTalk>>) {
    let mut users: HashMap<u32, Arc<tokio::sync::Mutex<Option<Connection>>>> = HashMap::new();
    let mut tasks = tokio::task::JoinSet::new();
    while let Some(Due { what: talk, planned_ns }) = due.recv().await {
        let (shared, local) = (shared.clone(), local.clone());
        let own = talk.conversation.user.map(|user| users.entry(user).or_default().clone());
        tasks.spawn(async move {
            match own {
                // Waiting in line: the first to ask is the first to have it.
                Some(own) => {
                    let mut slot = own.lock().await;
                    let mut user = User { shared: &shared, local: &local, slot: &mut slot };
                    user.hold(talk, planned_ns).await;
                }
                None => {
                    let mut slot = lock(&local.idle).pop();
                    let mut user = User { shared: &shared, local: &local, slot: &mut slot };
                    user.hold(talk, planned_ns).await;
                    lock(&local.idle).extend(slot);
                }
            }
        });
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
}

impl User<'_> {
    /// Holds one conversation from `due_ns` on; the moment from which the user can begin another, `None` where the level
    /// is over for it: others may have something to say before the end.
    async fn hold(&mut self, talk: PreparedTalk, mut due_ns: u64) -> Option<u64> {
        let PreparedTalk { conversation, script } = talk;
        let shared = self.shared;
        let mut history = History::default();
        for (at, turn) in conversation.turns.iter().enumerate() {
            if let (true, Some(planned_s)) = (conversation.user.is_some(), turn.request.planned_s) {
                due_ns = shared.clock.at_ns(planned_s);
            }
            let built = script.body(at, &history);
            let ready_ns = monotonic_ns().max(due_ns);
            if !self.wait(due_ns).await {
                return None;
            }
            let mut planned = turn.request.clone();
            planned.warmup = match shared.admit(at, &conversation, due_ns) {
                Some(warmup) => warmup,
                None => return None,
            };
            let permit = match &shared.cap {
                Some(cap) => cap.clone().acquire_owned().await.ok(),
                None => None,
            };
            if permit.is_some() && shared.was_stopped() {
                // It never got its place: one of those that were not sent.
                return None;
            }
            let ready_ns = if permit.is_some() { monotonic_ns().max(ready_ns) } else { ready_ns };
            if !planned.warmup {
                shared.mark(monotonic_ns());
            }
            let sending = Sending {
                planned,
                built,
                planned_ns: due_ns,
                waited_ns: ready_ns - due_ns,
                think_s: (!shared.open && turn.think_s > 0.0).then_some(turn.think_s),
                keep_answer: script.needs_answer(at),
            };
            let sent = send(shared, self.local, self.slot, sending).await;
            drop(permit);
            let now_ns = monotonic_ns();
            due_ns = now_ns.max(sent.ended_ns + (turn.think_s * 1e9) as u64);
            if sent.unanswered && !shared.open {
                due_ns = due_ns.max(now_ns + AFTER_NOTHING_NS);
            }
            if !sent.completed {
                if !*shared.cancel.borrow() {
                    self.give_up(turn, &conversation.turns[at + 1..], due_ns);
                }
                break;
            }
            script.answered(at, &sent.answer, &mut history);
        }
        Some(due_ns)
    }

    /// Waits until `due_ns`; false where the level is over before.
    async fn wait(&self, due_ns: u64) -> bool {
        let shared = self.shared;
        if shared.ends_before(due_ns) {
            return false;
        }
        let (mut cancel, mut over) = (shared.cancel.clone(), shared.over.subscribe());
        tokio::select! {
            biased;
            () = cancelled(&mut cancel) => false,
            () = cancelled(&mut over) => false,
            () = shared.alarm.until(due_ns) => true,
        }
    }

    /// Records the turns that cannot follow a failed one. Their time is unknown: that of answers without any time.
    fn give_up(&self, failed: &PlannedTurn, rest: &[PlannedTurn], mut due_ns: u64) {
        let shared = self.shared;
        let number = failed.request.turn.unwrap_or(1);
        for turn in rest {
            let planned_s = turn.request.planned_s.unwrap_or_else(|| shared.clock.seconds(due_ns));
            due_ns += (turn.think_s * 1e9) as u64;
            if turn.request.planned_s.is_none() && shared.ends_before(shared.clock.at_ns(planned_s)) {
                return;
            }
            let mut planned = turn.request.clone();
            if planned.planned_s.is_none() {
                planned.warmup = !shared.has_opened(shared.clock.at_ns(planned_s));
            }
            let reason = format!("turn {number} of its conversation failed");
            let record = RequestRecord { unsent_because: Some(reason), ..RequestRecord::unsent(&planned, planned_s) };
            lock(&self.local.finished).push(Finished::unsent(record));
        }
    }
}

impl Shared {
    /// Whether a turn that is due now is warm-up; `None` where the window is over.
    fn admit(&self, at: usize, conversation: &PlannedConversation, due_ns: u64) -> Option<bool> {
        let request = &conversation.turns[at].request;
        if self.was_stopped() {
            return None;
        }
        if !self.open {
            let admitted = if self.must_stop(monotonic_ns()) { None } else { self.admission.next() };
            if admitted.is_none() {
                self.end();
            }
            return admitted;
        }
        // The plan knows these.
        if request.planned_s.is_some() {
            return Some(request.warmup);
        }
        (!self.ends_before(due_ns)).then(|| !self.has_opened(due_ns))
    }

    /// Whether the window is known to be over at this moment.
    fn ends_before(&self, at_ns: u64) -> bool {
        if self.open { at_ns > self.closed_ns.load(Relaxed) } else { self.must_stop(at_ns) || *self.over.borrow() }
    }

    fn has_opened(&self, at_ns: u64) -> bool {
        let opened = self.opened_ns.load(Relaxed);
        opened > 0 && at_ns >= opened
    }

    /// Ends the sending for every user, those who think included.
    pub(super) fn end(&self) {
        self.went_idle(monotonic_ns());
        self.over.send_replace(true);
        self.talks.close();
    }
}
