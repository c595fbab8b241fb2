//! One job of a worker, from its claim to its end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tuner_core::with_causes;
use tuner_runner::{Activity, HelpEnd, Pulse, RunEnd, RunError, patiently};
use tuner_store::{Again, ClaimedJob, JobKind, JobRow, Renewal, Resource, Store, StoreError, TaskId, TaskStatus};

use crate::datasets::FetchOrder;
use crate::engines::{self, InstallTarget};
use crate::error::AppError;
use crate::home::Home;
use crate::report::Format;
use crate::service::outside::{self, DownloadOrder};
use crate::tune::{self, Surroundings};
use crate::{datasets, results};

/// How often one looks whether somebody else has let go of a task.
const LOOK: Duration = Duration::from_secs(2);

/// How work on a job ended.
enum End {
    /// It is done, and gave this.
    Done(Value),
    /// It was cut off before its end.
    CutOff,
    /// It failed; whether another try may help.
    Failed(String, Again),
}

/// Does a job, to the end of its claim; one that has several parts takes up no more of them once `leave` is cancelled.
#[tracing::instrument(level = "error", name = "job", skip_all, fields(job = %claimed.job().id, kind = %claimed.job().kind))]
pub(super) async fn run(
    home: Home,
    store: Store,
    around: Surroundings,
    claimed: ClaimedJob,
    [stop, leave]: [CancellationToken; 2],
) {
    let id = claimed.job().id;
    let (progress, news) = watch::channel(None);
    let (wish, lost) = (CancellationToken::new(), CancellationToken::new());
    let pulse = Pulse::start(renewing(claimed.clone(), news), wish.clone(), lost.clone());
    // Whatever the cause, the work ends by the same token; why is asked afterwards.
    let over = stop.child_token();
    let end = {
        let work = work(&home, &store, &around, &claimed, [&over, &leave], &progress);
        tokio::pin!(work);
        // Whoever works on a task that is asked to stop hears of it by the task's own claims, and has to end the task.
        let asked = async {
            wish.cancelled().await;
            if task_is_asked(&store, &claimed).await {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            end = &mut work => end,
            () = asked => {
                over.cancel();
                work.await
            }
            () = lost.cancelled() => {
                over.cancel();
                work.await
            }
        }
    };
    match pulse.end().await {
        Some(error) => {
            return tracing::error!(job = %id, error = %error.in_words(), "the store failed for too long; its lease expires");
        }
        None if lost.is_cancelled() => {
            return tracing::warn!(job = %id, "another worker has it now; what was found here since is dropped");
        }
        None => {}
    }
    // The store may be away; the claim is ours until somebody else has it.
    match patiently(|| settle(&claimed, &end, wish.is_cancelled())).await {
        Ok(()) | Err(StoreError::LeaseLost { .. } | StoreError::NotFound { .. }) => {}
        Err(error) => {
            tracing::error!(job = %id, error = %error.in_words(), "its end could not be written down; its lease expires")
        }
    }
}

/// Whether the task that a job works on was asked to stop, and not the job alone.
async fn task_is_asked(store: &Store, claimed: &ClaimedJob) -> bool {
    let JobRow { kind: JobKind::RunTask | JobKind::HelpTask, task: Some(task), .. } = claimed.job() else {
        return false;
    };
    let id = task.to_string();
    let row = patiently(|| store.task(&id)).await;
    row.is_ok_and(|row| row.cancel_requested)
}

/// How a claim is renewed: with the progress, until the store has it.
fn renewing(
    claimed: ClaimedJob,
    news: watch::Receiver<Option<Value>>,
) -> impl FnMut() -> BoxFuture<'static, Result<Renewal, StoreError>> {
    let told = Arc::new(Mutex::new(None));
    move || {
        let (claimed, told, progress) = (claimed.clone(), told.clone(), news.borrow().clone());
        Box::pin(async move {
            let fresh = progress.as_ref().filter(|_| *lock(&told) != progress);
            let renewal = claimed.renew(fresh).await?;
            *lock(&told) = progress;
            Ok(renewal)
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

async fn work(
    home: &Home,
    store: &Store,
    around: &Surroundings,
    claimed: &ClaimedJob,
    [over, leave]: [&CancellationToken; 2],
    progress: &watch::Sender<Option<Value>>,
) -> End {
    let job = claimed.job();
    // What is cut off here can be dropped at any moment.
    let done = match (job.kind, job.task) {
        (JobKind::RunTask, Some(task)) => return run_task(home, store, around, task, over, progress).await,
        (JobKind::HelpTask, Some(task)) => return help_task(home, store, around, task, [over, leave], progress).await,
        (JobKind::RenderReport, Some(task)) => Some(render(home, store, around, task).await),
        (JobKind::InstallEngine, _) => match read::<Install>(&job.payload) {
            Ok(wish) => {
                let say = |step: engines::Progress| {
                    progress.send_replace(Some(json!({ "step": step.step, "steps": step.steps, "does": step.label })));
                };
                over.run_until_cancelled(install(home, wish.target, say)).await
            }
            Err(end) => return end,
        },
        (JobKind::FetchDataset, _) => match read::<FetchOrder>(&job.payload) {
            Ok(order) => {
                let path =
                    async { Ok(json!({ "path": datasets::follow(home, store, around, &order, job.id).await? })) };
                over.run_until_cancelled(path).await
            }
            Err(end) => return end,
        },
        (JobKind::DownloadModel, _) => match read::<DownloadOrder>(&job.payload) {
            Ok(order) => {
                let mut say = |step: tuner_hub::hf::Progress| drop(progress.send_replace(Some(json!(step))));
                over.run_until_cancelled(outside::download(home, around, order, &mut say)).await
            }
            Err(end) => return end,
        },
        (JobKind::RefreshIssueCache, _) => {
            let refresh = async {
                let done = outside::issues(home, around)?.refresh().await?;
                Ok(json!({ "issues": done.issues, "changed": done.changed, "refreshed_at": done.refreshed_at }))
            };
            over.run_until_cancelled(refresh).await
        }
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
        if let Some(status) = ended(store, task).await {
            match tuner_runner::free(store, &tuner_runner::this_process(), task).await {
                Err(RunError::Busy { .. } | RunError::ClaimRace) => {
                    match over.run_until_cancelled(let_go(store, task)).await {
                        Some(()) => continue,
                        None => return End::CutOff,
                    }
                }
                _ => return End::Done(json!({ "status": status })),
            }
        }
        let activity = watch::Sender::new(Activity::default());
        let seen = activity.subscribe();
        match telling(tune::run(home, store, task, around, over, activity), seen, progress).await {
            Ok(RunEnd::Finished { status, .. }) => return End::Done(json!({ "status": status })),
            Ok(RunEnd::Stopped) => return End::CutOff,
            Err(AppError::Run(RunError::Busy { .. } | RunError::ClaimRace)) => {
                progress.send_replace(Some(json!({ "waiting_for": "another process works on the task" })));
                if over.run_until_cancelled(let_go(store, task)).await.is_none() {
                    return End::CutOff;
                }
            }
            Err(AppError::Run(error)) if error.is_lease_lost() => {
                return End::Failed("another worker took the task over".to_owned(), Again::WithBackOff);
            }
            // At a step that does not wait for the store by itself; the job goes on when it is back.
            Err(error) if error.is_passing() => {
                tracing::warn!(error = %with_causes(&error), "the store is away; trying again");
                if over.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
                    return End::CutOff;
                }
            }
            Err(error) => return End::Failed(with_causes(&error), Again::WithBackOff),
        }
    }
}

/// How a task has ended, if it has: its worker may have died between that and the end of its job.
async fn ended(store: &Store, task: TaskId) -> Option<TaskStatus> {
    let row = store.task(&task.to_string()).await.ok()?;
    row.status.is_end().then_some(row.status)
}

/// Runs experiments of a task that another worker plans.
async fn help_task(
    home: &Home,
    store: &Store,
    around: &Surroundings,
    task: TaskId,
    ends: [&CancellationToken; 2],
    progress: &watch::Sender<Option<Value>>,
) -> End {
    let activity = watch::Sender::new(Activity::default());
    let seen = activity.subscribe();
    match telling(tune::help(home, store, task, around, ends, activity), seen, progress).await {
        Ok(HelpEnd::Done { ran, why }) => End::Done(json!({ "experiments": ran, "why": why })),
        Ok(HelpEnd::Unfit { why }) => End::Failed(format!("this host cannot help: {why}"), Again::Never),
        Ok(HelpEnd::Stopped) => End::CutOff,
        Err(error) => End::Failed(with_causes(&error), Again::WithBackOff),
    }
}

/// Tells which experiment is worked on, for as long as work goes on.
async fn telling<T>(
    work: impl Future<Output = T>,
    mut seen: watch::Receiver<Activity>,
    progress: &watch::Sender<Option<Value>>,
) -> T {
    tokio::pin!(work);
    loop {
        tokio::select! {
            end = &mut work => return end,
            Ok(()) = seen.changed() => {
                // Between two levels none is measured, and still the same one is worked on.
                if let Some(experiment) = seen.borrow_and_update().experiment {
                    let told = json!({ "experiment": experiment });
                    progress.send_if_modified(|last| last.replace(told.clone()) != Some(told));
                }
            }
        }
    }
}

/// Returns when nobody holds the task, or its holder does not live.
async fn let_go(store: &Store, task: TaskId) {
    loop {
        tokio::time::sleep(LOOK).await;
        let look =
            async { Ok::<_, StoreError>((store.holder(&Resource::task(task)).await?, store.lease_time().await?)) };
        match look.await {
            Ok((Some(holder), now)) if !tuner_runner::is_dead(&holder.owner) && holder.expires_at > now => {}
            Ok(_) => return,
            Err(error) => tracing::warn!(error = %error.in_words(), "the store does not answer; trying again"),
        }
    }
}

#[cfg(test)]
mod tests {
    use tuner_store::{Capabilities, JobAsk, NewJob};

    use super::*;

    /// B8: what a heartbeat could not tell is told by the next one.
    #[tokio::test]
    async fn progress_is_kept_until_a_heartbeat_has_told_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).await.unwrap();
        store.enqueue(NewJob::new(JobKind::FetchDataset, json!({}))).await.unwrap();
        let owner = tuner_runner::this_process();
        let kinds = vec![JobKind::FetchDataset];
        let ask = JobAsk { owner, kinds, offer: Capabilities::default(), ttl: Duration::from_secs(30) };
        let claimed = store.claim_job(&ask).await.unwrap().unwrap();
        let id = claimed.job().id;
        let (progress, news) = watch::channel(None);
        let mut renew = renewing(claimed, news);
        progress.send_replace(Some(json!({ "step": 1 })));
        // Cut off before anything of it happened, as by a store that does not answer in time.
        drop(renew());
        assert!(renew().await.unwrap().still_mine);
        assert_eq!(store.job(id).await.unwrap().progress, Some(json!({ "step": 1 })));
        let said = store.last_event_seq().await.unwrap();
        assert!(renew().await.unwrap().still_mine);
        assert_eq!(store.last_event_seq().await.unwrap(), said, "what was told is not told again");
    }
}
