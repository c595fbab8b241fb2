//! Figures about this service, as Prometheus reads them.
//!
//! *Invariant*: routes are named as they are registered, so that no client can make new names.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{counter, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use tuner_app::service::system::{Process, Queue};
use tuner_store::{Counts, JobKind, TaskStatus};

/// Upper bounds of the latencies, seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// How experiments end, and `open` for those that have not.
const OUTCOMES: [&str; 6] = ["open", "success", "infeasible", "pruned", "failed", "cancelled"];

/// Keeps the figures of one door.
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

    /// Everything, with what is true at this moment.
    pub(crate) fn page(&self, counts: &Counts, queue: &Queue, process: &Process, streams: usize) -> String {
        with_local_recorder(&self.0, || {
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
