//! What one request's record says, in milliseconds. Definitions: `docs/measuring.md`.

use tuner_core::Metric;
use tuner_core::measure::Stat;
use tuner_core::record::{Fate, RequestRecord};
use tuner_core::task::{Bound, SloSpec};

use super::Window;
use crate::stats::Summaries;

const MS: f64 = 1000.0;

/// A record with the figures that can be read from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observed<'a> {
    pub(crate) record: &'a RequestRecord,
}

impl Observed<'_> {
    fn since_sent(&self, at: Option<f64>) -> Option<f64> {
        Some((at? - self.record.sent_s?) * MS)
    }

    fn since_planned(&self, at: Option<f64>) -> Option<f64> {
        Some((at? - self.record.planned_s) * MS)
    }

    /// Output tokens: as recorded, else as the reads tell where every read tells.
    pub(crate) fn output_tokens(&self) -> Option<u32> {
        self.record.output_tokens.or_else(|| {
            let counts: Option<Vec<u32>> = self.record.reads.iter().map(|r| r.tokens).collect();
            counts.filter(|c| !c.is_empty()).map(|c| c.iter().sum())
        })
    }

    /// The value of a per-request time; `None` where the record does not determine it.
    pub(crate) fn time(&self, metric: Metric) -> Option<f64> {
        let record = self.record;
        match metric {
            Metric::Ttft => self.since_sent(record.first_token_s()),
            Metric::TtftResp => self.since_planned(record.first_token_s()),
            Metric::Ttfat => self.since_sent(record.first_answer_s),
            Metric::Tpot => self.tpot(),
            Metric::E2eLatency => self.since_sent(record.last_token_s()),
            Metric::E2eResp => self.since_planned(record.last_token_s()),
            _ => None,
        }
    }

    /// Time after the first token read, spread over the tokens after it; absent for answers within one read.
    fn tpot(&self) -> Option<f64> {
        let first = self.record.reads.first()?;
        let last = self.record.reads.last()?;
        let total = self.output_tokens()?;
        // A read whose tokens are not counted holds at least one token per event.
        let in_first = first.tokens.unwrap_or(first.events.max(1));
        let after = total.checked_sub(in_first).filter(|n| *n > 0)?;
        (self.record.reads.len() > 1).then(|| (last.at_s - first.at_s) * MS / f64::from(after))
    }

    /// Gaps between successive token-bearing reads.
    pub(crate) fn chunk_gaps(&self) -> impl Iterator<Item = f64> {
        self.record.reads.windows(2).map(|w| (w[1].at_s - w[0].at_s) * MS)
    }

    /// Whether every read's tokens are known, so that there are gaps between tokens.
    pub(crate) fn counts_every_read(&self) -> bool {
        !self.record.reads.is_empty() && self.record.reads.iter().all(|r| r.tokens.is_some())
    }

    /// Each gap spread over the tokens that ended it; `None` unless every read's tokens are known.
    pub(crate) fn token_gaps(&self) -> Option<Vec<f64>> {
        let reads = &self.record.reads;
        if !self.counts_every_read() {
            return None;
        }
        let mut gaps = Vec::with_capacity(reads.len());
        let mut since = reads.first()?.at_s;
        for read in &reads[1..] {
            let tokens = read.tokens.unwrap_or(0);
            if tokens > 0 {
                let each = (read.at_s - since) * MS / f64::from(tokens);
                gaps.extend(std::iter::repeat_n(each, tokens as usize));
                since = read.at_s;
            }
        }
        Some(gaps)
    }

    /// Tokens of one event where reads are not counted, and whether even the answer's are unknown (1 then).
    fn per_event(&self) -> (f64, bool) {
        let events: u32 = self.record.reads.iter().map(|r| r.events.max(1)).sum();
        let known = self.record.output_tokens.map(|n| f64::from(n) / f64::from(events.max(1)));
        (known.unwrap_or(1.0), known.is_none())
    }

    /// Time and tokens of each read: as counted, else the answer's tokens spread over its events, else one per event.
    pub(crate) fn read_tokens(&self) -> impl Iterator<Item = (f64, f64)> {
        let counted = self.record.reads.iter().all(|r| r.tokens.is_some());
        let (per_event, _) = self.per_event();
        self.record.reads.iter().map(move |r| {
            let tokens = r.tokens.filter(|_| counted).map(f64::from);
            (r.at_s, tokens.unwrap_or_else(|| f64::from(r.events.max(1)) * per_event))
        })
    }

    /// Output tokens within `window`, by [`Observed::read_tokens`]. The flag says that each event counted as one.
    pub(crate) fn tokens_within(&self, window: Window) -> (f64, bool) {
        let counted = self.record.reads.iter().all(|r| r.tokens.is_some());
        let tokens = self.read_tokens().filter(|(at, _)| window.contains(*at)).map(|(_, n)| n).sum();
        (tokens, !counted && self.per_event().1)
    }

    /// Whether this request meets one SLO; `None` where that SLO does not apply to it. In an open loop times count
    /// from the planned arrival.
    pub(crate) fn meets(&self, slo: &SloSpec, open_loop: bool) -> Option<bool> {
        let metric = match (slo.metric, open_loop) {
            (Metric::Ttft, true) => Metric::TtftResp,
            (Metric::E2eLatency, true) => Metric::E2eResp,
            (metric, _) => metric,
        };
        let value = match metric {
            // A limit on a percentile of gaps asks the same of this request's own gaps.
            Metric::Icl => self.stat_of(self.chunk_gaps().collect(), slo.stat())?,
            Metric::Itl => self.stat_of(self.token_gaps()?, slo.stat())?,
            time => self.time(time)?,
        };
        Some(match slo.bound()? {
            Bound::AtMost(limit) => value <= limit,
            Bound::AtLeast(limit) => value >= limit,
        })
    }

    fn stat_of(&self, gaps: Vec<f64>, stat: Stat) -> Option<f64> {
        let extra = match stat {
            Stat::Percentile(p) => vec![p],
            _ => Vec::new(),
        };
        Summaries::new(extra).of(gaps, false)?.stat(stat)
    }

    /// Whether it ended well.
    pub(crate) fn completed(&self) -> bool {
        self.record.fate == Fate::Completed
    }
}
