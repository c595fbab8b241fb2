//! Whose task it is, and whose experiment.
//!
//! *Invariant*: one worker at a time plans a task, one runs an experiment. A living holder is never pushed aside; a dead one on this host is, at once.

use std::time::Duration;

use tuner_store::{Claim, Lease, Owner, Resource, Store, StoreError, TaskId};

use crate::error::RunError;
use crate::liveness::is_dead;
use crate::patience::patiently;
use crate::worker::Worker;

/// How long a lease lasts without a sign of life.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

pub(crate) async fn claim(store: &Store, owner: &Owner, task: TaskId) -> Result<Lease, RunError> {
    let resource = Resource::task(task);
    match take(store, owner, &resource).await? {
        Some(lease) => Ok(lease),
        None => Err(RunError::Busy { holder: Box::new(store.holder(&resource).await?.ok_or(RunError::ClaimRace)?) }),
    }
}

/// The lease on anything, unless somebody who lives has it.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn take(store: &Store, owner: &Owner, resource: &Resource) -> Result<Option<Lease>, StoreError> {
    // Twice: a dead holder on this host is taken over at once, without waiting for its lease to expire.
    for _ in 0..2 {
        match store.claim(resource, owner, LEASE, store.lease_time().await?).await? {
            Claim::Won(lease) => return Ok(Some(lease)),
            Claim::Held(holder) if is_dead(&holder.owner) => {
                store.break_lease(resource, holder.fence).await?;
            }
            Claim::Held(_) => return Ok(None),
        }
    }
    Ok(None)
}

/// The lease on an experiment, if nobody has it; where experiments of one task would disturb each other, if nobody on this
/// host has another one of it either. A holder that is dead is the matter of whoever plans the task.
pub(crate) async fn claim_experiment(
    worker: &Worker,
    task: TaskId,
    number: u32,
    beside_others: bool,
) -> Result<Option<Lease>, StoreError> {
    let resource = Resource::experiment(task, number);
    let claim = || async {
        let now = worker.store.lease_time().await?;
        worker.store.claim_beside(&resource, &worker.owner, LEASE, now, beside_others).await
    };
    Ok(patiently(claim).await?.won())
}

pub(crate) async fn give_back(store: &Store, lease: &Lease) {
    match patiently(|| store.release(lease)).await {
        Ok(()) | Err(StoreError::LeaseLost { .. }) => {}
        Err(error) => tracing::warn!(error = %error.in_words(), "the lease was not given back; it expires by itself"),
    }
}

/// Frees a task that has ended from a worker that died before it gave it back.
///
/// # Errors
/// [`RunError::Busy`] while its claim lasts; [`RunError::Store`].
pub async fn free(store: &Store, owner: &Owner, task: TaskId) -> Result<(), RunError> {
    if store.holder(&Resource::task(task)).await?.is_some() {
        let lease = claim(store, owner, task).await?;
        give_back(store, &lease).await;
    }
    Ok(())
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
