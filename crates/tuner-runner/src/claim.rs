//! Whose task it is.
//!
//! *Invariant*: one worker at a time. A living holder is never pushed aside; a dead one on this host is, at once.

use std::time::Duration;

use chrono::Utc;
use tuner_store::{Claim, Lease, Owner, Resource, Store, StoreError, TaskId};

use crate::error::RunError;
use crate::liveness::is_dead;

/// How long a lease lasts without a sign of life.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

pub(crate) async fn claim(store: &Store, owner: &Owner, task: TaskId) -> Result<Lease, RunError> {
    let resource = Resource::task(task);
    // Twice: a dead holder on this host is taken over at once, without waiting for its lease to expire.
    for _ in 0..2 {
        match store.claim(&resource, owner, LEASE, Utc::now()).await? {
            Claim::Won(lease) => return Ok(lease),
            Claim::Held(holder) if is_dead(&holder.owner) => {
                store.break_lease(&resource, holder.fence).await?;
            }
            Claim::Held(holder) => return Err(RunError::Busy { holder: Box::new(holder) }),
        }
    }
    Err(RunError::Busy { holder: Box::new(store.holder(&resource).await?.ok_or(RunError::ClaimRace)?) })
}

pub(crate) async fn give_back(store: &Store, lease: &Lease) {
    match store.release(lease).await {
        Ok(()) | Err(StoreError::LeaseLost { .. }) => {}
        Err(error) => tracing::warn!(%error, "the lease was not given back; it expires by itself"),
    }
}

/// Makes a task that was cancelled or failed ready for a worker again.
///
/// # Errors
/// [`RunError::Busy`] while somebody works on it; [`RunError::Store`] if it was completed.
pub async fn reopen(store: &Store, owner: &Owner, task: TaskId) -> Result<(), RunError> {
    let lease = claim(store, owner, task).await?;
    let reopened = store.claimed(task, lease.clone()).reopen_task().await;
    give_back(store, &lease).await;
    Ok(reopened?)
}
