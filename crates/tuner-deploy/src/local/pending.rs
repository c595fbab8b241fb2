//! Launches whose caller may have gone: work on another thread goes on when the future that asked for it is dropped.
//!
//! *Invariant*: a stop begins after every launch of the same id, or of one beside it, that was asked for before it.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::DeploymentId;

/// How many launches are under way, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    shared: Arc<(Mutex<BTreeMap<DeploymentId, usize>>, Condvar)>,
}

/// One launch under way, until it is dropped: done, failed, or never begun.
#[derive(Debug)]
pub(super) struct Ticket {
    pending: Pending,
    id: DeploymentId,
}

impl Pending {
    pub(super) fn enter(&self, id: &DeploymentId) -> Ticket {
        let mut counts = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(id.clone()).or_insert(0) += 1;
        Ticket { pending: self.clone(), id: id.clone() }
    }

    /// Blocks until no launch of that id, or of one beside it, is under way.
    pub(super) fn wait_for(&self, id: &DeploymentId) {
        let (counts, changed) = &*self.shared;
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        while counts.keys().any(|other| other.belongs_to(id)) {
            counts = changed.wait(counts).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let (counts, changed) = &*self.pending.shared;
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.id);
            }
        }
        changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_with_the_last_ticket_of_that_id() {
        let pending = Pending::default();
        let id: DeploymentId = "a".parse().unwrap();
        let other = pending.enter(&"b".parse().unwrap());
        let guard = pending.enter(&id.beside("guard").unwrap());
        let tickets = [pending.enter(&id), pending.enter(&id)];
        let waiter = std::thread::spawn({
            let (pending, id) = (pending.clone(), id.clone());
            move || pending.wait_for(&id)
        });
        drop(tickets);
        assert!(!waiter.is_finished(), "the guard beside it is still being launched");
        drop(guard);
        waiter.join().unwrap();
        pending.wait_for(&id);
        drop(other);
    }
}
