//! Wake-ups: whoever waits for events or for work learns of them at once, whichever process wrote them.
//!
//! *Invariant*: a wake-up is only a hint. What is true stands in the rows; a wake-up that is missed costs time, never an
//! event or a job.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::dialect::{self, Place};
use crate::{Store, StoreError};

/// Two bells: one for every event, one for what a worker that waits may want to know.
#[derive(Debug)]
pub(crate) struct Signals {
    seq: watch::Sender<i64>,
    work: watch::Sender<u64>,
    watching: Mutex<Weak<Watching>>,
}

impl Signals {
    pub(crate) fn new(seq: i64) -> Self {
        Self { seq: watch::Sender::new(seq), work: watch::Sender::new(0), watching: Mutex::default() }
    }

    /// Number of the newest event that was heard of.
    pub(crate) fn seq(&self) -> &watch::Sender<i64> {
        &self.seq
    }

    /// Events up to a number are there; `work` if workers may want to know.
    pub(crate) fn ring(&self, seq: i64, work: bool) {
        self.seq.send_if_modified(|last| {
            let newer = seq > *last;
            *last = seq.max(*last);
            newer
        });
        if work {
            self.work.send_modify(|rung| *rung += 1);
        }
    }
}

/// Keeps hearing of other processes for as long as somebody here listens.
#[derive(Debug)]
pub(crate) struct Watching(AbortHandle);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Store {
    /// Rings for what other processes write, until the last handle is dropped. `None` where there can be none.
    pub(crate) fn watching(&self) -> Option<Arc<Watching>> {
        if self.place == Place::Memory {
            return None;
        }
        let mut current = self.signals.watching.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watching) = current.upgrade() {
            return Some(watching);
        }
        let hear = dialect::watch(self.db.clone(), self.place.clone(), Arc::clone(&self.signals));
        let watching = Arc::new(Watching(tokio::spawn(hear).abort_handle()));
        *current = Arc::downgrade(&watching);
        Some(watching)
    }

    /// A place to wait for work. Made before the first look for a job, it misses none.
    pub fn work(&self) -> Work {
        Work { store: self.clone(), bell: self.signals.work.subscribe(), watching: None }
    }
}

/// Waits for jobs: at once for those of this process, within 100 ms for those of others.
#[derive(Debug)]
pub struct Work {
    store: Store,
    bell: watch::Receiver<u64>,
    watching: Option<Arc<Watching>>,
}

impl Work {
    /// Waits until it is worth looking for a job again: one was queued, given back or brought forward, one that waited
    /// for its time is in turn, a lease on one expired, a worker is asked for something; or for `limit`. Now and then
    /// it returns for nothing. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn wait(&mut self, limit: Duration) -> Result<(), StoreError> {
        if self.watching.is_none() {
            self.watching = self.store.watching();
        }
        let limit = match self.store.next_turn().await? {
            Some(wait) => wait.min(limit),
            None => limit,
        };
        // The sender lives in our own handle, so the only other end of the wait is the time limit.
        let _ = tokio::time::timeout(limit, self.bell.changed()).await;
        Ok(())
    }
}
