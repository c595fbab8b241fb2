//! From request records to a measurement: a pure function, the same for real and simulated levels.
//!
//! *Invariant*: a figure that the records do not determine is absent, never zero; every percentile is exact; each
//! measured request is counted under exactly one fate.

mod request;
mod timeline;
mod turns;
mod window;

use std::collections::BTreeMap;

use tuner_core::measure::{ClassReport, MeanInterval, RequestCounts};
use tuner_core::record::{Fate, RequestRecord};
use tuner_core::task::SloSpec;
use tuner_core::{Figure, Measurement, Metric, Percentile, Stat, Stopped, Validity};

pub use window::Window;

use crate::stats::{Summaries, batch};
use crate::steady;
pub(crate) use request::Observed;
pub(crate) use timeline::Timeline;

/// What a measurement is made of.
#[derive(Clone, Copy, Debug)]
pub struct ReportInput<'a> {
    /// Position of the level in the task's list, from 0.
    pub level: u32,
    /// Repeat of this level within the attempt, from 0.
    pub repeat: u32,
    /// SLOs count from the planned arrival.
    pub open_loop: bool,
    /// Streams of a closed loop; `None` in an open loop.
    pub streams: Option<u32>,
    /// Every request of the level, warm-up included.
    pub records: &'a [RequestRecord],
    /// The measured window ([`Window::of`]).
    pub window: Window,
    /// Time the level took, warm-up and drain included, seconds.
    pub elapsed_s: f64,
    /// What ended the level before its plan did.
    pub stopped: Option<&'a Stopped>,
    /// What goodput and attainment are measured against.
    pub slos: &'a [SloSpec],
    /// Percentiles wanted besides the standard ones; those of the SLOs are added by themselves.
    pub percentiles: &'a [Percentile],
    /// SLOs of request classes. On the same metric they take the place of `slos`.
    pub class_slos: &'a ClassSlos,
}

/// SLOs by request class.
pub type ClassSlos = BTreeMap<String, Vec<SloSpec>>;

/// What each request of a class must meet: its own SLOs, and those of everybody on other metrics.
pub(crate) fn slos_of<'a>(general: &'a [SloSpec], of_classes: &'a ClassSlos, class: Option<&str>) -> Vec<&'a SloSpec> {
    let own = class.and_then(|class| of_classes.get(class)).map_or(&[][..], Vec::as_slice);
    let general = general.iter().filter(|slo| own.iter().all(|o| o.metric != slo.metric));
    own.iter().chain(general).filter(|slo| is_per_request(slo.metric)).collect()
}

/// Times that are distributions over requests.
const REQUEST_TIMES: [Metric; 6] =
    [Metric::Ttft, Metric::TtftResp, Metric::Ttfat, Metric::Tpot, Metric::E2eLatency, Metric::E2eResp];

/// Metrics that one request has a value of, so that it can meet or miss an SLO on them.
fn is_per_request(metric: Metric) -> bool {
    REQUEST_TIMES.contains(&metric) || matches!(metric, Metric::Icl | Metric::Itl)
}

/// The level in figures. Its validity is judged by what the records alone can tell; a measured level adds the
/// client's evidence ([`crate::LevelRun::measurement`]).
pub fn measurement(input: &ReportInput<'_>) -> Measurement {
    let everyone: Vec<Observed<'_>> = input.records.iter().map(|record| Observed { record }).collect();
    let figures = Figures::of(input, &everyone);
    let Figures { metrics, evidence, mut notes, reasons, requests, errors, .. } = figures;
    let steady = steady::judge(&everyone, input.window, input.open_loop);
    notes.extend(steady.as_ref().and_then(steady::note));
    notes.extend(input.stopped.map(|stopped| format!("stopped after {:.1} s: {}", stopped.after_s, stopped.reason)));
    Measurement {
        level: input.level,
        repeat: input.repeat,
        window_s: input.window.length_s(),
        elapsed_s: input.elapsed_s,
        requests,
        errors,
        intervals: intervals(&everyone, input.window, &metrics),
        stopped: input.stopped.cloned(),
        steady,
        classes: classes(input, &everyone),
        turns: turns::turns(input, &everyone),
        metrics,
        validity: if reasons.is_empty() { Validity::Valid } else { Validity::Invalid { reasons } },
        evidence,
        notes,
        ..Measurement::default()
    }
}

/// Each request class by itself; nothing where no request has a class.
fn classes(input: &ReportInput<'_>, everyone: &[Observed<'_>]) -> BTreeMap<String, ClassReport> {
    let mut members: BTreeMap<&str, Vec<Observed<'_>>> = BTreeMap::new();
    for observed in everyone {
        if let Some(class) = &observed.record.class {
            members.entry(class).or_default().push(*observed);
        }
    }
    // The number of streams is the level's, not the class's.
    let input = ReportInput { streams: None, ..*input };
    members
        .into_iter()
        .map(|(class, members)| {
            let Figures { requests, errors, metrics, .. } = Figures::of(&input, &members);
            (class.to_owned(), ClassReport { requests, errors, metrics })
        })
        .collect()
}

/// Confidence intervals of the means, where the window is long enough.
fn intervals(
    everyone: &[Observed<'_>],
    window: Window,
    metrics: &BTreeMap<Metric, Figure>,
) -> BTreeMap<Metric, MeanInterval> {
    let mean = |metric: Metric| metrics.get(&metric)?.stat(Stat::Mean);
    let service_s = mean(Metric::E2eLatency).unwrap_or(0.0) / 1000.0;
    let Some(parts) = batch::batches(window.length_s(), service_s) else { return BTreeMap::new() };
    let timeline = Timeline::of(everyone.iter().copied(), window, parts);
    let rate = |counts: &[f64]| counts.iter().map(|n| n / timeline.part_s).collect::<Vec<f64>>();
    let total: Vec<f64> = timeline.output.iter().zip(&timeline.input).map(|(o, i)| o + i).collect();
    let mut intervals = BTreeMap::new();
    for (metric, means) in [
        (Metric::OutputThroughput, rate(&timeline.output)),
        (Metric::InputThroughput, rate(&timeline.input)),
        (Metric::TotalThroughput, rate(&total)),
        (Metric::RequestThroughput, rate(&timeline.finished)),
        (Metric::Concurrency, timeline.in_flight),
    ] {
        if let Some(interval) = mean(metric).and_then(|mean| batch::interval(&means, mean, batch::CONFIDENCE)) {
            intervals.insert(metric, interval);
        }
    }
    let mut measured: Vec<&Observed<'_>> = everyone.iter().filter(|o| !o.record.warmup && o.completed()).collect();
    measured.sort_by(|a, b| a.record.sent_s.unwrap_or(0.0).total_cmp(&b.record.sent_s.unwrap_or(0.0)));
    for metric in REQUEST_TIMES {
        let values: Vec<f64> = measured.iter().filter_map(|o| o.time(metric)).collect();
        if let Some(interval) = batch::of_values(&values, parts, batch::CONFIDENCE) {
            intervals.insert(metric, interval);
        }
    }
    intervals
}

/// Share of the prompt tokens that came from a cache, where the engine says.
fn cached_share(measured: &[Observed<'_>]) -> Option<f64> {
    let completed = || measured.iter().filter(|o| o.completed());
    let cached: u64 = completed().filter_map(|o| o.record.cached_tokens).map(u64::from).sum();
    let prompt: u64 = completed().filter_map(|o| o.record.input_tokens).map(u64::from).sum();
    (prompt > 0 && completed().any(|o| o.record.cached_tokens.is_some())).then(|| cached as f64 / prompt as f64)
}

fn percentiles(input: &ReportInput<'_>) -> impl Iterator<Item = Percentile> {
    let named = input.slos.iter().chain(input.class_slos.values().flatten()).filter_map(|slo| match slo.stat() {
        Stat::Percentile(p) => Some(p),
        _ => None,
    });
    input.percentiles.iter().copied().chain(named)
}

fn count(measured: &[Observed<'_>]) -> RequestCounts {
    let mut counts = RequestCounts { planned: measured.len() as u64, ..RequestCounts::default() };
    for observed in measured {
        let slot = match observed.record.fate {
            Fate::Completed => &mut counts.completed,
            Fate::Failed { .. } => &mut counts.failed,
            Fate::Cancelled => &mut counts.cancelled,
            Fate::Unsent => &mut counts.unsent,
        };
        *slot += 1;
    }
    counts
}

/// What some of the requests say: all of a level, or one class.
struct Figures<'a> {
    input: &'a ReportInput<'a>,
    summaries: Summaries,
    requests: RequestCounts,
    errors: BTreeMap<String, u64>,
    metrics: BTreeMap<Metric, Figure>,
    evidence: BTreeMap<String, f64>,
    notes: Vec<String>,
    reasons: Vec<String>,
}

impl<'a> Figures<'a> {
    /// `everyone`: warm-up included.
    fn of(input: &'a ReportInput<'a>, everyone: &[Observed<'_>]) -> Self {
        let measured: Vec<Observed<'_>> = everyone.iter().filter(|o| !o.record.warmup).copied().collect();
        let requests = count(&measured);
        let mut figures = Self {
            input,
            summaries: Summaries::new(percentiles(input)),
            requests,
            errors: BTreeMap::new(),
            metrics: BTreeMap::new(),
            evidence: BTreeMap::new(),
            notes: Vec::new(),
            reasons: Vec::new(),
        };
        figures.times(&measured);
        figures.lengths(&measured);
        figures.rates(everyone, &measured, &requests);
        figures.service(&measured, &requests);
        figures.judge(&measured, &requests);
        for observed in &measured {
            if let Fate::Failed { class, .. } = &observed.record.fate {
                *figures.errors.entry(class.clone()).or_insert(0) += 1;
            }
        }
        figures
    }

    fn scalar(&mut self, metric: Metric, value: f64) {
        self.metrics.insert(metric, Figure::Scalar(value));
    }

    fn distribution(&mut self, metric: Metric, sample: Vec<f64>, bounds: bool) {
        if let Some(summary) = self.summaries.of(sample, bounds) {
            self.metrics.insert(metric, Figure::Distribution(summary));
        }
    }

    fn times(&mut self, measured: &[Observed<'_>]) {
        let completed = || measured.iter().filter(|o| o.completed());
        for metric in REQUEST_TIMES {
            self.distribution(metric, completed().filter_map(|o| o.time(metric)).collect(), true);
        }
        self.distribution(Metric::Icl, completed().flat_map(Observed::chunk_gaps).collect(), false);
        let reads: usize = completed().map(|o| o.record.reads.len()).sum();
        if completed().all(Observed::counts_every_read) {
            let one_each = completed().flat_map(|o| &o.record.reads).all(|r| r.tokens == Some(1));
            match self.metrics.get(&Metric::Icl).filter(|_| one_each).cloned() {
                // With one token in every read, gaps between reads are gaps between tokens.
                Some(same) => {
                    self.metrics.insert(Metric::Itl, same);
                }
                None => {
                    let gaps = completed().filter_map(Observed::token_gaps).flatten().collect();
                    self.distribution(Metric::Itl, gaps, false);
                }
            }
        }
        let events: u32 = completed().flat_map(|o| &o.record.reads).map(|r| r.events).sum();
        if events > 0 {
            self.evidence.insert("coalesced_share".to_owned(), 1.0 - (reads as f64 / f64::from(events)).min(1.0));
        }
        let single = completed().filter(|o| o.time(Metric::Tpot).is_none()).count();
        if single > 0 && completed().count() > single {
            self.notes.push(format!("{single} answers have no time per output token: they came in one read"));
        }
    }

    fn lengths(&mut self, measured: &[Observed<'_>]) {
        let completed = || measured.iter().filter(|o| o.completed());
        let outputs = completed().filter_map(|o| o.output_tokens()).map(f64::from).collect();
        self.distribution(Metric::OutputTokens, outputs, false);
        let inputs = completed().filter_map(|o| o.record.input_tokens).map(f64::from).collect();
        self.distribution(Metric::InputTokens, inputs, false);
        let unknown = completed().filter(|o| o.output_tokens().is_none()).count();
        if unknown > 0 {
            self.notes.push(format!(
                "{unknown} answers could not be counted: the engine reports no usage and no tokenizer is known"
            ));
        }
        if let Some(share) = cached_share(measured) {
            self.evidence.insert("cached_prompt_share".to_owned(), share);
        }
    }

    fn rates(&mut self, everyone: &[Observed<'_>], measured: &[Observed<'_>], requests: &RequestCounts) {
        let window = self.input.window;
        let length = window.length_s();
        if length <= 0.0 {
            return;
        }
        // The server worked for every token that came in the window, whoever's request it was.
        let (mut output, mut input, mut finished, mut guessed) = (0.0, 0.0, 0u64, 0u64);
        for observed in everyone {
            let (tokens, by_events) = observed.tokens_within(window);
            guessed += u64::from(by_events);
            output += tokens;
            let record = observed.record;
            if record.first_token_s().is_some_and(|at| window.contains(at)) {
                input += f64::from(record.input_tokens.unwrap_or(record.planned_input_tokens));
            }
            if observed.completed() && record.last_token_s().is_some_and(|at| window.contains(at)) {
                finished += 1;
            }
        }
        if guessed > 0 {
            self.notes.push(format!("{guessed} unfinished answers count one token per event in the throughput"));
        }
        self.scalar(Metric::OutputThroughput, output / length);
        self.scalar(Metric::InputThroughput, input / length);
        self.scalar(Metric::TotalThroughput, (input + output) / length);
        self.scalar(Metric::RequestThroughput, finished as f64 / length);
        self.scalar(Metric::Concurrency, window.mean_in_flight(everyone.iter().map(|o| o.record)));
        if everyone.iter().any(|o| o.record.think_s.is_some()) {
            let thinking = window.mean_thinking(everyone.iter().map(|o| o.record));
            self.evidence.insert("thinking_mean".to_owned(), thinking);
        }
        let ended = requests.completed + requests.failed;
        if ended > 0 {
            self.scalar(Metric::ErrorRate, requests.failed as f64 / ended as f64);
        }
        let whole: u32 = measured.iter().filter(|o| o.completed()).filter_map(|o| o.output_tokens()).sum();
        self.evidence.insert("completed_output_tok_s".to_owned(), f64::from(whole) / length);
    }

    fn service(&mut self, measured: &[Observed<'_>], requests: &RequestCounts) {
        let mut by_class: BTreeMap<Option<&str>, Vec<&SloSpec>> = BTreeMap::new();
        for observed in measured {
            by_class
                .entry(observed.record.class.as_deref())
                .or_insert_with_key(|class| slos_of(self.input.slos, self.input.class_slos, *class));
        }
        let mut undetermined = 0u64;
        let good = measured
            .iter()
            .filter(|o| {
                o.completed()
                    && by_class[&o.record.class.as_deref()].iter().all(|slo| {
                        o.meets(slo, self.input.open_loop).unwrap_or_else(|| {
                            undetermined += 1;
                            true
                        })
                    })
            })
            .count() as f64;
        if undetermined > 0 {
            self.notes.push(format!("{undetermined} times an SLO did not apply to a request (no such value)"));
        }
        // A request that the end of the run cut off says nothing about the engine; one that could not be asked because an
        // earlier turn failed is a miss.
        let lost = measured.iter().filter(|o| o.record.unsent_because.is_some()).count() as u64;
        let planned = requests.planned - requests.cancelled - requests.unsent + lost;
        if planned > 0 {
            self.scalar(Metric::Attainment, good / planned as f64);
        }
        let length = self.input.window.length_s();
        if length > 0.0 {
            self.scalar(Metric::Goodput, good / length);
        }
    }

    fn judge(&mut self, measured: &[Observed<'_>], requests: &RequestCounts) {
        if requests.completed == 0 {
            self.reasons.push(format!("none of {} requests was completed", requests.planned));
            return;
        }
        if self.input.window.length_s() <= 0.0 {
            self.reasons.push("the measured window is empty".to_owned());
        }
        if let (Some(streams), Some(Figure::Scalar(mean))) =
            (self.input.streams, self.metrics.get(&Metric::Concurrency))
        {
            let needed = f64::from(streams) * crate::validity::MIN_CONCURRENCY_SHARE;
            let thinking = self.evidence.get("thinking_mean").copied();
            if mean + thinking.unwrap_or(0.0) < needed {
                let n = measured.len();
                self.reasons.push(match thinking {
                    None => format!(
                        "{mean:.2} requests were in flight on average, {streams} were asked for ({n} measured requests)"
                    ),
                    Some(thinking) => format!(
                        "{mean:.2} requests were in flight and {thinking:.2} users were thinking on average, {streams} \
                         users were asked for ({n} measured requests)"
                    ),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
