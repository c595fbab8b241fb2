//! GuideLLM's `DistributionSummary`: weighted values, percentiles without interpolation, rates weighted by how long
//! they lasted.

use serde_json::{Map, Value, json};

const PERCENTILES: [(&str, f64); 11] = [
    ("p001", 0.001),
    ("p01", 0.01),
    ("p05", 0.05),
    ("p10", 0.10),
    ("p25", 0.25),
    ("p50", 0.50),
    ("p75", 0.75),
    ("p90", 0.90),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p999", 0.999),
];

/// Events closer together than this are one, seconds.
const MERGE_S: f64 = 1e-4;
const EPSILON: f64 = 1e-6;

/// A weighted sample in numbers. `count`: observations, where it is not the sum of the weights.
pub(super) fn summary(mut values: Vec<(f64, f64)>, count: Option<u64>) -> Value {
    let count = count.unwrap_or_else(|| values.iter().map(|(_, w)| w).sum::<f64>().round() as u64);
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut pdf: Vec<(f64, f64)> = Vec::with_capacity(values.len());
    for (value, weight) in values {
        match pdf.last_mut() {
            Some((last, sum)) if *last == value => *sum += weight,
            _ => pdf.push((value, weight)),
        }
    }
    pdf.retain(|(_, weight)| *weight > 0.0);
    let total: f64 = pdf.iter().map(|(_, w)| w).sum();
    pdf.iter_mut().for_each(|(_, weight)| *weight /= total);
    let mean: f64 = pdf.iter().map(|(x, p)| x * p).sum();
    let variance: f64 = pdf.iter().map(|(x, p)| (x - mean).powi(2) * p).sum();
    let mode = pdf.iter().fold((0.0, f64::NEG_INFINITY), |best, (x, p)| if *p > best.1 { (*x, *p) } else { best }).0;
    let at = |share: f64| {
        let mut sum = 0.0;
        let found = pdf.iter().find(|(_, p)| {
            sum += p;
            sum >= share
        });
        found.or(pdf.last()).map_or(0.0, |(x, _)| *x)
    };
    let percentiles: Map<String, Value> =
        PERCENTILES.iter().map(|(name, share)| ((*name).to_owned(), json!(at(*share)))).collect();
    json!({
        "mean": mean,
        "median": at(0.5),
        "mode": mode,
        "variance": variance,
        "std_dev": variance.sqrt(),
        "min": pdf.first().map_or(0.0, |(x, _)| *x),
        "max": pdf.last().map_or(0.0, |(x, _)| *x),
        "count": count,
        "total_sum": mean * count as f64,
        "percentiles": percentiles,
    })
}

/// Times ascending; those within [`MERGE_S`] of the first of their group become one, at its time.
fn merged(mut events: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    events.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut out: Vec<(f64, f64)> = Vec::with_capacity(events.len());
    for (at, weight) in events {
        match out.last_mut() {
            Some((first, sum)) if at - *first <= MERGE_S => *sum += weight,
            _ => out.push((at, weight)),
        }
    }
    out
}

/// Rates of (time, weight) between midpoints of neighbouring events, weighted by their length.
pub(super) fn rate(events: Vec<(f64, f64)>, start: f64, end: f64) -> Value {
    let mut events: Vec<(f64, f64)> = events.into_iter().filter(|(at, _)| *at >= start && *at <= end).collect();
    events.extend([(start, 0.0), (end, 0.0)]);
    let events = merged(events);
    if events.len() <= 1 {
        return summary(Vec::new(), Some(events.len() as u64));
    }
    let count = events.iter().map(|(_, w)| w).sum::<f64>().round() as u64;
    let middles: Vec<f64> = events.windows(2).map(|w| f64::midpoint(w[0].0, w[1].0)).collect();
    let last = events.len() - 1;
    let rates = events.iter().enumerate().map(|(i, (at, weight))| {
        let from = if i == 0 { *at } else { middles[i - 1] };
        let to = if i == last { *at } else { middles[i] };
        let length = if i == last { (to - from).max(EPSILON) } else { to - from };
        (weight / length, length)
    });
    summary(rates.collect(), Some(count))
}

/// Requests at once, weighted by how long.
pub(super) fn concurrency(spans: Vec<(f64, f64)>, start: f64, end: f64) -> Value {
    let count = spans.len() as u64;
    let mut changes: Vec<(f64, f64)> = spans.iter().flat_map(|(from, to)| [(*from, 1.0), (*to, -1.0)]).collect();
    if changes.is_empty() {
        return summary(Vec::new(), None);
    }
    changes.extend([(start, 0.0), (end, 0.0)]);
    let changes = merged(changes);
    let mut level = 0.0;
    let values: Vec<(f64, f64)> = changes
        .windows(2)
        .map(|w| {
            level += w[0].1;
            (f64::max(level, 0.0), w[1].0 - w[0].0)
        })
        .collect();
    summary(values, Some(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// mean, median, mode, standard deviation, smallest, largest, count, sum, p25, p95
    fn numbers(value: &Value) -> Vec<f64> {
        let paths = ["mean", "median", "mode", "std_dev", "min", "max", "count", "total_sum"];
        let percentiles = ["p25", "p95"].map(|p| value["percentiles"][p].as_f64().unwrap());
        paths.iter().map(|path| value[path].as_f64().unwrap()).chain(percentiles).collect()
    }

    #[track_caller]
    fn agree(value: &Value, expected: [f64; 10]) {
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-9;
        assert!(numbers(value).iter().zip(&expected).all(close), "{:?} {expected:?}", numbers(value));
    }

    #[test]
    fn uneven_samples_have_the_numbers_that_guidellm_itself_gives_them() {
        // Computed with DistributionSummary of GuideLLM 0.8.1.
        let events = vec![(0.5, 1.0), (0.50005, 2.0), (1.25, 1.0), (3.0, 4.0), (3.0, 1.0), (7.5, 2.0), (9.99, 3.0)];
        let low = 0.572_246_065_808_297_4;
        agree(&rate(events, 0.0, 10.0), [1.4, 0.8, low, 1.092_908_602_382_495_4, 0.0, 4.8, 14.0, 19.6, low, 4.8]);
        let spans = vec![(0.0, 2.5), (0.5, 4.0), (2.5, 2.6), (3.0, 9.0), (3.00005, 10.0)];
        let deviation = 0.530_942_558_098_331_5;
        agree(&concurrency(spans, 0.0, 10.0), [1.91, 2.0, 2.0, deviation, 1.0, 3.0, 5.0, 9.55, 2.0, 3.0]);
        let values = vec![(3.0, 2.0), (1.0, 5.0), (2.0, 0.0), (10.0, 1.0)];
        let deviation = 2.912_795_049_432_761;
        agree(&summary(values, None), [2.625, 1.0, 1.0, deviation, 1.0, 10.0, 8.0, 21.0, 1.0, 10.0]);
    }

    #[test]
    fn the_mean_of_rates_is_the_total_over_the_window() {
        let value = rate(vec![(1.0, 2.0), (3.0, 1.0), (3.00005, 1.0)], 0.0, 10.0);
        assert!((value["mean"].as_f64().unwrap() - 0.4).abs() < 1e-9, "{value}");
        assert_eq!(value["count"], 4);
    }

    #[test]
    fn percentiles_are_observed_values_by_weight() {
        let value = summary(vec![(10.0, 1.0), (20.0, 3.0)], None);
        assert_eq!((value["median"].as_f64(), value["percentiles"]["p25"].as_f64()), (Some(20.0), Some(10.0)));
        assert_eq!((value["mean"].as_f64(), value["count"].as_u64()), (Some(17.5), Some(4)));
    }

    #[test]
    fn concurrency_is_weighted_by_time() {
        let value = concurrency(vec![(0.0, 4.0), (1.0, 2.0)], 0.0, 4.0);
        assert!((value["mean"].as_f64().unwrap() - 1.25).abs() < 1e-12, "{value}");
        assert_eq!((value["max"].as_f64(), value["min"].as_f64()), (Some(2.0), Some(1.0)));
    }
}
