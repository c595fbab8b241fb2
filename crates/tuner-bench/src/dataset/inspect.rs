//! What a data set holds, for people: lengths, arrivals, examples, and what was left out.
//!
//! *Invariant*: a pure function of the rows; lengths that nobody knows are counted as unknown, never guessed.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::{BLOCK_TOKENS, Dataset, DatasetRow, Dropped, Format, plain_text};

/// Bars of a histogram.
const BARS: usize = 10;
/// Rows that are shown.
const EXAMPLES: usize = 3;
/// Characters of a prompt that are shown.
const SHOWN: usize = 100;

/// Everything about a data set on one page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// What it is.
    pub format: Format,
    /// Rows that can be used.
    pub rows: usize,
    /// Rows that were left out, by reason.
    pub dropped: Vec<Dropped>,
    /// Prompt lengths, tokens.
    pub input_tokens: Option<Spread>,
    /// Answer lengths, tokens.
    pub output_tokens: Option<Spread>,
    /// Arrivals, where the rows have times.
    pub arrivals: Option<Times>,
    /// Share of the prompt tokens that stood in an earlier prompt, where the source names blocks: what a prefix cache
    /// without a limit would serve.
    pub shared: Option<f64>,
    /// Turns of a row that `conversation` would hold, where some row has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns: Option<Spread>,
    /// Messages of single requests, by role.
    pub roles: Vec<(String, u64)>,
    /// The first rows.
    pub examples: Vec<Value>,
}

/// How a number is spread.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Rows that have it.
    pub known: usize,
    /// Rows that do not.
    pub unknown: usize,
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
    /// Smallest.
    pub min: u32,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Largest.
    pub max: u32,
    /// Upper end (inclusive) and count of each bar; the ends grow by equal factors.
    pub histogram: Vec<(u32, u64)>,
}

/// When the rows arrive.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Times {
    /// From the first to the last, seconds.
    pub span_s: f64,
    /// Mean rate, per second.
    pub rate: f64,
    /// Shape of the gamma law whose gaps scatter as these do: below 1 requests come in clumps, 1 is Poisson.
    pub burstiness: Option<f64>,
}

/// Looks at a data set that was read and counted.
pub fn inspect(dataset: &Dataset) -> Inspection {
    let rows = &dataset.rows;
    let mut roles: Vec<(String, u64)> = Vec::new();
    for role in rows.iter().filter_map(|r| r.request.as_ref()?.get("messages")?.as_array()).flatten() {
        let name = role["role"].as_str().unwrap_or_default();
        match roles.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += 1,
            None => roles.push((name.to_owned(), 1)),
        }
    }
    Inspection {
        format: dataset.format,
        rows: rows.len(),
        dropped: dataset.dropped.clone(),
        input_tokens: spread(rows.iter().map(|r| r.input_tokens)),
        output_tokens: spread(rows.iter().map(|r| r.output_tokens)),
        arrivals: times(rows),
        shared: shared(rows),
        turns: spread(rows.iter().map(|row| Some(row.turns() as u32))).filter(|turns| turns.max > 1),
        roles,
        examples: rows.iter().take(EXAMPLES).map(example).collect(),
    }
}

fn spread(values: impl Iterator<Item = Option<u32>>) -> Option<Spread> {
    let (mut known, mut unknown) = (Vec::new(), 0);
    for value in values {
        match value {
            Some(value) => known.push(value),
            None => unknown += 1,
        }
    }
    known.sort_unstable();
    let (min, max) = (*known.first()?, *known.last()?);
    let n = known.len() as f64;
    let mean = known.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let variance = known.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let floats: Vec<f64> = known.iter().map(|v| f64::from(*v)).collect();
    let at = |share: f64| percentile(&floats, share);
    Some(Spread {
        known: known.len(),
        unknown,
        mean,
        sd: variance.sqrt(),
        min,
        p50: at(0.5),
        p90: at(0.9),
        p99: at(0.99),
        max,
        histogram: histogram(&known, min, max),
    })
}

/// Linear between order statistics, as in reports.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

fn histogram(sorted: &[u32], min: u32, max: u32) -> Vec<(u32, u64)> {
    let growth = (f64::from(max.max(1)) / f64::from(min.max(1))).powf(1.0 / BARS as f64);
    let mut ends: Vec<u32> =
        (1..BARS).map(|i| (f64::from(min.max(1)) * growth.powi(i as i32)).round() as u32).collect();
    ends.push(max);
    ends.dedup();
    let mut counted = 0;
    let bar = |end: u32| {
        let below = sorted.partition_point(|v| *v <= end);
        let count = (below - counted) as u64;
        counted = below;
        (end, count)
    };
    ends.into_iter().map(bar).collect()
}

fn times(rows: &[DatasetRow]) -> Option<Times> {
    let mut at: Vec<f64> = rows.iter().filter_map(|r| r.at_s).collect();
    at.sort_by(f64::total_cmp);
    let span_s = at.last()? - at.first()?;
    let gaps: Vec<f64> = at.windows(2).map(|w| w[1] - w[0]).collect();
    let n = gaps.len() as f64;
    let mean = span_s / n.max(1.0);
    let variance = gaps.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    // Equal gaps differ by what rounding makes of them.
    let scatters = gaps.len() >= 10 && variance > mean * mean * 1e-9;
    Some(Times {
        span_s,
        rate: if span_s > 0.0 { n / span_s } else { 0.0 },
        burstiness: scatters.then(|| mean * mean / variance),
    })
}

fn shared(rows: &[DatasetRow]) -> Option<f64> {
    let mut seen: HashSet<u64> = HashSet::new();
    let (mut again, mut all) = (0u64, 0u64);
    for row in rows.iter().filter(|r| !r.blocks.is_empty()) {
        let input = u64::from(row.input_tokens.unwrap_or(0));
        all += input;
        // A block counts only while everything before it was there too: caches keep prefixes.
        let known = row.blocks.iter().take_while(|block| seen.contains(block)).count() as u64;
        again += (known * u64::from(BLOCK_TOKENS)).min(input);
        seen.extend(&row.blocks);
    }
    (all > 0).then(|| again as f64 / all as f64)
}

fn example(row: &DatasetRow) -> Value {
    let text = row.request.as_ref().map(plain_text).map(|text| {
        let short: String = text.chars().take(SHOWN).collect();
        if short.len() < text.len() { format!("{short}…") } else { short }
    });
    let mut out = json!({ "line": row.line });
    for (name, value) in [
        ("at_s", row.at_s.map(|at| Value::from((at * 1e6).round() / 1e6))),
        ("input_tokens", row.input_tokens.map(Value::from)),
        ("output_tokens", row.output_tokens.map(Value::from)),
        ("blocks", (!row.blocks.is_empty()).then(|| Value::from(row.blocks.len()))),
        ("prompt", text.map(Value::from)),
    ] {
        if let Some(value) = value {
            out[name] = value;
        }
    }
    out
}
