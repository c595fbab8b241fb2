//! Figures about this service, as Prometheus reads them.
//!
//! *Invariant*: routes are named as they are registered, so that no client can make new names.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{counter, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use tuner_app::service::system::{Gpus, Process, Queue};
use tuner_store::{Counts, Event, JobChange, JobKind, TaskStatus};

/// Upper bounds of the latencies, seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// How experiments end, and `open` for those that have not.
const OUTCOMES: [&str; 6] = ["open", "success", "infeasible", "pruned", "failed", "cancelled"];

/// What is true at the moment of a look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now<'a> {
    /// What is in the store.
    pub(crate) counts: &'a Counts,
    /// What waits, and for whom.
    pub(crate) queue: &'a Queue,
    /// This process.
    pub(crate) process: &'a Process,
    /// GPUs of this machine.
    pub(crate) gpus: &'a Gpus,
    /// Clients that follow events.
    pub(crate) streams: usize,
}

/// Keeps the figures of one door.
#[derive(Debug)]
pub(crate) struct Meter(PrometheusRecorder);

impl Meter {
    pub(crate) fn get() -> Self {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS).unwrap_or_default();
        let meter = Self(builder.build_recorder());
        with_local_recorder(&meter.0, describe);
        meter
    }

    /// Counts an answer.
    pub(crate) fn request(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let (method, route) = (known(method), route.to_owned());
        with_local_recorder(&self.0, || {
            let status = status.as_u16().to_string();
            counter!("autotuner_http_requests_total", "method" => method, "route" => route.clone(), "status" => status)
                .increment(1);
            histogram!("autotuner_http_request_duration_seconds", "method" => method, "route" => route)
                .record(took.as_secs_f64());
        });
    }

    /// Counts what happened while this server looked.
    pub(crate) fn event(&self, event: &Event) {
        let from_a_dead_worker = match event {
            Event::LeaseClaimed { from, .. } => from.is_some().then_some("lease"),
            Event::LeaseBroken { .. } => Some("lease"),
            Event::Job { change: JobChange::Claimed { from: Some(_), .. }, .. } => Some("job"),
            _ => None,
        };
        with_local_recorder(&self.0, || {
            counter!("autotuner_events_total", "kind" => event.kind()).increment(1);
            if let Some(what) = from_a_dead_worker {
                counter!("autotuner_takeovers_total", "of" => what).increment(1);
            }
        });
    }

    /// Everything, with what is true at this moment.
    pub(crate) fn page(&self, now: &Now<'_>) -> String {
        let Now { counts, queue, process, gpus, streams } = *now;
        with_local_recorder(&self.0, || {
            gauge!("autotuner_gpus_held").set(counts.held_gpus as f64);
            for gpu in gpus.list() {
                let labels = [("gpu", gpu.index.to_string()), ("model", gpu.name.clone())];
                gauge!("autotuner_gpu_memory_used_bytes", &labels).set((gpu.memory_used_mib << 20) as f64);
                gauge!("autotuner_gpu_memory_total_bytes", &labels).set((gpu.memory_total_mib << 20) as f64);
                if let Some(percent) = gpu.utilization_percent {
                    gauge!("autotuner_gpu_utilization_ratio", &labels).set(f64::from(percent) / 100.0);
                }
            }
            for status in TaskStatus::ALL {
                let n = counts.tasks.get(status.word()).copied().unwrap_or_default();
                gauge!("autotuner_tasks", "status" => status.word()).set(n as f64);
            }
            for outcome in OUTCOMES {
                let n = counts.experiments.get(outcome).copied().unwrap_or_default();
                gauge!("autotuner_experiments", "outcome" => outcome).set(n as f64);
            }
            for kind in JobKind::ALL {
                let depth = queue.depth.get(kind).copied().unwrap_or_default();
                let oldest = depth.oldest.map_or(0.0, |since| (queue.at - since).as_seconds_f64().max(0.0));
                for (state, n) in [("queued", depth.queued), ("running", depth.running)] {
                    gauge!("autotuner_jobs", "kind" => kind.word(), "state" => state).set(n as f64);
                }
                gauge!("autotuner_job_oldest_wait_seconds", "kind" => kind.word()).set(oldest);
            }
            for (state, n) in [("alive", queue.alive), ("silent", queue.silent)] {
                gauge!("autotuner_workers", "state" => state).set(n as f64);
            }
            gauge!("autotuner_busy_slots").set(f64::from(queue.busy_slots));
            gauge!("autotuner_event_streams").set(streams as f64);
            if let Some(bytes) = process.memory_bytes {
                gauge!("process_resident_memory_bytes").set(bytes as f64);
            }
            if let Some(seconds) = process.cpu_s {
                gauge!("process_cpu_seconds_total").set(seconds);
            }
            if let Some(files) = process.open_files {
                gauge!("process_open_fds").set(files as f64);
            }
        });
        self.0.handle().render()
    }
}

fn describe() {
    metrics::describe_counter!("autotuner_http_requests_total", "Requests that were answered.");
    metrics::describe_histogram!("autotuner_http_request_duration_seconds", "Seconds until the head of an answer.");
    metrics::describe_gauge!("autotuner_tasks", "Tasks in the store.");
    metrics::describe_gauge!("autotuner_experiments", "Experiments in the store.");
    metrics::describe_gauge!("autotuner_jobs", "Jobs that wait or run.");
    metrics::describe_gauge!(
        "autotuner_job_oldest_wait_seconds",
        "How long the first job in turn waits; 0 if none does."
    );
    metrics::describe_gauge!("autotuner_workers", "Workers that were heard of in the last 30 s, and that were not.");
    metrics::describe_gauge!("autotuner_busy_slots", "Jobs under way on workers that live.");
    metrics::describe_counter!("autotuner_events_total", "What happened since this server started, by kind.");
    metrics::describe_counter!(
        "autotuner_takeovers_total",
        "Leases and jobs that were taken from a worker which died or was out of reach."
    );
    metrics::describe_gauge!("autotuner_gpus_held", "GPUs that engines of ours hold, on every machine.");
    metrics::describe_gauge!("autotuner_gpu_memory_used_bytes", "GPU memory in use by anyone, on this machine.");
    metrics::describe_gauge!("autotuner_gpu_memory_total_bytes", "GPU memory of this machine.");
    metrics::describe_gauge!("autotuner_gpu_utilization_ratio", "Share of time that a GPU of this machine was busy.");
    metrics::describe_gauge!("autotuner_event_streams", "Clients that follow events.");
    metrics::describe_gauge!("process_resident_memory_bytes", "Memory that this process really uses.");
    metrics::describe_gauge!("process_cpu_seconds_total", "Processor time of this process.");
    metrics::describe_gauge!("process_open_fds", "Files and sockets that this process holds.");
}

/// Methods that there are; a client can invent others.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    /// Names of figures in a text.
    fn names(text: &str) -> BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        words.filter(|word| word.starts_with("autotuner_") || word.starts_with("process_")).map(str::to_owned).collect()
    }

    fn page() -> String {
        let meter = Meter::get();
        meter.request(&Method::GET, "/api/tasks", StatusCode::OK, Duration::from_millis(3));
        let claimed = json!({"kind": "lease_claimed", "resource": "task:1", "fence": 2,
            "owner": {"host": "a", "pid": 1, "start_ticks": 0}, "from": {"host": "b", "pid": 2, "start_ticks": 0}});
        meter.event(&serde_json::from_value(claimed).unwrap());
        let gpu = json!({"index": 0, "uuid": "GPU-1", "name": "H100", "memory_total_mib": 80, "memory_used_mib": 8,
            "utilization_percent": 50, "driver": "1", "compute_capability": null});
        let gpus: Gpus = serde_json::from_value(json!({"kind": "found", "gpus": [gpu]})).unwrap();
        let queue = Queue { depth: Default::default(), at: chrono::Utc::now(), alive: 1, silent: 0, busy_slots: 1 };
        let process = Process { memory_bytes: Some(1), cpu_s: Some(1.0), threads: Some(1), open_files: Some(1) };
        let counts = Counts { held_gpus: 3, ..Counts::default() };
        meter.page(&Now { counts: &counts, queue: &queue, process: &process, gpus: &gpus, streams: 0 })
    }

    #[test]
    fn the_dashboard_shows_figures_that_there_are() {
        let page = page();
        let known = names(&page);
        let dashboard = include_str!("../../../examples/grafana/autotuner.json");
        let dashboard: serde_json::Value = serde_json::from_str(dashboard).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        let asked = panels.iter().flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
        let asked: BTreeSet<String> = asked.flat_map(|target| names(target["expr"].as_str().unwrap())).collect();
        assert!(asked.len() > 15, "{asked:?}");
        let unknown: Vec<_> = asked.difference(&known).collect();
        assert!(unknown.is_empty(), "{unknown:?} is not in\n{page}");
    }

    #[test]
    fn takeovers_and_gpus_are_counted() {
        let page = page();
        for line in [
            r#"autotuner_takeovers_total{of="lease"} 1"#,
            r#"autotuner_events_total{kind="lease_claimed"} 1"#,
            r#"autotuner_gpu_utilization_ratio{gpu="0",model="H100"} 0.5"#,
            "autotuner_gpus_held 3",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
    }
}
