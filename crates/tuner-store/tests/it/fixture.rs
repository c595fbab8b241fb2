//! A database of its own for each test, and a worker's steps on it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use sea_orm::{Database, DatabaseConnection};
use serde_json::json;
use tuner_core::measure::{RequestCounts, Summary};
use tuner_core::plan::{AttemptEvidence, AttemptState, Role};
use tuner_core::{Configuration, Figure, Measurement, Metric, Outcome, Percentile, TaskSpec, Validity, Value};
use tuner_store::{
    AttemptEnd, Capabilities, Claimed, Clock, JobAsk, JobKind, NewDeployment, NewTask, Owner, Phase, Resource, Running,
    Store, StoreError, TaskEnd, TaskId, TaskStatus,
};
use tuner_testkit::postgres::Postgres;

pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) path: Option<PathBuf>,
    /// Where another process reaches it.
    pub(crate) url: Option<String>,
    pub(crate) _directory: Option<tempfile::TempDir>,
}

pub(crate) const TTL: Duration = Duration::from_secs(30);

impl Fixture {
    /// Every way to open a database gives one, or none where this machine lacks it.
    pub(crate) async fn memory() -> Option<Self> {
        let store = Store::open_url("sqlite::memory:").await.unwrap();
        Some(Self { store, path: None, url: None, _directory: None })
    }

    pub(crate) async fn file() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a directory").join("tuner?.db");
        let store = Store::open(&path).await.unwrap();
        let url = Some(format!("sqlite:{}", path.display()));
        Some(Self { store, path: Some(path), url, _directory: Some(directory) })
    }

    pub(crate) async fn postgres() -> Option<Self> {
        let server = tokio::task::spawn_blocking(|| Some(Postgres::shared()?.database()));
        let Some(url) = server.await.unwrap() else {
            eprintln!("SKIPPED: PostgreSQL is not installed");
            return None;
        };
        let store = Store::open_url(&url).await.unwrap();
        Some(Self { store, path: None, url: Some(url), _directory: None })
    }

    /// The same database as another process would have it.
    pub(crate) async fn another(&self) -> Store {
        match &self.url {
            Some(url) => Store::open_url(url).await.unwrap(),
            None => self.store.clone(),
        }
    }

    /// The database without the store around it; none if it is in this process's memory.
    pub(crate) async fn raw(&self) -> Option<DatabaseConnection> {
        match (&self.path, &self.url) {
            (Some(path), _) => Some(crate::files::raw(path).await),
            (None, Some(url)) => Some(Database::connect(url.as_str()).await.unwrap()),
            (None, None) => None,
        }
    }

    /// A new pending task.
    pub(crate) async fn task(&self, name: &str) -> TaskId {
        let new = NewTask { id: TaskId::new(), spec: spec(name), source: format!("name: {name}\n") };
        self.store.create_task(new).await.unwrap().id
    }

    /// The pen of the next worker on a task; an earlier worker's lease has expired.
    pub(crate) async fn pen(&self, task: TaskId) -> Claimed {
        let resource = Resource::task(task);
        let holder = self.store.holder(&resource).await.unwrap();
        let now = holder.as_ref().map_or(noon(), |h| h.expires_at);
        let worker = owner(holder.map_or(1, |h| h.owner.pid + 1));
        let lease = self.store.claim(&resource, &worker, TTL, now).await.unwrap().won().unwrap();
        self.store.claimed(task, lease)
    }
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub(crate) struct Hands(Arc<AtomicI64>);

impl Hands {
    pub(crate) fn at(time: DateTime<Utc>) -> Self {
        Self(Arc::new(AtomicI64::new(time.timestamp_micros())))
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        let hands = self.clone();
        Arc::new(move || hands.now())
    }
}

/// What a worker without GPUs asks for.
pub(crate) fn ask(pid: u32) -> JobAsk {
    let kinds = vec![JobKind::RenderReport, JobKind::FetchDataset];
    JobAsk { owner: owner(pid), kinds, offer: Capabilities::default(), ttl: TTL }
}

pub(crate) fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).unwrap()
}

pub(crate) fn owner(pid: u32) -> Owner {
    Owner { host: "gpu-7".to_owned(), pid, start_ticks: 1_000 + u64::from(pid), pid_namespace: None }
}

/// A task as small as a task can be.
pub(crate) fn spec(name: &str) -> TaskSpec {
    serde_json::from_value(json!({
        "name": name,
        "model": { "path": "/models/smol.gguf" },
        "engine": { "name": "simulated" },
        "search_space": { "parameters": { "max-num-seqs": [8, 16, 32] } },
    }))
    .unwrap()
}

pub(crate) fn configuration(x: f64) -> Configuration {
    Configuration::from([("max-num-seqs", Value::Int(16)), ("gpu-memory-utilization", Value::Float(x))])
}

pub(crate) fn measurement(level: u32, repeat: u32, throughput: f64) -> Measurement {
    let ttft = Summary {
        n: 64,
        mean: throughput / 3.0,
        percentiles: [(Percentile::P50, 20.0 / 3.0), (Percentile::P99, 0.1 + 0.2)].into(),
        ..Summary::default()
    };
    Measurement {
        level,
        repeat,
        window_s: 10.0,
        elapsed_s: 12.5,
        requests: RequestCounts { planned: 64, completed: 64, ..RequestCounts::default() },
        errors: [("http_503".to_owned(), 0)].into(),
        metrics: [(Metric::OutputThroughput, Figure::Scalar(throughput)), (Metric::Ttft, Figure::Distribution(ttft))]
            .into(),
        validity: Validity::Valid,
        evidence: [("lag_p99_ms".to_owned(), 0.3)].into(),
        notes: vec!["short run".to_owned()],
        ..Measurement::default()
    }
}

pub(crate) fn deployment(id: &str, experiment: u32, attempt: u32, ports: &[u16]) -> NewDeployment {
    NewDeployment {
        id: id.to_owned(),
        experiment,
        attempt,
        kind: "local".to_owned(),
        ports: ports.to_vec(),
        log_path: Some("logs/1.log".to_owned()),
    }
}

pub(crate) fn succeeded() -> AttemptEnd {
    AttemptEnd { state: AttemptState::Succeeded, failure: None, gpu_seconds: 41.5 }
}

pub(crate) fn success() -> Outcome {
    Outcome::Success { partial: false, failure: None }
}

pub(crate) fn completed() -> TaskEnd {
    TaskEnd { status: TaskStatus::Completed, verdict: Some(json!({ "verdict": "better" })), failure: None }
}

/// Every kind of write, in the order in which a worker does them on experiment `n`.
pub(crate) const STEPS: usize = 12;

/// Does one of them.
pub(crate) async fn step(pen: &Claimed, n: u32, step: usize) -> Result<(), StoreError> {
    let id = format!("deployment-{n}");
    match step {
        0 => pen.start_task().await.map(|_| ()),
        1 => pen.create_experiment(n, Role::Search, &configuration(f64::from(n) / 7.0)).await,
        2 => pen.begin_attempt(n).await.map(|attempt| assert_eq!(attempt, 1)),
        3 => pen.reserve_deployment(&deployment(&id, n, 1, &[8000 + n as u16])).await.map(|_| ()),
        4 => {
            let running = Running {
                pid: Some(4242),
                pgid: Some(4242),
                start_ticks: Some(77),
                address: Some("http://127.0.0.1:8000".to_owned()),
            };
            pen.deployment_running(&id, &running).await
        }
        5 => pen.record_phase(n, 1, Phase::Level { level: 0, repeat: 0 }).await,
        6 => {
            let evidence = AttemptEvidence {
                deployment: Some(id),
                command: Some("llama-server --parallel 4".to_owned()),
                ready_s: Some(1.0 / 3.0),
                ..AttemptEvidence::default()
            };
            pen.record_evidence(n, 1, &evidence).await
        }
        7 => pen.record_measurement(n, 1, &measurement(0, 0, 100.0 / 3.0)).await,
        8 => pen.record_measurement(n, 1, &measurement(1, 0, 200.0 / 3.0)).await,
        9 => pen.end_attempt(n, 1, &succeeded()).await,
        10 => pen.end_experiment(n, &success(), Some(&json!({ "value": 0.1 + 0.2 }))).await,
        11 => pen.finish_task(completed()).await,
        _ => unreachable!(),
    }
}

/// Everything that can be seen of a task.
pub(crate) async fn picture(store: &Store, task: TaskId) -> String {
    let state = store.load(task).await.unwrap();
    let rows = store.experiments(task).await.unwrap();
    let live = store.live_deployments().await.unwrap();
    format!("{state:#?}\n{rows:#?}\n{live:#?}")
}
