//! One job of a worker, from its claim to its end.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tuner_core::task::DatasetSpec;
use tuner_core::with_causes;
use tuner_runner::{Activity, RunEnd, RunError};
use tuner_store::{Again, ClaimedJob, JobId, JobKind, Resource, Store, StoreError, TaskId};

use crate::engines::{self, InstallTarget};
use crate::error::AppError;
use crate::home::Home;
use crate::report::Format;
use crate::tune::{self, Surroundings};
use crate::{datasets, results};

/// How often a claim is renewed and its wishes looked at.
const RENEW: Duration = Duration::from_secs(1);
/// How often one looks whether somebody else has let go of a task.
const LOOK: Duration = Duration::from_secs(2);

/// A job that runs.
pub(super) struct Running {
    /// Ends it; what it held is given back for another worker.
    pub(super) stop: CancellationToken,
}

/// How work on a job ended.
enum End {
    /// It is done, and gave this.
    Done(Value),
    /// It was cut off before its end.
    CutOff,
    /// It failed; whether another try may help.
    Failed(String, Again),
}

/// Does a job; gives its id when nothing of it runs any more.
pub(super) async fn run(
    home: Home,
    store: Store,
    around: Surroundings,
    claimed: ClaimedJob,
    stop: CancellationToken,
) -> JobId {
    let id = claimed.job().id;
    let (progress, news) = watch::channel(None);
    let pulse = Pulse { wish: CancellationToken::new(), lost: CancellationToken::new() };
    // Whatever the cause, the work ends by the same token; why is asked afterwards.
    let over = stop.child_token();
    let end = {
        let work = work(&home, &store, &around, &claimed, &over, &progress);
        tokio::pin!(work);
        let beat = pulse.beat(&claimed, news);
        tokio::pin!(beat);
        tokio::select! {
            end = &mut work => end,
            () = &mut beat => {
                over.cancel();
                work.await
            }
        }
    };
    if pulse.lost.is_cancelled() {
        tracing::warn!(job = %id, "another worker has it now; what was found here since is dropped");
        return id;
    }
    let written = loop {
        match settle(&claimed, &end, pulse.wish.is_cancelled()).await {
            // The store may come back; the claim is ours until somebody else has it.
            Err(StoreError::Database { .. }) => tokio::time::sleep(RENEW).await,
            other => break other,
        }
    };
    match written {
        Ok(()) | Err(StoreError::LeaseLost { .. } | StoreError::NotFound { .. }) => {}
        Err(error) => tracing::error!(job = %id, %error, "its end could not be written down; its lease expires"),
    }
    id
}

async fn settle(claimed: &ClaimedJob, end: &End, wish: bool) -> Result<(), StoreError> {
    match end {
        End::Done(result) => claimed.finish(Some(result)).await,
        End::CutOff if wish => claimed.cancelled().await,
        End::CutOff => claimed.release().await,
        End::Failed(error, again) => {
            let after = claimed.fail(error, *again).await?;
            tracing::warn!(job = %claimed.job().id, %error, ?after, "failed");
            Ok(())
        }
    }
}

/// The sign of life of a claim, and its ear for what people ask.
struct Pulse {
    /// A person asked to stop it.
    wish: CancellationToken,
    /// Somebody else has it.
    lost: CancellationToken,
}

impl Pulse {
    /// Renews the claim until it is lost or a person asks to stop it. While the store does not answer, work goes on.
    async fn beat(&self, claimed: &ClaimedJob, mut news: watch::Receiver<Option<Value>>) {
        loop {
            tokio::time::sleep(RENEW).await;
            let progress = if news.has_changed().unwrap_or(false) { news.borrow_and_update().clone() } else { None };
            match claimed.renew(progress.as_ref()).await {
                Ok(renewal) if !renewal.still_mine => return self.lost.cancel(),
                Ok(renewal) if renewal.cancel_requested => return self.wish.cancel(),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "no heartbeat; trying again"),
            }
        }
    }
}

async fn work(
    home: &Home,
    store: &Store,
    around: &Surroundings,
    claimed: &ClaimedJob,
    over: &CancellationToken,
    progress: &watch::Sender<Option<Value>>,
) -> End {
    let job = claimed.job();
    let done = match (job.kind, job.task) {
        (JobKind::RunTask, Some(task)) => return run_task(home, store, around, task, over, progress).await,
        (JobKind::RenderReport, Some(task)) => Some(render(home, store, around, task).await),
        (JobKind::InstallEngine, _) => match read::<Install>(&job.payload) {
            Ok(wish) => {
                let say = |step: engines::Progress| {
                    progress.send_replace(Some(json!({ "step": step.step, "steps": step.steps, "does": step.label })));
                };
                unless(over, install(home, wish.target, say)).await
            }
            Err(end) => return end,
        },
        (JobKind::FetchDataset, _) => match read::<DatasetSpec>(&job.payload) {
            Ok(dataset) => {
                let path = async { Ok(json!({ "path": datasets::fetch(home, &dataset, around).await? })) };
                unless(over, path).await
            }
            Err(end) => return end,
        },
        (kind, _) => {
            return End::Failed(format!("a job of kind {kind} lacks its task, or is not for workers"), Again::Never);
        }
    };
    match done {
        None => End::CutOff,
        Some(Ok(result)) => End::Done(result),
        Some(Err(error)) => End::Failed(with_causes(&error), Again::WithBackOff),
    }
}

/// `None` if it was cut off. Only for work that can be dropped at any moment.
async fn unless<T>(
    over: &CancellationToken,
    work: impl Future<Output = Result<T, AppError>>,
) -> Option<Result<T, AppError>> {
    tokio::select! {
        done = work => Some(done),
        () = over.cancelled() => None,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Install {
    target: InstallTarget,
}

fn read<T: DeserializeOwned>(payload: &Value) -> Result<T, End> {
    serde_json::from_value(payload.clone())
        .map_err(|error| End::Failed(format!("its payload cannot be read: {error}"), Again::Never))
}

async fn install(home: &Home, target: InstallTarget, say: impl FnMut(engines::Progress)) -> Result<Value, AppError> {
    let installed = engines::install(home, target, say).await?;
    Ok(json!({ "name": installed.name, "version": installed.version }))
}

async fn render(home: &Home, store: &Store, around: &Surroundings, task: TaskId) -> Result<Value, AppError> {
    let row = store.task(&task.to_string()).await?;
    let report = results::gather(home, store, task, around).await?;
    let place = home.reports().join(format!("{}.html", row.name));
    results::write(&place, &results::rendered(&report, Format::Html)?)?;
    Ok(json!({ "path": place }))
}

/// Runs a task to its end. While another process works on it, that one's end is waited for.
async fn run_task(
    home: &Home,
    store: &Store,
    around: &Surroundings,
    task: TaskId,
    over: &CancellationToken,
    progress: &watch::Sender<Option<Value>>,
) -> End {
    loop {
        let activity = watch::Sender::new(Activity::default());
        let mut seen = activity.subscribe();
        let run = tune::run(home, store, task, around, over, activity);
        tokio::pin!(run);
        let end = loop {
            tokio::select! {
                end = &mut run => break end,
                Ok(()) = seen.changed() => {
                    let experiment = seen.borrow_and_update().experiment;
                    let told = json!({ "experiment": experiment });
                    progress.send_if_modified(|last| last.replace(told.clone()) != Some(told));
                }
            }
        };
        match end {
            Ok(RunEnd::Finished { status, .. }) => return End::Done(json!({ "status": status })),
            Ok(RunEnd::Stopped) => return End::CutOff,
            Err(AppError::Run(RunError::Busy { .. } | RunError::ClaimRace)) => {
                progress.send_replace(Some(json!({ "waiting_for": "another process works on the task" })));
                tokio::select! {
                    () = let_go(store, task) => {}
                    () = over.cancelled() => return End::CutOff,
                }
            }
            Err(AppError::Run(RunError::LeaseLost)) => {
                return End::Failed("another worker took the task over".to_owned(), Again::WithBackOff);
            }
            Err(error) => return End::Failed(with_causes(&error), Again::WithBackOff),
        }
    }
}

/// Returns when nobody holds the task, or its holder does not live.
async fn let_go(store: &Store, task: TaskId) {
    loop {
        tokio::time::sleep(LOOK).await;
        match store.holder(&Resource::task(task)).await {
            Ok(Some(holder)) if !tuner_runner::is_dead(&holder.owner) && holder.expires_at > chrono::Utc::now() => {}
            Ok(_) => return,
            Err(error) => tracing::warn!(%error, "the store does not answer; trying again"),
        }
    }
}
