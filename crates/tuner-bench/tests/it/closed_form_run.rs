//! A level against a closed-form server.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use tuner_bench::tokens::LocalTokenizer;
use tuner_bench::{Features, LevelPlan, LevelRun, Live, PreparedWorkload, Seeds, Target, TokenSource, run_level};
use tuner_core::task::{Level, LoadSpec, Prompts, WorkloadSpec};
use tuner_testkit::closed_form::{ClosedForm, tokenizer_json};

pub(crate) const MODEL: &str = "closed-form";

pub(crate) fn target(server: &ClosedForm) -> Target {
    Target { base_url: server.url(), model: MODEL.to_owned(), ..Target::default() }
}

/// A folder with the server's tokenizer.
pub(crate) fn tokenizer() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    std::fs::write(&path, tokenizer_json()).unwrap();
    (folder, path)
}

pub(crate) fn tokens() -> Arc<TokenSource> {
    let (_folder, path) = tokenizer();
    Arc::new(TokenSource::Local(Box::new(LocalTokenizer::load(&path).unwrap())))
}

pub(crate) fn scenario(text: &str) -> WorkloadSpec {
    let prompts = Prompts { scenario: Some(text.to_owned()), ..Prompts::default() };
    WorkloadSpec { prompts, ..WorkloadSpec::default() }
}

/// Two streams in a closed loop.
pub(crate) fn load(requests: u32) -> LoadSpec {
    LoadSpec {
        levels: vec![Level::closed(2)],
        requests: Some(requests),
        duration_s: None,
        request_timeout_s: 30.0,
        ..LoadSpec::default()
    }
}

/// A future that must end within a minute.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(std::time::Duration::from_secs(60), future).await.expect("it should have ended by now")
}

pub(crate) async fn run(target: &Target, workload: &WorkloadSpec, load: &LoadSpec) -> (LevelPlan, LevelRun) {
    run_changed(target, workload, load, |_| ()).await
}

/// As [`run`], with a plan that was changed.
pub(crate) async fn run_changed(
    target: &Target,
    workload: &WorkloadSpec,
    load: &LoadSpec,
    change: impl FnOnce(&mut LevelPlan),
) -> (LevelPlan, LevelRun) {
    let tokens = tokens();
    let prepared = PreparedWorkload::new(workload, Some(&tokens)).await.unwrap();
    let mut plan = prepared.plan(load, 0, 0, Seeds { schedule: 1, prompts: 2 }).unwrap();
    change(&mut plan);
    let (live, _) = watch::channel(Live::default());
    let (_keep, cancel) = watch::channel(false);
    let run = soon(run_level(target, &plan, &prepared.prompts, Some(tokens), live, cancel)).await.unwrap();
    (plan, run)
}

pub(crate) fn without_running_counts(target: Target) -> Target {
    Target { features: Features { continuous_usage: false, ..Features::default() }, ..target }
}
