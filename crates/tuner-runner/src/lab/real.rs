//! Attempts on real engines: processes of this machine, or an endpoint that already runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::{OnceCell, watch};
use tokio_util::sync::CancellationToken;
use tuner_core::engine::EngineName;
use tuner_core::task::{BackendSpec, Environment, QualityGuard};
use tuner_core::{Failure, FailureClass, Measurement};
use tuner_deploy::Egress;
use tuner_deploy::ready::{self, Budgets, Endpoint, NotReady, Ready, Watch, Why};
use tuner_deploy::redact::Secrets;
use tuner_deploy::{
    Backend, DeployError, DeploymentId, Exit, Launch, LocalBackend, Proxies, guard, http, logs, pages, ports,
};
use tuner_engines::exit::LOOKED_AT;
use tuner_engines::{Engine, EngineReport, ExitPhase, ExitReport, LaunchRequest, LaunchSpec, engine};
use tuner_store::{NewDeployment, Phase, Running, Severity, Store, StoreError};

use super::{Job, Turn};
use crate::activity::Activity;
use crate::attempt::Attempt;
use crate::error::RunError;
use crate::left;
use crate::load::{Kit, KitSurroundings, Prompting};
use crate::patience::patiently;

/// Ports that engines get.
const PORTS: std::ops::RangeInclusive<u16> = 20_000..=29_999;
/// Free ports offered to the store at a time.
const PORT_CANDIDATES: usize = 16;
/// Time for one page of the engine's own report.
const PAGE: Duration = Duration::from_secs(5);
/// How often one looks whether GPUs are free.
const GPU_LOOK: Duration = Duration::from_secs(1);
/// Log lines kept with a failure that the engine survived.
const TAIL: usize = 40;
/// Bytes of the log that the read-back looks at.
const LOG_BYTES: u64 = 4 << 20;

/// What the laboratory needs to know of this machine; settings are read by the door, not here.
#[derive(Clone, Debug)]
pub struct RealLabSettings {
    /// Where fetched data sets are kept.
    pub datasets: PathBuf,
    /// Where engine logs go.
    pub logs: PathBuf,
    /// How installed engines are started: program and leading arguments, and their version.
    pub launchers: BTreeMap<EngineName, (Vec<String>, Option<String>)>,
    /// Proxy settings for engines and downloads.
    pub proxies: Proxies,
    /// From where data sets may be fetched.
    pub egress: Egress,
    /// The same as variables.
    pub ambient: Environment,
    /// Key of an attached endpoint.
    pub api_key: Option<String>,
    /// The hub's cache of this machine, where tokenizers are looked for.
    pub hub_cache: Option<PathBuf>,
    /// GPUs of this machine, by index.
    pub gpus: Vec<u32>,
    /// Its processor and GPUs, in words.
    pub hardware: Option<String>,
}

/// The laboratory of real engines, for one task.
#[derive(Debug)]
pub struct RealLab {
    backend: LocalBackend,
    settings: RealLabSettings,
    /// Prepared with the first engine that is ready.
    kit: OnceCell<Kit>,
}

/// A ready engine.
#[derive(Debug)]
pub struct RealSession {
    endpoint: Endpoint,
    prompting: Prompting,
}

impl RealLab {
    /// A laboratory over a local backend (with its lifeline, if the door gave it one).
    pub fn new(backend: LocalBackend, settings: RealLabSettings) -> Self {
        Self { backend, settings, kit: OnceCell::new() }
    }

    /// Whether this machine has GPUs that may be used.
    pub(crate) fn has_gpus(&self) -> bool {
        !self.settings.gpus.is_empty()
    }

    pub(crate) async fn start(&self, job: &Job<'_>, attempt: &Attempt<'_>) -> Result<RealSession, RunError> {
        attempt
            .learn(|evidence| {
                let owner = &attempt.claimed().lease().owner;
                evidence.worker = Some(owner.to_string());
                evidence.host = Some(owner.host.clone());
                evidence.hardware.clone_from(&self.settings.hardware);
            })
            .await?;
        let (endpoint, ready) = match &job.spec.backend {
            BackendSpec::Attached { url, .. } => self.attach(job, url).await?,
            _ => self.deploy(job, attempt).await?,
        };
        let base_url = endpoint.base_url();
        let model = ready.model.clone();
        let took = ready.passed.last().map(|(_, at)| at.as_secs_f64());
        attempt
            .learn(|evidence| {
                evidence.base_url = Some(base_url);
                evidence.served_model = Some(model);
                evidence.ready_s = took;
            })
            .await?;
        let surroundings = KitSurroundings {
            hub_cache: self.settings.hub_cache.as_deref(),
            datasets: &self.settings.datasets,
            proxies: &self.settings.proxies,
            egress: &self.settings.egress,
        };
        let prepare = async || Kit::prepare(job.spec, &endpoint, &ready.model, &surroundings).await;
        let kit = self.kit.get_or_try_init(prepare).await?;
        let prompting = Prompting::new(kit, &endpoint, &ready.model).await?;
        Ok(RealSession { endpoint, prompting })
    }

    async fn attach(&self, job: &Job<'_>, url: &str) -> Result<(Endpoint, Ready), RunError> {
        let mut endpoint = Endpoint::parse(url)?;
        endpoint.api_key.clone_from(&self.settings.api_key);
        endpoint.served_model.clone_from(&job.spec.model.served_name);
        let client = http::client(&endpoint.origin, &self.settings.proxies)?;
        let budgets = Budgets::from(&job.spec.timeouts);
        let ready = ready::wait_ready(&client, &endpoint, None, &budgets, &CancellationToken::new()).await;
        Ok((endpoint, ready.map_err(failure)?))
    }

    /// Reserves, launches, waits, reads back.
    async fn deploy(&self, job: &Job<'_>, attempt: &Attempt<'_>) -> Result<(Endpoint, Ready), RunError> {
        let engine = engine(job.spec.engine.name);
        let id: DeploymentId = job.deployment().parse()?;
        let log = self.log_path(job);
        let port = self.reserve(job, attempt, &id, &log).await?;
        let gpus = self.reserve_gpus(job, attempt, &id, engine).await?;
        let spec = self.launch_spec(job, engine, port, &gpus)?;
        let version = self.settings.launchers.get(&job.spec.engine.name).and_then(|(_, version)| version.clone());
        attempt
            .learn(|evidence| {
                evidence.deployment = Some(id.to_string());
                evidence.command = Some(spec.paste_command());
                evidence.warnings.clone_from(&spec.warnings);
                evidence.gpus = Some(gpus.len() as u32);
                evidence.engine_version = version;
                evidence.log_path = Some(log.display().to_string());
            })
            .await?;
        let launch = Launch { gpus, ..launch(&spec, port) };
        let secrets = Secrets::of(&launch);
        let watch = Watch { backend: &self.backend, id: &id, log: &log, secrets: &secrets };
        let budgets = Budgets::from(&job.spec.timeouts);
        let cancel = CancellationToken::new();
        let running = ready::launch_within(watch, &launch, &budgets, &cancel).await.map_err(failure)?;
        let seen = Running {
            pid: Some(running.pid),
            pgid: Some(running.pgid),
            start_ticks: Some(running.start_ticks),
            address: Some(format!("127.0.0.1:{port}")),
        };
        patiently(|| attempt.claimed().deployment_running(id.as_str(), &seen)).await?;
        attempt.phase(Phase::Loading).await?;
        let endpoint = endpoint(&spec, port);
        let client = http::client(&endpoint.origin, &self.settings.proxies)?;
        let ready = ready::wait_ready(&client, &endpoint, Some(watch), &budgets, &cancel).await;
        let ready = ready.map_err(failure)?;
        self.read_back(job, attempt, engine, &client, &endpoint, &log).await?;
        Ok((endpoint, ready))
    }

    async fn reserve(
        &self,
        job: &Job<'_>,
        attempt: &Attempt<'_>,
        id: &DeploymentId,
        log: &Path,
    ) -> Result<u16, RunError> {
        let seed = u64::from(std::process::id()) ^ (u64::from(job.experiment.number) << 16);
        let new = NewDeployment {
            id: id.to_string(),
            experiment: job.experiment.number,
            attempt: job.attempt,
            kind: "local".to_owned(),
            ports: ports::free_ports(PORTS, seed, &[]).take(PORT_CANDIDATES).collect(),
            log_path: Some(log.display().to_string()),
        };
        let port = patiently(|| attempt.claimed().reserve_deployment(&new)).await?;
        Ok(port.ok_or_else(|| {
            let text = format!("no free port between {} and {}", PORTS.start(), PORTS.end());
            Failure::new(FailureClass::NoCapacity, text)
        })?)
    }

    /// The GPUs of one deployment, set aside for it; those that other deployments hold are waited for, for a while (R14.4).
    async fn reserve_gpus(
        &self,
        job: &Job<'_>,
        attempt: &Attempt<'_>,
        id: &DeploymentId,
        engine: &dyn Engine,
    ) -> Result<Vec<u32>, RunError> {
        let wanted = self.gpus_wanted(job, engine)?;
        let end = Instant::now() + Duration::from_secs_f64(job.spec.timeouts.provision_s);
        let mut said = false;
        loop {
            let reserve = || attempt.claimed().reserve_gpus(id.as_str(), wanted, &self.settings.gpus);
            let error = match patiently(reserve).await {
                Err(error @ StoreError::NoFreeGpus { .. }) => error.to_string(),
                other => return Ok(other?),
            };
            if Instant::now() >= end {
                return Err(Failure::new(FailureClass::NoCapacity, error).into());
            }
            if !std::mem::replace(&mut said, true) {
                let text = format!("waiting: {error}");
                let number = Some(job.experiment.number);
                patiently(|| attempt.claimed().note(number, Severity::Info, &text)).await?;
            }
            tokio::time::sleep(GPU_LOOK).await;
        }
    }

    fn launch_spec(&self, job: &Job<'_>, engine: &dyn Engine, port: u16, gpus: &[u32]) -> Result<LaunchSpec, Failure> {
        let own = &job.spec.engine.command;
        let installed = self.settings.launchers.get(&job.spec.engine.name).map(|(command, _)| command.as_slice());
        let launcher = if own.is_empty() { installed.unwrap_or_default() } else { own };
        let request = LaunchRequest {
            model: &job.spec.model,
            engine: &job.spec.engine,
            configuration: &job.flags,
            launcher,
            host: "127.0.0.1",
            port,
            gpus,
            ambient: &self.settings.ambient,
            catalogue: None,
        };
        Ok(engine.launch_spec(&request)?)
    }

    /// How many GPUs one deployment takes; none on a machine without GPUs.
    fn gpus_wanted(&self, job: &Job<'_>, engine: &dyn Engine) -> Result<usize, Failure> {
        if self.settings.gpus.is_empty() {
            return Ok(0);
        }
        let needed = job.spec.engine.gpus.unwrap_or_else(|| engine.gpus_needed(&job.flags)) as usize;
        let there = self.settings.gpus.len();
        if needed > there {
            let text = format!("{needed} GPUs are needed, this machine has {there}");
            return Err(Failure::new(FailureClass::NoCapacity, text));
        }
        Ok(needed)
    }

    /// Compares what was asked with what the engine says it uses (B9).
    async fn read_back(
        &self,
        job: &Job<'_>,
        attempt: &Attempt<'_>,
        engine: &dyn Engine,
        client: &reqwest::Client,
        endpoint: &Endpoint,
        log: &Path,
    ) -> Result<(), RunError> {
        let pages = pages::fetch_pages(client, endpoint, engine.report_sources().pages, PAGE).await;
        let text = logs::log_head(log, LOG_BYTES);
        let read_back = engine.read_back(&job.flags, &EngineReport { log: &text, pages: &pages });
        // A difference is evidence, not a failure: engines clamp values (a batch to the context), and what was asked is
        // what a person would paste. The event and the report show it.
        attempt.learn(|evidence| evidence.read_back = read_back).await
    }

    pub(crate) async fn guard(
        &self,
        job: &Job<'_>,
        session: &RealSession,
        guard: &QualityGuard,
    ) -> Result<(), Failure> {
        let id: DeploymentId = job.deployment().parse().map_err(deploy_failure)?;
        let configuration = serde_json::to_string(&job.experiment.configuration).unwrap_or_default();
        let env = BTreeMap::from([
            ("AUTOTUNER_BASE_URL".to_owned(), session.endpoint.base_url()),
            ("AUTOTUNER_MODEL".to_owned(), session.prompting.model().to_owned()),
            ("AUTOTUNER_CONFIGURATION".to_owned(), configuration),
        ]);
        let log = self.log_path(job).with_extension("guard.log");
        let report = guard::run_guard(&self.backend, &id, guard, env, &log, &CancellationToken::new()).await;
        let report = report.map_err(|error| Failure::new(FailureClass::Internal, error.to_string()))?;
        report.veto(guard).map_or(Ok(()), Err)
    }

    pub(crate) async fn measure(
        &self,
        job: &Job<'_>,
        session: &RealSession,
        turn: Turn,
        activity: &watch::Sender<Activity>,
    ) -> Result<Measurement, Failure> {
        let measuring = session.prompting.measure(job, turn, &self.settings.logs, activity);
        let limit = Duration::from_secs_f64(job.spec.timeouts.measure_s);
        let result = tokio::select! {
            result = tokio::time::timeout(limit, measuring) => result,
            exit = self.death(job) => {
                return Err(Failure::new(FailureClass::EngineCrash, format!("the engine ended with {exit} under load")));
            }
        };
        result.unwrap_or_else(|_| {
            let text =
                format!("level {} took longer than timeouts.measure_s = {} s", turn.level + 1, limit.as_secs_f64());
            Err(Failure::new(FailureClass::TimeoutMeasure, text))
        })
    }

    /// Returns when the engine's process has ended.
    async fn death(&self, job: &Job<'_>) -> Exit {
        let Ok(id) = job.deployment().parse::<DeploymentId>() else { return std::future::pending().await };
        if matches!(job.spec.backend, BackendSpec::Attached { .. }) {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(Duration::from_millis(250)).await;
            if let Ok(tuner_deploy::Status::Exited(exit)) = self.backend.status(&id).await {
                return exit;
            }
        }
    }

    /// Lets the engine's own end name the class: its exit status and last log lines.
    pub(crate) async fn explain(&self, job: &Job<'_>, failure: Failure, under_load: bool) -> Failure {
        let Ok(id) = job.deployment().parse::<DeploymentId>() else { return failure };
        match self.backend.status(&id).await {
            Ok(tuner_deploy::Status::Exited(exit)) => {
                let tail = self.log_tail(job, LOOKED_AT);
                let report = ExitReport {
                    exit_code: exit.code,
                    signal: exit.signal,
                    log_tail: &tail,
                    phase: if under_load { ExitPhase::Serve } else { ExitPhase::Load },
                };
                engine(job.spec.engine.name).classify_exit(&report)
            }
            _ if failure.log_tail.is_empty() => failure.with_log(self.log_tail(job, TAIL)),
            _ => failure,
        }
    }

    /// The log's last lines without the secrets that the engine was started with.
    fn log_tail(&self, job: &Job<'_>, lines: usize) -> Vec<String> {
        let spec = self.launch_spec(job, engine(job.spec.engine.name), 0, &[]);
        let secrets = spec.map(|spec| Secrets::of(&launch(&spec, 0))).unwrap_or_default();
        logs::log_tail(&self.log_path(job), lines).iter().map(|line| secrets.clean(line)).collect()
    }

    pub(crate) async fn stop(&self, job: &Job<'_>, grace: Duration) -> Result<Option<Duration>, DeployError> {
        let id: DeploymentId = job.deployment().parse()?;
        let stopped = self.backend.stop(&id, grace).await?;
        for (gpu, held_mib) in &stopped.gpu_memory_held {
            tracing::warn!(gpu, held_mib, "the engine is gone, its GPU has more memory in use than before it came");
        }
        // There the quality guard may have run beside nothing of ours, which is no engine's end.
        let attached = matches!(job.spec.backend, BackendSpec::Attached { .. });
        Ok((!attached).then_some(stopped.took))
    }

    pub(crate) async fn reap(&self, store: &Store) -> Result<Vec<DeploymentId>, RunError> {
        left::reap(&self.backend, store).await
    }

    fn log_path(&self, job: &Job<'_>) -> PathBuf {
        let name = format!("e{:04}-a{}.log", job.experiment.number, job.attempt);
        self.settings.logs.join(job.task.to_string()).join(name)
    }
}

fn launch(spec: &LaunchSpec, port: u16) -> Launch {
    Launch {
        program: spec.program.clone(),
        args: spec.args.clone(),
        env: spec.env.clone(),
        ports: vec![port],
        ..Launch::default()
    }
}

fn endpoint(spec: &LaunchSpec, port: u16) -> Endpoint {
    Endpoint {
        origin: format!("http://127.0.0.1:{port}"),
        base_path: spec.base_path.clone(),
        health_path: Some(spec.health_path.clone()),
        served_model: spec.served_model.clone(),
        api_key: None,
    }
}

fn failure(not: NotReady) -> Failure {
    let message = match &not.why {
        Why::Cancelled => "cancelled".to_owned(),
        _ => not.to_string(),
    };
    not.failure().unwrap_or_else(|| Failure::new(FailureClass::Interrupted, message))
}

fn deploy_failure(error: DeployError) -> Failure {
    Failure::new(error.class(), error.to_string())
}
