//! A worker: claims jobs of the run queue that this host can do, runs several at once, obeys what it is asked.
//!
//! *Invariants*: a job runs only under a claim that is renewed; what a job held is stopped before its claim is given
//! back; a worker that ends leaves the store without it, and one that is killed is found by its silence.

mod beat;
mod job;
mod offer;
mod pool;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tuner_core::with_causes;
use tuner_runner::{Caretaker, is_dead, this_process};
use tuner_store::{
    Asked, Capabilities, JobAsk, JobFilter, JobKind, JobRow, JobStatus, Load, NewWorker, Store, StoreError, WorkerId,
};

use self::beat::Beat;
use self::pool::Pool;
use crate::error::AppError;
use crate::home::Home;
use crate::tune::Surroundings;

/// How often a worker looks for work, for dead ones, and for what it is asked, if nothing wakes it.
const LOOK: Duration = Duration::from_secs(5);
/// How long a claim on a job lasts without a sign of life.
const LEASE: Duration = Duration::from_secs(30);
/// Running jobs looked at, at most.
const MOST: u32 = 200;
/// Kinds of jobs that a worker does.
pub const KINDS: [JobKind; 7] = [
    JobKind::RunTask,
    JobKind::HelpTask,
    JobKind::InstallEngine,
    JobKind::FetchDataset,
    JobKind::DownloadModel,
    JobKind::RefreshIssueCache,
    JobKind::RenderReport,
];

/// What a worker is told when it is started.
#[derive(Clone, Debug)]
pub struct WorkerSettings {
    /// How many jobs it runs at once, at least 1.
    pub slots: u32,
    /// What its administrator says of it; jobs may ask for it.
    pub labels: BTreeMap<String, String>,
    /// Version of this program.
    pub version: String,
}

/// Why a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkEnd {
    /// It was asked to stop, by a signal or through the store.
    Stopped,
    /// It was asked to finish what it ran and claim nothing more, and has.
    Drained,
    /// It was asked to end and be started anew.
    Restart,
    /// It was removed from the store, or a newer version of the program has used it.
    Dismissed,
}

/// A worker of this process.
struct Crew<'a> {
    home: &'a Home,
    store: &'a Store,
    around: &'a Surroundings,
    id: WorkerId,
    slots: usize,
    /// What this host has.
    all: Capabilities,
    /// GPUs of it that were free when a job was last looked for.
    free_gpus: usize,
    jobs: Pool,
    beat: Beat,
}

/// Works until `stop` is cancelled or the store asks this worker to end. What it runs then is given back for others.
///
/// # Errors
/// [`StoreError::StaleVersion`] if a newer version of the program has used the store; it cannot be reached at the start.
pub async fn work(
    home: &Home,
    store: &Store,
    around: &Surroundings,
    settings: &WorkerSettings,
    stop: &CancellationToken,
) -> Result<WorkEnd, AppError> {
    let owner = this_process();
    let all = offer::of_this_host(home, around, &owner.host, settings.labels.clone());
    let id = WorkerId::new();
    let new = NewWorker {
        id,
        owner,
        version: settings.version.clone(),
        slots: settings.slots.max(1),
        capabilities: all.clone(),
    };
    store.register_worker(new).await?;
    tracing::info!(worker = %id, slots = settings.slots, "at work");
    let mut crew = Crew {
        home,
        store,
        around,
        id,
        slots: settings.slots.max(1) as usize,
        free_gpus: all.gpus.len(),
        all,
        jobs: Pool::default(),
        beat: Beat::default(),
    };
    let end = tokio::select! {
        end = crew.work(stop) => end,
        never = take_care(home, store) => match never {},
    };
    crew.end().await;
    tracing::info!(worker = %id, ?end, "has ended");
    end
}

/// Stops and gives back what dead workers left, beside the work: an engine may take its time.
async fn take_care(home: &Home, store: &Store) -> Infallible {
    let mut caretaker = Caretaker::new(home.root().to_owned());
    loop {
        match caretaker.look(store).await {
            Ok(found) => found.iter().for_each(|left| tracing::warn!(%left, "cleaned up what a dead worker left")),
            Err(error) => tracing::warn!(error = %with_causes(&error), "what dead workers left stays for now"),
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl Crew<'_> {
    async fn work(&mut self, stop: &CancellationToken) -> Result<WorkEnd, AppError> {
        let mut bell = self.store.work();
        let mut asked = Asked::Run;
        let mut beats = tokio::time::interval(LOOK);
        beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            match asked {
                Asked::Run => {
                    self.jobs.stay();
                    self.claim_all().await;
                }
                Asked::Drain if self.jobs.is_empty() => return Ok(WorkEnd::Drained),
                Asked::Drain => self.jobs.leave(),
                Asked::Restart => return Ok(WorkEnd::Restart),
                Asked::Stop => return Ok(WorkEnd::Stopped),
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(WorkEnd::Stopped),
                () = self.jobs.next() => {}
                _ = beats.tick() => self.free_the_dead().await,
                heard = bell.wait(LOOK) => {
                    if let Err(error) = heard {
                        self.out_of_reach(&error).await;
                    }
                }
            }
            match self.beat().await {
                Ok(now) => asked = now,
                Err(error @ (StoreError::NotFound { .. } | StoreError::StaleVersion { .. })) => {
                    tracing::warn!(%error, "dismissed");
                    return Ok(WorkEnd::Dismissed);
                }
                Err(error) => self.out_of_reach(&error).await,
            }
        }
    }

    /// Learns what this worker is asked; says that it lives when that is due, or when it has something new to say.
    async fn beat(&mut self) -> Result<Asked, StoreError> {
        let load = self.load();
        if !self.beat.is_due(&load) {
            return self.store.asked_of(self.id).await;
        }
        let asked = self.store.worker_heartbeat(self.id, &load).await?;
        self.beat.done(load);
        Ok(asked)
    }

    /// Workers of this host that are known to be dead are forgotten, and their jobs not kept waiting for their leases.
    async fn free_the_dead(&self) {
        if let Err(error) = self.try_to_free_the_dead().await {
            self.out_of_reach(&error).await;
        }
    }

    async fn try_to_free_the_dead(&self) -> Result<(), StoreError> {
        let dead = |job: &&JobRow| job.worker.as_ref().is_some_and(is_dead);
        for job in self.under_way().await?.iter().filter(dead) {
            tracing::warn!(job = %job.id, worker = ?job.worker, "its worker died");
            self.store.lapse_job(job.id, job.fence).await?;
        }
        for worker in self.store.list_workers().await?.iter().filter(|worker| is_dead(&worker.owner)) {
            match self.store.remove_worker(worker.id).await {
                // Another worker was faster.
                Ok(()) | Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Claims jobs for as long as there are free slots and jobs that fit.
    async fn claim_all(&mut self) {
        while self.jobs.len() < self.slots {
            match self.claim().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return self.out_of_reach(&error).await,
            }
        }
    }

    /// Claims a job and starts work on it; false if there is none.
    async fn claim(&mut self) -> Result<bool, StoreError> {
        let offer = offer::free(&self.all, &self.under_way().await?);
        self.free_gpus = offer.gpus.len();
        let ask = JobAsk { owner: this_process(), kinds: KINDS.to_vec(), offer, ttl: LEASE };
        let Some(claimed) = self.store.claim_job(&ask).await? else { return Ok(false) };
        let job = claimed.job();
        tracing::info!(job = %job.id, kind = %job.kind, task = ?job.task, "claimed");
        let stop = CancellationToken::new();
        let (home, store, around) = (self.home.clone(), self.store.clone(), self.around.clone());
        let work = job::run(home, store, around, claimed.clone(), [stop.clone(), self.jobs.leaving()]);
        self.jobs.start(claimed, stop, work);
        Ok(true)
    }

    /// Jobs that run, on whichever worker.
    async fn under_way(&self) -> Result<Vec<JobRow>, StoreError> {
        let running = JobFilter { statuses: vec![JobStatus::Running], ..JobFilter::default() };
        Ok(self.store.list_jobs(&running, None, MOST).await?.jobs)
    }

    fn load(&self) -> Load {
        Load { busy_slots: self.jobs.len() as u32, free_gpus: self.free_gpus as u32, jobs: self.jobs.ids() }
    }

    /// The store cannot be reached: what runs goes on, and the next look comes a little later.
    async fn out_of_reach(&self, error: &StoreError) {
        tracing::warn!(error = %error.in_words(), "the store does not answer; trying again");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    /// Stops what runs, gives it back, and goes.
    async fn end(&mut self) {
        self.jobs.end().await;
        match self.store.remove_worker(self.id).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => {}
            Err(error) => {
                tracing::warn!(error = %error.in_words(), "the store still knows this worker, until its silence is noticed")
            }
        }
    }
}
