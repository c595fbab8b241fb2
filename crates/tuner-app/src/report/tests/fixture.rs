//! A made-up task with every kind of experiment. Its figures follow a simple law, so that they stay plausible.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use tuner_core::engine::{ReadBack, ReadBackVerdict};
use tuner_core::measure::{Figure, Percentile, RequestCounts, Summary, Validity};
use tuner_core::plan::{
    Arm, AttemptEvidence, AttemptState, AttemptView, ExperimentView, NoForecast, Places, Role, SearchEnd, TaskView,
    Verdict,
};
use tuner_core::{Configuration, Failure, FailureClass, Measurement, Metric, Outcome, SearchSpace, TaskSpec, Value};

use crate::report::{HostFacts, ReportData};

/// The rows of a task and what goes with them.
pub(super) struct Sample {
    pub(super) spec: TaskSpec,
    pub(super) experiments: Vec<ExperimentView>,
    verdict: Option<Verdict>,
}

impl Sample {
    pub(super) fn data(&self) -> ReportData<'_> {
        ReportData {
            spec: &self.spec,
            experiments: &self.experiments,
            verdict: self.verdict.as_ref(),
            host: HostFacts {
                cpu: Some("AMD EPYC 7B13".to_owned()),
                cores: Some(8),
                memory_gib: Some(31.3),
                gpus: Vec::new(),
                os: Some("Debian GNU/Linux 12".to_owned()),
            },
            command: None,
            generated_at: start() + TimeDelta::minutes(42),
        }
    }

    pub(super) fn better() -> Self {
        Self::finished(|block| [0.99, 1.02, 0.97, 1.01][block as usize % 4], spec())
    }

    /// The best falls back to the baseline when it is run again.
    pub(super) fn without_difference() -> Self {
        Self::finished(|block| [0.73, 0.70, 0.66, 0.71][block as usize % 4], spec())
    }

    /// Runs that have nothing to do with each other.
    pub(super) fn scattered() -> Self {
        Self::finished(|block| [0.1, 3.0, 0.2, 1.4][block as usize % 4], spec())
    }

    /// A proven gain, but smaller than the task wants.
    pub(super) fn not_worth_having() -> Self {
        let mut spec = spec();
        spec.verification.indifference = 0.1;
        Self::finished(|block| 0.72 + 0.001 * f64::from(block), spec)
    }

    pub(super) fn fooled() -> Self {
        Self::finished(|block| 0.60 + 0.002 * f64::from(block), spec())
    }

    pub(super) fn not_verified() -> Self {
        let mut sample = Self::better();
        sample.spec.verification.blocks = 0;
        sample.experiments.retain(|e| !matches!(e.role, Role::Verify { .. }));
        sample.judge();
        sample
    }

    pub(super) fn running() -> Self {
        let mut sample = Self::better();
        sample.experiments.truncate(8);
        let mut open = run(9, Role::Search, &[("threads", Value::Int(6))], 150.0);
        open.outcome = None;
        open.attempts[0].state = AttemptState::Running;
        open.attempts[0].ended_at = None;
        open.attempts[0].measurements.clear();
        sample.experiments.push(open);
        sample.verdict = None;
        sample
    }

    pub(super) fn nothing_ran() -> Self {
        let failure = Failure::new(FailureClass::EngineMissing, "llama-server is not installed");
        let baseline = ended(1, Role::Baseline, &[], Outcome::Failed { failure });
        let mut sample = Self { spec: spec(), experiments: vec![baseline], verdict: None };
        sample.judge();
        sample
    }

    pub(super) fn lower_latency() -> Self {
        let mut spec = spec();
        spec.objectives = serde_json::from_value(serde_json::json!(["minimize_latency"])).unwrap();
        spec.slos.clear();
        Self::finished(|block| [0.99, 1.02, 0.97, 1.01][block as usize % 4], spec)
    }

    /// Writes `text` wherever a user or an engine may write.
    pub(super) fn poison(&mut self, text: &str) {
        for experiment in &mut self.experiments {
            experiment.configuration.set(text, text);
            for attempt in &mut experiment.attempts {
                attempt.evidence.command = Some(text.to_owned());
                attempt.evidence.warnings = vec![text.to_owned()];
                for argument in &mut attempt.evidence.read_back {
                    argument.reported = Some(text.to_owned());
                }
            }
            if let Some(Outcome::Infeasible { failure, .. }) = &mut experiment.outcome {
                failure.message = text.to_owned();
                failure.log_tail = vec![text.to_owned()];
            }
        }
    }

    fn finished(again: impl Fn(u32) -> f64, spec: TaskSpec) -> Self {
        let mut experiments = search();
        for block in 0..4 {
            let best = [("threads", Value::Int(8)), ("batch-size", Value::Int(512)), ("flash-attn", Value::Bool(true))];
            let arms = if block % 2 == 0 { [Arm::Baseline, Arm::Best] } else { [Arm::Best, Arm::Baseline] };
            for arm in arms {
                let number = experiments.len() as u32 + 1;
                let role = Role::Verify { block, arm };
                experiments.push(match arm {
                    Arm::Baseline => run(number, role, &[], 104.0 * (1.0 + 0.003 * f64::from(block))),
                    Arm::Best => run(number, role, &best, 149.0 * again(block)),
                });
            }
        }
        let mut sample = Self { spec, experiments, verdict: None };
        sample.judge();
        sample
    }

    fn judge(&mut self) {
        let view = TaskView {
            spec: &self.spec,
            space: &SearchSpace::default(),
            experiments: &self.experiments,
            proposed: &[],
            started_at: start(),
            cancel_requested: false,
            forecast: &NoForecast,
            places: Places::ALONE,
        };
        self.verdict = Some(Verdict::of(&view, Some(SearchEnd::Experiments)));
    }
}

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 14, 9, 26, 53).unwrap()
}

fn spec() -> TaskSpec {
    serde_json::from_value(serde_json::json!({
        "name": "smollm2-laptop",
        "description": "Which flags serve the support chat best on the office machine?",
        "model": {"path": "models/SmolLM2-135M-Instruct-Q4_1.gguf"},
        "engine": {"name": "llama.cpp", "fixed": {"ctx-size": 8192}},
        "search_space": {"parameters": {
            "threads": [2, 4, 6, 8],
            "batch-size": {"low": 128, "high": 2048, "log": true, "type": "int"},
            "flash-attn": "bool"
        }},
        "workload": {"scenario": "D(256,64)"},
        "load": {"levels": [{"concurrency": 1}, {"concurrency": 8}], "duration_s": 20.0},
        "slos": [{"metric": "ttft", "stat": "p99", "max_ms": 900.0}],
        "budget": {"experiments": 10},
        "seed": 7
    }))
    .unwrap()
}

fn search() -> Vec<ExperimentView> {
    let threads = |n: i64| ("threads", Value::Int(n));
    let batch = |n: i64| ("batch-size", Value::Int(n));
    let flash = |on: bool| ("flash-attn", Value::Bool(on));
    let oom = Failure::new(FailureClass::OomLoad, "the engine ended with exit code 1 after 2.1 s").with_log(vec![
        "llama_context: n_ctx = 8192, n_batch = 2048".to_owned(),
        "\u{1b}[31mggml_aligned_malloc: insufficient memory (attempted to allocate 1152.00 MB)\u{1b}[0m".to_owned(),
        "main: error: unable to load model <models/SmolLM2-135M-Instruct-Q4_1.gguf>".to_owned(),
    ]);
    let cut = Failure::new(FailureClass::Connection, "connection reset by peer after 3 attempts");
    let died = Failure::new(FailureClass::OomRun, "the engine ended with signal 9 at level c8");
    let mut partial = run(7, Role::Search, &[threads(8), batch(1024), flash(false)], 131.0);
    partial.attempts[0].measurements.truncate(1);
    partial.outcome = Some(Outcome::Success { partial: true, failure: Some(died) });
    let mut slow = run(5, Role::Search, &[threads(2), batch(1280), flash(false)], 16.0);
    slow.attempts[0].measurements[0].notes.push("level shortened: 12 requests in 20 s".to_owned());
    let mut invalid = run(9, Role::Search, &[threads(6), batch(256), flash(true)], 127.0);
    invalid.attempts[0].measurements[1].validity =
        Validity::Invalid { reasons: vec!["schedule lag p99 14.2 ms is over the limit of 5 ms".to_owned()] };
    let mut failed = ended(6, Role::Search, &[threads(4), batch(768), flash(true)], Outcome::Failed { failure: cut });
    failed.attempts = (1..=3).map(|n| attempt(6, n, AttemptState::Failed)).collect();
    vec![
        run(1, Role::Baseline, &[], 103.0),
        run(2, Role::Search, &[threads(4), batch(512), flash(false)], 112.0),
        run(3, Role::Search, &[threads(6), batch(128), flash(true)], 121.0),
        ended(
            4,
            Role::Search,
            &[threads(8), batch(2048), flash(false)],
            Outcome::Infeasible { failure: oom, predicted: false },
        ),
        slow,
        failed,
        partial,
        run(8, Role::Search, &[threads(8), batch(512), flash(true)], 149.0),
        invalid,
        run(10, Role::Search, &[threads(8), batch(384), flash(true)], 143.5),
    ]
}

fn run(number: u32, role: Role, configuration: &[(&str, Value)], speed: f64) -> ExperimentView {
    let mut experiment = ended(number, role, configuration, Outcome::Success { partial: false, failure: None });
    let attempt = &mut experiment.attempts[0];
    attempt.measurements = vec![measurement(0, 1.0, speed * 0.55), measurement(1, 8.0, speed)];
    attempt.evidence.ready_s = Some(1.8 + f64::from(number) * 0.05);
    attempt.evidence.read_back = experiment
        .configuration
        .iter()
        .map(|(name, value)| ReadBack {
            name: name.to_owned(),
            asked: value.to_string(),
            reported: (name != "flash-attn").then(|| value.to_string()),
            verdict: if name == "flash-attn" { ReadBackVerdict::NotReported } else { ReadBackVerdict::Proven },
        })
        .collect();
    experiment
}

fn ended(number: u32, role: Role, configuration: &[(&str, Value)], outcome: Outcome) -> ExperimentView {
    let configuration = Configuration(configuration.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect());
    let failure = outcome.failure().cloned();
    let state = if failure.is_some() { AttemptState::Failed } else { AttemptState::Succeeded };
    let mut attempt = attempt(number, 1, state);
    let flags: String = configuration.iter().map(|(name, value)| format!(" --{name} {value}")).collect();
    attempt.evidence.command = Some(format!(
        "llama-server --model models/SmolLM2-135M-Instruct-Q4_1.gguf --host 127.0.0.1 --port 8080 --ctx-size 8192{flags}"
    ));
    attempt.failure = failure;
    ExperimentView { number, role, configuration, outcome: Some(outcome), attempts: vec![attempt] }
}

fn attempt(experiment: u32, number: u32, state: AttemptState) -> AttemptView {
    let started_at = start() + TimeDelta::seconds(i64::from(experiment) * 70 + i64::from(number) * 5);
    AttemptView {
        number,
        state,
        failure: None,
        started_at,
        ended_at: Some(started_at + TimeDelta::milliseconds(61_250)),
        measurements: Vec::new(),
        evidence: AttemptEvidence {
            engine_version: Some("b6100".to_owned()),
            log_path: Some(format!("logs/smollm2-laptop/{experiment}-{number}.log")),
            ..AttemptEvidence::default()
        },
    }
}

/// `streams` closed-loop streams that share `throughput` output tokens per second, 64 tokens per request.
fn measurement(level: u32, streams: f64, throughput: f64) -> Measurement {
    let tpot = 1000.0 * streams / throughput;
    let ttft = 30.0 + tpot * 6.0;
    let e2e = ttft + tpot * 63.0;
    let requests = throughput / 64.0;
    let completed = (requests * 20.0).floor() as u64;
    let distribution = |typical: f64, spread: f64| {
        let at = |share: f64| typical * (1.0 + spread * share);
        Figure::Distribution(Summary {
            n: completed,
            mean: at(0.05),
            stddev: typical * spread / 3.0,
            min: at(-0.4),
            max: at(1.1),
            percentiles: BTreeMap::from([
                (Percentile::P50, typical),
                (Percentile::P90, at(0.6)),
                (Percentile::P99, at(1.0)),
            ]),
            ..Summary::default()
        })
    };
    Measurement {
        level,
        repeat: 0,
        window_s: 20.0,
        elapsed_s: 23.5,
        requests: RequestCounts { planned: completed, completed, ..RequestCounts::default() },
        errors: BTreeMap::new(),
        metrics: BTreeMap::from([
            (Metric::OutputThroughput, Figure::Scalar(throughput)),
            (Metric::RequestThroughput, Figure::Scalar(requests)),
            (Metric::Ttft, distribution(ttft, 0.35)),
            (Metric::Tpot, distribution(tpot, 0.12)),
            (Metric::E2eLatency, distribution(e2e, 0.18)),
            (Metric::ErrorRate, Figure::Scalar(0.0)),
        ]),
        validity: Validity::Valid,
        evidence: BTreeMap::new(),
        ..Measurement::default()
    }
}
