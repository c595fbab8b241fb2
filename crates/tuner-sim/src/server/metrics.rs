//! Counters and histograms in the Prometheus text format, under vLLM's names.

use std::fmt::Write;

use crate::scheduler::Gauges;

const TTFT: &[f64] = &[
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
    160.0, 640.0, 2560.0,
];
const TPOT: &[f64] =
    &[0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0];
const E2E: &[f64] = &[
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0,
    1920.0, 7680.0,
];

/// A cumulative histogram.
#[derive(Clone, Debug)]
struct Histogram {
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
    count: u64,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len()], sum: 0.0, count: 0 }
    }

    fn observe(&mut self, value: f64) {
        for (bound, count) in self.bounds.iter().zip(&mut self.counts) {
            *count += u64::from(value <= *bound);
        }
        self.sum += value;
        self.count += 1;
    }
}

/// What the engine has done since it started. Times are simulated seconds.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    prompt_tokens: u64,
    generation_tokens: u64,
    stopped: u64,
    full_length: u64,
    aborted: u64,
    ttft: Histogram,
    tpot: Histogram,
    e2e: Histogram,
}

impl Metrics {
    pub(super) fn new() -> Self {
        Self {
            prompt_tokens: 0,
            generation_tokens: 0,
            stopped: 0,
            full_length: 0,
            aborted: 0,
            ttft: Histogram::new(TTFT),
            tpot: Histogram::new(TPOT),
            e2e: Histogram::new(E2E),
        }
    }

    /// The first token of a request with this prompt.
    pub(super) fn first_token(&mut self, prompt_tokens: u32, seconds: f64) {
        self.prompt_tokens += u64::from(prompt_tokens);
        self.ttft.observe(seconds);
    }

    pub(super) fn tokens(&mut self, tokens: u32) {
        self.generation_tokens += u64::from(tokens);
    }

    /// Seconds per token after the first of one emission.
    pub(super) fn next_tokens(&mut self, tokens: u32, seconds: f64) {
        for _ in 0..tokens {
            self.tpot.observe(seconds / f64::from(tokens));
        }
    }

    pub(super) fn finished(&mut self, full_length: bool, seconds: f64) {
        *(if full_length { &mut self.full_length } else { &mut self.stopped }) += 1;
        self.e2e.observe(seconds);
    }

    pub(super) fn aborted(&mut self) {
        self.aborted += 1;
    }

    /// The page.
    pub(super) fn render(&self, gauges: &Gauges, model: &str) -> String {
        let mut page = Page { out: String::new(), labels: format!("engine=\"0\",model_name=\"{}\"", escape(model)) };
        let share = f64::from(gauges.blocks_used) / f64::from(gauges.blocks.max(1));
        page.single("gauge", "num_requests_running", "Requests in the running batch.", f64::from(gauges.running));
        page.single("gauge", "num_requests_waiting", "Requests waiting.", f64::from(gauges.waiting));
        page.single("gauge", "kv_cache_usage_perc", "Share of cache blocks in use, 0 to 1.", share);
        page.single("gauge", "gpu_cache_usage_perc", "Share of cache blocks in use, 0 to 1.", share);
        page.single("counter", "num_preemptions_total", "Preemptions.", gauges.preemptions as f64);
        page.single("counter", "prefix_cache_queries_total", "Prompt tokens looked up.", gauges.prefix_queries as f64);
        page.single("counter", "prefix_cache_hits_total", "Prompt tokens found.", gauges.prefix_hits as f64);
        page.single("counter", "prompt_tokens_total", "Prompt tokens.", self.prompt_tokens as f64);
        page.single("counter", "generation_tokens_total", "Tokens generated.", self.generation_tokens as f64);
        page.head("counter", "request_success_total", "Requests finished, by reason.");
        for (reason, n) in [("stop", self.stopped), ("length", self.full_length), ("abort", self.aborted)] {
            page.line("request_success_total", &format!(",finished_reason=\"{reason}\""), n as f64);
        }
        page.histogram("time_to_first_token_seconds", "Arrival to first token.", &self.ttft);
        page.histogram("time_per_output_token_seconds", "Time per token after the first.", &self.tpot);
        page.histogram("inter_token_latency_seconds", "Time per token after the first.", &self.tpot);
        page.histogram("e2e_request_latency_seconds", "Arrival to last token.", &self.e2e);
        page.out
    }
}

struct Page {
    out: String,
    labels: String,
}

impl Page {
    fn head(&mut self, kind: &str, name: &str, help: &str) {
        let _ = writeln!(self.out, "# HELP vllm:{name} {help}\n# TYPE vllm:{name} {kind}");
    }

    fn line(&mut self, name: &str, more: &str, value: f64) {
        let _ = writeln!(self.out, "vllm:{name}{{{}{more}}} {value}", self.labels);
    }

    fn single(&mut self, kind: &str, name: &str, help: &str, value: f64) {
        self.head(kind, name, help);
        self.line(name, "", value);
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.head("histogram", name, help);
        let bucket = format!("{name}_bucket");
        for (bound, count) in histogram.bounds.iter().zip(&histogram.counts) {
            self.line(&bucket, &format!(",le=\"{bound:?}\""), *count as f64);
        }
        self.line(&bucket, ",le=\"+Inf\"", histogram.count as f64);
        self.line(&format!("{name}_sum"), "", histogram.sum);
        self.line(&format!("{name}_count"), "", histogram.count as f64);
    }
}

/// A label value: backslash, quote and newline escaped.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
