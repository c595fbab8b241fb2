//! How it was measured: everything a reader needs to doubt or repeat a result.

use std::collections::{BTreeMap, BTreeSet};

use tuner_core::TaskSpec;
use tuner_core::engine::{EngineName, ReadBackVerdict};
use tuner_core::plan::{AttemptState, AttemptView};
use tuner_core::task::{BackendSpec, ClassSpec, Prompts, SamplerSpec};

use super::ReportData;
use super::model::Fact;
use super::numbers::{count, figure, percent, span};

/// The facts, most asked first.
pub(super) fn facts(data: &ReportData<'_>) -> Vec<Fact> {
    let spec = data.spec;
    let mut facts = Vec::new();
    let mut say = |name: &str, value: String| {
        if !value.is_empty() {
            facts.push(Fact { name: name.to_owned(), value });
        }
    };
    say("Engine", engine(data));
    say("Model", model(data));
    say("Backend", backend(&spec.backend));
    say("Machine", machine(data));
    say("Machines", machines(data));
    say("Workload", workload(spec));
    say("Levels", spec.load.levels.iter().map(|level| level.label()).collect::<Vec<_>>().join(", "));
    say("Window", window(spec));
    say("Repeats", format!("{} per level and experiment", spec.repeats));
    say("Error limit", format!("{} of the requests of a level", percent(spec.max_error_rate)));
    say("Sampler", sampler(&spec.sampler));
    say("Seed", spec.seed.to_string());
    say("Budget", budget(spec));
    say(
        "End of the search",
        data.verdict.and_then(|v| v.search_end).map_or(String::new(), |e| e.describe().to_owned()),
    );
    say("Verification", verification(spec));
    say("Measurements", measurements(data));
    say("Attempts", attempts(data));
    say("Time", time(data));
    say("Read-back", read_back(data));
    facts
}

fn all_attempts<'a>(data: &ReportData<'a>) -> impl Iterator<Item = &'a AttemptView> {
    data.experiments.iter().flat_map(|e| &e.attempts)
}

/// Engine with every version that ran.
pub(super) fn engine(data: &ReportData<'_>) -> String {
    let ran: BTreeSet<&str> = all_attempts(data).filter_map(|a| a.evidence.engine_version.as_deref()).collect();
    let name = data.spec.engine.name.name();
    let ran: Vec<&str> = ran.into_iter().collect();
    match (ran.as_slice(), data.spec.engine.version.as_deref()) {
        ([], None) => name.to_owned(),
        ([], Some(version)) => format!("{name} {version}"),
        // Some engines say their own name in their version.
        (versions, _) if versions.iter().all(|v| v.starts_with(name)) => versions.join(" and "),
        (versions, _) => format!("{name} {}", versions.join(" and ")),
    }
}

/// Model source, with the name it is served under where that differs.
pub(super) fn model(data: &ReportData<'_>) -> String {
    let source = data.spec.model.source();
    let served: BTreeSet<&str> =
        all_attempts(data).filter_map(|a| a.evidence.served_model.as_deref()).filter(|name| *name != source).collect();
    if served.is_empty() {
        return source.to_owned();
    }
    format!("{source}, served as {}", served.into_iter().collect::<Vec<_>>().join(" and "))
}

/// The machine that gave the figures; a simulated one where the engine is.
fn machine(data: &ReportData<'_>) -> String {
    match (&data.spec.engine.hardware, &data.spec.backend) {
        (Some(hardware), _) if data.spec.engine.name == EngineName::Simulated => {
            format!("{} × {}, simulated", hardware.count, hardware.gpu)
        }
        (_, BackendSpec::Virtual) => "simulated".to_owned(),
        _ => data.host.describe(),
    }
}

/// Where what was measured may differ for another reason than its flags.
fn machines(data: &ReportData<'_>) -> String {
    let mut by_hardware = BTreeMap::<&str, BTreeSet<u32>>::new();
    for experiment in data.experiments {
        for hardware in experiment.attempts.iter().filter_map(|a| a.evidence.hardware.as_deref()) {
            by_hardware.entry(hardware).or_default().insert(experiment.number);
        }
    }
    if by_hardware.len() < 2 {
        return String::new();
    }
    let on = by_hardware.into_iter().map(|(hardware, numbers)| {
        let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
        format!("experiments {} on {hardware}", numbers.join(", "))
    });
    format!("measured on different hardware: {}", on.collect::<Vec<_>>().join("; "))
}

fn backend(backend: &BackendSpec) -> String {
    match backend {
        BackendSpec::Local => "processes on this machine".to_owned(),
        BackendSpec::Docker { image } => {
            format!("docker{}", image.as_ref().map_or(String::new(), |i| format!(", image {i}")))
        }
        BackendSpec::Kubernetes { namespace } => {
            format!("kubernetes{}", namespace.as_ref().map_or(String::new(), |n| format!(", namespace {n}")))
        }
        BackendSpec::Attached { url, .. } => format!("attached to {url}"),
        BackendSpec::Virtual => "simulated in virtual time".to_owned(),
    }
}

fn workload(spec: &TaskSpec) -> String {
    let workload = &spec.workload;
    let prompts = if workload.classes.is_empty() {
        source(&workload.prompts)
    } else {
        let total: f64 = workload.classes.iter().map(|class| class.weight).sum();
        let class = |class: &ClassSpec| {
            format!("{} {} %: {}", class.name, figure(class.weight / total * 100.0), source(&class.prompts()))
        };
        workload.classes.iter().map(class).collect::<Vec<_>>().join("; ")
    };
    let talks = spec.workload.conversations().into_iter().flatten().next();
    let talks = talks.map_or(String::new(), |talk| {
        let turns = talk.turns.map_or_else(|| "as many turns as recorded".to_owned(), |turns| format!("{turns} turns"));
        let think = talk.think_s.map_or(String::new(), |think| format!(", {think} s of thinking"));
        format!(", in conversations of {turns}{think}")
    });
    let api = workload.api.name();
    let eos = if workload.ignore_eos { ", end of sequence ignored" } else { "" };
    format!("{prompts}{talks}, {api} endpoint, temperature {}{eos}", workload.temperature)
}

fn source(prompts: &Prompts) -> String {
    match (prompts.dataset(), &prompts.scenario) {
        (Some(dataset), _) => format!("prompts from {}", dataset.source),
        (None, Some(scenario)) => format!("synthetic prompts {scenario} (input, output tokens)"),
        (None, None) => "prompts by default".to_owned(),
    }
}

fn window(spec: &TaskSpec) -> String {
    let load = &spec.load;
    let window = match (load.duration_s, load.requests) {
        (Some(s), Some(n)) => format!("{} or {n} requests per level, whichever ends first", span(s)),
        (Some(s), None) => format!("{} per level", span(s)),
        (None, Some(n)) => format!("{n} requests per level"),
        (None, None) => String::from("until the level's end"),
    };
    let warmup = match load.warmup_requests {
        Some(n) => format!("{n} warm-up requests"),
        None => "one warm-up request per stream, at least 2,".to_owned(),
    };
    format!("{window}; {warmup} outside the window")
}

fn sampler(sampler: &SamplerSpec) -> String {
    match sampler {
        SamplerSpec::Grid => "grid".to_owned(),
        SamplerSpec::Random => "random".to_owned(),
        SamplerSpec::Sobol => "Sobol points".to_owned(),
        SamplerSpec::Bayesian { initial, .. } => {
            let first = initial.map_or(String::new(), |n| format!(" after {n} space-filling experiments"));
            format!("bayesian (tree-structured Parzen estimator){first}")
        }
    }
}

fn budget(spec: &TaskSpec) -> String {
    let mut parts = vec![count(spec.budget.experiments as usize, "experiment")];
    parts.extend(spec.budget.wall_time_s.map(|s| format!("{} of wall time", span(s))));
    parts.extend(spec.budget.gpu_seconds.map(|s| format!("{} GPU-seconds", figure(s))));
    parts.extend((spec.budget.parallel > 1).then(|| format!("up to {} at once", spec.budget.parallel)));
    parts.join(", ")
}

fn verification(spec: &TaskSpec) -> String {
    let v = &spec.verification;
    if v.blocks == 0 {
        return "switched off".to_owned();
    }
    let indifference = if v.indifference > 0.0 {
        format!("; gains below {} count as none", percent(v.indifference))
    } else {
        String::new()
    };
    format!(
        "{} interleaved pairs of baseline and best, Student's t interval on the log-ratio at {}{indifference}",
        v.blocks,
        percent(v.confidence)
    )
}

fn measurements(data: &ReportData<'_>) -> String {
    let all: Vec<bool> =
        data.experiments.iter().flat_map(|e| e.measurements()).map(tuner_core::Measurement::is_valid).collect();
    let invalid = all.iter().filter(|valid| !**valid).count();
    let requests: u64 = data.experiments.iter().flat_map(|e| e.measurements()).map(|m| m.requests.completed).sum();
    let proven = if invalid == 0 { "all proven valid".to_owned() } else { format!("{invalid} invalid and not scored") };
    if all.is_empty() {
        String::new()
    } else {
        format!("{} levels, {requests} requests completed, {proven}", all.len())
    }
}

fn attempts(data: &ReportData<'_>) -> String {
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for attempt in all_attempts(data) {
        let word = match attempt.state {
            AttemptState::Running => "running",
            AttemptState::Succeeded => "succeeded",
            AttemptState::Failed => "failed",
            AttemptState::Interrupted => "interrupted and repeated",
            AttemptState::Cancelled => "cancelled",
        };
        *states.entry(word).or_default() += 1;
    }
    let parts: Vec<String> = states.into_iter().map(|(word, n)| format!("{n} {word}")).collect();
    parts.join(", ")
}

fn time(data: &ReportData<'_>) -> String {
    let ended = || all_attempts(data).filter_map(|a| Some((a, a.ended_at?)));
    let Some(first) = all_attempts(data).map(|a| a.started_at).min() else { return String::new() };
    let Some(last) = ended().map(|(_, end)| end).max() else { return String::new() };
    let deployed: f64 = ended().map(|(a, end)| (end - a.started_at).as_seconds_f64()).sum();
    let starting: f64 = all_attempts(data).filter_map(|a| a.evidence.ready_s).sum();
    let measuring: f64 = all_attempts(data).flat_map(|a| &a.measurements).map(|m| m.elapsed_s).sum();
    format!(
        "{} in all; {} in experiments, of which {} starting engines and {} measuring",
        span((last - first).as_seconds_f64()),
        span(deployed),
        span(starting),
        span(measuring)
    )
}

fn read_back(data: &ReportData<'_>) -> String {
    let mut counts = [0usize; 3];
    for argument in all_attempts(data).flat_map(|a| &a.evidence.read_back) {
        counts[match argument.verdict {
            ReadBackVerdict::Proven => 0,
            ReadBackVerdict::Different => 1,
            ReadBackVerdict::NotReported => 2,
        }] += 1;
    }
    if counts == [0; 3] {
        return String::new();
    }
    format!(
        "{} arguments proven by the engine's own report, {} different, {} not reported",
        counts[0], counts[1], counts[2]
    )
}
