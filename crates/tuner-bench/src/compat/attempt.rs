//! One request as another tool's client would have seen it.

use tuner_core::Metric;
use tuner_core::record::{Fate, RequestRecord};
use tuner_core::task::{Bound, SloSpec};

use super::Tool;

/// A request that was sent, outside the warm-up.
pub(super) struct Attempt<'a> {
    pub(super) record: &'a RequestRecord,
    /// When these tools start their clocks: before connecting.
    pub(super) start_s: f64,
    /// One time for each token-bearing event.
    pub(super) tokens_s: Vec<f64>,
}

impl<'a> Attempt<'a> {
    /// Every request that was sent, in the order of sending.
    pub(super) fn all(records: &'a [RequestRecord]) -> Vec<Self> {
        let mut all: Vec<Self> = records
            .iter()
            .filter(|record| !record.warmup)
            .filter_map(|record| {
                let start_s = record.sent_s? - record.connect_s.unwrap_or(0.0);
                let events = |r: &tuner_core::record::TokenRead| std::iter::repeat_n(r.at_s, r.events.max(1) as usize);
                Some(Self { record, start_s, tokens_s: record.reads.iter().flat_map(events).collect() })
            })
            .collect();
        all.sort_by(|a, b| a.start_s.total_cmp(&b.start_s));
        all
    }

    /// Whether `tool` calls this request a success. All but ours let an answer without an end pass; those that look
    /// for `event: error` or `choices` only also let an error event pass.
    pub(super) fn succeeds(&self, tool: Tool) -> bool {
        let tokens = !self.tokens_s.is_empty();
        match &self.record.fate {
            Fate::Completed => true,
            Fate::Failed { class, .. } => match class.as_str() {
                "truncated" | "length_mismatch" => tokens,
                "stream_error" => tokens && matches!(tool, Tool::Vllm | Tool::Sglang | Tool::Aiperf),
                // A stream with events but no token: these two ask for nothing more.
                "empty" => self.record.first_event_s.is_some() && matches!(tool, Tool::Vllm | Tool::Sglang),
                _ => false,
            },
            Fate::Cancelled | Fate::Unsent => false,
        }
    }

    /// Whether the end of the run cut it off: no tool counts it as a failure.
    pub(super) fn cut_off(&self) -> bool {
        matches!(self.record.fate, Fate::Cancelled | Fate::Unsent)
    }

    /// What the server or the socket said of a failure.
    pub(super) fn error(&self) -> String {
        match &self.record.fate {
            Fate::Failed { class, message } => format!("{class}: {message}"),
            _ => String::new(),
        }
    }

    /// Status code of an HTTP failure.
    pub(super) fn status(&self) -> Option<u16> {
        match &self.record.fate {
            Fate::Failed { class, .. } => class.strip_prefix("http_")?.parse().ok(),
            _ => None,
        }
    }

    /// The last event of any class, else the last token.
    pub(super) fn end_s(&self) -> f64 {
        self.record.ended_s.or(self.tokens_s.last().copied()).unwrap_or(self.start_s)
    }

    /// First token, seconds after the start.
    pub(super) fn ttft(&self) -> Option<f64> {
        Some(self.tokens_s.first()? - self.start_s)
    }

    /// Last token, seconds after the start.
    pub(super) fn last_token(&self) -> Option<f64> {
        Some(self.tokens_s.last()? - self.start_s)
    }

    /// Prompt tokens by the engine, else as planned.
    pub(super) fn input_tokens(&self) -> u32 {
        self.record.input_tokens.unwrap_or(self.record.planned_input_tokens)
    }
}

/// First start to last end over `attempts`, seconds; 0 without any.
pub(super) fn duration_s<'a>(attempts: impl IntoIterator<Item = &'a Attempt<'a>>) -> f64 {
    let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
    for attempt in attempts {
        first = first.min(attempt.start_s);
        last = last.max(attempt.end_s());
    }
    (last - first).max(0.0)
}

/// Limits on each request, in seconds, as these tools know them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub(super) ttft: Option<f64>,
    pub(super) tpot: Option<f64>,
    pub(super) e2e: Option<f64>,
}

impl Limits {
    /// The strictest limit of each kind.
    pub(super) fn of(slos: &[SloSpec]) -> Self {
        let strictest = |metrics: &[Metric]| {
            let limits =
                slos.iter().filter(|slo| metrics.contains(&slo.metric)).filter_map(|slo| match slo.bound()? {
                    Bound::AtMost(ms) => Some(ms / 1000.0),
                    Bound::AtLeast(_) => None,
                });
            limits.reduce(f64::min)
        };
        Self {
            ttft: strictest(&[Metric::Ttft, Metric::TtftResp]),
            tpot: strictest(&[Metric::Tpot]),
            e2e: strictest(&[Metric::E2eLatency, Metric::E2eResp]),
        }
    }

    pub(super) fn any(&self) -> bool {
        self.ttft.or(self.tpot).or(self.e2e).is_some()
    }
}
