//! Those who help with a task, as the one that plans it sees them: who runs what, who is gone, who is still to come.
//!
//! *Invariant*: nobody who lives is pushed aside. A holder of this host whose process is gone is dead at once; any other
//! is gone when its lease has expired and it gave no sign of life for a while in which the database answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tuner_core::plan::{AttemptState, TaskView, wants_help};
use tuner_store::{Claimed, Holder, JobFilter, JobKind, JobRow, JobStatus, Needs, NewJob, Severity, TaskState};

use crate::clock::Clock;
use crate::error::RunError;
use crate::liveness::is_dead;
use crate::patience::patiently;
use crate::worker::Worker;

/// How long a holder with an expired lease is waited for: after a time without the database, or a machine that slept,
/// everybody's lease has expired, and everybody comes back within moments.
const COMES_BACK: Duration = Duration::from_secs(5);
/// Helpers of one task looked at, at most.
const MOST: u32 = 200;

/// Those who help with a task.
pub(crate) struct Crew<'a> {
    worker: &'a Worker,
    claimed: Arc<Claimed>,
    /// Holders with an expired lease, and since when they were seen so.
    silent: BTreeMap<u32, (Holder, Instant)>,
    alone: bool,
}

impl<'a> Crew<'a> {
    pub(crate) fn new(worker: &'a Worker, claimed: Arc<Claimed>) -> Self {
        Self { worker, claimed, silent: BTreeMap::new(), alone: true }
    }

    /// Whether nobody helps, and nobody is going to.
    pub(crate) fn is_alone(&self) -> bool {
        self.alone
    }

    /// What a dead worker left: its attempts are interrupted, its engines on this host stopped.
    pub(crate) async fn clean_up(&self) -> Result<(), RunError> {
        let dead = |_, holder: &Holder| is_dead(&holder.owner);
        patiently(|| self.claimed.interrupt_abandoned(dead)).await?;
        self.reap().await
    }

    async fn reap(&self) -> Result<(), RunError> {
        for found in self.worker.lab.reap(&self.worker.store).await? {
            let text = format!("stopped what an earlier run left behind: {found}");
            patiently(|| self.claimed.note(None, Severity::Info, &text)).await?;
        }
        Ok(())
    }

    /// The experiments that somebody holds, `here` included. Those whose holder is gone are freed, what they left on
    /// this host is stopped, and the state brought up to date.
    pub(crate) async fn held(&mut self, state: &mut TaskState, here: Option<u32>) -> Result<Vec<u32>, RunError> {
        let (store, task) = (&self.worker.store, self.claimed.task());
        let held = patiently(|| store.held_experiments(task)).await?;
        let now = patiently(|| store.lease_time()).await?;
        self.silent.retain(|number, (seen, _)| held.iter().any(|(n, h)| n == number && h == seen));
        let mut gone = Vec::new();
        for (number, holder) in held.iter().filter(|(number, _)| Some(*number) != here) {
            let silent = (holder.expires_at <= now).then(|| {
                let (_, since) = self.silent.entry(*number).or_insert_with(|| (holder.clone(), Instant::now()));
                since.elapsed()
            });
            if is_dead(&holder.owner) || silent.is_some_and(|silent| silent >= COMES_BACK) {
                gone.push((*number, holder.clone()));
            }
        }
        let is_held = |number| held.iter().any(|(n, _)| *n == number) || here == Some(number);
        let runs = |e: &tuner_core::plan::ExperimentView| {
            e.outcome.is_none() && e.last_attempt().is_some_and(|a| a.state == AttemptState::Running)
        };
        let stray = state.experiments.iter().any(|e| runs(e) && !is_held(e.number));
        if stray || !gone.is_empty() {
            let is_gone = |number, holder: &Holder| gone.contains(&(number, holder.clone()));
            let interrupted = patiently(|| self.claimed.interrupt_abandoned(is_gone)).await?;
            // Of one that ended in this moment, there is nothing to take.
            if !gone.is_empty() || !interrupted.is_empty() {
                tracing::warn!(?gone, ?interrupted, "taken from workers that are gone");
                self.reap().await?;
            }
            self.worker.refresh(state).await?;
        }
        let gone: BTreeSet<u32> = gone.into_iter().map(|(number, _)| number).collect();
        Ok(held.into_iter().map(|(number, _)| number).filter(|number| !gone.contains(number)).collect())
    }

    /// How many help now. As many more are asked for as the task wants; where none can be of use any more, nobody is.
    pub(crate) async fn helpers(&mut self, view: &TaskView<'_>, now: DateTime<Utc>) -> Result<u32, RunError> {
        let most = view.spec.budget.parallel.saturating_sub(1);
        // In virtual time the places are taken in turn: what would run beside others is pending for their sampler.
        let asked = match *self.worker.clock {
            Clock::Virtual(_) => return Ok(most),
            Clock::Real => self.worker.help.clone().filter(|_| most > 0),
        };
        self.alone = asked.is_none();
        let Some(needs) = asked else { return Ok(0) };
        let (store, task) = (&self.worker.store, self.claimed.task());
        let filter = JobFilter {
            statuses: vec![JobStatus::Queued, JobStatus::Running, JobStatus::Dead],
            kinds: vec![JobKind::HelpTask],
            task: Some(task),
        };
        let jobs = patiently(|| store.list_jobs(&filter, None, MOST)).await?.jobs;
        let (jobs, dead): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.status != JobStatus::Dead);
        let at = patiently(|| store.lease_time()).await?;
        let lives = |job: &&JobRow| {
            let expired = job.lease_until.is_none_or(|until| until <= at);
            job.status == JobStatus::Running && !expired && !job.worker.as_ref().is_some_and(is_dead)
        };
        let there: Vec<&JobRow> = jobs.iter().filter(lives).collect();
        if wants_help(view, now) {
            let beside_others = self.worker.lab.shares_host(view.spec);
            // Where help was given up, it cannot be given, or kills its workers.
            let mut not_hosts = hosts(dead.iter());
            if !beside_others {
                not_hosts.extend(hosts(there.iter().copied()).into_iter().chain([self.worker.owner.host.clone()]));
            }
            self.ask(&jobs, most, Needs { not_hosts, ..needs }, beside_others).await?;
        } else if jobs.iter().any(|job| job.status == JobStatus::Queued) {
            patiently(|| self.claimed.end_help()).await?;
        }
        Ok(there.len().min(most as usize) as u32)
    }

    /// Queues what is missing of `most` helpers: all at once if they may share a host, else one at a time, each away from
    /// those that are there.
    async fn ask(&self, jobs: &[JobRow], most: u32, needs: Needs, all: bool) -> Result<(), RunError> {
        let (store, task) = (&self.worker.store, self.claimed.task());
        let mut waiting = false;
        for job in jobs.iter().filter(|job| job.status == JobStatus::Queued) {
            if job.needs == needs {
                waiting = true;
            } else {
                patiently(|| store.cancel_job(job.id)).await?;
            }
        }
        for place in 1..=most {
            let new = NewJob::help_task(task, place, needs.clone());
            let mut of_place = jobs.iter().filter(|job| job.unique_key == new.unique_key);
            let known = of_place.any(|job| job.status == JobStatus::Running || job.needs == needs);
            if known || waiting && !all {
                continue;
            }
            patiently(|| store.enqueue(new.clone())).await?;
            waiting = true;
        }
        Ok(())
    }
}

/// Where the workers of these jobs are.
fn hosts<'a>(jobs: impl Iterator<Item = &'a JobRow>) -> BTreeSet<String> {
    jobs.filter_map(|job| job.worker.as_ref()).map(|owner| owner.host.clone()).collect()
}
