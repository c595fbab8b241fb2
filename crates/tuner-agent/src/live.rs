//! Pieces of answers that are not whole yet, and how far tools are: for whoever watches this process now.
//!
//! *Invariant*: nothing here is needed to go on. A watcher first gets what there is of the unfinished answer, then every
//! further piece once; when the answer is whole, it is an event of the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast;
use uuid::Uuid;

/// Pieces that a slow watcher may be behind.
const CHANNEL: usize = 1024;

/// An answer that is not whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unfinished {
    /// The id that its message will have.
    pub message: Uuid,
    /// The run that it belongs to.
    pub run: Uuid,
    /// What there is of the text.
    pub text: String,
    /// What there is of the reasoning.
    pub reasoning: String,
    /// Tools that it calls, so far.
    pub calls: Vec<String>,
}

/// Something that is told and not kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveEvent {
    /// All that there is of the unfinished answer: what came before does not count.
    Snapshot {
        /// It; none: nothing is being written.
        #[serde(flatten)]
        unfinished: Option<Unfinished>,
    },
    /// More of its text.
    Delta {
        /// Its message.
        message: Uuid,
        /// The piece.
        text: String,
    },
    /// More of its reasoning.
    ReasoningDelta {
        /// Its message.
        message: Uuid,
        /// The piece.
        text: String,
    },
    /// It calls a tool.
    Calling {
        /// Its message.
        message: Uuid,
        /// The tool.
        tool: String,
    },
    /// The model is asked again.
    Retrying {
        /// The number of the try.
        attempt: u32,
        /// In so many seconds.
        after_s: f64,
        /// Why.
        why: String,
    },
    /// A tool tells how far it is.
    Progress {
        /// The call.
        call: Uuid,
        /// What it tells.
        progress: Value,
    },
}

/// What is being said in every conversation. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Live(Arc<Mutex<HashMap<Uuid, Channel>>>);

#[derive(Debug)]
struct Channel {
    sender: broadcast::Sender<LiveEvent>,
    unfinished: Option<Unfinished>,
}

impl Live {
    /// What there is now, and what comes.
    pub fn watch(&self, session: Uuid) -> (LiveEvent, broadcast::Receiver<LiveEvent>) {
        let mut all = self.lock();
        let channel = all.entry(session).or_insert_with(Channel::new);
        (LiveEvent::Snapshot { unfinished: channel.unfinished.clone() }, channel.sender.subscribe())
    }

    pub(crate) fn begin(&self, session: Uuid, run: Uuid, message: Uuid) {
        let unfinished = Unfinished { message, run, ..Unfinished::default() };
        self.change(session, LiveEvent::Snapshot { unfinished: Some(unfinished.clone()) }, |slot| {
            *slot = Some(unfinished);
        });
    }

    pub(crate) fn text(&self, session: Uuid, message: Uuid, text: String) {
        if text.is_empty() {
            return;
        }
        self.change(session, LiveEvent::Delta { message, text: text.clone() }, |slot| {
            if let Some(unfinished) = slot {
                unfinished.text.push_str(&text);
            }
        });
    }

    pub(crate) fn reasoning(&self, session: Uuid, message: Uuid, text: String) {
        if text.is_empty() {
            return;
        }
        self.change(session, LiveEvent::ReasoningDelta { message, text: text.clone() }, |slot| {
            if let Some(unfinished) = slot {
                unfinished.reasoning.push_str(&text);
            }
        });
    }

    pub(crate) fn calling(&self, session: Uuid, message: Uuid, tool: String) {
        self.change(session, LiveEvent::Calling { message, tool: tool.clone() }, |slot| {
            if let Some(unfinished) = slot {
                unfinished.calls.push(tool);
            }
        });
    }

    pub(crate) fn tell(&self, session: Uuid, event: LiveEvent) {
        self.change(session, event, |_| {});
    }

    /// The answer is whole, or will never be.
    pub(crate) fn end(&self, session: Uuid) {
        self.change(session, LiveEvent::Snapshot { unfinished: None }, |slot| *slot = None);
        let mut all = self.lock();
        if all.get(&session).is_some_and(|channel| channel.sender.receiver_count() == 0) {
            all.remove(&session);
        }
    }

    fn change(&self, session: Uuid, event: LiveEvent, change: impl FnOnce(&mut Option<Unfinished>)) {
        let mut all = self.lock();
        let channel = all.entry(session).or_insert_with(Channel::new);
        change(&mut channel.unfinished);
        // Nobody watches: then nobody misses it.
        let _ = channel.sender.send(event);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Channel>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channel {
    fn new() -> Self {
        Self { sender: broadcast::Sender::new(CHANNEL), unfinished: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_late_gets_what_there_is_and_then_every_piece_once() {
        let (live, session, message) = (Live::default(), Uuid::now_v7(), Uuid::now_v7());
        live.begin(session, Uuid::nil(), message);
        live.text(session, message, "Hel".to_owned());
        let (snapshot, mut pieces) = live.watch(session);
        let LiveEvent::Snapshot { unfinished: Some(unfinished) } = snapshot else { panic!("{snapshot:?}") };
        assert_eq!(unfinished.text, "Hel");
        live.text(session, message, "lo".to_owned());
        live.end(session);
        assert_eq!(pieces.try_recv().unwrap(), LiveEvent::Delta { message, text: "lo".to_owned() });
        assert_eq!(pieces.try_recv().unwrap(), LiveEvent::Snapshot { unfinished: None });
        drop(pieces);
        assert_eq!(live.watch(session).0, LiveEvent::Snapshot { unfinished: None });
    }
}
