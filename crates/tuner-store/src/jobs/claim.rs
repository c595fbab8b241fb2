//! Claiming: the first job in turn that a worker may take; and ending those whose last worker died.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Select, sea_query::Expr};

use super::{
    Capabilities, ClaimedJob, JobChange, JobId, JobKind, JobRow, JobStatus, Needs, end, locked, row, told, update,
};
use crate::dialect::Transaction;
use crate::entity::jobs;
use crate::json::{decode_option, encode};
use crate::lease::expiry;
use crate::{Owner, Store, StoreError, facts};

/// What a worker can do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobAsk {
    /// Who asks.
    pub owner: Owner,
    /// Which kinds it does.
    pub kinds: Vec<JobKind>,
    /// What of its host is free now.
    pub offer: Capabilities,
    /// How long the claim lasts after each heartbeat.
    pub ttl: Duration,
}

/// Jobs looked at together.
const PAGE: u64 = 50;

impl Store {
    /// Claims the first job in turn that this worker may do: larger priority, then earlier time, then older id. A job
    /// whose worker's lease has expired is in turn again. `None` if there is nothing to do for it; that costs reads
    /// only.
    ///
    /// # Errors
    /// [`StoreError::StaleVersion`] if a newer version of the program has used the store; [`StoreError::Database`].
    pub async fn claim_job(&self, ask: &JobAsk) -> Result<Option<ClaimedJob>, StoreError> {
        let read = self.read().await?;
        let at = self.time(read.rows()).await?;
        let seen = pick(read.rows(), ask, at).await?;
        let lost = !lost(read.rows(), at).await?.is_empty();
        drop(read);
        if lost {
            self.reap_jobs().await?;
        }
        let Some(mut seen) = seen else { return Ok(None) };
        let write = self.write().await?;
        facts::must_be_current(write.rows()).await?;
        let mut row = loop {
            // A heartbeat may come in between; another claim cannot, once we write.
            match locked(write.rows(), row::read_job(&seen.id)?).await {
                Ok(row) if in_turn(&row, write.at) => break row,
                Ok(_) | Err(StoreError::NotFound { .. }) => {}
                Err(e) => return Err(e),
            }
            match pick(write.rows(), ask, write.at).await? {
                Some(next) => seen = next,
                None => return Ok(None),
            }
        };
        let from: Option<Owner> = decode_option(|| format!("worker of job {}", row.id), row.worker.as_deref())?;
        let from = from.filter(|_| row.status == JobStatus::Running.word());
        row.status = JobStatus::Running.word().to_owned();
        row.attempts += 1;
        row.fence += 1;
        row.worker = Some(encode("worker", &ask.owner)?);
        row.claimed_at = Some(write.at);
        row.heartbeat_at = Some(write.at);
        row.lease_until = Some(expiry(write.at, ask.ttl));
        let job = JobRow::try_from(row.clone())?;
        let change = JobChange::Claimed { attempt: job.attempts, fence: job.fence, worker: ask.owner.clone(), from };
        let event = told(&row, change)?;
        update(&write, row).await?;
        write.commit_scoped(event, Vec::new()).await?;
        Ok(Some(ClaimedJob::new(self.clone(), job, ask.ttl)))
    }

    /// Ends jobs whose worker's lease has expired and that nobody may claim again: those asked to stop are cancelled,
    /// those after their last attempt are dead, with the reason. Gives them.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn reap_jobs(&self) -> Result<Vec<JobId>, StoreError> {
        let write = self.write().await?;
        let mut reaped = Vec::new();
        let mut events = Vec::new();
        for seen in lost(write.rows(), write.at).await? {
            let id = row::read_job(&seen.id)?;
            let mut row = locked(write.rows(), id).await?;
            if !is_lost(&row, write.at) {
                continue;
            }
            let job = JobRow::try_from(row.clone())?;
            let worker = job.worker.map_or_else(|| "its worker".to_owned(), |worker| worker.to_string());
            let mut error = format!(
                "{worker} died, or was out of reach for too long, in attempt {} of {}",
                job.attempts, job.max_attempts
            );
            if let Some(before) = job.last_error {
                error = format!("{error}; the failure before: {before}");
            }
            let status = if row.cancel_requested { JobStatus::Cancelled } else { JobStatus::Dead };
            row.last_error = Some(error.clone());
            end(&mut row, status, write.at);
            events.push(told(&row, JobChange::Ended { status, error: Some(error) })?);
            update(&write, row).await?;
            reaped.push(id);
        }
        write.commit_any(events).await?;
        Ok(reaped)
    }

    /// How long until the next job that waits for a time, or for a lease to expire, is in turn; `None` if none does.
    pub(crate) async fn next_turn(&self) -> Result<Option<Duration>, StoreError> {
        let read = self.read().await?;
        let at = self.time(read.rows()).await?;
        let queued = jobs::Entity::find()
            .select_only()
            .column(jobs::Column::RunAfter)
            .filter(jobs::Column::Status.eq(JobStatus::Queued.word()))
            .filter(jobs::Column::RunAfter.gt(at))
            .order_by_asc(jobs::Column::RunAfter);
        let queued = queued.into_tuple::<DateTime<Utc>>().one(read.rows()).await?;
        let running = jobs::Entity::find()
            .select_only()
            .column(jobs::Column::LeaseUntil)
            .filter(jobs::Column::Status.eq(JobStatus::Running.word()))
            .filter(jobs::Column::LeaseUntil.gt(at))
            .order_by_asc(jobs::Column::LeaseUntil);
        let running = running.into_tuple::<DateTime<Utc>>().one(read.rows()).await?;
        let next = queued.into_iter().chain(running).min();
        Ok(next.map(|next| (next - at).to_std().unwrap_or_default()))
    }
}

/// Whether a row may be claimed.
fn in_turn(row: &jobs::Model, at: DateTime<Utc>) -> bool {
    let queued = row.status == JobStatus::Queued.word() && row.run_after <= at;
    queued || is_expired(row, at) && row.attempts < row.max_attempts && !row.cancel_requested
}

/// Whether a row's worker is gone and nobody may claim it.
fn is_lost(row: &jobs::Model, at: DateTime<Utc>) -> bool {
    is_expired(row, at) && (row.attempts >= row.max_attempts || row.cancel_requested)
}

fn is_expired(row: &jobs::Model, at: DateTime<Utc>) -> bool {
    row.status == JobStatus::Running.word() && row.lease_until.is_none_or(|until| until <= at)
}

fn expired(at: DateTime<Utc>) -> Select<jobs::Entity> {
    jobs::Entity::find()
        .filter(jobs::Column::Status.eq(JobStatus::Running.word()))
        .filter(jobs::Column::LeaseUntil.lte(at))
}

async fn lost(rows: &Transaction, at: DateTime<Utc>) -> Result<Vec<jobs::Model>, StoreError> {
    let spent = Expr::col(jobs::Column::Attempts).gte(Expr::col(jobs::Column::MaxAttempts));
    let lost = expired(at).filter(spent.or(jobs::Column::CancelRequested.eq(true)));
    Ok(lost.order_by_asc(jobs::Column::Id).all(rows).await?)
}

/// The first job in turn that this worker may do.
async fn pick(rows: &Transaction, ask: &JobAsk, at: DateTime<Utc>) -> Result<Option<jobs::Model>, StoreError> {
    let kinds: Vec<&str> = ask.kinds.iter().map(|kind| kind.word()).collect();
    let fits = |row: &jobs::Model| {
        // Needs that this version cannot read are for a newer one to meet.
        let needs = serde_json::from_str::<Needs>(&row.needs);
        in_turn(row, at) && needs.is_ok_and(|needs| needs.unmet_by(&ask.offer).is_none())
    };
    let ours = |query: Select<jobs::Entity>| {
        query
            .filter(jobs::Column::Kind.is_in(kinds.iter().copied()))
            .order_by_desc(jobs::Column::Priority)
            .order_by_asc(jobs::Column::RunAfter)
            .order_by_asc(jobs::Column::Id)
    };
    let taken_over = ours(expired(at)).all(rows).await?.into_iter().find(fits);
    let queued = jobs::Entity::find()
        .filter(jobs::Column::Status.eq(JobStatus::Queued.word()))
        .filter(jobs::Column::RunAfter.lte(at));
    let queued = ours(queued).limit(PAGE);
    let mut first = None;
    for page in 0.. {
        let found = queued.clone().offset(page * PAGE).all(rows).await?;
        let last = found.len() < PAGE as usize;
        first = found.into_iter().find(fits);
        if first.is_some() || last {
            break;
        }
    }
    let turn = |row: &jobs::Model| (-row.priority, row.run_after, row.id.clone());
    Ok(taken_over.into_iter().chain(first).min_by_key(turn))
}
