//! Tasks against a server in this process: the quality guard, and attempts that fail for a while.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tuner_core::plan::AttemptState;
use tuner_core::server_side::ServerCounter;
use tuner_core::{FailureClass, Outcome};
use tuner_deploy::{Backend, LocalBackend, Proxies};
use tuner_runner::{Clock, Lab, RealLab, RealLabSettings, RunError, this_process};
use tuner_sim::{ServerArgs, server};
use tuner_store::{Owner, Resource, Store};

use crate::world::{World, line};

/// A worker in a laboratory of real engines over `dir`.
async fn world(dir: &Path, url: &str, more: &str) -> World {
    loaded(dir, url, "requests: 4", more).await
}

/// The same with more to say of the load.
async fn loaded(dir: &Path, url: &str, load: &str, more: &str) -> World {
    let settings = RealLabSettings {
        datasets: dir.join("datasets"),
        logs: dir.join("logs"),
        launchers: BTreeMap::new(),
        proxies: Proxies::default(),
        egress: tuner_deploy::Egress::open(),
        ambient: BTreeMap::new(),
        api_key: None,
        hub_cache: None,
        gpus: Vec::new(),
        hardware: None,
    };
    let lab = Lab::Real(Box::new(RealLab::new(LocalBackend::new(dir).unwrap(), settings)));
    let task = format!(
        "
name: attached
model: {{id: llama-3.1-8b}}
engine: {{name: vllm}}
backend: {{kind: attached, url: '{url}'}}
search_space: {{parameters: {{}}}}
workload: {{scenario: 'D(16,4)'}}
load: {{levels: [{{concurrency: 1}}], {load}}}
budget: {{experiments: 1}}
verification: {{blocks: 0}}
{more}"
    );
    World::new(&task, Store::in_memory().await.unwrap(), lab, Arc::new(Clock::Real)).await
}

/// A simulated engine that is up.
async fn engine() -> server::Server {
    let args = ServerArgs::parse(&["llama-3.1-8b"]).unwrap();
    let engine = args.engine().unwrap().without_startup();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    server::serve(engine, listener, server::Clock { speed: 1.0 }, 1, Arc::new(|_: &str| ())).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guard_sees_the_ready_engine_and_its_veto_ends_the_experiment() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine().await;
    let guard = "quality_guard: {command: [sh, -c, 'echo asked $AUTOTUNER_MODEL; echo 0.25'], min: 0.5}\n";
    let world = world(dir.path(), &engine.base_url(), guard).await;
    world.run().await.unwrap();
    let experiments = world.experiments().await;
    let Some(Outcome::Infeasible { failure, .. }) = &experiments[0].outcome else { panic!("{experiments:?}") };
    assert_eq!(failure.class, FailureClass::QualityGuard);
    assert!(failure.message.contains("0.25"), "{}", failure.message);
    assert!(experiments[0].measurements().is_empty(), "nothing was measured after the veto");
    assert_eq!(experiments[0].attempts.len(), 1, "a veto is knowledge, not an accident");
    let log = std::fs::read_to_string(dir.path().join(format!("logs/{}/e0001-a1.guard.log", world.task))).unwrap();
    assert!(log.contains("asked llama-3.1-8b"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_that_is_content_lets_the_levels_be_measured() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine().await;
    let guard = "quality_guard: {command: [sh, -c, 'echo 0.75'], min: 0.5}\n";
    let world = world(dir.path(), &engine.base_url(), guard).await;
    world.run().await.unwrap();
    let experiments = world.experiments().await;
    assert_eq!(experiments[0].measurements().iter().map(|m| m.requests.completed).collect::<Vec<_>>(), [4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_to_each_request_is_kept_where_the_task_asks() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine().await;
    let world = world(dir.path(), &engine.base_url(), "").await;
    world.run().await.unwrap();
    let folder = |task| dir.path().join(format!("logs/{task}/requests"));
    assert!(!folder(world.task).exists(), "nothing is kept unasked");
    let world = loaded(dir.path(), &engine.base_url(), "requests: 4, save_log_mib: 1", "").await;
    world.run().await.unwrap();
    let experiments = world.experiments().await;
    let log = folder(world.task).join(tuner_runner::request_log::name(1, 1, 0, 0));
    let packed = std::io::BufReader::new(flate2::read::GzDecoder::new(std::fs::File::open(&log).unwrap()));
    let read = tuner_bench::log::LevelLog::read(packed, &log).unwrap();
    assert!(read.records.len() >= 4, "{}", read.records.len());
    let kept = &experiments[0].measurements()[0];
    assert_eq!(read.measurement().metrics, kept.metrics, "the log gives the figures that were measured");
}

/// W15: the engine's own figures stand beside the client's, and both sides counted the same tokens.
#[tokio::test(flavor = "multi_thread")]
async fn the_engines_own_counts_are_kept_and_agree_with_the_clients() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine().await;
    let world = world(dir.path(), &engine.base_url(), "").await;
    world.run().await.unwrap();
    let experiments = world.experiments().await;
    let measurement = &experiments[0].measurements()[0];
    let side = measurement.server.as_ref().unwrap();
    assert_eq!(side.source.as_deref(), Some("vllm /metrics"));
    let counted = measurement.evidence["client_output_tokens"];
    // Four measured requests and two before them, the first of which asks for less.
    assert!((20.0..=24.0).contains(&counted), "{counted}");
    assert_eq!(side.counters[&ServerCounter::OutputTokens], counted, "{side:?}");
    assert_eq!(side.counters[&ServerCounter::FinishedRequests], 6.0, "{side:?}");
}

/// R14: transient failures are tried again, with growing waits, as often as the task says.
#[tokio::test(flavor = "multi_thread")]
async fn a_transient_failure_is_tried_again_after_a_wait_and_then_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read(&mut [0; 4096]).await;
            let answer = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = socket.write_all(answer).await;
        }
    });
    let world = world(dir.path(), &url, "retries: {max_attempts: 3, backoff_s: 0.05}\n").await;
    world.run().await.unwrap();
    let experiments = world.experiments().await;
    let attempts = &experiments[0].attempts;
    assert_eq!(attempts.iter().map(|a| a.state).collect::<Vec<_>>(), [AttemptState::Failed; 3]);
    let Some(Outcome::Failed { failure }) = &experiments[0].outcome else { panic!("{experiments:?}") };
    assert_eq!(failure.class, FailureClass::Connection);
    for (n, pair) in attempts.windows(2).enumerate() {
        let waited = (pair[1].started_at - pair[0].ended_at.unwrap()).num_milliseconds();
        assert!(waited >= 50 << n, "{waited} ms before attempt {}", n + 2);
    }
    let lines: Vec<String> = world.events().await.iter().map(line).collect();
    assert_eq!(lines.iter().filter(|l| l.contains("note")).count(), 2, "{lines:#?}");
}

/// The experiment's own limit cuts off what would go on for long.
#[tokio::test(flavor = "multi_thread")]
async fn an_experiment_over_its_time_is_cut_off_in_real_time() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine().await;
    let guard = "quality_guard: {command: [sh, -c, 'sleep 600']}\ntimeouts: {experiment_s: 1.0}\n";
    let world = world(dir.path(), &engine.base_url(), guard).await;
    world.run().await.unwrap();
    let experiments = world.experiments().await;
    let failure = experiments[0].outcome.as_ref().unwrap().failure().unwrap();
    assert_eq!(failure.class, FailureClass::TimeoutMeasure);
    let left = LocalBackend::new(dir.path()).unwrap().list().await.unwrap();
    assert!(left.is_empty(), "the guard outlived its attempt: {left:?}");
}

/// B8: a worker whose lease was taken over finishes nothing, and nothing of its work goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_lost_its_lease_stops_what_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine().await;
    let world = world(dir.path(), &engine.base_url(), "quality_guard: {command: [sh, -c, 'sleep 600']}\n").await;
    let (store, resource) = (&world.worker.store, Resource::task(world.task));
    let backend = LocalBackend::new(dir.path()).unwrap();
    let thief = async {
        let works = async {
            while backend.list().await.unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), works).await.unwrap();
        let holder = store.holder(&resource).await.unwrap().unwrap();
        assert!(store.break_lease(&resource, holder.fence).await.unwrap());
        let owner = Owner { host: "elsewhere.invalid".to_owned(), ..this_process() };
        let ttl = Duration::from_secs(600);
        store.claim(&resource, &owner, ttl, chrono::Utc::now()).await.unwrap().won().unwrap()
    };
    let (end, lease) = tokio::join!(world.run(), thief);
    assert!(matches!(end, Err(RunError::LeaseLost)), "{end:?}");
    assert!(backend.list().await.unwrap().is_empty(), "its guard goes on");
    assert_eq!(store.holder(&resource).await.unwrap().unwrap().fence, lease.fence, "the lease is not given back");
    assert!(world.experiments().await[0].outcome.is_none(), "nothing was concluded");
}
