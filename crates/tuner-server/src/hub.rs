//! Events for many: one reader of the store, any number of streams.
//!
//! *Invariant*: a stream gives every event after its start once and in order. A client that is too slow for the shared
//! channel reads from the store what it missed, so nobody costs more than one page of memory.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use tuner_app::AppError;
use tuner_store::{About, Event, EventRow, Follower, Store, TaskId};
use uuid::Uuid;

use crate::meter::Meter;

/// Events that the shared channel holds.
const CHANNEL: usize = 1024;
/// Events that are read at once.
const PAGE: u32 = 200;
/// Pause after the store failed.
const PAUSE: Duration = Duration::from_secs(1);

/// An event with its text, which is made once for all.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) seq: i64,
    task: Option<TaskId>,
    session: Option<Uuid>,
    kind: &'static str,
    json: String,
    /// What everybody may know of an event of a conversation: that there was one.
    hint: Option<String>,
}

impl Told {
    /// What a stream with this wish gives of it.
    pub(crate) fn text(&self, wish: &Wish) -> &str {
        match &self.hint {
            Some(hint) if self.session != wish.session => hint,
            _ => &self.json,
        }
    }
}

impl From<EventRow> for Told {
    fn from(row: EventRow) -> Self {
        let json = serde_json::to_string(&row).unwrap_or_default();
        let session = match row.event {
            Event::Chat { session, .. } => Some(session),
            _ => None,
        };
        let hint = session.map(|session| {
            let hint =
                serde_json::json!({ "seq": row.seq, "at": row.at, "kind": row.event.kind(), "session": session });
            hint.to_string()
        });
        Self { seq: row.seq, task: row.task, session, kind: row.event.kind(), json, hint }
    }
}

/// Tells everybody of every event.
#[derive(Debug)]
pub(crate) struct Hub {
    store: Store,
    sender: broadcast::Sender<Arc<Told>>,
    subscribers: watch::Sender<usize>,
}

impl Hub {
    /// Follows the store from now on, until `stop`; `meter` counts what happens.
    pub(crate) fn start(store: Store, meter: Arc<Meter>, stop: CancellationToken) -> Self {
        let sender = broadcast::Sender::new(CHANNEL);
        // Before anybody can subscribe: an event that is told twice is skipped, one that is not told would be lost.
        let follower = store.follow(*store.watch_events().borrow(), None);
        tokio::spawn(tell(follower, sender.clone(), meter, stop));
        Self { store, sender, subscribers: watch::Sender::new(0) }
    }

    /// Streams that are open.
    pub(crate) fn subscribers(&self) -> usize {
        *self.subscribers.borrow()
    }

    /// A stream of the events after `after`; without one, of those from now on. A number that this database has not given
    /// yet is of another one, from before a backup was put back: then all there are.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub(crate) async fn subscribe(&self, after: Option<i64>, wish: Wish) -> Result<Subscription, AppError> {
        let live = self.sender.subscribe();
        let newest = self.store.last_event_seq().await?;
        let seq = after.map_or(newest, |after| if after > newest { 0 } else { after });
        self.subscribers.send_modify(|n| *n += 1);
        let place = Place { subscribers: self.subscribers.clone() };
        Ok(Subscription {
            store: self.store.clone(),
            live,
            behind: true,
            seq,
            read: VecDeque::new(),
            wish,
            _place: place,
        })
    }
}

async fn tell(
    mut follower: Follower,
    sender: broadcast::Sender<Arc<Told>>,
    meter: Arc<Meter>,
    stop: CancellationToken,
) {
    loop {
        let found = tokio::select! {
            found = follower.next(PAGE) => found,
            () = stop.cancelled() => return,
        };
        match found {
            Ok(rows) => {
                for row in rows {
                    meter.event(&row.event);
                    // Nobody listens: then nobody misses it.
                    let _ = sender.send(Arc::new(row.into()));
                }
            }
            Err(error) => {
                tracing::warn!(error = %error.in_words(), "events cannot be read; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Which events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// Of this task.
    pub(crate) task: Option<TaskId>,
    /// Of this conversation; without one, of none: what is said is its owner's.
    pub(crate) session: Option<Uuid>,
    /// Beside others, that something happened in a conversation, and not what.
    pub(crate) hints: bool,
    /// Of these kinds; empty: of all.
    pub(crate) kinds: Vec<String>,
}

impl Wish {
    fn about(&self) -> About {
        match self.session {
            Some(session) => About::Session(session),
            None => self.task.into(),
        }
    }

    fn wants(&self, told: &Told) -> bool {
        let of_task = self.task.is_none() || told.task == self.task;
        (told.session == self.session || self.hints && told.session.is_some())
            && of_task
            && (self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == told.kind))
    }
}

/// Counts a stream while it is open.
#[derive(Debug)]
struct Place {
    subscribers: watch::Sender<usize>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.subscribers.send_modify(|n| *n = n.saturating_sub(1));
    }
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Subscription {
    store: Store,
    live: broadcast::Receiver<Arc<Told>>,
    behind: bool,
    seq: i64,
    read: VecDeque<Arc<Told>>,
    wish: Wish,
    _place: Place,
}

impl Subscription {
    /// The next text that is wanted, with its number. Dropping the future loses nothing.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub(crate) async fn next_text(&mut self) -> Result<(i64, String), AppError> {
        let told = self.next().await?;
        Ok((told.seq, told.text(&self.wish).to_owned()))
    }

    /// The next event that is wanted. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`AppError::Store`]: the stream ends, and its client comes back with the last number.
    pub(crate) async fn next(&mut self) -> Result<Arc<Told>, AppError> {
        loop {
            if let Some(told) = self.read.pop_front() {
                self.seq = self.seq.max(told.seq);
                if self.wish.wants(&told) {
                    return Ok(told);
                }
                continue;
            }
            if self.behind {
                let rows = self.store.events_since(self.seq, self.wish.about(), PAGE).await?;
                self.behind = !rows.is_empty();
                self.read.extend(rows.into_iter().map(|row| Arc::new(Told::from(row))));
                continue;
            }
            match self.live.recv().await {
                Ok(told) if told.seq > self.seq => self.read.push_back(told),
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => self.behind = true,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

/// Whether a word is the kind of some event.
pub(crate) fn is_kind(word: &str) -> bool {
    Event::KINDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use tuner_store::NewTask;

    use super::*;

    async fn task(store: &Store, name: &str) -> TaskId {
        let text = format!("{{name: {name}, model: {{id: m}}, engine: {{name: simulated}}, search_space: {{}}}}");
        let spec = tuner_core::task::read(&text, &Default::default()).unwrap().spec;
        store.create_task(NewTask { id: TaskId::new(), spec, source: text }).await.unwrap().id
    }

    #[tokio::test]
    async fn a_slow_stream_reads_from_the_store_what_the_channel_dropped() {
        let store = Store::in_memory().await.unwrap();
        let hub = Hub::start(store.clone(), Arc::new(Meter::get()), CancellationToken::new());
        let mut slow = hub.subscribe(None, Wish::default()).await.unwrap();
        task(&store, "first").await;
        assert!(slow.next().await.unwrap().json.contains("first"));
        let many = CHANNEL + 50;
        for n in 0..many {
            task(&store, &format!("t{n}")).await;
        }
        let mut last = 1;
        for _ in 0..many {
            let seq = slow.next().await.unwrap().seq;
            assert_eq!(seq, last + 1);
            last = seq;
        }
        assert_eq!(hub.subscribers(), 1);
        drop(slow);
        assert_eq!(hub.subscribers(), 0);
    }

    #[tokio::test]
    async fn a_stream_begins_after_a_number_and_gives_what_is_wanted() {
        let store = Store::in_memory().await.unwrap();
        let hub = Hub::start(store.clone(), Arc::new(Meter::get()), CancellationToken::new());
        let (one, two) = (task(&store, "one").await, task(&store, "two").await);
        store.request_cancel(one).await.unwrap();
        let kinds = vec!["cancel_requested".to_owned()];
        let wish = Wish { task: Some(one), kinds, ..Wish::default() };
        let mut of_one = hub.subscribe(Some(0), wish).await.unwrap();
        assert_eq!(of_one.next().await.unwrap().kind, "cancel_requested");
        let mut later = hub.subscribe(Some(1), Wish::default()).await.unwrap();
        assert_eq!(later.next().await.unwrap().task, Some(two));
    }
}
