//! The jobs that a worker runs.
//!
//! *Invariant*: a slot is free when nothing of its job runs any more and the job's claim is over, also if the job ended
//! in a bug of ours.

use std::collections::HashMap;

use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tuner_runner::patiently;
use tuner_store::{Again, ClaimedJob, JobId, StoreError};

/// A job that runs.
struct Running {
    claimed: ClaimedJob,
    /// Ends it; what it held is given back for another worker.
    stop: CancellationToken,
}

/// Jobs under way.
#[derive(Default)]
pub(super) struct Pool {
    running: HashMap<Id, Running>,
    tasks: JoinSet<()>,
    /// Cancelled while this worker is to end with what it runs now.
    leaving: CancellationToken,
}

impl Pool {
    /// Begins with a job; `work` ends it and its claim, soon after `stop` is cancelled.
    pub(super) fn start(
        &mut self,
        claimed: ClaimedJob,
        stop: CancellationToken,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let id = self.tasks.spawn(work).id();
        self.running.insert(id, Running { claimed, stop });
    }

    /// Lets jobs that have several parts end with the one that they do now.
    pub(super) fn leave(&self) {
        self.leaving.cancel();
    }

    /// Lets those that begin from now on do all of their parts.
    pub(super) fn stay(&mut self) {
        if self.leaving.is_cancelled() {
            self.leaving = CancellationToken::new();
        }
    }

    /// What a job that begins now looks at between its parts.
    pub(super) fn leaving(&self) -> CancellationToken {
        self.leaving.clone()
    }

    /// Returns when a job has ended, or is given up because it panicked; never while there is none.
    pub(super) async fn next(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.ended(ended),
            None => std::future::pending().await,
        }
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let error = match ended {
            Ok((id, ())) => {
                self.running.remove(&id);
                return;
            }
            Err(error) => error,
        };
        let Some(Running { claimed, stop }) = self.running.remove(&error.id()) else { return };
        let text = match error.try_into_panic().map(said) {
            Ok(said) => format!("a bug of this program ended it: {said}"),
            Err(_) => "it was ended before its end".to_owned(),
        };
        tracing::error!(job = %claimed.job().id, error = text, "a job ended in a bug of ours");
        self.start(claimed.clone(), stop, fail(claimed, text));
    }

    /// How many run.
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    /// Whether none runs.
    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// What runs, oldest first.
    pub(super) fn ids(&self) -> Vec<JobId> {
        let mut ids: Vec<JobId> = self.running.values().map(|running| running.claimed.job().id).collect();
        ids.sort_unstable();
        ids
    }

    /// Stops all and returns when they have ended.
    pub(super) async fn end(&mut self) {
        self.running.values().for_each(|running| running.stop.cancel());
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.ended(ended);
        }
    }
}

/// Writes down that a job failed by no fault of its own; another worker may do better.
async fn fail(claimed: ClaimedJob, error: String) {
    match patiently(|| claimed.fail(&error, Again::WithBackOff)).await {
        Ok(_) | Err(StoreError::LeaseLost { .. } | StoreError::NotFound { .. }) => {}
        Err(error) => tracing::error!(%error, "a job's end could not be written down; its lease expires"),
    }
}

/// What a panic said.
fn said(panic: Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast::<String>().map(|text| *text);
    text.unwrap_or_else(|other| other.downcast::<&str>().map_or_else(|_| "a panic".to_owned(), |text| text.to_string()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use tuner_store::{Capabilities, JobAsk, JobKind, JobStatus, NewJob, Store};

    use super::*;

    /// B8: a bug costs one try of one job, not a slot.
    #[tokio::test]
    async fn a_job_that_panics_frees_its_slot_and_is_tried_again_with_back_off() {
        let store = Store::in_memory().await.unwrap();
        let job = store.enqueue(NewJob::new(JobKind::RenderReport, json!({}))).await.unwrap();
        let ask = JobAsk {
            owner: tuner_runner::this_process(),
            kinds: vec![JobKind::RenderReport],
            offer: Capabilities::default(),
            ttl: Duration::from_secs(30),
        };
        let claimed = store.claim_job(&ask).await.unwrap().unwrap();
        let mut pool = Pool::default();
        pool.start(claimed, CancellationToken::new(), async { panic!("no {}", "luck") });
        assert_eq!(pool.ids(), [job.id]);
        while !pool.is_empty() {
            pool.next().await;
        }
        let after = store.job(job.id).await.unwrap();
        assert_eq!((after.status, after.attempts), (JobStatus::Queued, 1));
        assert!(after.run_after > after.claimed_at.unwrap(), "not at once: {after:?}");
        assert_eq!(after.last_error.as_deref(), Some("a bug of this program ended it: no luck"));
    }

    #[test]
    fn whoever_leaves_tells_the_jobs_that_run_and_none_that_begin_after_it_stays() {
        let mut pool = Pool::default();
        let first = pool.leaving();
        pool.leave();
        assert!(first.is_cancelled() && pool.leaving().is_cancelled());
        pool.stay();
        assert!(first.is_cancelled() && !pool.leaving().is_cancelled());
    }

    #[tokio::test]
    async fn a_job_that_ends_by_itself_leaves_its_claim_alone() {
        let store = Store::in_memory().await.unwrap();
        store.enqueue(NewJob::new(JobKind::RenderReport, json!({}))).await.unwrap();
        let ask = JobAsk {
            owner: tuner_runner::this_process(),
            kinds: vec![JobKind::RenderReport],
            offer: Capabilities::default(),
            ttl: Duration::from_secs(30),
        };
        let claimed = store.claim_job(&ask).await.unwrap().unwrap();
        let (id, stop) = (claimed.job().id, CancellationToken::new());
        let mut pool = Pool::default();
        let until = stop.clone();
        pool.start(claimed, stop, async move { until.cancelled().await });
        pool.end().await;
        assert!(pool.is_empty());
        assert_eq!(store.job(id).await.unwrap().status, JobStatus::Running);
    }
}
