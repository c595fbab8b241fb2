//! Load for the engines of one task: the tokenizer, the prompts and what the engine accepts are prepared once.
//!
//! *Invariant*: what is shared between attempts depends on the model, the engine's version and the workload, never on
//! the flags under trial.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;
use tuner_bench::client::Features;
use tuner_bench::log::LevelLog;
use tuner_bench::server::{GpuProbe, ServerWatch};
use tuner_bench::stopping::Losing;
use tuner_bench::tokens::{TokenError, TokenSource};
use tuner_bench::{BenchError, Live, PreparedWorkload, Station, Target, dataset, probe};
use tuner_core::task::TaskSpec;
use tuner_core::{Failure, FailureClass, Measurement, with_causes};
use tuner_deploy::ready::Endpoint;
use tuner_deploy::{Egress, Proxies};

use crate::activity::Activity;
use crate::lab::{Job, Turn, percentiles};
use crate::request_log;

/// What preparing a load needs to know of this machine.
#[derive(Debug)]
pub(crate) struct KitSurroundings<'a> {
    /// The hub's cache, where tokenizers are looked for.
    pub(crate) hub_cache: Option<&'a Path>,
    /// Where fetched data sets are kept.
    pub(crate) datasets: &'a Path,
    /// The way to addresses outside.
    pub(crate) proxies: &'a Proxies,
    /// From where may be fetched.
    pub(crate) egress: &'a Egress,
}

/// What every engine of a task is asked with.
#[derive(Debug)]
pub(crate) struct Kit {
    features: Features,
    tokens: Arc<TokenSource>,
    workload: Arc<PreparedWorkload>,
    gpus: GpuProbe,
}

impl Kit {
    /// Asks the first ready engine what it accepts, finds the tokenizer, reads or makes the prompts.
    pub(crate) async fn prepare(
        spec: &TaskSpec,
        endpoint: &Endpoint,
        model: &str,
        surroundings: &KitSurroundings<'_>,
    ) -> Result<Self, Failure> {
        let target = target(endpoint, model, Features::default());
        let features = probe::features_of(&target, &spec.workload.apis()).await.map_err(|e| failure(&e))?;
        let tokens = TokenSource::find(&spec.model, surroundings.hub_cache, Some(&target)).await;
        let tokens = tokens.map_err(|e| failure(&e.into()))?;
        let client = |url: &str| surroundings.egress.client(url, surroundings.proxies);
        let local = dataset::fetch_all(&spec.workload, surroundings.datasets, client).await;
        let local = local.map_err(|e| failure(&e.into()))?;
        let workload = PreparedWorkload::new(&local, Some(&tokens)).await.map_err(|e| failure(&e))?;
        Ok(Self { features, tokens: Arc::new(tokens), workload: Arc::new(workload), gpus: GpuProbe::find() })
    }
}

/// What one ready engine is asked with.
#[derive(Debug)]
pub(crate) struct Prompting(Station);

impl Prompting {
    pub(crate) async fn new(kit: &Kit, endpoint: &Endpoint, model: &str) -> Result<Self, Failure> {
        let mut target = target(endpoint, model, kit.features);
        // Another one with each start of the engine.
        target.media_marker = probe::media_marker(&target, &kit.workload.workload).await;
        let tokens = Some(kit.tokens.moved_to(&target).map_err(|e| failure(&e.into()))?);
        let server = ServerWatch::find(&target, kit.gpus.clone()).await.map_err(|e| failure(&e.into()))?;
        Ok(Self(Station { target, tokens, workload: kit.workload.clone(), server }))
    }

    /// The model's name as the engine serves it.
    pub(crate) fn model(&self) -> &str {
        &self.0.target.model
    }

    /// Measures one level.
    pub(crate) async fn measure(
        &self,
        job: &Job<'_>,
        turn: Turn,
        logs: &Path,
        activity: &watch::Sender<Activity>,
    ) -> Result<Measurement, Failure> {
        let Turn { level, repeat, client_threads, bar } = turn;
        let plan = self.0.workload.plan(&job.spec.load, level, repeat, job.seeds());
        let mut plan = plan.map_err(|e| failure(&e.into()))?;
        plan.client_threads = client_threads;
        plan.stop.losing = bar.map(|bar| Losing::of(bar, &job.spec.slos));
        let (live, mut seen) = watch::channel(Live::default());
        let experiment = Some(job.experiment.number);
        let show = async {
            while seen.changed().await.is_ok() {
                let live = Some(seen.borrow_and_update().clone());
                activity.send_replace(Activity { experiment, live });
            }
            std::future::pending::<()>().await;
        };
        // Dropping the level's future stops its threads; nobody else asks it to.
        let (_keep, never) = watch::channel(false);
        let percentiles = percentiles(job.spec);
        let run = self.0.measure(&plan, (&job.spec.slos, &percentiles), live, never);
        let run = tokio::select! {
            run = run => run.map_err(|e| failure(&e)),
            () = show => Err(Failure::new(FailureClass::Internal, "the live figures ended before the level")),
        };
        activity.send_replace(Activity::default());
        let (run, mut measurement) = run?;
        if job.spec.load.save_log_mib.is_some() {
            let log = LevelLog::new(&plan, &run, &job.spec.slos, &percentiles);
            // Some MiB, and nothing else is measured meanwhile.
            measurement.notes.extend(request_log::keep(logs, job, turn, &log));
        }
        Ok(measurement)
    }
}

fn target(endpoint: &Endpoint, model: &str, features: Features) -> Target {
    Target {
        base_url: endpoint.base_url(),
        model: model.to_owned(),
        api_key: endpoint.api_key.clone(),
        features,
        ..Target::default()
    }
}

/// Whose trouble it is that a level could not be measured at all.
fn failure(error: &BenchError) -> Failure {
    let class = match error {
        // An engine that does not tokenize now may do so the next time; a tokenizer that is not there will not be.
        BenchError::Endpoint { .. } | BenchError::Thread(_) | BenchError::Tokens(TokenError::Engine(_)) => {
            FailureClass::Connection
        }
        BenchError::Tokens(_) | BenchError::Target(_) => FailureClass::ModelMissing,
        BenchError::Dataset(_) | BenchError::Fetch(_) | BenchError::Plan(_) | BenchError::Content(_) => {
            FailureClass::Workload
        }
    };
    Failure::new(class, with_causes(error))
}

#[cfg(test)]
mod tests {
    use tuner_core::failure::Blame;

    use super::*;

    /// A worker that was suspended finds every time limit passed when it goes on: found by `cargo xtask chaos`.
    #[test]
    fn an_engine_that_does_not_tokenize_in_time_is_tried_again() {
        let late = BenchError::Tokens(TokenError::Engine("not finished after 30 s".to_owned()));
        assert_eq!(failure(&late).class.blame(), Blame::Transient);
    }
}
