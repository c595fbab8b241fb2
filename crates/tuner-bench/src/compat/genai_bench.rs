//! genai-bench's experiment folder (0.0.5): one file per level and `experiment_metadata.json`; times in seconds;
//! latency ends with the stream; `error_rate` is always 0, since it divides before it counts.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tuner_core::record::Fate;

use super::attempt::{self, Attempt};
use super::numbers::Sample;
use super::{Level, ResultFile, Run, Tool};

/// Output phases shorter than this have no TPOT, seconds.
const SHORTEST_OUTPUT: f64 = 0.001;

/// Fields of a request, in their order in the files.
const FIELDS: [&str; 12] = [
    "ttft",
    "tpot",
    "e2e_latency",
    "output_latency",
    "output_inference_speed",
    "num_input_tokens",
    "num_output_tokens",
    "num_reasoning_tokens",
    "total_tokens",
    "input_throughput",
    "output_throughput",
    "audio_throughput",
];

/// The fields of a successful request that it has.
fn fields(attempt: &Attempt<'_>) -> BTreeMap<&'static str, f64> {
    let Some(ttft) = attempt.ttft() else { return BTreeMap::new() };
    let e2e = attempt.end_s() - attempt.start_s;
    let input = f64::from(attempt.input_tokens());
    let output_latency = e2e - ttft;
    let mut fields = BTreeMap::from([
        ("ttft", ttft),
        ("e2e_latency", e2e),
        ("output_latency", output_latency),
        ("num_input_tokens", input),
        ("input_throughput", if ttft > 0.0 { input / ttft } else { 0.0 }),
    ]);
    if let Some(output) = attempt.record.output_tokens {
        fields.insert("num_output_tokens", f64::from(output));
        fields.insert("total_tokens", input + f64::from(output));
        if output > 1 {
            let after = f64::from(output - 1);
            let rate = if output_latency > 0.0 { after / output_latency } else { 0.0 };
            fields.insert("output_throughput", rate);
            if output_latency >= SHORTEST_OUTPUT {
                fields.insert("tpot", output_latency / after);
                fields.insert("output_inference_speed", after / output_latency);
            }
        }
    }
    fields
}

/// The code that stands for a failure: the status, 408 for time-outs, 503 for the connection, -1 for an error event.
fn error_code(attempt: &Attempt<'_>) -> i64 {
    let class = match &attempt.record.fate {
        Fate::Failed { class, .. } => class.as_str(),
        _ => "",
    };
    match class {
        "stream_error" => -1,
        "connect" | "cut" => 503,
        timeout if timeout.starts_with("timeout") => 408,
        _ => attempt.status().map_or(500, i64::from),
    }
}

fn stats(sample: &Sample) -> Value {
    let mut out = Map::new();
    let mut set = |key: &str, value: f64| out.insert(key.to_owned(), json!((!sample.is_empty()).then_some(value)));
    set("min", sample.min());
    set("max", sample.max());
    set("mean", sample.mean());
    set("stddev", sample.std());
    set("sum", sample.sum());
    for p in [25, 50, 75, 90, 95, 99] {
        set(&format!("p{p}"), sample.percentile(f64::from(p)));
    }
    out.into()
}

fn level_file(run: &Run<'_>, level: &Level<'_>) -> ResultFile {
    let attempts = Attempt::all(level.records);
    let attempts: Vec<&Attempt<'_>> = attempts.iter().filter(|a| !a.cut_off()).collect();
    let duration = attempt::duration_s(attempts.iter().copied());
    let mut individual = Vec::with_capacity(attempts.len());
    let mut samples: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut errors: BTreeMap<String, u64> = BTreeMap::new();
    let mut completed = 0u64;
    for attempt in &attempts {
        let mut row: Map<String, Value> = FIELDS.iter().map(|field| ((*field).to_owned(), Value::Null)).collect();
        let (mut code, mut message) = (Value::Null, Value::Null);
        if attempt.succeeds(Tool::GenaiBench) {
            completed += 1;
            for (field, value) in fields(attempt) {
                row.insert(field.to_owned(), json!(value));
                samples.entry(field).or_default().push(value);
            }
        } else {
            *errors.entry(error_code(attempt).to_string()).or_insert(0) += 1;
            (code, message) = (json!(error_code(attempt)), json!(attempt.error()));
        }
        row.insert("error_code".to_owned(), code);
        row.insert("error_message".to_owned(), message);
        individual.push(Value::Object(row));
    }
    let samples: BTreeMap<&str, Sample> = samples.into_iter().map(|(k, v)| (k, Sample::new(v))).collect();
    let none = Sample::new(Vec::new());
    let sample = |field: &str| samples.get(field).unwrap_or(&none);
    let per_second = |total: f64| if duration > 0.0 { total / duration } else { 0.0 };
    let failed: u64 = errors.values().sum();
    let concurrency = level.arrival.concurrency.unwrap_or(1);
    let all: Map<String, Value> = FIELDS.iter().map(|f| ((*f).to_owned(), stats(sample(f)))).collect();
    let scenario = run.scenario.unwrap_or("dataset");
    let document = json!({
        "aggregated_metrics": {
            "scenario": scenario,
            "num_concurrency": concurrency,
            "batch_size": 1,
            "iteration_type": "num_concurrency",
            "run_duration": duration,
            "mean_output_throughput_tokens_per_s": per_second(sample("num_output_tokens").sum()),
            "mean_input_throughput_tokens_per_s": per_second(sample("num_input_tokens").sum()),
            "mean_total_tokens_throughput_tokens_per_s": per_second(sample("total_tokens").sum()),
            "requests_per_second": per_second(completed as f64),
            "error_codes_frequency": errors,
            "error_rate": 0.0,
            "num_error_requests": failed,
            "num_completed_requests": completed,
            "num_requests": completed + failed,
            "stats": all,
        },
        "individual_request_metrics": individual,
        "_time_unit": "s",
    });
    let plain: String = scenario.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let name = format!("{plain}_text-to-text_num_concurrency_{concurrency}_time_{}s.json", duration as u64);
    ResultFile { path: name, document }
}

pub(super) fn experiment(run: &Run<'_>) -> Vec<ResultFile> {
    let concurrency: Vec<u32> = run.levels.iter().map(|l| l.arrival.concurrency.unwrap_or(1)).collect();
    let most = run.levels.iter().map(|l| l.records.len()).max().unwrap_or(0);
    let longest = run.levels.iter().map(|l| attempt::duration_s(&Attempt::all(l.records))).fold(0.0, f64::max);
    let metadata = json!({
        "cmd": super::generator(),
        "benchmark_version": super::generator(),
        "api_backend": "openai",
        "auth_config": {},
        "api_model_name": run.model,
        "server_model_tokenizer": run.tokenizer,
        "model": run.model,
        "task": "text-to-text",
        "num_concurrency": concurrency,
        "batch_size": null,
        "iteration_type": "num_concurrency",
        "traffic_scenario": [run.scenario.unwrap_or("dataset")],
        "additional_request_params": {},
        "server_engine": null,
        "server_version": null,
        "server_gpu_type": null,
        "server_gpu_count": null,
        "max_time_per_run_s": longest.ceil() as u64,
        "max_requests_per_run": most,
        "experiment_folder_name": ".",
        "metrics_time_unit": "s",
        "dataset_path": null,
    });
    let metadata = ResultFile { path: "experiment_metadata.json".to_owned(), document: metadata };
    std::iter::once(metadata).chain(run.levels.iter().map(|level| level_file(run, level))).collect()
}
