//! Who may work on what: time-limited claims with a number that makes stale claims harmless.
//!
//! *Invariant*: of all claims of one resource, each has a larger fence than the one before, and only the newest can
//! write. Expiry only decides who may claim; a worker that comes back late and finds its fence still the newest goes on.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};

use crate::dialect::Transaction;
use crate::entity::{leases, tasks};
use crate::json::{decode, encode};
use crate::row::TaskId;
use crate::store::{Scope, Write};
use crate::{Event, Store, StoreError};

/// A process that works, named so that it cannot be taken for another one with the same pid.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// Its host.
    pub host: String,
    /// Its pid.
    pub pid: u32,
    /// When it started, in clock ticks since boot (0 where the system does not say).
    pub start_ticks: u64,
    /// Its process id namespace, where that is not its host's own: in a container that shares the host's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid_namespace: Option<u64>,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {} on {}", self.pid, self.host)
    }
}

/// What can be claimed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource {
    key: String,
    task: Option<TaskId>,
    experiment: Option<u32>,
}

impl Resource {
    /// The whole task.
    pub fn task(id: TaskId) -> Self {
        Self { key: format!("task:{id}"), task: Some(id), experiment: None }
    }

    /// One experiment of a task.
    pub fn experiment(id: TaskId, number: u32) -> Self {
        Self { key: format!("{}{number}", experiments_of(id)), task: Some(id), experiment: Some(number) }
    }

    /// Anything else, such as `gpu:HOST/0`.
    pub fn named(key: impl Into<String>) -> Self {
        Self { key: key.into(), task: None, experiment: None }
    }

    /// Its name in the database.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// A claim that was won. It is valid until another one of the same resource is won.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is claimed.
    pub resource: Resource,
    /// By whom.
    pub owner: Owner,
    /// Grows with each claim of this resource.
    pub fence: i64,
    /// How long it lasts after each heartbeat.
    pub ttl: Duration,
}

/// Who holds a resource now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who.
    pub owner: Owner,
    /// Under which number.
    pub fence: i64,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Last sign of life.
    pub heartbeat_at: DateTime<Utc>,
    /// When others may claim it.
    pub expires_at: DateTime<Utc>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} since {}", self.owner, self.since.format("%Y-%m-%d %H:%M:%S UTC"))
    }
}

/// How a claim went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is ours.
    Won(Lease),
    /// Somebody else's lease has not expired.
    Held(Holder),
}

impl Claim {
    /// The lease, if it was won.
    pub fn won(self) -> Option<Lease> {
        match self {
            Self::Won(lease) => Some(lease),
            Self::Held(_) => None,
        }
    }
}

/// What a heartbeat learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// Nobody took it over. If false: stop everything at once.
    pub still_mine: bool,
    /// A person asked to stop the task.
    pub cancel_requested: bool,
}

impl Store {
    /// Claims a resource for `ttl` from `now`, if nobody holds it or the holder's lease has expired by `now`.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`] if its task is gone; [`StoreError::Database`].
    pub async fn claim(
        &self,
        resource: &Resource,
        owner: &Owner,
        ttl: Duration,
        now: DateTime<Utc>,
    ) -> Result<Claim, StoreError> {
        self.claim_beside(resource, owner, ttl, now, true).await
    }

    /// Claims an experiment in the same way; if `beside_others` is false, not while a process of the owner's host holds
    /// another experiment of the task: that one's holder is given.
    ///
    /// # Errors
    /// Those of [`Store::claim`].
    pub async fn claim_beside(
        &self,
        resource: &Resource,
        owner: &Owner,
        ttl: Duration,
        now: DateTime<Utc>,
        beside_others: bool,
    ) -> Result<Claim, StoreError> {
        let now = now.trunc_subsecs(6);
        let write = self.write().await?;
        let row = row(write.rows(), resource).await?;
        let from = match row.as_ref().map(holder).transpose()?.flatten() {
            Some(holder) if holder.expires_at > now => return Ok(Claim::Held(holder)),
            expired => expired.map(|holder| holder.owner),
        };
        if let (false, Some(task)) = (beside_others, resource.task) {
            let held = held(write.rows(), task).await?;
            let near = |h: &Holder| h.owner.host == owner.host && h.expires_at > now;
            if let Some((_, holder)) = held.into_iter().find(|(n, h)| Some(*n) != resource.experiment && near(h)) {
                return Ok(Claim::Held(holder));
            }
        }
        let fence = row.as_ref().map_or(0, |r| r.fence) + 1;
        let claimed = leases::ActiveModel {
            resource: Set(resource.key.clone()),
            task_id: Set(resource.task.map(|t| t.to_string())),
            owner: Set(Some(encode("owner", owner)?)),
            fence: Set(fence),
            claimed_at: Set(now),
            heartbeat_at: Set(now),
            expires_at: Set(expiry(now, ttl)),
        };
        if row.is_some() {
            leases::Entity::update(claimed).exec_without_returning(write.rows()).await?;
        } else {
            if let Some(task) = resource.task {
                let known = tasks::Entity::find_by_id(task.to_string()).one(write.rows()).await?;
                known.ok_or_else(|| StoreError::NoSuchTask { wanted: task.to_string() })?;
            }
            leases::Entity::insert(claimed).exec_without_returning(write.rows()).await?;
        }
        let event = Event::LeaseClaimed { resource: resource.key.clone(), owner: owner.clone(), fence, from };
        write.commit(scope(resource), event).await?;
        Ok(Claim::Won(Lease { resource: resource.clone(), owner: owner.clone(), fence, ttl }))
    }

    /// A heartbeat: the lease lasts `ttl` from `now`, unless it was taken over. Costs one row and no event.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn renew(&self, lease: &Lease, now: DateTime<Utc>) -> Result<Renewal, StoreError> {
        let now = now.trunc_subsecs(6);
        let beat = self.beat().await?;
        let mine =
            row(beat.rows(), &lease.resource).await?.filter(|row| row.fence == lease.fence && row.owner.is_some());
        let Some(mine) = mine else { return Ok(Renewal { still_mine: false, cancel_requested: false }) };
        let mut change = mine.into_active_model();
        change.heartbeat_at = Set(now);
        change.expires_at = Set(expiry(now, lease.ttl));
        leases::Entity::update(change).exec_without_returning(beat.rows()).await?;
        let cancel_requested = match lease.resource.task {
            None => false,
            Some(task) => {
                let asked = tasks::Entity::find_by_id(task.to_string()).select_only();
                let asked = asked.column(tasks::Column::CancelRequested).into_tuple::<bool>();
                asked.one(beat.rows()).await?.unwrap_or(true)
            }
        };
        beat.commit().await?;
        Ok(Renewal { still_mine: true, cancel_requested })
    }

    /// Gives a lease back. One that was lost already, or given back before, is left as it is.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let event = Event::LeaseReleased { resource: lease.resource.key.clone(), fence: lease.fence };
        let write = self.write().await?;
        let was_held = free(&write, &lease.resource, lease.fence).await?.is_some();
        write.commit_any(was_held.then_some((scope(&lease.resource), event))).await
    }

    /// Takes a lease from a holder that is known to be dead, before it expires. False if the resource is free, or if
    /// somebody else has claimed it since `fence` was seen.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn break_lease(&self, resource: &Resource, fence: i64) -> Result<bool, StoreError> {
        let write = self.write().await?;
        let broken = vacate(&write, resource, fence).await?;
        let was_held = broken.is_some();
        write.commit_any(broken).await?;
        Ok(was_held)
    }

    /// The experiments of a task that somebody holds, expired or not.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn held_experiments(&self, task: TaskId) -> Result<Vec<(u32, Holder)>, StoreError> {
        let read = self.read().await?;
        held(read.rows(), task).await
    }

    /// Who holds a resource, expired or not; `None` if it is free.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn holder(&self, resource: &Resource) -> Result<Option<Holder>, StoreError> {
        let read = self.read().await?;
        let row = leases::Entity::find_by_id(resource.key.clone()).one(read.rows()).await?;
        Ok(row.as_ref().map(holder).transpose()?.flatten())
    }
}

/// The lease's row, locked until the end of the transaction.
async fn row(rows: &Transaction, resource: &Resource) -> Result<Option<leases::Model>, StoreError> {
    Ok(leases::Entity::find_by_id(resource.key.clone()).lock_exclusive().one(rows).await?)
}

/// How the names of the leases on a task's experiments begin.
fn experiments_of(task: TaskId) -> String {
    format!("experiment:{task}/")
}

/// The experiments of a task that somebody holds, expired or not.
pub(crate) async fn held(rows: &Transaction, task: TaskId) -> Result<Vec<(u32, Holder)>, StoreError> {
    let prefix = experiments_of(task);
    let found = leases::Entity::find()
        .filter(leases::Column::TaskId.eq(task.to_string()))
        .filter(leases::Column::Owner.is_not_null())
        .filter(leases::Column::Resource.starts_with(&prefix));
    let mut held = Vec::new();
    for row in found.all(rows).await? {
        let number = row.resource.strip_prefix(&prefix).and_then(|number| number.parse().ok());
        if let (Some(number), Some(holder)) = (number, holder(&row)?) {
            held.push((number, holder));
        }
    }
    held.sort_unstable_by_key(|(number, _)| *number);
    Ok(held)
}

/// Takes a lease from its holder, unless it is free or was claimed anew since `fence`. The event is the caller's to commit.
pub(crate) async fn vacate(
    write: &Write,
    resource: &Resource,
    fence: i64,
) -> Result<Option<(Scope, Event)>, StoreError> {
    let broken = |owner| Event::LeaseBroken { resource: resource.key.clone(), owner, fence };
    Ok(free(write, resource, fence).await?.map(|holder| (scope(resource), broken(holder.owner))))
}

/// Frees a lease, unless it is free or was claimed anew since `fence`; gives who held it.
async fn free(write: &Write, resource: &Resource, fence: i64) -> Result<Option<Holder>, StoreError> {
    let Some(row) = row(write.rows(), resource).await?.filter(|row| row.fence == fence) else { return Ok(None) };
    let Some(holder) = holder(&row)? else { return Ok(None) };
    let mut change = row.into_active_model();
    change.owner = Set(None);
    leases::Entity::update(change).exec_without_returning(write.rows()).await?;
    Ok(Some(holder))
}

pub(crate) fn holder(row: &leases::Model) -> Result<Option<Holder>, StoreError> {
    let Some(owner) = &row.owner else { return Ok(None) };
    Ok(Some(Holder {
        owner: decode(|| format!("owner of the lease on {}", row.resource), owner)?,
        fence: row.fence,
        since: row.claimed_at,
        heartbeat_at: row.heartbeat_at,
        expires_at: row.expires_at,
    }))
}

/// Refuses a worker whose fence is no longer the newest.
pub(crate) async fn check(write: &Write, lease: &Lease) -> Result<(), StoreError> {
    let row = leases::Entity::find_by_id(lease.resource.key.clone()).lock_shared().one(write.rows()).await?;
    if row.as_ref().is_some_and(|row| row.fence == lease.fence && row.owner.is_some()) {
        return Ok(());
    }
    let newer = row.as_ref().map(holder).transpose()?.flatten().map(Box::new);
    Err(StoreError::LeaseLost { resource: lease.resource.key.clone(), fence: lease.fence, newer })
}

/// The longest lease: a year beyond four digits could not be stored.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 86_400);

fn scope(resource: &Resource) -> Scope {
    Scope { task: resource.task, experiment: resource.experiment, session: None }
}

/// When a lease that begins or is prolonged now expires.
pub(crate) fn expiry(now: DateTime<Utc>, ttl: Duration) -> DateTime<Utc> {
    (now + TimeDelta::from_std(ttl.min(FOREVER)).unwrap_or_default()).trunc_subsecs(6)
}
